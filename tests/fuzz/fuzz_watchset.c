// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Patterns and paths chosen by the fuzzer, the compiled set held against the simple matcher.
 *
 * The input is lines: `+pattern` adds a path to the last entry, `-pattern` an exclusion, `=` begins
 * another entry, a line that begins with `/` is a path to ask for.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_model.h"

#define WATCHES	   4
#define PATTERNS   4
#define PATHS	   24
#define LENGTH_MAX 40

static const char *const homes[] = {"/root", "/h/a", "/h/b/c"};

struct input {
	const char *patterns[WATCHES][2][PATTERNS];
	struct model_watch watches[WATCHES];
	size_t nr;
	const char *paths[PATHS];
	size_t nr_paths;
};

/* The simple matcher takes exponential time in stars, and knows ASCII only. */
static bool usable(const char *line)
{
	size_t stars = 0, len = strlen(line);

	for (const char *p = line; *p; p++) {
		stars += *p == '*';
		if (*p < 0x20 || *p > 0x7e || *p == '\'')
			return false;
	}
	return len <= LENGTH_MAX && stars <= 6;
}

/* A path that a kernel would tell. */
static bool is_resolved(const char *path)
{
	return !strstr(path, "//") && path[strlen(path) - 1] != '/';
}

static void read_input(char *text, struct input *in)
{
	in->nr = 1;
	for (char *save, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		struct model_watch *w = &in->watches[in->nr - 1];

		if (!usable(line))
			continue;
		if (*line == '=' && in->nr < WATCHES && w->nr_paths)
			in->nr++;
		else if (*line == '+' && w->nr_paths < PATTERNS)
			in->patterns[in->nr - 1][0][w->nr_paths++] = line + 1;
		else if (*line == '-' && w->nr_excludes < PATTERNS)
			in->patterns[in->nr - 1][1][w->nr_excludes++] = line + 1;
		else if (*line == '/' && in->nr_paths < PATHS && is_resolved(line))
			in->paths[in->nr_paths++] = line;
	}
	if (!in->watches[in->nr - 1].nr_paths)
		in->nr--;
	for (size_t i = 0; i < in->nr; i++) {
		in->watches[i].paths = in->patterns[i][0];
		in->watches[i].excludes = in->patterns[i][1];
	}
}

static void write_list(FILE *f, const char *key, const char *const *list, size_t nr)
{
	fprintf(f, ", %s: [", key);
	for (size_t i = 0; i < nr; i++)
		fprintf(f, "%s'%s'", i ? ", " : "", list[i]);
	fputs("]", f);
}

static char *write_policy(const struct input *in, size_t *out_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, out_len);

	fputs("version: 1\nwatch:\n", f);
	for (size_t i = 0; i < in->nr; i++) {
		fprintf(f, "- {name: w%zu, class: key", i);
		write_list(f, "paths", in->watches[i].paths, in->watches[i].nr_paths);
		write_list(f, "exclude", in->watches[i].excludes, in->watches[i].nr_excludes);
		fputs("}\n", f);
	}
	fclose(f);
	return text;
}

static void compare(const struct watchset *set, const struct input *in)
{
	for (size_t i = 0; i < in->nr_paths; i++) {
		const char *wrong = model_check(set, in->watches, in->nr, in->paths[i], homes,
						ARRAY_SIZE(homes));

		if (wrong) {
			fprintf(stderr, "%s: %s\n", in->paths[i], wrong);
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *copy = strndup((const char *)data, size);
	_cleanup_free_ char *text = NULL;
	struct input in = {.nr = 0};
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	struct watchset *set = NULL;
	size_t len;

	read_input(copy, &in);
	if (!in.nr || !in.nr_paths)
		return 0;
	text = write_policy(&in, &len);
	if (!policy_parse("fuzz", text, len, &diags, &policy) &&
	    !watchset_compile(policy, homes, ARRAY_SIZE(homes), 1 + (uint32_t)(size % 7), &diags,
			      &set))
		compare(set, &in);
	watchset_free(set);
	policy_free(policy);
	diag_list_fini(&diags);
	return 0;
}
