/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a running image the file that stands at its path on this host? Asked for the executables that
 * the policy allows, and keytrail's own, by kernel identity and not by name: a copy, a memfd, or a
 * file that a mount namespace shows at that path is another inode. An image that was verified when
 * it began stays so after a package upgrade has replaced its file.
 */
#pragma once

#include "model/event.h"
#include "policy/policy.h"

struct trust;

/* identify: as sensor_identify(). */
int trust_new(int (*identify)(void *userdata, const char *path, struct inode_id *out_identity),
	      void *userdata, struct trust **out_trust);
void trust_free(struct trust *trust);

/* The executables of a policy, and keytrail's own; forgets those of the one before. -ENOMEM leaves
 * the old. */
int trust_set_policy(struct trust *trust, const struct policy *policy);
/*
 * The executables of a policy that is to come, beside those that are known: while one policy makes
 * way for another, programs of both are asked about. trust_set_policy() ends that. -ENOMEM: some.
 */
int trust_add_policy(struct trust *trust, const struct policy *policy);

/*
 * Whether anybody but root can change the file at this absolute path, or put another in its place:
 * by owner, mode or access ACL of it and of each directory above. Links are followed, and the last
 * name need not be there. True where it cannot be told.
 */
bool trust_others_can_write(const char *path);

/* exe: path as the kernel told it. EXE_UNKNOWN if no policy names it. */
enum exe_trust trust_ask(struct trust *trust, struct span exe, const struct inode_id *inode,
			 uint32_t nlink);

/*
 * trust_ask() of a script that an interpreter was started for; ev->trust is not looked at. VERIFIED
 * only if the name that the interpreter opens leads to the file that the kernel read, by
 * directories and links that nobody but root can change: else another file could be there by then.
 */
enum exe_trust trust_script(struct trust *trust, const struct event_script *ev);

/*
 * trust_ask() for the subject of an event, and adds to subject->untrusted what is to be said of its
 * executable. exe, nlink, mode, uid: the executable's, as the event tells them. Of a program that
 * no policy names only these are looked at.
 */
enum exe_trust trust_subject(struct trust *trust, struct span exe, uint32_t nlink, uint32_t mode,
			     uint32_t uid, struct subject *subject);
