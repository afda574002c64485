// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds the policy's files and checks them for a person.
 */
#include "policy/check.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "policy/policy-internal.h"
#include "policy/watchset.h"

#define EXIT_BAD_POLICY 2

/* --- which files -------------------------------------------------------------------------------
 */

void policy_files_fini(struct policy_files *files)
{
	for (size_t i = 0; i < files->nr; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct policy_files){0};
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Appends DIR/NAME, or puts it in the place of a file of the same name. Takes path. */
static int put_file(struct policy_files *files, char *path)
{
	for (size_t i = 0; i < files->nr; i++) {
		if (strcmp(base_name(files->paths[i]), base_name(path)))
			continue;
		free(files->paths[i]);
		files->paths[i] = path;
		return 0;
	}
	if (policy_grow(&files->paths, files->nr, sizeof(*files->paths)) < 0) {
		free(path);
		return -ENOMEM;
	}
	files->paths[files->nr++] = path;
	return 0;
}

static bool is_policy_name(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && name[0] != '.' && !strcmp(name + len - 5, ".yaml");
}

static int read_directory(const char *path, struct diag_list *diags, struct policy_files *files)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	int err = 0;

	if (!dir) {
		if (errno == ENOENT)
			return 0;
		err = -errno;
		diag_add(diags, DIAG_ERROR, path, 0, 0, "cannot be read: %s", strerror(-err));
		return err;
	}
	for (struct dirent *e; err == 0 && (errno = 0, e = readdir(dir));) {
		char *file;

		if (!is_policy_name(e->d_name))
			continue;
		if (asprintf(&file, "%s/%s", path, e->d_name) < 0)
			return -ENOMEM;
		err = put_file(files, file);
	}
	return err;
}

static int compare_base_names(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

/* A link to /dev/null says: not this one. */
static void drop_masked(struct policy_files *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->nr; i++) {
		_cleanup_free_ char *real = realpath(files->paths[i], NULL);

		if (real && !strcmp(real, "/dev/null"))
			free(files->paths[i]);
		else
			files->paths[kept++] = files->paths[i];
	}
	files->nr = kept;
}

int policy_list_files(const char *shipped, const char *local, struct diag_list *diags,
		      struct policy_files *out_files)
{
	struct policy_files files = {0};
	int err = read_directory(shipped, diags, &files);

	if (err == 0)
		err = read_directory(local, diags, &files);
	if (err < 0) {
		policy_files_fini(&files);
		return err;
	}
	if (files.nr)
		qsort(files.paths, files.nr, sizeof(*files.paths), compare_base_names);
	drop_masked(&files);
	*out_files = files;
	return 0;
}

int policy_default_files(struct diag_list *diags, struct policy_files *out_files)
{
	return policy_list_files(KT_DATADIR "/policy.d", KT_SYSCONFDIR "/policy.d", diags,
				 out_files);
}

/* --- checking ----------------------------------------------------------------------------------
 */

static bool has_packages(void)
{
	static const char *const dirs[] = RPM_DIRS;
	bool found = access(DPKG_INFO, F_OK) == 0;

	for (size_t i = 0; !found && dirs[i]; i++)
		found = access(dirs[i], F_OK) == 0;
	return found;
}

void policy_warn_exes(const struct policy *policy, struct diag_list *diags)
{
	const bool packages = has_packages();

	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		_cleanup_free_ char *real = NULL;

		if (rule->package && !packages)
			diag_add(
				diags, DIAG_WARNING, rule->place.file, rule->place.line,
				rule->place.column,
				"package '%s': this host has no database of dpkg or rpm, so the rule "
				"never counts; use `digest`",
				rule->package);
		if (rule_in_container(rule) && rule_inspects(rule))
			diag_add(diags, DIAG_WARNING, rule->place.file, rule->place.line,
				 rule->place.column,
				 "package and digest are not looked for where programs run in "
				 "containers: the rule never counts");
		if (rule->script && (real = realpath(rule->script, NULL)) &&
		    strcmp(real, rule->script))
			diag_add(diags, DIAG_WARNING, rule->place.file, rule->place.line,
				 rule->place.column,
				 "script '%s' is %s on this host: that is the path the kernel "
				 "tells, and so the one to name",
				 rule->script, real);
		/* In a container the path leads where the container's image says. */
		if (!rule->exe || rule_in_container(rule))
			continue;
		free(real);
		real = realpath(rule->exe, NULL);
		if (real && strcmp(real, rule->exe))
			diag_add(diags, DIAG_WARNING, rule->place.file, rule->place.line,
				 rule->place.column,
				 "exe '%s' is %s on this host: that is the path the kernel tells, "
				 "and so the one to name",
				 rule->exe, real);
	}
}

static int compile(const struct policy *policy, struct diag_list *diags)
{
	static const char *const homes[] = {"/root", "/home/user"};
	_cleanup_(watchset_freep) struct watchset *set = NULL;

	return watchset_compile(policy, homes, ARRAY_SIZE(homes), 1, diags, &set);
}

static int check(const char *const *files, size_t nr_files, struct diag_list *diags, FILE *out)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	int err = policy_load(files, nr_files, diags, &policy);

	if (err == 0)
		err = compile(policy, diags);
	if (err == 0) {
		policy_warn_exes(policy, diags);
		policy_warn_ended(policy, (uint64_t)time(NULL) * 1000000000, diags);
	}
	if (err == -ENOMEM)
		return EX_OSERR;
	diag_print(diags, out);
	if (err < 0 || diags->errors) {
		fprintf(out, "policy refused: %zu error%s, %zu warning%s\n", diags->errors,
			diags->errors == 1 ? "" : "s", diags->warnings,
			diags->warnings == 1 ? "" : "s");
		return EXIT_BAD_POLICY;
	}
	fprintf(out, "policy good: %zu file%s, %u watch entr%s, %zu warning%s\n", nr_files,
		nr_files == 1 ? "" : "s", policy_nr_watches(policy),
		policy_nr_watches(policy) == 1 ? "y" : "ies", diags->warnings,
		diags->warnings == 1 ? "" : "s");
	return EXIT_SUCCESS;
}

int policy_check_files(const char *const *files, size_t nr_files, FILE *out)
{
	struct diag_list diags = {0};
	struct policy_files found = {0};
	int code, err = 0;

	if (nr_files == 0) {
		err = policy_default_files(&diags, &found);
		files = (const char *const *)found.paths;
		nr_files = found.nr;
		if (err == 0 && nr_files == 0)
			diag_add(&diags, DIAG_WARNING, NULL, 0, 0, "no *.yaml in %s or %s",
				 KT_DATADIR "/policy.d", KT_SYSCONFDIR "/policy.d");
	}
	code = err == -ENOMEM ? EX_OSERR : check(files, nr_files, &diags, out);
	if (code == EX_OSERR)
		fprintf(out, "out of memory\n");
	policy_files_fini(&found);
	diag_list_fini(&diags);
	return code;
}
