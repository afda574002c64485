// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Old segments are removed, whole, oldest first, and the log says so before it is done: with the
 * hash of the last record that goes, so that what is left can still be proved.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "journal/journal-internal.h"
#include "journal/lines.h"

#define DAY_NS 86400000000000ULL

static uint64_t total(const struct journal *j)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < j->segments.nr; i++)
		bytes += j->segments.items[i].bytes;
	return bytes;
}

/*
 * How many go. By size: what is over the bound when the newest has its full size. By age: one at a
 * time, since a clock that was set wrong for a moment must not empty the log.
 */
static size_t victims(const struct journal *j, uint64_t now, const char **out_why)
{
	uint64_t bytes = total(j) - j->segments.items[j->segments.nr - 1].bytes + j->segment_bytes;
	const struct segment *oldest = &j->segments.items[0];
	size_t nr = 0;

	*out_why = "max_size_mib";
	while (j->max_bytes && nr + 1 < j->segments.nr && bytes > j->max_bytes)
		bytes -= j->segments.items[nr++].bytes;
	if (!nr && j->keep_days && j->segments.nr > 1 &&
	    oldest->changed_ns + j->keep_days * DAY_NS < now) {
		*out_why = "keep_days";
		nr = 1;
	}
	return nr;
}

/* The record before the first one of segment i, by that one. */
static int last_before(struct journal *j, size_t i, uint64_t *out_seq, uint8_t out_hash[LINE_HASH])
{
	_cleanup_free_ struct lines *lines = malloc(sizeof(*lines));
	_cleanup_close_ int fd = -1;
	char name[SEGMENT_NAME_MAX];
	struct lines_item item;
	struct line line;
	int r;

	segment_name(j->segments.items[i].first, name);
	fd = openat(j->dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !lines)
		return fd < 0 ? -errno : -ENOMEM;
	lines_init(lines, fd);
	r = lines_next(lines, &item);
	if (r > 0)
		r = line_parse(j->hasher, item.p, item.len, &line);
	else if (!r)
		r = -ENODATA;
	if (r < 0)
		return r;
	*out_seq = line.seq - 1;
	memcpy(out_hash, line.prev, LINE_HASH);
	return 0;
}

/* What cannot be removed is still there: it counts, is a fault, and is tried again the next time.
 */
static void remove_told(struct journal *j)
{
	char name[SEGMENT_NAME_MAX];
	size_t gone = 0;
	int r = 0;

	while (!r && gone < j->told_gone) {
		segment_name(j->segments.items[gone].first, name);
		if (unlinkat(j->dirfd, name, 0) < 0 && errno != ENOENT)
			r = -errno;
		else
			gone++;
	}
	fsync(j->dirfd);
	memmove(j->segments.items, j->segments.items + gone,
		(j->segments.nr - gone) * sizeof(*j->segments.items));
	j->segments.nr -= gone;
	j->told_gone -= gone;
	journal_fail(j, FAULT_REMOVE, r);
}

/* Times of change as the files have them now: of ours they were not kept. */
static void refresh(struct journal *j)
{
	for (size_t i = 0; i + 1 < j->segments.nr; i++) {
		struct segment *s = &j->segments.items[i];
		char name[SEGMENT_NAME_MAX];
		struct stat st;

		segment_name(s->first, name);
		if (!s->changed_ns && fstatat(j->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			s->changed_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 +
					(uint64_t)st.st_mtim.tv_nsec;
	}
}

void journal_retain(struct journal *j, uint64_t now)
{
	uint8_t hash[LINE_HASH];
	const char *why;
	uint64_t last = 0;
	size_t nr;

	if (!j->opened || j->segments.nr < 2 || j->fd < 0)
		return;
	if (j->told_gone)
		remove_told(j);
	if (j->told_gone)
		return; /* or the log would tell the same again, for each file that it begins */
	refresh(j);
	nr = victims(j, now, &why);
	if (!nr || last_before(j, nr, &last, hash) < 0)
		return;
	body_init(&j->body);
	body_number(&j->body, "last", last); /* first: verify.c finds them there */
	body_hash(&j->body, "last_hash", hash);
	body_number(&j->body, "first", j->segments.items[0].first);
	body_number(&j->body, "segments", nr);
	body_text(&j->body, "why", why);
	/* Nothing goes before the log has it on the disk that it went. */
	if (journal_seal(j, JOURNAL_DROPPED, &j->body, now) < 0 || journal_write_out(j, now) < 0 ||
	    j->io.sync(j->fd) < 0)
		return;
	j->told_gone = nr;
	remove_told(j);
}
