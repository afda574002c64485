// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail explain`: which rule is about a file, a process or an alert, why, and what would change
 * it. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/explain_process.h"
#include "cli/policy_source.h"
#include "policy/show.h"
#include "policy/watchset.h"

struct options {
	struct cli_list policy;
	const char *by, *socket;
};

struct context {
	const struct options *options;
	struct policy *policy;
	struct watchset *set;
	struct cli_homes homes;
};

static uint64_t wall_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int prepare(struct context *c)
{
	struct diag_list diags = {0};
	int code = policy_source_load("explain", &c->options->policy, &c->policy), r;

	if (code)
		return code;
	r = cli_homes_read(NULL, &c->homes);
	if (r == 0)
		r = watchset_compile(c->policy, (const char *const *)c->homes.list, c->homes.nr, 1,
				     &diags, &c->set);
	if (r < 0) {
		diag_print(&diags, stderr);
		fprintf(stderr, "keytrail explain: %s\n", strerror(-r));
	}
	diag_list_fini(&diags);
	return r < 0 ? CLI_FAILED : 0;
}

static void print_escaped(const char *s)
{
	char text[4 * 4096 + 1];

	escape_bytes(s, strlen(s), text, sizeof(text), NULL);
	fputs(text, stdout);
}

/* --- a file ------------------------------------------------------------------------------------
 */

static void print_entry_line(void *ctx, const struct policy_line *line)
{
	if (*line->text && line->file)
		printf("  %-60s # %s:%u\n", line->text, line->file, line->line);
	else if (*line->text)
		printf("  %-60s # default\n", line->text);
}

static int parse_pid(const char *text, pid_t *out_pid)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*text) || pid < 1 || pid > 4194304)
		return -EINVAL;
	*out_pid = (pid_t)pid;
	return 0;
}

/* Who asks, from --by: a path of a program, or a process. */
static int read_by(const char *by, struct process_subject *out_who)
{
	pid_t pid;
	int r;

	*out_who = (struct process_subject){.subject.loginuid = UID_UNSET};
	if (*by == '/') {
		snprintf(out_who->exe, sizeof(out_who->exe), "%s", by);
		out_who->subject.exe = span_of(by);
		out_who->subject.exe_trust = EXE_VERIFIED;
		process_subject_inspect(by, out_who);
		return 0;
	}
	r = parse_pid(by, &pid);
	if (r == 0)
		r = process_subject_read(pid, out_who);
	if (r < 0)
		fprintf(stderr, "keytrail explain: --by %s: %s\n", by,
			r == -EINVAL ? "is neither a program's path nor a process id"
				     : strerror(-r));
	return r < 0 ? CLI_FAILED : 0;
}

static int explain_path(const struct context *c, const char *given)
{
	_cleanup_free_ char *real = realpath(given, NULL);
	const char *path = real ? real : given;
	uint32_t watch = watchset_match(c->set, span_of(path));
	struct process_subject who;
	struct policy_query query;
	struct policy_line line;
	int code;

	print_escaped(path);
	printf("%s\n", real ? "" : " (is not there now)");
	if (!watch) {
		printf("No watch entry is about it: nothing that is done to it is judged.\n"
		       "What would change it: a watch entry, or under `override` a path of one.\n");
		return 0;
	}
	printf("Watch entry: %s", policy_watch(c->policy, watch)->name);
	if (policy_path_line(c->policy, watch, path, (const char *const *)c->homes.list,
			     c->homes.nr, &line))
		printf(", by the path %s (%s:%u)", line.text, line.file, line.line);
	printf("\n");
	if (!c->options->by) {
		policy_watch_lines(c->policy, watch, print_entry_line, NULL);
		printf("Whoever is not named above raises an alert; --by says what a program or "
		       "process would come to.\n");
		return 0;
	}
	code = read_by(c->options->by, &who);
	if (code)
		return code;
	query = (struct policy_query){
		.watch = watch,
		.action = ACTION_READ,
		.subject = who.subject,
		.path = span_of(path),
		.time = wall_now(),
	};
	policy_explain(c->policy, &query, stdout);
	return 0;
}

/* --- a process ---------------------------------------------------------------------------------
 */

static void print_span(const char *what, struct span s)
{
	char text[4 * 4096 + 1];

	escape_bytes(s.p, s.len, text, sizeof(text), NULL);
	printf("  %s: %s\n", what, s.len ? text : "-");
}

static void print_subject(const struct process_subject *who)
{
	const struct policy_subject *s = &who->subject;

	print_span("exe", s->exe);
	printf("  trust: %s", exe_trust_str(s->exe_trust));
	for (uint32_t bit = 1; bit & UNTRUSTED_ALL; bit <<= 1)
		if (s->untrusted & bit)
			printf(", %s", untrusted_str((enum untrusted)bit));
	printf("\n");
	if (s->package_state != PACKAGE_UNKNOWN) {
		print_span("package", s->package);
		printf("  package state: %s\n", package_state_str(s->package_state));
	}
	if (s->digest.len)
		print_span("digest", s->digest);
	if (s->verity.len)
		print_span("verity", s->verity);
	print_span("unit", s->unit);
	print_span("container", s->container);
	if (s->container.len) {
		print_span("image", s->image);
		print_span("image id", s->image_id);
		if (!s->image.len && !s->image_id.len && who->refused.fault)
			printf("  image is not known: %s %s\n", who->refused.path,
			       runtimes_fault_text(who->refused.fault));
	}
	print_span("user", s->user);
	if (s->loginuid == UID_UNSET)
		printf("  login: none\n");
	else
		printf("  login: user id %" PRIu32 "\n", s->loginuid);
}

static int explain_pid(const struct context *c, pid_t pid)
{
	struct process_subject who;
	unsigned refused = 0;
	int r = process_subject_read(pid, &who);

	if (r < 0) {
		fprintf(stderr, "keytrail explain: process %d: %s\n", (int)pid,
			r == -ESRCH ? "is not there" : strerror(-r));
		return r == -EACCES ? CLI_NOPERM : CLI_FAILED;
	}
	printf("Process %d is to the policy:\n", (int)pid);
	print_subject(&who);
	printf("What it would come to if it read what these entries name:\n");
	for (uint32_t w = 1; w <= policy_nr_watches(c->policy); w++) {
		const struct policy_query query = {
			.watch = w,
			.action = ACTION_READ,
			.subject = who.subject,
			.time = wall_now(),
		};
		struct policy_answer answer;

		policy_judge(c->policy, &query, &answer);
		if (answer.reason == REASON_NO_RULE) {
			refused++;
			continue;
		}
		printf("  %s: %s, %s (%s:%u)\n", policy_watch(c->policy, w)->name,
		       verdict_str(answer.verdict), answer.why, answer.file, answer.line);
	}
	printf("  the other %u entries: no rule is for it\n", refused);
	printf("`keytrail explain PATH --by %d` says what would change it.\n", (int)pid);
	return 0;
}

/* --- an alert ----------------------------------------------------------------------------------
 */

static bool is_alert_id(const char *text)
{
	size_t len = strlen(text);

	return len >= 8 && len <= 32 && strspn(text, "0123456789abcdef") == len;
}

/* The newest alert whose id begins so; NULL with *out_code set if there is none. */
static json_t *find_alert(const char *socket, const char *id, int *out_code)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	json_t *found = NULL;
	int r = daemon_ask(socket,
			   json_pack("{s:s, s:I, s:b}", "do", "alerts", "limit",
				     (json_int_t)INT64_MAX, "follow", 0),
			   &client);

	while (r == 0) {
		json_auto_t *reply = NULL;
		json_t *alert;

		r = daemon_next(client, &reply);
		if (r != 0)
			break;
		alert = json_object_get(reply, "alert");
		if (!alert)
			break;
		if (strncmp(json_string_value(json_object_get(alert, "id")) ?: "", id, strlen(id)))
			continue;
		json_decref(found);
		found = json_incref(alert);
	}
	*out_code = r;
	if (r == 0 && !found) {
		fprintf(stderr, "keytrail explain: the daemon's store has no alert '%s'\n", id);
		*out_code = CLI_FAILED;
	}
	return found;
}

/* Undoes the escaping: the policy compares bytes. */
static struct span raw(const json_t *object, const char *key, char *buf, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));
	long n = text ? escape_undo(text, strlen(text), buf, size) : -1;

	return n > 0 ? (struct span){buf, (size_t)n} : (struct span){NULL, 0};
}

static enum exe_trust trust_of(const json_t *subject, const char *field)
{
	const char *word = json_string_value(json_object_get(subject, field));

	for (int i = 0; word && i < EXE_TRUST_NR; i++)
		if (!strcmp(exe_trust_str((enum exe_trust)i), word))
			return (enum exe_trust)i;
	return EXE_UNKNOWN;
}

static enum package_state package_of(const json_t *subject)
{
	const char *word = json_string_value(json_object_get(subject, "package_state"));

	for (int i = 0; word && i < PACKAGE_STATE_NR; i++)
		if (!strcmp(package_state_str((enum package_state)i), word))
			return (enum package_state)i;
	return PACKAGE_UNKNOWN;
}

/* What arguments say of a script is nothing that the policy asks. */
static struct span script_of(const json_t *subject, char *buf, size_t size)
{
	const char *word = json_string_value(json_object_get(subject, "script_evidence"));

	return word && !strcmp(word, "observed") ? raw(subject, "script", buf, size)
						 : (struct span){NULL, 0};
}

/* Of containers in a container rules go by the outermost. */
static struct span container_of(const json_t *subject, char *buf, size_t size)
{
	const bool within = json_object_get(subject, "image_container");

	return raw(subject, within ? "image_container" : "container", buf, size);
}

static enum session_type session_of(const json_t *subject)
{
	const char *word = json_string_value(json_object_get(subject, "session_type"));

	for (int i = 0; word && i < SESSION_TYPE_NR; i++)
		if (!strcmp(session_type_str((enum session_type)i), word))
			return (enum session_type)i;
	return SESSION_UNKNOWN;
}

static uint32_t untrusted_of(const json_t *subject)
{
	uint32_t reasons = 0;
	json_t *word;
	size_t i;

	json_array_foreach (json_object_get(subject, "untrusted"), i, word)
		for (uint32_t bit = 1; json_is_string(word) && bit & UNTRUSTED_ALL; bit <<= 1)
			if (!strcmp(json_string_value(word), untrusted_str((enum untrusted)bit)))
				reasons |= bit;
	return reasons;
}

/* What an alert says was done, as rules are asked about it. */
static enum policy_action action_of(const json_t *alert)
{
	static const struct {
		const char *type;
		enum policy_action action;
	} deeds[] = {
		{"object-written", ACTION_WRITE},
		{"object-linked", ACTION_LINK},
		{"holder-sent", ACTION_SEND},
	};
	const char *word = json_string_value(json_object_get(alert, "type"));

	for (size_t i = 0; word && i < ARRAY_SIZE(deeds); i++)
		if (!strcmp(deeds[i].type, word))
			return deeds[i].action;
	return ACTION_READ;
}

static void explain_now(const struct context *c, const json_t *alert)
{
	const json_t *subject = json_object_get(alert, "subject"),
		     *object = json_object_get(alert, "object"),
		     *login = json_object_get(subject, "loginuid");
	const char *name = json_string_value(json_object_get(object, "watch"));
	char exe[4096], script[1024], user[256], unit[256], container[256], path[4096],
		image[IMAGE_NAME_SIZE], image_id[IMAGE_ID_SIZE], package[512], digest[128],
		verity[160];
	const struct policy_query query = {
		.watch = policy_find_watch(c->policy, span_of(name)),
		.action = action_of(alert),
		.subject =
			{
				.exe = raw(subject, "exe", exe, sizeof(exe)),
				.exe_trust = trust_of(subject, "exe_trust"),
				.script = script_of(subject, script, sizeof(script)),
				.script_trust = trust_of(subject, "script_trust"),
				.session_type = session_of(subject),
				.untrusted = untrusted_of(subject),
				.inspected = true,
				.package_state = package_of(subject),
				.package = raw(subject, "package", package, sizeof(package)),
				.digest = raw(subject, "exe_digest", digest, sizeof(digest)),
				.verity = raw(subject, "exe_verity", verity, sizeof(verity)),
				.uid = (uint32_t)json_integer_value(
					json_object_get(subject, "uid")),
				.loginuid = json_is_integer(login)
						    ? (uint32_t)json_integer_value(login)
						    : UID_UNSET,
				.user = raw(subject, "user", user, sizeof(user)),
				.unit = raw(subject, "unit", unit, sizeof(unit)),
				.container = container_of(subject, container, sizeof(container)),
				.image = raw(subject, "image", image, sizeof(image)),
				.image_id = raw(subject, "image_id", image_id, sizeof(image_id)),
			},
		.path = raw(object, "path", path, sizeof(path)),
		.time = wall_now(),
	};

	if (!name || !*name) {
		printf("It is about no watched file: no rule of the policy decides it.\n");
		return;
	}
	printf("\nBy the policy that is installed now:\n");
	if (!query.watch) {
		printf("The policy has no watch entry '%s' any more.\n", name);
		return;
	}
	policy_explain(c->policy, &query, stdout);
}

static int explain_alert(const struct context *c, const char *id)
{
	int code;
	json_auto_t *alert = find_alert(c->options->socket, id, &code);
	const char *rule;

	if (!alert)
		return code;
	rule = json_string_value(json_object_get(alert, "rule"));
	printf("%s\n", json_string_value(json_object_get(alert, "text")) ?: "");
	if (rule && *rule)
		printf("Decided then by: %s\n", rule);
	explain_now(c, alert);
	return 0;
}

/* --- which of them -----------------------------------------------------------------------------
 */

static int explain_any(const struct context *c, const char *what)
{
	pid_t pid;

	if (strchr(what, '/'))
		return explain_path(c, what);
	/* A process id has few digits, an alert's id has many. */
	if (strlen(what) <= 7 && parse_pid(what, &pid) == 0)
		return explain_pid(c, pid);
	if (is_alert_id(what))
		return explain_alert(c, what);
	fprintf(stderr,
		"keytrail explain: '%s' is no path (with a slash), no process id, no alert id\n",
		what);
	return CLI_USAGE;
}

static int run(const void *p, int argc, char **argv)
{
	struct context c = {.options = p};
	int code = prepare(&c);

	if (!code)
		code = explain_any(&c, argv[0]);
	watchset_free(c.set);
	policy_free(c.policy);
	cli_homes_fini(&c.homes);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION("by", 'b', CLI_STRING, struct options, by, "WHO",
		   "With a path: what this program (a path) or process (an id) would come to"),
	CLI_OPTION("policy", 'p', CLI_LIST, struct options, policy, "FILE",
		   "Policy to ask instead of the installed one; may be given again"),
	CLI_OPTION("socket", 0, CLI_STRING, struct options, socket, "PATH",
		   "Control socket of the daemon"),
};

const struct cli_command cmd_explain = {
	.name = "explain",
	.args = "PATH|PID|ALERT-ID",
	.min_args = 1,
	.max_args = 1,
	.summary = "Tell which rule is about a file, a process or an alert",
	.about =
		"Of a path (with a slash): the watch entry that it falls under, by which pattern, who "
		"may, and\n"
		"with --by what a program or process would come to. Of a process: what it is to the "
		"policy,\n"
		"and the entries that it may read. Of an alert (its id or the first eight digits of it, "
		"asked of\n"
		"the daemon): what decided then and what decides now. Each with what would change "
		"it.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
