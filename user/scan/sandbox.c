// SPDX-License-Identifier: GPL-2.0-or-later
/* The walls around the scan child, from the widest to the narrowest. */
#include "scan/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/child.h"
#include "base/cleanup.h"

/* AddressSanitizer reserves 20 TiB of address space and locks none of it. */
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#else
#define ADDRESS_SANITIZER 0
#endif

/* Of linux/landlock.h up to ABI 6; the header of the build machine may be older than the kernel. */
struct landlock_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

/* Nothing of the file system, no TCP port, no abstract socket, no signal to others. */
static bool enter_landlock(void)
{
	static const unsigned fs_bits[] = {0, 13, 14, 15, 15, 16};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* version */);
	struct landlock_attr attr = {0};
	size_t size = sizeof(attr.handled_access_fs);
	_cleanup_close_ int fd = -1;

	if (abi < 1)
		return false;
	attr.handled_access_fs = (1U << fs_bits[abi < 5 ? abi : 5]) - 1;
	if (abi >= 4) {
		attr.handled_access_net = 3;
		size = offsetof(struct landlock_attr, scoped);
	}
	if (abi >= 6) {
		attr.scoped = 3;
		size = sizeof(attr);
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	return fd >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}

/*
 * False where it is not allowed: no CAP_SETUID, or a user namespace that has no such user. The
 * other layers do not rest on it.
 */
static bool leave_root(const struct child_user *user)
{
	return child_leave_root(user) == 0;
}

static int drop_capabilities(void)
{
	capng_clear(CAPNG_SELECT_ALL);
	/* The ambient set goes with the permitted one. */
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

static int limit(int what, rlim_t value)
{
	/* SIGXCPU first, which says what it was. */
	struct rlimit rl = {value, what == RLIMIT_CPU ? value + 5 : value};
	struct rlimit now;

	if (getrlimit(what, &now) == 0 && now.rlim_max < rl.rlim_max)
		rl.rlim_max = now.rlim_max;
	if (rl.rlim_cur > rl.rlim_max)
		rl.rlim_cur = rl.rlim_max;
	return setrlimit(what, &rl) == 0 ? 0 : -errno;
}

static int set_limits(const struct scan_limits *limits)
{
	const struct {
		int what;
		rlim_t value;
	} table[] = {
		{RLIMIT_CPU, limits->cpu_seconds},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_NOFILE, 4},
		{RLIMIT_CORE, 0},
		{RLIMIT_MSGQUEUE, 0},
		{RLIMIT_AS, limits->memory}, /* the last, and not under AddressSanitizer */
	};

	for (size_t i = 0; i < ARRAY_SIZE(table) - ADDRESS_SANITIZER; i++) {
		int err = limit(table[i].what, table[i].value);

		if (err < 0)
			return err;
	}
	return 0;
}

/* While it is still allowed to raise the limit: a lock of what comes later must not fail an mmap.
 */
static bool lock_memory(const struct scan_limits *limits)
{
	struct rlimit rl = {limits->memory, limits->memory};

	if (ADDRESS_SANITIZER)
		return false;
	return setrlimit(RLIMIT_MEMLOCK, &rl) == 0 &&
	       mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

static int allow(scmp_filter_ctx filter, bool refuse_files)
{
	static const int plain[] = {
		SCMP_SYS(lseek),	  SCMP_SYS(exit_group),
		SCMP_SYS(exit),		  SCMP_SYS(brk),
		SCMP_SYS(munmap),	  SCMP_SYS(mremap),
		SCMP_SYS(madvise),	  SCMP_SYS(futex),
		SCMP_SYS(getrandom),	  SCMP_SYS(clock_gettime),
		SCMP_SYS(gettimeofday),	  SCMP_SYS(getpid),
		SCMP_SYS(gettid),	  SCMP_SYS(mlock),
		SCMP_SYS(munlock),	  SCMP_SYS(rt_sigreturn),
		SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack),
		SCMP_SYS(sched_yield),	  SCMP_SYS(restart_syscall),
		SCMP_SYS(sysinfo), /* qsort() asks how much memory it may take */
	};
	static const int refused[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access),
				      SCMP_SYS(stat), SCMP_SYS(newfstatat)};
	static const int reads[] = {SCMP_SYS(read), SCMP_SYS(pread64)};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(plain) && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain[i], 0);
	for (size_t i = 0; refuse_files && i < ARRAY_SIZE(refused) && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOENT), refused[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(reads) && !err; i++) {
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, reads[i], 1,
				       SCMP_A0(SCMP_CMP_EQ, 0));
		if (!err)
			err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, reads[i], 1,
					       SCMP_A0(SCMP_CMP_EQ, 3));
	}
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
				       SCMP_A0(SCMP_CMP_EQ, 1));
	/* The sensor watches who maps a key file: memory yes, files no. And nothing executable. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				       SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

static int enter_seccomp(bool refuse_files)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = -ENOMEM;

	if (filter) {
		/* All threads at once. */
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
		if (!err)
			err = allow(filter, refuse_files);
		if (!err)
			err = seccomp_load(filter);
		seccomp_release(filter);
	}
	return err;
}

int scan_sandbox_enter(const struct scan_limits *limits, unsigned *out_layers)
{
	const struct child_user user = child_user(); /* while files can be opened */
	unsigned layers = 0;
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (lock_memory(limits))
		layers |= SCAN_LAYER_MLOCK;
	if (enter_landlock())
		layers |= SCAN_LAYER_LANDLOCK;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS) == 0)
		layers |= SCAN_LAYER_BOUNDING;
	if (leave_root(&user))
		layers |= SCAN_LAYER_USER;
	err = drop_capabilities();
	if (!err)
		err = set_limits(limits);
	/* A change of user resets both of these. */
	if (!err && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		     prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0))
		err = -errno;
	if (!err && limits->threads)
		err = limits->threads(limits->userdata);
	if (!err)
		err = limit(RLIMIT_NPROC, 0);
	if (!err)
		err = enter_seccomp(limits->refuse_files);
	if (!err && out_layers)
		*out_layers = layers;
	return err;
}
