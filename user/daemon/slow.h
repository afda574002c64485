/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File systems that may not answer (mounts_type_answers()): watched places on them are walked and
 * marked by children, a few at a time, so that one that hangs keeps nobody waiting but its child.
 * A child that says nothing for a while is ended, and the place is told to be silent; it is tried
 * again later. What is marked already stays so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct slow;
struct watcher;

struct slow_ops {
	/* In the child: `slot` (from 1) is its own to mark by. */
	void (*enter)(void *userdata, unsigned slot);
	/* In the parent: it has ended. */
	void (*ended)(void *userdata, unsigned slot);
	/* The first place does not answer (path), or all do again (NULL). */
	void (*silent)(void *userdata, const char *path);
};

enum slow_state {
	SLOW_WAITING, /* for its turn */
	SLOW_WALKING,
	SLOW_SEEN,
	SLOW_PARTLY, /* some of it could not be marked */
	SLOW_SILENT, /* did not answer */
	SLOW_STATE_NR
};

struct slow_place {
	const char *path; /* raw bytes */
	enum slow_state state;
};

int slow_new(sd_event *loop, struct watcher *watcher, const struct slow_ops *ops, void *userdata,
	     struct slow **out_slow);
void slow_free(struct slow *slow); /* ends children, and waits for none */

/* A place to be walked, or something in one that is known. False: there are too many. */
bool slow_add(struct slow *slow, const char *path);

/* Another set is about to be put in force, and has been: what was not added between is forgotten.
 */
void slow_begin(struct slow *slow);
void slow_end(struct slow *slow);

/* Once a second. */
void slow_second(struct slow *slow);

const char *slow_state_str(enum slow_state state); /* "waiting", ... */
void slow_each(const struct slow *slow,
	       void (*call)(void *userdata, const struct slow_place *place), void *userdata);
uint64_t slow_left_out(const struct slow *slow); /* places for which there was no room */
