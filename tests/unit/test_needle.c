// SPDX-License-Identifier: GPL-2.0-or-later
/* Needle files: their form, and that they are of no use to who has only them. */
#include "scan/needle.h"

#include "unit/needlekeys.h"
#include "unit/tmpdir.h"

/* --- the file -----------------------------------------------------------------------------------
 */

static int parse(const char *text, size_t len, struct needles *out)
{
	struct diag_list diags = {0};
	int err = needles_parse("file", text, len, &diags, out);

	assert_int_equal(err == -EINVAL, diags.errors > 0);
	diag_list_fini(&diags);
	return err;
}

static struct needles all_kinds(void)
{
	struct needles needles = one(NULL);
	struct key *keys[] = {key_new("RSA", (void *)2048), key_new("RSA", (void *)1024),
			      key_new("EC", "P-256"),	    key_new("EC", "P-521"),
			      key_new("ED25519", NULL),	    key_new("X25519", NULL),
			      key_new("ED448", NULL)};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct needle needle = {.nr_forms = 0};

		assert_int_equal(needle_make(der_of(keys[i]), file_key, false, &needle), 0);
		snprintf(needle.label, sizeof(needle.label), "key %zu", i);
		needle.expires = 1900000000 + (int64_t)i;
		assert_int_equal(needles_add(&needles, &needle), 0);
		key_free(keys[i]);
	}
	return needles;
}

static void a_file_comes_back_as_it_was(void **state)
{
	struct needles needles = all_kinds(), back;
	struct buf text, again;

	buf_init(&text, 0);
	buf_init(&again, 0);
	assert_int_equal(needles_print(&needles, &text), 0);
	assert_int_equal(parse(text.p, text.len, &back), 0);
	assert_int_equal(back.nr, needles.nr);
	assert_int_equal(needles_print(&back, &again), 0);
	assert_int_equal(text.len, again.len);
	assert_memory_equal(text.p, again.p, text.len);
	assert_string_equal(back.items[2].id.curve, "nistp256");
	assert_int_equal(back.items[1].nr_forms, 0); /* RSA 1024: by its public half only */
	assert_int_equal(back.items[0].public_len, 256);
	assert_ptr_equal(needles_by_spki(&back, needles.items[3].id.spki), &back.items[3]);
	needles_fini(&back);
	needles_fini(&needles);
	buf_fini(&text);
	buf_fini(&again);
}

/* No file that was cut, or in which one character is another one, is taken for the same. */
static void damaged_files_are_refused(void **state)
{
	struct key *key = key_new("EC", "P-256");
	struct needles needles = make_of(der_of(key), false), back;
	struct buf text;
	unsigned taken = 0;

	buf_init(&text, 0);
	assert_int_equal(needles_print(&needles, &text), 0);
	for (size_t len = 0; len < text.len; len++)
		if (parse(text.p, len, &back) == 0) {
			/* Only where a needle ends. */
			assert_true(back.nr == 0);
			needles_fini(&back);
			taken++;
		}
	assert_true(taken <= 1);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		text.p[i] = c == 'g' ? 'h' : 'g'; /* no digit of hex */
		if (parse(text.p, text.len, &back) == 0) {
			needles_fini(&back);
			/* What is base64, and so any letter. */
			assert_non_null(memmem(text.p, text.len, "SHA256:", 7));
		}
		text.p[i] = '\n';
		if (c != '\n')
			assert_int_equal(parse(text.p, text.len, &back), -EINVAL);
		text.p[i] = c;
	}
	buf_fini(&text);
	needles_fini(&needles);
	key_free(key);
}

static void refuse(const struct needles *needles)
{
	struct needles back;
	struct buf text;

	buf_init(&text, 0);
	assert_int_equal(needles_print(needles, &text), 0);
	assert_int_equal(parse(text.p, text.len, &back), -EINVAL);
	buf_fini(&text);
}

static void files_that_tell_too_much_are_refused(void **state)
{
	struct key *key = key_new("EC", "P-256");
	struct needles needles = make_of(der_of(key), false);
	struct needle_form *form = &needles.items[0].forms[0];

	form->windows[form->nr++] = (struct needle_window){.at = 16, .tag = 0x12345600};
	refuse(&needles);
	form->nr--;
	form->tag_bits = 32;
	refuse(&needles);
	needles_fini(&needles);
	key_free(key);
	key = key_new("ED25519", NULL);
	needles = make_of(der_of(key), false);
	needles.items[0].forms[0].windows[0].at = 0;
	needles.items[0].forms[0].windows[7].at = 24;
	refuse(&needles);
	needles_fini(&needles);
	key_free(key);
}

/* --- what a thief has of it
 * ----------------------------------------------------------------------- */

/* Keys that are guessed by whoever knows people are not made into something to check guesses by. */
static void guessable_keys_are_refused(void **state)
{
	static const char *const texts[] = {
		"correct horse battery staple....",
		"0000000000000000",
		"passwordpassword",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"ffffffffffffffffffffffffffffffff",
		"deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
	};
	struct needle needle;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(needle_make((struct bytes){(const uint8_t *)texts[i],
							    strlen(texts[i])},
					     file_key, true, &needle),
				 -EDOM);
	assert_int_equal(needle_make((struct bytes){(const uint8_t *)"short", 5}, file_key, true,
				     &needle),
			 -EINVAL);
}

/* The secret in every form, in runs of every length from 3 bytes on: nowhere in the file. */
static void no_piece_of_the_secret_stands_in_the_file(void **state)
{
	struct key *keys[] = {key_new("RSA", (void *)2048), key_new("EC", "P-256"),
			      key_new("ED25519", NULL)};

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		struct needles needles = make_of(der_of(keys[k]), false);
		struct bytes secret = secret_of(keys[k], 0);
		struct needle *n = &needles.items[0];
		uint8_t form[4096];

		for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
			size_t len = forms[f].put(secret, form);

			for (unsigned i = 0; i < n->nr_forms; i++) {
				/* 4 bytes by chance: one key in some 10^6 */
				for (size_t at = 0; at + 4 <= len; at++) {
					assert_null(memmem(n->forms[i].mac, 16, form + at, 4));
					for (unsigned w = 0; w < n->forms[i].nr; w++) {
						uint32_t tag = n->forms[i].windows[w].tag;

						assert_memory_not_equal(&tag, form + at, 4);
					}
				}
			}
		}
		needles_fini(&needles);
		key_free(keys[k]);
	}
}

/*
 * The attack: guess a piece of w bytes by itself, and let the file say whether it is right. For
 * each w the bits that all tags and MACs of the file tell about pieces of that size are counted, by
 * trying: what a wrong guess has to pass. Less than 8w - told bits of a piece are left to guess.
 * The pieces are disjoint, so an attacker puts them together for the sum of their prices.
 */
static double told_bits(const struct needle *n, struct bytes secret, size_t piece, size_t w)
{
	struct needle_hash hash = needle_hash(file_key);
	bool covered[1024] = {false};
	double told = 0, bytes = 0;

	for (unsigned i = 0; i < n->nr_forms; i++) {
		const struct needle_form *form = &n->forms[i];

		if (form->layout != NEEDLE_BYTES)
			continue;
		/* A MAC answers to who has all of its span. */
		if (form->span <= w)
			return 8.0 * (double)w;
		for (unsigned k = 0; k < form->nr; k++) {
			size_t at = form->windows[k].at;
			uint32_t tag;

			if (at < piece || at + NEEDLE_WINDOW > piece + w)
				continue;
			tag = needle_tag(hash, needle_fold(secret.p + at));
			/* It is this window's tag indeed, or the test proves nothing. */
			assert_int_equal((tag ^ form->windows[k].tag) >> (32 - form->tag_bits), 0);
			told += form->tag_bits;
			memset(covered + at, true, NEEDLE_WINDOW);
		}
	}
	/* Windows overlap: nothing tells more about bytes than there is in them. */
	for (size_t i = 0; i < sizeof(covered); i++)
		bytes += covered[i];
	return told < 8 * bytes ? told : 8 * bytes;
}

static void no_piece_can_be_guessed_by_itself(void **state)
{
	struct {
		const char *type;
		const void *arg;
		double left; /* bits of work, in the end */
		double share; /* of a known bit in what is saved: dlog 1/2, else 1 */
		double all; /* bits of work with nothing known */
	} cases[] = {
		{"EC", "P-256", 112, 0.5, 128},	  {"EC", "secp256k1", 112, 0.5, 128},
		{"EC", "P-384", 128, 0.5, 192},	  {"EC", "P-521", 128, 0.5, 260},
		{"X25519", NULL, 112, 0.5, 126},  {"ED25519", NULL, 112, 1, 256},
		{"ED448", NULL, 112, 1, 456},	  {"AES", (void *)16, 112, 1, 128},
		{"AES", (void *)24, 112, 1, 192}, {"AES", (void *)32, 112, 1, 256},
		{"AES", (void *)64, 112, 1, 512},
	};

	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		struct key *key = NULL;
		struct needles needles;
		struct bytes secret;
		uint8_t raw[64];

		if (!strcmp(cases[c].type, "AES")) {
			secret = (struct bytes){raw, (size_t)cases[c].arg};
			do
				RAND_bytes(raw, (int)secret.len);
			while (memchr(raw, 0, secret.len));
			needles = make_of(secret, true);
		} else {
			key = key_new(cases[c].type, cases[c].arg);
			secret = secret_of(key, 0);
			needles = make_of(der_of(key), false);
		}
		for (size_t w = 1; w < secret.len; w++) {
			double worst = 0;

			/* The best cut into pieces of w bytes: all places of the first one. */
			for (size_t first = 0; first < w; first++) {
				double sum = 0;

				for (size_t at = first; at + w <= secret.len; at += w) {
					double told = told_bits(&needles.items[0], secret, at, w);

					sum += told < 8.0 * (double)w ? told : 8.0 * (double)w;
				}
				worst = sum > worst ? sum : worst;
			}
			if (w < NEEDLE_WINDOW)
				assert_true(worst == 0);
			if (cases[c].all - cases[c].share * worst < cases[c].left)
				fail_msg("%s: pieces of %zu bytes tell %.0f bits", cases[c].type, w,
					 worst);
		}
		needles_fini(&needles);
		if (key)
			key_free(key);
	}
}

/*
 * Trying it: all values of two bytes of the secret, with six bytes beside them known or guessed;
 * a tag of 16 bits lets one in 65536 pass, and the MAC tells nothing as long as a byte elsewhere is
 * not known.
 */
static void tags_let_as_many_guesses_pass_as_they_should(void **state)
{
	uint8_t secret[16], guess[16], mac[16];
	struct needles needles;
	const struct needle_form *form;
	struct needle_hash hash = needle_hash(file_key);
	unsigned passed = 0, proven = 0;

	do
		RAND_bytes(secret, sizeof(secret));
	while (memchr(secret, 0, sizeof(secret)));
	needles = make_of((struct bytes){secret, sizeof(secret)}, true);
	form = &needles.items[0].forms[0];
	for (unsigned i = 0; i < 1 << 22; i++) {
		uint32_t tag;

		if (i % 1024 == 0)
			RAND_bytes(guess, sizeof(guess));
		memcpy(guess + form->windows[0].at, &i, sizeof(i));
		tag = needle_tag(hash, needle_fold(guess + form->windows[0].at));
		if ((tag ^ form->windows[0].tag) >> (32 - form->tag_bits))
			continue;
		passed++;
		assert_int_equal(needle_mac(file_key, NEEDLE_SECRET, NEEDLE_BYTES, guess, 16, mac),
				 0);
		proven += memcmp(mac, form->mac, 16) == 0;
	}
	/* 64 are expected. */
	assert_in_range(passed, 20, 140);
	assert_int_equal(proven, 0);
	needles_fini(&needles);
}

/* Of an RSA key the file depends on 32 bytes of each prime: another key that shares them has the
 * same forms, so nothing else of it can be in there. */
static void rsa_needles_depend_on_a_quarter_of_each_prime(void **state)
{
	struct key *key = key_new("RSA", (void *)2048);
	struct needles needles = make_of(der_of(key), false);
	const struct needle *n = &needles.items[0];
	unsigned tells[2] = {0, 0};

	for (int i = 0; i < 2; i++) {
		struct bytes prime = secret_of(key, i);
		size_t region = 0;

		/* Where the region is: the MAC over big endian bytes says it. */
		for (size_t at = 0; at + 32 <= prime.len; at++) {
			uint8_t mac[16];

			needle_mac(file_key, i ? NEEDLE_PRIME2 : NEEDLE_PRIME1, NEEDLE_BYTES,
				   prime.p + at, 32, mac);
			for (unsigned f = 0; f < n->nr_forms; f++)
				if (!memcmp(mac, n->forms[f].mac, 16))
					region = at;
		}
		assert_true(region > 0);
		/* Each form is found in a prime of which only the region is left. */
		for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
			uint8_t torn[1024], memory[4096];
			size_t len;

			RAND_bytes(torn, (int)prime.len);
			memcpy(torn + region, prime.p + region, 32);
			for (size_t at = 64; at < 72; at += forms[f].align) {
				len = forms[f].put((struct bytes){torn, prime.len}, memory);
				tells[i] += search_at(&needles, memory, len, at, false).nr;
			}
		}
		/* 8 + 8 alignments of bytes, 2 each of digits in 32 bits, 1 in 64 */
		assert_in_range(tells[i], 16, 25);
	}
	needles_fini(&needles);
	key_free(key);
}

static void keys_that_cannot_be_taken_are_told_apart(void **state)
{
	const char *dir = *state;
	static const struct {
		const char *command;
		int error;
	} cases[] = {
		{"ssh-keygen -q -t ed25519 -N secret -f k0", -EACCES},
		{"openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -aes128 "
		 "-pass pass:secret -out k1",
		 -EACCES},
		{"echo nothing > k2", -ENOKEY},
		{": > k3", -ENOKEY},
		{"openssl genpkey -algorithm x448 -out k4", -ENOTSUP},
		{"ssh-keygen -q -t ecdsa -b 384 -N '' -f k5", 0},
		{"openssl ecparam -name prime256v1 -genkey -noout -out k6", 0},
		{"openssl genpkey -algorithm x25519 -out k7", 0},
		{"head -c 32 /dev/zero > k8", -ENOKEY},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct needle needle = {.nr_forms = 0};
		char name[16];
		struct bytes file;

		shell(dir, NULL, 0, "%s", cases[i].command);
		snprintf(name, sizeof(name), "k%zu", i);
		file = slurp(dir, name);
		assert_int_equal(needle_make(file, file_key, false, &needle), cases[i].error);
		needle_fini(&needle);
		free((void *)file.p);
	}
}

/* One seed in some hundreds has a zero in each window of the bytes that are usually taken. */
static void seeds_with_zeros_get_a_needle_that_is_read_back(void **state)
{
	uint8_t file[48] = {0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20};

	for (unsigned quiet = 0; quiet < 4; quiet++) {
		struct needle needle = {.nr_forms = 0};
		struct needles needles, back;
		bool aligned = false;
		struct buf text;

		for (unsigned i = 0; i < 32; i++)
			file[16 + i] = (uint8_t)(i * 167 + 0x91);
		for (unsigned i = 0; i < 32; i += 3)
			if (i / 8 != quiet)
				file[16 + i] = 0;
		/* What starts the seed is never looked at: too little of it would be left. */
		if (!quiet) {
			assert_int_equal(needle_make((struct bytes){file, sizeof(file)}, file_key,
						     false, &needle),
					 -EDOM);
			continue;
		}
		assert_int_equal(needle_make((struct bytes){file, sizeof(file)}, file_key, false,
					     &needle),
				 0);
		needles = one(&needle);
		buf_init(&text, 0);
		assert_int_equal(needles_print(&needles, &text), 0);
		assert_int_equal(parse(text.p, text.len, &back), 0);
		assert_int_equal(back.items[0].forms[0].layout, NEEDLE_BYTES);
		/* The one at a multiple of eight, for which there is no other. */
		for (unsigned i = 0; i < back.items[0].forms[0].nr; i++)
			aligned |= back.items[0].forms[0].windows[i].at == 8 * quiet;
		assert_true(aligned);
		needles_fini(&back);
		needles_fini(&needles);
		buf_fini(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_comes_back_as_it_was),
		cmocka_unit_test(damaged_files_are_refused),
		cmocka_unit_test(files_that_tell_too_much_are_refused),
		cmocka_unit_test(guessable_keys_are_refused),
		cmocka_unit_test(no_piece_of_the_secret_stands_in_the_file),
		cmocka_unit_test(no_piece_can_be_guessed_by_itself),
		cmocka_unit_test(tags_let_as_many_guesses_pass_as_they_should),
		cmocka_unit_test(rsa_needles_depend_on_a_quarter_of_each_prime),
		cmocka_unit_test(seeds_with_zeros_get_a_needle_that_is_read_back),
		cmocka_unit_test_setup_teardown(keys_that_cannot_be_taken_are_told_apart,
						tmpdir_make, tmpdir_clean),
	};

	return cmocka_run_group_tests_name("needle", tests, NULL, NULL);
}
