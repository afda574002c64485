/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What policy/watchset.h promises, said a second time as simply as can be, and the kernel side's
 * way of looking a name up (bpf/watch.h). Tests and fuzzers hold the real thing against both.
 *
 * Patterns and paths are plain ASCII here; that characters may be longer than a byte is
 * test_glob's.
 */
#pragma once

#include <string.h>

#include "policy/watchset.h"

/* --- the reference ------------------------------------------------------------------------------
 */

/* One component. Tries everything: only for short patterns. */
static inline bool model_glob(const char *p, size_t np, const char *s, size_t ns)
{
	size_t i = 0;

	if (np == 0)
		return ns == 0;
	switch (*p) {
	case '*':
		for (i = 0; i <= ns; i++)
			if (model_glob(p + 1, np - 1, s + i, ns - i))
				return true;
		return false;
	case '?':
		return ns && model_glob(p + 1, np - 1, s + 1, ns - 1);
	case '[': {
		bool negated = p[1] == '!', in = false;

		for (i = negated ? 2 : 1; p[i] != ']' || i == (negated ? 2u : 1u); i++) {
			if (!ns)
				return false;
			if (p[i + 1] == '-' && p[i + 2] != ']') {
				in |= *s >= p[i] && *s <= p[i + 2];
				i += 2;
			} else {
				in |= *s == p[i];
			}
		}
		return ns && in != negated && model_glob(p + i + 1, np - i - 1, s + 1, ns - 1);
	}
	case '\\':
		p++, np--;
		/* fall through */
	default:
		return ns && *p == *s && model_glob(p + 1, np - 1, s + 1, ns - 1);
	}
}

/* Length of the first component; what follows it begins with `/` or is empty. */
static inline size_t model_component(const char *path)
{
	return strcspn(path, "/");
}

/* Both absolute, both without the first slash. */
static inline bool model_path(const char *pattern, const char *path)
{
	size_t np = model_component(pattern), ns = model_component(path);

	if (np == 2 && !memcmp(pattern, "**", 2)) {
		if (!pattern[np]) /* the last component: every file below */
			return true;
		for (const char *rest = path;; rest++) {
			if (model_path(pattern + np + 1, rest))
				return true;
			rest += model_component(rest);
			if (!*rest)
				return false;
		}
	}
	if (!model_glob(pattern, np, path, ns))
		return false;
	if (!pattern[np] || !path[ns])
		return pattern[np] == path[ns];
	return model_path(pattern + np + 1, path + ns + 1);
}

struct model_watch {
	const char *const *paths, *const *excludes;
	size_t nr_paths, nr_excludes;
};

/* `~/...`, `/...`, or a name. Homes have no wildcards in their names here. */
static inline bool model_pattern(const char *pattern, const char *path, const char *const *homes,
				 size_t nr_homes)
{
	if (*pattern == '/')
		return model_path(pattern + 1, path + 1);
	if (strncmp(pattern, "~/", 2)) {
		const char *last = strrchr(path, '/') + 1;

		return model_glob(pattern, strlen(pattern), last, strlen(last));
	}
	for (size_t i = 0; i < nr_homes; i++) {
		size_t len = strlen(homes[i]), parent = (size_t)(strrchr(homes[i], '/') - homes[i]);
		char text[1024];

		snprintf(text, sizeof(text), "%s%s", len == 1 ? "" : homes[i], pattern + 1);
		if (model_path(text + 1, path + 1))
			return true;
		snprintf(text, sizeof(text), "%.*s/*%s", (int)parent, homes[i], pattern + 1);
		if (parent && model_path(text + 1, path + 1))
			return true;
	}
	return false;
}

static inline uint32_t model_match(const struct model_watch *watches, size_t nr, const char *path,
				   const char *const *homes, size_t nr_homes)
{
	for (size_t w = 0; w < nr; w++) {
		bool in = false, out = false;

		for (size_t i = 0; i < watches[w].nr_paths; i++)
			in |= model_pattern(watches[w].paths[i], path, homes, nr_homes);
		for (size_t i = 0; in && i < watches[w].nr_excludes; i++)
			out |= model_pattern(watches[w].excludes[i], path, homes, nr_homes);
		if (in && !out)
			return (uint32_t)w + 1;
	}
	return 0;
}

/* --- the kernel side ----------------------------------------------------------------------------
 */

static inline struct watch_target kernel_lookup(const struct watchset *set, uint32_t state,
						const char *name, size_t len)
{
	const struct watch_state *s = watchset_state(set, state);
	struct watch_target target;
	const char *literal;

	for (size_t i = 0; watchset_literal(set, state, i, &literal, &target); i++)
		if (watch_name_hash(literal, strlen(literal)) == watch_name_hash(name, len))
			return target;
	for (uint32_t i = 0; s && i < s->nr_globs; i++) {
		const struct watch_glob *g = &s->globs[i];

		if ((size_t)g->prefix_len + g->suffix_len <= len &&
		    !memcmp(g->prefix, name, g->prefix_len) &&
		    !memcmp(g->suffix, name + len - g->suffix_len, g->suffix_len))
			return g->to;
	}
	return (struct watch_target){0};
}

/* From a state along what is left of a path (no leading slash). */
static inline uint32_t kernel_match(const struct watchset *set, uint32_t state, const char *path)
{
	for (;;) {
		size_t len = model_component(path);
		struct watch_target to = kernel_lookup(set, state, path, len);

		if (!path[len])
			return to.watch;
		if (!to.state)
			return 0;
		state = to.state;
		path += len + 1;
	}
}

/* --- both together ------------------------------------------------------------------------------
 */

/* What is wrong with the set's answers for this absolute path; NULL = nothing. */
static inline const char *model_check(const struct watchset *set, const struct model_watch *watches,
				      size_t nr, const char *path, const char *const *homes,
				      size_t nr_homes)
{
	uint32_t expected = model_match(watches, nr, path, homes, nr_homes);
	struct watch_target at = {.state = watchset_root(set)};
	const char *p = path + 1;

	if (watchset_match(set, span_of(path)) != expected)
		return "watchset_match() differs from the reference";
	for (;;) {
		size_t len = model_component(p);

		if (expected && !kernel_match(set, at.state, p))
			return "the kernel's form misses a watched file";
		if (at.state && !watchset_state(set, at.state))
			return "a state leads to one that is not there";
		at = watchset_step(set, at.state, (struct span){p, len});
		if (!p[len])
			break;
		p += len + 1;
	}
	return at.watch == expected ? NULL : "walking by watchset_step() differs";
}
