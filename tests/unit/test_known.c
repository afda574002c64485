// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings of known keys and of test keys, through a whole scan of one dump; tokens in it, too. */
#include "scan/known.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "policy/tokenrules.h"
#include "scan/detect-token.h"
#include "scan/dump.h"
#include "scan/test-keys.h"
#include "unit/needlekeys.h"

static void test_keys_are_told_by_their_public_half(void **state)
{
	static const struct {
		const char *spki, *package;
	} list[] = {
#define TEST_KEY(spki, kind, bits, package, path) {spki, package},
#include "scan/test-keys.def"
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct finding f = {.what = FINDING_RSA, .id = {.has_spki = true}};

		for (size_t b = 0; b < 32; b++) {
			char digits[3] = {list[i].spki[2 * b], list[i].spki[2 * b + 1], '\0'};

			f.id.spki[b] = (uint8_t)strtoul(digits, NULL, 16);
		}
		assert_string_equal(test_key(f.id.spki), list[i].package);
		known_name(NULL, &f);
		assert_int_equal(f.class, CLASS_TEST);
		f.class = CLASS_PROVEN;
		f.id.spki[31] ^= 1;
		known_name(NULL, &f);
		assert_int_equal(f.class, CLASS_PROVEN);
	}
}

#define MAX 32

struct seen {
	struct finding items[MAX];
	unsigned nr;
};

static int see(void *userdata, const struct finding *finding)
{
	struct seen *seen = userdata;

	if (finding->what != FINDING_END && seen->nr < MAX)
		seen->items[seen->nr++] = *finding;
	return 0;
}

static unsigned count(const struct seen *seen, enum finding_what what, uint32_t ref)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < seen->nr; i++)
		nr += seen->items[i].what == what && seen->items[i].ref == ref &&
		      seen->items[i].class == CLASS_PROVEN;
	return nr;
}

static void a_scan_knows_keys_and_tokens(void **state)
{
	static const struct dump_events events = {.found = see};
	struct key *rsa = key_new("RSA", (void *)2048), *ec = key_new("EC", "P-256");
	struct needles needles = make_of(der_of(rsa), false), more = make_of(der_of(ec), false);
	struct token_rules rules;
	struct token_search *search = NULL;
	struct diag_list diags = {0};
	struct dump_input input = {.fd = memfd_create("dump", MFD_CLOEXEC), .maps_fd = -1};
	size_t len = 3 << 20;
	uint8_t *memory = calloc(1, len);
	struct seen seen = {.nr = 0};
	/* In two pieces: one that its maker shows. */
	static const char token[] = "ghp_zQWBuTSOoRi4A9spHcVY"
				    "5ncnsDkxkJ0mLq17";

	assert_int_equal(needles_add(&needles, &more.items[0]), 0);
	assert_int_equal(token_rules_load(NULL, &diags, &rules), 0);
	assert_int_equal(token_search_new(&rules, &diags, &search), 0);
	/* On the seam of two windows, too. */
	forms[1].put(secret_of(rsa, 0), memory + (1 << 20) - 64);
	forms[0].put(secret_of(rsa, 1), memory + (1 << 20) + 4097);
	forms[1].put(secret_of(ec, 0), memory + (2 << 20) - 8);
	memcpy(memory + (2 << 20) - 20 - 1000, token, 40);
	/* By the form's detector, and it is the needle's all the same. */
	memcpy(memory + (2 << 20) + 5000, rsa->der, (size_t)rsa->der_len);
	assert_int_equal(write(input.fd, memory, len), (ssize_t)len);
	input.options = (struct scan_options){.workers = 1, .needles = &needles, .tokens = search};
	assert_int_equal(dump_scan(&input, &events, &seen), 0);
	/* Both primes, and both once more in the DER. */
	assert_int_equal(count(&seen, FINDING_KNOWN, 1), 4);
	assert_int_equal(count(&seen, FINDING_STRUCTURE, 1), 1);
	assert_int_equal(count(&seen, FINDING_KNOWN, 2), 1);
	for (unsigned i = 0; i < seen.nr; i++) {
		const struct finding *f = &seen.items[i];
		uint8_t record[FINDING_SIZE];

		finding_encode(f, record);
		assert_null(memmem(record, sizeof(record), token + 4, 8));
		if (f->what != FINDING_TOKEN)
			continue;
		assert_string_equal(rules.items[f->ref - 1].name, "github-token");
		assert_int_equal(f->length, 40);
		assert_int_equal(f->class, CLASS_PROVEN);
		assert_true(f->tag);
	}
	assert_ptr_equal(known_needle(&needles, &(struct finding){.what = FINDING_AES, .ref = 2}),
			 &needles.items[1]);
	assert_null(known_needle(&needles, &(struct finding){.what = FINDING_AES, .ref = 3}));
	close(input.fd);
	token_search_free(search);
	token_rules_fini(&rules);
	diag_list_fini(&diags);
	needles_fini(&needles);
	needles_fini(&more);
	free(memory);
	key_free(rsa);
	key_free(ec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_told_by_their_public_half),
		cmocka_unit_test(a_scan_knows_keys_and_tokens),
	};

	return cmocka_run_group_tests_name("known", tests, NULL, NULL);
}
