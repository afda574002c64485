// SPDX-License-Identifier: GPL-2.0-or-later
/* The walls around the scan child, from inside: what must die does, what must work does. */
#include "base/child.h"
#include "scan/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"

static const struct scan_limits limits = {.memory = 256 << 20, .cpu_seconds = 5};

/* Runs `f` in a child of its own behind the walls; its wait status. */
static int inside(int (*f)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		for (int fd = 0; fd <= 3; fd++)
			dup2(null, fd);
		close_range(4, ~0U, 0);
		if (scan_sandbox_enter(&limits, NULL) < 0)
			_exit(99);
		_exit(f());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int try_open(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}
static int try_openat2(void)
{
	return syscall(437, AT_FDCWD, "/etc/passwd", NULL, 0) >= 0;
}
static int try_stat(void)
{
	return access("/etc/shadow", R_OK) == 0;
}
static int try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}
static int try_unix(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0) >= 0;
}
static int try_fork(void)
{
	return fork() >= 0;
}
static int try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}
static int try_kill(void)
{
	return syscall(SYS_kill, 1, 0) == 0;
}
static int try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1) == 0;
}
static int try_dup(void)
{
	return dup(0) >= 0;
}
static int try_setuid(void)
{
	return syscall(SYS_setuid, 0) == 0;
}
static int try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0) >= 0;
}
static int try_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) >= 0;
}
static int try_vm_read(void)
{
	return syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0) >= 0;
}
static int try_ioctl(void)
{
	return syscall(SYS_ioctl, 0, 0x5401, NULL) >= 0;
}
static int try_write_elsewhere(void)
{
	return write(2, "x", 1) == 1;
}
static int try_read_elsewhere(void)
{
	char c;

	return read(1, &c, 1) >= 0;
}
static int try_exec(void)
{
	char *argv[] = {(char *)"true", NULL};

	return execve("/bin/true", argv, argv + 1) == 0;
}
static int try_map_file(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0) != MAP_FAILED;
}
static int try_map_exec(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}
static int try_protect_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}
#if defined(__x86_64__)
/* The old gate has other numbers: 5 is open there. */
static int try_int80(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(5L), "b"(0L), "c"(0L), "d"(0L) : "memory");
	return r >= 0;
}
#endif

static void what_the_child_does_not_need_kills_it(void **state)
{
	static const struct {
		const char *name;
		int (*f)(void);
	} cases[] = {
		{"open", try_open},
		{"openat2", try_openat2},
		{"access", try_stat},
		{"socket inet", try_socket},
		{"socket unix", try_unix},
		{"fork", try_fork},
		{"ptrace", try_ptrace},
		{"kill", try_kill},
		{"prctl dumpable", try_prctl},
		{"dup", try_dup},
		{"setuid", try_setuid},
		{"bpf", try_bpf},
		{"io_uring", try_uring},
		{"process_vm_readv", try_vm_read},
		{"ioctl", try_ioctl},
		{"write to 2", try_write_elsewhere},
		{"read from 1", try_read_elsewhere},
		{"execve", try_exec},
		{"mmap of a file", try_map_file},
		{"mmap exec", try_map_exec},
		{"mprotect exec", try_protect_exec},
#if defined(__x86_64__)
		{"int 0x80", try_int80},
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = inside(cases[i].f);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: not killed by seccomp, status %x", cases[i].name,
				 (unsigned)status);
	}
}

static int do_work(void)
{
	char c;
	uint8_t *p = malloc(8 << 20);

	if (!p || read(0, &c, 1) != 0 || pread(3, &c, 1, 0) != 0 || write(1, "x", 1) != 1)
		return 1;
	memset(p, 1, 8 << 20);
	p = realloc(p, 16 << 20);
	free(p);
	return p ? 0 : 2;
}

static void what_the_child_needs_works(void **state)
{
	assert_int_equal(inside(do_work), 0);
}

static void burn_cpu(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static void the_cpu_limit_ends_a_loop(void **state)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct scan_limits one = {.memory = 256 << 20, .cpu_seconds = 1};

		if (scan_sandbox_enter(&one, NULL) < 0)
			_exit(99);
		burn_cpu();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL);
}

#if !defined(__SANITIZE_ADDRESS__)
static int want_much(void)
{
	return malloc(512 << 20) != NULL;
}

static void the_memory_limit_fails_an_allocation(void **state)
{
	assert_int_equal(inside(want_much), 0);
}
#endif

/* /proc/PID/status of a process that stands behind the walls until it is let go. */
static void read_status(pid_t pid, char *out, size_t size)
{
	char path[64];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
}

static void a_process_inside_has_no_privilege_and_cannot_be_dumped(void **state)
{
	char status[4096], line[64], path[64];
	unsigned layers = 0;
	int go[2], ready[2], st;
	struct stat sb;
	pid_t pid;
	char c;

	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		int key = dup(go[0]), result = dup(ready[1]);

		dup2(key, 0);
		dup2(result, 1);
		close_range(4, ~0U, 0);
		close(go[1] == 3 ? 3 : go[1]);
		if (scan_sandbox_enter(&limits, &layers) < 0)
			_exit(99);
		c = (char)layers;
		if (write(1, &c, 1) != 1 || read(0, &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	layers = (unsigned char)c;
	read_status(pid, status, sizeof(status));
	assert_non_null(strstr(status, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(status, "Seccomp:\t2\n"));
	assert_non_null(strstr(status, "CapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(status, "CapEff:\t0000000000000000\n"));
	assert_non_null(strstr(status, "CapInh:\t0000000000000000\n"));
	assert_non_null(strstr(status, "CapAmb:\t0000000000000000\n"));
	if (layers & SCAN_LAYER_BOUNDING)
		assert_non_null(strstr(status, "CapBnd:\t0000000000000000\n"));
	if (layers & SCAN_LAYER_USER) {
		const unsigned uid = child_user().uid;

		snprintf(line, sizeof(line), "Uid:\t%u\t%u\t%u\t%u\n", uid, uid, uid, uid);
		assert_non_null(strstr(status, line));
		assert_non_null(strstr(status, "Groups:\t \n"));
	}
	/* As root all of these can be had; what is missing then is a bug. Landlock is the kernel's.
	 */
	if (geteuid() == 0)
		assert_true((layers & (SCAN_LAYER_USER | SCAN_LAYER_BOUNDING)) ==
			    (SCAN_LAYER_USER | SCAN_LAYER_BOUNDING));
	assert_true(!!(layers & SCAN_LAYER_LANDLOCK) ==
		    (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0));
	/* Not dumpable: its files in /proc belong to root, whoever it runs as. */
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_uid, 0);
	snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	FILE *f = fopen(path, "r");
	bool core = false, fsize = false;

	assert_non_null(f);
	while (fgets(status, sizeof(status), f)) {
		core |= sscanf(status, "Max core file size %1[0] %63s", line, line) == 2;
		fsize |= sscanf(status, "Max file size %1[0] %63s", line, line) == 2;
	}
	fclose(f);
	assert_true(core && fsize);
	close(go[1]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	close(go[0]);
	close(ready[0]);
}

static void a_crash_inside_leaves_no_core(void **state)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		volatile int *nowhere =
			mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		struct rlimit core = {RLIM_INFINITY, RLIM_INFINITY};

		setrlimit(RLIMIT_CORE, &core);
		signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would use forbidden calls */
		if (scan_sandbox_enter(&limits, NULL) < 0)
			_exit(99);
		*nowhere = 1;
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_false(WCOREDUMP(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_child_does_not_need_kills_it),
		cmocka_unit_test(what_the_child_needs_works),
		cmocka_unit_test(the_cpu_limit_ends_a_loop),
#if !defined(__SANITIZE_ADDRESS__)
		cmocka_unit_test(the_memory_limit_fails_an_allocation),
#endif
		cmocka_unit_test(a_process_inside_has_no_privilege_and_cannot_be_dumped),
		cmocka_unit_test(a_crash_inside_leaves_no_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
