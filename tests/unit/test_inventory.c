// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The search for keys on a host: what is found, what is pointed out, what is left alone. With the
 * real child and keys made by the tools that people use.
 */
#include "cli/inventory.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <time.h>

#include "keymaker.h"
#include "tmpdir.h"

/* keytrail-scan of the build that this test belongs to. */
static const char *real_child(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(n > 0);
	path[n] = '\0';
	for (int up = 0; up < 3; up++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/keytrail-scan");
	return path;
}

struct fixture {
	struct policy *policy;
	struct watchset *set;
	char policy_text[2 * PATH_MAX];
};

/* One entry for keys below DIR/watched, one for dumps there. */
static void set_up(struct fixture *f, const char *dir)
{
	struct diag_list diags = {0};

	snprintf(f->policy_text, sizeof(f->policy_text),
		 "version: 1\nwatch:\n"
		 "- {name: keys, class: ssh-user-key, paths: ['%s/watched/*.key', "
		 "'%s/watched/sub/exact']}\n"
		 "- {name: dumps, class: dump, paths: ['%s/watched/*.dmp']}\n",
		 dir, dir, dir);
	if (policy_parse("p", f->policy_text, strlen(f->policy_text), &diags, &f->policy) < 0 ||
	    watchset_compile(f->policy, NULL, 0, 1, &diags, &f->set) < 0)
		fail_msg("%s", diags.items[0].text);
	diag_list_fini(&diags);
}

static void tear_down(struct fixture *f)
{
	watchset_free(f->set);
	policy_free(f->policy);
}

/* tree NULL: the policy's paths. */
static struct inventory make(const struct fixture *f, const char *tree, uint64_t max_names,
			     int expected)
{
	char *real = tree ? realpath(tree, NULL) : NULL;
	const char *trees[] = {real};
	const struct inventory_config config = {
		.policy = f->policy,
		.set = f->set,
		.trees = trees,
		.nr_trees = tree ? 1 : 0,
		.whole_policy = !tree,
		.max_names = max_names,
		.now = time(NULL),
		.stale_days = 365,
		.program = real_child(),
	};
	struct inventory inventory = {NULL};

	assert_int_equal(inventory_make(&config, &inventory), expected);
	free(real);
	return inventory;
}

static const struct inventory_key *key_at(const struct inventory *inventory, const char *dir,
					  const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (size_t i = 0; i < inventory->nr; i++)
		if (!strcmp(inventory->keys[i].path, path))
			return &inventory->keys[i];
	return NULL;
}

/* --- content -----------------------------------------------------------------------------------
 */

static void keys_are_found_by_what_files_begin_with(void **state)
{
	const char *dir = *state;
	const struct inventory_key *key;
	struct inventory inventory;
	struct fixture f;
	char fp[128];

	chmod(dir, 0755);
	set_up(&f, dir);
	shell(dir, NULL, 0,
	      "mkdir -p a/b watched; umask 077;"
	      "ssh-keygen -q -t ed25519 -N '' -C me -f a/plain;"
	      "ssh-keygen -q -t rsa -b 2048 -N secret -f a/locked;"
	      "openssl ecparam -name prime256v1 -genkey -noout -outform DER -out a/b/ec.der;"
	      "openssl genrsa 2048 >a/b/old; touch -d '2 years ago' a/b/old;"
	      "cp a/plain a/b/copy; chmod 644 a/b/copy;"
	      "ln -s plain a/link; ln -s . a/loop; mkfifo a/fifo;"
	      "ssh-keygen -q -t ed25519 -N '' -f watched/w.key;"
	      "head -c 5000 /dev/zero >a/zeros; head -c 20 a/plain >a/short;"
	      "{ cat a/plain; head -c 70000 /dev/zero; } >a/large;"
	      "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout /dev/null"
	      " -out a/cert.pem");
	shell(dir, fp, sizeof(fp), "ssh-keygen -lf a/plain.pub | cut -d' ' -f2");
	inventory = make(&f, dir, 1000, 0);
	assert_int_equal(inventory.nr, 6);
	assert_false(inventory.bounded);
	assert_int_equal(inventory.failed, 0);

	key = key_at(&inventory, dir, "a/plain");
	assert_non_null(key);
	assert_string_equal(key->id.ssh_fp, fp);
	assert_false(key->id.encrypted);
	assert_int_equal(key->mode, 0600);
	assert_int_equal(key->watch, 0);
	assert_int_equal(key->findings, FINDING_DUPLICATE | FINDING_UNWATCHED);

	key = key_at(&inventory, dir, "a/locked");
	assert_true(key->id.encrypted);
	assert_int_equal(key->id.kind, KEY_RSA);
	assert_true(key->id.has_spki);
	assert_int_equal(key->findings, FINDING_UNWATCHED);

	/* In a directory that only its owner may pass, a mode says nothing. */
	key = key_at(&inventory, dir, "a/b/copy");
	assert_true(key->findings & FINDING_DUPLICATE);
	assert_int_equal(key->mode, 0644);

	key = key_at(&inventory, dir, "a/b/old");
	assert_int_equal(key->findings, FINDING_STALE | FINDING_UNWATCHED);
	assert_non_null(key_at(&inventory, dir, "a/b/ec.der"));
	assert_null(key_at(&inventory, dir, "a/link"));

	key = key_at(&inventory, dir, "watched/w.key");
	assert_int_equal(key->watch, 1);
	assert_int_equal(key->findings, 0);
	inventory_fini(&inventory);
	tear_down(&f);
}

static void who_can_read_depends_on_the_way(void **state)
{
	static const struct {
		const char *dir_mode, *file_mode;
		bool world;
	} cases[] = {
		{"755", "644", true},
		{"711", "644", true},
		{"700", "644", false},
		{"755", "640", false},
	};
	const char *dir = *state;
	struct fixture f;

	chmod(dir, 0755);
	set_up(&f, dir);
	shell(dir, NULL, 0, "mkdir a && ssh-keygen -q -t ed25519 -N '' -f a/k");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inventory inventory;

		shell(dir, NULL, 0, "chmod %s a; chmod %s a/k", cases[i].dir_mode,
		      cases[i].file_mode);
		inventory = make(&f, dir, 1000, 0);
		assert_int_equal(inventory.nr, 1);
		if (!(inventory.keys[0].findings & FINDING_WORLD_READABLE) != !cases[i].world)
			fail_msg("case %zu: %x", i, inventory.keys[0].findings);
		inventory_fini(&inventory);
	}
	tear_down(&f);
}

/* --- the policy --------------------------------------------------------------------------------
 */

static void the_policy_leads_to_its_files_only(void **state)
{
	const char *dir = *state;
	struct inventory inventory;
	struct fixture f;

	set_up(&f, dir);
	shell(dir, NULL, 0,
	      "mkdir -p watched/sub other;"
	      "ssh-keygen -q -t ed25519 -N '' -f watched/a.key;"
	      "cp watched/a.key watched/sub/exact; cp watched/a.key watched/sub/near;"
	      "cp watched/a.key watched/x.dmp; cp watched/a.key other/a.key");
	inventory = make(&f, NULL, 100000, 0);
	assert_int_equal(inventory.nr, 2);
	assert_non_null(key_at(&inventory, dir, "watched/a.key"));
	assert_non_null(key_at(&inventory, dir, "watched/sub/exact"));
	assert_int_equal(inventory.keys[0].same_as, 0);
	assert_int_equal(inventory.keys[1].same_as, 1);
	/* A literal way is not searched: the root has more names than this. */
	assert_true(inventory.names < 100);
	inventory_fini(&inventory);
	tear_down(&f);
}

/* --- bounds ------------------------------------------------------------------------------------
 */

static void a_tree_has_a_bound_that_is_told(void **state)
{
	const char *dir = *state;
	struct inventory inventory;
	struct fixture f;

	set_up(&f, dir);
	shell(dir, NULL, 0, "mkdir a; for i in $(seq 50); do echo x >a/$i; done");
	inventory = make(&f, dir, 20, 0);
	assert_true(inventory.bounded);
	assert_int_equal(inventory.names, 20);
	inventory_fini(&inventory);
	shell(dir, NULL, 0, "d=.; for i in $(seq 70); do d=$d/d; done; mkdir -p $d");
	inventory = make(&f, dir, 1000, 0);
	assert_true(inventory.bounded);
	inventory_fini(&inventory);
	tear_down(&f);
}

static void without_its_program_it_fails_at_once(void **state)
{
	const char *dir = *state;
	const char *trees[] = {dir};
	struct inventory inventory = {.nr = 77};
	struct inventory_config config;
	struct fixture f;

	set_up(&f, dir);
	shell(dir, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	config = (struct inventory_config){
		.policy = f.policy,
		.set = f.set,
		.trees = trees,
		.nr_trees = 1,
		.max_names = 100,
		.program = "/nonexistent/keytrail-scan",
	};
	assert_int_equal(inventory_make(&config, &inventory), -ENOENT);
	assert_int_equal(inventory.nr, 77);
	tear_down(&f);
}

static void heads_of_keys_are_known(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool key;
	} cases[] = {
#define B(s) s, sizeof(s) - 1
		{B("-----BEGIN OPENSSH PRIVATE KEY-----"), true},
		{B("-----BEGIN"), false},
		{B("PuTTY-User-Key-File-3: ssh-ed25519"), true},
		{B("(21:protected-private-key(3:rsa"), true},
		{B("Key: (private-key (rsa"), true},
		{B("\x30\x82\x04\xa4\x02\x01\x00\x02\x82"), true}, /* PKCS#1 */
		{B("\x30\x2e\x02\x01\x00\x30\x05\x06"), true}, /* PKCS#8, Ed25519 */
		{B("\x30\x82\x03\x0d\x30\x82\x01\xf5"), false}, /* a certificate */
		{B("\x95\x03\x98\x04"), true}, /* OpenPGP secret key */
		{B("\x7f"
		   "ELF\x02\x01\x01"),
		 false},
		{B("#!/bin/sh\n"), false},
		{B(""), false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (head_is_key((const unsigned char *)cases[i].bytes, cases[i].len) !=
		    cases[i].key)
			fail_msg("case %zu", i);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(keys_are_found_by_what_files_begin_with),
		TEST(who_can_read_depends_on_the_way),
		TEST(the_policy_leads_to_its_files_only),
		TEST(a_tree_has_a_bound_that_is_told),
		TEST(without_its_program_it_fails_at_once),
		cmocka_unit_test(heads_of_keys_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
