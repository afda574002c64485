// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: opened by the mapping of another process, /proc/PID/map_files/A-B (root only). */
#include <dirent.h>

#include "holder.h"

static int get_mapped(pid_t pid, const char *path)
{
	char dir[64], name[PATH_MAX], target[PATH_MAX], real[PATH_MAX];
	struct dirent *e;
	DIR *d;

	if (!realpath(path, real))
		return way_failed(path);
	snprintf(dir, sizeof(dir), "/proc/%d/map_files", pid);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		ssize_t n;

		snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
		n = readlink(name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, real))
			continue;
		return way_with_open(name, O_RDONLY, way_read);
	}
	return d ? way_lacks("no such mapping") : way_failed(dir);
}

static int get(const char *path)
{
	struct holder holder;
	int r = holder_start(&holder, "hold-mapped", path);

	return r ? r : holder_end(&holder, get_mapped(holder.pid, path));
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
