/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's types, reduced to the fields in use. Offsets are not these: preserve_access_index
 * makes libbpf fill in the running kernel's at load (CO-RE), so a field that a kernel does not have
 * is found out there, and is asked for with bpf_core_field_exists() where that can happen.
 */
#pragma once

#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

struct qstr {
	unsigned int hash; /* of the directory and the name */
	unsigned int len;
	const unsigned char *name;
};

struct gendisk {
	int flags;
};

struct block_device {
	struct gendisk *bd_disk;
};

struct user_namespace;

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
	struct block_device *s_bdev;
	struct user_namespace *s_user_ns; /* in which it was mounted */
};

/* struct pt_regs of x86-64, which is also in a header that this one is above. */
struct pt_regs___kt {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

struct list_head {
	struct list_head *next;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	void *i_acl; /* CONFIG_FS_POSIX_ACL */
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	unsigned int i_rdev;
	unsigned int i_generation;
	long long i_size;
	struct hlist_head i_dentry;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct list_head d_child;
	struct list_head d_subdirs;
	struct hlist_bl_node d_hash;
	struct {
		struct hlist_node d_alias;
	} d_u;
};

/* By 7.3 the union has no name. */
struct dentry___v7 {
	struct hlist_node d_alias;
};

/* 6.8 (da549bdd15c2 "dentry: switch the lists of children to hlist") */
struct dentry___v6_8 {
	struct hlist_node d_sib;
	struct hlist_head d_children;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	void *private_data;
};

/* 6.8 (def3ae83da02 "fs: store real path instead of fake path in backing file f_path"); before, the
 * upper path is f_path. */
struct backing_file {
	struct file file;
	struct path user_path;
};

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct filename {
	const char *name; /* as the caller wrote it, in the kernel's memory */
};

struct open_flags {
	int open_flag;
};

struct fs_struct {
	struct path root, pwd;
};

struct task_struct;

struct mm_struct {
	struct task_struct *owner;
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
	unsigned long flags;
};

/* 6.18 made a bitmap of the flags. */
struct mm_struct___v6_18 {
	struct {
		unsigned long __mm_flags[1];
	} flags;
};

struct uid_gid_extent {
	unsigned int first; /* in the namespace */
	unsigned int lower_first; /* uid of the host */
	unsigned int count;
};

/* Up to so many stand in the map itself, more behind `forward`. */
#define UIDS_IN_MAP 5

struct uid_gid_map {
	unsigned int nr_extents;
	struct uid_gid_extent extent[UIDS_IN_MAP];
	struct uid_gid_extent *forward;
};

struct user_namespace {
	struct user_namespace *parent;
	struct uid_gid_map uid_map;
	int level; /* 0: the host's */
	kuid_t owner;
};

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	struct user_namespace *user_ns;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct pid_namespace *pid_ns_for_children;
};

struct rlimit {
	unsigned long rlim_cur;
};

struct signal_struct {
	atomic_t live;
	struct rlimit rlim[16];
	struct pid *pids[4]; /* by enum pid_type */
};

struct kernfs_node {
	struct kernfs_node *parent;
	const char *name;
	unsigned long long id;
};

/* 6.15 (633488947ef6 "kernfs: Use RCU to access kernfs_node::parent") renamed the field. */
struct kernfs_node___v6_15 {
	struct kernfs_node *__parent;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	struct mm_struct *mm;
	int pid;
	int tgid;
	int exit_code;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	unsigned long long start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct files_struct *files;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	kuid_t loginuid;
	unsigned int sessionid;
	unsigned long long parent_exec_id, self_exec_id;
	struct css_set *cgroups;
	unsigned int flags;
	unsigned int ptrace;
	struct task_struct *parent; /* the tracer, if there is one */
	void *stack;
};

struct upid {
	int nr;
};

struct pid {
	struct upid numbers[1];
};

struct in6_addr_bytes { /* struct in6_addr; a struct, or CO-RE takes it for another field */
	unsigned char bytes[16];
};

struct sock_common {
	unsigned short skc_family;
	unsigned int skc_daddr;
	unsigned short skc_dport; /* network order */
	struct in6_addr_bytes skc_v6_daddr; /* CONFIG_IPV6 */
};

struct sock {
	struct sock_common __sk_common;
	unsigned short sk_protocol; /* 16 bits from 5.6 on */
	struct pid *sk_peer_pid;
};

struct unix_sock {
	struct path path;
};

struct socket {
	short type;
	struct sock *sk;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	unsigned int msg_flags;
};

struct io_ring_ctx {
	struct mm_struct *mm_account;
};

enum task_dumpable {
	TASK_DUMPABLE_OFF,
};

/* By 7.3 whether a task may be dumped stands in a struct of its own, not in the mm's flags. */
struct task_exec_state {
	enum task_dumpable dumpable;
};

struct task_struct___v7 {
	struct task_exec_state *exec_state;
};

struct kernel_siginfo {
	int si_signo;
};

struct subprocess_info {
	const char *path;
};

struct ctl_table {
	void *data;
};

struct linux_binprm {
	struct file *file;
	const char *filename; /* as exec was told it */
	const char *interp; /* of what is run in its stead, if not that */
	char buf[256]; /* the file's first bytes */
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	unsigned int fd;
	struct file *file;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

#pragma clang attribute pop

/* include/linux/fs.h, include/uapi/linux/stat.h, include/linux/sched.h */
#define FMODE_READ	  0x1
#define FMODE_WRITE	  0x2
#define FMODE_EXEC	  0x20
#define FMODE_CREATED	  0x100000
#define FMODE_BACKING	  0x2000000
#define O_CREAT		  00000100
#define O_EXCL		  00000200
#define O_TRUNC		  00001000
#define O_NOFOLLOW	  00400000
#define O_TMPFILE_BIT	  020000000 /* __O_TMPFILE */
#define S_IFMT		  00170000
#define S_IFIFO		  0010000
#define S_IFREG		  0100000
#define S_IFDIR		  0040000
#define S_IFLNK		  0120000
#define S_IFSOCK	  0140000
#define S_IFBLK		  0060000
#define S_IWGRP		  00020
#define S_IWOTH		  00002
#define PROT_READ	  0x1
#define PROT_WRITE	  0x2
#define PROT_EXEC	  0x4
#define VM_WRITE	  0x2
#define VM_EXEC		  0x4
#define MAY_READ	  0x4
#define PIDTYPE_PGID	  2 /* include/linux/pid_types.h */
#define PF_EXITING	  0x00000004
#define PF_DUMPCORE	  0x00000200
#define PF_KTHREAD	  0x00200000
#define MMF_DUMPABLE_MASK 3 /* include/linux/sched/coredump.h */
#define RLIMIT_CORE	  4
#define PR_SET_DUMPABLE	  4
#define PR_SET_MM	  35
#define PR_SET_MM_EXE	  13 /* PR_SET_MM_EXE_FILE */
#define PR_SET_MM_MAP	  14

/* include/linux/ptrace.h, include/uapi/linux/major.h, drivers/char/mem.c */
#define PTRACE_MODE_ATTACH    0x02
#define PTRACE_MODE_REALCREDS 0x10
#define DEV_MINOR_MASK	      0xfffff
#define DEV_MEM_MINOR	      1
/* arch/x86/include/asm/page_64_types.h without KASAN; arch/x86/entry/syscalls/syscall_64.tbl */
#define KERNEL_STACK_SIZE    16384
#define NR_PROCESS_VM_READV  310
#define NR_PROCESS_VM_WRITEV 311
#define NR_PIDFD_GETFD	     438
#define NR_OPEN		     2
#define NR_EXECVE	     59
#define NR_CREAT	     85
#define NR_OPENAT	     257
#define NR_EXECVEAT	     322
#define NR_IO_URING_ENTER    426
#define NR_OPENAT2	     437

/* include/linux/socket.h, include/linux/net.h, include/linux/blkdev.h (gendisk.flags),
 * include/uapi/linux/magic.h */
#define AF_UNIX		   1
#define AF_INET		   2
#define AF_INET6	   10
#define AF_VSOCK	   40
#define SOCK_STREAM	   1
#define IPPROTO_SCTP	   132
#define SOCK_RAW	   3
#define MSG_FASTOPEN	   0x20000000
#define GENHD_FL_REMOVABLE 0x1
#define MAGIC_NFS	   0x6969
#define MAGIC_SMB	   0x517b
#define MAGIC_CIFS	   0xff534d42
#define MAGIC_SMB2	   0xfe534d42
#define MNT_NOSUID	   0x01 /* include/linux/mount.h */
#define MAGIC_FUSE	   0x65735546
#define MAGIC_BTRFS	   0x9123683e
#define MAGIC_9P	   0x01021997
#define MAGIC_CEPH	   0x00c36400
#define MAGIC_AFS	   0x5346414f
