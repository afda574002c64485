/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys that the policy names (settings.scan.needles): read and checked once, passed to scanners as
 * a file in memory, so that all of one scan speak of the same list whatever becomes of the file.
 */
#pragma once

#include <stddef.h>

#include "model/tokenrule.h"
#include "scanq/scan_verdict.h"

struct known_list;

struct known {
	struct known_list *list; /* shared, counted; NULL: no needles */
	struct token_rules rules; /* of a copy: as they stood when the scan began */
};

void known_init(struct known *known);
void known_fini(struct known *known);

/* path "": none. On failure what was known before is gone: it is logged, -errno. */
int known_load(struct known *known, const char *path);

/* For one scan: the list as it is now, and the names of the token rules. -ENOMEM. */
int known_copy(const struct known *from, struct known *out_copy);

int known_fd(const struct known *known); /* -1: none; stays its own */
size_t known_count(const struct known *known);

/* Puts labels, zones and names of rules to what was found; they last as long as `known`. */
void known_names(const struct known *known, struct scan_verdict *verdict);
