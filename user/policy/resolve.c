// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What can be settled only once all files are read: overrides, exceptions, zones, and with entries
 * that are off the final numbers.
 */
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "policy/policy-internal.h"
#include "policy/suggest.h"

struct resolver {
	struct policy *policy;
	struct diag_list *diags;
	bool wrong, no_memory;
};

static void _printf_(3, 4)
	wrong(struct resolver *r, const struct place *place, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(r->diags, DIAG_ERROR, place->file, place->line, place->column, "%s", text);
	r->wrong = true;
}

/* --- names -------------------------------------------------------------------------------------
 */

static uint32_t find_watch(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->nr_watches; i++)
		if (!strcmp(policy->watches[i].entry.name, name))
			return (uint32_t)i + 1;
	return 0;
}

static void no_watch(struct resolver *r, const struct place *place, const char *name)
{
	unsigned distance = UINT_MAX;
	const char *best = NULL;

	for (size_t i = 0; i < r->policy->nr_watches; i++)
		suggest(name, strlen(name), r->policy->watches[i].entry.name, &distance, &best);
	wrong(r, place,
	      best ? "there is no watch entry '%s': did you mean '%s'?"
		   : "there is no watch entry '%s'",
	      name, best);
}

static uint32_t find_zone(struct resolver *r, const struct place *place, const char *name)
{
	unsigned distance = UINT_MAX;
	const char *best = NULL;

	for (size_t i = 0; i < r->policy->nr_zones; i++) {
		if (!strcmp(r->policy->zones[i].name, name)) {
			r->policy->zones[i].used = true;
			return (uint32_t)i + 1;
		}
		suggest(name, strlen(name), r->policy->zones[i].name, &distance, &best);
	}
	wrong(r, place,
	      best ? "there is no zone '%s': did you mean '%s'?" : "there is no zone '%s'", name,
	      best);
	return 0;
}

/* --- copies of rules ---------------------------------------------------------------------------
 */

static int copy_wanted(const struct wanted *from, struct wanted *to)
{
	const char *why;

	*to = *from;
	if (!from->glob)
		return 0;
	to->glob = NULL;
	return glob_new(from->text, from->len, &to->glob, &why);
}

static int add_copy(struct policy *policy, const struct rule *like, uint32_t watch)
{
	struct rule rule = *like;
	int err;

	rule.watch = watch;
	rule.unit.glob = rule.container.glob = rule.user.glob = rule.image.glob = NULL;
	err = copy_wanted(&like->unit, &rule.unit);
	if (err == 0)
		err = copy_wanted(&like->container, &rule.container);
	if (err == 0)
		err = copy_wanted(&like->user, &rule.user);
	if (err == 0)
		err = copy_wanted(&like->image, &rule.image);
	if (err == 0)
		err = policy_grow(&policy->rules, policy->nr_rules, sizeof(rule));
	if (err < 0) {
		rule_fini(&rule);
		return err;
	}
	policy->rules[policy->nr_rules++] = rule;
	return 0;
}

/* --- overrides ---------------------------------------------------------------------------------
 */

/* Takes the entry's own rules of a kind out; those that an override has brought are not its own. */
static void drop_rules(struct policy *policy, uint32_t watch, enum rule_kind kind)
{
	for (size_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].watch == watch && policy->rules[i].kind == kind)
			policy->rules[i].watch = 0;
}

static void drop_patterns(struct pattern **patterns, size_t *nr)
{
	while (*nr)
		pattern_free(patterns[--*nr]);
}

static void move_patterns(struct resolver *r, struct pattern ***to, size_t *nr_to,
			  struct pattern **from, size_t *nr_from)
{
	size_t moved = 0;

	while (moved < *nr_from && !r->no_memory) {
		if (policy_grow(to, *nr_to, sizeof(**to)) < 0) {
			r->no_memory = true;
			break;
		}
		(*to)[(*nr_to)++] = from[moved++];
	}
	if (moved) /* else there may be none, and no memory for them either */
		memmove(from, from + moved, (*nr_from - moved) * sizeof(*from));
	*nr_from -= moved;
}

static void apply_values(const struct watch_rule *o, struct watch_rule *w)
{
	for (int i = 1; i < SCANSTATE_NR; i++)
		if (o->entry.verdict[i])
			w->entry.verdict[i] = o->entry.verdict[i];
	if (o->given & GIVEN_SEVERITY) {
		w->entry.severity = o->entry.severity;
		w->severity_place = o->severity_place;
	}
	if (o->given & GIVEN_ON) {
		w->entry.on = o->entry.on;
		w->on_place = o->on_place;
	}
	if (o->given & GIVEN_MODE) {
		w->entry.mode = o->entry.mode;
		w->mode_place = o->mode_place;
	}
	if (o->given & GIVEN_ZONE) {
		w->zone_name = o->zone_name;
		w->zone_place = o->zone_place;
	}
}

static void apply(struct resolver *r, struct watch_rule *o, uint32_t number, uint32_t watch)
{
	struct policy *policy = r->policy;
	struct watch_rule *w = &policy->watches[watch - 1];

	if ((o->nr_paths || o->nr_excludes) && !object_class_has_paths(w->entry.object_class)) {
		wrong(r, &o->place, "a watch entry of class '%s' has no paths",
		      object_class_str(w->entry.object_class));
		return;
	}
	for (int i = 1; i < SCANSTATE_NR; i++)
		if (o->entry.verdict[i] && w->entry.object_class != CLASS_DUMP) {
			wrong(r, &o->place,
			      "a watch entry of class '%s' has no verdict: only dumps are scanned",
			      object_class_str(w->entry.object_class));
			return;
		}
	apply_values(o, w);
	if (o->given & GIVEN_OFF)
		w->off = o->off;
	if (o->begin & LIST_PATHS)
		drop_patterns(w->paths, &w->nr_paths);
	if (o->begin & LIST_EXCLUDE)
		drop_patterns(w->excludes, &w->nr_excludes);
	if (o->begin & LIST_ALLOW)
		drop_rules(policy, watch, RULE_ALLOW);
	if (o->begin & LIST_EXPECT)
		drop_rules(policy, watch, RULE_EXPECT);
	move_patterns(r, &w->paths, &w->nr_paths, o->paths, &o->nr_paths);
	move_patterns(r, &w->excludes, &w->nr_excludes, o->excludes, &o->nr_excludes);
	for (size_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].watch == number)
			policy->rules[i].watch = watch;
	if (!w->off && object_class_has_paths(w->entry.object_class) && !w->nr_paths)
		wrong(r, &o->place,
		      "the override leaves '%s' without paths: `off: true` is for "
		      "that",
		      w->entry.name);
}

/* An override for all entries about files: its rules are copied for each. Canaries are what nobody
 * has a use for, whatever is said of all keys: of such an override only `expect` holds for them. */
#define COPIES_MAX 262144

static bool takes_all(const struct watch_rule *watch, enum rule_kind kind)
{
	return object_class_has_files(watch->entry.object_class) &&
	       (watch->entry.object_class != CLASS_CANARY_KEY || kind == RULE_EXPECT);
}

static void apply_to_all(struct resolver *r, struct watch_rule *o, uint32_t number)
{
	struct policy *policy = r->policy;
	size_t nr_rules = policy->nr_rules;

	if (o->nr_paths || o->nr_excludes || o->begin || o->off) {
		wrong(r, &o->place,
		      "an override of all entries has none of the keys `paths`, "
		      "`exclude`, `replace`, `off`");
		return;
	}
	for (uint32_t w = 1; w <= policy->nr_watches; w++) {
		struct watch_rule *watch = &policy->watches[w - 1];

		if (takes_all(watch, RULE_ALLOW))
			apply_values(o, watch);
	}
	for (size_t i = 0; i < nr_rules; i++) {
		if (policy->rules[i].watch != number)
			continue;
		for (uint32_t w = 1; w <= policy->nr_watches; w++) {
			if (!takes_all(&policy->watches[w - 1], policy->rules[i].kind))
				continue;
			if (policy->nr_rules == COPIES_MAX) {
				wrong(r, &o->place, "too many rules for too many entries");
				return;
			}
			if (add_copy(policy, &policy->rules[i], w) < 0) {
				r->no_memory = true;
				return;
			}
		}
		policy->rules[i].watch = 0;
	}
}

static void apply_overrides(struct resolver *r)
{
	struct policy *policy = r->policy;

	for (size_t i = 0; i < policy->nr_overrides; i++) {
		struct watch_rule *o = &policy->overrides[i];
		uint32_t watch = find_watch(policy, o->entry.name);

		if (!strcmp(o->entry.name, "*"))
			apply_to_all(r, o, OVERRIDE_BIT | ((uint32_t)i + 1));
		else if (watch)
			apply(r, o, OVERRIDE_BIT | ((uint32_t)i + 1), watch);
		else
			no_watch(r, &o->name_place, o->entry.name);
		watch_rule_fini(o);
	}
	policy->nr_overrides = 0;
}

/* Entries that are off go. Of those that are left the first one that has a path counts: canaries
 * stand before all others, or one among the names that every key has would be none. */
static int order_entries(struct policy *policy)
{
	_cleanup_free_ uint32_t *numbers = calloc(policy->nr_watches + 1, sizeof(*numbers));
	struct watch_rule *ordered = calloc(policy->nr_watches + 1, sizeof(*ordered));
	size_t kept = 0;

	if (!numbers || !ordered) {
		free(ordered);
		return -ENOMEM;
	}
	for (int canaries = 1; canaries >= 0; canaries--)
		for (size_t i = 0; i < policy->nr_watches; i++) {
			const struct watch_rule *watch = &policy->watches[i];

			if (watch->off ||
			    (watch->entry.object_class == CLASS_CANARY_KEY) != canaries)
				continue;
			ordered[kept] = *watch;
			numbers[i + 1] = (uint32_t)++kept;
		}
	for (size_t i = 0; i < policy->nr_watches; i++)
		if (policy->watches[i].off)
			watch_rule_fini(&policy->watches[i]);
	free(policy->watches);
	policy->watches = ordered;
	policy->nr_watches = kept;
	for (size_t i = 0; i < policy->nr_rules; i++)
		policy->rules[i].watch = numbers[policy->rules[i].watch];
	return 0;
}

static void drop_dead_rules(struct policy *policy)
{
	size_t kept = 0;

	for (size_t i = 0; i < policy->nr_rules; i++) {
		if (policy->rules[i].watch)
			policy->rules[kept++] = policy->rules[i];
		else
			rule_fini(&policy->rules[i]);
	}
	policy->nr_rules = kept;
}

/* --- exceptions --------------------------------------------------------------------------------
 */

static void apply_exceptions(struct resolver *r)
{
	struct policy *policy = r->policy;

	for (size_t i = 0; i < policy->nr_exceptions; i++) {
		const struct exception *e = &policy->exceptions[i];

		for (size_t w = 0; w < e->nr_watches; w++) {
			uint32_t watch = find_watch(policy, e->watches[w]);

			if (!watch)
				no_watch(r, &e->places[w], e->watches[w]);
			else if (add_copy(policy, &e->rule, watch) < 0)
				r->no_memory = true;
		}
	}
}

/* Its own rules, those of overrides and of exceptions. */
static void refuse_canaries(struct resolver *r)
{
	const struct policy *policy = r->policy;

	for (size_t i = 0; i < policy->nr_watches; i++) {
		const struct watch_rule *watch = &policy->watches[i];

		if (watch->entry.object_class == CLASS_CANARY_KEY &&
		    watch->entry.mode == MODE_RECORD)
			wrong(r, &watch->mode_place,
			      "watch entry '%s' is of a canary key: who touches it is told, not "
			      "only recorded",
			      watch->entry.name);
	}
	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct watch_rule *watch = rule->watch && rule->watch <= policy->nr_watches
							 ? &policy->watches[rule->watch - 1]
							 : NULL;

		if (watch && rule->kind == RULE_ALLOW &&
		    watch->entry.object_class == CLASS_CANARY_KEY)
			wrong(r, &rule->place,
			      "watch entry '%s' is of a canary key, which nobody is allowed: what "
			      "reads every file (a backup) is named by `expect`",
			      watch->entry.name);
	}
}

/* --- zones -------------------------------------------------------------------------------------
 */

static void resolve_zones(struct resolver *r)
{
	struct policy *policy = r->policy;

	for (size_t i = 0; i < policy->nr_zones; i++) {
		struct zone *zone = &policy->zones[i];

		zone->here = !zone->nr_hosts;
		for (size_t h = 0; h < zone->nr_hosts && !zone->here; h++)
			for (size_t l = 0; l < policy->nr_labels && !zone->here; l++)
				zone->here = wanted_is(&zone->hosts[h],
						       (struct span){policy->labels[l].text,
								     policy->labels[l].len});
	}
	for (size_t i = 0; i < policy->nr_watches; i++) {
		struct watch_rule *watch = &policy->watches[i];

		if (watch->zone_name)
			watch->zone = find_zone(r, &watch->zone_place, watch->zone_name);
	}
	for (size_t i = 0; i < policy->nr_rules; i++) {
		struct rule *rule = &policy->rules[i];

		if (rule->zone_name)
			rule->zone = find_zone(r, &rule->zone_place, rule->zone_name);
	}
}

int policy_resolve(struct policy *policy, struct diag_list *diags)
{
	struct resolver r = {.policy = policy, .diags = diags};

	apply_overrides(&r);
	if (r.no_memory || r.wrong)
		return r.no_memory ? -ENOMEM : -EINVAL;
	apply_exceptions(&r);
	refuse_canaries(&r);
	resolve_zones(&r);
	if (r.no_memory || r.wrong)
		return r.no_memory ? -ENOMEM : -EINVAL;
	if (order_entries(policy) < 0)
		return -ENOMEM;
	drop_dead_rules(policy);
	return policy_check_deny(policy, diags);
}
