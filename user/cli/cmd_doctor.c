// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail doctor`: what would leak keys on this host, before anything does. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/doctor_view.h"
#include "cli/sweep.h"
#include "doctor/check.h"
#include "scan/scanner.h"

struct options {
	bool json, list, sweep, quiet;
	const char *root, *socket, *fail_on;
	struct cli_list pids, needles;
};

struct run {
	const struct options *options;
	struct root root;
	struct host_facts host;
	struct doctor doctor;
	struct process_facts *holders; /* grows; `doctor` gets it at the end */
	size_t nr_holders;
	bool failed; /* something that was asked for could not be looked at */
};

static struct process_facts *holder_find(struct run *run, uint32_t pid)
{
	for (size_t i = 0; i < run->nr_holders; i++)
		if (run->holders[i].pid == pid)
			return &run->holders[i];
	return NULL;
}

/* Takes the facts over. */
static int holder_add(struct run *run, struct process_facts *facts)
{
	struct process_facts *more = realloc(run->holders, (run->nr_holders + 1) * sizeof(*more));

	if (!more) {
		process_facts_fini(facts);
		return -ENOMEM;
	}
	run->holders = more;
	more[run->nr_holders++] = *facts;
	return 0;
}

/* --- the daemon ---------------------------------------------------------------------------------
 */

/* Without a word on standard error: that it is away is a finding. */
static int ask(const char *socket, const char *what, json_t **out_result)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	json_auto_t *request = json_pack("{s:s}", "do", what), *reply = NULL;
	int err = request ? control_client_new(socket, &client) : -ENOMEM;

	if (!err)
		err = control_client_send(client, request);
	while (!err || err == -EPIPE) { /* who is refused sees the reply before the broken pipe */
		int r = control_client_next(client, &reply);

		if (r == -EINTR)
			continue;
		err = r;
		break;
	}
	if (err < 0)
		return err;
	if (!json_is_true(json_object_get(reply, "ok"))) {
		const char *code = json_string_value(json_object_get(reply, "code"));

		return code && !strcmp(code, "EACCES") ? -EACCES : -EOPNOTSUPP;
	}
	*out_result = json_incref(json_object_get(reply, "result"));
	return *out_result ? 0 : -EBADMSG;
}

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static int take_read_key(struct process_facts *facts, const json_t *json)
{
	struct held_key *key = process_add_key(facts);
	const char *fingerprint = text(json, "fingerprint"), *path = text(json, "path");

	if (!key)
		return facts->keys_left_out ? 0 : -ENOMEM;
	snprintf(key->name, sizeof(key->name), "%s", *fingerprint ? fingerprint : path);
	snprintf(key->label, sizeof(key->label), "%s", *fingerprint ? path : "");
	if (*text(json, "type"))
		snprintf(key->kind, sizeof(key->kind), "%.20s %d", text(json, "type"),
			 (int)json_integer_value(json_object_get(json, "bits")));
	return 0;
}

/* The pid may be another process's by now: what it began with tells. */
static bool is_same(const struct process_facts *facts, const json_t *holder)
{
	json_int_t start = json_integer_value(json_object_get(holder, "start"));
	uint64_t tick = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);

	return !facts->start || (uint64_t)start / tick == facts->start;
}

static int take_holder(struct run *run, const json_t *holder)
{
	uint32_t pid = (uint32_t)json_integer_value(json_object_get(holder, "pid"));
	const json_t *keys = json_object_get(holder, "keys");
	struct process_facts facts;
	size_t i;
	json_t *key;
	int err;

	if (!json_array_size(keys) || holder_find(run, pid)) /* it has read a dump, say */
		return 0;
	err = process_facts(&run->root, pid, &facts);
	if (err < 0)
		return err == -ESRCH ? 0 : err;
	if (!is_same(&facts, holder))
		return 0;
	json_array_foreach ((json_t *)keys, i, key) {
		err = take_read_key(&facts, key);
		if (err < 0) {
			process_facts_fini(&facts);
			return err;
		}
	}
	return holder_add(run, &facts);
}

/* Whose keys were not told of may be the one that matters. */
static void take_left_out(struct run *run, json_int_t left_out)
{
	if (left_out <= 0)
		return;
	run->doctor.holders_left_out = (uint64_t)left_out;
	run->failed = true;
	fprintf(stderr,
		"keytrail doctor: keytraild had no room to name %" PRIu64
		" more processes that hold keys\n",
		run->doctor.holders_left_out);
}

static int ask_daemon(struct run *run, json_t **out_status)
{
	const char *socket = run->options->socket ? run->options->socket : CLI_SOCKET_DEFAULT;
	json_auto_t *holders = NULL;
	size_t i;
	json_t *holder;
	int err = ask(socket, "status", out_status);

	switch (err) {
	case 0:
		run->doctor.daemon = DAEMON_ANSWERED;
		run->doctor.status = *out_status;
		break;
	case -EACCES:
	case -EPERM:
		run->doctor.daemon = DAEMON_DENIED;
		return 0;
	case -ENOMEM:
		return err;
	default:
		run->doctor.daemon = DAEMON_AWAY;
		return 0;
	}
	if (run->options->pids.nr) /* only these were asked for */
		return 0;
	err = ask(socket, "holders", &holders);
	if (err < 0) {
		fprintf(stderr, "keytrail doctor: keytraild does not say who holds keys: %s\n",
			strerror(-err));
		run->failed = true;
		return 0;
	}
	err = 0;
	json_array_foreach (json_object_get(holders, "holders"), i, holder)
		if (!err)
			err = take_holder(run, holder);
	take_left_out(run, json_integer_value(json_object_get(holders, "left_out")));
	return err;
}

/* --- processes that were named, and the sweep ---------------------------------------------------
 */

static int take_named(struct run *run)
{
	for (size_t i = 0; i < run->options->pids.nr; i++) {
		struct process_facts facts;
		uint32_t pid;
		int err;

		if (!sweep_pid(run->options->pids.items[i], &pid)) {
			fprintf(stderr, "keytrail doctor: no process id: %s\n",
				run->options->pids.items[i]);
			return -EINVAL;
		}
		if (holder_find(run, pid))
			continue;
		err = process_facts(&run->root, pid, &facts);
		if (err == -ESRCH) {
			fprintf(stderr, "keytrail doctor: there is no process %u\n", pid);
			run->failed = true;
			continue;
		}
		if (!err)
			err = holder_add(run, &facts);
		if (err < 0)
			return err;
	}
	return 0;
}

/*
 * What was found in its memory stands for what it has read: where it is not found any more, it will
 * not be in a core. But a needle file names some keys, and says nothing of the others.
 */
static int on_swept(void *userdata, uint32_t pid, struct process_facts *facts, int error)
{
	struct run *run = userdata;
	struct process_facts *known = holder_find(run, pid);

	if (!facts) {
		bool matters = known || run->options->pids.nr;

		if (matters && error != -ESRCH)
			fprintf(stderr, "keytrail doctor: process %u was not searched: %s\n", pid,
				scanner_strerror(error));
		return 0;
	}
	if (!facts->nr_keys && (!known || run->options->needles.nr)) {
		process_facts_fini(facts);
		return 0;
	}
	if (!known)
		return holder_add(run, facts);
	process_facts_fini(known);
	*known = *facts;
	return 0;
}

static int search(struct run *run)
{
	struct sweep_config config = {
		.root = &run->root,
		.only_known = run->options->needles.nr > 0,
		.progress = !run->options->quiet,
		.cpu_seconds = SWEEP_SECONDS,
	};
	_cleanup_free_ uint32_t *pids = NULL;
	struct sweep_counts counts;
	struct scan_known known;
	size_t nr = 0;
	int err;

	if (run->options->pids.nr) {
		nr = run->nr_holders;
		pids = calloc(nr ? nr : 1, sizeof(*pids));
		for (size_t i = 0; i < nr && pids; i++)
			pids[i] = run->holders[i].pid;
		err = pids ? 0 : -ENOMEM;
	} else {
		err = sweep_list(&run->root, &pids, &nr);
	}
	if (!err)
		err = scan_known_load(&run->options->needles, NULL, &known, &config.scan);
	if (err < 0)
		return err;
	config.known = &known;
	config.scan.tokens = NULL;
	err = sweep(&config, pids, nr, on_swept, run, &counts);
	scan_known_fini(&known);
	if (counts.denied || counts.failed || counts.partly) {
		fprintf(stderr,
			"keytrail doctor: %zu processes were not searched, %zu not all of it%s\n",
			counts.denied + counts.failed, counts.partly,
			geteuid() ? " (root can)" : "");
		run->failed = true;
	}
	return err;
}

/* --- running ------------------------------------------------------------------------------------
 */

static int tell(struct run *run)
{
	if (run->options->json) {
		json_auto_t *json = doctor_json(&run->doctor);

		if (!json)
			return -ENOMEM;
		json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		putchar('\n');
	} else {
		struct term term;

		term_init(&term, stdout);
		doctor_view(&term, &run->doctor);
	}
	return 0;
}

static int examine(struct run *run, bool this_host, json_t **out_status)
{
	int err = 0;

	host_facts(&run->root, &run->host);
	run->doctor.host = &run->host;
	if (this_host || run->options->socket)
		err = ask_daemon(run, out_status);
	if (!err)
		err = take_named(run);
	if (!err && run->options->sweep)
		err = search(run);
	if (err < 0)
		return err;
	run->doctor.holders = run->holders;
	run->doctor.nr_holders = run->nr_holders;
	doctor_run(&run->doctor);
	return tell(run);
}

/* "medium" -> SEV_MEDIUM; 0: no such word. */
static enum severity severity_of(const char *word)
{
	for (int s = SEV_INFO; s < SEV_NR; s++)
		if (!strcmp(word, severity_str((enum severity)s)))
			return (enum severity)s;
	return 0;
}

static int run_in(struct run *run, bool this_host, enum severity fail_on)
{
	json_auto_t *status = NULL;
	enum doctor_outcome outcome = DOCTOR_COULD_NOT;
	int err = examine(run, this_host, &status);

	if (!err)
		outcome = doctor_outcome(&run->doctor, fail_on);
	else if (err != -EINVAL) /* that was told */
		fprintf(stderr, "keytrail doctor: %s\n", strerror(-err));
	for (size_t i = 0; i < run->nr_holders; i++)
		process_facts_fini(&run->holders[i]);
	free(run->holders);
	doctor_fini(&run->doctor);
	if (!outcome && run->failed)
		outcome = DOCTOR_COULD_NOT;
	return (int)outcome;
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	struct run run = {.options = options};
	enum severity fail_on = severity_of(options->fail_on);
	bool this_host = !strcmp(options->root, "/");
	struct term term;
	int err, code;

	if (options->list) {
		term_init(&term, stdout);
		doctor_view_checks(&term);
		return 0;
	}
	if (!fail_on) {
		fprintf(stderr,
			"keytrail doctor: --fail-on: no severity: %s (info, low, medium, "
			"high, critical)\n",
			options->fail_on);
		return CLI_USAGE;
	}
	if (options->sweep && !this_host) {
		fprintf(stderr,
			"keytrail doctor: --sweep is for processes of this host, --root for "
			"another\n");
		return CLI_USAGE;
	}
	if (options->needles.nr && !options->sweep) {
		fprintf(stderr, "keytrail doctor: --needles is for --sweep\n");
		return CLI_USAGE;
	}
	err = root_open(options->root, &run.root);
	if (err < 0) {
		fprintf(stderr, "keytrail doctor: %s: %s\n", options->root, strerror(-err));
		return DOCTOR_COULD_NOT;
	}
	code = run_in(&run, this_host, fail_on);
	root_close(&run.root);
	return code;
}

static void defaults(void *p)
{
	struct options *options = p;

	options->root = "/";
	options->fail_on = "medium";
}

static const struct cli_option options[] = {
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "Print one JSON object (docs/doctor.md)"),
	CLI_OPTION("fail-on", 'f', CLI_STRING, struct options, fail_on, "SEVERITY",
		   "Exit 1 for findings of this severity and above (medium)"),
	CLI_OPTION("pid", 'p', CLI_LIST, struct options, pids, "PID",
		   "Look at this process as one that holds a key; may be given again"),
	CLI_OPTION("sweep", 's', CLI_FLAG, struct options, sweep, NULL,
		   "Search memory for keys (of --pid, else of all processes), as keytrail sweep"),
	CLI_OPTION("needles", 'n', CLI_LIST, struct options, needles, "FILE",
		   "With --sweep: look for the keys of this needle file only"),
	CLI_OPTION("root", 'r', CLI_STRING, struct options, root, "DIRECTORY",
		   "Look at the host whose files are below it, and do not ask keytraild"),
	CLI_OPTION("list", 'l', CLI_FLAG, struct options, list, NULL,
		   "List all checks and look at nothing"),
	CLI_OPTION("quiet", 'q', CLI_FLAG, struct options, quiet, NULL,
		   "Show no progress on the terminal"),
	CLI_OPTION("socket", 0, CLI_STRING, struct options, socket, "PATH",
		   "Control socket of the daemon"),
};

const struct cli_command cmd_doctor = {
	.name = "doctor",
	.args = "",
	.summary = "Find what would leak keys, before anything does",
	.about =
		"Looks at the processes that hold keys (as keytraild knows, as --pid says, as --sweep\n"
		"finds): would they leave a core, with the key in it, where, and who could read it? At\n"
		"this host: where cores, swapped pages, kernel dumps and crash reports go. And at\n"
		"keytrail: what it does not see here. Each finding has what was seen, why it matters,\n"
		"and one command or setting that mends it. Changes nothing.\n"
		"\n"
		"Exits 0 if there is no finding of severity medium (--fail-on) or above, 1 if there\n"
		"is, 2 if there is none and something of that severity could not be looked at.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.defaults = defaults,
	.run = run,
};
