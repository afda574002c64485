// SPDX-License-Identifier: GPL-2.0-or-later
/* A living process as a subject of the policy, as far as /proc tells it. */
#include "cli/explain_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/xattr.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/cgroup.h"
#include "trust/inspect.h"
#include "trust/trust.h"

/* A file below /proc/PID, NUL terminated and cut; its length or a negative errno. */
static ssize_t read_file(pid_t pid, const char *name, char *out, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, out, size - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return n;
}

static enum exe_trust judge_exe(pid_t pid, const char *exe)
{
	struct stat runs, stands;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (stat(path, &runs) < 0)
		return EXE_UNKNOWN;
	if (stat(exe, &stands) < 0 || stands.st_ino != runs.st_ino || stands.st_dev != runs.st_dev)
		return runs.st_nlink == 0 ? EXE_MEMORY : EXE_OTHER;
	return trust_others_can_write(exe) ? EXE_WRITABLE : EXE_VERIFIED;
}

/*
 * What others_can_change() says on the kernel's side (bpf/taint.h), of a file that /proc leads to.
 * In which user namespace its file system was mounted cannot be asked here.
 */
static bool others_can_change(const char *path, const struct stat *st)
{
	if (st->st_uid != 0)
		return true;
	if (st->st_nlink == 0)
		return false;
	return st->st_mode & S_IWOTH ||
	       (st->st_mode & S_IWGRP &&
		(st->st_gid != 0 || getxattr(path, XATTR_NAME_POSIX_ACL_ACCESS, NULL, 0) > 0));
}

/*
 * Does it run code from a file, other than its executable, that others than root can change?
 * UNTRUSTED_MAPPED if so, 0 if not, UNTRUSTED_UNKNOWN if that could not be seen.
 */
static uint32_t find_foreign_code(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[128], line[8192];
	uint32_t result = 0;
	struct stat exe, st;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (stat(path, &exe) < 0)
		return UNTRUSTED_UNKNOWN;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return UNTRUSTED_UNKNOWN;
	while (fgets(line, sizeof(line), f)) {
		/* START-END rwxp ...: the first two words. */
		char *rest = line, *range = strsep(&rest, " "), *flags = strsep(&rest, " ");

		if (!flags || strlen(flags) < 3 || flags[2] != 'x')
			continue;
		/* The file itself, by whatever name and in whichever mount namespace. */
		snprintf(path, sizeof(path), "/proc/%d/map_files/%.64s", (int)pid, range);
		if (stat(path, &st) < 0) {
			/* Unmapped meanwhile, or memory of no file; else not ours to see. */
			if (errno != ENOENT)
				result = UNTRUSTED_UNKNOWN;
			continue;
		}
		if (!S_ISREG(st.st_mode) || (st.st_ino == exe.st_ino && st.st_dev == exe.st_dev))
			continue;
		if (others_can_change(path, &st))
			return UNTRUSTED_MAPPED;
	}
	return ferror(f) ? UNTRUSTED_UNKNOWN : result;
}

static uint32_t judge_image(pid_t pid, enum exe_trust trust)
{
	char text[4096];
	const char *tracer;
	uint32_t reasons = trust == EXE_MEMORY	   ? UNTRUSTED_MEMORY
			   : trust == EXE_OTHER	   ? UNTRUSTED_OTHER
			   : trust == EXE_WRITABLE ? UNTRUSTED_WRITABLE
						   : 0;

	if (read_file(pid, "status", text, sizeof(text)) > 0 &&
	    (tracer = strstr(text, "\nTracerPid:")) && strtoul(tracer + 11, NULL, 10))
		reasons |= UNTRUSTED_TRACED;
	return reasons | find_foreign_code(pid);
}

static int read_exe(pid_t pid, struct process_subject *p)
{
	static const char deleted[] = " (deleted)";
	const size_t tail = sizeof(deleted) - 1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, p->exe, sizeof(p->exe) - 1);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno; /* a kernel thread has none */
	p->exe[n] = '\0';
	if ((size_t)n > tail && !strcmp(p->exe + n - tail, deleted))
		p->exe[(size_t)n - tail] = '\0';
	p->subject.exe = span_of(p->exe);
	p->subject.exe_trust = judge_exe(pid, p->exe);
	p->subject.untrusted = judge_image(pid, p->subject.exe_trust);
	process_subject_inspect(path, p);
	return 0;
}

void process_subject_inspect(const char *path, struct process_subject *p)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char md5[DIGEST_MD5];

	p->subject.inspected = true;
	if (fd < 0)
		return;
	(void)verity_measure(fd, p->verity);
	p->subject.verity = span_of(p->verity);
	if (digest_file(fd, INSPECT_FILE_MAX, p->digest, md5) < 0)
		return;
	p->subject.digest = span_of(p->digest);
	inspect_package(DPKG_INFO, NULL, p->exe, p->digest, md5, p->package,
			&p->subject.package_state);
	p->subject.package = span_of(p->package);
}

static void read_user(pid_t pid, struct process_subject *p)
{
	char text[4096], buf[16384];
	struct passwd pw, *found = NULL;
	const char *uid;

	if (read_file(pid, "status", text, sizeof(text)) > 0 && (uid = strstr(text, "\nUid:")))
		p->subject.uid = (uint32_t)strtoul(uid + 5, NULL, 10);
	p->subject.loginuid = UID_UNSET;
	if (read_file(pid, "loginuid", text, sizeof(text)) > 0)
		p->subject.loginuid = (uint32_t)strtoul(text, NULL, 10);
	if (getpwuid_r(p->subject.uid, &pw, buf, sizeof(buf), &found) == 0 && found) {
		snprintf(p->user, sizeof(p->user), "%s", pw.pw_name);
		p->subject.user = span_of(p->user);
	}
}

/* The line of the unified hierarchy: 0::/path. */
static void read_cgroup(pid_t pid, struct process_subject *p)
{
	struct span path;
	char *line, *end;

	if (read_file(pid, "cgroup", p->cgroup, sizeof(p->cgroup)) <= 0)
		return;
	line = !strncmp(p->cgroup, "0::", 3) ? p->cgroup : strstr(p->cgroup, "\n0::");
	if (!line)
		return;
	line += *line == '\n' ? 4 : 3;
	end = strchr(line, '\n');
	path = (struct span){line, end ? (size_t)(end - line) : strlen(line)};
	p->subject.unit = cgroup_system_unit(path);
	p->subject.container = cgroup_system_container(path);
	if (runtimes_find_image(&(struct runtimes){.root = ""}, cgroup_image_container(path),
				&p->refused, &p->image) < 0)
		return;
	p->subject.image = span_of(p->image.name);
	p->subject.image_id = span_of(p->image.id);
}

int process_subject_read(pid_t pid, struct process_subject *p)
{
	char text[64];
	ssize_t n = read_file(pid, "stat", text, sizeof(text));
	int r;

	if (n < 0)
		return (int)n;
	*p = (struct process_subject){0};
	r = read_exe(pid, p);
	if (r < 0)
		return r;
	read_user(pid, p);
	read_cgroup(pid, p);
	return 0;
}
