// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail learn`: rules proposed from what is told or recorded meanwhile, or was before. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/learn.h"
#include "journal/line.h"
#include "journal/select.h"
#include "trust/trust.h"

#define LOG_DEFAULT KT_STATEDIR "/evidence"

struct options {
	const char *duration, *from, *write, *socket, *log;
	uint64_t since;
	bool recorded;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = 1;
}

static enum learn_file sound(void *ctx, const char *path)
{
	if (access(path, F_OK) < 0)
		return LEARN_FILE_MISSING;
	return trust_others_can_write(path) ? LEARN_FILE_OTHERS : LEARN_FILE_SOUND;
}

static int no_memory(void)
{
	fprintf(stderr, "keytrail learn: out of memory\n");
	return CLI_FAILED;
}

/* An alert, or a record of the evidence log. -ENOMEM. */
static int learn_line(struct learn *learn, const char *line, size_t len)
{
	json_auto_t *item = json_loadb(line, len, 0, NULL);

	return json_is_string(json_object_get(item, "kind")) ? learn_record(learn, item)
							     : learn_alert(learn, item);
}

static int learn_file(struct learn *learn, const char *path)
{
	_cleanup_fclose_ FILE *f = !strcmp(path, "-")
					   ? fdopen(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), "r")
					   : fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f) {
		fprintf(stderr, "keytrail learn: %s: %s\n", path, strerror(errno));
		return CLI_FAILED;
	}
	while ((n = getline(&line, &size, f)) > 0) {
		if (learn_line(learn, line, (size_t)n) < 0)
			return no_memory();
	}
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t now_wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Until `until` (now_ms()), an interrupt, or, if that is 0, the end of what is stored. */
static int learn_daemon(struct learn *learn, const struct options *options, uint64_t until)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	json_t *request =
		json_pack("{s:s, s:I, s:b}", "do", "alerts", "limit",
			  options->since ? (json_int_t)INT64_MAX : 0, "follow", (int)(until != 0));
	bool stored = true;
	int r;

	if (request && options->since)
		json_object_set_new(request, "since", json_real((double)options->since / 1e9));
	r = daemon_ask(options->socket, request, &client);
	while (r == 0) {
		json_auto_t *reply = NULL;
		uint64_t now = now_ms();
		const json_t *alert;

		/* Once all that is stored has come, no longer than was asked for. */
		if (!stored) {
			if (interrupted || now >= until)
				return 0;
			r = control_client_wait(client, until - now);
			if (r <= 0)
				continue;
		}
		r = daemon_next(client, &reply);
		if (r)
			break;
		alert = json_object_get(reply, "alert");
		if (alert && learn_alert(learn, alert) < 0)
			return no_memory();
		if (!alert && !until)
			return 0;
		stored &= alert != NULL;
	}
	return r;
}

/* Takes what select_records() writes, line by line. */
struct taker {
	struct learn *learn;
	char line[LINE_MAX_BYTES];
	size_t len;
	bool no_memory;
};

static ssize_t take(void *cookie, const char *p, size_t size)
{
	struct taker *t = cookie;

	for (size_t i = 0; i < size; i++) {
		if (p[i] != '\n' && t->len < sizeof(t->line)) {
			t->line[t->len++] = p[i];
			continue;
		}
		t->no_memory |= learn_line(t->learn, t->line, t->len) < 0;
		t->len = 0;
	}
	return (ssize_t)size;
}

/* Until then, or an interrupt. */
static void wait_until(uint64_t until)
{
	uint64_t now;

	while (!interrupted && (now = now_ms()) < until)
		poll(NULL, 0, until - now < 1000 ? (int)(until - now) : 1000);
}

/* What the evidence log has from `since` on (CLOCK_REALTIME ns). */
static int learn_log(struct learn *learn, const char *path, uint64_t since)
{
	static const cookie_io_functions_t io = {.write = take};
	const struct select_options select = {.since_ns = since};
	_cleanup_free_ struct taker *taker = calloc(1, sizeof(*taker));
	FILE *f = taker ? fopencookie(taker, "w", io) : NULL;
	uint64_t records, bad;
	int r;

	if (!f)
		return no_memory();
	taker->learn = learn;
	r = select_records(path, &select, f, &records, &bad);
	fclose(f);
	if (r < 0) {
		fprintf(stderr, "keytrail learn: %s: %s\n", path,
			r == -ENOENT ? "there is no evidence log" : strerror(-r));
		return CLI_FAILED;
	}
	if (bad)
		fprintf(stderr,
			"keytrail learn: lines of the log are no records: see `keytrail verify`\n");
	return taker->no_memory ? no_memory() : 0;
}

/* A file that is not there yet: what was decided before is nobody's to overwrite. */
static int write_file(const struct learn *learn, const char *path)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	unsigned nr;

	if (!f) {
		fprintf(stderr, "keytrail learn: %s: %s\n", path, strerror(errno));
		return CLI_FAILED;
	}
	fd = -1;
	nr = learn_print(learn, f);
	if (fclose(f)) {
		fprintf(stderr, "keytrail learn: %s: %s\n", path, strerror(errno));
		return CLI_FAILED;
	}
	printf("%u rules were written to %s; `keytrail policy check`, then `keytrail reload`\n", nr,
	       path);
	return 0;
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	const struct sigaction on = {.sa_handler = on_signal};
	const char *wrong = NULL;
	struct learn *learn;
	uint64_t seconds = 0;
	int r = 0;

	if (options->duration)
		wrong = learn_duration(options->duration, &seconds);
	if (wrong) {
		fprintf(stderr, "keytrail learn: --for %s: %s\n", options->duration, wrong);
		return CLI_USAGE;
	}
	if (!options->duration && !options->from && !options->since) {
		fprintf(stderr,
			"keytrail learn: for how long? --for 7d, --since 7d, or --from FILE\n");
		return CLI_USAGE;
	}
	if (options->from && (options->duration || options->since || options->recorded)) {
		fprintf(stderr, "keytrail learn: --from is about a file alone\n");
		return CLI_USAGE;
	}
	learn = learn_new(sound, NULL);
	if (!learn)
		return no_memory();
	sigaction(SIGINT, &on, NULL);
	sigaction(SIGTERM, &on, NULL);
	if (options->from) {
		r = learn_file(learn, options->from);
	} else if (options->recorded) {
		const uint64_t since = options->since ? options->since : now_wall();

		wait_until(now_ms() + seconds * 1000);
		r = learn_log(learn, options->log ? options->log : LOG_DEFAULT, since);
	} else {
		r = learn_daemon(learn, options, seconds ? now_ms() + seconds * 1000 : 0);
	}
	if (r == 0 && options->write)
		r = write_file(learn, options->write);
	else if (r == 0)
		learn_print(learn, stdout);
	learn_free(learn);
	return r;
}

static const struct cli_option options[] = {
	CLI_OPTION("for", 0, CLI_STRING, struct options, duration, "DURATION",
		   "Watch for so long: 90s, 15m, 8h, 7d; an interrupt ends it earlier"),
	CLI_OPTION("since", 's', CLI_TIME, struct options, since, "TIME",
		   "Also what is stored from then on: 2h, 7d, 2025-01-31 14:05"),
	CLI_OPTION("from", 0, CLI_STRING, struct options, from, "FILE",
		   "Alerts or records from a file of JSON lines, - for standard input, instead"),
	CLI_OPTION("recorded", 'r', CLI_FLAG, struct options, recorded, NULL,
		   "Records of the evidence log instead of alerts: also what only was recorded"),
	CLI_OPTION("log", 0, CLI_STRING, struct options, log, "DIR",
		   "With --recorded: this evidence log instead of the installed one"),
	CLI_OPTION("write", 'w', CLI_STRING, struct options, write, "FILE",
		   "Write the proposals into this new file instead of showing them"),
	CLI_OPTION("socket", 0, CLI_STRING, struct options, socket, "PATH",
		   "Control socket of the daemon"),
};

const struct cli_command cmd_learn = {
	.name = "learn",
	.args = "",
	.summary = "Propose rules for what is told again and again",
	.about =
		"Watches alerts about accesses and proposes rules that would let them pass, each with\n"
		"how often it was seen, when, by whom, and a confidence, as a policy file. Nothing is\n"
		"changed: the file is yours to read, and --write puts it where you say. Never\n"
		"proposed, and said why: what was seen on one occasion only, interpreters without a\n"
		"script, programs that others than root can change. With --recorded also what an\n"
		"entry only records, and of what rules let pass the narrowest that would have.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
