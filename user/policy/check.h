/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files are the policy, and `keytrail policy check`: the same way as at the daemon's start,
 * with everything told to a person.
 */
#pragma once

#include <stdio.h>

#include "base/diag.h"
#include "policy/policy.h"

/* A list of file names, owned by the caller of policy_default_files(). */
struct policy_files {
	char **paths;
	size_t nr;
};

/*
 * All *.yaml of the directory policy.d below KT_DATADIR and below KT_SYSCONFDIR, in the order of
 * their names in the C locale. A file below KT_SYSCONFDIR takes the place of the shipped one of the
 * same name; a link to /dev/null there masks it. Missing directories are fine; an empty list is not
 * an error here but is one to policy_load(). -ENOMEM, or what else kept a directory from being read
 * (told to diags).
 */
int policy_default_files(struct diag_list *diags, struct policy_files *out_files);

/* The same for any two directories, the second one going first where both have a name. */
int policy_list_files(const char *shipped, const char *local, struct diag_list *diags,
		      struct policy_files *out_files);
void policy_files_fini(struct policy_files *files);

/*
 * Warns where the path of an allowed program is not the one that the kernel will tell on this host,
 * because a part of it is a symbolic link. Looks at the file system; programs that are not
 * installed are passed over.
 */
void policy_warn_exes(const struct policy *policy, struct diag_list *diags);

/* Warns of rules and exceptions that have ended by `now` (CLOCK_REALTIME ns). */
void policy_warn_ended(const struct policy *policy, uint64_t now, struct diag_list *diags);

/*
 * Loads the files as one policy (nr 0: the default files), compiles its paths, and prints every
 * error and warning and a last line that sums up. The exit code: 0 = good, 2 = not, 71 = out of
 * memory.
 */
int policy_check_files(const char *const *files, size_t nr_files, FILE *out);
