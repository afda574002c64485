// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs one command in a guest and carries its streams to the host over virtio-serial ports.
 *
 *	agent [--pty] COMMAND [ARG]...
 *
 * Ports, by name: kt.out and kt.err (the command's output), kt.in (input of --pty), kt.ctl (what
 * becomes of the command: "start", then "exit N", N being 128+SIGNAL if a signal ended it; with
 * --pty the host may say "size ROWS COLUMNS", and when its patience ends "hang": then the console
 *is told what every process is doing).
 *
 * The command writes into pipes, not into the ports: a port can be opened by one process only, so
 * that `echo >/dev/stderr` would fail. What the pipes hold when the command has ended is still
 * delivered; children that it left behind and that keep the pipes open are not waited for.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORTS "/sys/class/virtio-ports"

enum { EXIT_NO_PORT = 120, EXIT_INTERNAL = 121 };

static void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(EXIT_INTERNAL);
}

/* Opens the port of this name; it need not be there yet when the guest is early. */
static int open_port(const char *name)
{
	for (int tries = 0; tries < 500; tries++) {
		DIR *dir = opendir(PORTS);
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			char path[600], found[64] = "";
			FILE *file;

			snprintf(path, sizeof(path), PORTS "/%s/name", entry->d_name);
			file = fopen(path, "re");
			if (!file)
				continue;
			if (!fgets(found, sizeof(found), file))
				found[0] = '\0';
			fclose(file);
			found[strcspn(found, "\n")] = '\0';
			if (strcmp(found, name) != 0)
				continue;
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			int fd = open(path, O_RDWR | O_CLOEXEC);
			if (fd >= 0) {
				closedir(dir);
				return fd;
			}
		}
		if (dir)
			closedir(dir);
		usleep(10000);
	}
	fprintf(stderr, "agent: no port %s\n", name);
	exit(EXIT_NO_PORT);
}

static void put(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* the host has gone: nobody is left to tell */
		bytes += n;
		size -= n;
	}
}

/* Carries what is there from one descriptor to another. False at the end of the stream. */
static bool carry(int from, int to)
{
	char bytes[16384];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n > 0)
		put(to, bytes, n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void drain(int from, int to)
{
	struct pollfd ready = {.fd = from, .events = POLLIN};

	while (from >= 0 && poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN))
		if (!carry(from, to))
			break;
}

static void make_pipe(int *out_read, int *out_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe");
	*out_read = ends[0];
	*out_write = ends[1];
}

static int open_pty(char *name, size_t size)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, name, size) != 0)
		die("pty");
	return master;
}

static void run_child(char **argv, const sigset_t *mask, int out, int err, const char *pty)
{
	int in;

	setsid();
	if (pty) {
		in = out = err = open(pty, O_RDWR);
		if (in >= 0)
			ioctl(in, TIOCSCTTY, 0);
	} else {
		in = open("/dev/null", O_RDONLY);
	}
	if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(EXIT_INTERNAL);
	if (in > 2)
		close(in);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* First line of /proc/PID/NAME, NUL bytes as spaces; "" if there is none. */
static void read_line(const char *pid, const char *name, char *line, size_t size)
{
	char path[300];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, line, size - 1);
		close(fd);
	}
	line[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i < n - 1; i++)
		if (!line[i])
			line[i] = ' ';
	line[strcspn(line, "\n")] = '\0';
}

/* What each process of user space does: for who has to find out why nothing went on. */
static void tell_processes(void)
{
	char line[200], stat[400], wchan[80], text[800];
	int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && console >= 0 && (entry = readdir(dir))) {
		const char *pid = entry->d_name, *state;
		int parent = 0;

		if (*pid < '0' || *pid > '9')
			continue;
		read_line(pid, "cmdline", line, sizeof(line));
		if (!*line)
			continue; /* a thread of the kernel, or dead */
		read_line(pid, "stat", stat, sizeof(stat));
		read_line(pid, "wchan", wchan, sizeof(wchan));
		state = strrchr(stat, ')');
		if (!state || sscanf(state + 1, " %*c %d", &parent) != 1)
			continue;
		int n = snprintf(text, sizeof(text), "hang: %s (of %d) %c in %s: %s\n", pid, parent,
				 state[2], wchan, line);
		put(console, text, n < (int)sizeof(text) ? n : (int)sizeof(text) - 1);
	}
	if (dir)
		closedir(dir);
	if (console >= 0)
		close(console);
}

/* What the host says: of the person's terminal, or that its patience has ended. */
static bool heed(int ctl, int master)
{
	char line[128];
	struct winsize size = {};
	ssize_t n = read(ctl, line, sizeof(line) - 1);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	line[n] = '\0';
	if (sscanf(line, "size %hu %hu", &size.ws_row, &size.ws_col) == 2)
		ioctl(master, TIOCSWINSZ, &size);
	else if (strncmp(line, "hang", 4) == 0)
		tell_processes();
	return true;
}

int main(int argc, char **argv)
{
	bool pty = argc > 1 && strcmp(argv[1], "--pty") == 0, host = true;
	char **command = argv + 1 + pty;
	char name[64] = "", line[64];
	int out = -1, err = -1, out_write = -1, err_write = -1, status, code;
	sigset_t chld, old;
	pid_t pid;

	if (!*command)
		return EXIT_INTERNAL;
	signal(SIGPIPE, SIG_IGN);
	int ctl = open_port("kt.ctl"), port_out = open_port("kt.out");
	int port_err = open_port("kt.err"), port_in = pty ? open_port("kt.in") : -1;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	int ended = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ended < 0)
		die("signalfd");
	if (pty) {
		out = open_pty(name, sizeof(name));
	} else {
		make_pipe(&out, &out_write);
		make_pipe(&err, &err_write);
	}
	put(ctl, "start\n", 6);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		run_child(command, &old, out_write, err_write, pty ? name : NULL);
	}
	if (!pty) {
		close(out_write);
		close(err_write);
	}

	for (;;) {
		struct pollfd fds[] = {
			{.fd = ended, .events = POLLIN},
			{.fd = out, .events = POLLIN},
			{.fd = err, .events = POLLIN},
			{.fd = port_in, .events = POLLIN},
			{.fd = host ? ctl : -1, .events = POLLIN},
		};
		struct signalfd_siginfo info;

		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[1].revents && !carry(out, port_out)) {
			/* A pty says EIO while no one has it open, also before the command did. */
			if (pty)
				usleep(20000);
			else
				out = -1;
		}
		if (fds[2].revents && !carry(err, port_err))
			err = -1;
		if (fds[3].revents & POLLIN)
			carry(port_in, out);
		else if (fds[3].revents)
			port_in = -1;
		if (fds[4].revents && !heed(ctl, out))
			host = false;
		if (fds[0].revents) {
			while (read(ended, &info, sizeof(info)) > 0)
				;
			if (waitpid(pid, &status, WNOHANG) == pid)
				break;
		}
	}
	drain(out, port_out);
	drain(err, port_err);
	code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	put(ctl, line, snprintf(line, sizeof(line), "exit %d\n", code));
	return 0;
}
