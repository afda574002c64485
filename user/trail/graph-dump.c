// SPDX-License-Identifier: GPL-2.0-or-later
/* Follows keys into dumps and what else holders write, and takes what scans say of those. */
#include "trail/graph-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "trail/zoned.h"

static const char by_helper[] = "helper-writes-dump";
static const char by_holder[] = "holder-writes";
static const char by_other[] = "written-for-holder";

static void set_last(struct slot *slot, const struct process *p, bool handed)
{
	slot->last = p->id;
	slot->last_exec = p->exec_id;
	slot->last_handed = handed;
}

static bool is_last(const struct slot *slot, const struct process *p)
{
	return slot->last_exec == p->exec_id && !memcmp(&slot->last, &p->id, sizeof(p->id));
}

static struct held_back *held_back_of(struct slot *slot, const struct process *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(slot->held_back); i++) {
		struct held_back *held = &slot->held_back[i];

		if (held->rule && held->exec_id == p->exec_id &&
		    !memcmp(&held->by, &p->id, sizeof(p->id)))
			return held;
	}
	return NULL;
}

static void hold_back(struct slot *slot, const struct process *p, const char *rule, uint64_t time)
{
	struct held_back *held = held_back_of(slot, p);

	if (!held) {
		held = &slot->held_back[slot->held_back[0].rule != NULL];
		*held = (struct held_back){.by = p->id, .exec_id = p->exec_id, .wrote_at = time};
	}
	held->rule = rule;
	held->wrote_last = time;
}

/* The first is the first of those that are left. */
static void move_up(struct slot *slot)
{
	if (slot->held_back[0].rule)
		return;
	slot->held_back[0] = slot->held_back[1];
	slot->held_back[1].rule = NULL;
}

/* It is told now. */
static void let_go(struct slot *slot, const struct process *p)
{
	struct held_back *held = held_back_of(slot, p);

	if (held)
		held->rule = NULL;
	move_up(slot);
}

/* The file may have the process's keys: a candidate, until a scan says so. later: it is told then.
 */
static void wrote(struct trail_graph *g, struct process *p, struct file *f,
		  enum trail_edge_kind kind, const char *rule, const char *detail, bool later,
		  uint64_t time)
{
	const bool handed = rule && !strcmp(rule, by_helper);
	char from[TRAIL_NAME_MAX], to[TRAIL_NAME_MAX];

	if (!later) {
		tell_inheritance(g, p, time);
		if (!p->told)
			tell_process(g, p, 0);
		if (!f->told)
			tell_file(g, f);
	}
	process_name(g, p->id, p->exec_id, from);
	file_name(g, f->id, to);
	for (uint32_t i = 0; i < p->keys.nr; i++) {
		const char *key = p->keys.items[i].key;
		struct held_back *held;
		struct slot *slot;
		bool is_new;

		slot = slot_add(&f->keys, key, &is_new);
		/* The core of a crash is told as it is made, and once more when it is closed. */
		if (slot && !is_new && is_last(slot, p)) {
			held = held_back_of(slot, p);
			if (held)
				held->wrote_last = time;
			continue;
		}
		if (!later)
			tell_edge(g, kind, rule ? TRAIL_INFERRED : TRAIL_OBSERVED, key, from, to,
				  rule, detail, time);
		if (slot && is_new) {
			slot->origin = FROM_PROCESS;
			slot->from = p->id;
			slot->from_exec = p->exec_id;
			slot->by = kind;
			slot->handed = handed;
		}
		/* A key file is its owner's, whoever writes it. */
		if (slot && slot->by != TRAIL_HOLDS) {
			set_last(slot, p, handed);
			slot->told |= !later;
			if (later)
				hold_back(slot, p, rule, time);
			else
				let_go(slot, p);
		}
	}
}

static void remember_crash(struct trail_graph *g, const struct process *p,
			   const struct subject *subject)
{
	struct crash *crash = &g->crashes[g->next_crash++ % TRAIL_CRASHES];

	crash->id = p->id;
	crash->exec_id = p->exec_id;
	memcpy(crash->comm, subject->comm, sizeof(crash->comm));
}

/* A program was started for the dump of a process, or was passed it: it has that memory in hand. */
static void on_helper(struct trail_graph *g, const struct event *ev)
{
	const struct event_dump *d = &ev->dump;
	const struct origin_key of = {.a = d->other_start, .b = d->other_tgid};
	struct process *crashed = process_find(g, of), *p;
	char from[TRAIL_NAME_MAX], to[TRAIL_NAME_MAX];
	uint64_t exec_id;
	struct slots keys;

	if (!crashed || !crashed->keys.nr)
		return;
	tell_inheritance(g, crashed, ev->time);
	keys = crashed->keys;
	exec_id = crashed->exec_id;
	p = process_of(g, &d->subject, d->exe, d->cgroup, ev->flags & EVENT_CGROUP_TRUNCATED,
		       ev->time);
	if (!p)
		return;
	if (!p->told)
		tell_process(g, p, 0);
	process_name(g, of, exec_id, from);
	process_name(g, p->id, p->exec_id, to);
	for (uint32_t i = 0; i < keys.nr; i++) {
		struct slot *slot;
		bool is_new;

		tell_edge(g, TRAIL_CRASHED_INTO, TRAIL_INFERRED, keys.items[i].key, from, to,
			  "dump-handed-over", NULL, ev->time);
		slot = slot_add(&p->keys, keys.items[i].key, &is_new);
		if (slot && is_new) {
			slot->origin = FROM_PROCESS;
			slot->from = of;
			slot->from_exec = exec_id;
			slot->by = TRAIL_CRASHED_INTO;
		}
	}
}

/* Something is written into it: who read what was there, and was judged, has nothing of this. It
 * is told more than once of one content, whose readers stay. */
static void content_anew(struct trail_graph *g, struct file *f)
{
	if (f->state != TRAIL_UNSCANNED)
		file_forget_readers(g, f);
	f->state = TRAIL_UNSCANNED;
	f->digests = (struct digests){.nr_content = 0};
}

void graph_dump(struct trail_graph *g, const struct event *ev)
{
	const struct event_dump *d = &ev->dump;
	struct process *p;
	struct file *f = d->how == DUMP_FILE ? file_find(g, file_key(&d->inode)) : NULL;

	if (f)
		content_anew(g, f);
	if (d->how == DUMP_HELPER) {
		on_helper(g, ev);
		return;
	}
	if (d->how == DUMP_NONE)
		return;
	p = process_of(g, &d->subject, d->exe, d->cgroup, ev->flags & EVENT_CGROUP_TRUNCATED,
		       ev->time);
	if (!p)
		return;
	graph_held(g, p, d->held.key, HELD_MAX, ev->time);
	if (!p->keys.nr)
		return;
	tell_inheritance(g, p, ev->time);
	remember_crash(g, p, &d->subject);
	if (d->how != DUMP_FILE)
		return;
	f = file_of(g, &d->inode, d->object, d->path, ev->time);
	if (!f)
		return;
	f->dump = true;
	wrote(g, p, f, TRAIL_CRASHED_INTO, NULL, NULL, false, ev->time);
}

/* Who has the key: the writer, or the one that it ran or was run by, if that is followed. */
static struct process *writer_of(struct trail_graph *g, const struct event *ev)
{
	static const struct span none = {NULL, 0};
	const struct event_written *w = &ev->written;
	struct process *p;

	if (!(w->how & WRITTEN_OTHER))
		return process_of(g, &w->subject, none, none, false, ev->time);
	p = process_find(g, process_key(&w->parent));
	return p && p->exec_id == w->parent.exec_id ? p : NULL;
}

void graph_written(struct trail_graph *g, const struct event *ev)
{
	const struct event_written *w = &ev->written;
	const bool copy = w->how & WRITTEN_COPY, other = w->how & WRITTEN_OTHER;
	struct process *p = writer_of(g, ev);
	struct file *f = file_find(g, file_key(&w->inode));

	if (f)
		content_anew(g, f);
	if (!p)
		return;
	graph_held(g, p, w->held.key, HELD_MAX, ev->time);
	if (!p->keys.nr)
		return;
	f = file_of(g, &w->inode, w->object, w->path, ev->time);
	if (!f)
		return;
	if (w->path.len)
		file_set_path(f, w->path); /* systemd-coredump gives it its name late */
	f->dump |= !copy;
	f->copy |= copy;
	/* What one handed to the other is not seen, and `git fetch` writes when its ssh has ended:
	 * told if the key is in the file. */
	wrote(g, p, f, TRAIL_WROTE,
	      w->how & WRITTEN_HELPER ? by_helper
	      : other		      ? by_other
				      : by_holder,
	      w->kind == DUMPKIND_NONE ? NULL : dump_kind_str(w->kind),
	      other || (copy && ++p->candidates > CANDIDATES_TOLD), ev->time);
}

/* What was to be told once it is known what is in the file. */
static void tell_held_back(struct trail_graph *g, struct file *f, struct slot *slot,
			   struct held_back *held)
{
	struct process *p = process_find(g, held->by);
	char from[TRAIL_NAME_MAX], to[TRAIL_NAME_MAX];

	if (p && p->exec_id == held->exec_id) {
		tell_inheritance(g, p, held->wrote_at);
		if (!p->told)
			tell_process(g, p, 0);
	}
	process_name(g, held->by, held->exec_id, from);
	file_name(g, f->id, to);
	tell_edge(g, TRAIL_WROTE, TRAIL_INFERRED, slot->key, from, to, held->rule, NULL,
		  held->wrote_at);
	held->rule = NULL;
	slot->told = true;
}

static void tell_written(struct trail_graph *g, struct file *f, struct slot *slot)
{
	for (size_t i = 0; i < ARRAY_SIZE(slot->held_back); i++)
		if (slot->held_back[i].rule)
			tell_held_back(g, f, slot, &slot->held_back[i]);
}

/* The writers of a file, each once, whatever keys he has. */
struct writers {
	struct {
		const struct process *p;
		bool enough;
	} of[TRAIL_KEYS_MAX * ARRAY_SIZE(((struct slot *)0)->held_back)];
	size_t nr;
};

/* Some are enough of what an image wrote; one that is forgotten has no count any more, and how many
 * of its files come to a scan is bounded. */
static bool is_enough(struct trail_graph *g, const struct held_back *held, struct writers *writers)
{
	struct process *p = process_find(g, held->by);
	bool enough;

	if (!p || p->exec_id != held->exec_id)
		return false;
	for (size_t i = 0; i < writers->nr; i++)
		if (writers->of[i].p == p)
			return writers->of[i].enough;
	enough = p->unclear >= UNCLEAR_TOLD;
	p->unclear += !enough;
	writers->of[writers->nr].p = p;
	writers->of[writers->nr++].enough = enough;
	return enough;
}

/* No scan has said that the key is not there: what was held back is told as what it is. What is not
 * told now may be when it is found. */
static void tell_unclear(struct trail_graph *g, struct file *f)
{
	struct writers writers = {.nr = 0};

	for (uint32_t i = 0; i < f->keys.nr; i++) {
		struct slot *slot = &f->keys.items[i];

		for (size_t k = 0; k < ARRAY_SIZE(slot->held_back); k++) {
			struct held_back *held = &slot->held_back[k];

			if (!held->rule || is_enough(g, held, &writers))
				continue;
			if (!f->told)
				tell_file(g, f);
			tell_held_back(g, f, slot, held);
		}
		move_up(slot);
	}
}

/*
 * The key is not in what stood there when the scan began: who was to be told if it is, is no writer
 * of it, and held back anew when he writes the file again. Returns whether anything is known of the
 * key in this file then.
 */
static bool refute(struct slot *slot, uint64_t began)
{
	for (size_t i = 0; i < ARRAY_SIZE(slot->held_back); i++) {
		struct held_back *held = &slot->held_back[i];

		if (!held->rule)
			continue;
		if (held->wrote_last >= began) {
			if (held->wrote_at < began)
				held->wrote_at = held->wrote_last;
			continue;
		}
		held->rule = NULL;
		if (slot->last_exec == held->exec_id &&
		    !memcmp(&slot->last, &held->by, sizeof(held->by))) {
			slot->last = (struct origin_key){0};
			slot->last_exec = 0;
			slot->last_handed = false;
		}
	}
	move_up(slot);
	if (slot->told || slot->handed || slot->origin != FROM_PROCESS)
		return true;
	if (!slot->held_back[0].rule)
		return false;
	slot->from = slot->held_back[0].by; /* his way may be another */
	slot->from_exec = slot->held_back[0].exec_id;
	return true;
}

/* Where a key was found, not all need have been looked at. */
static bool saw_all(const struct event_scan *s)
{
	return s->state == SCANSTATE_CLEAN ||
	       (s->cause == SCANCAUSE_NONE && !s->flags.len && !s->more);
}

static void refute_others(struct file *f, uint64_t began)
{
	for (uint32_t i = f->keys.nr; i-- > 0;) {
		struct slot *slot = &f->keys.items[i];

		if (!slot->confirmed && slot->by != TRAIL_HOLDS && !refute(slot, began))
			slot_remove(&f->keys, slot);
	}
}

/* Of a zone that none has yet: in the place of one that costs no zone. */
static bool make_room(struct trail_graph *g, uint32_t zone)
{
	const uint32_t at = zoned_spare(g->found_zones, g->nr_found, zone);

	if (at == g->nr_found)
		return false;
	g->nr_found--;
	memmove(&g->found[at], &g->found[at + 1], (g->nr_found - at) * sizeof(g->found[0]));
	memmove(&g->found_zones[at], &g->found_zones[at + 1],
		(g->nr_found - at) * sizeof(g->found_zones[0]));
	return true;
}

void graph_scan_key(struct trail_graph *g, const struct event_scan_key *key)
{
	const uint32_t zone = g->zone ? g->zone(g->object_ctx, key) : 0;

	if (g->scan != key->scan) {
		g->scan = key->scan;
		g->nr_found = 0;
	}
	/* What has no public name is nobody's trail. The worst come first. */
	if (key->key.kind == KEY_NONE || (g->nr_found == TRAIL_KEYS_MAX && !make_room(g, zone)))
		return;
	g->found_zones[g->nr_found] = zone;
	g->found[g->nr_found++] = (struct found){key->key, key->places};
}

/* Nobody was seen writing this key into the file, but the dump says whose memory it is. */
static void by_its_word(struct trail_graph *g, struct file *f, struct slot *slot,
			const struct event *ev)
{
	const struct event_scan *s = &ev->scan;

	for (size_t i = 0; i < TRAIL_CRASHES; i++) {
		size_t at = g->next_crash + TRAIL_CRASHES - 1 - i;
		const struct crash *crash = &g->crashes[at % TRAIL_CRASHES];
		char comm[4 * sizeof(crash->comm) + 1], from[TRAIL_NAME_MAX], to[TRAIL_NAME_MAX];
		struct process *p;
		size_t len;

		if (!crash->id.b)
			return;
		len = escape_bytes(crash->comm, strnlen(crash->comm, sizeof(crash->comm)), comm,
				   sizeof(comm), NULL);
		p = process_find(g, crash->id);
		if (crash->id.b != s->dump_pid || !p || p->exec_id != crash->exec_id ||
		    len != s->dump_command.len || (len && memcmp(comm, s->dump_command.p, len)) ||
		    !slot_find(&p->keys, slot->key))
			continue;
		process_name(g, p->id, p->exec_id, from);
		file_name(g, f->id, to);
		tell_edge(g, TRAIL_CRASHED_INTO, TRAIL_INFERRED, slot->key, from, to,
			  "dump-names-process", NULL, ev->time);
		slot->origin = FROM_PROCESS;
		slot->from = p->id;
		slot->from_exec = p->exec_id;
		slot->by = TRAIL_CRASHED_INTO;
		set_last(slot, p, false);
		return;
	}
}

/* A key of the file that this scan has not found; of those, one that never was. */
static struct slot *not_found(struct trail_graph *g, struct file *f)
{
	struct slot *found = NULL;

	for (uint32_t i = 0; i < f->keys.nr; i++) {
		struct slot *slot = &f->keys.items[i];
		char name[TRAIL_NAME_MAX];
		bool is_found = false;

		for (uint32_t k = 0; k < g->nr_found; k++)
			is_found |=
				trail_key_name(&g->found[k].key, name) && !strcmp(name, slot->key);
		if (!is_found && (!found || (found->confirmed && !slot->confirmed)))
			found = slot;
	}
	return found; /* there is one: as many fit as are found */
}

static void found(struct trail_graph *g, struct file *f, uint32_t i, const struct event *ev)
{
	char name[TRAIL_NAME_MAX], file[TRAIL_NAME_MAX], detail[64];
	struct slot *slot;
	bool is_new;

	if (!trail_key_name(&g->found[i].key, name))
		return;
	slot = slot_add(&f->keys, name, &is_new);
	if (!slot) { /* for what was found, what was not gives way */
		slot_remove(&f->keys, not_found(g, f));
		slot = slot_add(&f->keys, name, &is_new);
	}
	tell_key(g, name, &g->found[i].key);
	file_name(g, f->id, file);
	snprintf(detail, sizeof(detail), "%" PRIu64 " place%s", g->found[i].places,
		 g->found[i].places == 1 ? "" : "s");
	if (is_new) {
		slot->by = TRAIL_FOUND_IN;
		by_its_word(g, f, slot, ev);
	}
	tell_written(g, f, slot);
	slot->confirmed = slot->told = true;
	tell_edge(g, TRAIL_FOUND_IN, TRAIL_CONFIRMED, name, name, file, NULL, detail, ev->time);
	/* Who has read it before is a holder from then on, and is told as one now. */
	for (size_t r = 0; r < TRAIL_READERS_MAX; r++) {
		const struct trail_reader *reader = f->readers[r];
		struct process *p =
			reader && !graph_wrote(f, &reader->subject.id, name)
				? process_of(g, &reader->subject, span_of(reader->exe),
					     span_of(reader->cgroup), reader->cgroup_cut, ev->time)
				: NULL;

		if (p && p->exec_id == reader->subject.id.exec_id)
			graph_came_by(g, p, f, slot, TRAIL_DUMP_READ, "before it was scanned",
				      reader->time);
	}
}

static bool any_confirmed(const struct file *f)
{
	for (uint32_t i = 0; i < f->keys.nr; i++)
		if (f->keys.items[i].confirmed)
			return true;
	return false;
}

/* Its scan is over, or there will be none: what has none of the keys carries none on, and gives
 * way to who does. What was told of it stays. */
static void end_candidate(struct trail_graph *g, struct file *f)
{
	if (f && f->copy && !f->dump && !f->key_file && !any_confirmed(f))
		file_forget(g, f);
}

void graph_scan(struct trail_graph *g, const struct event *ev)
{
	const struct event_scan *s = &ev->scan;
	bool complete;
	struct file *f;

	if (s->copy && s->state == SCANSTATE_UNSCANNED && s->cause != SCANCAUSE_WAITING) {
		f = file_find(g, file_key(&s->inode));
		if (f)
			tell_unclear(g, f);
		end_candidate(g, f);
	}
	if (s->state != SCANSTATE_KEY && s->state != SCANSTATE_CLEAN &&
	    s->state != SCANSTATE_INCOMPLETE)
		return;
	if (g->scan != s->scan || s->state != SCANSTATE_KEY)
		g->nr_found = 0;
	g->scan = 0;
	/* That a stranger's dump has no key is no part of any key's trail. */
	f = g->nr_found ? file_of(g, &s->inode, s->object, s->path, ev->time)
			: file_find(g, file_key(&s->inode));
	if (!f)
		return;
	f->dump |= !s->copy;
	f->copy |= s->copy;
	if (s->path.len)
		file_set_path(f, s->path);
	f->state = s->state == SCANSTATE_KEY	 ? TRAIL_WITH_KEY
		   : s->state == SCANSTATE_CLEAN ? TRAIL_CLEAN
						 : TRAIL_INCOMPLETE;
	digests_parse(s->sha256, s->content_sha256, &f->digests);
	if (f->told || g->nr_found)
		tell_file(g, f);
	if (s->state == SCANSTATE_CLEAN)
		file_forget_readers(g, f);
	/* What an earlier scan had found, and this one has not, is not read any more. */
	complete = s->state != SCANSTATE_INCOMPLETE && s->keys <= g->nr_found;
	if (complete)
		for (uint32_t i = 0; i < f->keys.nr; i++)
			if (f->keys.items[i].by != TRAIL_HOLDS)
				f->keys.items[i].confirmed = false;
	for (uint32_t i = 0; i < g->nr_found; i++)
		found(g, f, i, ev);
	if (complete && saw_all(s))
		refute_others(f, ev->time > s->took ? ev->time - s->took : 0);
	if (s->state == SCANSTATE_INCOMPLETE)
		tell_unclear(g, f);
	end_candidate(g, f);
}
