// SPDX-License-Identifier: GPL-2.0-or-later
/* The dump scanner's messages, to bytes and back. */
#include "scan/channel.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

_Static_assert(CHANNEL_MAX >= 4 + FINDING_SIZE, "the longest message is that about a dump");

#define ERRNO_MAX 4095 /* include/linux/err.h */
#define DEPTH_MAX 16 /* UNPACK_DEPTH and more */

static const size_t sizes[CHANNEL_TYPE_NR] = {
	[CHANNEL_ABOUT] = SCAN_ABOUT_SIZE,
	[CHANNEL_FINDING] = FINDING_SIZE,
	[CHANNEL_PROGRESS] = 16,
	[CHANNEL_DONE] = 4,
	[CHANNEL_DIGEST] = 34,
};

static void put(uint8_t *to, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		to[i] = (uint8_t)(value >> 8 * (len - 1 - i));
}

static uint64_t get(const uint8_t *p, unsigned len)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < len; i++)
		value = value << 8 | p[i];
	return value;
}

size_t channel_encode(const struct channel_message *message, uint8_t out[CHANNEL_MAX])
{
	size_t size = sizes[message->type];
	uint8_t *body = out + 4;

	out[0] = 'K';
	out[1] = (uint8_t)message->type;
	put(out + 2, size, 2);
	switch (message->type) {
	case CHANNEL_ABOUT:
		scan_about_encode(&message->about, body);
		break;
	case CHANNEL_FINDING:
		finding_encode(&message->finding, body);
		break;
	case CHANNEL_PROGRESS:
		put(body, message->progress.done, 8);
		put(body + 8, message->progress.total, 8);
		break;
	case CHANNEL_DIGEST:
		memcpy(body, message->digest.sha256, 32);
		body[32] = message->digest.depth;
		body[33] = message->digest.keys;
		break;
	default:
		put(body, (uint64_t) - (int64_t)message->error, 4);
		break;
	}
	return 4 + size;
}

uint8_t *channel_room(struct channel_reader *reader, size_t *out_size)
{
	*out_size = sizeof(reader->buffer) - reader->len;
	return reader->buffer + reader->len;
}

void channel_got(struct channel_reader *reader, size_t len)
{
	reader->len += len;
}

/* Does it stand where it may? */
static bool in_order(struct channel_reader *r, const struct channel_message *m)
{
	switch (m->type) {
	case CHANNEL_ABOUT:
		if (r->in_dump)
			return false;
		r->in_dump = true;
		return true;
	case CHANNEL_FINDING:
		if (!r->in_dump || ++r->findings > CHANNEL_FINDINGS_MAX)
			return false;
		r->in_dump = m->finding.what != FINDING_END;
		return r->in_dump || !(m->finding.vaddr & ~(uint64_t)SCAN_FLAGS_ALL);
	case CHANNEL_DIGEST:
		return !r->in_dump && ++r->digests <= CHANNEL_DIGESTS_MAX;
	case CHANNEL_DONE:
		/* It may fail in the middle of a dump, but not succeed there. */
		r->done = true;
		return m->error || !r->in_dump;
	default:
		return true;
	}
}

static int decode(const uint8_t *p, struct channel_message *m)
{
	const uint8_t *body = p + 4;

	m->type = p[1];
	switch (m->type) {
	case CHANNEL_ABOUT:
		return scan_about_decode(body, &m->about);
	case CHANNEL_FINDING:
		return finding_decode(body, &m->finding);
	case CHANNEL_PROGRESS:
		m->progress.done = get(body, 8);
		m->progress.total = get(body + 8, 8);
		return m->progress.done <= m->progress.total ? 0 : -EBADMSG;
	case CHANNEL_DIGEST:
		if (body[32] > DEPTH_MAX || body[33] > 1)
			return -EBADMSG;
		memcpy(m->digest.sha256, body, 32);
		m->digest.depth = body[32];
		m->digest.keys = body[33];
		return 0;
	default:
		if (get(body, 4) > ERRNO_MAX)
			return -EBADMSG;
		m->error = -(int)get(body, 4);
		return 0;
	}
}

int channel_next(struct channel_reader *reader, struct channel_message *out_message)
{
	const uint8_t *p = reader->buffer;
	struct channel_message message = {.type = 0};
	size_t size;

	if (reader->len < 4)
		return 0;
	if (reader->done || p[0] != 'K' || p[1] < CHANNEL_ABOUT || p[1] >= CHANNEL_TYPE_NR ||
	    get(p + 2, 2) != sizes[p[1]])
		return -EBADMSG;
	size = 4 + sizes[p[1]];
	if (reader->len < size)
		return 0;
	if (decode(p, &message) < 0 || !in_order(reader, &message))
		return -EBADMSG;
	memmove(reader->buffer, reader->buffer + size, reader->len - size);
	reader->len -= size;
	*out_message = message;
	return 1;
}
