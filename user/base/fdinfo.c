// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel tells of a descriptor. */
#include "base/fdinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int fdinfo_mount(int fd)
{
	char path[48], line[128];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "mnt_id:", 7))
			return (int)strtol(line + 7, NULL, 10);
	return -1;
}
