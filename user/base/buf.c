// SPDX-License-Identifier: GPL-2.0-or-later
/* Bytes that grow up to a limit. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* An emptied buffer above this size is released, so that one burst does not hold memory for ever.
 */
#define BUF_KEEP 16384

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
	free(buf->p);
	*buf = (struct buf){.max = buf->max};
}

/* Makes room for `len` more bytes plus one for the terminator that vsnprintf insists on. */
static int buf_reserve(struct buf *buf, size_t len)
{
	size_t need, cap = buf->cap ? buf->cap : 256;
	char *p;

	if (len >= SIZE_MAX / 4 - buf->len)
		return -ENOMEM;
	need = buf->len + len;
	if (buf->max && need > buf->max)
		return -ENOBUFS;
	if (need + 1 <= buf->cap)
		return 0;
	while (cap < need + 1)
		cap *= 2;
	p = realloc(buf->p, cap);
	if (!p)
		return -ENOMEM;
	buf->p = p;
	buf->cap = cap;
	return 0;
}

int buf_append(struct buf *buf, const char *p, size_t len)
{
	int r = buf_reserve(buf, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(buf->p + buf->len, p, len);
	buf->len += len;
	return 0;
}

int buf_appendf(struct buf *buf, const char *fmt, ...)
{
	va_list ap, again;
	int len, r;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	r = len < 0 ? -EINVAL : buf_reserve(buf, len);
	if (r == 0) {
		vsnprintf(buf->p + buf->len, (size_t)len + 1, fmt, again);
		buf->len += len;
	}
	va_end(again);
	return r;
}

void buf_consume(struct buf *buf, size_t len)
{
	if (len < buf->len) {
		memmove(buf->p, buf->p + len, buf->len - len);
		buf->len -= len;
		return;
	}
	buf->len = 0;
	if (buf->cap > BUF_KEEP)
		buf_fini(buf);
}
