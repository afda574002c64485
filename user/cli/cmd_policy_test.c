// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail policy test`: does the policy decide as its cases say? */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/policy_source.h"
#include "policy/cases.h"

#define FILE_BYTES_MAX (1u << 20)

struct options {
	struct cli_list policy;
};

/* Allocated; NULL after a message. */
static char *read_whole(const char *path, size_t *out_len)
{
	_cleanup_fclose_ FILE *f = strcmp(path, "-") ? fopen(path, "re") : NULL;
	FILE *from = strcmp(path, "-") ? f : stdin;
	_cleanup_free_ char *text = malloc(FILE_BYTES_MAX + 1);
	size_t len;

	if (!from || !text) {
		fprintf(stderr, "keytrail policy test: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	len = fread(text, 1, FILE_BYTES_MAX + 1, from);
	if (ferror(from) || len > FILE_BYTES_MAX) {
		fprintf(stderr, "keytrail policy test: %s: %s\n", path,
			ferror(from) ? strerror(errno) : "is larger than 1 MiB");
		return NULL;
	}
	text[len] = '\0';
	*out_len = len;
	return take_ptr(text);
}

static int test_file(const struct policy *policy, const char *path, struct cases_result *sum)
{
	struct cases_result result = {0};
	struct diag_list diags = {0};
	_cleanup_free_ char *text = NULL;
	size_t len;
	int err;

	text = read_whole(path, &len);
	if (!text)
		return CLI_USAGE;
	err = cases_run(policy, path, text, len, &diags, stdout, &result);
	diag_print(&diags, stderr);
	diag_list_fini(&diags);
	sum->passed += result.passed;
	sum->failed += result.failed;
	if (err == -ENOMEM)
		fprintf(stderr, "keytrail policy test: out of memory\n");
	return err == 0 ? 0 : err == -ENOMEM ? CLI_FAILED : CLI_USAGE;
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct cases_result sum = {0};
	int code = policy_source_load("policy test", &options->policy, &policy);

	if (code)
		return code;
	for (int i = 0; i < argc; i++) {
		int r = test_file(policy, argv[i], &sum);

		code = r ? r : code;
	}
	printf("%zu passed, %zu failed\n", sum.passed, sum.failed);
	return code ? code : sum.failed ? CLI_FAILED : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION("policy", 'p', CLI_LIST, struct options, policy, "FILE",
		   "Policy to test instead of the installed one; may be given again"),
};

const struct cli_command cmd_policy_test = {
	.name = "policy test",
	.args = "FILE...",
	.min_args = 1,
	.max_args = 64,
	.summary = "Check that a policy decides as a list of cases says",
	.about =
		"Reads cases (subject, action, object, expected verdict; see docs/policy.md), asks "
		"the policy\n"
		"and tells each that comes out otherwise with its place, the rule that decided and "
		"what would\n"
		"change it. Needs no daemon. Exits 0 if all are as expected, 1 if one is not, 2 if "
		"files are\n"
		"wrong.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
