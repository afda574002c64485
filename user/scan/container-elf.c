// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ELF cores, of processes and kernels: program headers and notes by hand, as they are small and the
 * file may lie in all of them. Offsets of segments need not be page multiples (gdb's gcore), tables
 * need not stand where they usually do.
 */
#include <elf.h>
#include <string.h>

#include "scan/container-elf.h"
#include "scan/container.h"

struct elf {
	struct elf_segment *segments;
	size_t nr, at;
	uint64_t *flags;
	struct elf_notes notes;
};

static bool is_elf_core(struct bytes head)
{
	bool big;

	if (head.len < sizeof(Elf32_Ehdr) || memcmp(head.p, ELFMAG, SELFMAG) != 0 ||
	    (head.p[EI_CLASS] != ELFCLASS32 && head.p[EI_CLASS] != ELFCLASS64) ||
	    (head.p[EI_DATA] != ELFDATA2LSB && head.p[EI_DATA] != ELFDATA2MSB))
		return false;
	big = head.p[EI_DATA] == ELFDATA2MSB;
	return container_get(head, offsetof(Elf64_Ehdr, e_type), 2, big) == ET_CORE;
}

/* What of the header counts. */
struct header {
	bool wide, big;
	uint16_t machine;
	uint64_t phoff, phnum, shoff;
};

static int read_header(struct source *source, struct header *out)
{
	uint8_t raw[sizeof(Elf64_Ehdr)] = {0};
	long got = source_read(source, raw, sizeof(raw), 0);
	struct bytes b = {raw, sizeof(raw)};
	struct header h = {.wide = false};
	uint64_t size;

	if (got < 0)
		return (int)got;
	h.wide = raw[EI_CLASS] == ELFCLASS64;
	h.big = raw[EI_DATA] == ELFDATA2MSB;
#define FIELD(name, len32, len64)                                              \
	(h.wide ? container_get(b, offsetof(Elf64_Ehdr, name), (len64), h.big) \
		: container_get(b, offsetof(Elf32_Ehdr, name), (len32), h.big))
	h.phoff = FIELD(e_phoff, 4, 8);
	h.shoff = FIELD(e_shoff, 4, 8);
	h.phnum = FIELD(e_phnum, 2, 2);
	h.machine = (uint16_t)FIELD(e_machine, 2, 2);
	size = FIELD(e_phentsize, 2, 2);
#undef FIELD
	if (size != (h.wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return 0;
	*out = h;
	return 1;
}

/* With PN_XNUM the count stands in the first section header, mostly at the end of the file. */
static uint64_t real_count(struct source *source, const struct header *h)
{
	size_t at = h->wide ? offsetof(Elf64_Shdr, sh_info) : offsetof(Elf32_Shdr, sh_info);
	uint8_t raw[4];

	if (h->phnum != PN_XNUM)
		return h->phnum;
	/* A stream would have to be read to its end for it: then the table ends by itself. */
	if (!source_seekable(source) ||
	    source_read(source, raw, sizeof(raw), h->shoff + at) < (long)sizeof(raw))
		return UINT32_MAX;
	return container_get((struct bytes){raw, 4}, 0, 4, h->big);
}

static struct elf_segment parse_phdr(struct bytes b, const struct header *h, uint32_t *out_type)
{
	struct elf_segment s = {.offset = 0};

	*out_type = (uint32_t)container_get(b, 0, 4, h->big);
#define FIELD(name)                                                        \
	(h->wide ? container_get(b, offsetof(Elf64_Phdr, name), 8, h->big) \
		 : container_get(b, offsetof(Elf32_Phdr, name), 4, h->big))
	s.offset = FIELD(p_offset);
	s.len = FIELD(p_filesz);
	s.vaddr = FIELD(p_vaddr);
	s.paddr = FIELD(p_paddr);
	s.memory = FIELD(p_memsz);
#undef FIELD
	s.flags = (uint32_t)container_get(b,
					  h->wide ? offsetof(Elf64_Phdr, p_flags)
						  : offsetof(Elf32_Phdr, p_flags),
					  4, h->big);
	return s;
}

static int add(struct elf *elf, const struct elf_segment *segment)
{
	/* Doubles at each power of two. */
	if ((elf->nr & (elf->nr - 1)) == 0) {
		size_t cap = elf->nr ? elf->nr * 2 : 1;
		struct elf_segment *more = reallocarray(elf->segments, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		elf->segments = more;
	}
	elf->segments[elf->nr++] = *segment;
	return 0;
}

static int read_table(struct elf *elf, struct source *source, const struct header *h)
{
	size_t size = h->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	uint64_t nr = real_count(source, h), known = nr;
	uint64_t stop = UINT64_MAX;
	uint8_t raw[sizeof(Elf64_Phdr)];

	for (uint64_t i = 0; i < nr; i++) {
		uint64_t at = h->phoff + i * size;
		struct elf_segment s;
		uint32_t type;
		long got;
		int err;

		if (elf->nr == SEGMENTS_MAX || i == 4 * SEGMENTS_MAX) {
			*elf->flags |= SCAN_INCOMPLETE;
			break;
		}
		if (known == UINT32_MAX && at + size > stop)
			break;
		got = at < h->phoff ? 0 : source_read(source, raw, size, at);
		if (got < 0 && got != -ESPIPE)
			return (int)got;
		if (got < (long)size) {
			*elf->flags |= SCAN_TRUNCATED;
			break;
		}
		s = parse_phdr((struct bytes){raw, size}, h, &type);
		if (type != PT_NULL && s.offset > at && s.offset < stop)
			stop = s.offset;
		if (type == PT_NOTE && s.len) {
			err = elf_notes_add(&elf->notes, s.offset, s.len);
			if (err < 0)
				return err;
		}
		if (type != PT_LOAD)
			continue;
		err = add(elf, &s);
		if (err < 0)
			return err;
	}
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct elf_segment *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/*
 * Entries that lie over each other would have the same bytes read again and again; some overlap is
 * normal, as page tables of kernels show the same memory twice. Beyond that the table is not
 * believed.
 */
static bool covers_too_much(const struct elf *elf, uint64_t size)
{
	uint64_t sum = 0, end = 0;

	for (size_t i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->segments[i];
		uint64_t in;

		if (s->offset >= size)
			continue;
		in = s->len < size - s->offset ? s->len : size - s->offset;
		if (sum + in < sum)
			return true;
		sum += in;
		end = s->offset + in > end ? s->offset + in : end;
	}
	return sum / 2 > end;
}

/*
 * Pages of files that are as in the file are left out by default, and that is no loss; neither is
 * what nobody may write to. Of other memory it is one (madvise(MADV_DONTDUMP)).
 */
static void drop_empty(struct elf *elf)
{
	size_t nr = 0;

	for (size_t i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->len < s->memory && s->flags & PF_W && !elf->notes.vmcore &&
		    !elf_notes_in_file(&elf->notes, s->vaddr, s->vaddr + s->memory))
			*elf->flags |= SCAN_FILTERED;
		if (s->len)
			elf->segments[nr++] = *s;
	}
	elf->nr = nr;
}

static void close_elf(void *state)
{
	struct elf *elf = state;

	if (!elf)
		return;
	elf_notes_fini(&elf->notes);
	free(elf->segments);
	free(elf);
}

static int open_elf(struct source *source, const struct container_context *context,
		    struct scan_about *about, uint64_t *flags, void **out_state)
{
	struct elf *elf;
	struct header h = {.wide = false};
	int r = read_header(source, &h);

	if (r <= 0)
		return r;
	elf = calloc(1, sizeof(*elf));
	if (!elf)
		return -ENOMEM;
	elf->flags = flags;
	elf->notes = (struct elf_notes){.wide = h.wide, .big = h.big, .machine = h.machine};
	r = read_table(elf, source, &h);
	if (r < 0) {
		close_elf(elf);
		return r;
	}
	if (elf->nr)
		qsort(elf->segments, elf->nr, sizeof(*elf->segments), by_offset);
	if (!elf->nr || covers_too_much(elf, source_size(source))) {
		close_elf(elf);
		return 0;
	}
	about->bits = h.wide ? 64 : 32;
	about->big_endian = h.big;
	r = elf_notes_read(&elf->notes, source, about, flags);
	if (r < 0) {
		close_elf(elf);
		return r;
	}
	if (elf->notes.vmcore)
		about->container = CONTAINER_VMCORE;
	elf_notes_name(&elf->notes, elf->segments, elf->nr, source, about);
	drop_empty(elf);
	*flags |= SCAN_CORE;
	*out_state = elf;
	return 1;
}

static int next_elf(void *state, struct segment *out_segment)
{
	struct elf *elf = state;
	const struct elf_segment *s;

	if (elf->at == elf->nr)
		return 0;
	s = &elf->segments[elf->at++];
	*out_segment = (struct segment){
		.offset = s->offset,
		.len = s->len,
		/* A kernel's core of one that has no page tables yet says physical addresses only.
		 */
		.vaddr = s->vaddr || !elf->notes.vmcore ? s->vaddr : s->paddr,
		.has_vaddr = true,
		.kind = elf->notes.vmcore ? SEGMENT_PHYSICAL : elf_notes_kind(&elf->notes, s),
	};
	return 1;
}

const struct container_type container_elf = {
	.container = CONTAINER_ELF,
	.align = 8,
	.is = is_elf_core,
	.open = open_elf,
	.next = next_elf,
	.close = close_elf,
};
