// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of hooks, and what becomes of each on this kernel. */
#include "sensor/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/kerneltypes.h"

static const struct hook_spec specs[] = {
	{"on_file_open", "security_file_open", HOOK_FENTRY, 1, true,
	 "opens of watched files, by whatever system call", .lsm = "file_open", .lsm_args = 1,
	 .early = true},
	{"on_deny_open", "security_file_open", HOOK_FENTRY, 1, false,
	 "opens that are to be refused (`mode: deny`)", .on_demand = DEMAND_REFUSAL,
	 .lsm = "file_open", .lsm_args = 1, .early = true},
	{"on_file_receive", "security_file_receive", HOOK_FENTRY, 1, true,
	 "descriptors that arrive from another process (SCM_RIGHTS, pidfd_getfd)",
	 .lsm = "file_receive", .lsm_args = 1, .early = true},
	{"on_mmap_file", "security_mmap_file", HOOK_FENTRY, 3, false, "mappings of watched files",
	 .lsm = "mmap_file", .lsm_args = 4, .early = true},
	{"on_file_permission", "security_file_permission", HOOK_FENTRY, 2, false,
	 "reads of watched files, each by who reads (`reads: exact`)", .on_demand = DEMAND_READS,
	 .lsm = "file_permission", .lsm_args = 2, .early = true},
	{"on_fput", "__fput", HOOK_FENTRY, 1, false,
	 "the end of writing to a watched file, so that a changed key is read anew",
	 .lsm = "file_release", .lsm_args = 1, .early = true}, /* 6.9 */
	{"on_d_instantiate", "security_d_instantiate", HOOK_FENTRY, 2, true,
	 "files that appear under a watched name (create, link, mkdir, first look-up)",
	 .lsm = "d_instantiate", .lsm_args = 2, .early = true, .names = true},
	{"on_d_move", "d_move", HOOK_FENTRY, 2, true, "files renamed to a watched name",
	 .early = true, .names = true},
	{"on_d_exchange", "d_exchange", HOOK_FENTRY, 2, false,
	 "files exchanged with a watched name (RENAME_EXCHANGE)", .early = true, .names = true},
	{"on_inode_link", "security_inode_link", HOOK_FENTRY, 3, false,
	 "hard links that are made of watched files (`on: link`)", .on_demand = DEMAND_LINKS,
	 .lsm = "inode_link", .lsm_args = 3, .early = true},
	{"on_link_end", "vfs_link", HOOK_FENTRY, 5, false,
	 "hard links that are made of watched files (`on: link`)", .on_demand = DEMAND_LINKS,
	 .early = true},
	{"on_link_end_old", "vfs_link", HOOK_FENTRY, 4, false,
	 "hard links that are made of watched files (`on: link`)", .on_demand = DEMAND_LINKS,
	 .instead_of = "on_link_end", .early = true},
	{"on_inode_free", "security_inode_free", HOOK_FENTRY, 1, false,
	 "the end of a watched file, so that its inode number's next owner is not taken for it",
	 .lsm = "inode_free_security", .lsm_args = 1, .early = true, .names = true},
	{"on_shutdown_super", "generic_shutdown_super", HOOK_FENTRY, 1, false,
	 "the end of a file system, so that its device number's next owner is not taken for it",
	 .early = true, .names = true},
	{"on_committed_creds", "security_bprm_committed_creds", HOOK_FENTRY, 1, true,
	 "descriptors of watched files that a program inherits over exec",
	 .lsm = "bprm_committed_creds", .lsm_args = 1, .early = true},
	{"on_change_interp", "bprm_change_interp", HOOK_FENTRY, 2, false,
	 "which script an interpreter was started for", .early = true},
	{"on_exec", "sched_process_exec", HOOK_TRACEPOINT, 0, false, "program starts (ancestry)",
	 .early = true},
	{"on_fork", "sched_process_fork", HOOK_TRACEPOINT, 0, true,
	 "process creation (ancestry, descriptors inherited by children)", .early = true},
	{"on_exit", "sched_process_exit", HOOK_TRACEPOINT, 0, false, "process ends", .early = true},
	{"on_coredump", "do_coredump", HOOK_FENTRY, 1, false,
	 "crashes: by which signal a process is dumped", .renamed = "vfs_coredump"},
	{"on_coredump_end", "do_coredump", HOOK_FENTRY, 1, false, "crashes that leave no dump",
	 .renamed = "vfs_coredump"},
	{"on_usermodehelper", "call_usermodehelper_exec", HOOK_FENTRY, 2, false,
	 "dumps that are piped to a program (core_pattern = |...)"},
	{"on_dump_helper", "umh_coredump_setup", HOOK_FENTRY, 2, false,
	 "which files the program writes that dumps are piped to"},
	{"on_process_free", "sched_process_free", HOOK_TRACEPOINT, 0, false,
	 "the end of programs that dumps are piped to, without which closing files costs more"},
	{"on_kernel_connect", "kernel_connect", HOOK_FENTRY, 4, false,
	 "dumps that are sent to a socket (core_pattern = @..., Linux 6.16 and later)"},
	{"on_core_pattern", "proc_dostring_coredump", HOOK_FENTRY, 5, false,
	 "who changes kernel.core_pattern (that it changed is looked at every few seconds)"},
	{"on_suid_dumpable", "proc_dointvec_minmax_coredump", HOOK_FENTRY, 5, false,
	 "who changes fs.suid_dumpable (that it changed is looked at every few seconds)"},
	{"on_task_prctl", "security_task_prctl", HOOK_FENTRY, 5, false,
	 "processes that hold a key and make themselves dumpable, or that set which executable "
	 "they are of"},
	{"on_task_setrlimit", "security_task_setrlimit", HOOK_FENTRY, 3, false,
	 "core limits of processes that hold a key"},
	{"on_ptrace_access", "security_ptrace_access_check", HOOK_FENTRY, 2, false,
	 "debuggers that attach to a process which has read a key; process_vm_readv",
	 .memory = true},
	{"on_ptrace_traceme", "security_ptrace_traceme", HOOK_FENTRY, 1, false,
	 "processes that have read a key and let themselves be traced", .memory = true},
	{"on_ptrace_vm", "ptrace_access_vm", HOOK_FENTRY, 5, false,
	 "reads by a debugger that attached before the key was read", .memory = true},
	{"on_mem_open", "mem_open", HOOK_FENTRY, 2, false,
	 "opens of /proc/PID/mem of a process that has read a key", .memory = true},
	{"on_mem_rw", "mem_rw", HOOK_FENTRY, 5, false,
	 "reads from a /proc/PID/mem that was opened before the key was read", .memory = true},
	{"on_mem_read", "mem_read", HOOK_FENTRY, 4, false,
	 "reads from a /proc/PID/mem that was opened before the key was read",
	 .instead_of = "on_mem_rw", .memory = true},
	{"on_environ_read", "environ_read", HOOK_FENTRY, 4, false,
	 "reads of /proc/PID/environ of a process that has read a key", .memory = true},
	{"on_open_dev_mem", "open_port", HOOK_FENTRY, 2, false, "opens of /dev/mem",
	 .memory = true},
	{"on_read_dev_mem", "read_mem", HOOK_FENTRY, 0, false,
	 "reads from a /dev/mem that was open at start", .memory = true},
	{"on_open_kcore", "open_kcore", HOOK_FENTRY, 2, false, "opens of /proc/kcore",
	 .memory = true},
	{"on_read_kcore_iter", "read_kcore_iter", HOOK_FENTRY, 0, false,
	 "reads from a /proc/kcore that was open at start", .memory = true},
	{"on_read_kcore", "read_kcore", HOOK_FENTRY, 0, false,
	 "reads from a /proc/kcore that was open at start", .instead_of = "on_read_kcore_iter",
	 .memory = true},
	{"on_read_vmcore", "read_vmcore", HOOK_FENTRY, 0, false,
	 "reads of /proc/vmcore in a kernel that was booted to save a crashed one's memory",
	 .memory = true},
	{"on_mmap_vmcore", "mmap_vmcore", HOOK_FENTRY, 0, false,
	 "mappings of /proc/vmcore in a kernel that was booted to save a crashed one's memory",
	 .memory = true},
	{"on_file_mprotect", "security_file_mprotect", HOOK_FENTRY, 3, false,
	 "files that others than root can change and that become code of a process",
	 .lsm = "file_mprotect", .lsm_args = 3, .early = true},
	{"on_ptrace_taint", "security_ptrace_access_check", HOOK_FENTRY, 2, false,
	 "processes that somebody other than root has traced, or written into"},
	{"on_mem_taint", "mem_open", HOOK_FENTRY, 2, false,
	 "processes whose memory somebody other than root has opened for writing"},
	{"on_listxattr", "security_inode_listxattr", HOOK_FENTRY, 1, false,
	 "sockets of agents that were there at start", .early = true},
	{"on_unix_connect", "security_unix_stream_connect", HOOK_FENTRY, 3, false,
	 "connections to sockets of agents that hold keys", .memory = true},
	{"on_socket_connect", "security_socket_connect", HOOK_FENTRY, 3, false,
	 "connections of processes that have read a watched file", .leaves = true},
	{"on_socket_sendmsg", "security_socket_sendmsg", HOOK_FENTRY, 3, false,
	 "what is sent by processes that have read a watched file", .leaves = true},
	{"on_splice_to_socket", "splice_to_socket", HOOK_FENTRY, 5, false,
	 "sendfile to a socket by processes that have read a watched file", .leaves = true},
	{"on_sock_sendpage", "sock_sendpage", HOOK_FENTRY, 6, false,
	 "sendfile to a socket by processes that have read a watched file",
	 .instead_of = "on_splice_to_socket", .leaves = true},
	{"on_iter_task", "task", HOOK_ITERATOR, 0, false, "processes that were there at start"},
	{"on_iter_task_file", "task_file", HOOK_ITERATOR, 0, false,
	 "watched files that were open at start"},
	{"on_iter_task_vma", "task_vma", HOOK_ITERATOR, 0, false,
	 "watched files that were mapped, and no longer open, at start"},
	{"on_blkdev_open", "blkdev_open", HOOK_FENTRY, 2, false,
	 "opens of block devices under file systems with watched files"},
	{"on_fixed_fd_install", "__io_fixed_fd_install", HOOK_FENTRY, 3, false,
	 "descriptors that arrive in another process's io_uring (IORING_OP_MSG_RING)",
	 .needs = "io_msg_ring"},
	{"on_open_failed", "do_filp_open", HOOK_FENTRY, 3, false,
	 "opens of watched names that are refused, or find nothing", .renamed = "do_file_open",
	 .refused = true},
	{"on_capable", "capable_wrt_inode_uidgid", HOOK_FENTRY, 3, false,
	 "refused opens of a watched file by another name than its own", .refused = true},
	{"on_capable_v5_10", "capable_wrt_inode_uidgid", HOOK_FENTRY, 2, false,
	 "refused opens of a watched file by another name than its own", .instead_of = "on_capable",
	 .refused = true},
};

const char *hook_state_str(enum hook_state state)
{
	static const char *const names[HOOK_STATE_NR] = {
		[HOOK_UNTRIED] = "untried",   [HOOK_ATTACHED] = "attached",
		[HOOK_FALLBACK] = "fallback", [HOOK_MISSING] = "missing",
		[HOOK_SPARE] = "spare",	      [HOOK_NEEDLESS] = "needless",
		[HOOK_OFF] = "off",
	};

	return (unsigned)state < HOOK_STATE_NR ? names[state] : "?";
}

static struct hook *find(const struct hooks *hooks, const char *program)
{
	for (size_t i = 0; program && i < hooks->nr; i++)
		if (!strcmp(hooks->items[i].spec->program, program))
			return &hooks->items[i];
	return NULL;
}

/* Whom libbpf's question below is about: it is asked by the name of a section, once and for all. */
static const struct hooks *asked;

/*
 * libbpf asks where a program goes right before it loads it. By itself it would look for each by
 * going through all types of the kernel; and it reads these, again for each object, if one of the
 * programs says until now that it traces: so each says so here.
 */
static int tell_target(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct hook *hook = asked ? find(asked, bpf_program__name(program)) : NULL;

	if (!hook || !hook->btf_id)
		return -ESRCH;
	if (hook->as_lsm)
		opts->expected_attach_type = BPF_LSM_MAC;
	opts->attach_btf_id = hook->btf_id;
	return bpf_program__set_type(program,
				     hook->as_lsm ? BPF_PROG_TYPE_LSM : BPF_PROG_TYPE_TRACING);
}

/*
 * For all kinds of sections that specs[] has programs in. To the end of the process: libbpf 1.1
 * goes on with memory that it has given back once the last one is taken away (realloc(p, 0)).
 */
static int register_handlers(void)
{
	static const struct {
		const char *section;
		enum bpf_attach_type attach;
	} sections[] = {
		{"fentry+", BPF_TRACE_FENTRY},	  {"fexit+", BPF_TRACE_FEXIT},
		{"fmod_ret+", BPF_MODIFY_RETURN}, {"tp_btf+", BPF_TRACE_RAW_TP},
		{"iter+", BPF_TRACE_ITER},
	};
	static size_t done;
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = tell_target);

	for (; done < ARRAY_SIZE(sections); done++) {
		int r = libbpf_register_prog_handler(sections[done].section,
						     BPF_PROG_TYPE_RAW_TRACEPOINT,
						     sections[done].attach, &opts);

		if (r < 0)
			return r;
	}
	return 0;
}

int hooks_init(struct hooks *hooks)
{
	int r = register_handlers();
	struct hook *items = r < 0 ? NULL : calloc(ARRAY_SIZE(specs), sizeof(*items));

	if (!items)
		return r < 0 ? r : -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		items[i].spec = &specs[i];
		items[i].target = specs[i].target;
		items[i].program = items[i].link = -1;
	}
	*hooks = (struct hooks){.items = items, .nr = ARRAY_SIZE(specs)};
	asked = hooks;
	return 0;
}

void hooks_fini(struct hooks *hooks)
{
	for (size_t i = 0; i < hooks->nr; i++) {
		fd_close(hooks->items[i].link);
		fd_close(hooks->items[i].program);
	}
	if (asked == hooks)
		asked = NULL;
	free(hooks->items);
	*hooks = (struct hooks){};
}

static void set_missing(struct hook *hook, const char *fmt, ...) _printf_(2, 3);
static void set_missing(struct hook *hook, const char *fmt, ...)
{
	va_list ap;

	hook->state = HOOK_MISSING;
	va_start(ap, fmt);
	vsnprintf(hook->why, sizeof(hook->why), fmt, ap);
	va_end(ap);
}

/* Number of arguments of a kernel function, -1 if there is none of this name. */
static int count_args(const struct kernel_types *types, const char *function, uint32_t *out_id)
{
	const struct btf *vmlinux = kernel_types_btf(types);
	int id = kernel_types_find(types, function, BTF_KIND_FUNC);
	const struct btf_type *func = id < 0 ? NULL : btf__type_by_id(vmlinux, id);
	const struct btf_type *proto = func ? btf__type_by_id(vmlinux, func->type) : NULL;

	*out_id = proto ? id : 0;
	return proto ? btf_vlen(proto) : -1;
}

/* An empty program proves that a hook attaches, not that its arguments are the same: count them. */
static void check_fentry(struct hook *hook, const struct kernel_types *types)
{
	const struct hook_spec *spec = hook->spec;
	int nr = count_args(types, spec->target, &hook->btf_id);

	if (nr < 0 && spec->renamed) {
		hook->target = spec->renamed;
		nr = count_args(types, hook->target, &hook->btf_id);
	}
	if (nr < 0)
		set_missing(hook, "this kernel has no function %s to trace", spec->target);
	else if (spec->nr_args && (unsigned)nr != spec->nr_args)
		set_missing(hook, "%s takes %d arguments on this kernel, not %u", hook->target, nr,
			    spec->nr_args);
}

static bool lsm_runs_bpf(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/security/lsm", "re");
	char list[512] = "", *at = list, *name;

	if (!f || !fgets(list, sizeof(list), f))
		return false;
	while ((name = strsep(&at, ",\n")))
		if (!strcmp(name, "bpf"))
			return true;
	return false;
}

/*
 * Where the kernel can be preempted (the default from 7.0 on), a task that is put off the CPU in
 * the middle of a tracing program has that program skipped for all that run there meanwhile: a read
 * of a key may go unseen. LSM programs are not skipped since 6.2 (271de525e1d7 "bpf: Remove
 * prog->active check for bpf_lsm and bpf_iter"). That release is known by a function that came with
 * it, as its own cannot be seen; before it, a program costs less as a tracing one.
 */
static bool lsm_is_better(const struct kernel_types *types)
{
	return kernel_types_find(types, "bpf_rdonly_cast", BTF_KIND_FUNC) >= 0 && lsm_runs_bpf();
}

/* To the LSM hook, if it is there as we know it. */
static bool go_to_lsm(struct hook *hook, const struct kernel_types *types)
{
	const struct hook_spec *spec = hook->spec;
	char function[96];
	uint32_t id;

	snprintf(function, sizeof(function), "bpf_lsm_%s", spec->lsm);
	if (count_args(types, function, &id) != (int)spec->lsm_args)
		return false;
	hook->btf_id = id;
	hook->target = spec->lsm;
	return true;
}

static void check_type(struct hook *hook, const struct kernel_types *types, const char *prefix,
		       unsigned kind)
{
	char name[96];
	int id;

	snprintf(name, sizeof(name), "%s%s", prefix, hook->spec->target);
	id = kernel_types_find(types, name, kind);
	if (id < 0)
		set_missing(hook, "this kernel has no %s", name);
	else
		hook->btf_id = id;
}

static bool is_of(const struct hook *hook, enum hook_stage stage)
{
	return stage == HOOKS_NR || (hook->early ? HOOKS_EARLY : HOOKS_LATE) == stage;
}

void hooks_select(struct hooks *hooks, struct bpf_object *object, const struct kernel_types *types,
		  enum hook_stage stage, const struct hook_wishes *wishes)
{
	const bool lsm = lsm_is_better(types);

	for (size_t i = 0; i < hooks->nr; i++) {
		struct hook *hook = &hooks->items[i];
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, hook->spec->program);

		hook->early = hook->spec->early &&
			      (!hook->spec->on_demand || hook->spec->on_demand & wishes->demands);
		if (!is_of(hook, stage)) {
			if (program)
				bpf_program__set_autoload(program, false);
			continue;
		}
		if (hook->spec->needs &&
		    kernel_types_find(types, hook->spec->needs, BTF_KIND_FUNC) < 0) {
			hook->state = HOOK_NEEDLESS;
			snprintf(hook->why, sizeof(hook->why), "this kernel has no %s",
				 hook->spec->needs);
		}
		if (hook->spec->memory && !wishes->memory) {
			hook->state = HOOK_NEEDLESS;
			snprintf(hook->why, sizeof(hook->why),
				 "off: the policy's setting `memory`");
		}
		if (hook->spec->leaves && !wishes->leaves) {
			hook->state = HOOK_NEEDLESS;
			snprintf(hook->why, sizeof(hook->why),
				 "off: the policy's setting `memory`, and no entry has `on: send`");
		}
		if (hook->spec->refused && !wishes->refused) {
			hook->state = HOOK_NEEDLESS;
			snprintf(hook->why, sizeof(hook->why),
				 "off: the policy's setting `refused`");
		}
		hook->as_lsm = lsm && program && hook->spec->lsm && !hook->lsm_refused &&
			       go_to_lsm(hook, types);
		if (hook->state == HOOK_UNTRIED && !hook->as_lsm) {
			switch (hook->spec->kind) {
			case HOOK_FENTRY:
				check_fentry(hook, types);
				break;
			case HOOK_TRACEPOINT:
				check_type(hook, types, "btf_trace_", BTF_KIND_TYPEDEF);
				break;
			case HOOK_ITERATOR:
				check_type(hook, types, "bpf_iter_", BTF_KIND_FUNC);
				break;
			}
		}
		if (!program)
			set_missing(hook, "not in this build");
		else if (hook->state == HOOK_MISSING || hook->state == HOOK_NEEDLESS)
			bpf_program__set_autoload(program, false);
	}
}

int hooks_reject(struct hooks *hooks, const char *program, const char *why)
{
	for (size_t i = 0; i < hooks->nr; i++) {
		if (strcmp(hooks->items[i].spec->program, program))
			continue;
		if (hooks->items[i].state == HOOK_MISSING)
			return -EALREADY;
		if (hooks->items[i].as_lsm) { /* then as a tracing program */
			hooks->items[i].lsm_refused = true;
			hooks->items[i].target = hooks->items[i].spec->target;
			return 0;
		}
		set_missing(&hooks->items[i], "the kernel refuses the program: %s", why);
		return 0;
	}
	return -ENOENT;
}

/* The hook that `hook` stands in for is attached, or will never be: is `hook` needed? */
static bool is_spare(const struct hooks *hooks, struct hook *hook)
{
	const struct hook *first = find(hooks, hook->spec->instead_of);

	if (!first || first->state == HOOK_MISSING)
		return false;
	if (first->state == HOOK_NEEDLESS) { /* what it would stand in for is not wanted */
		hook->state = HOOK_NEEDLESS;
		snprintf(hook->why, sizeof(hook->why), "%s", first->why);
		return true;
	}
	hook->state = HOOK_SPARE;
	snprintf(hook->why, sizeof(hook->why), "%s serves",
		 first->state == HOOK_FALLBACK ? "another hook" : first->spec->target);
	return true;
}

/* 0 or negative errno. For an iterator this makes the link that the daemon reads from. */
static int attach(struct hook *hook)
{
	int fd = hook->spec->kind == HOOK_ITERATOR
			 ? bpf_link_create(hook->program, 0, BPF_TRACE_ITER, NULL)
			 : bpf_raw_tracepoint_open(NULL, hook->program);

	if (fd < 0)
		return -errno;
	hook->link = fd;
	return 0;
}

void hooks_attach(struct hooks *hooks, struct bpf_object *object, enum hook_stage stage)
{
	for (size_t i = 0; i < hooks->nr; i++) {
		struct hook *hook = &hooks->items[i];
		int r;

		if (!is_of(hook, stage) || is_spare(hooks, hook))
			continue;
		if (hook->state == HOOK_UNTRIED) {
			/* The object's own goes with it. */
			hook->program = fcntl(bpf_program__fd(bpf_object__find_program_by_name(
						      object, hook->spec->program)),
					      F_DUPFD_CLOEXEC, 3);
			if (hook->program >= 0 && hook->spec->on_demand) {
				hook->state = HOOK_OFF;
				continue;
			}
			r = hook->program < 0 ? -errno : attach(hook);
			if (!r)
				hook->state = HOOK_ATTACHED;
			else
				set_missing(hook, "%s does not attach: %s", hook->target,
					    strerror(-r));
		}
		if (hook->state == HOOK_ATTACHED && hook->spec->instead_of)
			find(hooks, hook->spec->instead_of)->state = HOOK_FALLBACK;
	}
}

void hooks_give_up(struct hooks *hooks, enum hook_stage stage, const char *why)
{
	for (size_t i = 0; i < hooks->nr; i++)
		if (is_of(&hooks->items[i], stage) && hooks->items[i].state == HOOK_UNTRIED)
			set_missing(&hooks->items[i], "%s", why);
}

int hooks_switch(struct hooks *hooks, const char *program, bool on)
{
	struct hook *hook = find(hooks, program);
	int r;

	if (!hook || hook->program < 0)
		return -EOPNOTSUPP;
	if (on == (hook->state == HOOK_ATTACHED))
		return 0;
	if (!on) {
		hook->link = fd_close(hook->link);
		hook->state = HOOK_OFF;
		hook->detached = true;
		return 0;
	}
	r = attach(hook);
	if (r < 0)
		return hook->detached ? -ESTALE : r;
	hook->state = HOOK_ATTACHED;
	if (hook->spec->instead_of)
		find(hooks, hook->spec->instead_of)->state = HOOK_FALLBACK;
	return 0;
}

uint64_t hook_skipped(const struct hook *hook)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	return hook->program < 0 || bpf_obj_get_info_by_fd(hook->program, &info, &len)
		       ? 0
		       : info.recursion_misses;
}

const struct hook *hooks_find(const struct hooks *hooks, const char *program)
{
	return find(hooks, program);
}
