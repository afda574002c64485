// SPDX-License-Identifier: GPL-2.0-or-later
/* A scan's verdict for people. */
#include "cli/scan_view.h"

#include <inttypes.h>
#include <string.h>

#define PLACES_SHOWN 8

static enum style severity_style(enum severity severity)
{
	if (severity >= SEV_HIGH)
		return STYLE_BAD;
	return severity == SEV_MEDIUM ? STYLE_WARN : STYLE_BOLD;
}

static void row(const struct term *t, const char *name)
{
	term_putf(t, STYLE_DIM, "  %-8s", name);
}

/* "1.8 GB": powers of ten, as disks and other tools count. */
static void size_text(uint64_t bytes, char out[24])
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 999.95 && unit + 1 < sizeof(units) / sizeof(*units); unit++)
		value /= 1000;
	snprintf(out, 24, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void show_name(const struct term *t, const char *file, const struct scan_about *about)
{
	term_put(t, STYLE_BOLD, file);
	if (about->member[0])
		term_putf(t, STYLE_BOLD, " (%s)", about->member);
}

/* What the key is called: the site's own name for it, else its comment. */
static void show_names(const struct term *t, const struct found_key *key)
{
	const struct key_identity *id = &key->finding.id;

	row(t, key->finding.what == FINDING_TOKEN ? "token" : "key");
	if (key->finding.what == FINDING_TOKEN) {
		term_putf(t, STYLE_BOLD, "%s, %u bytes\n", key->label ? key->label : "?",
			  key->finding.length);
		return;
	}
	if (id->ssh_fp[0]) {
		term_put(t, STYLE_BOLD, id->ssh_fp);
	} else if (id->has_spki) {
		term_put(t, STYLE_BOLD, "spki:");
		for (size_t i = 0; i < sizeof(id->spki); i++)
			term_putf(t, STYLE_BOLD, "%02x", id->spki[i]);
	} else if (id->keygrip[0]) {
		term_putf(t, STYLE_BOLD, "keygrip %s", id->keygrip);
	} else {
		term_put(t, STYLE_PLAIN, "nothing public names it");
	}
	if (key->label)
		term_putf(t, STYLE_PLAIN, ", known as \"%s\"", key->label);
	if (key->zone)
		term_putf(t, STYLE_PLAIN, " of zone %s", key->zone);
	if (key->expired)
		term_put(t, STYLE_PLAIN, ", expired");
	if (id->comment[0])
		term_putf(t, STYLE_PLAIN, ", \"%s\"", id->comment);
	fputc('\n', t->f);
}

static void show_places(const struct term *t, const struct found_key *key)
{
	size_t shown = key->nr_places < PLACES_SHOWN ? key->nr_places : PLACES_SHOWN;
	uint64_t more = key->nr_places - shown + key->places_left_out;

	for (size_t i = 0; i < shown; i++) {
		const struct place *p = &key->places[i];

		row(t, i ? "" : "places");
		term_putf(t, STYLE_PLAIN, "offset 0x%" PRIx64, p->offset);
		if (p->has_vaddr)
			term_putf(t, STYLE_PLAIN, ", address 0x%" PRIx64, p->vaddr);
		term_putf(t, STYLE_DIM, "  %s, %s\n", finding_what_str(p->what),
			  finding_layout_str(p->layout));
	}
	if (more) {
		row(t, "");
		term_putf(t, STYLE_DIM, "and %" PRIu64 " more\n", more);
	}
}

static void show_process(const struct term *t, const struct scan_about *about)
{
	if (!about->pid && !about->command[0] && !about->exe[0])
		return;
	row(t, "process");
	term_put(t, STYLE_PLAIN, about->exe[0] ? about->exe : about->command);
	if (about->pid)
		term_putf(t, STYLE_PLAIN, "[%u]", about->pid);
	if (about->signal)
		term_putf(t, STYLE_PLAIN, ", ended by signal %u", about->signal);
	fputc('\n', t->f);
}

static void show_key(const struct term *t, const char *file, const struct scan_about *about,
		     const struct found_key *key)
{
	const struct finding *f = &key->finding;
	enum severity severity = found_key_severity(key);

	term_putf(t, severity_style(severity), "%s", severity_str(severity));
	term_putf(t, STYLE_PLAIN, " %s ", finding_class_str(f->class));
	term_putf(t, STYLE_BOLD, "%s",
		  f->id.kind ? key_kind_str(f->id.kind) : finding_what_str(f->what));
	if (f->bits)
		term_putf(t, STYLE_BOLD, " %u", f->bits);
	term_put(t, STYLE_PLAIN, " in ");
	show_name(t, file, about);
	fputc('\n', t->f);
	show_names(t, key);
	show_process(t, about);
	show_places(t, key);
	fputc('\n', t->f);
}

static void show_flags(const struct term *t, unsigned flags)
{
	for (unsigned flag = 1; flag <= SCAN_FLAGS_ALL; flag <<= 1)
		if (flags & flag & SCAN_FLAGS_ALL & ~SCAN_CORE)
			term_putf(t, STYLE_WARN, "; %s", scan_flag_sentence(flag));
}

void scan_view(const struct term *t, const char *file, const struct scan_verdict *verdict, bool all)
{
	unsigned counted = 0, others = 0;
	char size[24];

	for (size_t i = 0; i < verdict->nr_keys; i++) {
		const struct found_key *key = &verdict->keys[i];
		bool counts = found_key_counts(key);

		counted += counts;
		others += !counts;
		if (counts || all)
			show_key(t, file, &verdict->about, key);
	}
	size_text(verdict->bytes, size);
	show_name(t, file, &verdict->about);
	term_putf(t, STYLE_DIM, " (%s, %s)", scan_container_str(verdict->about.container), size);
	if (counted)
		term_putf(t, STYLE_BAD, ": %u key%s", counted, counted == 1 ? "" : "s");
	else if (scan_verdict_outcome(verdict) == OUTCOME_CLEAN)
		term_put(t, STYLE_GOOD, ": clean as far as this scan sees");
	else
		term_put(t, STYLE_WARN, ": nothing found, but not all was seen");
	if (others && !all)
		term_putf(t, STYLE_DIM,
			  "; %u of random generators and self tests not shown (--all)", others);
	if (verdict->findings_left_out)
		term_putf(t, STYLE_WARN, "; %" PRIu64 " findings of still more keys not kept",
			  verdict->findings_left_out);
	show_flags(t, verdict->flags);
	for (unsigned i = 0; i < UNTRIED_NR; i++)
		if (verdict->untried[i])
			term_putf(t, STYLE_WARN, "; %" PRIu64 " %s", verdict->untried[i],
				  untried_sentence(i));
	fputc('\n', t->f);
}
