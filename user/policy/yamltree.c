// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Builds the tree from libyaml's events.
 */
#include "policy/yamltree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

/* A list or map that is open. */
struct level {
	uint32_t node, last; /* last child so far, 0 = none */
	bool is_map, want_key;
};

struct builder {
	const char *file, *text;
	size_t len;
	struct diag_list *diags;
	struct yaml_tree tree;
	size_t allocated;
	struct level levels[YAML_TREE_DEPTH_MAX];
	size_t depth;
};

static int refuse(struct builder *b, const yaml_mark_t *mark, const char *text)
{
	diag_add(b->diags, DIAG_ERROR, b->file, (unsigned)mark->line + 1,
		 (unsigned)mark->column + 1, "%s", text);
	return -EINVAL;
}

static int no_memory(struct builder *b)
{
	diag_add(b->diags, DIAG_ERROR, b->file, 0, 0, "out of memory");
	return -ENOMEM;
}

/* libyaml's reader knows only the byte at which it stopped. */
static void place_of_byte(const struct builder *b, size_t offset, unsigned *out_line,
			  unsigned *out_column)
{
	unsigned line = 1, column = 1;

	for (size_t i = 0; i < offset && i < b->len; i++) {
		if (b->text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)b->text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	*out_line = line;
	*out_column = column;
}

/* The two slips that libyaml's words do not explain. */
static const char *hint(const struct builder *b, const yaml_parser_t *parser)
{
	const yaml_mark_t *mark = &parser->problem_mark;
	size_t line = 0, column = 0;

	if (parser->context && strstr(parser->context, "alias"))
		return "; a pattern that begins with `*` needs quotes";
	for (size_t i = 0; i < b->len; i++) {
		if (((unsigned char)b->text[i] & 0xc0) == 0x80)
			continue;
		if (line == mark->line && column == mark->column)
			return b->text[i] == '\t' ? "; tabs cannot indent" : "";
		column++;
		if (b->text[i] == '\n') {
			line++;
			column = 0;
		}
	}
	return "";
}

static int syntax_error(struct builder *b, const yaml_parser_t *parser)
{
	unsigned line, column;

	if (parser->error == YAML_MEMORY_ERROR)
		return no_memory(b);
	if (parser->error == YAML_READER_ERROR) {
		place_of_byte(b, parser->problem_offset, &line, &column);
		if (parser->problem_value >= 0)
			diag_add(b->diags, DIAG_ERROR, b->file, line, column, "YAML: %s (0x%02x)",
				 parser->problem, (unsigned)parser->problem_value);
		else
			diag_add(b->diags, DIAG_ERROR, b->file, line, column, "YAML: %s",
				 parser->problem);
		return -EINVAL;
	}
	line = (unsigned)parser->problem_mark.line + 1;
	column = (unsigned)parser->problem_mark.column + 1;
	if (parser->context && (parser->context_mark.line || parser->context_mark.column) &&
	    parser->context_mark.index != parser->problem_mark.index)
		diag_add(b->diags, DIAG_ERROR, b->file, line, column,
			 "YAML: %s, %s that begins at %zu:%zu%s", parser->problem, parser->context,
			 parser->context_mark.line + 1, parser->context_mark.column + 1,
			 hint(b, parser));
	else
		diag_add(b->diags, DIAG_ERROR, b->file, line, column, "YAML: %s%s%s%s",
			 parser->problem, parser->context ? ", " : "",
			 parser->context ? parser->context : "", hint(b, parser));
	return -EINVAL;
}

/* Appends a node below the open list or map. */
static int add_node(struct builder *b, const yaml_event_t *event, enum yaml_kind kind,
		    uint32_t *out_node)
{
	struct yaml_tree *t = &b->tree;
	struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;

	if (level && level->is_map && level->want_key && kind != YAML_TREE_SCALAR)
		return refuse(b, &event->start_mark, "a key must be a word");
	if (t->nr > YAML_TREE_NODES_MAX)
		return refuse(b, &event->start_mark, "more than 200000 values in one file");
	if (t->nr >= b->allocated) {
		size_t n = b->allocated ? b->allocated * 2 : 256;
		struct yaml_node *nodes = realloc(t->nodes, n * sizeof(*nodes));

		if (!nodes)
			return no_memory(b);
		t->nodes = nodes;
		b->allocated = n;
	}
	if (t->nr == 0)
		t->nodes[t->nr++] = (struct yaml_node){0};
	t->nodes[t->nr] = (struct yaml_node){
		.kind = kind,
		.line = (unsigned)event->start_mark.line + 1,
		.column = (unsigned)event->start_mark.column + 1,
	};
	if (level) {
		if (level->last)
			t->nodes[level->last].next = t->nr;
		else
			t->nodes[level->node].first = t->nr;
		level->last = t->nr;
		level->want_key = !level->want_key;
	}
	*out_node = t->nr++;
	return 0;
}

static int add_scalar(struct builder *b, const yaml_event_t *event)
{
	struct yaml_node *node;
	uint32_t i;
	int err;

	if (event->data.scalar.anchor)
		return refuse(b, &event->start_mark,
			      "anchors (`&name`) are not known in a policy: write the value out");
	if (event->data.scalar.tag)
		return refuse(b, &event->start_mark,
			      "tags (`!name`) are not known in a policy; a pattern that begins "
			      "with `!` needs quotes");
	err = add_node(b, event, YAML_TREE_SCALAR, &i);
	if (err < 0)
		return err;
	node = &b->tree.nodes[i];
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = malloc(event->data.scalar.length + 1);
	if (!node->text)
		return no_memory(b);
	node->len = event->data.scalar.length;
	memcpy(node->text, event->data.scalar.value, node->len);
	node->text[node->len] = '\0';
	return 0;
}

static int open_level(struct builder *b, const yaml_event_t *event, bool is_map, bool anchor,
		      bool tag)
{
	uint32_t node;
	int err;

	if (anchor)
		return refuse(b, &event->start_mark,
			      "anchors (`&name`) are not known in a policy: write the value out");
	if (tag)
		return refuse(b, &event->start_mark, "tags (`!name`) are not known in a policy");
	if (b->depth == YAML_TREE_DEPTH_MAX)
		return refuse(b, &event->start_mark, "nested deeper than 16 levels");
	err = add_node(b, event, is_map ? YAML_TREE_MAP : YAML_TREE_LIST, &node);
	if (err < 0)
		return err;
	b->levels[b->depth++] = (struct level){.node = node, .is_map = is_map, .want_key = is_map};
	return 0;
}

static int take_event(struct builder *b, const yaml_event_t *event, bool *done)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->tree.nr)
			return refuse(b, &event->start_mark,
				      "a second document begins: a policy file holds one");
		return 0;
	case YAML_ALIAS_EVENT:
		return refuse(b, &event->start_mark,
			      "aliases (`*name`) are not known in a policy; a pattern that begins "
			      "with `*` needs quotes");
	case YAML_SCALAR_EVENT:
		return add_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(b, event, false, event->data.sequence_start.anchor,
				  event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_level(b, event, true, event->data.mapping_start.anchor,
				  event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	case YAML_STREAM_END_EVENT:
		*done = true;
		return 0;
	default:
		return 0;
	}
}

static int build(struct builder *b, yaml_parser_t *parser)
{
	bool done = false;

	while (!done) {
		yaml_event_t event;
		int err;

		if (!yaml_parser_parse(parser, &event))
			return syntax_error(b, parser);
		err = take_event(b, &event, &done);
		yaml_event_delete(&event);
		if (err < 0)
			return err;
	}
	if (b->tree.nr)
		return 0;
	diag_add(b->diags, DIAG_ERROR, b->file, 1, 1,
		 "the file is empty; to mask a file of this name, link it to /dev/null");
	return -EINVAL;
}

int yaml_tree_parse(const char *file, const char *text, size_t len, struct diag_list *diags,
		    struct yaml_tree *out_tree)
{
	struct builder b = {.file = file, .diags = diags};
	yaml_parser_t parser;
	int err;

	/* Told the encoding, libyaml takes no byte order mark; not told, one would make it UTF-16.
	 */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	b.text = text;
	b.len = len;

	if (!yaml_parser_initialize(&parser))
		return no_memory(&b);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	err = build(&b, &parser);
	yaml_parser_delete(&parser);
	if (err < 0) {
		yaml_tree_fini(&b.tree);
		return err;
	}
	*out_tree = b.tree;
	return 0;
}

void yaml_tree_fini(struct yaml_tree *tree)
{
	for (uint32_t i = 0; i < tree->nr; i++)
		free(tree->nodes[i].text);
	free(tree->nodes);
	*tree = (struct yaml_tree){0};
}

const char *yaml_kind_str(enum yaml_kind kind)
{
	switch (kind) {
	case YAML_TREE_SCALAR:
		return "a single value";
	case YAML_TREE_LIST:
		return "a list";
	case YAML_TREE_MAP:
		return "a map of keys and values";
	}
	return "?";
}

bool yaml_node_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_TREE_SCALAR && node->plain &&
	       (node->len == 0 || !strcmp(node->text, "~") || !strcasecmp(node->text, "null"));
}
