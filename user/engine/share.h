/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * So that nobody's alerts push out another's: of what one user causes within a window so many
 * alerts go out, the rest is counted and told by one alert when the window ends; another says when
 * it begins.
 *
 * Who may be flooded is who reads his own files, since he can make as many as he likes. So the
 * first alert in a window about an object that belongs to somebody else does not count against who
 * caused it but against the owner, up to SHARE_OTHERS for one owner; beyond that it is one like the
 * others. Bounded: SHARE_MAX users at a time, the window that began first ends early; SHARE_TOLD
 * objects, one that is forgotten may be told once more. Pure. Times are CLOCK_BOOTTIME ns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARE_MAX    1024
#define SHARE_OTHERS 1024
#define SHARE_TOLD   8192

struct share;

struct share_case {
	uint32_t user; /* who logged in, or the uid where nobody did */
	uint32_t owner; /* of the object */
	bool others; /* the owner is somebody else, whom the user cannot have made up */
	uint64_t object;
};

/*
 * Alerts of `user` are held back: from now on (held 0), or so many were, between first and last.
 * `start` of the window and `held` tell one such alert from the other.
 */
typedef void (*share_fn)(void *ctx, uint32_t user, uint64_t start, uint64_t held, uint64_t first,
			 uint64_t last);

struct share *share_new(share_fn fn, void *ctx); /* NULL: out of memory */
void share_free(struct share *share);

/* May it go out? If not it is counted: `count` things between first and last. limit: alerts for one
 * user in a window. */
bool share_admit(struct share *share, const struct share_case *c, uint64_t count, uint64_t first,
		 uint64_t last, uint64_t now, uint32_t limit);

void share_tick(struct share *share, uint64_t now, uint64_t window);
uint64_t share_next(const struct share *share, uint64_t window); /* UINT64_MAX: none is open */
void share_flush(struct share *share);
size_t share_bytes(const struct share *share);
