/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trail of a key, as a graph: things that can hold its bytes, and the ways on which they went
 * from one to another. Plain values; made by graph.h, kept by store.h, shown by render.h.
 *
 * An edge points the way the bytes went. It is about one key, and says how it is known:
 * `observed`, a probe saw the deed; `confirmed`, the key was found in the content; `inferred`, a
 * rule says so, which is named. Texts are escaped (base/escape.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/digests.h"

/* Longest name of a node, with NUL: "host/process/boot/pid.start.image". */
#define TRAIL_NAME_MAX 160
#define TRAIL_KEYS_MAX 4 /* of one process or file that are followed */

enum trail_node_kind {
	TRAIL_KEY = 1,
	TRAIL_FILE, /* a key file, a copy, an archive */
	TRAIL_DUMP,
	TRAIL_PROCESS, /* one image of a process, with its memory */
	TRAIL_DESTINATION, /* another host, another process's socket, a mount */
	TRAIL_NODE_NR
};

enum trail_edge_kind {
	TRAIL_HOLDS = 1, /* key -> file: it is kept there */
	TRAIL_READ, /* file -> process */
	TRAIL_INHERITED, /* process -> its child, that has a copy of its memory */
	TRAIL_MEMORY_READ, /* process -> process */
	TRAIL_CRASHED_INTO, /* process -> dump, or who it was handed to */
	TRAIL_WROTE, /* process -> file */
	TRAIL_FOUND_IN, /* key -> file: a scan found it there */
	TRAIL_RENAMED, /* file -> itself, under another name */
	TRAIL_DUMP_READ, /* dump -> process */
	TRAIL_SENT, /* process -> destination */
	TRAIL_SAME, /* file -> file, of this host or another: the same bytes */
	TRAIL_EDGE_NR
};

enum trail_evidence { TRAIL_OBSERVED = 1, TRAIL_CONFIRMED, TRAIL_INFERRED, TRAIL_EVIDENCE_NR };

enum trail_state { /* of a file, by the latest scan */
		   TRAIL_UNSCANNED = 0,
		   TRAIL_CLEAN,
		   TRAIL_WITH_KEY,
		   TRAIL_INCOMPLETE,
		   TRAIL_STATE_NR
};

/* Pointers may be NULL (nothing is known), and are valid during the call that hands a node over. */
/* Whether what ran was the program of its path each time it read: EXE_VERIFIED, and nobody else's
 * code or debugger in it. */
enum trail_verified { TRAIL_VERIFIED_UNTOLD = 0, TRAIL_VERIFIED, TRAIL_NOT_VERIFIED };

struct trail_node {
	const char *name; /* makes it this one; the same after a restart of the daemon */
	enum trail_node_kind kind;
	const char *host; /* not of keys: they are the same everywhere */
	const char *label; /* path; executable; address; fingerprint */
	const char *about; /* of a key: "ED25519 256 alice@work"; of a file: its watch entry */
	const char *unit, *container; /* of a process */
	uint32_t pid, uid, loginuid; /* of a process; UID_UNSET */
	uint64_t ended_ns; /* CLOCK_REALTIME; 0 = not that we know */
	enum trail_state state;
	enum trail_verified verified; /* of a process; UNTOLD: what is known stays */
	const struct digests *digests; /* of a file that was scanned; NULL: what is known stays */
};

struct trail_edge {
	enum trail_edge_kind kind;
	enum trail_evidence evidence;
	const char *key, *from, *to; /* names of nodes */
	const char *rule; /* word of the rule that inferred it, NULL = none */
	const char *detail; /* "open", "mmap", "3 places", NULL = none */
	uint64_t time_ns; /* CLOCK_REALTIME */
};

/* Something may not have been seen. */
struct trail_gap {
	const char *host, *cause;
	uint64_t from_ns, to_ns, count; /* CLOCK_REALTIME; count 0 = not known */
};

/* Who keeps or shows it. Nodes come before edges that name them; a node that comes again replaces
 * what was known of it, as far as it says something. */
struct trail_sink {
	void (*node)(void *ctx, const struct trail_node *node);
	void (*edge)(void *ctx, const struct trail_edge *edge);
	void (*gap)(void *ctx, const struct trail_gap *gap);
	/* What was known as `old` has turned out to be the key `name`. */
	void (*rekey)(void *ctx, const char *old, const char *name);
	void (*user)(void *ctx, const char *host, uint32_t uid, const char *name);
	/* How much is kept: a number that grows, or negative errno. */
	int64_t (*position)(void *ctx);
	/* Did a process read this file (its name, or `label`, which is its path, on `host`), as far
	 * as it was kept at this position? No clock is asked: it may have been set since. 1: yes;
	 * 0: not that it is kept; or negative errno. NULL, as is position: nothing is kept. */
	int (*was_read)(void *ctx, const char *name, const char *host, const char *label,
			int64_t position);
	/* An alert is about this node. */
	void (*alert)(void *ctx, const char *id, const char *type, const char *node);
	void *ctx;
};

/* Greppable words; "?" for a value out of range. */
const char *trail_node_kind_str(enum trail_node_kind kind);
const char *trail_edge_kind_str(enum trail_edge_kind kind);
const char *trail_evidence_str(enum trail_evidence evidence);
const char *trail_state_str(enum trail_state state);

/* What a rule's word stands for, for people; the word itself if it is none of ours. */
const char *trail_rule_text(const char *rule);
