/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What was read leaves: see leave.bpf.c. */
#pragma once

#include "access.h"
#include "holders.h"

/* Reports that the current process, a holder, opened `file` for writing where others get at it. */
int report_mount_write(kt_u64 file);

/* A file is opened for writing. Nearly always by nobody of interest. */
static __always_inline void leaving_open(struct file *file)
{
	if (holder_test(bpf_get_current_pid_tgid() >> 32))
		report_mount_write(addr_of(file));
}
