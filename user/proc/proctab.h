/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process table: every image of every process, and where each came from.
 *
 * An image is what one exec (or fork) made of a process: (pid, start time, exec count). It is
 * linked to the image that it replaced and to the image of the parent that forked it, so the way
 * back to the login is there even when everybody on it has exited: an image stays as long as
 * something that lives descends from it, and some seconds more for records that come late.
 *
 * Records may come twice, late or in the wrong order (two rings, and the picture at start is taken
 * while events arrive), and may be lost; the same set of records gives the same table. What is
 * known better is never replaced by what is known worse, and what has ended stays ended.
 *
 * Bounded by a number of images. When a new one needs room, the first of these goes: the oldest
 * that has ended and has no descendant; the oldest that has ended; the oldest. An ancestry that
 * lost a link this way says that it is incomplete. Not thread safe; time is what the caller says,
 * CLOCK_BOOTTIME ns. After proctab_new() only strings that are new allocate.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"
#include "proc/strtab.h"

#define PROCTAB_NODES_DEFAULT 65536
/* How long an image without living descendants is kept after its end, ns. */
#define PROCTAB_LINGER_NS 10000000000ULL
/* Images of one process that are remembered: beyond it the ones in the middle go. */
#define PROCTAB_IMAGES_MAX 8

struct proctab;

/* Names an image across calls; one that is gone is told from a newer one in its place. Zero = none.
 */
struct proc_ref {
	uint32_t index;
	uint32_t generation;
};

/* What is known of an image. Strings belong to the table and live until its next change. */
struct proc_info {
	struct proc_id id;
	uint32_t uid, euid; /* UID_UNSET: not known */
	uint32_t loginuid, session;
	const struct str *exe; /* path; NULL = not known, or a kernel thread */
	const struct str *args; /* NUL separated, as given to the table */
	const struct str *cgroup;
	const struct str *script; /* for which the kernel started it; NULL = none, or not known */
	enum exe_trust script_trust;
	bool args_truncated;
	bool kernel_thread;
	bool ended;
	char comm[16];
};

struct proctab_stats {
	uint64_t nodes, nodes_max;
	uint64_t dropped_leaves, dropped_dead, dropped_live; /* for want of room, ever */
	uint64_t bytes; /* in use: images and strings */
	uint64_t strings_refused;
};

/* The string table must outlive this one, and may be shared. NULL: out of memory. */
struct proctab *proctab_new(uint32_t max_nodes, struct strtab *strings);
void proctab_free(struct proctab *tab);

/* Each takes one event in. What the event names is copied. */
struct proc_ref proctab_fork(struct proctab *tab, uint64_t time, const struct event_fork *ev);
/* EVENT_EXEC; at_start: EVENT_PROC. flags: of the event. */
struct proc_ref proctab_exec(struct proctab *tab, uint64_t time, uint32_t flags, bool at_start,
			     const struct event_exec *ev);
struct proc_ref proctab_script(struct proctab *tab, uint64_t time, const struct event_script *ev);
void proctab_exit(struct proctab *tab, uint64_t time, const struct event_exit *ev);
/* The subject of an access: normally known already; if not, the access itself tells enough. */
struct proc_ref proctab_access(struct proctab *tab, uint64_t time, uint32_t flags,
			       const struct event_access *ev);

/* Lets go of what has ended long enough ago. */
void proctab_tick(struct proctab *tab, uint64_t now);

struct proc_ref proctab_find(const struct proctab *tab, const struct proc_id *id);

/* Keeps an image (and so its ancestors) from being let go until proctab_unpin(); want of room wins.
 */
void proctab_pin(struct proctab *tab, struct proc_ref ref);
void proctab_unpin(struct proctab *tab, struct proc_ref ref);

/* False if the image is gone. */
bool proctab_info(const struct proctab *tab, struct proc_ref ref, struct proc_info *out_info);

/*
 * The image and its ancestors, nearest first: images that were replaced by exec within a process
 * count, the short life between fork and exec does not. At most `max` (> 8) are written; if there
 * are more, the eight farthest ones are kept and the middle is left out. *out_complete: nothing is
 * missing between the image and pid 1 of the host or a kernel thread. Returns the number written; 0
 * if the image is gone.
 */
size_t proctab_ancestry(const struct proctab *tab, struct proc_ref ref, struct proc_info *out_infos,
			size_t max, bool *out_complete);

void proctab_stats(const struct proctab *tab, struct proctab_stats *out_stats);
