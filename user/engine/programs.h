/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon has found out of executables. Bounded: the one told longest ago gives way. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

#define PROGRAMS_MAX	    1024
#define PROGRAM_DIGEST_MAX  80 /* with NUL */
#define PROGRAM_PACKAGE_MAX 128
#define PROGRAM_VERITY_MAX  144

struct program {
	struct inode_id inode;
	enum package_state state;
	char digest[PROGRAM_DIGEST_MAX]; /* "" = not known; cut if it was too long, as is package */
	char package[PROGRAM_PACKAGE_MAX];
	char verity[PROGRAM_VERITY_MAX];
	uint32_t next; /* of the table */
};

struct programs;

struct programs *programs_new(void); /* NULL = out of memory */
void programs_free(struct programs *programs);
void programs_set(struct programs *programs, const struct event_program *program);
/* NULL if not known. Valid until the next programs_set(). */
const struct program *programs_find(const struct programs *programs, const struct inode_id *inode);
size_t programs_bytes(const struct programs *programs);
