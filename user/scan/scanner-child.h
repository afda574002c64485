/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scanner's own process: the dump is descriptor 0, the channel descriptor 1, a living process'
 * /proc/PID/maps descriptor 3; nothing else is open. */
#pragma once

#include <stdint.h>

#include "scan/dump.h"

#define SCANNER_CPU_SECONDS (6 * 3600)

/*
 * Shuts the process in (sandbox.h), scans, says what it found, ends. Call with one thread, after
 * libcrypto is initialised.
 */
__attribute__((noreturn)) void scanner_child(struct dump_input *dump, uint32_t cpu_seconds);
