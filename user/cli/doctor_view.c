// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor and sweep say, as a person reads it. */
#include "cli/doctor_view.h"

#include <inttypes.h>
#include <string.h>

#define PLACES_SHOWN 8

static enum style severity_style(enum severity severity)
{
	if (severity >= SEV_HIGH)
		return STYLE_BAD;
	return severity == SEV_MEDIUM ? STYLE_WARN : STYLE_BOLD;
}

/* --- processes and their keys -------------------------------------------------------------------
 */

static void show_place(const struct term *t, const struct held_place *place)
{
	const struct mapping *m = &place->mapping;
	char flags[24];

	term_putf(t, STYLE_DIM, "    0x%" PRIx64 "  ", place->address);
	if (!place->mapped) {
		term_putf(t, STYLE_PLAIN, "in no mapping that is known\n");
		return;
	}
	mapping_flags_text(m, flags);
	term_putf(t, STYLE_PLAIN, "%s %s, %s%s%s: ", m->perms,
		  *m->name ? m->name : "anonymous memory", core_place_str(mapping_core_place(m)),
		  *flags ? ", " : "", flags);
	term_put(t, place->in_core ? STYLE_BAD : STYLE_GOOD,
		 place->in_core ? "goes into a core" : "left out of cores");
	if (m->flags & MAPPING_FLAGS_KNOWN && !(m->flags & MAPPING_LOCKED))
		term_put(t, STYLE_WARN, ", may be swapped out");
	fputc('\n', t->f);
}

static void show_key(const struct term *t, const struct held_key *key)
{
	size_t shown = key->nr_places < PLACES_SHOWN ? key->nr_places : PLACES_SHOWN;
	uint64_t more = key->nr_places - shown + key->places_left_out;

	fputs("  ", t->f);
	term_putf(t, STYLE_BOLD, "%s%s%s", key->kind, *key->kind ? " " : "", key->name);
	if (*key->label)
		term_putf(t, STYLE_PLAIN, "  %s", key->label);
	fputc('\n', t->f);
	for (size_t i = 0; i < shown; i++)
		show_place(t, &key->places[i]);
	if (more)
		term_putf(t, STYLE_DIM, "    and %" PRIu64 " more places\n", more);
}

void doctor_view_process(const struct term *t, const struct process_facts *p)
{
	term_put(t, STYLE_BOLD, *p->exe ? p->exe : p->comm);
	term_putf(t, STYLE_PLAIN, "[%u]", p->pid);
	if (p->uid != UINT32_MAX)
		term_putf(t, STYLE_PLAIN, ", uid %u", p->uid);
	if (*p->unit)
		term_putf(t, STYLE_PLAIN, ", %s", p->unit);
	fputc('\n', t->f);
	for (size_t i = 0; i < p->nr_keys; i++)
		show_key(t, &p->keys[i]);
	if (p->keys_left_out)
		term_putf(t, STYLE_WARN, "  and %" PRIu64 " more keys\n", p->keys_left_out);
}

/* --- the report ---------------------------------------------------------------------------------
 */

static void row(const struct term *t, const char *name, const char *text)
{
	term_putf(t, STYLE_DIM, "  %-6s", name);
	term_put(t, STYLE_PLAIN, text);
	fputc('\n', t->f);
}

static void show_finding(const struct term *t, const struct doctor_finding *f)
{
	term_putf(t, severity_style(f->severity), "%s", severity_str(f->severity));
	term_putf(t, STYLE_BOLD, " %s", f->check->title);
	term_putf(t, STYLE_DIM, "  %s\n", f->check->id);
	if (*f->subject)
		row(t, "who", f->subject);
	term_putf(t, STYLE_DIM, "  %-6s", "seen");
	term_putf(t, STYLE_PLAIN, "%s: %s\n", f->path, f->value);
	row(t, "why", f->check->why);
	row(t, "mend", f->mend);
	fputc('\n', t->f);
}

static void show_blind(const struct term *t, const struct doctor_finding *f)
{
	term_putf(t, STYLE_WARN, "%s", "not looked at ");
	term_putf(t, STYLE_BOLD, "%s", f->check->id);
	term_putf(t, STYLE_PLAIN, ": %s%s%s: %s\n", f->subject, *f->subject ? ": " : "", f->path,
		  f->value);
}

static void show_holders(const struct term *t, const struct doctor *d)
{
	size_t swept = 0;

	for (size_t i = 0; i < d->nr_holders; i++)
		swept += d->holders[i].swept;
	if (!d->nr_holders)
		term_put(t, STYLE_PLAIN,
			 d->daemon == DAEMON_ANSWERED
				 ? "No living process is known to hold a key"
				 : "Processes were not looked at: who holds keys is what keytraild "
				   "knows; or name them (--pid), or search for them (--sweep)");
	else
		term_putf(t, STYLE_PLAIN, "%zu process%s looked at, %zu of them in memory",
			  d->nr_holders, d->nr_holders == 1 ? "" : "es", swept);
	fputs(".\n", t->f);
}

void doctor_view(const struct term *t, const struct doctor *d)
{
	size_t counts[SEV_NR] = {0}, blind = 0, all = 0;

	for (size_t i = 0; i < d->report.nr; i++) {
		const struct doctor_finding *f = &d->report.items[i];

		if (f->error) {
			show_blind(t, f);
			blind++;
		} else {
			show_finding(t, f);
			counts[f->severity]++;
			all++;
		}
	}
	show_holders(t, d);
	term_putf(t, STYLE_BOLD, "%zu finding%s", all, all == 1 ? "" : "s");
	for (int s = SEV_NR - 1, first = 1; s > 0; s--) {
		if (!counts[s])
			continue;
		term_putf(t, severity_style((enum severity)s), "%s%zu %s", first ? ": " : ", ",
			  counts[s], severity_str((enum severity)s));
		first = 0;
	}
	if (blind)
		term_putf(t, STYLE_WARN, "; %zu thing%s could not be looked at%s", blind,
			  blind == 1 ? "" : "s", geteuid() ? " (root can)" : "");
	fputc('\n', t->f);
}

void doctor_view_checks(const struct term *t)
{
	for (size_t i = 0; i < CHECK_NR; i++) {
		const struct check *c = &checks[i];

		term_putf(t, STYLE_BOLD, "%-18s", c->id);
		term_putf(t, severity_style(c->severity), " %-8s", severity_str(c->severity));
		term_putf(t, STYLE_PLAIN, " %-6s %s\n", check_area_str(c->area), c->title);
	}
}
