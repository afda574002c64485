// SPDX-License-Identifier: GPL-2.0-or-later
/* An alert as a person reads it: the sentence, then who, what, whose key and why. */
#include "cli/alert_view.h"

#include <string.h>
#include <time.h>

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static enum style severity_style(const char *severity)
{
	if (!strcmp(severity, "critical") || !strcmp(severity, "high"))
		return STYLE_BAD;
	return !strcmp(severity, "medium") ? STYLE_WARN : STYLE_BOLD;
}

/* "2025-01-09T12:34:56.123456789Z" in local time to the second. What is no such time is shown as it
 * is. */
static void show_time(const struct term *t, enum style style, const char *stamp)
{
	struct tm tm = {0};
	const char *end = strptime(stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	char local[32];

	if (!end || (*end != '.' && *end != 'Z')) {
		term_put(t, style, stamp);
		return;
	}
	term_time((double)timegm(&tm), local);
	term_put(t, style, local);
}

/* One row below the sentence: a name and what it holds. */
static void row(const struct term *t, const char *name)
{
	term_putf(t, STYLE_DIM, "  %-9s", name);
}

static void show_process(const struct term *t, const json_t *process)
{
	const char *exe = text(process, "exe"), *args = text(process, "args");

	term_put(t, STYLE_BOLD, *exe ? exe : "(unknown program)");
	term_putf(t, STYLE_PLAIN, "[%" JSON_INTEGER_FORMAT "]", number(process, "pid"));
	term_putf(t, STYLE_PLAIN, " %s", text(process, "user"));
	if (*args)
		term_putf(t, STYLE_DIM, "  %s", args);
	fputc('\n', t->f);
}

/* The reader first, each parent one step further in. */
static void show_processes(const struct term *t, const json_t *alert)
{
	const json_t *ancestry = json_object_get(alert, "ancestry");
	json_t *process;
	size_t i;

	row(t, "process");
	show_process(t, json_object_get(alert, "subject"));
	json_array_foreach ((json_t *)ancestry, i, process) {
		fprintf(t->f, "  %*s", (int)(10 + 2 * (i < 16 ? i : 16)), "");
		term_put(t, STYLE_DIM, "by ");
		show_process(t, process);
	}
	if (!json_is_true(json_object_get(alert, "ancestry_complete")))
		term_putf(t, STYLE_DIM, "  %-9s(earlier processes are not known)\n", "");
}

/* What an interpreter runs, and on whose word. */
static void show_script(const struct term *t, const json_t *subject)
{
	const char *script = text(subject, "script"), *trust = text(subject, "script_trust");
	bool observed = !strcmp(text(subject, "script_evidence"), "observed");

	if (!*script)
		return;
	row(t, "script");
	term_put(t, STYLE_PLAIN, script);
	if (!observed)
		term_put(t, STYLE_WARN, " (as its arguments say)");
	else if (strcmp(trust, "verified") != 0 && strcmp(trust, "unknown") != 0)
		term_putf(t, STYLE_WARN, " (not to be trusted by its name: %s)", trust);
	fputc('\n', t->f);
}

static void show_session(const struct term *t, const json_t *subject)
{
	const char *login = text(subject, "login_user"), *unit = text(subject, "unit");
	const char *container = text(subject, "container"), *trust = text(subject, "exe_trust");
	const char *image = text(subject, "image"), *of = text(subject, "image_container");
	const char *type = text(subject, "session_type"), *remote = text(subject, "remote");
	const json_t *reasons = json_object_get(subject, "untrusted");
	const json_t *session = json_object_get(subject, "session");
	json_t *reason;
	size_t i;

	row(t, "session");
	if (*type)
		term_putf(t, STYLE_PLAIN, "%s%s%s, ", type, *remote ? " from " : "", remote);
	term_putf(t, STYLE_PLAIN, "%s%s", *login ? "logged in as " : "no login", login);
	if (json_is_integer(session))
		term_putf(t, STYLE_PLAIN, ", session %" JSON_INTEGER_FORMAT,
			  json_integer_value(session));
	if (*unit)
		term_putf(t, STYLE_PLAIN, ", unit %s", unit);
	if (*container)
		term_putf(t, STYLE_PLAIN, ", container %s", container);
	/* The image is the outermost one's, which the container may be in. */
	if (*container && *image)
		term_putf(t, STYLE_PLAIN, "%s of image %s", *of ? " in a container" : "", image);
	fputc('\n', t->f);
	if (!json_array_size(reasons) &&
	    (!strcmp(trust, "verified") || !strcmp(trust, "unknown") || !*trust))
		return;
	row(t, "program");
	term_putf(t, STYLE_WARN, "not to be trusted by its name: ");
	json_array_foreach ((json_t *)reasons, i, reason)
		term_putf(t, STYLE_WARN, "%s%s", i ? ", " : "",
			  json_string_value(reason) ? json_string_value(reason) : "?");
	if (!json_array_size(reasons)) /* of a keytrail that told only this */
		term_putf(t, STYLE_WARN, "%s", trust);
	fputc('\n', t->f);
}

/* In a row of its own or behind what else stands in it; ends the line. */
static void put_key(const struct term *t, const json_t *key)
{
	const char *fingerprint = text(key, "fingerprint"), *spki = text(key, "spki_sha256");
	const char *comment = text(key, "comment");

	term_put(t, STYLE_PLAIN, text(key, "type"));
	if (number(key, "bits"))
		term_putf(t, STYLE_PLAIN, " %" JSON_INTEGER_FORMAT, number(key, "bits"));
	if (*fingerprint || *spki)
		term_putf(t, STYLE_BOLD, " %s%s",
			  *fingerprint ? "" : "spki:", *fingerprint ? fingerprint : spki);
	if (*comment)
		term_putf(t, STYLE_PLAIN, " %s", comment);
	if (json_is_true(json_object_get(key, "encrypted")))
		term_put(t, STYLE_PLAIN, ", encrypted");
	if (!strcmp(text(key, "source"), "sibling"))
		term_put(t, STYLE_WARN, ", named by the public file beside it: unverified");
	if (!strcmp(text(key, "source"), "stated"))
		term_put(t, STYLE_WARN, ", named by what stands in clear in the file: unverified");
	else if (!strcmp(text(key, "source"), "none") && strcmp(text(key, "type"), "NONE"))
		term_put(t, STYLE_PLAIN, ", public part not readable");
	fputc('\n', t->f);
}

static void show_key(const struct term *t, const json_t *key)
{
	row(t, "key");
	put_key(t, key);
}

/* What the process had read. */
static void show_held(const struct term *t, const json_t *alert)
{
	const json_t *list = json_object_get(alert, "holds");
	json_int_t nr = number(alert, "holds_nr");
	json_t *item;
	size_t i;

	json_array_foreach ((json_t *)list, i, item) {
		const json_t *key = json_object_get(item, "key");
		const char *path = text(item, "path");

		row(t, "held");
		term_put(t, STYLE_BOLD, *path ? path : "(a key that is gone)");
		term_putf(t, STYLE_PLAIN, "  %s  ", text(item, "class"));
		if (json_is_object(key))
			put_key(t, key);
		else
			fputc('\n', t->f);
	}
	if (nr > (json_int_t)json_array_size(list))
		term_putf(t, STYLE_PLAIN, "  %-9s(and %" JSON_INTEGER_FORMAT " more)\n", "",
			  nr - (json_int_t)json_array_size(list));
}

static void show_dump(const struct term *t, const json_t *dump)
{
	const char *path = text(dump, "path"), *kind = text(dump, "kind");
	const json_t *limit = json_object_get(dump, "limit");

	row(t, "dump");
	term_putf(t, STYLE_PLAIN, "%s ", text(dump, "how"));
	term_put(t, STYLE_BOLD, *path ? path : "(path not known)");
	if (*kind)
		term_putf(t, STYLE_PLAIN, ", %s", kind);
	if (number(dump, "signal"))
		term_putf(t, STYLE_PLAIN, ", by signal %" JSON_INTEGER_FORMAT,
			  number(dump, "signal"));
	if (json_is_integer(limit))
		term_putf(t, STYLE_PLAIN, ", core limit %" JSON_INTEGER_FORMAT " bytes",
			  json_integer_value(limit));
	if (number(dump, "listener"))
		term_putf(t, STYLE_PLAIN, ", listener pid %" JSON_INTEGER_FORMAT,
			  number(dump, "listener"));
	fputc('\n', t->f);
}

static void show_setting(const struct term *t, const json_t *setting)
{
	row(t, "setting");
	term_put(t, STYLE_BOLD, text(setting, "name"));
	if (number(setting, "pid"))
		term_putf(t, STYLE_PLAIN, " of process %" JSON_INTEGER_FORMAT,
			  number(setting, "pid"));
	term_putf(t, STYLE_PLAIN, ": was %s, is ", text(setting, "old"));
	term_put(t, STYLE_BOLD, text(setting, "new"));
	fputc('\n', t->f);
}

static void show_object(const struct term *t, const json_t *alert)
{
	const json_t *object = json_object_get(alert, "object");
	const json_t *access = json_object_get(alert, "access"),
		     *key = json_object_get(object, "key"), *sent = json_object_get(alert, "sent");
	const char *via = text(object, "via");

	row(t, "object");
	term_put(t, STYLE_BOLD, text(object, "path"));
	term_putf(t, STYLE_PLAIN, "  %s", text(object, "class"));
	if (*text(object, "owner_user"))
		term_putf(t, STYLE_PLAIN, " of %s", text(object, "owner_user"));
	if (*text(access, "how"))
		term_putf(t, STYLE_PLAIN, " (%s%s%s)", text(access, "how"),
			  *text(access, "refused") ? ": " : "", text(access, "refused"));
	fputc('\n', t->f);
	if (*via) {
		row(t, "via");
		term_putf(t, STYLE_PLAIN, "%s\n", via);
	}
	if (json_is_object(sent)) {
		row(t, "sent to");
		term_putf(t, STYLE_PLAIN, "%s port %" JSON_INTEGER_FORMAT " (%s)\n",
			  text(sent, "to"), number(sent, "port"), text(sent, "how"));
	}
	if (*text(access, "new_path")) {
		row(t, "new name");
		term_putf(t, STYLE_PLAIN, "%s\n", text(access, "new_path"));
	}
	if (json_is_object(key))
		show_key(t, key);
}

/* Whose memory, and what keys that process has read. */
static void show_memory(const struct term *t, const json_t *alert)
{
	const json_t *memory = json_object_get(alert, "memory");
	const json_t *target = json_object_get(alert, "target");
	const json_t *keys = json_object_get(memory, "keys");
	json_int_t more = number(memory, "keys_read") - (json_int_t)json_array_size(keys);
	json_t *key;
	size_t i;

	row(t, "memory");
	term_putf(t, STYLE_PLAIN, "of %s (%s)\n",
		  json_is_object(target) ? "a process that has read a key" : "the machine",
		  text(memory, "how"));
	if (json_is_object(target)) {
		row(t, "target");
		show_process(t, target);
	}
	json_array_foreach ((json_t *)keys, i, key) {
		row(t, "has read");
		term_put(t, STYLE_BOLD, *text(key, "path") ? text(key, "path") : "(gone)");
		term_putf(t, STYLE_PLAIN, "  %s\n", text(key, "class"));
		if (json_is_object(json_object_get(key, "key")))
			show_key(t, json_object_get(key, "key"));
	}
	if (more > 0) {
		row(t, "");
		term_putf(t, STYLE_PLAIN, "and %" JSON_INTEGER_FORMAT " more\n", more);
	}
}

static void show_breach(const struct term *t, const json_t *breach)
{
	row(t, "zone");
	term_putf(t, STYLE_BOLD, "%s\n", text(breach, "zone"));
	row(t, "link");
	term_putf(t, STYLE_WARN, "%s\n", text(breach, "link"));
	row(t, "way");
	term_putf(t, STYLE_PLAIN, "%s\n", text(breach, "way"));
}

void alert_view(const struct term *t, const json_t *alert)
{
	const json_t *subject = json_object_get(alert, "subject"),
		     *gap = json_object_get(alert, "gap");
	const char *severity = text(alert, "severity"), *rule = text(alert, "rule");

	show_time(t, STYLE_BOLD, text(alert, "time"));
	fputc(' ', t->f);
	term_putf(t, severity_style(severity), "%s", severity);
	term_putf(t, STYLE_PLAIN, " %s", text(alert, "type"));
	if (number(alert, "count") > 1 && !json_is_object(gap)) /* there it counts lost events */
		term_putf(t, STYLE_BOLD, " (%" JSON_INTEGER_FORMAT " times)",
			  number(alert, "count"));
	term_putf(t, STYLE_DIM, "  %.8s on %s\n", text(alert, "id"), text(alert, "host"));
	term_wrap(t, STYLE_PLAIN, 2, text(alert, "text"));
	if (json_is_object(json_object_get(alert, "object")))
		show_object(t, alert);
	if (json_is_object(json_object_get(alert, "breach")))
		show_breach(t, json_object_get(alert, "breach"));
	if (json_is_object(json_object_get(alert, "dump")))
		show_dump(t, json_object_get(alert, "dump"));
	if (json_is_object(json_object_get(alert, "setting")))
		show_setting(t, json_object_get(alert, "setting"));
	show_held(t, alert);
	if (json_is_object(json_object_get(alert, "memory")))
		show_memory(t, alert);
	if (json_is_object(subject)) {
		show_processes(t, alert);
		show_script(t, subject);
		show_session(t, subject);
	}
	if (json_is_object(gap)) {
		row(t, "gap");
		show_time(t, STYLE_WARN, text(gap, "from"));
		term_put(t, STYLE_WARN, " to ");
		show_time(t, STYLE_WARN, text(gap, "to"));
		term_putf(t, STYLE_WARN, " %s\n", text(gap, "cause"));
	}
	if (*rule) {
		row(t, "rule");
		term_putf(t, STYLE_PLAIN, "%s\n", rule);
	}
	fputc('\n', t->f);
}
