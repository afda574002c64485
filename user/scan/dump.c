// SPDX-License-Identifier: GPL-2.0-or-later
/* From segments to windows to detectors to findings. */
#include "scan/dump.h"

#include <pthread.h>
#include <stdatomic.h>

#include "scan/detector.h"
#include "scan/segment.h"
#include "scan/wipe.h"

#define CORE (1 << 20) /* what a window is responsible for */
#define ROOM (64 + 8 + WINDOW_BEFORE + CORE + WINDOW_AFTER)

#define DETECTORS_MAX 32

struct dump {
	const struct dump_events *events;
	void *userdata;
	int fd;
	struct segments segments;
	struct detector_job job;
	void *states[DETECTORS_MAX];
	atomic_bool incomplete;
	uint64_t looked_at;
	pthread_mutex_t lock; /* of what follows, and of found() */
	int error; /* of found() */
};

void detector_report(const struct detector_job *job, const struct finding *finding)
{
	struct dump *d = job->dump;

	pthread_mutex_lock(&d->lock);
	if (!d->error)
		d->error = d->events->found(d->userdata, finding);
	pthread_mutex_unlock(&d->lock);
}

void detector_secret(const struct detector_job *job, const struct secret *secret,
		     struct finding *finding)
{
	finding->tag = secrets_add(job->secrets, secret);
}

void detector_incomplete(const struct detector_job *job)
{
	job->dump->incomplete = true;
}

void detector_place(const struct detector_job *job, uint64_t offset, struct finding *finding)
{
	const struct segments *segments = &job->dump->segments;

	finding->offset = offset;
	finding->has_vaddr = false;
	finding->vaddr = 0;
	for (size_t i = 0; i < segments->nr && segments->core; i++) {
		const struct segment *s = &segments->items[i];

		if (offset >= s->offset && offset - s->offset < s->len) {
			finding->has_vaddr = true;
			finding->vaddr = s->vaddr + (offset - s->offset);
			return;
		}
	}
}

static long read_at(int fd, uint8_t *out, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, out + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break; /* it shrank meanwhile */
		got += (size_t)n;
	}
	return (long)got;
}

size_t detector_read_at(const struct detector_job *job, uint64_t offset, void *out, size_t len)
{
	long got = read_at(job->dump->fd, out, len, offset);

	return got < 0 ? 0 : (size_t)got;
}

static const struct segment *segment_of(const struct segments *segments, uint64_t vaddr)
{
	for (size_t i = 0; i < segments->nr; i++) {
		const struct segment *s = &segments->items[i];

		if (s->has_vaddr && vaddr >= s->vaddr && vaddr - s->vaddr < s->len)
			return s;
	}
	return NULL;
}

size_t detector_read(const struct detector_job *job, uint64_t vaddr, void *out, size_t len,
		     uint64_t *out_offset)
{
	size_t got = 0;

	while (got < len) {
		const struct segment *s = segment_of(&job->dump->segments, vaddr + got);
		uint64_t in, left;
		size_t want, n;

		if (!s)
			break;
		in = vaddr + got - s->vaddr;
		left = s->len - in;
		want = left < len - got ? (size_t)left : len - got;
		n = detector_read_at(job, s->offset + in, (uint8_t *)out + got, want);
		if (!got && n && out_offset)
			*out_offset = s->offset + in;
		got += n;
		if (n < want)
			break;
	}
	return got;
}

static void show(struct dump *d, const struct window *window, bool again)
{
	for (size_t i = 0; detectors[i]; i++) {
		void (*look)(void *, unsigned, const struct window *) =
			again ? detectors[i]->again : detectors[i]->window;

		if (look)
			look(d->states[i], 0, window);
	}
}

static int scan_segment(struct dump *d, const struct segment *segment, uint8_t *room, bool again)
{
	/* Words are aligned by address; a segment may start between them, in the file or in memory.
	 */
	size_t skew = segment->has_vaddr ? segment->vaddr % 8 : 0;
	uint8_t *base = room + (64 - (uintptr_t)room % 64);

	for (uint64_t at = 0; at < segment->len && !d->error; at += CORE) {
		uint64_t start = at < WINDOW_BEFORE ? 0 : at - WINDOW_BEFORE;
		uint64_t left = segment->len - start;
		size_t from = (size_t)(at - start);
		size_t want = from + CORE + WINDOW_AFTER;
		struct window window = {
			.offset = segment->offset + start - skew,
			.vaddr = segment->vaddr + start - skew,
			.has_vaddr = segment->has_vaddr,
			.align = 8,
		};
		long got = read_at(d->fd, base + skew, left < want ? (size_t)left : want,
				   segment->offset + start);

		if (got < 0)
			return (int)got;
		if ((size_t)got <= from)
			break;
		/* Detectors take words at multiples of their size from where the bytes begin. */
		memset(base, 0, skew);
		window.memory = (struct bytes){base, (size_t)got + skew};
		window.from = from + (at ? skew : 0);
		window.to = (from + CORE < (size_t)got ? from + CORE : (size_t)got) + skew;
		d->looked_at += again ? 0 : window.to - skew - from;
		show(d, &window, again);
	}
	return 0;
}

static int pass(struct dump *d, uint8_t *room, bool again)
{
	int err = 0;

	for (size_t i = 0; i < d->segments.nr && !err && !d->error; i++)
		err = scan_segment(d, &d->segments.items[i], room, again);
	return err < 0 ? err : d->error;
}

static int scan(struct dump *d, uint8_t *room)
{
	bool again = false;
	int err = pass(d, room, false);

	for (size_t i = 0; detectors[i] && !err; i++)
		if (detectors[i]->settle)
			again |= detectors[i]->settle(d->states[i]);
	if (!err && again)
		err = pass(d, room, true);
	for (size_t i = 0; detectors[i] && !err; i++) {
		if (detectors[i]->end)
			detectors[i]->end(d->states[i]);
		err = d->error;
	}
	return err;
}

static int run(struct dump *d)
{
	_cleanup_wipe_ uint8_t *room = wipe_alloc(ROOM);
	_cleanup_secrets_ struct secrets *secrets = NULL;
	struct finding end = {.what = FINDING_END};
	size_t begun = 0;
	int err = room ? 0 : -ENOMEM;

	if (!err)
		err = secrets_new(d->job.options->keep_secrets, &secrets);
	d->job.secrets = secrets;
	for (; detectors[begun] && !err; begun += !err)
		err = detectors[begun]->begin(&d->job, &d->states[begun]);
	if (!err)
		err = scan(d, room);
	while (begun-- > 0)
		detectors[begun]->free(d->states[begun]);
	if (err)
		return err;
	end.offset = d->looked_at;
	end.vaddr = (d->segments.truncated ? FINDING_TRUNCATED : 0) |
		    (d->incomplete || d->segments.too_many ? FINDING_INCOMPLETE : 0) |
		    (d->segments.core ? FINDING_CORE : 0);
	return d->events->found(d->userdata, &end);
}

static int about(const struct dump *d)
{
	struct scan_about a = {
		.container = d->segments.core ? CONTAINER_ELF : CONTAINER_RAW,
		.size = d->segments.file_size,
	};

	return d->events->about ? d->events->about(d->userdata, &a) : 0;
}

int dump_start(struct dump_input *input)
{
	return 0;
}

void dump_stop(struct dump_input *input)
{
}

int dump_scan(const struct dump_input *input, const struct dump_events *events, void *userdata)
{
	struct dump d = {
		.events = events,
		.userdata = userdata,
		.fd = input->fd,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.job = {.options = &input->options, .workers = 1, .repeatable = true, .dump = &d},
	};
	int err = segments_read(input->fd, &d.segments);

	if (err < 0)
		return err;
	err = about(&d);
	if (!err)
		err = run(&d);
	segments_fini(&d.segments);
	return err;
}
