/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has the object, once: accesses of one image to one object become one verdict.
 *
 * An open is pending until the image that opened is over (exec, exit) or SETTLE_WAIT_NS have
 * passed. What the kernel sees of the same image and object meanwhile (a mapping, a second open,
 * ...) joins it. If the process execs and its next image still has the object (ACCESS_EXEC_FD), the
 * opener only made way: `cat < key` is cat, handed by the shell's child, and not two accesses. If
 * the next image does not have it, the opener used it before. The same holds for a shell that opens
 * itself and then forks the child that execs with the descriptor. But nobody makes way for an image
 * that may read: else any program could read the key and then exec an allowed one with the
 * descriptor still open.
 *
 * An open for writing only, and one that created the file, reads nothing; nor does the creator by
 * mapping or passing over exec what it has just made.
 *
 * exec and exit come by another ring than accesses do. So they do not decide at once but
 * SETTLE_GRACE_NS later, and never before settle_tick(): who drains both rings first and then ticks
 * has lost no race. Time is CLOCK_BOOTTIME ns, told by the caller. Fixed memory; when there is no
 * room the oldest pending verdict is asked for at once, marked `early`. Not thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"
#include "proc/proctab.h"

#define SETTLE_WAIT_NS	     300000000ULL
#define SETTLE_GRACE_NS	     20000000ULL
#define SETTLE_SLOTS_DEFAULT 2048

struct settle;

/* One verdict to be made. Valid during the call. */
struct settled {
	/* The first one; mode, and why its subject is not trusted, are of all together. */
	struct event_access access;
	uint64_t time, last_time; /* of the first and the last one */
	uint32_t flags; /* enum event_flags, of the first */
	uint32_t cpu;
	uint64_t count; /* how many the kernel told */
	uint32_t hows; /* bit 1 << enum access_how for each way */
	struct proc_ref proc; /* as given */
	bool handed; /* an earlier image of this process, or its parent, had opened it: */
	struct proc_id handed_by;
	bool early; /* no room to wait */
	bool final; /* will not be asked again: "later" is no answer */
	uint64_t settled_at; /* when this was asked first; == now the first time */
	bool *noted; /* for who is asked: false at first, kept until it is done with */
};

/* Returns 0 when done with it, or the time at which to ask again. */
typedef uint64_t (*settle_fn)(void *ctx, const struct settled *settled, uint64_t now);

/* Whose reference is not needed any more: dropped or superseded without a verdict. May be NULL. */
typedef void (*settle_drop_fn)(void *ctx, const struct settled *settled);

/*
 * Whether the policy lets this subject read this object: asked once, when the access is told. As
 * long as that cannot be said of an image, nobody makes way for it either.
 */
enum settle_permit { PERMIT_NO, PERMIT_YES, PERMIT_UNKNOWN };
typedef enum settle_permit (*settle_permit_fn)(void *ctx, const struct event *access);

/* permits NULL: nobody may. */
struct settle *settle_new(uint32_t slots, settle_fn fn, settle_drop_fn drop,
			  settle_permit_fn permits, void *ctx);
void settle_free(struct settle *settle);

/*
 * An access. `over`: its image is known to have ended already. Returns true if `proc` was kept: it
 * comes back in the verdict or in a drop, exactly once.
 */
bool settle_access(struct settle *settle, const struct event *ev, struct proc_ref proc, bool over);
/*
 * The image opened the object once more, and that is not told: what it made itself is not its own
 * any longer, since somebody else may have put something there.
 */
void settle_reopened(struct settle *settle, const struct proc_id *id, uint64_t object);
/* `id` is the new image. */
void settle_exec(struct settle *settle, const struct proc_id *id, uint64_t time);
void settle_exit(struct settle *settle, const struct proc_id *id, uint64_t time);

/* Is a verdict on this image and object still to come? */
bool settle_pending(const struct settle *settle, const struct proc_id *id, uint64_t object);

/*
 * What is known of the executables of those that wait, looked at once more: another policy asks
 * about others. fn may change exe_trust, and why the subject is not trusted.
 */
typedef void (*settle_trust_fn)(void *ctx, struct event_access *access);
void settle_ask_trust(struct settle *settle, settle_trust_fn fn, void *ctx);

/* Asks at the next tick again for verdicts on this object that wait. */
void settle_poke(struct settle *settle, uint64_t object);

/* Makes the verdicts that are due. */
void settle_tick(struct settle *settle, uint64_t now);
/* When something will be due; UINT64_MAX = nothing is pending. */
uint64_t settle_next(const struct settle *settle);
/* Makes all verdicts now, as final ones. */
void settle_flush(struct settle *settle, uint64_t now);

struct settle_stats {
	uint32_t pending, slots;
	uint64_t superseded, early, verdicts;
	uint64_t not_read; /* accesses that read nothing */
	uint64_t bytes;
};
void settle_stats(const struct settle *settle, struct settle_stats *out_stats);
