// SPDX-License-Identifier: GPL-2.0-or-later
/* What has to go from a dump: every form of a secret, pieces of it, written keys; and nothing else.
 */
#include "scan/redact.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan/detect-aes.h"
#include "scan/redact-written.h"
#include "scan/secret-forms.h"

#define SIZE (3 << 20)

struct seen {
	struct range ranges[256];
	size_t nr;
};

static int see(void *userdata, const struct range *range)
{
	struct seen *seen = userdata;

	assert_true(seen->nr < ARRAY_SIZE(seen->ranges));
	seen->ranges[seen->nr++] = *range;
	return 0;
}

static struct seen find(const uint8_t *memory, size_t size, struct secrets *secrets)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	struct seen seen = {.nr = 0};

	assert_int_equal(write(fd, memory, size), (ssize_t)size);
	assert_int_equal(redact_find(fd, secrets, see, &seen), 0);
	close(fd);
	return seen;
}

static void assert_range(const struct seen *seen, size_t i, uint64_t offset, uint64_t len)
{
	assert_true(i < seen->nr);
	assert_int_equal(seen->ranges[i].offset, offset);
	assert_int_equal(seen->ranges[i].len, len);
}

static struct secrets *secrets_of(struct secret secret)
{
	struct secrets *secrets;

	assert_int_equal(secrets_new(true, &secrets), 0);
	secrets_add(secrets, &secret);
	return secrets;
}

static const uint8_t key[32] = {0x31, 0x85, 0xd2, 0x0f, 0x77, 0x9b, 0xe4, 0x4c, 0x16, 0xa8, 0x5e,
				0xc3, 0x29, 0xf0, 0x62, 0x8d, 0x4b, 0xb7, 0x13, 0xde, 0x90, 0x55,
				0xfa, 0x3c, 0x01, 0x6f, 0xc8, 0x74, 0xeb, 0x22, 0x9d, 0x46};

static void a_key_goes_wherever_it_stands(void **state)
{
	/* Any alignment, the seam of two pieces, the very end; a piece of it, but not a short one.
	 */
	static const size_t at[] = {0, 1001, (1 << 20) - 7, 2 << 20, SIZE - 32};
	_cleanup_secrets_ struct secrets *secrets =
		secrets_of((struct secret){SECRET_KEY, {key, 32}, {NULL}});
	uint8_t *memory = calloc(1, SIZE);
	struct seen seen;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		memcpy(memory + at[i], key, 32);
	memcpy(memory + 5003, key + 9, 17);
	memcpy(memory + 6000, key, 10);
	seen = find(memory, SIZE, secrets);
	assert_int_equal(seen.nr, 6);
	assert_range(&seen, 0, 0, 32);
	assert_range(&seen, 1, 1001, 32);
	assert_range(&seen, 2, 5003, 17);
	assert_range(&seen, 3, (1 << 20) - 7, 32);
	assert_range(&seen, 5, SIZE - 32, 32);
	free(memory);
}

static void schedules_go_with_their_key(void **state)
{
	_cleanup_secrets_ struct secrets *secrets =
		secrets_of((struct secret){SECRET_KEY, {key, 32}, {NULL}});
	uint8_t memory[4096] = {0};
	struct seen seen;

	assert_int_equal(aes_schedule((struct bytes){key, 32}, 0, memory + 100), 240);
	assert_int_equal(aes_schedule((struct bytes){key, 32}, 1, memory + 1000), 240);
	/* A single round, apart from the others. */
	memcpy(memory + 2000, memory + 100 + 5 * 16, 16);
	seen = find(memory, sizeof(memory), secrets);
	assert_int_equal(seen.nr, 3);
	assert_range(&seen, 0, 100, 240);
	assert_range(&seen, 1, 1000, 240);
	assert_range(&seen, 2, 2000, 16);
}

struct laid {
	uint8_t *memory;
	size_t at, covered;
};

static int lay(void *userdata, struct bytes form, size_t run)
{
	struct laid *laid = userdata;

	laid->at += 64;
	memcpy(laid->memory + laid->at, form.p, form.len);
	laid->at += form.len;
	laid->covered += form.len;
	return 0;
}

/* Each form of each number of the key, one after another: nothing of them is left. */
static void all_numbers_of_an_rsa_key_go_in_all_layouts(void **state)
{
	EVP_PKEY *pkey = EVP_RSA_gen(1024);
	BIGNUM *p = NULL, *n = NULL;
	uint8_t prime[64], modulus[128];
	struct laid laid = {.memory = calloc(1, SIZE)};
	struct secret secret = {SECRET_RSA, {prime, 64}, {modulus, 128}};
	_cleanup_secrets_ struct secrets *secrets = NULL;
	static const char *const names[] = {OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR2,
					    OSSL_PKEY_PARAM_RSA_EXPONENT1,
					    OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
	struct seen seen;
	uint64_t gone = 0;

	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &p);
	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n);
	BN_bn2binpad(p, prime, sizeof(prime));
	BN_bn2binpad(n, modulus, sizeof(modulus));
	secrets = secrets_of(secret);
	assert_int_equal(secret_forms(&secret, lay, &laid), 0);
	assert_true(laid.covered > 8 * 64 * 10);
	seen = find(laid.memory, SIZE, secrets);
	for (size_t i = 0; i < seen.nr; i++)
		gone += seen.ranges[i].len;
	/* Ends of forms that are 0 are no secret and may stay. */
	assert_true(gone + laid.covered / 50 >= laid.covered);
	/* What libcrypto says the numbers are, at places of their own. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		BIGNUM *number = NULL;

		EVP_PKEY_get_bn_param(pkey, names[i], &number);
		memset(laid.memory, 0, SIZE);
		BN_bn2lebinpad(number, laid.memory + 4096, BN_num_bytes(number));
		BN_bn2bin(n, laid.memory + 8192); /* public: it stays */
		seen = find(laid.memory, SIZE, secrets);
		assert_int_equal(seen.nr, 1);
		assert_int_equal(seen.ranges[0].offset, 4096);
		assert_true(seen.ranges[0].len >= (size_t)BN_num_bytes(number));
		BN_clear_free(number);
	}
	BN_free(p);
	BN_free(n);
	EVP_PKEY_free(pkey);
	free(laid.memory);
}

static void written_keys_have_an_extent(void **state)
{
	static const struct {
		enum finding_layout layout;
		const char *text;
		size_t size, at, len;
		bool is;
	} cases[] = {
#define T(s) s, sizeof(s) - 1
		{LAYOUT_TEXT, T("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END"), 27, 6, true},
		{LAYOUT_TEXT, T("-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END"), 27, 8, true},
		{LAYOUT_TEXT, T("-----BEGIN PRIVATE KEY-----\nAAAA\0more"), 27, 5, true},
		{LAYOUT_TEXT, T("-----BEGIN PRIVATE KEY-----"), 0, 0, false},
		{LAYOUT_DER, T("\x30\x03\x02\x01\x00more"), 2, 3, true},
		{LAYOUT_DER, T("\x30\x82\x01\x00\x02\x01\x00"), 4, 3, true}, /* cut off */
		{LAYOUT_DER, T("\x31\x03\x02\x01\x00"), 0, 0, false},
		{LAYOUT_OPENSSH, T("openssh-key-v1\0\0\0\0\4none"), 0, 0, false},
		{LAYOUT_LE, T("0123456789"), 0, 0, false},
#undef T
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes bytes = {(const uint8_t *)cases[i].text, cases[i].size};
		size_t at, len;

		assert_int_equal(redact_written_extent(bytes, cases[i].layout, &at, &len),
				 cases[i].is);
		if (!cases[i].is)
			continue;
		assert_int_equal(at, cases[i].at);
		assert_int_equal(len, cases[i].len);
	}
}

static void hidden_ranges_come_too_and_in_order(void **state)
{
	_cleanup_secrets_ struct secrets *secrets =
		secrets_of((struct secret){SECRET_KEY, {key, 32}, {NULL}});
	uint8_t memory[4096] = {0};
	struct seen seen;

	memcpy(memory + 1000, key, 32);
	secrets_hide(secrets, 2000, 50);
	secrets_hide(secrets, 1020, 100);
	secrets_hide(secrets, 10, 5);
	seen = find(memory, sizeof(memory), secrets);
	assert_int_equal(seen.nr, 3);
	assert_range(&seen, 0, 10, 5);
	assert_range(&seen, 1, 1000, 120);
	assert_range(&seen, 2, 2000, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_goes_wherever_it_stands),
		cmocka_unit_test(schedules_go_with_their_key),
		cmocka_unit_test(all_numbers_of_an_rsa_key_go_in_all_layouts),
		cmocka_unit_test(written_keys_have_an_extent),
		cmocka_unit_test(hidden_ranges_come_too_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
