// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks of what keytrail itself sees, by what the daemon says of itself (docs/control.md). */
#include <inttypes.h>
#include <string.h>

#include "doctor/check.h"

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static void found(struct doctor *d, enum check_id id, const char *path, const char *value,
		  enum severity severity)
{
	doctor_find(d, id,
		    &(struct finding_text){.path = path, .value = value, .severity = severity});
}

static void check_hooks(struct doctor *d, const json_t *hooks)
{
	bool memory = false, refused = false;
	size_t i;
	json_t *hook;

	json_array_foreach ((json_t *)hooks, i, hook) {
		const char *state = text(hook, "state"), *why = text(hook, "why");
		char value[512];

		if (!strncmp(why, "off:", 4)) { /* its state is that of any that is not needed */
			memory |= strstr(why, "`memory`") != NULL;
			refused |= strstr(why, "`refused`") != NULL;
		}
		if (strcmp(state, "missing"))
			continue;
		snprintf(value, sizeof(value), "%s: %s; not seen: %s", text(hook, "name"), why,
			 text(hook, "sees"));
		found(d, CHECK_HOOKS_MISSING, "status (hooks)", value,
		      json_is_true(json_object_get(hook, "essential")) ? SEV_HIGH : SEV_MEDIUM);
	}
	if (memory)
		found(d, CHECK_MEMORY_OFF, "status (hooks)", "memory: off", 0);
	if (refused)
		found(d, CHECK_REFUSED_OFF, "status (hooks)", "refused: off", 0);
}

static void check_drops(struct doctor *d, const json_t *drops)
{
	char value[512] = "";
	const char *cause;
	size_t at = 0;
	json_t *nr;

	json_object_foreach ((json_t *)drops, cause, nr) {
		if (json_integer_value(nr) <= 0 || at >= sizeof(value))
			continue;
		at += (size_t)snprintf(value + at, sizeof(value) - at,
				       "%s%" JSON_INTEGER_FORMAT " %s", at ? ", " : "",
				       json_integer_value(nr), cause);
	}
	if (at)
		found(d, CHECK_EVENTS_LOST, "status (drops)", value, 0);
}

static bool begins(const char *line, const char *with)
{
	return line && !strncmp(line, with, strlen(with));
}

/* What is known by the first words of a warning. */
static void check_warnings(struct doctor *d, const json_t *warnings)
{
	size_t i;
	json_t *item;

	json_array_foreach ((json_t *)warnings, i, item) {
		const char *line = json_string_value(item);

		if (begins(line, "not marked:"))
			found(d, CHECK_PLACES_UNWATCHED, "status (warnings)", line, 0);
		else if (begins(line, "children run as nobody:"))
			found(d, CHECK_CHILDREN_NOBODY, "status (warnings)", line, 0);
	}
}

static void check_places(struct doctor *d, const json_t *status)
{
	size_t i;
	json_t *item;

	json_array_foreach (json_object_get(status, "apart"), i, item) {
		const char *state = text(item, "state");
		char value[512];

		if (strcmp(state, "silent") && strcmp(state, "partly"))
			continue;
		snprintf(value, sizeof(value), "%s (%s): %s", text(item, "path"),
			 text(item, "type"), state);
		found(d, CHECK_PLACES_UNWATCHED, "status (apart)", value, 0);
	}
}

static void check_status(struct doctor *d, const json_t *status)
{
	const json_t *scan = json_object_get(status, "scan");
	const json_t *total = json_object_get(json_object_get(status, "objects"), "total");

	if (json_is_true(json_object_get(json_object_get(status, "canary"), "blind")))
		found(d, CHECK_SENSOR_BLIND, "status (canary)", "blind", 0);
	if (total && json_integer_value(total) == 0)
		found(d, CHECK_WATCHES_NOTHING, "status (objects)", "0 objects", 0);
	check_hooks(d, json_object_get(status, "hooks"));
	check_drops(d, json_object_get(status, "drops"));
	check_places(d, status);
	check_warnings(d, json_object_get(status, "warnings"));
	if (scan && !json_is_true(json_object_get(scan, "on")))
		found(d, CHECK_DUMPS_UNSCANNED, "status (scan)", "off", 0);
}

void checks_self(struct doctor *d)
{
	if (d->host && !d->host->lockdown.error &&
	    strstr(d->host->lockdown.value, "[confidentiality]"))
		found(d, CHECK_LOCKDOWN, d->host->lockdown.path, d->host->lockdown.value, 0);
	switch (d->daemon) {
	case DAEMON_AWAY:
		found(d, CHECK_DAEMON_OFF, "the control socket", "nobody answers", 0);
		break;
	case DAEMON_DENIED:
		doctor_blind(d, CHECK_SENSOR_BLIND, "the control socket", -EACCES, NULL);
		break;
	case DAEMON_ANSWERED:
		check_status(d, d->status);
		break;
	case DAEMON_NOT_ASKED:
		break;
	}
}
