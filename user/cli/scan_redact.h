/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A copy of a dump without its keys. The walled-in scanner says which ranges have to go; they are
 * overwritten with `X`; and a scan of the copy is the proof.
 */
#pragma once

#include <stdint.h>

#include "scan/detector.h"
#include "scan/finding.h"

struct redaction {
	uint64_t ranges, bytes; /* overwritten */
	unsigned rounds; /* until nothing was left */
	uint64_t untried[UNTRIED_NR]; /* after -EOVERFLOW, and only then: of what how much */
};

/*
 * fd: the dump, a file. path: made anew with mode 0600; never one that exists. Until all is done
 * there is no file of this name; where the file system has none without a name, what becomes it is
 * called NAME.part, and is removed on failure. Holes stay holes. 0, or: -ENOTSUP the dump is
 * packed, an archive or no file, so that offsets in it are none of the file's; -E2BIG more keys
 * than can be redacted; -EILSEQ keys are still found afterwards; -EOVERFLOW not all that is left
 * was tried as keys; -EEXIST; and what scanner_read() returns. Forks; call with one thread. Takes
 * more time than a scan of the same dump: what may be a key is tried for longer
 * (scan_options.patient).
 */
int scan_redact(int fd, const struct scan_options *options, const char *path,
		struct redaction *out_redaction);

/* As scanner_strerror(), for what only this can return. */
const char *scan_redact_strerror(int error);
