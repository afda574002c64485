/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Records the probes write into the rings and user/wire decodes.
 *
 * Shared by both sides, so: fixed-width types, explicit padding (the user side is compiled with
 * -Wpadded for this header), nothing but plain data. Byte order and alignment are the host's; a
 * record never leaves the host in this form (the trace of `keytraild --record` is text).
 *
 * A record is a header, a fixed part chosen by `type`, and for some types a tail of strings. Each
 * string is given by a `struct kt_str` (offset from the start of the record, length without NUL);
 * bytes of the record outside of what the header and the strings name are undefined and must not be
 * read. The first four fields of the header never change meaning; anything else may with
 * WIRE_VERSION.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
typedef uint8_t kt_u8;
typedef uint16_t kt_u16;
typedef uint32_t kt_u32;
typedef uint64_t kt_u64;
typedef int64_t kt_s64;
#else
typedef unsigned char kt_u8;
typedef unsigned short kt_u16;
typedef unsigned int kt_u32;
typedef unsigned long long kt_u64;
typedef long long kt_s64;
#endif

#define WIRE_VERSION 1

/* Longest strings that fit a record. A longer path keeps its end (the innermost names). */
#define WIRE_PATH_MAX	1024
#define WIRE_EXE_MAX	512
#define WIRE_CGROUP_MAX 256
#define WIRE_ARGS_MAX	256
#define WIRE_COMM_LEN	16

enum wire_type {
	WIRE_FORK = 1, /* struct wire_fork */
	WIRE_EXEC = 2, /* struct wire_exec */
	WIRE_EXIT = 3, /* struct wire_exit */
	WIRE_ACCESS = 4, /* struct wire_access: a watched object and a process came together */
	WIRE_MARK = 5, /* struct wire_mark: the kernel side marked, moved or dropped an object */
	WIRE_PROC =
		6, /* struct wire_exec, written by the task iterator for a process found at start */
	WIRE_DUMP = 8, /* struct wire_dump: the memory of a process goes into a dump */
	WIRE_WRITTEN = 9, /* struct wire_written: closed after writing */
	WIRE_SETTING = 15, /* struct wire_setting: what decides about dumps was changed */
	WIRE_MEMORY = 7, /* struct wire_memory: somebody can read the memory of who holds a key */
	WIRE_REFUSED = 20, /* struct wire_refused: an open of a watched name failed */
	WIRE_NET = 10, /* struct wire_net: who has read a watched file talks to somebody else */
	WIRE_SCRIPT = 21, /* struct wire_script: the image runs this script for the kernel */
};

/* How a process came by an object (wire_access.how). */
enum wire_how {
	WIRE_HOW_OPEN = 1, /* security_file_open */
	WIRE_HOW_RECEIVE = 2, /* security_file_receive: SCM_RIGHTS, pidfd_getfd, ... */
	WIRE_HOW_EXEC_FD = 3, /* a descriptor kept over exec, seen by the new image */
	WIRE_HOW_MMAP = 4, /* security_mmap_file */
	/* open when the daemon started (task_file iterator); with no descriptor: mapped (task_vma)
	 */
	WIRE_HOW_FOUND = 5,
	WIRE_HOW_CLOSE_WRITE = 6, /* last reference of a description open for writing is gone */
	WIRE_HOW_CONNECT = 7, /* security_unix_stream_connect to a watched socket */
	WIRE_HOW_READ = 8, /* security_file_permission for reading; `reads: exact` only */
	/* The object got another name: `path` is the new one, `from` the one that it had. Both
	 * begin at the root of its file system: no mount is known where names are made. */
	WIRE_HOW_LINK = 9, /* vfs_link, when it has succeeded: one name more */
	WIRE_HOW_RENAME = 10, /* d_move, d_exchange: this name instead of that */
};

/* wire_access.flags and header flags: what is known to be incomplete. */
#define WIRE_F_PATH_TRUNCATED	0x0001 /* path starts in the middle */
#define WIRE_F_EXE_TRUNCATED	0x0002
#define WIRE_F_CGROUP_TRUNCATED 0x0004
#define WIRE_F_ARGS_TRUNCATED	0x0008
#define WIRE_F_PATH_FAILED	0x0010 /* a read failed on the way: path is what was had by then */
#define WIRE_F_FD_SCAN_BOUND	0x0020 /* descriptors above the scan's bound were not looked at */
#define WIRE_F_GENERATION \
	0x0040 /* i_generation is not the one that was marked: see design, marks */

/* WIRE_REFUSED: it was this program that refused it, as the policy's `mode: deny` says. `dir` is
 * absent, and `path` whole. */
#define WIRE_F_DENIED 0x0080

/* wire_access.mode: from file->f_mode and, for mmap, prot. */
#define WIRE_M_READ    0x01
#define WIRE_M_WRITE   0x02
#define WIRE_M_EXEC    0x04
#define WIRE_M_CREATED 0x08 /* this open created the file: it had no content to read */

struct kt_str {
	kt_u16 off; /* from the start of the record */
	kt_u16 len; /* bytes, no NUL; 0 = absent */
};

struct wire_header {
	kt_u16 type; /* enum wire_type */
	kt_u16 version; /* WIRE_VERSION */
	kt_u32 size; /* of the whole record in bytes, this header included */
	kt_u32 flags; /* WIRE_F_* */
	kt_u32 cpu; /* on which it was written */
	kt_u64 seq; /* per CPU and ring, from 1; a jump is a loss */
	kt_u64 time; /* CLOCK_BOOTTIME, ns */
};

/* The kernel's identity of an inode. `dev` is s_dev in the kernel's encoding, not stat()'s st_dev.
 */
struct wire_inode {
	kt_u64 ino;
	kt_u32 dev;
	kt_u32 gen;
};

/* What has got into an image besides its executable (wire_subject.taint). */
#define WIRE_TAINT_MAPPED 0x1 /* code from a file that others than root can change */
#define WIRE_TAINT_TRACED                                                       \
	0x2 /* a tracer is attached, or somebody other than root could write it \
	     */

/* There was no room to keep that it is one of those: it may be either, and is not clean. */
#define WIRE_TAINT_UNKNOWN 0x20

/* It may have set which executable it counts as: prctl(PR_SET_MM). */
#define WIRE_TAINT_DISGUISED 0x40

/* A process as the kernel knows it at this moment. (tgid, start, exec_id) names one image. */
struct wire_subject {
	kt_u64 start; /* start_boottime of the thread group leader, ns */
	kt_u64 exec_id; /* self_exec_id: grows by one with each exec along a lineage */
	kt_u32 tgid;
	kt_u32 tid;
	kt_u32 uid; /* real uid, initial user namespace */
	kt_u32 euid;
	kt_u32 gid; /* real gid, initial user namespace */
	kt_u32 loginuid; /* (kt_u32)-1 = never logged in */
	kt_u32 session; /* audit session id; (kt_u32)-1 = none */
	kt_u32 pidns; /* inode number of the pid namespace */
	struct wire_inode exe; /* of mm->exe_file; all zero for a kernel thread */
	char comm[WIRE_COMM_LEN];
	kt_u32 taint; /* WIRE_TAINT_*; not told of what begins and ends (FORK, EXEC, EXIT, PROC) */
	kt_u32 pad;
};

struct wire_fork {
	struct wire_header h;
	struct wire_subject child;
	kt_u64 parent_start;
	kt_u64 parent_exec_id;
	kt_u32 parent_tgid;
	kt_u32 pad;
};

/* WIRE_EXEC: a new image is in place. WIRE_PROC: a process was there when the daemon started. */
struct wire_exec {
	struct wire_header h;
	struct wire_subject subject;
	kt_u64 parent_start; /* real_parent at this moment */
	kt_u64 parent_exec_id;
	kt_u32 parent_tgid;
	kt_u32 exe_mode; /* i_mode of the executable */
	kt_u32 exe_uid; /* owner of the executable, initial user namespace */
	kt_u32 exe_nlink; /* 0: deleted or never linked (memfd) */
	struct kt_str exe; /* path of mm->exe_file seen from the root of its mount namespace */
	struct kt_str args; /* argv, NUL separated; WIRE_EXEC only */
	/* Path in the unified hierarchy, from its root. WIRE_EXEC: absent if the latest record that
	 * had one with this cgroup_no is before this one, in the order of the ring. */
	struct kt_str cgroup;
	kt_u32 cgroup_no; /* lower half of the kernel's number of the cgroup */
};

/*
 * Cgroups whose paths are known to have been told: one for each value of the lowest bits of
 * cgroup_no. A cgroup of the unified hierarchy is never renamed, nor is its number used again.
 */
#define WIRE_CGROUPS_TOLD 256

/*
 * The image before whose exec the kernel read the first line of a script (binfmt_script), and
 * started what stands there with the script's name among the arguments. Of several the innermost,
 * which is the one that the interpreter opens. Comes right behind the image's WIRE_EXEC.
 */
struct wire_script {
	struct wire_header h;
	kt_u64 start; /* of the image, as in wire_subject */
	kt_u64 exec_id;
	struct wire_inode inode; /* of the file that the kernel read */
	kt_u32 tgid;
	kt_u32 nlink;
	kt_u32 mode; /* i_mode */
	kt_u32 uid; /* owner, initial user namespace */
	kt_u32 by; /* real uid of who runs it, initial user namespace */
	kt_u32 pad;
	struct kt_str path; /* of that file, from the root of its mount namespace */
	struct kt_str name; /* what the interpreter is told to open; absent: too long */
};

#define WIRE_SCRIPT_NAME_MAX 256

struct wire_exit {
	struct wire_header h;
	struct wire_subject subject;
	kt_u32 code; /* as wait(2) reports it */
	kt_u32 pad;
};

/*
 * A process and a watched object came together. Carries all that an alert needs about the process,
 * so that a reader that is gone, or whose exec record was lost, is still named.
 */
struct wire_access {
	struct wire_header h;
	struct wire_subject subject;
	struct wire_inode inode;
	kt_u64 object; /* id of the mark that matched; see user/sensor/marks.h */
	kt_u64 size; /* i_size, bytes */
	kt_u64 parent_start; /* real_parent at this moment */
	kt_u64 parent_exec_id;
	kt_u32 parent_tgid;
	kt_u32 how; /* enum wire_how */
	kt_u32 mode; /* WIRE_M_* */
	kt_u32 open_flags; /* f_flags */
	kt_u32 fd; /* EXEC_FD and FOUND: descriptor number; else (kt_u32)-1 */
	kt_u32 owner; /* i_uid of the object, initial user namespace */
	kt_u32 exe_nlink; /* of the subject's executable */
	kt_u32 nlink; /* of the object */
	struct kt_str path; /* as opened, from the root of the mount namespace */
	struct kt_str exe;
	struct kt_str cgroup;
	struct kt_str args; /* argv of the subject, NUL separated, where it was readable */
	kt_u32 exe_mode; /* i_mode and owner of the subject's executable */
	kt_u32 exe_uid;
	struct kt_str from; /* LINK and RENAME; else absent */
	kt_u32 pad;
};

enum wire_mark_op {
	WIRE_MARK_ADDED = 1, /* a new inode appeared under a watched name */
	WIRE_MARK_MOVED = 2, /* a marked inode was renamed to a watched name */
	WIRE_MARK_DROPPED = 3, /* link count 0: the object is gone */
	WIRE_MARK_SYMLINK = 4, /* a symbolic link appeared under a watched name: resolve and mark */
	/* the new name is not a watched one; the mark stays on the object */
	WIRE_MARK_MOVED_OUT = 5,
	WIRE_MARK_MOVED_TREE = 6, /* a directory was renamed into a watched place: walk it */
	/* the file system with s_dev inode.dev ended: its marks are void */
	WIRE_MARK_SUPER_GONE = 7,
	/* a marked inode has one more watched name; a file's mark stays as it was */
	WIRE_MARK_LINKED = 8,
	/* a new inode appeared under a watched name and could not be marked */
	WIRE_MARK_REFUSED = 9,
	/* a dump is being written to a new file; `path` is its whole path, there is no directory */
	WIRE_MARK_BORN = 10,
};

struct wire_mark {
	struct wire_header h;
	struct wire_inode inode;
	kt_u64 object; /* id of the mark */
	kt_u64 parent_object; /* id of the directory's mark */
	kt_u32 state; /* watch state of a directory, 0 = not a directory; see user/policy/watchset.h
		       */
	kt_u32 watch; /* watch entry, 0 = none */
	kt_u32 op; /* enum wire_mark_op */
	kt_u32 mode; /* i_mode */
	kt_u32 uid; /* owner of the inode, initial user namespace */
	kt_u32 tgid; /* who did it */
	struct kt_str path; /* the last name alone */
	kt_u32 pad;
};

/* How many of the keys that a process has read are named in a record. */
#define WIRE_HELD_MAX 4

/* What the process of a record has read: numbers of marks. */
struct wire_held {
	kt_u64 key[WIRE_HELD_MAX]; /* the first ones; 0 = none */
	kt_u32 nr; /* in all; may count one twice beyond those */
	kt_u32 other; /* 1: it has read another watched file as well, such as a dump */
};

enum wire_dump_how {
	WIRE_DUMP_NONE = 1, /* it crashed, and no core was written: limit, dumpable, no helper */
	WIRE_DUMP_FILE = 2, /* `path`, by the crashing process itself */
	WIRE_DUMP_PIPE = 3, /* to a program that the kernel starts: `path` */
	WIRE_DUMP_SOCKET = 4, /* to who listens at `path` */
	/* subject is the program that was started for the dump of `other`, or was handed the pipe
	 */
	WIRE_DUMP_HELPER = 5,
};

/* The kernel writes the memory of a process into a dump. */
struct wire_dump {
	struct wire_header h;
	struct wire_subject subject;
	struct wire_inode inode; /* FILE: of the dump */
	struct wire_held held;
	kt_u64 object; /* FILE: number of the dump's mark, 0 = not marked */
	kt_u64 limit; /* RLIMIT_CORE, bytes, ~0 = none. A pipe is not bound by it */
	kt_u64 parent_start; /* real_parent at this moment */
	kt_u64 parent_exec_id;
	kt_u64 other_start; /* HELPER: who crashed */
	kt_u32 other_tgid; /* HELPER: who crashed; SOCKET: who listens, 0 = not known */
	kt_u32 parent_tgid;
	kt_u32 how; /* enum wire_dump_how */
	kt_u32 signal;
	kt_u32 dumpable; /* 0 no, 1 yes, 2 for root only */
	kt_u32 exe_nlink; /* of the subject's executable */
	kt_u32 exe_mode;
	kt_u32 exe_uid;
	struct kt_str path;
	struct kt_str exe;
	struct kt_str cgroup;
	struct kt_str args;
};

#define WIRE_WRITTEN_HELPER 0x1 /* by a program that dumps are handed to */
#define WIRE_WRITTEN_HOLDER 0x2 /* told only for `held`: it is smaller than what is told of all */
/* `held` is what another process has read, which the parent_ fields name: see bpf/copy.h */
#define WIRE_WRITTEN_OTHER 0x4
#define WIRE_WRITTEN_OVER  0x8 /* no copy of a key: the writer has had his share of those */

/* The last reference of a description open for writing is gone, and the file is a large one, or its
 * writer may have a key in hand. */
struct wire_written {
	struct wire_header h;
	struct wire_subject subject;
	struct wire_inode inode;
	struct wire_held held; /* of the subject, or another: WIRE_WRITTEN_OTHER */
	kt_u64 size; /* i_size, bytes */
	kt_u64 object; /* number of the file's mark, 0 = none */
	kt_u64 parent_start;
	kt_u64 parent_exec_id;
	kt_u64 fs; /* s_magic of its file system */
	kt_u32 parent_tgid;
	kt_u32 owner; /* i_uid, initial user namespace */
	kt_u32 how; /* WIRE_WRITTEN_* */
	struct kt_str path; /* as opened, from the root of the mount namespace */
};

enum wire_setting_what {
	WIRE_SETTING_CORE_PATTERN = 1, /* `text` is the new value */
	WIRE_SETTING_SUID_DUMPABLE = 2,
	WIRE_SETTING_DUMPABLE = 3, /* PR_SET_DUMPABLE by a process that holds a key */
	WIRE_SETTING_RLIMIT_CORE = 4, /* of a process that holds a key, by itself or another */
};

#define WIRE_SETTING_TEXT 128 /* CORENAME_MAX_SIZE of fs/coredump.c */

struct wire_setting {
	struct wire_header h;
	struct wire_subject subject; /* who changes it */
	struct wire_held held; /* what `target` has read */
	kt_u64 old_value; /* DUMPABLE, RLIMIT_CORE */
	kt_u64 value; /* all but CORE_PATTERN */
	kt_u64 parent_start;
	kt_u64 parent_exec_id;
	kt_u64 target_start; /* DUMPABLE, RLIMIT_CORE: of which process; else 0 */
	kt_u32 target_tgid;
	kt_u32 parent_tgid;
	kt_u32 what; /* enum wire_setting_what */
	kt_u32 exe_nlink;
	kt_u32 exe_mode;
	kt_u32 exe_uid;
	struct kt_str text;
	struct kt_str exe;
	struct kt_str cgroup;
	struct kt_str args;
};

/* How a process came to read memory that is not its own (wire_memory.how). */
enum wire_memory_how {
	WIRE_MEMORY_ATTACH = 1, /* ptrace: attached, seized, or let itself be traced */
	WIRE_MEMORY_TRACED = 2, /* was traced already when it came by the key */
	WIRE_MEMORY_PEEK = 3, /* ptrace: memory was read, attached before anybody looked */
	WIRE_MEMORY_PROC_MEM = 4, /* /proc/PID/mem was opened, or read from an older open */
	WIRE_MEMORY_PROCESS_VM = 5, /* process_vm_readv, process_vm_writev */
	WIRE_MEMORY_GETFD = 6, /* pidfd_getfd: a descriptor, not memory */
	WIRE_MEMORY_ENVIRON = 7, /* /proc/PID/environ was read */
	/* Of the whole machine: there is no target. */
	WIRE_MEMORY_DEV_MEM = 8,
	WIRE_MEMORY_KCORE = 9,
	WIRE_MEMORY_VMCORE = 10,
};

#define WIRE_KEYS_MAX 4 /* keys of a holder that are named; there may be more */

struct wire_memory {
	struct wire_header h;
	struct wire_subject subject; /* who can read */
	struct wire_subject target; /* whose memory; tgid 0 = the machine's */
	kt_u64 parent_start; /* of the subject */
	kt_u64 parent_exec_id;
	kt_u64 target_parent_start;
	kt_u64 target_parent_exec_id;
	kt_u64 key[WIRE_KEYS_MAX]; /* objects that the target has come by, 0 = none */
	kt_u32 parent_tgid;
	kt_u32 target_parent_tgid;
	kt_u32 how; /* enum wire_memory_how */
	kt_u32 nr_keys; /* in all; one may be counted twice */
	kt_u32 exe_nlink; /* of the subject's executable */
	kt_u32 exe_mode;
	kt_u32 exe_uid;
	struct kt_str exe;
	struct kt_str cgroup; /* of the subject, as are args */
	struct kt_str args;
};

/* By which way what was read may leave (wire_net.how). */
enum wire_net_how {
	WIRE_NET_CONNECT = 1, /* security_socket_connect */
	WIRE_NET_SEND =
		2, /* sent, on a socket that was connected before or by the datagram's name */
	WIRE_NET_UNIX = 3, /* to a Unix socket of another process that has read a watched file */
	WIRE_NET_MOUNT = 4, /* a file was opened for writing on a mount of another kind */
};

/* Once for each image, destination and what it holds by then. */
struct wire_net {
	struct wire_header h;
	struct wire_subject subject;
	kt_u64 parent_start;
	kt_u64 parent_exec_id;
	kt_u64 key[WIRE_KEYS_MAX]; /* objects that the subject has read, 0 = none */
	kt_u64 other; /* the latest one that is no key, 0 = none */
	kt_u8 addr[16]; /* IPv4: the first four bytes; vsock: its cid, in host order */
	kt_u32 parent_tgid;
	kt_u32 nr_keys;
	kt_u32 how; /* enum wire_net_how */
	kt_u32 family; /* AF_*; 0 for a mount */
	kt_u32 port; /* host order */
	kt_u32 peer_tgid; /* WIRE_NET_UNIX: of who listens, or made the pair */
	kt_u32 exe_nlink; /* of the subject's executable */
	kt_u32 fs_magic; /* WIRE_NET_MOUNT */
	kt_u32 dev; /* WIRE_NET_MOUNT: s_dev */
	kt_u32 exe_mode;
	kt_u32 exe_uid;
	struct kt_str exe;
	struct kt_str path; /* WIRE_NET_MOUNT: of the file */
	struct kt_str cgroup;
	struct kt_str args;
	kt_u32 pad;
};

/*
 * An open of a watched name was refused, or there was nothing by that name. `object` if the file
 * was reached, whatever its name; else the name is told, and in which state the directory was that
 * it was looked up in: user space matches it exactly.
 */
struct wire_refused {
	struct wire_header h;
	struct wire_subject subject;
	struct wire_inode inode; /* with `object` */
	kt_u64 object; /* number of the file's mark, 0 = it was not reached */
	kt_u64 parent_start;
	kt_u64 parent_exec_id;
	kt_u32 parent_tgid;
	kt_u32 state; /* of the directory; without `object` */
	kt_u32 error; /* errno: EPERM, ENOENT, EACCES */
	kt_u32 open_flags;
	kt_u32 more; /* as many of this user and program were not told since the last that was */
	kt_u32 owner; /* with `object`: i_uid, initial user namespace */
	kt_u32 exe_nlink; /* of the subject's executable */
	kt_u32 exe_mode;
	kt_u32 exe_uid;
	struct kt_str path; /* as the caller wrote it */
	struct kt_str dir; /* where it begins, from the root of the mount namespace */
	struct kt_str exe;
	struct kt_str cgroup;
	struct kt_str args;
};

/* Why something was not seen or not reported. Index of the per-CPU counters `st_drops`. */
enum wire_drop {
	WIRE_DROP_RING_CRITICAL, /* no room in the critical ring */
	WIRE_DROP_RING_BULK, /* no room in the bulk ring */
	WIRE_DROP_MARK_FULL, /* mark map full */
	WIRE_DROP_MARK_BUSY, /* mark map refused the insert for another reason */
	WIRE_DROP_HOLDER_FULL, /* table of descriptor holders full: fd scan at exec skipped for one
				*/
	WIRE_DROP_READ, /* a kernel read failed where it must not */
	WIRE_DROP_FD_SCAN, /* descriptors beyond the scan's bound were not looked at, at one exec */
	WIRE_DROP_KEY_HOLDER_FULL, /* table of key holders full: who took what this one read is
				      not told */
	WIRE_DROP_TREE, /* a moved tree was larger than what is marked at once: walked afterwards */
	WIRE_DROP_DUMP_FULL, /* table of crashes or of their helpers full */
	WIRE_DROP_MARK_QUOTA, /* its owner has as many marks as one user may have */
	WIRE_DROP_TAINT_FULL, /* table of images with foreign code full: of one it is known only
				 that it is one */
	WIRE_DROP_SCRIPT_FULL, /* table of scripts that are being started full: of one it is not
				  known */
	WIRE_DROP_NR,
};
