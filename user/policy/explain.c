// SPDX-License-Identifier: GPL-2.0-or-later
/* Why an answer of the policy is what it is, and what would make it another one. */
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "policy/show-internal.h"
#include "policy/show.h"

#define NEAR_MAX 8 /* rules that are shown */

static void put(FILE *out, struct span bytes)
{
	char text[4 * 1024];

	escape_bytes(bytes.p, bytes.len, text, sizeof(text), NULL);
	fputs(text, out);
}

static void put_place(FILE *out, const struct place *place)
{
	put(out, span_of(place->file));
	fprintf(out, ":%u", place->line);
}

/* --- which pattern -----------------------------------------------------------------------------
 */

static bool home_matches(const struct pattern *pattern, const char *home, size_t len,
			 const char *path)
{
	_cleanup_(pattern_freep) struct pattern *whole = NULL;
	_cleanup_free_ char *text = NULL;
	const char *why;

	if (asprintf(&text, "%.*s%s", (int)len, home, pattern->text + 1) < 0)
		return false;
	return pattern_new(text, strlen(text), false, &whole, &why) == 0 &&
	       pattern_match(whole, path, strlen(path));
}

/* `~` is each home, and each directory beside one. */
static bool matches(const struct pattern *pattern, const char *path, const char *const *homes,
		    size_t nr_homes)
{
	if (pattern->start != PATTERN_HOME)
		return pattern_match(pattern, path, strlen(path));
	for (size_t i = 0; i < nr_homes; i++) {
		const char *slash = strrchr(homes[i], '/');
		size_t parent = slash ? (size_t)(slash - homes[i]) : 0;
		size_t below =
			parent + 1 + strcspn(path + (strlen(path) > parent ? parent + 1 : 0), "/");

		if (home_matches(pattern, homes[i], strlen(homes[i]), path))
			return true;
		if (parent && !strncmp(path, homes[i], parent + 1) &&
		    home_matches(pattern, path, below, path))
			return true;
	}
	return false;
}

bool policy_path_line(const struct policy *policy, uint32_t number, const char *path,
		      const char *const *homes, size_t nr_homes, struct policy_line *out_line)
{
	const struct watch_rule *watch = &policy->watches[number - 1];

	for (size_t i = 0; i < watch->nr_paths; i++) {
		const struct pattern *p = watch->paths[i];

		if (!matches(p, path, homes, nr_homes))
			continue;
		*out_line = (struct policy_line){
			.section = watch->entry.name,
			.text = p->text,
			.file = p->file,
			.line = p->line,
			.column = p->column,
		};
		return true;
	}
	return false;
}

/* --- rules that come near ----------------------------------------------------------------------
 */

struct near {
	FILE *out;
	const struct policy *policy;
	const struct policy_query *query;
	unsigned shown;
};

static const char *image_unknown(const struct rule *rule, const struct policy_subject *s)
{
	if (!s->container.len || (rule->image_by_id ? s->image_id.len : s->image.len))
		return "";
	return rule->image_by_id && s->image.len
		       ? ", and of the container's image only the name is known"
	       : !rule->image_by_id && s->image_id.len
		       ? ", and of the container's image only the id is known"
		       : ", and which image the container was made from is not known";
}

/* What a rule asks for and the subject is not; how many such. */
static unsigned put_misses(FILE *out, const struct policy *policy, const struct rule *rule,
			   const struct policy_query *q)
{
	const struct policy_subject *s = &q->subject;
	unsigned nr = 0;

#define MISS(...)                                   \
	do {                                        \
		if (out) {                          \
			fputs(nr ? ", " : "", out); \
			fprintf(out, __VA_ARGS__);  \
		}                                   \
		nr++;                               \
	} while (0)
	if (!wanted_is(&rule->unit, s->unit))
		MISS("it asks for unit %s", rule->unit.text);
	if (rule->script && !(s->script.len == strlen(rule->script) &&
			      !memcmp(s->script.p, rule->script, s->script.len)))
		MISS("it asks for script %s, started by its first line", rule->script);
	if (rule->package &&
	    !(s->package_state == PACKAGE_INTACT && policy_is_package(s->package, rule->package)))
		MISS("it asks for package %s, as that installed it", rule->package);
	if (rule->digest && !(s->digest.len == strlen(rule->digest) &&
			      !memcmp(s->digest.p, rule->digest, s->digest.len)))
		MISS("it asks for digest %s", rule->digest);
	if (rule->verity && !(s->verity.len == strlen(rule->verity) &&
			      !memcmp(s->verity.p, rule->verity, s->verity.len)))
		MISS("it asks for fs-verity digest %s", rule->verity);
	if (!wanted_is(&rule->container, s->container))
		MISS("it asks for container %s", rule->container.text);
	if (!rule_image_is(rule, s))
		MISS("it asks for image %s%s", rule->image.text, image_unknown(rule, s));
	if (!wanted_is(&rule->user, s->user))
		MISS("it asks for user %s", rule->user.text);
	if (rule->uid != UID_UNSET && rule->uid != s->uid)
		MISS("it asks for user id %" PRIu32, rule->uid);
	if (rule->login == LOGIN_NONE && s->loginuid != UID_UNSET)
		MISS("it asks for nobody to have logged in");
	if (rule->login == LOGIN_SOME && s->loginuid == UID_UNSET)
		MISS("it asks for somebody to have logged in");
	if (rule->session != SESSION_UNKNOWN && rule->session != s->session_type)
		MISS("it asks for a session by %s", session_type_str(rule->session));
	if (rule->zone && !zone_holds_subject(policy, rule->zone, s))
		MISS("it asks for zone %s", rule->zone_name);
	if (!(rule->on & 1U << q->action))
		MISS("it is not for '%s'", policy_action_str(q->action));
	if (rule->until && q->time > rule->until_ns)
		MISS("it ended with %s", rule->until);
#undef MISS
	return nr;
}

static bool is_about_program(const struct rule *rule, const struct policy_subject *s)
{
	return !rule->exe ||
	       (rule->exe_len == s->exe.len && !memcmp(rule->exe, s->exe.p, s->exe.len));
}

static void near_rule(struct near *n, const struct rule *rule)
{
	char text[2048];

	if (n->shown == NEAR_MAX || !is_about_program(rule, &n->query->subject) ||
	    !put_misses(NULL, n->policy, rule, n->query))
		return;
	if (!n->shown++)
		fputs("Rules that come near:\n", n->out);
	rule_text(rule, text, sizeof(text));
	fprintf(n->out, "  %s: {", rule->kind == RULE_ALLOW ? "allow" : "expect");
	put(n->out, span_of(text));
	fputs("} at ", n->out);
	put_place(n->out, &rule->place);
	fputs(": ", n->out);
	put_misses(n->out, n->policy, rule, n->query);
	fputs("\n", n->out);
}

/* --- what would change it ----------------------------------------------------------------------
 */

static void put_override(FILE *out, const struct watch_rule *watch, const char *list,
			 const struct policy_subject *s)
{
	fprintf(out, "    override:\n      - name: %s\n        %s:\n          - {exe: ",
		watch->entry.name, list);
	put(out, s->exe);
	/* A container gets another id each time that it is made, and its scope is named by it. */
	if (s->unit.len && !s->container.len) {
		fputs(", unit: ", out);
		put(out, s->unit);
	}
	if (s->image.len || s->image_id.len) {
		fputs(", image: ", out);
		put(out, s->image.len ? s->image : s->image_id);
	} else if (s->container.len) {
		fputs(", container: ", out);
		put(out, s->container);
	}
	fputs("}\n", out);
}

/* What alerts have of a container's id. Rules ask for all of it, which the next one has not. */
static bool is_short_id(struct span container)
{
	size_t hex = 0;

	while (hex < container.len && strchr("0123456789abcdef", container.p[hex]))
		hex++;
	return container.len == 12 && hex == 12;
}

static void put_change(FILE *out, const struct watch_rule *watch, const struct policy_query *q,
		       const struct policy_answer *answer)
{
	fputs("What would change it:\n", out);
	switch (answer->reason) {
	case REASON_ALLOWED:
	case REASON_EXPECTED:
		fprintf(out,
			"  without that rule it is an alert. To begin the entry's list anew, in a file "
			"of your own:\n"
			"    override:\n      - name: %s\n        replace: [%s]\n",
			watch->entry.name, answer->reason == REASON_ALLOWED ? "allow" : "expect");
		break;
	case REASON_NOT_ON:
		fprintf(out, "  the entry's `on`: it does not have '%s'\n",
			policy_action_str(q->action));
		break;
	case REASON_DISTRUST:
		fputs("  the program, and no rule: what runs must be the file that stands at its "
		      "path, and nobody but root may be able to change it\n",
		      out);
		break;
	case REASON_EXPIRED:
		fputs("  a later `until` of the rule that has ended, or an `allow` rule without "
		      "one\n",
		      out);
		break;
	case REASON_SUBJECT_ZONE:
		fprintf(out,
			"  to run it in the zone '%s', to add its unit, container or user there, or an "
			"exception\n",
			watch->zone_name);
		break;
	case REASON_OBJECT_ZONE:
		fprintf(out,
			"  to keep the file in the zone '%s', to add its path there, or an "
			"exception\n",
			watch->zone_name);
		break;
	default:
		if (!q->subject.exe.len) {
			fputs("  a rule under `allow` of the entry that names the program\n", out);
			break;
		}
		if (!q->subject.image.len && !q->subject.image_id.len &&
		    is_short_id(q->subject.container)) {
			fputs("  a rule that asks for the container's image, which is not known; one "
			      "by its id would not last: each container has another\n",
			      out);
			break;
		}
		fputs("  if this is as it should be, in a file of your own:\n", out);
		put_override(out, watch, "allow", &q->subject);
		fputs("  (`expect` instead of `allow`: recorded and not told)\n", out);
	}
}

void policy_explain(const struct policy *policy, const struct policy_query *query, FILE *out)
{
	struct near near = {out, policy, query, 0};
	const struct watch_rule *watch;
	struct policy_answer answer;

	policy_judge(policy, query, &answer);
	fprintf(out, "Verdict: %s, %s", verdict_str(answer.verdict), answer.why);
	if (answer.file) {
		fputs(" (", out);
		put(out, span_of(answer.file));
		fprintf(out, ":%u)", answer.line);
	}
	fputs("\n", out);
	if (answer.reason == REASON_NO_WATCH)
		return;
	watch = &policy->watches[query->watch - 1];
	if (watch->entry.mode == MODE_RECORD)
		fprintf(out, "The entry only records (`mode: record`).\n");
	if (watch->entry.mode == MODE_DENY && answer.verdict == VERDICT_ALERT)
		fprintf(out, "Its open is refused (`mode: deny`), while keytraild runs.\n");
	if (answer.reason != REASON_ALLOWED && answer.reason != REASON_EXPECTED)
		for (size_t i = 0; i < policy->nr_rules; i++)
			if (policy->rules[i].watch == query->watch)
				near_rule(&near, &policy->rules[i]);
	put_change(out, watch, query, &answer);
}
