// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules and subjects chosen by the fuzzer, the indexed judgement held against a walk through all
 * rules.
 *
 * The input is bytes: a rule or a question takes a few, each of which chooses a value out of a
 * small set, so that rules meet and differ in single keys.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

#define RULES	  40
#define QUESTIONS 16
#define VALUES	  4

/* Value 0 is none. Patterns stand beside what they match. */
static const char *const exes[VALUES] = {NULL, "/bin/a", "/bin/ab", "/b"};
static const char *const units[VALUES + 2] = {NULL,	   "a.service", "b.service",
					      "c@1.scope", "*.service", "[bc]*.s*"};
static const char *const containers[VALUES + 1] = {NULL, "web", "webb", "db", "w*"};
static const char *const images[VALUES + 1] = {NULL, "q/a:1", "q/a:2", "b", "q/*"};
static const char *const image_ids[2] = {
	NULL, "sha256:0011223344556677001122334455667700112233445566770011223344556677"};
static const char *const users[VALUES] = {NULL, "ada", "bob", "7"};
static const char *const scripts[VALUES] = {NULL, "/s/a", "/s/ab", "/s"};
static const char *const logins[3] = {"any", "none", "some"};

struct rule {
	unsigned exe, unit, container, user, login, end, script, session;
	unsigned image; /* one more than all names: by the id */
	bool expect, dump_only, zone;
};

struct input {
	const uint8_t *p;
	size_t left;
};

static unsigned take(struct input *in, unsigned below)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++ % below;
}

static bool names_somebody(const struct rule *r)
{
	return r->exe || r->unit || r->container || r->image || r->user || r->zone;
}

static size_t read_rules(struct input *in, struct rule rules[static RULES])
{
	size_t nr = take(in, RULES) + 1, kept = 0;

	for (size_t i = 0; i < nr; i++) {
		struct rule r = {
			.exe = take(in, VALUES),
			.unit = take(in, VALUES + 2),
			.container = take(in, VALUES + 1),
			.user = take(in, VALUES),
			.login = take(in, 3),
			.image = take(in, VALUES + 2),
		};
		unsigned bits = take(in, 16), more = take(in, VALUES * SESSION_TYPE_NR);

		r.expect = bits & 1;
		r.dump_only = bits & 2;
		r.zone = bits & 4;
		r.end = bits & 8 ? 1 : 0;
		/* What can never count is refused. */
		r.script = r.exe && !r.container && !r.image && r.user != 3 ? more % VALUES : 0;
		r.session = r.login != 1 ? more / VALUES : 0;
		if (names_somebody(&r))
			rules[kept++] = r;
	}
	return kept;
}

/* In the policy's order: what is allowed stands before what is expected. */
static size_t write_list(FILE *f, const struct rule *rules, size_t nr, bool expect, size_t *order)
{
	size_t written = 0;

	fprintf(f, "  %s:\n", expect ? "expect" : "allow");
	for (size_t i = 0; i < nr; i++) {
		const struct rule *r = &rules[i];

		if (r->expect != expect)
			continue;
		fprintf(f, "  - {login: %s", logins[r->login]);
		if (r->exe)
			fprintf(f, ", exe: %s", exes[r->exe]);
		if (r->script)
			fprintf(f, ", script: %s", scripts[r->script]);
		if (r->session)
			fprintf(f, ", session: %s",
				session_type_str((enum session_type)r->session));
		if (r->unit)
			fprintf(f, ", unit: '%s'", units[r->unit]);
		if (r->container)
			fprintf(f, ", container: '%s'", containers[r->container]);
		if (r->image)
			fprintf(f, ", image: '%s'",
				r->image > VALUES ? image_ids[1] : images[r->image]);
		if (r->user)
			fprintf(f, ", user: %s", users[r->user]);
		if (r->dump_only)
			fprintf(f, ", on: [dump]");
		if (r->zone)
			fprintf(f, ", zone: z");
		if (r->end)
			fprintf(f, ", until: 1970-01-01, reason: r");
		fputs("}\n", f);
		order[written++] = i;
	}
	if (!written) /* never matches: nobody asks as this one */
		fprintf(f, "  - {exe: /nobody%d}\n", expect);
	return written;
}

static struct policy *make(const struct rule *rules, size_t nr)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	size_t len, order[RULES];
	FILE *f = open_memstream(&text, &len);

	fputs("version: 1\nzones: [{name: z, units: ['b*']}]\nwatch:\n"
	      "- name: w\n  class: key\n  paths: [/k]\n"
	      "  on: [read, write, link, send, dump]\n",
	      f);
	write_list(f, rules, nr, false, order);
	write_list(f, rules, nr, true, order);
	fclose(f);
	/* More than RULES_ALIKE_MAX of the same: refused. */
	if (policy_parse("fuzz", text, len, &diags, &policy) < 0)
		policy = NULL;
	diag_list_fini(&diags);
	return policy;
}

/* --- the reference -----------------------------------------------------------------------------
 */

struct asked {
	unsigned exe, unit, container, user, script, session, image, image_id;
	bool login, dump, late, root;
	enum exe_trust trust, script_trust;
	uint32_t untrusted;
};

static bool unit_is(unsigned wanted, unsigned unit)
{
	switch (wanted) {
	case 0:
		return true;
	case 4:
		return unit == 1 || unit == 2;
	case 5:
		return unit == 2 || unit == 3;
	default:
		return wanted == unit;
	}
}

/* The rules of docs/policy.md, one by one. */
static bool is_trusted(const struct rule *r, const struct asked *q)
{
	if (q->untrusted & UNTRUSTED_UNKNOWN)
		return false;
	if (r->script && (q->script_trust != EXE_VERIFIED || !q->root))
		return false;
	if (r->exe && !r->container && !r->image)
		return q->trust == EXE_VERIFIED &&
		       !(q->untrusted &
			 (UNTRUSTED_MAPPED | UNTRUSTED_TRACED | UNTRUSTED_DISGUISED));
	if (q->trust == EXE_MEMORY || q->trust == EXE_WRITABLE || q->untrusted & UNTRUSTED_TRACED)
		return false;
	return q->trust == EXE_VERIFIED || !(q->untrusted & UNTRUSTED_MEMORY);
}

static bool meets(const struct rule *r, const struct asked *q)
{
	if (r->exe && r->exe != q->exe)
		return false;
	if ((r->script && r->script != q->script) || (r->session && r->session != q->session))
		return false;
	if (!unit_is(r->unit, q->unit))
		return false;
	if (r->container == 4 ? q->container != 1 && q->container != 2
			      : r->container && r->container != q->container)
		return false;
	if (r->image > VALUES ? !q->image_id
	    : r->image == 4   ? q->image != 1 && q->image != 2
			      : r->image && r->image != q->image)
		return false;
	if (r->user && r->user != q->user)
		return false;
	if ((r->login == 1 && q->login) || (r->login == 2 && !q->login))
		return false;
	return (!r->dump_only || q->dump) && (!r->zone || q->unit == 2);
}

static enum policy_reason reference(const struct rule *rules, size_t nr, const struct asked *q)
{
	bool allowed = false, expected = false, distrusted = false, expired = false;

	for (size_t i = 0; i < nr; i++) {
		const struct rule *r = &rules[i];

		if (!meets(r, q))
			continue;
		if (r->end && q->late)
			expired = true;
		else if (!is_trusted(r, q))
			distrusted = true;
		else if (r->expect)
			expected = true;
		else
			allowed = true;
	}
	return allowed	    ? REASON_ALLOWED
	       : expected   ? REASON_EXPECTED
	       : distrusted ? REASON_DISTRUST
	       : expired    ? REASON_EXPIRED
			    : REASON_NO_RULE;
}

static void ask(const struct policy *policy, const struct rule *rules, size_t nr,
		const struct asked *q)
{
	/* What no rule here is for alone: to the rules they are one. */
	static const enum policy_action others[] = {ACTION_READ, ACTION_WRITE, ACTION_LINK,
						    ACTION_SEND};
	const struct policy_query query = {
		.watch = 1,
		.action = q->dump ? ACTION_DUMP : others[(q->exe + q->unit) % ARRAY_SIZE(others)],
		.subject =
			{
				.exe = span_of(exes[q->exe]),
				.exe_trust = q->trust,
				.untrusted = q->untrusted,
				.script = span_of(scripts[q->script]),
				.script_trust = q->script_trust,
				.session_type = (enum session_type)q->session,
				.uid = q->root	      ? 0
				       : q->user == 3 ? 7
						      : 8,
				.loginuid = q->login ? 1000 : UID_UNSET,
				.user = q->user == 3 ? (struct span){NULL, 0}
						     : span_of(users[q->user]),
				.unit = span_of(units[q->unit]),
				.container = span_of(containers[q->container]),
				.image = span_of(images[q->image]),
				.image_id = span_of(image_ids[q->image_id]),
			},
		.time = q->late ? 2ULL * 86400 * 1000000000 : 1,
	};
	const enum policy_reason expected = reference(rules, nr, q);
	struct policy_answer answer;

	policy_judge(policy, &query, &answer);
	if (answer.reason == expected && answer.why && answer.file && answer.line)
		return;
	fprintf(stderr, "told %u, expected %u: %s\n", answer.reason, expected, answer.why);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct rule rules[RULES];
	size_t nr = read_rules(&in, rules);
	struct policy *policy = make(rules, nr);

	for (unsigned i = 0; policy && in.left && i < QUESTIONS; i++) {
		struct asked q = {
			.exe = take(&in, VALUES),
			.unit = take(&in, VALUES),
			.container = take(&in, VALUES),
			.user = take(&in, VALUES),
			.trust = (enum exe_trust)take(&in, EXE_TRUST_NR),
		};
		unsigned bits = take(&in, 8);

		q.untrusted = take(&in, UNTRUSTED_ALL + 1);
		q.script = take(&in, VALUES);
		q.script_trust = (enum exe_trust)take(&in, EXE_TRUST_NR);
		q.session = take(&in, SESSION_TYPE_NR);
		q.root = q.user != 3 && take(&in, 2);
		q.image = take(&in, VALUES);
		q.image_id = take(&in, 2);
		q.login = bits & 1;
		q.dump = bits & 2;
		q.late = bits & 4;
		ask(policy, rules, nr, &q);
	}
	policy_free(policy);
	return 0;
}
