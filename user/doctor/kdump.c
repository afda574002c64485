// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the kernel's own dumps go. */
#include <string.h>

#include "doctor/host.h"

static int read_text(const struct root *root, const char *path, char **out)
{
	size_t len;

	return root_read(root, path, ROOT_TEXT_MAX, out, &len);
}

/* The number behind -d in makedumpfile's arguments, in any of the ways it may be written. */
static void take_level(struct host_facts *f, const char *path, const char *arguments)
{
	const char *p = arguments;

	while ((p = strstr(p, "-d"))) {
		const char *number = p + 2 + strspn(p + 2, " ");

		if ((p == arguments || p[-1] == ' ') && *number >= '0' && *number <= '9') {
			fact_set(&f->kdump_level, path, "%lu", strtoul(number, NULL, 10));
			return;
		}
		p += 2;
	}
}

/* Debian: /etc/default/kdump-tools, a shell's. Its default for MAKEDUMP_ARGS is "-c -d 31". */
static void read_debian(const struct root *root, struct host_facts *f)
{
	static const char path[] = "/etc/default/kdump-tools";
	static const char *const remote[] = {"SSH", "NFS", "FTP"};
	_cleanup_free_ char *text = NULL;
	char value[160];

	int err = read_text(root, path, &text);

	if (err < 0 && err != -ENOENT)
		fact_fail(&f->kdump_target, path, err);
	if (err < 0 || !conf_shell(text, "USE_KDUMP", value, sizeof(value)) || strcmp(value, "1"))
		return;
	f->kdump = true;
	fact_set(&f->kdump_level, path, "31");
	if (conf_shell(text, "MAKEDUMP_ARGS", value, sizeof(value))) {
		f->kdump_level.error = -ENOENT;
		take_level(f, path, value);
	}
	for (size_t i = 0; i < sizeof(remote) / sizeof(*remote); i++)
		if (conf_shell(text, remote[i], value, sizeof(value)) && value[0])
			fact_set(&f->kdump_target, path, "%s=%s", remote[i], value);
}

/* Red Hat, SUSE since 15: /etc/kdump.conf, a word and its value on each line. */
static void read_redhat(const struct root *root, struct host_facts *f)
{
	static const char path[] = "/etc/kdump.conf";
	static const char *const remote[] = {"ssh", "nfs", "net"};
	_cleanup_free_ char *text = NULL;
	char value[160];

	int err = read_text(root, path, &text);

	if (err < 0 && err != -ENOENT)
		fact_fail(&f->kdump_target, path, err);
	if (err < 0)
		return;
	f->kdump = true;
	fact_set(&f->kdump_level, path, "31"); /* what it does if nothing is said */
	if (conf_word(text, "core_collector", value, sizeof(value))) {
		f->kdump_level.error = -ENOENT;
		take_level(f, path, value);
	}
	for (size_t i = 0; i < sizeof(remote) / sizeof(*remote); i++)
		if (conf_word(text, remote[i], value, sizeof(value)))
			fact_set(&f->kdump_target, path, "%s %s", remote[i], value);
}

void kdump_facts(const struct root *root, struct host_facts *facts)
{
	facts->kdump_target.error = facts->kdump_level.error = -ENOENT;
	fact_line(root, "/sys/kernel/kexec_crash_loaded", &facts->kdump_loaded);
	read_debian(root, facts);
	read_redhat(root, facts);
}
