// SPDX-License-Identifier: GPL-2.0-or-later
/* Bare RSA numbers (detect-rsa.h) as a detector. */
#include "scan/detect-rsa.h"
#include "scan/detectors.h"
#include "scan/pubkey.h"

struct state {
	const struct detector_job *job;
	struct rsa_search *search;
};

static void free_state(void *p)
{
	struct state *state = p;

	if (state)
		rsa_search_free(state->search);
	free(state);
}

static int begin(const struct detector_job *job, void **out_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->job = job;
	if (rsa_search_new(&state->search) < 0) {
		free_state(state);
		return -ENOMEM;
	}
	*out_state = state;
	return 0;
}

static void window(void *p, unsigned worker, const struct window *window)
{
	struct state *state = p;

	rsa_collect(state->search, window->memory, window->from, window->to, window->offset);
}

/* Addresses of the place where the prime stands. */
static void on_hit(void *userdata, const struct rsa_hit *hit)
{
	static const uint8_t e[] = {1, 0, 1};
	const struct state *state = userdata;
	struct finding f = {.what = FINDING_RSA, .class = CLASS_PROVEN, .layout = hit->layout};
	struct pubkey pub;

	detector_place(state->job, hit->prime_at, &f);
	/* The exponent is not in the proof; practically all keys have this one. */
	pubkey_init(&pub);
	if (pubkey_set_number(&pub, PUB_N, hit->modulus) &&
	    pubkey_set(&pub, PUB_E, (struct bytes){e, sizeof(e)}) && pubkey_finish(&pub, KEY_RSA)) {
		pubkey_identify(&pub, &f.id);
		f.id.source = KEYSRC_FILE;
		f.bits = f.id.bits;
	}
	detector_secret(state->job, &(struct secret){SECRET_RSA, hit->prime, hit->modulus}, &f);
	detector_report(state->job, &f);
}

static void end(void *p)
{
	struct state *state = p;
	bool full = false;

	rsa_join(state->search, on_hit, state, &full);
	if (full)
		detector_incomplete(state->job);
}

const struct detector detector_rsa = {
	.name = "rsa",
	.begin = begin,
	.window = window,
	.end = end,
	.free = free_state,
};
