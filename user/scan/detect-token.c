// SPDX-License-Identifier: GPL-2.0-or-later
/* Patterns compiled, matches put together. */
#include "scan/detect-token.h"

#include <errno.h>
#include <hs/hs.h>
#include <string.h>

#include "scan/detect-token-internal.h"
#include "scan/wipe.h"

struct token_search {
	const struct token_rules *rules;
	hs_database_t *database;
	hs_scratch_t *prototype;
};

/* The longest match of a rule that has been seen and not been told yet. */
struct pending {
	size_t at, end;
	bool any;
};

struct token_scratch {
	hs_scratch_t *scratch;
	struct pending pending[]; /* by rule */
};

static int wrong(struct diag_list *diags, const struct token_rule *rule, const char *what)
{
	diag_add(diags, DIAG_ERROR, rule->file, rule->line, 0, "pattern of '%s': %s", rule->name,
		 what);
	return -EINVAL;
}

static unsigned flags_of(const struct token_rule *rule)
{
	return HS_FLAG_SOM_LEFTMOST | (rule->ignore_case ? HS_FLAG_CASELESS : 0U);
}

static int check_pattern(const struct token_rule *rule, struct diag_list *diags)
{
	hs_expr_info_t *info = NULL;
	hs_compile_error_t *error = NULL;
	int err = 0;

	if (hs_expression_info(rule->pattern, flags_of(rule), &info, &error) != HS_SUCCESS) {
		err = wrong(diags, rule, error ? error->message : "cannot be compiled");
		hs_free_compile_error(error);
		return err;
	}
	/* What is short is everywhere, what has no end could not be found whole. */
	if (info->min_width < 8)
		err = wrong(diags, rule, "it matches fewer than 8 characters");
	else if (info->max_width > TOKEN_PATTERN_MAX)
		err = wrong(diags, rule, "it may match more than 512 characters");
	free(info);
	return err;
}

static int compile(struct token_search *s, struct diag_list *diags)
{
	size_t nr = s->rules->nr;
	_cleanup_free_ const char **patterns = calloc(nr + 1, sizeof(*patterns));
	_cleanup_free_ unsigned *flags = calloc(nr + 1, sizeof(*flags));
	_cleanup_free_ unsigned *ids = calloc(nr + 1, sizeof(*ids));
	hs_compile_error_t *error = NULL;
	hs_error_t r;
	int err = 0;

	if (!patterns || !flags || !ids)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		int e = check_pattern(&s->rules->items[i], diags);

		err = e < 0 ? e : err;
		patterns[i] = s->rules->items[i].pattern;
		flags[i] = flags_of(&s->rules->items[i]);
		ids[i] = (unsigned)i;
	}
	if (err < 0)
		return err;
	r = hs_compile_multi(patterns, flags, ids, (unsigned)nr, HS_MODE_BLOCK, NULL, &s->database,
			     &error);
	if (r == HS_SUCCESS)
		return 0;
	if (error && error->expression >= 0 && (size_t)error->expression < nr)
		err = wrong(diags, &s->rules->items[error->expression], error->message);
	else
		err = -ENOMEM;
	hs_free_compile_error(error);
	return err;
}

int token_search_new(const struct token_rules *rules, struct diag_list *diags,
		     struct token_search **out_search)
{
	_cleanup_token_search_ struct token_search *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	/* Scratch holds states of automata that were in the middle of a token. */
	hs_set_scratch_allocator(wipe_alloc, wipe_free);
	if (hs_valid_platform() != HS_SUCCESS)
		return -ENOTSUP;
	s->rules = rules;
	if (rules->nr) {
		err = compile(s, diags);
		if (err < 0)
			return err;
		if (hs_alloc_scratch(s->database, &s->prototype) != HS_SUCCESS)
			return -ENOMEM;
	}
	*out_search = take_ptr(s);
	return 0;
}

void token_search_free(struct token_search *s)
{
	if (!s)
		return;
	hs_free_scratch(s->prototype);
	hs_free_database(s->database);
	free(s);
}

int token_scratch_new(const struct token_search *search, struct token_scratch **out_scratch)
{
	struct token_scratch *t = calloc(1, sizeof(*t) + search->rules->nr * sizeof(t->pending[0]));

	if (!t)
		return -ENOMEM;
	if (search->prototype && hs_clone_scratch(search->prototype, &t->scratch) != HS_SUCCESS) {
		free(t);
		return -ENOMEM;
	}
	*out_scratch = t;
	return 0;
}

void token_scratch_free(struct token_scratch *t)
{
	if (!t)
		return;
	hs_free_scratch(t->scratch);
	free(t);
}

struct call {
	const struct token_search *search;
	struct token_scratch *scratch;
	struct bytes memory;
	size_t base; /* of what the automaton sees */
	size_t to;
	void (*hit)(void *userdata, const struct token_hit *hit);
	void *userdata;
};

static void tell(const struct call *c, unsigned id)
{
	struct pending *p = &c->scratch->pending[id];
	struct token_hit hit = {.at = p->at, .len = p->end - p->at, .rule = id};

	if (p->any && p->at < c->to && token_passes(&c->search->rules->items[id], c->memory, &hit))
		c->hit(c->userdata, &hit);
	p->any = false;
}

/* A pattern with a range is reported for each length: the longest counts. */
static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *userdata)
{
	const struct call *c = userdata;
	struct pending *p = &c->scratch->pending[id];
	size_t at = c->base + (size_t)from, end = c->base + (size_t)to;

	if (p->any && p->at != at)
		tell(c, id);
	*p = (struct pending){at, end, true};
	return 0;
}

void token_detect(const struct token_search *search, struct token_scratch *scratch,
		  struct bytes memory, size_t from, size_t to,
		  void (*hit)(void *userdata, const struct token_hit *hit), void *userdata)
{
	struct call c = {search, scratch, memory, from, to, hit, userdata};
	size_t end = to + TOKEN_PATTERN_MAX < memory.len ? to + TOKEN_PATTERN_MAX : memory.len;

	if (!search->database || from >= end)
		return;
	hs_scan(search->database, (const char *)memory.p + from, (unsigned)(end - from), 0,
		scratch->scratch, on_match, &c);
	for (unsigned i = 0; i < search->rules->nr; i++)
		tell(&c, i);
}
