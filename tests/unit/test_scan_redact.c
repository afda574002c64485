// SPDX-License-Identifier: GPL-2.0-or-later
/* Redacted copies: there is one only if nothing that may be a key is left in it untried. */
#include "cli/scan_redact.c" /* the program is no library */

#include <openssl/evp.h>
#include <openssl/rand.h>
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

static const struct scan_options options = {.workers = 1};

static int dump_of(const void *p, size_t len)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);

	assert_int_equal(write(fd, p, len), (ssize_t)len);
	return fd;
}

static int make_copy(const char *path, const void *p, size_t len, struct redaction *out_redaction)
{
	int fd = dump_of(p, len), err;

	err = scan_redact(fd, &options, path, out_redaction);
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
	struct redaction redaction;

	put_key(p + 4096);
	for (size_t i = 0; i < 20000; i++)
		memcpy(p + 8192 + i * sizeof(decoy), decoy, sizeof(decoy));
	put_key(p + SIZE / 2);
	assert_int_equal(make_copy(path, p, SIZE, &redaction), -EOVERFLOW);
	assert_true(redaction.untried[UNTRIED_WRITTEN] > 0);
	assert_int_equal(redaction.untried[UNTRIED_RSA], 0);
	assert_int_equal(access(path, F_OK), -1);
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
	struct redaction redaction;
	struct key key;

	memcpy(p, head, sizeof(head));
	key = put_key(p + 8192);
	assert_int_equal(make_copy(path, p, SIZE, &redaction), 0);
	assert_false(holds(path, key));
	free(p);
}

static int see_flags(void *userdata, const struct finding *finding)
{
	uint64_t *flags = userdata;

	if (finding->what == FINDING_END)
		*flags = finding->vaddr;
	return 0;
}

/* A heap of hashes: more than a scan tries as seeds, and one among the last is one. */
static void what_is_much_is_tried_for_longer(void **state)
{
	static const struct scanner_events scan = {.found = see_flags};
	const char *path = tmpdir_path(state, "copy");
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t *p = calloc(1, SIZE);
	struct scanner_input input = {.maps_fd = -1, .options = options};
	size_t len = 32, at = 4096;
	struct redaction redaction;
	struct key seed = {.len = 32};
	uint64_t flags = 0;

	for (unsigned i = 0; i < 8000; i++, at += 96)
		RAND_bytes(p + at, 32);
	EVP_PKEY_get_raw_private_key(pkey, seed.der, &len);
	memcpy(p + at, seed.der, 32);
	EVP_PKEY_get_raw_public_key(pkey, p + at + 96, &len);
	put_key(p + at + 4096);
	input.fd = dump_of(p, SIZE);
	assert_int_equal(scanner_run(&input, &scan, &flags), 0);
	assert_true(flags & SCAN_INCOMPLETE);
	close(input.fd);
	assert_int_equal(make_copy(path, p, SIZE, &redaction), 0);
	assert_false(holds(path, seed));
	EVP_PKEY_free(pkey);
	free(p);
}

/* A seed amid other bytes, behind and before more such, with their lengths and without, than a scan
 * tries. Nothing but a flag of the verdict says that. */
static void what_stands_amid_other_bytes_is_not_given_away(void **state)
{
	static const uint8_t head[] = {8, 5, 10, 32};
	const char *path = tmpdir_path(state, "copy");
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t *p = calloc(1, SIZE);
	size_t len = 32, at = 4096;
	struct redaction redaction;
	struct key seed = {.len = 32};

	for (unsigned i = 0; i < 5000; i++, at += 96) {
		memcpy(p + at, head, sizeof(head));
		RAND_bytes(p + at + (i & 1 ? 4 : 12), 32);
		memcpy(p + at + 44, "name-of-file", 12);
	}
	EVP_PKEY_get_raw_private_key(pkey, seed.der, &len);
	memcpy(p + at + 12, seed.der, 32);
	memcpy(p + at + 44, "name", 4);
	EVP_PKEY_get_raw_public_key(pkey, p + at + 192, &len);
	put_key(p + at + 4096);
	assert_int_equal(make_copy(path, p, SIZE, &redaction), 0);
	assert_false(holds(path, seed));
	EVP_PKEY_free(pkey);
	free(p);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_not_tried_is_not_given_away),
		CASE(what_is_not_in_the_file_hinders_no_copy),
		CASE(what_stands_amid_other_bytes_is_not_given_away),
		CASE(what_is_much_is_tried_for_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
