// SPDX-License-Identifier: GPL-2.0-or-later
/* What is given back of a mapping, and what is not. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/pages.h"

#define NR 8

/* Can it be read? As a system call sees it. */
static bool is_there(const char *at)
{
	int null[2];
	bool there;

	assert_int_equal(pipe2(null, O_CLOEXEC), 0);
	there = write(null[1], at, 1) == 1;
	if (!there)
		assert_int_equal(errno, EFAULT);
	close(null[0]);
	close(null[1]);
	return there;
}

static void test_vacate(void **state)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char *all = mmap(NULL, NR * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			 0),
	     *other;

	assert_ptr_not_equal(all, MAP_FAILED);
	memset(all, 'x', NR * page);
	pages_vacate(all + page, page - 1); /* no page as a whole */
	pages_vacate(all + 2 * page - 1, 3 * page + 2); /* three, and a byte on either side */
	for (size_t i = 0; i < NR; i++)
		assert_int_equal(is_there(all + i * page), i < 2 || i > 4);
	assert_int_equal(all[2 * page - 1], 'x');
	assert_int_equal(all[5 * page], 'x');

	/* The place is taken: who asks for it gets another one, and keeps that at the end. */
	other = mmap(all + 3 * page, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(other, MAP_FAILED);
	assert_ptr_not_equal(other, all + 3 * page);
	assert_int_equal(munmap(all, NR * page), 0);
	assert_true(is_there(other));
	munmap(other, page);
}

static void test_release(void **state)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	int fd = memfd_create("pages", MFD_CLOEXEC);
	char *all, byte = 'x';

	assert_int_equal(ftruncate(fd, 2 * (off_t)page), 0);
	assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
	all = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(all, MAP_FAILED);
	pages_release(all, 2 * page);
	assert_int_equal(all[0], 'x');
	munmap(all, 2 * page);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vacate),
		cmocka_unit_test(test_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
