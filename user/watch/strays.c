// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was told as marked and has another object's mark, or none, for good.
 *
 * The daemon changes a mark by reading it and putting all of it back, and takes one off likewise.
 * If its object ends in between, and the kernel side (or a child that marks) gives the mark of its
 * inode number to another file, that has the old mark then, or none: it is judged by the wrong
 * entry, or not at all, and what is told of it is of an object that is none. To take the mark out
 * first to see what it was would leave each file unmarked for a moment. But the other file is told
 * as what it was marked as, and behind what was done to its mark. Mostly such a file has only ended
 * since, and that is told right behind; where it still stands a second later a walk marks it anew.
 */
#include "watch/watcher-internal.h"

static bool is_settled(const struct watcher *w, uint64_t object)
{
	const struct node *node = tree_find(&w->tree, object);

	return !node || w->ops->is_marked(w->userdata, &node->inode, object);
}

static void drop_settled(struct watcher *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->nr_strays; i++)
		if (!is_settled(w, w->strays[i].object))
			w->strays[kept++] = w->strays[i];
	w->nr_strays = kept;
}

void strays_note(struct watcher *w, uint64_t object)
{
	if (is_settled(w, object))
		return;
	if (w->nr_strays == STRAYS_MAX)
		drop_settled(w);
	if (w->nr_strays < STRAYS_MAX)
		w->strays[w->nr_strays++] = (struct stray){.object = object};
	else
		w->more_strays = true;
}

bool watcher_has_strays(struct watcher *w)
{
	bool walk = w->more_strays;

	drop_settled(w);
	for (size_t i = 0; i < w->nr_strays; i++) {
		walk |= w->strays[i].looked;
		w->strays[i].looked = true;
	}
	if (walk) {
		w->nr_strays = 0;
		w->more_strays = false;
	}
	return walk;
}
