// SPDX-License-Identifier: GPL-2.0-or-later
/* From a rule file to token rules. */
#include "policy/tokenrules.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/schema-internal.h"

#define FILE_BYTES_MAX (1U << 20)
#define NAME_MAX_      40

/* policy/scan/tokens.yaml as it was when this was built. */
__asm__(".pushsection .rodata\n"
	".global token_rules_builtin\n"
	".global token_rules_builtin_end\n"
	"token_rules_builtin:\n"
	".incbin \"policy/scan/tokens.yaml\"\n"
	"token_rules_builtin_end:\n"
	".byte 0\n"
	".popsection\n");
extern const char token_rules_builtin[], token_rules_builtin_end[];

struct rules_reader {
	struct reader reader; /* first: the functions of the schema know nothing else */
	struct token_rules *rules;
	struct token_rule *rule; /* the one that is being read */
};

static struct rules_reader *of(struct reader *r)
{
	return (struct rules_reader *)r;
}

static void keep(struct reader *r, const struct yaml_node *value, const char *what, size_t max,
		 char **out)
{
	const char *s = schema_read_string(r, value, what);

	if (!s)
		return;
	if (!*s || strlen(s) > max) {
		schema_wrong(r, value, "%s has 1 to %zu characters", what, max);
		return;
	}
	*out = strdup(s);
	r->no_memory |= !*out;
}

static void read_name(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct rules_reader *rr = of(r);
	char *name = NULL;

	keep(r, value, "a name", NAME_MAX_, &name);
	if (!name)
		return;
	for (const char *c = name; *c; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-') {
			schema_wrong(r, value, "a name has small letters, digits and hyphens only");
			break;
		}
	for (size_t i = 0; i < rr->rules->nr; i++)
		if (rr->rules->items[i].name && !strcmp(rr->rules->items[i].name, name))
			schema_wrong(r, value, "there is a rule '%s' above, at line %u", name,
				     rr->rules->items[i].line);
	rr->rule->name = name;
}

static void read_about(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	keep(r, value, "'about'", 200, &of(r)->rule->about);
}

static void read_pattern(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	keep(r, value, "a pattern", TOKEN_PATTERN_MAX, &of(r)->rule->pattern);
	of(r)->rule->line = value->line;
}

static const char *check_str(int i)
{
	return token_check_str((enum token_check)i);
}

static void read_check(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int i = schema_read_word(r, value, "a check", check_str, TOKEN_CHECK_NONE, TOKEN_CHECK_NR);

	if (i >= 0)
		of(r)->rule->check = (enum token_check)i;
}

/* "3.5": bits for a character, at most 8. */
static void read_entropy(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "an entropy");

	if (!s)
		return;
	if (!isdigit((unsigned char)s[0]) || s[1] != '.' || !isdigit((unsigned char)s[2]) || s[3] ||
	    s[0] > '7')
		schema_wrong(r, value, "an entropy is bits for each character, from 0.0 to 7.9");
	else
		of(r)->rule->entropy = (unsigned)(10 * (s[0] - '0') + s[2] - '0');
}

static void read_up_to(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	uint32_t number;

	if (schema_read_number(r, value, "a length", 1, TOKEN_PATTERN_MAX, &number))
		of(r)->rule->up_to = number;
}

static void read_ignore_case(struct reader *r, const struct yaml_node *value,
			     const struct field *field)
{
	const char *s = schema_read_string(r, value, "'ignore-case'");

	if (s && strcmp(s, "yes") != 0 && strcmp(s, "no") != 0)
		schema_wrong(r, value, "'ignore-case' is yes or no");
	of(r)->rule->ignore_case = s && !strcmp(s, "yes");
}

static const char *bound_str(int i)
{
	return token_bound_str((enum token_bound)i);
}

static void read_bounded(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int i = schema_read_word(r, value, "'bounded'", bound_str, TOKEN_BOUND_BOTH,
				 TOKEN_BOUND_NR);

	if (i >= 0)
		of(r)->rule->bound = (enum token_bound)i;
}

static void read_near(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	size_t nr = 0;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "'near'"))
		return;
	for (const struct yaml_node *word = yaml_node(r->tree, value->first); word;
	     word = yaml_node(r->tree, word->next)) {
		if (nr == TOKEN_NEAR_MAX) {
			schema_wrong(r, word, "'near' has %d words at most", TOKEN_NEAR_MAX);
			return;
		}
		keep(r, word, "a word", 32, &of(r)->rule->near[nr++]);
	}
}

static void read_rule(struct reader *r, const struct yaml_node *node)
{
	static const struct field fields[] = {
		{"name", true, read_name, 0, 0, 0},
		{"about", true, read_about, 0, 0, 0},
		{"pattern", true, read_pattern, 0, 0, 0},
		{"check", false, read_check, 0, 0, 0},
		{"entropy", false, read_entropy, 0, 0, 0},
		{"up-to", false, read_up_to, 0, 0, 0},
		{"ignore-case", false, read_ignore_case, 0, 0, 0},
		{"bounded", false, read_bounded, 0, 0, 0},
		{"near", false, read_near, 0, 0, 0},
		{NULL, false, NULL, 0, 0, 0},
	};
	struct rules_reader *rr = of(r);
	struct token_rule *items;

	if (rr->rules->nr == TOKEN_RULES_MAX) {
		schema_wrong(r, node, "there are more than %d rules", TOKEN_RULES_MAX);
		return;
	}
	items = reallocarray(rr->rules->items, rr->rules->nr + 1, sizeof(*items));
	if (!items) {
		r->no_memory = true;
		return;
	}
	rr->rules->items = items;
	rr->rule = &items[rr->rules->nr];
	*rr->rule = (struct token_rule){.file = r->file, .line = node->line};
	schema_read_map(r, node, fields, "a token rule");
	rr->rules->nr++;
}

static void read_tokens(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	if (!schema_is_kind(r, value, YAML_TREE_LIST, "'tokens'"))
		return;
	for (const struct yaml_node *node = yaml_node(r->tree, value->first); node && !r->no_memory;
	     node = yaml_node(r->tree, node->next))
		read_rule(r, node);
}

static void read_version(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	uint32_t version;

	schema_read_number(r, value, "a version", 1, 1, &version);
}

int token_rules_parse(const char *file, const char *text, size_t len, struct diag_list *diags,
		      struct token_rules *out_rules)
{
	static const struct field fields[] = {
		{"version", true, read_version, 0, 0, 0},
		{"tokens", true, read_tokens, 0, 0, 0},
		{NULL, false, NULL, 0, 0, 0},
	};
	struct token_rules rules = {.items = NULL};
	struct yaml_tree tree;
	struct rules_reader rr = {
		.reader = {.file = file, .tree = &tree, .diags = diags},
		.rules = &rules,
	};
	int err = yaml_tree_parse(file, text, len, diags, &tree);

	if (err < 0)
		return err;
	schema_read_map(&rr.reader, yaml_node(&tree, 1), fields, "a file of token rules");
	yaml_tree_fini(&tree);
	if (rr.reader.wrong || rr.reader.no_memory) {
		token_rules_fini(&rules);
		return rr.reader.no_memory ? -ENOMEM : -EINVAL;
	}
	*out_rules = rules;
	return 0;
}

static int read_text(const char *path, char **out_text, size_t *out_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *text = malloc(FILE_BYTES_MAX);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	if (!text)
		return -ENOMEM;
	while (len < FILE_BYTES_MAX) {
		ssize_t n = read(fd, text + len, FILE_BYTES_MAX - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	if (len == FILE_BYTES_MAX)
		return -EFBIG;
	*out_text = take_ptr(text);
	*out_len = len;
	return 0;
}

int token_rules_load(const char *path, struct diag_list *diags, struct token_rules *out_rules)
{
	const char *name = path ? path : TOKEN_RULES_FILE;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int err = read_text(name, &text, &len);

	if (err == -ENOENT && !path)
		return token_rules_parse("(built in)", token_rules_builtin,
					 (size_t)((uintptr_t)token_rules_builtin_end -
						  (uintptr_t)token_rules_builtin),
					 diags, out_rules);
	if (err == -ENOMEM)
		return err;
	if (err < 0) {
		diag_add(diags, DIAG_ERROR, name, 0, 0, "cannot be read: %s", strerror(-err));
		return -EINVAL;
	}
	return token_rules_parse(name, text, len, diags, out_rules);
}
