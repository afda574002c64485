// SPDX-License-Identifier: GPL-2.0-or-later
/* What users are called and where their homes are, while users change and name services fail. */
#include <pwd.h>

/* The host's users are of no use to a test. */
static char passwd_path[512];
#define PASSWD passwd_path
static int fake_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size,
			   struct passwd **result);
#define getpwuid_r fake_getpwuid_r
#include "daemon/homes.c" /* the daemon is no library */
#include "daemon/usertab.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>

#include "unit/tmpdir.h"

#define S 1000000000ULL

/* --- when to ask ------------------------------------------------------------------------ */

static unsigned nr_gone;

static void count_gone(void *userdata, uint32_t uid)
{
	nr_gone++;
}

static void a_failed_look_up_is_tried_again_ever_later(void **state)
{
	struct usertab *tab = usertab_new();
	uint64_t now = 100 * S, wait = 1 * S;
	uint32_t uid = 0;

	assert_true(usertab_seen(tab, 1000, now));
	assert_false(usertab_seen(tab, 1000, now)); /* on its way */
	for (int i = 0; i < 12; i++) {
		assert_false(usertab_answered(tab, 1000, USER_FAILED, "", now));
		assert_false(usertab_seen(tab, 1000, now + wait - 1));
		assert_false(usertab_due(tab, now + wait - 1, &uid));
		now += wait;
		assert_true(usertab_due(tab, now, &uid));
		assert_int_equal(uid, 1000);
		assert_false(usertab_due(tab, now, &uid));
		wait = wait * 2 < 300 * S ? wait * 2 : 300 * S;
	}
	assert_true(usertab_answered(tab, 1000, USER_FOUND, "alice", now));
	assert_false(usertab_due(tab, now + 3000 * S, &uid));
	/* In the end it has another name, which is asked for when it is seen. */
	assert_false(usertab_seen(tab, 1000, now + 3599 * S));
	assert_true(usertab_seen(tab, 1000, now + 3600 * S));
	assert_false(usertab_answered(tab, 1000, USER_FOUND, "alice", now + 3600 * S));
	assert_true(usertab_seen(tab, 1000, now + 7200 * S));
	assert_true(usertab_answered(tab, 1000, USER_FOUND, "bob", now + 7200 * S));
	usertab_free(tab);
}

static void who_is_absent_is_asked_for_some_times_and_then_when_seen(void **state)
{
	struct usertab *tab = usertab_new();
	uint64_t now = S;
	unsigned asked = 0;
	uint32_t uid;

	assert_true(usertab_seen(tab, 7, now));
	usertab_not_asked(tab, 7); /* there was no room */
	assert_true(usertab_seen(tab, 7, now));
	usertab_answered(tab, 7, USER_ABSENT, "", now);
	for (; now < 86400 * S; now += S) {
		if (!usertab_due(tab, now, &uid))
			continue;
		asked++;
		usertab_answered(tab, 7, USER_ABSENT, "", now);
	}
	assert_int_equal(asked, 8);
	assert_true(usertab_seen(tab, 7, now));
	assert_true(usertab_answered(tab, 7, USER_FOUND, "late", now));
	usertab_free(tab);
}

static void a_flood_of_uids_leaves_room_for_others(void **state)
{
	struct usertab *tab = usertab_new();

	usertab_begin(tab);
	assert_true(usertab_listed(tab, 0, "root"));
	usertab_end(tab, count_gone, NULL);
	for (uint32_t uid = 100000; uid < 100000 + USERTAB_MAX + 10; uid++) {
		assert_true(usertab_seen(tab, uid, S));
		usertab_answered(tab, uid, USER_ABSENT, "", S);
	}
	assert_int_equal(HASH_COUNT(tab->users), USERTAB_MAX);
	assert_true(usertab_seen(tab, 1000, S));
	assert_true(usertab_answered(tab, 1000, USER_FOUND, "alice", S));
	assert_false(usertab_seen(tab, 0, S));
	usertab_free(tab);
}

static void a_list_says_who_is_called_what(void **state)
{
	struct usertab *tab = usertab_new();

	nr_gone = 0;
	usertab_begin(tab);
	assert_true(usertab_listed(tab, 0, "root"));
	assert_false(usertab_listed(tab, 0, "toor")); /* the first counts */
	assert_true(usertab_listed(tab, 1000, "alice"));
	usertab_end(tab, count_gone, NULL);
	usertab_begin(tab);
	assert_false(usertab_listed(tab, 0, "root"));
	assert_true(usertab_listed(tab, 1000, "bob"));
	usertab_end(tab, count_gone, NULL);
	assert_int_equal(nr_gone, 0);
	usertab_begin(tab);
	assert_false(usertab_listed(tab, 0, "root"));
	usertab_end(tab, count_gone, NULL);
	assert_int_equal(nr_gone, 1);
	assert_true(usertab_seen(tab, 1000, 0)); /* perhaps a service knows him */
	usertab_free(tab);
}

/* --- the whole -------------------------------------------------------------------------- */

static _Atomic int service; /* what the name service returns; -1: it knows carol */

static int fake_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size,
			   struct passwd **result)
{
	*result = NULL;
	if (service != -1 || uid != 5000)
		return service == -1 ? 0 : service;
	*pw = (struct passwd){.pw_name = (char *)"carol", .pw_dir = (char *)"/home/carol"};
	*result = pw;
	return 0;
}

struct rig {
	sd_event *loop;
	struct homes *homes;
	char name[64]; /* last told */
	uint32_t uid;
	unsigned names, changes;
};

static void on_user(void *userdata, uint32_t uid, const char *name)
{
	struct rig *rig = userdata;

	rig->names++;
	rig->uid = uid;
	snprintf(rig->name, sizeof(rig->name), "%s", name);
}

static void on_changed(void *userdata)
{
	((struct rig *)userdata)->changes++;
}

static void write_passwd(const char *text)
{
	char next[600];
	FILE *f;

	/* By rename, as useradd does. */
	snprintf(next, sizeof(next), "%s+", passwd_path);
	f = fopen(next, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(next, passwd_path), 0);
}

static void rig_start(struct rig *rig, void **state, const char *passwd)
{
	static const struct homes_ops ops = {on_user, on_changed};

	snprintf(passwd_path, sizeof(passwd_path), "%s", tmpdir_path(state, "passwd"));
	write_passwd(passwd);
	assert_true(sd_event_new(&rig->loop) >= 0);
	assert_int_equal(homes_new(rig->loop, &ops, rig, &rig->homes), 0);
}

static void rig_end(struct rig *rig)
{
	homes_free(rig->homes);
	sd_event_unref(rig->loop);
}

static bool has_home(struct rig *rig, const char *home)
{
	const char *const *list;
	size_t nr;

	list = homes_list(rig->homes, &nr);
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(list[i], home))
			return true;
	return false;
}

#define ROOT "root:x:0:0::/root:/bin/sh\n"

static void a_uid_that_is_given_again_has_its_new_name(void **state)
{
	struct rig rig = {};

	rig_start(&rig, state, ROOT "alice:x:1000:1000::/home/alice:/bin/sh\n");
	assert_int_equal(rig.names, 2);
	homes_look(rig.homes);
	assert_int_equal(rig.names, 2);
	write_passwd(ROOT "bobby:x:1000:1000::/home/bobby:/bin/sh\n");
	homes_look(rig.homes);
	assert_int_equal(rig.names, 3);
	assert_int_equal(rig.uid, 1000);
	assert_string_equal(rig.name, "bobby");
	assert_true(has_home(&rig, "/home/bobby"));
	write_passwd(ROOT);
	homes_look(rig.homes);
	assert_int_equal(rig.uid, 1000);
	assert_string_equal(rig.name, "");
	rig_end(&rig);
}

static void a_service_that_comes_up_late_is_heard(void **state)
{
	struct rig rig = {};

	service = EIO;
	rig_start(&rig, state, ROOT);
	homes_seen(rig.homes, 5000);
	sd_event_run(rig.loop, 10000000);
	assert_false(has_home(&rig, "/home/carol"));
	service = -1;
	for (int i = 0; i < 300 && !has_home(&rig, "/home/carol"); i++) {
		homes_look(rig.homes); /* nobody has seen her again */
		sd_event_run(rig.loop, 100000);
	}
	assert_true(has_home(&rig, "/home/carol"));
	assert_int_equal(rig.changes, 1);
	assert_int_equal(rig.uid, 5000);
	assert_string_equal(rig.name, "carol");
	rig_end(&rig);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_look_up_is_tried_again_ever_later),
		cmocka_unit_test(who_is_absent_is_asked_for_some_times_and_then_when_seen),
		cmocka_unit_test(a_flood_of_uids_leaves_room_for_others),
		cmocka_unit_test(a_list_says_who_is_called_what),
		TEST(a_uid_that_is_given_again_has_its_new_name),
		TEST(a_service_that_comes_up_late_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
