// SPDX-License-Identifier: GPL-2.0-or-later
/* Pieces of memory, read by one or by all, looked at by all. */
#include "scan/windows.h"

#include <pthread.h>
#include <string.h>

#include "scan/runs.h"
#include "scan/sweep.h"
#include "scan/wipe.h"

#define PAGE	 4096
#define GAP	 (32 << 10) /* zeros between two runs that are not worth a call more */
#define LEAD	 256 /* what begins with as many zeros is still seen */
#define SLICE	 (128 << 10)
#define LINE	 64
#define ROOM	 (LINE + 8 + WINDOW_BEFORE + WINDOW_CORE + WINDOW_AFTER)
#define MORE	 2 /* rooms beyond one for each worker */
#define ROOM_MAX (CREW_MAX + MORE)

struct room {
	uint8_t *base; /* aligned */
	struct window window;
	struct room *next; /* ready, or free */
};

struct windows {
	struct crew *crew;
	unsigned nr;
	uint8_t *memory[ROOM_MAX];
	struct room rooms[ROOM_MAX];
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t change;
	struct room *ready, *last, *free;
	bool closed; /* no more get ready */
	/* One pass. */
	struct windows_pass *pass;
	struct source *source;
	const struct segment *segments;
	size_t nr_segments, segment; /* the one that is being handed out */
	uint64_t at; /* in it */
	const struct windows_stream *stream;
};

int windows_new(struct crew *crew, struct windows **out_windows)
{
	_cleanup_windows_ struct windows *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->crew = crew;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->change, NULL);
	w->nr = crew_workers(crew) + MORE;
	for (unsigned i = 0; i < w->nr; i++) {
		w->memory[i] = wipe_alloc(ROOM);
		if (!w->memory[i])
			return -ENOMEM;
		w->rooms[i].base = w->memory[i] + (LINE - (uintptr_t)w->memory[i] % LINE);
	}
	*out_windows = take_ptr(w);
	return 0;
}

void windows_free(struct windows *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->nr; i++)
		wipe_free(w->memory[i]);
	pthread_cond_destroy(&w->change);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* --- looking --- */

static size_t page_end(size_t at, size_t to)
{
	size_t end = at + PAGE - at % PAGE;

	return end < to ? end : to;
}

static void fail(struct windows_pass *pass, int error)
{
	int none = 0;

	atomic_compare_exchange_strong(&pass->error, &none, error);
}

static bool over(const struct windows_pass *pass)
{
	return *pass->stop || pass->error;
}

/* A number that was handed out, and nothing could be read, or the pass is over: others may wait for
 * it. */
static void pass_by(struct windows *w, unsigned worker, uint64_t piece)
{
	if (w->pass->passed)
		w->pass->passed(w->pass->userdata, worker, &(struct window){.piece = piece});
}

/* It, in slices that stay in the processor's cache while all look at them. */
static void show(struct windows *w, unsigned worker, const struct window *all)
{
	struct run runs[SLICE / (RUN_MIN + RUN_GAP) + 2];
	struct window slice = *all;

	for (; slice.from < all->to && !*w->pass->stop; slice.from = slice.to) {
		slice.to = all->to - slice.from <= SLICE ? all->to : slice.from + SLICE;
		slice.runs = runs;
		slice.nr_runs = runs_find(slice.memory, slice.from, slice.to, slice.align == 1,
					  runs, ARRAY_SIZE(runs));
		w->pass->look(w->pass->userdata, worker, &slice);
	}
}

/* Shows the window in the runs that hold something. */
static void look(struct windows *w, unsigned worker, const struct window *window)
{
	struct windows_pass *pass = w->pass;
	struct window run = *window;
	bool open = false;

	for (size_t at = window->from, end; at < window->to && !*pass->stop; at = end) {
		size_t seen;

		end = page_end(at, window->to);
		seen = window->memory.len - end < LEAD ? window->memory.len : end + LEAD;
		if (sweep_is_zero(window->memory.p + at, seen - at)) {
			if (open && end - run.to >= GAP) {
				show(w, worker, &run);
				open = false;
			}
			continue;
		}
		if (!open)
			run.from = at;
		open = true;
		run.to = end;
	}
	if (open)
		show(w, worker, &run);
	if (over(pass))
		pass_by(w, worker, window->piece);
	else if (pass->passed)
		pass->passed(pass->userdata, worker, window);
	pass->looked_at += window->to - window->from;
	if (!worker && pass->tick)
		pass->tick(pass->userdata, pass->looked_at);
}

/* Words are aligned by address; a segment may start between them, in the file or in memory. */
static size_t skew_of(const struct segment *segment)
{
	return segment->has_vaddr ? segment->vaddr % 8 : 0;
}

/*
 * `have` bytes of the segment from `start` on lie in the room behind the skew; the window is
 * responsible for WINDOW_CORE of them from `at` on.
 */
static void set_window(struct room *room, const struct windows_pass *pass,
		       const struct segment *segment, uint64_t start, uint64_t at, size_t have)
{
	size_t skew = skew_of(segment), from = (size_t)(at - start);
	size_t to = have - from < WINDOW_CORE ? have : from + WINDOW_CORE;

	memset(room->base, 0, skew);
	room->window = (struct window){
		.memory = {room->base, have + skew},
		.from = at ? from + skew : 0,
		.to = to + skew,
		.offset = segment->offset + start - skew,
		.vaddr = segment->has_vaddr ? segment->vaddr + start - skew : 0,
		.has_vaddr = segment->has_vaddr,
		.align = pass->align,
		.kind = segment->kind,
	};
}

/* --- tables --- */

/* The next piece that nobody has; false: there is none. */
static bool take_piece(struct windows *w, const struct segment **out_segment, uint64_t *out_at,
		       uint64_t *out_piece)
{
	bool found = false;

	pthread_mutex_lock(&w->lock);
	while (!found && w->segment < w->nr_segments) {
		const struct segment *s = &w->segments[w->segment];
		uint64_t from, to;

		if (w->at < s->len &&
		    source_data(w->source, s->offset + w->at, s->offset + s->len, &from, &to)) {
			/* In steps of pages of the segment, which keeps words together. */
			uint64_t at = (from - s->offset) / PAGE * PAGE;

			if (at > w->at) {
				w->pass->looked_at += at - w->at;
				w->at = at;
			}
			*out_segment = s;
			*out_at = w->at;
			*out_piece = w->pass->pieces++;
			w->at = s->len - w->at < WINDOW_CORE ? s->len : w->at + WINDOW_CORE;
			found = true;
		} else {
			w->pass->looked_at += s->len - w->at;
			w->segment++;
			w->at = 0;
		}
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

static void read_pieces(struct windows *w, unsigned worker)
{
	struct room *room = &w->rooms[worker];
	const struct segment *s;
	uint64_t at, piece;

	while (!over(w->pass) && take_piece(w, &s, &at, &piece)) {
		uint64_t start = at < WINDOW_BEFORE ? 0 : at - WINDOW_BEFORE;
		uint64_t left = s->len - start, need = s->len - at;
		size_t want = (size_t)(at - start) + WINDOW_CORE + WINDOW_AFTER;
		long got = source_read(w->source, room->base + skew_of(s),
				       left < want ? (size_t)left : want, s->offset + start);

		if (got < 0) {
			fail(w->pass, (int)got);
			pass_by(w, worker, piece);
			return;
		}
		need = need < WINDOW_CORE ? need : WINDOW_CORE;
		if ((uint64_t)got < at - start + need)
			w->pass->flags |= SCAN_CHANGED;
		if ((uint64_t)got <= at - start) {
			pass_by(w, worker, piece);
			continue;
		}
		set_window(room, w->pass, s, start, at, (size_t)got);
		room->window.piece = piece;
		look(w, worker, &room->window);
	}
}

static void lead_table(void *userdata)
{
	read_pieces(userdata, 0);
}

static void work_table(void *userdata, unsigned worker)
{
	read_pieces(userdata, worker);
}

int windows_of_table(struct windows *w, struct windows_pass *pass, struct source *source,
		     const struct segment *segments, size_t nr)
{
	w->pass = pass;
	w->source = source;
	w->segments = segments;
	w->nr_segments = nr;
	w->segment = 0;
	w->at = 0;
	crew_run(w->crew, lead_table, work_table, w);
	return pass->error;
}

/* --- streams --- */

static void put_free(struct windows *w, struct room *room)
{
	pthread_mutex_lock(&w->lock);
	room->next = w->free;
	w->free = room;
	pthread_cond_broadcast(&w->change);
	pthread_mutex_unlock(&w->lock);
}

static struct room *pop_ready(struct windows *w)
{
	struct room *room = w->ready;

	if (room) {
		w->ready = room->next;
		if (!w->ready)
			w->last = NULL;
	}
	return room;
}

static void put_ready(struct windows *w, struct room *room)
{
	pthread_mutex_lock(&w->lock);
	room->window.piece = w->pass->pieces++;
	room->next = NULL;
	if (w->last)
		w->last->next = room;
	else
		w->ready = room;
	w->last = room;
	pthread_cond_broadcast(&w->change);
	pthread_mutex_unlock(&w->lock);
}

/* A room to read into; without one the reader looks at what waits. */
static struct room *get_free(struct windows *w)
{
	for (;;) {
		struct room *room, *ready = NULL;

		pthread_mutex_lock(&w->lock);
		while (!w->free && !w->ready)
			pthread_cond_wait(&w->change, &w->lock);
		room = w->free;
		if (room)
			w->free = room->next;
		else
			ready = pop_ready(w);
		pthread_mutex_unlock(&w->lock);
		if (room)
			return room;
		look(w, 0, &ready->window);
		put_free(w, ready);
	}
}

/* The segment's windows, each with the end of the one before. */
static void read_segment(struct windows *w, const struct segment *s)
{
	struct room *room = get_free(w);
	size_t skew = skew_of(s), have = 0;
	uint64_t start = 0, at = 0;
	bool end = false;

	while (!end && !over(w->pass)) {
		size_t want = (size_t)(at - start) + WINDOW_CORE + WINDOW_AFTER - have;
		uint64_t left = s->len - (start + have), keep_from;
		struct room *more;
		long got = 0;

		if (left < want)
			want = (size_t)left;
		if (want)
			got = w->stream->fill(w->stream->userdata, s, room->base + skew + have,
					      want, start + have);
		if (got < 0) {
			fail(w->pass, (int)got);
			break;
		}
		have += (size_t)got;
		end = have <= at - start + WINDOW_CORE;
		if (have <= at - start)
			break;
		set_window(room, w->pass, s, start, at, have);
		if (end) {
			put_ready(w, room);
			return;
		}
		more = get_free(w);
		keep_from = at + WINDOW_CORE - WINDOW_BEFORE;
		have -= (size_t)(keep_from - start);
		memcpy(more->base + skew, room->base + skew + (keep_from - start), have);
		put_ready(w, room);
		room = more;
		start = keep_from;
		at += WINDOW_CORE;
	}
	put_free(w, room);
}

/* Looks at what is ready until there will be no more. */
static void look_on(struct windows *w, unsigned worker)
{
	for (;;) {
		struct room *room;

		pthread_mutex_lock(&w->lock);
		while (!w->ready && !w->closed)
			pthread_cond_wait(&w->change, &w->lock);
		room = pop_ready(w);
		pthread_mutex_unlock(&w->lock);
		if (!room)
			return;
		look(w, worker, &room->window);
		put_free(w, room);
	}
}

static void lead_stream(void *userdata)
{
	struct windows *w = userdata;
	struct segment segment;
	int r = 1;

	while (!over(w->pass) && (r = w->stream->next(w->stream->userdata, &segment)) > 0)
		read_segment(w, &segment);
	if (r < 0)
		fail(w->pass, r);
	pthread_mutex_lock(&w->lock);
	w->closed = true;
	pthread_cond_broadcast(&w->change);
	pthread_mutex_unlock(&w->lock);
	look_on(w, 0);
}

static void work_stream(void *userdata, unsigned worker)
{
	look_on(userdata, worker);
}

int windows_of_stream(struct windows *w, struct windows_pass *pass,
		      const struct windows_stream *stream)
{
	w->pass = pass;
	w->stream = stream;
	w->ready = w->last = w->free = NULL;
	w->closed = false;
	for (unsigned i = 0; i < w->nr; i++) {
		w->rooms[i].next = w->free;
		w->free = &w->rooms[i];
	}
	crew_run(w->crew, lead_stream, work_stream, w);
	return pass->error;
}
