// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The policy in memory: words, look-ups, and the judgement.
 */
#include "policy/policy.h"

#include <string.h>

#include "policy/policy-internal.h"

struct class_words {
	const char *word, *noun, *allowed, *refused;
};

#define CLASS_WORDS(word_, noun_)                                                  \
	{                                                                          \
		.word = word_, .noun = noun_,                                      \
		.allowed = "the policy allows this program to read " noun_ "s",    \
		.refused = "the policy allows no such program to read " noun_ "s", \
	}

static const struct class_words classes[CLASS_NR] = {
	[CLASS_SSH_USER_KEY] = CLASS_WORDS("ssh-user-key", "SSH user key"),
	[CLASS_SSH_HOST_KEY] = CLASS_WORDS("ssh-host-key", "SSH host key"),
	[CLASS_TLS_KEY] = CLASS_WORDS("tls-key", "TLS private key"),
	[CLASS_GPG_KEY] = CLASS_WORDS("gpg-key", "GPG private key"),
	[CLASS_KEY] = CLASS_WORDS("key", "private key"),
	[CLASS_CREDENTIAL] = CLASS_WORDS("credential", "credential file"),
	[CLASS_DUMP] = CLASS_WORDS("dump", "crash dump"),
	[CLASS_DEVICE] = CLASS_WORDS("device", "raw device"),
	[CLASS_AGENT_SOCKET] =
		{
			.word = "agent-socket",
			.noun = "agent socket",
			.allowed = "the policy allows this program to use agents",
			.refused = "the policy allows no such program to use agents",
		},
	[CLASS_PROCESS_MEMORY] =
		{
			.word = "process-memory",
			.noun = "memory of a process",
			.allowed = "the policy allows this program to read the memory of others",
			.refused = "the policy allows no such program to read the memory of a "
				   "process that has read a key",
		},
	[CLASS_SYSTEM_MEMORY] =
		{
			.word = "system-memory",
			.noun = "memory of the machine",
			.allowed = "the policy allows this program to read the machine's memory",
			.refused = "the policy allows no such program to read the machine's memory",
		},
};

/* An allowed path alone is not enough: what runs must be the file that stands there. */
static const char *const distrust[EXE_TRUST_NR] = {
	[EXE_UNKNOWN] = "the policy allows this path, but it could not be verified that the file "
			"at this path is what runs",
	[EXE_OTHER] = "the policy allows this path, but another file stands there than the one "
		      "that runs",
	[EXE_MEMORY] = "the policy allows this path, but what runs is a deleted file or one that "
		       "never had a name",
	[EXE_WRITABLE] = "the policy allows this path, but somebody other than root can change "
			 "the file that stands there",
};

static const char *const severities[SEV_NR] = {
	[SEV_INFO] = "info", [SEV_LOW] = "low",		  [SEV_MEDIUM] = "medium",
	[SEV_HIGH] = "high", [SEV_CRITICAL] = "critical",
};

const char *severity_str(enum severity severity)
{
	return severity > 0 && severity < SEV_NR ? severities[severity] : "?";
}

const char *object_class_str(enum object_class c)
{
	return c > 0 && c < CLASS_NR ? classes[c].word : "?";
}

const char *object_class_noun(enum object_class c)
{
	return c > 0 && c < CLASS_NR ? classes[c].noun : "?";
}

bool object_class_holds_keys(enum object_class c)
{
	return c != CLASS_DUMP && c != CLASS_CREDENTIAL && c != CLASS_AGENT_SOCKET &&
	       object_class_has_paths(c);
}

bool object_class_has_paths(enum object_class c)
{
	return c != CLASS_DEVICE && c != CLASS_PROCESS_MEMORY && c != CLASS_SYSTEM_MEMORY;
}

struct policy *policy_new(void)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return NULL;
	policy->settings = (struct settings){
		.cmdline = CMDLINE_REDACTED,
		.sd_id = "keytrail@32473",
		.syslog_socket = KT_RUNDIR "/rsyslog/syslog.sock",
		.syslog_fallback = "/dev/log",
		.jsonl = KT_LOGDIR "/alerts.jsonl",
		.alert_burst = 8,
		.alert_window_s = 600,
		.ring_critical_kib = 8192,
		.ring_bulk_kib = 4096,
		.marks_max = 131072,
		.canary_s = 60,
		.dump_threshold = 65536,
	};
	return policy;
}

static void free_patterns(struct pattern **patterns, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		pattern_free(patterns[i]);
	free(patterns);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->nr_watches; i++) {
		free_patterns(policy->watches[i].paths, policy->watches[i].nr_paths);
		free_patterns(policy->watches[i].excludes, policy->watches[i].nr_excludes);
	}
	for (size_t i = 0; i < policy->nr_strings; i++)
		free(policy->strings[i]);
	free(policy->strings);
	free(policy->watches);
	free(policy->by_name);
	free(policy->exes);
	free(policy->rules);
	free(policy->rule_slots);
	free(policy);
}

const char *policy_keep(struct policy *policy, const char *text, size_t len)
{
	char *copy;

	if (policy_grow(&policy->strings, policy->nr_strings, sizeof(*policy->strings)) < 0)
		return NULL;
	copy = malloc(len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	policy->strings[policy->nr_strings++] = copy;
	return copy;
}

/* --- index -------------------------------------------------------------------------------------
 */

uint64_t allow_hash(uint32_t watch, const char *exe, size_t len)
{
	uint64_t h = WATCH_HASH_BASIS;

	for (size_t i = 0; i < sizeof(watch); i++)
		h = (h ^ (watch >> (8 * i) & 0xff)) * WATCH_HASH_PRIME;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)exe[i]) * WATCH_HASH_PRIME;
	return h ^ h >> 32; /* the low bits choose the slot */
}

static int compare_watch_names(const void *a, const void *b, void *policy)
{
	const struct watch_rule *watches = ((struct policy *)policy)->watches;

	return strcmp(watches[*(const uint32_t *)a - 1].entry.name,
		      watches[*(const uint32_t *)b - 1].entry.name);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_rule(const struct allow_rule *rule, uint64_t hash, uint32_t watch, const char *exe,
		    size_t len)
{
	return rule->hash == hash && rule->watch == watch && rule->exe_len == len &&
	       !memcmp(rule->exe, exe, len);
}

const struct allow_rule *policy_find_allow(const struct policy *policy, uint32_t watch,
					   struct span exe)
{
	size_t mask = policy->nr_rule_slots - 1;
	uint64_t hash;

	if (!policy->nr_rule_slots || !exe.len)
		return NULL;
	hash = allow_hash(watch, exe.p, exe.len);
	for (size_t i = hash & mask; policy->rule_slots[i]; i = (i + 1) & mask) {
		const struct allow_rule *rule = &policy->rules[policy->rule_slots[i] - 1];

		if (is_rule(rule, hash, watch, exe.p, exe.len))
			return rule;
	}
	return NULL;
}

static int index_rules(struct policy *policy)
{
	size_t slots = 16, mask, nr_exes = 0;

	if (!policy->nr_rules)
		return 0;
	while (slots < policy->nr_rules * 2)
		slots *= 2;
	mask = slots - 1;
	policy->rule_slots = calloc(slots, sizeof(*policy->rule_slots));
	policy->exes = calloc(policy->nr_rules, sizeof(*policy->exes));
	if (!policy->rule_slots || !policy->exes)
		return -ENOMEM;
	policy->nr_rule_slots = slots;
	for (size_t r = 0; r < policy->nr_rules; r++) {
		struct allow_rule *rule = &policy->rules[r];
		size_t i;

		rule->hash = allow_hash(rule->watch, rule->exe, rule->exe_len);
		policy->exes[r] = rule->exe;
		i = rule->hash & mask;
		while (policy->rule_slots[i])
			i = (i + 1) & mask;
		policy->rule_slots[i] = (uint32_t)r + 1;
	}
	qsort(policy->exes, policy->nr_rules, sizeof(*policy->exes), compare_strings);
	for (size_t r = 0; r < policy->nr_rules; r++)
		if (!nr_exes || strcmp(policy->exes[nr_exes - 1], policy->exes[r]))
			policy->exes[nr_exes++] = policy->exes[r];
	policy->nr_exes = nr_exes;
	return 0;
}

int policy_index(struct policy *policy)
{
	if (policy->nr_watches) {
		policy->by_name = calloc(policy->nr_watches, sizeof(*policy->by_name));
		if (!policy->by_name)
			return -ENOMEM;
	}
	for (size_t i = 0; i < policy->nr_watches; i++)
		policy->by_name[i] = (uint32_t)i + 1;
	if (policy->nr_watches)
		qsort_r(policy->by_name, policy->nr_watches, sizeof(*policy->by_name),
			compare_watch_names, policy);
	return index_rules(policy);
}

/* --- reading -----------------------------------------------------------------------------------
 */

const struct settings *policy_settings(const struct policy *policy)
{
	return &policy->settings;
}

uint32_t policy_nr_watches(const struct policy *policy)
{
	return (uint32_t)policy->nr_watches;
}

const struct watch_entry *policy_watch(const struct policy *policy, uint32_t watch)
{
	if (watch == 0 || watch > policy->nr_watches)
		return NULL;
	return &policy->watches[watch - 1].entry;
}

uint32_t policy_device_watch(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nr_watches; i++)
		if (policy->watches[i].entry.object_class == CLASS_DEVICE)
			return (uint32_t)i + 1;
	return 0;
}

/* As strcmp(); the span may hold NULs, which no name has. */
static int compare_name(const char *s, struct span name)
{
	size_t len = strlen(s), common = len < name.len ? len : name.len;
	int order = common ? memcmp(s, name.p, common) : 0;

	return order ? order : len < name.len ? -1 : len > name.len;
}

uint32_t policy_find_watch(const struct policy *policy, struct span name)
{
	size_t low = 0, high = policy->nr_watches;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t watch = policy->by_name[middle];
		const char *s = policy->watches[watch - 1].entry.name;
		int order = compare_name(s, name);

		if (order == 0)
			return watch;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

uint32_t policy_dump_watch(const struct policy *policy)
{
	for (uint32_t watch = 1; watch <= policy->nr_watches; watch++)
		if (policy->watches[watch - 1].entry.object_class == CLASS_DUMP)
			return watch;
	return 0;
}

uint32_t policy_find_class(const struct policy *policy, enum object_class object_class)
{
	for (size_t i = 0; i < policy->nr_watches; i++)
		if (policy->watches[i].entry.object_class == object_class)
			return (uint32_t)i + 1;
	return 0;
}

const char *policy_allowed_exe(const struct policy *policy, size_t i)
{
	return i < policy->nr_exes ? policy->exes[i] : NULL;
}

/* --- judging -----------------------------------------------------------------------------------
 */

static void answer(struct policy_answer *out, enum verdict verdict, const char *why,
		   const struct place *place)
{
	*out = (struct policy_answer){
		.verdict = verdict,
		.why = why,
		.file = place ? place->file : NULL,
		.line = place ? place->line : 0,
	};
}

void policy_judge(const struct policy *policy, const struct policy_query *query,
		  struct policy_answer *out_answer)
{
	const struct allow_rule *rule;
	const struct watch_rule *watch;
	enum exe_trust trust = query->exe_trust;

	if (query->watch == 0 || query->watch > policy->nr_watches) {
		answer(out_answer, VERDICT_RECORD,
		       "no watch entry of the policy in force is about it", NULL);
		return;
	}
	watch = &policy->watches[query->watch - 1];
	if (query->action == ACTION_WRITE) {
		answer(out_answer, VERDICT_RECORD, "it was written, not read", &watch->place);
		return;
	}
	rule = policy_find_allow(policy, query->watch, query->exe);
	if (!rule) {
		answer(out_answer, VERDICT_ALERT, classes[watch->entry.object_class].refused,
		       &watch->place);
		return;
	}
	if (trust == EXE_VERIFIED) {
		answer(out_answer, VERDICT_ALLOW, classes[watch->entry.object_class].allowed,
		       &rule->place);
		return;
	}
	if (trust >= EXE_TRUST_NR)
		trust = EXE_UNKNOWN;
	answer(out_answer, VERDICT_ALERT, distrust[trust], &rule->place);
}
