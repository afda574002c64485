/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The marked directories and files by the names under which they are watched. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/queue.h>

#include "model/event.h"

/* Told as marked, and found not to be; found so once more. */
enum stray { STRAY_NOT = 0, STRAY_NOTED, STRAY_LOOKED };

enum born { BORN_NOT = 0, BORN_DUMP, BORN_FOUND, BORN_COPY };

/* Of ten thousand watched files there are ten thousand of these: what is not needed is not in them.
 */
struct node {
	uint64_t object; /* number of its mark: the key */
	struct inode_id inode;
	struct node *parent; /* NULL: the root, or one whose directory is gone (name is then the
				whole path) */
	char *name; /* raw bytes; the root's is "" */
	uint32_t nr_children;
	uint32_t state, watch;
	uint32_t generation; /* of the walk that last came by */
	uint32_t looked; /* number of the walk after which `hidden` was found out */
	uint32_t visited; /* number of the walk that read it, as a directory */
	uint32_t apart; /* on a file system that may not answer: number of the walk by a child that
			   last came by. 0: it is not */
	uint32_t owner; /* uid that a found key or a copy was charged to */
	enum stray stray : 8; /* strays.c only */
	enum born born : 8; /* watched for what it is, and not for its name: no walk leads here */
	bool missed; /* not found by the last walk of everything, and kept */
	bool over, hidden; /* unfound.c only, as is `looked` */
	bool is_dir;
	bool by_link; /* known only by a symbolic link: any other name is better */
	/* tree.c only, but for the walk through all: */
	bool in_inodes;
	struct node *next_object, *next_inode; /* in their chains */
	TAILQ_ENTRY(node) all;
};

TAILQ_HEAD(node_list, node);

/* All zero: an empty one. */
struct tree {
	struct node_list all; /* in the order in which they came */
	struct node **objects; /* chains by object */
	struct node **inodes; /* chains by inode (number, device), of those that have one */
	size_t nr_chains; /* of either; power of two, or 0 */
	size_t nr;
	struct node *root;
	uint64_t last_number;
};

void tree_fini(struct tree *tree);

/* A number that no object of user space has had yet. */
uint64_t tree_number(struct tree *tree);
struct node *tree_root(const struct tree *tree);
struct node *tree_find(const struct tree *tree, uint64_t object);

/* parent NULL: the new node is the root, and what was the root before is removed. NULL: no memory.
 */
struct node *tree_add(struct tree *tree, uint64_t object, struct node *parent, const char *name);

/* A file that is in no watched directory; `path` is the whole. NULL: no memory. */
struct node *tree_add_apart(struct tree *tree, uint64_t object, const char *path);

/* Gives such a file another path. -ENOMEM. */
int tree_rename_apart(struct node *node, const char *path);

/* What inode it is: to be said by this, so that it is found by that. */
void tree_set_inode(struct tree *tree, struct node *node, const struct inode_id *inode);

/* A file of this inode; NULL: there is none. */
struct node *tree_find_inode(const struct tree *tree, const struct inode_id *inode);

/* -EINVAL if parent is below node; -ENOMEM. */
int tree_move(struct tree *tree, struct node *node, struct node *parent, const char *name);

/* Absolute path, NUL terminated. Returns its length, -ENAMETOOLONG. "/" for the root. */
int tree_path(const struct node *node, char *out, size_t size);

/* Children of a removed directory keep their path. */
void tree_remove(struct tree *tree, struct node *node);

/* Removes what test() wants gone, each handed to gone() before. Children of a removed directory
 * keep their path. */
void tree_remove_if(struct tree *tree, bool (*test)(void *userdata, const struct node *node),
		    void (*gone)(void *userdata, struct node *node), void *userdata);
void tree_each(const struct tree *tree, void (*call)(void *userdata, const struct node *node),
	       void *userdata);
