/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private keys of curves as bare scalars and seeds, out of the harvest of a dump: d * G is computed
 * of what may be one, and the key is proven if that point stands in the dump, too.
 *
 * For the prime curves the points are looked for first: two numbers that fulfil a curve's equation
 * are no coincidence. Only where there are such points are scalars tried. Public keys of Ed25519
 * and X25519 fulfil nothing; they are looked up in the harvest by their bytes.
 */
#pragma once

#include "model/keyid.h"
#include "scan/bytes.h"
#include "scan/ec-group.h"
#include "scan/finding.h"
#include "scan/harvest.h"

struct ec_hit {
	const struct stretch *stretch; /* which the scalar stands in */
	long at; /* from its first byte */
	enum finding_layout layout;
	enum key_kind kind; /* KEY_EC, KEY_ED25519, KEY_X25519 */
	enum ec_curve curve; /* of KEY_EC */
	bool expanded; /* of KEY_ED25519: secret is no seed, but the scalar that is made of one */
	struct bytes
		secret; /* the scalar, most significant byte first (expanded: last), or the seed */
	struct bytes public; /* 04 || x || y, or the raw public key */
};

struct ec_search {
	/*
	 * Work that it may take, the prime curves and the others each, in units of about 250
	 * nanoseconds; 0: no limit. What is likely is tried first. It is counted and not timed, so
	 * that a slow or busy machine comes to the same verdict as a fast one.
	 */
	uint64_t budget;
	/* The same for points and for what stands in memory of its own; once more for what does
	 * not; and packed data then has the budget for itself. 0: all have the one. In any case
	 * seeds behind a length have a share of their own that is as large. */
	uint64_t likely;
	void (*hit)(void *userdata, const struct ec_hit *hit);
	void *userdata;
};

/* Calls hit once for each key. The harvest must be sorted. 0 or -ENOMEM. What there was no time
 * for: *out_cut: numbers that stand in memory of their own, or points; *out_rest: places amid other
 * bytes, which are many and seldom a key's. */
int ec_detect(const struct harvest *harvest, const struct ec_search *search, bool *out_cut,
	      bool *out_rest);
