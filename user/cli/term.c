// SPDX-License-Identifier: GPL-2.0-or-later
/* Colours, width and wrapping, numbers and times in words. */
#include "cli/term.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/text.h"

#define WIDTH_MIN 40
#define WIDTH_MAX 1000

static const char *const codes[STYLE_NR] = {
	[STYLE_PLAIN] = "",	   [STYLE_BOLD] = "\033[1m",  [STYLE_DIM] = "\033[2m",
	[STYLE_GOOD] = "\033[32m", [STYLE_WARN] = "\033[33m", [STYLE_BAD] = "\033[1;31m",
};

void term_init(struct term *term, FILE *f)
{
	const char *no_color = getenv("NO_COLOR"), *name = getenv("TERM");
	const char *told = getenv("COLUMNS");
	long columns = told ? strtol(told, NULL, 10) : 0; /* 0 for nonsense, too */
	bool tty = isatty(fileno(f));
	struct winsize size;

	term->f = f;
	term->colour = tty && !(no_color && *no_color) && name && strcmp(name, "dumb");
	term->width = 100;
	if (tty && ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_MIN)
		term->width = size.ws_col;
	else if (columns >= WIDTH_MIN && columns <= WIDTH_MAX)
		term->width = (unsigned)columns;
}

static void put_clean(FILE *f, const char *text, size_t len)
{
	while (len > 0) {
		enum text_kind kind;
		size_t n = text_unit(text, len, &kind);

		if (kind == TEXT_RAW && *text != '\\')
			fputc('?', f);
		else
			fwrite(text, 1, n, f);
		text += n;
		len -= n;
	}
}

static void put_styled(const struct term *term, enum style style, const char *text, size_t len)
{
	bool styled = term->colour && style != STYLE_PLAIN;

	if (styled)
		fputs(codes[style], term->f);
	put_clean(term->f, text, len);
	if (styled)
		fputs("\033[0m", term->f);
}

void term_put(const struct term *term, enum style style, const char *text)
{
	put_styled(term, style, text, strlen(text));
}

void term_putf(const struct term *term, enum style style, const char *fmt, ...)
{
	size_t len = strlen(fmt);
	bool newline = len > 0 && fmt[len - 1] == '\n';
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	/* A newline of the format is ours; one in an argument is not, and is shown as `?`. */
	put_styled(term, style, text, (size_t)n - newline);
	if (newline)
		fputc('\n', term->f);
}

void term_wrap(const struct term *term, enum style style, unsigned indent, const char *text)
{
	unsigned column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");
		unsigned columns = text_columns(text, len);

		if (column > 0 && column + 1 + columns > term->width) {
			fputc('\n', term->f);
			column = 0;
		}
		if (column == 0) {
			fprintf(term->f, "%*s", (int)indent, "");
			column = indent;
		} else {
			fputc(' ', term->f);
			column++;
		}
		put_styled(term, style, text, len);
		column += columns;
		text += len;
		text += strspn(text, " ");
	}
	if (column > 0)
		fputc('\n', term->f);
}

void term_duration(uint64_t seconds, char out[32])
{
	uint64_t m = seconds / 60, h = m / 60, d = h / 24;

	if (d > 0)
		snprintf(out, 32, "%" PRIu64 " d %" PRIu64 " h", d, h % 24);
	else if (h > 0)
		snprintf(out, 32, "%" PRIu64 " h %" PRIu64 " min", h, m % 60);
	else if (m > 0)
		snprintf(out, 32, "%" PRIu64 " min", m);
	else
		snprintf(out, 32, "%" PRIu64 " s", seconds);
}

void term_time(double seconds, char out[32])
{
	time_t t = seconds > 0 && seconds < 2e11 ? (time_t)seconds : 0;
	struct tm tm;

	if (!localtime_r(&t, &tm) || strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(out, 32, "?");
}
