// SPDX-License-Identifier: GPL-2.0-or-later
/* The evidence log: records into the chain, lines into files. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "journal/journal-internal.h"

#define MIB		(1024ULL * 1024)
#define EARLY_MAX	(256 * 1024)
#define BACKWARDS_NS	1000000000ULL /* a clock that is behind by this was set back */
#define WRITE_ONCE	(256 * 1024)
#define SEGMENT_DEFAULT (64 * MIB)

struct early { /* stands before the body */
	uint64_t time;
	uint32_t kind, len;
};

const char *journal_kind_str(enum journal_kind kind)
{
	static const char *const words[JOURNAL_KIND_NR] = {
		[JOURNAL_SEGMENT] = "segment",	   [JOURNAL_CUT] = "cut",
		[JOURNAL_START] = "start",	   [JOURNAL_STOP] = "stop",
		[JOURNAL_RELOAD] = "reload",	   [JOURNAL_ACCESS] = "access",
		[JOURNAL_ALERT] = "alert",	   [JOURNAL_GAP] = "gap",
		[JOURNAL_CLOCK] = "clock",	   [JOURNAL_DROPPED] = "dropped",
		[JOURNAL_RECOVERED] = "recovered", [JOURNAL_DAMAGED] = "damaged",
	};

	return kind > 0 && kind < JOURNAL_KIND_NR ? words[kind] : "?";
}

int journal_fail(struct journal *j, enum fault fault, int error)
{
	j->faults[fault] = error;
	return error;
}

static void count_lost(struct journal *j, uint64_t now)
{
	if (!j->lost++)
		j->lost_from = now;
	j->lost_to = now;
	j->lost_ever++;
}

int journal_seal(struct journal *j, enum journal_kind kind, const struct body *body, uint64_t now)
{
	struct line line = {
		.seq = j->seq + 1,
		.time_ns = now,
		.kind = span_of(journal_kind_str(kind)),
		.body = body ? (struct span){body->p, body->len} : (struct span){},
	};
	long len;
	int r;

	memcpy(line.prev, j->hash, sizeof(line.prev));
	len = line_seal(j->hasher, &line, j->line);
	r = len < 0 ? (int)len : buf_append(&j->wait, j->line, (size_t)len);
	if (r < 0) {
		count_lost(j, now);
		return r;
	}
	j->seq = line.seq;
	j->last_time = now;
	memcpy(j->hash, line.hash, sizeof(j->hash));
	j->written++;
	return 0;
}

int journal_begin_segment(struct journal *j, uint64_t now)
{
	char host[65] = "";

	j->fd = fd_close(j->fd);
	j->segment_first = j->seq + 1;
	gethostname(host, sizeof(host) - 1);
	body_init(&j->body);
	body_text(&j->body, "journal", j->id); /* first: recover.c finds it there */
	body_bytes(&j->body, "host", span_of(host));
	body_text(&j->body, "version", KEYTRAIL_VERSION);
	body_number(&j->body, "format", JOURNAL_FORMAT);
	return journal_seal(j, JOURNAL_SEGMENT, &j->body, now);
}

int journal_damaged(struct journal *j, const char *file, uint64_t line, const char *why,
		    uint64_t now)
{
	body_init(&j->body);
	body_text(&j->body, "file", file);
	if (line)
		body_number(&j->body, "line", line);
	body_text(&j->body, "why", why);
	return journal_seal(j, JOURNAL_DAMAGED, &j->body, now);
}

/* The file of the segment whose first line waits. */
static int make_file(struct journal *j)
{
	char name[SEGMENT_NAME_MAX];
	struct segment *more;
	int fd;

	more = realloc(j->segments.items, (j->segments.nr + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	j->segments.items = more;
	segment_name(j->segment_first, name);
	fd = openat(j->dirfd, name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	fsync(j->dirfd); /* a name that is lost in a crash is found missing by the chain */
	j->fd = fd;
	j->segments.items[j->segments.nr++] = (struct segment){.first = j->segment_first};
	return 0;
}

/* Lines that wait, into the file, as far as it takes them: what it took of a line stays there, and
 * the rest follows when there is room. */
static int drain(struct journal *j)
{
	while (j->wait.len) {
		size_t len = j->wait.len < WRITE_ONCE ? j->wait.len : WRITE_ONCE;
		ssize_t n;

		if (j->fd < 0) {
			int r = make_file(j);

			if (r < 0)
				return r;
		}
		n = j->io.write(j->fd, j->wait.p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		buf_consume(&j->wait, (size_t)n);
		j->segments.items[j->segments.nr - 1].bytes += (uint64_t)n;
		j->unsynced = true;
	}
	return 0;
}

int journal_write_out(struct journal *j, uint64_t now)
{
	int r;

	if (!j->opened)
		return j->faults[FAULT_OPEN] ? j->faults[FAULT_OPEN] : -EAGAIN;
	for (;;) {
		r = drain(j);
		if (r < 0)
			return journal_fail(j, FAULT_WRITE, r);
		j->faults[FAULT_WRITE] = 0;
		if (!j->lost)
			return 0;
		body_gap(&j->body, &(struct evidence_gap){.from_ns = j->lost_from,
							  .to_ns = j->lost_to,
							  .count = j->lost,
							  .cause = span_of("journal")});
		r = journal_seal(j, JOURNAL_GAP, &j->body, now);
		if (r < 0)
			return journal_fail(j, FAULT_WRITE, r);
		j->lost = 0;
	}
}

/* The one that is written to, by its first record. */
static uint64_t last_segment(const struct journal *j)
{
	return j->segments.items[j->segments.nr - 1].first;
}

/*
 * After a refusal the kernel counts the pages as written, so that the next try succeeds without
 * them (fsync(2), "NOTES"; Rebello et al., "Can Applications Recover from fsync Failures?", USENIX
 * ATC 2020): that they may be missing after a crash is to stay in the log.
 */
static int take_sync(struct journal *j, uint64_t segment, int result)
{
	journal_fail(j, FAULT_SYNC, result);
	if (result < 0) {
		j->unsynced = true;
		if (!j->sync_refused)
			j->refused_in = segment;
		j->sync_refused = true;
	}
	return result;
}

/* Once the disk takes something again. */
static bool owes_refused(const struct journal *j)
{
	return j->sync_refused && !j->faults[FAULT_SYNC];
}

static void tell_refused(struct journal *j, uint64_t now)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(j->refused_in, name);
	if (journal_damaged(j, name, 0,
			    "the disk refused some of what was written before this record: it may "
			    "be missing after a crash",
			    now) == 0)
		j->sync_refused = false;
}

static int sync_now(struct journal *j)
{
	if (!j->unsynced || j->fd < 0)
		return 0;
	j->unsynced = false;
	return take_sync(j, last_segment(j), j->io.sync(j->fd) < 0 ? -errno : 0);
}

/* A file that is large enough ends with a record that says so, and the next begins. */
static int cut(struct journal *j, uint64_t now)
{
	char next[SEGMENT_NAME_MAX];
	int r;

	segment_name(j->seq + 2, next);
	body_init(&j->body);
	body_text(&j->body, "next", next);
	r = journal_seal(j, JOURNAL_CUT, &j->body, now);
	if (!r)
		r = journal_write_out(j, now);
	if (!r)
		r = sync_now(j);
	if (!r)
		r = journal_begin_segment(j, now);
	return r < 0 ? r : journal_write_out(j, now);
}

int journal_flush(struct journal *j, uint64_t now)
{
	int r;

	if (owes_refused(j))
		tell_refused(j, now);
	r = journal_write_out(j, now);
	if (r < 0 || j->segments.items[j->segments.nr - 1].bytes < j->segment_bytes)
		return r;
	r = cut(j, now);
	if (!r)
		journal_retain(j, now);
	return r;
}

/* From before the log was opened. */
static int append_early(struct journal *j, enum journal_kind kind, const struct body *body,
			uint64_t now)
{
	struct early early = {now, kind, body ? (uint32_t)body->len : 0};
	int r;

	if (j->early.len + sizeof(early) + early.len > EARLY_MAX) {
		count_lost(j, now);
		return -ENOBUFS;
	}
	r = buf_append(&j->early, (const char *)&early, sizeof(early));
	if (!r && early.len)
		r = buf_append(&j->early, body->p, early.len);
	if (r < 0) {
		buf_fini(&j->early); /* half a record is none: out of memory */
		count_lost(j, now);
	}
	return r;
}

/* The clock was set back, and nobody has said so: the order is that of the numbers. */
static int tell_clock(struct journal *j, uint64_t now)
{
	body_init(&j->body);
	body_time(&j->body, "from", j->last_time);
	body_time(&j->body, "to", now);
	return journal_seal(j, JOURNAL_CLOCK, &j->body, now);
}

int journal_append(struct journal *j, enum journal_kind kind, const struct body *body, uint64_t now)
{
	int r;

	if (!j->opened)
		return append_early(j, kind, body, now);
	/* One span of loss, and not one for every other record. */
	if (j->lost) {
		count_lost(j, now);
		return -ENOBUFS;
	}
	if (now + BACKWARDS_NS < j->last_time && kind != JOURNAL_CLOCK)
		tell_clock(j, now);
	r = journal_seal(j, kind, body, now);
	if (!r && j->wait.len >= JOURNAL_FLUSH_SIZE && !j->faults[FAULT_WRITE])
		journal_flush(j, now);
	return r;
}

/* What waited for the log to be opened, with its own times; that there was more is told after it.
 */
static void take_early(struct journal *j)
{
	const uint64_t lost = j->lost, from = j->lost_from, to = j->lost_to;
	size_t at = 0;

	j->lost = 0;
	while (j->early.len - at >= sizeof(struct early)) {
		_cleanup_free_ struct body *body = malloc(sizeof(*body));
		struct early early;

		memcpy(&early, j->early.p + at, sizeof(early));
		at += sizeof(early);
		if (!body || early.len > sizeof(body->p)) {
			count_lost(j, early.time);
		} else {
			memcpy(body->p, j->early.p + at, early.len);
			body->len = early.len;
			journal_append(j, early.kind, body, early.time);
		}
		at += early.len;
	}
	buf_fini(&j->early);
	if (!lost)
		return;
	if (!j->lost || from < j->lost_from)
		j->lost_from = from;
	if (!j->lost || to > j->lost_to)
		j->lost_to = to;
	j->lost += lost;
}

static int open_up(struct journal *j, uint64_t now)
{
	int r = journal_open(j, now);

	if (!r)
		take_early(j);
	return r;
}

int journal_sync(struct journal *j, uint64_t now)
{
	int r = j->opened ? 0 : open_up(j, now);

	if (!r)
		r = journal_flush(j, now);
	return r < 0 ? r : sync_now(j);
}

/* The disk, without waiting for it where there is a thread. */
static void tick_sync(struct journal *j, uint64_t mono)
{
	int result = 0;

	if (!j->syncer) {
		if (j->unsynced && mono - j->synced >= JOURNAL_SYNC_NS) {
			j->synced = mono;
			sync_now(j);
		}
		return;
	}
	if (syncer_busy(j->syncer, &result))
		return;
	if (j->syncing) {
		j->syncing = false;
		take_sync(j, j->syncing_in, result);
	}
	if (!j->unsynced || j->fd < 0 || mono - j->synced < JOURNAL_SYNC_NS)
		return;
	j->synced = mono;
	if (syncer_start(j->syncer, j->fd) == 0) {
		j->syncing = true;
		j->syncing_in = last_segment(j);
		j->unsynced = false;
	}
}

void journal_tick(struct journal *j, uint64_t now, uint64_t mono)
{
	const bool failing = j->faults[FAULT_OPEN] || j->faults[FAULT_WRITE];

	if (!j->opened || failing) {
		if (failing && mono - j->tried < JOURNAL_RETRY_NS)
			return;
		j->tried = mono;
	}
	if (!j->opened) {
		if (open_up(j, now) < 0)
			return;
	}
	if (mono - j->looked >= JOURNAL_RETRY_NS) {
		j->looked = mono;
		journal_look(j, now);
	}
	if (j->wait.len || j->lost || owes_refused(j))
		journal_flush(j, now);
	tick_sync(j, mono);
	if (mono - j->retained >= JOURNAL_RETAIN_NS || !j->retained) {
		j->retained = mono ? mono : 1;
		journal_retain(j, now);
	}
}

void journal_limits(struct journal *j, uint64_t max_bytes, uint32_t keep_days)
{
	uint64_t segment = max_bytes ? max_bytes / 16 : SEGMENT_DEFAULT;

	if (segment > SEGMENT_DEFAULT)
		segment = SEGMENT_DEFAULT;
	if (segment < MIB)
		segment = MIB;
	j->max_bytes = max_bytes;
	j->keep_days = keep_days;
	j->segment_bytes = j->segment_wish ? j->segment_wish : segment;
	j->retained = 0; /* at the next tick */
}

int journal_new(const struct journal_options *options, struct journal **out_journal)
{
	static const struct journal_io system = {write, fdatasync};
	_cleanup_(journal_freep) struct journal *j = calloc(1, sizeof(*j));
	int r = 0;

	if (!j)
		return -ENOMEM;
	j->fd = j->dirfd = -1;
	buf_init(&j->wait, JOURNAL_WAIT_MAX);
	buf_init(&j->early, 0);
	j->io = options->io ? *options->io : system;
	j->segment_wish = options->segment_bytes;
	journal_limits(j, options->max_bytes, options->keep_days);
	j->dir = strdup(options->dir);
	j->hasher = hasher_new();
	if (!j->dir || !j->hasher)
		return -ENOMEM;
	if (options->thread)
		r = syncer_new(j->io.sync, &j->syncer);
	if (r < 0)
		return r;
	*out_journal = take_ptr(j);
	return 0;
}

void journal_free(struct journal *j)
{
	int result;

	if (!j)
		return;
	/* The kernel tells of an error once: it may have told the thread. */
	result = syncer_free(j->syncer);
	if (j->syncing)
		take_sync(j, j->syncing_in, result);
	if (j->opened && !journal_write_out(j, j->last_time))
		sync_now(j);
	/* A second try, which the kernel lets pass: then at least that is told. */
	if (j->opened && j->sync_refused && !sync_now(j)) {
		tell_refused(j, j->last_time);
		if (!journal_write_out(j, j->last_time))
			sync_now(j);
	}
	fd_close(j->fd);
	fd_close(j->dirfd);
	segments_fini(&j->segments);
	hasher_free(j->hasher);
	buf_fini(&j->wait);
	buf_fini(&j->early);
	free(j->dir);
	free(j);
}

void journal_head(const struct journal *j, struct journal_head *out_head)
{
	/* Before it is opened, what it goes on from is not certain. */
	*out_head = (struct journal_head){};
	if (!j->opened)
		return;
	out_head->seq = j->seq;
	memcpy(out_head->hash, j->hash, sizeof(out_head->hash));
}

int journal_fault(const struct journal *j, const char **out_what)
{
	static const char *const what[FAULT_NR] = {
		[FAULT_OPEN] = "cannot be opened",
		[FAULT_WRITE] = "cannot be written",
		[FAULT_SYNC] = "cannot be brought to the disk",
		[FAULT_MOVED] = "is not where it was: what stands at its path is not to be used",
		[FAULT_REMOVE] = "cannot remove its oldest file, and grows over its bound",
	};

	for (size_t i = 0; i < FAULT_NR; i++) {
		if (!j->faults[i])
			continue;
		*out_what = what[i];
		return j->faults[i];
	}
	return 0;
}

bool journal_writes(const struct journal *j)
{
	return !j->faults[FAULT_OPEN] && !j->faults[FAULT_WRITE] && !j->faults[FAULT_SYNC] &&
	       !j->faults[FAULT_MOVED];
}

void journal_stats(const struct journal *j, struct journal_stats *out_stats)
{
	struct journal_stats st = {
		.written = j->written,
		.waiting = j->wait.len + j->early.len,
		.lost = j->lost_ever,
		.segments = j->segments.nr,
	};

	for (size_t i = 0; i < j->segments.nr; i++)
		st.bytes += j->segments.items[i].bytes;
	*out_stats = st;
}
