/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pure middle: events in, alerts out. Process table, objects, users, settling, policy, folding.
 *
 * Looks at nothing but the events: no file, no /proc, no NSS, no clock. The same events with the
 * same ticks give the same alerts, ids included; a recorded trace therefore replays exactly, but
 * for what engine_ask_trust() was told at a reload.
 *
 * Order of one cycle: feed what the daemon knows, then the bulk ring, then the critical ring, then
 * engine_tick(). Before engine_set_policy() drain both rings, since EVENT_MARK carries a watch
 * number of the policy then in force; afterwards tell all objects anew (EVENT_OBJECT).
 *
 * Bounded: process table, pending accesses, objects, users and folding each have a cap with a
 * stated rule for what gives way; engine_stats() shows them. Not thread safe, safe to discard after
 * fork().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "access/settle.h"
#include "alert/alert.h"
#include "alert/evidence.h"
#include "model/event.h"
#include "policy/policy.h"
#include "proc/proctab.h"
#include "trail/graph.h"

/* Longest that a verdict waits for the identity of the key once it is settled, ns. */
#define ENGINE_KEY_WAIT_NS 500000000ULL
/* A verdict waits so long for what a rule asks of the executable, and asks so often. */
#define ENGINE_PROGRAM_WAIT_NS	10000000000ULL
#define ENGINE_PROGRAM_AGAIN_NS 50000000ULL
/*
 * A verdict on who reads a dump waits so long for that dump's scan, if the scan may make it less
 * severe. The access is in the evidence log by then.
 */
#define ENGINE_SCAN_WAIT_NS 20000000000ULL
/* An identity that has not come this long after the object was told is not waited for, ns. */
#define ENGINE_KEY_LATE_NS 1000000000ULL
/* The same for what was open before the daemon came: there is no hurry, and all keys are looked at
 * first. */
#define ENGINE_KEY_WAIT_START_NS 10000000000ULL

struct engine;

/* The alert is the engine's and valid during the call. */
typedef void (*engine_alert_fn)(void *ctx, const struct alert *alert);

/*
 * For the evidence log: every access that was judged, whatever the verdict, folded as
 * engine/records.h says, and every gap. Called with the same ctx.
 */
struct engine_evidence {
	void (*access)(void *ctx, const struct evidence *evidence);
	void (*gap)(void *ctx, const struct evidence_gap *gap);
};

struct engine_config {
	const struct policy *policy; /* must live until replaced or the engine is freed */
	const char *host; /* copied */
	const char *boot_id; /* /proc/sys/kernel/random/boot_id; part of each alert's id; copied */
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t max_processes; /* images, 0 = PROCTAB_NODES_DEFAULT */
	uint32_t max_pending; /* accesses, 0 = SETTLE_SLOTS_DEFAULT */
	uint32_t max_objects; /* 0 = 262144 */
	engine_alert_fn alert;
	void *ctx;
	const struct engine_evidence *evidence; /* static; NULL = nothing is recorded */
	const struct trail_sink *trail; /* copied; NULL = nobody keeps the trail */
};

/* NULL: out of memory. */
struct engine *engine_new(const struct engine_config *config);
/* Alerts nothing: engine_flush() first for what is pending. NULL is fine. */
void engine_free(struct engine *engine);

/* Takes one event in. Alerts about lost events and health go out at once, others at a tick. */
void engine_feed(struct engine *engine, const struct event *ev);

/* At the end of each cycle, and when engine_next() has come. now: CLOCK_BOOTTIME ns. */
void engine_tick(struct engine *engine, uint64_t now);

/* When a tick is needed even if no event comes; UINT64_MAX = not before the next event. */
uint64_t engine_next(const struct engine *engine);

/* Settles everything pending and sends the summaries that are open: at the end of a run. */
void engine_flush(struct engine *engine, uint64_t now);

/*
 * Accesses that are still to be judged will be so by the new policy. With what was asked of their
 * executables for the old one that would be by half of each: fn asks anew, before. It looks at the
 * host, and what it says is no event: of these accesses a trace has what was known before.
 */
void engine_ask_trust(struct engine *engine, settle_trust_fn fn, void *ctx);
void engine_set_policy(struct engine *engine, const struct policy *policy);
/* CLOCK_REALTIME was set. */
void engine_set_wall_offset(struct engine *engine, int64_t wall_offset_ns);

/* What is known of a watched object; false: nothing. Views last until the next event. */
struct engine_object {
	struct span path;
	struct span watch; /* name of its entry; {NULL, 0}: none */
	const struct key_identity *key; /* NULL: not known (yet) */
};
bool engine_object(const struct engine *engine, uint64_t id, struct engine_object *out_object);
/* The same of a process image. */
bool engine_process(const struct engine *engine, const struct proc_id *id,
		    struct proc_info *out_info);

struct engine_stats {
	uint64_t events[EVENT_TYPE_NR];
	uint64_t alerts; /* sent, summaries included */
	uint64_t summaries;
	uint64_t folded; /* accesses that went into a count */
	uint64_t held_back; /* alerts beyond their user's share */
	uint64_t allowed; /* verdicts that the policy let pass */
	uint64_t recorded; /* VERDICT_RECORD */
	uint64_t unjudged; /* sends that were let pass by each key that is named, with more read */
	uint64_t writes; /* accesses that read nothing */
	uint64_t net[NET_HOW_NR]; /* ways by which what was read may leave, by enum net_how */
	uint64_t alerts_lost; /* out of memory while one was built */
	uint64_t objects, objects_max, objects_refused;
	uint64_t users, folds;
	uint64_t images, images_forgotten; /* of containers */
	uint64_t bytes; /* memory in tables, strings included */
	uint64_t zones_refused; /* keys of zones for which there was no room */
	struct trail_graph_stats trail;
	struct proctab_stats processes;
	struct settle_stats pending;
};
void engine_stats(const struct engine *engine, struct engine_stats *out_stats);
