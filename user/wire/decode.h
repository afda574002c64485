/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the bytes of one ring record (bpf/wire.h) to an event. */
#pragma once

#include <stddef.h>

#include "model/event.h"

/*
 * Decodes the record of exactly `len` bytes at `buf` (any alignment). Pure: reads nothing but those
 * bytes, keeps nothing, allocates nothing. The event's spans point into `buf`.
 *
 * A string with a NUL inside (a name read while it was being changed) is cut there and the event is
 * flagged as incomplete: an access is never thrown away for the sake of its name.
 *
 *	-EMSGSIZE	   shorter than its type asks for, or header.size is not len
 *	-EPROTONOSUPPORT   another WIRE_VERSION
 *	-ENOMSG		   a type that this version does not have
 *	-EBADMSG	   a string outside of the record's tail, comm not terminated, enum out of
 *range -ENAMETOOLONG	   a string longer than its WIRE_*_MAX
 */
int wire_decode(const void *buf, size_t len, struct event *out_event);
