/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scans a dump for private keys: unpacks it, finds its segments, and shows them window by window to
 * all detectors (detector.h). Memory in use does not grow with the dump; windows are wiped at the
 * end, findings hold no key bytes.
 */
#pragma once

#include "scan/about.h"
#include "scan/detector.h"

struct dump_input {
	int fd; /* as scanner_input's */
	int maps_fd;
	uint32_t pid;
	struct scan_options options;
	struct crew *crew; /* of dump_start() */
};

/* As scanner_events. One call at a time, from several threads. */
struct dump_events {
	int (*about)(void *userdata, const struct scan_about *about);
	int (*found)(void *userdata, const struct finding *finding);
	void (*progress)(void *userdata, uint64_t done, uint64_t total);
	/* With options.digests, between two dumps; the file's is the last. May be NULL. */
	int (*digest)(void *userdata, const struct scan_digest *digest);
};

/* Starts the threads that input->options asks for, or as many of them as there are to be had
 * (crew.h): behind the walls there are none. dump_scan() comes to the same findings with any number
 * of them, and ends some where memory has no room for them all; without this it does with the
 * calling thread. */
void dump_start(struct dump_input *input);
void dump_stop(struct dump_input *input);

/* 0, -ENOMEM, the errno of reading, or what a handler returned below 0, which ends the scan. */
int dump_scan(const struct dump_input *input, const struct dump_events *events, void *userdata);
