/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps made by hand: memory with an AES schedule in it, wrapped in each container. */
#pragma once

#define OPENSSL_SUPPRESS_DEPRECATED /* AES_KEY: the schedule as it lies in memory */
#include <elf.h>
#include <lzo/lzo1x.h>
#include <openssl/aes.h>
#include <snappy-c.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct buffer {
	uint8_t *p;
	size_t len, room;
};

static inline uint8_t *buffer_grow(struct buffer *b, size_t len)
{
	uint8_t *at;

	while (b->len + len > b->room) {
		b->room = b->room ? b->room * 2 : 4096;
		b->p = realloc(b->p, b->room);
		if (!b->p)
			abort();
	}
	at = b->p + b->len;
	memset(at, 0, len);
	b->len += len;
	return at;
}

static inline void buffer_put(struct buffer *b, const void *p, size_t len)
{
	memcpy(buffer_grow(b, len), p, len);
}

static inline void buffer_number(struct buffer *b, uint64_t value, size_t len, bool big)
{
	uint8_t *to = buffer_grow(b, len);

	for (size_t i = 0; i < len; i++)
		to[big ? len - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

static inline void buffer_pad(struct buffer *b, size_t to)
{
	if (b->len < to)
		buffer_grow(b, to - b->len);
}

static inline void set_number(uint8_t *to, uint64_t value, size_t len, bool big)
{
	for (size_t i = 0; i < len; i++)
		to[big ? len - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

/* 176 bytes, as FIPS 197 orders them. */
static inline void make_schedule(uint8_t *to, uint8_t seed)
{
	uint8_t key[16];
	AES_KEY schedule;

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(seed * 7 + i * 89 + 3);
	AES_set_encrypt_key(key, 128, &schedule);
	/* What assembler leaves there differs by machine: the plain form is made of it here. */
	for (size_t i = 0; i < 44; i++)
		set_number(to + 4 * i, ((uint32_t *)schedule.rd_key)[i], 4, false);
}

/* `pages` pages of 4096 bytes that are not zeros, with a key in the middle of one of them. */
#define KEY_PAGE 2
#define KEY_AT	 (KEY_PAGE * 4096 + 0x230)

static inline uint8_t *make_memory(size_t pages, uint8_t seed)
{
	uint8_t *p = calloc(pages, 4096);

	if (!p)
		abort();
	for (size_t i = 0; i < pages * 4096; i += 16)
		set_number(p + i, i * 2654435761u, 4, false);
	if (pages > KEY_PAGE)
		make_schedule(p + KEY_AT, seed);
	return p;
}

struct elf_options {
	bool wide, big;
	bool xnum; /* the count stands in a section header behind everything */
	bool notes_last;
	uint64_t vaddr;
	size_t skew; /* what segments' offsets are off pages by */
};

static inline void put_note(struct buffer *b, const struct elf_options *o, const char *name,
			    uint32_t type, const void *p, size_t len)
{
	buffer_number(b, strlen(name) + 1, 4, o->big);
	buffer_number(b, len, 4, o->big);
	buffer_number(b, type, 4, o->big);
	buffer_put(b, name, strlen(name) + 1);
	buffer_pad(b, (b->len + 3) / 4 * 4);
	buffer_put(b, p, len);
	buffer_pad(b, (b->len + 3) / 4 * 4);
}

/* Process 4242 "dumped", signal 11, two threads, stack at vaddr + 0x100000, /usr/bin/dumped mapped
 * below vaddr. */
static inline struct buffer elf_notes(const struct elf_options *o)
{
	size_t word = o->wide ? 8 : 4, pid = o->wide ? 24 : 12;
	static const char names[] = "/usr/bin/dumped\0/usr/bin/dumped";
	struct buffer b = {NULL}, files = {NULL};
	uint8_t info[136] = {0}, status[336] = {0}, auxv[64] = {0};

	set_number(info + pid, 4242, 4, o->big);
	strcpy((char *)info + pid + 16, "dumped");
	put_note(&b, o, "CORE", 3 /* NT_PRPSINFO */, info, o->wide ? 136 : 124);
	set_number(status, 11, 4, o->big);
	set_number(status + 264, o->vaddr + 0x100800, 8, o->big); /* rsp of x86-64 */
	put_note(&b, o, "CORE", 1 /* NT_PRSTATUS */, status, sizeof(status));
	put_note(&b, o, "CORE", 1, status, sizeof(status));
	set_number(auxv, 9 /* AT_ENTRY */, word, o->big);
	set_number(auxv + word, o->vaddr - 0x8000, word, o->big);
	put_note(&b, o, "CORE", 6 /* NT_AUXV */, auxv, sizeof(auxv));
	buffer_number(&files, 2, word, o->big);
	buffer_number(&files, 4096, word, o->big);
	for (unsigned i = 0; i < 2; i++) {
		buffer_number(&files, o->vaddr - 0x10000 + i * 0x8000, word, o->big);
		buffer_number(&files, o->vaddr - 0x8000 + i * 0x4000, word, o->big);
		buffer_number(&files, i, word, o->big);
	}
	buffer_put(&files, names, sizeof(names));
	put_note(&b, o, "CORE", 0x46494c45 /* NT_FILE */, files.p, files.len);
	free(files.p);
	return b;
}

static inline void put_phdr(struct buffer *b, const struct elf_options *o, uint32_t type,
			    uint64_t offset, uint64_t vaddr, uint64_t len)
{
	size_t word = o->wide ? 8 : 4;

	buffer_number(b, type, 4, o->big);
	if (o->wide)
		buffer_number(b, 6, 4, o->big);
	buffer_number(b, offset, word, o->big);
	buffer_number(b, vaddr, word, o->big);
	buffer_number(b, 0, word, o->big);
	buffer_number(b, len, word, o->big);
	buffer_number(b, len, word, o->big);
	if (!o->wide)
		buffer_number(b, 6, 4, o->big);
	buffer_number(b, 1, word, o->big);
}

/* A core of two segments of `pages` pages at vaddr and vaddr + 0x100000, a key in each. */
static inline struct buffer make_elf(const struct elf_options *o, size_t pages)
{
	size_t word = o->wide ? 8 : 4, ehdr = o->wide ? 64 : 52, phdr = o->wide ? 56 : 32;
	struct buffer b = {NULL}, notes = elf_notes(o);
	size_t size = pages * 4096, data = ehdr + 3 * phdr + o->skew;
	uint64_t notes_at;
	uint8_t ident[16] = {0x7f, 'E', 'L', 'F', o->wide ? 2 : 1, o->big ? 2 : 1, 1};

	if (!o->notes_last)
		data += notes.len;
	notes_at = o->notes_last ? data + 2 * size : ehdr + 3 * phdr;
	buffer_put(&b, ident, sizeof(ident));
	buffer_number(&b, 4 /* ET_CORE */, 2, o->big);
	buffer_number(&b, o->wide ? EM_X86_64 : EM_PPC, 2, o->big);
	buffer_number(&b, 1, 4, o->big);
	buffer_number(&b, 0, word, o->big);
	buffer_number(&b, ehdr, word, o->big);
	buffer_number(&b, o->xnum ? data + 2 * size + notes.len : 0, word, o->big);
	buffer_number(&b, 0, 4, o->big);
	buffer_number(&b, ehdr, 2, o->big);
	buffer_number(&b, phdr, 2, o->big);
	buffer_number(&b, o->xnum ? 0xffff : 3, 2, o->big);
	buffer_pad(&b, ehdr);
	put_phdr(&b, o, 4 /* PT_NOTE */, notes_at, 0, notes.len);
	put_phdr(&b, o, 1 /* PT_LOAD */, data, o->vaddr, size);
	put_phdr(&b, o, 1, data + size, o->vaddr + 0x100000, size);
	if (!o->notes_last)
		buffer_put(&b, notes.p, notes.len);
	buffer_pad(&b, data);
	for (uint8_t i = 0; i < 2; i++) {
		uint8_t *memory = make_memory(pages, i);

		buffer_put(&b, memory, size);
		free(memory);
	}
	if (o->notes_last)
		buffer_put(&b, notes.p, notes.len);
	buffer_pad(&b, data + 2 * size + notes.len);
	if (o->xnum) {
		size_t shdr = b.len;

		buffer_grow(&b, o->wide ? 64 : 40);
		set_number(b.p + shdr + (o->wide ? 44 : 28), 3, 4, o->big);
	}
	free(notes.p);
	return b;
}

/* Two ranges of physical memory. */
static inline struct buffer make_lime(size_t pages, bool avml)
{
	struct buffer b = {NULL};

	for (uint64_t i = 0; i < 2; i++) {
		uint64_t start = 0x1000 + i * 0x100000000;
		uint8_t *memory = make_memory(pages, (uint8_t)i);
		size_t size = pages * 4096, packed_at;

		buffer_put(&b, avml ? "AVML\2\0\0" : "EMiL\1\0\0", 8);
		buffer_number(&b, start, 8, false);
		buffer_number(&b, start + size - 1, 8, false);
		buffer_number(&b, 0, 8, false);
		packed_at = b.len;
		if (!avml) {
			buffer_put(&b, memory, size);
		} else {
			buffer_put(&b, "\xff\6\0\0sNaPpY", 10);
			for (size_t at = 0; at < size; at += 4096) {
				char packed[8192];
				size_t len = sizeof(packed);
				bool plain = at % 8192 == 0;

				snappy_compress((char *)memory + at, 4096, packed, &len);
				buffer_number(&b, plain, 1, false);
				buffer_number(&b, 4 + (plain ? 4096 : len), 3, false);
				buffer_number(&b, 0, 4, false); /* the checksum */
				buffer_put(&b, plain ? (char *)memory + at : packed,
					   plain ? 4096 : len);
			}
			buffer_number(&b, b.len - packed_at, 8, false);
		}
		free(memory);
	}
	return b;
}

/* One thread, whose stack is the second piece of memory. */
static inline struct buffer make_minidump(size_t pages, bool full)
{
	struct buffer b = {NULL};
	size_t size = pages * 4096, data = 0x201;

	buffer_put(&b, "MDMP", 4);
	buffer_number(&b, 0xa793, 4, false);
	buffer_number(&b, 3, 4, false);
	buffer_number(&b, 32, 4, false);
	buffer_number(&b, 0, 8, false);
	buffer_number(&b, full ? 2 : 0, 8, false);
	buffer_number(&b, 3, 4, false); /* threads */
	buffer_number(&b, 52, 4, false);
	buffer_number(&b, 0x80, 4, false);
	buffer_number(&b, full ? 9 : 5, 4, false);
	buffer_number(&b, 48, 4, false);
	buffer_number(&b, 0x100, 4, false);
	buffer_number(&b, 15, 4, false); /* miscellaneous */
	buffer_number(&b, 12, 4, false);
	buffer_number(&b, 0x180, 4, false);
	buffer_pad(&b, 0x80);
	buffer_number(&b, 1, 4, false);
	buffer_pad(&b, 0x84 + 24);
	buffer_number(&b, 0x7ff00100000, 8, false);
	buffer_pad(&b, 0x100);
	buffer_number(&b, 2, full ? 8 : 4, false);
	if (full)
		buffer_number(&b, data, 8, false);
	for (uint64_t i = 0; i < 2; i++) {
		buffer_number(&b, 0x7ff00000000 + i * 0x100000, 8, false);
		buffer_number(&b, size, full ? 8 : 4, false);
		if (!full)
			buffer_number(&b, data + i * size, 4, false);
	}
	buffer_pad(&b, 0x180);
	buffer_number(&b, 12, 4, false);
	buffer_number(&b, 1, 4, false);
	buffer_number(&b, 4242, 4, false);
	buffer_pad(&b, data);
	for (uint8_t i = 0; i < 2; i++) {
		uint8_t *memory = make_memory(pages, i);

		buffer_put(&b, memory, size);
		free(memory);
	}
	return b;
}

/* Pages 1..pages and 0x100000..; type 1: runs, 5: a bitmap. */
static inline struct buffer make_pagedump(size_t pages, bool wide, unsigned type)
{
	struct buffer b = {NULL};
	size_t header = wide ? 0x2000 : 0x1000;
	uint64_t second = type == 5 ? 0x400 : 0x80000;

	buffer_put(&b, wide ? "PAGEDU64" : "PAGEDUMP", 8);
	buffer_pad(&b, header);
	set_number(b.p + (wide ? 0xf98 : 0xf88), type, 4, false);
	if (wide) {
		set_number(b.p + 0x88, 2, 4, false);
		for (unsigned i = 0; i < 2; i++) {
			set_number(b.p + 0x98 + 16 * i, i ? second : 1, 8, false);
			set_number(b.p + 0xa0 + 16 * i, pages, 8, false);
		}
	} else {
		set_number(b.p + 0x64, 2, 4, false);
		for (unsigned i = 0; i < 2; i++) {
			set_number(b.p + 0x6c + 8 * i, i ? second : 1, 4, false);
			set_number(b.p + 0x70 + 8 * i, pages, 4, false);
		}
	}
	if (type == 5) {
		buffer_put(&b, "FDMPDUMP", 8);
		buffer_pad(&b, header + 0x38 + 0x800 / 8);
		set_number(b.p + header + 0x20, 0x4000, 8, false);
		set_number(b.p + header + 0x30, 0x800, 8, false);
		for (size_t i = 0; i < 2 * pages; i++) {
			uint64_t page = i < pages ? 1 + i : second + i - pages;

			b.p[header + 0x38 + page / 8] |= (uint8_t)(1 << page % 8);
		}
		buffer_pad(&b, 0x4000);
	}
	for (uint8_t i = 0; i < 2; i++) {
		uint8_t *memory = make_memory(pages, i);

		buffer_put(&b, memory, pages * 4096);
		free(memory);
	}
	return b;
}

static inline size_t pack_page(const uint8_t *page, unsigned flags, uint8_t *out, size_t size)
{
	static uint8_t work[LZO1X_1_MEM_COMPRESS];
	unsigned long zlib_len = size;
	lzo_uint lzo_len = size;
	size_t len = size;

	switch (flags) {
	case 1:
		compress2(out, &zlib_len, page, 4096, 1);
		return zlib_len;
	case 2:
		lzo1x_1_compress(page, 4096, out, &lzo_len, work);
		return lzo_len;
	case 4:
		snappy_compress((const char *)page, 4096, (char *)out, &len);
		return len;
	case 0x20:
		return ZSTD_compress(out, size, page, 4096, 1);
	default:
		memcpy(out, page, 4096);
		return 4096;
	}
}

/* Frames 16.. and 0x400.., packed as `flags` of a descriptor say; `level`: of makedumpfile -d. */
static inline struct buffer make_kdump(size_t pages, unsigned flags, unsigned level)
{
	struct buffer b = {NULL}, data = {NULL};
	size_t descs = 4 * 4096, at = descs + (2 * pages * 24 + 4095) / 4096 * 4096;

	buffer_put(&b, "KDUMP   ", 8);
	buffer_number(&b, 6, 4, false);
	buffer_pad(&b, 424);
	buffer_number(&b, 0, 4, false);
	buffer_number(&b, 4096, 4, false);
	buffer_number(&b, 1, 4, false);
	buffer_number(&b, 2, 4, false);
	buffer_number(&b, 0x800, 4, false);
	buffer_pad(&b, 4096 + 8);
	buffer_number(&b, level, 4, false);
	buffer_pad(&b, 4096 + 96);
	buffer_number(&b, 0x800, 8, false);
	buffer_pad(&b, descs);
	for (uint64_t i = 0; i < 2; i++) {
		uint8_t *memory = make_memory(pages, (uint8_t)i);

		for (size_t k = 0; k < pages; k++) {
			uint64_t frame = (i ? 0x400 : 16) + k;
			uint8_t packed[8192];
			size_t len = pack_page(memory + 4096 * k, flags, packed, sizeof(packed));

			for (unsigned m = 0; m < 2; m++)
				b.p[(2 + m) * 4096 + frame / 8] |= (uint8_t)(1 << frame % 8);
			buffer_number(&b, at + data.len, 8, false);
			buffer_number(&b, len, 4, false);
			buffer_number(&b, flags, 4, false);
			buffer_number(&b, 0, 8, false);
			buffer_put(&data, packed, len);
		}
		free(memory);
	}
	buffer_pad(&b, at);
	buffer_put(&b, data.p, data.len);
	free(data.p);
	return b;
}

/* In pieces of odd sizes, out of order, the first one twice. */
static inline struct buffer make_flat(const struct buffer *dump)
{
	struct buffer b = {NULL};
	size_t half = dump->len / 2;

	buffer_put(&b, "makedumpfile\0\0\0", 16);
	buffer_number(&b, 1, 8, true);
	buffer_number(&b, 1, 8, true);
	buffer_pad(&b, 4096);
	buffer_number(&b, 0, 8, true);
	buffer_number(&b, 100, 8, true);
	buffer_grow(&b, 100);
	for (unsigned part = 0; part < 2; part++) {
		size_t from = part ? 0 : half, to = part ? half : dump->len;

		for (size_t at = from, len; at < to; at += len) {
			len = to - at < 1000 ? to - at : 1000;
			buffer_number(&b, at, 8, true);
			buffer_number(&b, len, 8, true);
			buffer_put(&b, dump->p + at, len);
		}
	}
	buffer_number(&b, UINT64_MAX, 8, true);
	buffer_number(&b, UINT64_MAX, 8, true);
	return b;
}
