// SPDX-License-Identifier: GPL-2.0-or-later
/* How a segment ends. */
#include "journal/recover.h"

#include <inttypes.h>
#include <string.h>

#include "journal/lines.h"

#define ID_KEY "\"journal\":\""

bool tail_id(const struct line *line, char out_id[JOURNAL_ID_LEN + 1])
{
	const size_t key = sizeof(ID_KEY) - 1;

	if (!line_is(line, "segment") || line->body.len < key + JOURNAL_ID_LEN + 1 ||
	    memcmp(line->body.p, ID_KEY, key) || line->body.p[key + JOURNAL_ID_LEN] != '"')
		return false;
	for (size_t i = 0; i < JOURNAL_ID_LEN; i++)
		if (!strchr("0123456789abcdef", line->body.p[key + i]) || !line->body.p[key + i])
			return false;
	memcpy(out_id, line->body.p + key, JOURNAL_ID_LEN);
	out_id[JOURNAL_ID_LEN] = '\0';
	return true;
}

bool tail_is_torn(struct hasher *hasher, const char *p, size_t len, uint64_t seq)
{
	char begin[64];
	struct line line;
	size_t n;

	/* Blocks that the file system had given to the file and not written yet. */
	for (n = len; n > 0 && p[n - 1] == '\0'; n--)
		;
	if (seq)
		snprintf(begin, sizeof(begin), "{\"seq\":%" PRIu64 ",\"time\":\"", seq);
	else
		snprintf(begin, sizeof(begin), "{\"seq\":");
	if (memcmp(p, begin, n < strlen(begin) ? n : strlen(begin)) != 0)
		return false;
	/* A whole record and then something: no crash writes that. */
	return !n || line_parse(hasher, p, n - 1, &line) < 0;
}

int tail_read(struct hasher *hasher, int fd, struct tail *out_tail)
{
	_cleanup_free_ struct lines *lines = malloc(sizeof(*lines));
	struct tail tail = {};
	struct lines_item item;
	int r;

	if (!lines)
		return -ENOMEM;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	lines_init(lines, fd);
	while ((r = lines_next(lines, &item)) > 0) {
		struct line line;
		bool good = !item.too_long && line_parse(hasher, item.p, item.len, &line) == 0;

		if (lines->number == 1 && good)
			tail_id(&line, tail.id);
		if (good && !tail.damaged_line &&
		    (!tail.records || (line.seq == tail.seq + 1 &&
				       !memcmp(line.prev, tail.hash, sizeof(tail.hash))))) {
			tail.records++;
			tail.whole = item.offset + item.bytes;
			tail.no_newline = item.torn;
			tail.cut = line_is(&line, "cut");
		} else if (item.torn && !good && !tail.damaged_line && !item.too_long &&
			   tail_is_torn(hasher, item.p, item.len,
					tail.records ? tail.seq + 1 : 0)) {
			tail.torn = item.bytes;
			continue;
		} else if (!tail.damaged_line) {
			tail.damaged_line = lines->number;
			tail.cut = false;
		}
		if (good && (line.seq > tail.seq || !tail.seq)) {
			tail.seq = line.seq;
			tail.time_ns = line.time_ns;
			memcpy(tail.hash, line.hash, sizeof(tail.hash));
		}
	}
	if (r < 0)
		return r;
	*out_tail = tail;
	return 0;
}
