/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between container-elf.c and its reader of notes. */
#pragma once

#include "scan/container.h"

struct elf_segment {
	uint64_t offset, len, vaddr, paddr, memory;
	uint32_t flags;
};

struct elf_range {
	uint64_t start, end; /* addresses; of notes: positions */
};

#define ELF_NOTE_PARTS 64
#define ELF_STACKS     4096

struct elf_notes {
	bool wide, big;
	uint16_t machine;
	bool vmcore;
	struct elf_range parts[ELF_NOTE_PARTS]; /* PT_NOTE entries */
	size_t nr_parts;
	struct elf_range *files; /* mapped ones, as they stand in the note */
	size_t nr_files;
	uint8_t *names; /* the note of them, whole */
	size_t names_len;
	uint64_t *stacks; /* stack pointers of threads */
	size_t nr_stacks;
	uint64_t entry; /* of the executable; 0 = not said */
	struct elf_range exe; /* all of its mappings */
	uint64_t heap; /* where it begins; 0 = not known */
};

/* All: 0 or -ENOMEM, or the errno of reading. */
int elf_notes_add(struct elf_notes *notes, uint64_t offset, uint64_t len);
int elf_notes_read(struct elf_notes *notes, struct source *source, struct scan_about *about,
		   uint64_t *flags);
/* Finds the executable among the files, and its build id in memory. */
void elf_notes_name(struct elf_notes *notes, const struct elf_segment *segments, size_t nr,
		    struct source *source, struct scan_about *about);
enum segment_kind elf_notes_kind(const struct elf_notes *notes, const struct elf_segment *segment);
/* After elf_notes_name(): is a file mapped there? */
bool elf_notes_in_file(const struct elf_notes *notes, uint64_t start, uint64_t end);
void elf_notes_fini(struct elf_notes *notes);
