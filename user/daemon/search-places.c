// SPDX-License-Identifier: GPL-2.0-or-later
/* Which trees the search for keys goes through. */
#include "daemon/search-internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdinfo.h"
#include "daemon/app.h"
#include "daemon/homes.h"
#include "daemon/mounts.h"
#include "watch/reach.h"

#define TREES_MAX 8192

void search_places_free(struct search_watch *s)
{
	for (size_t i = 0; i < s->nr_places; i++)
		free(s->places[i].path);
	free(s->places);
	s->places = NULL;
	s->nr_places = s->at = 0;
}

static bool is_below(const char *path, const char *tree)
{
	size_t len = strlen(tree);

	return !strcmp(tree, "/") ||
	       (!strncmp(path, tree, len) && (path[len] == '/' || !path[len]));
}

/* In the order in which they are added. */
static void add_place(struct search_watch *s, const char *path, int mount)
{
	struct search_place *places;

	for (size_t i = 0; i < s->nr_places; i++)
		if (s->places[i].mount == mount && is_below(path, s->places[i].path))
			return;
	if (s->nr_places == TREES_MAX) {
		s->left_out++;
		return;
	}
	places = reallocarray(s->places, s->nr_places + 1, sizeof(*places));
	if (!places)
		return;
	s->places = places;
	places[s->nr_places].mount = mount;
	places[s->nr_places].path = strdup(path);
	if (places[s->nr_places].path)
		s->nr_places++;
}

/* A service's home may be a directory of all: such are not anybody's. */
static bool is_somebodys(const char *home)
{
	static const char *const shared[] = {"/usr", "/bin",  "/sbin", "/lib",
					     "/dev", "/proc", "/sys"};
	static const char *const tops[] = {"/",	       "/var", "/var/lib", "/run", "/tmp",
					   "/var/tmp", "/etc", "/home",	   "/opt", "/srv"};

	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (is_below(home, shared[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(tops); i++)
		if (!strcmp(home, tops[i]))
			return false;
	return true;
}

static bool fd_answers(void *userdata, int fd)
{
	struct search_watch *s = userdata;

	return search_settings(s)->network || mounts_answers(s->app->mounts, fd);
}

static void add_tree(struct search_watch *s, const char *path, bool home)
{
	const struct reach reach = {fd_answers, s};
	_cleanup_close_ int fd = reach_path(&reach, path, true);
	char self[REACH_SELF_MAX], real[PATH_MAX];
	ssize_t n;

	s->places_apart += fd == -EREMOTE;
	if (fd < 0)
		return;
	/* By its own name, without links: it is opened again by that. */
	n = readlink(reach_self(fd, self), real, sizeof(real) - 1);
	if (n <= 0 || n >= (ssize_t)sizeof(real) - 1)
		return;
	real[n] = '\0';
	if (!home || is_somebodys(real))
		add_place(s, real, fdinfo_mount(fd));
}

struct below {
	struct search_watch *search;
	size_t nr_trees; /* of the places */
};

/* What is mounted in a tree is searched as a tree of its own, if it answers. */
static void add_mount(void *userdata, const char *path, int id, const char *type, bool answers)
{
	struct below *below = userdata;
	struct search_watch *s = below->search;
	bool inside = false;

	for (size_t i = 0; i < below->nr_trees && !inside; i++)
		inside = s->places[i].mount != id && is_below(path, s->places[i].path);
	if (!inside || mounts_type_is_pseudo(type))
		return;
	if (answers || (search_settings(s)->network && strcmp(type, "autofs") != 0))
		add_place(s, path, id);
	else
		s->places_apart++;
}

void search_places_list(struct search_watch *s)
{
	struct below below = {.search = s};
	const char *const *list;
	size_t nr;

	search_places_free(s);
	s->places_apart = 0;
	list = policy_discover_trees(s->app->policy, &nr);
	for (size_t i = 0; i < nr; i++)
		add_tree(s, list[i], false);
	list = homes_list(s->app->homes, &nr);
	for (size_t i = 0; i < nr && search_settings(s)->homes; i++)
		add_tree(s, list[i], true);
	below.nr_trees = s->nr_places;
	mounts_each(s->app->mounts, add_mount, &below);
}
