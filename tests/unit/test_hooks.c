// SPDX-License-Identifier: GPL-2.0-or-later
/* The probes' object as it is opened, before a kernel is asked for anything. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "sensor/hooks.h"
#include "sensor/kerneltypes.h"
#include "sensor/object.h"
#include "watch.h" /* types that the skeleton names */

#include "keytrail.skel.h"

/* Of a kernel that has one type. */
static struct kernel_types *some_types(void)
{
	struct btf *btf = btf__new_empty();
	struct kernel_types *types;

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	assert_int_equal(kernel_types_new(btf, &types), 0);
	return types;
}

/*
 * Where a program goes hooks.c says when it is loaded: until then it is of a type that needs no
 * target, and libbpf does not look for one by itself.
 */
static void expect_all_taken_over(const struct hooks *hooks, const struct bpf_object *object)
{
	for (size_t i = 0; i < hooks->nr; i++) {
		const char *name = hooks->items[i].spec->program;
		struct bpf_program *program = bpf_object__find_program_by_name(object, name);

		if (!program)
			fail_msg("%s is not in the object", name);
		if (bpf_program__type(program) != BPF_PROG_TYPE_RAW_TRACEPOINT)
			fail_msg("%s (%s) is not asked about", name,
				 bpf_program__section_name(program));
	}
}

static void test_hooks_say_where(void **state)
{
	struct kernel_types *types = some_types();
	struct keytrail_bpf *skel;
	int types_fd = -1;
	struct hooks hooks;

	/* And again, as by a second sensor in the process. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hooks_init(&hooks), 0);
		skel = object_open(types, &types_fd);
		assert_non_null(skel);
		assert_true(types_fd >= 0);
		expect_all_taken_over(&hooks, skel->obj);
		keytrail_bpf__destroy(skel);
		hooks_fini(&hooks);
	}
	close(types_fd);
	kernel_types_free(types);
}

/* Opens under a limit: there is an object, and nothing that it is fitted to. */
static void expect_unfitted(int resource, rlim_t limit)
{
	struct kernel_types *types = some_types();
	struct rlimit before, low;
	struct keytrail_bpf *skel;
	int types_fd = -1;

	assert_int_equal(getrlimit(resource, &before), 0);
	low = before;
	low.rlim_cur = limit;
	assert_int_equal(setrlimit(resource, &low), 0);
	skel = object_open(types, &types_fd);
	assert_int_equal(setrlimit(resource, &before), 0);
	assert_non_null(skel);
	assert_int_equal(types_fd, -1);
	keytrail_bpf__destroy(skel);
	kernel_types_free(types);
}

static void test_no_file_for_types(void **state)
{
	expect_unfitted(RLIMIT_NOFILE, 3);
}

static void test_file_for_types_is_full(void **state)
{
	signal(SIGXFSZ, SIG_IGN);
	expect_unfitted(RLIMIT_FSIZE, 8);
	signal(SIGXFSZ, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hooks_say_where),
		cmocka_unit_test(test_no_file_for_types),
		cmocka_unit_test(test_file_for_types_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
