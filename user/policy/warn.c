// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Warnings that only a whole policy shows: what stands twice, what can never match, what is unwise.
 */
#include <stdarg.h>
#include <string.h>

#include "model/interpreter.h"
#include "policy/check.h"
#include "policy/policy-internal.h"

static void _printf_(3, 4)
	warn(struct diag_list *diags, const struct place *place, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(diags, DIAG_WARNING, place->file, place->line, place->column, "%s", text);
}

/* --- allowed programs --------------------------------------------------------------------------
 */

/* To allow one is to allow whatever it is told to do. */
bool policy_is_interpreter(const char *exe)
{
	return interpreter_name(span_of(exe)) != NULL;
}

/* Rules of one entry stand together; those of the same program next to each other. */
static int compare_rules(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a;
	const struct rule *y = *(const struct rule *const *)b;
	int order;

	if (x->watch != y->watch)
		return x->watch < y->watch ? -1 : 1;
	order = strcmp(x->exe ? x->exe : "", y->exe ? y->exe : "");
	return order ? order : x < y ? -1 : x > y;
}

static void warn_covered(const struct rule *earlier, const struct rule *rule,
			 struct diag_list *diags)
{
	const char *who = rule->exe ? rule->exe : "the rule's subject";
	const char *same_file =
		rule->place.file == earlier->place.file ? NULL : earlier->place.file;

	warn(diags, &rule->place, "%s is %s already, at %s%sline %u", who,
	     earlier->kind == RULE_ALLOW ? "allowed" : "expected", same_file ? same_file : "",
	     same_file ? ", " : "", earlier->place.line);
}

#define COMPARED_MAX 64 /* rules of a program in an entry that are compared with each other */

static void warn_covered_rules(const struct rule **rules, size_t nr, struct diag_list *diags)
{
	for (size_t i = 1, first = 0; i < nr; i++) {
		const char *exe = rules[i]->exe ? rules[i]->exe : "";

		if (rules[i]->watch != rules[first]->watch ||
		    strcmp(exe, rules[first]->exe ? rules[first]->exe : ""))
			first = i;
		for (size_t j = first; j < i && j < first + COMPARED_MAX; j++)
			if (rule_covers(rules[j], rules[i])) {
				warn_covered(rules[j], rules[i], diags);
				break;
			}
	}
}

/* Who was meant to be let read is let send, too. */
static void warn_sends(const struct rule *rule, const struct watch_rule *watch,
		       struct diag_list *diags)
{
	const uint32_t both = 1U << ACTION_READ | 1U << ACTION_SEND;
	char all[POLICY_ON_MAX], rest[POLICY_ON_MAX];

	if (rule->kind != RULE_ALLOW || rule->on_written || (watch->entry.on & both) != both)
		return;
	policy_on_text(watch->entry.on, all);
	policy_on_text(watch->entry.on & ~(1U << ACTION_SEND), rest);
	warn(diags, &rule->place,
	     "the rule lets who reads send, too, since '%s' has `send` in `on`: give it "
	     "`on: [%s]`, or `on: [%s]` if that is meant",
	     watch->entry.name, rest, all);
}

/*
 * Which image it is is known of containers in cgroups that runtimes make
 * (cgroup_image_container()), and no service is one of these, nor is looked into.
 */
static bool asks_image_of_service(const struct rule *rule)
{
	static const char suffix[] = ".service";
	const size_t n = strlen(suffix), len = rule->unit.text ? strlen(rule->unit.text) : 0;

	return rule->image.text && len >= n && !strcmp(rule->unit.text + len - n, suffix);
}

static int warn_rules(const struct policy *policy, struct diag_list *diags)
{
	_cleanup_free_ const struct rule **rules = NULL;

	if (!policy->nr_rules)
		return 0;
	rules = calloc(policy->nr_rules, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = rules[i] = &policy->rules[i];
		const struct watch_rule *watch = &policy->watches[rule->watch - 1];

		/* With a unit it is what that unit tells it, which root has written. */
		if (rule->exe && !rule->script && !rule->unit.text &&
		    policy_is_interpreter(rule->exe))
			warn(diags, &rule->place,
			     "%s runs what it is told: to allow it is to allow every script and "
			     "command given to it; a `script` beside it allows that one alone",
			     rule->exe);
		/* Who it is has to be found out of whatever program asks. */
		if (rule->package && !rule->exe)
			warn(diags, &rule->place,
			     "package '%s' without `exe`: every program that comes to it waits up "
			     "to ten seconds for its verdict until its package is known; name its "
			     "programs by `exe`",
			     rule->package);
		if (asks_image_of_service(rule))
			warn(diags, &rule->place,
			     "the rule never decides: of what runs in a service no image is known, "
			     "since containers have scopes of their own; leave out `unit`, or "
			     "`image` (what podman puts into a service by --cgroups=split is that "
			     "unit)");
		if (!(rule->on & watch->entry.on))
			warn(diags, &rule->place,
			     "the rule never decides: nothing that it is for (`on`) is judged by "
			     "watch entry '%s'",
			     watch->entry.name);
		warn_sends(rule, watch, diags);
		if (rule->zone && !policy->zones[rule->zone - 1].here)
			warn(diags, &rule->place,
			     "the rule never decides on this host: zone '%s' is of hosts with other "
			     "labels",
			     rule->zone_name);
	}
	qsort(rules, policy->nr_rules, sizeof(*rules), compare_rules);
	warn_covered_rules(rules, policy->nr_rules, diags);
	return 0;
}

/* What is no file is not written to, or renamed, in a way that could be told. */
static void warn_on(const struct policy *policy, struct diag_list *diags)
{
	for (size_t i = 0; i < policy->nr_watches; i++) {
		const struct watch_rule *watch = &policy->watches[i];
		const enum object_class c = watch->entry.object_class;

		if (watch->entry.on & 1U << ACTION_WRITE &&
		    (!object_class_has_files(c) || c == CLASS_AGENT_SOCKET))
			warn(diags, &watch->on_place,
			     "on: 'write' never decides: nothing of class '%s' is written to",
			     object_class_str(c));
		if (watch->entry.on & 1U << ACTION_SEND && !object_class_has_files(c) &&
		    c != CLASS_DEVICE)
			warn(diags, &watch->on_place,
			     "on: 'send' never decides: what was read of class '%s' is not "
			     "remembered",
			     object_class_str(c));
		if (watch->entry.on & 1U << ACTION_LINK && !object_class_has_files(c))
			warn(diags, &watch->on_place,
			     "on: 'link' never decides: names of what is of class '%s' are not "
			     "followed",
			     object_class_str(c));
	}
}

static void warn_zones(const struct policy *policy, struct diag_list *diags)
{
	for (size_t i = 0; i < policy->nr_zones; i++)
		if (!policy->zones[i].used)
			warn(diags, &policy->zones[i].place,
			     "zone '%s' is used by no entry and no rule", policy->zones[i].name);
}

void policy_warn_ended(const struct policy *policy, uint64_t now, struct diag_list *diags)
{
	const char *last = NULL;

	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule->until || rule->until_ns >= now || rule->ended == last)
			continue;
		last = rule->ended;
		warn(diags, &rule->place, "%s and lets nobody any more", rule->ended);
	}
}

/* --- paths -------------------------------------------------------------------------------------
 */

struct path_ref {
	const struct pattern *pattern;
	uint32_t watch; /* from 1 */
};

/* Same names matched by the same text? Different texts may still match the same. */
static int compare_patterns(const struct pattern *a, const struct pattern *b)
{
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	for (size_t i = 0; i < a->nr && i < b->nr; i++) {
		int order = strcmp(a->components[i].text, b->components[i].text);

		if (order)
			return order;
	}
	return a->nr < b->nr ? -1 : a->nr > b->nr;
}

static int compare_refs(const void *a, const void *b)
{
	const struct path_ref *x = a, *y = b;
	int order = compare_patterns(x->pattern, y->pattern);

	if (order)
		return order;
	if (x->watch != y->watch)
		return x->watch < y->watch ? -1 : 1;
	if (x->pattern->line != y->pattern->line)
		return x->pattern->line < y->pattern->line ? -1 : 1;
	return x->pattern->column < y->pattern->column ? -1
						       : x->pattern->column > y->pattern->column;
}

/* Does `earlier` leave nothing for `later` where their paths are the same? */
static bool leaves_nothing(const struct watch_rule *earlier, const struct watch_rule *later)
{
	for (size_t i = 0; i < earlier->nr_excludes; i++) {
		bool found = false;

		for (size_t j = 0; j < later->nr_excludes && !found; j++)
			found = !compare_patterns(earlier->excludes[i], later->excludes[j]);
		if (!found)
			return false;
	}
	return true;
}

static void warn_odd_path(const struct watch_rule *watch, const struct pattern *p,
			  struct diag_list *diags)
{
	struct place place = {p->file, p->line, p->column};

	if (p->components[0].deep)
		warn(diags, &place,
		     "path '%.128s' covers every directory of %s: each one costs a mark", p->text,
		     p->start == PATTERN_HOME ? "every home" : "the system");
	if (p->start == PATTERN_ROOT && p->nr > 1 &&
	    (!strcmp(p->components[0].text, "proc") || !strcmp(p->components[0].text, "sys")))
		warn(diags, &place,
		     "path '%.128s' never matches: files below /%s are made up by the kernel at "
		     "each look and cannot be marked",
		     p->text, p->components[0].text);
}

/* Finds paths that an earlier entry, or the same one, takes first. */
static int warn_paths(const struct policy *policy, struct diag_list *diags)
{
	_cleanup_free_ struct path_ref *refs = NULL;
	_cleanup_free_ size_t *taken = NULL; /* per watch: paths that never match */
	_cleanup_free_ uint32_t *by = NULL; /* per watch: who takes them */
	size_t nr = 0, n = 0;

	for (size_t w = 0; w < policy->nr_watches; w++)
		nr += policy->watches[w].nr_paths;
	if (!nr)
		return 0;
	refs = calloc(nr, sizeof(*refs));
	taken = calloc(policy->nr_watches + 1, sizeof(*taken));
	by = calloc(policy->nr_watches + 1, sizeof(*by));
	if (!refs || !taken || !by)
		return -ENOMEM;
	for (size_t w = 0; w < policy->nr_watches; w++) {
		const struct watch_rule *watch = &policy->watches[w];

		for (size_t i = 0; i < watch->nr_paths; i++) {
			warn_odd_path(watch, watch->paths[i], diags);
			refs[n++] = (struct path_ref){watch->paths[i], (uint32_t)w + 1};
		}
	}
	qsort(refs, nr, sizeof(*refs), compare_refs);
	for (size_t i = 1, first = 0; i < nr; i++) {
		const struct watch_rule *watch = &policy->watches[refs[i].watch - 1];
		const struct watch_rule *earlier = &policy->watches[refs[first].watch - 1];
		struct place place = {refs[i].pattern->file, refs[i].pattern->line,
				      refs[i].pattern->column};

		if (compare_patterns(refs[first].pattern, refs[i].pattern)) {
			first = i;
		} else if (refs[i].watch == refs[i - 1].watch) {
			warn(diags, &place, "path '%.128s' stands twice in this entry",
			     refs[i].pattern->text);
			taken[refs[i].watch] += taken[refs[i].watch] > 0;
		} else if (leaves_nothing(earlier, watch)) {
			warn(diags, &place,
			     "path '%.128s' never matches: watch entry '%s' names it before",
			     refs[i].pattern->text, earlier->entry.name);
			taken[refs[i].watch]++;
			by[refs[i].watch] = refs[first].watch;
		}
	}
	for (size_t w = 1; w <= policy->nr_watches; w++) {
		const struct watch_rule *watch = &policy->watches[w - 1];

		if (by[w] && taken[w] == watch->nr_paths)
			warn(diags, &watch->place,
			     "watch entry '%s' never matches: all its paths belong to earlier "
			     "entries, such as '%s'",
			     watch->entry.name, policy->watches[by[w] - 1].entry.name);
	}
	return 0;
}

/*
 * Paths of which an earlier entry leaves nothing, though its own are written otherwise. Held
 * against each other are those that begin alike: at homes, or at the same first name.
 */
#define OVERLAPS_MAX 4000000 /* pairs that are compared */

static bool begin_alike(const struct pattern *a, const struct pattern *b)
{
	return a->start == b->start && (a->components[0].deep || a->components[0].text[0] == '*' ||
					!strcmp(a->components[0].text, b->components[0].text));
}

static int warn_overlaps(const struct policy *policy, struct diag_list *diags)
{
	size_t pairs = 0;

	for (size_t w = 1; w < policy->nr_watches; w++)
		for (size_t i = 0; i < policy->watches[w].nr_paths; i++) {
			const struct pattern *p = policy->watches[w].paths[i];
			const struct place place = {p->file, p->line, p->column};

			for (size_t e = 0; e < w; e++) {
				const struct watch_rule *earlier = &policy->watches[e];
				const struct pattern *by = NULL;

				pairs += earlier->nr_paths;
				if (pairs > OVERLAPS_MAX)
					return 0;
				if (!leaves_nothing(earlier, &policy->watches[w]))
					continue;
				for (size_t k = 0; k < earlier->nr_paths && !by; k++)
					if (begin_alike(earlier->paths[k], p) &&
					    compare_patterns(earlier->paths[k], p) &&
					    pattern_covers(earlier->paths[k], p))
						by = earlier->paths[k];
				if (!by)
					continue;
				warn(diags, &place,
				     "path '%.128s' never matches: '%.128s' of watch entry '%s' "
				     "takes all that it would",
				     p->text, by->text, earlier->entry.name);
				break;
			}
		}
	return 0;
}

int policy_warn(const struct policy *policy, struct diag_list *diags)
{
	int err = warn_paths(policy, diags);

	if (err == 0)
		err = warn_rules(policy, diags);
	if (err == 0)
		err = warn_overlaps(policy, diags);
	if (err == 0)
		warn_zones(policy, diags);
	if (err == 0)
		warn_on(policy, diags);
	if (err == 0 && !policy->nr_watches)
		diag_add(diags, DIAG_WARNING, NULL, 0, 0, "the policy watches nothing");
	return err;
}
