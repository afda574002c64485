// SPDX-License-Identifier: GPL-2.0-or-later
/* AES key schedules (detect-aes.h) as a detector, those of random generators told apart. */
#include <endian.h>
#include <pthread.h>

#include "scan/detect-aes.h"
#include "scan/detectors.h"
#include "scan/known.h"
#include "scan/runs.h"
#include "scan/sort.h"
#include "scan/sweep.h"
#include "scan/wipe.h"

#define KEYS_MAX 4096
#define AROUND	 64 /* bytes of a schedule that may stand out of its run */

struct aes_key {
	struct finding finding;
	uint8_t key[32];
	bool generator; /* something before it says so */
};

struct state {
	const struct detector_job *job;
	pthread_mutex_t lock; /* of what follows */
	struct aes_key *keys;
	size_t nr_keys;
	uint8_t (*drbg)[32]; /* what stands where a DRBG of OpenSSL keeps its key */
	size_t nr_drbg;
};

struct call {
	struct state *state;
	const struct window *window;
	unsigned shift; /* of the bytes that are looked at */
};

static void free_state(void *p)
{
	struct state *state = p;

	if (!state)
		return;
	wipe_free(state->keys);
	wipe_free(state->drbg);
	pthread_mutex_destroy(&state->lock);
	free(state);
}

static int begin(const struct detector_job *job, void **out_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->job = job;
	pthread_mutex_init(&state->lock, NULL);
	state->keys = wipe_alloc(KEYS_MAX * sizeof(*state->keys));
	state->drbg = wipe_alloc(KEYS_MAX * sizeof(*state->drbg));
	if (!state->keys || !state->drbg) {
		free_state(state);
		return -ENOMEM;
	}
	*out_state = state;
	return 0;
}

static uint32_t le32_at(const uint8_t *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return le32toh(x);
}

/*
 * mbedTLS' mbedtls_ctr_drbg_context: after how many requests it seeds itself anew (10,000 unless it
 * is told otherwise), then the AES context: the number of rounds, a pointer or an index, the
 * schedule.
 */
static bool is_mbedtls_drbg(struct bytes memory, size_t at, const struct aes_hit *hit)
{
	return at >= 24 && hit->key_len == 32 && le32_at(memory.p + at - 24) == 10000 &&
	       le32_at(memory.p + at - 16) == 14;
}

static void on_hit(void *userdata, const struct aes_hit *hit)
{
	const struct call *call = userdata;
	struct state *state = call->state;
	struct aes_key *key;

	pthread_mutex_lock(&state->lock);
	if (state->nr_keys < KEYS_MAX) {
		key = &state->keys[state->nr_keys++];
		key->finding = (struct finding){
			.what = FINDING_AES,
			.class = CLASS_LIKELY,
			.layout = hit->layout,
			.bits = (uint16_t)(8 * hit->key_len),
		};
		window_place(call->window, hit->at + call->shift, &key->finding);
		key->generator = is_mbedtls_drbg(call->window->memory, hit->at + call->shift, hit);
		memcpy(key->key, hit->key, sizeof(key->key));
	} else {
		detector_untried(state->job, UNTRIED_AES, 1);
	}
	pthread_mutex_unlock(&state->lock);
}

static void on_drbg(struct state *state, const uint8_t *key)
{
	pthread_mutex_lock(&state->lock);
	if (state->nr_drbg < KEYS_MAX)
		memcpy(state->drbg[state->nr_drbg++], key, 32);
	else
		detector_incomplete(state->job);
	pthread_mutex_unlock(&state->lock);
}

/*
 * OpenSSL's CTR-DRBG, which every process has that once used random numbers: keylen 32, a use_df
 * flag of 1, then the key. On the heap, so at multiples of 8.
 */
static void find_drbg(struct state *state, struct bytes memory, size_t from, size_t to)
{
	size_t at = (from + 7) / 8 * 8, end = (to + 7) / 8 * 8;

	if (end + 44 > memory.len)
		end = memory.len < 44 ? 0 : (memory.len - 44) / 8 * 8;
	for (; at < end; at += 8) {
		uint32_t use_df;

		at += sweep_find64(memory.p + at, end - at, htole64(32));
		if (at == end)
			break;
		memcpy(&use_df, memory.p + at + 8, sizeof(use_df));
		if (use_df == 1)
			on_drbg(state, memory.p + at + 12);
	}
}

static void window(void *p, unsigned worker, const struct window *window)
{
	struct call call = {p, window};

	/* Words stand at multiples of four, but in files that are packed at any byte. */
	for (call.shift = 0; call.shift < (window->align == 1 ? 4 : 1); call.shift++) {
		struct bytes memory = window->memory;
		size_t last_end = 0;

		if (!bytes_skip(&memory, call.shift))
			break;
		/* Whose key is the simplest has nothing but noise after two rounds, too. */
		for (size_t i = 0; i < window->nr_runs; i++) {
			const struct run *run = &window->runs[i];
			size_t from = run->from < AROUND ? 0 : run->from - AROUND;

			aes_detect(memory, from, run->to + AROUND, &last_end, on_hit, &call);
		}
	}
	find_drbg(p, window->memory, window->from, window->to);
}

static enum finding_class class_of(const struct state *state, const struct aes_key *key)
{
	size_t len = key->finding.bits / 8;
	bool counts = true;

	/* 00 01 02 ...: FIPS 197's example, and the constant key of derivation functions. */
	for (size_t i = 0; i < len; i++)
		counts &= key->key[i] == i;
	if (counts)
		return CLASS_TEST;
	if (key->generator)
		return CLASS_EPHEMERAL;
	for (size_t i = 0; i < state->nr_drbg; i++)
		if (len == 32 && !memcmp(state->drbg[i], key->key, 32))
			return CLASS_EPHEMERAL;
	return CLASS_LIKELY;
}

static uint64_t by_offset(const void *p)
{
	return ((const struct aes_key *)p)->finding.offset;
}

/* A schedule on the seam of two windows was seen by both. */
static void end(void *p)
{
	struct state *state = p;

	sort_by(state->keys, state->nr_keys, sizeof(*state->keys), by_offset);
	for (size_t i = 0; i < state->nr_keys; i++) {
		struct aes_key *key = &state->keys[i];

		if (i && key[-1].finding.offset == key->finding.offset)
			continue;
		key->finding.class = class_of(state, key);
		detector_secret(state->job,
				&(struct secret){.kind = SECRET_KEY,
						 .value = {key->key, key->finding.bits / 8}},
				&key->finding);
		known_secret(state->job->options->needles, key->key, key->finding.bits / 8,
			     &key->finding);
		detector_report(state->job, &key->finding);
	}
}

const struct detector detector_aes = {
	.name = "aes",
	.begin = begin,
	.window = window,
	.end = end,
	.free = free_state,
};
