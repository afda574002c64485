/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of uids: which are listed in /etc/passwd, which a name service was asked for, what
 * it said, and when to ask again. No answer holds for ever: services start later than we do, users
 * are made, renamed and removed, and a uid is given again.
 *
 * Pure but for the memory it allocates. Bounded to USERTAB_MAX uids: the one that was first seen
 * and has no name gives way. Times are ns of one clock. Not thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USERTAB_MAX 65536

/* No name service answered: asked again by usertab_due(), ever later. */
#define USERTAB_FAILED_NS     1000000000ULL
#define USERTAB_FAILED_MAX_NS 300000000000ULL
/* "No such user" is also what some services say while they cannot know (sssd before it runs). */
#define USERTAB_ABSENT_NS     15000000000ULL
#define USERTAB_ABSENT_MAX_NS 3600000000000ULL /* from then on only when it is seen again */
/* Names are asked for anew when the user is seen after that long. */
#define USERTAB_FOUND_NS 3600000000000ULL

struct usertab;

enum usertab_answer { USER_FOUND, USER_ABSENT, USER_FAILED };

struct usertab *usertab_new(void); /* NULL: out of memory */
void usertab_free(struct usertab *tab); /* NULL is fine */

/* A reading of the list of local users, of which it holds all when it has ended. */
void usertab_begin(struct usertab *tab);
/* True: its name is news. Of several entries with one uid the first counts, as for getpwuid(3). */
bool usertab_listed(struct usertab *tab, uint32_t uid, const char *name);
/* Tells whom the last reading had and this one has not: they have no name until they are asked for.
 */
void usertab_end(struct usertab *tab, void (*gone)(void *userdata, uint32_t uid), void *userdata);

/* The uid was seen. True: it is to be asked for now, and counts as asked for. */
bool usertab_seen(struct usertab *tab, uint32_t uid, uint64_t now);
/* The next uid to be asked for without being seen; false: none at the moment. */
bool usertab_due(struct usertab *tab, uint64_t now, uint32_t *out_uid);
/* It could not be asked for now: when it is seen, or due, again. */
void usertab_not_asked(struct usertab *tab, uint32_t uid);
/* name: of USER_FOUND. True: it is news. */
bool usertab_answered(struct usertab *tab, uint32_t uid, enum usertab_answer answer,
		      const char *name, uint64_t now);
