// SPDX-License-Identifier: GPL-2.0-or-later
/* The marked directories and files by the names under which they are watched. */
#include "watch/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Nodes are few enough to be walked and deep enough never to loop: a path has at most this many
 * names. */
#define DEPTH_MAX 2048

#define INODE_KEY offsetof(struct inode_id, gen) /* as inode_id_same() */

static void forget_inode(struct tree *tree, struct node *node)
{
	if (node->in_inodes)
		HASH_DELETE(hh_inode, tree->inodes, node);
	node->in_inodes = false;
}

void tree_set_inode(struct tree *tree, struct node *node, const struct inode_id *inode)
{
	forget_inode(tree, node);
	node->inode = *inode;
	HASH_ADD(hh_inode, tree->inodes, inode, INODE_KEY, node);
	node->in_inodes = true;
}

struct node *tree_find_inode(const struct tree *tree, const struct inode_id *inode)
{
	struct node *node;

	/* Directories have numbers of their own: one that has this has gone. */
	HASH_FIND(hh_inode, tree->inodes, inode, INODE_KEY, node);
	return node && !node->is_dir ? node : NULL;
}

static void node_free(struct tree *tree, struct node *node)
{
	forget_inode(tree, node);
	HASH_DEL(tree->nodes, node);
	if (node->parent)
		node->parent->nr_children--;
	if (tree->root == node)
		tree->root = NULL;
	free(node->name);
	free(node);
}

void tree_fini(struct tree *tree)
{
	struct node *node, *tmp;

	HASH_ITER(hh, tree->nodes, node, tmp)
	{
		forget_inode(tree, node);
		HASH_DEL(tree->nodes, node);
		free(node->name);
		free(node);
	}
	*tree = (struct tree){};
}

uint64_t tree_number(struct tree *tree)
{
	return ++tree->last_number;
}

struct node *tree_root(const struct tree *tree)
{
	return tree->root;
}

struct node *tree_find(const struct tree *tree, uint64_t object)
{
	struct node *node;

	HASH_FIND(hh, tree->nodes, &object, sizeof(object), node);
	return node;
}

/* Gives the children of a node that goes away their whole path as a name. */
static void orphan_children(struct tree *tree, struct node *gone)
{
	for (struct node *node = tree->nodes; node && gone->nr_children; node = node->hh.next) {
		char path[PATH_MAX];
		char *name;

		if (node->parent != gone)
			continue;
		name = tree_path(node, path, sizeof(path)) >= 0 ? strdup(path) : NULL;
		if (name) {
			free(node->name);
			node->name = name;
		}
		node->parent = NULL;
		gone->nr_children--;
	}
}

static struct node *new_node(uint64_t object, const char *name)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->object = object;
	node->name = strdup(name);
	if (!node->name) {
		free(node);
		return NULL;
	}
	return node;
}

struct node *tree_add_apart(struct tree *tree, uint64_t object, const char *path)
{
	struct node *node = new_node(object, path);

	if (node)
		HASH_ADD(hh, tree->nodes, object, sizeof(node->object), node);
	return node;
}

int tree_rename_apart(struct node *node, const char *path)
{
	char *name = strdup(path);

	if (!name)
		return -ENOMEM;
	free(node->name);
	node->name = name;
	return 0;
}

struct node *tree_add(struct tree *tree, uint64_t object, struct node *parent, const char *name)
{
	struct node *node = new_node(object, name);

	if (!node)
		return NULL;
	if (!parent) {
		if (tree->root) {
			struct node *old = tree->root;

			/* `/` is another inode now: its children move to the new one. */
			for (struct node *child = tree->nodes; child; child = child->hh.next)
				if (child->parent == old) {
					child->parent = node;
					node->nr_children++;
					old->nr_children--;
				}
			node_free(tree, old);
		}
		tree->root = node;
	} else {
		parent->nr_children++;
	}
	node->parent = parent;
	HASH_ADD(hh, tree->nodes, object, sizeof(node->object), node);
	return node;
}

int tree_move(struct tree *tree, struct node *node, struct node *parent, const char *name)
{
	char *copy;

	for (const struct node *up = parent; up; up = up->parent)
		if (up == node)
			return -EINVAL;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(node->name);
	node->name = copy;
	if (node->parent)
		node->parent->nr_children--;
	if (parent)
		parent->nr_children++;
	node->parent = parent;
	return 0;
}

int tree_path(const struct node *node, char *out, size_t size)
{
	const struct node *chain[DEPTH_MAX];
	size_t depth = 0, at = 0;

	for (; node && depth < DEPTH_MAX; node = node->parent)
		chain[depth++] = node;
	if (node || size < 2)
		return -ENAMETOOLONG;
	for (size_t i = depth; i-- > 0;) {
		const char *name = chain[i]->name;
		size_t len = strlen(name);

		if (!len) /* the root */
			continue;
		if (at + len + 2 > size)
			return -ENAMETOOLONG;
		if (name[0] != '/') /* else an orphan, whose name is a path */
			out[at++] = '/';
		memcpy(out + at, name, len);
		at += len;
	}
	if (!at)
		out[at++] = '/';
	out[at] = '\0';
	return at;
}

void tree_remove(struct tree *tree, struct node *node)
{
	if (node->nr_children)
		orphan_children(tree, node);
	node_free(tree, node);
}

void tree_remove_if(struct tree *tree, bool (*test)(void *userdata, const struct node *node),
		    void (*gone)(void *userdata, struct node *node), void *userdata)
{
	struct node *node, *tmp;

	HASH_ITER(hh, tree->nodes, node, tmp)
	{
		if (!test(userdata, node))
			continue;
		gone(userdata, node);
		tree_remove(tree, node);
	}
}

void tree_each(const struct tree *tree, void (*call)(void *userdata, const struct node *node),
	       void *userdata)
{
	for (const struct node *node = tree->nodes; node; node = node->hh.next)
		call(userdata, node);
}
