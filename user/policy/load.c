// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From files to a policy: which files, reading them, and the order of the steps.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/policy-internal.h"

#define FILE_BYTES_MAX (1u << 20)

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
	int err = policy_index(*policy);

	if (err == 0)
		err = policy_warn(*policy, diags);
	if (err < 0)
		return err;
	*out_policy = take_ptr(*policy);
	return 0;
}

int policy_load(const char *const *files, size_t nr_files, struct diag_list *diags,
		struct policy **out_policy)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new();
	int result = 0;

	if (!policy)
		return -ENOMEM;
	if (nr_files == 0) {
		diag_add(diags, DIAG_ERROR, NULL, 0, 0, "there is no policy file");
		return -EINVAL;
	}
	/* All files are read even after an error, so that one run tells everything. */
	for (size_t i = 0; i < nr_files; i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;
		int err = read_file(files[i], diags, &text, &len);

		if (err == 0)
			err = schema_read(policy, files[i], text, len, diags);
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
	err = schema_read(policy, name, text, len, diags);
	if (err < 0)
		return err;
	return finish(&policy, diags, out_policy);
}
