// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text as each of the configurations that doctor reads: what comes out is terminated, bounded,
 * one line and printable.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor/conf.h"
#include "doctor/host.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	check(len < size);
	for (size_t i = 0; i < len; i++)
		check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), out[24];
	struct mount mount;
	struct acl acl;

	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (conf_ini(text, "Coredump", "Storage", out, sizeof(out)))
		check_text(out, sizeof(out));
	if (conf_ini(text, NULL, "A", out, sizeof(out)))
		check_text(out, sizeof(out));
	if (conf_shell(text, "NFS", out, sizeof(out)))
		check_text(out, sizeof(out));
	if (conf_word(text, "nfs", out, sizeof(out)))
		check_text(out, sizeof(out));
	if (conf_cmdline(text, "resume", out, sizeof(out)))
		check_text(out, sizeof(out));
	if (conf_tmpfiles(text, "/a", out, sizeof(out)))
		check_text(out, sizeof(out));
	if (conf_syslog_remote(text, out, sizeof(out)))
		check_text(out, sizeof(out));
	if (conf_mount_of(text, "/a/b", &mount)) {
		check(mount.path[0] == '/' && strlen(mount.path) < sizeof(mount.path));
		check_text(mount.type, sizeof(mount.type));
		check_text(mount.source, sizeof(mount.source));
	}
	check(core_pattern_kind(text, out, sizeof(out)) <= CORE_SOCKET);
	check(strnlen(out, sizeof(out)) < sizeof(out));
	if (conf_acl(data, size, &acl) == 0)
		check(acl.nr <= size / 8);
	free(text);
	return 0;
}
