/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Marks, and the automaton of watched names that makes new ones: values of the maps that both sides
 * read and write.
 *
 * A watched directory is in a *state*. When an inode appears in it under a name, the name leads to
 * a new state (a directory whose content is watched), to a watch entry (a file that is watched), to
 * both, or nowhere. Names without wildcard are looked up in `watch_literals`; then the globs of the
 * state are tried in order and the first that matches decides. A literal's target already includes
 * what the globs of the state would have said. State 0 and watch 0 mean none.
 *
 * A glob that is not prefix*suffix (two stars, `?`, a set) stands here as a prefix*suffix that
 * matches at least as much; user space drops what its own matcher (policy/glob.h) then refuses.
 */
#pragma once

#include "wire.h"

#define WATCH_GLOBS_MAX	  16
#define WATCH_AFFIX_MAX	  32
#define WATCH_AFFIX_WORDS (WATCH_AFFIX_MAX / 8)
#define WATCH_NAME_MAX	  255

#define WATCH_GLOB_SKIP 0x1 /* an exclusion: a name that matches is not watched, as a file */

struct watch_literal_key {
	kt_u64 name_hash; /* watch_name_hash() */
	kt_u32 state;
	kt_u32 pad;
};

/* In the kernel's copy of watch_target.watch, above the entry's number: */
#define WATCH_KEY     0x80000000U /* its files hold key material: MARK_KEY */
#define WATCH_SOCKET  0x40000000U /* sockets are meant, not files: MARK_SOCKET */
#define WATCH_SEND    0x20000000U /* it is judged who sends, having read them: MARK_SEND */
#define WATCH_NR_MASK 0x0007ffffU
/* And between the two its deny group (see permits below), for the marks that are made by it. */
#define WATCH_GROUP_SHIFT 19

struct watch_target {
	kt_u32 state; /* if the name is a directory */
	kt_u32 watch; /* if it is a file */
};

struct watch_glob {
	struct watch_target to;
	kt_u32 flags; /* WATCH_GLOB_* */
	kt_u8 prefix_len, suffix_len; /* bytes; prefix_len + suffix_len <= length of the name */
	kt_u8 pad[2];
	char prefix[WATCH_AFFIX_MAX]; /* NUL padded, as is suffix: compared word by word, */
	char suffix[WATCH_AFFIX_MAX];
	kt_u64 prefix_mask[WATCH_AFFIX_WORDS]; /* ... with all ones over the bytes that count */
	kt_u64 suffix_mask[WATCH_AFFIX_WORDS];
};

struct watch_state {
	kt_u32 nr_globs;
	kt_u32 pad;
	struct watch_glob globs[WATCH_GLOBS_MAX];
};

/* FNV-1a, 64 bit, over the bytes of one name. Public domain (Fowler, Noll, Vo). */
#define WATCH_HASH_BASIS 0xcbf29ce484222325ULL
#define WATCH_HASH_PRIME 0x100000001b3ULL

struct mark_key {
	kt_u64 ino;
	kt_u32 dev; /* s_dev, kernel encoding */
	kt_u32 pad;
};

/*
 * A block device is known by its number and not by an inode: mknod makes as many as one likes. Its
 * mark stands under {i_rdev, MARK_DEV_BLOCK}; no file system has that number.
 */
#define MARK_DEV_BLOCK 0xffffffffU

/* What a mark is for. A directory may be watched as an object as well (never by default). */
#define MARK_FILE   0x1 /* accesses are reported */
#define MARK_DIR    0x2 /* names that appear in it are matched against its state */
#define MARK_KEY    0x10 /* what is in the file is key material: who has it is a key holder */
#define MARK_SOCKET 0x20 /* a Unix socket: who connects is reported */
#define MARK_SEND   0x40 /* its entry has `on: send`: where its holders connect to is judged */
#define MARK_GROUP  0x03ff0000 /* deny group of the file, 0 = none */
/* What stays in the map: */
#define MARK_LASTING  (MARK_FILE | MARK_DIR | MARK_KEY | MARK_SOCKET | MARK_SEND | MARK_GROUP)
#define MARK_NAMELESS 0x100 /* a dump without a name; set and cleared by the kernel side */
/* Only in a request to mark: */
#define MARK_KEEP   0x4 /* an inode that is marked already stays as it is */
#define MARK_FOLLOW 0x8 /* the last name may be a symbolic link (/proc/self/fd/N) */

#define MARK_GROUP_SHIFT 16

/* As a group stands in the flags of a mark. */
static inline kt_u32 mark_group(kt_u32 group)
{
	return group << MARK_GROUP_SHIFT & MARK_GROUP;
}

struct mark {
	kt_u64 object; /* MARK_OBJECT_KERNEL bit: numbered by the kernel side */
	kt_u32 state;
	kt_u32 watch;
	kt_u32 gen; /* i_generation when marked */
	kt_u32 flags;
	/* Set by the kernel side, bpf/quota.h: who it is charged to, and whose it was then. */
	kt_u32 account;
	kt_u32 owner; /* i_uid */
};

/*
 * Who may open what is denied to all others (`mode: deny`). A watch entry in force with that mode
 * has a *group*, which its marks carry: another one with each policy, so that while one replaces
 * another each mark is judged by the policy that set it. What a group denies stands in a table of
 * bytes (deny_groups); nothing there: the group is not in force, and nobody is denied.
 */
#define DENY_GROUPS 1024 /* as many as MARK_GROUP and what is above WATCH_GROUP_SHIFT hold */

#define DENY_READ  0x1
#define DENY_WRITE 0x2

/* An executable by the kernel's identity: a copy, or what is mounted over it, is another one. */
struct permit_key {
	kt_u64 ino;
	kt_u32 dev;
	kt_u32 gen;
	kt_u32 group;
	kt_u32 pad;
};

struct permit_value {
	kt_u64 before; /* of PERMIT_PAST: start_boottime, ns */
	kt_u32 may; /* DENY_* that it may all the same, PERMIT_* */
	kt_u32 pad;
};

/*
 * It stood at its path before: counts only if it has no link left, since by another one anybody
 * could go on starting it, or for processes that began before it was replaced (a package manager
 * keeps the old file by another name until the package is in place).
 */
#define PERMIT_PAST 0x100

/* Of a policy; user space keeps to it. */
#define PERMITS_MAX 16384

/* How many marks a user has. An account is a uid of the host, or one of those below. */
struct quota_account {
	kt_u64 taken; /* less what the kernel side gave back; quota_returned holds what user space
			 did */
	kt_u64 refused; /* attempts: one for each look at a file that is not marked for this */
};

/*
 * Subordinate uids, as the host gives them out: what one of them owns is charged to `account`.
 * Sorted by `first`, none over another, those that are not in use with a `first` of QUOTA_SHARED.
 */
#define QUOTA_RANGES_BITS 10
#define QUOTA_RANGES_MAX  (1U << QUOTA_RANGES_BITS)

struct quota_range {
	kt_u32 first, count;
	kt_u32 account;
};

#define QUOTA_FUSE   0xfffffffeU /* all files on FUSE: the host's uids end below */
#define QUOTA_SHARED 0xffffffffU /* of those for whom there is no room in the table */

#define MARK_OBJECT_KERNEL (1ULL << 63)
/* The daemon's own file, by which it tests whether accesses are seen at all: told even of a child
 * of the daemon. */
#define MARK_OBJECT_CANARY (1ULL << 62)

/*
 * A kind of access, under pressure (bpf/repeat.h): repeats of it are counted in `pressure_kinds`.
 * Entries of one turn are read and taken out by user space after it has begun the next.
 */
struct pressure_key {
	kt_u64 object;
	kt_u64 exe_ino;
	kt_u32 exe_dev;
	kt_u32 uid;
	kt_u32 what; /* enum pressure_what; above its byte WIRE_TAINT_* */
	kt_u32 turn; /* 0 or 1 */
};

enum pressure_what {
	PRESSURE_ACCESS, /* no reading */
	PRESSURE_MEANS, /* can read it: opened, was handed, ... */
	PRESSURE_READ, /* has read, or mapped it */
	PRESSURE_CLOSE_WRITE,
	PRESSURE_NAME, /* gave it another name */
	PRESSURE_SHARE, /* not a kind: how many of them a uid has in this turn */
};

#define PRESSURE_KINDS	 32768
#define PRESSURE_UID_MAX 1024

struct pressure_clock {
	kt_u32 turn; /* grows; the kernel side takes its lowest bit */
	kt_u32 used; /* set by the kernel side: there are kinds in this turn */
};

/*
 * Marking by opening. stat() and the kernel do not agree on what identifies an inode (btrfs
 * subvolumes, overlayfs), so user space never names one: it fills this slot, opens the file with
 * MARKING_FLAGS on the thread `tid`, and the probe on that open does what `op` says with the
 * identity that it sees. A socket cannot be opened: its extended attributes are listed instead,
 * which comes by a probe likewise and which nobody else does often. Under overlayfs one open passes
 * the probe twice, for the overlay's inode and for the one beneath. The first slot is the daemon's;
 * the others are for its children that walk where an open may wait for ever. The last one is lent
 * to the child that searches for keys: what that opens is told to nobody.
 */
#define MARKING_SLOTS  10
#define MARKING_FLAGS  (04010000 | 00004000) /* O_SYNC | O_NONBLOCK: to a reader without meaning */
#define MARKING_INODES 4

#define MARKING_SLOT_SEARCH (MARKING_SLOTS - 1)

enum marking_op {
	MARKING_IDLE = 0,
	MARKING_MARK = 1, /* insert or update; an object that is marked already keeps its number */
	MARKING_IDENTIFY = 2, /* only tell */
};

struct marking_slot {
	kt_u32 tid; /* of the opener, initial pid namespace */
	kt_u32 op; /* enum marking_op */
	struct mark mark; /* in: as wanted; out: as it now is */
	/* out */
	kt_u32 nr; /* inodes seen */
	kt_u32 error; /* negated errno of the insert, 0 = none */
	struct wire_inode inode[MARKING_INODES];
	kt_u64 size; /* i_size, bytes */
	kt_u32 mode; /* i_mode */
	kt_u32 nlink;
};

/* A process image that has read a watched file: see holders.h. By its tgid in a map. */
#define HOLDER_KEYS_MAX WIRE_KEYS_MAX

#define HOLDER_KEY   0x1 /* of key material, counted and numbered below */
#define HOLDER_OTHER 0x2 /* of another watched file, such as a dump */
/* MARK_SEND of what is numbered below: of `other`, and of key[i] */
#define HOLDER_OTHER_SENDS  0x4
#define HOLDER_KEY_SENDS(i) (0x100U << (i))
#define HOLDER_SENDS	    (HOLDER_OTHER_SENDS | 0xff00U)

struct holder {
	kt_u64 start; /* start_boottime of the leader */
	kt_u64 exec_id; /* self_exec_id: of this image, not of the one before */
	kt_u32 flags; /* HOLDER_* */
	kt_u32 nr_keys; /* may count one twice, if there was no room for it below */
	/* Object numbers: the first ones, and of the latest other file. What has MARK_SEND comes
	 * before what has not. */
	kt_u64 key[HOLDER_KEYS_MAX];
	kt_u64 other;
};
