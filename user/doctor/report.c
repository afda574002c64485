// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings, put together, in order, and as JSON. */
#include <inttypes.h>
#include <string.h>

#include "doctor/check.h"

static struct doctor_finding *add(struct doctor *d, enum check_id id,
				  const struct process_facts *process)
{
	struct doctor_report *r = &d->report;
	struct doctor_finding *more = realloc(r->items, (r->nr + 1) * sizeof(*more));

	if (!more) {
		r->no_memory = true;
		return NULL;
	}
	r->items = more;
	more += r->nr++;
	*more = (struct doctor_finding){.check = &checks[id], .severity = checks[id].severity};
	if (process) {
		more->pid = process->pid;
		snprintf(more->subject, sizeof(more->subject), "%s[%u]%s%s",
			 process->exe[0] ? process->exe : process->comm, process->pid,
			 process->unit[0] ? ", " : "", process->unit);
	}
	return more;
}

void doctor_find(struct doctor *doctor, enum check_id id, const struct finding_text *t)
{
	struct doctor_finding *f = add(doctor, id, t->process);

	if (!f)
		return;
	if (t->severity)
		f->severity = t->severity;
	snprintf(f->path, sizeof(f->path), "%s", t->path);
	snprintf(f->value, sizeof(f->value), "%s", t->value);
	snprintf(f->mend, sizeof(f->mend), "%s", t->mend ? t->mend : f->check->mend);
}

void doctor_blind(struct doctor *doctor, enum check_id id, const char *path, int error,
		  const struct process_facts *process)
{
	struct doctor_finding *f = add(doctor, id, process);

	if (!f)
		return;
	f->error = error;
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(f->value, sizeof(f->value), "%s", strerror(-error));
}

static int compare(const void *a, const void *b)
{
	const struct doctor_finding *x = a, *y = b;

	if (!x->error != !y->error)
		return x->error ? 1 : -1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->check != y->check)
		return x->check < y->check ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return strcmp(x->value, y->value);
}

void doctor_run(struct doctor *doctor)
{
	struct doctor_report *r = &doctor->report;

	checks_holders(doctor);
	checks_host(doctor);
	checks_self(doctor);
	if (r->nr)
		qsort(r->items, r->nr, sizeof(*r->items), compare);
}

void doctor_fini(struct doctor *doctor)
{
	free(doctor->report.items);
	doctor->report = (struct doctor_report){.items = NULL};
}

enum doctor_outcome doctor_outcome(const struct doctor *doctor, enum severity fail_on)
{
	enum doctor_outcome outcome = doctor->report.no_memory ? DOCTOR_COULD_NOT : DOCTOR_GOOD;

	for (size_t i = 0; i < doctor->report.nr; i++) {
		const struct doctor_finding *f = &doctor->report.items[i];

		if (f->severity < fail_on)
			continue;
		if (!f->error)
			return DOCTOR_FOUND;
		outcome = DOCTOR_COULD_NOT;
	}
	return outcome;
}

/* --- JSON ---------------------------------------------------------------------------------------
 */

static int put(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value);
}

static int put_text(json_t *object, const char *name, const char *text)
{
	return *text ? put(object, name, json_string(text)) : 0;
}

/* As text: JSON numbers do not reach 64 bits everywhere. */
static json_t *address(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static json_t *limit(uint64_t value)
{
	return value == LIMIT_INFINITY ? json_string("unlimited") : json_integer((json_int_t)value);
}

static json_t *place_json(const struct held_place *place)
{
	const struct mapping *m = &place->mapping;
	char flags[24];
	json_t *mapping;

	if (!place->mapped)
		return json_pack("{s:o, s:n, s:b}", "address", address(place->address), "mapping",
				 "in_core", (int)place->in_core);
	mapping_flags_text(m, flags);
	mapping =
		json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:b, s:I}", "start", address(m->start),
			  "end", address(m->end), "perms", m->perms, "name", m->name, "kind",
			  core_place_str(mapping_core_place(m)), "vmflags", flags, "locked",
			  (int)!!(m->flags & MAPPING_LOCKED), "swap_kib", (json_int_t)m->swap_kib);
	return json_pack("{s:o, s:o, s:b}", "address", address(place->address), "mapping", mapping,
			 "in_core", (int)place->in_core);
}

static json_t *key_json(const struct held_key *key)
{
	json_t *object = json_pack("{s:s}", "name", key->name), *places = json_array();
	int err = put_text(object, "kind", key->kind);

	err |= put_text(object, "label", key->label);
	err |= put(object, "places", places);
	for (size_t i = 0; i < key->nr_places; i++)
		err |= json_array_append_new(places, place_json(&key->places[i]));
	if (key->places_left_out)
		err |= put(object, "places_left_out",
			   json_integer((json_int_t)key->places_left_out));
	if (err) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *process_json(const struct process_facts *p)
{
	static const char *const dumpable[] = {"unknown", "yes", "no"};
	json_t *object = json_pack("{s:i, s:s, s:s, s:b}", "pid", (int)p->pid, "command", p->comm,
				   "dumpable", dumpable[p->dumpable], "swept", (int)p->swept);
	json_t *keys = json_array();
	int err = put_text(object, "exe", p->exe);

	err |= put_text(object, "unit", p->unit);
	if (p->uid != UINT32_MAX)
		err |= put(object, "uid", json_integer(p->uid));
	if (!p->limits_error) {
		err |= put(object, "core_limit", limit(p->core_soft));
		err |= put(object, "core_limit_hard", limit(p->core_hard));
	}
	if (!p->filter_error)
		err |= put(object, "coredump_filter", json_integer(p->filter));
	err |= put(object, "keys", keys);
	for (size_t i = 0; i < p->nr_keys; i++)
		err |= json_array_append_new(keys, key_json(&p->keys[i]));
	if (p->keys_left_out)
		err |= put(object, "keys_left_out", json_integer((json_int_t)p->keys_left_out));
	if (err) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *finding_json(const struct doctor_finding *f)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "id", f->check->id, "area",
				   check_area_str(f->check->area), "severity",
				   severity_str(f->severity), "title", f->check->title);
	int err = 0;

	if (f->pid)
		err |= put(object, "pid", json_integer(f->pid));
	err |= put_text(object, "subject", f->subject);
	err |= put(object, "evidence", json_pack("{s:s, s:s}", "path", f->path, "value", f->value));
	if (!f->error) {
		err |= put(object, "why", json_string(f->check->why));
		err |= put(object, "mend", json_string(f->mend));
	}
	if (err) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *doctor_json(const struct doctor *doctor)
{
	static const char *const daemon[] = {"not-asked", "running", "away", "denied"};
	json_t *findings = json_array(), *blind = json_array(), *holders = json_array();
	json_t *object = json_pack("{s:s, s:s, s:o, s:o, s:o}", "schema", DOCTOR_SCHEMA, "daemon",
				   daemon[doctor->daemon], "findings", findings, "not_looked_at",
				   blind, "holders", holders);
	int err = !object || doctor->report.no_memory;

	for (size_t i = 0; i < doctor->report.nr && !err; i++) {
		const struct doctor_finding *f = &doctor->report.items[i];

		err = json_array_append_new(f->error ? blind : findings, finding_json(f));
	}
	for (size_t i = 0; i < doctor->nr_holders && !err; i++)
		err = json_array_append_new(holders, process_json(&doctor->holders[i]));
	if (err) {
		json_decref(object);
		return NULL;
	}
	return object;
}
