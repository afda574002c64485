/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scans a dump for private keys: its segments, window by window, through all detectors. Memory in
 * use does not grow with the dump; windows are wiped at the end, findings hold no key bytes.
 */
#pragma once

#include "scan/finding.h"

/*
 * fd: seekable, read by position. `found` gets each finding, in the end one of FINDING_END; it
 * may be called with the same key several times, once for each place. 0, -ENOMEM, the errno of
 * reading, or what `found` returned below 0, which ends the scan.
 */
int dump_scan(int fd, int (*found)(void *userdata, const struct finding *finding), void *userdata);
