// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules that ask for the image of a container: who matches, what is said of who does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "policy/cases.h"
#include "policy/policy.h"
#include "policy/show.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD   "version: 1\nwatch:\n- name: w\n  class: key\n  paths: [/k/**]\n"

static const char images[] = HEAD "  allow:\n"
				  "  - {exe: /bin/a, image: 'docker.io/library/nginx:*'}\n"
				  "  - {exe: /bin/b, image: 'sha256:" DIGEST "'}\n"
				  "  - {container: web, image: q.io/c}\n"
				  "  - image: '*/d'\n";

static struct policy *parse(void)
{
	struct diag_list diags = {0};
	struct policy *policy = NULL;

	assert_int_equal(policy_parse("p.yaml", images, strlen(images), &diags, &policy), 0);
	assert_int_equal(diags.nr, 0);
	diag_list_fini(&diags);
	return policy;
}

static void an_image_is_asked_for_by_its_name_or_its_id(void **state)
{
	static const struct {
		const char *exe, *container, *image, *id;
		enum exe_trust trust;
		enum policy_reason reason;
		unsigned line;
	} cases[] = {
		/* The path is the container's own: nothing of the host's is compared. */
		{"/bin/a", "x", "docker.io/library/nginx:1.25", NULL, EXE_OTHER, REASON_ALLOWED, 7},
		{"/bin/a", "x", "docker.io/library/nginx", NULL, EXE_OTHER, REASON_NO_RULE, 3},
		{"/bin/a", "x", "q.io/docker.io/library/nginx:1", NULL, EXE_OTHER, REASON_NO_RULE,
		 3},
		{"/bin/b", "x", "docker.io/library/nginx:1.25", NULL, EXE_OTHER, REASON_NO_RULE, 3},
		{"/bin/b", "x", NULL, "sha256:" DIGEST, EXE_UNKNOWN, REASON_ALLOWED, 8},
		{"/bin/b", "x", "any", "sha256:" DIGEST, EXE_UNKNOWN, REASON_ALLOWED, 8},
		/* A name that looks like an id is no id. */
		{"/bin/b", "x", "sha256:" DIGEST, NULL, EXE_UNKNOWN, REASON_NO_RULE, 3},
		{"/y", "web", "q.io/c", NULL, EXE_OTHER, REASON_ALLOWED, 9},
		{"/y", "db", "q.io/c", NULL, EXE_OTHER, REASON_NO_RULE, 3},
		{"/y", "web", NULL, NULL, EXE_OTHER, REASON_NO_RULE, 3},
		{"/y", "x", "q.io/c/d", NULL, EXE_OTHER, REASON_ALLOWED, 10},
		/* Not known which, or on the host. */
		{"/bin/a", "x", NULL, NULL, EXE_OTHER, REASON_NO_RULE, 3},
		{"/bin/a", NULL, NULL, NULL, EXE_VERIFIED, REASON_NO_RULE, 3},
	};
	struct policy *policy = parse();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = {.exe = span_of(cases[i].exe),
				    .exe_trust = cases[i].trust,
				    .container = span_of(cases[i].container),
				    .image = span_of(cases[i].image),
				    .image_id = span_of(cases[i].id)},
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.reason != cases[i].reason || answer.line != cases[i].line)
			fail_msg("case %zu: reason %d, line %u", i, answer.reason, answer.line);
	}
	policy_free(policy);
}

/* A file of a container is the other one (EXE_OTHER) to the host, and so are its libraries. */
static void what_runs_in_a_container_may_be_its_users(void **state)
{
	static const struct {
		uint32_t untrusted;
		enum exe_trust trust;
		enum policy_reason reason;
	} cases[] = {
		{UNTRUSTED_OTHER | UNTRUSTED_WRITABLE | UNTRUSTED_MAPPED, EXE_OTHER,
		 REASON_ALLOWED},
		{UNTRUSTED_OTHER | UNTRUSTED_DISGUISED, EXE_OTHER, REASON_ALLOWED},
		{UNTRUSTED_OTHER | UNTRUSTED_TRACED, EXE_OTHER, REASON_DISTRUST},
		{UNTRUSTED_OTHER | UNTRUSTED_UNKNOWN, EXE_OTHER, REASON_DISTRUST},
		{UNTRUSTED_OTHER | UNTRUSTED_MEMORY, EXE_OTHER, REASON_DISTRUST},
		{UNTRUSTED_MEMORY, EXE_MEMORY, REASON_DISTRUST},
	};
	struct policy *policy = parse();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = {.exe = span_of("/bin/a"),
				    .exe_trust = cases[i].trust,
				    .untrusted = cases[i].untrusted,
				    .container = span_of("x"),
				    .image = span_of("docker.io/library/nginx:1")},
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.reason != cases[i].reason || answer.line != 7)
			fail_msg("case %zu: reason %d, line %u", i, answer.reason, answer.line);
	}
	policy_free(policy);
}

static void what_is_missing_is_said(void **state)
{
	static const char scope[] = "docker-" DIGEST ".scope";
	static const struct {
		const char *exe, *image, *id, *says;
	} cases[] = {
		{"/bin/a", "q.io/a", NULL, "it asks for image docker.io/library/nginx:*\n"},
		{"/bin/a", NULL, NULL,
		 "it asks for image docker.io/library/nginx:*, and which image the container was "
		 "made from is not known\n"},
		{"/bin/a", NULL, "sha256:" DIGEST,
		 "and of the container's image only the id is known\n"},
		{"/bin/b", "b", NULL, "and of the container's image only the name is known\n"},
		/* What would let it: not one container's id, which the next has not, nor its scope.
		 */
		{"/bin/a", "q.io/a", NULL, "- {exe: /bin/a, image: q.io/a}\n"},
		{"/bin/a", NULL, "sha256:" DIGEST, "- {exe: /bin/a, image: sha256:" DIGEST "}\n"},
		{"/bin/a", NULL, NULL, "- {exe: /bin/a, container: x}\n"},
	};
	struct policy *policy = parse();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = {.exe = span_of(cases[i].exe),
				    .unit = span_of(scope),
				    .container = span_of("x"),
				    .image = span_of(cases[i].image),
				    .image_id = span_of(cases[i].id)},
		};
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);

		policy_explain(policy, &query, f);
		fclose(f);
		if (!strstr(text, cases[i].says))
			fail_msg("case %zu:\n%s", i, text);
	}
	policy_free(policy);
}

static void no_rule_by_a_part_of_an_id_is_proposed(void **state)
{
	static const struct {
		const char *container, *image, *says;
	} cases[] = {
		{"0123456789ab", NULL, "the container's image, which is not known"},
		{"0123456789ab", "q.io/a", "- {exe: /bin/a, image: q.io/a}\n"},
		{"0123456789a", NULL, "- {exe: /bin/a, container: 0123456789a}\n"},
		{"0123456789ag", NULL, "- {exe: /bin/a, container: 0123456789ag}\n"},
	};
	struct policy *policy = parse();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = {.exe = span_of("/bin/a"),
				    .container = span_of(cases[i].container),
				    .image = span_of(cases[i].image)},
		};
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);

		policy_explain(policy, &query, f);
		fclose(f);
		if (!strstr(text, cases[i].says) || strstr(text, "container: 0123456789ab}"))
			fail_msg("case %zu:\n%s", i, text);
	}
	policy_free(policy);
}

static void a_case_has_an_image(void **state)
{
	static const char text[] =
		"version: 1\ncases:\n"
		"- {subject: {exe: /bin/a, container: x, image: 'docker.io/library/nginx:1'},\n"
		"   object: /k/a, expect: allow}\n"
		"- {subject: {exe: /bin/b, container: x, image: 'sha256:" DIGEST
		"'}, object: /k/a, expect: allow}\n"
		"- {subject: {exe: /bin/b, container: x, image: b}, object: /k/a, expect: alert}\n"
		"- {subject: {exe: /bin/a, container: x}, object: /k/a, expect: alert}\n";
	struct policy *policy = parse();
	struct diag_list diags = {0};
	struct cases_result result = {0};
	_cleanup_free_ char *said = NULL;
	size_t size;
	FILE *f = open_memstream(&said, &size);

	assert_int_equal(cases_run(policy, "c.yaml", text, sizeof(text) - 1, &diags, f, &result),
			 0);
	fclose(f);
	assert_string_equal(said, "");
	assert_int_equal(result.passed, 4);
	diag_list_fini(&diags);
	policy_free(policy);
}

static void cases_that_could_not_be_are_refused(void **state)
{
	static const struct {
		const char *subject, *error;
	} cases[] = {
		{"{exe: /a, image: a}",
		 "c.yaml:3:13: error: a subject with `image` is in a container: it needs "
		 "`container`\n"},
		{"{exe: /a, image: 'sha256:" DIGEST "'}", "it needs `container`\n"},
		{"{exe: /a, container: x, image: ''}", "c.yaml:3:44: error: image '' is empty\n"},
		{"{exe: /a, container: x, image: a b}", "has a character that no name of an image"},
		{"{exe: /a, container: x, image: ü}", "has a character that no name of an image"},
		{"{exe: /a, container: x, image: 'sha256:1'}", "an image's id is asked for whole"},
	};
	struct policy *policy = parse();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL, *said = NULL;
		struct diag_list diags = {0};
		struct cases_result result = {0};
		size_t size;
		FILE *f = open_memstream(&said, &size);

		assert_true(asprintf(&text,
				     "version: 1\ncases:\n- {subject: %s, object: /k/a,\n"
				     "   expect: alert}\n",
				     cases[i].subject) > 0);
		assert_int_equal(cases_run(policy, "c.yaml", text, strlen(text), &diags, f,
					   &result),
				 -EINVAL);
		diag_print(&diags, f);
		fclose(f);
		if (!strstr(said, cases[i].error))
			fail_msg("case %zu: %s", i, said);
		diag_list_fini(&diags);
	}
	policy_free(policy);
}

static void tell(void *ctx, const struct policy_line *line)
{
	fprintf(ctx, "%s\n", line->text);
}

static void it_is_shown_as_it_is_written(void **state)
{
	struct policy *policy = parse();
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	policy_watch_lines(policy, 1, tell, f);
	fclose(f);
	assert_non_null(strstr(text, "allow: {exe: /bin/a, image: docker.io/library/nginx:*}\n"));
	assert_non_null(strstr(text, "allow: {exe: /bin/b, image: sha256:" DIGEST "}\n"));
	assert_non_null(strstr(text, "allow: {container: web, image: q.io/c}\n"));
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_is_asked_for_by_its_name_or_its_id),
		cmocka_unit_test(what_runs_in_a_container_may_be_its_users),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(no_rule_by_a_part_of_an_id_is_proposed),
		cmocka_unit_test(a_case_has_an_image),
		cmocka_unit_test(cases_that_could_not_be_are_refused),
		cmocka_unit_test(it_is_shown_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
