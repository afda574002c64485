// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notes of ELF cores: whose memory it was, and which of it is heap, stack and files. Layouts are
 * those of the kernel's struct elf_prstatus and elf_prpsinfo, and of fill_files_note().
 */
#include <elf.h>
#include <string.h>

#include "base/escape.h"
#include "scan/container-elf.h"

#define NOTES_MAX 65536
#define FILES_MAX (4 << 20) /* bytes of the note of mapped files, as the kernel has it */

#ifndef NT_FILE
#define NT_FILE 0x46494c45
#endif
#ifndef NT_SIGINFO
#define NT_SIGINFO 0x53494749
#endif

struct reader {
	struct elf_notes *notes;
	struct source *source;
	struct scan_about *about;
	uint64_t *flags;
	unsigned nr;
};

struct note {
	uint32_t type;
	uint64_t at, len; /* of the description */
	char name[16]; /* cut */
};

int elf_notes_add(struct elf_notes *notes, uint64_t offset, uint64_t len)
{
	if (notes->nr_parts < ELF_NOTE_PARTS && offset + len >= offset)
		notes->parts[notes->nr_parts++] = (struct elf_range){offset, offset + len};
	return 0;
}

void elf_notes_fini(struct elf_notes *notes)
{
	free(notes->files);
	free(notes->names);
	free(notes->stacks);
}

/* The first bytes of a description, zeros where it is shorter. */
static int peek(const struct reader *r, const struct note *note, uint8_t *out, size_t len)
{
	long got;

	memset(out, 0, len);
	got = source_read(r->source, out, note->len < len ? (size_t)note->len : len, note->at);
	return got < 0 ? (int)got : 0;
}

static uint64_t word(const struct elf_notes *notes, struct bytes b, size_t at)
{
	return container_get(b, at, notes->wide ? 8 : 4, notes->big);
}

/* pr_reg follows the signal masks, four pids and four times; -1 for other machines. */
static int stack_pointer_at(const struct elf_notes *notes)
{
	switch (notes->machine) {
	case EM_X86_64:
		return notes->wide ? 112 + 19 * 8 : -1;
	case EM_AARCH64:
		return 112 + 31 * 8;
	case EM_386:
		return 72 + 15 * 4;
	case EM_ARM:
		return 72 + 13 * 4;
	case EM_PPC64:
		return 112 + 8;
	case EM_S390:
		return notes->wide ? 112 + 16 + 15 * 8 : -1;
	case EM_RISCV:
		return notes->wide ? 112 + 2 * 8 : -1;
	default:
		return -1;
	}
}

static int on_prstatus(struct reader *r, const struct note *note)
{
	struct elf_notes *notes = r->notes;
	int at = stack_pointer_at(notes);
	uint8_t raw[400];
	struct bytes b = {raw, sizeof(raw)};
	int err = peek(r, note, raw, sizeof(raw));

	if (err < 0)
		return err;
	/* The thread that died comes first. */
	if (!r->about->threads++)
		r->about->signal = (uint8_t)container_get(b, 0, 4, notes->big);
	if (at < 0 || notes->nr_stacks == ELF_STACKS)
		return 0;
	if (!notes->stacks)
		notes->stacks = calloc(ELF_STACKS, sizeof(*notes->stacks));
	if (!notes->stacks)
		return -ENOMEM;
	notes->stacks[notes->nr_stacks++] = word(notes, b, (size_t)at);
	return 0;
}

static int on_prpsinfo(struct reader *r, const struct note *note)
{
	/* 64 bits; 32 bits with uids of 32; with uids of 16 (x86, ARM). */
	size_t pid = r->notes->wide ? 24 : note->len >= 128 ? 16 : 12;
	size_t name = pid + 16;
	uint8_t raw[136];
	int err = peek(r, note, raw, sizeof(raw));

	if (err < 0)
		return err;
	r->about->pid =
		(uint32_t)container_get((struct bytes){raw, sizeof(raw)}, pid, 4, r->notes->big);
	escape_bytes((char *)raw + name, strnlen((char *)raw + name, 16), r->about->command,
		     sizeof(r->about->command), NULL);
	return 0;
}

static int on_auxv(struct reader *r, const struct note *note)
{
	size_t size = r->notes->wide ? 16 : 8;
	uint8_t raw[1024];
	struct bytes b = {raw, sizeof(raw)};
	int err = peek(r, note, raw, sizeof(raw));

	if (err < 0)
		return err;
	for (size_t at = 0; at + size <= sizeof(raw); at += size)
		if (word(r->notes, b, at) == AT_ENTRY)
			r->notes->entry = word(r->notes, b, at + size / 2);
	return 0;
}

/* count, page size, then start, end and page of each; then their names. */
static int on_file(struct reader *r, const struct note *note)
{
	struct elf_notes *notes = r->notes;
	size_t size = notes->wide ? 8 : 4;
	struct bytes b;
	uint64_t nr;
	long got;

	if (notes->names || note->len > FILES_MAX || note->len < 2 * size)
		return 0;
	notes->names = malloc((size_t)note->len);
	if (!notes->names)
		return -ENOMEM;
	got = source_read(r->source, notes->names, (size_t)note->len, note->at);
	if (got < 0)
		return (int)got;
	notes->names_len = (size_t)got;
	b = (struct bytes){notes->names, notes->names_len};
	nr = word(notes, b, 0);
	if (nr > notes->names_len / (3 * size))
		return 0;
	notes->files = calloc(nr ? nr : 1, sizeof(*notes->files));
	if (!notes->files)
		return -ENOMEM;
	notes->nr_files = nr;
	for (size_t i = 0; i < nr; i++)
		notes->files[i] = (struct elf_range){
			word(notes, b, (2 + 3 * i) * size),
			word(notes, b, (3 + 3 * i) * size),
		};
	return 0;
}

static int on_note(struct reader *r, const struct note *note)
{
	if (!strcmp(note->name, "VMCOREINFO") || !strcmp(note->name, "QEMU") ||
	    !strcmp(note->name, "XEN") || !strcmp(note->name, "Xen"))
		r->notes->vmcore = true;
	if (!strcmp(note->name, "ERASEINFO"))
		*r->flags |= SCAN_ERASED;
	if (strcmp(note->name, "CORE") != 0)
		return 0;
	switch (note->type) {
	case NT_PRSTATUS:
		return on_prstatus(r, note);
	case NT_PRPSINFO:
		return on_prpsinfo(r, note);
	case NT_AUXV:
		return on_auxv(r, note);
	case NT_FILE:
		return on_file(r, note);
	default:
		return 0;
	}
}

static int read_part(struct reader *r, const struct elf_range *part)
{
	uint64_t at = part->start;

	while (part->end - at >= 12 && r->nr++ < NOTES_MAX) {
		uint8_t raw[12 + 16] = {0};
		struct bytes b = {raw, sizeof(raw)};
		uint64_t left = part->end - at, name_len;
		struct note note;
		long got = source_read(r->source, raw, left < sizeof(raw) ? left : sizeof(raw), at);
		int err;

		if (got < 0)
			return (int)got;
		if (got < 12)
			break;
		name_len = container_get(b, 0, 4, r->notes->big);
		note.len = container_get(b, 4, 4, r->notes->big);
		note.type = (uint32_t)container_get(b, 8, 4, r->notes->big);
		memcpy(note.name, raw + 12, 15);
		note.name[15] = '\0';
		if (name_len < 15)
			note.name[name_len] = '\0';
		note.at = at + 12 + (name_len + 3) / 4 * 4;
		if (note.at > part->end || note.len > part->end - note.at)
			break;
		err = on_note(r, &note);
		if (err < 0)
			return err;
		at = note.at + (note.len + 3) / 4 * 4;
		if (at > part->end)
			break;
	}
	return 0;
}

int elf_notes_read(struct elf_notes *notes, struct source *source, struct scan_about *about,
		   uint64_t *flags)
{
	struct reader r = {notes, source, about, flags, 0};
	int err = 0;

	for (size_t i = 0; i < notes->nr_parts && !err; i++) {
		/* Of a stream only what is kept can be read without losing the memory before it. */
		if (!source_seekable(source) && notes->parts[i].end > SOURCE_KEPT)
			continue;
		err = read_part(&r, &notes->parts[i]);
	}
	return err;
}

/* --- the executable --- */

/* Names follow each other as the files do. NULL at the end. */
static const char *next_name(const struct elf_notes *notes, size_t *at)
{
	const char *name = (const char *)notes->names + *at;
	size_t len;

	if (*at >= notes->names_len)
		return NULL;
	len = strnlen(name, notes->names_len - *at);
	if (*at + len == notes->names_len)
		return NULL;
	*at += len + 1;
	return name;
}

static size_t names_begin(const struct elf_notes *notes)
{
	return (2 + 3 * notes->nr_files) * (notes->wide ? 8 : 4);
}

/* The file that the program's entry point is in. */
static const char *exe_name(const struct elf_notes *notes)
{
	size_t at = names_begin(notes);

	for (size_t i = 0; i < notes->nr_files; i++) {
		const char *name = next_name(notes, &at);

		if (!name)
			break;
		if (notes->entry >= notes->files[i].start && notes->entry < notes->files[i].end)
			return name;
	}
	return NULL;
}

/* From its first mapping to its last. */
static struct elf_range exe_range(const struct elf_notes *notes, const char *exe)
{
	struct elf_range range = {0, 0};
	size_t at = names_begin(notes);

	for (size_t i = 0; i < notes->nr_files; i++) {
		const char *name = next_name(notes, &at);

		if (!name)
			break;
		if (strcmp(name, exe) != 0)
			continue;
		if (!range.end)
			range = notes->files[i];
		if (notes->files[i].end > range.end)
			range.end = notes->files[i].end;
	}
	return range;
}

static void hex(const uint8_t *p, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* The note NT_GNU_BUILD_ID in the first page of a mapped program. */
static void find_build_id(const struct elf_notes *notes, struct bytes page,
			  char out[sizeof(((struct scan_about *)0)->build_id)])
{
	static const uint8_t gnu[] = {'G', 'N', 'U', 0};

	if (page.len < 64 || memcmp(page.p, ELFMAG, SELFMAG) != 0)
		return;
	for (size_t at = 0; at + 16 + 4 <= page.len; at += 4) {
		size_t len = (size_t)container_get(page, at + 4, 4, notes->big);

		if (container_get(page, at, 4, notes->big) != sizeof(gnu) ||
		    container_get(page, at + 8, 4, notes->big) != NT_GNU_BUILD_ID ||
		    memcmp(page.p + at + 12, gnu, sizeof(gnu)) != 0 || len < 4 || len > 20 ||
		    len > page.len - at - 16)
			continue;
		hex(page.p + at + 16, len, out);
		return;
	}
}

static void read_build_id(const struct elf_notes *notes, const struct elf_segment *segments,
			  size_t nr, struct source *source, struct scan_about *about)
{
	uint8_t page[4096];
	long got;

	for (size_t i = 0; i < nr; i++) {
		if (segments[i].vaddr != notes->exe.start || !segments[i].len)
			continue;
		if (!source_seekable(source) && segments[i].offset > SOURCE_KEPT - sizeof(page))
			return;
		got = source_read(source, page,
				  segments[i].len < sizeof(page) ? (size_t)segments[i].len
								 : sizeof(page),
				  segments[i].offset);
		if (got > 0)
			find_build_id(notes, (struct bytes){page, (size_t)got}, about->build_id);
		return;
	}
}

/* The brk heap is the first memory of no file behind the executable, before the next file's. */
static uint64_t find_heap(const struct elf_notes *notes, const struct elf_segment *segments,
			  size_t nr)
{
	uint64_t best = 0, next = UINT64_MAX;

	for (size_t i = 0; i < notes->nr_files; i++)
		if (notes->files[i].start >= notes->exe.end && notes->files[i].start < next)
			next = notes->files[i].start;
	for (size_t i = 0; i < nr; i++) {
		const struct elf_segment *s = &segments[i];

		if (s->vaddr > notes->exe.end && s->vaddr < next && s->flags & PF_W &&
		    (!best || s->vaddr < best))
			best = s->vaddr;
	}
	return best;
}

static int by_start(const void *a, const void *b)
{
	const struct elf_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void elf_notes_name(struct elf_notes *notes, const struct elf_segment *segments, size_t nr,
		    struct source *source, struct scan_about *about)
{
	const char *name = notes->names ? exe_name(notes) : NULL;

	if (name) {
		escape_bytes(name, strlen(name), about->exe, sizeof(about->exe), NULL);
		notes->exe = exe_range(notes, name);
		read_build_id(notes, segments, nr, source, about);
		notes->heap = find_heap(notes, segments, nr);
	}
	/* For the search by address; the names do not matter any more. */
	if (notes->nr_files)
		qsort(notes->files, notes->nr_files, sizeof(*notes->files), by_start);
}

bool elf_notes_in_file(const struct elf_notes *notes, uint64_t start, uint64_t end)
{
	size_t low = 0, high = notes->nr_files;

	/* The last file that starts before `end`. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (notes->files[middle].start < end)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && notes->files[low - 1].end > start;
}

enum segment_kind elf_notes_kind(const struct elf_notes *notes, const struct elf_segment *segment)
{
	uint64_t start = segment->vaddr, end = start + segment->len;

	for (size_t i = 0; i < notes->nr_stacks; i++)
		if (notes->stacks[i] >= start && notes->stacks[i] < end)
			return SEGMENT_STACK;
	if (notes->heap && start == notes->heap)
		return SEGMENT_HEAP;
	if (elf_notes_in_file(notes, start, end))
		return SEGMENT_FILE;
	return notes->nr_files || notes->nr_stacks ? SEGMENT_ANON : SEGMENT_UNKNOWN;
}
