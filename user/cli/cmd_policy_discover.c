// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail policy discover`: what configurations on this host name and the policy does not. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "cli/cli.h"
#include "cli/discover.h"
#include "cli/policy_source.h"
#include "policy/watchset.h"

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"
#define FOUND_MAX    4096

struct options {
	struct cli_list policy;
};

struct item {
	char *path, *origin;
	const char *watch;
};

struct finds {
	const struct policy *policy;
	const struct watchset *set;
	struct item *items;
	size_t nr;
	bool failed;
};

static char *escaped(const char *s)
{
	size_t size = 4 * strlen(s) + 1;
	char *text = malloc(size);

	if (text)
		escape_bytes(s, strlen(s), text, size, NULL);
	return text;
}

static void add(struct finds *f, const char *path, const char *watch, const char *file,
		unsigned line)
{
	struct item item = {.watch = watch};
	_cleanup_free_ char *name = escaped(file);
	struct item *items;

	for (size_t i = 0; i < f->nr; i++)
		if (!strcmp(f->items[i].path, path))
			return;
	if (f->nr == FOUND_MAX || !name)
		goto fail;
	item.path = strdup(path);
	if (asprintf(&item.origin, "%s:%u", name, line) < 0)
		item.origin = NULL;
	items = reallocarray(f->items, f->nr + 1, sizeof(item));
	if (items)
		f->items = items;
	if (!item.path || !item.origin || !items) {
		free(item.path);
		free(item.origin);
		goto fail;
	}
	f->items[f->nr++] = item;
	return;
fail:
	f->failed = true;
}

static void on_found(void *ctx, const struct discovered *found)
{
	struct finds *f = ctx;
	_cleanup_free_ char *path = escaped(found->path), *file = escaped(found->file);

	if (!path || !file) {
		f->failed = true;
		return;
	}
	if (found->unclear) {
		fprintf(stderr, "%s:%u: %s: %s\n", file, found->line, path, found->unclear);
		return;
	}
	/* Devices of a token, and what is not written as a path, are no files. */
	if (*found->path != '/' || !strncmp(found->path, "/dev/", 5) ||
	    watchset_match(f->set, span_of(found->path)))
		return;
	add(f, found->path, found->watch, found->file, found->line);
}

static void find_dumps(struct finds *f)
{
	_cleanup_fclose_ FILE *file = fopen(CORE_PATTERN, "re");
	char text[256], pattern[PATH_MAX], sample[PATH_MAX];

	if (file && fgets(text, sizeof(text), file) &&
	    discover_core_pattern(text, pattern, sample, sizeof(pattern)) &&
	    !watchset_match(f->set, span_of(sample)))
		add(f, pattern, "coredumps", CORE_PATTERN, 1);
}

/* In single quotes, as YAML has them. */
static void print_quoted(const char *s)
{
	putchar('\'');
	for (; *s; s++)
		printf(*s == '\'' ? "''" : "%c", *s);
	putchar('\'');
}

/* A file name is no pattern. */
static void print_path(const struct item *item)
{
	char text[2 * PATH_MAX];
	size_t n = 0;
	bool literal = strcmp(item->watch, "coredumps") != 0;

	for (const char *p = item->path; *p && n + 2 < sizeof(text); p++) {
		if (literal && strchr("*?[\\", *p))
			text[n++] = '\\';
		text[n++] = *p;
	}
	text[n] = '\0';
	printf("      - ");
	print_quoted(text);
	printf(" # %s\n", item->origin);
}

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static void print_watch(const struct finds *f, const char *watch)
{
	printf("  - name: %s\n    paths:\n", watch);
	for (size_t i = 0; i < f->nr; i++) {
		if (strcmp(f->items[i].watch, watch))
			continue;
		if (is_plain(f->items[i].path))
			print_path(&f->items[i]);
		else
			printf("      # %s: a path with control characters\n", f->items[i].origin);
	}
}

static void print_all(const struct finds *f)
{
	printf("# What configurations on this host name and the policy did not watch, as\n"
	       "# `keytrail policy discover` found it.\n"
	       "version: 1\n\noverride:\n");
	for (size_t i = 0; i < f->nr; i++) {
		bool seen = false;

		for (size_t k = 0; k < i && !seen; k++)
			seen = !strcmp(f->items[k].watch, f->items[i].watch);
		if (seen)
			continue;
		if (policy_find_watch(f->policy, span_of(f->items[i].watch)))
			print_watch(f, f->items[i].watch);
		else
			fprintf(stderr, "The policy has no watch entry '%s': %s is left out\n",
				f->items[i].watch, f->items[i].origin);
	}
}

static int discover(struct finds *f, const struct cli_homes *homes)
{
	int r = discover_all("", (const char *const *)homes->list, homes->nr, on_found, f);

	if (r == 0)
		find_dumps(f);
	if (r < 0 || f->failed) {
		fprintf(stderr, "keytrail policy discover: %s\n",
			r < 0 ? strerror(-r) : "out of memory, or too much was found");
		return CLI_FAILED;
	}
	if (f->nr)
		print_all(f);
	else
		fprintf(stderr, "Everything that was found is watched already\n");
	return 0;
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_(watchset_freep) struct watchset *set = NULL;
	struct cli_homes homes = {NULL, 0};
	struct diag_list diags = {0};
	struct finds f = {0};
	int code = policy_source_load("policy discover", &options->policy, &policy);

	if (code)
		return code;
	if (cli_homes_read(NULL, &homes) < 0 ||
	    watchset_compile(policy, (const char *const *)homes.list, homes.nr, 1, &diags, &set) <
		    0) {
		diag_print(&diags, stderr);
		code = CLI_FAILED;
	} else {
		f.policy = policy;
		f.set = set;
		code = discover(&f, &homes);
	}
	for (size_t i = 0; i < f.nr; i++) {
		free(f.items[i].path);
		free(f.items[i].origin);
	}
	free(f.items);
	diag_list_fini(&diags);
	cli_homes_fini(&homes);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION("policy", 'p', CLI_LIST, struct options, policy, "FILE",
		   "Policy to go by instead of the installed one; may be given again"),
};

const struct cli_command cmd_policy_discover = {
	.name = "policy discover",
	.args = "",
	.summary = "Find keys that configurations name and the policy does not",
	.about =
		"Looks into configurations of this host for paths of keys (HostKey, IdentityFile,\n"
		"ssl_certificate_key and the like, key files of kubeconfigs) and for where dumps go\n"
		"(core_pattern), and prints what the policy does not watch as a policy file, for\n"
		"/etc/keytrail/policy.d/. Files in homes are read as their owners.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
