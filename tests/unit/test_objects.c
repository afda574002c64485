// SPDX-License-Identifier: GPL-2.0-or-later
/* engine/objects.c and engine/users.c: what was told last holds, and both stay within their bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/objects.h"
#include "engine/users.h"

#define S 1000000000ULL

struct fixture {
	struct policy *policy, *other;
	struct strtab *strings;
	struct objects *objects;
};

static struct policy *parse(const char *text)
{
	struct diag_list diags = {0};
	struct policy *policy = NULL;

	if (policy_parse("test", text, strlen(text), &diags, &policy) < 0) {
		diag_print(&diags, stderr);
		fail();
	}
	diag_list_fini(&diags);
	return policy;
}

static int setup(void **state)
{
	static struct fixture f;

	f.policy = parse("version: 1\nwatch:\n"
			 "  - {name: keys, class: key, severity: high, paths: [\"/k/*\"]}\n"
			 "  - {name: dumps, class: dump, severity: low, paths: [\"/d/*\"]}\n");
	f.other = parse("version: 1\nwatch:\n"
			"  - {name: dumps, class: dump, severity: low, paths: [\"/d/*\"]}\n");
	f.strings = strtab_new(1 << 20);
	f.objects = objects_new(1000, f.strings);
	assert_non_null(f.objects);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	size_t before = strtab_bytes(f->strings);

	objects_free(f->objects);
	assert_true(strtab_bytes(f->strings) <= before);
	strtab_free(f->strings);
	policy_free(f->policy);
	policy_free(f->other);
	return 0;
}

static bool tell(struct fixture *f, uint64_t time, uint64_t id, const char *path, const char *watch,
		 bool key)
{
	struct event_object ev = {
		.object = id,
		.inode = {.ino = id, .dev = 8},
		.path = span_of(path),
		.watch = span_of(watch),
		.key_known = key,
		.key = {.kind = KEY_RSA, .bits = 2048},
	};

	return objects_tell(f->objects, time, &ev, f->policy);
}

static void mark(struct fixture *f, uint64_t time, enum mark_op op, uint64_t id, uint32_t watch,
		 const char *path)
{
	struct event_mark ev = {
		.object = id,
		.inode = {.ino = id, .dev = 8},
		.op = op,
		.watch = watch,
		.path = span_of(path),
	};

	objects_mark(f->objects, time, &ev, f->policy);
}

static void the_latest_word_on_an_object_holds(void **state)
{
	struct fixture *f = *state;
	const struct object *o;

	assert_true(tell(f, S, 1, "/k/a", "keys", false));
	o = objects_find(f->objects, 1);
	assert_non_null(o);
	assert_string_equal(o->path->s, "/k/a");
	assert_int_equal(o->watch_number, 1);
	assert_false(o->key_known);
	assert_int_equal(o->told_at, S);
	assert_true(tell(f, 2 * S, 1, "/k/b", "keys", true));
	assert_string_equal(o->path->s, "/k/b");
	assert_true(o->key_known);
	assert_int_equal(o->key->bits, 2048);
	/* written anew: what the key was is not known until it is read again */
	assert_true(tell(f, 3 * S, 1, "/k/b", "keys", false));
	assert_false(o->key_known);
	assert_null(o->key);
	assert_int_equal(o->told_at, 3 * S);
}

static bool tell_key(struct fixture *f, uint64_t time, const char *path, uint16_t bits)
{
	struct event_object ev = {
		.object = 1,
		.inode = {.ino = 1, .dev = 8},
		.path = span_of(path),
		.watch = span_of("keys"),
		.key_known = true,
		.key = {.kind = bits ? KEY_RSA : KEY_NONE, .bits = bits},
	};

	snprintf(ev.key.ssh_fp, sizeof(ev.key.ssh_fp), "SHA256:%u", bits);
	return objects_tell(f->objects, time, &ev, f->policy);
}

/* 0: not known. */
static uint16_t bits_at(struct fixture *f, uint64_t time)
{
	const struct key_identity *key = object_key(objects_find(f->objects, 1), time);

	return key ? key->bits : 0;
}

/* As the daemon tells a write: what stands there is not known; it was closed a moment ago. */
static void write_at(struct fixture *f, uint64_t time)
{
	tell(f, time + S / 5, 1, "/k/a", "keys", false);
	objects_written(f->objects, 1, time);
}

static void who_read_before_a_write_has_read_the_key_of_then(void **state)
{
	struct fixture *f = *state;

	objects_written(f->objects, 1, S); /* of none that is known */
	tell_key(f, S, "/k/a", 2048);
	objects_written(f->objects, 1, 2 * S); /* and nobody says that it is another */
	assert_int_equal(bits_at(f, S), 2048);
	write_at(f, 10 * S);
	assert_int_equal(bits_at(f, 9 * S), 2048);
	assert_int_equal(bits_at(f, 10 * S), 2048);
	assert_int_equal(bits_at(f, 10 * S + 1), 0);
	tell_key(f, 11 * S, "/k/a", 3072);
	assert_int_equal(bits_at(f, 9 * S), 2048);
	assert_int_equal(bits_at(f, 10 * S + 1), 3072);
	/* the same content once more */
	write_at(f, 20 * S);
	tell_key(f, 21 * S, "/k/a", 3072);
	assert_int_equal(bits_at(f, 19 * S), 3072);
	assert_int_equal(bits_at(f, 22 * S), 3072);
}

static void of_several_writes_the_first_reader_is_not_told_a_later_key(void **state)
{
	struct fixture *f = *state;

	tell_key(f, S, "/k/a", 2048);
	write_at(f, 10 * S);
	tell_key(f, 11 * S, "/k/a", 1024);
	write_at(f, 12 * S);
	tell_key(f, 13 * S, "/k/a", 4096);
	assert_int_equal(bits_at(f, 9 * S), 2048);
	assert_int_equal(bits_at(f, 11 * S), 0); /* neither of the two that are kept */
	assert_int_equal(bits_at(f, 12 * S + 1), 4096);
	write_at(f, 30 * S); /* nobody waits for the first one any more */
	assert_int_equal(bits_at(f, 29 * S), 4096);
}

static void a_file_that_held_no_key_yet_is_told_with_its_first(void **state)
{
	struct fixture *f = *state;

	tell(f, S, 1, "/k/a", "keys", false);
	tell_key(f, S, "/k/a", 0);
	write_at(f, 2 * S);
	assert_int_equal(bits_at(f, S), 0);
	tell_key(f, 3 * S, "/k/a", 2048);
	assert_int_equal(bits_at(f, S), 2048);
}

static void by_another_name_it_may_be_called_otherwise_from_then_on(void **state)
{
	struct fixture *f = *state;

	tell_key(f, S, "/k/a", 2048);
	tell_key(f, 5 * S, "/k/b", 2048);
	assert_int_equal(bits_at(f, 4 * S), 2048);
	assert_null(objects_find(f->objects, 1)->was);
	tell_key(f, 6 * S, "/k/b", 1024); /* the public half does not stand beside it */
	assert_int_equal(bits_at(f, 5 * S), 2048);
	assert_int_equal(bits_at(f, 7 * S), 1024);
}

static void a_mark_tells_what_the_daemon_has_not_told(void **state)
{
	struct fixture *f = *state;
	const struct object *o;

	mark(f, S, MARK_ADDED, 1, 1, "/k/new");
	o = objects_find(f->objects, 1);
	assert_non_null(o);
	assert_false(o->told);
	assert_string_equal(o->watch->s, "keys");
	mark(f, S, MARK_MOVED, 1, 2, "/d/new");
	assert_string_equal(o->watch->s, "dumps");
	assert_true(tell(f, S, 1, "/srv/d/new", "dumps", false));
	mark(f, S, MARK_MOVED, 1, 1, "/k/again");
	assert_string_equal(o->path->s, "/srv/d/new"); /* the daemon will say */
	/* directories and entries that the policy does not have */
	mark(f, S, MARK_ADDED, 2, 0, "/k");
	mark(f, S, MARK_ADDED, 3, 77, "/x");
	assert_null(objects_find(f->objects, 2));
	assert_null(objects_find(f->objects, 3));
}

static void what_is_gone_is_remembered_for_a_while(void **state)
{
	struct fixture *f = *state;

	tell(f, S, 1, "/k/a", "keys", false);
	tell(f, S, 2, "/k/b", "keys", false);
	tell(f, S, 3, "/k/c", "keys", false);
	tell(f, S, 4, "/k/d", "keys", false);
	mark(f, 10 * S, MARK_DROPPED, 1, 0, "");
	mark(f, 10 * S, MARK_DROPPED, 2, 0, "");
	mark(f, 10 * S, MARK_DROPPED, 3, 0, "");
	mark(f, 11 * S, MARK_DROPPED, 3, 0, "");
	mark(f, 11 * S, MARK_DROPPED, 99, 0, "");
	tell(f, 11 * S, 2, "/k/b", "keys", false); /* is back */
	objects_tick(f->objects, 10 * S + OBJECTS_LINGER_NS - 1);
	assert_int_equal(objects_count(f->objects), 4);
	objects_tick(f->objects, 10 * S + OBJECTS_LINGER_NS);
	assert_null(objects_find(f->objects, 1));
	assert_non_null(objects_find(f->objects, 2));
	assert_null(objects_find(f->objects, 3));
	/* no longer watched: no entry, then gone; unknown ones are no matter */
	assert_true(tell(f, 20 * S, 4, "/k/d", "", false));
	assert_true(tell(f, 20 * S, 99, "/k/d", "", false));
	assert_int_equal(object_watch(objects_find(f->objects, 4), 20 * S),
			 1); /* was, until then */
	assert_int_equal(object_watch(objects_find(f->objects, 4), 20 * S + 1), 0);
	assert_true(tell(f, 20 * S, 4, "/k/d", "dumps", false));
	assert_int_equal(object_watch(objects_find(f->objects, 4), 30 * S), 2);
	assert_true(tell(f, 20 * S, 4, "/k/d", "", false));
	mark(f, 21 * S, MARK_SUPER_GONE, 0, 0, "");
	objects_tick(f->objects, 100 * S);
	assert_int_equal(objects_count(f->objects), 0);
}

static void another_policy_numbers_its_entries_anew(void **state)
{
	struct fixture *f = *state;

	tell(f, S, 1, "/k/a", "keys", false);
	tell(f, S, 2, "/d/a", "dumps", false);
	objects_set_policy(f->objects, f->other);
	assert_int_equal(objects_find(f->objects, 1)->watch_number, 0);
	assert_int_equal(objects_find(f->objects, 2)->watch_number, 1);
}

static void beyond_the_cap_new_ones_are_refused_and_counted(void **state)
{
	struct fixture *f = *state;
	char path[32];

	for (uint64_t i = 1; i <= 3000; i++) {
		snprintf(path, sizeof(path), "/k/%u", (unsigned)i);
		assert_int_equal(tell(f, S, i, path, "keys", i % 2), i <= 1000);
	}
	assert_int_equal(objects_count(f->objects), 1000);
	assert_int_equal(objects_refused(f->objects), 2000);
	for (uint64_t i = 1; i <= 1000; i++)
		assert_non_null(objects_find(f->objects, i));
	assert_true(tell(f, S, 5, "/k/5", "keys", true)); /* known ones can still be told */
}

/* Whoever fills the memory for names must not make a key unwatched. */
static void an_object_without_room_for_its_names_is_watched_all_the_same(void **state)
{
	struct fixture *f = *state, full = *f;
	const struct object *o;

	full.strings = strtab_new(1);
	full.objects = objects_new(10, full.strings);
	assert_non_null(full.objects);
	assert_true(tell(&full, S, 1, "/k/a", "keys", false));
	o = objects_find(full.objects, 1);
	assert_null(o->path);
	assert_null(o->watch);
	assert_int_equal(o->watch_number, 1);
	assert_true(o->watch_lost);
	objects_set_policy(full.objects, f->other);
	assert_int_equal(o->watch_number, 0);
	/* so that it is not taken for one that is no longer watched */
	assert_true(object_watch_lost(o, 2 * S));
	assert_true(tell(&full, 2 * S, 1, "/k/a", "", false));
	assert_true(object_watch_lost(o, 2 * S));
	assert_false(object_watch_lost(o, 2 * S + 1));
	objects_free(full.objects);
	strtab_free(full.strings);
}

static void users_have_names_until_there_are_too_many(void **state)
{
	struct users *users = users_new();

	assert_non_null(users);
	users_set(users, 1000, span_of("alice"));
	users_set(users, 1000, span_of("al\nice"));
	assert_string_equal(users_name(users, 1000), "al\\x0aice");
	assert_null(users_name(users, 1001));
	users_set(users, 1001, (struct span){NULL, 0});
	assert_null(users_name(users, 1001));
	for (uint32_t uid = 100000; uid < 100000 + 3 * USERS_MAX; uid++) {
		char name[16];

		snprintf(name, sizeof(name), "u%u", uid);
		users_set(users, uid, span_of(name));
		assert_string_equal(users_name(users, uid), name);
	}
	assert_int_equal(users_count(users), USERS_MAX);
	assert_null(users_name(users, 1000));
	assert_null(users_name(users, 100000));
	assert_non_null(users_name(users, 100000 + 2 * USERS_MAX));
	users_free(users);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(the_latest_word_on_an_object_holds),
		TEST(who_read_before_a_write_has_read_the_key_of_then),
		TEST(of_several_writes_the_first_reader_is_not_told_a_later_key),
		TEST(a_file_that_held_no_key_yet_is_told_with_its_first),
		TEST(by_another_name_it_may_be_called_otherwise_from_then_on),
		TEST(a_mark_tells_what_the_daemon_has_not_told),
		TEST(what_is_gone_is_remembered_for_a_while),
		TEST(another_policy_numbers_its_entries_anew),
		TEST(beyond_the_cap_new_ones_are_refused_and_counted),
		TEST(an_object_without_room_for_its_names_is_watched_all_the_same),
		cmocka_unit_test(users_have_names_until_there_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
