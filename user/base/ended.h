/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a process is over, asked of /proc. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the process tgid that began at `start` (CLOCK_BOOTTIME ns, task_struct.start_boottime) is
 * over: nothing has the number, another process has it, or all that is left of it waits for its
 * parent to ask how it ended. False also if that cannot be found out. Any thread; nothing is kept.
 */
bool proc_ended(uint32_t tgid, uint64_t start);
