/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the daemon's search for keys share; nobody else includes this. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/search.h"
#include "policy/policy.h"
#include "scan/process.h"
#include "search/channel.h"

struct scan_child;
struct search_owners;

enum search_state { SEARCH_IS_OFF, SEARCH_IS_WAITING, SEARCH_IS_UNDER_WAY, SEARCH_IS_BROKEN };

struct search_place {
	char *path;
	int mount;
};

#define SEARCH_BOUNDED_MAX 16 /* trees that are named */

/* Trees of which a search could not see all. */
struct search_bounded {
	char *paths[SEARCH_BOUNDED_MAX];
	size_t nr; /* all of them; the first ones are named */
};

struct search_watch {
	struct app *app;
	enum search_state state;
	struct scan_process child;
	int fd; /* -1: no child */
	sd_event_source *readable, *timeout;
	uint64_t said_s; /* its last sign of life; CLOCK_BOOTTIME, as all of these */
	bool continued; /* in this search: it had been stopped */
	uint64_t next_s; /* next search */
	uint64_t whole_s; /* the last one that read every directory was begun; 0 = none */
	bool whole, forget; /* the next, or this, search */
	struct search_place *places;
	size_t nr_places, at;
	struct search_counts so_far, last;
	struct search_bounded bounded, last_bounded; /* of this search, and the last */
	bool bounded_told, broken_told;
	uint64_t begun_ns, ended_ns; /* CLOCK_REALTIME; 0 = never */
	uint64_t searches, keys, test_keys, failed, left_out, unread;
	uint64_t unread_now; /* in this search */
	struct search_owners *owners;
	uint64_t places_apart; /* not searched: they may not answer */
	/* A file that is being looked into: */
	struct scan_child *reader;
	sd_event_source *reader_readable, *reader_timeout;
	int file;
	uint32_t owner;
	unsigned tries;
	char path[PATH_MAX];
};

/* search.c */
uint64_t search_now_s(void);
const struct discover_settings *search_settings(const struct search_watch *search);
/* To the child; one that does not take it is killed. */
void search_say(struct search_watch *search, const struct search_message *message);

/* search-places.c: the trees of this search, each by its own name, without links. */
void search_places_list(struct search_watch *search);
void search_places_free(struct search_watch *search);

/* search-file.c: what the child has named is read, watched if it is a key, and answered. */
void search_file_take(struct search_watch *search, const struct search_message *message);
void search_file_end(struct search_watch *search); /* without an answer */

/* search-told.c */
void search_note_bounded(struct search_watch *search); /* of the place that was sent last */
void search_bounded_free(struct search_bounded *bounded);
void search_tell_bounded(struct search_watch *search);
void search_tell_left_out(struct search_watch *search, int why); /* -ENOSPC, -EDQUOT */
void search_tell_broken(struct search_watch *search, const char *why, unsigned again_s);
void search_tell_done(struct search_watch *search); /* what was broken, or left out, is over */
void search_tell_off(struct search_watch *search);
