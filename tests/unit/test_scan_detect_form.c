// SPDX-License-Identifier: GPL-2.0-or-later
/* Written keys, made by the tools whose forms they are: whole, cut off, escaped, in wide letters.
 */
#include "scan/detect-form.h"

#include <openssl/rand.h>

#include "scan/base64.h"
#include "scan/markers.h"
#include "scan/wipe.h"
#include "scan/der.h"
#include "unit/keymaker.h"
#include "unit/tmpdir.h"

#define LEN 65536

struct seen {
	unsigned nr;
	struct finding first;
	size_t secret_len;
};

static void see(void *userdata, const struct finding *finding, const struct secret *secret)
{
	struct seen *seen = userdata;

	if (!seen->nr++) {
		seen->first = *finding;
		seen->secret_len = secret ? secret->value.len : 0;
	}
}

static struct seen search(const uint8_t *p, size_t len)
{
	struct seen seen = {.nr = 0};
	struct form_work work = {.all = false};
	struct form_detect ask = {&work, see, &seen};

	for (enum form_pot pot = 0; pot < FORM_POTS; pot++)
		work.left[pot] = 1000000;
	assert_int_equal(form_detect((struct bytes){p, len}, 0, len, &ask), 0);
	return seen;
}

/* The bytes between zeros, at an odd place. */
static struct seen search_bytes(struct bytes what)
{
	uint8_t *p = calloc(1, LEN);
	struct seen seen;

	memcpy(p + 4099, what.p, what.len);
	seen = search(p, LEN);
	free(p);
	return seen;
}

static void expect(const struct seen *seen, const char *what, enum finding_class class,
		   enum key_kind kind, const char *fingerprint)
{
	if (seen->nr < 1)
		fail_msg("%s: nothing found", what);
	if (seen->first.class != class || seen->first.id.kind != kind)
		fail_msg("%s: %s %s", what, finding_class_str(seen->first.class),
			 key_kind_str(seen->first.id.kind));
	assert_int_equal(seen->first.offset, 4099);
	if (fingerprint)
		assert_string_equal(seen->first.id.ssh_fp, fingerprint);
}

static struct bytes wide(struct bytes text)
{
	uint8_t *p = calloc(2, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		p[2 * i] = text.p[i];
	return (struct bytes){p, 2 * text.len};
}

static struct bytes escaped(struct bytes text)
{
	uint8_t *p = calloc(2, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '\n')
			p[len++] = '\\';
		p[len++] = text.p[i] == '\n' ? 'n' : text.p[i];
	}
	return (struct bytes){p, len};
}

static void pem_is_read_as_programs_keep_it(void **state)
{
	static const struct {
		const char *make;
		enum key_kind kind;
		enum finding_class class;
	} cases[] = {
		{"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k", KEY_RSA,
		 CLASS_PROVEN},
		{"openssl genrsa -traditional -out k 3072", KEY_RSA, CLASS_PROVEN},
		{"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k", KEY_EC,
		 CLASS_PROVEN},
		{"openssl ecparam -name secp384r1 -genkey -noout -out k", KEY_EC, CLASS_PROVEN},
		{"openssl ecparam -name secp521r1 -genkey -noout -out k", KEY_EC, CLASS_PROVEN},
		{"openssl genpkey -algorithm ED25519 -out k", KEY_ED25519, CLASS_LIKELY},
		{"ssh-keygen -q -t rsa -b 2048 -N '' -f k", KEY_RSA, CLASS_PROVEN},
		{"ssh-keygen -q -t ecdsa -b 384 -N '' -f k", KEY_EC, CLASS_PROVEN},
		{"ssh-keygen -q -t ed25519 -N '' -f k", KEY_ED25519, CLASS_PROVEN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes file, other;
		char fp[128];
		struct seen seen;

		shell(*state, NULL, 0, "rm -f k k.pub; %s", cases[i].make);
		shell(*state, fp, sizeof(fp),
		      "chmod 600 k; { ssh-keygen -yf k || openssl pkey -in k -pubout >p && "
		      "ssh-keygen -i -m PKCS8 -f p; } | ssh-keygen -lf - | cut -d' ' -f2");
		file = slurp(*state, "k");
		seen = search_bytes(file);
		expect(&seen, cases[i].make, cases[i].class, cases[i].kind, fp[0] ? fp : NULL);
		assert_true(seen.secret_len > 0);
		other = wide(file);
		seen = search_bytes(other);
		expect(&seen, "wide", cases[i].class, cases[i].kind, fp[0] ? fp : NULL);
		free((void *)other.p);
		other = escaped(file);
		seen = search_bytes(other);
		expect(&seen, "escaped", cases[i].class, cases[i].kind, fp[0] ? fp : NULL);
		free((void *)other.p);
		/* V8 cuts strings off after 1024 letters: n, e and d are before that. */
		if (!i) {
			file.len = 1024;
			seen = search_bytes(file);
			expect(&seen, "cut off", CLASS_PROVEN, KEY_RSA, fp[0] ? fp : NULL);
		}
		free((void *)file.p);
	}
}

static void base64_without_a_head_is_read(void **state)
{
	static const char *const makes[] = {
		"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -outform DER -out k",
		"openssl genrsa -traditional 2048 | openssl rsa -traditional -outform DER -out k",
		"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out k",
		"openssl ecparam -name prime256v1 -genkey -noout -outform DER -out k",
		"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k",
	};

	for (size_t i = 0; i < ARRAY_SIZE(makes); i++) {
		struct bytes file;
		struct seen seen;

		shell(*state, NULL, 0, "%s; base64 -w0 k >b", makes[i]);
		file = slurp(*state, "b");
		seen = search_bytes(file);
		expect(&seen, makes[i], CLASS_PROVEN, i < 2 || i == 4 ? KEY_RSA : KEY_EC, NULL);
		free((void *)file.p);
	}
}

static size_t put_member(char *to, const char *name, const uint8_t *p, size_t len)
{
	char text[2048], *c;

	base64_encode((struct bytes){p, len}, text);
	for (c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return (size_t)sprintf(to, ",\"%s\":\"%s\"", name, text);
}

/* From openssl's text output: what it prints after a title, as bytes. */
static size_t hex_after(const char *dir, const char *title, uint8_t *out)
{
	char text[8192];
	size_t len = 0;

	shell(dir, text, sizeof(text),
	      "openssl pkey -in k -noout -text | sed -n '/^%s/,/^[A-Za-z]/p' | grep '^ ' | "
	      "tr -d ' :\\n'",
	      title);
	for (const char *c = text; c[0] && c[1]; c += 2)
		out[len++] = (uint8_t)strtoul((char[]){c[0], c[1], 0}, NULL, 16);
	while (len && !out[0] && len % 2)
		memmove(out, out + 1, --len);
	return len;
}

static void dashes_are_letters_of_urls(void **state)
{
	uint8_t out[16];
	size_t used;

	assert_int_equal(base64_decode_some(BYTES_STR("--__--__"), out, sizeof(out), &used), 6);
	assert_memory_equal(out, "\xfb\xef\xff\xfb\xef\xff", 6);
	assert_int_equal(base64_decode_some(BYTES_STR("AAAA\n-----END"), out, sizeof(out), &used),
			 3);
	assert_int_equal(used, 5);
	assert_int_equal(base64_decode_some(BYTES_STR("AA\\nAA\""), out, sizeof(out), &used), 3);
}

static void web_keys_are_read(void **state)
{
	char text[8192], quoted[16384];
	uint8_t b[1024];
	size_t len;
	struct seen seen;

	shell(*state, NULL, 0,
	      "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k");
	/* Random text may well hold the letters by which such a key is noticed. */
	len = (size_t)sprintf(text, "{\"kty\":\"RSA\",\"kid\":\"kty_kty-kty\"");
	len += put_member(text + len, "n", b, hex_after(*state, "modulus", b));
	len += (size_t)sprintf(text + len, ",\"e\":\"AQAB\"");
	len += put_member(text + len, "d", b, hex_after(*state, "privateExponent", b));
	len += put_member(text + len, "p", b, hex_after(*state, "prime1", b));
	len += put_member(text + len, "q", b, hex_after(*state, "prime2", b));
	sprintf(text + len, "}");
	seen = search_bytes((struct bytes){(uint8_t *)text, strlen(text)});
	assert_int_equal(seen.nr, 1);
	assert_int_equal(seen.first.class, CLASS_PROVEN);
	assert_int_equal(seen.first.layout, LAYOUT_JSON);
	/* In a string of JSON. */
	len = 0;
	for (const char *c = text; *c; c++) {
		if (*c == '"')
			quoted[len++] = '\\';
		quoted[len++] = *c;
	}
	assert_int_equal(search_bytes((struct bytes){(uint8_t *)quoted, len}).nr, 1);
	/* Cut off after d. */
	assert_int_equal(search_bytes((struct bytes){(uint8_t *)text,
						     (size_t)(strstr(text, "\"q\"") - text)})
				 .nr,
			 1);
	/* A public one is none; nor is one whose numbers do not belong together. */
	*strstr(text, "\"d\"") = '_';
	assert_int_equal(search_bytes((struct bytes){(uint8_t *)text, strlen(text)}).nr, 0);

	shell(*state, NULL, 0, "openssl genpkey -algorithm ED25519 -out k");
	len = (size_t)sprintf(text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\"");
	len += put_member(text + len, "d", b, hex_after(*state, "priv", b));
	len += put_member(text + len, "x", b, hex_after(*state, "pub", b));
	sprintf(text + len, "}");
	seen = search_bytes((struct bytes){(uint8_t *)text, strlen(text)});
	assert_int_equal(seen.nr, 1);
	assert_int_equal(seen.first.class, CLASS_PROVEN);
	assert_int_equal(seen.first.id.kind, KEY_ED25519);
}

static void blobs_of_windows_are_read(void **state)
{
	struct bytes file;
	struct seen seen;
	uint8_t blob[2048] = {0}, *to;
	size_t p, q;

	shell(*state, NULL, 0,
	      "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k; "
	      "openssl rsa -in k -outform MSBLOB -out b 2>&1");
	file = slurp(*state, "b");
	seen = search_bytes(file);
	expect(&seen, "CAPI", CLASS_PROVEN, KEY_RSA, NULL);
	((uint8_t *)file.p)[300] ^= 1;
	assert_int_equal(search_bytes(file).nr, 0);
	free((void *)file.p);

	memcpy(blob, "RSA2\0\10\0\0\3\0\0\0\0\1\0\0\200\0\0\0\200\0\0\0\1\0\1", 27);
	to = blob + 27;
	assert_int_equal(hex_after(*state, "modulus", to), 256);
	p = hex_after(*state, "prime1", to + 256);
	q = hex_after(*state, "prime2", to + 384);
	assert_true(p == 128 && q == 128);
	seen = search_bytes((struct bytes){blob, 27 + 512});
	expect(&seen, "CNG", CLASS_PROVEN, KEY_RSA, NULL);
}

static void lines_are_read(void **state)
{
	/* age's own example (its README), wg's from random bytes, minisign's made here. */
	static const char age[] =
		"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQS";
	uint8_t seed[33] = {0}, raw[158] = "Ed\0\0B2";
	char text[1024], b64[512];
	struct seen seen;

	/* A letter changed is another checksum. */
	assert_int_equal(search_bytes(BYTES_STR(age)).nr, 0);
	RAND_bytes(seed, 32);
	seed[0] &= 248;
	seed[31] = (seed[31] & 127) | 64;
	base64_encode((struct bytes){seed, 32}, b64);
	snprintf(text, sizeof(text), "PrivateKey = %s=\n", b64);
	seen = search_bytes((struct bytes){(uint8_t *)text, strlen(text)});
	expect(&seen, "wg", CLASS_LIKELY, KEY_X25519, NULL);
	text[13] = 'B';
	seed[0] = 1;
	base64_encode((struct bytes){seed, 32}, b64);
	snprintf(text, sizeof(text), "PrivateKey = %s=\n", b64);
	assert_int_equal(search_bytes((struct bytes){(uint8_t *)text, strlen(text)}).nr, 0);

	memcpy(raw + 2, "Sc", 2);
	base64_encode((struct bytes){raw, sizeof(raw)}, b64);
	seen = search_bytes((struct bytes){(uint8_t *)b64, strlen(b64)});
	expect(&seen, "minisign", CLASS_ENCRYPTED, KEY_NONE, NULL);
}

static void stores_are_told(void **state)
{
	static const uint8_t keytab[] =
		"\5\2\0\0\0\x42\0\1\0\xbREALM.LOCAL\0\4host\0\0\0\1\x66\0\0\0\3\0\x12\0\x20"
		"0123456789abcdefghijklmnopqrstuv";
	static const uint8_t jks[] = "\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1\0\5mykey";
	uint8_t state_of[64] = "expand 32-byte k";
	struct seen seen = search_bytes((struct bytes){keytab, sizeof(keytab) - 1});

	expect(&seen, "keytab", CLASS_LIKELY, KEY_NONE, NULL);
	assert_int_equal(seen.secret_len, 32);
	seen = search_bytes((struct bytes){jks, sizeof(jks) - 1});
	expect(&seen, "jks", CLASS_ENCRYPTED, KEY_NONE, NULL);
	for (unsigned i = 0; i < 32; i++)
		state_of[16 + i] = (uint8_t)(i * 167 + 0x91);
	seen = search_bytes((struct bytes){state_of, 64});
	expect(&seen, "chacha", CLASS_EPHEMERAL, KEY_NONE, NULL);
	memset(state_of + 16, 0, 32);
	assert_int_equal(search_bytes((struct bytes){state_of, 64}).nr, 0);
}

static void on_marker(void *userdata, size_t at, unsigned groups)
{
	uint64_t *sum = userdata;

	*sum = *sum * 31 + at * 8 + groups;
}

static void plain_and_vector_code_find_the_same_markers(void **state)
{
	static const struct marker3 list[] = {{"ABC", 0},
					      {{2, 1, 0}, 1},
					      {"MII", 2},
					      {{0, 0, 1}, 7}};
	struct markers markers;
	uint8_t *p = malloc(4096);

	markers_init(&markers, list, ARRAY_SIZE(list));
	RAND_bytes(p, 4096);
	for (size_t i = 0; i < 4096; i++)
		p[i] = i % 7 ? p[i] & 3 : "ABCMI\0\1\2"[p[i] & 7];
	for (size_t from = 0; from < 40; from++)
		for (size_t len = from; len < from + 80; len++) {
			uint64_t a = 0, b = 0;

			markers_find(&markers, (struct bytes){p, len}, from, len, on_marker, &a);
			markers_find_plain(&markers, (struct bytes){p, len}, from, len, on_marker,
					   &b);
			assert_true(a == b);
		}
	free(p);
}

static void what_holds_no_key_is_silent(void **state)
{
	uint8_t *p = malloc(1 << 20);
	struct bytes file;

	RAND_bytes(p, 1 << 20);
	assert_int_equal(search(p, 1 << 20).nr, 0);
	free(p);
	assert_int_equal(search_bytes(
				 BYTES_STR("-----BEGIN PRIVATE KEY-----\0openssh-key-v1\0"
					   "AGE-SECRET-KEY-1 PrivateKey = (private-key \"kty\""))
				 .nr,
			 0);
	shell(*state, NULL, 0,
	      "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj /CN=x -out c 2>&1; "
	      "openssl x509 -in c -outform DER -out d; openssl pkey -in k -pubout >>c");
	file = slurp(*state, "c");
	assert_int_equal(search_bytes(file).nr, 0);
	free((void *)file.p);
	file = slurp(*state, "d");
	assert_int_equal(search_bytes(file).nr, 0);
	free((void *)file.p);
}

/* Two bytes in the middle are lost, where dP was: its primes are there all the same. */
static void a_damaged_key_of_rsa_is_none_of_dsa(void **state)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	uint8_t *der = NULL;
	int len = i2d_PrivateKey(pkey, &der);
	struct bytes rest = {der, (size_t)len}, content, number;
	struct seen seen;

	assert_true(der_expect(&rest, DER_SEQUENCE, &content));
	for (unsigned i = 0; i < 6; i++)
		assert_true(der_number(&content, &number));
	memset(der + (content.p - der), 'X', 2);
	seen = search_bytes((struct bytes){der, (size_t)len});
	assert_int_equal(seen.nr, 1);
	assert_int_equal(seen.first.class, CLASS_PROVEN);
	assert_int_equal(seen.first.id.kind, KEY_RSA);
	OPENSSL_clear_free(der, (size_t)len);
	EVP_PKEY_free(pkey);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
		CASE(pem_is_read_as_programs_keep_it),
		CASE(base64_without_a_head_is_read),
		CASE(dashes_are_letters_of_urls),
		CASE(web_keys_are_read),
		CASE(blobs_of_windows_are_read),
		CASE(lines_are_read),
		CASE(stores_are_told),
		CASE(plain_and_vector_code_find_the_same_markers),
		CASE(what_holds_no_key_is_silent),
		cmocka_unit_test(a_damaged_key_of_rsa_is_none_of_dsa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
