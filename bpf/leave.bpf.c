// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Where what was read can go: whom a process talks to that has read a watched file, and who uses an
 * agent that has keys.
 *
 * Told once for each image, destination and what it holds by then, and judged only where an entry
 * of the policy has `on: send`: ssh reads a key and connects, that is what it is for. It is there
 * for whoever has to find out later where a key went. What it costs all others, who send and
 * connect a million times, is holder_test().
 */
#include "leave.h"
#include "access.h"
#include "identity.h"
#include "record.h"
#include "repeat.h"

enum {
	EXE_AT = 0,
	PATH_AT = EXE_AT + WIRE_EXE_MAX,
	CGROUP_AT = PATH_AT + WIRE_PATH_MAX,
	ARGS_AT = CGROUP_AT + WIRE_CGROUP_MAX,
	STRINGS = ARGS_AT + WIRE_ARGS_MAX,
};

struct net_record {
	struct wire_net n;
	char str[STRINGS + NAME_SLACK];
};

#define STR_OFF __builtin_offsetof(struct net_record, str)

/* Where to, as it tells destinations apart. */
struct destination {
	kt_u8 addr[16];
	kt_u32 family;
	kt_u32 port;
	kt_u32 peer_tgid;
	kt_u32 dev;
};

struct net_key {
	kt_u64 start, exec_id;
	kt_u64 other; /* what it holds, as far as it is named */
	kt_u32 tgid, nr_keys;
	struct destination to;
	kt_u32 held; /* HOLDER_* */
	kt_u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct net_key);
	__type(value, kt_u32);
} net_seen SEC(".maps");

/*
 * Whether somebody asks where this holder connects to. With the policy's `memory` it is evidence
 * of each; else it is told of those only whose file's entry has `on: send`, and nobody else pays
 * for that entry. Other file systems are evidence in any case.
 */
static __always_inline int is_asked(const struct holder *held, kt_u32 how)
{
	return cfg_memory || how == WIRE_NET_MOUNT ||
	       (how != WIRE_NET_UNIX && held->flags & HOLDER_SENDS);
}

/* The record, not yet submitted, if this destination is news; else 0. */
static __always_inline struct net_record *begin(const struct destination *to, kt_u32 how)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct net_key key = {};
	struct holder *held;
	struct net_record *r;
	kt_u32 i, one = 1;

	/* By a helper: what is known of the bytes ends there, and with it one way for each family.
	 */
	bpf_probe_read_kernel(&key.to, sizeof(key.to), to);
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	if (key.tgid == cfg_self_tgid)
		return 0;
	held = holder_find(key.tgid);
	if (!held || !is_asked(held, how))
		return 0;
	key.start = BPF_CORE_READ(task, group_leader, start_boottime);
	key.exec_id = BPF_CORE_READ(task, self_exec_id);
	key.other = held->other;
	key.held = held->flags;
	key.nr_keys = held->nr_keys < WIRE_KEYS_MAX ? held->nr_keys : WIRE_KEYS_MAX;
	if (bpf_map_lookup_elem(&net_seen, &key))
		return 0;
	/* The upper half is for first reads: see repeat.h. Where to is for the sender to choose. */
	r = pressure_is_high() ? 0 : bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 0;
	}
	bpf_map_update_elem(&net_seen, &key, &one, BPF_ANY);
	__builtin_memset(&r->n, 0, sizeof(r->n));
	fill_header(&r->n.h, WIRE_NET, sizeof(*r), RING_CRITICAL);
	r->n.h.flags = put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->n.exe, STR_OFF, task);
	r->n.h.flags |= put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->n.cgroup, STR_OFF, task);
	r->n.h.flags |= put_args(r->str, ARGS_AT, WIRE_ARGS_MAX, &r->n.args, STR_OFF, task);
	fill_subject(&r->n.subject, task);
	fill_parent(task, &r->n.parent_start, &r->n.parent_exec_id, &r->n.parent_tgid);
	for (i = 0; i < WIRE_KEYS_MAX; i++)
		r->n.key[i] = held->key[i];
	r->n.nr_keys = held->nr_keys;
	r->n.other = held->other;
	__builtin_memcpy(r->n.addr, key.to.addr, sizeof(key.to.addr));
	r->n.how = how;
	r->n.family = key.to.family;
	r->n.port = key.to.port;
	r->n.peer_tgid = key.to.peer_tgid;
	r->n.dev = key.to.dev;
	r->n.exe_nlink = BPF_CORE_READ(task, mm, exe_file, f_inode, i_nlink);
	r->n.exe_mode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_mode);
	r->n.exe_uid = BPF_CORE_READ(task, mm, exe_file, f_inode, i_uid.val);
	return r;
}

static __always_inline void tell(const struct destination *to, kt_u32 how)
{
	struct net_record *r = begin(to, how);

	if (r)
		bpf_ringbuf_submit(r, 0);
}

/* --- sockets -----------------------------------------------------------------------------------
 */

/* 127.0.0.0/8, and no address, which is this host as well. */
static __always_inline int is_local4(const kt_u8 *addr)
{
	return addr[0] == 127 || !(addr[0] | addr[1] | addr[2] | addr[3]);
}

/* Judged by nobody (judge-net.c), and so told as evidence only. */
static __always_inline int is_local(const struct destination *to)
{
	kt_u64 high, low;

	if (to->family == AF_INET)
		return is_local4(to->addr);
	if (to->family != AF_INET6)
		return 0;
	__builtin_memcpy(&high, to->addr, sizeof(high));
	__builtin_memcpy(&low, to->addr + 8, sizeof(low));
	if (high)
		return 0;
	if (!to->addr[8] && !to->addr[9] && to->addr[10] == 0xff && to->addr[11] == 0xff)
		return is_local4(to->addr + 12);
	return !low || low == 1ULL << 56; /* ::1, as a little-endian CPU reads it */
}

/* A name that is shorter is refused: sizeof(struct sockaddr_in), SIN6_LEN_RFC2133, sockaddr_vm. */
static __always_inline int is_whole(kt_u32 family, kt_u32 len)
{
	if (family == AF_INET || family == AF_VSOCK)
		return len >= 16;
	return family == AF_INET6 ? len >= 24 : len >= sizeof(kt_u16);
}

/* What the kernel takes a name of no family for, on a socket of `family`; 0 = for no name. */
static __always_inline kt_u32 unspecified(struct socket *sock, kt_u32 family)
{
	if (family == AF_INET)
		return AF_INET;
	return family == AF_INET6 && BPF_CORE_READ(sock, type) == SOCK_RAW ? AF_INET6 : 0;
}

/* From a struct sockaddr in the kernel's memory. Its family is in `to`. */
static __always_inline void named(struct destination *to, kt_u64 name)
{
	kt_u16 port = 0;

	if (to->family == AF_VSOCK) { /* struct sockaddr_vm */
		bpf_probe_read_kernel(&to->port, sizeof(to->port), (void *)(name + 4));
		bpf_probe_read_kernel(to->addr, 4, (void *)(name + 8));
		return;
	}
	bpf_probe_read_kernel(&port, sizeof(port), (void *)(name + 2));
	to->port = (kt_u16)(port >> 8 | port << 8);
	if (to->family == AF_INET)
		bpf_probe_read_kernel(to->addr, 4, (void *)(name + 4));
	else
		bpf_probe_read_kernel(to->addr, 16, (void *)(name + 8));
}

static __always_inline void connected(struct destination *to, struct sock *sk)
{
	kt_u16 port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	kt_u32 daddr;

	to->port = (kt_u16)(port >> 8 | port << 8);
	if (to->family == AF_INET) {
		daddr = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		__builtin_memcpy(to->addr, &daddr, sizeof(daddr));
	} else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) { /* CONFIG_IPV6 */
		bpf_probe_read_kernel(to->addr, sizeof(to->addr), &sk->__sk_common.skc_v6_daddr);
	}
}

static __always_inline kt_u32 peer_of(struct sock *sk)
{
	struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);

	return pid ? BPF_CORE_READ(pid, numbers[0].nr) : 0;
}

/*
 * The current process, perhaps a holder, talks over `sock`. `name`: a struct sockaddr of `len`
 * bytes, 0 = to whom it is connected. The name is the sender's word, and is taken as the kernel
 * takes it, or one could be told and another sent to. Not looked at: what a corked UDP socket holds
 * goes to whom its first part was for, and source routes. Global, so that it is verified once.
 */
__noinline int report_net(kt_u64 sock, kt_u64 name, kt_u32 len, kt_u32 how)
{
	struct sock *sk = BPF_CORE_READ((struct socket *)sock, sk);
	const kt_u16 own = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct destination to = {};
	kt_u16 family = own;

	if (own == AF_UNIX)
		name = 0;
	if (name) {
		family = 0;
		if (len >= sizeof(family))
			bpf_probe_read_kernel(&family, sizeof(family), (void *)name);
		if (!family && how == WIRE_NET_SEND) {
			family = unspecified((struct socket *)sock, own);
			if (!family) {
				family = own;
				name = 0;
			}
		}
		if (name && !is_whole(family, len))
			return 0;
	}
	to.family = family;
	if (family == AF_UNIX && how == WIRE_NET_SEND) {
		to.peer_tgid = peer_of(sk);
		if (holder_test(to.peer_tgid) && to.peer_tgid != bpf_get_current_pid_tgid() >> 32)
			tell(&to, WIRE_NET_UNIX);
		return 0;
	}
	if (family != AF_INET && family != AF_INET6 && family != AF_VSOCK)
		return 0;
	if (name)
		named(&to, name);
	else if (family != AF_VSOCK)
		connected(&to, sk);
	if (!cfg_memory && is_local(&to))
		return 0;
	tell(&to, how);
	return 0;
}

SEC("fentry/security_socket_connect")
int BPF_PROG(on_socket_connect, struct socket *sock, void *address, int len)
{
	if (holder_test(bpf_get_current_pid_tgid() >> 32))
		report_net(addr_of(sock), addr_of(address), len, WIRE_NET_CONNECT);
	return 0;
}

SEC("fentry/security_socket_sendmsg")
int BPF_PROG(on_socket_sendmsg, struct socket *sock, struct msghdr *msg)
{
	kt_u64 name;

	if (!holder_test(bpf_get_current_pid_tgid() >> 32))
		return 0;
	name = msg->msg_namelen ? (kt_u64)BPF_CORE_READ(msg, msg_name) : 0;
	/* A stream goes to whom it is connected, whatever name comes with it. But for SCTP: there a
	 * name connects (sctp_sendmsg_new_asoc()). */
	if (BPF_CORE_READ(sock, type) == SOCK_STREAM && !(msg->msg_flags & MSG_FASTOPEN) &&
	    BPF_CORE_READ(sock, sk, sk_protocol) != IPPROTO_SCTP)
		name = 0;
	report_net(addr_of(sock), name, msg->msg_namelen, WIRE_NET_SEND);
	return 0;
}

/*
 * A void * that is loaded directly is no plain number to the verifier from 6.17 on (memory of which
 * nothing is known), and a global function takes nothing else: it is read with a helper.
 */
static __always_inline kt_u64 socket_of(struct file *file)
{
	return (kt_u64)BPF_CORE_READ(file, private_data);
}

/* sendfile and splice to a socket: from 6.5 on they pass sendmsg too, but then this is first. */
SEC("fentry/splice_to_socket")
int BPF_PROG(on_splice_to_socket, void *pipe, struct file *out)
{
	if (holder_test(bpf_get_current_pid_tgid() >> 32))
		report_net(socket_of(out), 0, 0, WIRE_NET_SEND);
	return 0;
}

/*
 * Before 6.5 (2bfc66850952 "splice, net: Replace sendpage with sendmsg(MSG_SPLICE_PAGES), 2/2").
 * Not kernel_sendpage(), which 5.10 is built with a copy of in here; this is called by pointer
 * only.
 */
SEC("fentry/sock_sendpage")
int BPF_PROG(on_sock_sendpage, struct file *file)
{
	if (holder_test(bpf_get_current_pid_tgid() >> 32))
		report_net(socket_of(file), 0, 0, WIRE_NET_SEND);
	return 0;
}

/* --- Unix sockets ------------------------------------------------------------------------------
 */

/* The current process connects to `other`, which listens at `path`: is it an agent with keys? */
__noinline int report_connect(kt_u64 other_addr)
{
	struct unix_sock *other = (void *)other_addr;
	struct dentry *dentry = BPF_CORE_READ(other, path.dentry);
	struct inode *inode;
	struct mark *mark;
	kt_u32 slot;

	if (!dentry) /* of an abstract name, or none */
		return 0;
	inode = BPF_CORE_READ(dentry, d_inode);
	slot = filter_slot(BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev));
	if (!filter[slot & (FILTER_SIZE - 1)])
		return 0;
	mark = mark_find(BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev));
	if (!mark || !(mark->flags & MARK_SOCKET))
		return 0;
	return report_socket(mark->object, mark->gen, (kt_u64)dentry,
			     (kt_u64)BPF_CORE_READ(other, path.mnt));
}

SEC("fentry/security_unix_stream_connect")
int BPF_PROG(on_unix_connect, struct sock *sock, struct sock *other)
{
	struct destination to = {.family = AF_UNIX};

	report_connect(addr_of(other));
	if (!holder_test(bpf_get_current_pid_tgid() >> 32))
		return 0;
	to.peer_tgid = peer_of(other);
	if (holder_test(to.peer_tgid))
		tell(&to, WIRE_NET_UNIX);
	return 0;
}

/* --- files -------------------------------------------------------------------------------------
 */

/* A file system that others than this host read, or that can be carried away. */
static __always_inline int of_another_kind(struct super_block *sb)
{
	struct block_device *bdev;

	switch ((kt_u32)BPF_CORE_READ(sb, s_magic)) {
	case MAGIC_NFS:
	case MAGIC_SMB:
	case MAGIC_CIFS:
	case MAGIC_SMB2:
	case MAGIC_FUSE:
	case MAGIC_9P:
	case MAGIC_CEPH:
	case MAGIC_AFS:
		return 1;
	}
	bdev = BPF_CORE_READ(sb, s_bdev);
	return bdev && (BPF_CORE_READ(bdev, bd_disk, flags) & GENHD_FL_REMOVABLE);
}

__noinline int report_mount_write(kt_u64 file_addr)
{
	struct file *file = (void *)file_addr;
	struct super_block *sb = BPF_CORE_READ(file, f_inode, i_sb);
	struct destination to = {};
	struct net_record *r;

	if (!of_another_kind(sb))
		return 0;
	to.dev = BPF_CORE_READ(sb, s_dev);
	r = begin(&to, WIRE_NET_MOUNT);
	if (!r)
		return 0;
	r->n.fs_magic = BPF_CORE_READ(sb, s_magic);
	r->n.h.flags |=
		put_path(r->str, PATH_AT, WIRE_PATH_MAX, &r->n.path, STR_OFF,
			 BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	bpf_ringbuf_submit(r, 0);
	return 0;
}
