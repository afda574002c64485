/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Scripts that the kernel itself starts, by their first line: see script.bpf.c. */
#pragma once

#include "state.h"

/* The current process has a new image, by an exec of `bprm`, a number for the pointer. Tells which
 * script it runs, if the kernel read one on the way. */
int report_script(kt_u64 bprm);

/* The process has ended. */
int script_end(kt_u32 tgid);

extern kt_u32 nr_scripts;
