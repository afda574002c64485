// SPDX-License-Identifier: GPL-2.0-or-later
/* A scan's progress: bar, rate, time left. */
#include "cli/scan_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/term.h"
#include "scan/about.h"

#define BAR	  24
#define NS_PER_S  1000000000.0
#define FILE_PART 30 /* columns for the file's name */

void scan_progress_init(struct scan_progress *progress)
{
	struct term term;

	term_init(&term, stderr);
	*progress = (struct scan_progress){
		.shown = isatty(STDERR_FILENO) &&
			 strcmp(getenv("TERM") ? getenv("TERM") : "dumb", "dumb") != 0,
		.width = term.width,
	};
}

void scan_progress_start(struct scan_progress *progress, const char *file, uint64_t now_ns)
{
	progress->file = file;
	progress->started_ns = now_ns;
}

/* The end of the name is what tells files apart. */
static const char *tail(const char *file, unsigned columns)
{
	size_t len = strlen(file);
	unsigned all = 0;

	for (size_t i = 0, n; i < len; i += n) {
		enum text_kind kind;

		n = text_unit(file + i, len - i, &kind);
		all += text_columns(file + i, n);
	}
	while (*file && all > columns) {
		enum text_kind kind;
		size_t n = text_unit(file, strlen(file), &kind);

		all -= text_columns(file, n);
		file += n;
	}
	return file;
}

void scan_progress_line(const struct scan_progress *progress, uint64_t done, uint64_t total,
			uint64_t now_ns, char *out, size_t size)
{
	double seconds = (double)(now_ns - progress->started_ns) / NS_PER_S;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	const char *file = tail(progress->file, FILE_PART);
	char bar[BAR + 1], left[32] = "";

	if (total == SCAN_SIZE_UNKNOWN || !total) {
		snprintf(out, size, "%s  %.0f MB, %.0f MB/s", file, (double)done / 1e6, rate / 1e6);
		return;
	}
	if (done > total)
		done = total;
	for (size_t i = 0; i < BAR; i++)
		bar[i] = (double)i * (double)total < (double)done * BAR ? '#' : '.';
	bar[BAR] = 0;
	/* What a second says about the rest is not worth showing. */
	if (seconds >= 1 && rate > 0)
		term_duration((uint64_t)((double)(total - done) / rate + 0.5), left);
	snprintf(out, size, "%s  %s %3.0f%%, %.0f MB/s%s%s%s", file, bar,
		 100.0 * (double)done / (double)total, rate / 1e6, *left ? ", " : "", left,
		 *left ? " left" : "");
}

void scan_progress_show(struct scan_progress *progress, uint64_t done, uint64_t total,
			uint64_t now_ns)
{
	char line[512];

	if (!progress->shown)
		return;
	scan_progress_line(progress, done, total, now_ns, line, sizeof(line));
	if (strlen(line) >= progress->width)
		return; /* a line that wraps cannot be taken back */
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
	progress->drawn = true;
}

void scan_progress_clear(struct scan_progress *progress)
{
	if (!progress->drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress->drawn = false;
}
