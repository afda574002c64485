// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/trust.c with a host of its own: paths and what stands there now. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "trust/trust.h"

static struct {
	struct inode_id id;
	int error;
	unsigned asked;
} at_path;

static int fake_identify(void *userdata, const char *path, struct inode_id *out_identity)
{
	at_path.asked++;
	if (at_path.error)
		return -at_path.error;
	*out_identity = at_path.id;
	return 0;
}

/* /bin/true stands in a directory that only root can write, on any host. */
static const char policy_text[] = "version: 1\n"
				  "watch:\n"
				  "  - name: keys\n"
				  "    class: ssh-user-key\n"
				  "    severity: high\n"
				  "    paths: [\"/k/*\"]\n"
				  "    allow:\n"
				  "      - exe: /usr/bin/true\n"
				  "      - exe: /tmp/true\n";

static struct policy *policy;
static struct trust *trust;
static const struct inode_id first = {.ino = 10, .dev = 1, .gen = 5};
static const struct inode_id second = {.ino = 11, .dev = 1, .gen = 6};

static int setup(void **state)
{
	struct diag_list diags = {};

	memset(&at_path, 0, sizeof(at_path));
	at_path.id = first;
	assert_int_equal(policy_parse("t", policy_text, strlen(policy_text), &diags, &policy), 0);
	diag_list_fini(&diags);
	assert_int_equal(trust_new(fake_identify, NULL, &trust), 0);
	assert_int_equal(trust_set_policy(trust, policy), 0);
	return 0;
}

static int teardown(void **state)
{
	trust_free(trust);
	policy_free(policy);
	return 0;
}

static enum exe_trust ask(const char *path, struct inode_id id, uint32_t nlink)
{
	return trust_ask(trust, span_of(path), &id, nlink);
}

static void an_executable_that_no_rule_names_is_not_looked_at(void **state)
{
	assert_int_equal(ask("/usr/bin/cat", first, 1), EXE_UNKNOWN);
	assert_int_equal(trust_ask(trust, (struct span){}, &first, 1), EXE_UNKNOWN);
	assert_int_equal(at_path.asked, 0);
}

/* They are known by what they are whatever the policy says. */
static void own_programs_are_looked_at(void **state)
{
	const char *own = KT_LIBEXECDIR "/keytrail-scan";

	assert_int_not_equal(ask(own, second, 1), EXE_VERIFIED);
	assert_int_not_equal(ask(own, second, 1), EXE_UNKNOWN);
	assert_true(at_path.asked > 0);
}

static void the_file_at_the_path_is_verified_and_asked_for_once(void **state)
{
	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_VERIFIED);
	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_VERIFIED);
	assert_int_equal(at_path.asked, 1);
}

static void another_inode_that_shows_the_same_path_is_not_it(void **state)
{
	assert_int_equal(ask("/usr/bin/true", second, 1), EXE_OTHER);
	assert_int_equal(ask("/usr/bin/true", second, 0), EXE_MEMORY);
}

static void a_replaced_file_keeps_its_running_images_trusted(void **state)
{
	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_VERIFIED);
	at_path.id = second; /* the package was upgraded */
	assert_int_equal(ask("/usr/bin/true", second, 1), EXE_VERIFIED);
	assert_int_equal(ask("/usr/bin/true", first, 0), EXE_VERIFIED);
	/* Not gone but elsewhere: moved away by somebody, and run from there. */
	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_OTHER);
	/* The number again with another generation: a stranger. */
	assert_int_equal(ask("/usr/bin/true", (struct inode_id){.ino = 10, .dev = 1, .gen = 9}, 0),
			 EXE_MEMORY);
}

static void a_number_given_again_is_a_stranger(void **state)
{
	struct inode_id again = first;

	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_VERIFIED);
	at_path.id = second;
	again.gen++; /* the old file is gone, and its number is somebody else's file */
	assert_int_equal(ask("/usr/bin/true", again, 1), EXE_OTHER);
	at_path.id = again; /* only at the path it would be the executable */
	assert_int_equal(ask("/usr/bin/true", again, 1), EXE_VERIFIED);
}

static void where_others_can_write_nothing_is_trusted(void **state)
{
	assert_int_equal(ask("/tmp/true", first, 1), EXE_WRITABLE);
}

/* Makes DIR/true, for root alone all the way up, and a policy that allows it. */
static bool own_program(char dir[static 32], char path[static 64], struct policy **out_policy)
{
	static const char text[] = "version: 1\nwatch:\n  - name: k\n    class: ssh-user-key\n"
				   "    severity: high\n    paths: [\"/k/*\"]\n"
				   "    allow:\n      - exe: %s/true\n";
	struct diag_list diags = {};
	char yaml[512];
	struct stat st;

	if (getuid() != 0 || stat("/root", &st) < 0 || (st.st_mode & 022) || !mkdtemp(dir))
		return false;
	snprintf(path, 64, "%s/true", dir);
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755)), 0);
	snprintf(yaml, sizeof(yaml), text, dir);
	assert_int_equal(policy_parse("t", yaml, strlen(yaml), &diags, out_policy), 0);
	diag_list_fini(&diags);
	assert_int_equal(trust_set_policy(trust, *out_policy), 0);
	return true;
}

static void what_others_could_change_is_not_trusted_again(void **state)
{
	char dir[32] = "/root/keytrail-trust-XXXXXX", path[64];
	struct policy *own = NULL;

	if (!own_program(dir, path, &own))
		skip();
	assert_int_equal(ask(path, first, 1), EXE_VERIFIED);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(ask(path, first, 1), EXE_WRITABLE);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(ask(path, first, 1), EXE_WRITABLE); /* who knows what it is by now */
	at_path.id = second;
	assert_int_equal(ask(path, second, 1), EXE_VERIFIED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ask(path, second, 0), EXE_VERIFIED); /* runs on without its file */
	assert_int_equal(rmdir(dir), 0);
	policy_free(own);
}

static enum exe_trust ask_script(const char *path, const char *name)
{
	const struct event_script ev = {.inode = first,
					.nlink = 1,
					.path = span_of(path),
					.name = span_of(name)};

	return trust_script(trust, &ev);
}

static void a_script_is_as_good_as_the_name_that_leads_to_it(void **state)
{
	char dir[32] = "/root/keytrail-trust-XXXXXX", path[64], name[96], real[64];
	struct policy *own = NULL;

	if (!own_program(dir, path, &own))
		skip();
	assert_int_equal(ask_script(path, path), EXE_VERIFIED);
	assert_int_equal(ask_script(path, ""), EXE_UNKNOWN);
	assert_int_equal(ask_script(path, "true"), EXE_UNKNOWN); /* from wherever that was */
	snprintf(name, sizeof(name), "%s/../%s", dir, path + strlen("/root/"));
	assert_int_equal(ask_script(path, name), EXE_UNKNOWN);
	snprintf(name, sizeof(name), "%s/.//true", dir);
	assert_int_equal(ask_script(path, name), EXE_VERIFIED);
	assert_int_equal(ask_script(path, "/usr/bin/true"), EXE_OTHER);
	assert_int_equal(ask_script(path, "/nowhere/true"), EXE_UNKNOWN);

	/* Links of root's, in place of the file and of a directory on the way. */
	snprintf(name, sizeof(name), "%s/link", dir);
	assert_int_equal(symlink("true", name), 0);
	assert_int_equal(ask_script(path, name), EXE_VERIFIED);
	assert_int_equal(lchown(name, 1000, 1000), 0);
	assert_int_equal(ask_script(path, name), EXE_WRITABLE);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(symlink(dir, name), 0);
	snprintf(real, sizeof(real), "%s/link/true", dir);
	assert_int_equal(ask_script(path, real), EXE_VERIFIED);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(symlink("link", name), 0);
	assert_int_equal(ask_script(path, name), EXE_UNKNOWN); /* in a circle */
	assert_int_equal(unlink(name), 0);

	/* A link that is root's, through a directory that is not. */
	snprintf(name, sizeof(name), "%s/tmp", dir);
	assert_int_equal(mkdir(name, 0755), 0);
	assert_int_equal(chown(name, 1000, 1000), 0);
	snprintf(real, sizeof(real), "%s/tmp/true", dir);
	assert_int_equal(symlink(path, real), 0);
	assert_int_equal(ask_script(path, real), EXE_WRITABLE);
	assert_int_equal(unlink(real), 0);
	assert_int_equal(rmdir(name), 0);

	at_path.id = second; /* another file stands there now */
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(ask_script(path, path), EXE_WRITABLE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	policy_free(own);
}

#define LE16(n) (n) & 0xff, (n) >> 8
#define ID(n)	(n) & 0xff, (n) >> 8 & 0xff, (n) >> 16 & 0xff, (n) >> 24 & 0xff
#define NO_ID	0xff, 0xff, 0xff, 0xff

/* user::rwx, one entry more, group::r-x, mask::MASK, other::r-x; as the kernel takes it. */
static int set_acl(const char *path, unsigned tag, unsigned perm, unsigned id, unsigned mask)
{
	const uint8_t user[] = {
		ID(2),	    LE16(0x01), LE16(7), NO_ID, /* the owner */
		LE16(tag),  LE16(perm), ID(id),	 LE16(0x04), LE16(5), NO_ID, /* the group */
		LE16(0x10), LE16(mask), NO_ID,	 LE16(0x20), LE16(5), NO_ID, /* others */
	};
	const uint8_t group[] = {
		ID(2), LE16(0x01), LE16(7),    NO_ID,  LE16(0x04), LE16(5),
		NO_ID, LE16(tag),  LE16(perm), ID(id), LE16(0x10), LE16(mask),
		NO_ID, LE16(0x20), LE16(5),    NO_ID,
	};

	return setxattr(path, "system.posix_acl_access", tag == 2 ? user : group, sizeof(user), 0);
}

static void who_may_write_by_an_acl_may_write(void **state)
{
	static const struct {
		unsigned tag, perm, id, mask;
		bool of_directory;
		enum exe_trust trust;
	} rows[] = {
		{0x02, 5, 1000, 7, false, EXE_VERIFIED}, /* may run it */
		{0x02, 7, 1000, 5, false, EXE_VERIFIED}, /* masked */
		{0x02, 7, 0, 7, false, EXE_VERIFIED}, /* root itself */
		{0x02, 7, 1000, 7, false, EXE_WRITABLE},
		{0x08, 7, 50, 7, false, EXE_WRITABLE}, /* a group */
		{0x08, 7, 0, 7, false, EXE_VERIFIED},
		{0x02, 7, 1000, 7, true, EXE_WRITABLE}, /* may put another in its place */
	};
	char dir[32] = "/root/keytrail-trust-XXXXXX", path[64];
	struct policy *own = NULL;

	if (!own_program(dir, path, &own))
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = rows[i].of_directory ? dir : path;

		/* Another file each time, or it would stay what it was. */
		at_path.id = (struct inode_id){.ino = 100 + i, .dev = 1, .gen = 1};
		if (set_acl(at, rows[i].tag, rows[i].perm, rows[i].id, rows[i].mask) < 0) {
			assert_int_equal(errno, EOPNOTSUPP); /* a file system without ACLs */
			break;
		}
		assert_int_equal(ask(path, at_path.id, 1), rows[i].trust);
		/* As `keytrail learn` asks. */
		assert_int_equal(trust_others_can_write(path), rows[i].trust == EXE_WRITABLE);
		assert_int_equal(removexattr(at, "system.posix_acl_access"), 0);
		assert_int_equal(chmod(at, 0755), 0);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	policy_free(own);
}

static void what_cannot_be_asked_is_not_trusted(void **state)
{
	at_path.error = ENOENT;
	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_OTHER);
}

static void a_new_policy_keeps_what_was_verified(void **state)
{
	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_VERIFIED);
	at_path.id = second;
	assert_int_equal(ask("/usr/bin/true", second, 1), EXE_VERIFIED);
	assert_int_equal(trust_set_policy(trust, policy), 0);
	assert_int_equal(ask("/usr/bin/true", first, 0), EXE_VERIFIED);
}

static void while_one_policy_makes_way_programs_of_both_are_known(void **state)
{
	static const char text[] = "version: 1\nwatch: [{name: t, class: key, paths: [/k],\n"
				   "  allow: [{exe: /usr/bin/false}]}]\n";
	struct diag_list diags = {};
	struct policy *next;

	assert_int_equal(policy_parse("n", text, strlen(text), &diags, &next), 0);
	diag_list_fini(&diags);
	assert_int_equal(ask("/usr/bin/false", first, 1), EXE_UNKNOWN);
	assert_int_equal(trust_add_policy(trust, next), 0);
	assert_int_equal(ask("/usr/bin/false", first, 1), EXE_VERIFIED);
	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_VERIFIED);
	assert_int_equal(trust_set_policy(trust, next), 0);
	assert_int_equal(ask("/usr/bin/false", first, 1), EXE_VERIFIED);
	assert_int_equal(ask("/usr/bin/true", first, 1), EXE_UNKNOWN);
	policy_free(next);
}

static void what_is_said_of_an_executable(void **state)
{
	static const struct {
		const char *exe;
		bool is_first; /* the one that stands at /usr/bin/true */
		uint32_t nlink, mode, uid, expected;
	} cases[] = {
		{"/usr/bin/true", true, 1, 0100755, 0, 0},
		{"/usr/bin/true", false, 1, 0100755, 0, UNTRUSTED_OTHER},
		{"/usr/bin/true", false, 1, 0100755, 7, UNTRUSTED_OTHER | UNTRUSTED_WRITABLE},
		{"/usr/bin/true", false, 0, 0100755, 0, UNTRUSTED_MEMORY},
		{"/tmp/true", true, 1, 0100755, 0, UNTRUSTED_WRITABLE},
		{"/usr/bin/unnamed", false, 1, 0100755, 0, 0},
		{"/usr/bin/unnamed", false, 1, 0100757, 0, UNTRUSTED_WRITABLE},
		{"/home/a/x", false, 1, 0100700, 1000, UNTRUSTED_WRITABLE},
		/* Upgraded while it ran, and no policy names it: nothing is known against it. */
		{"/usr/bin/unnamed", false, 0, 0100755, 0, 0},
		{"memfd:x", false, 0, 0100777, 0, UNTRUSTED_MEMORY},
		{"memfd:x", false, 0, 0100777, 7, UNTRUSTED_MEMORY | UNTRUSTED_WRITABLE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct subject subject = {
			.exe = cases[i].is_first ? first : second,
			.untrusted = UNTRUSTED_TRACED, /* as the kernel side told it */
		};

		trust_subject(trust, span_of(cases[i].exe), cases[i].nlink, cases[i].mode,
			      cases[i].uid, &subject);
		if (subject.untrusted != (cases[i].expected | UNTRUSTED_TRACED))
			fail_msg("case %zu: %#x", i, subject.untrusted);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_executable_that_no_rule_names_is_not_looked_at),
		CASE(own_programs_are_looked_at),
		CASE(the_file_at_the_path_is_verified_and_asked_for_once),
		CASE(another_inode_that_shows_the_same_path_is_not_it),
		CASE(a_replaced_file_keeps_its_running_images_trusted),
		CASE(a_number_given_again_is_a_stranger),
		CASE(where_others_can_write_nothing_is_trusted),
		CASE(what_others_could_change_is_not_trusted_again),
		CASE(a_script_is_as_good_as_the_name_that_leads_to_it),
		CASE(who_may_write_by_an_acl_may_write),
		CASE(what_cannot_be_asked_is_not_trusted),
		CASE(a_new_policy_keeps_what_was_verified),
		CASE(while_one_policy_makes_way_programs_of_both_are_known),
		CASE(what_is_said_of_an_executable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
