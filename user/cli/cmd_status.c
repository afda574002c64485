// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail status`: does the daemon run, what does it see, what does it miss. Schema:
 * docs/control.md. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/term.h"

struct options {
	bool json;
	const char *socket;
};

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static uint64_t number(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void label(const struct term *t, const char *name)
{
	term_putf(t, STYLE_BOLD, "%-10s", name);
}

static void show_self(const struct term *t, const json_t *status)
{
	double since = json_number_value(json_object_get(status, "since"));
	uint64_t rss = number(json_object_get(status, "self"), "rss_kib");
	char when[32], ago[32];
	time_t now = time(NULL);

	term_time(since, when);
	term_duration(now > since ? (uint64_t)(now - since) : 0, ago);
	label(t, "keytraild");
	term_put(t, STYLE_GOOD, "running");
	term_putf(t, STYLE_PLAIN, " since %s (%s), pid %" PRIu64 ", version %s, kernel %s", when,
		  ago, number(status, "pid"), text(status, "version"), text(status, "kernel"));
	if (rss)
		term_putf(t, STYLE_PLAIN, ", %" PRIu64 " MiB", rss / 1024);
	fputc('\n', t->f);
}

static enum style hook_style(const char *state)
{
	if (!strcmp(state, "attached"))
		return STYLE_GOOD;
	return !strcmp(state, "fallback") || !strcmp(state, "off") ? STYLE_WARN : STYLE_BAD;
}

static void show_hooks(const struct term *t, const json_t *hooks)
{
	size_t i, attached = 0, spare = 0, wanted;
	json_t *hook;

	/* What another stands in for is there; what stands in for none is not wanted. */
	json_array_foreach ((json_t *)hooks, i, hook) {
		attached += !strcmp(text(hook, "state"), "attached");
		spare += !strcmp(text(hook, "state"), "spare") ||
			 !strcmp(text(hook, "state"), "needless") ||
			 !strcmp(text(hook, "state"), "fallback");
	}
	wanted = json_array_size(hooks) - spare;
	label(t, "hooks");
	term_putf(t, attached == wanted ? STYLE_GOOD : STYLE_WARN, "%zu of %zu attached\n",
		  attached, wanted);
	json_array_foreach ((json_t *)hooks, i, hook) {
		const char *why = text(hook, "why");

		if (!strcmp(text(hook, "state"), "spare") ||
		    !strcmp(text(hook, "state"), "needless"))
			continue;
		fprintf(t->f, "          ");
		term_putf(t, hook_style(text(hook, "state")), "%-9s", text(hook, "state"));
		term_putf(t, STYLE_PLAIN, " %s", text(hook, "name"));
		if (*why)
			term_putf(t, STYLE_PLAIN, ": %s", why);
		/* What is missing matters by what is not seen for it. */
		if (!strcmp(text(hook, "state"), "missing") && *text(hook, "sees"))
			term_putf(t, STYLE_BAD, "; not seen: %s", text(hook, "sees"));
		fputc('\n', t->f);
	}
}

static void show_objects(const struct term *t, const json_t *objects)
{
	const json_t *classes = json_object_get(objects, "by_class");
	uint64_t total = number(objects, "total");
	const char *class;
	json_t *nr;

	label(t, "watched");
	/* Nothing watched is the one thing that must not look like all is well. */
	term_putf(t, total ? STYLE_PLAIN : STYLE_BAD, "%" PRIu64 " object%s", total,
		  total == 1 ? "" : "s");
	json_object_foreach ((json_t *)classes, class, nr)
		term_putf(t, STYLE_PLAIN, ", %" JSON_INTEGER_FORMAT " %s", json_integer_value(nr),
			  class);
	fputc('\n', t->f);
}

static void show_drops(const struct term *t, const json_t *drops, const json_t *gaps)
{
	uint64_t total = 0;
	const char *cause;
	json_t *nr, *gap;
	size_t i;

	json_object_foreach ((json_t *)drops, cause, nr)
		total += json_integer_value(nr);
	label(t, "lost");
	if (total == 0)
		term_put(t, STYLE_GOOD, "nothing");
	else
		term_putf(t, STYLE_BAD, "%" PRIu64, total);
	json_object_foreach ((json_t *)drops, cause, nr)
		if (json_integer_value(nr))
			term_putf(t, STYLE_BAD, "  %s %" JSON_INTEGER_FORMAT, cause,
				  json_integer_value(nr));
	fputc('\n', t->f);
	json_array_foreach ((json_t *)gaps, i, gap) {
		char from[32], to[32];

		term_time(json_number_value(json_object_get(gap, "from")), from);
		term_time(json_number_value(json_object_get(gap, "to")), to);
		term_putf(t, STYLE_WARN, "          gap %s to %s: %" PRIu64 " %s\n", from, to,
			  number(gap, "count"), text(gap, "cause"));
	}
}

/* Users of whom not everything is watched. */
static void show_quota(const struct term *t, const json_t *quota)
{
	const json_t *users = json_object_get(quota, "users");
	size_t i;
	json_t *user;

	json_array_foreach ((json_t *)users, i, user) {
		label(t, i ? "" : "quota");
		term_putf(t, STYLE_WARN,
			  "%s: %" PRIu64 " watched of at most %" PRIu64 ", %" PRIu64 " refused\n",
			  text(user, "who"), number(user, "marks"), number(quota, "max"),
			  number(user, "refused"));
	}
}

static void show_rings(const struct term *t, const json_t *rings)
{
	size_t i;
	json_t *ring;

	if (json_array_size(rings) == 0)
		return;
	label(t, "rings");
	json_array_foreach ((json_t *)rings, i, ring) {
		term_putf(t, STYLE_PLAIN, "%s%s %" PRIu64 " KiB", i ? ", " : "", text(ring, "name"),
			  number(ring, "size_kib"));
		if (json_object_get(ring, "used"))
			term_putf(t, STYLE_PLAIN, " (%" PRIu64 " bytes waiting)",
				  number(ring, "used"));
	}
	fputc('\n', t->f);
}

static void show_sinks(const struct term *t, const json_t *sinks)
{
	size_t i;
	json_t *sink;

	json_array_foreach ((json_t *)sinks, i, sink) {
		uint64_t queued = number(sink, "queued"), spooled = number(sink, "spooled");
		uint64_t dropped = number(sink, "dropped");

		label(t, i ? "" : "sinks");
		term_putf(t, STYLE_PLAIN, "%-7s %" PRIu64 " written", text(sink, "name"),
			  number(sink, "written"));
		if (queued)
			term_putf(t, STYLE_WARN, ", %" PRIu64 " queued", queued);
		if (spooled)
			term_putf(t, STYLE_WARN, ", %" PRIu64 " spooled", spooled);
		if (dropped)
			term_putf(t, STYLE_BAD, ", %" PRIu64 " dropped", dropped);
		term_putf(t, STYLE_DIM, "  %s\n", text(sink, "state"));
	}
}

static void show_policy(const struct term *t, const json_t *policy)
{
	const json_t *files = json_object_get(policy, "files");
	char when[32];
	size_t i;
	json_t *file;

	term_time(json_number_value(json_object_get(policy, "loaded_at")), when);
	label(t, "policy");
	term_putf(t, STYLE_PLAIN, "generation %" PRIu64 ", loaded %s, %" PRIu64 " watch entries\n",
		  number(policy, "generation"), when, number(policy, "watches"));
	if (*text(policy, "policy_sha256"))
		term_putf(t, STYLE_DIM, "          sha256 %s\n", text(policy, "policy_sha256"));
	json_array_foreach ((json_t *)files, i, file)
		if (json_is_string(file))
			term_putf(t, STYLE_DIM, "          %s\n", json_string_value(file));
}

static void show_processes(const struct term *t, const json_t *proc)
{
	if (!proc)
		return;
	label(t, "processes");
	term_putf(t, STYLE_PLAIN, "%" PRIu64 " known of at most %" PRIu64 ", %" PRIu64 " KiB\n",
		  number(proc, "nodes"), number(proc, "cap"), number(proc, "bytes") / 1024);
}

static void show_holders(const struct term *t, const json_t *holders)
{
	if (!holders)
		return;
	label(t, "holders");
	term_putf(t, STYLE_PLAIN, "%" PRIu64 " processes have read what is watched\n",
		  number(holders, "now"));
}

/* Where those went that have read something: not judged, recorded in traces. */
static void show_left(const struct term *t, const json_t *left)
{
	if (!left)
		return;
	label(t, "");
	term_putf(t, STYLE_DIM,
		  "they connected to %" PRIu64 ", sent to %" PRIu64 " and talked to %" PRIu64
		  " other such processes; %" PRIu64 " wrote to another kind of mount\n",
		  number(left, "connect"), number(left, "send"), number(left, "unix"),
		  number(left, "mount"));
}

/* Dumps and what was found in them. */
static void show_scan(const struct term *t, const json_t *scan)
{
	const json_t *done = json_object_get(scan, "done");
	const char *cause;
	json_t *nr;

	if (!scan)
		return;
	label(t, "dumps");
	if (!json_is_true(json_object_get(scan, "on"))) {
		term_put(t, STYLE_WARN, "not scanned for keys: settings.scan is off");
		fputc('\n', t->f);
		return;
	}
	term_putf(t, number(done, "key") ? STYLE_BAD : STYLE_PLAIN, "%" PRIu64 " with keys",
		  number(done, "key"));
	term_putf(t, STYLE_PLAIN,
		  ", %" PRIu64 " clean, %" PRIu64 " looked at in part; %" PRIu64
		  " being scanned, %" PRIu64 " waiting",
		  number(done, "clean"), number(done, "incomplete"), number(scan, "running"),
		  number(scan, "queued"));
	json_object_foreach ((json_t *)json_object_get(scan, "unscanned"), cause, nr)
		term_putf(t, STYLE_WARN, "; %" JSON_INTEGER_FORMAT " not scanned: %s",
			  json_integer_value(nr), cause);
	fputc('\n', t->f);
}

static void show_journal(const struct term *t, const json_t *journal)
{
	const uint64_t lost = number(journal, "lost");

	if (!journal)
		return;
	label(t, "evidence");
	term_putf(t, STYLE_PLAIN, "%" PRIu64 " records, %" PRIu64 " files, %" PRIu64 " KiB",
		  number(journal, "seq"), number(journal, "segments"),
		  number(journal, "bytes") / 1024);
	if (lost)
		term_putf(t, STYLE_BAD, ", %" PRIu64 " could not be written", lost);
	fputc('\n', t->f);
}

static void show_warnings(const struct term *t, const json_t *warnings)
{
	size_t i;
	json_t *warning;

	json_array_foreach ((json_t *)warnings, i, warning) {
		if (!json_is_string(warning))
			continue;
		term_putf(t, STYLE_BAD, "%s", "warning   ");
		term_put(t, STYLE_WARN, json_string_value(warning));
		fputc('\n', t->f);
	}
}

static void show(const struct term *t, const json_t *status)
{
	show_self(t, status);
	show_warnings(t, json_object_get(status, "warnings"));
	show_hooks(t, json_object_get(status, "hooks"));
	show_objects(t, json_object_get(status, "objects"));
	show_scan(t, json_object_get(status, "scan"));
	show_drops(t, json_object_get(status, "drops"), json_object_get(status, "gaps"));
	show_quota(t, json_object_get(status, "quota"));
	show_rings(t, json_object_get(status, "rings"));
	show_sinks(t, json_object_get(status, "sinks"));
	show_journal(t, json_object_get(status, "journal"));
	show_policy(t, json_object_get(status, "policy"));
	show_processes(t, json_object_get(status, "proc"));
	show_holders(t, json_object_get(status, "holders"));
	show_left(t, json_object_get(status, "left"));
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	json_auto_t *status = NULL;
	struct term term;
	int r = daemon_call(options->socket, json_pack("{s:s}", "do", "status"), &status);

	if (r != 0)
		return r;
	if (options->json) {
		json_dumpf(status, stdout, JSON_INDENT(2));
		fputc('\n', stdout);
		return 0;
	}
	term_init(&term, stdout);
	show(&term, status);
	return 0;
}

static const struct cli_option options[] = {
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "Print the daemon's answer as JSON"),
	CLI_OPTION("socket", 0, CLI_STRING, struct options, socket, "PATH",
		   "Control socket of the daemon"),
};

const struct cli_command cmd_status = {
	.name = "status",
	.args = "",
	.summary = "Show what the daemon sees and what it misses",
	.about = "Shows whether keytraild runs, which hooks are attached, how many objects are "
		 "watched,\n"
		 "what was lost and why, where alerts go and which policy is in force.\n"
		 "Exits 69 if the daemon does not run.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
