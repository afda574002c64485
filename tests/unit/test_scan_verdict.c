// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings become keys with places; verdicts become JSON and SARIF of the documented form. */
#include "scanq/scan_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* These belong to the program, not to the library that tests are linked with. */
#include "cli/scan_json.c"
#include "cli/scan_sarif.c"

static const struct scan_about core = {
	.container = CONTAINER_ELF,
	.pid = 42,
	.signal = 11,
	.exe = "/usr/sbin/nginx",
	.command = "nginx",
};

static struct finding rsa(uint8_t which, uint64_t offset)
{
	struct finding f = {
		.what = FINDING_RSA,
		.class = CLASS_PROVEN,
		.layout = LAYOUT_LE,
		.bits = 2048,
		.offset = offset,
		.has_vaddr = true,
		.vaddr = 0x7f0000000000 + offset,
		.tag = 1000 + which,
		.id = {.kind = KEY_RSA, .bits = 2048, .has_spki = true},
	};

	memset(f.id.spki, which, sizeof(f.id.spki));
	snprintf(f.id.ssh_fp, sizeof(f.id.ssh_fp), "SHA256:%u", which);
	return f;
}

static struct finding aes(uint64_t tag, uint64_t offset, enum finding_class class)
{
	return (struct finding){
		.what = FINDING_AES,
		.class = class,
		.layout = LAYOUT_ENCRYPT,
		.bits = 256,
		.offset = offset,
		.tag = tag,
	};
}

static void add(struct scan_verdict *v, struct finding f)
{
	assert_int_equal(scan_verdict_add(v, &f), 0);
}

static void end(struct scan_verdict *v, unsigned flags)
{
	add(v, (struct finding){.what = FINDING_END, .offset = 4096, .vaddr = flags});
	scan_verdict_sort(v);
}

static void one_key_at_many_places_is_one_entry(void **state)
{
	struct scan_verdict v;
	struct finding pem = rsa(1, 100);

	scan_verdict_init(&v, &core);
	pem.what = FINDING_STRUCTURE;
	pem.layout = LAYOUT_TEXT;
	snprintf(pem.id.comment, sizeof(pem.id.comment), "deploy");
	add(&v, aes(7, 50, CLASS_LIKELY));
	add(&v, rsa(1, 900));
	add(&v, pem);
	add(&v, rsa(1, 900)); /* seen twice, one place */
	add(&v, aes(7, 10, CLASS_LIKELY));
	add(&v, aes(8, 20, CLASS_LIKELY));
	add(&v, rsa(2, 5));
	end(&v, SCAN_CORE);
	assert_int_equal(v.nr_keys, 4);
	/* The worst first, then by place. */
	assert_int_equal(v.keys[0].places[0].offset, 5);
	assert_int_equal(v.keys[1].nr_places, 2);
	assert_int_equal(v.keys[1].places[0].offset, 100);
	assert_string_equal(v.keys[1].finding.id.comment, "deploy");
	assert_int_equal(v.keys[2].nr_places, 2);
	assert_int_equal(v.keys[2].places[0].offset, 10);
	assert_int_equal(v.bytes, 4096);
	assert_int_equal(scan_verdict_outcome(&v), OUTCOME_FOUND);
	scan_verdict_fini(&v);
}

static void what_nothing_names_is_never_put_together(void **state)
{
	struct scan_verdict v;

	scan_verdict_init(&v, &core);
	add(&v, aes(0, 1, CLASS_LIKELY));
	add(&v, aes(0, 2, CLASS_LIKELY));
	assert_int_equal(v.nr_keys, 2);
	scan_verdict_fini(&v);
}

static void keys_and_places_are_bounded_and_counted(void **state)
{
	struct scan_verdict v;

	scan_verdict_init(&v, &core);
	for (unsigned i = 0; i < VERDICT_PLACES_MAX + 3; i++)
		add(&v, rsa(1, 8 * i));
	for (unsigned i = 0; i < VERDICT_KEYS_MAX + 4; i++)
		add(&v, aes(1 + i, i, CLASS_LIKELY));
	assert_int_equal(v.nr_keys, VERDICT_KEYS_MAX);
	assert_int_equal(v.keys[0].nr_places, VERDICT_PLACES_MAX);
	assert_int_equal(v.keys[0].places_left_out, 3);
	assert_int_equal(v.findings_left_out, 5);
	scan_verdict_fini(&v);
}

/* Who fills a dump with what counts for little does not hide what counts. */
static void what_is_proven_takes_the_place_of_what_is_not(void **state)
{
	struct scan_verdict v;

	scan_verdict_init(&v, &core);
	for (unsigned i = 0; i < VERDICT_KEYS_MAX; i++)
		add(&v, aes(1 + i, i, CLASS_EPHEMERAL));
	add(&v, aes(VERDICT_KEYS_MAX + 1, 1, CLASS_EPHEMERAL));
	assert_int_equal(v.findings_left_out, 1);
	add(&v, rsa(1, 900));
	add(&v, rsa(1, 1000));
	assert_int_equal(v.nr_keys, VERDICT_KEYS_MAX);
	assert_int_equal(v.findings_left_out, 2);
	scan_verdict_sort(&v);
	assert_int_equal(v.keys[0].finding.what, FINDING_RSA);
	assert_int_equal(v.keys[0].nr_places, 2);
	assert_int_equal(scan_verdict_outcome(&v), OUTCOME_FOUND);
	scan_verdict_fini(&v);
}

static void what_was_not_tried_is_said(void **state)
{
	struct scan_verdict v;
	json_t *object, *untried;

	scan_verdict_init(&v, &core);
	add(&v, (struct finding){.what = FINDING_UNTRIED, .ref = UNTRIED_WRITTEN, .offset = 7});
	add(&v, (struct finding){.what = FINDING_UNTRIED, .ref = UNTRIED_RSA, .offset = 3});
	end(&v, SCAN_INCOMPLETE);
	assert_int_equal(v.nr_keys, 0);
	assert_int_equal(scan_verdict_outcome(&v), OUTCOME_PARTIAL);
	object = scan_json("core", &v, NULL);
	untried = json_object_get(object, "untried");
	assert_int_equal(json_object_size(untried), 2);
	assert_int_equal(json_integer_value(json_object_get(untried, "written")), 7);
	assert_int_equal(json_integer_value(json_object_get(untried, "rsa")), 3);
	json_decref(object);
	scan_verdict_fini(&v);
}

static void severity_follows_class_and_what_is_known(void **state)
{
	static const struct {
		enum finding_class class;
		enum finding_what what;
		const char *label, *zone;
		bool expired;
		enum severity severity;
	} cases[] = {
		{CLASS_PROVEN, FINDING_RSA, NULL, NULL, false, SEV_HIGH},
		{CLASS_PROVEN, FINDING_RSA, "web", "prod", false, SEV_CRITICAL},
		{CLASS_PROVEN, FINDING_AES, "backup", NULL, false, SEV_CRITICAL},
		{CLASS_PROVEN, FINDING_RSA, "web", "prod", true, SEV_MEDIUM},
		{CLASS_PROVEN, FINDING_RSA, "web", "testing", false, SEV_MEDIUM},
		{CLASS_LIKELY, FINDING_STRUCTURE, NULL, NULL, false, SEV_MEDIUM},
		{CLASS_LIKELY, FINDING_AES, NULL, NULL, false, SEV_LOW},
		{CLASS_ENCRYPTED, FINDING_STRUCTURE, NULL, NULL, false, SEV_LOW},
		{CLASS_TEST, FINDING_RSA, NULL, NULL, false, SEV_INFO},
		{CLASS_EPHEMERAL, FINDING_AES, NULL, NULL, false, SEV_INFO},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct found_key key = {
			.finding = {.class = cases[i].class, .what = cases[i].what},
			.label = cases[i].label,
			.zone = cases[i].zone,
			.expired = cases[i].expired,
		};

		assert_int_equal(found_key_severity(&key), cases[i].severity);
		assert_int_equal(found_key_counts(&key), cases[i].severity > SEV_INFO);
	}
}

static void clean_is_only_what_was_seen_whole(void **state)
{
	static const struct {
		unsigned flags;
		enum scan_outcome outcome;
	} cases[] = {
		{0, OUTCOME_CLEAN},
		{SCAN_CORE, OUTCOME_CLEAN},
		/* All that is in the file was seen. */
		{SCAN_CORE | SCAN_TRUNCATED, OUTCOME_CLEAN},
		{SCAN_FILTERED | SCAN_ERASED, OUTCOME_CLEAN},
		{SCAN_INCOMPLETE, OUTCOME_PARTIAL},
		{SCAN_UNREADABLE, OUTCOME_PARTIAL},
		{SCAN_DAMAGED, OUTCOME_PARTIAL},
		{SCAN_EXPANDS, OUTCOME_PARTIAL},
		{SCAN_TOO_DEEP, OUTCOME_PARTIAL},
		{SCAN_LOCKED, OUTCOME_PARTIAL},
		{SCAN_TIME_UP, OUTCOME_PARTIAL},
		{SCAN_CHANGED, OUTCOME_PARTIAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scan_verdict v;

		scan_verdict_init(&v, &core);
		add(&v, aes(1, 1, CLASS_EPHEMERAL));
		end(&v, cases[i].flags);
		assert_int_equal(scan_verdict_outcome(&v), cases[i].outcome);
		scan_verdict_fini(&v);
	}
}

static const char *text(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

static void json_has_the_documented_form(void **state)
{
	struct scan_verdict v;
	json_auto_t *object = NULL;
	json_t *key, *place;

	scan_verdict_init(&v, &core);
	add(&v, rsa(1, 900));
	end(&v, SCAN_CORE | SCAN_TRUNCATED);
	v.keys[0].label = "web";
	object = scan_json("a \\x0a", &v, NULL);
	assert_non_null(object);
	assert_string_equal(text(object, "schema"), "keytrail-scan/1");
	assert_string_equal(text(object, "file"), "a \\x0a");
	assert_string_equal(text(object, "verdict"), "found");
	assert_string_equal(text(object, "container"), scan_container_str(CONTAINER_ELF));
	assert_string_equal(text(json_object_get(object, "process"), "exe"), "/usr/sbin/nginx");
	assert_int_equal(json_integer_value(json_object_get(object, "bytes")), 4096);
	assert_int_equal(json_array_size(json_object_get(object, "flags")), 1);
	key = json_array_get(json_object_get(object, "keys"), 0);
	assert_string_equal(text(key, "severity"), "critical");
	assert_string_equal(text(key, "class"), "proven");
	assert_string_equal(text(key, "what"), "rsa-pair");
	assert_string_equal(text(key, "fingerprint"), "SHA256:1");
	assert_string_equal(text(key, "label"), "web");
	assert_int_equal(strlen(text(key, "spki_sha256")), 64);
	place = json_array_get(json_object_get(key, "places"), 0);
	assert_int_equal(json_integer_value(json_object_get(place, "offset")), 900);
	assert_string_equal(text(place, "address"), "0x7f0000000384");
	assert_string_equal(text(place, "layout"), "little-endian");
	scan_verdict_fini(&v);
}

static void a_file_that_could_not_be_scanned_says_so(void **state)
{
	json_auto_t *object = scan_json("x", NULL, "the scanner crashed");

	assert_string_equal(text(object, "verdict"), "unscanned");
	assert_string_equal(text(object, "error"), "the scanner crashed");
	assert_null(json_object_get(object, "keys"));
}

/* What the specification requires of the properties that we write (SARIF 2.1.0, chapter 3). */
static void sarif_has_the_form_of_its_standard(void **state)
{
	struct scan_verdict v;
	struct sarif sarif;
	json_t *run, *driver, *result, *place, *invocation;
	struct finding high = rsa(3, 8);

	scan_verdict_init(&v, &core);
	high.vaddr = UINT64_MAX; /* SARIF has no such number */
	add(&v, rsa(1, 900));
	add(&v, rsa(1, 1000));
	add(&v, high);
	add(&v, aes(1, 1, CLASS_EPHEMERAL));
	end(&v, 0);
	assert_int_equal(sarif_init(&sarif), 0);
	sarif_add(&sarif, "/var/core of %", &v, NULL, false);
	sarif_add(&sarif, "b\xff", NULL, "no such file", false);
	assert_string_equal(text(sarif.log, "version"), "2.1.0");
	assert_int_equal(json_array_size(json_object_get(sarif.log, "runs")), 1);
	run = json_array_get(json_object_get(sarif.log, "runs"), 0);
	driver = json_object_get(json_object_get(run, "tool"), "driver");
	assert_string_equal(text(driver, "name"), "keytrail");
	assert_int_equal(json_array_size(json_object_get(driver, "rules")), FINDING_UNTRIED - 1);
	assert_int_equal(json_array_size(sarif.results), 2); /* the generator's does not count */
	result = json_array_get(sarif.results, 1);
	assert_string_equal(text(result, "ruleId"), "rsa-pair");
	assert_string_equal(text(result, "level"), "error");
	assert_true(*text(json_object_get(result, "message"), "text"));
	assert_int_equal(strlen(text(json_object_get(result, "partialFingerprints"),
				     "spkiSha256/v1")),
			 64);
	assert_int_equal(json_array_size(json_object_get(result, "locations")), 2);
	place = json_object_get(json_array_get(json_object_get(result, "locations"), 0),
				"physicalLocation");
	assert_string_equal(text(json_object_get(place, "artifactLocation"), "uri"),
			    "file:///var/core%20of%20%25");
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(place, "region"), "byteOffset")),
			 900);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(place, "address"),
							    "absoluteAddress")),
			 0x7f0000000384);
	place = json_object_get(
		json_array_get(json_object_get(json_array_get(sarif.results, 0), "locations"), 0),
		"physicalLocation");
	assert_null(json_object_get(place, "address"));
	/* The file that was not there. */
	invocation = json_array_get(json_object_get(run, "invocations"), 0);
	assert_true(json_is_false(json_object_get(invocation, "executionSuccessful")));
	assert_int_equal(json_array_size(sarif.notifications), 1);
	place = json_array_get(json_object_get(json_array_get(sarif.notifications, 0), "locations"),
			       0);
	assert_string_equal(text(json_object_get(json_object_get(place, "physicalLocation"),
						 "artifactLocation"),
				 "uri"),
			    "b%FF");
	assert_false(sarif.failed);
	sarif_fini(&sarif);
	scan_verdict_fini(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_key_at_many_places_is_one_entry),
		cmocka_unit_test(what_nothing_names_is_never_put_together),
		cmocka_unit_test(keys_and_places_are_bounded_and_counted),
		cmocka_unit_test(what_is_proven_takes_the_place_of_what_is_not),
		cmocka_unit_test(what_was_not_tried_is_said),
		cmocka_unit_test(severity_follows_class_and_what_is_known),
		cmocka_unit_test(clean_is_only_what_was_seen_whole),
		cmocka_unit_test(json_has_the_documented_form),
		cmocka_unit_test(a_file_that_could_not_be_scanned_says_so),
		cmocka_unit_test(sarif_has_the_form_of_its_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
