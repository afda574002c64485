// SPDX-License-Identifier: GPL-2.0-or-later
/* Needle files on disk: signatures hold or do not, what expired goes, what is double is one. */
#include "scan/needle-site.h"

#include <fcntl.h>

#include "unit/needlekeys.h"
#include "unit/tmpdir.h"

static void write_text(const char *path, const struct buf *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text->p, 1, text->len, f), text->len);
	fclose(f);
}

static void write_needles(const char *path, const struct needles *needles)
{
	struct buf text;

	buf_init(&text, 0);
	assert_int_equal(needles_print(needles, &text), 0);
	write_text(path, &text);
	buf_fini(&text);
}

/* Loads, and wants the message to begin so ("" = it is taken). */
static size_t load(const char *path, const uint8_t *site, int64_t now, const char *message)
{
	struct diag_list diags = {0};
	struct needles needles;
	size_t expired = 0;
	int err = needles_load(path, site, now, &diags, &needles, &expired);

	if (*message) {
		assert_int_equal(err, -EINVAL);
		assert_int_equal(diags.nr, 1);
		assert_string_equal(diags.items[0].text, message);
	} else {
		assert_int_equal(err, 0);
		needles_fini(&needles);
	}
	diag_list_fini(&diags);
	return expired;
}

static struct needles of_new_key(int64_t expires)
{
	struct key *key = key_new("ED25519", NULL);
	struct needles needles = make_of(der_of(key), false);

	needles.items[0].expires = expires;
	key_free(key);
	return needles;
}

static void make_site_key(const char *dir, const char *name, uint8_t out[NEEDLE_ED25519])
{
	char path[PATH_MAX];

	shell(dir, NULL, 0, "openssl genpkey -algorithm ed25519 -out %s.pem", name);
	shell(dir, NULL, 0, "openssl pkey -in %s.pem -pubout -out %s.pub", name, name);
	snprintf(path, sizeof(path), "%s/%s.pub", dir, name);
	assert_int_equal(needle_site_key(path, out), 0);
}

static void sign(const struct needles *needles, const char *pem, const char *path)
{
	struct buf text;

	buf_init(&text, 0);
	assert_int_equal(needles_sign(needles, pem, &text), 0);
	write_text(path, &text);
	buf_fini(&text);
}

static void signatures_are_the_sites_or_none(void **state)
{
	struct needles needles = of_new_key(0);
	uint8_t site[NEEDLE_ED25519], other[NEEDLE_ED25519];
	char plain[PATH_MAX], file[PATH_MAX], pem[PATH_MAX];

	make_site_key(*state, "site", site);
	make_site_key(*state, "other", other);
	snprintf(plain, sizeof(plain), "%s/plain", (char *)*state);
	snprintf(file, sizeof(file), "%s/signed", (char *)*state);
	snprintf(pem, sizeof(pem), "%s/site.pem", (char *)*state);
	write_needles(plain, &needles);
	sign(&needles, pem, file);
	load(plain, NULL, 1, "");
	load(file, NULL, 1, "");
	load(file, site, 1, "");
	load(plain, site, 1, "not signed, and a signature is demanded");
	load(file, other, 1, "signed by another key than the site's");
	needles_fini(&needles);
}

/* As openssl itself would say. */
static void openssl_agrees_with_the_signature(void **state)
{
	struct needles needles = of_new_key(0);
	uint8_t site[NEEDLE_ED25519];
	char file[PATH_MAX], pem[PATH_MAX], line[256];

	make_site_key(*state, "site", site);
	snprintf(file, sizeof(file), "%s/signed", (char *)*state);
	snprintf(pem, sizeof(pem), "%s/site.pem", (char *)*state);
	sign(&needles, pem, file);
	shell(*state, NULL, 0,
	      "grep -v '^signature ' signed > body; sed -n 's/^signature [0-9a-f]* //p' signed | "
	      "python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' "
	      "> sig");
	shell(*state, line, sizeof(line),
	      "openssl pkeyutl -verify -rawin -pubin -inkey site.pub -in body -sigfile sig");
	assert_string_equal(line, "Signature Verified Successfully");
	needles_fini(&needles);
}

/* Any byte of it, the signature's own among them. */
static void a_changed_file_is_refused(void **state)
{
	struct needles needles = of_new_key(0);
	uint8_t site[NEEDLE_ED25519];
	char file[PATH_MAX], pem[PATH_MAX];
	struct bytes text;

	make_site_key(*state, "site", site);
	snprintf(file, sizeof(file), "%s/signed", (char *)*state);
	snprintf(pem, sizeof(pem), "%s/site.pem", (char *)*state);
	sign(&needles, pem, file);
	text = slurp(*state, "signed");
	for (size_t at = 0; at < text.len; at += 7) {
		uint8_t *p = (uint8_t *)text.p + at, was = *p;
		struct diag_list diags = {0};
		struct needles back;
		size_t expired;

		*p = was == '1' ? '2' : '1';
		write_text(file, &(struct buf){.p = (char *)text.p, .len = text.len});
		assert_int_equal(needles_load(file, site, 1, &diags, &back, &expired), -EINVAL);
		diag_list_fini(&diags);
		*p = was;
	}
	free((void *)text.p);
	needles_fini(&needles);
}

static void what_expired_is_told_and_left_out(void **state)
{
	struct needles needles = of_new_key(1000), more = of_new_key(2000);
	_cleanup_needle_table_ struct needle_table *table = NULL;
	uint8_t site[NEEDLE_ED25519];
	char file[PATH_MAX], pem[PATH_MAX];

	make_site_key(*state, "site", site);
	snprintf(file, sizeof(file), "%s/signed", (char *)*state);
	snprintf(pem, sizeof(pem), "%s/site.pem", (char *)*state);
	assert_int_equal(needles_merge(&needles, &more), 0);
	needles_fini(&more);
	sign(&needles, pem, file);
	assert_int_equal(load(file, site, 999, ""), 0);
	assert_int_equal(load(file, site, 1000, ""), 1);
	assert_int_equal(load(file, NULL, 5000, ""), 2);
	load(file, site, 5000, "all of it has expired");
	needles_fini(&needles);
}

static void merging_keeps_each_key_once(void **state)
{
	struct needles a = of_new_key(0), b = of_new_key(0), again = {.made = 5};
	struct needles foreign = of_new_key(0);
	struct needle copy = a.items[0];

	/* The same key under another name. */
	memcpy(again.key, file_key, sizeof(file_key));
	copy.public = NULL;
	copy.public_len = 0;
	copy.forms = malloc(copy.nr_forms * sizeof(*copy.forms));
	memcpy(copy.forms, a.items[0].forms, copy.nr_forms * sizeof(*copy.forms));
	snprintf(copy.label, sizeof(copy.label), "renamed");
	assert_int_equal(needles_add(&again, &copy), 0);
	a.has_signature = true;
	assert_int_equal(needles_merge(&a, &b), 0);
	assert_int_equal(a.nr, 2);
	assert_false(a.has_signature);
	assert_int_equal(needles_merge(&a, &again), 0);
	assert_int_equal(a.nr, 2);
	assert_string_equal(a.items[0].label, "renamed");
	foreign.key[0] ^= 1;
	assert_int_equal(needles_merge(&a, &foreign), -EXDEV);
	assert_int_equal(a.nr, 2);
	needles_fini(&a);
	needles_fini(&b);
	needles_fini(&again);
	needles_fini(&foreign);
}

static void the_child_says_the_same_as_the_maker(void **state)
{
	struct key *key = key_new("EC", "P-256");
	struct needles needles = make_of(der_of(key), false);
	struct needle needle = {.nr_forms = 0};
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/key", (char *)*state);
	write_text(path, &(struct buf){.p = (char *)key->der, .len = (size_t)key->der_len});
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(needle_make_file(fd, file_key, false, &needle), 0);
	close(fd);
	assert_int_equal(needle.nr_forms, 1);
	assert_memory_equal(needle.forms[0].mac, needles.items[0].forms[0].mac, 16);
	assert_memory_equal(needle.id.spki, needles.items[0].id.spki, 32);
	needle_fini(&needle);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(needle_make_file(fd, file_key, false, &needle), -ENOKEY);
	close(fd);
	needles_fini(&needles);
	key_free(key);
}

static void other_keys_are_no_site_keys(void **state)
{
	uint8_t key[NEEDLE_ED25519];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/none", (char *)*state);
	assert_int_equal(needle_site_key(path, key), -ENOENT);
	shell(*state, NULL, 0,
	      "openssl genpkey -algorithm x25519 | openssl pkey -pubout -out none");
	assert_int_equal(needle_site_key(path, key), -EINVAL);
	shell(*state, NULL, 0, "echo text > none");
	assert_int_equal(needle_site_key(path, key), -EINVAL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(signatures_are_the_sites_or_none), CASE(openssl_agrees_with_the_signature),
		CASE(a_changed_file_is_refused),	CASE(what_expired_is_told_and_left_out),
		CASE(merging_keeps_each_key_once),	CASE(the_child_says_the_same_as_the_maker),
		CASE(other_keys_are_no_site_keys),
	};

	return cmocka_run_group_tests_name("needle-site", tests, NULL, NULL);
}
