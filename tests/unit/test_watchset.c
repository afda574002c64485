// SPDX-License-Identifier: GPL-2.0-or-later
/* The automaton of watched names: what it answers, and that it agrees with a simple matcher. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy_model.h"

static const char *const homes[] = {"/root", "/home/ada", "/home/bob", "/var/lib/jenkins"};

struct fixture {
	struct policy *policy;
	struct watchset *set;
	struct diag_list diags;
};

static void build(struct fixture *f, const char *yaml, const char *const *with_homes, size_t nr,
		  uint32_t first)
{
	*f = (struct fixture){0};
	if (policy_parse("p.yaml", yaml, strlen(yaml), &f->diags, &f->policy) < 0 ||
	    watchset_compile(f->policy, with_homes, nr, first, &f->diags, &f->set) < 0) {
		diag_print(&f->diags, stderr);
		fail_msg("does not compile");
	}
}

static void done(struct fixture *f)
{
	watchset_free(f->set);
	policy_free(f->policy);
	diag_list_fini(&f->diags);
}

#define HEAD		  "version: 1\nwatch:\n"
#define WATCH(name, rest) "  - {name: " name ", class: key, " rest "}\n"

static void paths_are_matched(void **state)
{
	static const struct {
		const char *what, *yaml, *path;
		uint32_t watch;
	} cases[] = {
		{"literal", WATCH("a", "paths: [/etc/key]"), "/etc/key", 1},
		{"directory of a literal", WATCH("a", "paths: [/etc/key]"), "/etc", 0},
		{"below a literal", WATCH("a", "paths: [/etc/key]"), "/etc/key/x", 0},
		{"root's home", WATCH("a", "paths: [~/.ssh/id_*]"), "/root/.ssh/id_rsa", 1},
		{"known home", WATCH("a", "paths: [~/.ssh/id_*]"), "/home/ada/.ssh/id_rsa", 1},
		{"home made later", WATCH("a", "paths: [~/.ssh/id_*]"), "/home/eve/.ssh/id_rsa", 1},
		{"home of a service", WATCH("a", "paths: [~/.ssh/id_*]"),
		 "/var/lib/jenkins/.ssh/id_rsa", 1},
		{"beside /root is no home", WATCH("a", "paths: [~/.ssh/id_*]"), "/srv/.ssh/id_rsa",
		 0},
		{"exclusion by name", WATCH("a", "paths: [~/.ssh/id_*], exclude: ['*.pub']"),
		 "/home/ada/.ssh/id_rsa.pub", 0},
		{"star stays in its component", WATCH("a", "paths: [/a/*]"), "/a/b/c", 0},
		{"star takes dot files", WATCH("a", "paths: [/a/*]"), "/a/.b", 1},
		{"deep end, one down", WATCH("a", "paths: ['/a/**']"), "/a/b", 1},
		{"deep end, far down", WATCH("a", "paths: ['/a/**']"), "/a/b/c/d", 1},
		{"deep end, not itself", WATCH("a", "paths: ['/a/**']"), "/a", 0},
		{"deep middle, none", WATCH("a", "paths: ['/a/**/k']"), "/a/k", 1},
		{"deep middle, some", WATCH("a", "paths: ['/a/**/k']"), "/a/b/c/k", 1},
		{"deep middle, name twice", WATCH("a", "paths: ['/a/**/k']"), "/a/k/k", 1},
		{"deep middle, below", WATCH("a", "paths: ['/a/**/k']"), "/a/k/x", 0},
		{"file and directory", WATCH("a", "paths: ['/a/**', '/a/id_*']"), "/a/id_x/y", 1},
		{"first entry wins", WATCH("a", "paths: ['/a/*']") WATCH("b", "paths: [/a/k]"),
		 "/a/k", 1},
		{"second where the first excludes",
		 WATCH("a", "paths: ['/a/*'], exclude: ['*.pub']")
			 WATCH("b", "paths: ['/a/*.pub']"),
		 "/a/k.pub", 2},
		{"exclusion of a path", WATCH("a", "paths: ['/a/**'], exclude: [/a/b/k]"), "/a/b/k",
		 0},
		{"its sibling", WATCH("a", "paths: ['/a/**'], exclude: [/a/b/k]"), "/a/c/k", 1},
		{"exclusion of a tree", WATCH("a", "paths: ['/a/**'], exclude: ['/a/b/**']"),
		 "/a/b/c/d", 0},
		{"exclusion of a tree in homes",
		 WATCH("a", "paths: ['~/**/*.key'], exclude: ['~/.cache/**']"),
		 "/home/ada/.cache/x/a.key", 0},
		{"exclusion of one home", WATCH("a", "paths: [~/k], exclude: ['/home/ada/**']"),
		 "/home/ada/k", 0},
		{"not of the others", WATCH("a", "paths: [~/k], exclude: ['/home/ada/**']"),
		 "/home/bob/k", 1},
		{"question mark", WATCH("a", "paths: ['/a/k?']"), "/a/k1", 1},
		{"set", WATCH("a", "paths: ['/core.[0-9]*']"), "/core.12", 1},
		{"set, other", WATCH("a", "paths: ['/core.[0-9]*']"), "/core.x", 0},
		{"escaped star", WATCH("a", "paths: ['/a/\\*']"), "/a/*", 1},
		{"escaped star, other", WATCH("a", "paths: ['/a/\\*']"), "/a/b", 0},
		{"relative path", WATCH("a", "paths: ['/**']"), "a/b", 0},
		{"empty path", WATCH("a", "paths: ['/**']"), "", 0},
		{"a directory's slash", WATCH("a", "paths: ['/**']"), "/a/", 0},
		{"double slash", WATCH("a", "paths: [/a/k]"), "//a//k", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		char yaml[512];
		uint32_t watch;

		snprintf(yaml, sizeof(yaml), HEAD "%s", cases[i].yaml);
		build(&f, yaml, homes, ARRAY_SIZE(homes), 1);
		watch = watchset_match(f.set, span_of(cases[i].path));
		if (watch != cases[i].watch)
			fail_msg("%s: %s gives %u", cases[i].what, cases[i].path, watch);
		done(&f);
	}
}

static void homes_of_one_parent_cost_one(void **state)
{
	enum { NR = 10000 };
	static const char yaml[] = HEAD WATCH("a", "paths: [~/.ssh/id_*, '~/.gnupg/**']");
	static char names[NR][32];
	static const char *many[NR];
	struct fixture one, all;

	for (size_t i = 0; i < NR; i++) {
		snprintf(names[i], sizeof(names[i]), "/home/user%zu", i);
		many[i] = names[i];
	}
	build(&one, yaml, many, 1, 1);
	build(&all, yaml, many, NR, 1);
	assert_int_equal(watchset_nr_states(one.set), watchset_nr_states(all.set));
	assert_int_equal(watchset_match(all.set, span_of("/home/user77/.ssh/id_x")), 1);
	done(&one);
	done(&all);
}

static void odd_homes_are_refused_or_taken_literally(void **state)
{
	static const char *const odd[] = {"/home/..", "relative", "", "/home/a*b", "/", "/h//x/"};
	struct fixture f;

	build(&f, HEAD WATCH("a", "paths: [~/k]"), odd, ARRAY_SIZE(odd), 1);
	assert_int_equal(f.diags.warnings, 3);
	assert_int_equal(watchset_match(f.set, span_of("/home/a*b/k")), 1);
	assert_int_equal(watchset_match(f.set, span_of("/home/later/k")), 1);
	assert_int_equal(watchset_match(f.set, span_of("/k")), 1);
	assert_int_equal(watchset_match(f.set, span_of("/h/x/k")), 1);
	assert_int_equal(watchset_match(f.set, span_of("/relative/k")), 0);
	done(&f);
}

static void states_are_numbered_from_the_first(void **state)
{
	struct fixture f;
	struct watch_target to;

	build(&f, HEAD WATCH("a", "paths: [/a/k]"), NULL, 0, 1000);
	assert_int_equal(watchset_first(f.set), 1000);
	assert_int_equal(watchset_nr_states(f.set), 2);
	assert_null(watchset_state(f.set, 999));
	assert_null(watchset_state(f.set, 1002));
	assert_null(watchset_state(f.set, 0));
	to = watchset_step(f.set, watchset_root(f.set), span_of("a"));
	assert_true(to.state >= 1000 && to.state < 1002);
	to = watchset_step(f.set, 7, span_of("a"));
	assert_int_equal(to.state, 0);
	done(&f);
}

static void a_policy_without_entries_has_no_states(void **state)
{
	struct fixture f;

	build(&f, "version: 1\n", homes, ARRAY_SIZE(homes), 1);
	assert_int_equal(watchset_nr_states(f.set), 0);
	assert_int_equal(watchset_root(f.set), 0);
	assert_int_equal(watchset_match(f.set, span_of("/etc/passwd")), 0);
	done(&f);
}

/* What the kernel gets for ~/.ssh of the shipped policy: exclusions first, then the globs. */
static void kernel_form_has_exclusions_first(void **state)
{
	static const char yaml[] =
		HEAD WATCH("a", "paths: [/s/id_*, /s/*.pem, /s/x], exclude: ['*.pub', id_known]");
	const struct watch_state *kernel;
	struct watch_target target;
	struct fixture f;
	uint32_t dir;
	const char *name;
	size_t nr = 0;

	build(&f, yaml, NULL, 0, 1);
	dir = watchset_step(f.set, watchset_root(f.set), span_of("s")).state;
	kernel = watchset_state(f.set, dir);
	assert_int_equal(kernel->nr_globs, 3);
	assert_int_equal(kernel->globs[0].flags, WATCH_GLOB_SKIP);
	assert_memory_equal(kernel->globs[0].suffix, ".pub", 4);
	assert_int_equal(kernel->globs[0].to.watch, 0);
	assert_int_equal(kernel->globs[1].to.watch, 1);
	assert_true(watchset_has_globs(f.set, dir));
	for (; watchset_literal(f.set, dir, nr, &name, &target); nr++)
		assert_int_equal(target.watch, !strcmp(name, "x"));
	assert_int_equal(nr, 2); /* x, and id_known, which is not to be watched */
	done(&f);
}

/* The kernel side is told what is a key: who has one in memory is looked after. */
static void kernel_form_tells_keys_from_dumps(void **state)
{
	static const char yaml[] = HEAD WATCH(
		"a",
		"paths: [/s/id_*, /s/x]") "  - {name: d, class: dump, on: [read, send], paths: ['/s/core.*', /s/y]}\n";
	struct watch_target target;
	struct watch_state kernel;
	struct fixture f;
	const char *name;
	uint32_t dir;

	build(&f, yaml, NULL, 0, 1);
	dir = watchset_step(f.set, watchset_root(f.set), span_of("s")).state;
	kernel = watchset_kernel_state(f.set, dir);
	assert_int_equal(kernel.nr_globs, 2);
	for (uint32_t i = 0; i < kernel.nr_globs; i++) {
		bool key = kernel.globs[i].prefix[0] == 'i';

		assert_int_equal(kernel.globs[i].to.watch & WATCH_NR_MASK, key ? 1 : 2);
		assert_int_equal(kernel.globs[i].to.watch & WATCH_KEY, key ? WATCH_KEY : 0);
		assert_int_equal(kernel.globs[i].to.watch & WATCH_SEND, key ? 0 : WATCH_SEND);
	}
	for (size_t i = 0; watchset_literal(f.set, dir, i, &name, &target); i++)
		assert_int_equal(watchset_kernel_target(f.set, target).watch,
				 *name == 'x' ? (1 | WATCH_KEY) : (2 | WATCH_SEND));
	target = watchset_kernel_target(f.set, (struct watch_target){.state = dir});
	assert_int_equal(target.watch, 0);
	assert_int_equal(target.state, dir);
	done(&f);
}

/* An exclusion of one entry must not hide the file from another. */
static void kernel_form_skips_only_what_nobody_watches(void **state)
{
	static const char yaml[] = HEAD WATCH("a", "paths: [/s/id_*], exclude: ['*.pub']")
		WATCH("b", "paths: [/s/*.pub]");
	struct fixture f;
	uint32_t dir;

	build(&f, yaml, NULL, 0, 1);
	dir = watchset_step(f.set, watchset_root(f.set), span_of("s")).state;
	assert_int_equal(kernel_lookup(f.set, dir, "id_x.pub", 8).watch, 2);
	assert_int_equal(kernel_lookup(f.set, dir, "id_x", 4).watch, 1);
	done(&f);
}

/* What is excluded as a whole need not be marked, nor what is only excluded and never watched. */
static void excluded_trees_are_dead_ends(void **state)
{
	struct fixture f;
	uint32_t a;

	build(&f, HEAD WATCH("a", "paths: ['/a/**'], exclude: ['/a/b/**', '/c/**', '/d/*.x']"),
	      NULL, 0, 1);
	a = watchset_step(f.set, watchset_root(f.set), span_of("a")).state;
	assert_int_not_equal(a, 0);
	assert_int_not_equal(watchset_step(f.set, a, span_of("x")).state, 0);
	assert_int_equal(watchset_step(f.set, a, span_of("b")).state, 0);
	assert_int_equal(watchset_step(f.set, a, span_of("b")).watch, 1);
	assert_int_equal(watchset_step(f.set, watchset_root(f.set), span_of("c")).state, 0);
	assert_int_equal(watchset_step(f.set, watchset_root(f.set), span_of("d")).state, 0);
	done(&f);
}

static void too_many_globs_in_one_directory_are_refused_by_place(void **state)
{
	char yaml[1024] = "version: 1\nwatch:\n  - name: many\n    class: key\n    paths:\n";
	struct policy *policy = NULL;
	struct watchset *set = NULL;
	struct diag_list diags = {0};
	const char *home = "/home/ada";

	for (int i = 0; i < 17; i++)
		snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "      - ~/k/*.%c\n",
			 'a' + i);
	assert_int_equal(policy_parse("p.yaml", yaml, strlen(yaml), &diags, &policy), 0);
	assert_int_equal(watchset_compile(policy, &home, 1, 1, &diags, &set), -E2BIG);
	assert_null(set);
	assert_int_equal(diags.nr, 1);
	assert_string_equal(diags.items[0].text,
			    "more than 16 globs in one directory, in /home/*/k (watch entry 'many' "
			    "and others before it)");
	assert_int_equal(diags.items[0].line, 3);
	assert_int_equal(diags.items[0].column, 5);
	policy_free(policy);
	diag_list_fini(&diags);
}

/* Depth 2^n if nothing bounded it: a name n components up decides. */
static void too_many_states_are_refused(void **state)
{
	static const char yaml[] =
		HEAD WATCH("a", "paths: ['/**/a*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/k']");
	struct policy *policy = NULL;
	struct watchset *set = NULL;
	struct diag_list diags = {0};

	assert_int_equal(policy_parse("p.yaml", yaml, strlen(yaml), &diags, &policy), 0);
	assert_int_equal(watchset_compile(policy, NULL, 0, 1, &diags, &set), -E2BIG);
	assert_int_equal(diags.errors, 1);
	policy_free(policy);
	diag_list_fini(&diags);
}

/* Globs in the middle of paths that can match one name in very many combinations. */
static void overlapping_globs_are_bounded(void **state)
{
	char nested[2048] = HEAD "  - {name: a, class: key, paths: [";
	char free[2048] = HEAD "  - {name: a, class: key, paths: [";
	struct policy *policy = NULL;
	struct watchset *set = NULL;
	struct diag_list diags = {0};
	struct fixture f;

	/* Of these only sixteen combinations are possible, of the others 65536. */
	for (int i = 0; i < 16; i++) {
		sprintf(nested + strlen(nested), "'/%.*s*/k%d', ", i + 1, "aaaaaaaaaaaaaaaa", i);
		sprintf(free + strlen(free), "'/*%c*/k', ", 'a' + i);
	}
	strcat(nested, "/z]}\n");
	strcat(free, "/z]}\n");
	build(&f, nested, NULL, 0, 1);
	assert_int_equal(watchset_match(f.set, span_of("/aaab/k1")), 1);
	assert_int_equal(watchset_match(f.set, span_of("/aaab/k3")), 0);
	done(&f);

	assert_int_equal(policy_parse("p.yaml", free, strlen(free), &diags, &policy), 0);
	assert_int_equal(watchset_compile(policy, NULL, 0, 1, &diags, &set), -E2BIG);
	assert_string_equal(diags.items[0].text,
			    "too many ways in which one name can match several globs, in / (watch "
			    "entry 'a' and others before it)");
	policy_free(policy);
	diag_list_fini(&diags);
}

/* --- random policies ----------------------------------------------------------------------------
 */

static uint64_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

static void random_component(char *out)
{
	static const char *const parts[] = {"a", "b", "a", "b", "*", "?", "[ab]", "[!a]", "[a-c]"};
	unsigned nr = 1 + pick(3);

	*out = '\0';
	for (unsigned i = 0; i < nr; i++) {
		const char *part = parts[pick(pick(2) ? 4 : ARRAY_SIZE(parts))];

		if (*part != '*' || !*out || out[strlen(out) - 1] != '*')
			strcat(out, part);
	}
}

static void random_pattern(char *out, bool exclude)
{
	unsigned nr = 1 + pick(4);

	if (exclude && pick(2)) {
		random_component(out);
		return;
	}
	strcpy(out, pick(3) ? "" : "~");
	for (unsigned i = 0; i < nr; i++) {
		strcat(out, "/");
		if (pick(4) == 0)
			strcat(out, "**");
		else
			random_component(out + strlen(out));
	}
}

static void random_path(char *out)
{
	static const char *const letters[] = {"a", "b", "c"};
	unsigned nr = 1 + pick(5);

	*out = '\0';
	for (unsigned i = 0; i < nr; i++) {
		unsigned len = 1 + pick(3);

		strcat(out, "/");
		for (unsigned j = 0; j < len; j++)
			strcat(out, letters[pick(8) ? pick(2) : 2]);
	}
}

#define WATCHES	 3
#define PATTERNS 4

static size_t random_set(const char *const **out, char text[PATTERNS][64], const char **list,
			 bool exclude, char *yaml)
{
	size_t nr = exclude ? pick(PATTERNS) : 1 + pick(PATTERNS);

	strcat(yaml, exclude ? ", exclude: [" : ", paths: [");
	for (size_t i = 0; i < nr; i++) {
		random_pattern(text[i], exclude);
		list[i] = text[i];
		sprintf(yaml + strlen(yaml), "%s'%s'", i ? ", " : "", text[i]);
	}
	strcat(yaml, "]");
	*out = list;
	return nr;
}

static void random_round(unsigned round, unsigned *refused)
{
	static const char *const random_homes[] = {"/a", "/b/a", "/b/b", "/ab/c/a"};
	static char text[2 * WATCHES][PATTERNS][64];
	static const char *lists[2 * WATCHES][PATTERNS];
	struct model_watch watches[WATCHES];
	struct policy *policy = NULL;
	struct watchset *set = NULL;
	struct diag_list diags = {0};
	char yaml[4096] = HEAD, path[128];
	size_t nr = 1 + pick(WATCHES);
	int err;

	for (size_t w = 0; w < nr; w++) {
		sprintf(yaml + strlen(yaml), "  - {name: w%zu, class: key", w);
		watches[w].nr_paths =
			random_set(&watches[w].paths, text[2 * w], lists[2 * w], false, yaml);
		watches[w].nr_excludes = random_set(&watches[w].excludes, text[2 * w + 1],
						    lists[2 * w + 1], true, yaml);
		strcat(yaml, "}\n");
	}
	err = policy_parse("r.yaml", yaml, strlen(yaml), &diags, &policy);
	if (err < 0)
		diag_print(&diags, stderr);
	assert_int_equal(err, 0);
	err = watchset_compile(policy, random_homes, ARRAY_SIZE(random_homes), 1 + pick(100),
			       &diags, &set);
	*refused += err == -E2BIG;
	for (int i = 0; err == 0 && i < 300; i++) {
		const char *wrong;

		random_path(path);
		wrong = model_check(set, watches, nr, path, random_homes, ARRAY_SIZE(random_homes));
		if (wrong)
			fail_msg("round %u, %s: %s\n%s", round, path, wrong, yaml);
	}
	watchset_free(set);
	policy_free(policy);
	diag_list_fini(&diags);
}

static void agrees_with_a_simple_matcher(void **state)
{
	enum { ROUNDS = 3000 };
	unsigned refused = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		seed = round;
		random_round(round, &refused);
	}
	assert_true(refused < ROUNDS / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_matched),
		cmocka_unit_test(homes_of_one_parent_cost_one),
		cmocka_unit_test(odd_homes_are_refused_or_taken_literally),
		cmocka_unit_test(states_are_numbered_from_the_first),
		cmocka_unit_test(a_policy_without_entries_has_no_states),
		cmocka_unit_test(kernel_form_has_exclusions_first),
		cmocka_unit_test(kernel_form_tells_keys_from_dumps),
		cmocka_unit_test(kernel_form_skips_only_what_nobody_watches),
		cmocka_unit_test(excluded_trees_are_dead_ends),
		cmocka_unit_test(too_many_globs_in_one_directory_are_refused_by_place),
		cmocka_unit_test(too_many_states_are_refused),
		cmocka_unit_test(overlapping_globs_are_bounded),
		cmocka_unit_test(agrees_with_a_simple_matcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
