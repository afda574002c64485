// SPDX-License-Identifier: GPL-2.0-or-later
/* The proof of an evidence log. */
#include "journal/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "journal/lines.h"
#include "journal/recover.h"
#include "journal/segments.h"

#define TRIES 3 /* a segment is dropped while we read: then anew */

struct verifier {
	struct hasher *hasher;
	struct lines *lines;
	struct verify_head *heads; /* sorted by number */
	size_t nr_heads;
	bool selection;
	struct verify_result result;

	const char *file; /* that is being read */
	uint64_t next; /* number that must come; 0: any */
	uint8_t prev[LINE_HASH]; /* hash of the one before, if that is known */
	bool prev_known;
	uint64_t first_name; /* number by the name of the first segment */
	uint64_t sought; /* the number that was missing at the first break, 0 = none */
	uint64_t run; /* since when nothing was broken; 0: not since */
	char id[JOURNAL_ID_LEN + 1];
	/* The first record there is, and what the newest `dropped` says of those before it. */
	uint8_t first_prev[LINE_HASH];
	bool dropped;
	uint64_t dropped_last;
	uint8_t dropped_hash[LINE_HASH];
};

const char *verify_fault_str(enum verify_fault fault)
{
	static const char *const words[VERIFY_FAULT_NR] = {
		[VERIFY_NONE] = "unbroken",	     [VERIFY_CHANGED] = "changed",
		[VERIFY_MISSING] = "missing",	     [VERIFY_ORDER] = "out-of-order",
		[VERIFY_TRUNCATED] = "truncated",    [VERIFY_FOREIGN] = "foreign",
		[VERIFY_HEAD] = "does-not-fit-head",
	};

	return fault >= 0 && fault < VERIFY_FAULT_NR ? words[fault] : "?";
}

/* A decimal number at *p, at most 2^64 - 1. */
static bool read_number(const char **p, const char *end, uint64_t *out)
{
	const char *start = *p;
	uint64_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**p - '0'), &n))
			return false;
	*out = n;
	return *p > start;
}

bool verify_head_parse(const char *text, struct verify_head *out_head)
{
	const char *end = text + strlen(text);
	struct verify_head head;

	if (!read_number(&text, end, &head.seq) || !head.seq || *text != ':' ||
	    end - text != 1 + LINE_HEX || !line_unhex(text + 1, head.hash))
		return false;
	*out_head = head;
	return true;
}

static void broken(struct verifier *v, enum verify_fault fault, uint64_t line, uint64_t seq,
		   const char *fmt, ...) _printf_(5, 6);
static void broken(struct verifier *v, enum verify_fault fault, uint64_t line, uint64_t seq,
		   const char *fmt, ...)
{
	struct verify_result *r = &v->result;
	va_list ap;

	v->run = 0;
	if (r->breaks++)
		return;
	r->fault = fault;
	r->line = line;
	r->seq = seq;
	snprintf(r->file, sizeof(r->file), "%s", v->file ? v->file : "");
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

/* "last":N,"last_hash":"HEX", as retain.c writes it. */
static void take_dropped(struct verifier *v, const struct line *line)
{
	static const char last[] = "\"last\":", hash[] = ",\"last_hash\":\"", why[] = "\"why\":\"";
	const char *p = line->body.p, *end = p + line->body.len, *word;
	uint64_t seq;

	if (line->body.len < sizeof(last) || memcmp(p, last, sizeof(last) - 1))
		return;
	p += sizeof(last) - 1;
	if (!read_number(&p, end, &seq) || (size_t)(end - p) < sizeof(hash) + LINE_HEX ||
	    memcmp(p, hash, sizeof(hash) - 1) || !line_unhex(p + sizeof(hash) - 1, v->dropped_hash))
		return;
	v->dropped = true;
	v->dropped_last = seq;
	v->result.dropped_ns = line->time_ns;
	word = memmem(p, (size_t)(end - p), why, sizeof(why) - 1);
	word = word ? word + sizeof(why) - 1 : "";
	snprintf(v->result.dropped_why, sizeof(v->result.dropped_why), "%.*s",
		 (int)strspn(word, "abcdefghijklmnopqrstuvwxyz_-"), word);
}

static int by_seq(const void *a, const void *b)
{
	const struct verify_head *one = a, *other = b;

	return one->seq < other->seq ? -1 : one->seq > other->seq;
}

/* The first head of record `seq` or a later one. */
static size_t find_head(const struct verifier *v, uint64_t seq)
{
	size_t from = 0, to = v->nr_heads;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (v->heads[middle].seq < seq)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void compare_heads(struct verifier *v, uint64_t number, const struct line *line)
{
	for (size_t i = find_head(v, line->seq); i < v->nr_heads && v->heads[i].seq == line->seq;
	     i++) {
		v->result.heads_compared++;
		if (!memcmp(v->heads[i].hash, line->hash, LINE_HASH))
			continue;
		broken(v, VERIFY_HEAD, number, line->seq,
		       "the record is not the one whose hash left the host: the log was written "
		       "anew");
		return;
	}
}

/* Does it follow? If not, what follows it is looked at as if it did. */
static void check_chain(struct verifier *v, uint64_t number, const struct line *line)
{
	if (v->next && line->seq < v->next) {
		broken(v, VERIFY_ORDER, number, line->seq,
		       "record %" PRIu64 " stands behind record %" PRIu64, line->seq, v->next - 1);
	} else if (v->next && line->seq > v->next) {
		if (v->selection) {
			v->result.runs++;
		} else {
			if (!v->result.breaks)
				v->sought = v->next;
			broken(v, VERIFY_MISSING, number, v->next,
			       "record %" PRIu64 " should stand here, and %" PRIu64
			       " does: %" PRIu64 " %s missing",
			       v->next, line->seq, line->seq - v->next,
			       line->seq - v->next == 1 ? "is" : "are");
		}
	} else if (v->prev_known && memcmp(v->prev, line->prev, LINE_HASH) != 0) {
		broken(v, VERIFY_CHANGED, number, line->seq,
		       "it does not follow record %" PRIu64
		       ": one of the two is not what was written",
		       line->seq - 1);
	}
	if (line->seq == v->sought && v->result.fault == VERIFY_MISSING) {
		v->result.fault = VERIFY_ORDER;
		snprintf(v->result.why, sizeof(v->result.why),
			 "record %" PRIu64 " should stand here, and stands further down",
			 v->sought);
	}
}

static void take(struct verifier *v, uint64_t number, const struct line *line)
{
	struct verify_result *r = &v->result;

	check_chain(v, number, line);
	if (!v->run)
		v->run = line->seq;
	compare_heads(v, number, line);
	if (!r->records++) {
		r->first = line->seq;
		r->first_ns = line->time_ns;
		memcpy(v->first_prev, line->prev, LINE_HASH);
	}
	r->last = line->seq;
	r->last_ns = line->time_ns;
	memcpy(r->head, line->hash, LINE_HASH);
	v->prev_known = true;
	v->next = line->seq + 1;
	memcpy(v->prev, line->hash, LINE_HASH);
	if (line_is(line, "dropped"))
		take_dropped(v, line);
}

/* What is no record, or is not what it says. */
static void take_bad(struct verifier *v, uint64_t number, const struct lines_item *item, int error)
{
	broken(v, VERIFY_CHANGED, number, v->next,
	       error == -EILSEQ && !item->too_long ? "its hash is not that of its content"
						   : "the line has not the form of a record");
	v->prev_known = false;
	if (v->next)
		v->next++; /* a line is a record: the next one should be the next */
}

/* The first record of a segment says which log it is of, and has the number of the name. */
static void check_first(struct verifier *v, const struct line *line, uint64_t first)
{
	char id[JOURNAL_ID_LEN + 1];

	if (!tail_id(line, id))
		broken(v, VERIFY_CHANGED, 1, line->seq,
		       "a segment must begin with the record that says which log it is of");
	else if (v->id[0] && strcmp(v->id, id) != 0)
		broken(v, VERIFY_FOREIGN, 1, line->seq, "the segment is of another log");
	else if (line->seq != first)
		broken(v, VERIFY_FOREIGN, 1, line->seq,
		       "the segment begins with record %" PRIu64
		       ", which is not what its name says",
		       line->seq);
	else
		memcpy(v->id, id, sizeof(id));
}

/* One file. first: by its name; 0: of a selection. */
static int read_lines(struct verifier *v, int fd, uint64_t first, bool last)
{
	struct lines_item item;
	int r;

	lines_init(v->lines, fd);
	while ((r = lines_next(v->lines, &item)) > 0) {
		struct line line;
		int bad = item.too_long ? -EBADMSG : line_parse(v->hasher, item.p, item.len, &line);

		v->result.bytes += item.bytes;
		if (item.torn && last && !item.too_long &&
		    (bad ? tail_is_torn(v->hasher, item.p, item.len, v->next) : !v->selection)) {
			v->result.torn = item.bytes;
			break;
		}
		if (item.torn && !last) {
			broken(v, VERIFY_TRUNCATED, v->lines->number, v->next,
			       "the segment ends within a record, and others follow it");
			break;
		}
		if (bad) {
			/* Of a segment that begins badly the name says where we are. */
			if (v->lines->number == 1 && first && !v->next)
				v->next = first;
			take_bad(v, v->lines->number, &item, bad);
			continue;
		}
		if (v->lines->number == 1 && first)
			check_first(v, &line, first);
		take(v, v->lines->number, &line);
	}
	return r < 0 ? r : 0;
}

static int read_segment(struct verifier *v, int dirfd, uint64_t first, bool last)
{
	_cleanup_close_ int fd = -1;
	char name[SEGMENT_NAME_MAX];
	struct stat st;
	int r;

	segment_name(first, name);
	v->file = name;
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno != ELOOP)
		return -errno;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		broken(v, VERIFY_FOREIGN, 0, v->next, "it is no regular file");
		return 0;
	}
	r = read_lines(v, fd, first, last);
	if (!r && !last && !v->lines->number)
		broken(v, VERIFY_TRUNCATED, 0, first, "the segment is empty, and others follow it");
	v->result.segments++;
	v->file = NULL;
	return r;
}

/* What must hold when all is read. */
static void check_ends(struct verifier *v)
{
	static const uint8_t zeros[LINE_HASH];
	struct verify_result *r = &v->result;
	char name[SEGMENT_NAME_MAX] = "";

	r->heads_absent = v->selection ? v->nr_heads - r->heads_compared : find_head(v, r->first);
	if (v->nr_heads && !v->selection) {
		const uint64_t newest = v->heads[v->nr_heads - 1].seq;

		if (newest > r->last)
			broken(v, VERIFY_HEAD, 0, r->last + 1,
			       "record %" PRIu64 " left the host, and the log ends with %" PRIu64
			       ": its end was cut off, or a power cut took what was not on the "
			       "disk yet",
			       newest, r->last);
	}
	if (v->selection || !r->records) {
		if (!v->selection && v->first_name > 1)
			broken(v, VERIFY_MISSING, 0, 1,
			       "the log has no record, and is said to begin with %" PRIu64,
			       v->first_name);
		return;
	}
	segment_name(r->first, name);
	v->file = name;
	if (r->first == 1) {
		r->dropped_ns = 0;
		if (memcmp(v->first_prev, zeros, sizeof(zeros)) != 0)
			broken(v, VERIFY_CHANGED, 1, 1, "record 1 must follow nothing");
	} else if (!v->dropped || v->dropped_last + 1 < r->first) {
		broken(v, VERIFY_MISSING, 1, 1,
		       "the log begins with record %" PRIu64
		       ", and no record says that what came before was dropped",
		       r->first);
	} else if (v->dropped_last + 1 == r->first &&
		   memcmp(v->dropped_hash, v->first_prev, LINE_HASH) != 0) {
		broken(v, VERIFY_CHANGED, 1, r->first,
		       "it does not follow the last record that was dropped");
	}
	v->file = NULL;
}

static void finish(struct verifier *v)
{
	const uint64_t run = v->run;

	check_ends(v);
	v->result.whole_from = v->result.breaks ? run : 0;
}

static int verifier_init(struct verifier *v, const struct verify_head *heads, size_t nr_heads)
{
	*v = (struct verifier){.nr_heads = nr_heads};
	v->hasher = hasher_new();
	v->lines = malloc(sizeof(*v->lines));
	v->heads = calloc(nr_heads + 1, sizeof(*v->heads));
	if (!v->hasher || !v->lines || !v->heads)
		return -ENOMEM;
	if (nr_heads)
		memcpy(v->heads, heads, nr_heads * sizeof(*heads));
	qsort(v->heads, nr_heads, sizeof(*v->heads), by_seq);
	return 0;
}

static void verifier_fini(struct verifier *v)
{
	hasher_free(v->hasher);
	free(v->lines);
	free(v->heads);
}

static int try_directory(int dirfd, const struct verify_head *heads, size_t nr_heads,
			 struct verify_result *out_result)
{
	struct segments segments = {};
	struct verifier v;
	int r = verifier_init(&v, heads, nr_heads);

	if (!r)
		r = segments_list(dirfd, &segments);
	if (!r && !segments.nr)
		r = -ENOENT;
	if (!r)
		v.first_name = segments.items[0].first;
	for (size_t i = 0; !r && i < segments.nr; i++) {
		r = read_segment(&v, dirfd, segments.items[i].first, i + 1 == segments.nr);
		if (r == -ENOENT)
			r = -ESTALE;
	}
	if (!r) {
		finish(&v);
		*out_result = v.result;
	}
	segments_fini(&segments);
	verifier_fini(&v);
	return r;
}

int verify_directory(const char *path, const struct verify_head *heads, size_t nr_heads,
		     struct verify_result *out_result)
{
	_cleanup_close_ int dirfd = -1;
	int r = segments_open(path, false, &dirfd);

	if (r < 0)
		return r;
	r = -ESTALE;
	for (int i = 0; r == -ESTALE && i < TRIES; i++)
		r = try_directory(dirfd, heads, nr_heads, out_result);
	return r;
}

int verify_selection(int fd, const struct verify_head *heads, size_t nr_heads,
		     struct verify_result *out_result)
{
	struct verifier v;
	int r = verifier_init(&v, heads, nr_heads);

	v.selection = true;
	if (!r)
		r = read_lines(&v, fd, 0, true);
	if (!r) {
		finish(&v);
		v.result.runs += v.result.records > 0;
		*out_result = v.result;
	}
	verifier_fini(&v);
	return r;
}
