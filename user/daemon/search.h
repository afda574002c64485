/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for private keys by what they are, in homes and in the policy's trees: has a child
 * look (search/search.h), has what begins as a key read in the sandbox (scan/child.h), and has keys
 * watched that no name leads to, under the policy's entry of class found-key.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"

struct app;
struct search_watch;

int search_watch_new(struct app *app, struct search_watch **out_search);
void search_watch_free(struct search_watch *search); /* ends the child */

/* Another policy is in force: what it wants begins in a moment. */
void search_watch_policy(struct search_watch *search);

/* Once a second. */
void search_watch_second(struct search_watch *search);

/* Something was mounted, or a home became known: soon worth a look. */
void search_watch_soon(struct search_watch *search);

/* Whether this is a deed of the child that searches: nothing to tell of. */
bool search_watch_is(const struct search_watch *search, const struct subject *subject);

/* For the status (docs/control.md). */
json_t *search_json(const struct search_watch *search);
