// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * engine/engine.c where a script cannot go: reloads, the clock, floods, memory, what is kept of
 * arguments. The ways of an access to an alert are in tests/replay.
 */
#include "engine/engine.c" /* what it keeps of a process is not told outside */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "engine/report.h"
#include "engine/sentence.h"

#define S  1000000000ULL
#define MS 1000000ULL

#define WATCH "  - {name: keys, class: ssh-user-key, severity: high, paths: [\"/k/*\"]"

/* Counts allocations; the sanitizers bring an allocator of their own. */
#if !defined(__SANITIZE_ADDRESS__)
#define COUNTS_ALLOCATIONS 1
static uint64_t allocations, fail_at; /* the fail_at-th from now fails, 0 = none */

static bool failing(void)
{
	allocations++;
	return fail_at && --fail_at == 0;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
	return failing() ? NULL : __libc_malloc(size);
}
void *calloc(size_t nr, size_t size)
{
	return failing() ? NULL : __libc_calloc(nr, size);
}
void *realloc(void *p, size_t size)
{
	return failing() ? NULL : __libc_realloc(p, size);
}
#else
#define COUNTS_ALLOCATIONS 0
static uint64_t allocations, fail_at;
#endif

struct fixture {
	struct engine *engine;
	struct policy *policy;
	unsigned alerts, summaries;
	uint64_t folded;
	struct {
		char id[33], text[1024], args[300], via[256], path[256], rule[256];
		enum severity severity;
		uint64_t time_ns;
		bool key_known;
	} last;
};

static struct policy *parse(const char *text)
{
	struct diag_list diags = {0};
	struct policy *policy = NULL;

	if (policy_parse("test", text, strlen(text), &diags, &policy) < 0) {
		diag_print(&diags, stderr);
		fail();
	}
	diag_list_fini(&diags);
	return policy;
}

static void on_alert(void *ctx, const struct alert *alert)
{
	struct fixture *f = ctx;
	_cleanup_free_ char *json = alert_json(alert);

	assert_non_null(json);
	f->alerts++;
	f->summaries += alert->summary;
	if (alert->summary)
		f->folded += alert->count;
	snprintf(f->last.id, sizeof(f->last.id), "%s", alert->id);
	snprintf(f->last.text, sizeof(f->last.text), "%s", alert->text);
	snprintf(f->last.path, sizeof(f->last.path), "%s", alert->path);
	snprintf(f->last.via, sizeof(f->last.via), "%s", alert->via);
	snprintf(f->last.rule, sizeof(f->last.rule), "%s", alert->rule);
	snprintf(f->last.args, sizeof(f->last.args), "%s",
		 alert->nr_processes ? alert->processes[0].args : "");
	f->last.severity = alert->severity;
	f->last.time_ns = alert->time_ns;
	f->last.key_known = alert->key_known;
}

static void start(struct fixture *f, const char *policy, uint32_t max)
{
	memset(f, 0, sizeof(*f));
	f->policy = parse(policy);
	f->engine = engine_new(&(struct engine_config){
		.policy = f->policy,
		.host = "h",
		.boot_id = "b",
		.wall_offset_ns = 1700000000 * (int64_t)S,
		.max_processes = max,
		.max_pending = max,
		.alert = on_alert,
		.ctx = f,
	});
	assert_non_null(f->engine);
}

static void stop(struct fixture *f)
{
	engine_free(f->engine);
	policy_free(f->policy);
}

static void object(struct fixture *f, uint64_t time, uint64_t id, bool key)
{
	struct event ev = {
		.type = EVENT_OBJECT,
		.time = time,
		.object = {.object = id,
			   .inode = {.ino = id, .dev = 8},
			   .path = span_of("/k/a"),
			   .watch = span_of("keys"),
			   .key_known = key,
			   .key = {.kind = KEY_RSA,
				   .source = KEYSRC_FILE,
				   .bits = 2048,
				   .ssh_fp = "SHA256:x"}},
	};

	engine_feed(f->engine, &ev);
}

static struct subject subject(uint32_t tgid)
{
	return (struct subject){
		.id = {.tgid = tgid, .start = S + tgid, .exec_id = 7},
		.tid = tgid,
		.uid = 1000,
		.euid = 1000,
		.loginuid = 1000,
		.session = 1,
		.exe = {.ino = 1, .dev = 1},
		.comm = "cat",
	};
}

static struct event access_event(uint64_t time, uint32_t tgid, uint64_t id)
{
	return (struct event){
		.type = EVENT_ACCESS,
		.time = time,
		.access = {.subject = subject(tgid),
			   .parent = {.tgid = 1, .start = 1, .exec_id = 3},
			   .inode = {.ino = id, .dev = 8},
			   .object = id,
			   .how = ACCESS_OPEN,
			   .mode = ACCESS_M_READ,
			   .fd = UINT32_MAX,
			   .path = span_of("/k/a"),
			   .exe = span_of("/usr/bin/cat")},
	};
}

static void access_(struct fixture *f, uint64_t time, uint32_t tgid, uint64_t id)
{
	struct event ev = access_event(time, tgid, id);

	engine_feed(f->engine, &ev);
}

static const char *const plain = "version: 1\nwatch:\n" WATCH "}\n";

static void an_object_of_which_nothing_is_known_is_not_silent(void **state)
{
	struct fixture f;

	start(&f, plain, 0);
	access_(&f, 100 * S, 812, 17);
	engine_tick(f.engine, 100 * S + 300 * MS);
	assert_int_equal(f.alerts, 0); /* it may be told of in a moment */
	assert_int_equal(engine_next(f.engine), 100 * S + 800 * MS);
	engine_tick(f.engine, 100 * S + 800 * MS);
	assert_int_equal(f.alerts, 1);
	assert_int_equal(f.last.severity, SEV_MEDIUM);
	assert_non_null(strstr(f.last.text, "watched file /k/a"));
	stop(&f);
}

static void an_object_told_while_the_verdict_waits_is_judged_by_what_it_is(void **state)
{
	struct fixture f;

	start(&f, plain, 0);
	access_(&f, 100 * S, 812, 17);
	engine_tick(f.engine, 100 * S + 300 * MS);
	object(&f, 100 * S + 400 * MS, 17, true);
	engine_tick(f.engine, 100 * S + 400 * MS);
	assert_int_equal(f.alerts, 1);
	assert_int_equal(f.last.severity, SEV_HIGH);
	assert_non_null(strstr(f.last.text, "SSH user key /k/a (RSA 2048 SHA256:x)"));
	stop(&f);
}

static void an_identity_is_waited_for_only_while_it_is_fresh(void **state)
{
	struct fixture f;

	start(&f, plain, 0);
	object(&f, 90 * S, 17, false); /* long ago: it will not come */
	access_(&f, 100 * S, 812, 17);
	engine_tick(f.engine, 100 * S + 300 * MS);
	assert_int_equal(f.alerts, 1);
	assert_false(f.last.key_known);
	object(&f, 200 * S, 18, false);
	access_(&f, 200 * S, 813, 18);
	engine_tick(f.engine, 200 * S + 300 * MS);
	assert_int_equal(f.alerts, 1);
	engine_tick(f.engine, 200 * S + 799 * MS);
	assert_int_equal(f.alerts, 1);
	engine_tick(f.engine, 200 * S + 800 * MS);
	assert_int_equal(f.alerts, 2);
	stop(&f);
}

static void a_reload_judges_by_the_new_policy(void **state)
{
	struct policy *other =
		parse("version: 1\nwatch:\n  - {name: first, class: dump, severity: low, "
		      "paths: [\"/d/*\"]}\n"
		      "  - {name: keys, class: ssh-user-key, severity: critical, "
		      "paths: [\"/k/*\"]}\n");
	struct policy *without = parse("version: 1\nwatch:\n  - {name: first, class: dump, "
				       "severity: low, paths: [\"/d/*\"]}\n");
	struct fixture f;

	start(&f, plain, 0);
	object(&f, 90 * S, 17, true);
	access_(&f, 100 * S, 812, 17);
	engine_tick(f.engine, 101 * S);
	assert_int_equal(f.last.severity, SEV_HIGH);
	engine_set_policy(f.engine, other);
	access_(&f, 110 * S, 813, 17);
	engine_tick(f.engine, 111 * S);
	assert_int_equal(f.alerts, 2);
	assert_int_equal(f.last.severity, SEV_CRITICAL);
	engine_set_policy(f.engine, without);
	access_(&f, 120 * S, 814, 17);
	engine_tick(f.engine, 121 * S);
	assert_int_equal(f.alerts, 2);
	engine_set_policy(f.engine, f.policy);
	policy_free(other);
	policy_free(without);
	stop(&f);
}

/* The name of the zone in which the key of object() is, when a scan finds it; "" = none. */
static const char *zone_of_key(const struct fixture *f, const struct policy *policy)
{
	const struct event_scan_key key = {
		.key = {.kind = KEY_RSA, .ssh_fp = "SHA256:x"},
		.zone = span_of("needles"),
	};
	const uint32_t zone = engine_scan_zone(f->engine, &key);

	return zone ? policy_zone_name(policy, zone) : "";
}

static void reload(struct fixture *f, const char *text, struct policy **policy)
{
	struct policy *before = *policy;

	*policy = parse(text);
	engine_set_policy(f->engine, *policy);
	policy_free(before);
}

static void zones_of_keys_are_those_of_the_policy_in_force(void **state)
{
	static const char *const texts[][2] = {
		{"version: 1\nzones: [{name: a, paths: [\"/a/*\"]}, {name: b, paths: [\"/b/*\"]}]\n"
		 "watch:\n" WATCH ", zone: a}\n",
		 "a"},
		{"version: 1\nzones: [{name: a, paths: [\"/a/*\"]}, {name: b, paths: [\"/b/*\"]}]\n"
		 "watch:\n" WATCH ", zone: b}\n",
		 "b"},
		{"version: 1\nzones: [{name: a, paths: [\"/a/*\"]}, {name: needles, paths: [\"/needles/*\"]}]\n"
		 "watch:\n" WATCH "}\n",
		 "needles"},
		{"version: 1\nwatch:\n" WATCH "}\n", ""},
	};
	struct policy *policy = NULL;
	struct fixture f;

	start(&f, plain, 0);
	object(&f, 90 * S, 17, true);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		reload(&f, texts[i][0], &policy);
		assert_string_equal(zone_of_key(&f, policy), texts[i][1]);
	}
	/* What is said of a file that is gone holds as long as there is a zone of that name. */
	reload(&f, texts[0][0], &policy);
	engine_feed(f.engine, &(struct event){.type = EVENT_OBJECT,
					      .time = 91 * S,
					      .object = {.object = 17, .inode = {17, 8, 0}}});
	engine_tick(f.engine, 100 * S);
	reload(&f, texts[1][0], &policy);
	assert_string_equal(zone_of_key(&f, policy), "a");
	reload(&f, texts[3][0], &policy);
	reload(&f, texts[0][0], &policy);
	assert_string_equal(zone_of_key(&f, policy), "");
	engine_set_policy(f.engine, f.policy);
	policy_free(policy);
	stop(&f);
}

static void on_trail_alert(void *ctx, const char *id, const char *type, const char *node)
{
	++*(unsigned *)ctx;
}

static void an_alert_about_process_0_is_an_alert(void **state)
{
	unsigned noted = 0;
	struct fixture f;

	start(&f, plain, 0);
	trail_graph_set_sink(f.engine->trail,
			     &(struct trail_sink){.alert = on_trail_alert, .ctx = &noted});
	object(&f, 90 * S, 17, true);
	access_(&f, 100 * S, 0, 17); /* only a trace says such */
	access_(&f, 100 * S, 812, 17);
	engine_tick(f.engine, 101 * S);
	assert_int_equal(f.alerts, 2);
	assert_true(noted >= 1);
	stop(&f);
}

static void times_follow_the_wall_clock(void **state)
{
	struct fixture f;

	start(&f, plain, 0);
	object(&f, 90 * S, 17, true);
	access_(&f, 100 * S, 812, 17);
	engine_tick(f.engine, 101 * S);
	assert_int_equal(f.last.time_ns, 1700000100 * S);
	engine_set_wall_offset(f.engine, 1800000000 * (int64_t)S);
	access_(&f, 102 * S, 813, 17);
	engine_tick(f.engine, 103 * S);
	assert_int_equal(f.last.time_ns, 1800000102 * S);
	stop(&f);
}

static void the_id_is_that_of_the_thing_not_of_the_run(void **state)
{
	struct fixture f;
	char first[33];

	start(&f, plain, 0);
	object(&f, 90 * S, 17, true);
	access_(&f, 100 * S, 812, 17);
	engine_tick(f.engine, 101 * S);
	strcpy(first, f.last.id);
	stop(&f);
	/* a restart: the mark has another number, the daemon came later, the clock was set */
	start(&f, plain, 0);
	engine_set_wall_offset(f.engine, 0);
	object(&f, 200 * S, 99, false);
	struct event ev = access_event(200 * S, 812, 17);

	ev.access.object = 99;
	ev.access.how = ACCESS_FOUND;
	engine_feed(f.engine, &ev);
	engine_tick(f.engine, 300 * S);
	engine_tick(f.engine, 311 * S);
	assert_int_equal(f.alerts, 1);
	assert_string_equal(f.last.id, first);
	/* another process, another object: other ids */
	access_(&f, 301 * S, 813, 99);
	engine_tick(f.engine, 330 * S);
	assert_int_equal(f.alerts, 2);
	assert_string_not_equal(f.last.id, first);
	stop(&f);
}

static void what_was_open_at_the_start_waits_longer_for_its_key(void **state)
{
	struct fixture f;
	struct event ev = access_event(10 * S, 812, 17);

	start(&f, plain, 0);
	object(&f, 10 * S, 99, false);
	ev.access.object = 99;
	ev.access.how = ACCESS_FOUND;
	engine_feed(f.engine, &ev);
	engine_tick(f.engine, 11 * S);
	engine_tick(f.engine, 15 * S);
	assert_int_equal(f.alerts, 0);
	object(&f, 16 * S, 99, true);
	engine_tick(f.engine, 17 * S);
	assert_int_equal(f.alerts, 1);
	assert_true(f.last.key_known);
	stop(&f);
}

static void another_path_to_the_object_is_told(void **state)
{
	struct fixture f;
	struct event ev;

	start(&f, plain, 0);
	object(&f, 90 * S, 17, true);
	ev = access_event(100 * S, 812, 17);
	ev.access.path = span_of("/mnt/hardlink");
	engine_feed(f.engine, &ev);
	engine_tick(f.engine, 101 * S);
	assert_string_equal(f.last.path, "/k/a");
	assert_string_equal(f.last.via, "/mnt/hardlink");
	/* the end of the same path is no other one */
	ev = access_event(110 * S, 813, 17);
	ev.access.path = span_of("/a");
	ev.flags = EVENT_PATH_TRUNCATED;
	engine_feed(f.engine, &ev);
	engine_tick(f.engine, 111 * S);
	assert_string_equal(f.last.via, "");
	stop(&f);
}

static void arguments_are_kept_as_the_policy_says(void **state)
{
	static const struct {
		const char *mode, *shown;
		bool stored;
	} cases[] = {
		{"none", "", false},
		{"redacted", "app --password ***", false},
		{"full", "app --password hunter2", true},
	};
	static const char args[] = "app\0--password\0hunter2";

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		struct event ev = {.type = EVENT_EXEC, .time = 99 * S};
		struct proc_info info;
		char policy[256];
		struct span kept;

		snprintf(policy, sizeof(policy),
			 "version: 1\nsettings: {cmdline: %s}\nwatch:\n" WATCH "}\n",
			 cases[i].mode);
		start(&f, policy, 0);
		object(&f, 90 * S, 17, true);
		ev.exec = (struct event_exec){.subject = subject(812),
					      .exe = span_of("/usr/bin/app"),
					      .args = {args, sizeof(args)}};
		engine_feed(f.engine, &ev);
		access_(&f, 100 * S, 812, 17);
		engine_tick(f.engine, 101 * S);
		assert_string_equal(f.last.args, cases[i].shown);
		/* What may not be shown is not kept in memory either. */
		assert_true(proctab_info(f.engine->processes,
					 proctab_find(f.engine->processes, &ev.exec.subject.id),
					 &info));
		kept = str_span(info.args);
		assert_int_equal(kept.len && memmem(kept.p, kept.len, "hunter2", 7) != NULL,
				 cases[i].stored);
		stop(&f);
	}
}

/* Every access of a flood is either told or counted, and the tables stay as they are. */
static void a_flood_is_counted_to_the_last(void **state)
{
	struct fixture f;
	struct engine_stats stats;
	uint64_t bytes;

	start(&f, plain, 500);
	object(&f, 90 * S, 17, true);
	for (uint32_t i = 0; i < 20000; i++) {
		access_(&f, 100 * S + i * MS, 1000 + i, 17);
		if (i > 1000 && i % 16 == 0) /* before that the table of pending ones fills up */
			engine_tick(f.engine, 100 * S + i * MS);
	}
	engine_stats(f.engine, &stats);
	bytes = stats.bytes;
	engine_flush(f.engine, 200 * S);
	assert_int_equal(f.alerts - f.summaries + f.folded, 20000);
	assert_int_equal(f.alerts - f.summaries, 8);
	for (uint32_t i = 0; i < 20000; i++)
		access_(&f, 300 * S + i * MS, 50000 + i, 17);
	engine_stats(f.engine, &stats);
	assert_true(stats.bytes <= bytes + 4096);
	assert_int_equal(stats.alerts_lost, 0);
	assert_true(stats.processes.nodes <= 500);
	stop(&f);
}

static size_t heap_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Process life and allowed accesses, for long: no memory may be left behind. */
/* One makes keys and reads them; another's is read among them. */
static void a_users_flood_does_not_push_out_others(void **state)
{
	struct engine_stats st;
	struct event ev;
	struct fixture f;
	unsigned before;

	start(&f, plain, 0);
	for (uint32_t i = 0; i < 3000; i++) {
		object(&f, 100 * S, 1000 + i, true);
		ev = access_event(100 * S + i * MS, 5000 + i, 1000 + i);
		ev.access.owner = 1000;
		engine_feed(f.engine, &ev);
		engine_tick(f.engine, 100 * S + i * MS);
	}
	engine_tick(f.engine, 110 * S);
	assert_int_equal(f.alerts, 200 + 1);
	assert_string_equal(f.last.text,
			    "from now on alerts about what user 1000 does are held back for a "
			    "while, since they were too many: they are counted only, but for the "
			    "first about each file of another user");
	before = f.alerts;
	object(&f, 111 * S, 17, true);
	access_(&f, 111 * S, 812, 17); /* root's */
	engine_tick(f.engine, 112 * S);
	assert_int_equal(f.alerts, before + 1);
	assert_non_null(strstr(f.last.text, "/k/a"));
	engine_tick(f.engine, 710 * S);
	assert_int_equal(f.alerts, before + 2);
	assert_int_equal(strncmp(f.last.text, "2800 alerts about what user 1000 did between ", 45),
			 0);
	engine_stats(f.engine, &st);
	assert_int_equal(st.held_back, 2800);
	stop(&f);
}

static void send_keys(struct fixture *f, uint64_t time, uint32_t nr)
{
	struct event ev = {
		.type = EVENT_NET,
		.time = time,
		.net = {.subject = subject(700),
			.how = NET_CONNECT,
			.family = AF_INET,
			.addr = {192, 0, 2, 7},
			.port = 443,
			.nr_keys = nr,
			.exe_trust = EXE_VERIFIED,
			.exe = span_of("/bin/backup")},
	};

	for (uint32_t i = 0; i < nr && i < EVENT_KEYS_MAX; i++)
		ev.net.keys[i] = 17 + i;
	engine_feed(f->engine, &ev);
}

/* One of them may be one that it may not send; that is no alert, or a backup would raise it. */
static void keys_that_are_not_asked_about_are_counted(void **state)
{
	struct engine_stats st;
	struct fixture f;

	start(&f,
	      "version: 1\nwatch:\n" WATCH ", on: [read, send],\n"
	      "     allow: [{exe: /bin/backup, on: [read, send]}]}\n",
	      0);
	for (uint64_t id = 17; id < 17 + EVENT_KEYS_MAX; id++)
		object(&f, S, id, true);
	send_keys(&f, 2 * S, EVENT_KEYS_MAX);
	engine_stats(f.engine, &st);
	assert_int_equal(st.allowed, EVENT_KEYS_MAX);
	assert_int_equal(st.unjudged, 0);
	send_keys(&f, 3 * S, EVENT_KEYS_MAX + 1);
	engine_stats(f.engine, &st);
	assert_int_equal(st.unjudged, 1);
	assert_int_equal(f.alerts, 0);
	stop(&f);
}

static void ordinary_life_takes_no_more_memory_with_time(void **state)
{
	struct policy *policy =
		parse("version: 1\nwatch:\n" WATCH ", allow: [{exe: /usr/bin/ssh}]}\n");
	struct fixture f;
	size_t early = 0;

	start(&f, plain, 0);
	engine_set_policy(f.engine, policy);
	object(&f, 90 * S, 17, true);
	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t now = 100 * S + i * 10 * MS;
		struct event ev = {.time = now};
		char args[64];
		int n = snprintf(args, sizeof(args), "ssh%c-i%c/k/%u", 0, 0, i);

		ev.type = EVENT_FORK;
		ev.fork.child = subject(2 + i % 30000);
		ev.fork.child.id.start = now;
		ev.fork.child.id.exec_id = 6;
		ev.fork.parent = (struct proc_id){.tgid = 1, .start = 1, .exec_id = 3};
		engine_feed(f.engine, &ev);
		ev = (struct event){.type = EVENT_EXEC, .time = now};
		ev.exec.subject = subject(2 + i % 30000);
		ev.exec.subject.id.start = now;
		ev.exec.exe = span_of("/usr/bin/ssh");
		ev.exec.args = (struct span){args, (size_t)n};
		engine_feed(f.engine, &ev);
		struct event access = access_event(now, 2 + i % 30000, 17);

		access.access.subject.id.start = now;
		access.access.exe = span_of("/usr/bin/ssh");
		access.access.exe_trust = EXE_VERIFIED;
		engine_feed(f.engine, &access);
		struct event gone = {.type = EVENT_EXIT, .time = now + MS};

		gone.exit.subject = ev.exec.subject;
		engine_feed(f.engine, &gone);
		engine_tick(f.engine, now + 2 * MS);
		if (i == 20000)
			early = heap_in_use();
	}
	assert_int_equal(f.alerts, 0);
	assert_true(heap_in_use() <= early + 65536);
	engine_set_policy(f.engine, f.policy);
	policy_free(policy);
	stop(&f);
}

/* The life of a process whose program, arguments and cgroup are known, and an access that is
 * allowed. */
static void live(struct fixture *f, uint32_t n, uint64_t now)
{
	static const char args[] = "ssh\0-i\0/k/a\0host";
	struct event ev = {.type = EVENT_FORK, .time = now};
	struct proc_id id = {.tgid = 2 + n % 30000, .start = now, .exec_id = 6};

	ev.fork.child = subject(id.tgid);
	ev.fork.child.id = id;
	ev.fork.parent = (struct proc_id){.tgid = 1, .start = 1, .exec_id = 3};
	engine_feed(f->engine, &ev);
	id.exec_id = 7;
	ev = (struct event){.type = EVENT_EXEC, .time = now};
	ev.exec.subject = subject(id.tgid);
	ev.exec.subject.id = id;
	ev.exec.exe = span_of("/usr/bin/ssh");
	ev.exec.args = (struct span){args, sizeof(args)};
	ev.exec.cgroup = span_of("/user.slice");
	engine_feed(f->engine, &ev);
	ev = access_event(now, id.tgid, 17);
	ev.access.subject.id = id;
	ev.access.exe = span_of("/usr/bin/ssh");
	ev.access.cgroup = span_of("/user.slice");
	ev.access.exe_trust = EXE_VERIFIED;
	engine_feed(f->engine, &ev);
	ev = (struct event){.type = EVENT_EXIT, .time = now + MS};
	ev.exit.subject = subject(id.tgid);
	ev.exit.subject.id = id;
	engine_feed(f->engine, &ev);
	engine_tick(f->engine, now + 30 * MS);
}

static void events_of_what_is_known_allocate_nothing(void **state)
{
	struct policy *policy;
	struct engine_stats stats;
	struct fixture f;
	uint64_t before;

	if (!COUNTS_ALLOCATIONS)
		skip();
	policy = parse("version: 1\nwatch:\n" WATCH ", allow: [{exe: /usr/bin/ssh}]}\n");
	start(&f, plain, 0);
	engine_set_policy(f.engine, policy);
	object(&f, 90 * S, 17, true);
	live(&f, 0, 100 * S);
	before = allocations;
	assert_true(before > 0);
	for (uint32_t i = 1; i < 10000; i++)
		live(&f, i, 100 * S + i * 100 * MS);
	assert_int_equal(allocations - before, 0);
	engine_stats(f.engine, &stats);
	assert_int_equal(stats.allowed, 10000);
	engine_set_policy(f.engine, f.policy);
	policy_free(policy);
	stop(&f);
}

static uint64_t alerts_seen;

static void count_alert(void *ctx, const struct alert *alert)
{
	assert_non_null(alert->text);
	assert_non_null(alert->path);
	alerts_seen++;
}

/* Each allocation on the way fails once: no crash, and an alert that could not be built is counted.
 */
static void without_memory_alerts_are_counted_as_lost(void **state)
{
	struct policy *policy;
	uint64_t n, lost = 0;

	if (!COUNTS_ALLOCATIONS)
		skip();
	policy = parse(plain);
	for (n = 1; n < 1000; n++) {
		struct engine_config config = {.policy = policy,
					       .host = "h",
					       .boot_id = "b",
					       .alert = count_alert};
		struct fixture f = {0};
		struct engine_stats stats;
		bool all;

		alerts_seen = 0;
		fail_at = n;
		f.engine = engine_new(&config);
		if (!f.engine) {
			assert_int_equal(fail_at, 0);
			continue;
		}
		object(&f, 90 * S, 17, true);
		for (uint32_t i = 0; i < 12; i++) /* more than go out one by one */
			access_(&f, 100 * S, 812 + i, 17);
		engine_tick(f.engine, 101 * S);
		engine_flush(f.engine, 102 * S);
		all = fail_at > 0; /* there were fewer allocations than that */
		fail_at = 0;
		engine_stats(f.engine, &stats);
		assert_int_equal(alerts_seen, stats.alerts);
		assert_true(stats.alerts + stats.alerts_lost >= 8);
		lost += stats.alerts_lost;
		engine_free(f.engine);
		if (all) {
			assert_int_equal(stats.alerts, 9);
			assert_int_equal(stats.alerts_lost, 0);
			break;
		}
	}
	assert_in_range(n, 50, 999);
	assert_true(lost > 0);
	policy_free(policy);
}

static void each_class_has_its_type_and_technique(void **state)
{
	for (unsigned c = CLASS_SSH_USER_KEY; c < CLASS_NR; c++) {
		bool key = object_class_gives_keys(c);

		if (c == CLASS_PROCESS_MEMORY ||
		    c == CLASS_SYSTEM_MEMORY) /* have a type of their own */
			continue;
		assert_int_equal(report_type(c) == ALERT_KEY_READ, key);
		assert_int_equal(report_type(c) == ALERT_DEVICE_READ, c == CLASS_DEVICE);
		assert_string_equal(report_attack(c), key			? "T1552.004"
						      : c == CLASS_DUMP		? "T1005"
						      : c == CLASS_DEVICE	? "T1006"
						      : c == CLASS_AGENT_SOCKET ? "T1563.001"
										: "T1552.001");
	}
}

static void keys_are_named_as_their_users_know_them(void **state)
{
	static const struct {
		struct key_identity key;
		const char *text;
	} cases[] = {
		{{.kind = KEY_ED25519, .source = KEYSRC_FILE, .bits = 256, .ssh_fp = "SHA256:abc"},
		 "ED25519 256 SHA256:abc"},
		{{.kind = KEY_RSA,
		  .source = KEYSRC_SIBLING,
		  .encrypted = true,
		  .bits = 3072,
		  .ssh_fp = "SHA256:abc"},
		 "RSA 3072 SHA256:abc, unverified, from the file beside it"},
		{{.kind = KEY_OTHER, .source = KEYSRC_NONE, .encrypted = true},
		 "encrypted, its public half cannot be read"},
		{{.kind = KEY_NONE, .encrypted = true},
		 "encrypted, its public half cannot be read"},
		{{.kind = KEY_RSA}, "a key, its public half cannot be read"},
		{{.kind = KEY_NONE}, "no key was found in it"},
		{{.kind = KEY_ED448, .source = KEYSRC_FILE, .has_spki = true, .spki = {0xab}},
		 "ED448 SPKI ab00000000000000000000000000000000000000000000000000000000000000"},
		{{.kind = KEY_RSA, .source = KEYSRC_FILE, .bits = 2048, .keygrip = "00FF"},
		 "RSA 2048 keygrip 00FF"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];

		sentence_key(&cases[i].key, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
	assert_string_equal(sentence_basename("/a/b"), "b");
	assert_string_equal(sentence_basename("b"), "b");
	assert_string_equal(sentence_basename("/a/"), "/a/");
	assert_string_equal(sentence_basename(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_of_which_nothing_is_known_is_not_silent),
		cmocka_unit_test(an_object_told_while_the_verdict_waits_is_judged_by_what_it_is),
		cmocka_unit_test(an_identity_is_waited_for_only_while_it_is_fresh),
		cmocka_unit_test(a_reload_judges_by_the_new_policy),
		cmocka_unit_test(zones_of_keys_are_those_of_the_policy_in_force),
		cmocka_unit_test(an_alert_about_process_0_is_an_alert),
		cmocka_unit_test(times_follow_the_wall_clock),
		cmocka_unit_test(the_id_is_that_of_the_thing_not_of_the_run),
		cmocka_unit_test(what_was_open_at_the_start_waits_longer_for_its_key),
		cmocka_unit_test(another_path_to_the_object_is_told),
		cmocka_unit_test(arguments_are_kept_as_the_policy_says),
		cmocka_unit_test(a_flood_is_counted_to_the_last),
		cmocka_unit_test(a_users_flood_does_not_push_out_others),
		cmocka_unit_test(keys_that_are_not_asked_about_are_counted),
		cmocka_unit_test(ordinary_life_takes_no_more_memory_with_time),
		cmocka_unit_test(events_of_what_is_known_allocate_nothing),
		cmocka_unit_test(without_memory_alerts_are_counted_as_lost),
		cmocka_unit_test(each_class_has_its_type_and_technique),
		cmocka_unit_test(keys_are_named_as_their_users_know_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
