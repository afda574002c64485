// SPDX-License-Identifier: GPL-2.0-or-later
/* Files by position, streams with a memory of their beginning. */
#include "scan/source.h"

#include <stdatomic.h>
#include <string.h>

#include "scan/digest.h"
#include "scan/wipe.h"

#define PAGE	 4096
#define BAD_MAX	 (1U << 20) /* unreadable pages */
#define SKIP	 65536
#define KEPT_MIN 65536
#define JUMP_MAX (1 << 20) /* over so much the digest is brought along at once */

struct source {
	int fd; /* -1: a stream or a mapping */
	struct source_mapping mapping;
	bool seekable;
	bool memory;
	uint64_t size;
	atomic_uint bad; /* pages */
	atomic_ullong at; /* of a stream what was read so far; else where the last read ended */
	/* Streams. */
	struct source_stream stream;
	bool end, forgets;
	uint8_t *kept; /* grows with what is read, to SOURCE_KEPT */
	size_t kept_len, kept_room;
	struct digest *digest; /* NULL: nobody wants it */
};

static long stream_fd(void *self, void *out, size_t len)
{
	const struct source *source = self;
	ssize_t n;

	do
		n = read(source->fd, out, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int source_new_fd(int fd, struct source **out_source)
{
	struct source *source = calloc(1, sizeof(*source));
	off_t size;

	if (!source)
		return -ENOMEM;
	source->fd = fd;
	size = lseek(fd, 0, SEEK_END);
	/* Files of /proc and /sys have positions and no size. */
	source->seekable = size > 0;
	source->size = size > 0 ? (uint64_t)size : SOURCE_SIZE_UNKNOWN;
	if (!source->seekable) {
		if (size == 0)
			lseek(fd, 0, SEEK_SET);
		source->stream = (struct source_stream){.read = stream_fd, .self = source};
	}
	*out_source = source;
	return 0;
}

int source_new_memory(int fd, struct source **out_source)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->fd = fd;
	source->seekable = source->memory = true;
	source->size = SOURCE_SIZE_UNKNOWN;
	*out_source = source;
	return 0;
}

int source_new_stream(const struct source_stream *stream, uint64_t size, struct source **out_source)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->fd = -1;
	source->size = size;
	source->stream = *stream;
	*out_source = source;
	return 0;
}

int source_new_mapping(const struct source_mapping *mapping, uint64_t size,
		       struct source **out_source)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->fd = -1;
	source->seekable = true;
	source->size = size;
	source->mapping = *mapping;
	*out_source = source;
	return 0;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	if (source->mapping.free)
		source->mapping.free(source->mapping.self);
	if (source->stream.free)
		source->stream.free(source->stream.self);
	wipe_free(source->kept);
	digest_free(source->digest);
	free(source);
}

bool source_seekable(const struct source *source)
{
	return source->seekable;
}

uint64_t source_size(const struct source *source)
{
	return source->size;
}

bool source_unreadable(const struct source *source)
{
	return source->bad != 0;
}

uint64_t source_position(const struct source *source)
{
	return source->at;
}

/* Up to the next page, by zeros; how many there are. */
static long bad_page(struct source *source, uint8_t *out, size_t len, uint64_t offset)
{
	size_t n = PAGE - offset % PAGE;

	if (source->bad++ >= BAD_MAX)
		return -EIO;
	n = n < len ? n : len;
	memset(out, 0, n);
	return (long)n;
}

/* Brings the digest of a file up to `to`, if no more than `max` bytes have to be read for that. */
static void catch_up(struct source *source, uint64_t to, uint64_t max)
{
	uint8_t bytes[SKIP];
	uint64_t from, end, at;

	while ((at = digest_at(source->digest)) < to && !digest_is_void(source->digest)) {
		if (!source_data(source, at, to, &from, &end))
			from = end = to;
		if (from > at) {
			digest_add_zeros(source->digest, from - at);
			continue;
		}
		if (end - at > max)
			break;
		max -= end - at;
		while (at < end) {
			const size_t want = end - at < SKIP ? (size_t)(end - at) : SKIP;
			ssize_t n;

			do
				n = pread(source->fd, bytes, want, (off_t)at);
			while (n < 0 && errno == EINTR);
			if (n <= 0) { /* it cannot be read, or it shrank */
				digest_void(source->digest);
				break;
			}
			digest_add(source->digest, bytes, (size_t)n);
			at += (uint64_t)n;
		}
	}
	explicit_bzero(bytes, sizeof(bytes));
}

/* What was read goes into the digest when it is its turn. */
static void take(struct source *source, const uint8_t *p, size_t len, uint64_t offset)
{
	uint64_t at;

	if (!source->digest)
		return;
	if (offset > digest_at(source->digest) && source->seekable)
		catch_up(source, offset, JUMP_MAX);
	at = digest_at(source->digest);
	if (offset <= at && offset + len > at)
		digest_add(source->digest, p + (at - offset), len - (size_t)(at - offset));
}

int source_digest_begin(struct source *source)
{
	if (source->memory || source->mapping.read)
		return -EOPNOTSUPP;
	source->digest = digest_new();
	return source->digest ? 0 : -ENOMEM;
}

static long read_on(struct source *source, uint8_t *out, size_t len);

bool source_digest_end(struct source *source, uint8_t out[static 32])
{
	uint8_t bytes[SKIP];
	long n;

	if (!source->digest || source->bad)
		return false;
	if (source->seekable) {
		catch_up(source, source->size, SOURCE_REST);
		if (digest_at(source->digest) != source->size)
			return false;
	} else {
		while ((n = read_on(source, bytes, sizeof(bytes))) > 0)
			;
		explicit_bzero(bytes, sizeof(bytes));
		if (n < 0)
			return false;
	}
	return !source->bad && digest_end(source->digest, out);
}

static long read_file(struct source *source, uint8_t *out, size_t len, uint64_t offset)
{
	size_t got = 0, want = len;

	/* Addresses of the kernel's half, or a header that lies. */
	if (offset > INT64_MAX - len)
		return 0;
	while (got < len) {
		ssize_t n = pread(source->fd, out + got, want < len - got ? want : len - got,
				  (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EIO && errno != EFAULT)
			return -errno;
		if (n == 0)
			break; /* the end, or it shrank meanwhile; the process is gone */
		if (n < 0) {
			/* A read that fails says nothing about how far it would have come: so page
			 * by page. */
			if (want > PAGE) {
				want = PAGE;
				continue;
			}
			n = bad_page(source, out + got, len - got, offset + got);
			if (n < 0)
				return n;
		}
		got += (size_t)n;
	}
	source->at = offset + got;
	take(source, out, got, offset);
	return (long)got;
}

/* Remembers what was read at source->at, as long as there is room. */
static int keep(struct source *source, const uint8_t *p, size_t len)
{
	size_t room = source->kept_room;
	uint8_t *more;

	if (source->forgets || source->at != source->kept_len || source->kept_len == SOURCE_KEPT)
		return 0;
	if (len > SOURCE_KEPT - source->kept_len)
		len = SOURCE_KEPT - source->kept_len;
	while (room < source->kept_len + len)
		room = room ? room * 2 : KEPT_MIN;
	if (room > SOURCE_KEPT)
		room = SOURCE_KEPT;
	if (room != source->kept_room) {
		more = wipe_alloc(room);
		if (!more)
			return -ENOMEM;
		if (source->kept_len)
			memcpy(more, source->kept, source->kept_len);
		wipe_free(source->kept);
		source->kept = more;
		source->kept_room = room;
	}
	memcpy(source->kept + source->kept_len, p, len);
	source->kept_len += len;
	return 0;
}

/* The next bytes of a stream, as many as there are. */
static long read_on(struct source *source, uint8_t *out, size_t len)
{
	size_t got = 0;

	while (got < len && !source->end) {
		long n = source->stream.read(source->stream.self, out + got, len - got);

		if (n < 0)
			return n;
		if (!n) {
			source->end = true;
			break;
		}
		if (keep(source, out + got, (size_t)n) < 0)
			return -ENOMEM;
		take(source, out + got, (size_t)n, source->at);
		source->at += (uint64_t)n;
		got += (size_t)n;
	}
	return (long)got;
}

static int skip_to(struct source *source, uint64_t offset)
{
	uint8_t ignored[SKIP];

	while (source->at < offset && !source->end) {
		uint64_t left = offset - source->at;
		long n = read_on(source, ignored, left < SKIP ? (size_t)left : SKIP);

		if (n < 0)
			return (int)n;
	}
	explicit_bzero(ignored, sizeof(ignored));
	return 0;
}

long source_read(struct source *source, void *out, size_t len, uint64_t offset)
{
	uint8_t *to = out;
	size_t got = 0;
	long n;

	if (source->mapping.read)
		return source->mapping.read(source->mapping.self, out, len, offset);
	if (source->seekable)
		return read_file(source, out, len, offset);
	if (offset < source->kept_len) {
		got = source->kept_len - (size_t)offset;
		got = got < len ? got : len;
		memcpy(to, source->kept + offset, got);
		if (got == len)
			return (long)got;
		offset += got;
	}
	if (offset < source->at)
		return got ? (long)got : -ESPIPE;
	n = skip_to(source, offset);
	if (n < 0)
		return n;
	if (source->at < offset)
		return (long)got; /* the end came first */
	n = read_on(source, to + got, len - got);
	return n < 0 ? n : (long)got + n;
}

bool source_data(struct source *source, uint64_t offset, uint64_t end, uint64_t *out_from,
		 uint64_t *out_to)
{
	off_t from, to;

	*out_from = offset;
	*out_to = end;
	if (offset >= end)
		return false;
	if (source->fd < 0 || !source->seekable || source->memory || offset > INT64_MAX)
		return true;
	from = lseek(source->fd, (off_t)offset, SEEK_DATA);
	if (from < 0) /* no data any more; or a file system that does not know */
		return errno != ENXIO;
	if ((uint64_t)from >= end)
		return false;
	to = lseek(source->fd, from, SEEK_HOLE);
	*out_from = (uint64_t)from;
	if (to > from && (uint64_t)to < end)
		*out_to = (uint64_t)to;
	return true;
}

/* Nothing has gone by yet that could not be had again. */
static bool all_kept(const struct source *source)
{
	return !source->forgets && source->at == source->kept_len;
}

void source_forget(struct source *source)
{
	wipe_free(source->kept);
	source->kept = NULL;
	source->kept_len = source->kept_room = 0;
	source->forgets = true;
}

bool source_repeatable(const struct source *source)
{
	return source->seekable || all_kept(source) ||
	       (source->stream.can_rewind && source->stream.can_rewind(source->stream.self));
}

int source_rewind(struct source *source)
{
	int err;

	if (source->seekable || all_kept(source))
		return 0;
	if (!source->stream.rewind)
		return -ESPIPE;
	err = source->stream.rewind(source->stream.self);
	if (err < 0)
		return err;
	source->at = 0;
	source->end = false;
	return 0;
}
