// SPDX-License-Identifier: GPL-2.0-or-later
/* Tokens (detect-token.h) as a detector. */
#include <stdatomic.h>

#include "base/cleanup.h"
#include "scan/detect-token.h"
#include "scan/detectors.h"

#define TOKENS_MAX 4096 /* of one dump; who fills memory with them is told that there are more */

struct state {
	const struct detector_job *job;
	atomic_uint found;
	struct token_scratch *scratch[]; /* by worker; NULL: no rules */
};

struct call {
	struct state *state;
	const struct window *window;
};

static void free_state(void *p)
{
	struct state *state = p;

	if (!state)
		return;
	for (unsigned i = 0; i < state->job->workers; i++)
		token_scratch_free(state->scratch[i]);
	free(state);
}

static int begin(const struct detector_job *job, void **out_state)
{
	struct state *state = calloc(1, sizeof(*state) + job->workers * sizeof(state->scratch[0]));
	const struct token_search *search = job->options->tokens;
	int err = 0;

	if (!state)
		return -ENOMEM;
	state->job = job;
	for (unsigned i = 0; i < job->workers && search && !err; i++)
		err = token_scratch_new(search, &state->scratch[i]);
	if (err < 0) {
		free_state(state);
		return err;
	}
	*out_state = state;
	return 0;
}

static void on_hit(void *userdata, const struct token_hit *hit)
{
	const struct call *call = userdata;
	const struct detector_job *job = call->state->job;
	struct secret secret = {.kind = SECRET_TEXT,
				.value = {call->window->memory.p + hit->at, hit->len}};
	struct finding f = {
		.what = FINDING_TOKEN,
		.class = hit->proven ? CLASS_PROVEN : CLASS_LIKELY,
		.layout = LAYOUT_TOKEN,
		.ref = hit->rule + 1,
		.length = (uint32_t)hit->len,
	};

	if (call->state->found++ >= TOKENS_MAX) {
		detector_untried(job, UNTRIED_TOKENS, 1);
		return;
	}
	if (secret.value.len > SECRET_BYTES_MAX)
		secret.value.len = SECRET_BYTES_MAX;
	window_place(call->window, hit->at, &f);
	detector_secret(job, &secret, &f);
	detector_report(job, &f);
}

static void window(void *p, unsigned worker, const struct window *window)
{
	struct state *state = p;
	struct call call = {state, window};

	if (state->scratch[worker])
		token_detect(state->job->options->tokens, state->scratch[worker], window->memory,
			     window->from, window->to, on_hit, &call);
}

const struct detector detector_token = {
	.name = "token",
	.begin = begin,
	.window = window,
	.free = free_state,
};
