// SPDX-License-Identifier: GPL-2.0-or-later
/* Shuts the process in that searches. */
#include "search/shut.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"

#define FS_TRUNCATE (1ULL << 14) /* LANDLOCK_ACCESS_FS_TRUNCATE, of 6.2 */
/* Of what it allocates: directories (search/search.h), files that were seen, and what else a
 * program needs. Beyond, allocations fail, which is told as a bound. */
#define MEMORY (256UL << 20)

/* AddressSanitizer has more of that than anybody would allow. */
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#else
#define ADDRESS_SANITIZER 0
#endif

static int keep_two_capabilities(void)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_READ_SEARCH,
			  CAP_FOWNER, -1) < 0)
		return -EPERM;
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

static int leave_root(void)
{
	const struct child_user user = child_user();
	int err;

	if (geteuid() != 0)
		return 0; /* a test: there is nothing to leave */
	/* The bounding set while there is the right to. */
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -EPERM;
	err = child_leave_root(&user);
	return err ? err : keep_two_capabilities();
}

/*
 * Reading is left, of everything: openat2() cannot be asked by the filter below how it opens, and
 * other users let anybody write to some files. Landlock is not on every kernel; without it the
 * user and the limits remain.
 */
static int enter_landlock(void)
{
	const long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = {.handled_access_fs = (1U << 13) - 1}; /* version 1 */
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	};
	_cleanup_close_ int root = -1, fd = -1;

	if (version < 0)
		return 0;
	if (version >= 3)
		attr.handled_access_fs |= FS_TRUNCATE;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	beneath.parent_fd = root;
	if (fd < 0 || root < 0 ||
	    syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return -errno;
	return 0;
}

static int set_limits(void)
{
	static const struct {
		int what;
		rlim_t value;
	} table[] = {
		{RLIMIT_FSIZE, 0},   {RLIMIT_CORE, 0},	   {RLIMIT_NPROC, 0},
		{RLIMIT_NOFILE, 64}, {RLIMIT_MSGQUEUE, 0}, {RLIMIT_DATA, MEMORY}, /* the last */
	};

	for (size_t i = 0; i < ARRAY_SIZE(table) - ADDRESS_SANITIZER; i++) {
		const struct rlimit limit = {table[i].value, table[i].value};

		if (setrlimit(table[i].what, &limit) < 0)
			return -errno;
	}
	return 0;
}

/* openat2() cannot be asked how it opens; that nothing is written is Landlock's, the user's and the
 * limits'. */
static int allow(scmp_filter_ctx filter)
{
	static const int plain[] = {
		SCMP_SYS(openat2),
		SCMP_SYS(close),
		SCMP_SYS(getdents64),
		SCMP_SYS(statx),
		SCMP_SYS(newfstatat),
		SCMP_SYS(fstat),
		SCMP_SYS(lseek),
		SCMP_SYS(read),
		SCMP_SYS(pread64),
		SCMP_SYS(fadvise64),
		SCMP_SYS(fcntl),
		SCMP_SYS(sendto),
		SCMP_SYS(recvfrom),
		SCMP_SYS(clock_gettime),
		SCMP_SYS(clock_nanosleep),
		SCMP_SYS(nanosleep),
		SCMP_SYS(time),
		SCMP_SYS(gettimeofday),
		SCMP_SYS(brk),
		SCMP_SYS(munmap),
		SCMP_SYS(mremap),
		SCMP_SYS(madvise),
		SCMP_SYS(futex),
		SCMP_SYS(getrandom),
		SCMP_SYS(getpid),
		SCMP_SYS(gettid),
		SCMP_SYS(exit_group),
		SCMP_SYS(exit),
		SCMP_SYS(rt_sigreturn),
		SCMP_SYS(rt_sigprocmask),
		SCMP_SYS(sigaltstack),
		SCMP_SYS(restart_syscall),
		SCMP_SYS(sched_yield),
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(plain) && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain[i], 0);
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC,
					       O_RDONLY));
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				       SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

static int enter_seccomp(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = -ENOMEM;

	if (!filter)
		return err;
	err = allow(filter);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

int shut_in(void)
{
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	err = leave_root();
	if (!err)
		err = enter_landlock();
	if (!err)
		err = set_limits();
	/* A change of user resets both of these. */
	if (!err && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		     prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0))
		err = -errno;
	return err ? err : enter_seccomp();
}
