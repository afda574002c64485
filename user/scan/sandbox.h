/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shuts the calling process in before it touches hostile bytes: what is left is to read descriptors
 * 0 and 3, to write descriptor 1, to compute, and to end.
 *
 * Call with one thread (limits->threads makes more), after libcrypto is initialised and all but
 * descriptors 0..3 are closed. There is no way back; a forbidden system call kills the process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum scan_layer {
	SCAN_LAYER_USER = 1 << 0, /* no longer root: child_user(), no other groups */
	SCAN_LAYER_BOUNDING = 1 << 1, /* the bounding set of capabilities is empty */
	SCAN_LAYER_LANDLOCK = 1 << 2, /* 5.13 and later: no file, no port */
	SCAN_LAYER_MLOCK = 1 << 3, /* no page of it goes to swap */
};

struct scan_limits {
	uint64_t memory; /* bytes of address space */
	uint32_t cpu_seconds;
	bool refuse_files; /* opening one is an error, and not the end: libraries look for
			      configuration (iconv, for names in archives) */
	/* Starts threads, which are shut in with the caller, and returns when they run. NULL is
	 * fine. Below 0: as if a layer could not be had. */
	int (*threads)(void *userdata);
	void *userdata;
};

/*
 * Negative errno if one of the layers that are always there (no new privileges, no capabilities,
 * rlimits, not dumpable, dies with its parent, seccomp) could not be had: the caller must not look
 * at anything then. *out_layers: which of the others hold, 0 is sound too; may be NULL.
 */
int scan_sandbox_enter(const struct scan_limits *limits, unsigned *out_layers);
