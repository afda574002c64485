// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * `cat key | base64 | curl`: whom a holder may hand a key.
 *
 * Nobody looks at what goes through a pipe: that would be a program on each read and write of
 * everybody. What is looked at is what a holder has open, when it comes by a key. The channels into
 * which it can write are remembered, and who has their other end may have the key, with evidence
 * `inferred`; so are the channels of that one, SHARE_HOPS times.
 *
 * - Who is there already is looked for in the holder's family: its children, its siblings, the
 *   parent. The members of a pipeline are siblings, in the order of their start, so one walk
 *   towards the younger ones finds all of them. A walk of all processes is nothing for a probe,
 *   and a daemon would come too late: `cat` and `base64` are gone by then.
 * - Who comes later is found when it is started with the channel (share_exec()), which is asked for
 *   SHARE_NS after a key was read, and always of what a holder starts; or handed it
 *   (share_receive()).
 *
 * A shell has both ends of each pipe for a moment, while it starts a pipeline, and reads neither.
 * A parent counts only if somebody waits for what comes out of the pipe: `x=$(cat key)`.
 *
 * A socket with a name is no channel: who listens there serves everybody (journald, D-Bus, an
 * agent), and connections to it are told by leave.bpf.c.
 *
 * Who may have a key is a holder with HOLDER_MAY and nothing else: its connections are told; its
 * dumps, its limits and who attaches to it raise nothing.
 */
#include "share.h"
#include "access.h"
#include "record.h"

#define SHARE_FDS    16 /* descriptors that are looked at: 0 to 15 */
#define SHARE_FAMILY 16 /* of the children, the younger and the older siblings, each */
#define SHARE_HOPS   4

enum look { LOOK_OUT, LOOK_IN, LOOK_IN_WAITED };

enum {
	EXE_AT = 0,
	CGROUP_AT = EXE_AT + WIRE_EXE_MAX,
	STRINGS = CGROUP_AT + WIRE_CGROUP_MAX,
};

struct share_record {
	struct wire_share s;
	char str[STRINGS + NAME_SLACK];
};

#define STR_OFF __builtin_offsetof(struct share_record, str)

struct share_key {
	kt_u64 ino;
	kt_u32 dev;
	kt_u32 how; /* enum wire_share_how */
};

/* Who can write into it. Of several the nearest to who has read the key, of those the latest. */
struct share_source {
	kt_u64 start, exec_id;
	kt_u32 tgid;
	kt_u32 hops; /* 0: it has read the key */
	kt_u32 nr_keys;
	kt_u32 pad;
};

/* LRU: to forget one is to miss a hop, and a number of an inode is not used again soon. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct share_key);
	__type(value, struct share_source);
} shares SEC(".maps");

/* What was told already. LRU: to forget one is to tell it once more. */
struct share_seen_key {
	kt_u64 from_start, from_exec_id, start, exec_id;
	kt_u32 from_tgid, tgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct share_seen_key);
	__type(value, kt_u32); /* keys that the first one had */
} shares_seen SEC(".maps");

static __always_inline int is_ours(struct task_struct *task)
{
	return BPF_CORE_READ(task, tgid) == cfg_self_tgid ||
	       BPF_CORE_READ(task, real_parent, tgid) == cfg_self_tgid;
}

/* Is it news that `task` may have what the process behind the channel has? */
__noinline int share_is_news(kt_u64 task_addr, kt_u64 source_addr)
{
	struct task_struct *task = (void *)task_addr;
	struct share_source *source = (void *)source_addr;
	struct share_seen_key seen = {};
	kt_u32 nr_keys = 0, *told;

	bpf_probe_read_kernel(&seen.from_start, sizeof(seen.from_start), &source->start);
	bpf_probe_read_kernel(&seen.from_exec_id, sizeof(seen.from_exec_id), &source->exec_id);
	bpf_probe_read_kernel(&seen.from_tgid, sizeof(seen.from_tgid), &source->tgid);
	bpf_probe_read_kernel(&nr_keys, sizeof(nr_keys), &source->nr_keys);
	BPF_CORE_READ_INTO(&seen.tgid, task, tgid);
	BPF_CORE_READ_INTO(&seen.start, task, group_leader, start_boottime);
	BPF_CORE_READ_INTO(&seen.exec_id, task, self_exec_id);
	told = bpf_map_lookup_elem(&shares_seen, &seen);
	if (told && *told == nr_keys)
		return 0;
	bpf_map_update_elem(&shares_seen, &seen, &nr_keys, BPF_ANY);
	return 1;
}

/* `task` has the other end of the channel. Returns 1 if that is news. */
__noinline int share_tell(kt_u64 task_addr, kt_u64 ino, kt_u32 dev, kt_u32 how)
{
	struct task_struct *task = (void *)task_addr;
	struct share_key key = {.ino = ino, .dev = dev, .how = how};
	struct share_source *source = bpf_map_lookup_elem(&shares, &key);
	struct share_record *r;

	if (!source || source->tgid == BPF_CORE_READ(task, tgid) || source->hops >= SHARE_HOPS ||
	    is_ours(task) || !share_is_news(task_addr, addr_of(source)))
		return 0;
	r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 1;
	}
	__builtin_memset(&r->s, 0, sizeof(r->s));
	fill_header(&r->s.h, WIRE_SHARE, sizeof(*r), RING_CRITICAL);
	r->s.h.flags |= put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->s.exe, STR_OFF, task);
	r->s.h.flags |= put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->s.cgroup, STR_OFF, task);
	fill_subject(&r->s.subject, task);
	fill_parent(task, &r->s.parent_start, &r->s.parent_exec_id, &r->s.parent_tgid);
	r->s.inode.ino = ino;
	r->s.inode.dev = dev;
	r->s.from_start = source->start;
	r->s.from_exec_id = source->exec_id;
	r->s.from_tgid = source->tgid;
	r->s.how = how;
	r->s.hops = source->hops + 1;
	if (BPF_CORE_READ(task, flags) & PF_FORKNOEXEC)
		r->s.flags = WIRE_SHARE_FORKED;
	bpf_ringbuf_submit(r, 0);
	return 1;
}

/* And so may have what is behind it. One that has read a key itself stays what it is. */
__noinline int share_make_holder(kt_u64 task_addr, kt_u64 ino, kt_u32 dev, kt_u32 how)
{
	struct task_struct *task = (void *)task_addr;
	struct share_key key = {.ino = ino, .dev = dev, .how = how};
	struct share_source *source = bpf_map_lookup_elem(&shares, &key);
	kt_u32 tgid = BPF_CORE_READ(task, tgid);
	struct holder *old = holder_find(tgid), holder = {};

	if (!source)
		return 0;
	holder.start = BPF_CORE_READ(task, group_leader, start_boottime);
	holder.exec_id = BPF_CORE_READ(task, self_exec_id);
	if (old && old->start == holder.start && old->exec_id == holder.exec_id)
		holder = *old;
	if (!(holder.flags & HOLDER_MAY) || holder.hops > source->hops + 1)
		holder.hops = source->hops + 1;
	if (holder.keys_there < source->nr_keys)
		holder.keys_there = source->nr_keys;
	holder.flags |= HOLDER_MAY;
	holder_put(tgid, &holder);
	return 1;
}

/* The process of `task` can write into the channel. Returns 1 if it has something to write. */
__noinline int share_remember(kt_u64 task_addr, kt_u64 ino, kt_u32 dev, kt_u32 how)
{
	struct task_struct *task = (void *)task_addr;
	struct share_key key = {.ino = ino, .dev = dev, .how = how};
	kt_u32 tgid = BPF_CORE_READ(task, tgid);
	struct holder *holder = holder_find(tgid);
	struct share_source source = {.tgid = tgid}, *known;

	if (!holder || !(holder->flags & (HOLDER_KEY | HOLDER_MAY)))
		return 0;
	source.start = holder->start;
	source.exec_id = holder->exec_id;
	if (holder->flags & HOLDER_MAY)
		source.nr_keys = holder->keys_there;
	if (holder->flags & HOLDER_KEY)
		source.nr_keys += holder->nr_keys;
	else
		source.hops = holder->hops;
	if (source.hops >= SHARE_HOPS)
		return 0;
	/* Who was forked with the other end open has this one, too: it is the nearer one that hands
	 * a key on. */
	known = bpf_map_lookup_elem(&shares, &key);
	if (!known || known->hops >= source.hops)
		bpf_map_update_elem(&shares, &key, &source, BPF_ANY);
	share_until = bpf_ktime_get_boot_ns() + SHARE_NS;
	return 1;
}

/* The inode of the other one of a pair of Unix sockets that have no name; 0: it is no such pair. */
static __always_inline struct inode *other_of_pair(struct file *file)
{
	struct socket *socket = (void *)BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk), *peer;

	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX ||
	    BPF_CORE_READ((struct unix_sock *)sk, addr))
		return 0;
	peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	if (!peer || BPF_CORE_READ((struct unix_sock *)peer, addr))
		return 0;
	return BPF_CORE_READ(peer, sk_socket, file, f_inode);
}

/* Somebody sleeps until there is something to read from the pipe. */
static __always_inline int is_waited_for(struct inode *inode)
{
	struct pipe_inode_info *pipe = BPF_CORE_READ(inode, i_pipe);
	struct list_head *head =
		(void *)pipe + bpf_core_field_offset(struct pipe_inode_info, rd_wait.head);
	struct list_head *first = BPF_CORE_READ(head, next);

	return pipe && first && first != head;
}

/* One open file of a process. Returns 1 if it is a channel that is told, or is remembered. */
__noinline int share_file(kt_u64 task_addr, kt_u64 file_addr, kt_u32 look)
{
	struct file *file = (void *)file_addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	kt_u32 mode = BPF_CORE_READ(file, f_mode), how;

	switch (BPF_CORE_READ(inode, i_mode) & S_IFMT) {
	case S_IFIFO:
		how = WIRE_SHARE_PIPE;
		if (look == LOOK_IN_WAITED && !is_waited_for(inode))
			return 0;
		break;
	case S_IFSOCK:
		how = WIRE_SHARE_SOCKET;
		if (look == LOOK_OUT)
			inode = other_of_pair(file);
		break;
	case S_IFREG:
		how = WIRE_SHARE_MEMORY;
		if (BPF_CORE_READ(inode, i_sb, s_magic) != MAGIC_TMPFS)
			return 0;
		break;
	default:
		return 0;
	}
	if (!inode || !(mode & (look == LOOK_OUT ? FMODE_WRITE : FMODE_READ)))
		return 0;
	if (look == LOOK_OUT)
		return share_remember(task_addr, BPF_CORE_READ(inode, i_ino),
				      BPF_CORE_READ(inode, i_sb, s_dev), how);
	if (!share_tell(task_addr, BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev),
			how))
		return 0;
	return share_make_holder(task_addr, BPF_CORE_READ(inode, i_ino),
				 BPF_CORE_READ(inode, i_sb, s_dev), how);
}

/* The first descriptors of a process: any table has room for them. Returns how many were it. */
__noinline int share_look(kt_u64 task_addr, kt_u32 look)
{
	struct task_struct *task = (void *)task_addr;
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **fds = BPF_CORE_READ(fdt, fd), *file;
	kt_u32 i, found = 0;

	if (!fds)
		return 0;
	for (i = 0; i < SHARE_FDS; i++) {
		file = 0;
		bpf_probe_read_kernel(&file, sizeof(file), &fds[i]);
		if (file && share_file(task_addr, (kt_u64)file, look))
			found++;
	}
	return found;
}

/* Some of the tasks of a list, from `at` on towards `head`. */
__noinline int share_walk(kt_u64 at_addr, kt_u64 head_addr, kt_u32 back)
{
	struct list_head *at = (void *)at_addr, *head = (void *)head_addr;
	kt_u64 task;
	kt_u32 i;

	for (i = 0; i < SHARE_FAMILY; i++) {
		if (!at || at == head)
			break;
		task = (kt_u64)at - bpf_core_field_offset(struct task_struct, sibling);
		/* What it may have it may hand on. */
		if (share_look(task, LOOK_IN))
			share_look(task, LOOK_OUT);
		at = back ? BPF_CORE_READ(at, prev) : BPF_CORE_READ(at, next);
	}
	return i;
}

__noinline int share_follow(kt_u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);
	kt_u64 head;

	if (!share_look(task_addr, LOOK_OUT))
		return 0;
	head = (kt_u64)task + bpf_core_field_offset(struct task_struct, children);
	share_walk((kt_u64)BPF_CORE_READ(task, children.next), head, 0);
	head = (kt_u64)parent + bpf_core_field_offset(struct task_struct, children);
	share_walk((kt_u64)BPF_CORE_READ(leader, sibling.next), head, 0);
	share_walk((kt_u64)BPF_CORE_READ(leader, sibling.prev), head, 1);
	if (share_look((kt_u64)parent, LOOK_IN_WAITED))
		share_look((kt_u64)parent, LOOK_OUT);
	return 0;
}

__noinline int share_exec(kt_u32 was)
{
	kt_u64 task = bpf_get_current_task();

	if (!was && bpf_ktime_get_boot_ns() >= share_until)
		return 0;
	/* It was forked by one that has the key in memory, and may have opened the pipe since. */
	if (was)
		share_look((kt_u64)BPF_CORE_READ((struct task_struct *)task, real_parent),
			   LOOK_OUT);
	return share_look(task, LOOK_IN) ? share_follow(task) : 0;
}

__noinline int share_receive(kt_u64 file)
{
	kt_u64 task = bpf_get_current_task();

	return share_file(task, file, LOOK_IN) ? share_follow(task) : 0;
}
