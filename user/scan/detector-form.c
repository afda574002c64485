// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys in a written form (detect-form.h) as a detector. */
#include "base/cleanup.h"
#include "scan/detect-form.h"
#include "scan/detectors.h"
#include "scan/wipe.h"

_Static_assert(FORM_MAX <= WINDOW_AFTER, "a window has room for the longest form");

/*
 * Of a piece (1 MiB), so that what is found does not depend on threads, and so that who fills one
 * with what only looks like keys has the others looked at all the same. Each share is a tenth of a
 * second or less; a MiB that is full of RSA keys in DER takes a quarter of one.
 */
#define WORK	    100000 /* of each sort */
#define WORK_PROVEN 200000 /* for dear proofs that succeed: hundreds of keys on P-384 */

struct state {
	const struct detector_job *job;
	struct {
		uint64_t piece; /* which the budget is for */
		struct form_work work;
		struct form_room *room;
	} workers[];
};

struct call {
	const struct state *state;
	const struct window *window;
};

static void free_state(void *p)
{
	struct state *state = p;

	if (!state)
		return;
	for (unsigned i = 0; i < state->job->workers; i++)
		wipe_free(state->workers[i].room);
	free(state);
}

static int begin(const struct detector_job *job, void **out_state)
{
	struct state *state = calloc(1, sizeof(*state) + job->workers * sizeof(state->workers[0]));

	if (!state)
		return -ENOMEM;
	state->job = job;
	for (unsigned i = 0; i < job->workers; i++) {
		state->workers[i].piece = UINT64_MAX;
		state->workers[i].room = form_room_new();
		if (!state->workers[i].room) {
			free_state(state);
			return -ENOMEM;
		}
	}
	*out_state = state;
	return 0;
}

static void on_hit(void *userdata, const struct finding *finding, const struct secret *secret)
{
	const struct call *call = userdata;
	struct finding f = *finding;

	window_place(call->window, finding->offset, &f);
	if (secret)
		detector_secret(call->state->job, secret, &f);
	detector_report(call->state->job, &f);
}

static void window(void *p, unsigned worker, const struct window *window)
{
	struct state *state = p;
	struct call call = {state, window};
	struct form_work *work = &state->workers[worker].work;
	struct form_detect detect = {work, on_hit, &call, state->workers[worker].room};

	if (state->workers[worker].piece != window->piece) {
		state->workers[worker].piece = window->piece;
		*work = (struct form_work){
			.all = state->job->options->all_the_time,
			.proven = WORK_PROVEN,
		};
		for (enum form_pot pot = 0; pot < FORM_POTS; pot++)
			work->left[pot] = WORK;
	}
	work->untried = 0;
	if (form_detect(window->memory, window->from, window->to, &detect) < 0)
		detector_incomplete(state->job);
	if (work->untried)
		detector_untried(state->job, UNTRIED_WRITTEN, work->untried);
}

const struct detector detector_form = {
	.name = "form",
	.begin = begin,
	.window = window,
	.free = free_state,
};
