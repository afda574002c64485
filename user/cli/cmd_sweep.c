// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail sweep`: which living process holds which key, and would it be in its core. */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/doctor_view.h"
#include "cli/sweep.h"
#include "doctor/check.h"
#include "scan/scanner.h"

#define SWEEP_FOUND	1
#define SWEEP_COULD_NOT 2

struct options {
	bool json, quiet;
	uint64_t jobs, max_seconds;
	struct cli_list needles;
};

struct run {
	const struct options *options;
	struct term term;
	bool named; /* the processes were: each that is not looked at is told */
};

static int put_json(const struct process_facts *facts)
{
	json_auto_t *json = process_json(facts);

	if (!json || json_object_set_new(json, "schema", json_string(SWEEP_SCHEMA)) < 0)
		return -ENOMEM;
	json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	return 0;
}

static int each(void *userdata, uint32_t pid, struct process_facts *facts, int error)
{
	struct run *run = userdata;
	int err = 0;

	if (!facts) {
		if (run->named || (error != -ESRCH && error != -EACCES))
			fprintf(stderr, "keytrail sweep: process %u: %s\n", pid,
				scanner_strerror(error));
		return 0;
	}
	if (facts->nr_keys && run->options->json)
		err = put_json(facts);
	else if (facts->nr_keys)
		doctor_view_process(&run->term, facts);
	process_facts_fini(facts);
	fflush(stdout); /* scanners are forks */
	return err;
}

static void sum_up(const struct run *run, const struct sweep_counts *c)
{
	if (run->options->json) {
		json_auto_t *json =
			json_pack("{s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}", "schema",
				  SWEEP_SCHEMA, "summary", "looked_at", (json_int_t)c->looked_at,
				  "holders", (json_int_t)c->holders, "partly",
				  (json_int_t)c->partly, "gone", (json_int_t)c->gone, "denied",
				  (json_int_t)c->denied, "failed", (json_int_t)c->failed,
				  "kernel_threads", (json_int_t)c->kernel_threads);

		json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		putchar('\n');
		return;
	}
	term_putf(&run->term, STYLE_BOLD, "%zu process%s looked at, %zu with keys", c->looked_at,
		  c->looked_at == 1 ? "" : "es", c->holders);
	if (c->partly)
		term_putf(&run->term, STYLE_WARN, "; %zu not all of it", c->partly);
	if (c->denied)
		term_putf(&run->term, STYLE_WARN, "; %zu may not be looked at%s", c->denied,
			  geteuid() ? " (root can)" : "");
	if (c->failed)
		term_putf(&run->term, STYLE_WARN, "; %zu could not be looked at", c->failed);
	if (c->gone)
		term_putf(&run->term, STYLE_PLAIN, "; %zu ended meanwhile", c->gone);
	putchar('\n');
}

static int list(const struct root *root, int argc, char **argv, uint32_t **out_pids, size_t *out_nr)
{
	uint32_t *pids;

	if (argc == 0)
		return sweep_list(root, out_pids, out_nr);
	pids = calloc((size_t)argc, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	for (int i = 0; i < argc; i++)
		if (!sweep_pid(argv[i], &pids[i])) {
			fprintf(stderr, "keytrail sweep: no process id: %s\n", argv[i]);
			free(pids);
			return -EINVAL;
		}
	*out_pids = pids;
	*out_nr = (size_t)argc;
	return 0;
}

static int search(const struct options *options, const struct root *root, int argc, char **argv)
{
	struct run run = {.options = options, .named = argc > 0};
	struct sweep_config config = {
		.root = root,
		.only_known = options->needles.nr > 0,
		.progress = !options->quiet,
		.cpu_seconds = options->max_seconds,
	};
	_cleanup_free_ uint32_t *pids = NULL;
	struct sweep_counts counts;
	struct scan_known known;
	size_t nr = 0;
	int err = list(root, argc, argv, &pids, &nr);

	if (err == -EINVAL)
		return CLI_USAGE;
	if (err == 0)
		err = scan_known_load(&options->needles, NULL, &known, &config.scan);
	if (err < 0) {
		fprintf(stderr, "keytrail sweep: %s\n", strerror(-err));
		return SWEEP_COULD_NOT;
	}
	config.known = &known;
	config.scan.workers = (unsigned)options->jobs;
	config.scan.tokens = NULL; /* keys are what this is about */
	term_init(&run.term, stdout);
	err = sweep(&config, pids, nr, each, &run, &counts);
	if (err < 0)
		fprintf(stderr, "keytrail sweep: %s\n", strerror(-err));
	sum_up(&run, &counts);
	scan_known_fini(&known);
	if (err < 0 || counts.denied || counts.failed || counts.partly ||
	    (run.named && counts.gone))
		return SWEEP_COULD_NOT;
	return counts.holders ? SWEEP_FOUND : 0;
}

static int run(const void *p, int argc, char **argv)
{
	struct root root;
	int err = root_open("/", &root), code;

	if (err < 0) {
		fprintf(stderr, "keytrail sweep: /: %s\n", strerror(-err));
		return SWEEP_COULD_NOT;
	}
	code = search(p, &root, argc, argv);
	root_close(&root);
	return code;
}

static void defaults(void *p)
{
	((struct options *)p)->max_seconds = SWEEP_SECONDS;
}

static const struct cli_option options[] = {
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "One JSON object for each process with keys, then a summary (docs/doctor.md)"),
	CLI_OPTION("needles", 'n', CLI_LIST, struct options, needles, "FILE",
		   "Look for the keys of this needle file only; may be given again"),
	CLI_OPTION("max-seconds", 0, CLI_UINT, struct options, max_seconds, "SECONDS",
		   "Give one process so much processor time at most (600; 0: six hours)"),
	CLI_OPTION("jobs", 'J', CLI_UINT, struct options, jobs, "NUMBER",
		   "Search by so many threads (default: one for each processor)"),
	CLI_OPTION("quiet", 'q', CLI_FLAG, struct options, quiet, NULL,
		   "Show no progress on the terminal"),
};

const struct cli_command cmd_sweep = {
	.name = "sweep",
	.args = "[PID...]",
	.max_args = 1024,
	.summary = "Find out which processes hold which keys in memory",
	.about =
		"Searches the memory of all processes, or of those that are named, for private keys:\n"
		"those of a needle file, or any. Each key with its public fingerprint, the places\n"
		"where it stands, and whether these pages would be in the core of the process\n"
		"(MADV_DONTDUMP, coredump_filter) and are locked. Never key bytes. Each process is\n"
		"searched by a sandboxed child; it goes on meanwhile. Kernel threads and keytrail\n"
		"itself are passed over.\n"
		"\n"
		"Exits 0 if no key was found, 1 if one was, 2 if a process could not be searched,\n"
		"or not all of it.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.defaults = defaults,
	.run = run,
};
