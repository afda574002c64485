// SPDX-License-Identifier: GPL-2.0-or-later
/* From a file to its dumps, from dumps to segments to windows to detectors to findings. */
#include "scan/dump.h"

#include <malloc.h>
#include <sys/mman.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "scan/container.h"
#include "scan/crew.h"
#include "scan/known.h"
#include "scan/memory.h"
#include "scan/redact.h"
#include "scan/source-flat.h"
#include "scan/unpack.h"
#include "scan/windows.h"

#define ROOM_BESIDE   (64 << 20) /* of addresses, beside stacks and windows */
#define DETECTORS_MAX 32
#define TICK_NS	      200000000LL
/* Findings that are told of a file: who fills it with what looks like keys would have more told
 * than is believed (channel.h), and whoever puts them together sort them for ever. A share is kept
 * for what is proven. */
#define TOLD_MAX    (128 << 10)
#define TOLD_PROVEN (64 << 10)
#define GAP	    512 /* bytes between segments that are worth a look */

struct dump {
	const struct dump_input *input;
	const struct dump_events *events;
	void *userdata;
	struct source *root;
	struct windows *windows;
	struct unpack_budget budget;
	int64_t told; /* when progress was */
	pthread_mutex_t lock; /* of events, and error */
	int error; /* of a handler */
	atomic_bool stop; /* there is one */
	/* The dump at hand. */
	struct source *source;
	const struct container_type *type;
	void *container;
	struct scan_about about;
	uint64_t flags;
	struct memory memory;
	struct detector_job job;
	void *states[DETECTORS_MAX];
	atomic_bool incomplete, out_of_budget;
	atomic_ullong untried[UNTRIED_NR];
	unsigned findings; /* told, of all dumps in the file */
	bool again; /* the second pass */
	bool flat; /* it was flattened */
	uint64_t found; /* places of somebody's keys, so far */
	/* What no header claims is looked at as bytes: between segments, and behind them. */
	uint64_t covered;
	struct segment held; /* behind a gap; len 0: none */
	bool tail; /* has been given */
};

/* --- for detectors --- */

static void handled(struct dump *d, int error)
{
	if (error < 0 && !d->error) {
		d->error = error;
		d->stop = true;
	}
}

void detector_report(const struct detector_job *job, const struct finding *finding)
{
	struct finding f = *finding;
	struct dump *d = job->dump;
	bool tell;

	if (finding->what == FINDING_STRUCTURE)
		secrets_note_form(job->secrets, finding->offset, finding->layout);
	known_name(job->options->needles, &f);
	pthread_mutex_lock(&d->lock);
	d->found += f.class <= CLASS_ENCRYPTED;
	tell = d->findings < TOLD_MAX + (f.class == CLASS_PROVEN ? TOLD_PROVEN : 0);
	d->findings += tell;
	if (tell && !d->error)
		handled(d, d->events->found(d->userdata, &f));
	pthread_mutex_unlock(&d->lock);
	if (!tell)
		detector_untried(job, UNTRIED_FINDINGS, 1);
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

void detector_untried(const struct detector_job *job, enum untried what, uint64_t nr)
{
	job->dump->untried[what] += nr;
	job->dump->incomplete = true;
}

void detector_out_of_budget(const struct detector_job *job)
{
	job->dump->out_of_budget = true;
}

void detector_place(const struct detector_job *job, uint64_t offset, struct finding *finding)
{
	finding->offset = offset;
	finding->vaddr = 0;
	finding->has_vaddr = memory_vaddr(&job->dump->memory, offset, &finding->vaddr);
}

size_t detector_read_at(const struct detector_job *job, uint64_t offset, void *out, size_t len)
{
	struct dump *d = job->dump;
	uint64_t position = source_position(d->source);
	long got;

	/* Packed pages have other positions. A stream is not read on for this. */
	if (d->type->read)
		return 0;
	if (!source_seekable(d->source)) {
		uint64_t end = position < SOURCE_KEPT ? position : SOURCE_KEPT;

		if (offset >= end)
			return 0;
		len = end - offset < len ? (size_t)(end - offset) : len;
	}
	got = source_read(d->source, out, len, offset);
	return got < 0 ? 0 : (size_t)got;
}

size_t detector_read(const struct detector_job *job, uint64_t vaddr, void *out, size_t len,
		     uint64_t *out_offset)
{
	uint64_t offset, left;
	size_t got = 0;

	while (got < len && memory_offset(&job->dump->memory, vaddr + got, &offset, &left)) {
		size_t want = left < len - got ? (size_t)left : len - got;
		size_t n = detector_read_at(job, offset, (uint8_t *)out + got, want);

		if (!got && n && out_offset)
			*out_offset = offset;
		got += n;
		if (n < want)
			break;
	}
	return got;
}

struct share {
	void (*part)(void *userdata, unsigned n);
	void *userdata;
	unsigned nr;
	atomic_uint next;
};

static void take_parts(void *userdata)
{
	struct share *share = userdata;
	unsigned n;

	while ((n = share->next++) < share->nr)
		share->part(share->userdata, n);
}

static void work_on_parts(void *userdata, unsigned worker)
{
	take_parts(userdata);
}

void detector_share(const struct detector_job *job, void (*part)(void *userdata, unsigned n),
		    void *userdata, unsigned nr)
{
	struct share share = {part, userdata, nr, 0};

	crew_run(job->dump->input->crew, take_parts, work_on_parts, &share);
}

/* --- one pass over one dump --- */

static void look(void *userdata, unsigned worker, const struct window *window)
{
	struct dump *d = userdata;

	for (size_t i = 0; detectors[i] && !d->stop; i++) {
		void (*see)(void *, unsigned, const struct window *) =
			d->again ? detectors[i]->again : detectors[i]->window;

		if (see)
			see(d->states[i], worker, window);
	}
}

static void pass_by(void *userdata, unsigned worker, const struct window *piece)
{
	struct dump *d = userdata;

	for (size_t i = 0; detectors[i] && !d->again; i++)
		if (detectors[i]->piece)
			detectors[i]->piece(d->states[i], worker, piece);
}

static void tick(void *userdata, uint64_t looked_at)
{
	struct dump *d = userdata;
	uint64_t done = source_position(d->root), total = source_size(d->root);
	struct timespec ts;
	int64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * 1000000000LL + ts.tv_nsec;
	if (!d->events->progress || now - d->told < TICK_NS)
		return;
	d->told = now;
	pthread_mutex_lock(&d->lock);
	d->events->progress(d->userdata, done < total ? done : total, total);
	pthread_mutex_unlock(&d->lock);
}

/* Cuts what reaches beyond the end; false if nothing is left. */
static bool clip(struct dump *d, struct segment *s)
{
	uint64_t size = source_size(d->source);

	if (d->type->read || size == SOURCE_SIZE_UNKNOWN)
		return s->len > 0;
	if (s->offset > size || s->len > size - s->offset) {
		d->flags |= SCAN_TRUNCATED;
		if (s->offset >= size)
			return false;
		s->len = size - s->offset;
	}
	return s->len > 0;
}

/* The container's next segment, and what of it is still to be had of a stream. */
static int next_claimed(struct dump *d, struct segment *out_segment)
{
	struct segment s;
	int r;

	while ((r = d->type->next(d->container, &s)) > 0) {
		uint64_t position = source_position(d->source);

		if (!clip(d, &s))
			continue;
		/* What went by has been seen as another segment's. */
		if (!d->type->read && !source_seekable(d->source) && position > SOURCE_KEPT &&
		    s.offset < position) {
			uint64_t gone = position - s.offset;

			if (gone >= s.len)
				continue;
			s.offset += gone;
			s.len -= gone;
			s.vaddr += gone;
		}
		*out_segment = s;
		return 1;
	}
	return r;
}

/* The same with the gaps: no header can hide what it does not list. */
static int next_segment(void *userdata, struct segment *out_segment)
{
	struct dump *d = userdata;
	uint64_t size = source_size(d->source);
	struct segment s = d->held;
	int r = 1;

	d->held.len = 0;
	if (!s.len)
		r = next_claimed(d, &s);
	if (r < 0 || d->type->read || d->type == &container_process) {
		*out_segment = s;
		return r;
	}
	if (!r) {
		if (d->tail || d->covered >= size)
			return 0;
		d->tail = true;
		*out_segment = (struct segment){.offset = d->covered, .len = size - d->covered};
		if (size == SOURCE_SIZE_UNKNOWN)
			out_segment->len = SOURCE_SIZE_UNKNOWN;
		return 1;
	}
	if (s.offset > d->covered && s.offset - d->covered >= GAP) {
		d->held = s;
		s = (struct segment){.offset = d->covered, .len = s.offset - d->covered};
	}
	if (s.len < UINT64_MAX - s.offset && s.offset + s.len > d->covered)
		d->covered = s.offset + s.len;
	else if (s.len >= UINT64_MAX - s.offset)
		d->covered = UINT64_MAX;
	*out_segment = s;
	return 1;
}

static long fill(void *userdata, const struct segment *segment, void *out, size_t len, uint64_t at)
{
	struct dump *d = userdata;
	size_t got = 0;
	long n;

	if (!d->type->read) {
		n = source_read(d->source, out, len, segment->offset + at);
		if (n >= 0 && (size_t)n < len && segment->len != SOURCE_SIZE_UNKNOWN)
			d->flags |= SCAN_TRUNCATED;
		return n;
	}
	while (got < len && (n = d->type->read(d->container, (uint8_t *)out + got, len - got))) {
		if (n < 0)
			return n;
		got += (size_t)n;
	}
	return (long)got;
}

static int open_container(struct dump *d)
{
	struct container_context context = {d->input->maps_fd, d->input->pid};
	uint8_t head[CONTAINER_HEAD];
	long got = 0;
	int r;

	if (d->input->maps_fd >= 0) {
		d->type = &container_process;
	} else {
		got = source_read(d->source, head, sizeof(head), 0);
		if (got < 0)
			return (int)got;
		d->type = container_of((struct bytes){head, (size_t)got});
	}
	d->about.container =
		d->flat && d->type == &container_kdump ? CONTAINER_KDUMP_FLAT : d->type->container;
	r = d->type->open(d->source, &context, &d->about, &d->flags, &d->container);
	if (r == 0 && d->type != &container_raw) {
		d->type = &container_raw;
		d->about.container = CONTAINER_RAW;
		r = d->type->open(d->source, &context, &d->about, &d->flags, &d->container);
	}
	return r < 0 ? r : 0;
}

static void close_container(struct dump *d)
{
	if (d->container)
		d->type->close(d->container);
	d->container = NULL;
}

/* Segments that stand in the source, as many at a time as the table holds. */
static int pass_table(struct dump *d, struct windows_pass *pass)
{
	struct segment s = {.len = 0};
	int r = 1;

	while (r > 0 && !pass->error && !d->stop) {
		memory_clear(&d->memory);
		while (d->memory.nr < SEGMENTS_MAX && (r = next_segment(d, &s)) > 0) {
			int err = memory_add(&d->memory, &s);

			if (err < 0)
				return err;
		}
		if (r < 0)
			return r;
		/* Those that give way are looked at all the same, only not found again. */
		windows_of_table(d->windows, pass, d->source, d->memory.segments, d->memory.nr);
	}
	return pass->error;
}

static int next_of_stream(void *userdata, struct segment *out_segment)
{
	struct dump *d = userdata;
	int r = next_segment(d, out_segment);

	if (r > 0 && !d->again && memory_add(&d->memory, out_segment) == -ENOMEM)
		return -ENOMEM;
	return r;
}

static int pass(struct dump *d, uint64_t *looked_at)
{
	const struct windows_stream stream = {next_of_stream, fill, d};
	struct windows_pass pass = {
		.align = d->type->align,
		.look = look,
		.passed = pass_by,
		.tick = tick,
		.userdata = d,
		.stop = &d->stop,
	};
	int r;

	if (source_seekable(d->source) && !d->type->read)
		r = pass_table(d, &pass);
	else
		r = windows_of_stream(d->windows, &pass, &stream);
	d->flags |= pass.flags;
	*looked_at = pass.looked_at;
	return d->error ? d->error : r;
}

/* Everything once more, from the first segment on. */
static int second_pass(struct dump *d)
{
	uint64_t ignored;
	int r;

	d->again = true;
	close_container(d);
	r = source_rewind(d->source);
	if (!r)
		r = open_container(d);
	return r ? r : pass(d, &ignored);
}

static int detect(struct dump *d, uint64_t *looked_at)
{
	bool wanted = false;
	int err = pass(d, looked_at);

	if (!err)
		err = memory_sort(&d->memory);
	d->job.repeatable = source_repeatable(d->source);
	for (size_t i = 0; detectors[i] && !err; i++)
		if (detectors[i]->settle)
			wanted |= detectors[i]->settle(d->states[i]);
	if (!err && wanted && d->job.repeatable)
		err = second_pass(d);
	for (size_t i = 0; detectors[i] && !err; i++) {
		if (detectors[i]->end)
			detectors[i]->end(d->states[i]);
		err = d->error;
	}
	if (!d->job.repeatable)
		d->flags |= SCAN_ONE_PASS;
	return err;
}

static int end_of(struct dump *d, uint64_t looked_at)
{
	struct finding end = {.what = FINDING_END, .offset = looked_at};

	for (unsigned i = 0; i < UNTRIED_NR; i++) {
		const struct finding f = {.what = FINDING_UNTRIED,
					  .ref = i,
					  .offset = d->untried[i]};

		if (f.offset && !d->error)
			handled(d, d->events->found(d->userdata, &f));
	}
	if (d->incomplete)
		d->flags |= SCAN_INCOMPLETE;
	if (d->out_of_budget)
		d->flags |= SCAN_BUDGET;
	if (source_unreadable(d->source))
		d->flags |= SCAN_UNREADABLE;
	end.vaddr = d->flags;
	handled(d, d->events->found(d->userdata, &end));
	return d->error;
}

static int tell_range(void *userdata, const struct range *range)
{
	struct dump *d = userdata;
	struct finding f = {
		.what = FINDING_RANGE,
		.offset = range->offset,
		.vaddr = range->len,
	};

	handled(d, d->events->found(d->userdata, &f));
	return d->error;
}

static int run_detectors(struct dump *d)
{
	_cleanup_secrets_ struct secrets *secrets = NULL;
	uint64_t looked_at = 0;
	size_t begun = 0;
	int err = secrets_new(d->input->options.keep_secrets, &secrets);

	d->incomplete = d->out_of_budget = false;
	for (unsigned i = 0; i < UNTRIED_NR; i++)
		d->untried[i] = 0;
	d->again = false;
	d->job = (struct detector_job){
		.options = &d->input->options,
		.workers = crew_workers(d->input->crew),
		.big_endian = d->about.big_endian,
		.bits32 = d->about.bits == 32,
		.secrets = secrets,
		.dump = d,
	};
	for (; detectors[begun] && !err; begun += !err)
		err = detectors[begun]->begin(&d->job, &d->states[begun]);
	if (!err)
		err = detect(d, &looked_at);
	while (begun-- > 0)
		detectors[begun]->free(d->states[begun]);
	/* Positions in what was unpacked would be none of the file's. */
	if (!err && d->input->options.keep_secrets)
		err = d->source == d->root && !d->type->read && source_seekable(d->root)
			      ? redact_find(d->input->fd, secrets, tell_range, d)
			      : -ENOTSUP;
	return err ? err : end_of(d, looked_at);
}

/* Bytes that are not unpacked any further. */
static int scan_memory(struct dump *d, struct source *source, unsigned depth, const char *name,
		       uint64_t flags)
{
	int err;

	d->source = source;
	d->flags = flags;
	d->about = (struct scan_about){.size = source_size(source), .depth = (uint8_t)depth};
	escape_bytes(name, strlen(name), d->about.member, sizeof(d->about.member), NULL);
	memory_init(&d->memory);
	err = open_container(d);
	if (!err && d->events->about) {
		handled(d, d->events->about(d->userdata, &d->about));
		err = d->error;
	}
	if (!err)
		err = run_detectors(d);
	close_container(d);
	memory_fini(&d->memory);
	return err;
}

/* An archive that could not be read to its end says so as a dump of no bytes. */
static int tell_archive(struct dump *d, struct source *source, unsigned depth, const char *name,
			uint64_t flags)
{
	struct finding end = {.what = FINDING_END, .vaddr = flags};

	d->about = (struct scan_about){
		.container = CONTAINER_ARCHIVE,
		.size = source_size(source),
		.depth = (uint8_t)depth,
	};
	escape_bytes(name, strlen(name), d->about.member, sizeof(d->about.member), NULL);
	if (d->events->about)
		handled(d, d->events->about(d->userdata, &d->about));
	if (!d->error)
		handled(d, d->events->found(d->userdata, &end));
	return d->error;
}

static int begin_digest(struct dump *d, struct source *source)
{
	int r = d->input->options.digests && d->events->digest ? source_digest_begin(source) : 0;

	return r == -EOPNOTSUPP ? 0 : r;
}

/* found_before: d->found when the source was begun. */
static int tell_digest(struct dump *d, struct source *source, unsigned depth, uint64_t found_before)
{
	struct scan_digest digest = {
		.depth = (uint8_t)depth,
		.keys = d->found > found_before,
	};

	if (d->input->options.digests && d->events->digest &&
	    source_digest_end(source, digest.sha256))
		handled(d, d->events->digest(d->userdata, &digest));
	return d->error;
}

static int scan_source(struct dump *d, struct source *source, unsigned depth, const char *name);

static int scan_members(struct dump *d, struct source *source, struct unpack *unpack,
			unsigned depth, const char *parent, unsigned *out_members)
{
	for (;;) {
		_cleanup_source_ struct source *member = NULL;
		_cleanup_free_ char *path = NULL;
		const uint64_t found = d->found;
		const char *name;
		int r = unpack_next(unpack, &member, &name);

		if (r <= 0)
			return r;
		/* It is an archive: its first bytes as such will not be asked for. */
		if (!(*out_members)++ && !source_seekable(source))
			source_forget(source);
		if (asprintf(&path, "%s%s%s", parent, *parent && *name ? "/" : "", name) < 0)
			return -ENOMEM;
		r = begin_digest(d, member);
		if (!r)
			r = scan_source(d, member, depth + 1, path);
		/* Of a member that broke off, and of one in a bomb, there is no digest. */
		if (!r && !(unpack_flags(unpack) & ~(uint64_t)SCAN_LOCKED))
			r = tell_digest(d, member, depth + 1, found);
		if (r < 0)
			return r;
	}
}

/* A dump that was made for a pipe, put in order. */
static int scan_flat(struct dump *d, struct source *source, unsigned depth, const char *name)
{
	_cleanup_source_ struct source *flat = NULL;
	bool full = false, truncated = false;
	int r;

	if (!source_seekable(source))
		return scan_memory(d, source, depth, name, SCAN_UNSUPPORTED);
	r = source_flat_open(source, &full, &truncated, &flat);
	if (r <= 0)
		return r < 0 ? r : scan_memory(d, source, depth, name, SCAN_DAMAGED);
	d->flat = true;
	r = scan_memory(d, flat, depth, name,
			(full ? SCAN_INCOMPLETE : 0) | (truncated ? SCAN_TRUNCATED : 0));
	d->flat = false;
	return r;
}

static int scan_source(struct dump *d, struct source *source, unsigned depth, const char *name)
{
	_cleanup_unpack_ struct unpack *unpack = NULL;
	unsigned members = 0;
	uint64_t flags;
	uint8_t head[512];
	long got;
	int r;

	if (d->input->maps_fd >= 0)
		return scan_memory(d, source, depth, name, 0);
	got = source_read(source, head, sizeof(head), 0);
	if (got < 0)
		return (int)got;
	if (source_flat_is((struct bytes){head, (size_t)got}))
		return scan_flat(d, source, depth, name);
	if (!unpack_is((struct bytes){head, (size_t)got}))
		return scan_memory(d, source, depth, name, 0);
	if (depth == UNPACK_DEPTH)
		return scan_memory(d, source, depth, name, SCAN_TOO_DEEP);
	r = unpack_open(source, &d->budget, &unpack);
	if (r < 0)
		return r;
	if (r > 0)
		r = scan_members(d, source, unpack, depth, name, &members);
	if (r < 0)
		return r;
	/* It only looked like one, or not all of it can be unpacked: bytes, if they can still be
	 * had.
	 */
	flags = unpack ? unpack_flags(unpack) : 0;
	if ((!members || flags & (SCAN_DAMAGED | SCAN_LOCKED)) && source_rewind(source) == 0)
		return scan_memory(d, source, depth, name, members ? flags : 0);
	if (flags)
		return tell_archive(d, source, depth, name, flags);
	return 0;
}

void dump_start(struct dump_input *input)
{
	unsigned workers = input->options.workers;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (input->options.digests)
		workers = 1; /* bytes in their order */
	if (!workers)
		workers = processors < 1 ? 1 : (unsigned)processors;
	if (workers > CREW_MAX)
		workers = CREW_MAX;
	/* One for each thread would be 64 MiB of addresses. */
	mallopt(M_ARENA_MAX, 1);
	if (crew_new(workers, &input->crew) < 0)
		input->crew = NULL;
}

void dump_stop(struct dump_input *input)
{
	crew_free(take_ptr(input->crew));
}

/* Is there room for what detectors and unpackers take? No pages are: only a limit of addresses says
 * no. */
static bool has_room(void)
{
	void *p = mmap(NULL, ROOM_BESIDE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);

	return p != MAP_FAILED && munmap(p, ROOM_BESIDE) == 0;
}

/* By fewer threads where there is no room for the stacks and windows of all. */
static int open_windows(struct crew *crew, struct windows **out_windows)
{
	for (;;) {
		_cleanup_windows_ struct windows *windows = NULL;
		int err = windows_new(crew, &windows);

		if (crew_workers(crew) == 1 || (!err && has_room())) {
			*out_windows = take_ptr(windows);
			return err;
		}
		windows_free(take_ptr(windows));
		crew_shrink(crew, crew_workers(crew) / 2);
	}
}

int dump_scan(const struct dump_input *input, const struct dump_events *events, void *userdata)
{
	_cleanup_windows_ struct windows *windows = NULL;
	_cleanup_source_ struct source *root = NULL;
	struct dump d = {
		.input = input,
		.events = events,
		.userdata = userdata,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int err = input->maps_fd >= 0 ? source_new_memory(input->fd, &root)
				      : source_new_fd(input->fd, &root);

	if (!err)
		err = open_windows(input->crew, &windows);
	if (err)
		return err;
	d.root = root;
	d.windows = windows;
	if (source_size(root) != SOURCE_SIZE_UNKNOWN)
		d.budget.input = source_size(root);
	d.budget.free = input->options.unpack_max ? input->options.unpack_max : UNPACK_FREE;
	err = begin_digest(&d, root);
	if (!err)
		err = scan_source(&d, root, 0, "");
	return err ? err : tell_digest(&d, root, 0, 0);
}
