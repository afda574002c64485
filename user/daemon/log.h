/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the operator reads about the daemon itself, on standard error; systemd puts it into the
 * journal and takes the priority from the <N> in front (sd-daemon(3)). Alerts never come this way.
 */
#pragma once

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"

/* prefix: SD_ERR, SD_WARNING, SD_NOTICE, SD_INFO. One line, no newline at its end. */
void log_line(const char *prefix, const char *fmt, ...) _printf_(2, 3);
