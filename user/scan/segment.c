// SPDX-License-Identifier: GPL-2.0-or-later
/* An ELF core's program headers, by hand: 56 bytes each, and the file may lie in all of them. */
#include "scan/segment.h"

#include <elf.h>
#include <endian.h>
#include <string.h>

#include "base/cleanup.h"

static int read_at(int fd, void *out, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)out + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ENODATA;
		got += (size_t)n;
	}
	return 0;
}

static bool is_core(const Elf64_Ehdr *header)
{
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       le16toh(header->e_type) == ET_CORE &&
	       le16toh(header->e_phentsize) == sizeof(Elf64_Phdr);
}

/* With PN_XNUM the count stands in the first section header. */
static uint64_t count(int fd, const Elf64_Ehdr *header)
{
	Elf64_Shdr section;

	if (le16toh(header->e_phnum) != PN_XNUM)
		return le16toh(header->e_phnum);
	if (read_at(fd, &section, sizeof(section), le64toh(header->e_shoff)) < 0)
		return 0;
	return le32toh(section.sh_info);
}

static int add(struct segments *s, const struct segment *segment)
{
	/* Doubles at each power of two. */
	if ((s->nr & (s->nr - 1)) == 0) {
		size_t cap = s->nr ? s->nr * 2 : 1;
		struct segment *items = reallocarray(s->items, cap, sizeof(*items));

		if (!items)
			return -ENOMEM;
		s->items = items;
	}
	s->items[s->nr++] = *segment;
	return 0;
}

static int read_headers(int fd, const Elf64_Ehdr *header, struct segments *s)
{
	uint64_t at = le64toh(header->e_phoff);
	uint64_t nr = count(fd, header);
	int err;

	for (uint64_t i = 0; i < nr; i++, at += sizeof(Elf64_Phdr)) {
		struct segment segment = {.has_vaddr = true};
		Elf64_Phdr phdr;

		if (s->nr == SEGMENTS_MAX || i == 4 * SEGMENTS_MAX) {
			s->too_many = true;
			break;
		}
		if (at > s->file_size || read_at(fd, &phdr, sizeof(phdr), at) < 0) {
			s->truncated = true;
			break;
		}
		if (le32toh(phdr.p_type) != PT_LOAD || !phdr.p_filesz)
			continue;
		segment.offset = le64toh(phdr.p_offset);
		segment.len = le64toh(phdr.p_filesz);
		segment.vaddr = le64toh(phdr.p_vaddr);
		if (segment.offset > s->file_size || segment.len > s->file_size - segment.offset) {
			s->truncated = true;
			if (segment.offset >= s->file_size)
				continue;
			segment.len = s->file_size - segment.offset;
		}
		err = add(s, &segment);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Overlapping entries would have the same bytes read again and again. */
static bool covers_too_much(const struct segments *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->nr; i++)
		sum += s->items[i].len;
	return sum > 2 * s->file_size;
}

int segments_read(int fd, struct segments *out_segments)
{
	struct segments s = {.items = NULL};
	off_t size = lseek(fd, 0, SEEK_END);
	Elf64_Ehdr header;
	int err;

	if (size < 0)
		return -errno;
	s.file_size = (uint64_t)size;
	err = read_at(fd, &header, sizeof(header), 0);
	if (err < 0 && err != -ENODATA)
		return err;
	if (err == 0 && is_core(&header)) {
		s.core = true;
		err = read_headers(fd, &header, &s);
		if (err < 0) {
			segments_fini(&s);
			return err;
		}
		/* A table that cannot be believed: then the file is what it is, bytes. */
		if (!s.nr || covers_too_much(&s)) {
			s.nr = 0;
			s.core = false;
		}
	}
	if (!s.nr) {
		err = add(&s, &(struct segment){.len = s.file_size});
		if (err < 0) {
			segments_fini(&s);
			return err;
		}
	}
	*out_segments = s;
	return 0;
}

void segments_fini(struct segments *segments)
{
	free(segments->items);
	*segments = (struct segments){.items = NULL};
}
