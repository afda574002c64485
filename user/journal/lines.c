// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a file in fixed memory. */
#include "journal/lines.h"

#include <string.h>

void lines_init(struct lines *lines, int fd)
{
	lines->fd = fd;
	lines->offset = lines->number = 0;
	lines->at = lines->len = 0;
	lines->end = false;
}

/* More bytes behind those that are there; 0 at the end of the file. */
static int fill(struct lines *lines)
{
	ssize_t n;

	if (lines->at) {
		memmove(lines->buf, lines->buf + lines->at, lines->len - lines->at);
		lines->len -= lines->at;
		lines->at = 0;
	}
	do
		n = read(lines->fd, lines->buf + lines->len, sizeof(lines->buf) - lines->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	lines->len += (size_t)n;
	lines->end = n == 0;
	return 0;
}

int lines_next(struct lines *lines, struct lines_item *out_item)
{
	struct lines_item item = {.offset = lines->offset};
	const char *newline = NULL;
	size_t searched = 0;
	uint64_t dropped = 0;
	int r;

	for (;;) {
		size_t left = lines->len - lines->at;

		if (left > searched)
			newline = memchr(lines->buf + lines->at + searched, '\n', left - searched);
		if (newline || lines->end)
			break;
		searched = left;
		if (left >= LINE_MAX_BYTES) { /* no record: only its end is of interest */
			item.too_long = true;
			dropped += left;
			lines->at = lines->len;
			searched = 0;
		}
		r = fill(lines);
		if (r < 0)
			return r;
	}
	item.p = lines->buf + lines->at;
	item.len = newline ? (size_t)(newline - item.p) : lines->len - lines->at;
	item.torn = !newline;
	if (item.torn && !item.len && !dropped)
		return 0;
	item.bytes = dropped + item.len + !item.torn;
	item.too_long |= item.len >= LINE_MAX_BYTES;
	lines->at += item.len + !item.torn;
	lines->offset += item.bytes;
	lines->number++;
	*out_item = item;
	return 1;
}
