// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the policy costs: nanoseconds per judgement and per path, time and size of the automaton, at
 * 10, 100 and 1,000 watch entries, and at as many rules in one entry. A measurement for people, not
 * a test: it never fails.
 *
 *	bench_policy					all, in nanoseconds
 *	bench_policy judge RULES CASE TIMES		one case so often, for scripts/bench-policy
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/watchset.h"

#define PRIME 1000003 /* questions asked: no multiple of anything in here */

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Entries as a fleet has them: a directory per service, globs and an exclusion, five readers. */
static struct policy *make(unsigned nr)
{
	struct policy *policy = NULL;
	struct diag_list diags = {0};
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("version: 1\nwatch:\n", f);
	for (unsigned i = 0; i < nr; i++) {
		fprintf(f,
			"- name: w%u\n  class: key\n  paths: ['/srv/app%u/keys/*.pem', "
			"'/etc/app%u/**/*.key']\n  exclude: ['*.pub']\n  allow:\n",
			i, i, i);
		for (unsigned e = 0; e < 5; e++)
			fprintf(f, "  - exe: /opt/app%u/bin/server%u\n", i, e);
	}
	fclose(f);
	if (policy_parse("bench", text, len, &diags, &policy) < 0)
		diag_print(&diags, stderr);
	diag_list_fini(&diags);
	return policy;
}

static double judge_ns(const struct policy *policy, unsigned nr, bool allowed)
{
	char exe[256][64];
	unsigned alerts = 0;
	double start;

	for (unsigned i = 0; i < ARRAY_SIZE(exe); i++)
		snprintf(exe[i], sizeof(exe[i]), "/opt/app%u/bin/server%u", i % nr,
			 allowed ? i % 5 : 9);
	start = now_ns();
	for (unsigned i = 0; i < PRIME; i++) {
		struct policy_query query = {
			.watch = 1 + i % ARRAY_SIZE(exe) % nr,
			.action = ACTION_READ,
			.subject.exe = span_of(exe[i % ARRAY_SIZE(exe)]),
			.subject.exe_trust = EXE_VERIFIED,
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		alerts += answer.verdict == VERDICT_ALERT;
	}
	start = now_ns() - start;
	if (alerts != (allowed ? 0 : PRIME))
		fprintf(stderr, "%u alerts are not what was asked for\n", alerts);
	return start / PRIME;
}

static double match_ns(const struct watchset *set, unsigned nr)
{
	char path[256][64];
	unsigned found = 0;
	double start;

	for (unsigned i = 0; i < ARRAY_SIZE(path); i++)
		snprintf(path[i], sizeof(path[i]), "/etc/app%u/conf/ssl/site%u.key", i % nr, i);
	start = now_ns();
	for (unsigned i = 0; i < PRIME; i++)
		found += watchset_match(set, span_of(path[i % ARRAY_SIZE(path)])) != 0;
	start = now_ns() - start;
	if (found != PRIME)
		fprintf(stderr, "%u found of %u\n", found, PRIME);
	return start / PRIME;
}

/* --- many rules of one entry --------------------------------------------------------------------
 */

/* Every combination of keys there is, so that a question has the most look-ups to make. */
static struct policy *make_rules(unsigned nr)
{
	struct policy *policy = NULL;
	struct diag_list diags = {0};
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("version: 1\n"
	      "zones: [{name: z, units: ['app*.service'], mounts: [/srv/keys]}]\n"
	      "watch:\n- {name: w, class: key, paths: ['/srv/keys/**'], zone: z, allow: [\n",
	      f);
	for (unsigned i = 0; i < nr; i++) {
		unsigned keys = i % 14 + 1; /* bits: exe, unit, container, user or uid */

		fputs("{", f);
		if (keys & 1)
			fprintf(f, "exe: /opt/app%u/bin/server, ", i);
		if (keys & 2)
			fprintf(f, "unit: app%u.service, ", i);
		if (keys & 4)
			fprintf(f, "container: web%u, ", i);
		if (keys & 8)
			fprintf(f, i & 16 ? "user: user%u, " : "user: %u, ", i);
		fputs("login: none},\n", f);
	}
	fputs("]}\n", f);
	fclose(f);
	if (policy_parse("bench", text, len, &diags, &policy) < 0)
		diag_print(&diags, stderr);
	diag_list_fini(&diags);
	return policy;
}

enum rules_case { BY_EXE, BY_UNIT, REFUSED, CASES_NR };

static const char *const case_names[CASES_NR] = {"exe", "unit", "refused"};

static double rules_ns(const struct policy *policy, unsigned nr, enum rules_case what,
		       unsigned times)
{
	char exe[64][64], unit[64][64];
	unsigned wrong = 0;
	double start;

	for (unsigned i = 0; i < 64; i++) {
		unsigned rule = nr < 28 ? 0 : i % (nr / 14) * 14; /* one with exe alone */

		snprintf(exe[i], sizeof(exe[i]), "/opt/app%u/bin/server",
			 what == BY_EXE ? rule : 99999);
		snprintf(unit[i], sizeof(unit[i]), "app%u.service",
			 what == BY_UNIT ? rule + 1 : 99999);
	}
	start = now_ns();
	for (unsigned i = 0; i < times; i++) {
		const struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject =
				{
					.exe = span_of(exe[i % 64]),
					.exe_trust = EXE_VERIFIED,
					.uid = 100000,
					.loginuid = UID_UNSET,
					.user = {"somebody", 8},
					.unit = span_of(unit[i % 64]),
					.container = {"web99999", 8},
				},
			.path = {"/srv/keys/site/a.pem", 20},
			.time = 1,
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		wrong += answer.verdict != (what == REFUSED ? VERDICT_ALERT : VERDICT_ALLOW);
	}
	start = now_ns() - start;
	if (wrong)
		fprintf(stderr, "%u answers are not what was asked for\n", wrong);
	return times ? start / times : 0;
}

static int one_case(char **argv)
{
	unsigned nr = (unsigned)atoi(argv[0]), times = (unsigned)atoi(argv[2]);
	struct policy *policy = make_rules(nr);

	if (!policy)
		return 1;
	for (unsigned i = 0; i < CASES_NR; i++)
		if (!strcmp(argv[1], case_names[i]))
			rules_ns(policy, nr, (enum rules_case)i, times);
	policy_free(policy);
	return 0;
}

static void rules_of_one_entry(void)
{
	static const unsigned sizes[] = {10, 100, 1000};

	printf("\nrules    by program   by unit   refused\n");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct policy *policy = make_rules(sizes[i]);

		if (!policy)
			return;
		printf("%5u  %8.0f ns  %5.0f ns  %5.0f ns\n", sizes[i],
		       rules_ns(policy, sizes[i], BY_EXE, PRIME),
		       rules_ns(policy, sizes[i], BY_UNIT, PRIME),
		       rules_ns(policy, sizes[i], REFUSED, PRIME));
		policy_free(policy);
	}
}

int main(int argc, char **argv)
{
	static const unsigned sizes[] = {10, 100, 1000};
	static const char *const homes[] = {"/root", "/home/user"};

	if (argc == 5 && !strcmp(argv[1], "judge"))
		return one_case(argv + 2);
	printf("entries  judge allowed  judge refused  match path  compile    states\n");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct policy *policy = make(sizes[i]);
		struct watchset *set = NULL;
		struct diag_list diags = {0};
		double start = now_ns();

		if (!policy || watchset_compile(policy, homes, 2, 1, &diags, &set) < 0)
			return 1;
		start = now_ns() - start;
		printf("%7u  %10.0f ns  %10.0f ns  %7.0f ns  %4.1f ms  %8" PRIu32 "\n", sizes[i],
		       judge_ns(policy, sizes[i], true), judge_ns(policy, sizes[i], false),
		       match_ns(set, sizes[i]), start / 1e6, watchset_nr_states(set));
		watchset_free(set);
		policy_free(policy);
	}
	rules_of_one_entry();
	return 0;
}
