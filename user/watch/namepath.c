// SPDX-License-Identifier: GPL-2.0-or-later
/* Joins and cleans names, as text. */
#include "watch/namepath.h"

#include <errno.h>
#include <string.h>

/* Appends the components of `text` to the path in out[0 .. len), which has no slash at its end. */
static int append(struct span text, char *out, size_t len, size_t size)
{
	const char *p = text.p, *end = p + text.len;

	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t n = (size_t)((slash ? slash : end) - p);

		if (n == 2 && !memcmp(p, "..", 2)) {
			while (len && out[--len] != '/')
				;
		} else if (n && !(n == 1 && *p == '.')) {
			if (n + 2 > size - len)
				return -ENAMETOOLONG;
			out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		if (!slash)
			break;
		p = slash + 1;
	}
	return (int)len;
}

int name_path(struct span dir, struct span name, char *out, size_t size)
{
	int len = append(dir, out, 0, size);

	if (len >= 0)
		len = append(name, out, (size_t)len, size);
	if (len == 0)
		out[len++] = '/';
	if (len > 0)
		out[len] = '\0';
	return len;
}
