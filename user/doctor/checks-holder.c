// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks of processes that hold keys: does memory get into a core, and to whom? */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "doctor/check.h"

#define SYSTEM_UID_MAX 999 /* Debian's; systemd-coredump lets no account of the system read */

static bool stores_nothing(const struct host_facts *h)
{
	return h->core == CORE_NOWHERE ||
	       (h->core == CORE_SYSTEMD && !h->storage.error && !strcmp(h->storage.value, "none"));
}

/*
 * Would a core of it get anywhere? A file is not written beyond the soft limit; a helper gets all,
 * but for the limit 1, which the kernel means for itself (do_coredump() in fs/coredump.c), and
 * systemd-coredump stores nothing below a page, if it is told the limit: Debian 12's core_pattern
 * has a number beyond all limits in the place of %c.
 */
static bool limit_lets(const struct host_facts *h, const struct process_facts *p)
{
	if (p->limits_error)
		return true; /* not known: told beside it */
	switch (h ? h->core : CORE_UNKNOWN) {
	case CORE_SYSTEMD:
		return h->core_limit_told ? p->core_soft >= 4096 : p->core_soft != 1;
	case CORE_APPORT:
	case CORE_ABRT:
	case CORE_HELPER:
		return p->core_soft != 1;
	case CORE_SOCKET:
		return true;
	default:
		return p->core_soft != 0;
	}
}

static bool leaves_core(const struct doctor *d, const struct process_facts *p)
{
	if (d->host && stores_nothing(d->host))
		return false;
	return p->dumpable != DUMPABLE_NO && limit_lets(d->host, p);
}

static const char *limit_text(uint64_t limit, char out[24])
{
	if (limit == LIMIT_INFINITY)
		return "unlimited";
	snprintf(out, 24, "%" PRIu64, limit);
	return out;
}

/* The limit that keeps a core back: 0, or 1 where a helper takes no notice of that. */
static int limit_against(const struct host_facts *h)
{
	switch (h ? h->core : CORE_UNKNOWN) {
	case CORE_SYSTEMD:
		return !h->core_limit_told;
	case CORE_APPORT:
	case CORE_ABRT:
	case CORE_HELPER:
		return 1;
	default:
		return 0;
	}
}

/* What makes a core of it impossible: the setting of its service, where it has one. In single
 * quotes the backslashes of its name stay what they are. */
static const char *unit_mend(const struct host_facts *h, const struct process_facts *p,
			     char out[640])
{
	if (!*p->service)
		return NULL;
	snprintf(out, 640,
		 "mkdir -p '/etc/systemd/system/%s.d' && printf '[Service]\\nLimitCORE=%d\\n' > "
		 "'/etc/systemd/system/%s.d/core.conf' && systemctl daemon-reload && systemctl "
		 "restart '%s'",
		 p->service, limit_against(h), p->service, p->service);
	return out;
}

static void found(struct doctor *d, enum check_id id, const struct process_facts *p,
		  const char *file, const char *value)
{
	bool limit = id == CHECK_KEY_IN_CORE || id == CHECK_HOLDER_DUMPABLE ||
		     id == CHECK_CORE_FOR_USER || id == CHECK_CORE_LIMIT_SOFT;
	char path[64], mend[640];

	snprintf(path, sizeof(path), "/proc/%u/%s", p->pid, file);
	doctor_find(d, id,
		    &(struct finding_text){
			    .path = path,
			    .value = value,
			    .mend = limit ? unit_mend(d->host, p, mend) : NULL,
			    .process = p,
		    });
}

static void describe(const struct process_facts *p, char *out, size_t size)
{
	char limit[24];

	snprintf(out, size, "core limit %s, coredump_filter %#x, %s",
		 p->limits_error ? "not known" : limit_text(p->core_soft, limit),
		 p->filter_error ? CORE_FILTER_DEFAULT : p->filter,
		 p->dumpable == DUMPABLE_YES ? "dumpable"
					     : "of root: whether it is dumpable does not show");
}

/* --- with the places of its keys ----------------------------------------------------------------
 */

enum want { WANT_IN_CORE, WANT_SWAPPABLE, WANT_INHERITED };

static bool wanted(const struct held_place *place, enum want want)
{
	switch (want) {
	case WANT_IN_CORE:
		return place->in_core;
	case WANT_SWAPPABLE: /* only what is mapped can be judged; VmFlags may be missing */
		return place->mapped && place->mapping.flags & MAPPING_FLAGS_KNOWN &&
		       !(place->mapping.flags & MAPPING_LOCKED);
	default:
		return place->mapped && place->mapping.flags & MAPPING_FLAGS_KNOWN &&
		       !(place->mapping.flags & (MAPPING_DONTCOPY | MAPPING_WIPEONFORK));
	}
}

/* The first such place in words, and how many there are. */
static size_t first_place(const struct held_key *key, enum want want, char *out, size_t size)
{
	size_t nr = 0;

	for (size_t i = 0; i < key->nr_places; i++) {
		const struct held_place *place = &key->places[i];
		char flags[24];

		if (!wanted(place, want) || nr++)
			continue;
		mapping_flags_text(&place->mapping, flags);
		snprintf(out, size, "%s%s%s%s%s at %#" PRIx64 " in %s (%s%s%s)", key->kind,
			 *key->kind ? " " : "", key->name, *key->label ? " " : "", key->label,
			 place->address,
			 !place->mapped		? "no mapping that is known"
			 : *place->mapping.name ? place->mapping.name
						: "anonymous memory",
			 core_place_str(mapping_core_place(&place->mapping)), *flags ? ", " : "",
			 flags);
	}
	return nr;
}

/* True if it was found. */
static bool check_places(struct doctor *d, const struct process_facts *p, enum check_id id,
			 enum want want)
{
	char first[560] = "", text[640];
	size_t places = 0, keys = 0;

	for (size_t i = 0; i < p->nr_keys; i++) {
		char other[560];
		size_t nr = first_place(&p->keys[i], want, keys ? other : first, sizeof(first));

		places += nr;
		keys += nr > 0;
	}
	if (!places)
		return false;
	if (places == 1)
		snprintf(text, sizeof(text), "%s", first);
	else
		snprintf(text, sizeof(text), "%s; %zu places of %zu key%s in all", first, places,
			 keys, keys == 1 ? "" : "s");
	found(d, id, p, "smaps", text);
	return true;
}

/* Is there a key of which it is not known where it stands, or where all of it does? */
static bool is_unplaced(const struct process_facts *p)
{
	if (!p->swept || p->keys_left_out || (p->nr_keys && p->smaps_error))
		return true;
	for (size_t i = 0; i < p->nr_keys; i++)
		if (!p->keys[i].nr_places || p->keys[i].places_left_out)
			return true;
	return false; /* or it has none in memory any more */
}

/* --- all ----------------------------------------------------------------------------------------
 */

static void check_core(struct doctor *d, const struct process_facts *p)
{
	char text[256];

	if (!leaves_core(d, p))
		return;
	if (p->smaps_error)
		doctor_blind(d, CHECK_KEY_IN_CORE, "smaps", p->smaps_error, p);
	else if (check_places(d, p, CHECK_KEY_IN_CORE, WANT_IN_CORE))
		return;
	if (!is_unplaced(p))
		return;
	describe(p, text, sizeof(text));
	found(d, CHECK_HOLDER_DUMPABLE, p, "limits", text);
}

static void check_suid_core(struct doctor *d, const struct process_facts *p)
{
	const struct host_facts *h = d->host;

	if (!h || p->dumpable != DUMPABLE_NO || h->suid_dumpable.error ||
	    strcmp(h->suid_dumpable.value, "2") || stores_nothing(h) || !limit_lets(h, p))
		return;
	/* To a file in the directory of the process the kernel writes none of these. */
	if (h->core == CORE_RELATIVE || h->core == CORE_UNKNOWN)
		return;
	found(d, CHECK_HOLDER_SUID_CORE, p, "status",
	      "not dumpable by itself, and fs.suid_dumpable=2");
}

static void check_user(struct doctor *d, const struct process_facts *p)
{
	const struct host_facts *h = d->host;
	char text[128];
	bool file;

	if (!h || p->uid == 0 || p->uid == UINT32_MAX || p->dumpable != DUMPABLE_YES ||
	    !leaves_core(d, p))
		return;
	file = h->core == CORE_FILE || h->core == CORE_RELATIVE || h->core == CORE_APPORT;
	if (!file && !(h->core == CORE_SYSTEMD && p->uid > SYSTEM_UID_MAX))
		return;
	if (h->core == CORE_RELATIVE)
		snprintf(text, sizeof(text), "uid %u, in %.96s", p->uid,
			 *p->cwd ? p->cwd : "its directory");
	else
		snprintf(text, sizeof(text), "uid %u", p->uid);
	found(d, CHECK_CORE_FOR_USER, p, "status", text);
}

static bool swaps_plainly(const struct host_facts *h)
{
	for (size_t i = 0; h && i < h->nr_swaps; i++)
		if (h->swaps[i].known && h->swaps[i].kind == SWAP_PLAIN)
			return true;
	return false;
}

static void check_swappable(struct doctor *d, const struct process_facts *p)
{
	if (!swaps_plainly(d->host))
		return;
	if (check_places(d, p, CHECK_KEY_SWAPPABLE, WANT_SWAPPABLE) || !is_unplaced(p))
		return;
	if (p->locked_error)
		doctor_blind(d, CHECK_KEY_SWAPPABLE, "status (VmLck)", p->locked_error, p);
	else if (!p->locked_kib)
		found(d, CHECK_KEY_SWAPPABLE, p, "status", "VmLck: 0 kB, nothing is locked");
}

static void check_limit(struct doctor *d, const struct process_facts *p)
{
	char hard[24], text[64];

	if (p->limits_error) {
		if (p->dumpable != DUMPABLE_NO)
			doctor_blind(d, CHECK_HOLDER_DUMPABLE, "limits", p->limits_error, p);
		return;
	}
	if (p->core_soft || !p->core_hard || limit_lets(d->host, p) || p->dumpable == DUMPABLE_NO ||
	    (d->host && stores_nothing(d->host)))
		return;
	snprintf(text, sizeof(text), "soft 0, hard %s", limit_text(p->core_hard, hard));
	found(d, CHECK_CORE_LIMIT_SOFT, p, "limits", text);
}

static void check_holder(struct doctor *d, const struct process_facts *p)
{
	if (p->core_dumping)
		found(d, CHECK_CORE_IN_PROGRESS, p, "status", "CoreDumping: 1");
	check_core(d, p);
	check_suid_core(d, p);
	check_user(d, p);
	check_swappable(d, p);
	check_limit(d, p);
	check_places(d, p, CHECK_KEY_INHERITED, WANT_INHERITED);
}

void checks_holders(struct doctor *d)
{
	for (size_t i = 0; i < d->nr_holders; i++)
		check_holder(d, &d->holders[i]);
	if (d->holders_left_out) {
		char text[64];

		/* The worst that one of them could be found for. */
		snprintf(text, sizeof(text), "holders of keytraild: %" PRIu64 " left out",
			 d->holders_left_out);
		doctor_blind(d, CHECK_CORE_IN_PROGRESS, text, -E2BIG, NULL);
	}
}
