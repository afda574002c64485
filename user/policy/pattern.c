// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes a path pattern apart and refuses what could never match a resolved path.
 */
#include "policy/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/event.h"

static int component_init(struct pattern_component *c, const char *text, size_t len,
			  const char **out_why)
{
	if (len == 0) {
		*out_why = "has an empty component (`//`): no path that the kernel tells has one";
		return -EINVAL;
	}
	if (len == 1 && text[0] == '.') {
		*out_why = "has the component `.`: no path that the kernel tells has one";
		return -EINVAL;
	}
	if (len == 2 && !memcmp(text, "..", 2)) {
		*out_why = "has the component `..`: no path that the kernel tells has one";
		return -EINVAL;
	}
	c->text = strndup(text, len);
	if (!c->text) {
		*out_why = "out of memory";
		return -ENOMEM;
	}
	if (len == 2 && !memcmp(text, "**", 2)) {
		c->deep = true;
		return 0;
	}
	return glob_new(text, len, &c->glob, out_why);
}

static int add_component(struct pattern *p, const char *text, size_t len, const char **out_why)
{
	/* A second `**` after the first one adds nothing. */
	if (p->nr && p->components[p->nr - 1].deep && len == 2 && !memcmp(text, "**", 2))
		return 0;
	if (p->nr == PATTERN_COMPONENTS_MAX) {
		*out_why = "has more than 64 components";
		return -EINVAL;
	}
	/* Counted first, so that a half-built component is freed with the rest. */
	return component_init(&p->components[p->nr++], text, len, out_why);
}

/* Decides where the pattern starts; *text and *len become the components. */
static int read_start(struct pattern *p, const char **text, size_t *len, bool allow_last,
		      const char **out_why)
{
	const char *s = *text;

	if (memchr(s, '\0', *len)) {
		*out_why = "has a NUL byte";
		return -EINVAL;
	}
	if (*len == 0) {
		*out_why = "is empty";
		return -EINVAL;
	}
	if (s[*len - 1] == '/') {
		*out_why = "ends with a slash: append `**` for every file below";
		return -EINVAL;
	}
	if (s[0] == '/') {
		p->start = PATTERN_ROOT;
		*text += 1;
		*len -= 1;
	} else if (s[0] == '~' && *len > 1 && s[1] == '/') {
		p->start = PATTERN_HOME;
		*text += 2;
		*len -= 2;
	} else if (s[0] == '~' && (!allow_last || *len == 1 || memchr(s, '/', *len))) {
		*out_why = "begins with `~` but not with `~/`: `~/` stands for every home, one "
			   "user's home is written as a path";
		return -EINVAL;
	} else if (allow_last && !memchr(s, '/', *len)) {
		p->start = PATTERN_LAST;
		if (*len == 2 && !memcmp(s, "**", 2)) {
			*out_why = "is `**`, which needs a path around it";
			return -EINVAL;
		}
	} else {
		*out_why = allow_last ? "has a slash but does not begin with `/` or `~/`"
				      : "does not begin with `/` or `~/`";
		return -EINVAL;
	}
	return 0;
}

int pattern_new(const char *text, size_t len, bool allow_last, struct pattern **out_pattern,
		const char **out_why)
{
	_cleanup_(pattern_freep) struct pattern *p = NULL;
	size_t nr_slashes = 0;
	int err;

	for (size_t i = 0; i < len; i++)
		nr_slashes += text[i] == '/';
	if (nr_slashes > PATTERN_COMPONENTS_MAX) {
		*out_why = "has more than 64 components";
		return -EINVAL;
	}
	p = calloc(1, sizeof(*p) + (nr_slashes + 2) * sizeof(p->components[0]));
	if (p)
		p->text = strndup(text, len);
	if (!p || !p->text) {
		*out_why = "out of memory";
		return -ENOMEM;
	}
	err = read_start(p, &text, &len, allow_last, out_why);
	if (err < 0)
		return err;
	for (;;) {
		const char *slash = memchr(text, '/', len);
		size_t n = slash ? (size_t)(slash - text) : len;

		err = add_component(p, text, n, out_why);
		if (err < 0)
			return err;
		if (!slash)
			break;
		text += n + 1;
		len -= n + 1;
	}
	if (p->components[p->nr - 1].deep) {
		err = add_component(p, "*", 1, out_why);
		if (err < 0)
			return err;
	}
	*out_pattern = take_ptr(p);
	return 0;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	for (size_t i = 0; i < pattern->nr; i++) {
		glob_free(pattern->components[i].glob);
		free(pattern->components[i].text);
	}
	free(pattern->text);
	free(pattern);
}

/* --- matching ----------------------------------------------------------------------------------
 */

/* The component that begins at *at (after a slash); moves *at behind the next slash. */
static struct span next_component(const char *path, size_t len, size_t *at)
{
	const char *slash = memchr(path + *at, '/', len - *at);
	struct span name = {path + *at, slash ? (size_t)(slash - path) - *at : len - *at};

	*at += name.len + 1;
	return name;
}

bool pattern_match(const struct pattern *pattern, const char *path, size_t len)
{
	size_t at = 1, i = 0, deep = SIZE_MAX, again = 0;

	if (pattern->start != PATTERN_ROOT || len < 2 || path[0] != '/')
		return false;
	/* As for `*` in a name: on a mismatch the last `**` takes one component more. */
	while (at <= len) {
		size_t next = at;
		struct span name = next_component(path, len, &next);

		if (i < pattern->nr && pattern->components[i].deep) {
			deep = i++;
			again = at;
		} else if (i < pattern->nr &&
			   glob_match(pattern->components[i].glob, name.p, name.len)) {
			i++;
			at = next;
		} else if (deep != SIZE_MAX) {
			next_component(path, len, &again);
			i = deep + 1;
			at = again;
		} else {
			return false;
		}
	}
	return i == pattern->nr;
}

static bool component_covers(const struct pattern_component *outer,
			     const struct pattern_component *inner)
{
	const char *name;
	size_t len;

	if (inner->deep)
		return false;
	if (glob_is_any(outer->glob) || !strcmp(outer->text, inner->text))
		return true;
	name = glob_literal(inner->glob, &len);
	return name && glob_match(outer->glob, name, len);
}

bool pattern_covers(const struct pattern *outer, const struct pattern *inner)
{
	size_t i = 0, j = 0, deep = SIZE_MAX, again = 0;

	if (outer->start != inner->start)
		return false;
	/* The inner one's components stand for a path; its `**` only the outer one's takes. */
	while (j < inner->nr) {
		if (i < outer->nr && outer->components[i].deep) {
			deep = i++;
			again = j;
		} else if (i < outer->nr &&
			   component_covers(&outer->components[i], &inner->components[j])) {
			i++;
			j++;
		} else if (deep != SIZE_MAX) {
			i = deep + 1;
			j = ++again;
		} else {
			return false;
		}
	}
	return i == outer->nr;
}
