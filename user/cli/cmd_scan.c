// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail scan`: is key material in these files, and whose key is it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/scan_inputs.h"
#include "cli/scan_json.h"
#include "cli/scan_known.h"
#include "cli/scan_progress.h"
#include "cli/scan_redact.h"
#include "cli/scan_view.h"
#include "scan/scanner.h"
#include "scanq/tally.h"

#define SCAN_FOUND     1
#define SCAN_COULD_NOT 2

struct options {
	bool json;
	bool all;
	bool quiet;
	bool digests;
	const char *sarif;
	const char *redact;
	uint64_t jobs;
	struct cli_list needles;
	const char *tokens;
};

/* What the runs over all arguments share. */
struct run {
	const struct options *options;
	struct scan_options scan;
	struct scan_known known; /* what `scan` points to */
	struct term term;
	struct scan_progress progress;
	struct sarif sarif;
	bool to_people; /* standard output is for text */
	bool found, failed;
};

/* One input, which may hold several dumps. */
struct job {
	struct run *run;
	const struct scan_target *target;
	struct scan_verdict verdict; /* of the dump that is being scanned */
	bool open;
	struct scan_tally tally; /* digests only */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* verdict: NULL if nothing of it was scanned; error: NULL if all was. */
static int tell(struct run *run, const struct scan_target *target,
		const struct scan_verdict *verdict, const char *error)
{
	scan_progress_clear(&run->progress);
	if (run->sarif.log)
		sarif_add(&run->sarif, target->path, verdict, error, run->options->all);
	if (run->options->json) {
		json_auto_t *object = scan_json(target->name, verdict, error);

		if (!object)
			return -ENOMEM;
		json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		putchar('\n');
	} else if (run->to_people && verdict) {
		scan_view(&run->term, target->name, verdict, run->options->all);
	}
	fflush(stdout); /* scanners are forks */
	return 0;
}

/* The dump is through; error: as tell(). */
static int finish_dump(struct job *job, const char *error)
{
	enum scan_outcome outcome;
	int err;

	if (!job->open)
		return 0;
	job->open = false;
	scan_known_names(&job->run->known, &job->verdict);
	scan_verdict_sort(&job->verdict);
	outcome = scan_verdict_outcome(&job->verdict);
	job->run->found |= outcome == OUTCOME_FOUND;
	job->run->failed |= outcome == OUTCOME_PARTIAL;
	err = tell(job->run, job->target, &job->verdict, error);
	scan_verdict_fini(&job->verdict);
	return err;
}

static int on_about(void *userdata, const struct scan_about *about)
{
	struct job *job = userdata;
	int err = finish_dump(job, NULL);

	scan_verdict_init(&job->verdict, about);
	job->open = true;
	return err;
}

static int on_finding(void *userdata, const struct finding *finding)
{
	struct job *job = userdata;

	return scan_verdict_add(&job->verdict, finding);
}

static void on_progress(void *userdata, uint64_t done, uint64_t total)
{
	struct job *job = userdata;

	scan_progress_show(&job->run->progress, done, total, now_ns());
}

static int on_digest(void *userdata, const struct scan_digest *digest)
{
	return scan_tally_digest(&((struct job *)userdata)->tally, digest);
}

/* As sha256sum shows them; what was unpacked is indented. */
static void show_digests(const struct scan_target *target, const struct digests *digests)
{
	if (!digests->file[0])
		printf("%s: no digest: it was changed while it was read, or not all of it could be "
		       "read\n",
		       target->name);
	else
		printf("%s  %s\n", digests->file, target->name);
	for (uint32_t i = 0; i < digests->nr_content; i++)
		printf("%s  (what is in it)\n", digests->content[i]);
}

static int tell_digests(struct job *job, const struct scanner_stamp *before)
{
	const struct scan_target *target = job->target;
	struct event_scan told = {.size = 0};
	char flags[SCAN_TALLY_FLAGS];
	struct scanner_stamp after;
	struct digests digests;
	json_auto_t *object = NULL, *contents = json_array();

	scan_tally_touched(&job->tally, scanner_stamp(target->fd, &after) < 0
						? SCAN_TOUCHED | SCAN_CHANGED
						: scanner_stamp_compare(before, &after));
	scan_tally_end(&job->tally, 0, flags, &told);
	digests_parse(told.sha256, told.content_sha256, &digests);
	if (job->run->to_people)
		show_digests(target, &digests);
	for (uint32_t i = 0; i < digests.nr_content; i++)
		json_array_append_new(contents, json_string(digests.content[i]));
	if (!job->run->options->json) {
		json_decref(contents);
		return 0;
	}
	object = json_pack("{s:s, s:s, s:s, s:o}", "schema", "keytrail-digests/1", "file",
			   target->name, "sha256", digests.file, "content_sha256", contents);
	if (!object)
		return -ENOMEM;
	json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	fflush(stdout);
	return 0;
}

static int scan_target(void *userdata, const struct scan_target *target)
{
	static const struct scanner_events events = {on_about, on_finding, on_progress, on_digest};
	struct scanner_stamp before = {0};
	struct run *run = userdata;
	struct job job = {.run = run, .target = target};
	struct scanner_input input = {
		.fd = target->fd,
		.maps_fd = target->maps_fd,
		.pid = target->pid,
		.options = run->scan,
	};
	int err = target->error;
	const char *why;

	scan_progress_start(&run->progress, target->name, now_ns());
	if (!err)
		err = scanner_stamp(target->fd, &before);
	if (!err)
		err = scanner_run(&input, &events, &job);
	if (!err) {
		err = finish_dump(&job, NULL);
		return !err && run->options->digests && target->maps_fd < 0
			       ? tell_digests(&job, &before)
			       : err;
	}
	why = target->error ? strerror(-err) : scanner_strerror(err);
	run->failed = true;
	scan_progress_clear(&run->progress);
	fprintf(stderr, "keytrail: %s: %s\n", target->name, why);
	if (job.open) /* with what was found before */
		return finish_dump(&job, why);
	return tell(run, target, NULL, why);
}

/* What is found is told as without --redact; then the copy is made. */
static int redact_target(void *userdata, const struct scan_target *target)
{
	struct run *run = userdata;
	struct redaction redaction;
	int err = scan_target(run, target);

	if (err < 0 || target->error)
		return err;
	err = target->maps_fd >= 0
		      ? -ENOTSUP
		      : scan_redact(target->fd, &run->scan, run->options->redact, &redaction);
	if (err < 0) {
		run->failed = true;
		fprintf(stderr, "keytrail: %s: not redacted: %s\n", target->name,
			scan_redact_strerror(err));
		for (unsigned i = 0; err == -EOVERFLOW && i < UNTRIED_NR; i++)
			if (redaction.untried[i])
				fprintf(stderr, "keytrail: %s: %" PRIu64 " %s\n", target->name,
					redaction.untried[i], untried_sentence(i));
		return 0;
	}
	fprintf(stderr,
		"keytrail: %s: redacted into %s: %" PRIu64 " bytes at %" PRIu64
		" places overwritten; a scan of the copy finds no key\n",
		target->name, run->options->redact, redaction.bytes, redaction.ranges);
	return 0;
}

static int write_sarif(struct run *run)
{
	_cleanup_fclose_ FILE *file = NULL;
	FILE *f = stdout;

	if (strcmp(run->options->sarif, "-")) {
		f = file = fopen(run->options->sarif, "we");
		if (!file)
			return -errno;
	}
	return sarif_write(&run->sarif, f);
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	bool sarif_out = options->sarif && !strcmp(options->sarif, "-");
	struct run run = {
		.options = options,
		.scan = {.workers = (unsigned)options->jobs, .digests = options->digests},
		.to_people = !options->json && !sarif_out,
	};
	int err;

	if (options->json && sarif_out) {
		fprintf(stderr, "keytrail scan: --json and --sarif=- both want standard output\n");
		return CLI_USAGE;
	}
	if (options->redact && argc != 1) {
		fprintf(stderr, "keytrail scan: --redact takes one dump\n");
		return CLI_USAGE;
	}
	err = scan_known_load(&options->needles, options->tokens, &run.known, &run.scan);
	if (err < 0)
		return SCAN_COULD_NOT;
	term_init(&run.term, stdout);
	scan_progress_init(&run.progress);
	run.progress.shown &= !options->quiet;
	if (options->sarif)
		err = sarif_init(&run.sarif);
	for (int i = 0; i < argc && !err; i++)
		err = scan_inputs(argv[i], options->redact ? redact_target : scan_target, &run);
	if (!err && options->sarif)
		err = write_sarif(&run);
	if (run.sarif.log)
		sarif_fini(&run.sarif);
	scan_known_fini(&run.known);
	if (err < 0)
		fprintf(stderr, "keytrail scan: %s\n", strerror(-err));
	/* A file that was not looked at is not clean. */
	return run.failed || err < 0 ? SCAN_COULD_NOT : run.found ? SCAN_FOUND : 0;
}

static const struct cli_option options_table[] = {
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "Print one JSON object for each dump"),
	CLI_OPTION("sarif", 's', CLI_STRING, struct options, sarif, "FILE",
		   "Write a SARIF 2.1.0 log for code scanning there (- is standard output)"),
	CLI_OPTION("redact", 'r', CLI_STRING, struct options, redact, "FILE",
		   "Make a copy of the dump there, without the keys, and scan it as a proof"),
	CLI_OPTION("jobs", 'J', CLI_UINT, struct options, jobs, "NUMBER",
		   "Scan by so many threads (default: one for each processor)"),
	CLI_OPTION("all", 'a', CLI_FLAG, struct options, all, NULL,
		   "Show the keys of random generators and of self tests, too"),
	CLI_OPTION("quiet", 'q', CLI_FLAG, struct options, quiet, NULL,
		   "Show no progress on the terminal"),
	CLI_OPTION(
		"digests", 'd', CLI_FLAG, struct options, digests, NULL,
		"Tell the SHA-256 of each file and of what was unpacked from it (by one thread)"),
	CLI_OPTION("needles", 'n', CLI_LIST, struct options, needles, "FILE",
		   "Look for the keys of this needle file; may be given again"),
	CLI_OPTION("tokens", 't', CLI_STRING, struct options, tokens, "FILE",
		   "Rules for tokens instead of the installed ones (docs/tokens.md)"),
};

const struct cli_command cmd_scan = {
	.name = "scan",
	.args = "FILE...",
	.min_args = 1,
	.max_args = 1024,
	.summary = "Look for private keys in core dumps, other files, and processes",
	.about =
		"Says which private keys and tokens stand in dumps, where, and whose they are: kind, size,\n"
		"public fingerprint as ssh-keygen and openssl print it, and evidence (proven by\n"
		"arithmetic, likely by form, encrypted); never key bytes. A directory means all\n"
		"files below it, a number the process with this id, - standard input. The bytes\n"
		"are read in a sandboxed process.\n"
		"\n"
		"Exits 0 if nothing was found, 1 if something was, 2 if something could not be\n"
		"scanned, or not all of it.",
	.options = options_table,
	.nr_options = ARRAY_SIZE(options_table),
	.options_size = sizeof(struct options),
	.run = run,
};
