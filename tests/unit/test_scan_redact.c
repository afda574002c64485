// SPDX-License-Identifier: GPL-2.0-or-later
/* Redacted copies: there is one only if nothing that may be a key is left in it untried. */
#include "cli/scan_redact.c" /* the program is no library */

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/keymaker.h"
#include "unit/tmpdir.h"

#define SIZE (1 << 20)

struct key {
	uint8_t der[48];
	size_t len;
};

/* PKCS#8 of Ed25519, without its public half: there is nothing to find it by but its form. */
static struct key put_key(uint8_t *to)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct key key;
	uint8_t *p = key.der;

	key.len = (size_t)i2d_PrivateKey(pkey, &p);
	assert_int_equal(key.len, sizeof(key.der));
	memcpy(to, key.der, key.len);
	EVP_PKEY_free(pkey);
	return key;
}

static int make_copy(const char *path, const void *p, size_t len)
{
	static const struct scan_options options = {.workers = 1};
	struct redaction redaction;
	int fd = memfd_create("dump", MFD_CLOEXEC), err;

	assert_int_equal(write(fd, p, len), (ssize_t)len);
	err = scan_redact(fd, &options, path, &redaction);
	close(fd);
	return err;
}

static bool holds(const char *path, struct key key)
{
	uint8_t *p = malloc(SIZE);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = read(fd, p, SIZE);
	bool found;

	assert_true(got > 0);
	found = memmem(p, (size_t)got, key.der, key.len) != NULL;
	close(fd);
	free(p);
	return found;
}

/* One key is found, another is behind more of what looks like keys than is tried. */
static void what_was_not_tried_is_not_given_away(void **state)
{
	static const uint8_t decoy[] = {'R', 'S', 'A', '2', 0, 4, 0, 0};
	const char *path = tmpdir_path(state, "copy");
	uint8_t *p = calloc(1, SIZE);
	struct key hidden;
	int err;

	put_key(p + 4096);
	for (size_t i = 0; i < 20000; i++)
		memcpy(p + 8192 + i * sizeof(decoy), decoy, sizeof(decoy));
	hidden = put_key(p + SIZE / 2);
	err = make_copy(path, p, SIZE);
	if (err) {
		assert_int_equal(err, -EOVERFLOW);
		assert_int_equal(access(path, F_OK), -1);
	} else {
		assert_false(holds(path, hidden));
	}
	free(p);
}

/* An ELF core whose only segment goes on behind the end of the file. */
static void what_is_not_in_the_file_hinders_no_copy(void **state)
{
	static const uint8_t head[64 + 56] = {
		0x7f,
		'E',
		'L',
		'F',
		2,
		1,
		1,
		[16] = 4,
		[18] = 62,
		[20] = 1,
		[32] = 64,
		[52] = 64,
		[54] = 56,
		[56] = 1,
		/* PT_LOAD, of 16 MiB from 4096 on */
		[64] = 1,
		[68] = 6,
		[73] = 0x10,
		[82] = 0x40,
		[99] = 1,
		[107] = 1,
	};
	const char *path = tmpdir_path(state, "copy");
	uint8_t *p = calloc(1, SIZE);
	struct key key;

	memcpy(p, head, sizeof(head));
	key = put_key(p + 8192);
	assert_int_equal(make_copy(path, p, SIZE), 0);
	assert_false(holds(path, key));
	free(p);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_not_tried_is_not_given_away),
		CASE(what_is_not_in_the_file_hinders_no_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
