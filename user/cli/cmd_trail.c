// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail trail`: the way of a key, from the daemon's database or from recorded traces. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/policy_source.h"
#include "engine/replay.h"
#include "trail/claims.h"
#include "trail/join.h"
#include "trail/render.h"
#include "trail/store.h"

#define DB_DEFAULT KT_STATEDIR "/trail.db"

struct options {
	struct cli_list policy, replay, logs;
	const char *db;
	bool json, dot, svg;
	uint64_t limit;
};

DEFINE_CLEANUP(struct trail_store *, trail_store_free)

static void set_defaults(void *p)
{
	struct options *options = p;

	options->limit = TRAIL_VIEW_EDGES;
}

/* --- where from ----------------------------------------------------------------------------------
 */

static int open_db(const char *path, struct trail_store **out_store)
{
	int r = trail_store_open(path, out_store);

	if (r == 0)
		return 0;
	fprintf(stderr, "keytrail trail: %s: %s\n", path,
		r == -ENOENT		? "is not there; keytraild writes it"
		: r == -EBADMSG		? "is no trail, or damaged"
		: r == -EPROTONOSUPPORT ? "was written by a newer keytrail"
					: strerror(-r));
	return r == -EACCES || r == -EPERM ? CLI_NOPERM : CLI_FAILED;
}

/* All traces into one trail, in memory: keys have the same name on each host. */
static int replay(const struct options *options, struct trail_store **out_store)
{
	const struct trail_store_options memory = {.path = ":memory:", .max_edges = UINT32_MAX};
	_cleanup_(trail_store_freep) struct trail_store *store = NULL;
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	struct trail_sink sink;
	int code = policy_source_load("trail", &options->policy, &policy), r;

	if (code)
		return code;
	r = trail_store_new(&memory, &store);
	if (r == 0)
		sink = trail_store_sink(store);
	for (size_t i = 0; i < options->replay.nr && r == 0; i++) {
		const struct replay_options one = {.policy = policy, .trail = &sink};

		r = replay_run(options->replay.items[i], &one, &diags, NULL);
	}
	diag_print(&diags, stderr);
	diag_list_fini(&diags);
	policy_free(policy);
	if (r < 0) {
		fprintf(stderr, "keytrail trail: %s\n", strerror(-r));
		return CLI_FAILED;
	}
	trail_store_flush(store, 0);
	*out_store = take_ptr(store);
	return 0;
}

static bool is_known(void *ctx, const char *host)
{
	return ctx && trail_store_knows_host(ctx, host);
}

/* What logs say of hosts that `store` (NULL: none) does not tell of, into a trail of its own. */
static int read_logs(const struct options *options, struct trail_store *store,
		     struct trail_store **out_store)
{
	const struct trail_store_options memory = {.path = ":memory:", .max_edges = UINT32_MAX};
	_cleanup_(trail_store_freep) struct trail_store *claimed = NULL;
	struct trail_claims_stats stats;
	struct trail_claims *claims;
	struct trail_sink sink;
	int r = trail_store_new(&memory, &claimed);

	if (r < 0) {
		fprintf(stderr, "keytrail trail: %s\n", strerror(-r));
		return CLI_FAILED;
	}
	sink = trail_store_sink(claimed);
	claims = trail_claims_new(&sink, is_known, store);
	for (size_t i = 0; i < options->logs.nr && r == 0; i++) {
		r = claims ? trail_claims_file(claims, options->logs.items[i]) : -ENOMEM;
		if (r < 0)
			fprintf(stderr, "keytrail trail: %s: %s\n", options->logs.items[i],
				strerror(-r));
	}
	if (r == 0) {
		trail_claims_stats(claims, &stats);
		if (!stats.alerts && !stats.skipped)
			fprintf(stderr, "keytrail trail: there is no alert of keytrail in the "
					"logs\n");
		trail_store_flush(claimed, 0);
		*out_store = take_ptr(claimed);
	}
	trail_claims_free(claims);
	return r < 0 ? CLI_FAILED : 0;
}

/* --- shown how -----------------------------------------------------------------------------------
 */

static int spawn_dot(int input, pid_t *out_pid)
{
	char *const argv[] = {(char *)"dot", (char *)"-Tsvg", NULL};
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (!r)
		r = posix_spawnp(out_pid, "dot", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* By Graphviz, from standard input to ours. */
static int render_svg(const struct trail_view *view)
{
	int ends[2], r, status = -1;
	pid_t pid;
	FILE *f;

	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		fprintf(stderr, "keytrail trail: --svg: %s\n", strerror(errno));
		return CLI_FAILED;
	}
	r = spawn_dot(ends[0], &pid);
	fd_close(ends[0]);
	f = r < 0 ? NULL : fdopen(ends[1], "w");
	if (f) {
		signal(SIGPIPE, SIG_IGN); /* that it went away is its exit status */
		trail_render_dot(view, f);
		fclose(f);
	} else {
		fd_close(ends[1]);
	}
	if (r == -ENOENT) {
		fprintf(stderr, "keytrail trail: --svg needs Graphviz's `dot`: `apt-get install "
				"graphviz`, or take --dot and draw it elsewhere\n");
		return CLI_FAILED;
	}
	if (r < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "keytrail trail: --svg: `dot` failed\n");
		return CLI_FAILED;
	}
	return 0;
}

static int show(const struct options *options, const struct trail_view *view)
{
	if (options->svg)
		return render_svg(view);
	if (options->dot) {
		trail_render_dot(view, stdout);
	} else if (options->json) {
		if (trail_render_json(view, stdout) < 0) {
			fprintf(stderr, "keytrail trail: out of memory\n");
			return CLI_FAILED;
		}
	} else {
		trail_render_text(view, stdout);
	}
	return 0;
}

static int run(const void *p, int argc, char **argv)
{
	_cleanup_(trail_store_freep) struct trail_store *store = NULL, *claimed = NULL;
	const struct options *options = p;
	struct trail_view view = {0};
	int code, r;

	if (options->json + options->dot + options->svg > 1) {
		fprintf(stderr, "keytrail trail: one of --json, --dot and --svg\n");
		return CLI_USAGE;
	}
	/* Where only logs are, as on a log server, there is no trail of this host. */
	if (options->replay.nr)
		code = replay(options, &store);
	else if (options->logs.nr && !options->db && access(DB_DEFAULT, F_OK) < 0 &&
		 errno == ENOENT)
		code = 0;
	else
		code = open_db(options->db ? options->db : DB_DEFAULT, &store);
	if (!code && options->logs.nr)
		code = read_logs(options, store, &claimed);
	if (code)
		return code;
	r = trail_join_view(store, claimed, argv[0], options->limit, &view);
	if (r == -EINVAL) {
		fprintf(stderr,
			"keytrail trail: '%s' is no fingerprint (SHA256:...), no path (with a "
			"slash), no process id, no alert id\n",
			argv[0]);
		return CLI_USAGE;
	}
	if (r == -ENOENT)
		fprintf(stderr, "keytrail trail: nothing is known of '%s'\n", argv[0]);
	else if (r < 0)
		fprintf(stderr, "keytrail trail: the trail cannot be read: %s\n",
			r == -EBADMSG ? "it is damaged" : strerror(-r));
	if (r < 0)
		return CLI_FAILED;
	code = show(options, &view);
	trail_view_fini(&view);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "Nodes and edges as one JSON object (docs/trail.md)"),
	CLI_OPTION("dot", 0, CLI_FLAG, struct options, dot, NULL, "For Graphviz"),
	CLI_OPTION("svg", 0, CLI_FLAG, struct options, svg, NULL,
		   "A picture; needs Graphviz (package graphviz)"),
	CLI_OPTION("limit", 'n', CLI_UINT, struct options, limit, "N",
		   "At most so many steps of each key, the latest (2000)"),
	CLI_OPTION("db", 0, CLI_STRING, struct options, db, "FILE",
		   "The trail to read instead of the daemon's, a copy for instance"),
	CLI_OPTION("replay", 'r', CLI_LIST, struct options, replay, "TRACE",
		   "What a recorded trace makes, instead; may be given again"),
	CLI_OPTION("log", 'l', CLI_LIST, struct options, logs, "FILE",
		   "Alerts of other hosts in a central log, too (- is standard input); again"),
	CLI_OPTION("policy", 'p', CLI_LIST, struct options, policy, "FILE",
		   "With --replay: policy instead of the installed one; may be given again"),
};

const struct cli_command cmd_trail = {
	.name = "trail",
	.args = "KEY|FILE|PID|ALERT",
	.min_args = 1,
	.max_args = 1,
	.summary =
		"Show where a key has gone: who read it, into which dumps it went, who read those",
	.about =
		"Shows the trail of a key as a tree: each line says when, how it is known "
		"(observed, confirmed\n"
		"by a scan, inferred by the rule that is named), and what happened, the way the "
		"key's bytes went.\n"
		"KEY is a fingerprint (SHA256:...), FILE a key file or a dump by its path, PID a "
		"process that had\n"
		"keys, ALERT-ID the first eight digits of an alert's id or more. Reads the trail's "
		"database by\n"
		"itself, so it works when the daemon is stopped, and needs root for it.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.defaults = set_defaults,
	.run = run,
};
