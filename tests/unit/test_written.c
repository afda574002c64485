// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/written.c on real files, with a kernel side made of stat(). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "watch/watcher.h"
#include "watch/written.h"

#define HEAP "JAVA PROFILE 1.0.2\0\0\0\0\10"

static char top[] = "/tmp/keytrail-written-XXXXXX";

/* What was asked of the kernel side and told of dumps. */
static struct {
	unsigned opened, marked, unmarked, told;
	struct event_written last;
	char path[4096];
	uint64_t objects;
} seen;

static struct inode_id identity(const struct stat *st)
{
	return (struct inode_id){.ino = st->st_ino, .dev = (uint32_t)st->st_dev};
}

static int fake_mark(void *userdata, int dirfd, const char *name, struct mark *mark,
		     struct inode_id *out_identity)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, 0) < 0)
		return -errno;
	seen.marked++;
	*out_identity = identity(&st);
	return 0;
}

static int fake_unmark(void *userdata, const struct inode_id *id, uint64_t object)
{
	seen.unmarked++;
	return 0;
}

static int fake_unmark_device(void *userdata, uint32_t dev)
{
	return 0;
}

static void fake_object(void *userdata, const struct watched *watched)
{
	seen.objects += watched->watch != 0;
}

static int fake_open(void *userdata, const char *path, struct inode_id *out_inodes, size_t max,
		     size_t *out_nr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	seen.opened++;
	if (fd < 0)
		return -errno;
	assert_int_equal(fstat(fd, &st), 0);
	out_inodes[0] = identity(&st);
	*out_nr = 1;
	return fd;
}

static const struct watcher_ops watcher_ops = {
	.mark = fake_mark,
	.unmark = fake_unmark,
	.unmark_device = fake_unmark_device,
	.object = fake_object,
	.open = fake_open,
};

static void fake_dump(void *userdata, const struct event *event, int fd)
{
	char byte;

	seen.told++;
	seen.last = event->written;
	snprintf(seen.path, sizeof(seen.path), "%.*s", (int)event->written.path.len,
		 event->written.path.p);
	assert_true(pread(fd, &byte, 1, 0) >= 0);
}

static const struct written_ops ops = {.open = fake_open, .dump = fake_dump};

struct fixture {
	struct watcher *watcher;
	struct written *written;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&seen, 0, sizeof(seen));
	strcpy(top + sizeof(top) - 7, "XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(watcher_new(&watcher_ops, NULL, &f.watcher), 0);
	watcher_set_dump_watch(f.watcher, 3);
	watcher_set_copy_watch(f.watcher, 4);
	assert_int_equal(written_new(f.watcher, &ops, NULL, &f.written), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	written_free(f->written);
	watcher_free(f->watcher);
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

static const char *make(const char *name, const char *bytes, size_t len)
{
	static char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	return path;
}

/* As the kernel side tells a close. */
static struct event closed(const char *path)
{
	struct event event = {.type = EVENT_WRITTEN};
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	event.written.inode = identity(&st);
	event.written.size = 1 << 20;
	event.written.fs = 0xef53;
	event.written.path = span_of(path);
	return event;
}

static void run(struct fixture *f, const struct event *event)
{
	written_add(f->written, event);
	written_run(f->written);
}

static struct written_stats stats(struct fixture *f)
{
	struct written_stats s;

	written_stats(f->written, &s);
	return s;
}

static void a_dump_is_watched_and_told(void **state)
{
	struct event event = closed(make("odd name", HEAP, sizeof(HEAP)));

	run(*state, &event);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.last.kind, DUMPKIND_JAVA);
	assert_string_equal(seen.path, event.written.path.p);
	assert_true(seen.last.object != 0);
	assert_int_equal(seen.marked, 1);
	assert_int_equal(seen.objects, 1);
	assert_int_equal(stats(*state).dumps, 1);
	/* Nothing is left to be looked at. */
	written_run(((struct fixture *)*state)->written);
	assert_int_equal(seen.told, 1);
}

static void what_is_no_dump_is_nobodys_business(void **state)
{
	struct event event = closed(make("log", "many words\n", 11));

	run(*state, &event);
	event = closed(make("archive", "\x1f\x8b\x08\0\0", 5));
	run(*state, &event);
	event = closed(make("empty", "", 0));
	run(*state, &event);
	assert_int_equal(seen.told, 0);
	assert_int_equal(seen.marked, 0);
	assert_int_equal(stats(*state).compressed, 1);
}

static void what_a_helper_writes_stays_watched_unless_it_is_text(void **state)
{
	struct fixture *f = *state;
	struct event event = closed(make("core.zst", "\x28\xb5\x2f\xfd\0", 5));

	event.written.how = WRITTEN_HELPER;
	event.written.object = 77;
	run(f, &event);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.last.kind, DUMPKIND_COMPRESSED);
	assert_int_equal(seen.last.object, 77);
	event = closed(make("log", "a crash\n", 8));
	event.written.how = WRITTEN_HELPER;
	event.written.object = 78;
	run(f, &event);
	assert_int_equal(seen.told, 2);
	assert_int_equal(seen.last.object, 0);
}

/* systemd-coredump's, by whichever process, in whichever directory. */
static void a_stored_core_is_known_by_its_attributes(void **state)
{
	const char *path = make("core.x.zst", "\x28\xb5\x2f\xfd\0", 5);
	struct event event = closed(path);

	run(*state, &event);
	assert_int_equal(seen.marked, 0);
	if (setxattr(path, "user.coredump.pid", "42", 2, 0) < 0)
		skip(); /* a file system without */
	run(*state, &event);
	assert_int_equal(seen.marked, 0); /* half of it is anybody's */
	assert_int_equal(setxattr(path, "user.coredump.signal", "6", 1, 0), 0);
	run(*state, &event);
	assert_int_equal(seen.marked, 1);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.last.kind, DUMPKIND_COMPRESSED);
	assert_int_equal(stats(*state).stored, 1);
}

/* O_TMPFILE and linkat(): known before it had a name. */
static void a_dump_born_without_a_name_gets_one(void **state)
{
	struct fixture *f = *state;
	struct event event = closed(make("#42", HEAP, sizeof(HEAP)));
	char path[4096];
	uint64_t object;

	run(f, &event);
	object = seen.last.object;
	event = closed(make("core.y.zst", "\x28\xb5\x2f\xfd\0", 5));
	event.written.how = WRITTEN_HELPER;
	event.written.object = object;
	run(f, &event);
	assert_true(watcher_path(f->watcher, object, path, sizeof(path)) > 0);
	assert_string_equal(path, event.written.path.p);
	assert_int_equal(seen.objects, 2); /* and told under it */
}

static void of_several_closes_the_last_counts(void **state)
{
	struct fixture *f = *state;
	struct event event = closed(make("x", HEAP, sizeof(HEAP)));

	event.written.how = WRITTEN_HELPER;
	written_add(f->written, &event);
	event.written.how = 0;
	written_add(f->written, &event);
	written_run(f->written);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.last.how, WRITTEN_HELPER);
	assert_int_equal(stats(f).told, 2);
}

/* The path is the writer's: it may have put anything there since. */
static void nothing_but_the_file_that_was_closed_is_read(void **state)
{
	struct event event = closed(make("x", HEAP, sizeof(HEAP)));
	char path[256], target[256];

	snprintf(path, sizeof(path), "%s", event.written.path.p);
	event.written.path = span_of(path);
	/* Another file. */
	unlink(path);
	make("keep-the-number", "x", 1);
	snprintf(target, sizeof(target), "%s", make("y", HEAP, sizeof(HEAP)));
	assert_int_equal(rename(target, path), 0);
	event.written.inode.ino ^= 1ULL << 40;
	run(*state, &event);
	assert_int_equal(stats(*state).gone, 1);
	/* A link to a dump, as the last name or on the way. */
	event = closed(path);
	snprintf(target, sizeof(target), "%s/link", top);
	assert_int_equal(symlink(path, target), 0);
	event.written.path = span_of(target);
	run(*state, &event);
	snprintf(target, sizeof(target), "%s/dir", top);
	assert_int_equal(symlink(top, target), 0);
	strcat(target, "/x");
	run(*state, &event);
	assert_int_equal(stats(*state).gone, 3);
	seen.opened = 0;
	/* A pipe, which would be waited for. */
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	event.written.path = span_of(path);
	run(*state, &event);
	assert_int_equal(stats(*state).gone, 4);
	assert_int_equal(seen.opened, 0);
	assert_int_equal(seen.told, 0);
	assert_int_equal(seen.marked, 0);
}

static void what_may_wait_is_left_alone(void **state)
{
	struct event event = closed(make("x", HEAP, sizeof(HEAP)));

	event.written.fs = 0x65735546; /* FUSE */
	run(*state, &event);
	assert_int_equal(stats(*state).skipped, 1);
	event.written.fs = 0x62656572; /* sysfs: to read is to act */
	run(*state, &event);
	event.written.fs = 0x63677270; /* cgroup2 */
	run(*state, &event);
	assert_int_equal(stats(*state).skipped, 3);
	event.written.fs = 0xef53;
	event.flags = EVENT_PATH_TRUNCATED;
	run(*state, &event);
	assert_int_equal(stats(*state).gone, 1);
	assert_int_equal(seen.opened, 0);
}

static void without_an_entry_for_dumps_they_are_told_and_not_watched(void **state)
{
	struct fixture *f = *state;
	struct event event = closed(make("x", HEAP, sizeof(HEAP)));

	watcher_set_dump_watch(f->watcher, 0);
	run(f, &event);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.last.object, 0);
	assert_int_equal(seen.marked, 0);
}

/* By who has read a key: handed on whatever it is, and not watched before a key is found in it. */
static struct event of_holder(const char *path)
{
	struct event event = closed(path);

	event.written.held.nr = 1;
	event.written.held.key[0] = 5;
	event.written.size = 20;
	event.written.how = WRITTEN_HOLDER;
	return event;
}

static void what_a_holder_writes_may_be_a_copy(void **state)
{
	static const struct {
		const char *bytes;
		enum dump_kind kind;
		size_t len;
	} cases[] = {
		{"-----BEGIN\n", DUMPKIND_TEXT},	   {"PK\x03\x04zip", DUMPKIND_ARCHIVE},
		{"\x1f\x8b\x08gzip", DUMPKIND_COMPRESSED}, {"\x01\x02\x03\xff", DUMPKIND_NONE},
		{HEAP, DUMPKIND_JAVA, sizeof(HEAP)}, /* smaller than the policy's dumps are */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct event event =
			of_holder(make("x", cases[i].bytes,
				       cases[i].len ? cases[i].len : strlen(cases[i].bytes)));

		run(*state, &event);
		assert_int_equal(seen.told, i + 1);
		assert_int_equal(seen.last.kind, cases[i].kind);
		assert_true(seen.last.how & WRITTEN_COPY);
		assert_int_equal(seen.last.object, 0);
	}
	assert_int_equal(seen.marked, 0);
	assert_int_equal(stats(*state).copies, ARRAY_SIZE(cases));
	assert_int_equal(stats(*state).dumps, 0);
}

static void a_large_one_may_be_a_copy_or_a_dump(void **state)
{
	struct event event = closed(make("x", HEAP, sizeof(HEAP)));

	event.written.held.nr = 1;
	event.written.how = WRITTEN_OTHER;
	run(*state, &event);
	assert_int_equal(seen.last.kind, DUMPKIND_JAVA);
	assert_false(seen.last.how & (WRITTEN_COPY | WRITTEN_OTHER));
	assert_int_equal(seen.last.held.nr, 0); /* the parent's memory is in no dump of the child */
	assert_int_equal(seen.marked, 1);
	event = closed(make("y", "words\n", 6));
	event.written.held.nr = 1;
	event.written.how = WRITTEN_OTHER;
	run(*state, &event);
	assert_int_equal(seen.told, 2);
	assert_int_equal(seen.last.how, WRITTEN_COPY | WRITTEN_OTHER);
	assert_int_equal(seen.last.held.nr, 1);
}

static void what_is_watched_already_is_no_candidate(void **state)
{
	struct fixture *f = *state;
	const char *path = make("copy", "words\n", 6);
	struct event event = of_holder(path);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t object = 0;

	assert_int_equal(watcher_add_copy(f->watcher, fd, path, 1000, &object), 0);
	assert_true(object != 0);
	run(f, &event);
	assert_int_equal(seen.last.object, object); /* it is one, and may be something else now */
	assert_int_equal(seen.told, 1);
	watcher_drop_copy(f->watcher, object);
	run(f, &event);
	assert_int_equal(seen.last.object, 0);
	assert_int_equal(watcher_add_dump(f->watcher, fd, path, &object), 0);
	run(f, &event);
	assert_int_equal(seen.told, 2);
	watcher_drop_copy(f->watcher, object); /* which it is not */
	run(f, &event);
	assert_int_equal(seen.told, 2);
	/* Without an entry for copies there are none. */
	watcher_drop_dump(f->watcher, object);
	watcher_set_copy_watch(f->watcher, 0);
	run(f, &event);
	assert_int_equal(seen.told, 2);
}

static void a_holders_file_is_found_under_its_last_name(void **state)
{
	char path[256], last[256];
	struct event event;

	snprintf(path, sizeof(path), "%s", make("ziAbCd", "PK\x03\x04", 4));
	event = of_holder(path);
	snprintf(last, sizeof(last), "%s/archive.zip", top);
	assert_int_equal(rename(path, last), 0);
	run(*state, &event);
	assert_int_equal(seen.told, 1);
	assert_string_equal(seen.path, last);
	assert_int_equal(stats(*state).renamed, 1);
	/* Another file has taken the name by then. */
	make("ziAbCd", "PK\x03\x04", 4);
	run(*state, &event);
	assert_int_equal(seen.told, 2);
	assert_string_equal(seen.path, last);
	/* Of who has no key nothing is looked for. */
	event.written.held.nr = 0;
	event.written.how = 0;
	run(*state, &event);
	assert_int_equal(seen.told, 2);
	assert_int_equal(stats(*state).gone, 1);
}

/* In one batch: `cp key copy; : >>copy`. */
static void what_a_holder_wrote_stays_his_when_another_closes_it(void **state)
{
	struct fixture *f = *state;
	struct event event = of_holder(make("x", "words\n", 6));

	event.written.subject.id.tgid = 7;
	event.written.how |= WRITTEN_OTHER;
	event.written.parent.tgid = 6;
	written_add(f->written, &event);
	event = closed(event.written.path.p);
	event.written.subject.id.tgid = 8;
	event.written.size = 99;
	written_add(f->written, &event);
	/* Nor does the same holder's close take it away that was one too many to be told for it. */
	event.written.held.nr = 2;
	event.written.how = WRITTEN_OVER;
	written_add(f->written, &event);
	written_run(f->written);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.last.how, WRITTEN_COPY | WRITTEN_OTHER);
	assert_int_equal(seen.last.held.nr, 1);
	assert_int_equal(seen.last.held.key[0], 5);
	assert_int_equal(seen.last.subject.id.tgid, 7);
	assert_int_equal(seen.last.parent.tgid, 6);
	assert_int_equal(seen.last.size, 99);
	/* A later holder is whom it is of. */
	event = of_holder(event.written.path.p);
	written_add(f->written, &event);
	event.written.held.key[0] = 9;
	written_add(f->written, &event);
	written_run(f->written);
	assert_int_equal(seen.last.held.key[0], 9);
}

/* The later one says of whom it would be, and holds nothing: its parent ended meanwhile. */
static void of_whom_it_is_goes_with_what_was_held(void **state)
{
	struct fixture *f = *state;
	struct event event = of_holder(make("x", HEAP, sizeof(HEAP)));

	event.written.how = 0;
	written_add(f->written, &event);
	event.written.held.nr = 0;
	event.written.how = WRITTEN_OTHER;
	written_add(f->written, &event);
	written_run(f->written);
	assert_int_equal(seen.told, 1);
	assert_false(seen.last.how & WRITTEN_OTHER);
	assert_int_equal(seen.last.held.nr, 1); /* its writer's, who has read a key: it is a dump */
}

/* A large file is told although its writer has had his share: a dump is one all the same. */
static void beyond_the_share_of_the_writer_only_dumps_count(void **state)
{
	struct event event = closed(make("x", "words\n", 6));

	event.written.held.nr = 1;
	event.written.how = WRITTEN_OVER;
	run(*state, &event);
	assert_int_equal(seen.told, 0);
	event = closed(make("y", HEAP, sizeof(HEAP)));
	event.written.held.nr = 1;
	event.written.how = WRITTEN_OVER;
	run(*state, &event);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.last.kind, DUMPKIND_JAVA);
	assert_int_equal(seen.last.held.nr, 1);
	assert_int_equal(stats(*state).copies, 0);
}

/* Without an entry for copies nothing is opened twice, and no directory read. */
static void without_an_entry_nothing_is_looked_for(void **state)
{
	struct fixture *f = *state;
	struct event event = of_holder(make("x", "words\n", 6));
	char last[256];

	watcher_set_copy_watch(f->watcher, 0);
	snprintf(last, sizeof(last), "%s/last", top);
	assert_int_equal(rename(event.written.path.p, last), 0);
	run(f, &event);
	assert_int_equal(seen.told, 0);
	assert_int_equal(stats(f).renamed, 0);
	assert_int_equal(stats(f).gone, 1);
}

static struct event of_user(uint32_t uid, const char *path)
{
	struct event event = of_holder(path);

	event.written.subject.uid = 0; /* by sudo */
	event.written.subject.loginuid = uid;
	return event;
}

/* One that is in no directory by now. */
static void add_gone(struct fixture *f, uint32_t uid)
{
	static unsigned nr;
	char name[32], path[256];
	struct event event;

	snprintf(name, sizeof(name), "gone%u", nr++);
	snprintf(path, sizeof(path), "%s", make(name, "words\n", 6));
	event = of_user(uid, path);
	event.written.inode.ino ^= 1ULL << 40;
	written_add(f->written, &event);
}

/* One that would be found, by itself. */
static struct event add_renamed(struct fixture *f, uint32_t uid, char path[256])
{
	struct event event;
	char last[280];

	snprintf(path, 256, "%s", make(uid == 7 ? "seven" : "other", "words\n", 6));
	event = of_user(uid, path);
	snprintf(last, sizeof(last), "%s.renamed", path);
	assert_int_equal(rename(path, last), 0);
	written_add(f->written, &event);
	return event;
}

/* Files are renamed away, and their directory has many names. */
static void the_names_that_a_run_looks_through_are_bounded(void **state)
{
	enum { FILES = 16, NAMES = 3000 };
	struct fixture *f = *state;
	char seven[256], other[256];
	struct event event;
	char name[32];

	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		make(name, "", 0);
	}
	/* For one user: another's is found. */
	for (int i = 0; i < FILES; i++)
		add_gone(f, 7);
	event = add_renamed(f, 7, seven);
	add_renamed(f, 8, other);
	written_run(f->written);
	assert_int_equal(stats(f).gone, FILES + 1);
	assert_int_equal(stats(f).renamed, 1);
	run(f, &event);
	assert_int_equal(stats(f).renamed, 2);
	/* And for all: each has looked for one or two. */
	for (uint32_t i = 0; i < 2 * FILES; i++)
		add_gone(f, 100 + i / 2);
	event = add_renamed(f, 8, other);
	written_run(f->written);
	assert_int_equal(stats(f).renamed, 2);
	run(f, &event);
	assert_int_equal(stats(f).renamed, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_dump_is_watched_and_told),
		TEST(what_is_no_dump_is_nobodys_business),
		TEST(what_a_helper_writes_stays_watched_unless_it_is_text),
		TEST(a_stored_core_is_known_by_its_attributes),
		TEST(a_dump_born_without_a_name_gets_one),
		TEST(of_several_closes_the_last_counts),
		TEST(nothing_but_the_file_that_was_closed_is_read),
		TEST(what_may_wait_is_left_alone),
		TEST(without_an_entry_for_dumps_they_are_told_and_not_watched),
		TEST(what_a_holder_writes_may_be_a_copy),
		TEST(a_large_one_may_be_a_copy_or_a_dump),
		TEST(what_is_watched_already_is_no_candidate),
		TEST(a_holders_file_is_found_under_its_last_name),
		TEST(what_a_holder_wrote_stays_his_when_another_closes_it),
		TEST(of_whom_it_is_goes_with_what_was_held),
		TEST(beyond_the_share_of_the_writer_only_dumps_count),
		TEST(without_an_entry_nothing_is_looked_for),
		TEST(the_names_that_a_run_looks_through_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
