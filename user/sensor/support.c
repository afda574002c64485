// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether this kernel lets this process trace, and if not, why and what to do. */
#include "sensor/support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>
#include <linux/capability.h>

#include "base/cleanup.h"

static void refuse(struct sensor_refusal *out, int status, const char *fmt, ...) _printf_(3, 4);
static void refuse(struct sensor_refusal *out, int status, const char *fmt, ...)
{
	va_list ap;

	out->exit_status = status;
	va_start(ap, fmt);
	vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
}

/* "none [integrity] confidentiality": the active mode stands in brackets. */
static bool lockdown_forbids(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "";

	return f && fgets(line, sizeof(line), f) && strstr(line, "[confidentiality]");
}

/*
 * Is this process in the host's own namespace? `path` is its link in /proc/self/ns, `first` what
 * the link says there: the numbers are the kernel's PROC_USER_INIT_INO and PROC_PID_INIT_INO
 * (include/linux/proc_ns.h).
 */
static bool in_first_namespace(const char *path, const char *first)
{
	char name[64];
	ssize_t n = readlink(path, name, sizeof(name) - 1);

	if (n < 0)
		return true; /* no /proc, or no namespaces */
	name[n] = '\0';
	return !strcmp(name, first);
}

/* The call by which names are followed without following links. 0, or why it is not to be had. */
static int try_openat2(void)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

	return fd < 0 ? -errno : 0;
}

static bool may(unsigned capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

int support_check(struct sensor_refusal *out)
{
	struct utsname uts;
	int r;

	/* Capabilities in a user namespace of one's own are none over this kernel. */
	if (!in_first_namespace("/proc/self/ns/user", "user:[4026531837]")) {
		refuse(out, EX_NOPERM,
		       "not permitted to load tracing programs from a user namespace; run keytraild on "
		       "the host itself as root");
		return -EPERM;
	}
	/* The probes know processes by the host's numbers; ours, and those in /proc, would be
	 * others. */
	if (!in_first_namespace("/proc/self/ns/pid", "pid:[4026531836]")) {
		refuse(out, EX_NOPERM,
		       "started in a process (pid) namespace of its own, where processes have other "
		       "numbers than in the kernel's records; run keytraild on the host itself, or "
		       "its container with the host's process namespace (--pid=host)");
		return -EPERM;
	}
	capng_get_caps_process();
	if (!may(CAP_SYS_ADMIN) && !(may(CAP_BPF) && may(CAP_PERFMON))) {
		refuse(out, EX_NOPERM,
		       "not permitted to load tracing programs: needs root, or CAP_BPF, "
		       "CAP_PERFMON and "
		       "CAP_SYS_ADMIN; start it by systemd (keytraild.service) or with sudo");
		return -EPERM;
	}
	if (!may(CAP_SYS_ADMIN)) {
		refuse(out, EX_NOPERM,
		       "CAP_SYS_ADMIN is missing: the kernel lets only its holder read the type "
		       "information (BTF) by id and run iterators over all processes");
		return -EPERM;
	}
	if (lockdown_forbids()) {
		refuse(out, EX_UNAVAILABLE,
		       "the kernel is in lockdown mode `confidentiality`, which refuses tracing "
		       "programs "
		       "even to root; boot with lockdown=integrity (or none) to use keytrail here");
		return -EPERM;
	}
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		uname(&uts);
		refuse(out, EX_UNAVAILABLE,
		       "kernel %s offers no type information (/sys/kernel/btf/vmlinux: %s); use a "
		       "kernel "
		       "built with CONFIG_DEBUG_INFO_BTF=y, 5.10 or later, as distributions ship "
		       "it",
		       uts.release, strerror(errno));
		return -EOPNOTSUPP;
	}
	r = try_openat2();
	if (r < 0) {
		refuse(out, EX_UNAVAILABLE,
		       "openat2() is refused here (%s), without which no file can be watched safely; "
		       "a seccomp filter does that: RestrictSUIDSGID= of a systemd unit, or a "
		       "container's",
		       strerror(-r));
		return -EOPNOTSUPP;
	}
	return 0;
}

void support_explain(int err, const char *detail, struct sensor_refusal *out)
{
	if (err == -EPERM || err == -EACCES) {
		refuse(out, EX_NOPERM,
		       "the kernel refuses to load tracing programs (%s)%s%s; usual reasons: a "
		       "security "
		       "module or seccomp filter, a container without "
		       "CAP_BPF/CAP_PERFMON/CAP_SYS_ADMIN, "
		       "lockdown. Run keytraild on the host itself as root",
		       strerror(-err), detail && *detail ? ": " : "", detail ? detail : "");
		return;
	}
	refuse(out, EX_UNAVAILABLE, "cannot load the probes (%s)%s%s", strerror(-err),
	       detail && *detail ? ": " : "", detail ? detail : "");
}
