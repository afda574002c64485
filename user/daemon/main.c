// SPDX-License-Identifier: GPL-2.0-or-later
/* keytraild: options, the one instance, exit statuses. */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "control/server.h"
#include "daemon/app.h"
#include "daemon/instance.h"
#include "daemon/log.h"
#include "sensor/support.h"

static const struct option options[] = {
	{"policy", required_argument, NULL, 'p'},
	{"record", required_argument, NULL, 'r'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{},
};

static void usage(FILE *f)
{
	fprintf(f, "Usage: keytraild [--policy FILE]... [--record FILE]\n"
		   "Watches who reads key material and crash dumps on this host.\n\n"
		   "  -p, --policy FILE   read this policy instead of the installed ones; may be "
		   "repeated\n"
		   "  -r, --record FILE   write all events as a trace for `keytrail replay`\n"
		   "  -h, --help          this text\n"
		   "  -V, --version       version\n\n"
		   "Signals: HUP reads the policy again, TERM and INT end.\n"
		   "Exit status: 0 ended by signal, 64 usage, 69 this kernel cannot, 71 system "
		   "error,\n"
		   "             75 another instance runs, 77 not permitted, 78 policy refused.\n");
}

/* What must be true before anything is read: no core of us is ever written (it could hold a key).
 */
static int protect_self(void)
{
	umask(027);
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/*
 * One that is there already (systemd makes them, and an administrator may have his reasons) is left
 * as it is. group: who else may enter, NULL = nobody; that it does not exist is no error.
 */
static int make_directory(const char *path, const char *group)
{
	const struct group *gr = group ? getgrnam(group) : NULL;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (gr && (chown(path, (uid_t)-1, gr->gr_gid) < 0 || chmod(path, 0750) < 0))
		return -errno;
	return 0;
}

/* *path, as it is called from "/"; the caller's. Exits if that is not known, or without memory. */
static void make_absolute(const char **path)
{
	_cleanup_free_ char *here = NULL;
	char *whole;

	if (!*path || **path == '/')
		return;
	here = getcwd(NULL, 0);
	if (!here) {
		log_line(SD_ERR, "%s: where keytraild was started cannot be told: %s", *path,
			 errno == ENOENT ? "that directory is gone" : strerror(errno));
		exit(EX_OSERR);
	}
	if (asprintf(&whole, "%s/%s", here, *path) < 0)
		exit(EX_OSERR);
	*path = whole;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char **policies = calloc(argc, sizeof(*policies));
	struct app_options app = {.policy_files = NULL};
	struct sensor_refusal refusal;
	_cleanup_close_ int lock = -1;
	pid_t holder = 0;
	int c, r;

	if (!policies)
		return EX_OSERR;
	/* Tables for the worst case are mapped, and what is not used of them takes no memory. Left
	 * to itself malloc() would have them in its heap once something larger was given back: in
	 * memory that has to be cleared, and is there. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	/* And where huge pages are the default, a byte in use of such a table took two megabytes.
	 */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	while ((c = getopt_long(argc, argv, "p:r:hV", options, NULL)) >= 0) {
		switch (c) {
		case 'p':
			policies[app.nr_policy_files++] = optarg;
			app.policy_files = policies;
			break;
		case 'r':
			app.record = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			printf("keytraild %s\n", KEYTRAIL_VERSION);
			return 0;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "keytraild: unexpected argument: %s\n", argv[optind]);
		return EX_USAGE;
	}

	/* Where it was started from is not to be held busy for life. */
	for (size_t i = 0; i < app.nr_policy_files; i++)
		make_absolute((const char **)&policies[i]);
	make_absolute(&app.record);
	if (chdir("/") < 0) {
		log_line(SD_ERR, "/: %s", strerror(errno));
		return EX_OSERR;
	}

	/* First whether it can work at all: then nothing is left behind where it cannot. */
	if (support_check(&refusal) < 0) {
		log_line(SD_ERR, "%s", refusal.text);
		return refusal.exit_status;
	}
	r = protect_self();
	if (!r)
		r = make_directory(KT_RUNDIR, CONTROL_GROUP);
	if (!r)
		r = make_directory(KT_STATEDIR, NULL);
	if (!r)
		r = make_directory(KT_LOGDIR, CONTROL_GROUP);
	if (r == -EACCES || r == -EPERM) {
		/* Every capability of a user namespace passes the check above. */
		log_line(SD_ERR,
			 "not permitted to write %s, %s and %s: needs root of the host, not of a "
			 "user namespace",
			 KT_RUNDIR, KT_STATEDIR, KT_LOGDIR);
		return EX_NOPERM;
	}
	if (r < 0) {
		log_line(SD_ERR, "cannot prepare %s, %s and %s: %s", KT_RUNDIR, KT_STATEDIR,
			 KT_LOGDIR, strerror(-r));
		return EX_OSERR;
	}
	lock = instance_lock(KT_RUNDIR "/keytraild.pid", &holder);
	if (lock == -EBUSY) {
		log_line(SD_ERR, "another keytraild is running: process %d holds %s", holder,
			 KT_RUNDIR "/keytraild.pid");
		return EX_TEMPFAIL;
	}
	if (lock < 0) {
		log_line(SD_ERR, "%s: %s", KT_RUNDIR "/keytraild.pid", strerror(-lock));
		return EX_OSERR;
	}
	return app_run(&app);
}
