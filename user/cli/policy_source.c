// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a command gets its policy from, and what `~` stands for here. */
#include "cli/policy_source.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/check.h"

static int load(const char *command, const char *const *files, size_t nr, struct diag_list *diags,
		struct policy **out_policy)
{
	int r = policy_load(files, nr, diags, out_policy);

	if (r < 0) {
		diag_print(diags, stderr);
		fprintf(stderr, "keytrail %s: the policy cannot be used: %s\n", command,
			strerror(-r));
	}
	return r == 0 ? 0 : r == -EINVAL ? CLI_USAGE : CLI_FAILED;
}

int policy_source_load(const char *command, const struct cli_list *given,
		       struct policy **out_policy)
{
	struct policy_files files = {NULL, 0};
	struct diag_list diags = {0};
	int code;

	if (given->nr) {
		code = load(command, given->items, given->nr, &diags, out_policy);
	} else if (policy_default_files(&diags, &files) < 0) {
		diag_print(&diags, stderr);
		code = CLI_FAILED;
	} else {
		code = load(command, (const char *const *)files.paths, files.nr, &diags,
			    out_policy);
	}
	policy_files_fini(&files);
	diag_list_fini(&diags);
	return code;
}

int policy_source_load_shipped(const char *command, struct policy **out_policy)
{
	struct policy_files files = {NULL, 0};
	struct diag_list diags = {0};
	int code = CLI_FAILED;

	if (policy_list_files(KT_DATADIR "/policy.d", "/nonexistent", &diags, &files) == 0)
		code = load(command, (const char *const *)files.paths, files.nr, &diags,
			    out_policy);
	else
		diag_print(&diags, stderr);
	policy_files_fini(&files);
	diag_list_fini(&diags);
	return code;
}

int cli_homes_read(const char *passwd, struct cli_homes *out_homes)
{
	_cleanup_fclose_ FILE *f = fopen(passwd ? passwd : "/etc/passwd", "re");
	struct cli_homes homes = {NULL, 0};

	for (struct passwd *pw; f && (pw = fgetpwent(f));) {
		size_t len = strlen(pw->pw_dir);
		char **list, *copy;

		/* As the daemon: what is no directory of anybody's is no home. */
		if (len < 2 || pw->pw_dir[0] != '/' || !strcmp(pw->pw_dir, "/nonexistent") ||
		    !strncmp(pw->pw_dir, "/proc", 5) || !strncmp(pw->pw_dir, "/dev", 4))
			continue;
		while (len > 1 && pw->pw_dir[len - 1] == '/')
			len--;
		copy = strndup(pw->pw_dir, len);
		list = copy ? reallocarray(homes.list, homes.nr + 1, sizeof(*list)) : NULL;
		if (!list) {
			free(copy);
			cli_homes_fini(&homes);
			return -ENOMEM;
		}
		list[homes.nr++] = copy;
		homes.list = list;
	}
	*out_homes = homes;
	return 0;
}

void cli_homes_fini(struct cli_homes *homes)
{
	for (size_t i = 0; i < homes->nr; i++)
		free(homes->list[i]);
	free(homes->list);
	*homes = (struct cli_homes){NULL, 0};
}
