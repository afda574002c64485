// SPDX-License-Identifier: GPL-2.0-or-later
/* The proof of an evidence log: every way of tampering with a small one is found. */
#include "journal/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "journal/journal.h"
#include "journal/segments.h"
#include "unit/tmpdir.h"

#define T0	  1700000000000000000ULL
#define FILES_MAX 8
#define SIZE_MAX_ LINE_MAX_BYTES

/* A log in memory, as it was written. */
struct file {
	char name[SEGMENT_NAME_MAX];
	char bytes[SIZE_MAX_];
	size_t len;
};
static struct file files[FILES_MAX];
static size_t nr_files, nr_records;
static struct verify_head head;

static void append(struct journal *j, unsigned i)
{
	struct body body;

	body_init(&body);
	body_text(&body, "path", "/home/al\"ice/.ssh/\\x0aid");
	body_number(&body, "n", i);
	assert_int_equal(journal_append(j, JOURNAL_ACCESS, &body, T0 + i * 1000), 0);
	assert_int_equal(journal_flush(j, T0 + i * 1000), 0);
}

static void load(const char *dir)
{
	struct segments segments;
	int dirfd;

	assert_int_equal(segments_open(dir, false, &dirfd), 0);
	assert_int_equal(segments_list(dirfd, &segments), 0);
	assert_true(segments.nr <= FILES_MAX);
	nr_files = segments.nr;
	for (size_t i = 0; i < nr_files; i++) {
		struct file *f = &files[i];
		int fd;

		segment_name(segments.items[i].first, f->name);
		fd = openat(dirfd, f->name, O_RDONLY | O_CLOEXEC);
		f->len = (size_t)read(fd, f->bytes, sizeof(f->bytes));
		close(fd);
	}
	segments_fini(&segments);
	close(dirfd);
}

static void store(const char *dir, const struct file *f, const char *bytes, size_t len)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, f->name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* Three segments, the last of them with several records. */
static int setup(void **state)
{
	const struct journal_options options = {.segment_bytes = 1200};
	struct journal_options o = options;
	struct journal_head h;
	struct journal *j;

	tmpdir_make(state);
	o.dir = tmpdir_path(state, "log");
	assert_int_equal(journal_new(&o, &j), 0);
	assert_int_equal(journal_sync(j, T0), 0);
	for (unsigned i = 0; i < 8; i++)
		append(j, i);
	journal_head(j, &h);
	nr_records = h.seq;
	head.seq = h.seq;
	memcpy(head.hash, h.hash, sizeof(head.hash));
	journal_free(j);
	load(tmpdir_path(state, "log"));
	assert_int_equal(nr_files, 3);
	return 0;
}

static struct verify_result verify(void **state, const struct verify_head *h)
{
	struct verify_result result;

	assert_int_equal(verify_directory(tmpdir_path(state, "log"), h, h != NULL, &result), 0);
	return result;
}

static void expect(void **state, enum verify_fault fault, uint64_t line, uint64_t seq)
{
	struct verify_result r = verify(state, NULL);

	if (r.fault != fault || r.line != line || r.seq != seq)
		fail_msg("%s at %s:%" PRIu64 " record %" PRIu64 ": %s; expected %s, line %" PRIu64
			 ", record %" PRIu64,
			 verify_fault_str(r.fault), r.file, r.line, r.seq, r.why,
			 verify_fault_str(fault), line, seq);
}

static void a_log_that_nobody_touched_is_unbroken(void **state)
{
	struct verify_result r = verify(state, &head);

	assert_int_equal(r.fault, VERIFY_NONE);
	assert_int_equal(r.records, nr_records);
	assert_int_equal(r.first, 1);
	assert_int_equal(r.last, nr_records);
	assert_int_equal(r.segments, 3);
	assert_memory_equal(r.head, head.hash, sizeof(head.hash));
	assert_int_equal(r.torn, 0);
	assert_int_equal(r.whole_from, 0);
}

static void a_byte_changed_anywhere_is_found(void **state)
{
	static char bytes[SIZE_MAX_];

	for (size_t f = 0; f < nr_files; f++) {
		for (size_t at = 0; at < files[f].len; at++) {
			const char was = files[f].bytes[at];
			const char to[] = {(char)(was ^ 1), '\n', '0', '\0'};

			memcpy(bytes, files[f].bytes, files[f].len);
			for (size_t i = 0; i < sizeof(to); i++) {
				struct verify_result r;

				if (to[i] == was)
					continue;
				bytes[at] = to[i];
				store(tmpdir_path(state, "log"), &files[f], bytes, files[f].len);
				r = verify(state, NULL);
				/* The very last newline as a NUL is what a crash can leave. */
				if (f + 1 == nr_files && at + 1 == files[f].len && !to[i])
					assert_int_equal(r.torn > 0, 1);
				else if (!r.fault)
					fail_msg("%s: byte %zu as 0x%02x was not found",
						 files[f].name, at, (unsigned char)to[i]);
				else
					assert_string_equal(r.file, files[f].name);
			}
		}
		store(tmpdir_path(state, "log"), &files[f], files[f].bytes, files[f].len);
	}
}

static void a_cut_is_torn_or_found(void **state)
{
	for (size_t f = 0; f < nr_files; f++) {
		for (size_t len = 0; len < files[f].len; len++) {
			struct verify_result r;

			store(tmpdir_path(state, "log"), &files[f], files[f].bytes, len);
			r = verify(state, NULL);
			if (f + 1 < nr_files) {
				assert_int_not_equal(r.fault, VERIFY_NONE);
				continue;
			}
			/* At the end nothing but a head that left the host can tell. */
			assert_int_equal(r.fault, VERIFY_NONE);
			assert_int_equal(r.torn > 0, len > 0 && files[f].bytes[len - 1] != '\n');
			r = verify(state, &head);
			assert_int_equal(r.fault, VERIFY_HEAD);
			assert_int_equal(r.seq, r.last + 1);
		}
		store(tmpdir_path(state, "log"), &files[f], files[f].bytes, files[f].len);
	}
}

/* The lines of a file, with their newlines. */
static size_t split(const struct file *f, const char *starts[64], size_t lens[64])
{
	size_t nr = 0;

	for (const char *p = f->bytes; p < f->bytes + f->len; nr++) {
		const char *end = (const char *)memchr(p, '\n', f->bytes + f->len - p) + 1;

		starts[nr] = p;
		lens[nr] = (size_t)(end - p);
		p = end;
	}
	return nr;
}

/* Writes the file with its lines in the order `order`, -1 ends it. */
static void store_lines(void **state, const struct file *f, const int *order)
{
	static char bytes[2 * SIZE_MAX_];
	const char *starts[64] = {0};
	size_t lens[64] = {0}, len = 0;

	split(f, starts, lens);
	for (; *order >= 0; order++) {
		memcpy(bytes + len, starts[*order], lens[*order]);
		len += lens[*order];
	}
	store(tmpdir_path(state, "log"), f, bytes, len);
}

static void lines_taken_out_moved_or_doubled_are_found(void **state)
{
	uint64_t first = 1;

	for (size_t f = 0; f < nr_files; f++) {
		const char *starts[64] = {0};
		size_t lens[64] = {0};
		int nr = (int)split(&files[f], starts, lens);

		for (int i = 0; i < nr; i++) {
			int order[66], n = 0;

			for (int k = 0; k < nr; k++)
				if (k != i)
					order[n++] = k;
			order[n] = -1;
			store_lines(state, &files[f], order);
			if (f + 1 == nr_files && i + 1 == nr)
				expect(state, VERIFY_NONE, 0, 0); /* a head tells */
			else if (i == 0 && nr > 1)
				/* what stands first must be the record that begins a segment */
				expect(state, VERIFY_CHANGED, 1, first + 1);
			else if (i + 1 < nr)
				expect(state, VERIFY_MISSING, (uint64_t)i + 1, first + (uint64_t)i);
			else
				expect(state, VERIFY_MISSING, 1, first + (uint64_t)i);

			/* doubled */
			n = 0;
			for (int k = 0; k < nr; k++) {
				order[n++] = k;
				if (k == i)
					order[n++] = k;
			}
			order[n] = -1;
			store_lines(state, &files[f], order);
			expect(state, VERIFY_ORDER, (uint64_t)i + 2, first + (uint64_t)i);

			/* swapped with the next */
			for (n = 0; n < nr; n++)
				order[n] = n == i && i + 1 < nr	      ? i + 1
					   : n == i + 1 && i + 1 < nr ? i
								      : n;
			order[n] = -1;
			store_lines(state, &files[f], order);
			if (i + 1 == nr)
				expect(state, VERIFY_NONE, 0, 0);
			else if (i == 0)
				expect(state, VERIFY_CHANGED, 1, first + 1);
			else
				expect(state, VERIFY_ORDER, (uint64_t)i + 1, first + (uint64_t)i);
		}
		store(tmpdir_path(state, "log"), &files[f], files[f].bytes, files[f].len);
		first += (uint64_t)nr;
	}
}

static void a_segment_that_is_gone_is_found(void **state)
{
	char path[64];

	for (size_t f = 0; f < nr_files; f++) {
		struct verify_result r;

		snprintf(path, sizeof(path), "log/%.31s", files[f].name);
		unlink(tmpdir_path(state, path));
		r = verify(state, NULL);
		assert_int_equal(r.fault, f + 1 < nr_files ? VERIFY_MISSING : VERIFY_NONE);
		r = verify(state, &head);
		assert_int_not_equal(r.fault, VERIFY_NONE);
		store(tmpdir_path(state, "log"), &files[f], files[f].bytes, files[f].len);
	}
}

/* A record of our own making: whole by itself, and with the right number. */
static size_t forge(uint64_t seq, const uint8_t prev[LINE_HASH], const char *kind, const char *body,
		    char out[LINE_MAX_BYTES])
{
	struct hasher *hasher = hasher_new();
	struct line line = {.seq = seq,
			    .time_ns = T0,
			    .kind = span_of(kind),
			    .body = span_of(body)};
	long len;

	memcpy(line.prev, prev, LINE_HASH);
	len = line_seal(hasher, &line, out);
	hasher_free(hasher);
	assert_true(len > 0);
	return (size_t)len;
}

static void a_record_that_was_written_anew_is_found(void **state)
{
	static char bytes[SIZE_MAX_], forged[LINE_MAX_BYTES];
	struct hasher *hasher = hasher_new();
	const char *starts[64] = {0};
	size_t lens[64] = {0}, nr = split(&files[1], starts, lens), len = 0, n;
	struct line line;

	/* The second line of the second file, with another body and a hash that fits it. */
	assert_int_equal(line_parse(hasher, starts[1], lens[1] - 1, &line), 0);
	hasher_free(hasher);
	n = forge(line.seq, line.prev, "access", "\"path\":\"/other\",", forged);
	for (size_t i = 0; i < nr; i++) {
		memcpy(bytes + len, i == 1 ? forged : starts[i], i == 1 ? n : lens[i]);
		len += i == 1 ? n : lens[i];
	}
	store(tmpdir_path(state, "log"), &files[1], bytes, len);
	expect(state, VERIFY_CHANGED, 3, line.seq + 1);
	assert_int_equal(verify(state, NULL).whole_from, line.seq + 1);
}

static void a_segment_of_another_log_is_found(void **state)
{
	static char bytes[SIZE_MAX_];
	static const uint8_t prev[LINE_HASH];
	uint64_t first = strtoull(files[2].name, NULL, 10);
	size_t len = forge(first, prev, "segment",
			   "\"journal\":\"00112233445566778899aabbccddeeff\",", bytes);

	store(tmpdir_path(state, "log"), &files[2], bytes, len);
	expect(state, VERIFY_FOREIGN, 1, first);
	/* Or one of this log under another name. */
	store(tmpdir_path(state, "log"), &files[2], files[1].bytes, files[1].len);
	expect(state, VERIFY_FOREIGN, 1, strtoull(files[1].name, NULL, 10));
}

static void a_head_that_does_not_fit_is_found(void **state)
{
	struct verify_head other = head;
	struct verify_result r;

	other.hash[7] ^= 1;
	r = verify(state, &other);
	assert_int_equal(r.fault, VERIFY_HEAD);
	assert_int_equal(r.seq, head.seq);
	other.seq++;
	assert_int_equal(verify(state, &other).fault, VERIFY_HEAD);
}

static void heads_are_read_strictly(void **state)
{
	static const char *const bad[] = {
		"",
		"1",
		"1:",
		":00",
		"0:0000000000000000000000000000000000000000000000000000000000000000",
		"1:000000000000000000000000000000000000000000000000000000000000000",
		"1:00000000000000000000000000000000000000000000000000000000000000000",
		"1:000000000000000000000000000000000000000000000000000000000000000G",
		"99999999999999999999:"
		"0000000000000000000000000000000000000000000000000000000000000000",
	};
	struct verify_head h = {.seq = 77};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(verify_head_parse(bad[i], &h));
	assert_int_equal(h.seq, 77);
	assert_true(verify_head_parse(
		"18:ab00000000000000000000000000000000000000000000000000000000000000", &h));
	assert_int_equal(h.seq, 18);
	assert_int_equal(h.hash[0], 0xab);
}

static void links_and_other_things_are_no_segments(void **state)
{
	const char *path, *to = tmpdir_path(state, "log/moved");
	char name[64];

	snprintf(name, sizeof(name), "log/%.31s", files[1].name);
	path = strdup(tmpdir_path(state, name));
	to = strdup(to);
	assert_int_equal(rename(path, to), 0);
	assert_int_equal(symlink(to, path), 0);
	assert_int_equal(verify(state, NULL).fault, VERIFY_FOREIGN);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(verify(state, NULL).fault, VERIFY_FOREIGN);
	free((char *)path);
	free((char *)to);
}

static void no_log_is_no_proof(void **state)
{
	struct verify_result r;

	assert_int_equal(verify_directory(tmpdir_path(state, "nowhere"), NULL, 0, &r), -ENOENT);
	assert_int_equal(mkdir(tmpdir_path(state, "empty"), 0700), 0);
	assert_int_equal(verify_directory(tmpdir_path(state, "empty"), NULL, 0, &r), -ENOENT);
}

static void a_selection_is_proved_record_by_record(void **state)
{
	static char bytes[SIZE_MAX_];
	const char *starts[64] = {0};
	size_t lens[64] = {0}, nr = split(&files[0], starts, lens);
	struct verify_result r;
	int fd = open(tmpdir_path(state, "selection"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(nr >= 4);
	/* Records 1, 2 and 4. */
	assert_int_equal(write(fd, starts[0], lens[0] + lens[1]), lens[0] + lens[1]);
	assert_int_equal(write(fd, starts[3], lens[3]), lens[3]);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(verify_selection(fd, NULL, 0, &r), 0);
	assert_int_equal(r.fault, VERIFY_NONE);
	assert_int_equal(r.records, 3);
	assert_int_equal(r.runs, 2);
	/* Cut off, it is not what was written. */
	assert_int_equal(ftruncate(fd, (off_t)(lens[0] + lens[1] + lens[3] - 1)), 0);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(verify_selection(fd, NULL, 0, &r), 0);
	assert_true(r.fault == VERIFY_NONE && r.records == 3);
	/* A byte in each place. */
	for (size_t at = 0; at < lens[0]; at++) {
		memcpy(bytes, starts[0], lens[0]);
		bytes[at] ^= 1;
		assert_int_equal(pwrite(fd, bytes, lens[0], 0), lens[0]);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(verify_selection(fd, NULL, 0, &r), 0);
		assert_int_not_equal(r.fault, VERIFY_NONE);
	}
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(a_log_that_nobody_touched_is_unbroken),
		TEST(a_byte_changed_anywhere_is_found),
		TEST(a_cut_is_torn_or_found),
		TEST(lines_taken_out_moved_or_doubled_are_found),
		TEST(a_segment_that_is_gone_is_found),
		TEST(a_record_that_was_written_anew_is_found),
		TEST(a_segment_of_another_log_is_found),
		TEST(a_head_that_does_not_fit_is_found),
		TEST(links_and_other_things_are_no_segments),
		TEST(no_log_is_no_proof),
		TEST(a_selection_is_proved_record_by_record),
		cmocka_unit_test(heads_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
