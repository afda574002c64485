// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From files to a policy: which files, reading them, and the order of the steps.
 */
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/policy-internal.h"
#include "policy/yamltree.h"

#define FILE_BYTES_MAX	  (1u << 20)
#define INCLUDE_DEPTH_MAX 8

/* The whole file, NUL terminated; what is wrong is told to diags. */
static int read_file(const char *path, struct diag_list *diags, char **out_text, size_t *out_len)
{
	/* Non-blocking, so that a FIFO put there by mistake does not hang the daemon. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t len = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		diag_add(diags, DIAG_ERROR, path, 0, 0, "cannot be read: %s", strerror(errno));
		return -EINVAL;
	}
	if (!S_ISREG(st.st_mode)) {
		diag_add(diags, DIAG_ERROR, path, 0, 0, "is not a regular file");
		return -EINVAL;
	}
	if (st.st_mode & S_IWOTH)
		diag_add(diags, DIAG_WARNING, path, 0, 0,
			 "everybody can write this file, and so decide what is watched");
	text = malloc(FILE_BYTES_MAX + 2);
	if (!text)
		return -ENOMEM;
	while (len <= FILE_BYTES_MAX) {
		ssize_t n = read(fd, text + len, FILE_BYTES_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			diag_add(diags, DIAG_ERROR, path, 0, 0, "cannot be read: %s",
				 strerror(errno));
			return -EINVAL;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > FILE_BYTES_MAX) {
		diag_add(diags, DIAG_ERROR, path, 0, 0, "is larger than 1 MiB");
		return -EINVAL;
	}
	text[len] = '\0';
	*out_text = take_ptr(text);
	*out_len = len;
	return 0;
}

static int finish(struct policy **policy, struct diag_list *diags, struct policy **out_policy)
{
	int err = policy_resolve(*policy, diags);

	if (err == 0)
		err = policy_index(*policy, diags);
	if (err == 0)
		err = policy_warn(*policy, diags);
	if (err < 0)
		return err;
	*out_policy = take_ptr(*policy);
	return 0;
}

/* --- files and what they include ---------------------------------------------------------------
 */

/* The files that are being read, from the one that was named to the one that it led to. */
struct loader {
	const struct place *at; /* where the include stands; NULL: was named */
	unsigned depth;
};

static int load_file(struct policy *policy, const char *path, const struct loader *loader,
		     struct diag_list *diags);

/* Each file is read once: to include one twice would be to define its entries twice. */
static int note_file(struct policy *policy, const char *path, const struct loader *loader,
		     struct diag_list *diags)
{
	struct place place = loader->at ? *loader->at : (struct place){NULL};

	for (size_t i = 0; i < policy->nr_files; i++) {
		const struct place *first = &policy->files[i];

		if (strcmp(policy->file_names[i], path))
			continue;
		if (!loader->at)
			diag_add(diags, DIAG_ERROR, path, 0, 0, "is read twice");
		else if (first->file)
			diag_add(diags, DIAG_ERROR, place.file, place.line, place.column,
				 "'%.200s' is included already, at %s:%u", path, first->file,
				 first->line);
		else
			diag_add(diags, DIAG_ERROR, place.file, place.line, place.column,
				 "'%.200s' is read already, by its own name", path);
		return -EINVAL;
	}
	if (policy_grow(&policy->files, policy->nr_files, sizeof(*policy->files)) < 0 ||
	    policy_grow(&policy->file_names, policy->nr_files, sizeof(*policy->file_names)) < 0)
		return -ENOMEM;
	policy->file_names[policy->nr_files] = policy_keep(policy, path, strlen(path));
	if (!policy->file_names[policy->nr_files])
		return -ENOMEM;
	policy->files[policy->nr_files++] = place;
	return 0;
}

/* A directory that is not there holds nothing; one that cannot be read may hold anything. */
static int is_fatal(const char *path, int error)
{
	return error != ENOENT && error != ENOTDIR;
}

static int include_matches(struct policy *policy, const char *pattern, const struct loader *loader,
			   struct diag_list *diags)
{
	glob_t found = {0};
	int err = 0, r = glob(pattern, 0, is_fatal, &found);

	if (r == GLOB_NOMATCH && !strpbrk(pattern, "*?["))
		diag_add(diags, DIAG_ERROR, loader->at->file, loader->at->line, loader->at->column,
			 "there is no '%.200s' to include", pattern);
	if (r == GLOB_NOMATCH) {
		globfree(&found);
		return strpbrk(pattern, "*?[") ? 0 : -EINVAL;
	}
	if (r != 0) {
		globfree(&found);
		if (r == GLOB_NOSPACE)
			return -ENOMEM;
		diag_add(diags, DIAG_ERROR, loader->at->file, loader->at->line, loader->at->column,
			 "'%.200s' cannot be looked for: a directory on its way cannot be read",
			 pattern);
		return -EINVAL;
	}
	for (size_t i = 0; i < found.gl_pathc && err != -ENOMEM; i++) {
		int e = load_file(policy, found.gl_pathv[i], loader, diags);

		err = e < 0 ? e : err;
	}
	globfree(&found);
	return err;
}

static int include(void *ctx, struct policy *policy, const char *by, const char *which,
		   const struct yaml_node *at, struct diag_list *diags)
{
	const struct loader *outer = ctx;
	const struct place place = {by, at->line, at->column};
	const struct loader loader = {&place, outer->depth + 1};
	const char *slash = strrchr(by, '/');
	_cleanup_free_ char *path = NULL;

	if (loader.depth > INCLUDE_DEPTH_MAX) {
		diag_add(diags, DIAG_ERROR, by, at->line, at->column,
			 "more than %d files include each other", INCLUDE_DEPTH_MAX);
		return -EINVAL;
	}
	if (*which == '/' || !slash)
		path = strdup(which);
	else if (asprintf(&path, "%.*s/%s", (int)(slash - by), by, which) < 0)
		path = NULL;
	return path ? include_matches(policy, path, &loader, diags) : -ENOMEM;
}

static int load_file(struct policy *policy, const char *path, const struct loader *loader,
		     struct diag_list *diags)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int err = note_file(policy, path, loader, diags);

	if (err == 0)
		err = read_file(path, diags, &text, &len);
	if (err == 0)
		err = schema_read(policy, path, text, len, include, (void *)loader, diags);
	return err;
}

int policy_load(const char *const *files, size_t nr_files, struct diag_list *diags,
		struct policy **out_policy)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new();
	const struct loader named = {NULL};
	int result = 0;

	if (!policy)
		return -ENOMEM;
	if (nr_files == 0) {
		diag_add(diags, DIAG_ERROR, NULL, 0, 0, "there is no policy file");
		return -EINVAL;
	}
	/* All files are read even after an error, so that one run tells everything. */
	for (size_t i = 0; i < nr_files; i++) {
		int err = load_file(policy, files[i], &named, diags);

		if (err == -ENOMEM)
			return err;
		if (err < 0)
			result = err;
	}
	if (result < 0)
		return result;
	return finish(&policy, diags, out_policy);
}

int policy_parse(const char *name, const char *text, size_t len, struct diag_list *diags,
		 struct policy **out_policy)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new();
	int err;

	if (!policy)
		return -ENOMEM;
	err = schema_read(policy, name, text, len, NULL, NULL, diags);
	if (err < 0)
		return err;
	return finish(&policy, diags, out_policy);
}
