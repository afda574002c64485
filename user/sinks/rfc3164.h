/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line of sinks/rfc5424.h in the framing that /dev/log understands:
 *
 *	<PRI>Mmm dd hh:mm:ss keytraild[pid]: SENTENCE [SD-ELEMENT]
 *
 * rsyslog's parser of /dev/log misreads RFC 5424 headers, journald keeps them as text. The element
 * is the same, byte for byte; the sentence comes first because people read it there. A "[SD-ID" in
 *the sentence (a file may be named so) becomes "(SD-ID": the first one of the line is the element.
 */
#pragma once

#include <stddef.h>

/*
 * `line` must come from rfc5424_format(); else -EBADMSG. Writes into `out` of `len` bytes at least
 * (the result is always shorter), without NUL. Returns the length. Pure.
 */
long rfc3164_from_rfc5424(const char *line, size_t len, char *out);
