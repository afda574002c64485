// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of an evidence log, chosen. */
#include "journal/select.h"

#include <fcntl.h>
#include <string.h>

#include "journal/lines.h"
#include "journal/segments.h"

struct selection {
	const struct select_options *options;
	struct hasher *hasher;
	struct lines *lines;
	char quoted[160]; /* the key, as it stands in a record */
	FILE *out;
	uint64_t records, bad;
};

static bool is_wanted(const struct selection *s, const struct line *line)
{
	if (s->options->since_ns && line->time_ns < s->options->since_ns)
		return false;
	if (s->options->until_ns && line->time_ns > s->options->until_ns)
		return false;
	/* A text that has quotes in it stands there with backslashes: only a whole value fits. */
	return !s->options->key || (line->body.len && memmem(line->body.p, line->body.len,
							     s->quoted, strlen(s->quoted)));
}

static int select_segment(struct selection *s, int dirfd, uint64_t first)
{
	_cleanup_close_ int fd = -1;
	char name[SEGMENT_NAME_MAX];
	struct lines_item item;
	struct line line;
	int r;

	segment_name(first, name);
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* dropped meanwhile */
	lines_init(s->lines, fd);
	while ((r = lines_next(s->lines, &item)) > 0) {
		if (item.torn)
			break;
		if (item.too_long || line_parse(s->hasher, item.p, item.len, &line) < 0) {
			s->bad++;
			continue;
		}
		if (!is_wanted(s, &line))
			continue;
		if (fwrite(item.p, 1, item.len, s->out) != item.len || fputc('\n', s->out) == EOF)
			return errno ? -errno : -EIO;
		s->records++;
	}
	return r < 0 ? r : 0;
}

int select_records(const char *path, const struct select_options *options, FILE *out,
		   uint64_t *out_records, uint64_t *out_bad)
{
	_cleanup_(hasher_freep) struct hasher *hasher = hasher_new();
	_cleanup_free_ struct lines *lines = malloc(sizeof(*lines));
	struct selection s = {.options = options, .hasher = hasher, .lines = lines, .out = out};
	struct segments segments = {};
	_cleanup_close_ int dirfd = -1;
	int r;

	if (!hasher || !lines)
		return -ENOMEM;
	if (options->key &&
	    snprintf(s.quoted, sizeof(s.quoted), "\"%s\"", options->key) >= (int)sizeof(s.quoted))
		return -ENAMETOOLONG;
	r = segments_open(path, false, &dirfd);
	if (!r)
		r = segments_list(dirfd, &segments);
	if (!r && !segments.nr)
		r = -ENOENT;
	for (size_t i = 0; !r && i < segments.nr; i++)
		r = select_segment(&s, dirfd, segments.items[i].first);
	segments_fini(&segments);
	if (!r && fflush(out))
		r = errno ? -errno : -EIO;
	if (r < 0)
		return r;
	*out_records = s.records;
	*out_bad = s.bad;
	return 0;
}
