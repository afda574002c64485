// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dumps that were made to take a scan's time: what looks like keys is tried up to a number and no
 * further, what stands behind it is found all the same, and the verdict says what was not tried.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan/dump.h"
#include "scan/keyfile.h"
#include "scan/windows.h"
#include "unit/numbers.h"

/* --- between the scanner and libcrypto --- */

static unsigned powers; /* modulo something */

int BN_mod_exp(BIGNUM *r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *ctx)
{
	static int (*real)(BIGNUM *, const BIGNUM *, const BIGNUM *, const BIGNUM *, BN_CTX *);

	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "BN_mod_exp");
	powers++;
	return real(r, a, p, m, ctx);
}

/* --- dumps --- */

#define LAST (WINDOW_CORE - 16384) /* in the first piece, keys stand behind it */

struct seen {
	unsigned nr[FINDING_WHAT_NR];
	unsigned last; /* structures from LAST on */
	uint64_t untried[UNTRIED_NR];
	uint64_t flags;
};

static int see(void *userdata, const struct finding *finding)
{
	struct seen *seen = userdata;

	seen->nr[finding->what]++;
	seen->last += finding->what == FINDING_STRUCTURE && finding->offset >= LAST;
	if (finding->what == FINDING_UNTRIED)
		seen->untried[finding->ref] = finding->offset;
	if (finding->what == FINDING_END)
		seen->flags = finding->vaddr;
	return 0;
}

static struct seen scan_for(const uint8_t *p, size_t len, unsigned workers, bool all_the_time)
{
	static const struct dump_events events = {.found = see};
	struct dump_input input = {
		.maps_fd = -1,
		.options = {.workers = workers, .all_the_time = all_the_time},
	};
	struct seen seen = {.flags = 0};

	input.fd = memfd_create("dump", MFD_CLOEXEC);
	assert_true(input.fd >= 0);
	assert_int_equal(write(input.fd, p, len), (ssize_t)len);
	dump_start(&input);
	assert_int_equal(dump_scan(&input, &events, &seen), 0);
	dump_stop(&input);
	close(input.fd);
	return seen;
}

static struct seen scan(const uint8_t *p, size_t len, unsigned workers)
{
	return scan_for(p, len, workers, false);
}

static size_t put_key(uint8_t *to)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	int len = i2d_PrivateKey(pkey, &to);

	EVP_PKEY_free(pkey);
	assert_true(len > 0);
	return (size_t)len;
}

/* The first piece is full of it, in the second one is a key. */
static struct seen scan_decoys(const void *decoy, size_t len, unsigned workers)
{
	uint8_t *p = calloc(1, 2 * (size_t)WINDOW_CORE);
	struct seen seen;

	for (size_t at = 0; at + len <= WINDOW_CORE - 32768; at += len)
		memcpy(p + at, decoy, len);
	put_key(p + WINDOW_CORE + 4096);
	seen = scan(p, 2 * (size_t)WINDOW_CORE, workers);
	free(p);
	return seen;
}

/* --- written forms --- */

/* Forms that are told by their first bytes, and so can be written more often than they are tried.
 * tried: of each MiB at most so many, and no fewer than `least`. told: of these. */
static const struct decoy {
	const char *text;
	size_t len, least, tried, told;
} decoys[] = {
#define DECOY(text, least, tried, ...)                              \
	{                                                           \
		text, sizeof(text) - 1, least, tried, ##__VA_ARGS__ \
	}
	/* PKCS#12, of 16 KiB of short lines. */
	DECOY("\x30\x82\x3f\xf0\x02\x01\x03\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\n\n",
	      1000, 2000, 2000),
	/* Neither PKCS#1 nor DSA. */
	DECOY("\x30\x82\x0f\xf0\x02\x01\x00\x02\x01\x05\x02\x01\x05\x02\x01\x03", 3900, 4000),
	DECOY("openssh-key-v1\0\0\0\0\4none\0\0\0\4none\0\0\0\0\0\0\0\1", 1000, 4000),
	DECOY("PuTTY-User-Key-File-3: x\nEncryption: n\n", 1000, 2000),
	DECOY("(private-key (", 6000, 10000),
	DECOY("-----BEGIN PRIVATE KEY-----\n", 3900, 4000),
	DECOY(" MIICXAIBAAKBgQC/AA", 3900, 4000),
	DECOY("\"kty\"", 19000, 34000),
	DECOY("\"kty\" \"d\"", 1500, 4000),
	DECOY("RSA2\0\4\0\0", 3900, 4000),
	/* PKCS#8 of an algorithm that libcrypto does not know. */
	DECOY("\x30\x2e\2\1\0\x30\5\6\3\x2b\x65\x7f\4\x22\4\x20 no seed, but as long"
	      " as it is\0",
	      3900, 4000, 4000),
};

static void what_looks_written_is_tried_to_a_number(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(decoys); i++) {
		const struct decoy *decoy = &decoys[i];
		struct seen seen = scan_decoys(decoy->text, decoy->len, 1);
		size_t all = (WINDOW_CORE - 32768) / decoy->len;
		uint64_t untried = seen.untried[UNTRIED_WRITTEN];

		if (untried + decoy->tried < all || untried + decoy->least > all)
			fail_msg("decoy %zu: %" PRIu64 " of %zu were not tried", i, untried, all);
		assert_true(seen.flags & SCAN_INCOMPLETE);
		assert_in_range(seen.nr[FINDING_STRUCTURE], 1, 1 + decoy->told);
	}
}

/* Keys behind them in the same MiB: in DER, as text, on a dear curve, and one that only libcrypto
 * knows. */
static size_t put_keys(uint8_t *to)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	BIO *pem = BIO_new(BIO_s_mem());
	char *text;
	long len;

	to += put_key(to) + 64;
	i2d_PrivateKey(pkey, &to);
	to += 64;
	i2d_PrivateKey(other, &to);
	to += 64;
	assert_int_equal(PEM_write_bio_PrivateKey(pem, pkey, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(pem, &text);
	memcpy(to, text, (size_t)len);
	BIO_free(pem);
	EVP_PKEY_free(pkey);
	EVP_PKEY_free(other);
	return 4;
}

static void what_is_tried_hides_nothing_else(void **state)
{
	uint8_t *p = malloc(WINDOW_CORE);

	for (size_t i = 0; i < ARRAY_SIZE(decoys); i++) {
		const struct decoy *decoy = &decoys[i];
		/* Who has more that is as cheap to prove as these keys are hides them. */
		bool proofs = decoy->tried == 4000 && decoy->text[0] != '"';
		size_t nr = proofs ? 3900 : SIZE_MAX, keys;
		struct seen seen;

		memset(p, 0, WINDOW_CORE);
		for (size_t at = 0; nr-- && at + decoy->len < LAST - 16384; at += decoy->len)
			memcpy(p + at, decoy->text, decoy->len);
		keys = put_keys(p + LAST);
		seen = scan(p, WINDOW_CORE, 1);
		if (seen.last != keys)
			fail_msg("decoy %zu: %u keys", i, seen.last);
	}
	free(p);
}

/*
 * n, e and d of 17,000 bits each, no prime: 2^(e * d) takes a second. Heads stand 32 bytes apart
 * and share the numbers behind them, which all end where a head of the next number is.
 */
static void put_nested(uint8_t *p, size_t size)
{
	const unsigned n = 66 * 32 + 5, e = 66 * 32 - 4;
	const uint8_t head[] = {0x30, 0x82, 0x3f, 0xff,	  0x02,	   0x01,
				0x00, 0x02, 0x82, n >> 8, n & 255, 0x41};
	const uint8_t next[] = {0x41, 0x02, 0x82, e >> 8, e & 255, 0x41};

	RAND_bytes(p, (int)size);
	for (size_t at = 0; at + 32 <= size; at += 32) {
		for (size_t i = 0; i < 32; i++)
			p[at + i] = (p[at + i] & 0x7f) | 1;
		memcpy(p + at, head, sizeof(head));
		memcpy(p + at + 15, next, sizeof(next));
	}
}

static void dear_proofs_are_few(void **state)
{
	uint8_t *p = calloc(1, 2 * (size_t)WINDOW_CORE);

	put_nested(p, WINDOW_CORE - 32768);
	put_key(p + WINDOW_CORE + 4096);
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct seen seen;

		powers = 0;
		seen = scan(p, 2 * (size_t)WINDOW_CORE, workers);
		assert_in_range(powers, 0, 2);
		assert_true(seen.untried[UNTRIED_WRITTEN] > 20000);
		assert_true(seen.flags & SCAN_INCOMPLETE);
		assert_int_equal(seen.nr[FINDING_STRUCTURE], 1);
	}
	free(p);
}

/* A key that is cut off before its primes is proven by such a power. */
static void a_proof_that_is_affordable_is_made(void **state)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096);
	uint8_t *p = calloc(1, WINDOW_CORE), *der = NULL;
	int len = i2d_PrivateKey(pkey, &der);
	struct seen seen;

	memcpy(p + 4096, der, 4 + 3 + 4 + 513 + 5 + 4 + 513);
	powers = 0;
	seen = scan(p, WINDOW_CORE, 1);
	assert_int_equal(powers, 2);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 1);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);
	assert_true(len > 0);
	OPENSSL_clear_free(der, (size_t)len);
	EVP_PKEY_free(pkey);
	free(p);
}

static void what_is_told_without_a_proof_has_a_bound_too(void **state)
{
	struct seen seen = scan_decoys("RWRTY0Iy", 8, 1);

	/* minisign's encrypted keys, which all begin in each other */
	assert_in_range(seen.nr[FINDING_STRUCTURE], 1000, 5000);
	assert_true(seen.untried[UNTRIED_WRITTEN] > 100000);
}

/* --- what is ordinary, in front of a key in the same MiB --- */

static uint8_t ordinary[WINDOW_CORE];

/* nr times, or as often as there is room; then a key behind it. */
static struct seen scan_behind(const void *what, size_t len, size_t nr)
{
	size_t at = 4096;

	memset(ordinary, 0, sizeof(ordinary));
	for (size_t i = 0; i < nr && at + len + 8192 < sizeof(ordinary); i++, at += len)
		memcpy(ordinary + at, what, len);
	put_key(ordinary + at + 64);
	return scan(ordinary, sizeof(ordinary), 1);
}

static EVP_PKEY *rsa_key(void)
{
	static EVP_PKEY *pkey; /* takes a second */

	if (!pkey)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096);
	assert_non_null(pkey);
	return pkey;
}

/* PKCS#10 begins as PKCS#8 does: a version, and a SEQUENCE. */
static void requests_for_certificates_cost_next_to_nothing(void **state)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_REQ_get_subject_name(req);
	uint8_t *der = NULL;
	struct seen seen;
	int len;

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"host", -1, -1, 0);
	X509_REQ_set_pubkey(req, rsa_key());
	assert_true(X509_REQ_sign(req, rsa_key(), EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, &der);
	assert_true(len > 1000);
	seen = scan_behind(der, (size_t)len, SIZE_MAX);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 1);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);
	OPENSSL_free(der);
	X509_REQ_free(req);
}

/* What is read of each is what belongs to it, and of what is no private key its first line. */
static void text_is_read_to_its_end(void **state)
{
	static const char public[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3H0Qx7YfWbJv0u8rTqYt1sZk5cGm\n"
		"-----END PUBLIC KEY-----\n";
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	BIO *pem = BIO_new(BIO_s_mem());
	char *text, *body, *end;
	struct seen seen;
	long len;

	seen = scan_behind(public, sizeof(public) - 1, SIZE_MAX);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 1);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);

	assert_int_equal(PEM_write_bio_PrivateKey(pem, pkey, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(pem, &text);
	seen = scan_behind(text, (size_t)len, 2000);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 2001);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);

	/* The same without first and last lines; a semicolon is between two. */
	body = memchr(text, '\n', (size_t)len);
	end = memmem(body, (size_t)(text + len - body), "\n-----END", 9);
	assert_non_null(end);
	*body = ';';
	seen = scan_behind(body, (size_t)(end - body), 2000);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 2001);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);
	BIO_free(pem);
	EVP_PKEY_free(pkey);
}

/* n is not the product of its primes any more, and d no exponent of it. */
static void damaged_keys_do_not_hide_others(void **state)
{
	uint8_t *der = NULL;
	int len = i2d_PrivateKey(rsa_key(), &der);
	struct seen seen;

	assert_true(len > 2000);
	der[100] ^= 1;
	seen = scan_behind(der, (size_t)len, 5);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);
	/* They are told as what may be a key. */
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 6);
	seen = scan_behind(der, (size_t)len, 100);
	assert_true(seen.untried[UNTRIED_WRITTEN] > 0);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 101);
	OPENSSL_clear_free(der, (size_t)len);
}

/* Each is proven by a power, the first time. */
static void copies_of_a_key_are_proven_once(void **state)
{
	uint8_t *der = NULL;
	int len = i2d_PrivateKey(rsa_key(), &der);
	struct seen seen;

	assert_true(len > 2000);
	powers = 0;
	memset(der + 4 + 3 + 4 + 513 + 5 + 4 + 513, 0, 64);
	seen = scan_behind(der, 4 + 3 + 4 + 513 + 5 + 4 + 513 + 64, 100);
	assert_int_equal(powers, 2);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 101);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);
	OPENSSL_clear_free(der, (size_t)len);
}

static void keys_that_are_dear_to_prove_are_proven(void **state)
{
	struct seen seen;
	size_t at = 4096;

	memset(ordinary, 0, sizeof(ordinary));
	for (unsigned i = 0; i < 260; i++, at += 256) {
		EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
		uint8_t *p = ordinary + at;

		assert_true(i2d_PrivateKey(pkey, &p) > 0);
		EVP_PKEY_free(pkey);
	}
	seen = scan(ordinary, sizeof(ordinary), 1);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 260);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);
}

static void who_has_all_the_time_has_no_budget(void **state)
{
	static const char decoy[] = "RSA2\0\4\0";
	struct seen seen = scan_behind(decoy, sizeof(decoy), 10000);

	assert_int_equal(seen.nr[FINDING_STRUCTURE], 0);
	assert_true(seen.untried[UNTRIED_WRITTEN] > 0);
	seen = scan_for(ordinary, sizeof(ordinary), 1, true);
	assert_int_equal(seen.nr[FINDING_STRUCTURE], 1);
	assert_int_equal(seen.nr[FINDING_UNTRIED], 0);
}

/* --- numbers --- */

/* Of 2048 bits, with no factor that is seen at once. */
static void no_prime(BIGNUM *out)
{
	static const BN_ULONG small[] = {3, 5, 17, 257, 641, 7, 13, 97, 241, 11, 31, 41, 61, 151};
	bool has;

	do {
		BN_rand(out, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
		has = false;
		for (size_t i = 0; i < ARRAY_SIZE(small); i++)
			has |= !BN_mod_word(out, small[i]);
	} while (has);
}

/* n = p * q of which p is a prime and q is none: it divides, and then is to be tested for primes.
 */
static void products_that_are_no_keys_are_tested_to_a_number(void **state)
{
	const size_t nr = 500, step = 1024 + 512 + 128;
	uint8_t *p = calloc(nr + 1, step), *to = p;
	BIGNUM *prime = BN_new(), *other = BN_new(), *n = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	struct seen seen;

	assert_int_equal(BN_generate_prime_ex(prime, 2048, 0, NULL, NULL, NULL), 1);
	to += put_bn(to, prime, 2048, LAYOUT_LE) + 64;
	for (size_t i = 0; i < nr; i++, to += 64) {
		no_prime(other);
		BN_mul(n, prime, other, ctx);
		to += put_bn(to, n, 4096, LAYOUT_LE) + 64;
		to += put_bn(to, other, 2048, LAYOUT_LE);
	}
	powers = 0;
	seen = scan(p, (size_t)(to - p), 1);
	/* Two for each: of 800,000,000 steps 2 * 64 * 32^3 */
	assert_in_range(powers, 20, 2 * 192);
	assert_true(seen.untried[UNTRIED_RSA] > 0);
	assert_true(seen.flags & SCAN_INCOMPLETE);
	/* Of hundreds of numbers without a small factor one may be a prime by chance. */
	assert_in_range(seen.nr[FINDING_RSA], 0, 20);
	BN_free(prime);
	BN_free(other);
	BN_free(n);
	BN_CTX_free(ctx);
	free(p);
}

/* Each with one of its primes, and no exponent: for these all that is kept is asked. */
static void hundreds_of_keys_are_told(void **state)
{
	const unsigned nr = 500;
	uint8_t *p = calloc(nr + 1, 512), *to = p;
	BIGNUM *prime = BN_new(), *other = BN_new(), *n = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	struct seen seen;

	for (unsigned i = 0; i <= nr; i++) {
		BN_swap(prime, other);
		assert_int_equal(BN_generate_prime_ex(other, 512, 0, NULL, NULL, NULL), 1);
		if (!i)
			continue;
		BN_mul(n, prime, other, ctx);
		to += put_bn(to, n, 1024, LAYOUT_LE) + 64;
		to += put_bn(to, prime, 512, LAYOUT_LE) + 64;
	}
	seen = scan(p, (size_t)(to - p), 1);
	assert_int_equal(seen.nr[FINDING_RSA], nr);
	assert_int_equal(seen.untried[UNTRIED_RSA], 0);
	BN_clear_free(prime);
	BN_clear_free(other);
	BN_free(n);
	BN_CTX_free(ctx);
	free(p);
}

/* What a hosting server has: 528 moduli of 4096 bits, their primes, and an exponent of each. */
static void hundreds_of_long_keys_are_told(void **state)
{
	enum { PRIMES = 33 };
	uint8_t *p = calloc(PRIMES * PRIMES, 640), *to = p;
	BIGNUM *primes[PRIMES], *x = BN_new(), *e = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	struct seen seen;

	BN_set_word(e, 65537);
	for (unsigned i = 0; i < PRIMES; i++) {
		primes[i] = BN_new();
		assert_int_equal(BN_generate_prime_ex(primes[i], 2048, 0, NULL, NULL, NULL), 1);
		to += put_bn(to, primes[i], 2048, LAYOUT_LE) + 64;
		BN_sub(x, primes[i], BN_value_one());
		if (BN_mod_inverse(x, e, x, ctx))
			to += put_bn(to, x, 2048, LAYOUT_LE) + 64;
	}
	for (unsigned i = 0; i < PRIMES; i++)
		for (unsigned k = 0; k < i; k++) {
			BN_mul(x, primes[i], primes[k], ctx);
			to += put_bn(to, x, 4096, LAYOUT_LE) + 64;
		}
	seen = scan(p, (size_t)(to - p), 1);
	assert_int_equal(seen.nr[FINDING_RSA], PRIMES * (PRIMES - 1) / 2);
	assert_int_equal(seen.untried[UNTRIED_RSA], 0);
	for (unsigned i = 0; i < PRIMES; i++)
		BN_clear_free(primes[i]);
	BN_free(x);
	BN_free(e);
	BN_CTX_free(ctx);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_looks_written_is_tried_to_a_number),
		cmocka_unit_test(what_is_tried_hides_nothing_else),
		cmocka_unit_test(dear_proofs_are_few),
		cmocka_unit_test(a_proof_that_is_affordable_is_made),
		cmocka_unit_test(what_is_told_without_a_proof_has_a_bound_too),
		cmocka_unit_test(requests_for_certificates_cost_next_to_nothing),
		cmocka_unit_test(text_is_read_to_its_end),
		cmocka_unit_test(damaged_keys_do_not_hide_others),
		cmocka_unit_test(copies_of_a_key_are_proven_once),
		cmocka_unit_test(keys_that_are_dear_to_prove_are_proven),
		cmocka_unit_test(who_has_all_the_time_has_no_budget),
		cmocka_unit_test(hundreds_of_keys_are_told),
		cmocka_unit_test(hundreds_of_long_keys_are_told),
		cmocka_unit_test(products_that_are_no_keys_are_tested_to_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
