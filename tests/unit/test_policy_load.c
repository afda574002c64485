// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory runs out at each place in turn: every allocation on the way from text to automaton is made
 * to fail once. Nothing crashes, nothing leaks, the result says so and the outputs stay untouched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/watchset.h"

#ifdef __SANITIZE_ADDRESS__

/* The sanitizer has the allocator to itself. */
static void every_allocation_may_fail(void **state)
{
	skip();
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static bool armed;
static long countdown, live;

static bool fails(void)
{
	return armed && countdown-- == 0;
}

static void *counted(void *p)
{
	live += armed && p;
	return p;
}

void *malloc(size_t size)
{
	return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t nr, size_t size)
{
	return fails() ? NULL : counted(__libc_calloc(nr, size));
}

void *realloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	return p ? __libc_realloc(p, size) : counted(__libc_realloc(p, size));
}

void free(void *p)
{
	live -= armed && p;
	__libc_free(p);
}

static const char text[] =
	"version: 1\n"
	"settings: {sd_id: a@1, jsonl: /x, labels: [h1]}\n"
	"watch:\n"
	"- name: a\n"
	"  class: key\n"
	"  paths: ['/a/**/b*', '/a*/*c/d', ~/.ssh/id_*, '/x/[ab]?']\n"
	"  exclude: ['*.pub', known, '/a/b/**', /x/a1]\n"
	"  allow: [{exe: /usr/bin/ssh}, {exe: /usr/bin/python3}]\n"
	"- {name: b, class: dump, paths: ['/x/[ab]?'], exclude: ['*.pub'], zone: z,\n"
	"   expect: [{unit: 'b*', exe: /b, zone: z}]}\n"
	"- {name: c, class: key, paths: [/c], allow: [{user: 1}]}\n"
	"override:\n"
	"- {name: a, severity: low, paths: [/y], allow: [{exe: /y, user: me}]}\n"
	"- {name: c, off: true}\n"
	"exceptions:\n"
	"- {name: e, watch: [a, b], container: 'x*', until: 2000-01-01, reason: r}\n"
	"zones:\n"
	"- {name: z, paths: ['/x/**'], mounts: [/m], units: [b.service, 'c*'],\n"
	"   containers: [d], users: [1, u], hosts: ['h*']}\n";

/* The whole way once; false if something failed. */
static int whole_way(struct diag_list *diags)
{
	static const char *const homes[] = {"/root", "/home/a", "/home/..", "/home/b"};
	struct policy *policy = (void *)diags;
	struct watchset *set = (void *)diags;
	int err = policy_parse("p", text, sizeof(text) - 1, diags, &policy);

	if (err < 0)
		return policy == (void *)diags ? err : -EFAULT;
	err = watchset_compile(policy, homes, ARRAY_SIZE(homes), 1, diags, &set);
	if (err < 0 && set != (void *)diags)
		err = -EFAULT;
	if (err == 0 && watchset_match(set, span_of("/home/b/.ssh/id_x")) != 1)
		err = -EFAULT;
	if (err == 0)
		watchset_free(set);
	policy_free(policy);
	return err;
}

static void every_allocation_may_fail(void **state)
{
	long n, failed = 0;
	int err = -ENOMEM;

	/* What only a message wanted may fail without failing the whole: so to the end, then one
	 * on. */
	for (n = 0; n < 100000; n++) {
		struct diag_list diags = {0};
		bool ran_out;

		live = 0;
		countdown = n;
		armed = true;
		err = whole_way(&diags);
		diag_list_fini(&diags);
		ran_out = countdown < 0;
		armed = false;
		if (err != 0 && err != -ENOMEM)
			fail_msg("allocation %ld: %d", n, err);
		if (live)
			fail_msg("allocation %ld: %ld blocks leaked", n, live);
		failed += err != 0;
		if (!ran_out)
			break;
	}
	assert_int_equal(err, 0);
	assert_true(n > 400);
	assert_true(failed > n * 9 / 10);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
