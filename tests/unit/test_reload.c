// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reloads under load: policies are swapped in the middle of a stream of accesses, as
 * user/daemon/reload.c does. Each access gets exactly one verdict, and that is wholly one policy's:
 * the one that was in force when it settled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/engine.h"

#define S	 1000000000ULL
#define MS	 1000000ULL
#define ACCESSES 20011 /* prime: swaps come at all places of a cycle */
#define OBJECTS	 16
#define POLICIES 3

/*
 * Who is allowed, under which name the entry stands, at which place, how grave: all differ, so that
 * a mixture shows. The second one has the entry under another name and number, the third allows
 * nobody and knows the first's name.
 */
static const char *const texts[POLICIES] = {
	"version: 1\nsettings: {alert_burst: 1000, alert_share: 1000000}\n"
	"watch: [{name: keys, class: ssh-user-key, severity: low, paths: [/k/*],\n"
	"  allow: [{exe: /bin/one}]}]\n",
	"version: 1\nsettings: {alert_burst: 1000, alert_share: 1000000}\n"
	"watch: [{name: other, class: dump, paths: [/d]},\n\n"
	"  {name: keys2, class: ssh-user-key, severity: medium, paths: [/k/*],\n"
	"  allow: [{exe: /bin/two}]}]\n",
	"version: 1\nsettings: {alert_burst: 1000, alert_share: 1000000}\n"
	"watch: [{name: first, class: key, paths: [/x]},\n\n\n\n"
	"  {name: keys, class: ssh-user-key, severity: critical, paths: [/k/*]}]\n",
};
static const char *const names[POLICIES] = {"keys", "keys2", "keys"};
static const char *const allowed[POLICIES] = {"/bin/one", "/bin/two", NULL};
static const enum severity severities[POLICIES] = {SEV_LOW, SEV_MEDIUM, SEV_CRITICAL};

struct load {
	struct engine *engine;
	struct policy *policy; /* in force */
	unsigned which;
	unsigned generation;
	uint64_t alerts;
	uint64_t seen[ACCESSES]; /* alerts about the access of this process */
};

static struct policy *parse(unsigned which)
{
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	char name[16];

	snprintf(name, sizeof(name), "policy%u", which);
	if (policy_parse(name, texts[which], strlen(texts[which]), &diags, &policy) < 0)
		fail_msg("%s", diags.items[0].text);
	diag_list_fini(&diags);
	return policy;
}

static void on_alert(void *ctx, const struct alert *alert)
{
	struct load *load = ctx;
	char place[32];

	load->alerts++;
	assert_false(alert->summary);
	load->seen[alert->processes[0].pid - 1000]++;
	/* Everything that the policy gives an alert is of the one in force. */
	assert_int_equal(alert->severity, severities[load->which]);
	assert_string_equal(alert->watch, names[load->which]);
	snprintf(place, sizeof(place), "(policy%u:", load->which);
	if (!strstr(alert->rule, place))
		fail_msg("generation %u, policy %u: %s", load->generation, load->which,
			 alert->rule);
	/* And it is not one that this policy allows. */
	assert_true(!allowed[load->which] ||
		    strcmp(alert->processes[0].exe, allowed[load->which]) != 0);
}

static void tell_objects(struct load *load, uint64_t time)
{
	for (unsigned i = 0; i < OBJECTS; i++) {
		char path[32];
		struct event ev = {
			.type = EVENT_OBJECT,
			.time = time,
			.object = {.object = 17 + i,
				   .inode = {.ino = 17 + i, .dev = 8},
				   .watch = span_of(names[load->which]),
				   .key_known = true,
				   .key = {.kind = KEY_ED25519, .source = KEYSRC_FILE}},
		};

		snprintf(path, sizeof(path), "/k/%u", i);
		ev.object.path = span_of(path);
		engine_feed(load->engine, &ev);
	}
}

/* As the daemon asks: about the executables that the policy in force names, and no others. */
static enum exe_trust trust_of(const struct load *load, const char *exe)
{
	return allowed[load->which] && !strcmp(allowed[load->which], exe) ? EXE_VERIFIED
									  : EXE_UNKNOWN;
}

static void ask_trust(void *ctx, struct event_access *a)
{
	char exe[16];

	assert_true(a->exe.len < sizeof(exe));
	snprintf(exe, sizeof(exe), "%.*s", (int)a->exe.len, a->exe.p);
	if (a->exe_trust == EXE_UNKNOWN)
		a->exe_trust = trust_of(ctx, exe);
}

/* As swap() of the daemon: the whole new one, then the old one goes, then all is told anew. */
static void swap(struct load *load, uint64_t time)
{
	struct policy *old = load->policy;
	unsigned which = (load->which + 1 + load->generation % 2) % POLICIES;
	struct policy *new = parse(which);

	load->policy = new;
	load->which = which;
	load->generation++;
	engine_ask_trust(load->engine, ask_trust, load);
	engine_set_policy(load->engine, new);
	tell_objects(load, time);
	policy_free(old); /* nothing may point to it any more */
}

static void feed(struct load *load, unsigned i, uint64_t time)
{
	static const char *const exes[] = {"/bin/one", "/bin/two", "/bin/three"};
	struct event ev = {
		.type = EVENT_ACCESS,
		.time = time,
		.access = {.subject = {.id = {.tgid = 1000 + i, .start = S + i, .exec_id = 7},
				       .tid = 1000 + i,
				       .uid = 1000,
				       .euid = 1000,
				       .loginuid = 1000,
				       .session = 1,
				       .exe = {.ino = 1 + i % 3, .dev = 1},
				       .comm = "x"},
			   .parent = {.tgid = 1, .start = 1, .exec_id = 3},
			   .inode = {.ino = 17 + i % OBJECTS, .dev = 8},
			   .object = 17 + i % OBJECTS,
			   .how = ACCESS_OPEN,
			   .mode = ACCESS_M_READ,
			   .fd = UINT32_MAX,
			   .exe_trust = trust_of(load, exes[i % 3]),
			   .path = span_of("/k/x"),
			   .exe = span_of(exes[i % 3])},
	};
	struct event end = {
		.type = EVENT_EXIT,
		.time = time + MS / 2,
		.exit = {.subject = ev.access.subject},
	};

	engine_feed(load->engine, &ev);
	if (i % 2)
		engine_feed(load->engine, &end);
}

static void run(uint32_t max_pending)
{
	static struct load load;
	struct engine_stats st;
	uint64_t time = 100 * S;
	unsigned next_swap = 13;

	load = (struct load){.policy = parse(0)};
	load.engine = engine_new(&(struct engine_config){
		.policy = load.policy,
		.host = "h",
		.boot_id = "b",
		.max_pending = max_pending,
		.alert = on_alert,
		.ctx = &load,
	});
	assert_non_null(load.engine);
	tell_objects(&load, 99 * S);
	for (unsigned i = 0; i < ACCESSES; i++) {
		feed(&load, i, time);
		time += MS;
		if (i % 7 == 0)
			engine_tick(load.engine, time);
		if (i == next_swap) {
			swap(&load, time);
			next_swap += 29 + i % 31;
		}
	}
	engine_flush(load.engine, time + S);
	engine_stats(load.engine, &st);
	assert_true(load.generation > 300);
	/* One verdict for each. */
	assert_int_equal(st.alerts, load.alerts);
	assert_int_equal(load.alerts + st.allowed, ACCESSES);
	assert_int_equal(st.recorded + st.folded, 0);
	assert_true(st.allowed > ACCESSES / 10);
	for (unsigned i = 0; i < ACCESSES; i++) {
		assert_true(load.seen[i] <= 1);
		/* No policy allows this one: not one of its accesses may be missing. */
		if (i % 3 == 2)
			assert_int_equal(load.seen[i], 1);
	}
	engine_free(load.engine);
	policy_free(load.policy);
}

static void each_access_is_judged_once_by_one_policy(void **state)
{
	run(0);
}

/* Verdicts that are made early for want of room are no others. */
static void also_when_there_is_no_room_to_wait(void **state)
{
	run(16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_access_is_judged_once_by_one_policy),
		cmocka_unit_test(also_when_there_is_no_room_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
