/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts of scans for programs: one JSON object for each dump (docs/scan.md), and SARIF 2.1.0. */
#pragma once

#include <jansson.h>

#include "scanq/scan_verdict.h"

/*
 * file: escaped. error: what is wrong where the dump could not be scanned, else NULL; then
 * `verdict` holds what was found up to there and may be NULL. A new reference; NULL without memory.
 */
json_t *scan_json(const char *file, const struct scan_verdict *verdict, const char *error);

/* The log of one run, to which each file's verdict is added. */
struct sarif {
	json_t *log, *results, *notifications; /* the last two are borrowed from the first */
	bool failed; /* something could not be added: the log is not whole */
};

int sarif_init(struct sarif *sarif); /* -ENOMEM */
void sarif_fini(struct sarif *sarif);

/* As scan_json(); path: as the user gave it, raw bytes. Of a dump that could not be scanned the log
 * says so. all: also keys that do not count, as notes. */
void sarif_add(struct sarif *sarif, const char *path, const struct scan_verdict *verdict,
	       const char *error, bool all);

int sarif_write(struct sarif *sarif, FILE *f); /* -ENOMEM: not whole; -EIO */
