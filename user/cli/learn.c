// SPDX-License-Identifier: GPL-2.0-or-later
/* From alerts and records to rules that would have let these accesses pass, or do let pass. */
#include "cli/learn.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "policy/policy.h"

#define IMAGES_MAX 256 /* of a group that are told apart */
#define NAMES_MAX  16 /* users, objects */

struct image {
	uint64_t pid, start;
};

/* Different texts: the first NAMES_MAX of them. */
struct names {
	char *list[NAMES_MAX];
	unsigned nr;
	bool more;
};

enum why {
	WHY_NOT = 0, /* nothing speaks against it */
	WHY_NAMED,
	WHY_UNTRUSTED,
	WHY_CONTAINER,
	WHY_ODD,
	WHY_INTERPRETER,
	WHY_SCRIPT_USER,
	WHY_MISSING,
	WHY_OTHERS,
	WHY_TOOL,
	WHY_UNBOUND,
	WHY_ONCE,
	WHY_NR
};

static const char *const whys[WHY_NR] = {
	[WHY_NAMED] = "the policy has a rule for it, and it was told for another reason",
	[WHY_UNTRUSTED] = "what ran was not, or not only, the program that its path names",
	[WHY_CONTAINER] = "it ran in a container: what stands at its path there is up to its image",
	[WHY_ODD] = "its name has characters that do not belong there",
	[WHY_INTERPRETER] = "an interpreter, of no script that the kernel started it for",
	[WHY_SCRIPT_USER] = "a script of who is not root never counts",
	[WHY_MISSING] = "no such file is on this host",
	[WHY_OTHERS] = "others than root can change it, or put another file in its place",
	[WHY_TOOL] = "it reads whatever it is told to, and not in a service of its own",
	[WHY_UNBOUND] =
		"neither one user nor one service to bind it to: the rule would be for anybody",
	[WHY_ONCE] = "seen on one occasion only",
};

/* Accesses to what one entry names by one program, and one script that it was started for. */
struct group {
	char *watch, *exe, *script; /* script "": none */
	char *rule; /* "FILE:LINE" of the rule that let them pass, "": none did */
	char *unit; /* of a service, if all were in this one; NULL = not so */
	enum why why; /* the first thing that spoke against it */
	bool login_none, root_only;
	uint64_t accesses;
	unsigned occasions, images_nr;
	bool images_more;
	time_t first, last; /* of all; last: also of the occasion that goes on */
	struct image images[IMAGES_MAX];
	struct names users, objects;
};

struct learn {
	enum learn_file (*sound)(void *ctx, const char *path);
	void *ctx;
	struct group *groups[LEARN_GROUPS_MAX];
	unsigned nr;
	uint64_t alerts, records, accesses, others, unread, beyond;
	time_t first, last;
};

/* --- taking in ---------------------------------------------------------------------------------
 */

struct learn *learn_new(enum learn_file (*sound)(void *ctx, const char *path), void *ctx)
{
	struct learn *learn = calloc(1, sizeof(*learn));

	if (learn) {
		learn->sound = sound;
		learn->ctx = ctx;
	}
	return learn;
}

static void names_fini(struct names *names)
{
	for (unsigned i = 0; i < names->nr; i++)
		free(names->list[i]);
}

static void group_free(struct group *group)
{
	if (!group)
		return;
	names_fini(&group->users);
	names_fini(&group->objects);
	free(group->watch);
	free(group->exe);
	free(group->script);
	free(group->rule);
	free(group->unit);
	free(group);
}

void learn_free(struct learn *learn)
{
	if (!learn)
		return;
	for (unsigned i = 0; i < learn->nr; i++)
		group_free(learn->groups[i]);
	free(learn);
}

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static int names_add(struct names *names, const char *name)
{
	for (unsigned i = 0; i < names->nr; i++)
		if (!strcmp(names->list[i], name))
			return 0;
	if (names->nr == NAMES_MAX) {
		names->more = true;
		return 0;
	}
	names->list[names->nr] = strdup(name);
	if (!names->list[names->nr])
		return -ENOMEM;
	names->nr++;
	return 0;
}

static void images_add(struct group *group, const json_t *subject)
{
	const struct image image = {
		(uint64_t)json_integer_value(json_object_get(subject, "pid")),
		(uint64_t)json_integer_value(json_object_get(subject, "start_ns")),
	};

	for (unsigned i = 0; i < group->images_nr; i++)
		if (group->images[i].pid == image.pid && group->images[i].start == image.start)
			return;
	if (group->images_nr == IMAGES_MAX)
		group->images_more = true;
	else
		group->images[group->images_nr++] = image;
}

/* "2025-01-31T14:05:09.123456789Z", to the second; -1 = is none. */
static time_t read_time(const char *s)
{
	struct tm tm = {0};
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);

	return rest && (*rest == '.' || *rest == 'Z') ? timegm(&tm) : -1;
}

/* What stands in YAML, in comments and on a terminal as it is: no escapes of ours, no quotes. */
static bool is_plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("/._+-@:", *s))
			return false;
	return true;
}

/*
 * Programs that are told which file to read; the program says nothing of what for. Without what
 * follows the first '.' or '-': where alternatives are, a path resolves to nc.openbsd, vim.basic,
 * emacs-gtk. That strikes some program that is called so by chance (file-roller): a rule of it can
 * still be written by hand.
 */
static bool is_tool(const char *exe)
{
	static const char *const tools[] = {
		"awk",	 "b2sum", "base32",  "base64", "bat",	  "busybox",   "bzip2",	    "cat",
		"cksum", "cmp",	  "column",  "comm",   "cp",	  "curl",      "cut",	    "dd",
		"diff",	 "ed",	  "emacs",   "file",   "find",	  "fmt",       "fold",	    "gawk",
		"gdb",	 "grep",  "gzip",    "head",   "hexdump", "install",   "join",	    "jq",
		"less",	 "ln",	  "mawk",    "md5sum", "more",	  "mv",	       "nano",	    "nc",
		"nl",	 "od",	  "openssl", "paste",  "pr",	  "pv",	       "rev",	    "rg",
		"rsync", "scp",	  "sed",     "sftp",   "sha1sum", "sha256sum", "sha512sum", "shuf",
		"socat", "sort",  "split",   "strace", "strings", "tac",       "tail",	    "tar",
		"tee",	 "uniq",  "vi",	     "vim",    "wc",	  "wget",      "xxd",	    "xz",
		"zip",	 "zstd",
	};
	const char *base = strrchr(exe, '/');
	size_t len = base ? strcspn(++base, ".-") : 0;

	for (size_t i = 0; len && i < ARRAY_SIZE(tools); i++)
		if (!strncmp(base, tools[i], len) && !tools[i][len])
			return true;
	return false;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

/*
 * The unit as a rule would ask for it, or "". An alert names the innermost one, which is the one of
 * rules but in a user's service manager; whoever that started has logged in.
 */
static const char *service_of(const json_t *subject)
{
	const char *unit = text(subject, "unit");

	return json_is_null(json_object_get(subject, "loginuid")) && ends_with(unit, ".service") &&
			       is_plain(unit)
		       ? unit
		       : "";
}

static enum why speaks_against(const json_t *alert, const json_t *subject, const char *script,
			       bool passed)
{
	static const char no_rule[] = "the policy allows no such program";
	const char *trust = text(subject, "exe_trust"), *exe = text(subject, "exe");

	if (!passed && strncmp(text(alert, "rule"), no_rule, strlen(no_rule)) != 0)
		return WHY_NAMED;
	if (json_array_size(json_object_get(subject, "untrusted")) ||
	    (strcmp(trust, "unknown") != 0 && strcmp(trust, "verified") != 0))
		return WHY_UNTRUSTED;
	if (*text(subject, "container"))
		return WHY_CONTAINER;
	if (*exe != '/' || !is_plain(exe) || (*script && !is_plain(script)) ||
	    !is_plain(text(json_object_get(alert, "object"), "watch")))
		return WHY_ODD;
	if (!policy_is_interpreter(exe))
		return WHY_NOT;
	if (!*script)
		return WHY_INTERPRETER;
	return json_integer_value(json_object_get(subject, "uid")) == 0 ? WHY_NOT : WHY_SCRIPT_USER;
}

static struct group *find_group(struct learn *learn, const char *watch, const char *exe,
				const char *script, const char *rule)
{
	for (unsigned i = 0; i < learn->nr; i++) {
		struct group *group = learn->groups[i];

		if (!strcmp(group->exe, exe) && !strcmp(group->watch, watch) &&
		    !strcmp(group->script, script) && !strcmp(group->rule, rule))
			return group;
	}
	return NULL;
}

static struct group *new_group(const char *watch, const char *exe, const char *script,
			       const char *unit, const char *rule)
{
	struct group *group = calloc(1, sizeof(*group));

	if (!group)
		return NULL;
	group->watch = strdup(watch);
	group->exe = strdup(exe);
	group->script = strdup(script);
	group->rule = strdup(rule);
	group->unit = *unit ? strdup(unit) : NULL;
	group->login_none = group->root_only = true;
	if (!group->watch || !group->exe || !group->script || !group->rule ||
	    (*unit && !group->unit)) {
		group_free(group);
		return NULL;
	}
	return group;
}

static int take_access(struct group *group, const json_t *alert, const json_t *subject, time_t at)
{
	const json_t *object = json_object_get(alert, "object");
	json_int_t count = json_integer_value(json_object_get(alert, "count"));
	const char *unit = service_of(subject);
	int r;

	if (!group->why)
		group->why = speaks_against(alert, subject, group->script, *group->rule);
	if (group->unit && strcmp(group->unit, unit) != 0) {
		free(group->unit);
		group->unit = NULL;
	}
	group->login_none &= json_is_null(json_object_get(subject, "loginuid"));
	group->root_only &= json_integer_value(json_object_get(subject, "uid")) == 0;
	group->accesses += count > 0 ? (uint64_t)count : 1;
	/* Alerts come in the order of time, but for some moments. */
	if (!group->occasions || at > group->last + LEARN_OCCASION_S)
		group->occasions++;
	if (!group->first || at < group->first)
		group->first = at;
	if (at > group->last)
		group->last = at;
	images_add(group, subject);
	r = names_add(&group->users, text(subject, "user"));
	return r < 0 ? r : names_add(&group->objects, text(object, "path"));
}

static int take(struct learn *learn, const json_t *alert, const char *rule,
		struct group **out_group)
{
	const json_t *subject = json_object_get(alert, "subject"),
		     *object = json_object_get(alert, "object");
	const char *exe = text(subject, "exe"), *watch = text(object, "watch"), *script = "";
	time_t at = read_time(text(alert, "time"));
	struct group *group;

	*out_group = NULL;
	if (!json_is_object(alert) || at <= 0) {
		learn->unread++;
		return 0;
	}
	if (!learn->first || at < learn->first)
		learn->first = at;
	if (at > learn->last)
		learn->last = at;
	if (!json_is_object(subject) || !json_is_object(json_object_get(alert, "access")) ||
	    !*watch || !*exe || !ends_with(text(alert, "type"), "-read")) {
		learn->others++;
		return 0;
	}
	if (!strcmp(text(subject, "script_evidence"), "observed"))
		script = text(subject, "script");
	learn->accesses++;
	group = find_group(learn, watch, exe, script, rule);
	if (!group && learn->nr == LEARN_GROUPS_MAX) {
		learn->beyond++;
		return 0;
	}
	if (!group) {
		group = new_group(watch, exe, script, service_of(subject), rule);
		if (!group)
			return -ENOMEM;
		learn->groups[learn->nr++] = group;
	}
	*out_group = group;
	return take_access(group, alert, subject, at);
}

int learn_alert(struct learn *learn, const json_t *alert)
{
	struct group *group;

	learn->alerts++;
	return take(learn, alert, "", &group);
}

/* A record of the evidence log in the form of an alert (docs/journal.md, docs/alerts.md). */
static json_t *as_alert(const json_t *record)
{
	const json_t *login = json_object_get(record, "loginuid");
	const char *untrusted = text(record, "untrusted");

	return json_pack(
		"{s:s, s:s, s:I, s:s, s:{s:s}, s:{s:s, s:s}, s:{s:I, s:I, s:s, s:s, s:s, s:s, "
		"s:o, s:I, s:s, s:o, s:s, s:s}}",
		"type", "recorded-read", "time", text(record, "first"), "count",
		json_integer_value(json_object_get(record, "count")), "rule", text(record, "rule"),
		"access", "how", text(record, "how"), "object", "path", text(record, "path"),
		"watch", text(record, "watch"), "subject", "pid",
		json_integer_value(json_object_get(record, "pid")), "start_ns",
		json_integer_value(json_object_get(record, "start_ns")), "exe", text(record, "exe"),
		"script", text(record, "script"), "script_evidence",
		text(record, "script_evidence"), "exe_trust", text(record, "exe_trust"),
		"untrusted", *untrusted ? json_pack("[s]", untrusted) : json_array(), "uid",
		json_integer_value(json_object_get(record, "uid")), "user", text(record, "user"),
		"loginuid", login ? json_integer(json_integer_value(login)) : json_null(), "unit",
		text(record, "unit"), "container", text(record, "container"));
}

/* What the entry is not about is no matter of rules. */
static bool is_unruled(const json_t *record)
{
	return !strcmp(text(record, "verdict"), "alert") ||
	       !strncmp(text(record, "rule"), "the policy allow", strlen("the policy allow"));
}

/* "FILE:LINE" of the rule that let it pass; false: none did. */
static bool passed_by(const json_t *record, char *out, size_t size)
{
	const char *verdict = text(record, "verdict"), *file = text(record, "rule_file");

	if (strcmp(verdict, "allow") != 0 &&
	    !(!strcmp(verdict, "record") &&
	      !strcmp(text(record, "rule"), "the policy expects this program")))
		return false;
	snprintf(out, size, "%s:%lld", file,
		 (long long)json_integer_value(json_object_get(record, "rule_line")));
	return true;
}

int learn_record(struct learn *learn, const json_t *record)
{
	json_auto_t *alert = NULL;
	char rule[4096] = "";
	struct group *group;
	time_t last;
	int r;

	learn->records++;
	if (strcmp(text(record, "kind"), "access") != 0 ||
	    strcmp(text(record, "action"), "read") != 0 || !*text(record, "path") ||
	    (!passed_by(record, rule, sizeof(rule)) && !is_unruled(record))) {
		learn->others++;
		return 0;
	}
	alert = as_alert(record);
	if (!alert)
		return -ENOMEM;
	r = take(learn, alert, rule, &group);
	if (r < 0 || !group)
		return r;
	/* Of repeats only the last process is named, and they go on until then. */
	last = read_time(text(record, "last"));
	if (last > group->last)
		group->last = last;
	if (last > learn->last)
		learn->last = last;
	group->images_more |= json_integer_value(json_object_get(record, "count")) > 1;
	return 0;
}

/* --- proposing ---------------------------------------------------------------------------------
 */

static bool has_one_user(const struct group *group)
{
	return group->users.nr == 1 && !group->users.more && is_plain(group->users.list[0]);
}

static enum why judge(const struct learn *learn, const struct group *group)
{
	const char *const files[] = {group->exe, group->script};

	if (group->why)
		return group->why;
	if (!group->unit && is_tool(group->exe))
		return WHY_TOOL;
	if (!group->unit && !*group->script && !has_one_user(group))
		return WHY_UNBOUND;
	if (group->occasions < 2 || group->images_nr < 2)
		return WHY_ONCE;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		enum learn_file file =
			*files[i] ? learn->sound(learn->ctx, files[i]) : LEARN_FILE_SOUND;

		if (file != LEARN_FILE_SOUND)
			return file == LEARN_FILE_MISSING ? WHY_MISSING : WHY_OTHERS;
	}
	return WHY_NOT;
}

/* How often, for how long, and how closely a rule can be bound. */
static const char *confidence(const struct group *group)
{
	bool bound = group->unit || *group->script || group->login_none;
	bool days = group->last - group->first >= 86400;

	if (group->occasions >= 5 && days && bound)
		return "high";
	return group->occasions >= 3 && (days || bound) ? "medium" : "low";
}

static void put_time(FILE *f, time_t at)
{
	char date[32] = "?";
	struct tm tm;

	if (gmtime_r(&at, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
	fputs(date, f);
}

/* In a comment: on one line, whatever it is. What is escaped already is escaped once. */
static void put(FILE *f, const char *s)
{
	char raw[4096], out[4 * sizeof(raw) + 1];
	long n = escape_undo(s, strlen(s), raw, sizeof(raw));

	escape_bytes(n < 0 ? s : raw, n < 0 ? strlen(s) : (size_t)n, out, sizeof(out), NULL);
	fputs(out, f);
}

static void put_names(FILE *f, const struct names *names, unsigned shown)
{
	for (unsigned i = 0; i < names->nr && i < shown; i++) {
		fputs(i ? ", " : "", f);
		put(f, names->list[i]);
	}
	if (names->more || names->nr > shown)
		fprintf(f, " and %s%u more", names->more ? "at least " : "", names->nr - shown);
}

static void put_evidence(FILE *f, const struct group *group)
{
	fprintf(f, "%llu access%s by %u%s process%s on %u occasion%s, ",
		(unsigned long long)group->accesses, group->accesses == 1 ? "" : "es",
		group->images_nr, group->images_more ? " or more" : "",
		group->images_nr == 1 && !group->images_more ? "" : "es", group->occasions,
		group->occasions == 1 ? "" : "s");
	put_time(f, group->first);
	fputs(" to ", f);
	put_time(f, group->last);
	fputs(", as ", f);
	put_names(f, &group->users, 4);
	fputs(group->login_none ? ", nobody logged in" : "", f);
}

/* In front of each line: what makes it a comment, or nothing. */
static void put_rule(FILE *f, const struct group *group, const char *before)
{
	fprintf(f, "%s      # confidence %s: ", before, confidence(group));
	put_evidence(f, group);
	fprintf(f, "\n%s      # of ", before);
	put_names(f, &group->objects, 3);
	/* Texts that are not plain have been refused: nothing needs quotes but the numbers. */
	fprintf(f, "\n%s      - {exe: %s", before, group->exe);
	if (*group->script)
		fprintf(f, ", script: %s", group->script);
	if (group->unit)
		fprintf(f, ", unit: %s", group->unit);
	else if (!*group->script) /* has_one_user() */
		fprintf(f, ", user: %s", group->users.list[0]);
	if (group->login_none)
		fputs(", login: none", f);
	fputs("}\n", f);
}

static unsigned put_watch(const struct learn *learn, FILE *f, const enum why *why, unsigned first)
{
	const char *watch = learn->groups[first]->watch;
	unsigned nr = 0;

	for (unsigned i = 0; i < first; i++)
		if (!why[i] && !*learn->groups[i]->rule && !strcmp(learn->groups[i]->watch, watch))
			return 0;
	fprintf(f, "  - name: %s\n    allow:\n", watch);
	for (unsigned i = first; i < learn->nr; i++) {
		if (why[i] || *learn->groups[i]->rule ||
		    strcmp(learn->groups[i]->watch, watch) != 0)
			continue;
		put_rule(f, learn->groups[i], "");
		nr++;
	}
	return nr;
}

static void put_program(FILE *f, const struct group *group)
{
	put(f, group->exe);
	if (*group->script) {
		fputs(" of script ", f);
		put(f, group->script);
	}
}

static void put_refused(const struct learn *learn, FILE *f, const enum why *why)
{
	bool any = false;

	for (unsigned i = 0; i < learn->nr; i++) {
		const struct group *group = learn->groups[i];

		if (!why[i] || *group->rule)
			continue;
		fputs(any ? "" : "\n# Not proposed:\n", f);
		any = true;
		fputs("#   ", f);
		put_program(f, group);
		fputs(" for ", f);
		put(f, group->watch);
		fprintf(f, ": %s\n#     ", whys[why[i]]);
		put_evidence(f, group);
		fputc('\n', f);
	}
	if (learn->beyond)
		fprintf(f,
			"# Not looked at for want of room: %llu accesses of programs beyond %d\n",
			(unsigned long long)learn->beyond, LEARN_GROUPS_MAX);
}

static void put_passed_by(const struct learn *learn, FILE *f, const enum why *why, unsigned first)
{
	const struct group *like = learn->groups[first];

	for (unsigned i = 0; i < first; i++)
		if (!strcmp(learn->groups[i]->rule, like->rule) &&
		    !strcmp(learn->groups[i]->watch, like->watch))
			return;
	fputs("#   ", f);
	put(f, like->rule);
	fputs(" for ", f);
	put(f, like->watch);
	fputc('\n', f);
	for (unsigned i = first; i < learn->nr; i++) {
		const struct group *group = learn->groups[i];

		if (strcmp(group->rule, like->rule) != 0 || strcmp(group->watch, like->watch) != 0)
			continue;
		if (!why[i]) {
			put_rule(f, group, "#");
			continue;
		}
		fputs("#       # not narrowed to ", f);
		put_program(f, group);
		fprintf(f, ": %s\n#       # ", whys[why[i]]);
		put_evidence(f, group);
		fputc('\n', f);
	}
}

/* As comments: a narrower rule has to take the place of the one that is there, beside it it is
 * nothing. */
static void put_passed(const struct learn *learn, FILE *f, const enum why *why)
{
	bool any = false;

	for (unsigned i = 0; i < learn->nr; i++) {
		if (!*learn->groups[i]->rule)
			continue;
		fputs(any ? ""
			  : "\n# What rules in force let pass, each with the narrowest that would have:\n",
		      f);
		any = true;
		put_passed_by(learn, f, why, i);
	}
}

unsigned learn_print(const struct learn *learn, FILE *f)
{
	enum why why[LEARN_GROUPS_MAX];
	unsigned nr = 0, wanted = 0;

	fputs("# What `keytrail learn` made of ", f);
	if (learn->records)
		fprintf(f, "%llu records%s", (unsigned long long)learn->records,
			learn->alerts ? " and " : "");
	if (learn->alerts || !learn->records)
		fprintf(f, "%llu alerts", (unsigned long long)learn->alerts);
	fprintf(f, ", %llu of them about accesses", (unsigned long long)learn->accesses);
	if (learn->first) {
		fputs(", from ", f);
		put_time(f, learn->first);
		fputs(" to ", f);
		put_time(f, learn->last);
		fputs(" UTC", f);
	}
	fputs(".\n# That somebody did it often does not say that he may. Keep what you know, and why;\n"
	      "# delete the rest.\nversion: 1\n",
	      f);
	if (learn->unread)
		fprintf(f, "# %llu lines were neither alerts nor records.\n",
			(unsigned long long)learn->unread);
	for (unsigned i = 0; i < learn->nr; i++) {
		why[i] = judge(learn, learn->groups[i]);
		wanted += !why[i] && !*learn->groups[i]->rule;
	}
	if (wanted)
		fputs("\noverride:\n", f);
	for (unsigned i = 0; i < learn->nr; i++)
		if (!why[i] && !*learn->groups[i]->rule)
			nr += put_watch(learn, f, why, i);
	put_refused(learn, f, why);
	put_passed(learn, f, why);
	return nr;
}

const char *learn_duration(const char *text, uint64_t *out_s)
{
	static const char units[] = "smhd";
	static const unsigned seconds[] = {1, 60, 3600, 86400};
	const char *unit;
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < 6 && isdigit((unsigned char)text[i]); i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	unit = i && text[i] && !text[i + 1] ? strchr(units, text[i]) : NULL;
	if (!unit || !n)
		return "is no duration like 90s, 15m, 8h or 7d";
	n *= seconds[unit - units];
	if (n > 366ULL * 86400)
		return "is longer than a year";
	*out_s = n;
	return NULL;
}
