// SPDX-License-Identifier: GPL-2.0-or-later
/* Marked files by object and by inode, when there are many of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "watch/tree.h"

#define NR 5000 /* the chains are grown several times */

/* Each second device has the same numbers. */
static struct inode_id inode_of(uint64_t i)
{
	return (struct inode_id){.ino = 100 + i / 2, .dev = 1 + (uint32_t)(i % 2)};
}

static void fill(struct tree *tree)
{
	struct node *root = tree_add(tree, tree_number(tree), NULL, "");
	char name[16];

	assert_non_null(root);
	root->is_dir = true;
	for (uint64_t i = 0; i < NR; i++) {
		const struct inode_id inode = inode_of(i);
		struct node *node;

		snprintf(name, sizeof(name), "key%u", (unsigned)i);
		node = tree_add(tree, 1000 + i, root, name);
		assert_non_null(node);
		tree_set_inode(tree, node, &inode);
	}
	assert_int_equal(root->nr_children, NR);
}

static void each_is_found_by_its_object_and_by_its_inode(void **state)
{
	struct tree tree = {};
	char path[64], want[32];

	assert_null(tree_find(&tree, 1000));
	assert_null(tree_find_inode(&tree, &(struct inode_id){.ino = 100, .dev = 1}));
	fill(&tree);
	for (uint64_t i = 0; i < NR; i++) {
		const struct inode_id inode = inode_of(i);
		struct node *node = tree_find(&tree, 1000 + i);

		assert_non_null(node);
		assert_ptr_equal(tree_find_inode(&tree, &inode), node);
		assert_true(tree_path(node, path, sizeof(path)) > 0);
		snprintf(want, sizeof(want), "/key%u", (unsigned)i);
		assert_string_equal(path, want);
	}
	assert_null(tree_find(&tree, 1000 + NR));
	assert_null(tree_find_inode(&tree, &(struct inode_id){.ino = 100, .dev = 3}));
	tree_fini(&tree);
}

static bool is_odd(void *userdata, const struct node *node)
{
	return node->object % 2;
}

static void count(void *userdata, struct node *node)
{
	++*(unsigned *)userdata;
}

struct walk {
	uint64_t last;
	unsigned nr;
};

static void is_in_order(void *userdata, const struct node *node)
{
	struct walk *walk = userdata;

	assert_true(node->object > walk->last);
	walk->last = node->object;
	walk->nr++;
}

static void what_goes_is_found_no_more_and_the_others_are(void **state)
{
	struct tree tree = {};
	struct walk walk = {};
	unsigned gone = 0;

	fill(&tree);
	tree_remove(&tree, tree_find(&tree, 1000));
	tree_remove_if(&tree, is_odd, count, &gone); /* the root's number is 1 */
	assert_int_equal(gone, NR / 2 + 1);
	assert_null(tree_root(&tree));
	for (uint64_t i = 0; i < NR; i++) {
		const struct inode_id inode = inode_of(i);
		const bool left = i && i % 2 == 0;

		assert_int_equal(tree_find(&tree, 1000 + i) != NULL, left);
		assert_int_equal(tree_find_inode(&tree, &inode) != NULL, left);
	}
	tree_each(&tree, is_in_order, &walk);
	assert_int_equal(walk.nr, NR / 2 - 1);
	tree_fini(&tree);
}

static void a_file_has_one_inode_at_a_time(void **state)
{
	const struct inode_id before = {.ino = 7, .dev = 1, .gen = 1},
			      after = {.ino = 8, .dev = 1, .gen = 2};
	struct tree tree = {};
	struct node *first = tree_add_apart(&tree, 5, "/a"),
		    *second = tree_add_apart(&tree, 6, "/b"), *dir;

	tree_set_inode(&tree, first, &before);
	tree_set_inode(&tree, first, &after);
	assert_null(tree_find_inode(&tree, &before));
	assert_ptr_equal(tree_find_inode(&tree, &after), first);
	/* Of two that say the same it is who said so last. */
	tree_set_inode(&tree, second, &after);
	assert_ptr_equal(tree_find_inode(&tree, &after), second);
	tree_set_inode(&tree, first, &after); /* also when there are more chains */
	fill(&tree);
	assert_ptr_equal(tree_find_inode(&tree, &after), first);
	tree_set_inode(&tree, second, &after);
	assert_ptr_equal(tree_find_inode(&tree, &after), second);
	tree_remove(&tree, second);
	assert_ptr_equal(tree_find_inode(&tree, &after), first);
	dir = tree_add_apart(&tree, 9, "/c");
	dir->is_dir = true;
	tree_set_inode(&tree, dir, &before);
	assert_null(tree_find_inode(&tree, &before));
	tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_by_its_object_and_by_its_inode),
		cmocka_unit_test(what_goes_is_found_no_more_and_the_others_are),
		cmocka_unit_test(a_file_has_one_inode_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
