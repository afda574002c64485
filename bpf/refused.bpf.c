// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Tries that came to nothing: opens of watched names that were refused, or that found nothing.
 *
 * On a host that compiles, far more opens fail than touch a key: search paths are gone through name
 * by name. So a failed open is asked one thing, by the automaton of names that marks new files:
 * does the name as it was written lead anywhere, from the directory that it begins in? Of a
 * compiler's names the first component already leads nowhere. Only directories that a pattern goes
 * through are marked, so from a working directory that is none of them nothing is looked at.
 *
 * A file that was reached and then refused is known by its inode, by whatever name:
 * generic_permission() asks for a capability before it gives up, and hardly anybody else does.
 *
 * Who floods this costs himself a few look-ups: so many are told of each program and user in a
 * second, the rest is a count.
 */
#include "access.h"
#include "identity.h"
#include "record.h"
#include "syscall.h"

enum {
	PATH_AT = 0,
	DIR_AT = PATH_AT + WIRE_PATH_MAX,
	EXE_AT = DIR_AT + WIRE_EXE_MAX,
	CGROUP_AT = EXE_AT + WIRE_EXE_MAX,
	ARGS_AT = CGROUP_AT + WIRE_CGROUP_MAX,
	STRINGS = ARGS_AT + WIRE_ARGS_MAX,
};

struct refused_record {
	struct wire_refused r;
	char str[STRINGS + NAME_SLACK];
};

#define STR_OFF __builtin_offsetof(struct refused_record, str)

/* include/uapi/asm-generic/errno-base.h, include/uapi/linux/fcntl.h */
#define EPERM	  1
#define ENOENT	  2
#define EACCES	  13
#define MAX_ERRNO 4095
#define AT_FDCWD  (-100)

/* Records in a second: of a program that a user runs, of a user, of all. */
#define TOLD_OF_PROGRAM 8
#define TOLD_OF_USER	32
#define TOLD_OF_ALL	256

struct tries_key {
	kt_u64 exe_ino;
	kt_u32 exe_dev;
	kt_u32 uid;
};

struct tries {
	kt_u64 second;
	kt_u32 told; /* in it */
	kt_u32 more; /* not told, since the last that was */
};

/* Tries that were not told when they were made. */
kt_u64 refused_counted = 0;

/* LRU: who is forgotten begins anew, and the user's own row bounds what he gains by it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tries_key);
	__type(value, struct tries);
} refused_tries SEC(".maps");

/* Between the refusal of a file and the end of the open that it is in. */
struct refused_file {
	struct wire_inode inode;
	kt_u64 object;
	kt_u32 owner;
	kt_u32 told; /* by report_denied() */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, kt_u64); /* pid_tgid */
	__type(value, struct refused_file);
} refused_files SEC(".maps");

/* --- the name ------------------------------------------------------------------------------- */

#define COMPONENTS_MAX 32
#define LEADING_MAX    8 /* `.` and `..` that a name begins with */
#define AT_END	       0x10000 /* in a length: nothing comes after it */

/* Bytes up to the next slash or the end, AT_END with the latter. */
__noinline kt_u32 component_len(kt_u64 addr)
{
	kt_u32 i, j;

	for (i = 0; i < WATCH_NAME_MAX + 1; i += 8) {
		kt_u64 chunk = 0;

		bpf_probe_read_kernel(&chunk, sizeof(chunk), (void *)(addr + i));
		for (j = 0; j < 8; j++) {
			if (!(kt_u8)chunk)
				return (i + j) | AT_END;
			if ((kt_u8)chunk == '/')
				return i + j;
			chunk >>= 8;
		}
	}
	return AT_END; /* no name is that long */
}

static __always_inline kt_u32 state_of(struct inode *inode)
{
	kt_u64 ino = BPF_CORE_READ(inode, i_ino);
	kt_u32 dev = BPF_CORE_READ(inode, i_sb, s_dev);
	struct mark *mark;

	if (!filter[filter_slot(ino, dev) & (FILTER_SIZE - 1)])
		return 0;
	mark = mark_find(ino, dev);
	return mark ? mark->state : 0;
}

#define DOT	1
#define DOT_DOT 2

/* DOT for an empty component, too. */
static __always_inline kt_u32 dots_of(kt_u64 name, kt_u32 len)
{
	kt_u16 bytes = 0;

	len &= 0xff;
	if (!len)
		return DOT;
	if (len > 2)
		return 0;
	bpf_probe_read_kernel(&bytes, sizeof(bytes), (void *)name);
	if (len == 1)
		return (bytes & 0xff) == '.' ? DOT : 0;
	return bytes == ('.' | '.' << 8) ? DOT_DOT : 0;
}

/* Where the components of a name lead from a state; see name_leads(). */
__noinline kt_u64 components_lead(kt_u32 at, kt_u64 name)
{
	kt_u64 target;
	int i;

	for (i = 0; i < COMPONENTS_MAX; i++) {
		kt_u32 len = component_len(name), dots = dots_of(name, len);

		if (!at || dots == DOT_DOT)
			return 0;
		if (!dots) {
			target = watch_lookup(at, name, len & 0xff);
			if (len & AT_END)
				return (kt_u32)target & WATCH_NR_MASK
					       ? (kt_u64)at << 32 | (kt_u32)target
					       : 0;
			at = target >> 32;
		} else if (len & AT_END) {
			return 0;
		}
		name += (len & 0xff) + 1;
	}
	return 0;
}

/*
 * Where a name leads from a directory: its last component's watch entry with the state it was
 * looked up in above, 0 = nowhere. By the text alone: a symbolic link on the way is a name like
 * another. `..` counts where the name begins, from the directory to the one above it; behind a name
 * it leads nowhere.
 */
__noinline kt_u64 name_leads(kt_u64 dentry_addr, kt_u64 name)
{
	struct dentry *dentry = (void *)dentry_addr;
	int i;

	for (i = 0; i < LEADING_MAX; i++) {
		kt_u32 len = component_len(name), dots = dots_of(name, len);

		if (!dots)
			return components_lead(state_of(BPF_CORE_READ(dentry, d_inode)), name);
		if (len & AT_END)
			return 0;
		if (dots == DOT_DOT)
			dentry = BPF_CORE_READ(dentry, d_parent);
		name += (len & 0xff) + 1;
	}
	return 0;
}

/* --- how often ------------------------------------------------------------------------------ */

/* 0: not now. Else one more than what was not told before. Two CPUs may tell one too many. */
static __always_inline kt_u32 may_tell(const struct tries_key *key, kt_u64 second, kt_u32 max)
{
	struct tries *known = bpf_map_lookup_elem(&refused_tries, key);
	struct tries fresh = {.second = second, .told = 1};
	kt_u32 more;

	if (!known)
		return bpf_map_update_elem(&refused_tries, key, &fresh, BPF_ANY) ? 0 : 1;
	if (known->second != second) {
		known->second = second;
		known->told = 0;
	}
	if (known->told >= max) {
		__sync_fetch_and_add(&known->more, 1);
		return 0;
	}
	known->told++;
	more = known->more;
	known->more = 0;
	return more + 1;
}

/* Whose it is: the login's, as uids of a user namespace are many. */
static __always_inline kt_u32 trier(struct task_struct *task)
{
	kt_u32 uid = (kt_u32)-1;

	if (bpf_core_field_exists(task->loginuid)) /* CONFIG_AUDIT */
		uid = BPF_CORE_READ(task, loginuid.val);
	return uid == (kt_u32)-1 ? BPF_CORE_READ(task, real_cred, uid.val) : uid;
}

/* kind: TRIES or DENIED, each with a bound of its own: who tries a lot hides no denial by it. */
#define TRIES  0
#define DENIED 0x80000000U

__noinline kt_u32 refused_may_tell(kt_u64 task_addr, kt_u32 kind)
{
	struct task_struct *task = (void *)task_addr;
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	kt_u64 second = bpf_ktime_get_ns() / 1000000000;
	struct tries_key key = {.uid = trier(task)}, user = {}, all = {.uid = (kt_u32)-1};
	struct tries *known;
	kt_u32 more;

	key.exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
	key.exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev) ^ kind;
	user.uid = key.uid;
	user.exe_dev = all.exe_dev = kind;
	more = may_tell(&key, second, TOLD_OF_PROGRAM);
	if (more && may_tell(&user, second, TOLD_OF_USER) && may_tell(&all, second, TOLD_OF_ALL))
		return more;
	__sync_fetch_and_add(&refused_counted, 1);
	known = more ? bpf_map_lookup_elem(&refused_tries, &key) : 0;
	if (known)
		__sync_fetch_and_add(&known->more, more);
	return 0;
}

/* --- telling -------------------------------------------------------------------------------- */

static __always_inline void fill_refused(struct refused_record *r, struct task_struct *task,
					 kt_u32 ring)
{
	__builtin_memset(&r->r, 0, sizeof(r->r));
	fill_header(&r->r.h, WIRE_REFUSED, sizeof(*r), ring);
	fill_subject(&r->r.subject, task);
	fill_parent(task, &r->r.parent_start, &r->r.parent_exec_id, &r->r.parent_tgid);
	r->r.exe_nlink = BPF_CORE_READ(task, mm, exe_file, f_inode, i_nlink);
	r->r.exe_mode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_mode);
	r->r.exe_uid = BPF_CORE_READ(task, mm, exe_file, f_inode, i_uid.val);
}

static __always_inline void put_refused(struct refused_record *r, struct task_struct *task)
{
	r->r.h.flags |= put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->r.exe, STR_OFF, task);
	r->r.h.flags |= put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->r.cgroup, STR_OFF, task);
	r->r.h.flags |= put_args(r->str, ARGS_AT, WIRE_ARGS_MAX, &r->r.args, STR_OFF, task);
}

/*
 * In the critical ring, as an access would be: behind the mark of a file that has just been made,
 * and at once, since it may be a program that only has to be made known.
 */
__noinline int report_denied(kt_u64 file_addr, kt_u64 object)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct file *file = (void *)file_addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	kt_u64 id = bpf_get_current_pid_tgid();
	struct refused_file told = {.object = object, .told = 1};
	struct refused_record *r;
	kt_u32 more;

	/* The open that this is in fails in a moment: open_failed() has nothing to add. */
	bpf_map_update_elem(&refused_files, &id, &told, BPF_ANY);
	more = refused_may_tell((kt_u64)task, DENIED);
	if (!more)
		return 0;
	r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		__sync_fetch_and_add(&refused_counted, more);
		return 0;
	}
	fill_refused(r, task, RING_CRITICAL);
	fill_inode(&r->r.inode, inode);
	r->r.object = object;
	r->r.owner = BPF_CORE_READ(inode, i_uid.val);
	r->r.error = EACCES;
	r->r.more = more - 1;
	r->r.open_flags = BPF_CORE_READ(file, f_flags);
	r->r.h.flags |= WIRE_F_DENIED;
	r->r.h.flags |=
		put_path(r->str, PATH_AT, WIRE_PATH_MAX, &r->r.path, STR_OFF,
			 BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	put_refused(r, task);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/*
 * start: struct path of where the name begins. found: of name_leads(); 0 = the file was reached,
 * and stands in refused_files. what: errno, above it what was not told.
 */
__noinline int report_refused(kt_u64 name, kt_u64 start, kt_u64 found, kt_u64 what,
			      kt_u32 open_flags)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u64 id = bpf_get_current_pid_tgid();
	struct path *path = (void *)start;
	struct refused_file *file;
	struct refused_record *r;
	long len;

	r = bpf_ringbuf_reserve(&ring_bulk, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_BULK);
		return 0;
	}
	fill_refused(r, task, RING_BULK);
	file = found ? 0 : bpf_map_lookup_elem(&refused_files, &id);
	if (file) {
		r->r.inode = file->inode;
		r->r.object = file->object;
		r->r.owner = file->owner;
	}
	r->r.state = found >> 32;
	r->r.error = (kt_u32)what;
	r->r.more = what >> 32;
	r->r.open_flags = open_flags;
	len = bpf_probe_read_kernel_str(&r->str[PATH_AT], WIRE_PATH_MAX, (void *)name);
	if (len > 1) {
		r->r.path.off = STR_OFF + PATH_AT;
		r->r.path.len = len - 1;
		if (len == WIRE_PATH_MAX)
			r->r.h.flags |= WIRE_F_PATH_TRUNCATED;
	}
	r->r.h.flags |= put_path(r->str, DIR_AT, WIRE_EXE_MAX, &r->r.dir, STR_OFF,
				 BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt));
	put_refused(r, task);
	bpf_ringbuf_submit(r, bulk_flags());
	return 0;
}

/* The open of `name` from `dfd` failed. */
__noinline int open_failed(kt_u64 name, int dfd, kt_u32 error, kt_u32 open_flags)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u64 id = bpf_get_current_pid_tgid(), start, found = 0, more;
	struct refused_file *file;
	struct path *path;
	int reached = 0;
	char first = 0;

	if (id >> 32 == cfg_self_tgid)
		return 0;
	/* What was to be made is not what is being looked for. */
	if (error == ENOENT && open_flags & O_CREAT)
		return 0;
	bpf_probe_read_kernel(&first, sizeof(first), (void *)name);
	if (first == '/') {
		start = (kt_u64)BPF_CORE_READ(task, fs) +
			bpf_core_field_offset(struct fs_struct, root);
	} else if (dfd == AT_FDCWD) {
		start = (kt_u64)BPF_CORE_READ(task, fs) +
			bpf_core_field_offset(struct fs_struct, pwd);
	} else {
		struct file **fds = BPF_CORE_READ(task, files, fdt, fd);
		struct file *file = 0;

		bpf_probe_read_kernel(&file, sizeof(file), &fds[dfd & 0xfffff]);
		start = (kt_u64)file + bpf_core_field_offset(struct file, f_path);
	}
	path = (void *)start;
	file = error == EACCES ? bpf_map_lookup_elem(&refused_files, &id) : 0;
	reached = file != 0;
	if (file && file->told) {
		bpf_map_delete_elem(&refused_files, &id);
		return 0;
	}
	if (!reached) {
		found = name_leads((kt_u64)BPF_CORE_READ(path, dentry), name);
		/* A socket cannot be opened: that is no try at an agent. */
		if (!found || (kt_u32)found & WATCH_SOCKET)
			return 0;
	}
	more = refused_may_tell((kt_u64)task, TRIES);
	if (more)
		report_refused(name, start, found, (more - 1) << 32 | error, open_flags);
	if (reached)
		bpf_map_delete_elem(&refused_files, &id);
	return 0;
}

/* Attached to do_filp_open or do_file_open, whichever this kernel has: below open, exec, io_uring.
 */
SEC("fexit/do_filp_open")
int BPF_PROG(on_open_failed, int dfd, struct filename *pathname, const struct open_flags *op,
	     struct file *ret)
{
	kt_u64 error;

	if ((kt_u64)ret < (kt_u64)-MAX_ERRNO)
		return 0;
	error = -addr_of(ret);
	if (error == ENOENT || error == EACCES || error == EPERM)
		open_failed((kt_u64)BPF_CORE_READ(pathname, name), dfd, error,
			    BPF_CORE_READ(op, open_flag));
	return 0;
}

/* --- a file that was reached ----------------------------------------------------------------- */

/* access(2) and others ask for permissions, too, and open nothing. 32-bit numbers among them. */
static __always_inline int is_in_open(void)
{
	long nr = current_syscall();

	return nr == NR_OPEN || nr == NR_OPENAT || nr == NR_OPENAT2 || nr == NR_CREAT ||
	       nr == NR_EXECVE || nr == NR_EXECVEAT || nr == NR_IO_URING_ENTER || nr == 5 ||
	       nr == 295 || nr == 8 || nr == 11 || nr <= 0 /* a worker of io_uring */;
}

/*
 * The permission bits refuse, and the last thing that could help is a capability. One try may ask
 * for two of them: what is granted at last was not refused.
 */
__noinline int capability_asked(kt_u64 inode_addr, kt_u32 granted)
{
	struct inode *inode = (void *)inode_addr;
	kt_u64 id = bpf_get_current_pid_tgid();
	struct refused_file file = {};
	struct mark *mark;

	if (granted) {
		bpf_map_delete_elem(&refused_files, &id);
		return 0;
	}
	mark = mark_find(BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev));
	if (!mark || !(mark->flags & MARK_FILE))
		return 0;
	file.object = mark->object;
	file.owner = BPF_CORE_READ(inode, i_uid.val);
	fill_inode(&file.inode, inode);
	bpf_map_update_elem(&refused_files, &id, &file, BPF_ANY);
	return 0;
}

SEC("fexit/capable_wrt_inode_uidgid")
int BPF_PROG(on_capable, void *mapping, struct inode *inode, int cap, int ret)
{
	if (filter_test(inode) && is_in_open())
		capability_asked(addr_of(inode), ret & 0xff);
	return 0;
}

/* Before 5.12 mounts map no ids. */
SEC("fexit/capable_wrt_inode_uidgid")
int BPF_PROG(on_capable_v5_10, struct inode *inode, int cap, int ret)
{
	if (filter_test(inode) && is_in_open())
		capability_asked(addr_of(inode), ret & 0xff);
	return 0;
}
