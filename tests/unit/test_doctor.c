// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every check of doctor fires on a bad host, process or daemon, and on the good one none does.
 * Hosts are trees of files that this test makes; nothing here looks at this machine's settings.
 */
#include "doctor/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "tmpdir.h"

#define DUMPS "/var/lib/systemd/coredump"

static bool fired[CHECK_NR]; /* by any test */

/* --- trees --------------------------------------------------------------------------------------
 */

struct file {
	const char *path;
	const char *text; /* NULL: a directory */
	unsigned mode; /* 0: as it comes */
};

static const struct file good_host[] = {
	{"/proc/sys/fs/suid_dumpable", "0\n"},
	{"/proc/sys/kernel/core_pattern", "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c\n"},
	{"/proc/sys/kernel/yama/ptrace_scope", "1\n"},
	{"/proc/swaps", "Filename Type Size Used Priority\n/dev/dm-0 partition 1 0 -2\n"},
	{"/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"},
	{"/proc/cmdline", "root=/dev/sda1 quiet\n"},
	{"/sys/class/block/dm-0/dm/uuid", "CRYPT-PLAIN-swap\n"},
	{"/sys/power/resume", "0:0\n"},
	{"/sys/kernel/kexec_crash_loaded", "0\n"},
	{"/sys/kernel/security/lockdown", "none [integrity] confidentiality\n"},
	{"/etc/systemd/coredump.conf", "[Coredump]\nStorage=none\n"},
	{"/usr/lib/tmpfiles.d/systemd.conf", "d " DUMPS " 0755 root root 3d\n"},
	{"/etc/rsyslog.d/90-remote.conf", "*.* @@log.example.org\n"},
	{"/etc/default/whoopsie", "[General]\nreport_crashes=false\n"},
	{DUMPS, NULL, 0755},
	{NULL},
};

static void make_parents(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
}

static void make(void **state, const struct file *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", (const char *)*state, file->path);
	make_parents(path);
	if (!file->text) {
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	} else if (!strncmp(file->text, "->", 2)) {
		assert_int_equal(symlink(file->text + 2, path), 0);
	} else {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(file->text, f);
		assert_int_equal(fclose(f), 0);
	}
	if (file->mode)
		assert_int_equal(chmod(path, file->mode), 0);
}

static void make_all(void **state, const struct file *files)
{
	for (; files->path; files++)
		make(state, files);
}

static void drop(void **state, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", (const char *)*state, name);
	assert_int_equal(unlink(path), 0);
}

/* What a tree made by who runs this test would be if root had made it. */
static void gather(void **state, struct host_facts *h)
{
	struct root root;

	assert_int_equal(root_open(*state, &root), 0);
	host_facts(&root, h);
	if (h->dumps.uid == getuid())
		h->dumps.uid = 0;
	root_close(&root);
}

/* --- what fires ---------------------------------------------------------------------------------
 */

static bool among(const enum check_id *ids, enum check_id id)
{
	for (; *ids != CHECK_NR; ids++)
		if (*ids == id)
			return true;
	return false;
}

/* Exactly these, and each has evidence, a reason and a way to mend it. Ends the report. */
static void expect(struct doctor *d, const enum check_id *ids)
{
	bool seen[CHECK_NR] = {false};

	doctor_run(d);
	for (size_t i = 0; i < d->report.nr; i++) {
		const struct doctor_finding *f = &d->report.items[i];
		enum check_id id = (enum check_id)(f->check - checks);

		if (f->error || !among(ids, id))
			fail_msg("%s: %s: %s", f->check->id, f->path, f->value);
		assert_true(*f->path && *f->value && *f->mend);
		assert_in_range(f->severity, SEV_INFO, f->check->severity);
		seen[id] = fired[id] = true;
	}
	for (; *ids != CHECK_NR; ids++)
		if (!seen[*ids])
			fail_msg("%s did not fire", checks[*ids].id);
	doctor_fini(d);
}

#define EXPECT(d, ...) expect(d, (const enum check_id[]){__VA_ARGS__})

static void expect_host(void **state, const enum check_id *ids)
{
	struct host_facts h;
	struct doctor d = {.host = &h};

	gather(state, &h);
	expect(&d, ids);
}

/* --- the host -----------------------------------------------------------------------------------
 */

static void a_good_host_is_silent(void **state)
{
	make_all(state, good_host);
	expect_host(state, (const enum check_id[]){CHECK_NR});
}

#define PATTERN(text)                                              \
	{                                                          \
		{                                                  \
			"/proc/sys/kernel/core_pattern", text "\n" \
		}                                                  \
	}

static const struct {
	struct file files[4];
	enum check_id ids[4];
} bad_hosts[] = {
	{{{"/proc/sys/fs/suid_dumpable", "1\n"}}, {CHECK_SUID_DUMPABLE, CHECK_NR}},
	{PATTERN("core"), {CHECK_CORE_RELATIVE, CHECK_NR}},
	{PATTERN("|/opt/collect %p"), {CHECK_CORE_HELPER, CHECK_NR}},
	{PATTERN("|/usr/share/apport/apport %p"), {CHECK_CORE_REPORTER, CHECK_NR}},
	{PATTERN("|/usr/libexec/abrt-hook-ccpp"), {CHECK_CORE_REPORTER, CHECK_NR}},
	{PATTERN("@@/run/core.sock"), {CHECK_CORE_SOCKET, CHECK_NR}},
	{{{"/etc/systemd/coredump.conf", "[Coredump]\n#Storage=none\n"}},
	 {CHECK_CORES_KEPT, CHECK_NR}},
	{{{"/etc/systemd/coredump.conf.d/9.conf", "[Coredump]\nStorage=journal\n"}},
	 {CHECK_CORES_IN_JOURNAL, CHECK_NR}},
	/* A drop-in of /etc stands for the vendor's of the same name; a later name wins. */
	{{{"/usr/lib/systemd/coredump.conf.d/5.conf", "[Coredump]\nStorage=none\n"},
	  {"/etc/systemd/coredump.conf.d/5.conf", "[Coredump]\nStorage=external\n"}},
	 {CHECK_CORES_KEPT, CHECK_NR}},
	{{{"/proc/self/mountinfo",
	   "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / /var/lib/systemd rw - "
	   "nfs4 host:/dumps rw\n"}},
	 {CHECK_DUMPS_REMOTE, CHECK_NR}},
	{{{DUMPS, NULL, 0777}}, {CHECK_DUMPS_WRITABLE, CHECK_NR}},
	{{{DUMPS, NULL, 01777}}, {CHECK_DUMPS_WRITABLE, CHECK_NR}},
	{{{DUMPS "/core.x.zst", "x", 0644}}, {CHECK_DUMPS_READABLE, CHECK_NR}},
	{{{"/etc/systemd/coredump.conf", ""},
	  {"/etc/tmpfiles.d/systemd.conf", "d " DUMPS " 0755 root root -\n"}},
	 {CHECK_CORES_KEPT, CHECK_DUMPS_FOREVER, CHECK_NR}},
	{{{"/proc/sys/kernel/core_pattern", "/srv/cores/%e\n"}, {"/srv/cores", NULL, 0700}},
	 {CHECK_DUMPS_FOREVER, CHECK_NR}},
	{{{"/proc/swaps", "Filename\n/dev/sda2 partition 1 0 -2\n"},
	  {"/sys/class/block/sda2", NULL}},
	 {CHECK_SWAP_PLAIN, CHECK_NR}},
	{{{"/sys/power/resume", "8:2\n"}}, {CHECK_HIBERNATION, CHECK_NR}},
	{{{"/proc/cmdline", "resume=/dev/sda2\n"}}, {CHECK_HIBERNATION, CHECK_NR}},
	{{{"/proc/sys/kernel/yama/ptrace_scope", "0\n"}}, {CHECK_PTRACE_SCOPE, CHECK_NR}},
	{{{"/sys/kernel/kexec_crash_loaded", "1\n"},
	  {"/etc/default/kdump-tools", "USE_KDUMP=1\nSSH=\"kdump@collector\"\n"}},
	 {CHECK_KDUMP_REMOTE, CHECK_NR}},
	{{{"/sys/kernel/kexec_crash_loaded", "1\n"},
	  {"/etc/default/kdump-tools", "USE_KDUMP=1\nMAKEDUMP_ARGS=\"-c -d 17\"\n"}},
	 {CHECK_KDUMP_USER_PAGES, CHECK_NR}},
	{{{"/sys/kernel/kexec_crash_loaded", "1\n"},
	  {"/etc/kdump.conf", "nfs host:/dumps\ncore_collector cp\n"}},
	 {CHECK_KDUMP_REMOTE, CHECK_KDUMP_USER_PAGES, CHECK_NR}},
	{{{"/etc/default/whoopsie", "[General]\nreport_crashes=true\n"}}, {CHECK_NR}},
	{{{"/etc/default/whoopsie", "report_crashes=true\n"}}, {CHECK_CRASH_UPLOAD, CHECK_NR}},
	{{{"/var/lib/apport/autoreport", ""}}, {CHECK_CRASH_UPLOAD, CHECK_NR}},
	{{{"/etc/abrt/abrt.conf", "AutoreportingEnabled = yes\n"}}, {CHECK_CRASH_UPLOAD, CHECK_NR}},
	{{{"/etc/rsyslog.d/90-remote.conf", "*.* /var/log/all\n"}}, {CHECK_LOGS_STAY, CHECK_NR}},
	{{{"/sys/kernel/security/lockdown", "none integrity [confidentiality]\n"}},
	 {CHECK_LOCKDOWN, CHECK_NR}},
	/* And what is as good in another way. */
	{{{"/etc/kdump.conf", "nfs host:/dumps\n"}}, {CHECK_NR}}, /* no crash kernel is loaded */
	{{{"/sys/kernel/kexec_crash_loaded", "1\n"},
	  {"/etc/kdump.conf", "path /var/crash\ncore_collector makedumpfile -l -d 31\n"}},
	 {CHECK_NR}},
	{PATTERN("|/bin/false"), {CHECK_NR}},
	{{{"/etc/rsyslog.d/90-remote.conf", ""},
	  {"/etc/systemd/journal-upload.conf", "[Upload]\nURL=https://log.example.org\n"}},
	 {CHECK_NR}},
};

static void each_bad_setting_is_found(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_hosts); i++) {
		void *tree;

		assert_int_equal(tmpdir_make(&tree), 0);
		make_all(&tree, good_host);
		for (size_t j = 0; j < 4 && bad_hosts[i].files[j].path; j++)
			make(&tree, &bad_hosts[i].files[j]);
		expect_host(&tree, bad_hosts[i].ids);
		tmpdir_clean(&tree);
	}
}

static void who_may_read_new_dumps(void **state)
{
	struct host_facts h;
	struct doctor d = {.host = &h};

	make_all(state, good_host);
	gather(state, &h);
	h.dumps.mode = 02750;
	h.dumps.gid = 50;
	EXPECT(&d, CHECK_DUMPS_SHARED, CHECK_NR);
	gather(state, &h);
	h.dumps.default_acl.nr = 1;
	h.dumps.default_acl.named[0].id = 1000;
	EXPECT(&d, CHECK_DUMPS_SHARED, CHECK_NR);
	gather(state, &h);
	h.dumps.mode = 02750; /* of root's group */
	h.dumps.gid = 0;
	EXPECT(&d, CHECK_NR);
}

static void swap_is_encrypted_if_all_below_is(void **state)
{
	static const struct file tree[] = {
		{"/proc/swaps", "Filename\n/dev/dm-3 partition 1 0 -2\n/dev/zram0 partition 1 0 5\n"
				"/dev/zram1 partition 1 0 5\n/dev/dm-4 partition 1 0 -2\n"
				"/swap\\040file file 1 0 -2\n/dev/mapper/vg partition 1 0 -2\n"
				"/dev/gone partition 1 0 -2\n"},
		{"/sys/class/block/dm-3/dm/uuid", "LVM-x\n"},
		{"/sys/class/block/dm-3/slaves/dm-1", NULL},
		{"/sys/class/block/dm-1/dm/uuid", "CRYPT-LUKS2-x\n"},
		{"/sys/class/block/dm-4/dm/uuid", "LVM-x\n"},
		{"/sys/class/block/dm-4/slaves/dm-1", NULL},
		{"/sys/class/block/dm-4/slaves/sda2", NULL},
		{"/sys/class/block/sda2", NULL},
		{"/sys/block/zram0/backing_dev", "none\n"},
		{"/sys/block/zram1/backing_dev", "/dev/sda3\n"},
		{"/proc/self/mountinfo", "1 0 254:1 / / rw - ext4 /dev/mapper/vg rw\n"},
		{"/sys/dev/block/254:1", "->../../devices/virtual/block/dm-3"},
		{"/dev/mapper/vg", "->../dm-3"},
		{NULL},
	};
	struct host_facts h;

	make_all(state, tree);
	gather(state, &h);
	assert_int_equal(h.nr_swaps, 7);
	assert_int_equal(h.swaps[0].kind, SWAP_ENCRYPTED);
	assert_int_equal(h.swaps[1].kind, SWAP_MEMORY);
	assert_int_equal(h.swaps[2].kind, SWAP_PLAIN);
	assert_int_equal(h.swaps[3].kind, SWAP_PLAIN);
	assert_true(h.swaps[4].known);
	assert_int_equal(h.swaps[4].kind, SWAP_ENCRYPTED);
	assert_int_equal(h.swaps[5].kind, SWAP_ENCRYPTED);
	assert_false(h.swaps[6].known);
}

static void a_circle_of_devices_ends(void **state)
{
	static const struct file tree[] = {
		{"/sys/class/block/dm-1/slaves/dm-2", NULL},
		{"/sys/class/block/dm-2/slaves/dm-1", NULL},
		{NULL},
	};
	struct root root;

	make_all(state, tree);
	assert_int_equal(root_open(*state, &root), 0);
	assert_true(device_encrypted(&root, "dm-1", 0) < 0);
	root_close(&root);
}

static void what_cannot_be_looked_at_is_said(void **state)
{
	struct host_facts h;
	struct doctor d = {.host = &h, .daemon = DAEMON_DENIED};
	size_t blind = 0;

	make_all(state, good_host);
	drop(state, "/proc/sys/kernel/core_pattern");
	drop(state, "/proc/sys/fs/suid_dumpable");
	gather(state, &h);
	h.swaps_error = -EACCES;
	h.upload.error = -EACCES;
	doctor_run(&d);
	for (size_t i = 0; i < d.report.nr; i++)
		blind += d.report.items[i].error != 0;
	assert_int_equal(blind, d.report.nr);
	assert_int_equal(blind, 5);
	assert_int_equal(doctor_outcome(&d, SEV_MEDIUM), DOCTOR_COULD_NOT);
	assert_int_equal(doctor_outcome(&d, SEV_CRITICAL), DOCTOR_COULD_NOT); /* the daemon */
	doctor_find(&d, CHECK_CORES_KEPT, &(struct finding_text){.path = "x", .value = "y"});
	assert_int_equal(doctor_outcome(&d, SEV_MEDIUM), DOCTOR_COULD_NOT);
	doctor_find(&d, CHECK_CORE_RELATIVE, &(struct finding_text){.path = "x", .value = "y"});
	assert_int_equal(doctor_outcome(&d, SEV_MEDIUM), DOCTOR_FOUND);
	assert_int_equal(doctor_outcome(&d, SEV_NR), DOCTOR_GOOD);
	doctor_fini(&d);
}

/* How many of a check are said not to have been looked at. */
static size_t blind_at(const struct doctor *d, enum check_id id)
{
	size_t nr = 0;

	for (size_t i = 0; i < d->report.nr; i++)
		nr += d->report.items[i].error && d->report.items[i].check == &checks[id];
	return nr;
}

#define CORES_KEPT "/proc/sys/kernel/core_pattern", "/srv/cores/%e\n"

/* A file where a directory should be is what cannot be listed, whoever looks. */
static const struct {
	struct file files[4];
	const char *dropped;
	enum check_id id;
} blind_hosts[] = {
	{{{"/etc/rsyslog.d", "x"}}, "/etc/rsyslog.d/90-remote.conf", CHECK_LOGS_STAY},
	{{{"/etc/systemd/journal-upload.conf", NULL}, {"/etc/rsyslog.d/90-remote.conf", ""}},
	 NULL,
	 CHECK_LOGS_STAY},
	{{{"/etc/systemd/coredump.conf.d", "x"}}, NULL, CHECK_CORES_KEPT},
	{{{CORES_KEPT}, {"/srv/cores", NULL, 0700}, {"/etc/tmpfiles.d", "x"}},
	 NULL,
	 CHECK_DUMPS_FOREVER},
	{{{CORES_KEPT}, {"/srv/cores", NULL, 0700}, {"/etc/tmpfiles.d/a.conf", NULL}},
	 NULL,
	 CHECK_DUMPS_FOREVER},
	{{{"/sys/kernel/kexec_crash_loaded", "1\n"}, {"/etc/kdump.conf", NULL}},
	 NULL,
	 CHECK_KDUMP_REMOTE},
	{{{"/proc/self/mountinfo", ""}}, NULL, CHECK_DUMPS_REMOTE},
};

static void what_cannot_be_listed_is_said(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(blind_hosts); i++) {
		struct host_facts h;
		struct doctor d = {.host = &h};
		void *tree;

		assert_int_equal(tmpdir_make(&tree), 0);
		make_all(&tree, good_host);
		if (blind_hosts[i].dropped) {
			drop(&tree, blind_hosts[i].dropped);
			assert_int_equal(rmdir(tmpdir_path(&tree, "etc/rsyslog.d")), 0);
		}
		for (size_t j = 0; j < 4 && blind_hosts[i].files[j].path; j++)
			make(&tree, &blind_hosts[i].files[j]);
		gather(&tree, &h);
		doctor_run(&d);
		if (blind_at(&d, blind_hosts[i].id) != 1 || d.report.nr != 1)
			fail_msg("%s of %zu: %zu told", checks[blind_hosts[i].id].id, i,
				 d.report.nr);
		doctor_fini(&d);
		tmpdir_clean(&tree);
	}
}

static void more_dumps_than_are_looked_at(void **state)
{
	struct host_facts h;
	struct doctor d = {.host = &h};

	make_all(state, good_host);
	for (unsigned i = 0; i <= ROOT_NAMES_MAX; i++) {
		char path[64];

		snprintf(path, sizeof(path), DUMPS "/core.%u", i);
		make(state, &(struct file){path, "", 0600});
	}
	gather(state, &h);
	assert_int_equal(h.dumps.files, ROOT_NAMES_MAX);
	doctor_run(&d);
	assert_int_equal(blind_at(&d, CHECK_DUMPS_READABLE), 1);
	doctor_fini(&d);
}

static void access_lists_that_cannot_be_read(void **state)
{
	struct host_facts h;
	struct doctor d = {.host = &h};

	make_all(state, good_host);
	gather(state, &h);
	assert_int_equal(h.dumps.acl_error, 0);
	h.dumps.acl_error = -EACCES;
	doctor_run(&d);
	assert_int_equal(blind_at(&d, CHECK_DUMPS_SHARED), 1);
	doctor_fini(&d);
}

/* No link leads out of the tree, and a pipe in it is not waited for. */
static void a_root_is_not_left(void **state)
{
	static const struct file tree[] = {
		{"/etc/a", "inside\n"},
		{"/etc/b", "->/etc/a"},
		{"/etc/c", "->../../../../../../etc/a"},
		{"/etc/d", "->/proc/self/status"},
		{NULL},
	};
	struct root root;
	char line[64], *text;
	size_t len;

	make_all(state, tree);
	assert_int_equal(mkfifo(tmpdir_path(state, "etc/pipe"), 0600), 0);
	assert_int_equal(root_open(*state, &root), 0);
	assert_int_equal(root_line(&root, "/etc/b", line, sizeof(line)), 0);
	assert_string_equal(line, "inside");
	assert_int_equal(root_line(&root, "/etc/c", line, sizeof(line)), 0);
	assert_string_equal(line, "inside");
	assert_int_equal(root_line(&root, "/etc/d", line, sizeof(line)), -ENOENT);
	assert_int_equal(root_read(&root, "/etc/pipe", 100, &text, &len), -ENODEV);
	assert_int_equal(root_read(&root, "/etc", 100, &text, &len), -EISDIR);
	assert_int_equal(root_read(&root, "/etc/a", 3, &text, &len), 0);
	assert_string_equal(text, "ins");
	free(text);
	root_close(&root);
}

/* --- processes ----------------------------------------------------------------------------------
 */

static const struct file process_tree[] = {
	{"/proc/77/stat",
	 "77 (ng) inx) S 1 77 77 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0\n"},
	{"/proc/77/status",
	 "Name:\tnginx\nUid:\t1000\t1000\t1000\t1000\nVmLck:\t 12 kB\nCoreDumping:\t0\n"},
	{"/proc/77/limits", "Max core file size 0 unlimited bytes\n"},
	{"/proc/77/coredump_filter", "00000033\n"},
	{"/proc/77/cgroup", "0::/system.slice/nginx.service\n"},
	{"/proc/77/exe", "->/usr/sbin/nginx"},
	{"/proc/77/cwd", "->/srv"},
	{"/proc/77/smaps", "1000-2000 rw-p 0 00:00 0 [heap]\nAnonymous: 4 kB\nVmFlags: rd wr\n"
			   "3000-4000 rw-p 0 00:00 0\nVmFlags: rd wr dd lo wf\n"},
	{NULL},
};

static void a_process_is_read_from_proc(void **state)
{
	struct process_facts f;
	struct held_key *key;
	struct root root;

	make_all(state, process_tree);
	assert_int_equal(root_open(*state, &root), 0);
	assert_int_equal(process_facts(&root, 78, &f), -ESRCH);
	assert_int_equal(process_facts(&root, 77, &f), 0);
	assert_int_equal(f.start, 4242);
	assert_false(f.kernel_thread);
	assert_string_equal(f.comm, "nginx");
	assert_string_equal(f.exe, "/usr/sbin/nginx");
	assert_string_equal(f.cwd, "/srv");
	assert_string_equal(f.unit, "nginx.service");
	assert_int_equal(f.uid, 1000);
	assert_int_equal(f.euid, 1000);
	assert_int_equal(f.core_soft, 0);
	assert_true(f.core_hard == LIMIT_INFINITY);
	assert_int_equal(f.filter, 0x33);
	assert_int_equal(f.locked_kib, 12);
	assert_int_equal(f.dumpable, getuid() == 1000 ? DUMPABLE_YES : DUMPABLE_NO);
	key = process_add_key(&f);
	held_key_add_place(key, 0x1800);
	held_key_add_place(key, 0x3800);
	held_key_add_place(key, 0x5000);
	assert_int_equal(process_map_places(&root, &f), 0);
	assert_true(key->places[0].in_core);
	assert_false(key->places[1].in_core);
	assert_true(key->places[1].mapping.flags & MAPPING_WIPEONFORK);
	assert_false(key->places[2].mapped);
	process_facts_fini(&f);
	root_close(&root);
}

/* Root is told to change the service whose name only root can give, as systemd has it, or none. */
static void a_user_names_no_service_of_root(void **state)
{
	static const struct {
		const char *cgroup, *service;
	} rows[] = {
		{"0::/system.slice/ssh.service\n", "ssh.service"},
		{"0::/system.slice/system-a.slice/a@b-c.service\n", "a@b-c.service"},
		{"0::/system.slice/a\\x2db.service\n", "a\\x2db.service"},
		{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service\n", ""},
		{"0::/user.slice/user-1000.slice/session-1.scope\n", ""},
		{"0::/user.slice/user-1000.slice/session-1.scope/ssh.service\n", ""},
		{"0::/system.slice/runner.service/ssh.service\n", ""},
		{"0::/system.slice/it's.service\n", ""},
		{"0::/system.slice/a b.service\n", ""},
		{"0::/system.slice/.service\n", ""},
		{"0::/init.scope\n", ""},
	};

	make_all(state, process_tree);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct process_facts f;
		struct root root;

		make(state, &(struct file){"/proc/77/cgroup", rows[i].cgroup});
		assert_int_equal(root_open(*state, &root), 0);
		assert_int_equal(process_facts(&root, 77, &f), 0);
		assert_string_equal(f.service, rows[i].service);
		root_close(&root);
	}
}

static void a_process_hides_what_it_must_not_show(void **state)
{
	struct process_facts f;
	struct root root;

	make_all(state, process_tree);
	drop(state, "/proc/77/limits");
	drop(state, "/proc/77/coredump_filter");
	drop(state, "/proc/77/exe");
	assert_int_equal(root_open(*state, &root), 0);
	assert_int_equal(process_facts(&root, 77, &f), 0);
	assert_int_equal(f.limits_error, -ENOENT);
	assert_int_equal(f.filter_error, -ENOENT);
	assert_string_equal(f.exe, "");
	root_close(&root);
}

/* A holder that leaves no core, of which nothing is swapped. */
static struct process_facts good_holder(void)
{
	return (struct process_facts){
		.pid = 77,
		.comm = "signer",
		.exe = "/usr/bin/signer",
		.unit = "signer.service",
		.service = "signer.service",
		.uid = 105,
		.euid = 105,
		.dumpable = DUMPABLE_YES,
		.filter = CORE_FILTER_DEFAULT,
		.locked_kib = 64,
	};
}

/* The name that it shows to people is one that it chose itself. */
static void what_a_user_named_is_no_command_for_root(void **state)
{
	struct process_facts p = good_holder();
	struct doctor d = {.holders = &p, .nr_holders = 1};

	snprintf(p.unit, sizeof(p.unit), "ssh.service");
	p.service[0] = '\0';
	p.core_soft = LIMIT_INFINITY;
	checks_holders(&d);
	assert_int_equal(d.report.nr, 1);
	assert_null(strstr(d.report.items[0].mend, "ssh"));
	doctor_fini(&d);
	snprintf(p.service, sizeof(p.service), "a\\x2db.service");
	checks_holders(&d);
	assert_non_null(strstr(d.report.items[0].mend, "system/a\\x2db.service.d/core.conf'"));
	doctor_fini(&d);
}

static struct host_facts plain_host(void)
{
	struct host_facts h = {.core = CORE_FILE, .nr_swaps = 1};

	h.swaps[0].known = true;
	h.swaps[0].kind = SWAP_PLAIN;
	h.storage.error = -ENOENT;
	return h;
}

/* Only the checks of processes. */
static void expect_holder(const struct host_facts *h, struct process_facts *p,
			  const enum check_id *ids)
{
	struct doctor d = {.host = h, .holders = p, .nr_holders = 1}, all = {.host = NULL};

	checks_holders(&d);
	all.report = d.report;
	expect(&all, ids);
}

#define EXPECT_HOLDER(h, p, ...) expect_holder(h, p, (const enum check_id[]){__VA_ARGS__})

static void a_good_holder_is_silent(void **state)
{
	struct host_facts h = plain_host();
	struct process_facts p = good_holder();

	EXPECT_HOLDER(&h, &p, CHECK_NR);
}

static void a_limit_counts_as_the_kernel_and_helpers_take_it(void **state)
{
	struct host_facts h = plain_host();
	struct process_facts p = good_holder();

	p.core_hard = LIMIT_INFINITY;
	EXPECT_HOLDER(&h, &p, CHECK_CORE_LIMIT_SOFT, CHECK_NR);
	p.core_soft = LIMIT_INFINITY;
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_CORE_FOR_USER, CHECK_NR);
	p.uid = p.euid = 0;
	p.dumpable = DUMPABLE_UNKNOWN; /* of root it does not show: taken as dumpable */
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_NR);
	h.core = CORE_NOWHERE;
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	p = good_holder();
	h.core = CORE_HELPER; /* gets all, whatever the limit; but 1 */
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_NR);
	p.core_soft = 1;
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	h.core = CORE_SOCKET;
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_NR);
	h.core = CORE_SYSTEMD; /* stores nothing below a page, if it is told */
	h.core_limit_told = true;
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	p.core_soft = 0;
	p.core_hard = 0;
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	h.core_limit_told = false; /* as on Debian 12: 0 is no limit then, and 1 is */
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_NR);
	p.core_soft = p.core_hard = 1;
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	h.core_limit_told = true;
	p.core_soft = p.core_hard = 1 << 20;
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_NR);
	p.uid = p.euid = 1000; /* no account of the system: it gets an ACL */
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_CORE_FOR_USER, CHECK_NR);
	h.storage = (struct fact){.error = 0, .value = "none"};
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	h.core = CORE_FILE;
	p.core_dumping = true;
	p.dumpable = DUMPABLE_NO;
	EXPECT_HOLDER(&h, &p, CHECK_CORE_IN_PROGRESS, CHECK_NR);
}

static void who_changed_his_user_may_be_dumped_for_root(void **state)
{
	struct host_facts h = plain_host();
	struct process_facts p = good_holder();

	p.dumpable = DUMPABLE_NO;
	p.core_soft = LIMIT_INFINITY;
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	snprintf(h.suid_dumpable.value, sizeof(h.suid_dumpable.value), "2");
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_SUID_CORE, CHECK_NR);
	h.core = CORE_RELATIVE; /* the kernel refuses that */
	EXPECT_HOLDER(&h, &p, CHECK_NR);
}

static void pages_decide_where_they_are_known(void **state)
{
	struct host_facts h = plain_host();
	struct process_facts p = good_holder();
	struct held_key *key = process_add_key(&p);

	p.core_soft = LIMIT_INFINITY;
	p.dumpable = DUMPABLE_YES;
	p.uid = p.euid = 0;
	p.swept = true;
	snprintf(key->name, sizeof(key->name), "SHA256:x");
	held_key_add_place(key, 0x1000);
	key->places[0].mapped = true;
	key->places[0].mapping.flags = MAPPING_FLAGS_KNOWN;
	EXPECT_HOLDER(&h, &p, CHECK_KEY_IN_CORE, CHECK_KEY_SWAPPABLE, CHECK_KEY_INHERITED,
		      CHECK_NR);
	key->places[0].mapping.flags |= MAPPING_LOCKED | MAPPING_WIPEONFORK;
	EXPECT_HOLDER(&h, &p, CHECK_KEY_IN_CORE, CHECK_NR);
	key->places[0].mapping.flags |= MAPPING_DONTDUMP;
	key->places[0].in_core = false;
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	process_facts_fini(&p);
	/* Searched, and nothing of the key is there any more. */
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	p.swept = false;
	p.locked_kib = 0;
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_KEY_SWAPPABLE, CHECK_NR);
}

/* A key that was found, and nobody knows in which page, or in which mapping. */
static void a_key_without_a_place_is_still_there(void **state)
{
	struct host_facts h = plain_host();
	struct process_facts p = good_holder();
	struct doctor d = {.host = &h, .holders = &p, .nr_holders = 1};
	struct held_key *key = process_add_key(&p);

	p.core_soft = LIMIT_INFINITY;
	p.uid = p.euid = 0;
	p.locked_kib = 0;
	p.swept = true;
	key->places_left_out = 1;
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_KEY_SWAPPABLE, CHECK_NR);
	/* One place is left out of cores, and locked; the others may not be. */
	held_key_add_place(key, 0x1000);
	key->places[0].mapped = true;
	key->places[0].in_core = false;
	key->places[0].mapping.flags =
		MAPPING_FLAGS_KNOWN | MAPPING_LOCKED | MAPPING_DONTDUMP | MAPPING_DONTCOPY;
	EXPECT_HOLDER(&h, &p, CHECK_HOLDER_DUMPABLE, CHECK_KEY_SWAPPABLE, CHECK_NR);
	key->places_left_out = 0;
	EXPECT_HOLDER(&h, &p, CHECK_NR);
	p.smaps_error = -EACCES;
	checks_holders(&d);
	assert_int_equal(blind_at(&d, CHECK_KEY_IN_CORE), 1);
	doctor_fini(&d);
	process_facts_fini(&p);
}

static void mappings_that_cannot_be_read(void **state)
{
	struct process_facts f;
	struct root root;

	make_all(state, process_tree);
	drop(state, "/proc/77/smaps");
	assert_int_equal(root_open(*state, &root), 0);
	assert_int_equal(process_facts(&root, 77, &f), 0);
	assert_int_equal(process_map_places(&root, &f), -ENOENT);
	assert_int_equal(f.smaps_error, -ENOENT);
	root_close(&root);
}

/* --- keytrail itself ----------------------------------------------------------------------------
 */

static void expect_status(const char *text, const enum check_id *ids)
{
	json_t *status = json_loads(text, 0, NULL);
	struct doctor d = {.daemon = DAEMON_ANSWERED, .status = status};

	assert_non_null(status);
	expect(&d, ids);
	json_decref(status);
}

#define EXPECT_STATUS(text, ...) expect_status(text, (const enum check_id[]){__VA_ARGS__})

static void what_the_daemon_does_not_see(void **state)
{
	struct doctor away = {.daemon = DAEMON_AWAY};

	EXPECT(&away, CHECK_DAEMON_OFF, CHECK_NR);
	EXPECT_STATUS("{\"canary\":{\"blind\":false},\"objects\":{\"total\":3},\"drops\":{\"a\":0},"
		      "\"scan\":{\"on\":true},\"hooks\":[{\"name\":\"a\",\"state\":\"attached\"},"
		      "{\"name\":\"b\",\"state\":\"spare\"}],\"apart\":[{\"state\":\"seen\"}],"
		      "\"warnings\":[\"trace: 1\"]}",
		      CHECK_NR);
	EXPECT_STATUS("{\"canary\":{\"blind\":true}}", CHECK_SENSOR_BLIND, CHECK_NR);
	EXPECT_STATUS("{\"objects\":{\"total\":0}}", CHECK_WATCHES_NOTHING, CHECK_NR);
	EXPECT_STATUS("{\"drops\":{\"ring-critical\":2}}", CHECK_EVENTS_LOST, CHECK_NR);
	EXPECT_STATUS("{\"scan\":{\"on\":false}}", CHECK_DUMPS_UNSCANNED, CHECK_NR);
	EXPECT_STATUS("{\"apart\":[{\"path\":\"/n\",\"state\":\"silent\"}]}",
		      CHECK_PLACES_UNWATCHED, CHECK_NR);
	EXPECT_STATUS("{\"warnings\":[\"not marked: /x: Permission denied\"]}",
		      CHECK_PLACES_UNWATCHED, CHECK_NR);
	EXPECT_STATUS("{\"warnings\":[\"children run as nobody: there is no user\"]}",
		      CHECK_CHILDREN_NOBODY, CHECK_NR);
	EXPECT_STATUS(
		"{\"hooks\":[{\"name\":\"a\",\"state\":\"missing\",\"why\":\"w\",\"sees\":\"s\","
		"\"essential\":false}]}",
		CHECK_HOOKS_MISSING, CHECK_NR);
	EXPECT_STATUS("{\"hooks\":[{\"state\":\"needless\",\"why\":\"off: the policy's setting "
		      "`memory`\"},{\"state\":\"needless\",\"why\":\"off: the policy's setting "
		      "`refused`\"}]}",
		      CHECK_MEMORY_OFF, CHECK_REFUSED_OFF, CHECK_NR);
	EXPECT_STATUS("{\"hooks\":7,\"drops\":[],\"apart\":{},\"objects\":{\"total\":\"x\"},"
		      "\"warnings\":[1]}",
		      CHECK_WATCHES_NOTHING, CHECK_NR);
}

/* --- the report ---------------------------------------------------------------------------------
 */

static void findings_are_in_order_and_whole_in_json(void **state)
{
	struct process_facts p = good_holder();
	struct doctor d = {.holders = &p, .nr_holders = 1, .daemon = DAEMON_AWAY};
	json_t *json, *findings, *blind;

	p.core_hard = p.core_soft = LIMIT_INFINITY;
	doctor_find(&d, CHECK_REFUSED_OFF, &(struct finding_text){.path = "p", .value = "v"});
	doctor_blind(&d, CHECK_SWAP_PLAIN, "/proc/swaps", -EACCES, NULL);
	doctor_run(&d);
	json = doctor_json(&d);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "schema")), DOCTOR_SCHEMA);
	findings = json_object_get(json, "findings");
	blind = json_object_get(json, "not_looked_at");
	assert_int_equal(json_array_size(findings), 3);
	assert_int_equal(json_array_size(blind), 1);
	for (size_t i = 0; i < 3; i++) {
		static const char *const ids[] = {"daemon-off", "holder-dumpable", "refused-off"};
		const json_t *f = json_array_get(findings, i);

		assert_string_equal(json_string_value(json_object_get(f, "id")), ids[i]);
		assert_non_null(json_object_get(f, "why"));
		assert_non_null(json_object_get(f, "mend"));
	}
	assert_int_equal(json_integer_value(json_object_get(json_array_get(findings, 1), "pid")),
			 77);
	assert_non_null(
		strstr(json_string_value(json_object_get(json_array_get(findings, 1), "mend")),
		       "/etc/systemd/system/signer.service.d"));
	assert_int_equal(json_array_size(json_object_get(json, "holders")), 1);
	json_decref(json);
	doctor_fini(&d);
}

/* Last: the tests above have fired each check, and each has its words. */
static void no_check_was_left_out(void **state)
{
	for (size_t i = 0; i < CHECK_NR; i++) {
		const struct check *c = &checks[i];

		assert_true(c->id && c->title && c->looks_at && c->why && c->mend);
		assert_true(c->severity >= SEV_INFO && c->severity < SEV_NR);
		if (!fired[i])
			fail_msg("no test has %s fire", c->id);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(checks[j].id, c->id);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_host_is_silent),
		cmocka_unit_test(each_bad_setting_is_found),
		TEST(who_may_read_new_dumps),
		TEST(swap_is_encrypted_if_all_below_is),
		TEST(a_circle_of_devices_ends),
		TEST(what_cannot_be_looked_at_is_said),
		cmocka_unit_test(what_cannot_be_listed_is_said),
		TEST(more_dumps_than_are_looked_at),
		TEST(access_lists_that_cannot_be_read),
		TEST(a_root_is_not_left),
		TEST(a_process_is_read_from_proc),
		TEST(a_user_names_no_service_of_root),
		cmocka_unit_test(what_a_user_named_is_no_command_for_root),
		TEST(a_process_hides_what_it_must_not_show),
		cmocka_unit_test(a_good_holder_is_silent),
		cmocka_unit_test(a_limit_counts_as_the_kernel_and_helpers_take_it),
		cmocka_unit_test(who_changed_his_user_may_be_dumped_for_root),
		cmocka_unit_test(pages_decide_where_they_are_known),
		cmocka_unit_test(a_key_without_a_place_is_still_there),
		TEST(mappings_that_cannot_be_read),
		cmocka_unit_test(what_the_daemon_does_not_see),
		cmocka_unit_test(findings_are_in_order_and_whole_in_json),
		cmocka_unit_test(no_check_was_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
