// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys that belong to a zone: are they read outside of it, and by which step did they leave? */
#include "engine/engine-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "engine/sentence.h"

#define NAME_TEXT 320
#define ARROW	  " -> "

static void zone_key(struct engine *engine, const struct object *object, bool anew)
{
	char name[TRAIL_NAME_MAX];
	uint32_t zone;

	if (!object || !object->key_known || !object->watch_number || object->unwatched)
		return;
	zone = policy_watch_zone(engine->policy, object->watch_number);
	if ((zone || anew) && trail_key_name(object->key, name))
		zoned_add(engine->zoned, name, zone ? policy_zone_name(engine->policy, zone) : NULL,
			  object->key->source == KEYSRC_FILE);
}

void engine_zone_key(struct engine *engine, const struct object *object)
{
	zone_key(engine, object, false);
}

static void zone_anew(void *ctx, const struct object *object)
{
	zone_key(ctx, object, true);
}

static bool zone_is_there(void *ctx, const char *zone)
{
	const struct engine *engine = ctx;

	return policy_find_zone(engine->policy, span_of(zone)) != 0;
}

/* Of keys whose files are gone it is still known, by name. */
void engine_zone_keys_anew(struct engine *engine)
{
	zoned_begin(engine->zoned);
	objects_each(engine->objects, zone_anew, engine);
	zoned_end(engine->zoned, zone_is_there, engine);
}

static bool is_outside(const struct engine *engine, uint32_t zone, const struct policy_subject *who,
		       struct span path)
{
	return !policy_zone_holds(engine->policy, zone, who, path);
}

/* The zones of a key that was found: as the entries of its files say, else the list of known keys.
 */
static size_t zones_of(const struct engine *engine, const char *name, const char *needle_zone,
		       uint32_t out[static ZONED_ZONES_MAX])
{
	const char *zones[ZONED_ZONES_MAX];
	size_t known = zoned_find(engine->zoned, name, zones), nr = 0;

	for (size_t i = 0; i < known; i++) {
		out[nr] = policy_find_zone(engine->policy, span_of(zones[i]));
		nr += out[nr] != 0;
	}
	if (!nr) {
		out[0] = policy_find_zone(engine->policy, span_of(needle_zone));
		nr = out[0] != 0;
	}
	return nr;
}

uint32_t engine_scan_zone(const struct engine *engine, const struct event_scan_key *key)
{
	uint32_t zones[ZONED_ZONES_MAX];
	char name[TRAIL_NAME_MAX], zone[SCAN_LABEL_MAX];

	/* As find_in_dump() takes them. */
	if (key->expired || key->key.kind == KEY_NONE || !trail_key_name(&key->key, name))
		return 0;
	verdicts_text(key->zone, zone, sizeof(zone));
	return zones_of(engine, name, zone, zones) ? zones[0] : 0;
}

static void find_in_dump(const struct engine *engine, const struct dump_scan *scan,
			 const struct policy_subject *who, struct span path,
			 const struct inode_id *inode, const struct proc_id *writer,
			 struct breach *out_breach)
{
	for (uint32_t i = 0; i < scan->nr; i++) { /* the worst first */
		const struct scan_key *key = &scan->items[i];
		struct breach breach = {.key_known = true, .key = key->key};
		uint32_t zones[ZONED_ZONES_MAX];
		size_t nr;

		if (key->expired || key->key.kind == KEY_NONE ||
		    !trail_key_name(&key->key, breach.name))
			continue;
		/* Who wrote this key into the dump has that in hand already. */
		if (writer && trail_graph_wrote(engine->trail, inode, writer, breach.name))
			continue;
		nr = zones_of(engine, breach.name, key->zone, zones);
		for (size_t k = 0; k < nr; k++) {
			if (!is_outside(engine, zones[k], who, path))
				continue;
			breach.zone = zones[k];
			*out_breach = breach;
			return;
		}
	}
}

void engine_find_breach(const struct engine *engine, const struct object *object,
			const struct watch_entry *entry, const struct policy_subject *who,
			struct span path, const struct inode_id *inode, const struct proc_id *image,
			uint64_t time, const struct policy_answer *answer,
			struct breach *out_breach)
{
	struct breach breach = {0};
	const struct key_identity *key;

	/* What the policy says is only to be recorded is so, and what it expects. */
	if (answer->verdict == VERDICT_RECORD)
		return;
	if (object_class_is_scanned(entry->object_class)) {
		/* Who may read dumps may not read any key for that. Who wrote a copy had read the
		 * key, which was judged then. */
		const bool may =
			answer->verdict == VERDICT_ALLOW || entry->object_class == CLASS_KEY_COPY;

		if (object->scan && object->scan->state == SCANSTATE_KEY)
			find_in_dump(engine, object->scan, who, path, inode, may ? image : NULL,
				     out_breach);
		return;
	}
	/* Rules of the entry itself hold in the zone only, but for exceptions, which mean it. */
	if (answer->verdict != VERDICT_ALERT || !(object_class_holds_keys(entry->object_class) ||
						  entry->object_class == CLASS_CREDENTIAL))
		return;
	breach.zone = policy_watch_zone(engine->policy, object->watch_number);
	if (!breach.zone || !is_outside(engine, breach.zone, who, path))
		return;
	key = object_key(object, time);
	breach.key_known = key && key->kind != KEY_NONE;
	if (breach.key_known) {
		breach.key = *key;
		if (!trail_key_name(&breach.key, breach.name))
			breach.name[0] = '\0';
	}
	*out_breach = breach;
}

/* --- in words ------------------------------------------------------------------------------------
 */

static void put_escaped(FILE *f, struct span bytes)
{
	char text[4 * 512 + 1];

	escape_bytes(bytes.p, bytes.len, text, sizeof(text), NULL);
	fputs(text, f);
}

static struct span base_of(struct span path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.p[i - 1] == '/' && i < path.len)
			return (struct span){path.p + i, path.len - i};
	return path;
}

static void put_process(FILE *f, uint32_t pid, struct span exe)
{
	put_escaped(f, base_of(exe));
	fprintf(f, "[%" PRIu32 "]", pid);
}

static void put_step(FILE *f, const struct trail_step *step)
{
	if (step->is_process)
		put_process(f, step->id.tgid, step->exe);
	else
		put_escaped(f, step->path);
}

static bool step_is_outside(const struct engine *engine, uint32_t zone,
			    const struct trail_step *step)
{
	struct subject subject = {.id = step->id, .uid = step->uid, .loginuid = step->loginuid};
	struct policy_subject who;

	if (!step->is_process)
		return !policy_zone_holds_path(engine->policy, zone, step->path);
	who = engine_subject(engine, &subject, step->exe, EXE_UNKNOWN, step->cgroup,
			     step->cgroup_cut ? EVENT_CGROUP_TRUNCATED : 0);
	return !policy_zone_holds(engine->policy, zone, &who, (struct span){NULL, 0});
}

static const char *verb_of(enum trail_edge_kind kind)
{
	switch (kind) {
	case TRAIL_CRASHED_INTO:
		return "crashed into";
	case TRAIL_WROTE:
		return "wrote";
	case TRAIL_MEMORY_READ:
		return "had its memory read by";
	case TRAIL_INHERITED:
		return "was inherited by";
	default:
		return "was read by";
	}
}

static bool finish(FILE *f, char **text)
{
	bool failed = ferror(f);

	if (!fclose(f) && !failed)
		return true;
	free(*text);
	*text = NULL;
	return false;
}

/* The first step out of the zone; if there is none, who reads is it. */
static char *tell_link(const struct engine *engine, const struct breach *breach,
		       const struct trail_step *steps, size_t nr, bool is_dump,
		       const struct event_access *a)
{
	char *text = NULL;
	size_t size, out = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	while (out < nr && !step_is_outside(engine, breach->zone, &steps[out]))
		out++;
	if (is_dump && !nr) {
		fputs("how the key came into this dump was not seen", f);
	} else if (out == nr) {
		fputs("read by ", f);
		put_process(f, a->subject.id.tgid, a->exe);
	} else if (out == 0) {
		put_step(f, &steps[0]);
		fputs(steps[0].is_process ? " had the key" : " is kept outside", f);
	} else {
		put_step(f, &steps[out - 1]);
		fprintf(f, " %s ", verb_of(steps[out].by));
		put_step(f, &steps[out]);
	}
	return finish(f, &text) ? text : NULL;
}

static char *tell_way(const struct trail_step *steps, size_t nr, struct span path,
		      const struct event_access *a)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < nr; i++) {
		if (i)
			fputs(ARROW, f);
		put_step(f, &steps[i]);
	}
	if (!nr)
		put_escaped(f, path);
	fputs(ARROW, f);
	put_process(f, a->subject.id.tgid, a->exe);
	return finish(f, &text) ? text : NULL;
}

bool engine_tell_breach(const struct engine *engine, const struct breach *breach,
			const struct settled *s, bool is_dump, struct span path,
			struct alert_breach *out)
{
	struct trail_step steps[TRAIL_STEPS_MAX];
	struct alert_breach words = {.key_known = breach->key_known, .key = breach->key};
	size_t nr = breach->name[0] ? trail_graph_way_to_file(engine->trail, &s->access.inode,
							      breach->name, steps, TRAIL_STEPS_MAX)
				    : 0;

	/* The dump alone says nothing of how the key came there. */
	if (nr == 1 && is_dump)
		nr = 0;
	words.zone = strdup(policy_zone_name(engine->policy, breach->zone));
	words.link = tell_link(engine, breach, steps, nr, is_dump, &s->access);
	words.way = tell_way(steps, nr, path, &s->access);
	if (!words.zone || !words.link || !words.way) {
		free(words.zone);
		free(words.link);
		free(words.way);
		return false;
	}
	*out = words;
	return true;
}

/* --- who had read it before it was known ---------------------------------------------------------
 */

struct early_case {
	const struct settled *settled;
	const struct object *object;
	const struct watch_entry *entry;
	const struct policy_answer *answer;
	const struct breach *breach;
};

static struct alert *make_early(struct engine *engine, const void *arg)
{
	const struct early_case *c = arg;
	const struct report report = engine_report(engine);
	struct alert_breach words = {0};

	if (!engine_tell_breach(engine, c->breach, c->settled, true, c->settled->access.path,
				&words))
		return NULL;
	return report_breach(&report, c->settled, c->object, c->entry, c->answer, &words);
}

static void tell_early(struct engine *engine, const struct event *ev, const struct object *object,
		       const struct trail_reader *reader)
{
	const struct watch_entry *entry = policy_watch(engine->policy, object->watch_number);
	struct settled s = {
		.access =
			{
				.subject = reader->subject,
				.parent = reader->parent,
				.inode = ev->scan.inode,
				.object = ev->scan.object,
				.how = ACCESS_OPEN,
				.mode = ACCESS_M_READ,
				.fd = UINT32_MAX,
				.owner = reader->owner,
				.nlink = 1,
				.exe_nlink = 1,
				.exe_trust = reader->exe_trust,
				.path = str_span(object->path),
				.exe = span_of(reader->exe),
				.cgroup = span_of(reader->cgroup),
			},
		.time = reader->time,
		.last_time = reader->time,
		.flags = reader->cgroup_cut ? EVENT_CGROUP_TRUNCATED : 0,
		.count = 1,
		.hows = 1U << ACCESS_OPEN,
		.final = true,
	};
	const struct policy_query query = {
		.watch = object->watch_number,
		.action = ACTION_READ,
		.subject = engine_subject(engine, &reader->subject, s.access.exe, reader->exe_trust,
					  s.access.cgroup, s.flags),
		.path = s.access.path,
		.time = engine_wall(engine, reader->time),
	};
	struct policy_answer answer;
	struct breach breach = {0};
	const struct early_case c = {&s, object, entry, &answer, &breach};
	struct share_case share;
	struct fold_key key;

	/* Not judged yet: it will be, by what is known now. */
	if (settle_pending(engine->settle, &reader->subject.id, ev->scan.object))
		return;
	policy_judge(engine->policy, &query, &answer);
	engine_find_breach(engine, object, entry, &query.subject, query.path, &ev->scan.inode,
			   &reader->subject.id, reader->time, &answer, &breach);
	s.proc = proctab_find(engine->processes, &reader->subject.id);
	if (!breach.zone) {
		/* That who writes a dump reads it is no news. */
		if (answer.verdict == VERDICT_ALERT &&
		    !trail_graph_wrote(engine->trail, &ev->scan.inode, &reader->subject.id, NULL))
			engine_rules_early(engine, &s, ev->time);
		return;
	}
	key = (struct fold_key){
		.type = ALERT_ISOLATION_BREACH,
		.image = reader->subject.id,
		.uid = reader->subject.uid,
		.object = ev->scan.object,
		.exe = s.access.exe,
		.made_from = engine_image(engine, s.access.cgroup, s.flags),
	};
	share = engine_share_of(engine, reader->subject.loginuid, reader->subject.uid,
				reader->owner, ev->scan.object);
	engine_admit(engine, &key, &share, 1, reader->time, reader->time, ev->time, make_early, &c);
}

void engine_tell_early_readers(struct engine *engine, const struct event *ev)
{
	const struct object *object = objects_find(engine->objects, ev->scan.object);
	struct trail_reader readers[TRAIL_READERS_MAX];
	size_t nr = trail_graph_take_readers(engine->trail, &ev->scan.inode, readers);

	if (!object || !object->watch_number || !object->scan)
		return;
	for (size_t i = 0; i < nr; i++)
		tell_early(engine, ev, object, &readers[i]);
}
