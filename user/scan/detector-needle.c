// SPDX-License-Identifier: GPL-2.0-or-later
/* Known keys (detect-needle.h) as a detector. */
#include <time.h>

#include "base/cleanup.h"
#include "scan/detect-needle.h"
#include "scan/detectors.h"

struct state {
	const struct detector_job *job;
	struct needle_table *table; /* NULL: no needles */
	struct needle_last last[]; /* by worker */
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
	needle_table_free(state->table);
	free(state);
}

static int begin(const struct detector_job *job, void **out_state)
{
	struct state *state = calloc(1, sizeof(*state) + job->workers * sizeof(state->last[0]));
	const struct needles *needles = job->options->needles;
	int err;

	if (!state)
		return -ENOMEM;
	state->job = job;
	if (needles && needles->nr) {
		err = needle_table_new(needles, time(NULL), &state->table);
		if (err < 0) {
			free(state);
			return err;
		}
	}
	*out_state = state;
	return 0;
}

static enum finding_layout layout_of(const struct needle_hit *hit)
{
	switch (hit->form->layout) {
	case NEEDLE_BYTES:
		return hit->reversed ? LAYOUT_LE : LAYOUT_BE;
	case NEEDLE_WORDS32:
		return LAYOUT_W32;
	case NEEDLE_BASE64:
		return LAYOUT_TEXT;
	default:
		return LAYOUT_DIGITS;
	}
}

/* What was proven; of a prime or a line of text only a part is known to be there. */
static void keep_secret(const struct call *call, const struct needle_hit *hit, struct finding *f)
{
	const struct needle_form *form = hit->form;
	uint8_t span[NEEDLE_SPAN_MAX];
	struct secret secret = {.kind = SECRET_TEXT, .value = {span, form->span}};

	for (unsigned i = 0; i < form->span; i++)
		span[hit->reversed ? form->span - 1U - i : i] = call->window->memory.p[hit->at + i];
	if (form->part == NEEDLE_SECRET && form->layout == NEEDLE_BYTES)
		secret.kind = f->id.kind == KEY_OTHER			      ? SECRET_KEY
			      : f->id.kind == KEY_EC || f->id.kind == KEY_DSA ? SECRET_SCALAR
									      : SECRET_SEED;
	else
		secret.value.p = call->window->memory.p + hit->at;
	detector_secret(call->state->job, &secret, f);
	explicit_bzero(span, sizeof(span));
}

static void on_hit(void *userdata, const struct needle_hit *hit)
{
	const struct call *call = userdata;
	const struct state *state = call->state;
	struct finding f = {
		.what = FINDING_KNOWN,
		.class = CLASS_PROVEN,
		.layout = layout_of(hit),
		.bits = hit->needle->id.bits,
		.ref = (uint32_t)(hit->needle - state->job->options->needles->items) + 1,
		.id = hit->needle->id,
	};

	/* Bits are told of public halves. */
	if (f.id.source == KEYSRC_NONE)
		f.id.bits = 0;
	window_place(call->window, hit->at, &f);
	keep_secret(call, hit, &f);
	detector_report(state->job, &f);
}

static void window(void *p, unsigned worker, const struct window *window)
{
	struct state *state = p;
	struct call call = {state, window};

	if (state->table)
		needle_detect(state->table, window->memory, window->from, window->to,
			      window->align == 1, window->offset, &state->last[worker], on_hit,
			      &call);
}

const struct detector detector_needle = {
	.name = "needle",
	.begin = begin,
	.window = window,
	.free = free_state,
};
