// SPDX-License-Identifier: GPL-2.0-or-later
/* The marked directories and files by the names under which they are watched. */
#include "watch/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"

/* Nodes are few enough to be walked and deep enough never to loop: a path has at most this many
 * names. */
#define DEPTH_MAX 2048

#define CHAINS_MIN 1024

static struct node **object_chain(const struct tree *tree, uint64_t object)
{
	return &tree->objects[hash_u64(object) & (tree->nr_chains - 1)];
}

/* By number and device, as inode_id_same(). The numbers are chosen by who serves the file system.
 */
static uint64_t inode_hash(const struct inode_id *inode)
{
	const uint64_t key[] = {inode->ino, inode->dev};

	return hash_bytes(key, sizeof(key));
}

static struct node **inode_chain(const struct tree *tree, const struct inode_id *inode)
{
	return &tree->inodes[inode_hash(inode) & (tree->nr_chains - 1)];
}

/* In the order in which they are: what said last that it is of an inode is found first. */
static void split_inodes(const struct tree *tree, struct node **inodes)
{
	for (size_t i = 0; i < tree->nr_chains; i++) {
		struct node **tails[] = {&inodes[i], &inodes[i + tree->nr_chains]};
		struct node *next;

		for (struct node *node = tree->inodes[i]; node; node = next) {
			struct node ***tail =
				&tails[!!(inode_hash(&node->inode) & tree->nr_chains)];

			next = node->next_inode;
			node->next_inode = NULL;
			**tail = node;
			*tail = &node->next_inode;
		}
	}
}

static void add_to_inodes(struct tree *tree, struct node *node)
{
	struct node **chain = inode_chain(tree, &node->inode);

	node->next_inode = *chain;
	*chain = node;
	node->in_inodes = true;
}

static void add_to_objects(struct tree *tree, struct node *node)
{
	struct node **chain = object_chain(tree, node->object);

	node->next_object = *chain;
	*chain = node;
}

static void forget_inode(struct tree *tree, struct node *node)
{
	struct node **slot;

	if (!node->in_inodes)
		return;
	slot = inode_chain(tree, &node->inode);
	while (*slot != node)
		slot = &(*slot)->next_inode;
	*slot = node->next_inode;
	node->in_inodes = false;
}

/* Twice as many chains. Longer chains are slower, not wrong: false is an error only if there are
 * none yet. */
static bool grow(struct tree *tree)
{
	const size_t nr = tree->nr_chains ? tree->nr_chains * 2 : CHAINS_MIN;
	struct node **objects = calloc(nr, sizeof(*objects));
	struct node **inodes = calloc(nr, sizeof(*inodes));
	struct node *node;

	if (!objects || !inodes) {
		free(objects);
		free(inodes);
		return false;
	}
	if (!tree->nr_chains)
		TAILQ_INIT(&tree->all);
	split_inodes(tree, inodes);
	free(tree->objects);
	free(tree->inodes);
	tree->objects = objects;
	tree->inodes = inodes;
	tree->nr_chains = nr;
	TAILQ_FOREACH (node, &tree->all, all)
		add_to_objects(tree, node);
	return true;
}

void tree_set_inode(struct tree *tree, struct node *node, const struct inode_id *inode)
{
	forget_inode(tree, node);
	node->inode = *inode;
	add_to_inodes(tree, node);
}

struct node *tree_find_inode(const struct tree *tree, const struct inode_id *inode)
{
	struct node *node = tree->nr_chains ? *inode_chain(tree, inode) : NULL;

	while (node && !inode_id_same(&node->inode, inode))
		node = node->next_inode;
	/* Directories have numbers of their own: one that has this has gone. */
	return node && !node->is_dir ? node : NULL;
}

static void node_free(struct tree *tree, struct node *node)
{
	struct node **slot = object_chain(tree, node->object);

	forget_inode(tree, node);
	while (*slot != node)
		slot = &(*slot)->next_object;
	*slot = node->next_object;
	TAILQ_REMOVE(&tree->all, node, all);
	tree->nr--;
	if (node->parent)
		node->parent->nr_children--;
	if (tree->root == node)
		tree->root = NULL;
	free(node->name);
	free(node);
}

void tree_fini(struct tree *tree)
{
	struct node *node;

	while ((node = TAILQ_FIRST(&tree->all))) {
		TAILQ_REMOVE(&tree->all, node, all);
		free(node->name);
		free(node);
	}
	free(tree->objects);
	free(tree->inodes);
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
	struct node *node = tree->nr_chains ? *object_chain(tree, object) : NULL;

	while (node && node->object != object)
		node = node->next_object;
	return node;
}

/* Gives the children of a node that goes away their whole path as a name. */
static void orphan_children(struct tree *tree, struct node *gone)
{
	struct node *node;

	TAILQ_FOREACH (node, &tree->all, all) {
		char path[PATH_MAX];
		char *name;

		if (!gone->nr_children)
			break;
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

static struct node *new_node(struct tree *tree, uint64_t object, const char *name)
{
	struct node *node;

	if (tree->nr >= tree->nr_chains && !grow(tree) && !tree->nr_chains)
		return NULL;
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	node->object = object;
	node->name = strdup(name);
	if (!node->name) {
		free(node);
		return NULL;
	}
	add_to_objects(tree, node);
	TAILQ_INSERT_TAIL(&tree->all, node, all);
	tree->nr++;
	return node;
}

struct node *tree_add_apart(struct tree *tree, uint64_t object, const char *path)
{
	return new_node(tree, object, path);
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
	struct node *node = new_node(tree, object, name), *child;

	if (!node)
		return NULL;
	if (!parent) {
		if (tree->root) {
			struct node *old = tree->root;

			/* `/` is another inode now: its children move to the new one. */
			TAILQ_FOREACH (child, &tree->all, all) {
				if (child->parent == old) {
					child->parent = node;
					node->nr_children++;
					old->nr_children--;
				}
			}
			node_free(tree, old);
		}
		tree->root = node;
	} else {
		parent->nr_children++;
	}
	node->parent = parent;
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
	struct node *node, *next;

	for (node = TAILQ_FIRST(&tree->all); node; node = next) {
		next = TAILQ_NEXT(node, all);
		if (!test(userdata, node))
			continue;
		gone(userdata, node);
		tree_remove(tree, node);
	}
}

void tree_each(const struct tree *tree, void (*call)(void *userdata, const struct node *node),
	       void *userdata)
{
	const struct node *node;

	TAILQ_FOREACH (node, &tree->all, all)
		call(userdata, node);
}
