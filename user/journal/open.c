// SPDX-License-Identifier: GPL-2.0-or-later
/* How an evidence log is taken up again: from nothing, from a clean end, from a torn one, from what
 * somebody has damaged or moved away. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "journal/journal-internal.h"

static int new_id(char out_id[JOURNAL_ID_LEN + 1])
{
	uint8_t bytes[LINE_HASH] = {};
	char hex[LINE_HEX + 1];

	if (getrandom(bytes, JOURNAL_ID_LEN / 2, 0) != JOURNAL_ID_LEN / 2)
		return -EIO;
	line_hex(bytes, hex);
	memcpy(out_id, hex, JOURNAL_ID_LEN);
	out_id[JOURNAL_ID_LEN] = '\0';
	return 0;
}

static int open_segment(int dirfd, uint64_t first, int flags, int *out_fd)
{
	_cleanup_close_ int fd = -1;
	char name[SEGMENT_NAME_MAX];
	struct stat st;

	segment_name(first, name);
	/* O_NONBLOCK: a FIFO put there must not stop the daemon. */
	fd = openat(dirfd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*out_fd = take_fd(fd);
	return 0;
}

/* Does `to` hold, from `at` on, what stands in `from` behind `offset`, or the beginning of it? */
static bool is_begun(int to, off_t at, int from, uint64_t offset)
{
	char has[4096], should[sizeof(has)];

	for (;;) {
		ssize_t n = pread(to, has, sizeof(has), at);

		if (n <= 0)
			return n == 0;
		if (pread(from, should, (size_t)n, (off_t)offset) != n ||
		    memcmp(has, should, (size_t)n) != 0)
			return false;
		at += n;
		offset += (uint64_t)n;
	}
}

static int copy(int to, int from, uint64_t offset)
{
	char buf[16384];

	for (;;) {
		ssize_t n = pread(from, buf, sizeof(buf), (off_t)offset);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		errno = 0;
		if (write(to, buf, (size_t)n) != n)
			return errno ? -errno : -ENOSPC;
		offset += (uint64_t)n;
	}
}

/*
 * Copies what stands in `from` behind `offset`, `len` bytes, into the file `name`, and has it on
 * the disk. What is there was begun by a start that was stopped, and is made anew; or it ends in
 * these bytes, and is whole; or it is another end (of a record that told of it and was torn
 * itself), and this one goes behind it. After a failure it is as it was: that is tried again each
 * second.
 */
static int copy_aside(int dirfd, int from, uint64_t offset, uint64_t len, const char *name)
{
	_cleanup_close_ int to =
		openat(dirfd, name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	int r = 0;

	if (to < 0 || fstat(to, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < len && is_begun(to, 0, from, offset)) {
		if (ftruncate(to, 0) < 0)
			return -errno;
		st.st_size = 0;
	}
	if ((uint64_t)st.st_size < len || !is_begun(to, st.st_size - (off_t)len, from, offset))
		r = copy(to, from, offset);
	if (r < 0) {
		if (ftruncate(to, st.st_size) < 0)
			return -errno;
		return r;
	}
	return fsync(to) < 0 || fsync(dirfd) < 0 ? -errno : 0;
}

/*
 * A torn end goes into a file of its own, named by the record that will tell of it, before it is
 * cut off: whenever we are stopped on the way, the next start finds either the end or that file.
 */
static int set_aside(struct journal *j, int fd, const struct tail *tail)
{
	char name[SEGMENT_NAME_MAX];
	int r;

	if (!tail->torn)
		return 0;
	segment_torn_name(j->seq + 1, name);
	r = copy_aside(j->dirfd, fd, tail->whole, tail->torn, name);
	if (!r && (ftruncate(fd, (off_t)tail->whole) < 0 || fdatasync(fd) < 0))
		r = -errno;
	return r;
}

/* Says that an end was torn, if there is such a file. */
static int tell_torn(struct journal *j, uint64_t seq, uint64_t now)
{
	char name[SEGMENT_NAME_MAX];
	struct stat st;

	segment_torn_name(seq, name);
	if (fstatat(j->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	body_init(&j->body);
	/* Of the file, in which earlier ends of this segment may stand, too. */
	body_number(&j->body, "bytes", (uint64_t)st.st_size);
	body_text(&j->body, "kept_in", name);
	return journal_seal(j, JOURNAL_RECOVERED, &j->body, now);
}

static void go_on_from(struct journal *j, const struct tail *tail)
{
	j->seq = tail->seq;
	j->last_time = tail->time_ns;
	memcpy(j->hash, tail->hash, sizeof(j->hash));
	if (tail->id[0])
		memcpy(j->id, tail->id, sizeof(j->id));
}

/* The segment before the last one, where that one says nothing. */
static int read_before(struct journal *j, struct tail *out_tail)
{
	_cleanup_close_ int fd = -1;
	int r = open_segment(j->dirfd, j->segments.items[j->segments.nr - 2].first, O_RDONLY, &fd);

	return r < 0 ? r : tail_read(j->hasher, fd, out_tail);
}

/* Goes on behind the last segment. */
static int take_up(struct journal *j, uint64_t now)
{
	const uint64_t first = j->segments.items[j->segments.nr - 1].first;
	_cleanup_close_ int fd = -1;
	char name[SEGMENT_NAME_MAX];
	struct tail tail, before = {};
	uint64_t torn_at;
	int r = open_segment(j->dirfd, first, O_RDWR | O_APPEND, &fd);

	if (!r)
		r = tail_read(j->hasher, fd, &tail);
	if (!r && !tail.seq && j->segments.nr > 1)
		r = read_before(j, &before);
	if (!r)
		r = new_id(j->id);
	if (r < 0)
		return r;
	go_on_from(j, tail.seq ? &tail : &before);
	if (before.id[0])
		memcpy(j->id, before.id, sizeof(j->id));
	segment_name(first, name);
	/* Somebody has named it so: what comes next must stand behind it all the same. */
	if ((tail.damaged_line || tail.cut) && j->seq < first)
		j->seq = first;
	if (tail.damaged_line) {
		/* Not touched: what happened to it is for people to find out. */
		r = journal_begin_segment(j, now);
		return r < 0 ? r
			     : journal_damaged(j, name, tail.damaged_line,
					       "this line is no record, or does not follow the one "
					       "before it",
					       now);
	}
	if (!tail.records && j->seq + 1 < first)
		j->seq = first - 1; /* what stands between is missing, and stays so */
	torn_at = j->seq + 1;
	r = set_aside(j, fd, &tail);
	if (!r && tail.no_newline && write(fd, "\n", 1) != 1)
		r = errno ? -errno : -EIO;
	if (r < 0)
		return r;
	j->segments.items[j->segments.nr - 1].bytes = tail.whole + tail.no_newline;
	if (tail.cut || !tail.records)
		r = journal_begin_segment(j, now);
	if (!tail.cut)
		j->fd = take_fd(fd);
	return r < 0 ? r : tell_torn(j, torn_at, now);
}

int journal_open(struct journal *j, uint64_t now)
{
	int r;

	j->dirfd = fd_close(j->dirfd);
	j->fd = fd_close(j->fd);
	segments_fini(&j->segments);
	buf_consume(&j->wait, j->wait.len);
	j->seq = 0;
	memset(j->hash, 0, sizeof(j->hash));
	r = segments_open(j->dir, true, &j->dirfd);
	if (!r && flock(j->dirfd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (!r)
		r = segments_list(j->dirfd, &j->segments);
	j->told_gone = 0;
	if (!r && j->segments.nr)
		r = take_up(j, now);
	else if (!r)
		r = new_id(j->id);
	if (!r && !j->segments.nr)
		r = journal_begin_segment(j, now);
	journal_fail(j, FAULT_OPEN, r);
	j->opened = r == 0;
	return r;
}

/* Another directory stands at our path. Ours may be anywhere; in an empty one the chain goes on. */
static int move_over(struct journal *j, uint64_t now)
{
	_cleanup_close_ int dirfd = -1;
	struct segments there = {};
	int r = segments_open(j->dir, true, &dirfd);

	if (!r && flock(dirfd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (!r)
		r = segments_list(dirfd, &there);
	if (!r && there.nr)
		r = -EEXIST; /* another log */
	segments_fini(&there);
	if (r < 0)
		return r;
	fd_close(j->dirfd);
	j->dirfd = take_fd(dirfd);
	segments_fini(&j->segments);
	r = journal_begin_segment(j, now);
	return r < 0 ? r
		     : journal_damaged(j, NULL, 0, "the directory with what was before is gone",
				       now);
}

void journal_look(struct journal *j, uint64_t now)
{
	char name[SEGMENT_NAME_MAX];
	struct stat ours, there;

	if (fstat(j->dirfd, &ours) < 0)
		return;
	if (lstat(j->dir, &there) < 0 || there.st_dev != ours.st_dev ||
	    there.st_ino != ours.st_ino) {
		/* What waits is for the file that is open. */
		if (!journal_write_out(j, now))
			journal_fail(j, FAULT_MOVED, move_over(j, now));
		return;
	}
	j->faults[FAULT_MOVED] = 0;
	if (j->fd < 0 || fstat(j->fd, &ours) < 0)
		return;
	segment_name(j->segments.items[j->segments.nr - 1].first, name);
	if (fstatat(j->dirfd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
		return;
	if (journal_write_out(j, now) < 0 || journal_begin_segment(j, now) < 0)
		return;
	journal_damaged(j, name, 0, "the file is gone, or another stands in its place", now);
}
