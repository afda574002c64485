// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each container, with two pieces of memory and a key in each: found at its address, from a file
 * and from a pipe, by one thread and by several; and whatever is wrong with it, survived and said.
 */
#include "scan/container.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scan/crew.h"
#include "scan/dump.h"
#include "scan/scanner.h"
#include "scan/unpack.h"
#include "unit/dumpmaker.h"

#define MAX 32

struct seen {
	struct scan_about about;
	struct finding items[MAX];
	unsigned nr, dumps;
	uint64_t flags, bytes;
	int shrink; /* a descriptor, cut when it is opened */
};

static int see_about(void *userdata, const struct scan_about *about)
{
	struct seen *seen = userdata;

	seen->about = *about;
	if (seen->shrink)
		assert_int_equal(ftruncate(seen->shrink, (off_t)about->size / 2), 0);
	return 0;
}

static int see(void *userdata, const struct finding *finding)
{
	struct seen *seen = userdata;

	if (finding->what == FINDING_END) {
		seen->flags |= finding->vaddr;
		seen->bytes += finding->offset;
		seen->dumps++;
	} else if (seen->nr < MAX) {
		seen->items[seen->nr++] = *finding;
	}
	return 0;
}

static const struct dump_events events = {see_about, see, NULL};
static struct crew *crew;

static int memory_file(const void *p, size_t len)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), (ssize_t)len);
	return fd;
}

static struct seen scan_fd(int fd, struct crew *with, uint64_t unpack_max)
{
	struct dump_input input = {.fd = fd,
				   .maps_fd = -1,
				   .options.unpack_max = unpack_max,
				   .crew = with};
	struct seen seen = {.nr = 0};

	assert_int_equal(dump_scan(&input, &events, &seen), 0);
	return seen;
}

static struct seen scan_file(const struct buffer *b)
{
	int fd = memory_file(b->p, b->len);
	struct seen seen = scan_fd(fd, crew, 0);

	close(fd);
	return seen;
}

static struct seen scan_pipe(const struct buffer *b)
{
	struct seen seen;
	int pipes[2];
	pid_t writer;

	assert_int_equal(pipe(pipes), 0);
	writer = fork();
	if (!writer) {
		close(pipes[0]);
		for (size_t at = 0; at < b->len;) {
			ssize_t n = write(pipes[1], b->p + at, b->len - at);

			if (n <= 0)
				_exit(1);
			at += (size_t)n;
		}
		_exit(0);
	}
	close(pipes[1]);
	seen = scan_fd(pipes[0], crew, 0);
	close(pipes[0]);
	waitpid(writer, NULL, 0);
	return seen;
}

static int by_address(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/* The two keys, at these addresses. */
static void check(struct seen *seen, enum scan_container container, uint64_t first, uint64_t second,
		  uint64_t flags)
{
	assert_int_equal(seen->about.container, container);
	assert_int_equal(seen->dumps, 1);
	assert_int_equal(seen->nr, 2);
	qsort(seen->items, 2, sizeof(seen->items[0]), by_address);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(seen->items[i].what, FINDING_AES);
		assert_true(seen->items[i].has_vaddr);
		assert_int_equal(seen->items[i].vaddr, (i ? second : first) + KEY_AT);
	}
	assert_int_equal(seen->flags, flags);
}

static void check_both(const struct buffer *b, enum scan_container container, uint64_t first,
		       uint64_t second, uint64_t flags)
{
	struct seen file = scan_file(b), pipe = scan_pipe(b);

	check(&file, container, first, second, flags);
	check(&pipe, container, first, second, flags);
	assert_int_equal(file.bytes, pipe.bytes);
}

static void cores_of_each_width_and_order_are_read(void **state)
{
	for (unsigned i = 0; i < 32; i++) {
		struct elf_options o = {
			.wide = i & 1,
			.big = i & 2,
			.xnum = i & 4,
			.notes_last = i & 8,
			.skew = i & 16 ? 0x583 : 0,
			.vaddr = i & 1 ? 0x7f0000000000 : 0x40000000,
		};
		struct buffer b = make_elf(&o, 6);
		struct seen seen = scan_file(&b);

		check(&seen, CONTAINER_ELF, o.vaddr, o.vaddr + 0x100000, SCAN_CORE);
		assert_int_equal(seen.about.bits, o.wide ? 64 : 32);
		assert_int_equal(seen.about.big_endian, o.big);
		assert_int_equal(seen.about.pid, 4242);
		assert_string_equal(seen.about.command, "dumped");
		assert_string_equal(seen.about.exe, "/usr/bin/dumped");
		assert_int_equal(seen.about.signal, 11);
		assert_int_equal(seen.about.threads, 2);
		seen = scan_pipe(&b);
		check(&seen, CONTAINER_ELF, o.vaddr, o.vaddr + 0x100000, SCAN_CORE);
		assert_string_equal(seen.about.exe, "/usr/bin/dumped");
		free(b.p);
	}
}

static void segments_are_told_apart(void **state)
{
	const struct elf_options o = {.wide = true, .vaddr = 0x555500000000};
	struct buffer b = make_elf(&o, 6);
	int fd = memory_file(b.p, b.len);
	struct scan_about about = {.size = 0};
	struct source *source;
	struct segment s;
	uint64_t flags = 0;
	void *elf;

	assert_int_equal(source_new_fd(fd, &source), 0);
	assert_int_equal(container_elf.open(source, NULL, &about, &flags, &elf), 1);
	assert_int_equal(container_elf.next(elf, &s), 1);
	/* The first memory of no file behind the program; the one that a thread's stack pointer is
	 * in. */
	assert_int_equal(s.kind, SEGMENT_HEAP);
	assert_int_equal(container_elf.next(elf, &s), 1);
	assert_int_equal(s.kind, SEGMENT_STACK);
	assert_int_equal(container_elf.next(elf, &s), 0);
	container_elf.close(elf);
	source_free(source);
	close(fd);
	free(b.p);
}

static void physical_memory_is_read_by_ranges(void **state)
{
	struct buffer b = make_lime(40, false);

	check_both(&b, CONTAINER_LIME, 0x1000, 0x100001000, SCAN_CORE);
	free(b.p);
	b = make_lime(40, true);
	check_both(&b, CONTAINER_AVML, 0x1000, 0x100001000, SCAN_CORE);
	free(b.p);
	b = make_pagedump(6, true, 1);
	check_both(&b, CONTAINER_PAGEDUMP, 0x1000, 0x80000000, SCAN_CORE);
	free(b.p);
	b = make_pagedump(6, false, 1);
	check_both(&b, CONTAINER_PAGEDUMP, 0x1000, 0x80000000, SCAN_CORE);
	free(b.p);
	b = make_pagedump(6, true, 5);
	check_both(&b, CONTAINER_PAGEDUMP, 0x1000, 0x400000, SCAN_CORE);
	free(b.p);
	/* A small dump of Windows has no memory that could be told from the rest. */
	b = make_pagedump(6, true, 4);
	assert_int_equal(scan_file(&b).flags, SCAN_UNSUPPORTED);
	assert_int_equal(scan_file(&b).nr, 2);
	free(b.p);
}

static void minidumps_are_read_by_their_lists(void **state)
{
	struct buffer b = make_minidump(6, true);

	check_both(&b, CONTAINER_MINIDUMP, 0x7ff00000000, 0x7ff00100000, SCAN_CORE);
	assert_int_equal(scan_file(&b).about.pid, 4242);
	assert_int_equal(scan_file(&b).about.threads, 1);
	free(b.p);
	b = make_minidump(6, false);
	check_both(&b, CONTAINER_MINIDUMP, 0x7ff00000000, 0x7ff00100000, SCAN_CORE | SCAN_FILTERED);
	free(b.p);
}

static void packed_pages_of_kernels_are_unpacked(void **state)
{
	static const unsigned packings[] = {0, 1, 2, 4, 0x20};

	for (size_t i = 0; i < ARRAY_SIZE(packings); i++) {
		struct buffer b = make_kdump(40, packings[i], i == 1 ? 31 : 1), flat;
		uint64_t flags = SCAN_CORE | (i == 1 ? SCAN_FILTERED : 0);
		struct seen seen;

		check_both(&b, CONTAINER_KDUMP, 0x10000, 0x400000, flags);
		flat = make_flat(&b);
		seen = scan_file(&flat);
		check(&seen, CONTAINER_KDUMP_FLAT, 0x10000, 0x400000, flags);
		/* Out of order, a pipe cannot give it. */
		seen = scan_pipe(&flat);
		assert_true(seen.flags & SCAN_UNSUPPORTED);
		flat.len -= 20;
		assert_true(scan_file(&flat).flags & SCAN_TRUNCATED);
		free(flat.p);
		free(b.p);
	}
}

static void heaps_and_checkpoints_are_named(void **state)
{
	static const struct {
		const char *head;
		size_t len;
		enum scan_container container;
	} cases[] = {
		{"JAVA PROFILE 1.0.2\0\0\0\0\4", 24, CONTAINER_HPROF},
		{"{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\"]",
		 67, CONTAINER_HEAPSNAPSHOT},
		{"\x19\x43\x56\x54\x25\x40\x08\x56", 8, CONTAINER_CRIU},
		{"nothing of note", 15, CONTAINER_RAW},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer b = {NULL};
		uint8_t *memory = make_memory(6, 1);
		struct seen seen;

		buffer_put(&b, cases[i].head, cases[i].len);
		buffer_pad(&b, 4096);
		buffer_put(&b, memory, 6 * 4096);
		seen = scan_file(&b);
		assert_int_equal(seen.about.container, cases[i].container);
		assert_int_equal(seen.nr, 1);
		assert_int_equal(seen.items[0].offset, 4096 + KEY_AT);
		assert_int_equal(seen.bytes, b.len);
		assert_int_equal(seen.flags, 0);
		free(memory);
		free(b.p);
	}
}

/* --- archives --- */

static ssize_t put_archive(struct archive *a, void *userdata, const void *p, size_t len)
{
	buffer_put(userdata, p, len);
	return (ssize_t)len;
}

static struct buffer make_archive(int (*format)(struct archive *), int (*filter)(struct archive *),
				  const struct buffer *members, unsigned nr)
{
	struct archive *a = archive_write_new();
	struct buffer out = {NULL};

	if (filter)
		assert_int_equal(filter(a), ARCHIVE_OK);
	assert_int_equal(format(a), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open(a, &out, NULL, put_archive, NULL), ARCHIVE_OK);
	for (unsigned i = 0; i < nr; i++) {
		struct archive_entry *entry = archive_entry_new();
		char name[32];

		snprintf(name, sizeof(name), "dumps/core.%u", i);
		archive_entry_set_pathname(entry, name);
		archive_entry_set_size(entry, (la_int64_t)members[i].len);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0600);
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		archive_write_data(a, members[i].p, members[i].len);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return out;
}

static int (*const filters[])(struct archive *) = {
	archive_write_add_filter_gzip, archive_write_add_filter_bzip2, archive_write_add_filter_xz,
	archive_write_add_filter_lzma, archive_write_add_filter_zstd,  archive_write_add_filter_lz4,
};

static int (*const formats[])(struct archive *) = {
	archive_write_set_format_pax_restricted,
	archive_write_set_format_gnutar,
	archive_write_set_format_cpio_newc,
	archive_write_set_format_zip,
};

static void compressed_cores_are_unpacked(void **state)
{
	const struct elf_options o = {.wide = true, .vaddr = 0x10000000};
	struct buffer core = make_elf(&o, 600); /* more than is kept of a stream, nearly */

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct buffer b = make_archive(archive_write_set_format_raw, filters[i], &core, 1);
		struct seen seen = scan_file(&b);

		check(&seen, CONTAINER_ELF, o.vaddr, o.vaddr + 0x100000, SCAN_CORE);
		assert_int_equal(seen.about.depth, 1);
		assert_string_equal(seen.about.member, "");
		seen = scan_pipe(&b);
		check(&seen, CONTAINER_ELF, o.vaddr, o.vaddr + 0x100000, SCAN_CORE);
		free(b.p);
	}
	free(core.p);
}

static void members_of_archives_are_dumps(void **state)
{
	const struct elf_options o = {.wide = true, .vaddr = 0x10000000};
	struct buffer members[3] = {make_elf(&o, 6), make_lime(6, false), {NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		for (int packed = 0; packed < 2; packed++) {
			struct buffer b =
				make_archive(formats[i],
					     packed ? archive_write_add_filter_zstd : NULL, members,
					     3);

			for (int piped = 0; piped < 2; piped++) {
				struct seen seen = piped ? scan_pipe(&b) : scan_file(&b);

				assert_int_equal(seen.nr, 4);
				assert_int_equal(seen.dumps, 3);
				assert_int_equal(seen.flags, SCAN_CORE);
				assert_string_equal(seen.about.member, "dumps/core.2");
			}
			free(b.p);
		}
	free(members[0].p);
	free(members[1].p);
}

static void archives_in_archives_are_opened_to_a_depth(void **state)
{
	struct buffer b = make_lime(6, false);

	for (unsigned depth = 1; depth <= UNPACK_DEPTH + 1; depth++) {
		struct buffer outer =
			make_archive(formats[depth % ARRAY_SIZE(formats)], NULL, &b, 1);
		struct seen seen;

		free(b.p);
		b = outer;
		seen = scan_file(&b);
		assert_int_equal(seen.nr, 2);
		assert_int_equal(seen.about.container,
				 depth <= UNPACK_DEPTH ? CONTAINER_LIME : CONTAINER_RAW);
		assert_int_equal(seen.flags, depth <= UNPACK_DEPTH ? SCAN_CORE : SCAN_TOO_DEEP);
	}
	free(b.p);
}

static void bombs_are_stopped(void **state)
{
	struct buffer zeros = {NULL}, inner[16], b;
	struct seen seen;
	int fd;

	buffer_grow(&zeros, 8 << 20);
	b = make_archive(archive_write_set_format_raw, archive_write_add_filter_zstd, &zeros, 1);
	/* 8 MiB of some hundred bytes: fine as long as what is free is not used up. */
	fd = memory_file(b.p, b.len);
	assert_int_equal(scan_fd(fd, crew, 0).flags, 0);
	seen = scan_fd(fd, crew, 1 << 20);
	if (!(seen.flags & SCAN_EXPANDS))
		fail_msg("%zu bytes: flags %lx", b.len, (unsigned long)seen.flags);
	assert_true(seen.bytes < 8 << 20);
	close(fd);
	/* The same in each of sixteen members: one budget for all. */
	for (unsigned i = 0; i < 2; i++) {
		struct buffer outer;

		for (unsigned k = 0; k < 16; k++)
			inner[k] = b;
		outer = make_archive(archive_write_set_format_zip, NULL, inner, 16);
		free(b.p);
		b = outer;
		fd = memory_file(b.p, b.len);
		seen = scan_fd(fd, crew, 1 << 20);
		assert_true(seen.flags & SCAN_EXPANDS);
		close(fd);
	}
	free(b.p);
	free(zeros.p);
}

static void what_only_looks_packed_is_bytes(void **state)
{
	static const char *const heads[] = {"\x1f\x8b\x08",
					    "BZh9",
					    "\xfd"
					    "7zXZ",
					    "PK\3\4",
					    "070701",
					    "\x28\xb5\x2f\xfd",
					    "\x04\x22\x4d\x18",
					    "\x5d"};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		uint8_t *memory = make_memory(6, 1);
		struct buffer b = {memory, 6 * 4096, 0};
		struct seen seen;

		memcpy(memory, heads[i], strlen(heads[i]));
		seen = scan_file(&b);
		if (seen.nr != 1)
			fail_msg("case %zu: %u", i, seen.nr);
		/* Behind what libarchive takes for a member a pipe has gone by. */
		if (strncmp(heads[i], "PK", 2) != 0)
			assert_int_equal(scan_pipe(&b).nr, 1);
		free(memory);
	}
}

/* --- faults --- */

static struct buffer make_any(unsigned which)
{
	const struct elf_options wide = {.wide = true, .vaddr = 0x10000000},
				 narrow = {.big = true, .xnum = true, .vaddr = 0x10000000};
	struct buffer member, b;

	switch (which) {
	case 0:
		return make_elf(&wide, 3);
	case 1:
		return make_elf(&narrow, 3);
	case 2:
		return make_lime(3, false);
	case 3:
		return make_lime(3, true);
	case 4:
		return make_minidump(3, true);
	case 5:
		return make_minidump(3, false);
	case 6:
		return make_pagedump(3, true, 1);
	case 7:
		return make_pagedump(3, true, 5);
	case 8:
		return make_kdump(3, 1, 0);
	case 9:
		member = make_kdump(3, 4, 0);
		b = make_flat(&member);
		break;
	default:
		member = make_elf(&wide, 3);
		b = make_archive(which == 10 ? archive_write_set_format_zip
					     : archive_write_set_format_gnutar,
				 which == 10 ? NULL : filters[which - 11], &member, 1);
		break;
	}
	free(member.p);
	return b;
}

#define ANY (11 + ARRAY_SIZE(filters))

struct bytes_at {
	const uint8_t *p;
	size_t len;
};

static long read_bytes(void *self, void *out, size_t len, uint64_t offset)
{
	const struct bytes_at *b = self;

	if (offset >= b->len)
		return 0;
	len = b->len - offset < len ? b->len - (size_t)offset : len;
	memcpy(out, b->p + offset, len);
	return (long)len;
}

/* What a container says of these bytes, without looking for keys: it ends, and what it unpacks is
 * within reason. */
static void walk(const uint8_t *p, size_t len)
{
	struct container_context context = {.maps_fd = -1};
	struct bytes head = {p, len < CONTAINER_HEAD ? len : CONTAINER_HEAD};
	const struct container_type *type = container_of(head);
	struct scan_about about = {.container = type->container};
	struct bytes_at bytes = {p, len};
	struct source_mapping mapping = {.read = read_bytes, .self = &bytes};
	static uint8_t out[1 << 16];
	uint64_t flags = 0, sum = 0;
	struct source *source;
	struct segment s;
	void *opened = NULL;
	long n = 0;
	int r;

	if (type == &container_raw)
		return;
	assert_int_equal(source_new_mapping(&mapping, len, &source), 0);
	r = type->open(source, &context, &about, &flags, &opened);
	assert_true(r >= 0);
	while (r > 0 && (r = type->next(opened, &s)) > 0) {
		assert_true(s.len > 0);
		while (type->read && (n = type->read(opened, out, sizeof(out))) > 0)
			assert_true((sum += (uint64_t)n) < 1 << 28);
		assert_true(n >= 0);
	}
	assert_true(r == 0);
	assert_false(flags & ~(uint64_t)SCAN_FLAGS_ALL);
	if (opened)
		type->close(opened);
	source_free(source);
}

/* The container alone at each byte; with all that follows now and then. */
static void every_truncation_is_survived_and_said(void **state)
{
	for (unsigned which = 0; which < ANY; which++) {
		struct buffer b = make_any(which);

		for (size_t cut = 0; cut < b.len; cut++) {
			struct seen seen;
			int fd;

			walk(b.p, cut);
			if (cut % 2999 != 500 && cut != b.len - 1)
				continue;
			fd = memory_file(b.p, cut);
			seen = scan_fd(fd, NULL, 0);
			close(fd);
			assert_true(seen.nr <= 2);
			if (seen.flags & SCAN_CORE && seen.nr < 2 &&
			    !(seen.flags & (SCAN_TRUNCATED | SCAN_DAMAGED | SCAN_CHANGED)))
				fail_msg("container %u cut at %zu: flags %lx, %u found", which, cut,
					 (unsigned long)seen.flags, seen.nr);
		}
		free(b.p);
	}
}

/* Each byte of the headers, with values that overflow, wrap and point elsewhere. */
static void absurd_fields_are_survived(void **state)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

	for (unsigned which = 0; which < ANY; which++) {
		struct buffer b = make_any(which);

		for (size_t at = 0; at < b.len && at < (which == 8 ? 5000 : 700); at++)
			for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
				uint8_t was = b.p[at];
				int fd;

				b.p[at] = values[v];
				walk(b.p, b.len);
				if ((at * ARRAY_SIZE(values) + v) % 499 == 0) {
					fd = memory_file(b.p, b.len);
					assert_true(scan_fd(fd, NULL, 0).bytes < 1ULL << 62);
					close(fd);
				}
				b.p[at] = was;
			}
		free(b.p);
	}
}

static void sixteen_tebibytes_of_nothing_take_no_time(void **state)
{
	int fd = memfd_create("sparse", MFD_CLOEXEC);
	uint8_t schedule[176];
	struct seen seen;

	make_schedule(schedule, 5);
	assert_int_equal(ftruncate(fd, 16LL << 40), 0);
	assert_int_equal(pwrite(fd, schedule, sizeof(schedule), (16LL << 40) - 4096),
			 sizeof(schedule));
	seen = scan_fd(fd, crew, 0);
	assert_int_equal(seen.nr, 1);
	assert_int_equal(seen.items[0].offset, (16LL << 40) - 4096);
	assert_int_equal(seen.bytes, 16LL << 40);
	close(fd);
}

static void a_file_that_shrinks_meanwhile_says_so(void **state)
{
	const struct elf_options o = {.wide = true, .vaddr = 0x10000000};
	struct buffer b = make_elf(&o, 600);
	struct dump_input input = {.maps_fd = -1};
	struct seen seen = {.nr = 0};

	input.fd = memory_file(b.p, b.len);
	seen.shrink = input.fd;
	assert_int_equal(dump_scan(&input, &events, &seen), 0);
	assert_true(seen.flags & SCAN_CHANGED);
	assert_true(seen.nr >= 1);
	close(input.fd);
	free(b.p);
}

static int grow(void *userdata, const struct scan_about *about)
{
	struct seen *seen = userdata;

	assert_int_equal(ftruncate(seen->shrink, (off_t)about->size * 2), 0);
	return 0;
}

static void a_file_that_grows_meanwhile_is_read_to_where_it_was(void **state)
{
	static const struct dump_events growing = {grow, see, NULL};
	struct buffer b = {make_memory(600, 1), 600 * 4096, 0};
	struct dump_input input = {.maps_fd = -1};
	struct seen seen = {.nr = 0};

	input.fd = memory_file(b.p, b.len);
	seen.shrink = input.fd;
	assert_int_equal(dump_scan(&input, &growing, &seen), 0);
	assert_int_equal(seen.bytes, b.len);
	assert_int_equal(seen.nr, 1);
	close(input.fd);
	free(b.p);
}

/* --- processes and walls --- */

static void a_living_process_is_read_by_its_maps(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	skip(); /* terabytes of shadow are mapped, and /proc/PID/mem has no holes to jump */
#endif
	uint8_t *page =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct scanner_events walled = {.about = see_about, .found = see};
	struct scanner_input input = {.cpu_seconds = 0};
	struct seen seen = {.nr = 0};
	bool found = false;
	char path[64];
	pid_t pid;

	make_schedule(page + 4096, 77);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	memset(page, 0, 8192);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	input.fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	input.maps_fd = open(path, O_RDONLY | O_CLOEXEC);
	input.pid = (uint32_t)pid;
	if (input.fd < 0 || input.maps_fd < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		skip();
	}
	assert_int_equal(scanner_run(&input, &walled, &seen), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(seen.about.container, CONTAINER_PROCESS);
	assert_int_equal(seen.about.pid, pid);
	for (unsigned i = 0; i < seen.nr; i++)
		found |= seen.items[i].vaddr == (uintptr_t)page + 4096;
	assert_true(found);
	assert_true(seen.flags & SCAN_CORE);
	close(input.fd);
	close(input.maps_fd);
	munmap(page, 8192);
}

static void walls_change_nothing(void **state)
{
	static const struct scanner_events walled = {.about = see_about, .found = see};

	for (unsigned which = 0; which < ANY; which++) {
		struct buffer b = make_any(which);
		struct scanner_input input = {.fd = memory_file(b.p, b.len), .maps_fd = -1};
		struct seen own = scan_file(&b), seen = {.nr = 0};

		input.options.workers = 1 + which % 3;
		if (scanner_run(&input, &walled, &seen) != 0)
			fail_msg("container %u", which);
		assert_int_equal(seen.nr, own.nr);
		assert_int_equal(seen.flags, own.flags);
		assert_int_equal(seen.bytes, own.bytes);
		assert_int_equal(seen.about.container, own.about.container);
		close(input.fd);
		free(b.p);
	}
}

static void time_that_is_up_is_a_verdict(void **state)
{
	static const struct scanner_events walled = {.about = see_about, .found = see};
	struct scanner_input input = {.fd = open("/dev/zero", O_RDONLY | O_CLOEXEC),
				      .maps_fd = -1,
				      .cpu_seconds = 1};
	struct seen seen = {.nr = 0};

	assert_true(input.fd >= 0);
	assert_int_equal(scanner_run(&input, &walled, &seen), -ETIME);
	assert_string_equal(scanner_strerror(-ETIME), "the scanner's time was up");
	close(input.fd);
}

static int make_crew(void **state)
{
	return crew_new(3, &crew);
}

static int drop_crew(void **state)
{
	crew_free(crew);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cores_of_each_width_and_order_are_read),
		cmocka_unit_test(segments_are_told_apart),
		cmocka_unit_test(physical_memory_is_read_by_ranges),
		cmocka_unit_test(minidumps_are_read_by_their_lists),
		cmocka_unit_test(packed_pages_of_kernels_are_unpacked),
		cmocka_unit_test(heaps_and_checkpoints_are_named),
		cmocka_unit_test(compressed_cores_are_unpacked),
		cmocka_unit_test(members_of_archives_are_dumps),
		cmocka_unit_test(archives_in_archives_are_opened_to_a_depth),
		cmocka_unit_test(bombs_are_stopped),
		cmocka_unit_test(what_only_looks_packed_is_bytes),
		cmocka_unit_test(every_truncation_is_survived_and_said),
		cmocka_unit_test(absurd_fields_are_survived),
		cmocka_unit_test(sixteen_tebibytes_of_nothing_take_no_time),
		cmocka_unit_test(a_file_that_shrinks_meanwhile_says_so),
		cmocka_unit_test(a_file_that_grows_meanwhile_is_read_to_where_it_was),
		cmocka_unit_test(a_living_process_is_read_by_its_maps),
		cmocka_unit_test(walls_change_nothing),
		cmocka_unit_test(time_that_is_up_is_a_verdict),
	};

	return cmocka_run_group_tests(tests, make_crew, drop_crew);
}
