/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the scanner that is a program and the one that is a fork share; nobody else includes this.
 */
#pragma once

#include "scan/channel.h"
#include "scan/process.h"
#include "scan/scanner.h"

struct scanner {
	struct scan_process process;
	int fd;
	int error; /* 1: not known yet */
	struct channel_reader channel;
};

/* Without a process yet. *out: the child's end of its channel, the caller's. 0, or -errno. */
int scanner_new(struct scanner **out_scanner, int *out);

uint32_t scanner_cpu_seconds(const struct scanner_input *input);
