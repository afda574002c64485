// SPDX-License-Identifier: GPL-2.0-or-later
/* Secrets of one scan: equal ones have equal tags, others' tags say nothing, what is kept comes
 * back whole. */
#include "scan/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

static struct secret text(const char *s)
{
	return (struct secret){.kind = SECRET_TEXT, .value = {(const uint8_t *)s, strlen(s)}};
}

static void equal_secrets_have_equal_tags(void **state)
{
	_cleanup_secrets_ struct secrets *one = NULL, *other = NULL;
	struct secret a = text("one secret"), b = text("another secret"), a_key = a;
	struct secret p = {SECRET_RSA, BYTES_STR("p"), BYTES_STR("n")};
	struct secret q = {SECRET_RSA, BYTES_STR("q"), BYTES_STR("n")};

	a_key.kind = SECRET_KEY;
	assert_int_equal(secrets_new(false, &one), 0);
	assert_int_equal(secrets_new(false, &other), 0);
	assert_int_not_equal(secrets_add(one, &a), 0);
	assert_true(secrets_add(one, &a) == secrets_add(one, &a));
	assert_true(secrets_add(one, &a) != secrets_add(one, &b));
	assert_true(secrets_add(one, &a) != secrets_add(one, &a_key));
	assert_true(secrets_add(one, &p) == secrets_add(one, &q)); /* one key by either prime */
	/* Another scan, another key: tags of two scans cannot be compared. */
	assert_true(secrets_add(one, &a) != secrets_add(other, &a));
	assert_int_equal(secrets_nr(one), 0);
}

static void kept_secrets_come_back_once_each(void **state)
{
	_cleanup_secrets_ struct secrets *secrets = NULL;
	struct secret a = text("one secret");
	struct secret rsa = {SECRET_RSA, BYTES_STR("prime"), BYTES_STR("modulus")};
	struct secret back;

	assert_int_equal(secrets_new(true, &secrets), 0);
	secrets_add(secrets, &a);
	secrets_add(secrets, &rsa);
	secrets_add(secrets, &a);
	assert_int_equal(secrets_nr(secrets), 2);
	back = secrets_get(secrets, 1);
	assert_int_equal(back.kind, SECRET_RSA);
	assert_true(bytes_is(back.value, "prime"));
	assert_true(bytes_is(back.modulus, "modulus"));
	assert_false(secrets_full(secrets));
}

static void what_does_not_fit_is_said(void **state)
{
	_cleanup_secrets_ struct secrets *secrets = NULL;
	uint8_t long_one[SECRET_BYTES_MAX + 1] = {0};
	struct secret s = {.kind = SECRET_KEY, .value = {long_one, sizeof(long_one)}};

	assert_int_equal(secrets_new(true, &secrets), 0);
	assert_int_not_equal(secrets_add(secrets, &s), 0);
	assert_true(secrets_full(secrets));
	assert_int_equal(secrets_nr(secrets), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_secrets_have_equal_tags),
		cmocka_unit_test(kept_secrets_come_back_once_each),
		cmocka_unit_test(what_does_not_fit_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
