// SPDX-License-Identifier: GPL-2.0-or-later
/* The walls around librpm. */
#include "rpm-child/walls.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"

#define MEMORY	  (1024UL << 20) /* of addresses: what a database maps counts */
#define CPU_S	  10
#define FILES_MAX 32

/* AddressSanitizer reserves 20 TiB of address space. */
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#else
#define ADDRESS_SANITIZER 0
#endif

/* Directories can be looked at all the same, which librpm does to see whether two names are one. */
static bool enter_landlock(const char *dir)
{
	/* All rights of the first version: later ones only add. */
	const struct landlock_ruleset_attr attr = {.handled_access_fs = (1U << 13) - 1};
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	};
	_cleanup_close_ int place = -1;
	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd < 0)
		return false;
	place = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	beneath.parent_fd = place;
	return place >= 0 &&
	       syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0 &&
	       syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}

static int set_limits(void)
{
	static const struct {
		int what;
		rlim_t value;
	} table[] = {
		{RLIMIT_CPU, CPU_S},	    {RLIMIT_FSIZE, 0},	  {RLIMIT_CORE, 0},
		{RLIMIT_NOFILE, FILES_MAX}, {RLIMIT_MSGQUEUE, 0}, {RLIMIT_NPROC, 0},
		{RLIMIT_AS, MEMORY}, /* the last, and not under AddressSanitizer */
	};

	for (size_t i = 0; i < ARRAY_SIZE(table) - ADDRESS_SANITIZER; i++) {
		const struct rlimit rl = {table[i].value, table[i].value};

		if (setrlimit(table[i].what, &rl) < 0)
			return -errno;
	}
	return 0;
}

static int allow(scmp_filter_ctx filter)
{
	static const int plain[] = {
		SCMP_SYS(read),
		SCMP_SYS(pread64),
		SCMP_SYS(lseek),
		SCMP_SYS(close),
		SCMP_SYS(fstat),
		SCMP_SYS(newfstatat),
		SCMP_SYS(stat),
		SCMP_SYS(lstat),
		SCMP_SYS(statx),
		SCMP_SYS(access),
		SCMP_SYS(faccessat),
		SCMP_SYS(faccessat2),
		SCMP_SYS(readlink),
		SCMP_SYS(readlinkat),
		SCMP_SYS(getdents64),
		SCMP_SYS(getcwd),
		SCMP_SYS(fcntl),
		SCMP_SYS(flock),
		SCMP_SYS(brk),
		SCMP_SYS(munmap),
		SCMP_SYS(mremap),
		SCMP_SYS(madvise),
		SCMP_SYS(fstatfs),
		SCMP_SYS(statfs),
		SCMP_SYS(futex),
		SCMP_SYS(getrandom),
		SCMP_SYS(clock_gettime),
		SCMP_SYS(gettimeofday),
		SCMP_SYS(time),
		SCMP_SYS(clock_nanosleep),
		SCMP_SYS(nanosleep),
		SCMP_SYS(getpid),
		SCMP_SYS(gettid),
		SCMP_SYS(getuid),
		SCMP_SYS(geteuid),
		SCMP_SYS(getgid),
		SCMP_SYS(getegid),
		SCMP_SYS(rt_sigaction),
		SCMP_SYS(rt_sigprocmask),
		SCMP_SYS(rt_sigreturn),
		SCMP_SYS(rt_sigpending),
		SCMP_SYS(sigaltstack),
		SCMP_SYS(umask),
		SCMP_SYS(uname),
		SCMP_SYS(sysinfo),
		SCMP_SYS(sched_yield),
		SCMP_SYS(sched_getaffinity),
		SCMP_SYS(rseq),
		SCMP_SYS(exit),
		SCMP_SYS(exit_group),
	};
	static const uint64_t changes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_PATH;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(plain) && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain[i], 0);
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, changes, 0));
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, changes, 0));
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
				       SCMP_A0(SCMP_CMP_EQ, 1));
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

/* Refused, not killed for: which calls librpm and SQLite try is up to their versions, and most of
 * them can do without. */
static int enter_seccomp(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = -ENOMEM;

	if (filter) {
		err = allow(filter);
		if (!err)
			err = seccomp_load(filter);
		seccomp_release(filter);
	}
	return err;
}

int walls_enter(const char *dir)
{
	const struct child_user user = child_user(); /* while files can be opened */
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	(void)enter_landlock(dir);
	capng_clear(CAPNG_SELECT_BOUNDS);
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	if (geteuid() == 0 && child_leave_root(&user) < 0)
		return -EPERM;
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	err = set_limits();
	/* A change of user resets both of these. */
	if (!err && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		     prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0))
		err = -errno;
	return err ? err : enter_seccomp();
}
