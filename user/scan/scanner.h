/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump_scan() behind the walls of sandbox.h, in a process of its own, for callers that may wait:
 * the bytes of a dump are hostile, and its findings come back through a checked channel.
 */
#pragma once

#include "scan/finding.h"

/*
 * Forks; call with one thread. fd: the dump, open for reading and seekable. found: called in this
 * process, as by dump_scan(). As dump_scan(); -EPERM: no walls; -ECHILD: the scanner died before
 * its last record; -EBADMSG: it said what is no finding.
 */
int scanner_run(int fd, int (*found)(void *userdata, const struct finding *finding),
		void *userdata);
