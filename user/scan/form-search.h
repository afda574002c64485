/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between detect-form.c and the readers of one sort of form each. */
#pragma once

#include "scan/detect-form.h"
#include "scan/form-key.h"

struct form_search {
	struct bytes memory;
	const struct form_detect *ask;
	uint8_t *text, *data; /* secret: FORM_MAX bytes each, for what is decoded */
	struct form_key *key; /* secret */
	size_t until; /* where the DER ends that was told last: more of it stands in it */
};

/* What is in memory from `at` on, as much as a key may take. */
struct bytes form_rest(const struct form_search *search, size_t at);

/* Tells that search->key stands at `at`. */
void form_tell(struct form_search *search, size_t at, enum finding_layout layout,
	       enum key_format format);

/* Asks the parser of key files about what is no plain key: encrypted ones, DSA, OpenPGP, ... */
bool form_ask(struct form_search *search, struct bytes file, size_t at, enum finding_layout layout);
/* The same where the beginning of a form stands in programs that write it: the public half must be
 * there, too. */
bool form_ask_whole(struct form_search *search, struct bytes file, size_t at,
		    enum finding_layout layout);

/* The same where libcrypto may have to work out a public half, of what the DER says. */
bool form_ask_libcrypto(struct form_search *search, struct bytes der, struct bytes file, size_t at,
			enum finding_layout layout);

/* The parser tries OpenSSH's keys as we did. before: the work before that. False: it was not
 * tried, as it is too dear. */
bool form_may_ask(struct form_search *search, const struct form_work *before);

/* Tells of something without a public half. */
void form_tell_bare(struct form_search *search, size_t at, enum finding_what what,
		    enum finding_class class, enum finding_layout layout, unsigned bits,
		    const struct secret *secret);

/*
 * Each takes off what is left of the work. form_affords(): before something is done that costs so
 * much; false: it is not. form_charge(): afterwards, where what it cost is only known then.
 */
#define FORM_COST_PROOF 25 /* of numbers that are cheap to prove, and what is made of them */
#define FORM_COST_BYTES 256 /* for one of it so many are read */
bool form_affords(struct form_search *search, enum form_pot pot, uint64_t cost);
void form_charge(struct form_search *search, enum form_pot pot, uint64_t cost);
/* A place that was tried in more than one way: no more than once is it one that was not. */
void form_count_once(struct form_search *search, uint64_t untried_before);

/* Each looks at a marker, whose three bytes are at `at`. */
void form_text(struct form_search *search, size_t at); /* "BEG" of BEGIN, also 16-bit */
void form_base64(struct form_search *search, size_t at); /* "MII", "LS0" and the like */
void form_line(struct form_search *search, size_t at); /* age, WireGuard, minisign, PuTTY, gpg */
void form_store(struct form_search *search, size_t at); /* keytab, ccache, JKS, ChaCha states */
