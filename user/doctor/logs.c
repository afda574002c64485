// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the host's logs go: is there a line that sends them to another host? */
#include <errno.h>

#include "doctor/host.h"

static int read_text(const struct root *root, const char *path, char **out)
{
	size_t len;

	return root_read(root, path, ROOT_TEXT_MAX, out, &len);
}

/* A file that is there and cannot be read is not one without such a line. */
static bool look_into(const struct root *root, const char *path, struct host_facts *f)
{
	_cleanup_free_ char *text = NULL;
	char line[200];
	int err = read_text(root, path, &text);

	if (err == -ENOENT)
		return false;
	if (err < 0) {
		fact_fail(&f->syslog_remote, path, err);
		return false;
	}
	if (!conf_syslog_remote(text, line, sizeof(line)))
		return false;
	fact_set(&f->syslog_remote, path, "%s", line);
	return true;
}

void logs_facts(const struct root *root, struct host_facts *facts)
{
	static const char *const files[] = {"/etc/rsyslog.conf", "/etc/syslog-ng/syslog-ng.conf"};
	static const char *const dirs[] = {"/etc/rsyslog.d", "/etc/syslog-ng/conf.d"};
	static const char journal[] = "/etc/systemd/journal-upload.conf";
	_cleanup_free_ char *upload = NULL;
	char value[160];
	int err;

	facts->syslog_remote.error = -ENOENT;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (look_into(root, files[i], facts))
			return;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		struct root_names names;
		bool found = false;

		err = root_list(root, dirs[i], ".conf", &names);
		if (err < 0 && err != -ENOENT)
			fact_fail(&facts->syslog_remote, dirs[i], err);
		if (err < 0)
			continue;
		if (names.cut)
			fact_fail(&facts->syslog_remote, dirs[i], -E2BIG);
		for (size_t j = 0; j < names.nr && !found; j++) {
			char path[512];

			snprintf(path, sizeof(path), "%s/%s", dirs[i], names.names[j]);
			found = look_into(root, path, facts);
		}
		root_names_fini(&names);
		if (found)
			return;
	}
	err = read_text(root, journal, &upload);
	if (err < 0 && err != -ENOENT)
		fact_fail(&facts->syslog_remote, journal, err);
	else if (!err && conf_ini(upload, "Upload", "URL", value, sizeof(value)) && value[0])
		fact_set(&facts->syslog_remote, journal, "URL=%s", value);
}
