/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side as the daemon sees it: load, rings, marks, the picture at start.
 *
 * One sensor a process, used from one thread (the thread that marks by opening is known to the
 * probes by its id). Events are handed over decoded; their spans are valid during the callback
 * only. A child made by fork must not touch it, but as sensor_enter_child() says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"
#include "policy/watchset.h"
#include "sensor/hooks.h"
#include "watch.h"

struct sensor;

struct sensor_config {
	uint32_t ring_critical_kib; /* powers of two, at least 64 */
	uint32_t ring_bulk_kib;
	uint32_t marks_max;
	uint32_t marks_quota; /* as sensor_set_quota() */
	bool memory; /* what others do to holders of keys, and agents' sockets */
	bool leaves; /* where holders of what is watched connect to, and send */
	bool refused; /* opens of watched names that fail */
	unsigned demands; /* enum hook_demand, ored: what is asked for from the start */
	void (*event)(const struct event *event, void *userdata);
	void *userdata;
};

/* Why the kernel side cannot be had: words for the operator and the exit status that goes with
 * them. */
struct sensor_refusal {
	int exit_status; /* sysexits: 69 EX_UNAVAILABLE, 77 EX_NOPERM */
	char text[512]; /* what it is and what to do, one or two sentences */
};

/*
 * Loads and attaches what sees reads of keys. 0 with *out_sensor, or negative errno with
 * *out_refusal filled and nothing left behind in the kernel. Missing optional hooks are no failure:
 * see sensor_hooks().
 */
int sensor_new(const struct sensor_config *config, struct sensor **out_sensor,
	       struct sensor_refusal *out_refusal);
void sensor_free(struct sensor *sensor);

/* Loads and attaches the rest, once. It may take seconds, and files can be marked before it. */
void sensor_complete(struct sensor *sensor);

const struct hooks *sensor_hooks(const struct sensor *sensor);

/* Hands over the processes that are there, then the watched files that are open. After marking. */
int sensor_start_picture(struct sensor *sensor);

/* Looks at all open files of all processes: what is watched comes as an access, by the ring. */
int sensor_find_open(struct sensor *sensor);

/* For epoll: readable when the critical ring has records or the bulk ring is filling up. */
int sensor_fd(const struct sensor *sensor);

/*
 * Hands over what the rings hold: first the bulk ring, then the critical one, so that the process
 * an access speaks of is known by then. Of each no more than it has room for, so that it returns
 * even where records are written as fast as they are read; sensor_fd() then stays readable. Returns
 * how many bytes of records it took, negative errno if a ring is broken.
 */
long sensor_drain(struct sensor *sensor);

/*
 * Hands over what the bulk ring holds, bounded as above. For who is handed a record of the critical
 * ring and must know now what its process is: it may have been made since sensor_drain() read the
 * bulk ring. Not from the callback of a bulk record (fork, exec, exit, a file written).
 */
long sensor_drain_lifecycle(struct sensor *sensor);

/*
 * Hands over the processes that are there, as at the start, if the kernel has left out programs
 * that tell of forks and execs (a tracing program is skipped for who preempts it) since this was
 * called last. At most ten times a second, and for a twentieth of the time: what was left out
 * within the pause is made up for when this is called after it. A process that has ended stays
 * unknown.
 */
void sensor_mend_processes(struct sensor *sensor);

/*
 * Marks the file or directory that `path` names (relative to dirfd, as openat; a symbolic link as
 * last component is refused with -ELOOP but with MARK_FOLLOW). `mark` says what as; on return it is
 * the mark in force: the number that an inode had before is kept, with MARK_KEEP all of it.
 * `out_identity` is the kernel's identity of the uppermost inode. -EAGAIN: the open never reached
 * the probe.
 */
int sensor_mark(struct sensor *sensor, int dirfd, const char *path, struct mark *mark,
		struct inode_id *out_identity);

/*
 * In a child made by fork, which may mark from then on and nothing else, by a slot of its own: 1 to
 * MARKING_SLOTS - 1. When it has ended, its parent says so before its number can be another's.
 */
void sensor_enter_child(struct sensor *sensor, unsigned slot);
void sensor_child_ended(struct sensor *sensor, unsigned slot);

/*
 * What a child with one thread opens with MARKING_FLAGS is told to nobody, until
 * sensor_child_ended(). It need not know of the sensor.
 */
void sensor_lend_child(struct sensor *sensor, unsigned slot, pid_t pid);

/*
 * Changes what an inode is marked as, without opening it; the object stays. flags: MARK_KEY,
 * MARK_SEND and MARK_GROUP as they are from now on. -ENOENT: it is not marked; -ESTALE: as another
 * object. If the object ends within this call, and another file is given its number and marked,
 * that has the object's mark from then on; it is told as what it was marked as, after that.
 */
int sensor_remark(struct sensor *sensor, const struct inode_id *identity, uint64_t object,
		  uint32_t state, uint32_t watch, uint32_t flags);

/*
 * Opens are refused (on), as groups and permits say: bpf/watch.h. What the policy does not ask for
 * costs nothing. 0, or negative errno and as it was: as hooks_switch(). An open that is under way
 * meanwhile may not be told: what is open then is to be looked for (sensor_find_open()).
 */
int sensor_deny(struct sensor *sensor, bool on);
/* What a group denies, DENY_*; 0: it is not in force. Takes effect with the next open. */
void sensor_deny_group(struct sensor *sensor, uint16_t group, uint8_t denied);
/* The executable may do what `value` says. -E2BIG: there are too many. */
int sensor_permit(struct sensor *sensor, const struct permit_key *key,
		  const struct permit_value *value);
void sensor_unpermit(struct sensor *sensor, const struct permit_key *key);
/* Which group a watch entry of the next sensor_load_watchset() has, 0 = none. */
void sensor_deny_watches(struct sensor *sensor, uint16_t (*group)(void *userdata, uint32_t watch),
			 void *userdata);
/*
 * What children have under way marks for no group: where a file system does not answer it may be
 * carried out when the group has come to be another entry's.
 */
void sensor_deny_no_orders(struct sensor *sensor);
/* The marked inode is of this group from now on. 1: and was not before; 0: and was; errors and what
 * may happen as sensor_remark(). */
int sensor_regroup(struct sensor *sensor, const struct inode_id *identity, uint64_t object,
		   uint16_t group);
/*
 * Each mark there is gets the group that `group` says for its object, which may be the present one:
 * an object may have a mark more than its identity says (overlayfs: of the inode beneath). What is
 * marked meanwhile may be left out. False: marks were taken out all the time, and not all others
 * were come by.
 */
bool sensor_regroup_all(struct sensor *sensor,
			uint16_t (*group)(void *userdata, uint64_t object, uint16_t present),
			void *userdata);

/* The kernel's identity of what `path` names now, without marking it. */
int sensor_identify(struct sensor *sensor, const char *path, struct inode_id *out_identity);
/* The same of what a descriptor (O_PATH will do) is of. */
int sensor_identify_fd(struct sensor *sensor, int fd, struct inode_id *out_identity);

/*
 * The s_dev of the file systems that the last sensor_mark() went through: more than one where one
 * lies on another (overlayfs). At most MARKING_INODES; returns their number.
 */
size_t sensor_marked_on(const struct sensor *sensor, uint32_t out_devs[static MARKING_INODES]);

/* Marks a block device by its number (the kernel's encoding), and takes that off again. */
int sensor_mark_block(struct sensor *sensor, uint32_t dev, const struct mark *mark);
int sensor_unmark_block(struct sensor *sensor, uint32_t dev);

/*
 * Opens what `path` names for reading as the daemon opens everything (no access is told), following
 * a link as its last component (/proc/self/fd/N). Returns the descriptor, or negative errno. The
 * kernel's identities of the inodes that the open went through, at most `max` and at least one
 * (overlayfs: the overlay's, then the one beneath), and how many.
 */
int sensor_open(struct sensor *sensor, const char *path, struct inode_id *out_inodes, size_t max,
		size_t *out_nr);

/*
 * From now on files with at least `threshold` bytes are told when they are closed after writing
 * (EVENT_WRITTEN; 0 = none are), and dumps that come into being are marked for watch entry `watch`
 * (0 = they are not).
 */
void sensor_watch_dumps(struct sensor *sensor, uint32_t threshold, uint32_t watch);

/* From now on smaller files are told as well, or not, if a process that has a key wrote them
 * (bpf/copy.h). */
void sensor_tell_copies(struct sensor *sensor, bool told);

/*
 * Takes the mark of this object off an inode. -ENOENT if it has none, -ESTALE if it is marked as
 * another object: its number was given to another file, or it was marked anew. What may happen if
 * the object ends meanwhile is as with sensor_remark(): the other file has no mark then.
 */
int sensor_unmark(struct sensor *sensor, const struct inode_id *identity, uint64_t object);

/* Whether an inode is marked as this object. */
bool sensor_is_marked(struct sensor *sensor, const struct inode_id *identity, uint64_t object);

/*
 * Grows with each name that something watched gets, be it told or lost, and with what the hooks at
 * names were skipped for. The same before and after: no name has moved meanwhile, but for one whose
 * rename was within the kernel all the while.
 */
uint64_t sensor_names_moved(const struct sensor *sensor);

/* Takes off all marks of a file system that ended. Returns their number. */
int sensor_unmark_device(struct sensor *sensor, uint32_t dev);

/* Puts a set's states and literal names into the kernel, beside those of a set that is to go.
 */
int sensor_load_watchset(struct sensor *sensor, const struct watchset *set);
void sensor_unload_watchset(struct sensor *sensor, const struct watchset *set);

/*
 * Whether each read of a watched file is told, by who reads (ACCESS_READ), and not only who came by
 * it. Every read in the system pays for that. -EOPNOTSUPP: this kernel cannot, see sensor_hooks();
 * -ESTALE: not a second time before a new sensor, see hooks_switch().
 */
int sensor_tell_reads(struct sensor *sensor, bool on);

/*
 * Whether the names that a watched file is given are told (ACCESS_LINK, ACCESS_RENAME). Off at
 * first: who renames many files fills the ring with what nobody asks for; and until it is on for
 * the first time, no probe is at hard links. Negative: renames are told only.
 */
int sensor_tell_names(struct sensor *sensor, bool on);

/* Repeats of what was told until now are told once more: it may be judged in another way. */
void sensor_tell_anew(struct sensor *sensor);

/*
 * How many marks each user may have, root apart; 0 = no bound but marks_max. Who has more by now
 * keeps them.
 */
void sensor_set_quota(struct sensor *sensor, uint32_t max);

/*
 * Which uids are others' subordinates. Sorted, none over another; at most QUOTA_RANGES_MAX. What is
 * marked already stays charged as it was.
 */
void sensor_set_quota_ranges(struct sensor *sensor, const struct quota_range *ranges, size_t nr);

/* A uid of the host that marks are charged to, or QUOTA_FUSE, QUOTA_SHARED. */
struct sensor_account {
	uint32_t account;
	uint64_t marks;
	uint64_t refused; /* attempts */
};

/* Calls back for each that has, or once had, a mark. */
int sensor_quota_each(struct sensor *sensor,
		      void (*call)(void *userdata, const struct sensor_account *account),
		      void *userdata);

/* A process image that has read a watched file and lives: bpf/holders.h. */
struct sensor_holder {
	struct proc_id id;
	uint64_t keys[EVENT_KEYS_MAX]; /* objects, 0 = none */
	uint32_t nr_keys; /* in all; one may be counted twice */
	uint64_t other; /* the latest object that is no key, 0 = none */
};

/*
 * Calls back for each. What begins or ends while this runs may be left out. Nothing may be told of
 * one that has ended, so the caller compares `id` with what it finds under that pid.
 */
void sensor_holders_each(struct sensor *sensor,
			 void (*call)(void *userdata, const struct sensor_holder *holder),
			 void *userdata);

/* The spare one holds what the critical ring had no room for: bpf/repeat.h. */
enum sensor_ring { SENSOR_RING_CRITICAL, SENSOR_RING_BULK, SENSOR_RING_SPARE, SENSOR_RING_NR };

struct sensor_stats {
	uint64_t drops[WIRE_DROP_NR]; /* by enum wire_drop */
	uint64_t
		recursion_misses; /* runs that the kernel skipped, of programs at files and names */
	uint64_t recursion_names; /* of those: what a walk finds */
	uint64_t recursion_lifecycle; /* the same of those at fork, exec, exit */
	/* Accesses that were counted instead of told, which is no loss (bpf/repeat.h): by the same
	 * image as one that was told, and by one like it while more came than could be read. */
	uint64_t repeats_self, repeats_kind;
	uint64_t records[SENSOR_RING_NR]; /* written */
	uint64_t undecodable; /* read and refused by the decoder */
	uint32_t ring_kib[SENSOR_RING_NR];
	uint32_t marks_max;
	uint64_t refused_counted; /* failed opens of watched names, counted instead of told */
	uint32_t holders, holders_max; /* process images that have read a watched file */
	uint64_t copies_over; /* files of holders that were counted instead of told */
};

/* Counts since load. */
int sensor_stats(const struct sensor *sensor, struct sensor_stats *out_stats);

const char *sensor_drop_str(enum wire_drop cause); /* "ring-critical", ... */
