// SPDX-License-Identifier: GPL-2.0-or-later
/* sensor/takeholder.c with a map of one entry that another process may take in between. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "sensor/internal.h"

#define TGID 4711

static struct {
	bool used;
	struct holder holder;
	int counted; /* as the kernel side does: who inserts, and who deletes */
	bool old_kernel;
	/* What happens before the n-th call. */
	unsigned calls, at;
	void (*meanwhile)(void);
} map;

static void step(void)
{
	if (++map.calls == map.at)
		map.meanwhile();
}

static int fails(int error)
{
	errno = error;
	return -error;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	step();
	assert_int_equal(*(const uint32_t *)key, TGID);
	if (!map.used)
		return fails(ENOENT);
	*(struct holder *)value = map.holder;
	return 0;
}

int bpf_map_delete_elem(int fd, const void *key)
{
	step();
	if (!map.used)
		return fails(ENOENT);
	map.used = false;
	return 0;
}

int bpf_map_lookup_and_delete_elem(int fd, const void *key, void *value)
{
	step();
	if (map.old_kernel)
		return fails(524); /* ENOTSUPP */
	if (!map.used)
		return fails(ENOENT);
	*(struct holder *)value = map.holder;
	map.used = false;
	return 0;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	step();
	assert_int_equal(flags, BPF_NOEXIST);
	if (map.used)
		return fails(EEXIST);
	map.used = true;
	map.holder = *(const struct holder *)value;
	return 0;
}

static void holds(uint64_t start)
{
	map.counted += !map.used;
	map.used = true;
	map.holder = (struct holder){.start = start, .nr_keys = (kt_u32)start};
}

static void another_has_the_number(void)
{
	holds(2);
}

static void it_is_gone(void)
{
	map.counted -= map.used;
	map.used = false;
}

static void take(unsigned at, void (*meanwhile)(void), bool taken)
{
	const bool old_kernel = map.old_kernel;

	memset(&map, 0, sizeof(map));
	map.old_kernel = old_kernel;
	holds(1);
	map.at = at;
	map.meanwhile = meanwhile;
	assert_int_equal(holder_take(3, TGID, 1), taken);
	map.counted -= taken;
	assert_int_equal(map.counted, map.used);
}

static void who_is_over_is_taken_out(void **state)
{
	for (int i = 0; i < 2; i++) {
		map.old_kernel = i;
		take(0, NULL, true);
		assert_false(map.used);
	}
}

static void who_has_its_number_by_now_stays(void **state)
{
	map.old_kernel = false;
	for (unsigned at = 1; at <= 2; at++) {
		take(at, another_has_the_number, false);
		assert_true(map.used);
		assert_int_equal(map.holder.start, 2);
		assert_int_equal(map.holder.nr_keys, 2);
	}
	map.old_kernel = true;
	take(1, another_has_the_number, false);
	assert_true(map.used);
}

/* It is put in again before we put it back. */
static void another_twice(void)
{
	holds(2);
	map.at = map.calls + 1;
	map.meanwhile = another_has_the_number;
}

static void what_the_kernel_side_puts_in_meanwhile_stands(void **state)
{
	map.old_kernel = false;
	take(2, another_twice, true); /* one of the two that were counted */
	assert_true(map.used);
	assert_int_equal(map.holder.start, 2);
}

static void who_is_out_already_is_not_counted_twice(void **state)
{
	for (unsigned at = 1; at <= 3; at++) {
		map.old_kernel = at == 3;
		take(at, it_is_gone, false);
		assert_false(map.used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_over_is_taken_out),
		cmocka_unit_test(who_has_its_number_by_now_stays),
		cmocka_unit_test(what_the_kernel_side_puts_in_meanwhile_stands),
		cmocka_unit_test(who_is_out_already_is_not_counted_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
