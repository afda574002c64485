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
#include "identity.h"
#include "record.h"

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
	struct mark_record *r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	kt_u32 len;

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

	parent = mark_find(BPF_CORE_READ(dir, i_ino), BPF_CORE_READ(dir, i_sb, s_dev));
	if (!parent || !parent->state)
		return 0;
	parent_object = parent->object;
	target = watch_lookup(parent->state, (kt_u64)BPF_CORE_READ(dentry, d_name.name),
			      BPF_CORE_READ(dentry, d_name.len));
	if (!target)
		return 0;

	type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	mark.state = type == S_IFDIR ? target >> 32 : 0;
	mark.watch = type == S_IFREG ? (kt_u32)target & WATCH_NR_MASK : 0;
	if (type == S_IFLNK) {
		report_mark(WIRE_MARK_SYMLINK, inode, &mark, parent_object, dentry);
		return 1;
	}
	if (!mark.state && !mark.watch)
		return 1;

	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	mark.gen = BPF_CORE_READ(inode, i_generation);
	mark.flags = mark.state ? MARK_DIR : MARK_FILE;
	if (mark.watch && (target & WATCH_KEY))
		mark.flags |= MARK_KEY;
	old = mark_find(key.ino, key.dev);
	if (old && old->gen == mark.gen) {
		/* First look-up after its dentry was forgotten: nothing is new. */
		if (!moved && old->state == mark.state && old->watch == mark.watch)
			return 1;
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
	/* Told even if the mark could not be put: user space then tries by opening. */
	if (mark_put(&key, &mark))
		op = WIRE_MARK_REFUSED;
	report_mark(op, inode, &mark, parent_object, dentry);
	return 1;
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
	name_appears(addr_of(dir), addr_of(inode), addr_of(dentry), 0);
	return 0;
}

/* `dentry` takes the name and place of `target`. */
static __always_inline void moves(struct dentry *dentry, struct dentry *target)
{
	struct inode *inode = dentry->d_inode;
	struct inode *dir = target->d_parent->d_inode;
	struct mark *mark;

	if (!inode || !dir)
		return;
	if (filter_test(dir) && name_appears(addr_of(dir), addr_of(inode), addr_of(target), 1))
		return;
	mark = mark_of(inode);
	if (mark)
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
