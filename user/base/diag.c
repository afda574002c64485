// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of messages about a person's input: kept, counted, printed.
 */
#include "base/diag.h"

#include <stdarg.h>
#include <string.h>

#include "base/escape.h"

static const char *level_str(enum diag_level level)
{
	return level == DIAG_WARNING ? "warning" : "error";
}

/* Escaped copy of any bytes; NULL if out of memory. */
static char *escaped(const char *in, size_t len)
{
	size_t size = len * 4 + 1; /* the longest escape of one byte is \xHH */
	char *out = malloc(size);

	if (out)
		escape_bytes(in, len, out, size, NULL);
	return out;
}

void diag_list_fini(struct diag_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		free(list->items[i].file);
		free(list->items[i].text);
	}
	free(list->items);
	*list = (struct diag_list){0};
}

static int reserve(struct diag_list *list)
{
	/* Grows at powers of two, so that no capacity need be kept. */
	if (list->nr && (list->nr & (list->nr - 1)))
		return 0;
	struct diag *items = realloc(list->items, (list->nr ? list->nr * 2 : 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	return 0;
}

void diag_add(struct diag_list *list, enum diag_level level, const char *file, unsigned line,
	      unsigned column, const char *fmt, ...)
{
	_cleanup_free_ char *raw = NULL, *name = NULL, *text = NULL;
	va_list ap;
	int len;

	if (level == DIAG_WARNING)
		list->warnings++;
	else
		list->errors++;
	if (list->nr >= DIAG_MAX)
		return;

	va_start(ap, fmt);
	len = vasprintf(&raw, fmt, ap);
	va_end(ap);
	if (len < 0) {
		raw = NULL;
		return;
	}
	name = strdup(file ? file : "-");
	text = escaped(raw, (size_t)len);
	if (!name || !text || reserve(list) < 0)
		return;
	list->items[list->nr++] = (struct diag){
		.level = level,
		.file = take_ptr(name),
		.line = line,
		.column = column,
		.text = take_ptr(text),
	};
}

char *diag_line(const struct diag *diag)
{
	_cleanup_free_ char *name = escaped(diag->file, strlen(diag->file));
	char place[32] = "", *line;

	if (diag->line && diag->column)
		snprintf(place, sizeof(place), ":%u:%u", diag->line, diag->column);
	else if (diag->line)
		snprintf(place, sizeof(place), ":%u", diag->line);
	if (!name ||
	    asprintf(&line, "%s%s: %s: %s", name, place, level_str(diag->level), diag->text) < 0)
		return NULL;
	return line;
}

void diag_print(const struct diag_list *list, FILE *f)
{
	for (size_t i = 0; i < list->nr; i++) {
		_cleanup_free_ char *line = diag_line(&list->items[i]);

		fprintf(f, "%s\n", line ? line : "out of memory");
	}
}
