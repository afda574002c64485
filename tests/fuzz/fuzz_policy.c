// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a policy file: refused with a place and plain text, or a policy that answers all
 * that can be asked.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/watchset.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_diags(const struct diag_list *diags)
{
	require(diags->nr <= diags->errors + diags->warnings);
	for (size_t i = 0; i < diags->nr; i++)
		for (const char *p = diags->items[i].text; *p; p++)
			require((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void ask(const struct policy *policy)
{
	const struct settings *s = policy_settings(policy);
	const char *exe;
	struct policy_answer answer;

	require(s->alert_burst && s->alert_window_s && s->marks_max && s->sd_id && s->jsonl);
	require(!(s->ring_bulk_kib & (s->ring_bulk_kib - 1)) && *s->syslog_socket == '/');
	for (uint32_t w = 1; w <= policy_nr_watches(policy); w++) {
		const struct watch_entry *entry = policy_watch(policy, w);

		require(policy_find_watch(policy, span_of(entry->name)) == w);
		require(entry->object_class > 0 && entry->object_class < CLASS_NR);
		for (size_t i = 0; (exe = policy_allowed_exe(policy, i)) && i < 20; i++) {
			struct policy_query query = {.watch = w,
						     .action = ACTION_READ,
						     .subject.exe = span_of(exe),
						     .subject.exe_trust = EXE_VERIFIED};

			policy_judge(policy, &query, &answer);
			require(answer.verdict > 0 && answer.verdict < VERDICT_NR);
			require(answer.reason > 0 && answer.reason < REASON_NR);
			require(answer.why && answer.file && answer.line);
		}
	}
}

static void walk(const struct policy *policy)
{
	static const char *const homes[] = {"/root", "/home/user"};
	static const char *const paths[] = {"/root/.ssh/id_rsa", "/home/user/a", "/a/b/c/d/e",
					    "/x"};
	struct diag_list diags = {0};
	struct watchset *set = NULL;
	int err = watchset_compile(policy, homes, 2, 1, &diags, &set);

	require(err == 0 || (err == -E2BIG && diags.errors && !set));
	check_diags(&diags);
	diag_list_fini(&diags);
	for (size_t i = 0; set && i < ARRAY_SIZE(paths); i++)
		require(watchset_match(set, span_of(paths[i])) <= policy_nr_watches(policy));
	watchset_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	int err = policy_parse("fuzz.yaml", (const char *)data, size, &diags, &policy);

	check_diags(&diags);
	require(err == 0 ? policy && !diags.errors : err == -EINVAL && !policy && diags.errors);
	diag_list_fini(&diags);
	if (policy) {
		ask(policy);
		walk(policy);
	}
	policy_free(policy);
	return 0;
}
