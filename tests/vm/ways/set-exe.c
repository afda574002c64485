// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Not a way to a key but a disguise: a program that has the kernel say that it is another one.
 *
 *	set-exe EXE PATH
 *
 * Puts memory without a file in the place of its own executable, since the kernel lets go of that
 * only when none of it is mapped, names EXE as what it runs, and opens PATH. Prints the error of
 * the open by its name, "none" if it went through.
 */
#include <sys/prctl.h>

#include "way.h"

#define MAPS_MAX 32

struct map {
	unsigned long from, to;
	char prot[5];
};

static size_t own_maps(struct map maps[static MAPS_MAX])
{
	FILE *f = fopen("/proc/self/maps", "re");
	char self[PATH_MAX], line[PATH_MAX + 128];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t nr = 0;

	if (!f || len < 0)
		return 0;
	self[len] = '\0';
	while (fgets(line, sizeof(line), f) && nr < MAPS_MAX)
		if (strstr(line, self) &&
		    sscanf(line, "%lx-%lx %4s", &maps[nr].from, &maps[nr].to, maps[nr].prot) == 3)
			nr++;
	fclose(f);
	return nr;
}

/* In one step, by what then goes on in the copy. */
static int replace(const struct map *map)
{
	const size_t size = map->to - map->from;
	const int prot = (map->prot[0] == 'r' ? PROT_READ : 0) |
			 (map->prot[1] == 'w' ? PROT_WRITE : 0) |
			 (map->prot[2] == 'x' ? PROT_EXEC : 0);
	void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return -1;
	memcpy(copy, (void *)map->from, size); /* NOLINT(performance-no-int-to-ptr) */
	if (mprotect(copy, size, prot) < 0)
		return -1;
	return mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)map->from) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

int main(int argc, char **argv)
{
	struct map maps[MAPS_MAX];
	size_t nr;
	int exe, fd;

	if (argc != 3) {
		fprintf(stderr, "usage: set-exe EXE PATH\n");
		return 2;
	}
	nr = own_maps(maps);
	exe = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (!nr || exe < 0)
		return way_failed(argv[1]);
	for (size_t i = 0; i < nr; i++)
		if (maps[i].prot[0] == 'r' && replace(&maps[i]) < 0)
			return way_failed("the copy");
	if (prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, (unsigned long)exe, 0UL, 0UL) < 0)
		return way_failed("PR_SET_MM_EXE_FILE");
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	puts(fd >= 0 ? "none" : strerrorname_np(errno));
	return 0;
}
