/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of each line of a trace, as a table that writer, reader and docs test share. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

enum trace_kind {
	TRACE_U16,
	TRACE_U32,
	TRACE_U64,
	TRACE_BOOL,
	TRACE_WORD, /* an enum by its word */
	TRACE_SPAN, /* struct span */
	TRACE_CHARS, /* char[size], NUL terminated */
	TRACE_ADDR, /* uint8_t[TRACE_ADDR_LEN] in hex, without zeroes at its end */
	TRACE_SPKI, /* key_identity.spki with has_spki, in hex */
};

#define TRACE_ADDR_LEN 16

struct trace_field {
	const char *name;
	uint16_t offset; /* in struct event */
	uint16_t size; /* TRACE_CHARS: of the array */
	uint8_t kind; /* enum trace_kind */
	uint8_t first, nr; /* TRACE_WORD: lowest value, and first beyond */
	uint32_t preset; /* value of a number or word that is not written */
	const char *(*word)(unsigned value);
};

struct trace_fields {
	const struct trace_field *fields;
	size_t nr;
};

/* Of every event. */
struct trace_fields trace_common_fields(void);
/* Of one type; nr 0 for a type that there is not. */
struct trace_fields trace_type_fields(enum event_type type);
