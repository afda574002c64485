// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Processes: fork, exec, exit, and the descriptors of watched files that an exec keeps.
 *
 * Lifecycle records go to the bulk ring without waking its reader, so that a build does not pay a
 * wake-up for each compiler; the reader's timer, or a critical event, fetches them.
 */
#include "access.h"
#include "dump.h"
#include "exec.h"
#include "held.h"
#include "identity.h"
#include "script.h"
#include "share.h"
#include "taint.h"

/*
 * Bounds of the descriptor scan: numbers that are looked at (what the kernel's fs.nr_open allows
 * anybody, unless root raised it), and open descriptors among them.
 *
 * Loops are nested in global functions of few steps each: those are verified once, by themselves,
 * and the time that takes grows with the square of a loop's length.
 */
#define FD_SCAN_WORDS	16384 /* of 64 numbers each */
#define FD_SCAN_AT_ONCE 16 /* words */
#define FD_SCAN_STEPS	32 /* of a loop */
#define WORD_FOUND	(1U << 31) /* beside the place of a word that is not empty */
#define FD_SCAN_OPEN	(FD_SCAN_STEPS * 64)

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	int told = is_told(task->cgroups->dfl_cgrp->kn->id);
	struct exec_record *r;

	r = bpf_ringbuf_reserve(&ring_bulk, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_BULK);
		return 0;
	}
	fill_exec(r, task, WIRE_EXEC, told);
	r->e.h.flags |= put_args_between(r->str, EXEC_ARGS_AT, WIRE_ARGS_MAX, &r->e.args,
					 EXEC_STR_OFF, task->mm->arg_start, task->mm->arg_end);
	bpf_ringbuf_submit(r, bulk_flags());
	if (nr_scripts)
		report_script(addr_of(bprm));
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	kt_u32 parent_tgid = parent->tgid, child_tgid = child->tgid;
	struct fd_holder *holder, copy;
	struct wire_fork *r;

	if (child->pid != child->tgid) /* a thread */
		return 0;
	holder = fd_holder_find(parent_tgid);
	if (holder) {
		copy = *holder;
		copy.start = child->start_boottime;
		fd_holder_put(child_tgid, &copy);
	}
	holder_fork(parent_tgid, child_tgid, child);
	if (taint_test(parent_tgid))
		taint_fork(parent_tgid, child_tgid, addr_of(child));
	if (dump_helpers_live)
		dump_helper_forks(parent_tgid, addr_of(child));
	r = bpf_ringbuf_reserve(&ring_bulk, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_BULK);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	fill_header(&r->h, WIRE_FORK, sizeof(*r), RING_BULK);
	load_subject(&r->child, child);
	r->parent_start = parent->group_leader->start_boottime;
	r->parent_exec_id = parent->self_exec_id;
	r->parent_tgid = parent_tgid;
	bpf_ringbuf_submit(r, bulk_flags());
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	kt_u32 tgid = task->tgid;
	struct wire_exit *r;

	/* The leader may end before other threads do: the process ends with the last one. */
	if (task->signal->live.counter > 0)
		return 0;
	keep_gone_holder(tgid);
	fd_holder_end(tgid);
	holder_end(tgid);
	taint_end(tgid);
	if (nr_scripts)
		script_end(tgid);
	r = bpf_ringbuf_reserve(&ring_bulk, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_BULK);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	fill_header(&r->h, WIRE_EXIT, sizeof(*r), RING_BULK);
	load_subject(&r->subject, task);
	r->code = task->exit_code;
	bpf_ringbuf_submit(r, bulk_flags());
	return 0;
}

/* Number of the lowest bit that is set; w is not 0. The BPF target has no ctz. */
static __always_inline kt_u32 lowest_bit(kt_u64 w)
{
	kt_u32 n = 0;

	if (!(w & 0xffffffff)) {
		n += 32;
		w >>= 32;
	}
	if (!(w & 0xffff)) {
		n += 16;
		w >>= 16;
	}
	if (!(w & 0xff)) {
		n += 8;
		w >>= 8;
	}
	if (!(w & 0xf)) {
		n += 4;
		w >>= 4;
	}
	if (!(w & 0x3)) {
		n += 2;
		w >>= 2;
	}
	return n + !(w & 1);
}

/*
 * A group of words that begins at `at`, or the one word if no whole group is left: the place of the
 * first that is not empty, else of the first behind them.
 */
__noinline kt_u32 skip_words(kt_u64 words, kt_u32 nr, kt_u32 at)
{
	kt_u64 group[FD_SCAN_AT_ONCE] = {};
	kt_u32 i;

	if (nr - at < FD_SCAN_AT_ONCE) {
		bpf_probe_read_kernel(group, sizeof(group[0]), (void *)(words + at * 8));
		return group[0] ? at | WORD_FOUND : at + 1;
	}
	bpf_probe_read_kernel(group, sizeof(group), (void *)(words + at * 8));
	for (i = 0; i < FD_SCAN_AT_ONCE; i++)
		if (group[i])
			return (at + i) | WORD_FOUND;
	return at + FD_SCAN_AT_ONCE;
}

__noinline kt_u32 skip_far(kt_u64 words, kt_u32 nr, kt_u32 at)
{
	kt_u32 i;

	for (i = 0; i < FD_SCAN_STEPS; i++) {
		if (at >= nr)
			break;
		at = skip_words(words, nr, at);
		if (at & WORD_FOUND)
			break;
	}
	return at;
}

/*
 * The first word not below `at` of the `nr` at `words` that is not empty; nr = none. Most words of
 * a large table are empty, so several are looked at together.
 */
__noinline kt_u32 next_word(kt_u64 words, kt_u32 nr, kt_u32 at)
{
	kt_u32 i;

	/* Single words at the end of the table: one round more. */
	for (i = 0; i < FD_SCAN_WORDS / FD_SCAN_AT_ONCE / FD_SCAN_STEPS + 1; i++) {
		at = skip_far(words, nr, at);
		if (at & WORD_FOUND)
			return at & ~WORD_FOUND;
		if (at >= nr)
			break;
	}
	return nr;
}

/* The lowest open descriptor not below `from` among those of `nr` words of the bitmap; -1 = none.
 */
__noinline int next_fd(kt_u64 words, kt_u32 nr, kt_u32 from)
{
	kt_u32 at = from / 64;
	kt_u64 word = 0;

	if (at >= nr)
		return -1;
	bpf_probe_read_kernel(&word, sizeof(word), (void *)(words + at * 8));
	word &= ~0ULL << (from & 63);
	if (!word) {
		at = next_word(words, nr, at + 1);
		if (at >= nr)
			return -1;
		bpf_probe_read_kernel(&word, sizeof(word), (void *)(words + at * 8));
		if (!word) /* closed meanwhile by a process that shares the table */
			return at * 64 + 63;
	}
	return at * 64 + lowest_bit(word);
}

__noinline int scan_fd(kt_u64 fds, kt_u32 fd)
{
	struct file *file = 0;
	struct inode *inode;
	kt_u32 slot;

	bpf_probe_read_kernel(&file, sizeof(file), (void *)(fds + (kt_u64)fd * sizeof(file)));
	if (!file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	slot = filter_slot(BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev));
	if (!filter[slot & (FILTER_SIZE - 1)])
		return 0;
	return report_access((kt_u64)file, bpf_get_current_task(), WIRE_HOW_EXEC_FD, 0, fd);
}

/*
 * The next FD_SCAN_STEPS open descriptors. Returns where to go on, with bit 30 set if one is of a
 * watched file; at the end -1 if one is, else -2.
 */
__noinline int scan_fds(kt_u64 fds, kt_u64 words, kt_u32 nr, kt_u32 from)
{
	int i, fd = from - 1, found = 0;

	for (i = 0; i < FD_SCAN_STEPS; i++) {
		fd = next_fd(words, nr, fd + 1);
		if (fd < 0)
			break;
		if (scan_fd(fds, fd))
			found = 1 << 30;
	}
	return fd < 0 ? (found ? -1 : -2) : ((fd + 1) | found);
}

/*
 * The new image keeps what is not close-on-exec: `cat < key` is cat, once, not the shell that
 * opened. Only for processes that opened or were handed a watched file at some time.
 */
SEC("fentry/security_bprm_committed_creds")
int BPF_PROG(on_committed_creds, struct linux_binprm *bprm)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u32 tgid = bpf_get_current_pid_tgid() >> 32;
	kt_u64 fds, words;
	int i, next = 0, found = 0, was = holder_test(tgid);
	struct fdtable *fdt;
	kt_u32 nr;

	holder_end(tgid); /* of the image that was */
	if (was || share_until)
		share_exec(was);
	taint_exec();
	if (!fd_holder_find(tgid))
		return 0;
	fdt = BPF_CORE_READ(task, files, fdt);
	nr = BPF_CORE_READ(fdt, max_fds) / 64;
	if (nr > FD_SCAN_WORDS)
		nr = FD_SCAN_WORDS;
	fds = (kt_u64)BPF_CORE_READ(fdt, fd);
	words = (kt_u64)BPF_CORE_READ(fdt, open_fds);
	for (i = 0; i < FD_SCAN_OPEN / FD_SCAN_STEPS; i++) {
		next = scan_fds(fds, words, nr, next & ~(1 << 30));
		found |= next == -1 || (next > 0 && next & 1 << 30);
		if (next < 0)
			break;
	}
	if (next >= 0 || BPF_CORE_READ(fdt, max_fds) / 64 > FD_SCAN_WORDS) {
		/* Stays a holder, is counted, and what it held last it probably still has. */
		count_drop(WIRE_DROP_FD_SCAN);
		for (i = 0; i < FD_HOLDER_OBJECTS; i++)
			report_inferred(i);
	} else if (!found) {
		fd_holder_end(tgid);
	}
	/* The deepest ways of calls begin here, and the stack of all of them together is bounded:
	 * nothing is kept for this. */
	share_follow(bpf_get_current_task());
	return 0;
}
