// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys that stand in memory as bare numbers, as a detector: the harvest of the dump, and the
 * questions that are asked of it at the end.
 */
#include <stdatomic.h>

#include "scan/detect-ec.h"
#include "scan/detect-rsa.h"
#include "scan/detect-shield.h"
#include "scan/detectors.h"
#include "scan/pubkey.h"
#include "scan/wipe.h"

#define ARENA	  (12 << 20) /* with more, there are more numbers than detect-rsa.c keeps */
#define KNOWN_MAX 256
/* Steps of the search for primes, some nanoseconds each: for a start, and one more for so many
 * bytes of the dump. */
#define STEPS_START (12 << 20)
#define STEPS_SHARE 64
/* Work for curves, as ec_search.budget: the same. A server in C is tried to its end. */
#define CURVES_START 700000
#define CURVES_SHARE 20000
/* For the patient: so many times what there is for a start, each time. A heap full of hashes takes
 * 50, and thousands of short stretches of packed data take 90. */
#define PATIENCE 128
/* Parts of the questions, each of which may be another thread's: numbers that may be RSA's, the
 * last of which goes on to join them; curves. */
enum { PART_CURVES = RSA_SHARES, PARTS };

/* What was found in a piece is brought to the harvest in the order of the pieces (detector.h), so
 * that what it holds, when it is full and what gives way do not depend on threads. */
#define SHARE_PARTS 8192 /* with more of a piece its worker waits for its turn at once */
#define AHEAD	    16 /* pieces that may be ready before their turn ... */
#define LATE_MAX    (128 << 10) /* ... with so many bytes to be kept of each */

/* A worker's: what was found in the piece at hand, and is not in the harvest. */
struct share {
	uint64_t bytes; /* seen */
	size_t nr;
	bool in_turn; /* it is this piece's, until the end of it */
	struct harvest_part parts[SHARE_PARTS];
};

/* A piece that was ready before its turn. */
struct late {
	bool here;
	uint64_t bytes; /* seen */
	struct harvest_place place;
	size_t len; /* of the memory that it was out of */
	size_t nr;
	uint8_t *copy; /* secret: the parts, then the bytes of each with the margins; NULL: none */
};

struct state {
	const struct detector_job *job;
	struct harvest *harvest; /* whose turn it is changes it */
	struct share *shares; /* for each worker */
	pthread_mutex_t lock; /* of what follows, down to `done` */
	pthread_cond_t change;
	uint64_t turn; /* the number of the piece whose it is */
	struct late late[AHEAD]; /* by number, modulo AHEAD */
	unsigned next, done; /* parts handed out, and answered; PARTS where nothing is asked */
	struct rsa_join join; /* what is asked now */
	struct rsa_search *rsa;
	atomic_uint collected; /* shares of it */
	uint64_t bytes; /* seen since the questions were asked last */
	bool asked; /* once: what there is for a start has been given out */
	pthread_mutex_t known_lock; /* of known */
	struct known {
		uint8_t spki[KNOWN_MAX][32];
		size_t nr;
	} known[2]; /* what was told already: curves, RSA; each is asked for by one thread */
	/* In turn: where shielded keys were told that have no public name to know them by. */
	struct {
		uint64_t offset[KNOWN_MAX];
		size_t nr;
	} nameless;
};

static void free_state(void *p)
{
	struct state *state = p;

	if (!state)
		return;
	rsa_search_free(state->rsa);
	harvest_free(state->harvest);
	free(state->shares);
	for (size_t i = 0; i < AHEAD; i++)
		wipe_free(state->late[i].copy);
	pthread_mutex_destroy(&state->lock);
	pthread_cond_destroy(&state->change);
	pthread_mutex_destroy(&state->known_lock);
	free(state);
}

static int begin(const struct detector_job *job, void **out_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->job = job;
	state->next = PARTS;
	pthread_mutex_init(&state->lock, NULL);
	pthread_cond_init(&state->change, NULL);
	pthread_mutex_init(&state->known_lock, NULL);
	state->shares = calloc(job->workers, sizeof(*state->shares));
	if (!state->shares || harvest_new(ARENA, &state->harvest) < 0) {
		free_state(state);
		return -ENOMEM;
	}
	*out_state = state;
	return 0;
}

/* Was this key told? When the harvest is asked twice it may be found twice. */
static bool is_known(struct state *state, const struct key_identity *id)
{
	struct known *k = &state->known[id->kind == KEY_RSA];
	bool known = false;

	pthread_mutex_lock(&state->known_lock);
	for (size_t i = 0; i < k->nr && !known; i++)
		known = !memcmp(k->spki[i], id->spki, 32);
	if (!known && k->nr < KNOWN_MAX)
		memcpy(k->spki[k->nr++], id->spki, 32);
	pthread_mutex_unlock(&state->known_lock);
	return known;
}

static void place(const struct stretch *stretch, long at, struct finding *f)
{
	f->offset = stretch->offset + (uint64_t)at;
	f->has_vaddr = stretch->has_vaddr;
	f->vaddr = stretch->has_vaddr ? stretch->vaddr + (uint64_t)at : 0;
}

/* The exponent is not in the proof. Where nothing confirms one, practically all keys have 65537. */
static void on_rsa(void *userdata, const struct rsa_hit *hit)
{
	struct state *state = userdata;
	struct finding f = {.what = FINDING_RSA, .class = CLASS_PROVEN, .layout = hit->layout};
	uint64_t exponent = htobe64(hit->exponent ? hit->exponent : 65537);
	struct pubkey pub;

	place(hit->stretch, hit->prime_at, &f);
	pubkey_init(&pub);
	if (pubkey_set_number(&pub, PUB_N, hit->modulus) &&
	    pubkey_set_number(&pub, PUB_E, (struct bytes){(uint8_t *)&exponent, 8}) &&
	    pubkey_finish(&pub, KEY_RSA)) {
		pubkey_identify(&pub, &f.id);
		f.id.source = KEYSRC_FILE;
		f.bits = f.id.bits;
		if (!hit->exponent)
			snprintf(f.id.comment, sizeof(f.id.comment), "exponent 65537 is a guess");
		if (is_known(state, &f.id))
			return;
	}
	detector_secret(state->job, &(struct secret){SECRET_RSA, hit->prime, hit->modulus}, &f);
	detector_report(state->job, &f);
}

/*
 * RFC 8032, 5.1.6: behind an expanded key's scalar there mostly stands the prefix that nonces are
 * made of. With it and one signature the scalar is known, so it is as secret. Whatever stands there
 * is taken for it, but for what has hardly a different byte.
 */
static void hide_prefix(struct state *state, const struct ec_hit *hit)
{
	const struct secret prefix = {
		.kind = SECRET_KEY,
		.value = {hit->secret.p + hit->secret.len, hit->secret.len},
	};
	uint64_t seen[4] = {0};
	struct finding f = {.what = FINDING_EC, .class = CLASS_PROVEN, .layout = hit->layout};
	int different = 0;

	if (hit->at + 2 * (long)hit->secret.len > hit->stretch->len)
		return;
	for (size_t i = 0; i < prefix.value.len; i++)
		seen[prefix.value.p[i] / 64] |= 1ULL << prefix.value.p[i] % 64;
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		different += __builtin_popcountll(seen[i]);
	if (different < 16)
		return;
	place(hit->stretch, hit->at + (long)hit->secret.len, &f);
	detector_secret(state->job, &prefix, &f);
}

static void on_curve(void *userdata, const struct ec_hit *hit)
{
	struct state *state = userdata;
	struct finding f = {.what = FINDING_EC, .class = CLASS_PROVEN, .layout = hit->layout};
	struct secret secret = {
		.kind = hit->kind == KEY_EC ? SECRET_SCALAR
			: hit->expanded	    ? SECRET_KEY
					    : SECRET_SEED,
		.value = hit->secret,
	};
	struct pubkey pub;

	place(hit->stretch, hit->at, &f);
	pubkey_init(&pub);
	if (hit->kind == KEY_EC)
		pub.curve = curve_by_group(ec_curve_name(hit->curve));
	if (pubkey_set(&pub, PUB_POINT, hit->public) && pubkey_finish(&pub, hit->kind)) {
		pubkey_identify(&pub, &f.id);
		f.id.source = KEYSRC_FILE;
		f.bits = f.id.bits;
		if (is_known(state, &f.id))
			return;
	}
	detector_secret(state->job, &secret, &f);
	if (hit->expanded)
		hide_prefix(state, hit);
	detector_report(state->job, &f);
}

/* Was it told? Prekeys that have not given way are asked again. */
static bool is_known_place(struct state *state, uint64_t offset)
{
	for (size_t i = 0; i < state->nameless.nr; i++)
		if (state->nameless.offset[i] == offset)
			return true;
	if (state->nameless.nr < KNOWN_MAX)
		state->nameless.offset[state->nameless.nr++] = offset;
	return false;
}

static void on_shielded(void *userdata, const struct shield_hit *hit)
{
	struct state *state = userdata;
	const struct form_key *key = hit->key;
	struct finding f = {.what = FINDING_SHIELDED,
			    .class = CLASS_PROVEN,
			    .layout = LAYOUT_OPENSSH};

	place(hit->stretch, hit->at, &f);
	f.id.kind = KEY_OTHER;
	if (key->pub.kind) {
		struct secret secret = {
			.kind = key->pub.kind == KEY_RSA ? SECRET_RSA
				: key->seed		 ? SECRET_SEED
							 : SECRET_SCALAR,
			.value = {key->secret, key->secret_len},
		};

		if (key->pub.kind == KEY_RSA)
			secret.modulus = pubkey_get(&key->pub, PUB_N);
		pubkey_identify(&key->pub, &f.id);
		f.id.source = KEYSRC_FILE;
		f.bits = f.id.bits;
		if (is_known(state, &f.id))
			return;
		detector_secret(state->job, &secret, &f);
	} else if (is_known_place(state, f.offset)) {
		return;
	}
	detector_report(state->job, &f);
}

static void begin_asking(struct state *state)
{
	state->join = (struct rsa_join){
		.budget = state->job->options->all_the_time
				  ? 0
				  : (state->asked ? STEPS_START / 16 : STEPS_START) +
					    state->bytes / STEPS_SHARE,
		.likely = state->job->options->patient ? (uint64_t)PATIENCE * STEPS_START : 0,
		.hit = on_rsa,
		.userdata = state,
	};
	harvest_sort(state->harvest);
	state->rsa = rsa_search_new(state->harvest, &state->join);
	state->collected = 0;
}

static void ask_rsa(struct state *state, unsigned share)
{
	bool cut = false;
	uint64_t untried;

	if (state->rsa)
		rsa_collect(state->rsa, share);
	if (++state->collected < RSA_SHARES)
		return;
	if (!state->rsa || rsa_search_join(state->rsa, &cut) < 0 || cut)
		detector_incomplete(state->job);
	untried = state->rsa ? rsa_search_untried(state->rsa) : 0;
	if (untried)
		detector_untried(state->job, UNTRIED_RSA, untried);
	if (cut || untried)
		detector_out_of_budget(state->job);
}

static void ask_curves(struct state *state)
{
	struct ec_search curves = {
		.budget = state->job->options->all_the_time
				  ? 0
				  : (state->asked ? CURVES_START / 16 : CURVES_START) +
					    state->bytes / CURVES_SHARE,
		.likely = state->job->options->patient ? (uint64_t)PATIENCE * CURVES_START : 0,
		.hit = on_curve,
		.userdata = state,
	};
	bool cut = false, rest = false;

	if (ec_detect(state->harvest, &curves, &cut, &rest) < 0)
		detector_incomplete(state->job);
	if (cut)
		detector_untried(state->job, UNTRIED_CURVES, 1);
	if (cut || rest)
		detector_out_of_budget(state->job);
}

/* Between begin_asking() and end_asking(), when nobody changes the harvest; from several threads.
 */
static void ask_part(void *userdata, unsigned part)
{
	if (part == PART_CURVES)
		ask_curves(userdata);
	else
		ask_rsa(userdata, part);
}

static void ask_shielded(struct state *state)
{
	uint64_t untried;

	if (shield_detect(state->harvest, on_shielded, state, state->job->options->all_the_time,
			  &untried) < 0)
		detector_incomplete(state->job);
	if (untried)
		detector_untried(state->job, UNTRIED_SHIELDED, untried);
}

/* Shielded keys come last: what stands bare, too, is told as that, whichever thread was first. */
static void end_asking(struct state *state)
{
	ask_shielded(state);
	rsa_search_free(take_ptr(state->rsa));
	state->bytes = 0;
	state->asked = true;
}

/* Under the lock, which it lets go meanwhile: what of the questions nobody has taken. */
static void help(struct state *state)
{
	while (state->next < PARTS) {
		unsigned part = state->next++;

		pthread_mutex_unlock(&state->lock);
		ask_part(state, part);
		pthread_mutex_lock(&state->lock);
		state->done++;
		pthread_cond_broadcast(&state->change);
	}
}

/* In turn: before the harvest is full. Who waits for a turn meanwhile helps. */
static void ask_and_drop(struct state *state)
{
	begin_asking(state);
	pthread_mutex_lock(&state->lock);
	state->next = state->done = 0;
	pthread_cond_broadcast(&state->change);
	help(state);
	while (state->done < PARTS)
		pthread_cond_wait(&state->change, &state->lock);
	pthread_mutex_unlock(&state->lock);
	end_asking(state);
	harvest_drop_half(state->harvest);
}

/* In turn. */
static void bring(struct state *state, struct bytes memory, const struct harvest_place *place,
		  const struct harvest_part *part)
{
	harvest_keep(state->harvest, memory, place, part);
	if (harvest_is_full(state->harvest))
		ask_and_drop(state);
	if (harvest_prekeys_full(state->harvest)) {
		ask_shielded(state);
		detector_untried(state->job, UNTRIED_PREKEYS, harvest_drop_prekeys(state->harvest));
	}
}

static void wait_turn(struct state *state, uint64_t piece)
{
	pthread_mutex_lock(&state->lock);
	while (state->turn != piece) {
		help(state);
		if (state->turn != piece)
			pthread_cond_wait(&state->change, &state->lock);
	}
	pthread_mutex_unlock(&state->lock);
}

static struct harvest_place place_of(const struct window *window)
{
	return (struct harvest_place){
		.offset = window->offset,
		.vaddr = window->vaddr,
		.has_vaddr = window->has_vaddr,
		.bytes = window->align == 1,
		.file = window->kind == SEGMENT_FILE,
	};
}

/* Waits for the piece's turn, which then goes on to its end. */
static void bring_share(struct state *state, struct share *share, const struct window *window)
{
	struct harvest_place place = place_of(window);

	if (!share->in_turn)
		wait_turn(state, window->piece);
	share->in_turn = true;
	state->bytes += share->bytes;
	for (size_t i = 0; i < share->nr; i++)
		bring(state, window->memory, &place, &share->parts[i]);
	share->bytes = 0;
	share->nr = 0;
}

/* --- pieces before their turn --- */

/* What of memory is kept of a part: it, and the margins as far as they are there. */
static size_t with_margins(size_t memory_len, const struct harvest_part *part, size_t *out_from)
{
	size_t end = part->at + part->len + HARVEST_MARGIN;

	*out_from = part->at < HARVEST_MARGIN ? 0 : part->at - HARVEST_MARGIN;
	return (end < memory_len ? end : memory_len) - *out_from;
}

/* False: too much, or a prekey, which is too long; or there is no memory. */
static bool copy_share(const struct share *share, const struct window *window, struct late *late)
{
	size_t size = share->nr * sizeof(share->parts[0]), from;
	uint8_t *to;

	*late = (struct late){
		.here = true,
		.bytes = share->bytes,
		.place = place_of(window),
		.len = window->memory.len,
		.nr = share->nr,
	};
	if (!share->nr)
		return true;
	for (size_t i = 0; i < share->nr; i++) {
		if (!share->parts[i].len)
			return false;
		size += with_margins(late->len, &share->parts[i], &from);
	}
	if (size > LATE_MAX)
		return false;
	late->copy = to = wipe_alloc(size);
	if (!to)
		return false;
	memcpy(to, share->parts, share->nr * sizeof(share->parts[0]));
	to += share->nr * sizeof(share->parts[0]);
	for (size_t i = 0; i < share->nr; i++) {
		size_t len = with_margins(late->len, &share->parts[i], &from);

		memcpy(to, window->memory.p + from, len);
		to += len;
	}
	return true;
}

/* Lets the worker go on with another piece; false: it is this one's turn, or it has to wait. */
static bool leave_share(struct state *state, const struct share *share, const struct window *window)
{
	struct late *slot = &state->late[window->piece % AHEAD], late;
	bool left = false;
	uint64_t turn;

	pthread_mutex_lock(&state->lock);
	turn = state->turn;
	pthread_mutex_unlock(&state->lock);
	if (turn == window->piece || window->piece - turn >= AHEAD ||
	    !copy_share(share, window, &late))
		return false;
	pthread_mutex_lock(&state->lock);
	if (state->turn != window->piece) {
		*slot = late;
		left = true;
	}
	pthread_mutex_unlock(&state->lock);
	if (!left)
		wipe_free(late.copy);
	return left;
}

/* In turn: what bring_share() would have done. */
static void bring_late(struct state *state, struct late *late)
{
	const struct harvest_part *parts = (const struct harvest_part *)late->copy;
	const uint8_t *p = late->copy;

	state->bytes += late->bytes;
	if (!late->nr)
		return;
	p += late->nr * sizeof(*parts);
	for (size_t i = 0; i < late->nr; i++) {
		struct harvest_place place = late->place;
		struct harvest_part part = parts[i];
		size_t from, len = with_margins(late->len, &part, &from);

		place.offset += from;
		place.vaddr += from;
		part.at -= (uint32_t)from;
		bring(state, (struct bytes){p, len}, &place, &part);
		p += len;
	}
	wipe_free(late->copy);
}

/* The turn is the next piece's, or that of the first one that is not ready. */
static void end_turn(struct state *state)
{
	struct late late;

	pthread_mutex_lock(&state->lock);
	state->turn++;
	while ((late = state->late[state->turn % AHEAD]).here) {
		state->late[state->turn % AHEAD] = (struct late){.here = false};
		pthread_mutex_unlock(&state->lock);
		bring_late(state, &late);
		pthread_mutex_lock(&state->lock);
		state->turn++;
	}
	pthread_cond_broadcast(&state->change);
	pthread_mutex_unlock(&state->lock);
}

static void window(void *p, unsigned worker, const struct window *window)
{
	struct state *state = p;
	struct share *share = &state->shares[worker];
	struct harvest_place place = place_of(window);

	for (size_t i = 0; i < window->nr_runs; i++) {
		if (share->nr > SHARE_PARTS - HARVEST_PARTS)
			bring_share(state, share, window);
		share->nr += harvest_find(window->memory, &window->runs[i], &place,
					  share->parts + share->nr);
	}
	share->bytes += window->to - window->from;
}

static void piece(void *p, unsigned worker, const struct window *window)
{
	struct state *state = p;
	struct share *share = &state->shares[worker];

	if (!window->memory.p) {
		share->bytes = 0;
		share->nr = 0;
	}
	if (share->in_turn || !leave_share(state, share, window)) {
		bring_share(state, share, window);
		end_turn(state);
	}
	share->in_turn = false;
	share->bytes = 0;
	share->nr = 0;
}

static void end(void *p)
{
	struct state *state = p;

	begin_asking(state);
	detector_share(state->job, ask_part, state, PARTS);
	end_asking(state);
	if (state->harvest->full)
		detector_incomplete(state->job);
}

const struct detector detector_numbers = {
	.name = "numbers",
	.begin = begin,
	.window = window,
	.piece = piece,
	.end = end,
	.free = free_state,
};
