// SPDX-License-Identifier: GPL-2.0-or-later
/* Streams out of archives. */
#include "scan/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "scan/about.h"
#include "scan/wipe.h"

#define BLOCK (256 << 10)

struct unpack {
	struct source *source;
	struct unpack_budget *budget;
	struct archive *archive;
	uint64_t at; /* how far libarchive has read */
	int error; /* of reading */
	uint64_t flags;
	bool packed; /* a single file in a filter: can be unpacked again from the beginning, no
			archive */
	/* Of the member: what was unpacked and is not fetched yet. */
	const uint8_t *block;
	size_t block_len;
	uint64_t block_at, member_at;
	bool member_end;
	uint8_t buffer[BLOCK];
};

static bool starts(struct bytes head, const char *magic, size_t len, size_t at)
{
	return head.len >= at + len && memcmp(head.p + at, magic, len) == 0;
}

static bool is_filter(struct bytes head)
{
	/* A frame of zstd may be one to be skipped: 50 to 5f, 2a 4d 18. */
	return starts(head, "\x1f\x8b\x08", 3, 0) || starts(head, "BZh", 3, 0) ||
	       starts(head,
		      "\xfd"
		      "7zXZ\0",
		      6, 0) ||
	       starts(head, "\x28\xb5\x2f\xfd", 4, 0) || starts(head, "\x04\x22\x4d\x18", 4, 0) ||
	       starts(head, "\x02\x21\x4c\x18", 4, 0) ||
	       (starts(head, "\x2a\x4d\x18", 3, 1) && (head.p[0] & 0xf0) == 0x50) ||
	       starts(head, "\x5d\0\0", 3, 0);
}

/* The old cpio of two bytes is left out: too much begins like it. */
static bool is_archive(struct bytes head)
{
	return starts(head, "PK\3\4", 4, 0) || starts(head, "PK\5\6", 4, 0) ||
	       starts(head, "070701", 6, 0) || starts(head, "070702", 6, 0) ||
	       starts(head, "070707", 6, 0) || starts(head, "ustar", 5, 257);
}

bool unpack_is(struct bytes head)
{
	return is_filter(head) || is_archive(head);
}

/* --- what libarchive reads from --- */

static la_ssize_t on_read(struct archive *archive, void *userdata, const void **out_buffer)
{
	struct unpack *u = userdata;
	long n = source_read(u->source, u->buffer, sizeof(u->buffer), u->at);

	if (n < 0) {
		u->error = (int)n;
		archive_set_error(archive, (int)-n, "read");
		return ARCHIVE_FATAL;
	}
	u->at += (uint64_t)n;
	*out_buffer = u->buffer;
	return n;
}

static la_int64_t on_seek(struct archive *archive, void *userdata, la_int64_t offset, int whence)
{
	struct unpack *u = userdata;
	int64_t size = (int64_t)source_size(u->source);
	int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)u->at : size;
	int64_t to;

	if (__builtin_add_overflow(base, offset, &to) || to < 0 || to > size)
		return ARCHIVE_FATAL;
	u->at = (uint64_t)to;
	return to;
}

static la_int64_t on_skip(struct archive *archive, void *userdata, la_int64_t request)
{
	struct unpack *u = userdata;
	uint64_t size = source_size(u->source), left = size - u->at;

	if (u->at > size || request < 0)
		return 0;
	request = (uint64_t)request < left ? request : (la_int64_t)left;
	u->at += (uint64_t)request;
	return request;
}

static int open_archive(struct unpack *u, bool filter)
{
	struct archive *a = u->archive = archive_read_new();
	bool seekable = source_seekable(u->source);

	if (!a)
		return -ENOMEM;
	if (filter) {
		archive_read_support_filter_gzip(a);
		archive_read_support_filter_bzip2(a);
		archive_read_support_filter_xz(a);
		archive_read_support_filter_lzma(a);
		archive_read_support_filter_zstd(a);
		archive_read_support_filter_lz4(a);
		/* An archive in it is found by its own first bytes: to libarchive any file that
		 * begins with zeros is an empty tar. */
		archive_read_support_format_raw(a);
	} else {
		archive_read_support_format_tar(a);
		archive_read_support_format_cpio(a);
		archive_read_support_format_zip_streamable(a);
		if (seekable)
			archive_read_support_format_zip_seekable(a);
	}
	archive_read_set_read_callback(a, on_read);
	archive_read_set_callback_data(a, u);
	if (seekable) {
		archive_read_set_seek_callback(a, on_seek);
		archive_read_set_skip_callback(a, on_skip);
	}
	u->at = 0;
	return archive_read_open1(a) < ARCHIVE_WARN ? 0 : 1;
}

int unpack_open(struct source *source, struct unpack_budget *budget, struct unpack **out_unpack)
{
	_cleanup_unpack_ struct unpack *u = wipe_alloc(sizeof(*u));
	uint8_t head[512];
	long got;
	int r;

	if (!u)
		return -ENOMEM;
	u->source = source;
	u->budget = budget;
	got = source_read(source, head, sizeof(head), 0);
	if (got < 0)
		return (int)got;
	u->packed = is_filter((struct bytes){head, (size_t)got});
	r = open_archive(u, u->packed);
	if (r <= 0)
		return r < 0 ? r : u->error;
	/* It had the first bytes of a filter, and no more. */
	if (u->packed && archive_filter_count(u->archive) < 2)
		return 0;
	*out_unpack = take_ptr(u);
	return 1;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	archive_read_free(u->archive);
	wipe_free(u);
}

uint64_t unpack_flags(const struct unpack *u)
{
	return u->flags;
}

/* --- members --- */

static bool over_budget(struct unpack *u)
{
	struct unpack_budget *b = u->budget;
	uint64_t input = b->input ? b->input : source_position(u->source), allowed;

	if (__builtin_mul_overflow(input, (uint64_t)UNPACK_RATIO, &allowed) ||
	    __builtin_add_overflow(allowed, b->free, &allowed))
		return false;
	b->exceeded |= b->bytes > allowed || b->members > UNPACK_MEMBERS;
	if (b->exceeded)
		u->flags |= SCAN_EXPANDS;
	return b->exceeded;
}

/* The next block that is unpacked, and the hole before it; false at the end. */
static bool next_block(struct unpack *u)
{
	const void *block;
	la_int64_t offset;
	size_t len;
	int r;

	do
		r = archive_read_data_block(u->archive, &block, &len, &offset);
	while (r == ARCHIVE_RETRY);
	if (r < ARCHIVE_WARN)
		u->flags |= u->error ? SCAN_UNREADABLE : SCAN_DAMAGED;
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return false;
	if (offset < 0 || (uint64_t)offset < u->member_at) {
		u->flags |= SCAN_DAMAGED;
		return false;
	}
	u->block = block;
	u->block_len = len;
	u->block_at = (uint64_t)offset;
	return true;
}

static long read_member(void *self, void *out, size_t len)
{
	struct unpack *u = self;
	size_t n;

	if (u->member_end || over_budget(u))
		return 0;
	while (!u->block_len)
		if (!next_block(u)) {
			u->member_end = true;
			return 0;
		}
	if (u->block_at > u->member_at) { /* a hole */
		uint64_t hole = u->block_at - u->member_at;

		n = hole < len ? (size_t)hole : len;
		memset(out, 0, n);
	} else {
		n = u->block_len < len ? u->block_len : len;
		memcpy(out, u->block, n);
		u->block += n;
		u->block_len -= n;
		u->block_at += n;
	}
	u->member_at += n;
	u->budget->bytes += n;
	return (long)n;
}

static bool can_rewind_member(void *self)
{
	const struct unpack *u = self;

	return u->packed && source_repeatable(u->source);
}

/* The file in a filter, from its beginning. */
static int rewind_member(void *self)
{
	struct unpack *u = self;
	struct archive_entry *entry;

	if (!can_rewind_member(u) || source_rewind(u->source) < 0)
		return -ESPIPE;
	archive_read_free(u->archive);
	u->block_len = 0;
	u->member_at = 0;
	u->member_end = false;
	/* What it unpacked before is no sign of a bomb. */
	u->budget->bytes = 0;
	if (open_archive(u, true) <= 0 ||
	    archive_read_next_header(u->archive, &entry) < ARCHIVE_WARN)
		return -ESPIPE;
	return 0;
}

int unpack_next(struct unpack *u, struct source **out_member, const char **out_name)
{
	struct archive_entry *entry;
	uint64_t size = SOURCE_SIZE_UNKNOWN;
	int r;

	for (;;) {
		u->budget->members++;
		if (over_budget(u))
			return 0;
		do
			r = archive_read_next_header(u->archive, &entry);
		while (r == ARCHIVE_RETRY);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r < ARCHIVE_WARN) {
			u->flags |= u->error ? SCAN_UNREADABLE : SCAN_DAMAGED;
			return 0;
		}
		if (archive_entry_is_data_encrypted(entry)) {
			u->flags |= SCAN_LOCKED;
			continue;
		}
		/* Links and directories have no content. */
		if (u->packed ||
		    (archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry)))
			break;
	}
	u->block_len = 0;
	u->member_at = 0;
	u->member_end = false;
	if (!u->packed && archive_entry_size_is_set(entry) && archive_entry_size(entry) > 0)
		size = (uint64_t)archive_entry_size(entry);
	*out_name = "";
	if (!u->packed && archive_entry_pathname(entry))
		*out_name = archive_entry_pathname(entry);
	return source_new_stream(&(struct source_stream){read_member, rewind_member,
							 can_rewind_member, NULL, u},
				 size, out_member) < 0
		       ? -ENOMEM
		       : 1;
}
