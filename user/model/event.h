/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every stage speaks of: a decoded event and the things it names.
 *
 * An event comes from user/wire (live), from user/trace (replay) or from the daemon's own knowledge
 * (objects, users, gaps). Spans point into the producer's buffer and are valid only during the call
 * that hands the event over; who keeps one copies it. Nothing here allocates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/keyid.h"

/* Bytes that are not NUL terminated and may hold anything but NUL. {NULL, 0} = absent. */
struct span {
	const char *p;
	size_t len;
};

/* The kernel's identity of an inode: dev is s_dev in the kernel's encoding, not st_dev. */
struct inode_id {
	uint64_t ino;
	uint32_t dev;
	uint32_t gen;
};

/* One image of one process: exec makes a new one. start is CLOCK_BOOTTIME ns of the group leader.
 */
struct proc_id {
	uint64_t start;
	uint64_t exec_id;
	uint32_t tgid;
};

#define UID_UNSET ((uint32_t)-1)

/*
 * Why what runs does not count as the program that its path names (bits). The first two and the
 * last are of the image and told by the kernel side with each record; the rest is about the
 * executable, and the daemon's answer.
 */
enum untrusted {
	UNTRUSTED_MAPPED = 0x01, /* it runs code from a file that others than root can change */
	UNTRUSTED_TRACED = 0x02, /* a tracer is attached, or others than root could write into it */
	UNTRUSTED_MEMORY = 0x04, /* never had a name, or none that was verified: EXE_MEMORY */
	UNTRUSTED_OTHER = 0x08, /* another file stands at its path: EXE_OTHER */
	UNTRUSTED_WRITABLE = 0x10, /* others than root can change the executable */
	UNTRUSTED_UNKNOWN = 0x20, /* either of those may be so: it could not be kept, or seen */
	UNTRUSTED_DISGUISED = 0x40, /* it may have set which executable it counts as */
	UNTRUSTED_ALL = 0x7f
};

struct subject {
	struct proc_id id;
	uint32_t tid;
	uint32_t uid, euid, gid;
	uint32_t loginuid; /* UID_UNSET: never logged in */
	uint32_t session; /* audit session, UID_UNSET: none */
	uint32_t pidns;
	struct inode_id exe; /* zero: kernel thread */
	char comm[16]; /* NUL terminated; told by the process itself, never used to decide */
	uint32_t untrusted; /* enum untrusted; of who begins or ends (fork, exec, ...) not known */
};

/* What is known to be incomplete in an event (bits; same values as WIRE_F_*). */
enum event_flags {
	EVENT_PATH_TRUNCATED = 0x0001,
	EVENT_EXE_TRUNCATED = 0x0002,
	EVENT_CGROUP_TRUNCATED = 0x0004,
	EVENT_ARGS_TRUNCATED = 0x0008,
	EVENT_PATH_FAILED = 0x0010,
	EVENT_FD_SCAN_BOUND = 0x0020,
	EVENT_GENERATION = 0x0040,
	EVENT_DENIED = 0x0080, /* of EVENT_REFUSED: refused by keytrail (`mode: deny`) */
};

enum event_type {
	EVENT_FORK = 1,
	EVENT_EXEC,
	EVENT_EXIT,
	EVENT_ACCESS,
	EVENT_MARK,
	EVENT_PROC, /* like EVENT_EXEC: a process that was there at start */
	EVENT_OBJECT, /* from the daemon: what is known of a watched object */
	EVENT_USER, /* from the daemon: the name of a uid */
	EVENT_GAP, /* from the daemon: something was not seen */
	EVENT_HEALTH, /* from the daemon: state of a hook, of a policy reload, ... */
	EVENT_DUMP, /* a process crashed, and its memory goes into a dump */
	/* a large file, or a holder's, was closed after writing; the daemon looked what it is */
	EVENT_WRITTEN,
	EVENT_SETTING, /* what decides about dumps was changed */
	EVENT_MEMORY, /* somebody can read the memory of a process that holds a key */
	EVENT_NET, /* a process that has read a watched file talks to somebody else */
	EVENT_SCAN_KEY, /* from the daemon: a key in a dump; its EVENT_SCAN follows */
	EVENT_SCAN, /* from the daemon: what is known of keys in a dump has changed */
	EVENT_REFUSED, /* an open of a watched name was refused, or found nothing */
	EVENT_PROGRAM, /* from the daemon: what is known of an executable */
	EVENT_SESSION, /* from the daemon: how somebody has logged in */
	EVENT_SCRIPT, /* the script for which an image was started, by its first line */
	EVENT_CONTAINER, /* from the daemon: which image a container was made from */
	EVENT_TYPE_NR
};

struct event_fork {
	struct subject child;
	struct proc_id parent;
};

struct event_exec { /* EVENT_EXEC and EVENT_PROC */
	struct subject subject;
	struct proc_id parent;
	uint32_t exe_mode, exe_uid, exe_nlink; /* nlink 0: deleted or memfd */
	struct span exe, args, cgroup; /* args: NUL separated */
	uint32_t cgroup_no; /* for the sensor alone: see wire/cgroups.h */
};

/*
 * The image runs this script because the kernel read its first line. What others than the kernel
 * say of scripts is in args alone. Comes behind the image's EVENT_EXEC.
 */
struct event_script {
	struct proc_id id; /* the image */
	struct inode_id inode; /* of the file that the kernel read */
	uint32_t nlink, mode, uid;
	uint32_t by; /* real uid of who runs it */
	/* The daemon's answer (enum exe_trust, below): VERIFIED: this file stands at `path` on the
	 * host, `name` leads there, and on the whole way nobody but root can change anything. */
	uint32_t trust;
	struct span path; /* as the kernel knows it */
	struct span name; /* under which the interpreter opens it; empty: not known */
};

struct event_exit {
	struct subject subject;
	uint32_t code; /* as wait(2) */
};

enum access_how {
	ACCESS_OPEN = 1,
	ACCESS_RECEIVE,
	ACCESS_EXEC_FD,
	ACCESS_MMAP,
	ACCESS_FOUND,
	ACCESS_CLOSE_WRITE,
	ACCESS_CONNECT, /* to a socket */
	ACCESS_READ, /* told with `reads: exact` only */
	/* It was given another name; nobody came by it. */
	ACCESS_LINK,
	ACCESS_RENAME,
	ACCESS_HOW_NR
};

enum access_mode {
	ACCESS_M_READ = 0x01,
	ACCESS_M_WRITE = 0x02,
	ACCESS_M_EXEC = 0x04,
	ACCESS_M_CREATED = 0x08,
};

/*
 * Is the executable the one that stands at its path in the host's mount namespace? Asked by the
 * daemon before the event goes on (and so written into a trace), because the answer changes later.
 */
enum exe_trust {
	EXE_UNKNOWN = 0, /* not asked, or could not be answered */
	EXE_VERIFIED = 1, /* kernel identity of the running image = that of the file at this path */
	EXE_OTHER =
		2, /* another file stands at that path: replaced, deleted or shadowed by a mount */
	EXE_MEMORY = 3, /* link count 0 and no file at that path: memfd or deleted */
	EXE_WRITABLE = 4, /* somebody other than root can write the file or a directory above it */
	EXE_TRUST_NR
};

struct event_access {
	struct subject subject;
	struct proc_id parent; /* exec_id 0: not known */
	struct inode_id inode;
	uint64_t object; /* id of the mark; EVENT_OBJECT of the same id tells what it is */
	uint64_t size; /* bytes */
	enum access_how how;
	uint32_t mode; /* enum access_mode, bits */
	uint32_t open_flags; /* O_* */
	uint32_t fd; /* (uint32_t)-1: none */
	uint32_t owner;
	uint32_t nlink, exe_nlink;
	uint32_t exe_mode, exe_uid;
	enum exe_trust exe_trust;
	struct span path, exe, cgroup, args;
	/* LINK and RENAME: the name that it had, and `path` is the new one. From the kernel side
	 * both begin at the root of their file system; the daemon's answer is whole, if it has one.
	 */
	struct span from;
};

enum memory_how {
	MEMORY_ATTACH = 1, /* ptrace */
	MEMORY_TRACED, /* since before the key was read */
	MEMORY_PEEK,
	MEMORY_PROC_MEM,
	MEMORY_PROCESS_VM,
	MEMORY_GETFD, /* a descriptor of the process, not its memory */
	MEMORY_ENVIRON,
	/* The machine's: no target. */
	MEMORY_DEV_MEM,
	MEMORY_KCORE,
	MEMORY_VMCORE,
	MEMORY_HOW_NR
};

#define EVENT_KEYS_MAX 4

struct event_memory {
	struct subject subject; /* who can read */
	struct subject target; /* whose memory; tgid 0: the machine's */
	struct proc_id parent, target_parent;
	uint64_t keys[EVENT_KEYS_MAX]; /* objects that the target has come by; 0 = none */
	uint32_t nr_keys; /* in all */
	enum memory_how how;
	uint32_t exe_nlink, exe_mode, exe_uid; /* of the subject's executable */
	enum exe_trust exe_trust;
	struct span exe, cgroup, args;
};

enum net_how {
	NET_CONNECT = 1,
	NET_SEND,
	NET_UNIX, /* to another process that has read a watched file */
	NET_MOUNT, /* opened a file for writing on a mount of another kind */
	NET_HOW_NR
};

struct event_net {
	struct subject subject;
	struct proc_id parent;
	uint64_t keys[EVENT_KEYS_MAX]; /* objects that the subject has read, 0 = none */
	uint64_t other; /* the latest one that is no key */
	uint32_t nr_keys;
	enum net_how how;
	uint32_t family, port; /* AF_*, 0 = none; host order */
	uint32_t peer; /* NET_UNIX: process */
	uint32_t exe_nlink, exe_mode, exe_uid;
	enum exe_trust exe_trust;
	uint32_t fs_magic, dev; /* NET_MOUNT */
	uint8_t addr[16]; /* IPv4: the first four; vsock: its cid, in host order */
	struct span exe, path, cgroup, args;
};

struct event_refused {
	struct subject subject;
	struct proc_id parent;
	struct inode_id inode; /* with `object` */
	uint64_t object; /* number of the file's mark, 0 = it was not reached */
	uint32_t state; /* from the kernel side: of the directory; see user/daemon/refused.h */
	uint32_t error; /* errno: EPERM, ENOENT, EACCES */
	uint32_t open_flags; /* O_* */
	uint32_t more; /* so many more of this user and program were not told before it */
	uint32_t owner; /* UID_UNSET: there is no file */
	uint32_t exe_nlink, exe_mode, exe_uid;
	enum exe_trust exe_trust;
	struct span path; /* from the kernel side as written, from the daemon whole */
	struct span dir; /* from the kernel side: where `path` begins */
	struct span watch; /* the daemon's answer: name of the policy's watch entry */
	struct span exe, cgroup, args;
};

enum mark_op {
	MARK_ADDED = 1,
	MARK_MOVED,
	MARK_DROPPED,
	MARK_SYMLINK,
	MARK_MOVED_OUT,
	MARK_MOVED_TREE,
	MARK_SUPER_GONE,
	MARK_LINKED,
	MARK_REFUSED,
	MARK_BORN, /* a dump is being written: path is its whole path */
	MARK_OP_NR
};

struct event_mark {
	struct inode_id inode;
	uint64_t object, parent_object;
	uint32_t state, watch;
	enum mark_op op;
	uint32_t mode, uid, tgid;
	struct span path;
};

/* An object is watched, and this is all that is known about it; replaces what was told before. */
struct event_object {
	uint64_t object;
	struct inode_id inode;
	struct span path; /* by which its owner knows it */
	struct span watch; /* name of the policy's watch entry; empty: no longer watched */
	bool key_known; /* key below was read from the content */
	struct key_identity key;
};

struct event_user {
	uint32_t uid;
	struct span name;
};

enum session_type {
	SESSION_UNKNOWN = 0,
	SESSION_LOCAL, /* at this machine: a terminal, a desktop */
	SESSION_SSH,
	SESSION_CRON, /* nobody: cron and at log their users in */
	SESSION_REMOTE, /* from another host, by something else */
	SESSION_TYPE_NR
};

struct event_session {
	uint32_t number; /* subject.session */
	enum session_type type;
	struct span remote; /* address or name of the host that it came from; empty: this one */
};

enum package_state {
	PACKAGE_UNKNOWN = 0, /* no database of packages, or the file could not be read */
	PACKAGE_NONE, /* no package has such a file */
	PACKAGE_INTACT, /* it is what the package installed */
	PACKAGE_MODIFIED, /* it is not, though the package has a file of this name */
	PACKAGE_PENDING, /* the file was changed in place: what was told of it holds no longer */
	PACKAGE_STATE_NR
};

/* What was found out of an executable; replaces what was told before. */
struct event_program {
	struct inode_id inode;
	enum package_state state;
	struct span
		digest; /* "sha256:" and hex digits; empty: could not be read, or is too large */
	struct span package; /* "openssh-client"; with INTACT and MODIFIED */
	struct span verity; /* likewise "sha256:..." or "sha512:...", of fs-verity; empty: it has
			       none */
};

#define IMAGE_NAME_MAX 511 /* bytes; a name of 255, a tag of 128 and a digest fit */

/* What a container was made from, as its runtime wrote it down; it does not change. */
struct event_container {
	struct span id; /* whole, as in its cgroup: cgroup_image_container() */
	struct span image; /* as the runtime was told: "docker.io/library/nginx:1.25"; may be empty
			    */
	struct span image_id; /* "sha256:" and 64 hex digits; empty: not known */
};

/* Something may have been missed between `from` and `to` (CLOCK_BOOTTIME ns). */
struct event_gap {
	uint64_t from, to;
	uint64_t count; /* records or inserts lost; 0 = unknown */
	struct span cause; /* greppable word: "ring-critical", "mark-full", ... */
};

enum health_level { HEALTH_OK = 1, HEALTH_DEGRADED, HEALTH_BLIND };

struct event_health {
	enum health_level level;
	struct span what; /* greppable word: "hook:security_file_open", "policy-reload", ... */
	struct span text; /* one sentence */
};

#define HELD_MAX 4

/* What a process has read and may have in memory: EVENT_OBJECT of the same number says what it is.
 */
struct held {
	uint64_t key[HELD_MAX]; /* the first ones; 0 = none */
	uint32_t nr; /* in all; may count one twice beyond those */
	uint32_t other; /* 1: it has read another watched file as well, such as a dump */
};

enum dump_how {
	DUMP_NONE = 1, /* crashed, and nothing was written */
	DUMP_FILE, /* by the crashing process, to `path` */
	DUMP_PIPE, /* to a program that the kernel starts: `path` */
	DUMP_SOCKET, /* to who listens at `path` */
	DUMP_HELPER, /* subject was started for, or handed, the dump of `other` */
	DUMP_HOW_NR
};

struct event_dump {
	struct subject subject;
	struct proc_id parent;
	struct inode_id inode; /* DUMP_FILE */
	struct held held;
	uint64_t object; /* DUMP_FILE: number of the dump's mark, 0 = not marked */
	uint64_t limit; /* RLIMIT_CORE, bytes, UINT64_MAX = none; a pipe is not bound by it */
	uint64_t other_start; /* DUMP_HELPER: who crashed */
	uint32_t other_tgid; /* DUMP_HELPER: who crashed; DUMP_SOCKET: who listens */
	enum dump_how how;
	uint32_t signal;
	uint32_t dumpable; /* 0 no, 1 yes, 2 for root only */
	uint32_t exe_nlink, exe_mode, exe_uid;
	enum exe_trust exe_trust;
	struct span path, exe, cgroup, args;
};

/* What the first bytes of a file say that it is. */
enum dump_kind {
	DUMPKIND_NONE = 0, /* nothing that is known */
	DUMPKIND_ELF_CORE,
	DUMPKIND_MINIDUMP,
	DUMPKIND_WINDOWS, /* memory.dmp: PAGEDUMP, PAGEDU64 */
	DUMPKIND_KDUMP, /* makedumpfile, also flattened */
	DUMPKIND_JAVA, /* HPROF */
	DUMPKIND_LIME,
	DUMPKIND_AVML,
	DUMPKIND_COMPRESSED, /* zstd, lz4, xz, gzip: what is in it is not looked at */
	DUMPKIND_TEXT,
	DUMPKIND_ARCHIVE, /* tar, zip */
	DUMPKIND_NR
};

enum written_flags {
	WRITTEN_HELPER = 0x1, /* by a program that dumps are handed to */
	WRITTEN_HOLDER = 0x2, /* smaller than what is told of all: for who wrote it only */
	WRITTEN_OTHER = 0x4, /* `held` is of another process, whom `parent` names then */
	WRITTEN_OVER = 0x8, /* no copy of a key is looked for: the writer has had his share */
	WRITTEN_COPY = 0x100, /* the daemon's answer: it may be a copy of what is held */
};

struct event_written {
	struct subject subject;
	struct proc_id parent;
	struct inode_id inode;
	struct held held; /* of the subject, or of another: WRITTEN_OTHER */
	uint64_t size; /* bytes */
	uint64_t object; /* number of the file's mark, 0 = none */
	uint64_t fs; /* magic number of its file system, as statfs(2) has it */
	uint32_t owner;
	uint32_t how; /* enum written_flags */
	enum dump_kind kind; /* the daemon's answer */
	struct span path;
};

enum setting_what {
	SETTING_CORE_PATTERN = 1, /* in text and old_text */
	SETTING_SUID_DUMPABLE,
	SETTING_DUMPABLE, /* of `target`, by prctl */
	SETTING_RLIMIT_CORE, /* of `target` */
	SETTING_CORE_PIPE_LIMIT,
	SETTING_CORE_USES_PID,
	SETTING_WHAT_NR
};

struct event_setting {
	struct subject subject; /* tgid 0: found changed, by whom is not known */
	struct proc_id parent;
	struct held held; /* what `target` has read */
	uint64_t old_value, value;
	uint64_t target_start;
	uint32_t target_tgid; /* 0: of the host */
	enum setting_what what;
	uint32_t exe_nlink, exe_mode, exe_uid;
	enum exe_trust exe_trust;
	struct span old_text, text, exe, cgroup, args;
};

/* What is known about keys in a dump. */
enum scan_state {
	SCANSTATE_UNSCANNED = 1, /* `cause` says why, or why not yet */
	SCANSTATE_SCANNING,
	SCANSTATE_CLEAN,
	SCANSTATE_KEY, /* also if the scan did not get to its end */
	SCANSTATE_INCOMPLETE, /* no key found, but not all of it could be looked at */
	SCANSTATE_NR
};

enum scan_cause {
	SCANCAUSE_NONE = 0,
	SCANCAUSE_WAITING, /* its turn has not come */
	SCANCAUSE_OFF, /* the policy says not to scan */
	SCANCAUSE_SIZE, /* larger than the policy wants */
	SCANCAUSE_TIME, /* its time was up */
	SCANCAUSE_QUEUE, /* too many waited */
	SCANCAUSE_CRASHED, /* the scanner */
	SCANCAUSE_MEMORY, /* the scanner had too little */
	SCANCAUSE_SANDBOX, /* the scanner could not shut itself in */
	SCANCAUSE_ANSWER, /* the scanner said what cannot be */
	SCANCAUSE_UNREADABLE, /* the file */
	SCANCAUSE_PROGRAM, /* the scanner could not be started */
	SCANCAUSE_STOPPED, /* the daemon ends */
	SCANCAUSE_NR
};

struct event_scan_key {
	uint64_t scan; /* number of the scan */
	uint32_t severity; /* 1 info ... 5 critical */
	uint32_t bits;
	uint64_t places, offset; /* how often it stands there, and where first */
	bool expired; /* a known key that is out of use */
	struct key_identity key; /* kind KEY_NONE: nothing public about it */
	struct span class; /* "proven", "likely", "encrypted": scan/finding.h */
	struct span what; /* which search found it */
	struct span label, zone; /* of a known key, or the rule of a token; escaped */
};

struct event_scan {
	struct subject subject; /* who wrote the dump; tgid 0: not known */
	struct proc_id parent;
	struct inode_id inode;
	struct held held; /* of the subject */
	uint64_t scan; /* number of the scan, from 1 */
	uint64_t object; /* number of the file's mark, 0 = none */
	uint64_t size, bytes; /* of the file; looked at, unpacked */
	uint64_t took; /* ns, from the start of the scan */
	uint64_t keys, more; /* found; findings of keys beyond those that are told apart */
	uint32_t owner;
	bool copy; /* it was scanned as a copy of a key, not as a dump: WRITTEN_COPY */
	enum scan_state state;
	enum scan_cause cause;
	/* What the dump says of its process, which may be anything. */
	uint32_t dump_pid, dump_signal;
	struct span dump_command, dump_exe; /* escaped */
	struct span container; /* "elf-core" */
	struct span flags; /* words: what could not be seen of it */
	struct span path;
	/* Of what was scanned, to its end: digests_parse() */
	struct span sha256, content_sha256;
};

struct event {
	enum event_type type;
	uint32_t flags; /* enum event_flags */
	uint32_t cpu;
	uint64_t seq;
	uint64_t time; /* CLOCK_BOOTTIME ns */
	union {
		struct event_fork fork;
		struct event_exec exec;
		struct event_exit exit;
		struct event_access access;
		struct event_mark mark;
		struct event_memory memory;
		struct event_net net;
		struct event_refused refused;
		struct event_object object;
		struct event_user user;
		struct event_program program;
		struct event_script script;
		struct event_session session;
		struct event_container container;
		struct event_gap gap;
		struct event_health health;
		struct event_dump dump;
		struct event_written written;
		struct event_setting setting;
		struct event_scan_key scan_key;
		struct event_scan scan;
	};
};

/* Greppable lower-case word of a value ("open", "exec-fd"); "?" for one that is out of range. */
const char *event_type_str(enum event_type type);
const char *access_how_str(enum access_how how);
const char *memory_how_str(enum memory_how how);
const char *net_how_str(enum net_how how);
const char *exe_trust_str(enum exe_trust trust);
const char *session_type_str(enum session_type type); /* "unknown", "local", "ssh", ... */
const char *package_state_str(enum package_state state);
const char *untrusted_str(enum untrusted reason); /* of one bit */
const char *mark_op_str(enum mark_op op);
const char *health_level_str(enum health_level level);
const char *dump_how_str(enum dump_how how);
const char *dump_kind_str(enum dump_kind kind);
const char *setting_what_str(enum setting_what what); /* "kernel.core_pattern", ... */
const char *scan_state_str(enum scan_state state);
const char *scan_cause_str(enum scan_cause cause); /* "" of none */

static inline struct span span_of(const char *s)
{
	return s ? (struct span){s, __builtin_strlen(s)} : (struct span){NULL, 0};
}

static inline bool proc_id_eq(const struct proc_id *a, const struct proc_id *b)
{
	return a->tgid == b->tgid && a->start == b->start && a->exec_id == b->exec_id;
}

static inline bool inode_id_same(const struct inode_id *a, const struct inode_id *b)
{
	return a->ino == b->ino && a->dev == b->dev;
}
