/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line from a client of the control socket, parsed. The protocol: docs/control.md.
 *
 * Strict: an unknown key is an error, so that a mistyped filter is not taken for none. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sinks/store.h"

#define CONTROL_VERSION	      1
#define CONTROL_REQUEST_MAX   65536 /* bytes of a request line */
#define CONTROL_LIMIT_DEFAULT 100 /* alerts */

enum control_verb {
	CONTROL_STATUS = 1,
	CONTROL_ALERTS,
	CONTROL_RELOAD,
	CONTROL_HOLDERS,
	CONTROL_VERB_NR
};

const char *control_verb_str(enum control_verb verb);

struct control_request {
	enum control_verb verb;
	int64_t id; /* of the client's choice, given back in each reply; 0 if it gave none */
	/* CONTROL_ALERTS */
	struct store_query query; /* `after` is 0 */
	uint64_t limit; /* the newest so many */
	bool follow;
};

/*
 * 0; -EINVAL with a message for the client in `error`, escaped; -ENOMEM. out_request->id is set
 * even on failure, if it could be read.
 */
int control_request_parse(const char *line, size_t len, struct control_request *out_request,
			  char *error, size_t error_size);
