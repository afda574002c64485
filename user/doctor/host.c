// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a host's settings decides where cores go; and the gathering of all the rest. */
#include "doctor/host.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "base/escape.h"

#define COREDUMP_DIR "/var/lib/systemd/coredump"

void fact_line(const struct root *root, const char *path, struct fact *out_fact)
{
	char line[1024] = "";

	*out_fact = (struct fact){.error = 0};
	snprintf(out_fact->path, sizeof(out_fact->path), "%s", path);
	out_fact->error = root_line(root, path, line, sizeof(line));
	if (!out_fact->error)
		escape_bytes(line, strlen(line), out_fact->value, sizeof(out_fact->value), NULL);
}

void fact_set(struct fact *fact, const char *path, const char *fmt, ...)
{
	va_list ap;

	fact->error = 0;
	snprintf(fact->path, sizeof(fact->path), "%.*s", (int)sizeof(fact->path) - 1, path);
	va_start(ap, fmt);
	vsnprintf(fact->value, sizeof(fact->value), fmt, ap);
	va_end(ap);
}

void fact_fail(struct fact *fact, const char *path, int error)
{
	*fact = (struct fact){.error = error};
	snprintf(fact->path, sizeof(fact->path), "%.*s", (int)sizeof(fact->path) - 1, path);
}

/* --- core_pattern ------------------------------------------------------------------------------
 */

static enum core_kind helper_kind(const char *pattern)
{
	static const struct {
		const char *name;
		enum core_kind kind;
	} helpers[] = {
		{"systemd-coredump", CORE_SYSTEMD},
		{"apport", CORE_APPORT},
		{"abrt-hook-ccpp", CORE_ABRT},
		{"false", CORE_NOWHERE},
		{"true", CORE_NOWHERE},
	};
	const char *program = pattern + strspn(pattern, " \t"), *name;
	size_t len = strcspn(program, " \t");

	name = memrchr(program, '/', len);
	name = name ? name + 1 : program;
	len -= (size_t)(name - program);
	for (size_t i = 0; i < sizeof(helpers) / sizeof(*helpers); i++)
		if (len == strlen(helpers[i].name) && !memcmp(name, helpers[i].name, len))
			return helpers[i].kind;
	return CORE_HELPER;
}

bool core_pattern_tells_limit(const char *pattern)
{
	for (const char *p = strchr(pattern, '%'); p && p[1]; p = strchr(p + 2, '%'))
		if (p[1] == 'c')
			return true;
	return false;
}

enum core_kind core_pattern_kind(const char *pattern, char *dir, size_t size)
{
	const char *slash;

	if (size)
		dir[0] = '\0';
	if (!*pattern || !strcmp(pattern, "/dev/null"))
		return CORE_NOWHERE;
	if (*pattern == '|')
		return helper_kind(pattern + 1);
	if (*pattern == '@')
		return CORE_SOCKET;
	if (*pattern != '/')
		return CORE_RELATIVE;
	/* A directory that depends on the process (%u and the like) is as far as it does not. */
	slash = memrchr(pattern, '/', strcspn(pattern, "%"));
	if (slash == pattern)
		slash++;
	snprintf(dir, size, "%.*s", (int)(slash - pattern), pattern);
	return CORE_FILE;
}

/* --- coredump.conf ------------------------------------------------------------------------------
 */

/* Lowest first. systemd itself reads /usr/lib/systemd/coredump.conf since version 253. */
static const char *const conf_dirs[] = {"/usr/lib/systemd", "/usr/local/lib/systemd",
					"/run/systemd", "/etc/systemd"};

static void take_settings(const struct root *root, const char *path, struct host_facts *f)
{
	const struct {
		const char *key;
		struct fact *fact;
	} settings[] = {
		{"Storage", &f->storage},
		{"ExternalSizeMax", &f->external_max},
		{"MaxUse", &f->max_use},
		{"KeepFree", &f->keep_free},
	};
	_cleanup_free_ char *text = NULL;
	size_t len;
	int err = root_read(root, path, ROOT_TEXT_MAX, &text, &len);

	if (err == -ENOENT)
		return;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		struct fact *fact = settings[i].fact;
		char value[256];

		if (!err && !conf_ini(text, "Coredump", settings[i].key, value, sizeof(value)))
			continue;
		fact->error = err;
		snprintf(fact->path, sizeof(fact->path), "%s", path);
		if (!err)
			snprintf(fact->value, sizeof(fact->value), "%s", value);
	}
}

/* A drop-in of a higher directory replaces one of the same name in a lower one. */
static bool overridden(const struct root *root, size_t dir, const char *name)
{
	for (size_t i = dir + 1; i < sizeof(conf_dirs) / sizeof(*conf_dirs); i++) {
		_cleanup_close_ int fd = -1;
		char path[512];

		snprintf(path, sizeof(path), "%s/coredump.conf.d/%s", conf_dirs[i], name);
		fd = root_fd(root, path, O_PATH);
		if (fd >= 0)
			return true;
	}
	return false;
}

struct dropin {
	char *name;
	size_t dir;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dropin *)a)->name, ((const struct dropin *)b)->name);
}

#define DROPINS_MAX 256

static void read_coredump_conf(const struct root *root, struct host_facts *f)
{
	static const size_t nr_dirs = sizeof(conf_dirs) / sizeof(*conf_dirs);
	struct dropin dropins[DROPINS_MAX];
	struct root_names names[4] = {0};
	char path[512];
	size_t nr = 0;
	struct fact blind = {.error = 0};
	int err;

	f->storage.error = f->external_max.error = f->max_use.error = f->keep_free.error = -ENOENT;
	for (size_t i = nr_dirs; i-- > 0;) { /* the main file of the highest directory alone */
		_cleanup_close_ int fd = -1;

		snprintf(path, sizeof(path), "%s/coredump.conf", conf_dirs[i]);
		fd = root_fd(root, path, O_PATH);
		if (fd == -ENOENT)
			continue;
		take_settings(root, path, f);
		break;
	}
	for (size_t i = 0; i < nr_dirs; i++) {
		snprintf(path, sizeof(path), "%s/coredump.conf.d", conf_dirs[i]);
		err = root_list(root, path, ".conf", &names[i]);
		if (err < 0 && err != -ENOENT)
			fact_fail(&blind, path, err);
		if (err < 0)
			continue;
		if (names[i].cut)
			fact_fail(&blind, path, -E2BIG);
		for (size_t j = 0; j < names[i].nr; j++) {
			if (overridden(root, i, names[i].names[j]))
				continue;
			if (nr < DROPINS_MAX)
				dropins[nr++] = (struct dropin){names[i].names[j], i};
			else
				fact_fail(&blind, path, -E2BIG);
		}
	}
	qsort(dropins, nr, sizeof(*dropins), by_name);
	for (size_t i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/coredump.conf.d/%s", conf_dirs[dropins[i].dir],
			 dropins[i].name);
		take_settings(root, path, f);
	}
	if (blind.error) /* what stands there may have the last word */
		f->storage = blind;
	for (size_t i = 0; i < nr_dirs; i++)
		root_names_fini(&names[i]);
}

/* --- all ----------------------------------------------------------------------------------------
 */

static void read_core(const struct root *root, struct host_facts *f)
{
	static const char *const dirs[] = {
		[CORE_SYSTEMD] = COREDUMP_DIR,
		[CORE_APPORT] = "/var/crash",
		[CORE_ABRT] = "/var/spool/abrt",
	};
	char dir[256] = "";

	fact_line(root, "/proc/sys/kernel/core_pattern", &f->core_pattern);
	f->core_limit_told =
		!f->core_pattern.error && core_pattern_tells_limit(f->core_pattern.value);
	f->core = f->core_pattern.error
			  ? CORE_UNKNOWN
			  : core_pattern_kind(f->core_pattern.value, dir, sizeof(dir));
	if ((f->core == CORE_SYSTEMD || f->core == CORE_APPORT || f->core == CORE_ABRT))
		dump_dir_facts(root, dirs[f->core], &f->dumps);
	else if (f->core == CORE_FILE)
		dump_dir_facts(root, dir, &f->dumps);
}

static void read_upload(const struct root *root, struct host_facts *f)
{
	static const struct {
		const char *path, *section, *key, *on;
	} settings[] = {
		{"/etc/default/whoopsie", NULL, "report_crashes", "true"},
		{"/etc/whoopsie", "General", "report_metrics", "true"},
		{"/etc/abrt/abrt.conf", NULL, "AutoreportingEnabled", "yes"},
	};
	static const char *const files[] = {"/var/lib/apport/autoreport"};

	f->upload.error = -ENOENT;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		_cleanup_free_ char *text = NULL;
		char value[64];
		size_t len;
		int err = root_read(root, settings[i].path, ROOT_TEXT_MAX, &text, &len);

		if (err == -ENOENT)
			continue;
		if (!err &&
		    (!conf_ini(text, settings[i].section, settings[i].key, value, sizeof(value)) ||
		     strcmp(value, settings[i].on)))
			continue;
		f->upload.error = err;
		snprintf(f->upload.path, sizeof(f->upload.path), "%s", settings[i].path);
		if (!err)
			snprintf(f->upload.value, sizeof(f->upload.value), "%s=%s", settings[i].key,
				 value);
		if (!err)
			return;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		_cleanup_close_ int fd = root_fd(root, files[i], O_PATH);

		if (fd < 0 && fd != -ENOENT && f->upload.error == -ENOENT)
			fact_fail(&f->upload, files[i], fd);
		if (fd < 0)
			continue;
		f->upload.error = 0;
		snprintf(f->upload.path, sizeof(f->upload.path), "%s", files[i]);
		snprintf(f->upload.value, sizeof(f->upload.value), "exists");
	}
}

void host_facts(const struct root *root, struct host_facts *out_facts)
{
	struct host_facts *f = out_facts;

	*f = (struct host_facts){.core = CORE_UNKNOWN};
	fact_line(root, "/proc/sys/fs/suid_dumpable", &f->suid_dumpable);
	fact_line(root, "/proc/sys/kernel/yama/ptrace_scope", &f->ptrace_scope);
	fact_line(root, "/sys/kernel/security/lockdown", &f->lockdown);
	read_core(root, f);
	read_coredump_conf(root, f);
	swap_facts(root, f);
	kdump_facts(root, f);
	read_upload(root, f);
	logs_facts(root, f);
}
