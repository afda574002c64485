// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Was this access told already, or one like it? See repeat.h. */
#include "repeat.h"
#include "taint.h"

/* --- the same image ----------------------------------------------------------------------------
 */

struct recent_key {
	kt_u64 start; /* of the image, as in wire_subject */
	kt_u64 exec_id;
	kt_u64 object;
	kt_u32 tgid;
	kt_u32 way; /* WIRE_TAINT_* << 8 | WIRE_HOW_* */
	kt_u32 mode; /* as given to repeat_of() */
	kt_u32 pad;
};

struct recent {
	kt_u64 time; /* when it was told last, ns since boot */
	kt_u32 epoch; /* of recent_epoch */
	kt_u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct recent_key);
	__type(value, struct recent);
} recently_told SEC(".maps");

/* Whether an image's repeats by this way are known as such: else each is told. */
static __always_inline int may_repeat(kt_u32 how)
{
	return how == WIRE_HOW_OPEN || how == WIRE_HOW_RECEIVE || how == WIRE_HOW_MMAP ||
	       how == WIRE_HOW_READ || how == WIRE_HOW_LINK || how == WIRE_HOW_RENAME;
}

static __always_inline void fill_recent(struct recent_key *key, struct task_struct *task,
					kt_u64 object, kt_u32 how, kt_u32 mode)
{
	key->start = BPF_CORE_READ(task, group_leader, start_boottime);
	key->exec_id = BPF_CORE_READ(task, self_exec_id);
	key->object = object;
	key->tgid = BPF_CORE_READ(task, tgid);
	key->way = taint_of((kt_u64)task) << 8 | how;
	key->mode = mode;
}

static __always_inline int is_recent(const struct recent_key *key, kt_u64 now)
{
	struct recent *told = bpf_map_lookup_elem(&recently_told, key);

	return told && told->epoch == recent_epoch && now - told->time < REPEAT_NS;
}

/* --- the same kind -----------------------------------------------------------------------------
 */

/* 1 if that many kinds of this uid's are known in this turn; else there is one more of them. */
static __always_inline int pressure_over_share(const struct pressure_key *kind)
{
	struct pressure_key share = {.uid = kind->uid, .turn = kind->turn, .what = PRESSURE_SHARE};
	kt_u64 one = 1, *nr;

	nr = bpf_map_lookup_elem(&pressure_kinds, &share);
	if (!nr)
		return bpf_map_update_elem(&pressure_kinds, &share, &one, BPF_NOEXIST) == -7;
	if (*nr >= PRESSURE_UID_MAX)
		return 1;
	__sync_fetch_and_add(nr, 1);
	return 0;
}

/* A kind that could not be told takes nothing of its uid's share. */
static __always_inline void pressure_give_back(const struct pressure_key *kind)
{
	struct pressure_key share = {.uid = kind->uid, .turn = kind->turn, .what = PRESSURE_SHARE};
	kt_u64 *nr = bpf_map_lookup_elem(&pressure_kinds, &share);

	if (nr && *nr)
		__sync_fetch_and_add(nr, -1);
}

static __always_inline kt_u32 what_is(kt_u32 how, kt_u32 mode)
{
	if (how == WIRE_HOW_CLOSE_WRITE)
		return PRESSURE_CLOSE_WRITE;
	if (how == WIRE_HOW_READ || how == WIRE_HOW_MMAP)
		return PRESSURE_READ;
	if (how == WIRE_HOW_LINK || how == WIRE_HOW_RENAME)
		return PRESSURE_NAME;
	return mode & WIRE_M_READ ? PRESSURE_MEANS : PRESSURE_ACCESS;
}

static __always_inline void fill_kind(struct pressure_key *kind, struct task_struct *task,
				      kt_u64 object, kt_u32 how, kt_u32 mode)
{
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	kind->object = object;
	kind->exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
	kind->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
	kind->uid = charged_uid(task);
	/* What is not the same program any longer is another kind. */
	kind->what = what_is(how, mode) | taint_of((kt_u64)task) << 8;
	kind->turn = pressure.turn & 1;
}

/* Under pressure. */
static __always_inline int repeat_of_kind(struct task_struct *task, kt_u64 object, kt_u32 how,
					  kt_u32 mode)
{
	struct pressure_key kind = {};
	kt_u64 zero = 0, *count;
	long err;

	fill_kind(&kind, task, object, how, mode);
	count = bpf_map_lookup_elem(&pressure_kinds, &kind);
	if (count) {
		__sync_fetch_and_add(count, 1);
		return REPEAT_KIND;
	}
	pressure.used = 1;
	if (pressure_over_share(&kind))
		return REPEAT_OVER;
	err = bpf_map_update_elem(&pressure_kinds, &kind, &zero, BPF_NOEXIST);
	if (err == -17 /* EEXIST: another CPU was first */) {
		count = bpf_map_lookup_elem(&pressure_kinds, &kind);
		if (count) {
			__sync_fetch_and_add(count, 1);
			return REPEAT_KIND;
		}
	}
	return err ? REPEAT_OVER : REPEAT_FIRST;
}

__noinline int repeat_of(kt_u64 task_addr, kt_u64 object, kt_u32 how, kt_u32 mode, int each)
{
	struct task_struct *task = (void *)task_addr;
	struct recent told = {.epoch = recent_epoch, .time = bpf_ktime_get_boot_ns()};
	struct recent_key key = {};
	int answer = REPEAT_NO;

	each |= !may_repeat(how);
	if (!each) {
		fill_recent(&key, task, object, how, mode);
		if (is_recent(&key, told.time)) {
			count_repeat();
			return REPEAT_SELF;
		}
	}
	if (pressure_is_high())
		answer = repeat_of_kind(task, object, how, mode);
	/* Only what is told itself stands for what this image does next. */
	if (!each && answer <= REPEAT_FIRST)
		bpf_map_update_elem(&recently_told, &key, &told, BPF_ANY);
	return answer;
}

__noinline int repeat_untold(kt_u64 task_addr, kt_u64 object, kt_u32 how, kt_u32 mode, int answer)
{
	struct task_struct *task = (void *)task_addr;
	struct pressure_key kind = {};
	struct recent_key key = {};

	if (answer == REPEAT_FIRST) {
		fill_kind(&kind, task, object, how, mode);
		if (!bpf_map_delete_elem(&pressure_kinds, &kind))
			pressure_give_back(&kind);
	}
	fill_recent(&key, task, object, how, mode);
	bpf_map_delete_elem(&recently_told, &key);
	return 0;
}
