// SPDX-License-Identifier: GPL-2.0-or-later
/* Points of the prime curves in the harvest, then scalars for them; seeds by their public keys. */
#include "scan/detect-ec.h"

#include "scan/chance.h"
#include "scan/detect-ec-raw.h"
#include "scan/spots.h"
#include "scan/wipe.h"

#define POINTS_MAX   512 /* of a curve */
#define TIMES_R_MAX  64 /* of which so many are asked for in Montgomery's form */
#define NEXT_NUMBERS 16 /* a point's y is one of so many numbers after its x, or before */
#define STRETCH_MAX  1024 /* bytes of a stretch in which points are looked for without a head */
/* As ec_search.budget counts. */
#define COST_LOOK   1
#define COST_POINT  8
#define COST_SCALAR 160

struct point {
	uint8_t xy[2 * 66];
	uint8_t times_r[2 * 66]; /* ec_times_r(); zeros of those beyond the first */
};

struct search {
	const struct harvest *harvest;
	const struct ec_search *ask;
	uint64_t work, limit; /* done, of how much; 0: no limit */
	bool cut;
	bool full; /* more points of its own memory than are kept */
	struct ec_group groups[EC_CURVE_NR];
	struct point *points[EC_CURVE_NR];
	size_t nr_points[EC_CURVE_NR];
	bool done[EC_CURVE_NR][POINTS_MAX];
	/* Of the spot that is looked at: */
	const struct stretch *stretch;
	enum ec_curve curve;
	enum ec_form form;
	bool just_one;
	struct ec_sides last[NEXT_NUMBERS]; /* of the numbers before this one, in a ring */
	unsigned nr_last;
};

static bool affords(struct search *s, unsigned cost)
{
	s->work += cost;
	if (s->limit && s->work > s->limit)
		s->cut = true;
	return !s->cut;
}

static void add_point(struct search *s, const uint8_t *xy)
{
	unsigned len = 2 * ec_curve_field(s->curve);
	struct point *points = s->points[s->curve];

	for (size_t i = 0; i < s->nr_points[s->curve]; i++)
		if (!memcmp(points[i].xy, xy, len))
			return;
	if (s->nr_points[s->curve] == POINTS_MAX) {
		/* Libraries have tables of thousands of points; those are nobody's. */
		s->full |= !s->stretch->file;
		return;
	}
	points += s->nr_points[s->curve]++;
	memcpy(points->xy, xy, len);
	if (s->nr_points[s->curve] > TIMES_R_MAX)
		return;
	if (!ec_times_r(&s->groups[s->curve], xy, points->times_r))
		memset(points->times_r, 0, len);
	affords(s, 2 * COST_SCALAR);
}

static long room(const struct search *s, long at)
{
	return (long)s->stretch->len + HARVEST_MARGIN - at;
}

/* x || y, where a number may begin. */
static bool point_in_a_row(void *userdata, long at)
{
	struct search *s = userdata;
	const struct ec_group *g = &s->groups[s->curve];
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;
	size_t size = ec_form_size(g, s->form);
	struct ec_sides x, y;
	uint8_t xy[2 * 66];

	if (room(s, at) < (long)(2 * size) || !ec_sides(g, s->form, p, &x))
		return affords(s, COST_LOOK);
	if (ec_sides(g, s->form, p + size, &y) && ec_is_point(g, &x, &y, xy))
		add_point(s, xy);
	return affords(s, 2 * COST_POINT);
}

/* Are there about as many bytes as one number of this curve has? */
static bool one_number(const struct search *s, long at)
{
	long field = ec_curve_field(s->curve);
	long len = spots_piece(s->harvest, s->stretch, at, field + 24);

	return len >= field - 8 && len <= field + 16;
}

/* x and y each in memory of its own, the one allocated soon after the other. */
static bool point_apart(void *userdata, long at)
{
	struct search *s = userdata;
	const struct ec_group *g = &s->groups[s->curve];
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;
	struct ec_sides *now = &s->last[s->nr_last % NEXT_NUMBERS];
	uint8_t xy[2 * 66];

	if (room(s, at) < (long)ec_form_size(g, s->form))
		return true;
	if (!one_number(s, at))
		return point_in_a_row(s, at);
	if (!ec_sides(g, s->form, p, now))
		return affords(s, COST_LOOK);
	for (unsigned i = 1; i < NEXT_NUMBERS && i <= s->nr_last; i++) {
		const struct ec_sides *other = &s->last[(s->nr_last - i) % NEXT_NUMBERS];

		if (ec_is_point(g, other, now, xy) || ec_is_point(g, now, other, xy))
			add_point(s, xy);
	}
	s->nr_last++;
	return affords(s, COST_POINT);
}

/* Every 04 that could begin a point, also within longer stretches: certificates, SSH's keys. */
static void points_with_a_head(struct search *s)
{
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch);
	long last = s->stretch->len - 2 * (long)ec_curve_field(s->curve) + HARVEST_MARGIN;

	s->form = EC_BYTES;
	for (long at = -HARVEST_MARGIN; at < last && !s->cut; at++)
		if (p[at] == 4)
			point_in_a_row(s, at + 1);
}

/* A point alone is long enough to be kept for what it looks like; what is only kept for a length in
 * it is many a structure of a program. */
static bool may_hold_points(const struct search *s, bool file)
{
	return s->stretch->file == file && !s->stretch->container;
}

static void find_points(struct search *s, bool file)
{
	static const enum ec_form forms[] = {EC_LIMBS, EC_MONTGOMERY, EC_WORDS, EC_BYTES};

	for (size_t i = 0; i < s->harvest->nr && !s->cut; i++) {
		s->stretch = &s->harvest->stretches[i];
		if (may_hold_points(s, file) &&
		    s->stretch->len >= 2 * ec_curve_field(s->curve) - HARVEST_MARGIN)
			points_with_a_head(s);
	}
	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		s->nr_last = 0;
		for (size_t i = 0; i < s->harvest->nr && !s->cut; i++) {
			enum finding_layout layout = forms[f] == EC_WORDS ? LAYOUT_W32 : LAYOUT_W64;

			s->form = forms[f];
			s->stretch = &s->harvest->stretches[i];
			if (may_hold_points(s, file) &&
			    s->stretch->len >= ec_curve_field(s->curve) - 16 &&
			    s->stretch->len <= STRETCH_MAX)
				spots(s->harvest, s->stretch, layout, point_apart, s);
		}
	}
}

static void report(struct search *s, long at, const uint8_t *xy, bool times_r)
{
	unsigned field = ec_curve_field(s->curve);
	uint8_t public[1 + 2 * 66] = {4}, secret[EC_FIELD_MAX];
	struct ec_hit hit = {
		.stretch = s->stretch,
		.at = at,
		.layout = s->form == EC_BYTES	? LAYOUT_BE
			  : s->form == EC_WORDS ? LAYOUT_W32
						: LAYOUT_LE,
		.kind = KEY_EC,
		.curve = s->curve,
		.secret = {secret, field},
		.public = {public, 1 + 2 * field},
	};

	memcpy(public + 1, xy, 2 * (size_t)field);
	ec_scalar_bytes(&s->groups[s->curve], s->form, stretch_bytes(s->harvest, s->stretch) + at,
			secret);
	if (times_r && !ec_scalar_unmont(&s->groups[s->curve], secret))
		hit.secret.len = 0;
	s->ask->hit(s->ask->userdata, &hit);
	explicit_bzero(secret, sizeof(secret));
}

static bool all_done(const struct search *s)
{
	for (size_t i = 0; i < s->nr_points[s->curve]; i++)
		if (!s->done[s->curve][i])
			return false;
	return true;
}

static bool try_scalar(void *userdata, long at)
{
	struct search *s = userdata;
	const struct ec_group *g = &s->groups[s->curve];
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;
	uint8_t xy[2 * 66];

	if (one_number(s, at) != s->just_one || room(s, at) < (long)ec_form_size(g, s->form) ||
	    chance_different(p, 32) < HARVEST_DIFFERENT_MIN || !ec_public(g, s->form, p, xy))
		return true;
	for (size_t i = 0; i < s->nr_points[s->curve]; i++) {
		const struct point *point = &s->points[s->curve][i];
		bool times_r =
			s->form == EC_LIMBS && !memcmp(point->times_r, xy, 2 * (size_t)g->field);

		if (!s->done[s->curve][i] &&
		    (times_r || !memcmp(point->xy, xy, 2 * (size_t)g->field))) {
			s->done[s->curve][i] = true;
			report(s, at, point->xy, times_r);
		}
	}
	return affords(s, COST_SCALAR) && !all_done(s);
}

/* In the order of the passes of seeds: what is just as long as a scalar first; then what begins
 * with one; bulk last of all. */
static void find_scalars(struct search *s, enum ec_raw_pass pass)
{
	static const struct {
		enum ec_form form;
		enum finding_layout layout;
	} forms[] = {{EC_LIMBS, LAYOUT_W64}, {EC_BYTES, LAYOUT_RAW}, {EC_WORDS, LAYOUT_W32}};

	s->just_one = pass < EC_RAW_REST;
	for (size_t i = 0; i < s->harvest->nr && !s->cut && !all_done(s); i++) {
		s->stretch = &s->harvest->stretches[i];
		if (s->stretch->len < ec_curve_field(s->curve) - HARVEST_MARGIN ||
		    s->stretch->bulk != (pass == EC_RAW_BULK) ||
		    (s->just_one && s->stretch->file != (pass == EC_RAW_FILE)))
			continue;
		for (size_t f = 0; f < ARRAY_SIZE(forms) && !s->cut; f++) {
			s->form = forms[f].form;
			spots(s->harvest, s->stretch, forms[f].layout, try_scalar, s);
		}
	}
}

/* Those behind a length have a share of their own: what is written to look like such takes nothing
 * from the rest, nor the other way round. True: it was over before the end. */
static bool ec_raw_behind_lengths(struct ec_raw_search *raw, uint64_t share)
{
	const uint64_t work = raw->work, limit = raw->limit;
	const bool before = raw->cut;
	bool cut;

	raw->cut = false;
	raw->limit = limit ? work + share : 0;
	ec_raw_detect(raw, EC_RAW_LENGTH);
	cut = raw->cut;
	raw->cut = before;
	raw->work = work;
	raw->limit = limit;
	return cut;
}

int ec_detect(const struct harvest *harvest, const struct ec_search *ask, bool *out_cut,
	      bool *out_rest)
{
	struct search *s = harvest->nr ? calloc(1, sizeof(*s)) : NULL;
	struct ec_raw_search raw = {.harvest = harvest, .ask = ask};
	uint64_t likely = ask->budget && ask->likely ? ask->likely : ask->budget;
	bool own_cut = false, file_cut = false, length_cut = false;
	int err = s ? 0 : -ENOMEM;

	if (!harvest->nr) {
		*out_cut = *out_rest = false;
		return 0;
	}
	if (!s)
		return err;
	s->harvest = harvest;
	s->ask = ask;
	for (unsigned i = 0; i < EC_CURVE_NR && !err; i++) {
		s->points[i] = calloc(POINTS_MAX, sizeof(*s->points[i]));
		err = s->points[i] ? ec_group_init(&s->groups[i], i) : -ENOMEM;
	}
	s->limit = raw.limit = likely;
	for (s->curve = 0; s->curve < EC_CURVE_NR && !err; s->curve++)
		find_points(s, false);
	own_cut = s->cut;
	/* Those of files may take a quarter of what is left. */
	if (likely && !own_cut)
		s->limit = s->work + (likely - s->work) / 4;
	for (s->curve = 0; s->curve < EC_CURVE_NR && !err; s->curve++)
		find_points(s, true);
	file_cut = s->cut;
	s->cut = own_cut;
	s->limit = likely;
	for (enum ec_raw_pass pass = 0; pass < EC_RAW_PASS_NR && !err; pass++) {
		if (pass == EC_RAW_FILE)
			*out_cut = s->cut || s->full || raw.cut;
		/* That packed data was not tried to its end is not worth a word. */
		if (pass == EC_RAW_BULK)
			*out_rest = s->cut || file_cut || raw.cut || length_cut;
		if (likely != ask->budget && (pass == EC_RAW_FILE || pass == EC_RAW_BULK)) {
			uint64_t share = pass == EC_RAW_FILE ? likely : ask->budget;

			s->limit = s->work + share;
			raw.limit = raw.work + share;
			s->cut &= pass == EC_RAW_FILE;
			raw.cut &= pass == EC_RAW_FILE;
		}
		if (pass == EC_RAW_LENGTH) {
			length_cut = ec_raw_behind_lengths(&raw, likely);
			continue;
		}
		for (s->curve = 0; s->curve < EC_CURVE_NR; s->curve++)
			if (pass != EC_RAW_X25519)
				find_scalars(s, pass);
		ec_raw_detect(&raw, pass);
	}
	for (unsigned i = 0; i < EC_CURVE_NR; i++) {
		free(s->points[i]);
		ec_group_fini(&s->groups[i]);
	}
	ec_raw_fini(&raw);
	free(s);
	return err;
}
