// SPDX-License-Identifier: GPL-2.0-or-later
/* A bounded first-in first-out file of records. */
#include "base/spool.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* "1" is the version: another layout gets another magic, and an older file is then cut as damaged.
 */
static const char magic[8] = "KTSPOOL1";

struct spool_header {
	char magic[8];
	uint64_t first; /* offset of the oldest record */
};

struct spool_record {
	uint32_t len;
	uint32_t sum;
};

#define DATA_START sizeof(struct spool_header)
/* Consumed room at the front is used again when it is at least this much, and holds what is left.
 */
#define COMPACT_MIN 65536
#define COPY_CHUNK  16384
#define FNV_START   2166136261u

/* Behind this nothing counts. The sum is that of no bytes, so that zeros of a lost block are none.
 */
static const struct spool_record end_mark = {.len = 0, .sum = FNV_START};

struct spool {
	char *path;
	int fd; /* -1: no file yet */
	uint64_t max, first, end, count;
	char *record; /* of spool_peek() */
	size_t record_len; /* 0: nothing peeked */
	bool longer; /* the file is, than `end`: it could not be cut */
};

static uint32_t checksum(const char *p, size_t len)
{
	uint32_t h = FNV_START;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)p[i]) * 16777619u;
	return h;
}

static int read_full(int fd, void *p, size_t len, uint64_t off)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)p + done, len - done, off + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		done += n;
	}
	return 0;
}

static int write_full(int fd, const void *p, size_t len, uint64_t off)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)p + done, len - done, off + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += n;
	}
	return 0;
}

static int write_header(int fd, uint64_t first)
{
	struct spool_header h = {.first = first};

	memcpy(h.magic, magic, sizeof(h.magic));
	return write_full(fd, &h, sizeof(h), 0);
}

static int write_record(int fd, const char *p, size_t len, uint64_t off)
{
	struct spool_record r = {.len = len, .sum = checksum(p, len)};
	int e = write_full(fd, &r, sizeof(r), off);

	return e < 0 ? e : write_full(fd, p, len, off + sizeof(r));
}

static uint64_t record_size(size_t len)
{
	return sizeof(struct spool_record) + len;
}

/* Reads the record at `off` into `spool->record`. -EBADMSG if it is none. */
static int read_record(struct spool *spool, uint64_t off, size_t *out_len)
{
	struct spool_record r;
	int e;

	if (spool->end - off < sizeof(r))
		return -EBADMSG;
	e = read_full(spool->fd, &r, sizeof(r), off);
	if (e < 0)
		return e == -ENODATA ? -EBADMSG : e;
	if (r.len == 0 || r.len > SPOOL_RECORD_MAX || spool->end - off - sizeof(r) < r.len)
		return -EBADMSG;
	e = read_full(spool->fd, spool->record, r.len, off + sizeof(r));
	if (e < 0)
		return e == -ENODATA ? -EBADMSG : e;
	if (checksum(spool->record, r.len) != r.sum)
		return -EBADMSG;
	*out_len = r.len;
	return 0;
}

static bool is_end(const struct spool *spool, uint64_t off)
{
	struct spool_record r;

	return read_full(spool->fd, &r, sizeof(r), off) == 0 &&
	       memcmp(&r, &end_mark, sizeof(r)) == 0;
}

/* Counts the records of a file that was found; what is behind the last good one is cut off. */
static int adopt(struct spool *spool, bool *out_damaged)
{
	struct spool_header h;
	struct stat st;
	uint64_t off;
	int r;

	if (fstat(spool->fd, &st) < 0)
		return -errno;
	spool->end = st.st_size;
	r = read_full(spool->fd, &h, sizeof(h), 0);
	if (r < 0 && r != -ENODATA)
		return r;
	if (r < 0 || memcmp(h.magic, magic, sizeof(magic)) || h.first < DATA_START ||
	    h.first > spool->end) {
		/* Killed in reset(), behind the cut: nothing was left. */
		const bool was_cut = r == 0 && !memcmp(h.magic, magic, sizeof(magic)) &&
				     spool->end == DATA_START && h.first > DATA_START;

		*out_damaged = spool->end > 0 && !was_cut;
		off = spool->first = DATA_START;
		r = write_header(spool->fd, spool->first);
		if (r < 0)
			return r;
	} else {
		size_t len;

		for (off = spool->first = h.first; off < spool->end; off += record_size(len)) {
			r = read_record(spool, off, &len);
			if (r == -EBADMSG)
				break;
			if (r < 0)
				return r;
			spool->count++;
		}
		*out_damaged = off < spool->end && !is_end(spool, off);
	}
	spool->end = off;
	return ftruncate(spool->fd, off) < 0 ? -errno : 0;
}

int spool_open(const char *path, uint64_t max_bytes, bool *out_damaged, struct spool **out_spool)
{
	_cleanup_spool_ struct spool *spool = calloc(1, sizeof(*spool));
	bool damaged = false;
	int r;

	if (!spool)
		return -ENOMEM;
	spool->fd = -1;
	spool->max = max_bytes;
	spool->path = strdup(path);
	spool->record = malloc(SPOOL_RECORD_MAX);
	if (!spool->path || !spool->record)
		return -ENOMEM;
	spool->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (spool->fd < 0 && errno != ENOENT)
		return -errno;
	if (spool->fd >= 0) {
		r = adopt(spool, &damaged);
		if (r < 0)
			return r;
	}
	if (out_damaged)
		*out_damaged = damaged;
	*out_spool = take_ptr(spool);
	return 0;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	if (spool->fd >= 0) {
		if (spool->count == 0)
			unlink(spool->path);
		else
			fdatasync(spool->fd);
	}
	fd_close(spool->fd);
	free(spool->record);
	free(spool->path);
	free(spool);
}

/* The first record makes the file, and the directory that it stands in. */
static int create(struct spool *spool)
{
	_cleanup_free_ char *dir = strdup(spool->path);
	_cleanup_close_ int fd = -1;
	char *slash;
	int r;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	fd = open(spool->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_header(fd, DATA_START);
	if (r < 0)
		return r;
	spool->first = spool->end = DATA_START;
	spool->fd = take_fd(fd);
	return 0;
}

/*
 * Moves what is left to the front, within the file: where a file system writes in place that needs
 * no room, so it does when the disk is full, too (one that writes elsewhere, as btrfs, may refuse,
 * and then all is as it was). The copy is nothing until the header points at it, and if we are
 * killed before the rest is cut off it ends at its mark.
 */
static int compact(struct spool *spool)
{
	const uint64_t left = spool->end - spool->first;
	char buf[COPY_CHUNK];
	int r = write_full(spool->fd, &end_mark, sizeof(end_mark), DATA_START + left);

	for (uint64_t done = 0; done < left && r == 0;) {
		size_t n = left - done < sizeof(buf) ? left - done : sizeof(buf);

		r = read_full(spool->fd, buf, n, spool->first + done);
		if (r == 0)
			r = write_full(spool->fd, buf, n, DATA_START + done);
		done += n;
	}
	if (r == 0)
		r = write_header(spool->fd, DATA_START);
	if (r < 0)
		return r;
	spool->first = DATA_START;
	spool->end = DATA_START + left;
	spool->longer = ftruncate(spool->fd, spool->end) < 0;
	return 0;
}

static bool can_compact(const struct spool *spool)
{
	const uint64_t consumed = spool->first - DATA_START;

	return consumed >= COMPACT_MIN &&
	       consumed >= spool->end - spool->first + sizeof(struct spool_record);
}

static int append(struct spool *spool, const char *p, size_t len)
{
	int r = 0;

	/* What stands behind the new record was consumed, and is none again: the mark comes first,
	 * else there was a moment without. */
	if (spool->longer)
		spool->longer = ftruncate(spool->fd, spool->end) < 0;
	if (spool->longer)
		r = write_full(spool->fd, &end_mark, sizeof(end_mark),
			       spool->end + record_size(len));
	if (r == 0)
		r = write_record(spool->fd, p, len, spool->end);
	if (r < 0) {
		/* Half a record must not stand before the next one. */
		spool->longer = ftruncate(spool->fd, spool->end) < 0;
		if (spool->longer)
			return -EIO; /* and if it does, the next append writes over it */
		return r;
	}
	spool->end += record_size(len);
	spool->count++;
	return 0;
}

/* The disk's end, a quota's, or that of a limit on the size of files. */
static bool is_full(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EFBIG;
}

int spool_append(struct spool *spool, const char *p, size_t len)
{
	int r;

	if (len == 0 || len > SPOOL_RECORD_MAX)
		return -EMSGSIZE;
	if (spool->fd < 0) {
		if (DATA_START + record_size(len) > spool->max)
			return -ENOSPC;
		r = create(spool);
		if (r < 0)
			return r;
	}
	if (spool->end + record_size(len) > spool->max && can_compact(spool)) {
		r = compact(spool);
		if (r < 0)
			return r;
	}
	if (spool->end + record_size(len) > spool->max)
		return -ENOSPC;
	r = append(spool, p, len);
	if (is_full(r) && can_compact(spool)) { /* before the bound is reached */
		r = compact(spool);
		if (r == 0)
			r = append(spool, p, len);
	}
	return r;
}

/*
 * Nothing is left, or it is given up since it cannot be read. The header says so before it points
 * at the start again, where consumed records stand until they are cut off or an end mark is there.
 * What fails leaves the spool to go on behind them.
 */
static void reset(struct spool *spool)
{
	bool cut;
	int r;

	spool->first = spool->end;
	spool->count = 0;
	spool->record_len = 0;
	(void)write_header(spool->fd, spool->first);
	cut = ftruncate(spool->fd, DATA_START) == 0;
	r = cut ? 0 : write_full(spool->fd, &end_mark, sizeof(end_mark), DATA_START);
	if (r == 0)
		r = write_header(spool->fd, DATA_START);
	if (r < 0)
		return;
	spool->first = spool->end = DATA_START;
	spool->longer = !cut;
}

int spool_peek(struct spool *spool, const char **out_p, size_t *out_len)
{
	if (spool->count == 0)
		return -ENOENT;
	if (!spool->record_len) {
		int r = read_record(spool, spool->first, &spool->record_len);

		if (r == -EBADMSG)
			reset(spool);
		if (r < 0) {
			spool->record_len = 0;
			return r;
		}
	}
	*out_p = spool->record;
	*out_len = spool->record_len;
	return 0;
}

void spool_pop(struct spool *spool)
{
	if (spool->count == 0 || !spool->record_len)
		return;
	spool->first += record_size(spool->record_len);
	spool->record_len = 0;
	spool->count--;
	if (spool->count == 0)
		reset(spool);
	else
		(void)write_header(spool->fd, spool->first); /* lost: the record goes out again */
}

uint64_t spool_count(const struct spool *spool)
{
	return spool->count;
}

uint64_t spool_used(const struct spool *spool)
{
	return spool->end - spool->first;
}
