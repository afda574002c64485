/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What all programs share: maps, settings fixed before load (cfg_*), counters (st_*), the filter.
 * Maps are weak so that each object may declare them and the static linker keeps one.
 */
#pragma once

#include "kernel.h"
#include "watch.h"

/* A table of bytes, not of bits: BPF before 5.12 has no atomic or. Bytes are only ever set here. */
#define FILTER_BITS 20
#define FILTER_SIZE (1U << FILTER_BITS)

extern kt_u8 filter[FILTER_SIZE];
extern struct marking_slot marking[MARKING_SLOTS];
extern kt_u32 recent_epoch;
extern kt_u32 tell_names;
extern kt_u32 deny_live;
extern kt_u8 deny_groups[DENY_GROUPS];
extern kt_u64 cgroups_told[WIRE_CGROUPS_TOLD];
extern const volatile kt_u32 cfg_self_tgid;
extern const volatile kt_u32 cfg_bulk_wakeup;
extern const volatile kt_u32 cfg_pressure;
extern const volatile kt_u32 cfg_memory;
extern struct pressure_clock pressure;
extern kt_u64 names_moved;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring_critical __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring_bulk __weak SEC(".maps");

/* First accesses for which the critical ring had no room: see repeat.h. As many as a login may
 * bring (PRESSURE_UID_MAX), and a third more. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20);
} ring_spare __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PRESSURE_KINDS);
	__type(key, struct pressure_key);
	__type(value, kt_u64); /* repeats */
} pressure_kinds __weak SEC(".maps");

/* Preallocated, so that an insert never waits for memory. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, struct mark_key);
	__type(value, struct mark);
} marks __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, kt_u32);
	__type(value, struct watch_state);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* written by user space only */
} watch_states __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct watch_literal_key);
	__type(value, struct watch_target);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} watch_literals __weak SEC(".maps");

/*
 * A process that may have a descriptor of a watched file, and of which: the last ones, for what is
 * inferred when it has more descriptors than are looked through.
 */
#define FD_HOLDER_OBJECTS 4

struct fd_holder {
	kt_u64 start; /* start_boottime of the leader */
	kt_u32 next; /* place of the next one, modulo FD_HOLDER_OBJECTS */
	kt_u32 pad;
	struct mark_key object[FD_HOLDER_OBJECTS];
};

/* Never LRU: to forget one is to miss a read. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, kt_u32); /* tgid */
	__type(value, struct fd_holder);
} fd_holders __weak SEC(".maps");

/* How many there are with a tgid that ends in these bits: 0 = surely none. Each fork, exec and exit
 * of the host asks, and a look into the map would be the dearest of what it pays. */
#define FD_SLOT_BITS 14
#define FD_SLOTS     (1U << FD_SLOT_BITS)

extern kt_u32 fd_slots[FD_SLOTS];

/* Process images that have read a watched file: see holders.h. Never LRU, for the same reason. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, kt_u32); /* tgid */
	__type(value, struct holder);
} holders __weak SEC(".maps");

/* How many holders there are with a tgid that ends in these bits: 0 = surely no holder. */
#define HOLDER_SLOT_BITS 16
#define HOLDER_SLOTS	 (1U << HOLDER_SLOT_BITS)

extern kt_u32 holder_slots[HOLDER_SLOTS];
extern kt_u32 nr_holders;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WIRE_DROP_NR);
	__type(key, kt_u32);
	__type(value, kt_u64);
} st_drops __weak SEC(".maps");

enum ring { RING_CRITICAL, RING_BULK, RING_SPARE, RING_NR };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RING_NR);
	__type(key, kt_u32);
	__type(value, kt_u64);
} st_records __weak SEC(".maps");

/* Accesses that an image repeated, counted and not told: see repeat.h. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, kt_u32);
	__type(value, kt_u64);
} st_repeats __weak SEC(".maps");

static __always_inline void count_repeat(void)
{
	kt_u32 zero = 0;
	kt_u64 *n = bpf_map_lookup_elem(&st_repeats, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline void count_drop(kt_u32 cause)
{
	kt_u64 *n = bpf_map_lookup_elem(&st_drops, &cause);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline struct fd_holder *fd_holder_find(kt_u32 tgid)
{
	if (!fd_slots[tgid & (FD_SLOTS - 1)])
		return 0;
	return bpf_map_lookup_elem(&fd_holders, &tgid);
}

/* Counted before it is there: a slot may be thought full for a moment, never empty. */
static __always_inline void fd_holder_put(kt_u32 tgid, const struct fd_holder *holder)
{
	kt_u32 *slot = &fd_slots[tgid & (FD_SLOTS - 1)];

	__sync_fetch_and_add(slot, 1);
	if (!bpf_map_update_elem(&fd_holders, &tgid, holder, BPF_NOEXIST))
		return;
	__sync_fetch_and_add(slot, -1);
	if (bpf_map_update_elem(&fd_holders, &tgid, holder, BPF_EXIST))
		count_drop(WIRE_DROP_HOLDER_FULL);
}

static __always_inline void fd_holder_end(kt_u32 tgid)
{
	kt_u32 *slot = &fd_slots[tgid & (FD_SLOTS - 1)];

	if (*slot && !bpf_map_delete_elem(&fd_holders, &tgid))
		__sync_fetch_and_add(slot, -1);
}

/* Whose share what a process does is charged to: its login's, whatever uid it took since. */
static __always_inline kt_u32 charged_uid(struct task_struct *task)
{
	kt_u32 uid = (kt_u32)-1;

	if (bpf_core_field_exists(task->loginuid)) /* CONFIG_AUDIT */
		uid = BPF_CORE_READ(task, loginuid.val);
	return uid == (kt_u32)-1 ? BPF_CORE_READ(task, real_cred, uid.val) : uid;
}
