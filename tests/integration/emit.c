// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends alerts through the real syslog sink, for tests against a real reader.
 *
 *	emit OWN-SOCKET FALLBACK-SOCKET SPOOL
 *
 * Reads commands from standard input, one per line, and answers each with a line on standard
 *output: hostile        one alert for each name that somebody would try; answers "sent N" random
 *SEED N  N alerts of random bytes big            one alert whose line must be shortened to the
 *limit drain          flushes until nothing is queued, at most 30 s: "drained" or "stuck STATE"
 * Before the answer stands, for each alert, a JSON object with what a reader must find.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "sinks/syslog.h"
#include "unit/alert_sample.h"

static const struct {
	const char *p;
	size_t len;
} hostile[] = {
#define ROW(s)                   \
	{                        \
		s, sizeof(s) - 1 \
	}
	ROW("/home/ann/.ssh/id_ed25519"),
	ROW("/tmp/a\n<83>1 2025-01-09T12:34:56.123456+00:00 web1 keytraild 1 key-read [k id=\"f\"] forged"),
	ROW("/tmp/a\nJan  9 12:34:56 web1 sshd[1]: Accepted publickey for root from 1.2.3.4"),
	ROW("/tmp/\"] [evil@1 id=\"forged"),
	ROW("/tmp/x\" severity=\"info"),
	ROW("/tmp/x [keytrail@32473 id=\"f\" severity=\"info\"]"),
	ROW("/tmp/]"),
	ROW("/tmp/[]\"\\"),
	ROW("/tmp/\\"),
	ROW("/tmp/\\\\\"\\]"),
	ROW("/tmp/\\x0a"),
	ROW("/tmp/\xff\xfe\xc0\x80\xed\xa0\x80"),
	ROW("/tmp/\xe2\x80\xae"
	    "gpj.exe"),
	ROW("/tmp/\xc2\x85\xe2\x80\xa8next"),
	ROW("/tmp/\x1b[2J\x7f\r\t#012"),
	ROW("/tmp/\xf0\x9f\x94\x91 k\xc3\xa4se"),
	ROW("/tmp/%s%n$!all-json $(id) `id`"),
	ROW("/tmp/ leading and trailing "),
#undef ROW
};

static struct sink *sink;
static unsigned nr;

static int send_name(const char *p, size_t len)
{
	_cleanup_free_ char *escaped = malloc(4 * len + 1), *text = NULL, *json = NULL;
	struct alert_sample s;
	json_auto_t *expected = NULL;

	if (!escaped)
		return -ENOMEM;
	escape_bytes(p, len, escaped, 4 * len + 1, NULL);
	if (asprintf(&text, "cat opened %s", escaped) < 0)
		return -ENOMEM;
	alert_sample_init(&s);
	snprintf(s.alert.id, sizeof(s.alert.id), "%032x", nr++);
	s.alert.path = escaped;
	s.alert.text = text;
	s.processes[0].args = escaped;
	s.processes[1].exe = escaped;
	expected = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", s.alert.id, "path", escaped,
			     "args", escaped, "p1_exe", escaped, "text", text, "severity", "high");
	json = json_dumps(expected, JSON_COMPACT);
	if (!json)
		return -ENOMEM;
	puts(json);
	return sink->ops->write(sink, &s.alert);
}

static void send_random(unsigned seed, unsigned count)
{
	static const char special[] =
		"\\\\]]\"\"[= x0a\n\r\t\xc3\xa4\xf0\x9f\x94\x91\xe2\x80\xa8\xff";

	srandom(seed);
	for (unsigned i = 0; i < count; i++) {
		char name[300];
		size_t len = random() % sizeof(name) + 1;

		for (size_t k = 0; k < len; k++)
			name[k] = random() % 2 ? special[random() % (sizeof(special) - 1)]
					       : (char)(random() % 255 + 1);
		name[0] = '/'; /* the reader trims a leading space of the sentence */
		send_name(name, len);
	}
}

/* Paths and arguments that need every byte of the limit. */
static void send_big(void)
{
	struct alert_sample s;
	char path[4096], args[4096];

	memset(path, 'p', sizeof(path) - 1);
	memset(args, '"', sizeof(args) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = args[sizeof(args) - 1] = '\0';
	alert_sample_init(&s);
	snprintf(s.alert.id, sizeof(s.alert.id), "%032x", nr++);
	s.alert.path = path;
	s.alert.via = path;
	s.processes[0].args = args;
	printf("{\"id\":\"%s\",\"truncated\":\"1\",\"severity\":\"high\"}\n", s.alert.id);
	sink->ops->write(sink, &s.alert);
}

static void drain(void)
{
	struct sink_stats stats;

	for (int i = 0; i < 300; i++) {
		struct timespec tick = {0, 100000000};

		sink->ops->flush(sink);
		sink->ops->stats(sink, &stats);
		if (stats.queued + stats.spooled == 0) {
			puts("drained");
			return;
		}
		nanosleep(&tick, NULL);
	}
	printf("stuck: %s\n", stats.state);
}

int main(int argc, char **argv)
{
	struct syslog_options options = {.sd_id = "keytrail@32473", .pid = 815};
	unsigned seed, count;
	char line[128];

	if (argc != 4)
		return 2;
	options.socket = argv[1];
	options.fallback = argv[2];
	options.spool_path = argv[3];
	if (syslog_sink_new(&options, &sink) < 0)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "hostile\n")) {
			for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
				send_name(hostile[i].p, hostile[i].len);
		} else if (sscanf(line, "random %u %u", &seed, &count) == 2) {
			send_random(seed, count);
		} else if (!strcmp(line, "big\n")) {
			send_big();
		} else if (!strcmp(line, "drain\n")) {
			drain();
			continue;
		} else {
			return 2;
		}
		printf("sent %u\n", nr);
	}
	sink->ops->free(sink);
	return 0;
}
