// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail policy show`: what is in force after all files, overrides and defaults, and who says
 * so.
 */
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/policy_source.h"
#include "journal/policy-digest.h"
#include "policy/show.h"

#define ORIGIN_COLUMN 64

struct options {
	struct cli_list policy;
	bool json;
};

static void print_line(void *ctx, const struct policy_line *line)
{
	const char **section = ctx;
	int n;

	if (!*section || strcmp(*section, line->section)) {
		printf("%s%s", *section ? "\n" : "", line->section);
		free((char *)*section);
		*section = strdup(line->section);
		if (*line->text)
			printf("\n");
	}
	if (*line->text)
		n = printf("  %s", line->text);
	else
		n = (int)strlen(line->section);
	printf("%*s", n < ORIGIN_COLUMN ? ORIGIN_COLUMN - n : 1, "");
	if (line->file)
		printf("# %s:%u\n", line->file, line->line);
	else
		printf("# default\n");
}

static void print_json(void *ctx, const struct policy_line *line)
{
	json_auto_t *object = json_pack("{s:s, s:s, s:s?, s:i, s:i}", "section", line->section,
					"text", line->text, "file", line->file, "line",
					(int)line->line, "column", (int)line->column);

	if (object && json_dumpf(object, stdout, JSON_COMPACT) == 0)
		fputc('\n', stdout);
	else
		*(bool *)ctx = true;
}

/* As the evidence log has it of the policy in force, and `keytrail status`. */
static bool print_digest(const struct options *options, const struct policy *policy)
{
	char digest[LINE_HEX + 1];
	json_auto_t *object = NULL;

	if (!*policy_digest_hex(policy, digest))
		return false;
	if (!options->json) {
		printf("\npolicy_sha256 %s\n", digest);
		return true;
	}
	object = json_pack("{s:s, s:s+, s:n, s:i, s:i}", "section", "policy", "text",
			   "policy_sha256: ", digest, "file", "line", 0, "column", 0);
	return object && json_dumpf(object, stdout, JSON_COMPACT) == 0 && fputc('\n', stdout) > 0;
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	const char *section = NULL;
	bool failed = false;
	int code = policy_source_load("policy show", &options->policy, &policy);

	if (code)
		return code;
	policy_lines(policy, options->json ? print_json : print_line,
		     options->json ? (void *)&failed : (void *)&section);
	free((char *)section);
	failed |= !print_digest(options, policy);
	return failed ? CLI_FAILED : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION("policy", 'p', CLI_LIST, struct options, policy, "FILE",
		   "Policy to show instead of the installed one; may be given again"),
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "One JSON object per line: section, text, file, line, column"),
};

const struct cli_command cmd_policy_show = {
	.name = "policy show",
	.args = "",
	.summary = "Show the effective policy, each line with its origin",
	.about =
		"Shows what comes of all policy files together: settings with their defaults, watch "
		"entries\n"
		"after overrides, rules and exceptions, zones, and behind each line the file and line "
		"that\n"
		"says so; at the end the digest by which the evidence log names it. Needs no daemon: it "
		"is what\n"
		"a reload would put in force.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
