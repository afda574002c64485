/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the engine share; nobody else includes this. */
#pragma once

#include "engine/engine.h"
#include "engine/records.h"
#include "engine/fold.h"
#include "engine/images.h"
#include "engine/objects.h"
#include "engine/report.h"
#include "engine/sessions.h"
#include "engine/share.h"
#include "engine/programs.h"
#include "engine/users.h"
#include "engine/verdicts.h"
#include "proc/cmdline.h"
#include "trail/rules.h"
#include "trail/zoned.h"

struct engine {
	const struct policy *policy;
	char *host, *boot_id;
	int64_t wall_offset_ns;
	engine_alert_fn alert;
	void *ctx;

	struct strtab *strings, *object_strings;
	struct proctab *processes;
	struct settle *settle;
	struct objects *objects;
	struct users *users;
	struct programs *programs;
	struct sessions *sessions;
	struct images *images;
	struct verdicts *verdicts;
	struct fold *fold;
	bool no_reads; /* the kernel cannot tell reads, whatever the policy wants */
	struct share *share;
	struct trail_graph *trail;
	struct zoned *zoned; /* keys that belong to a zone */
	struct trail_rules *rules;
	uint64_t now; /* latest time that was told */
	uint64_t ended_until; /* CLOCK_REALTIME ns: rules that ended by then were told */
	const struct engine_evidence *evidence; /* NULL: nothing is recorded, records is NULL */
	struct records *records;
	struct engine_stats st;
};

static inline uint64_t engine_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- admit.c ------------------------------------------------------------------------------- */

uint64_t engine_window(const struct engine *engine); /* in which alerts are counted together, ns */
struct report engine_report(const struct engine *engine);
void engine_send(struct engine *engine, const struct alert *alert);

/* Whose share an alert is of: who logged in, over sudo and su; the uid of what nobody began. */
struct share_case engine_share_of(const struct engine *engine, uint32_t loginuid, uint32_t uid,
				  uint32_t owner, uint64_t object);

/* Sends or counts what `make` would build. c: NULL = nobody's share. */
void engine_admit(struct engine *engine, const struct fold_key *key, const struct share_case *c,
		  uint64_t count, uint64_t first, uint64_t last, uint64_t now,
		  struct alert *(*make)(struct engine *, const void *), const void *arg);

/* For fold_new() and share_new(). */
void engine_on_summary(void *ctx, const struct alert *like, uint64_t count, uint64_t first,
		       uint64_t last);
void engine_on_held_back(void *ctx, uint32_t user, uint64_t start, uint64_t held, uint64_t first,
			 uint64_t last);

/* --- judge.c ------------------------------------------------------------------------------- */

uint64_t engine_wall(const struct engine *engine, uint64_t time); /* CLOCK_REALTIME ns */

/* What the container was made from whose cgroup it is, told by an event with these flags. NULL: it
 * is in none, or that is not known. Valid until another event is fed. */
const struct container_image *engine_image(const struct engine *engine, struct span cgroup,
					   uint32_t flags);

/* What the policy asks of a subject. A name that is cut is not told: it would be another one. */
struct policy_subject engine_subject(const struct engine *engine, const struct subject *subject,
				     struct span exe, enum exe_trust trust, struct span cgroup,
				     uint32_t flags);

struct clean {
	struct event event;
	char args[CMDLINE_ARGS_MAX];
};

/* The event as the policy lets it be kept: `ev` itself, or scratch->event. */
const struct event *engine_clean(const struct engine *engine, const struct event *ev,
				 struct clean *scratch);

/* --- judge-*.c: an event of a kind ------------------------------------------------------------ */

void engine_feed_access(struct engine *engine, const struct event *ev);
void engine_feed_dump(struct engine *engine,
		      const struct event *ev); /* written and settings, too */
void engine_feed_scan(struct engine *engine, const struct event *ev);
void engine_feed_memory(struct engine *engine, const struct event *ev);
void engine_feed_refused(struct engine *engine, const struct event *ev);
void engine_feed_net(struct engine *engine, const struct event *ev);

/* --- breach.c: keys of zones
 * ----------------------------------------------------------------------
 */

/* A key is read outside of its zone. */
struct breach {
	uint32_t zone; /* 0 = it is none */
	bool key_known;
	char name[TRAIL_NAME_MAX]; /* the key's in the trail, "" = not known */
	struct key_identity key;
};

/* A watched file holds this key: it belongs to the zone of the file's entry. */
void engine_zone_key(struct engine *engine, const struct object *object);

/* Another policy is in force. */
void engine_zone_keys_anew(struct engine *engine);

/* The zone of a key that a scan tells of, 0 = none. */
uint32_t engine_scan_zone(const struct engine *engine, const struct event_scan_key *key);

/*
 * Is a key read outside of its zone: by `who`, which is the process `image`, at `path`, which is
 * `inode`, at `time` (ns of the events' clock)? The answer is the policy's about that.
 */
void engine_find_breach(const struct engine *engine, const struct object *object,
			const struct watch_entry *entry, const struct policy_subject *who,
			struct span path, const struct inode_id *inode, const struct proc_id *image,
			uint64_t time, const struct policy_answer *answer,
			struct breach *out_breach);

/* In words; the strings are the caller's. False: out of memory. */
bool engine_tell_breach(const struct engine *engine, const struct breach *breach,
			const struct settled *settled, bool is_dump, struct span path,
			struct alert_breach *out);

/* Keys were found in a dump: who had read it before is told now. */
void engine_tell_early_readers(struct engine *engine, const struct event *ev);

/* --- judge-rules.c: only with the setting `trail_rules`
 * --------------------------------------------
 */

void engine_rules_read(struct engine *engine, const struct settled *settled, bool copy,
		       uint64_t now);
void engine_rules_early(struct engine *engine, const struct settled *settled, uint64_t now);
void engine_rules_net(struct engine *engine, const struct event *ev);
void engine_rules_memory(struct engine *engine, const struct event_memory *memory, bool alerted);
void engine_rules_dump(struct engine *engine, const struct event *ev, struct proc_ref proc);
void engine_rules_scan(struct engine *engine, const struct event *ev, struct proc_ref proc);
void engine_rules_gap(struct engine *engine, const struct event *ev); /* EVENT_GAP, EVENT_HEALTH */

/* For settle_new(). */
enum settle_permit engine_on_permit(void *ctx, const struct event *ev);
uint64_t engine_on_settled(void *ctx, const struct settled *settled, uint64_t now);
void engine_on_drop(void *ctx, const struct settled *settled);

/* --- record.c: for the evidence log; nothing is done where there is none -----------------------
 */

void engine_record_access(struct engine *engine, const struct settled *settled,
			  const struct object *object, enum policy_action action,
			  const struct policy_answer *answer);
/* Who has what it names talks to somebody else; `settled` as report_sent() wants it. */
void engine_record_sent(struct engine *engine, const struct settled *settled, enum net_how how,
			const struct object *object, const struct policy_answer *answer);
void engine_record_memory(struct engine *engine, const struct event *ev,
			  const struct watch_entry *entry, const struct policy_answer *answer);
void engine_record_gap(struct engine *engine, const struct event *ev);

/* For records_new(). */
bool engine_on_record(void *ctx, const struct record_kind *kind, bool again, bool late,
		      uint64_t now);
void engine_on_unrecorded(void *ctx, uint32_t user, uint64_t start, uint64_t held, uint64_t first,
			  uint64_t last);
