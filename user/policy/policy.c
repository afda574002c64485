// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The policy in memory: words, look-ups, and the judgement.
 */
#include "policy/policy.h"

#include <stdio.h>
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
	[CLASS_FOUND_KEY] =
		{
			.word = "found-key",
			.noun = "private key",
			.allowed = "the policy allows this program to read keys that were found",
			.refused = "the policy allows no such program to read keys that were found",
		},
	[CLASS_CANARY_KEY] =
		{
			.word = "canary-key",
			.noun = "canary key",
			.allowed = "the policy allows this program to touch a canary key",
			.refused = "canary key touched: nobody has a use for it",
		},
	[CLASS_KEY_COPY] =
		{
			.word = "key-copy",
			.noun = "copy of a key",
			.allowed = "the policy allows this program to read copies of keys",
			.refused = "the policy allows no such program to read copies of keys",
		},
};

static const char *const actions[ACTION_NR] = {
	[ACTION_READ] = "read", [ACTION_WRITE] = "write", [ACTION_LINK] = "link",
	[ACTION_SEND] = "send", [ACTION_DUMP] = "dump",
};

static const char *const verdicts[VERDICT_NR] = {
	[VERDICT_ALLOW] = "allow",
	[VERDICT_ALERT] = "alert",
	[VERDICT_RECORD] = "record",
};

static const char *const severities[SEV_NR] = {
	[SEV_INFO] = "info", [SEV_LOW] = "low",		  [SEV_MEDIUM] = "medium",
	[SEV_HIGH] = "high", [SEV_CRITICAL] = "critical",
};

const char *severity_str(enum severity severity)
{
	return severity > 0 && severity < SEV_NR ? severities[severity] : "?";
}

const char *policy_action_str(enum policy_action action)
{
	return action > 0 && action < ACTION_NR ? actions[action] : "?";
}

void policy_on_text(uint32_t on, char out[static POLICY_ON_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	for (int a = 1; a < ACTION_NR; a++)
		if (on & 1U << a)
			len += (size_t)snprintf(out + len, POLICY_ON_MAX - len, "%s%s",
						len ? ", " : "",
						policy_action_str((enum policy_action)a));
}

const char *verdict_str(enum verdict verdict)
{
	return verdict > 0 && verdict < VERDICT_NR ? verdicts[verdict] : "?";
}

const char *policy_mode_str(enum policy_mode mode)
{
	static const char *const words[] = {
		[MODE_RECORD] = "record", [MODE_ALERT] = "alert", [MODE_DENY] = "deny"};

	return (unsigned)mode < ARRAY_SIZE(words) ? words[mode] : "?";
}

const char *object_class_str(enum object_class c)
{
	return c > 0 && c < CLASS_NR ? classes[c].word : "?";
}

const char *object_class_noun(enum object_class c)
{
	return c > 0 && c < CLASS_NR ? classes[c].noun : "?";
}

const char *object_class_verdict(enum object_class c, bool allowed)
{
	return allowed ? classes[c].allowed : classes[c].refused;
}

enum severity watch_entry_severity(const struct watch_entry *entry, enum scan_state state)
{
	uint8_t by_verdict = state > 0 && state < SCANSTATE_NR ? entry->verdict[state] : 0;

	if (!by_verdict && state == SCANSTATE_SCANNING)
		by_verdict = entry->verdict[SCANSTATE_UNSCANNED];
	if (by_verdict == SEV_RECORD)
		return 0;
	return by_verdict ? (enum severity)by_verdict : entry->severity;
}

bool object_class_holds_keys(enum object_class c)
{
	return c != CLASS_CREDENTIAL && c != CLASS_AGENT_SOCKET && !object_class_is_scanned(c) &&
	       object_class_has_files(c);
}

bool object_class_gives_keys(enum object_class c)
{
	return c == CLASS_KEY_COPY || object_class_holds_keys(c);
}

bool object_class_is_scanned(enum object_class c)
{
	return c == CLASS_DUMP || c == CLASS_KEY_COPY;
}

bool object_class_has_paths(enum object_class c)
{
	return object_class_has_files(c) && c != CLASS_FOUND_KEY && c != CLASS_KEY_COPY;
}

bool object_class_has_files(enum object_class c)
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
		.alert_share = 200,
		.ring_critical_kib = 8192,
		.ring_bulk_kib = 4096,
		.marks_max = 131072,
		.marks_quota = 16384,
		.canary_s = 60,
		.journal = {.max_size_mib = 1024},
		.discover =
			{
				.content = true,
				.homes = true,
				.look_s = 60,
				.again_s = 3600,
				.names_per_s = 2000,
				.files_per_s = 100,
				.max_size_kib = 64,
				.max_names = 2000000,
			},
		.heartbeat_s = 600,
		.trail_keep_days = 730,
		.dump_threshold = 65536,
		.scan =
			{
				.on = true,
				.max_size_mib = 8192,
				.max_time_s = 900,
				.children = 1,
				.queue = 64,
				.needles = "",
			},
	};
	return policy;
}

static void free_patterns(struct pattern **patterns, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		pattern_free(patterns[i]);
	free(patterns);
}

static void free_wanted(struct wanted *wanted, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		glob_free(wanted[i].glob);
	free(wanted);
}

void rule_fini(struct rule *rule)
{
	glob_free(rule->unit.glob);
	glob_free(rule->container.glob);
	glob_free(rule->user.glob);
	glob_free(rule->image.glob);
}

void watch_rule_fini(struct watch_rule *watch)
{
	free_patterns(watch->paths, watch->nr_paths);
	free_patterns(watch->excludes, watch->nr_excludes);
}

static void zone_fini(struct zone *zone)
{
	free_patterns(zone->paths, zone->nr_paths);
	free_patterns(zone->mounts, zone->nr_mounts);
	free_wanted(zone->units, zone->nr_units);
	free_wanted(zone->containers, zone->nr_containers);
	free_wanted(zone->users, zone->nr_users);
	free_wanted(zone->hosts, zone->nr_hosts);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->nr_watches; i++)
		watch_rule_fini(&policy->watches[i]);
	for (size_t i = 0; i < policy->nr_overrides; i++)
		watch_rule_fini(&policy->overrides[i]);
	for (size_t i = 0; i < policy->nr_rules; i++)
		rule_fini(&policy->rules[i]);
	for (size_t i = 0; i < policy->nr_zones; i++)
		zone_fini(&policy->zones[i]);
	for (size_t i = 0; i < policy->nr_exceptions; i++) {
		rule_fini(&policy->exceptions[i].rule);
		free(policy->exceptions[i].watches);
		free(policy->exceptions[i].places);
	}
	for (size_t i = 0; i < policy->nr_strings; i++)
		free(policy->strings[i]);
	free(policy->discover_trees);
	free_wanted(policy->labels, policy->nr_labels);
	free(policy->strings);
	free(policy->watches);
	free(policy->overrides);
	free(policy->zones);
	free(policy->exceptions);
	free(policy->files);
	free(policy->file_names);
	free(policy->by_name);
	free(policy->exes);
	free(policy->inspected);
	free(policy->scripts);
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

static int compare_watch_names(const void *a, const void *b, void *policy)
{
	const struct watch_rule *watches = ((struct policy *)policy)->watches;

	return strcmp(watches[*(const uint32_t *)a - 1].entry.name,
		      watches[*(const uint32_t *)b - 1].entry.name);
}

int policy_index(struct policy *policy, struct diag_list *diags)
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
	return rules_index(policy, diags);
}

/* --- reading -----------------------------------------------------------------------------------
 */

const struct settings *policy_settings(const struct policy *policy)
{
	return &policy->settings;
}

const char *const *policy_discover_trees(const struct policy *policy, size_t *out_nr)
{
	*out_nr = policy->nr_discover_trees;
	return policy->discover_trees;
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

enum object_class policy_watch_class(const struct policy *policy, uint32_t watch)
{
	const struct watch_entry *entry = policy_watch(policy, watch);

	return entry ? entry->object_class : 0;
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

uint32_t policy_watch_zone(const struct policy *policy, uint32_t watch)
{
	return watch && watch <= policy->nr_watches ? policy->watches[watch - 1].zone : 0;
}

uint32_t policy_find_zone(const struct policy *policy, struct span name)
{
	for (size_t i = 0; name.len && i < policy->nr_zones; i++)
		if (strlen(policy->zones[i].name) == name.len &&
		    !memcmp(policy->zones[i].name, name.p, name.len))
			return (uint32_t)i + 1;
	return 0;
}

const char *policy_zone_name(const struct policy *policy, uint32_t zone)
{
	return policy->zones[zone - 1].name;
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
