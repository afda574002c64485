// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * How a dump comes into being, from the crash to the file.
 *
 * A process crashes: do_coredump() (vfs_coredump() from 6.17 on) runs in it and decides by
 * core_pattern where its memory goes.
 *
 * Into a file: the crashing task opens it. It is marked in that open, before anything is in it.
 *
 * To a pipe: the kernel starts a helper. What it, its children and whoever is passed the pipe
 * create is marked as it is created; the daemon looks at each when it is closed, and takes the mark
 * off what is no dump (a log).
 *
 * To a socket (6.16 and later): who listens is another program, and which files it writes is not
 * known. They are found like the dumps that programs write by themselves: every file that is closed
 * after writing and has at least dump_threshold bytes is told to the daemon, which looks at its
 * first bytes.
 */
#include "copy.h"
#include "dump.h"
#include "held.h"
#include "identity.h"
#include "record.h"

enum {
	PATH_AT = 0,
	EXE_AT = PATH_AT + WIRE_PATH_MAX,
	CGROUP_AT = EXE_AT + WIRE_EXE_MAX,
	ARGS_AT = CGROUP_AT + WIRE_CGROUP_MAX,
	STRINGS = ARGS_AT + WIRE_ARGS_MAX,
};

struct dump_record {
	struct wire_dump d;
	char str[STRINGS + NAME_SLACK];
};

struct written_record {
	struct wire_written w;
	char str[WIRE_PATH_MAX + NAME_SLACK];
};

struct born_record {
	struct wire_mark m;
	char str[WIRE_PATH_MAX + NAME_SLACK];
};

/* Processes that are handed a dump: started for it, their children, and who is passed the pipe. */
#define DUMP_HELPERS_MAX 1024

struct dump_helper {
	kt_u64 start; /* start_boottime of the leader */
	kt_u64 crashed_start; /* of the process that crashed */
	kt_u32 crashed_tgid;
	kt_u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DUMP_HELPERS_MAX);
	__type(key, kt_u32); /* tgid */
	__type(value, struct dump_helper);
} dump_helpers SEC(".maps");

/* A task in do_coredump(). */
struct crash {
	kt_u32 signal;
	kt_u32 how; /* enum wire_dump_how, 0 = nothing has been opened yet */
	kt_u32 live; /* 1: counted in dump_helpers_live, since its pipe may be passed on */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, kt_u64); /* pid_tgid */
	__type(value, struct crash);
} crashes SEC(".maps");

/* From the crash to its helper, by the address of what the kernel starts it with. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, kt_u64);
	__type(value, struct dump_helper); /* start is not set */
} dump_calls SEC(".maps");

/* Pipes that dumps come by. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct mark_key);
	__type(value, struct dump_helper); /* start is not set */
} dump_pipes SEC(".maps");

static __always_inline int is_dumping(struct task_struct *task)
{
	return BPF_CORE_READ(task, flags) & PF_DUMPCORE;
}

/*
 * Tells what becomes of the memory of the current task. file: FILE; name: kernel string, PIPE and
 * SOCKET; start and other as in struct wire_dump; for FILE `start` is the number of the mark.
 */
__noinline int report_dump(kt_u32 how, kt_u64 file_addr, kt_u64 name_addr, kt_u64 start,
			   kt_u32 other)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u64 id = bpf_get_current_pid_tgid();
	struct file *file = (void *)file_addr;
	struct dump_record *r;
	struct crash *crash;
	kt_u32 signal = 0;
	long len;

	crash = bpf_map_lookup_elem(&crashes, &id);
	if (crash) {
		crash->how = how;
		signal = crash->signal;
	}
	r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 0;
	}
	__builtin_memset(&r->d, 0, sizeof(r->d));
	fill_header(&r->d.h, WIRE_DUMP, sizeof(*r), RING_CRITICAL);
	r->d.h.flags |= put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->d.exe,
				__builtin_offsetof(struct dump_record, str), task);
	r->d.h.flags |= put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->d.cgroup,
				   __builtin_offsetof(struct dump_record, str), task);
	r->d.h.flags |= put_args(r->str, ARGS_AT, WIRE_ARGS_MAX, &r->d.args,
				 __builtin_offsetof(struct dump_record, str), task);
	fill_subject(&r->d.subject, task);
	fill_parent(task, &r->d.parent_start, &r->d.parent_exec_id, &r->d.parent_tgid);
	r->d.how = how;
	r->d.signal = signal;
	r->d.limit = BPF_CORE_READ(task, signal, rlim[RLIMIT_CORE].rlim_cur);
	r->d.dumpable = dumpable_of(task);
	r->d.exe_nlink = BPF_CORE_READ(task, mm, exe_file, f_inode, i_nlink);
	r->d.exe_mode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_mode);
	r->d.exe_uid = BPF_CORE_READ(task, mm, exe_file, f_inode, i_uid.val);
	r->d.other_tgid = other;
	if (how == WIRE_DUMP_FILE)
		r->d.object = start;
	else
		r->d.other_start = start;
	if (how != WIRE_DUMP_HELPER)
		fill_held(&r->d.held, id >> 32, task);
	if (file) {
		fill_inode(&r->d.inode, BPF_CORE_READ(file, f_inode));
		r->d.h.flags |= put_path(r->str, PATH_AT, WIRE_PATH_MAX, &r->d.path,
					 __builtin_offsetof(struct dump_record, str),
					 BPF_CORE_READ(file, f_path.dentry),
					 BPF_CORE_READ(file, f_path.mnt));
	} else if (name_addr) {
		len = bpf_probe_read_kernel_str(&r->str[PATH_AT], WIRE_PATH_MAX, (void *)name_addr);
		if (len > 1) {
			r->d.path.off = __builtin_offsetof(struct dump_record, str) + PATH_AT;
			r->d.path.len = len - 1;
		}
	}
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/*
 * Marks a file as a dump before anybody can have opened it. Returns the number of its mark, the one
 * it had if it was marked already (the name is a watched one), 0 if it cannot be marked.
 */
__noinline kt_u64 mark_dump(kt_u64 file_addr)
{
	struct file *file = (void *)file_addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct mark mark = {.watch = dump_watch & WATCH_NR_MASK, .flags = MARK_FILE}, *old;
	struct mark_key key = {};
	struct born_record *r;

	if (!mark.watch || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	if (dump_watch & WATCH_SEND)
		mark.flags |= MARK_SEND;
	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	mark.gen = BPF_CORE_READ(inode, i_generation);
	old = mark_find(key.ino, key.dev);
	if (old && old->gen == mark.gen)
		return old->object;
	/* Without a name yet: the first that it is given is told, where names are watched. */
	if (BPF_CORE_READ(file, f_flags) & O_TMPFILE_BIT)
		mark.flags |= MARK_NAMELESS;
	mark.object = object_number();
	if (mark_put(&key, &mark, (kt_u64)inode))
		return 0;
	r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return mark.object;
	}
	__builtin_memset(&r->m, 0, sizeof(r->m));
	fill_header(&r->m.h, WIRE_MARK, sizeof(*r), RING_CRITICAL);
	fill_inode(&r->m.inode, inode);
	r->m.object = mark.object;
	r->m.watch = mark.watch;
	r->m.op = WIRE_MARK_BORN;
	r->m.mode = BPF_CORE_READ(inode, i_mode);
	r->m.uid = BPF_CORE_READ(inode, i_uid.val);
	r->m.tgid = bpf_get_current_pid_tgid() >> 32;
	r->m.h.flags |=
		put_path(r->str, 0, WIRE_PATH_MAX, &r->m.path,
			 __builtin_offsetof(struct born_record, str),
			 BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	bpf_ringbuf_submit(r, 0);
	return mark.object;
}

static __always_inline struct dump_helper *helper_of(kt_u32 tgid, struct task_struct *task)
{
	struct dump_helper *helper = bpf_map_lookup_elem(&dump_helpers, &tgid);

	if (helper && helper->start == BPF_CORE_READ(task, group_leader, start_boottime))
		return helper;
	return 0;
}

/* From now on the process of `task` counts as one that the dump was handed to. Returns 1 if it did
 * not before. */
static __always_inline int helper_add(struct task_struct *task, const struct dump_helper *call)
{
	kt_u32 tgid = BPF_CORE_READ(task, tgid);
	struct dump_helper helper = *call;

	if (helper_of(tgid, task))
		return 0;
	helper.start = BPF_CORE_READ(task, group_leader, start_boottime);
	if (!bpf_map_update_elem(&dump_helpers, &tgid, &helper, BPF_NOEXIST))
		__sync_fetch_and_add(&dump_helpers_live, 1);
	else if (bpf_map_update_elem(&dump_helpers, &tgid, &helper, BPF_EXIST))
		count_drop(WIRE_DROP_DUMP_FULL);
	return 1;
}

__noinline int dump_helper_forks(kt_u32 parent_tgid, kt_u64 child_addr)
{
	struct dump_helper *parent = bpf_map_lookup_elem(&dump_helpers, &parent_tgid);
	struct dump_helper copy;

	if (!parent)
		return 0;
	copy = *parent;
	return helper_add((void *)child_addr, &copy);
}

/* --- a crash ------------------------------------------------------------------------------ */

/* Attached to do_coredump or vfs_coredump, whichever this kernel has. */
SEC("fentry/do_coredump")
int BPF_PROG(on_coredump, const struct kernel_siginfo *siginfo)
{
	kt_u64 id = bpf_get_current_pid_tgid();
	struct crash crash = {};

	crash.signal = BPF_CORE_READ(siginfo, si_signo);
	if (bpf_map_update_elem(&crashes, &id, &crash, BPF_ANY))
		count_drop(WIRE_DROP_DUMP_FULL);
	return 0;
}

SEC("fexit/do_coredump")
int BPF_PROG(on_coredump_end, const struct kernel_siginfo *siginfo)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u64 id = bpf_get_current_pid_tgid();
	struct crash *crash = bpf_map_lookup_elem(&crashes, &id);

	/* Of threads that crash at the same time one dumps all; it alone gets this flag. */
	if (crash && !crash->how && (is_dumping(task) || !dumpable_of(task)))
		report_dump(WIRE_DUMP_NONE, 0, 0, 0, 0);
	if (crash && crash->live)
		__sync_fetch_and_add(&dump_helpers_live, -1);
	bpf_map_delete_elem(&crashes, &id);
	return 0;
}

/*
 * A file was created by a dump's flags, or by somebody while helpers live. The open may still fail
 * in the file system; the mark is then one on an empty file.
 */
__noinline int dump_file_opened(kt_u64 file_addr)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct file *file = (void *)file_addr;
	kt_u32 f_mode = BPF_CORE_READ(file, f_mode);
	kt_u32 f_flags = BPF_CORE_READ(file, f_flags);
	kt_u64 object;

	if (!(f_mode & FMODE_WRITE))
		return 0;
	if (is_dumping(task)) {
		object = mark_dump(file_addr);
		return report_dump(WIRE_DUMP_FILE, file_addr, 0, object, 0);
	}
	if (dump_helpers_live && (f_mode & FMODE_CREATED || f_flags & O_TMPFILE_BIT) &&
	    helper_of(bpf_get_current_pid_tgid() >> 32, task))
		mark_dump(file_addr);
	return 0;
}

SEC("fentry/call_usermodehelper_exec")
int BPF_PROG(on_usermodehelper, struct subprocess_info *info)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u64 key = addr_of(info), id = bpf_get_current_pid_tgid();
	struct dump_helper call = {};
	struct crash *crash;

	if (!is_dumping(task))
		return 0;
	call.crashed_tgid = id >> 32;
	call.crashed_start = BPF_CORE_READ(task, group_leader, start_boottime);
	/*
	 * systemd-coredump's helper sends the pipe to a service and ends, before that has taken it.
	 * But until somebody has read the pipe to its end, the crash is not over.
	 */
	crash = bpf_map_lookup_elem(&crashes, &id);
	if (crash && !crash->live) {
		crash->live = 1;
		__sync_fetch_and_add(&dump_helpers_live, 1);
	}
	if (bpf_map_update_elem(&dump_calls, &key, &call, BPF_ANY))
		count_drop(WIRE_DROP_DUMP_FULL);
	report_dump(WIRE_DUMP_PIPE, 0, (kt_u64)BPF_CORE_READ(info, path), 0, 0);
	return 0;
}

/* Runs in the task that becomes the helper; the pipe is its descriptor 0 by now. */
SEC("fexit/umh_coredump_setup")
int BPF_PROG(on_dump_helper, struct subprocess_info *info, void *cred, int ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u64 at = addr_of(info);
	struct dump_helper *found, call;
	struct mark_key pipe = {};
	struct file *file = 0;
	struct file **fds;
	struct inode *inode;

	found = bpf_map_lookup_elem(&dump_calls, &at);
	if (ret || !found)
		return 0;
	call = *found;
	fds = BPF_CORE_READ(task, files, fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), fds);
	if (file) {
		inode = BPF_CORE_READ(file, f_inode);
		pipe.ino = BPF_CORE_READ(inode, i_ino);
		pipe.dev = BPF_CORE_READ(inode, i_sb, s_dev);
		bpf_map_update_elem(&dump_pipes, &pipe, &call, BPF_ANY);
	}
	helper_add(task, &call);
	report_dump(WIRE_DUMP_HELPER, 0, (kt_u64)BPF_CORE_READ(info, path), call.crashed_start,
		    call.crashed_tgid);
	bpf_map_delete_elem(&dump_calls, &at);
	return 0;
}

/*
 * Not at the exit: a process that does not close its files itself has them closed after that, and
 * it is by the close that the daemon learns what it wrote.
 */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_process_free, struct task_struct *task)
{
	kt_u32 tgid = task->tgid;

	if (dump_helpers_live && task->pid == task->tgid && helper_of(tgid, task) &&
	    !bpf_map_delete_elem(&dump_helpers, &tgid))
		__sync_fetch_and_add(&dump_helpers_live, -1);
	return 0;
}

/* systemd-coredump's helper passes the pipe on to a service that writes the file. */
__noinline int dump_pipe_received(kt_u64 inode_addr)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct inode *inode = (void *)inode_addr;
	struct dump_helper *found, call;
	struct mark_key pipe = {};

	pipe.ino = BPF_CORE_READ(inode, i_ino);
	pipe.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	found = bpf_map_lookup_elem(&dump_pipes, &pipe);
	if (!found)
		return 0;
	call = *found;
	if (helper_add(task, &call))
		report_dump(WIRE_DUMP_HELPER, 0, 0, call.crashed_start, call.crashed_tgid);
	return 0;
}

/* core_pattern = @...: the crashing task connects. Few others in the kernel do, and none while it
 * dumps. */
SEC("fexit/kernel_connect")
int BPF_PROG(on_kernel_connect, struct socket *sock, void *addr, int addrlen, int flags, int ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const kt_u32 sun_path = 2; /* behind sun_family */

	if (ret || !is_dumping(task))
		return 0;
	report_dump(WIRE_DUMP_SOCKET, 0, addr_of(addr) + sun_path, 0,
		    BPF_CORE_READ(sock, sk, sk_peer_pid, numbers[0].nr));
	return 0;
}

/*
 * A file that was made without a name (O_TMPFILE) and given one by linkat() still has the nameless
 * dentry in its description: the newest of the inode's other dentries has the name.
 */
static __always_inline struct dentry *named_dentry(struct file *file, struct inode *inode)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct dentry___v7 *dentry_v7 = 0;
	void *first;

	if (BPF_CORE_READ(dentry, d_hash.pprev))
		return dentry;
	first = BPF_CORE_READ(inode, i_dentry.first);
	if (!first)
		return dentry;
	if (bpf_core_field_exists(dentry_v7->d_alias))
		return first - bpf_core_field_offset(struct dentry___v7, d_alias);
	return first - bpf_core_field_offset(struct dentry, d_u.d_alias);
}

/* --- a file that was written -------------------------------------------------------------- */

__noinline int dump_file_closed(kt_u64 file_addr)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct file *file = (void *)file_addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	kt_u64 size = BPF_CORE_READ(inode, i_size);
	struct written_record *r;
	struct gone_child *gone;
	struct mark *mark;
	kt_u32 source, how = 0;

	if (tgid == cfg_self_tgid || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG ||
	    !BPF_CORE_READ(inode, i_nlink))
		return 0;
	if (dump_helpers_live && size && helper_of(tgid, task))
		how |= WIRE_WRITTEN_HELPER;
	source = size ? copy_source() : COPY_OF_NOBODY;
	if (!how && (!source || !copy_admit(tgid))) {
		if (size < dump_threshold)
			return 0;
		/* Told as of anybody: it may be a dump. */
		if (source)
			how |= WIRE_WRITTEN_OVER;
		source = COPY_OF_NOBODY;
	} else if (!how && size < dump_threshold) {
		how |= WIRE_WRITTEN_HOLDER;
	}
	if (source == COPY_OF_PARENT || source == COPY_OF_CHILD)
		how |= WIRE_WRITTEN_OTHER;
	r = bpf_ringbuf_reserve(&ring_bulk, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_BULK);
		return 0;
	}
	__builtin_memset(&r->w, 0, sizeof(r->w));
	fill_header(&r->w.h, WIRE_WRITTEN, sizeof(*r), RING_BULK);
	r->w.h.flags |= put_path(r->str, 0, WIRE_PATH_MAX, &r->w.path,
				 __builtin_offsetof(struct written_record, str),
				 named_dentry(file, inode), BPF_CORE_READ(file, f_path.mnt));
	fill_subject(&r->w.subject, task);
	fill_parent(task, &r->w.parent_start, &r->w.parent_exec_id, &r->w.parent_tgid);
	fill_inode(&r->w.inode, inode);
	if (source == COPY_OF_PARENT) {
		fill_held(&r->w.held, r->w.parent_tgid, BPF_CORE_READ(task, real_parent));
	} else if (source == COPY_OF_CHILD) {
		gone = copy_child(tgid);
		if (gone) {
			put_held(&r->w.held, &gone->holder);
			r->w.parent_start = gone->holder.start;
			r->w.parent_exec_id = gone->holder.exec_id;
			r->w.parent_tgid = gone->tgid;
		}
	} else {
		fill_held(&r->w.held, tgid, task);
	}
	mark = mark_find(r->w.inode.ino, r->w.inode.dev);
	if (mark)
		r->w.object = mark->object;
	r->w.size = size;
	r->w.fs = BPF_CORE_READ(inode, i_sb, s_magic);
	r->w.owner = BPF_CORE_READ(inode, i_uid.val);
	r->w.how = how;
	bpf_ringbuf_submit(r, bulk_flags());
	return 0;
}
