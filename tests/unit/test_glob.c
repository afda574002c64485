// SPDX-License-Identifier: GPL-2.0-or-later
/* Patterns of one component: what they match, what they leave for the kernel, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/glob.h"
#include "policy_model.h"

static struct glob *make(const char *pattern)
{
	struct glob *glob = NULL;
	const char *why = NULL;

	if (glob_new(pattern, strlen(pattern), &glob, &why) < 0)
		fail_msg("%s: %s", pattern, why);
	return glob;
}

static void names_are_matched(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{"a", "a", true},
		{"a", "ab", false},
		{"a", "", false},
		{"*", "", true},
		{"*", ".hidden", true},
		{"id_*", "id_", true},
		{"id_*", "id", false},
		{"*.pem", ".pem", true},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXbXbX", false},
		{"*ab*ab", "abab", true},
		{"*ab*ab", "aab", false},
		{"?", "a", true},
		{"?", "", false},
		{"?", "ab", false},
		{"a?*", "a", false},
		{"[abc]", "b", true},
		{"[abc]", "d", false},
		{"[a-c]x", "bx", true},
		{"[!a-c]", "b", false},
		{"[!a-c]", "d", true},
		{"[]a]", "]", true},
		{"[!]a]", "]", false},
		{"[a-]", "-", true},
		{"[-a]", "-", true},
		{"[a-c-e]", "-", true},
		{"[a-c-e]", "d", false},
		{"[\\]]", "]", true},
		{"[\\!a]", "!", true},
		{"[a\\-c]", "b", false},
		{"[a\\-c]", "-", true},
		{"[*]", "*", true},
		{"[*]", "a", false},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"\\a", "a", true},
		{"\\\\", "\\", true},
		{"a\\?*", "a?b", true},
		{"]", "]", true},
		{"!a", "!a", true},
		/* characters, not bytes */
		{"?", "\xc3\xa4", true},
		{"??", "\xc3\xa4", false},
		{"?", "\xf0\x9f\x94\x91", true},
		{"[\xc3\xa4\xc3\xb6]", "\xc3\xb6", true},
		{"[\xc3\xa4-\xc3\xb6]", "\xc3\xa5", true},
		{"[!a]", "\xc3\xa4", true},
		{"*\xa4", "\xc3\xa4", false},
		{"*\xc3\xa4", "x\xc3\xa4", true},
		{"\xc3\xa4*", "\xc3\xa4", true},
		/* a name that is not UTF-8: each bad byte is one character */
		{"?", "\xff", true},
		{"??", "\xc3(", true},
		{"[!a]", "\xff", true},
		{"[a-\xf4\x8f\xbf\xbf]", "\xff", false},
		{"a*b",
		 "a\xff\xfe"
		 "b",
		 true},
		{"?", "\xed\xa0\x80", false}, /* a surrogate is none */
		{"???", "\xed\xa0\x80", true},
		{"??", "\xc0\x80", true}, /* overlong */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(glob_freep) struct glob *glob = make(cases[i].pattern);

		if (glob_match(glob, cases[i].name, strlen(cases[i].name)) != cases[i].matches)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
	}
}

static void wrong_patterns_are_explained(void **state)
{
	static const struct {
		const char *pattern, *why;
	} cases[] = {
		{"**", "`**` must be a component of its own"},
		{"a**", "`**` must be a component of its own"},
		{"[", "`[` without `]`"},
		{"[]", "`[` without `]`"},
		{"[!]", "`[` without `]`"},
		{"[a-", "`[` without `]`"},
		{"[a\\", "`[` without `]`"},
		{"[b-a]", "a range in `[...]` runs backwards"},
		{"[^a]", "`[^` is not known: write `[!` to negate a set"},
		{"[a[:digit:]]",
		 "character classes such as `[:alpha:]` are not known: write ranges"},
		{"a\\", "a backslash has nothing to escape"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct glob *glob = (void *)cases;
		const char *why = NULL;
		int err = glob_new(cases[i].pattern, strlen(cases[i].pattern), &glob, &why);

		assert_int_equal(err, -EINVAL);
		assert_string_equal(why, cases[i].why);
		assert_ptr_equal(glob, cases);
	}
}

static void long_patterns_are_refused(void **state)
{
	char text[1100];
	struct glob *glob = NULL;
	const char *why;

	memset(text, 'a', sizeof(text));
	assert_int_equal(glob_new(text, 256, &glob, &why), -EINVAL);
	assert_int_equal(glob_new(text, 1021, &glob, &why), -EINVAL);
	assert_int_equal(glob_new(text, 255, &glob, &why), 0);
	glob_free(glob);
}

static void literals_are_known(void **state)
{
	static const struct {
		const char *pattern, *literal;
	} cases[] = {
		{"id_rsa", "id_rsa"}, {"a\\*b\\\\", "a*b\\"}, {"\xc3\xa4", "\xc3\xa4"},
		{"a*", NULL},	      {"[a]", NULL},	      {"?", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(glob_freep) struct glob *glob = make(cases[i].pattern);
		size_t len = 0;
		const char *literal = glob_literal(glob, &len);

		assert_int_equal(!literal, !cases[i].literal);
		if (literal) {
			assert_string_equal(literal, cases[i].literal);
			assert_int_equal(len, strlen(cases[i].literal));
		}
		assert_false(glob_is_any(glob));
	}
}

static void affixes_are_what_the_kernel_can_test(void **state)
{
	static const struct {
		const char *pattern, *prefix, *suffix;
		bool exact;
	} cases[] = {
		{"*", "", "", true},
		{"id_*", "id_", "", true},
		{"*.pem", "", ".pem", true},
		{"ssh_host_*_key", "ssh_host_", "_key", true},
		{"ssh_host_*_key*", "ssh_host_", "", false},
		{"a?c", "a", "c", false},
		{"a*b*c", "a", "c", false},
		{"core.[0-9]*", "core.", "", false},
		{"\\**\\?", "*", "?", true},
		{"\xc3\xa4*\xc3\xb6", "\xc3\xa4", "\xc3\xb6", true},
		{"0123456789012345678901234567890x*", "0123456789012345678901234567890x", "", true},
		{"0123456789012345678901234567890xy*", "0123456789012345678901234567890x", "",
		 false},
		{"*y0123456789012345678901234567890x", "", "0123456789012345678901234567890x",
		 false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(glob_freep) struct glob *glob = make(cases[i].pattern);
		struct watch_glob w;

		assert_int_equal(glob_affixes(glob, &w), cases[i].exact);
		assert_int_equal(w.prefix_len, strlen(cases[i].prefix));
		assert_memory_equal(w.prefix, cases[i].prefix, w.prefix_len);
		assert_int_equal(w.suffix_len, strlen(cases[i].suffix));
		assert_memory_equal(w.suffix, cases[i].suffix, w.suffix_len);
	}
}

static bool has_affixes(const struct watch_glob *w, const char *name, size_t len)
{
	return (size_t)w->prefix_len + w->suffix_len <= len &&
	       !memcmp(name, w->prefix, w->prefix_len) &&
	       !memcmp(name + len - w->suffix_len, w->suffix, w->suffix_len);
}

static uint64_t seed = 1;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

static void random_pattern(char *out)
{
	static const char *const parts[] = {"a", "b", "*", "?", "[ab]", "[!b]", "\\a", "[a-b]"};
	unsigned nr = 1 + pick(5);

	*out = '\0';
	while (nr--) {
		const char *part = parts[pick(ARRAY_SIZE(parts))];

		if (*part != '*' || !*out || out[strlen(out) - 1] != '*')
			strcat(out, part);
	}
}

/* Two random patterns, many names: each question has a simple answer to be held against. */
static void agrees_with_a_simple_matcher(void **state)
{
	for (int round = 0; round < 5000; round++) {
		char text[2][64];
		struct glob *g[2];
		struct watch_glob w[2];
		bool exact[2], overlap, covers;

		for (int i = 0; i < 2; i++) {
			random_pattern(text[i]);
			g[i] = make(text[i]);
			exact[i] = glob_affixes(g[i], &w[i]);
		}
		overlap = watch_globs_overlap(&w[0], &w[1]);
		covers = watch_glob_covers(&w[0], &w[1]);
		for (int n = 0; n < 60; n++) {
			char name[8];
			size_t len = pick(7);
			bool in[2], has[2];

			for (size_t i = 0; i < len; i++)
				name[i] = "abc"[pick(20) ? pick(2) : 2];
			for (int i = 0; i < 2; i++) {
				in[i] = glob_match(g[i], name, len);
				has[i] = has_affixes(&w[i], name, len);
				if (in[i] != model_glob(text[i], strlen(text[i]), name, len))
					fail_msg("'%s' and '%.*s'", text[i], (int)len, name);
				if (glob_literal(g[i], &(size_t){0}))
					continue;
				if (in[i] ? !has[i] : has[i] && exact[i])
					fail_msg("affixes of '%s' and '%.*s'", text[i], (int)len,
						 name);
			}
			if ((has[0] && has[1] && !overlap) || (has[1] && covers && !has[0]))
				fail_msg("'%s', '%s' and '%.*s'", text[0], text[1], (int)len, name);
		}
		glob_free(g[0]);
		glob_free(g[1]);
	}
}

/* Would take longer than anybody lives if a star were tried again for each star after it. */
static void many_stars_do_not_explode(void **state)
{
	char pattern[201], name[255];
	_cleanup_(glob_freep) struct glob *glob = NULL;

	for (size_t i = 0; i < sizeof(pattern) - 1; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[sizeof(pattern) - 1] = 'b';
	memset(name, 'a', sizeof(name));
	assert_int_equal(glob_new(pattern, sizeof(pattern), &glob, &(const char *){NULL}), 0);
	assert_false(glob_match(glob, name, sizeof(name)));
	name[sizeof(name) - 1] = 'b';
	assert_true(glob_match(glob, name, sizeof(name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_matched),
		cmocka_unit_test(wrong_patterns_are_explained),
		cmocka_unit_test(long_patterns_are_refused),
		cmocka_unit_test(literals_are_known),
		cmocka_unit_test(affixes_are_what_the_kernel_can_test),
		cmocka_unit_test(agrees_with_a_simple_matcher),
		cmocka_unit_test(many_stars_do_not_explode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
