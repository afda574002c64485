// SPDX-License-Identifier: GPL-2.0-or-later
/* Rule files for tokens: what is wrong is told with its place. */
#include "policy/tokenrules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define HEAD "version: 1\ntokens:\n"
#define RULE "  - name: one\n    about: a token\n    pattern: 'abc_[0-9]{20}'\n"

static int parse(const char *text, struct token_rules *rules, char *out, size_t size)
{
	struct diag_list diags = {0};
	_cleanup_free_ char *said = NULL;
	size_t len;
	FILE *f = open_memstream(&said, &len);
	int err = token_rules_parse("t.yaml", text, strlen(text), &diags, rules);

	diag_print(&diags, f);
	fclose(f);
	snprintf(out, size, "%s", said);
	assert_int_equal(err == -EINVAL, diags.errors > 0);
	diag_list_fini(&diags);
	return err;
}

static void a_rule_is_read_whole(void **state)
{
	struct token_rules rules;
	char said[1024];

	assert_int_equal(parse(HEAD RULE "    check: crc32\n    entropy: 3.5\n    up-to: 90\n"
					 "    ignore-case: yes\n    bounded: end\n"
					 "    near: [aws, secret]\n",
			       &rules, said, sizeof(said)),
			 0);
	assert_int_equal(rules.nr, 1);
	assert_string_equal(rules.items[0].name, "one");
	assert_string_equal(rules.items[0].pattern, "abc_[0-9]{20}");
	assert_int_equal(rules.items[0].line, 5);
	assert_int_equal(rules.items[0].check, TOKEN_CHECK_CRC32);
	assert_int_equal(rules.items[0].entropy, 35);
	assert_int_equal(rules.items[0].up_to, 90);
	assert_true(rules.items[0].ignore_case);
	assert_int_equal(rules.items[0].bound, TOKEN_BOUND_END);
	assert_string_equal(rules.items[0].near[1], "secret");
	assert_null(rules.items[0].near[2]);
	token_rules_fini(&rules);
}

static void errors_have_their_place(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"tokens: []\n",
		 "t.yaml:1:1: error: a file of token rules needs the key 'version'"},
		{"version: 2\ntokens: []\n", "t.yaml:1:10: error: "},
		{HEAD "  - about: x\n    pattern: y\n", "t.yaml:3:5: error: a token rule needs the "
							"key 'name'"},
		{HEAD RULE "    entrpy: 3.0\n",
		 "t.yaml:6:5: error: a token rule has no key 'entrpy': "
		 "did you mean 'entropy'?"},
		{HEAD RULE "    entropy: high\n", "t.yaml:6:14: error: an entropy is bits"},
		{HEAD RULE "    entropy: 9.0\n", "t.yaml:6:14: error: an entropy is bits"},
		{HEAD RULE "    check: md5\n", "t.yaml:6:12: error: "},
		{HEAD RULE "    near: aws\n", "t.yaml:6:11: error: 'near' must be a list"},
		{HEAD RULE "    up-to: 1000\n", "t.yaml:6:12: error: "},
		{HEAD RULE "    bounded: maybe\n", "t.yaml:6:14: error: "},
		{HEAD RULE RULE, "t.yaml:6:11: error: there is a rule 'one' above, at line 5"},
		{HEAD "  - name: One\n    about: x\n    pattern: y\n",
		 "t.yaml:3:11: error: a name has small letters"},
		{HEAD "  - name: ''\n    about: x\n    pattern: y\n",
		 "t.yaml:3:11: error: a name has 1"},
		{HEAD "  just text\n", "t.yaml:3:3: error: 'tokens' must be a list"},
		{"version: 1\ntokens: [", "t.yaml:"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct token_rules rules;
		char said[1024];

		assert_int_equal(parse(cases[i].text, &rules, said, sizeof(said)), -EINVAL);
		if (strncmp(said, cases[i].message, strlen(cases[i].message)) != 0)
			fail_msg("%s: %s", cases[i].message, said);
	}
}

static void the_built_in_rules_are_those_of_the_tree(void **state)
{
	struct token_rules built_in, tree;
	struct diag_list diags = {0};

	assert_int_equal(token_rules_load(NULL, &diags, &built_in), 0);
	assert_int_equal(token_rules_load("policy/scan/tokens.yaml", &diags, &tree), 0);
	assert_int_equal(built_in.nr, tree.nr);
	for (size_t i = 0; i < tree.nr; i++) {
		assert_string_equal(built_in.items[i].name, tree.items[i].name);
		assert_string_equal(built_in.items[i].pattern, tree.items[i].pattern);
	}
	assert_int_equal(token_rules_load("/nonexistent/file", &diags, &tree), -EINVAL);
	token_rules_fini(&built_in);
	token_rules_fini(&tree);
	diag_list_fini(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_read_whole),
		cmocka_unit_test(errors_have_their_place),
		cmocka_unit_test(the_built_in_rules_are_those_of_the_tree),
	};

	return cmocka_run_group_tests_name("tokenrules", tests, NULL, NULL);
}
