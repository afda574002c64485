// SPDX-License-Identifier: GPL-2.0-or-later
/* From findings and errors to a verdict. */
#include "scanq/tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void scan_tally_fini(struct scan_tally *tally)
{
	scan_verdict_fini(&tally->verdict);
}

int scan_tally_about(struct scan_tally *tally, const struct scan_about *about)
{
	if (!tally->dumps++)
		scan_verdict_init(&tally->verdict, about);
	return 0;
}

int scan_tally_found(struct scan_tally *tally, const struct finding *finding)
{
	if (finding->what == FINDING_END) {
		tally->bytes += finding->offset;
		tally->flags |= (unsigned)finding->vaddr;
		return 0;
	}
	return scan_verdict_add(&tally->verdict, finding);
}

int scan_tally_digest(struct scan_tally *tally, const struct scan_digest *digest)
{
	uint32_t at = tally->nr_contents;

	if (digest->depth == 0) {
		tally->digest = *digest;
		tally->has_digest = true;
		return 0;
	}
	/* One without keys gives way to one with them. */
	if (at == DIGESTS_CONTENT_MAX && digest->keys)
		for (at = 0; at < DIGESTS_CONTENT_MAX && tally->contents[at].keys;)
			at++;
	if (at == DIGESTS_CONTENT_MAX)
		return 0;
	tally->contents[at] = *digest;
	tally->nr_contents += at == tally->nr_contents;
	return 0;
}

void scan_tally_touched(struct scan_tally *tally, unsigned flags)
{
	if (!flags)
		return;
	tally->has_digest = false;
	tally->flags |= flags;
}

static void digests_text(struct scan_tally *tally)
{
	size_t at = 0;

	digest_hex(tally->digest.sha256, tally->digest_text);
	for (int keys = 1; keys >= 0; keys--) {
		for (uint32_t i = 0; i < tally->nr_contents; i++) {
			if (tally->contents[i].keys != (keys == 1))
				continue;
			if (at)
				tally->content_text[at++] = ' ';
			digest_hex(tally->contents[i].sha256, tally->content_text + at);
			at += DIGEST_HEX - 1;
		}
	}
}

enum scan_cause scan_tally_cause(int error)
{
	switch (error) {
	case 0:
		return SCANCAUSE_NONE;
	case -ETIME:
	case -ETIMEDOUT:
		return SCANCAUSE_TIME;
	case -ECHILD:
		return SCANCAUSE_CRASHED;
	case -ENOMEM:
		return SCANCAUSE_MEMORY;
	case -EPERM:
		return SCANCAUSE_SANDBOX;
	case -EBADMSG:
		return SCANCAUSE_ANSWER;
	case -ENOENT:
	case -EACCES:
	case -EBUSY:
	case -EMFILE:
	case -EAGAIN:
		return SCANCAUSE_PROGRAM;
	default:
		return SCANCAUSE_UNREADABLE;
	}
}

/* As "incomplete untried-written:4000". */
static void flags_text(unsigned flags, const uint64_t untried[UNTRIED_NR],
		       char out[SCAN_TALLY_FLAGS])
{
	size_t at = 0;

	out[0] = '\0';
	/* That it is a core with addresses is no news. */
	for (unsigned flag = 1; flag <= SCAN_FLAGS_ALL; flag <<= 1)
		if (flags & flag & ~(unsigned)SCAN_CORE)
			at += (size_t)snprintf(out + at, SCAN_TALLY_FLAGS - at, "%s%s",
					       at ? " " : "", scan_flag_str(flag));
	for (unsigned i = 0; i < UNTRIED_NR; i++)
		if (untried[i])
			at += (size_t)snprintf(out + at, SCAN_TALLY_FLAGS - at,
					       "%suntried-%s:%" PRIu64, at ? " " : "",
					       untried_str(i), untried[i]);
}

static enum scan_state state_of(const struct scan_verdict *verdict, int error)
{
	switch (scan_verdict_outcome(verdict)) {
	case OUTCOME_FOUND:
		return SCANSTATE_KEY; /* also of a scan that was not finished */
	case OUTCOME_PARTIAL:
		return error ? SCANSTATE_UNSCANNED : SCANSTATE_INCOMPLETE;
	default:
		return error ? SCANSTATE_UNSCANNED : SCANSTATE_CLEAN;
	}
}

void scan_tally_end(struct scan_tally *tally, int error, char flags[SCAN_TALLY_FLAGS],
		    struct event_scan *out)
{
	struct scan_verdict *verdict = &tally->verdict;
	const struct scan_about *about = &verdict->about;

	verdict->flags = tally->flags;
	verdict->bytes = tally->bytes;
	scan_verdict_sort(verdict);
	flags_text(tally->flags, verdict->untried, flags);
	out->state = state_of(verdict, error);
	out->cause = scan_tally_cause(error);
	out->bytes = tally->bytes;
	out->flags = span_of(flags);
	out->keys = 0;
	out->more = verdict->findings_left_out;
	for (size_t i = 0; i < verdict->nr_keys; i++)
		out->keys += found_key_counts(&verdict->keys[i]);
	out->container = span_of(tally->dumps ? scan_container_str(about->container) : NULL);
	out->dump_pid = about->pid;
	out->dump_signal = about->signal;
	out->dump_command = span_of(about->command);
	out->dump_exe = span_of(about->exe);
	if (!error && tally->has_digest) {
		digests_text(tally);
		out->sha256 = span_of(tally->digest_text);
		out->content_sha256 = span_of(tally->content_text);
	}
}

void scan_tally_key(const struct found_key *key, struct event_scan_key *out)
{
	const struct finding *f = &key->finding;

	*out = (struct event_scan_key){
		.severity = (uint32_t)found_key_severity(key),
		.class = span_of(finding_class_str(f->class)),
		.what = span_of(finding_what_str(f->what)),
		.label = span_of(key->label),
		.zone = span_of(key->zone),
		.expired = key->expired,
		.places = key->nr_places + key->places_left_out,
		.offset = key->nr_places ? key->places[0].offset : 0,
		.bits = f->bits ? f->bits : f->id.bits,
		.key = f->id,
	};
}
