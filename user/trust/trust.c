// SPDX-License-Identifier: GPL-2.0-or-later
/* Is a running image the file that stands at its path on this host? */
#include "trust/trust.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "model/own.h"

#define PAST_MAX 8 /* inodes that stood at one path before, so many upgrades ago */

struct exe {
	struct inode_id now;
	struct inode_id past[PAST_MAX];
	unsigned nr_past;
	bool has_now;
	bool writable; /* was so at some time while `now` stood here: others may have changed it */
	UT_hash_handle hh;
	char path[]; /* the key */
};

struct trust {
	int (*identify)(void *userdata, const char *path, struct inode_id *out_identity);
	void *userdata;
	struct exe *exes;
};

static void exes_free(struct exe *exes)
{
	struct exe *exe, *tmp;

	HASH_ITER(hh, exes, exe, tmp)
	{
		HASH_DEL(exes, exe);
		free(exe);
	}
}

int trust_new(int (*identify)(void *userdata, const char *path, struct inode_id *out_identity),
	      void *userdata, struct trust **out_trust)
{
	struct trust *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->identify = identify;
	t->userdata = userdata;
	*out_trust = t;
	return 0;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	exes_free(t->exes);
	free(t);
}

/* One that is named twice stands once. */
static int add_exe(const struct trust *t, struct exe **exes, const char *path)
{
	const size_t len = strlen(path);
	struct exe *exe, *old;

	HASH_FIND(hh, *exes, path, len, exe);
	if (exe)
		return 0;
	exe = calloc(1, sizeof(*exe) + len + 1);
	if (!exe)
		return -ENOMEM;
	/* What was verified stays verified: the images are still running. */
	HASH_FIND(hh, t->exes, path, len, old);
	if (old) {
		exe->now = old->now;
		exe->has_now = old->has_now;
		exe->writable = old->writable;
		exe->nr_past = old->nr_past;
		memcpy(exe->past, old->past, sizeof(exe->past));
	}
	memcpy(exe->path, path, len + 1);
	HASH_ADD_KEYPTR(hh, *exes, exe->path, len, exe);
	return 0;
}

static int add_allowed(const struct trust *t, struct exe **exes, const struct policy *policy)
{
	const char *path;
	int err = 0;

	for (size_t i = 0; !err && (path = policy_allowed_exe(policy, i)); i++)
		err = add_exe(t, exes, path);
	return err;
}

int trust_add_policy(struct trust *t, const struct policy *policy)
{
	return add_allowed(t, &t->exes, policy);
}

int trust_set_policy(struct trust *t, const struct policy *policy)
{
	static const char *const own[OWN_PROGRAMS_NR] = {OWN_PROGRAMS};
	struct exe *exes = NULL;
	int err = add_allowed(t, &exes, policy);

	for (size_t i = 0; !err && i < OWN_PROGRAMS_NR; i++)
		err = add_exe(t, &exes, own[i]);
	if (err) {
		exes_free(exes);
		return err;
	}
	exes_free(t->exes);
	t->exes = exes;
	return 0;
}

/*
 * Whether an access ACL gives write to a user or group other than root. The mode shows its mask in
 * place of the group's permissions, and does not tell whose they are. As the kernel lays it out
 * (linux/posix_acl_xattr.h): a version, then entries, little endian.
 */
static bool acl_lets_others_write(const char *path)
{
	struct posix_acl_xattr_header *header;
	struct posix_acl_xattr_entry *entries;
	uint16_t mask = ACL_WRITE;
	uint8_t buf[4096]; /* some 500 entries: who needs more is not trusted */
	ssize_t size = getxattr(path, XATTR_NAME_POSIX_ACL_ACCESS, buf, sizeof(buf));
	size_t nr;

	if (size < 0)
		return errno != ENODATA && errno != EOPNOTSUPP;
	if ((size_t)size < sizeof(*header))
		return true;
	header = (struct posix_acl_xattr_header *)buf;
	entries = (struct posix_acl_xattr_entry *)(buf + sizeof(*header));
	nr = ((size_t)size - sizeof(*header)) / sizeof(*entries);
	if (le32toh(header->a_version) != POSIX_ACL_XATTR_VERSION)
		return true;
	for (size_t i = 0; i < nr; i++)
		if (le16toh(entries[i].e_tag) == ACL_MASK)
			mask = le16toh(entries[i].e_perm);
	for (size_t i = 0; i < nr; i++) {
		uint16_t tag = le16toh(entries[i].e_tag);

		if ((tag == ACL_USER || tag == ACL_GROUP) && le32toh(entries[i].e_id) != 0 &&
		    (le16toh(entries[i].e_perm) & mask & ACL_WRITE))
			return true;
	}
	return false;
}

bool trust_others_can_write(const char *path)
{
	const size_t len = strlen(path);
	char at[PATH_MAX];
	struct stat st;

	if (len >= sizeof(at))
		return true;
	memcpy(at, path, len + 1);
	for (;;) {
		char *slash;

		if (stat(at[0] ? at : "/", &st) < 0) {
			/* Removed since it began: what was seen while it stood there counts. */
			if (errno != ENOENT || strlen(at) != len)
				return true;
			st = (struct stat){};
		} else if (acl_lets_others_write(at[0] ? at : "/")) {
			return true;
		}
		if (st.st_uid != 0 || (st.st_mode & S_IWOTH) ||
		    ((st.st_mode & S_IWGRP) && st.st_gid != 0))
			return true;
		slash = strrchr(at, '/');
		if (!slash || !at[0])
			return false;
		*slash = '\0';
	}
}

/* An inode number is given again: only with its generation does it name a file. */
static bool same_file(const struct inode_id *a, const struct inode_id *b)
{
	return inode_id_same(a, b) && a->gen == b->gen;
}

/* The file at the path now; what stood there before is kept among the past ones. */
static void look_again(struct trust *t, struct exe *exe)
{
	struct inode_id now;

	if (t->identify(t->userdata, exe->path, &now) < 0)
		return;
	if (exe->has_now && !same_file(&exe->now, &now) && !exe->writable) {
		if (exe->nr_past == PAST_MAX)
			memmove(&exe->past[0], &exe->past[1],
				--exe->nr_past * sizeof(exe->past[0]));
		exe->past[exe->nr_past++] = exe->now;
	}
	if (!exe->has_now || !same_file(&exe->now, &now))
		exe->writable = false;
	exe->now = now;
	exe->has_now = true;
}

enum exe_trust trust_ask(struct trust *t, struct span path, const struct inode_id *inode,
			 uint32_t nlink)
{
	struct exe *exe;

	HASH_FIND(hh, t->exes, path.p, path.len, exe);
	if (!path.len || !exe)
		return EXE_UNKNOWN;
	if (!exe->has_now || !same_file(&exe->now, inode))
		look_again(t, exe);
	if (exe->has_now && same_file(&exe->now, inode)) {
		/* Asked each time, and kept for when it stands here no more: modes change. */
		exe->writable |= trust_others_can_write(exe->path);
		return exe->writable ? EXE_WRITABLE : EXE_VERIFIED;
	}
	/* Replaced since it began: only an inode that is gone from the file system can be an old
	 * one. */
	for (unsigned i = 0; !nlink && i < exe->nr_past; i++)
		if (same_file(&exe->past[i], inode))
			return EXE_VERIFIED;
	return nlink ? EXE_OTHER : EXE_MEMORY;
}

#define LINKS_MAX 8 /* on the way of one name */

/* Whether others than root can change the object at a path, or what is in it. */
static bool is_others(const char *path, const struct stat *st)
{
	/* A link's own mode says nothing. */
	if (st->st_uid != 0 || S_ISLNK(st->st_mode))
		return st->st_uid != 0;
	return st->st_mode & S_IWOTH || (st->st_mode & S_IWGRP && st->st_gid != 0) ||
	       acl_lets_others_write(path);
}

/* Where a name leads, and whether nobody but root can make it lead elsewhere. */
static enum exe_trust follow_name(struct span name, char out[static PATH_MAX])
{
	char rest[2 * PATH_MAX], link[PATH_MAX], tail[PATH_MAX];
	size_t len = 0, left;
	unsigned links = 0;

	if (!name.len || name.p[0] != '/' || name.len >= PATH_MAX)
		return EXE_UNKNOWN;
	memcpy(rest, name.p, name.len);
	rest[name.len] = '\0';
	out[0] = '\0';
	for (char *at = rest; *at;) {
		size_t n = strcspn(at, "/");
		struct stat st;
		ssize_t got;

		if (!n || (n == 1 && at[0] == '.')) {
			at += n + (at[n] == '/');
			continue;
		}
		/* `..` is of no use to who wants to be believed. */
		if ((n == 2 && at[0] == '.' && at[1] == '.') || len + 1 + n >= PATH_MAX)
			return EXE_UNKNOWN;
		out[len] = '/';
		memcpy(out + len + 1, at, n);
		out[len + 1 + n] = '\0';
		at += n + (at[n] == '/');
		if (lstat(out, &st) < 0)
			return EXE_UNKNOWN;
		if (is_others(out, &st))
			return EXE_WRITABLE;
		if (!S_ISLNK(st.st_mode)) {
			len += 1 + n;
			continue;
		}
		left = strlen(at) + 1;
		got = readlink(out, link, sizeof(link));
		if (got <= 0 || got == sizeof(link) || ++links > LINKS_MAX || left > sizeof(tail))
			return EXE_UNKNOWN;
		/* What the link says, and then what is left of the name. */
		memcpy(tail, at, left);
		memcpy(rest, link, (size_t)got);
		rest[got] = '/';
		memcpy(rest + got + 1, tail, left);
		at = rest;
		len = rest[0] == '/' ? 0 : len;
		out[len] = '\0';
	}
	return EXE_VERIFIED;
}

enum exe_trust trust_script(struct trust *t, const struct event_script *ev)
{
	enum exe_trust trust = trust_ask(t, ev->path, &ev->inode, ev->nlink);
	char leads[PATH_MAX];

	if (trust != EXE_VERIFIED)
		return trust;
	trust = follow_name(ev->name, leads);
	if (trust != EXE_VERIFIED)
		return trust;
	return strlen(leads) == ev->path.len && !memcmp(leads, ev->path.p, ev->path.len)
		       ? EXE_VERIFIED
		       : EXE_OTHER;
}

enum exe_trust trust_subject(struct trust *t, struct span exe, uint32_t nlink, uint32_t mode,
			     uint32_t uid, struct subject *subject)
{
	enum exe_trust trust = trust_ask(t, exe, &subject->exe, nlink);
	/* A path that begins at no root is the name of a file that has none. */
	bool memory = trust == EXE_MEMORY || (exe.len && exe.p[0] != '/');

	if (!subject->exe.ino && !subject->exe.dev) /* a kernel thread */
		return trust;
	if (memory)
		subject->untrusted |= UNTRUSTED_MEMORY;
	if (trust == EXE_OTHER)
		subject->untrusted |= UNTRUSTED_OTHER;
	/* The mode of what has no name says nothing: nobody else can open it. */
	if (trust == EXE_WRITABLE || uid != 0 || (mode & S_IWOTH && nlink))
		subject->untrusted |= UNTRUSTED_WRITABLE;
	return trust;
}
