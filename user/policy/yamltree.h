/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A YAML file as a tree in which every node knows its line and column.
 *
 * Made from libyaml's events. libcyaml, which would fill structs by itself, forgets positions once
 * it has loaded a file, so what is wrong with the meaning of a value (an impossible path, a name
 * used twice) could not be told with its place; and libyaml's own document loader resolves aliases
 * behind our back, which lets a file of a few lines grow without bound or contain itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

#define YAML_TREE_DEPTH_MAX 16
#define YAML_TREE_NODES_MAX 200000

enum yaml_kind { YAML_TREE_SCALAR, YAML_TREE_LIST, YAML_TREE_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool plain; /* scalar without quotes */
	unsigned line, column; /* from 1, column in characters */
	uint32_t first, next; /* number of the first child and of the next sibling; 0 = none */
	char *text; /* scalar: NUL terminated, valid UTF-8, may have NULs inside; else NULL */
	size_t len;
};

/* A map's children are key, value, key, value, ...; keys are always scalars. */
struct yaml_tree {
	struct yaml_node *nodes; /* [0] is unused, [1] the root */
	uint32_t nr;
};

/*
 * Reads exactly one document. What is not YAML, or is YAML that a policy has no use for (anchors,
 * aliases, tags, a second document, keys that are no scalars, depth or size without measure) is
 * told to `diags` and is -EINVAL; -ENOMEM likewise. Pure.
 */
int yaml_tree_parse(const char *file, const char *text, size_t len, struct diag_list *diags,
		    struct yaml_tree *out_tree);
void yaml_tree_fini(struct yaml_tree *tree);

const char *yaml_kind_str(enum yaml_kind kind); /* "a list" */

static inline const struct yaml_node *yaml_node(const struct yaml_tree *tree, uint32_t i)
{
	return i ? &tree->nodes[i] : NULL;
}

/* No value at all: nothing, `~` or `null` without quotes. */
bool yaml_node_is_null(const struct yaml_node *node);
