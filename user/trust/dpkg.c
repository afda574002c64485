// SPDX-License-Identifier: GPL-2.0-or-later
/* Which package a file belongs to, and whether it is what that package installed. */
#include "trust/dpkg.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SUMS_MAX (32 << 20) /* bytes of one package's list; the kernel's sources have 8 MiB */

/* The whole file, NUL terminated; NULL if it is too large or cannot be read. */
static char *read_sums(int dir, const char *name, size_t *out_len)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	size_t at = 0;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SUMS_MAX)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	while (text && at < (size_t)st.st_size &&
	       (n = read(fd, text + at, (size_t)st.st_size - at)) > 0)
		at += (size_t)n;
	if (text)
		text[at] = '\0';
	*out_len = at;
	return text;
}

/* The sum that stands before the path in a line of its own; NULL = not there. */
static const char *find_sum(const char *text, size_t len, const char *path)
{
	const size_t n = strlen(path);
	const char *at = text;

	if (!n)
		return NULL;
	while ((at = memmem(at, len - (size_t)(at - text), path, n))) {
		const char *end = at + n;

		/* "MD5  PATH\n": 32 digits, two spaces. */
		if ((*end == '\n' || !*end) && at - text >= 34 && at[-1] == ' ' && at[-2] == ' ' &&
		    (at - text == 34 || at[-35] == '\n'))
			return at - 34;
		at++;
	}
	return NULL;
}

/* As a package lists it: without the slash, and perhaps without usr/. */
static const char *sum_of(const char *text, size_t len, const char *path)
{
	static const char *const merged[] = {"/usr/bin/", "/usr/sbin/", "/usr/lib"};
	const char *sum = find_sum(text, len, path + 1);

	for (size_t i = 0; !sum && i < ARRAY_SIZE(merged); i++)
		if (!strncmp(path, merged[i], strlen(merged[i])))
			sum = find_sum(text, len, path + strlen("/usr/"));
	return sum;
}

void dpkg_find(const char *info, const char *path, const char *md5,
	       char out_package[static PACKAGE_MAX], enum package_state *out_state)
{
	static const char suffix[] = ".md5sums";
	_cleanup_closedir_ DIR *dir = opendir(info);
	struct dirent *entry;

	out_package[0] = '\0';
	*out_state = dir ? PACKAGE_NONE : PACKAGE_UNKNOWN;
	while (dir && path[0] == '/' && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name), len = 0;
		_cleanup_free_ char *text = NULL;
		const char *sum;

		if (n <= sizeof(suffix) - 1 || n - sizeof(suffix) + 1 >= PACKAGE_MAX ||
		    strcmp(entry->d_name + n - sizeof(suffix) + 1, suffix))
			continue;
		text = read_sums(dirfd(dir), entry->d_name, &len);
		sum = text ? sum_of(text, len, path) : NULL;
		if (!sum)
			continue;
		snprintf(out_package, PACKAGE_MAX, "%.*s", (int)(n - sizeof(suffix) + 1),
			 entry->d_name);
		*out_state = strncmp(sum, md5, 32) ? PACKAGE_MODIFIED : PACKAGE_INTACT;
		if (*out_state == PACKAGE_INTACT)
			return;
	}
}
