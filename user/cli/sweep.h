/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Searches the memory of living processes for keys, one sandboxed scanner for each
 * (scan/scanner.h), and looks up what the pages are that hold them. For `keytrail sweep` and
 * `keytrail doctor`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/scan_known.h"
#include "doctor/process.h"
#include "scan/detector.h"

#define SWEEP_SECONDS 600 /* of processor time for one process, unless it is said otherwise */

struct sweep_config {
	const struct root *root; /* "/": whose /proc it is */
	const struct scan_known *known;
	struct scan_options scan;
	bool only_known; /* only keys that a needle names */
	bool progress; /* shown on a terminal */
	uint64_t cpu_seconds; /* for one process; 0: no bound but the scanner's own */
};

struct sweep_counts {
	size_t looked_at; /* to the end */
	size_t holders; /* of them those in which keys were found */
	size_t partly; /* looked at, but not all of it */
	size_t gone; /* ended meanwhile: nothing is said of them */
	size_t denied, failed; /* not looked at */
	size_t kernel_threads; /* have no memory of their own */
};

/*
 * facts: with `swept` and its keys; the callee's to process_facts_fini(). NULL: the process was not
 * looked at; error is -EACCES and the like, or one for scanner_strerror(). What it returns below 0
 * ends the sweep.
 */
typedef int (*sweep_fn)(void *userdata, uint32_t pid, struct process_facts *facts, int error);

/* In the order of `pids`; this process itself is passed over. 0, -ENOMEM, or what `each` returned.
 */
int sweep(const struct sweep_config *config, const uint32_t *pids, size_t nr, sweep_fn each,
	  void *userdata, struct sweep_counts *out_counts);

/* All processes that /proc shows, ascending; the list is the caller's to free. 0 or -errno. */
int sweep_list(const struct root *root, uint32_t **out_pids, size_t *out_nr);

/* "1234" -> 1234; false if it is no process id. */
bool sweep_pid(const char *text, uint32_t *out_pid);
