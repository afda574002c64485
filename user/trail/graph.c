// SPDX-License-Identifier: GPL-2.0-or-later
/* Follows keys from files into processes, and from process to process. */
#include "trail/graph-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/escape.h"

static const struct span none = {NULL, 0};

/* --- files and their keys ------------------------------------------------------------------------
 */

/* Until it is known which key stands in a file, the file's own name stands for it. */
static void key_of_file(struct trail_graph *g, struct file *f, const struct key_identity *key,
			char out[static TRAIL_NAME_MAX])
{
	if (!key || key->kind == KEY_NONE || !trail_key_name(key, out))
		file_name(g, f->id, out);
}

static void tell_holds(struct trail_graph *g, struct file *f, const char *name,
		       const struct key_identity *key, uint64_t time)
{
	char file[TRAIL_NAME_MAX];
	const bool known = key && key->kind != KEY_NONE;

	file_name(g, f->id, file);
	if (known && strcmp(name, file) != 0)
		tell_key(g, name, key);
	tell_edge(g, TRAIL_HOLDS,
		  known && key->source == KEYSRC_FILE ? TRAIL_CONFIRMED : TRAIL_INFERRED, name,
		  name, file, known && key->source == KEYSRC_FILE ? NULL : "names-unverified", NULL,
		  time);
}

static void rename_slots(struct slots *slots, const char *old, const char *name)
{
	struct slot *slot = slot_find(slots, old);

	if (!slot)
		return;
	if (slot_find(slots, name))
		slot_remove(slots, slot); /* it had that one all along */
	else
		snprintf(slot->key, sizeof(slot->key), "%s", name);
}

/* It has become known which key this is: everybody who has it has that one. */
static void rekey(struct trail_graph *g, const char *old, const char *name)
{
	for (struct process *p = g->processes; p; p = p->hh.next)
		rename_slots(&p->keys, old, name);
	for (struct file *f = g->files; f; f = f->hh.next)
		rename_slots(&f->keys, old, name);
	if (g->sink.rekey)
		g->sink.rekey(g->sink.ctx, old, name);
}

/* The file is kept for `name` now: who reads it no longer comes by what stood there before. That it
 * did stays known, for the ways that began there. */
static void lay_down(struct file *f, const char *name)
{
	for (uint32_t i = 0; i < f->keys.nr; i++) {
		struct slot *slot = &f->keys.items[i];

		if (slot->origin == FROM_KEY && slot->by == TRAIL_HOLDS && strcmp(slot->key, name))
			slot->confirmed = false;
	}
}

/* Where a key stood before gives way to the one that does. */
static void forget_laid_down(struct file *f)
{
	for (uint32_t i = 0; i < f->keys.nr && f->keys.nr == TRAIL_KEYS_MAX; i++)
		if (!f->keys.items[i].confirmed)
			slot_remove(&f->keys, &f->keys.items[i]);
}

static void set_key(struct trail_graph *g, struct file *f, const struct trail_object *object,
		    uint64_t time)
{
	char name[TRAIL_NAME_MAX], unknown[TRAIL_NAME_MAX];
	bool is_new, known = false;
	struct slot *slot;

	key_of_file(g, f, object->key, name);
	file_name(g, f->id, unknown);
	if (strcmp(name, unknown) != 0 && slot_find(&f->keys, unknown)) {
		tell_key(g, name, object->key);
		rekey(g, unknown, name);
		known = true;
	}
	lay_down(f, name);
	if (!slot_find(&f->keys, name))
		forget_laid_down(f);
	slot = slot_add(&f->keys, name, &is_new);
	if (!slot)
		return;
	if (is_new || known || !slot->confirmed) {
		if (!f->told)
			tell_file(g, f);
		slot->confirmed = true; /* its owner keeps it there */
		slot->by = TRAIL_HOLDS;
		slot->origin = FROM_KEY;
		tell_holds(g, f, name, object->key, time);
	}
}

static struct file *take_object(struct trail_graph *g, uint64_t number,
				const struct trail_object *object, uint64_t time)
{
	struct file *f = file_of(g, &object->inode, number, object->path, time);
	size_t len;

	if (!f)
		return NULL;
	f->dump |= object->is_dump;
	f->key_file |= object->holds_key;
	f->copy |= object->is_copy;
	len = object->watch.len < sizeof(f->watch) ? object->watch.len : sizeof(f->watch) - 1;
	if (len) {
		memcpy(f->watch, object->watch.p, len);
		f->watch[len] = '\0';
	}
	/* Told when an edge names it: of dumps that are read, few have anything to do with a key.
	 */
	if (object->holds_key)
		set_key(g, f, object, time);
	return f;
}

struct file *graph_object(struct trail_graph *g, uint64_t number, uint64_t time)
{
	struct trail_object object = {0};

	if (!number || !g->object || !g->object(g->object_ctx, number, &object))
		return NULL;
	return take_object(g, number, &object, time);
}

/* What is told of an object that is followed already: its key, and its name if that is another. */
static void feed_object(struct trail_graph *g, const struct event *ev)
{
	const struct event_object *o = &ev->object;
	struct file *f = file_find(g, file_key(&o->inode));
	char was[4 * PATH_MAX_K + 1], is[4 * PATH_MAX_K + 1], detail[256], name[TRAIL_NAME_MAX];
	char before[PATH_MAX_K];

	if (!f || f->object != o->object || !o->watch.len)
		return;
	graph_object(g, o->object, ev->time);
	if (!o->path.len)
		return;
	memcpy(before, f->path, sizeof(before));
	file_set_path(f, o->path);
	if (!before[0] || !strcmp(before, f->path))
		return;
	escape_bytes(before, strlen(before), was, sizeof(was), NULL);
	escape_bytes(f->path, strlen(f->path), is, sizeof(is), NULL);
	snprintf(detail, sizeof(detail), "%.240s", was);
	tell_file(g, f);
	file_name(g, f->id, name);
	for (uint32_t i = 0; i < f->keys.nr; i++)
		if (f->keys.items[i].confirmed || f->keys.items[i].by != TRAIL_HOLDS)
			tell_edge(g, TRAIL_RENAMED, TRAIL_OBSERVED, f->keys.items[i].key, name,
				  name, NULL, detail, ev->time);
}

/* --- who comes by a key --------------------------------------------------------------------------
 */

void graph_came_by(struct trail_graph *g, struct process *p, struct file *f, struct slot *of_file,
		   enum trail_edge_kind kind, const char *detail, uint64_t time)
{
	char from[TRAIL_NAME_MAX], to[TRAIL_NAME_MAX];
	struct slot *slot;
	bool is_new;

	if (!p->told)
		tell_process(g, p, 0);
	if (!f->told)
		tell_file(g, f);
	file_name(g, f->id, from);
	process_name(g, p->id, p->exec_id, to);
	tell_edge(g, kind, TRAIL_OBSERVED, of_file->key, from, to, NULL, detail, time);
	slot = slot_add(&p->keys, of_file->key, &is_new);
	if (slot && is_new) {
		slot->origin = FROM_FILE;
		slot->from = f->id;
		slot->by = kind;
	}
}

void graph_held(struct trail_graph *g, struct process *p, const uint64_t *objects, uint32_t nr,
		uint64_t time)
{
	if (p->keys.nr)
		return; /* it is known, and better */
	for (uint32_t i = 0; i < nr; i++) {
		struct file *f = graph_object(g, objects[i], time);

		for (uint32_t k = 0; f && (f->key_file || f->copy) && k < f->keys.nr; k++)
			if (f->keys.items[k].confirmed)
				graph_came_by(g, p, f, &f->keys.items[k], TRAIL_READ, "held", time);
	}
}

/* Keys may come to light in it later: then it matters who has read it. */
static void remember_reader(struct trail_graph *g, struct file *f, const struct event *ev)
{
	const struct event_access *a = &ev->access;
	struct trail_reader *reader = NULL;

	for (size_t i = 0; i < TRAIL_READERS_MAX; i++)
		if (f->readers[i] && proc_id_eq(&f->readers[i]->subject.id, &a->subject.id))
			return;
	if (f->readers[0] && f->readers[TRAIL_READERS_MAX - 1]) {
		reader = f->readers[0];
		memmove(&f->readers[0], &f->readers[1], sizeof(f->readers) - sizeof(f->readers[0]));
		f->readers[TRAIL_READERS_MAX - 1] = NULL;
	}
	if (!reader) {
		reader = malloc(sizeof(*reader));
		if (!reader)
			return;
		g->readers++;
	}
	*reader = (struct trail_reader){
		.subject = a->subject,
		.parent = a->parent,
		.time = ev->time,
		.exe_trust = a->exe_trust,
		.owner = a->owner,
		.cgroup_cut = ev->flags & EVENT_CGROUP_TRUNCATED,
	};
	snprintf(reader->exe, sizeof(reader->exe), "%.*s", (int)a->exe.len,
		 a->exe.p ? a->exe.p : "");
	snprintf(reader->cgroup, sizeof(reader->cgroup), "%.*s", (int)a->cgroup.len,
		 a->cgroup.p ? a->cgroup.p : "");
	for (size_t i = 0; i < TRAIL_READERS_MAX; i++) {
		if (!f->readers[i]) {
			f->readers[i] = reader;
			return;
		}
	}
}

/* Once it was not itself it stays so: what it read by then is told of, too. */
static void note_trust(struct process *p, const struct event_access *a)
{
	const bool is_itself = a->exe_trust == EXE_VERIFIED && !a->subject.untrusted;
	const enum trail_verified is = is_itself ? TRAIL_VERIFIED : TRAIL_NOT_VERIFIED;

	if (p->verified == is || p->verified == TRAIL_NOT_VERIFIED)
		return;
	p->verified = is;
	p->told = false; /* once more */
}

static void feed_access(struct trail_graph *g, const struct event *ev)
{
	const struct event_access *a = &ev->access;
	struct trail_object object = {0};
	struct process *p;
	struct file *f;

	if (!(a->mode & ACCESS_M_READ) || a->mode & ACCESS_M_CREATED ||
	    a->how == ACCESS_CLOSE_WRITE || a->how == ACCESS_CONNECT)
		return;
	if (!g->object || !g->object(g->object_ctx, a->object, &object) ||
	    !(object.holds_key || object.is_dump || object.is_copy))
		return;
	object.inode = a->inode; /* the generation may be another */
	if (!object.path.len)
		object.path = a->path;
	f = take_object(g, a->object, &object, ev->time);
	if (!f)
		return;
	graph_first_note(g, f, a);
	if (f->dump && f->state != TRAIL_WITH_KEY)
		remember_reader(g, f, ev);
	p = NULL;
	for (uint32_t i = 0; i < f->keys.nr; i++) {
		if (!f->keys.items[i].confirmed)
			continue;
		if (!p)
			p = process_of(g, &a->subject, a->exe, a->cgroup,
				       ev->flags & EVENT_CGROUP_TRUNCATED, ev->time);
		if (!p)
			return;
		note_trust(p, a);
		tell_inheritance(g, p, ev->time);
		graph_came_by(g, p, f, &f->keys.items[i], f->dump ? TRAIL_DUMP_READ : TRAIL_READ,
			      access_how_str(a->how), ev->time);
	}
}

/* --- processes -----------------------------------------------------------------------------------
 */

static void feed_fork(struct trail_graph *g, const struct event *ev)
{
	const struct event_fork *fork = &ev->fork;
	struct process *parent = process_find(g, process_key(&fork->parent)), *child;
	char exe[EXE_MAX], cgroup[CGROUP_MAX];
	struct origin_key from;
	uint64_t from_exec;
	struct slots keys;
	bool cgroup_cut;

	if (!parent || parent->ended || !parent->keys.nr || parent->exec_id != fork->parent.exec_id)
		return;
	/* To make room for the child may be the end of the parent's entry. */
	memcpy(exe, parent->exe, sizeof(exe));
	memcpy(cgroup, parent->cgroup, sizeof(cgroup));
	cgroup_cut = parent->cgroup_cut;
	keys = parent->keys;
	from = parent->id;
	from_exec = parent->exec_id;
	child = process_of(g, &fork->child, span_of(exe), span_of(cgroup), cgroup_cut, ev->time);
	if (!child || child->keys.nr)
		return;
	child->keys = keys;
	for (uint32_t i = 0; i < child->keys.nr; i++) {
		struct slot *slot = &child->keys.items[i];

		slot->origin = FROM_PROCESS;
		slot->from = from;
		slot->from_exec = from_exec;
		slot->by = TRAIL_INHERITED;
		slot->pending = true;
	}
}

static void feed_exec(struct trail_graph *g, const struct event *ev)
{
	const struct proc_id *id = &ev->exec.subject.id;
	struct process *p = process_find(g, process_key(id));

	/* The rings are not read in the order of time: the new image may be known already. */
	if (!p || p->exec_id >= id->exec_id)
		return;
	if (p->told)
		tell_process(g, p, ev->time);
	process_forget(g, p);
}

static void feed_exit(struct trail_graph *g, const struct event *ev)
{
	struct process *p = process_find(g, process_key(&ev->exit.subject.id));

	if (!p || p->exec_id > ev->exit.subject.id.exec_id)
		return;
	/* That it crashed may be told after its end: it is kept until there is no room. */
	p->ended = true;
	if (p->told)
		tell_process(g, p, ev->time);
}

static void feed_memory(struct trail_graph *g, const struct event *ev)
{
	const struct event_memory *m = &ev->memory;
	char from[TRAIL_NAME_MAX], to[TRAIL_NAME_MAX];
	struct process *target, *p;
	struct origin_key target_id;
	uint64_t target_exec;
	struct slots keys;

	/* Of the machine's memory it is not known whose key is read; the others are no memory. */
	if (!m->target.id.tgid || m->how == MEMORY_GETFD || m->how == MEMORY_ENVIRON)
		return;
	target = process_of(g, &m->target, none, none, false, ev->time);
	if (!target)
		return;
	graph_held(g, target, m->keys, EVENT_KEYS_MAX, ev->time);
	if (!target->keys.nr)
		return;
	tell_inheritance(g, target, ev->time);
	keys = target->keys;
	target_id = target->id;
	target_exec = target->exec_id;
	p = process_of(g, &m->subject, m->exe, m->cgroup, ev->flags & EVENT_CGROUP_TRUNCATED,
		       ev->time);
	if (!p)
		return;
	tell_inheritance(g, p, ev->time);
	if (!p->told)
		tell_process(g, p, 0);
	process_name(g, target_id, target_exec, from);
	process_name(g, p->id, p->exec_id, to);
	for (uint32_t i = 0; i < keys.nr; i++) {
		struct slot *slot;
		bool is_new;

		tell_edge(g, TRAIL_MEMORY_READ, TRAIL_INFERRED, keys.items[i].key, from, to,
			  "memory-can-be-read", memory_how_str(m->how), ev->time);
		slot = slot_add(&p->keys, keys.items[i].key, &is_new);
		if (slot && is_new) {
			slot->origin = FROM_PROCESS;
			slot->from = target_id;
			slot->from_exec = target_exec;
			slot->by = TRAIL_MEMORY_READ;
		}
	}
}

static void destination(const struct event_net *net, char *out, size_t size)
{
	const uint8_t *a = net->addr;
	char path[512];
	size_t n = 0;

	switch (net->how == NET_UNIX || net->how == NET_MOUNT ? 0 : net->family) {
	case AF_INET:
		snprintf(out, size, "%u.%u.%u.%u port %" PRIu32, a[0], a[1], a[2], a[3], net->port);
		return;
	case AF_INET6:
		for (int i = 0; i < 16; i += 2)
			n += (size_t)snprintf(out + n, size - n, "%s%x", i ? ":" : "",
					      a[i] << 8 | a[i + 1]);
		snprintf(out + n, size - n, " port %" PRIu32, net->port);
		return;
	default:
		break;
	}
	escape_bytes(net->path.p, net->path.len, path, sizeof(path), NULL);
	if (net->how == NET_UNIX)
		snprintf(out, size, "process %" PRIu32 " by a Unix socket", net->peer);
	else if (net->how == NET_MOUNT)
		snprintf(out, size, "%.60s on file system 0x%" PRIx32, path, net->fs_magic);
	else
		snprintf(out, size, "address family %" PRIu32 " port %" PRIu32, net->family,
			 net->port);
}

static void feed_net(struct trail_graph *g, const struct event *ev)
{
	const struct event_net *net = &ev->net;
	struct process *p = process_of(g, &net->subject, net->exe, none, false, ev->time);
	char from[TRAIL_NAME_MAX], to[TRAIL_NAME_MAX], label[88];
	struct trail_node node = {
		.name = to,
		.kind = TRAIL_DESTINATION,
		.host = g->host,
		.label = label,
		.uid = UID_UNSET,
		.loginuid = UID_UNSET,
	};

	if (!p)
		return;
	graph_held(g, p, net->keys, EVENT_KEYS_MAX, ev->time);
	if (!p->keys.nr)
		return;
	tell_inheritance(g, p, ev->time);
	destination(net, label, sizeof(label));
	snprintf(to, sizeof(to), "%s/to/%s", g->host, label);
	if (g->sink.node) {
		g->st.nodes++;
		g->sink.node(g->sink.ctx, &node);
	}
	process_name(g, p->id, p->exec_id, from);
	for (uint32_t i = 0; i < p->keys.nr; i++)
		tell_edge(g, TRAIL_SENT, TRAIL_OBSERVED, p->keys.items[i].key, from, to, NULL,
			  net_how_str(net->how), ev->time);
}

void trail_graph_feed(struct trail_graph *g, const struct event *ev)
{
	switch (ev->type) {
	case EVENT_FORK:
		feed_fork(g, ev);
		break;
	case EVENT_EXEC:
		feed_exec(g, ev);
		break;
	case EVENT_EXIT:
		feed_exit(g, ev);
		break;
	case EVENT_ACCESS:
		feed_access(g, ev);
		break;
	case EVENT_OBJECT:
		feed_object(g, ev);
		break;
	case EVENT_USER:
		if (g->sink.user) {
			char name[128];

			escape_bytes(ev->user.name.p, ev->user.name.len, name, sizeof(name), NULL);
			g->sink.user(g->sink.ctx, g->host, ev->user.uid, name);
		}
		break;
	case EVENT_GAP:
		tell_gap(g, ev->gap.cause, ev->gap.from, ev->gap.to, ev->gap.count);
		break;
	case EVENT_HEALTH:
		if (ev->health.level == HEALTH_BLIND)
			tell_gap(g, ev->health.what, ev->time, ev->time, 0);
		break;
	case EVENT_MEMORY:
		feed_memory(g, ev);
		break;
	case EVENT_NET:
		feed_net(g, ev);
		break;
	case EVENT_DUMP:
		graph_dump(g, ev);
		break;
	case EVENT_WRITTEN:
		graph_written(g, ev);
		break;
	case EVENT_SCAN_KEY:
		graph_scan_key(g, &ev->scan_key);
		break;
	case EVENT_SCAN:
		graph_scan(g, ev);
		break;
	default:
		break;
	}
}

/* --- what is asked -------------------------------------------------------------------------------
 */

size_t trail_graph_way_to_file(const struct trail_graph *g, const struct inode_id *inode,
			       const char *key, struct trail_step *out_steps, size_t max)
{
	const struct file *f = file_find(g, file_key(inode));
	const struct slot *slot = f ? slot_find((struct slots *)&f->keys, key) : NULL;
	struct trail_step steps[TRAIL_STEPS_MAX];
	const struct process *p = NULL;
	size_t nr = 0;

	/* Backwards; a way in a circle ends at the bound. */
	while (slot && nr < TRAIL_STEPS_MAX) {
		struct trail_step *step = &steps[nr++];

		*step = (struct trail_step){.is_process = p != NULL, .by = slot->by};
		if (p) {
			step->id = (struct proc_id){p->id.a, p->exec_id, p->id.b};
			step->uid = p->uid;
			step->loginuid = p->loginuid;
			step->exe = span_of(p->exe);
			step->cgroup = span_of(p->cgroup);
			step->cgroup_cut = p->cgroup_cut;
		} else {
			step->path = span_of(f->path);
		}
		if (slot->origin == FROM_KEY)
			break;
		if (slot->origin == FROM_PROCESS) {
			p = process_find(g, slot->from);
			if (p && p->exec_id != slot->from_exec)
				p = NULL;
			slot = p ? slot_find((struct slots *)&p->keys, key) : NULL;
		} else {
			p = NULL;
			f = file_find(g, slot->from);
			slot = f ? slot_find((struct slots *)&f->keys, key) : NULL;
		}
	}
	if (nr > max)
		nr = max;
	for (size_t i = 0; i < nr; i++)
		out_steps[i] = steps[nr - 1 - i];
	return nr;
}

bool graph_wrote(const struct file *f, const struct proc_id *who, const char *key)
{
	const struct origin_key id = process_key(who);

	for (uint32_t i = 0; i < f->keys.nr; i++) {
		const struct slot *slot = &f->keys.items[i];
		const bool first = slot->origin == FROM_PROCESS &&
				   slot->from_exec == who->exec_id &&
				   !memcmp(&slot->from, &id, sizeof(id));
		const bool last = slot->by != TRAIL_HOLDS && slot->last_exec == who->exec_id &&
				  !memcmp(&slot->last, &id, sizeof(id));

		if ((first && slot->handed) || (last && slot->last_handed) ||
		    ((first || last) && (!key || !strcmp(slot->key, key))))
			return true;
	}
	return false;
}

bool trail_graph_wrote(const struct trail_graph *g, const struct inode_id *inode,
		       const struct proc_id *who, const char *key)
{
	const struct file *f = file_find(g, file_key(inode));

	return f && graph_wrote(f, who, key);
}

bool trail_graph_wrote_all(const struct trail_graph *g, const struct inode_id *inode,
			   const struct proc_id *who)
{
	const struct file *f = file_find(g, file_key(inode));
	bool any = false;

	for (uint32_t i = 0; f && i < f->keys.nr; i++) {
		const struct slot *slot = &f->keys.items[i];

		if (!slot->confirmed)
			continue;
		if (!graph_wrote(f, who, slot->key))
			return false;
		any = true;
	}
	return any;
}

bool trail_graph_is_foreign(const struct trail_graph *g, const struct inode_id *inode,
			    const struct proc_id *writer)
{
	const struct file *f = file_find(g, file_key(inode));
	struct process *p = process_find(g, process_key(writer));
	bool any = false;

	if (p && p->exec_id != writer->exec_id)
		p = NULL;
	for (uint32_t i = 0; f && i < f->keys.nr; i++) {
		const struct slot *slot = &f->keys.items[i];

		if (!slot->confirmed)
			continue;
		if (slot->by != TRAIL_FOUND_IN || (p && slot_find(&p->keys, slot->key)))
			return false;
		any = true;
	}
	return any;
}

size_t trail_graph_take_readers(struct trail_graph *g, const struct inode_id *inode,
				struct trail_reader out[static TRAIL_READERS_MAX])
{
	struct file *f = file_find(g, file_key(inode));
	size_t nr = 0;

	for (size_t i = 0; f && i < TRAIL_READERS_MAX; i++)
		if (f->readers[i])
			out[nr++] = *f->readers[i];
	if (f)
		file_forget_readers(g, f);
	return nr;
}

void trail_graph_alert(struct trail_graph *g, const char *id, const char *type,
		       const struct proc_id *process)
{
	const struct process *p = process_find(g, process_key(process));
	char name[TRAIL_NAME_MAX];

	if (!g->sink.alert || !p || !p->told)
		return;
	process_name(g, p->id, p->exec_id, name);
	g->sink.alert(g->sink.ctx, id, type, name);
}

/* --- life ----------------------------------------------------------------------------------------
 */

struct trail_graph *trail_graph_new(const struct trail_graph_config *config)
{
	struct trail_graph *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	escape_bytes(config->host, strlen(config->host), g->host, sizeof(g->host), NULL);
	for (char *c = g->host; *c; c++) /* it is a component of names */
		if (*c == '/')
			*c = '_';
	snprintf(g->boot, sizeof(g->boot), "%.8s", config->boot_id);
	g->wall_offset_ns = config->wall_offset_ns;
	g->max_processes = config->max_processes ? config->max_processes : TRAIL_PROCESSES_DEFAULT;
	g->max_files = config->max_files ? config->max_files : TRAIL_FILES_DEFAULT;
	g->object = config->object;
	g->zone = config->zone;
	g->object_ctx = config->ctx;
	g->process_pool = calloc(g->max_processes, sizeof(*g->process_pool));
	g->file_pool = calloc(g->max_files, sizeof(*g->file_pool));
	if (!g->process_pool || !g->file_pool) {
		trail_graph_free(g);
		return NULL;
	}
	return g;
}

void trail_graph_free(struct trail_graph *g)
{
	struct process *p, *next_p;
	struct file *f, *next_f;

	if (!g)
		return;
	HASH_ITER(hh, g->processes, p, next_p)
	{
		process_forget(g, p);
	}
	HASH_ITER(hh, g->files, f, next_f)
	{
		file_forget(g, f);
	}
	free(g->process_pool);
	free(g->file_pool);
	free(g);
}

void trail_graph_set_sink(struct trail_graph *g, const struct trail_sink *sink)
{
	g->sink = *sink;
}

void trail_graph_set_wall_offset(struct trail_graph *g, int64_t wall_offset_ns)
{
	g->wall_offset_ns = wall_offset_ns;
}

void trail_graph_stats(const struct trail_graph *g, struct trail_graph_stats *out_stats)
{
	struct trail_graph_stats st = g->st;

	st.processes = HASH_COUNT(g->processes);
	st.processes_max = g->max_processes;
	st.files = HASH_COUNT(g->files);
	st.files_max = g->max_files;
	st.bytes = sizeof(*g) + st.processes * sizeof(struct process) +
		   st.files * sizeof(struct file) + g->readers * sizeof(struct trail_reader);
	*out_stats = st;
}
