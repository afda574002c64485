// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `mode: deny` can keep. The kernel side decides at the open, by the executable alone: what
 * else a rule may ask for is not known there, so it would let nobody pass, or anybody.
 */
#include <stdarg.h>
#include <string.h>

#include "policy/policy-internal.h"

static void _printf_(3, 4)
	wrong(struct diag_list *diags, const struct place *place, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(diags, DIAG_ERROR, place->file, place->line, place->column, "%s", text);
}

/* What a rule asks for that is not the executable's; NULL = nothing. `outside` is about zones, and
 * such an entry has none. */
static const char *condition(const struct rule *rule)
{
	if (!rule->exe)
		return "names no `exe`";
	if (rule->script)
		return "asks for `script`";
	if (rule->unit.text)
		return "asks for `unit`";
	if (rule->container.text)
		return "asks for `container`";
	if (rule->image.text)
		return "asks for `image`";
	if (rule->user.text || rule->uid != UID_UNSET)
		return "asks for `user`";
	if (rule->login != LOGIN_ANY)
		return "asks for `login`";
	if (rule->session != SESSION_UNKNOWN)
		return "asks for `session`";
	if (rule->zone_name)
		return "asks for `zone`";
	if (rule->until)
		return "has an end (`until`)";
	return NULL;
}

/* Another rule lets the executable do as much whoever runs it, so the condition decides nothing. */
static bool is_void(const struct policy *policy, const struct rule *rule)
{
	for (size_t i = 0; rule->exe && i < policy->nr_rules; i++) {
		const struct rule *other = &policy->rules[i];

		if (other->watch == rule->watch && other->exe && !strcmp(other->exe, rule->exe) &&
		    !condition(other) && !rule_inspects(other) &&
		    (other->on & rule->on) == rule->on)
			return true;
	}
	return false;
}

/* Where the mode stands, or, from an override of all entries, the entry. */
static const struct place *mode_of(const struct watch_rule *watch)
{
	return watch->mode_place.file ? &watch->mode_place : &watch->place;
}

/* Of which class there are files with names, opened by who wants to have what is in them. */
static bool class_can(enum object_class object_class)
{
	return object_class_has_paths(object_class) && object_class != CLASS_DUMP &&
	       object_class != CLASS_AGENT_SOCKET;
}

/*
 * Without these nobody could put right what a pattern that was meant otherwise refuses: neither by
 * a shell nor by a boot, at which the daemon starts again. What is in /usr is meant without that,
 * too. Distributions have more places and numbers: what is obvious is found, not all.
 */
static const char *const needed[] = {
	"/usr/bin/sh",
	"/usr/bin/dash",
	"/usr/bin/bash",
	"/usr/bin/systemctl",
	"/usr/sbin/init",
	"/usr/lib/systemd/systemd",
	"/usr/sbin/keytraild",
	"/usr/bin/keytrail",
	"/etc/keytrail/policy.d/local.yaml",
	"/etc/passwd",
	"/etc/ld.so.cache",
	"/usr/lib64/ld-linux-x86-64.so.2",
	"/usr/lib/ld-linux-x86-64.so.2",
	"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
	"/usr/lib/ld-linux-aarch64.so.1",
	"/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
	"/usr/lib/ld-linux-riscv64-lp64d.so.1",
	"/usr/lib/riscv64-linux-gnu/ld-linux-riscv64-lp64d.so.1",
	"/usr/lib/libc.so.6",
	"/usr/lib64/libc.so.6",
	"/usr/lib/x86_64-linux-gnu/libc.so.6",
	"/usr/lib/aarch64-linux-gnu/libc.so.6",
	"/usr/lib/riscv64-linux-gnu/libc.so.6",
	"/usr/lib64/lp64d/libc.so.6",
	/* Of whichever release. */
	"/usr/lib/systemd/libsystemd-shared-257.so",
	"/usr/lib64/systemd/libsystemd-shared-257.so",
	"/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-257.so",
	"/usr/lib/aarch64-linux-gnu/systemd/libsystemd-shared-257.so",
	"/usr/lib/riscv64-linux-gnu/systemd/libsystemd-shared-257.so",
};

static bool is_excluded(const struct watch_rule *watch, const char *path)
{
	const char *last = strrchr(path, '/') + 1;

	for (size_t i = 0; i < watch->nr_excludes; i++) {
		const struct pattern *pattern = watch->excludes[i];

		if (pattern->start == PATTERN_LAST
			    ? glob_match(pattern->components[0].glob, last, strlen(last))
			    : pattern_match(pattern, path, strlen(path)))
			return true;
	}
	return false;
}

static bool refuses(const struct watch_rule *watch, const char *path)
{
	for (size_t i = 0; i < watch->nr_paths; i++)
		if (pattern_match(watch->paths[i], path, strlen(path)))
			return !is_excluded(watch, path);
	return false;
}

/* NULL: none. */
static const char *refuses_needed(const struct watch_rule *watch)
{
	static const char usr[] = "/usr";
	const size_t skip = sizeof(usr) - 1;

	for (size_t n = 0; n < ARRAY_SIZE(needed); n++) {
		if (!strncmp(needed[n], usr, skip) && refuses(watch, needed[n] + skip))
			return needed[n] + skip;
		if (refuses(watch, needed[n]))
			return needed[n];
	}
	return NULL;
}

static bool entry_can(const struct watch_rule *watch, struct diag_list *diags)
{
	const struct watch_entry *entry = &watch->entry;
	const char *path = refuses_needed(watch);

	if (!class_can(entry->object_class))
		wrong(diags, mode_of(watch),
		      "watch entry '%s': mode 'deny' cannot be kept for class '%s': what is refused "
		      "is the open of files that have a watched name, and dumps are left to be written",
		      entry->name, object_class_str(entry->object_class));
	else if (!(entry->on & (1U << ACTION_READ | 1U << ACTION_WRITE)))
		wrong(diags, mode_of(watch),
		      "watch entry '%s': mode 'deny' cannot be kept: `on` has neither 'read' nor "
		      "'write', and nothing else can be refused",
		      entry->name);
	else if (watch->zone_name)
		wrong(diags, &watch->zone_place,
		      "watch entry '%s': `zone` cannot be kept with mode 'deny': the kernel decides "
		      "at the open, by the executable alone",
		      entry->name);
	else if (path)
		wrong(diags, mode_of(watch),
		      "watch entry '%s': mode 'deny' would refuse '%s', without which it could not "
		      "be undone",
		      entry->name, path);
	else
		return true;
	return false;
}

int policy_check_deny(const struct policy *policy, struct diag_list *diags)
{
	bool ok = true;
	size_t nr = 0;

	for (size_t i = 0; i < policy->nr_watches; i++) {
		const struct watch_rule *watch = &policy->watches[i];

		if (watch->entry.mode != MODE_DENY)
			continue;
		ok &= entry_can(watch, diags);
		if (++nr == DENY_ENTRIES_MAX + 1) {
			wrong(diags, mode_of(watch), "more than %d watch entries with mode 'deny'",
			      DENY_ENTRIES_MAX);
			ok = false;
		}
	}
	for (size_t i = 0; nr && i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct watch_entry *entry = &policy->watches[rule->watch - 1].entry;
		const char *asks = entry->mode == MODE_DENY ? condition(rule) : NULL;

		if (!asks || is_void(policy, rule))
			continue;
		wrong(diags, &rule->place,
		      "the rule %s, which cannot be kept with mode 'deny' of watch entry '%s': the "
		      "kernel decides at the open, by the executable alone",
		      asks, entry->name);
		ok = false;
	}
	return ok ? 0 : -EINVAL;
}
