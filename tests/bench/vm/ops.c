// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What single operations cost, on a guest whose clock counts instructions (docs/performance.md).
 *
 *	ops run LABEL WATCHED-DIR [--mode kernel|agent] [--pid PID]... [--only a,b] [--but a,b]
 *	ops burst N FILE...        two processes, a CPU each, open the files N times in all
 *	ops tree DIR FIRST NR      files to be watched, a thousand to a directory
 *
 * Each operation is done in batches that are shorter than the kernel's tick. Printed per operation:
 *
 *	LABEL MODE NAME OPS QUARTILE MEAN AGENT
 *
 * QUARTILE is the first quartile of the batches, in ns for one operation: what it costs in itself,
 * with no timer interrupt in it. MEAN is over all the time that passed, and, with --pid, the work
 * that these processes still had to do for it afterwards; AGENT is how much of MEAN the processes
 * ran. --mode kernel stops the processes meanwhile, so that only what happens in the kernel is
 * counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DIR_FILES   1000 /* watched files in a directory, see tree() */
#define VARIED	    64
#define PIDS_MAX    8
#define BATCHES	    100
#define QUIET_MS    250 /* more than two periods of the daemon's timer */
#define IDLE_MS	    2000
#define BATCHES_MAX 256

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void must(bool good, const char *what)
{
	if (!good)
		die(what);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void sleep_ms(unsigned ms)
{
	struct timespec ts = {ms / 1000, (ms % 1000) * 1000000L};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

/* --- operations --------------------------------------------------------------------------------
 */

static char varied[VARIED][64], watched[10][256], absent[280];
static int file_fd, write_fd, unix_pair[2], tcp_pair[2], listener;
static struct sockaddr_in listen_addr;
static unsigned turn;

static void open_read_close(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY);

	must(fd >= 0 && read(fd, &byte, 1) == 1, path);
	close(fd);
}

static void op_open(void)
{
	open_read_close("/bench/plain/file");
}

static void op_open_varied(void)
{
	open_read_close(varied[turn++ % VARIED]);
}

static void op_watched_open(void)
{
	open_read_close(watched[turn++ % ARRAY_SIZE(watched)]);
}

/* Search paths are gone through so. */
static void op_absent(void)
{
	must(open("/bench/plain/d00/e00/none", O_RDONLY | O_CLOEXEC) < 0, "nothing there");
}

static void op_watched_absent(void)
{
	must(open(absent, O_RDONLY | O_CLOEXEC) < 0, "nothing there");
}

/* With two more system calls, so that the bits refuse. */
static void op_watched_refused(void)
{
	setfsuid(1);
	must(open(watched[0], O_RDONLY | O_CLOEXEC) < 0, "refused");
	setfsuid(0);
}

static void op_pread(void)
{
	char byte;

	must(pread(file_fd, &byte, 1, 0) == 1, "pread");
}

static void op_write(void)
{
	must(pwrite(write_fd, "x", 1, 0) == 1, "pwrite");
}

static void op_write_close(void)
{
	int fd = open("/bench/plain/out", O_WRONLY);

	must(fd >= 0 && write(fd, "x", 1) == 1, "write");
	close(fd);
}

static void reap(pid_t pid)
{
	int status;

	must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "child");
}

static void op_vfork_exec(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl("/kt/bench/nothing", "nothing", (char *)NULL);
		_exit(127);
	}
	reap(pid);
}

static void op_fork_exec(void)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/kt/bench/nothing", "nothing", (char *)NULL);
		_exit(127);
	}
	reap(pid);
}

static void op_rename(void)
{
	must(!rename("/bench/plain/a", "/bench/plain/b"), "rename");
	must(!rename("/bench/plain/b", "/bench/plain/a"), "rename");
}

static void op_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), other;
	const struct linger at_once = {1, 0}; /* or ports run out */

	must(fd >= 0 && !connect(fd, (void *)&listen_addr, sizeof(listen_addr)), "connect");
	other = accept(listener, NULL, NULL);
	must(other >= 0, "accept");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	close(other);
}

static void send_byte(const int pair[2])
{
	char byte = 'x';

	must(send(pair[0], &byte, 1, 0) == 1 && recv(pair[1], &byte, 1, 0) == 1, "send");
}

static void op_send_unix(void)
{
	send_byte(unix_pair);
}

static void op_send_tcp(void)
{
	send_byte(tcp_pair);
}

static void op_stat(void)
{
	struct stat st;

	must(!stat("/bench/plain/file", &st), "stat");
}

static void op_mmap(void)
{
	volatile char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file_fd, 0);

	must(p != MAP_FAILED, "mmap");
	(void)p[0];
	munmap((void *)p, 4096);
}

static void run_program(const char *const argv[])
{
	pid_t pid = vfork();

	if (!pid) {
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	reap(pid);
}

static void op_ps(void)
{
	static const char *const argv[] = {"/bin/sh", "-c", "ps >/dev/null", NULL};

	run_program(argv);
}

static void op_compile(void)
{
	char name[64];
	const char *const argv[] = {"/kt/bench/tcc", "-c", "-o", "/bench/c/out.o", name, NULL};

	snprintf(name, sizeof(name), "/bench/c/f%03u.c", turn++ % 200);
	run_program(argv);
}

static const struct op {
	const char *name;
	void (*run)(void);
	unsigned per_batch, batches; /* a batch below 4 ms, the tick */
} ops[] = {
	{"open", op_open, 60, BATCHES},
	{"open-varied", op_open_varied, VARIED, BATCHES},
	{"absent", op_absent, 100, BATCHES},
	{"watched-absent", op_watched_absent, 60, BATCHES},
	{"watched-refused", op_watched_refused, 40, BATCHES},
	{"pread", op_pread, 500, BATCHES},
	{"write", op_write, 400, BATCHES},
	{"write-close", op_write_close, 60, BATCHES},
	{"stat", op_stat, 100, BATCHES},
	{"mmap", op_mmap, 60, BATCHES},
	{"rename", op_rename, 20, BATCHES},
	{"connect", op_connect, 5, BATCHES},
	{"send-unix", op_send_unix, 100, BATCHES},
	{"send-tcp", op_send_tcp, 40, BATCHES},
	{"vfork-exec", op_vfork_exec, 3, 100},
	{"fork-exec", op_fork_exec, 3, 100},
	{"ps", op_ps, 1, 10},
	{"compile", op_compile, 1, 100},
	/* From here on this process has read watched files, and is treated as one that has. */
	{"watched-open", op_watched_open, 20, 100},
	{"holder-vfork-exec", op_vfork_exec, 3, 100},
};

static int listen_on_loopback(void)
{
	socklen_t len = sizeof(listen_addr);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	listen_addr.sin_family = AF_INET;
	listen_addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return listener < 0 || bind(listener, (void *)&listen_addr, len) || listen(listener, 8) ||
	       getsockname(listener, (void *)&listen_addr, &len);
}

static void prepare(const char *watched_dir)
{
	for (unsigned i = 0; i < VARIED; i++)
		snprintf(varied[i], sizeof(varied[i]), "/bench/plain/d%02u/e%02u/f%02u", i % 8,
			 i / 8, i);
	for (unsigned i = 0; i < ARRAY_SIZE(watched); i++)
		snprintf(watched[i], sizeof(watched[i]), "%s/d000/k%03u", watched_dir, i);
	snprintf(absent, sizeof(absent), "%s/d000/none", watched_dir);
	chmod(watched[0], 0600);
	file_fd = open("/bench/plain/file", O_RDONLY | O_CLOEXEC);
	write_fd = open("/bench/plain/out", O_WRONLY | O_CLOEXEC);
	must(file_fd >= 0 && write_fd >= 0, "/bench/plain");
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, unix_pair), "socketpair");
	must(!listen_on_loopback(), "listen");
	tcp_pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(!connect(tcp_pair[0], (void *)&listen_addr, sizeof(listen_addr)), "connect");
	tcp_pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	must(tcp_pair[1] >= 0, "accept");
}

/* --- measuring ---------------------------------------------------------------------------------
 */

static pid_t pids[PIDS_MAX];
static unsigned nr_pids;

/* What the monitor's processes ran until now, ns. */
static uint64_t agent_ns(void)
{
	unsigned long long ran, sum = 0;
	char path[64];

	for (unsigned i = 0; i < nr_pids; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/schedstat", pids[i]);
		f = fopen(path, "re");
		must(f && fscanf(f, "%llu", &ran) == 1, path);
		fclose(f);
		sum += ran;
	}
	return sum;
}

static void signal_agent(int number)
{
	for (unsigned i = 0; i < nr_pids; i++)
		must(!kill(pids[i], number), "kill");
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* idle: what the monitor runs in a second in which nothing happens, ns */
static void measure(const struct op *op, const char *label, const char *mode, double idle)
{
	bool stopped = nr_pids && !strcmp(mode, "kernel");
	uint64_t spent[BATCHES_MAX], began, agent_before, agent_after;
	double total = 0, agent, n = (double)op->per_batch * op->batches;

	for (int warm = 0; warm < 2; warm++)
		op->run();
	if (nr_pids)
		sleep_ms(QUIET_MS);
	if (stopped)
		signal_agent(SIGSTOP);
	agent_before = agent_ns();
	began = now_ns();
	for (unsigned b = 0; b < op->batches; b++) {
		uint64_t from = now_ns();

		for (unsigned i = 0; i < op->per_batch; i++)
			op->run();
		spent[b] = now_ns() - from;
		total += spent[b];
	}
	if (stopped)
		signal_agent(SIGCONT);
	agent_after = agent_ns();
	agent = agent_after - agent_before;
	if (nr_pids && !stopped) {
		uint64_t until;

		sleep_ms(QUIET_MS);
		until = now_ns();
		/* What it still had to do, less what it does anyway. */
		agent_after = agent_ns() - agent_after;
		total += agent_after;
		agent += agent_after;
		total -= idle * (QUIET_MS / 1000.0);
		agent -= idle * ((until - began) / 1e9);
	}
	if (stopped) {
		agent = 0;
		sleep_ms(QUIET_MS);
	}
	qsort(spent, op->batches, sizeof(spent[0]), compare);
	printf("%s %s %s %.0f %.1f %.1f %.1f\n", label, mode, op->name, n,
	       (double)spent[op->batches / 4] / op->per_batch, total / n, agent / n);
	fflush(stdout);
}

static bool in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at = strchr(at, ','), at = at ? at + 1 : NULL)
		if (!strncmp(at, name, len) && (at[len] == ',' || !at[len]))
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	const char *label = argv[0], *mode = "kernel", *only = NULL, *but = "";
	double idle = 0;

	for (int i = 2; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--mode"))
			mode = argv[i + 1];
		else if (!strcmp(argv[i], "--pid") && nr_pids < PIDS_MAX)
			pids[nr_pids++] = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--only"))
			only = argv[i + 1];
		else if (!strcmp(argv[i], "--but"))
			but = argv[i + 1];
	}
	prepare(argv[1]);
	if (nr_pids && strcmp(mode, "kernel")) {
		uint64_t before;

		sleep_ms(QUIET_MS);
		before = agent_ns();
		sleep_ms(IDLE_MS);
		idle = (agent_ns() - before) * 1000.0 / IDLE_MS;
		printf("%s %s idle 1 %.1f %.1f %.1f\n", label, mode, idle, idle, idle);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if ((!only || in_list(only, ops[i].name)) && !in_list(but, ops[i].name))
			measure(&ops[i], label, mode, idle);
	return 0;
}

/* --- other uses --------------------------------------------------------------------------------
 */

static int tree(const char *dir, unsigned first, unsigned nr)
{
	char path[512];

	mkdir(dir, 0755);
	for (unsigned i = first; i < first + nr; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/d%03u", dir, i / DIR_FILES);
		if (i == first || i % DIR_FILES == 0)
			mkdir(path, 0755);
		snprintf(path, sizeof(path), "%s/d%03u/k%03u", dir, i / DIR_FILES, i % DIR_FILES);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		must(fd >= 0 && write(fd, "secret\n", 7) == 7, path);
		close(fd);
	}
	return 0;
}

static int burst(unsigned n, char **files, unsigned nr_files)
{
	uint64_t began = now_ns();
	pid_t children[2];

	for (unsigned c = 0; c < 2; c++) {
		children[c] = fork();
		must(children[c] >= 0, "fork");
		if (children[c])
			continue;
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(c, &set);
		sched_setaffinity(0, sizeof(set), &set);
		for (unsigned i = 0; i < n / 2; i++) {
			int fd = open(files[i % nr_files], O_RDONLY);

			must(fd >= 0, files[i % nr_files]);
			close(fd);
		}
		_exit(0);
	}
	reap(children[0]);
	reap(children[1]);
	printf("burst %u %.3f\n", n / 2 * 2, (now_ns() - began) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && !strcmp(argv[1], "run"))
		return run(argc - 2, argv + 2);
	if (argc == 5 && !strcmp(argv[1], "tree"))
		return tree(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc >= 4 && !strcmp(argv[1], "burst"))
		return burst(atoi(argv[2]), argv + 3, argc - 3);
	fprintf(stderr, "usage: ops run|burst|tree ...\n");
	return 2;
}
