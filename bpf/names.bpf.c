// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Names of watched things: what appears under a watched name is marked here and now.
 *
 * Which hook knows that a name has come to mean an inode? Not the security_inode_* family: those
 * run before the operation, see no inode yet, and do not learn whether it succeeded.
 * security_d_instantiate runs when a dentry gets its inode, after the file system has succeeded and
 * before anybody can look the name up: for create, mkdir, mknod, symlink, link, O_TMPFILE + linkat,
 * and for the first look-up of what was there before. d_move and d_exchange do the same for rename.
 * So no mark is provisional.
 */
#include "access.h"
#include "holders.h"
#include "identity.h"
#include "record.h"
#include "repeat.h"

struct mark_record {
	struct wire_mark m;
	char name[WATCH_NAME_MAX + 1];
};

/*
 * `dentry`, if not 0, has the name that is told; user space knows the directory by parent_object.
 * Not the path: a user can have many of these written.
 */
static __always_inline void report_mark(kt_u32 op, struct inode *inode, const struct mark *mark,
					kt_u64 parent_object, struct dentry *dentry)
{
	struct mark_record *r;
	kt_u32 len;

	r = pressure_is_high() ? 0 : bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);

	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return;
	}
	__builtin_memset(&r->m, 0, sizeof(r->m));
	fill_header(&r->m.h, WIRE_MARK, sizeof(*r), RING_CRITICAL);
	fill_inode(&r->m.inode, inode);
	r->m.object = mark->object;
	r->m.parent_object = parent_object;
	r->m.state = mark->state;
	r->m.watch = mark->watch;
	r->m.op = op;
	r->m.mode = BPF_CORE_READ(inode, i_mode);
	r->m.uid = BPF_CORE_READ(inode, i_uid.val);
	r->m.tgid = bpf_get_current_pid_tgid() >> 32;
	if (dentry) {
		len = BPF_CORE_READ(dentry, d_name.len) & WATCH_NAME_MAX;
		if (bpf_probe_read_kernel(r->name, len, BPF_CORE_READ(dentry, d_name.name)))
			count_drop(WIRE_DROP_READ);
		r->m.path.off = __builtin_offsetof(struct mark_record, name);
		r->m.path.len = len;
	}
	bpf_ringbuf_submit(r, 0);
}

/*
 * Whether the kernel's bytes at `addr` begin with an affix. What follows the name in memory is read
 * too and masked away. On the stack, not in memory per CPU: programs that preempt each other would
 * share that. Words and masks, not bytes and branches: the verifier would follow a path for each.
 */
static __always_inline int affix_matches(kt_u64 addr, const char *affix, const kt_u64 *mask)
{
	const kt_u64 *want = (const kt_u64 *)affix;
	kt_u64 have[WATCH_AFFIX_WORDS] = {};

	if (bpf_probe_read_kernel(have, sizeof(have), (void *)addr)) {
		count_drop(WIRE_DROP_READ);
		return 1; /* at the worst it is marked for nothing, and user space takes that back
			   */
	}
	return !(((have[0] & mask[0]) ^ want[0]) | ((have[1] & mask[1]) ^ want[1]) |
		 ((have[2] & mask[2]) ^ want[2]) | ((have[3] & mask[3]) ^ want[3]));
}

/* watch_name_hash() of the user side, over kernel memory, eight bytes at a time. */
static __always_inline kt_u64 name_hash(kt_u64 name_addr, kt_u32 len)
{
	kt_u64 hash = WATCH_HASH_BASIS;
	kt_u32 i, j;

	for (i = 0; i < WATCH_NAME_MAX; i += 8) {
		kt_u64 chunk = 0;

		if (i >= len)
			break;
		bpf_probe_read_kernel(&chunk, sizeof(chunk), (void *)(name_addr + i));
		for (j = 0; j < 8; j++) {
			if (i + j >= len)
				break;
			hash = (hash ^ (kt_u8)chunk) * WATCH_HASH_PRIME;
			chunk >>= 8;
		}
	}
	return hash;
}

/* bpf/watch.h says how a name is looked up. A global function: verified once for all its callers.
 */
__noinline kt_u64 watch_lookup(kt_u32 state, kt_u64 name_addr, kt_u32 name_len)
{
	struct watch_literal_key key = {.state = state};
	struct watch_target *literal;
	struct watch_state *globs;
	kt_u32 i;

	name_len &= WATCH_NAME_MAX;
	key.name_hash = name_hash(name_addr, name_len);
	literal = bpf_map_lookup_elem(&watch_literals, &key);
	if (literal)
		return (kt_u64)literal->state << 32 | literal->watch;

	globs = bpf_map_lookup_elem(&watch_states, &state);
	if (!globs)
		return 0;
	for (i = 0; i < WATCH_GLOBS_MAX; i++) {
		struct watch_glob *g = &globs->globs[i];

		if (i >= globs->nr_globs)
			break;
		if ((kt_u32)g->prefix_len + g->suffix_len <= name_len &&
		    affix_matches(name_addr, g->prefix, g->prefix_mask) &&
		    affix_matches(name_addr + name_len - g->suffix_len, g->suffix, g->suffix_mask))
			return (kt_u64)g->to.state << 32 | g->to.watch;
	}
	return 0;
}

/* The daemon's walk and those of its children look names up, too, and disturb nobody by that. */
static __always_inline int is_ours_now(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return bpf_get_current_pid_tgid() >> 32 == cfg_self_tgid ||
	       BPF_CORE_READ(task, real_parent, tgid) == cfg_self_tgid;
}

/*
 * `inode` is about to be known as `name` (`dentry`'s, or for a rename the target dentry's) in the
 * directory `dir`. Marks it if the name is a watched one and it is not marked already. Pointers as
 * numbers: see access.h. Returns 1 if dir's mark leads anywhere from this name.
 */
__noinline int name_appears(kt_u64 dir_addr, kt_u64 inode_addr, kt_u64 dentry_addr, kt_u64 moved)
{
	struct dentry *dentry = (void *)dentry_addr;
	struct inode *inode = (void *)inode_addr;
	struct inode *dir = (void *)dir_addr;
	struct mark_key key = {};
	struct mark mark = {}, *parent, *old;
	kt_u64 parent_object, target;
	kt_u32 type, op = WIRE_MARK_ADDED;
	long err;

	parent = mark_find(BPF_CORE_READ(dir, i_ino), BPF_CORE_READ(dir, i_sb, s_dev));
	if (!parent || !parent->state)
		return 0;
	parent_object = parent->object;
	target = watch_lookup(parent->state, (kt_u64)BPF_CORE_READ(dentry, d_name.name),
			      BPF_CORE_READ(dentry, d_name.len));
	if (!target)
		return 0;

	if (moved)
		__sync_fetch_and_add(&names_moved, 1);
	type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	mark.state = type == S_IFDIR ? target >> 32 : 0;
	if (type == (target & WATCH_SOCKET ? S_IFSOCK : S_IFREG))
		mark.watch = (kt_u32)target & WATCH_NR_MASK;
	if (type == S_IFLNK) {
		if (!moved && !is_ours_now())
			__sync_fetch_and_add(&names_moved, 1);
		report_mark(WIRE_MARK_SYMLINK, inode, &mark, parent_object, dentry);
		return 1;
	}
	if (!mark.state && !mark.watch)
		return 1;

	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	mark.gen = BPF_CORE_READ(inode, i_generation);
	mark.flags = mark.state ? MARK_DIR : type == S_IFSOCK ? MARK_SOCKET : MARK_FILE;
	if (mark.watch && (target & WATCH_KEY))
		mark.flags |= MARK_KEY;
	if (mark.watch && (target & WATCH_SEND))
		mark.flags |= MARK_SEND;
	if (mark.watch && !(target & WATCH_SOCKET))
		mark.flags |= mark_group((kt_u32)target >> WATCH_GROUP_SHIFT);
	old = mark_find(key.ino, key.dev);
	if (old && old->gen == mark.gen) {
		/* A link and an unlink are a rename, too; of files: directories have no links. */
		if (!moved && mark.watch && BPF_CORE_READ(inode, i_nlink) > 1 && !is_ours_now())
			__sync_fetch_and_add(&names_moved, 1);
		/* First look-up after its dentry was forgotten: nothing is new. */
		if (!moved && old->state == mark.state && old->watch == mark.watch &&
		    !(old->flags & MARK_NAMELESS))
			return 1;
		old->flags &= ~MARK_NAMELESS;
		mark.object = old->object;
		op = moved ? WIRE_MARK_MOVED : WIRE_MARK_LINKED;
		/*
		 * A file stays what it was first marked as: by another name it must not come under
		 * a rule that its reader likes better. User space, which knows the rules' order,
		 * decides.
		 */
		if (mark.watch) {
			report_mark(op, inode, &mark, parent_object, dentry);
			return 1;
		}
	} else {
		mark.object = object_number();
		if (moved)
			op = mark.state ? WIRE_MARK_MOVED_TREE : WIRE_MARK_MOVED;
	}
	/* An agent comes by its keys over this socket: who binds it is taken to hold some. */
	if (mark.flags & MARK_SOCKET)
		holder_add((void *)bpf_get_current_task(), mark.object, MARK_KEY | mark.flags);
	/* Told even if the mark could not be put: user space then tries by opening. Not what is
	 * beyond its owner's quota: it could only be refused again. */
	err = mark_put(&key, &mark, inode_addr);
	if (err == MARK_OVER_QUOTA)
		return 1;
	if (err)
		op = WIRE_MARK_REFUSED;
	report_mark(op, inode, &mark, parent_object, dentry);
	return 1;
}

/*
 * A file of O_TMPFILE has no name and no link, but a dentry called #NUMBER (d_tmpfile(), d_mark_
 * tmpfile()). Taken for a name, it would be what the file is known by when it is linked to its own.
 */
static __always_inline int has_no_name(struct dentry *dentry)
{
	char first = 0;

	bpf_probe_read_kernel(&first, sizeof(first), BPF_CORE_READ(dentry, d_name.name));
	return first == '#';
}

SEC("fentry/security_d_instantiate")
int BPF_PROG(on_d_instantiate, struct dentry *dentry, struct inode *inode)
{
	struct dentry *parent = dentry->d_parent;
	struct inode *dir;

	if (!inode)
		return 0;
	dir = parent->d_inode;
	if (!dir || !filter_test(dir))
		return 0;
	if (!inode->i_nlink && has_no_name(dentry))
		return 0;
	name_appears(addr_of(dir), addr_of(inode), addr_of(dentry), 0);
	return 0;
}

/*
 * A directory that comes with all that is in it. What of it no process has looked up yet gets its
 * marks at its first look-up, by on_d_instantiate. What the kernel has in its cache is not looked
 * up again: it hangs from the directory's dentry, and is gone through here, within the rename. So
 * nothing in the tree can be opened unmarked, without an open having to know about renames. Only
 * directories in which a watched name may be are entered. A tree with more than TREE_STEPS names
 * under such directories is counted; the rest is marked a moment later by the daemon's walk.
 *
 * No lock is taken on what is below (the rename holds those of the two parents): a name that comes
 * or goes meanwhile is told by its own hook, and the directory above it is marked by then.
 */
#define TREE_STEPS  (TREE_STRIDE * 32)
#define TREE_STRIDE 32 /* steps of one loop: see FD_SCAN_STEPS in process.bpf.c */
#define TREE_INTO   1 /* in a cursor, which is the address of a dentry: what is in it comes next */

__noinline kt_u64 tree_child(kt_u64 dir_addr)
{
	struct dentry *dir = (void *)dir_addr;
	struct dentry___v6_8 *dir_new = (void *)dir;
	void *node;

	if (bpf_core_field_exists(dir_new->d_children)) {
		node = BPF_CORE_READ(dir_new, d_children.first);
		return node ? (kt_u64)node - bpf_core_field_offset(struct dentry___v6_8, d_sib) : 0;
	}
	node = BPF_CORE_READ(dir, d_subdirs.next);
	if (!node || (kt_u64)node == dir_addr + bpf_core_field_offset(struct dentry, d_subdirs))
		return 0;
	return (kt_u64)node - bpf_core_field_offset(struct dentry, d_child);
}

__noinline kt_u64 tree_sibling(kt_u64 dentry_addr)
{
	struct dentry *dentry = (void *)dentry_addr;
	struct dentry___v6_8 *dentry_new = (void *)dentry;
	void *node, *end;

	if (bpf_core_field_exists(dentry_new->d_sib)) {
		node = BPF_CORE_READ(dentry_new, d_sib.next);
		return node ? (kt_u64)node - bpf_core_field_offset(struct dentry___v6_8, d_sib) : 0;
	}
	node = BPF_CORE_READ(dentry, d_child.next);
	end = (void *)BPF_CORE_READ(dentry, d_parent) +
	      bpf_core_field_offset(struct dentry, d_subdirs);
	if (!node || node == end)
		return 0;
	return (kt_u64)node - bpf_core_field_offset(struct dentry, d_child);
}

/* Marks it if its name is a watched one. Returns 1 if what is in it may have watched names. */
__noinline int tree_visit(kt_u64 dentry_addr)
{
	struct dentry *dentry = (void *)dentry_addr;
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct mark *mark;

	if (!inode)
		return 0;
	if (!name_appears((kt_u64)BPF_CORE_READ(dentry, d_parent, d_inode), (kt_u64)inode,
			  dentry_addr, 0))
		return 0;
	mark = mark_find(BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev));
	return mark && mark->state;
}

/* Some steps of the way through the tree. Returns the cursor, 0 at the end. */
__noinline kt_u64 tree_walk(kt_u64 root, kt_u64 cursor)
{
	kt_u64 at = cursor & ~(kt_u64)TREE_INTO, next;
	int i, into = cursor & TREE_INTO;

	for (i = 0; i < TREE_STRIDE; i++) {
		next = into ? tree_child(at) : 0;
		if (!next && at == root)
			return 0;
		if (!next)
			next = tree_sibling(at);
		if (next) {
			at = next;
			into = tree_visit(at);
		} else {
			at = (kt_u64)BPF_CORE_READ((struct dentry *)at, d_parent);
			into = 0;
		}
	}
	return at | (into ? TREE_INTO : 0);
}

__noinline int mark_tree(kt_u64 root)
{
	kt_u64 cursor = root | TREE_INTO;
	int i;

	for (i = 0; i < TREE_STEPS / TREE_STRIDE; i++) {
		cursor = tree_walk(root, cursor);
		if (!cursor)
			return 0;
	}
	count_drop(WIRE_DROP_TREE);
	return 1;
}

/* What NFS does instead of removing a file that is open: `.nfs` and a number (nfs_sillyrename()).
 */
static __always_inline int is_silly(struct inode *inode, struct dentry *target)
{
	kt_u32 begin = 0;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != MAGIC_NFS)
		return 0;
	bpf_probe_read_kernel(&begin, sizeof(begin), (void *)BPF_CORE_READ(target, d_name.name));
	return begin == ('.' | 'n' << 8 | 'f' << 16 | 's' << 24);
}

/* `dentry` takes the name and place of `target`. */
static __always_inline void moves(struct dentry *dentry, struct dentry *target)
{
	struct inode *inode = dentry->d_inode;
	struct inode *dir = target->d_parent->d_inode;
	struct mark *mark;

	if (!inode || !dir)
		return;
	/* First, while it is still known by the name that it had. */
	mark = mark_of(inode);
	if (mark && tell_names && !is_silly(inode, target))
		report_name(addr_of(dentry), addr_of(target), WIRE_HOW_RENAME);
	if (filter_test(dir) && name_appears(addr_of(dir), addr_of(inode), addr_of(target), 1)) {
		if ((inode->i_mode & S_IFMT) == S_IFDIR)
			mark_tree(addr_of(dentry));
		return;
	}
	mark = mark_of(inode);
	if (!mark)
		return;
	__sync_fetch_and_add(&names_moved, 1);
	report_mark(WIRE_MARK_MOVED_OUT, inode, mark, 0, target);
}

SEC("fentry/d_move")
int BPF_PROG(on_d_move, struct dentry *dentry, struct dentry *target)
{
	moves(dentry, target);
	return 0;
}

SEC("fentry/d_exchange")
int BPF_PROG(on_d_exchange, struct dentry *dentry1, struct dentry *dentry2)
{
	moves(dentry1, dentry2);
	moves(dentry2, dentry1);
	return 0;
}

/*
 * A link is told when it is made, and of what was watched before: at the end of vfs_link() a file
 * that has got a watched name by it is marked as well. So its beginning is noted, of marked files
 * only, and what it came to is asked of its end. Under the new dentry, since overlayfs makes a link
 * within a link.
 */
struct link_key {
	kt_u64 task, dentry;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct link_key);
	__type(value, kt_u32);
} linking SEC(".maps");

SEC("fentry/security_inode_link")
int BPF_PROG(on_inode_link, struct dentry *old, struct inode *dir, struct dentry *new)
{
	struct link_key key = {bpf_get_current_pid_tgid(), addr_of(new)};
	kt_u32 one = 1;

	if (tell_names && old->d_inode && mark_of(old->d_inode))
		bpf_map_update_elem(&linking, &key, &one, BPF_ANY);
	return 0;
}

static __always_inline void linked(struct dentry *old, struct dentry *new, int err)
{
	struct link_key key = {bpf_get_current_pid_tgid(), addr_of(new)};

	/* Most links are of files whose filter byte is not set. */
	if (!tell_names || !old->d_inode || !filter_test(old->d_inode))
		return;
	if (!bpf_map_delete_elem(&linking, &key) && !err)
		report_name(addr_of(old), addr_of(new), WIRE_HOW_LINK);
}

SEC("fexit/vfs_link")
int BPF_PROG(on_link_end, struct dentry *old, void *idmap, struct inode *dir, struct dentry *new,
	     void *delegated, int err)
{
	linked(old, new, err);
	return 0;
}

/* Before 5.12 (6521f8917082 "namei: prepare for idmapped mounts"). */
SEC("fexit/vfs_link")
int BPF_PROG(on_link_end_old, struct dentry *old, struct inode *dir, struct dentry *new,
	     void *delegated, int err)
{
	linked(old, new, err);
	return 0;
}

/*
 * An inode leaves memory. Mostly it is only evicted and will come back under the same number: the
 * mark stays. With no link left its number is free for a stranger: the mark goes.
 */
SEC("fentry/security_inode_free")
int BPF_PROG(on_inode_free, struct inode *inode)
{
	struct mark_key key = {};
	struct mark *mark, copy;

	if (!filter_test(inode) || inode->i_nlink)
		return 0;
	key.ino = inode->i_ino;
	key.dev = inode->i_sb->s_dev;
	mark = bpf_map_lookup_elem(&marks, &key);
	if (!mark)
		return 0;
	copy = *mark;
	if (bpf_map_delete_elem(&marks, &key))
		count_drop(WIRE_DROP_MARK_BUSY);
	else
		quota_give(copy.account);
	report_mark(WIRE_MARK_DROPPED, inode, &copy, 0, 0);
	return 0;
}

/* s_dev is given to another file system later; user space drops what was marked under it. */
SEC("fentry/generic_shutdown_super")
int BPF_PROG(on_shutdown_super, struct super_block *sb)
{
	struct mark_record *r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);

	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 0;
	}
	__builtin_memset(&r->m, 0, sizeof(r->m));
	fill_header(&r->m.h, WIRE_MARK, sizeof(*r), RING_CRITICAL);
	r->m.op = WIRE_MARK_SUPER_GONE;
	r->m.inode.dev = sb->s_dev;
	bpf_ringbuf_submit(r, 0);
	return 0;
}
