// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the policy costs: nanoseconds per judgement and per path, time and size of the automaton, at
 * 10, 100 and 1,000 watch entries. A measurement for people, not a test: it never fails.
 */
#include <inttypes.h>
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
			.exe = span_of(exe[i % ARRAY_SIZE(exe)]),
			.exe_trust = EXE_VERIFIED,
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

int main(void)
{
	static const unsigned sizes[] = {10, 100, 1000};
	static const char *const homes[] = {"/root", "/home/user"};

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
	return 0;
}
