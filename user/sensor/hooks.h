/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of hooks: what each program sees, what it needs of the kernel, and how it stands.
 *
 * Every hook is optional by itself. What a kernel does not have is left out before loading; what
 * the verifier or the attachment refuses is left out afterwards; the state and the reason stay
 * here, for `keytrail status` and for one health event each.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct kernel_types;

enum hook_state {
	HOOK_UNTRIED = 0,
	HOOK_ATTACHED,
	HOOK_FALLBACK, /* not attached, and another hook serves in its place */
	HOOK_MISSING,
	HOOK_SPARE, /* not attached, since the one that it stands in for is */
	HOOK_NEEDLESS, /* this kernel does not have what it would see */
	HOOK_OFF, /* could be attached, and the policy does not ask for it */
	HOOK_STATE_NR
};

/* Where a program goes on: decides how its presence in a kernel is asked for. */
enum hook_kind {
	HOOK_FENTRY, /* and fexit */
	HOOK_TRACEPOINT, /* BTF-typed raw tracepoint */
	HOOK_ITERATOR, /* run by the daemon, not attached */
};

/*
 * The kernel's verifier takes its time for each program. Those without which a read of a key goes
 * unseen are loaded and attached first, all others when these are live.
 */
enum hook_stage { HOOKS_EARLY, HOOKS_LATE, HOOKS_NR };

/* What a policy may ask for, at its start or later, and most do not. */
enum hook_demand {
	DEMAND_NONE = 0,
	DEMAND_READS = 1, /* each read: `reads: exact` */
	DEMAND_LINKS = 2, /* hard links: `on: link` */
	DEMAND_REFUSAL = 4, /* opens are refused: `mode: deny` */
};

struct hook_spec {
	const char *program; /* name of the BPF program */
	const char *target; /* kernel function or tracepoint */
	enum hook_kind kind;
	unsigned nr_args; /* that the program's prototype counts on, 0 = looks at none; HOOK_FENTRY
			     (and fexit) only */
	bool essential; /* without it the sensor is blind to reads of keys */
	const char *sees; /* for people: what is not seen without it */
	/* Program of an earlier row: attached only if that one cannot be, and then serves for it.
	 */
	const char *instead_of;
	const char *needs; /* NULL, or a kernel function without which there is nothing to see */
	const char *renamed; /* name of the same function on other kernels; HOOK_FENTRY only */
	/*
	 * NULL, or the LSM hook that sees the same, with the arguments the program takes in front,
	 * and its number of them. The program goes there instead of to `target` where that is
	 * better: see hooks.c, lsm_is_better().
	 */
	const char *lsm;
	unsigned lsm_args;
	bool memory; /* only with the policy's setting `memory` */
	bool leaves; /* with that, or with an entry that has `on: send` */
	enum hook_demand on_demand; /* not NONE: attached by hooks_switch() only */
	bool refused; /* only with the policy's setting `refused` */
	bool names; /* what it is skipped for is a name, or the end of one: a walk finds that */
	bool early; /* HOOKS_EARLY; what is on demand only if it is asked for at the start */
};

struct hook {
	const struct hook_spec *spec;
	/* Where it goes on this kernel: the spec's target, renamed or lsm. */
	const char *target;
	enum hook_state state;
	char why[192]; /* if not attached; one clause, no full stop */
	bool as_lsm; /* it goes to spec->lsm */
	bool lsm_refused; /* it did, and was not taken */
	bool detached; /* it was attached, until hooks_switch() */
	bool early; /* it is of HOOKS_EARLY here */
	uint32_t btf_id; /* of the target, in the kernel's types */
	int program; /* descriptor of the loaded program, owned; -1 before that, and if left out */
	int link; /* that which attaches it, owned; -1: it is not. Of an iterator: to read from */
};

struct hooks {
	struct hook *items;
	size_t nr;
};

/* What the policy asks for that costs those who are of no interest. */
struct hook_wishes {
	bool memory, leaves, refused; /* hook_spec's of the same names */
	unsigned demands; /* enum hook_demand, ored: from the start */
};

/*
 * Before an object is opened, which asks `hooks` where its programs go: it stays where it is, and
 * of several it is the last one made that is asked. 0 or negative errno.
 */
int hooks_init(struct hooks *hooks);
void hooks_fini(struct hooks *hooks); /* detaches */

/*
 * Before load: switches off the programs of other stages, and those whose target this kernel lacks
 * or has with another prototype. stage: HOOKS_NR = all of them.
 */
void hooks_select(struct hooks *hooks, struct bpf_object *object, const struct kernel_types *types,
		  enum hook_stage stage, const struct hook_wishes *wishes);

/* A load failed at `program`: it is left out of the next try. -ENOENT if it is none of ours. */
int hooks_reject(struct hooks *hooks, const char *program, const char *why);

/* After load: attaches each of the stage by itself. `object` is not needed after that. */
void hooks_attach(struct hooks *hooks, struct bpf_object *object, enum hook_stage stage);

/* The load of a stage failed as a whole: none of it is there. */
void hooks_give_up(struct hooks *hooks, enum hook_stage stage, const char *why);

/*
 * Attaches or detaches a program that is loaded. 0, or negative errno and as it was. -ESTALE: it
 * was attached before, and this kernel attaches a program once only (before f3a95075549e, "bpf:
 * Allow trampoline re-attach for tracing and lsm programs", 5.13).
 */
int hooks_switch(struct hooks *hooks, const char *program, bool on);

/*
 * How often the kernel skipped the program, because the CPU had been taken from somebody in the
 * middle of it, since it was loaded. Never that of a program that is not loaded, nor of LSM
 * programs (hooks.c, lsm_is_better()); always 0 before 5.12.
 */
uint64_t hook_skipped(const struct hook *hook);

const struct hook *hooks_find(const struct hooks *hooks, const char *program);
const char *hook_state_str(enum hook_state state);
