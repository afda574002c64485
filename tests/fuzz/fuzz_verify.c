// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An evidence log of any content: proved, taken up again and written to, without harm; and a log
 * that was taken up is never less broken than it was.
 *
 * A byte of flags, two of length, the first file's content, then the second file's. Nobody guesses
 * a hash, so with flag 1 the lines get theirs, and with flag 2 that of the line before as well.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal.h"
#include "journal/segments.h"
#include "journal/select.h"
#include "journal/verify.h"

#define INPUT_MAX 100000
#define T0	  1700000000000000000ULL

static void check_at(bool ok, int line)
{
	if (ok)
		return;
	fprintf(stderr, "check in line %d\n", line);
	abort();
}
#define check(ok) check_at(ok, __LINE__)

static char dir[64];

static void empty_directory(void)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	check(d != NULL);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
}

static void store(uint64_t first, const uint8_t *p, size_t len)
{
	char path[128], name[SEGMENT_NAME_MAX];
	int fd;

	segment_name(first, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(fd >= 0 && write(fd, p, len) == (ssize_t)len);
	close(fd);
}

static void check_result(const struct verify_result *r)
{
	check(r->fault >= 0 && r->fault < VERIFY_FAULT_NR);
	check((r->fault == VERIFY_NONE) == (r->breaks == 0));
	check(strlen(r->why) < sizeof(r->why) && strlen(r->file) < sizeof(r->file));
	check(!r->fault || r->why[0]);
	check(!r->whole_from || r->breaks);
}

/* Where the hex of a line's own hash stands, and of the one before; both from the end. */
#define HASH_AT (2 + LINE_HEX)
#define PREV_AT (HASH_AT + sizeof(",\"hash\":\"") - 1 + 1 + LINE_HEX)

static void repair(uint8_t *p, size_t size, bool chain)
{
	struct hasher *hasher = hasher_new();
	char before[LINE_HEX + 1] = "", hex[LINE_HEX + 1];
	uint8_t hash[LINE_HASH];

	for (size_t at = 0; at < size;) {
		uint8_t *end = memchr(p + at, '\n', size - at), *line = p + at;
		size_t len = end ? (size_t)(end - line) : size - at;

		at += len + 1;
		if (len < PREV_AT)
			continue;
		if (chain && before[0])
			memcpy(line + len - PREV_AT, before, LINE_HEX);
		hasher_sum(hasher, (const char *)line, len - PREV_AT + LINE_HEX + 1, hash);
		line_hex(hash, hex);
		memcpy(line + len - HASH_AT, hex, LINE_HEX);
		memcpy(before, hex, sizeof(before));
	}
	hasher_free(hasher);
}

static void check_lines(const uint8_t *data, size_t size)
{
	struct hasher *hasher = hasher_new();
	char again[LINE_MAX_BYTES];
	struct line line;

	/* What is taken for a record is exactly what is written for it. */
	if (size < LINE_MAX_BYTES && line_parse(hasher, (const char *)data, size, &line) == 0) {
		long len = line_seal(hasher, &line, again);

		check(len == (long)size + 1 && !memcmp(again, data, size));
	}
	hasher_free(hasher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct verify_head head = {.seq = 3};
	const struct journal_options options = {.dir = dir};
	const struct select_options all = {.key = "SHA256:x"};
	struct verify_result before, after;
	struct journal *journal;
	uint64_t records, bad;
	FILE *null;
	static uint8_t copy[INPUT_MAX];
	uint8_t flags;
	size_t first;
	int fd;

	if (size < 3 || size > INPUT_MAX)
		return 0;
	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "/dev/shm/keytrail-fuzz-verify-%d", getpid());
		check(mkdir(dir, 0700) == 0 || errno == EEXIST);
	}
	empty_directory();
	flags = data[0];
	first = (size_t)data[1] << 8 | data[2];
	size -= 3;
	memcpy(copy, data + 3, size);
	if (flags & 1)
		repair(copy, size, flags & 2);
	data = copy;
	if (first > size)
		first = size;
	check_lines(data, first);
	store(1, data, first);
	if (size > first)
		store(4, data + first, size - first);

	check(verify_directory(dir, &head, 1, &before) == 0);
	check_result(&before);
	check(verify_directory(dir, NULL, 0, &before) == 0);
	check_result(&before);
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	check(fd >= 0 && write(fd, data, first) == (ssize_t)first && lseek(fd, 0, SEEK_SET) == 0);
	check(verify_selection(fd, &head, 1, &after) == 0);
	check_result(&after);
	close(fd);
	null = fopen("/dev/null", "we");
	check(null && select_records(dir, &all, null, &records, &bad) == 0);
	fclose(null);

	check(journal_new(&options, &journal) == 0);
	check(journal_sync(journal, T0) == 0);
	check(journal_append(journal, JOURNAL_STOP, NULL, T0) == 0);
	journal_free(journal);
	check(verify_directory(dir, NULL, 0, &after) == 0);
	check_result(&after);
	check(after.torn == 0);
	check(!after.fault == !before.fault);
	return 0;
}
