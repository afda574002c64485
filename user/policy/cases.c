// SPDX-License-Identifier: GPL-2.0-or-later
/* Cases that a policy is to decide: read by the schema's means, asked, and compared. */
#include "policy/cases.h"

#include <string.h>

#include "base/escape.h"
#include "policy/schema-internal.h"
#include "policy/show.h"
#include "policy/watchset.h"

#define CASES_MAX 10000
#define HOMES_MAX 256

enum wish { WISH_ALLOW = 1, WISH_RECORD, WISH_ALERT, WISH_UNWATCHED, WISH_NR };

static const char *const wishes[WISH_NR] = {
	[WISH_ALLOW] = "allow",
	[WISH_RECORD] = "record",
	[WISH_ALERT] = "alert",
	[WISH_UNWATCHED] = "unwatched",
};

struct one_case {
	const char *name, *object, *watch;
	struct policy_query query;
	enum wish wish;
	unsigned line, column;
};

struct cases_reader {
	struct reader reader; /* first: the functions of the schema know nothing else */
	const char *homes[HOMES_MAX + 1];
	size_t nr_homes;
	struct one_case *cases;
	size_t nr;
};

static struct cases_reader *of(struct reader *r)
{
	return (struct cases_reader *)r;
}

static struct one_case *this_case(struct reader *r)
{
	return &of(r)->cases[of(r)->nr - 1];
}

/* --- subject -----------------------------------------------------------------------------------
 */

static void read_text(struct reader *r, const struct yaml_node *value, const struct field *field,
		      struct span *out)
{
	const char *s = schema_read_string(r, value, field->key);

	if (!s)
		return;
	s = schema_keep(r, value);
	*out = s ? (struct span){s, value->len} : (struct span){NULL, 0};
}

static void read_exe(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "exe"), *fault = s ? schema_path_fault(s) : "";

	if (fault && *fault)
		schema_wrong(r, value, "exe '%.128s' %s", s, fault);
	else if (s)
		read_text(r, value, field, &this_case(r)->query.subject.exe);
}

static void read_unit(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	read_text(r, value, field, &this_case(r)->query.subject.unit);
}

static void read_container(struct reader *r, const struct yaml_node *value,
			   const struct field *field)
{
	read_text(r, value, field, &this_case(r)->query.subject.container);
}

/* By its name, or by its id: as in a rule. */
static void read_image(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct policy_subject *subject = &this_case(r)->query.subject;
	const char *s = schema_read_string(r, value, "image"), *fault;
	struct span text = {s, s ? value->len : 0};

	if (!s)
		return;
	fault = schema_image_fault(text);
	if (fault)
		schema_wrong(r, value, "image '%.128s' %s", s, fault);
	else
		read_text(r, value, field,
			  schema_is_image_id(text) ? &subject->image_id : &subject->image);
}

static void read_user(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	read_text(r, value, field, &this_case(r)->query.subject.user);
}

static void read_uid(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	schema_read_number(r, value, "uid", 0, UID_UNSET - 1, &this_case(r)->query.subject.uid);
}

static void read_loginuid(struct reader *r, const struct yaml_node *value,
			  const struct field *field)
{
	schema_read_number(r, value, "loginuid", 0, UID_UNSET - 1,
			   &this_case(r)->query.subject.loginuid);
}

static void read_package(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct policy_subject *subject = &this_case(r)->query.subject;

	read_text(r, value, field, &subject->package);
	subject->package_state = PACKAGE_INTACT;
}

static void read_script(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct policy_subject *subject = &this_case(r)->query.subject;

	read_text(r, value, field, &subject->script);
	subject->script_trust = EXE_VERIFIED;
}

static void read_digest(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	read_text(r, value, field, &this_case(r)->query.subject.digest);
}

static void read_verity(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	read_text(r, value, field, &this_case(r)->query.subject.verity);
}

static const char *trust_word(int i)
{
	return exe_trust_str((enum exe_trust)i);
}

static void read_trust(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, "trust", trust_word, 0, EXE_TRUST_NR);

	if (word >= 0)
		this_case(r)->query.subject.exe_trust = (enum exe_trust)word;
}

static const char *reason_word(int i)
{
	return untrusted_str((enum untrusted)(1U << i));
}

static const char *session_word(int i)
{
	return session_type_str((enum session_type)i);
}

static void read_session(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word =
		schema_read_word(r, value, "session", session_word, SESSION_LOCAL, SESSION_TYPE_NR);

	if (word >= 0)
		this_case(r)->query.subject.session_type = (enum session_type)word;
}

static void read_untrusted(struct reader *r, const struct yaml_node *value,
			   const struct field *field)
{
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "untrusted"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		int bit = schema_read_word(r, node, "untrusted", reason_word, 0,
					   __builtin_popcount(UNTRUSTED_ALL));

		if (bit >= 0)
			this_case(r)->query.subject.untrusted |= 1U << bit;
	}
}

static const struct field subject_fields[] = {
	{.key = "exe", .read = read_exe},
	{.key = "script", .read = read_script},
	{.key = "trust", .read = read_trust},
	{.key = "unit", .read = read_unit},
	{.key = "container", .read = read_container},
	{.key = "image", .read = read_image},
	{.key = "user", .read = read_user},
	{.key = "uid", .read = read_uid},
	{.key = "loginuid", .read = read_loginuid},
	{.key = "session", .read = read_session},
	{.key = "untrusted", .read = read_untrusted},
	{.key = "package", .read = read_package},
	{.key = "digest", .read = read_digest},
	{.key = "verity", .read = read_verity},
	{0},
};

/* --- case --------------------------------------------------------------------------------------
 */

static void read_subject(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const struct policy_subject *subject = &this_case(r)->query.subject;

	schema_read_map(r, value, subject_fields, "a subject");
	if ((subject->image.len || subject->image_id.len) && !subject->container.len)
		schema_wrong(r, value,
			     "a subject with `image` is in a container: it needs `container`");
}

static void read_case_name(struct reader *r, const struct yaml_node *value,
			   const struct field *field)
{
	struct span name = {NULL, 0};

	read_text(r, value, field, &name);
	this_case(r)->name = name.p;
}

static void read_object(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "object"),
		   *fault = s ? schema_path_fault(s) : NULL;
	struct one_case *c = this_case(r);

	if (!s)
		return;
	if (fault) {
		schema_wrong(r, value, "object '%.128s' %s", s, fault);
		return;
	}
	read_text(r, value, field, &c->query.path);
	c->object = c->query.path.p;
}

static const char *action_word(int i)
{
	return policy_action_str((enum policy_action)i);
}

static void read_action(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, "action", action_word, 1, ACTION_NR);

	if (word > 0)
		this_case(r)->query.action = (enum policy_action)word;
}

static const char *wish_word(int i)
{
	return wishes[i];
}

static void read_expect(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, "expect", wish_word, 1, WISH_NR);

	if (word > 0)
		this_case(r)->wish = (enum wish)word;
}

static void read_watch(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	this_case(r)->watch = schema_read_name(r, value, "watch");
}

static void read_date(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	schema_read_day(r, value, "date", &this_case(r)->query.time);
}

static const struct field case_fields[] = {
	{.key = "name", .read = read_case_name},
	{.key = "subject", .required = true, .read = read_subject},
	{.key = "action", .read = read_action},
	{.key = "object", .required = true, .read = read_object},
	{.key = "expect", .required = true, .read = read_expect},
	{.key = "watch", .read = read_watch},
	{.key = "date", .read = read_date},
	{0},
};

static void read_cases(struct reader *r, const struct yaml_node *list, const struct field *field)
{
	struct cases_reader *cr = of(r);
	const struct yaml_node *node;

	if (!schema_is_kind(r, list, YAML_TREE_LIST, "cases"))
		return;
	for (node = yaml_node(r->tree, list->first); node; node = yaml_node(r->tree, node->next)) {
		if (cr->nr == CASES_MAX) {
			schema_wrong(r, node, "more than %d cases", CASES_MAX);
			return;
		}
		if (policy_grow(&cr->cases, cr->nr, sizeof(*cr->cases)) < 0) {
			r->no_memory = true;
			return;
		}
		cr->cases[cr->nr++] = (struct one_case){
			.query = {.action = ACTION_READ,
				  .subject = {.exe_trust = EXE_VERIFIED,
					      .inspected = true,
					      .loginuid = UID_UNSET}},
			.line = node->line,
			.column = node->column,
		};
		schema_read_map(r, node, case_fields, "a case");
	}
	if (!list->first)
		schema_wrong(r, list, "there are no cases");
}

static void read_homes(struct reader *r, const struct yaml_node *list, const struct field *field)
{
	struct cases_reader *cr = of(r);
	const struct yaml_node *node;

	if (!schema_is_kind(r, list, YAML_TREE_LIST, "homes"))
		return;
	for (node = yaml_node(r->tree, list->first); node; node = yaml_node(r->tree, node->next)) {
		const char *s = schema_read_string(r, node, "a home");
		const char *fault = s ? schema_path_fault(s) : NULL;

		if (fault || cr->nr_homes == HOMES_MAX)
			schema_wrong(r, node, "home '%.128s' %s", s,
				     fault ? fault : "is one too many");
		else if (s)
			cr->homes[cr->nr_homes++] = schema_keep(r, node);
	}
}

static void read_version(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	uint32_t version;

	schema_read_number(r, value, "version", 1, 1, &version);
}

static const struct field file_fields[] = {
	{.key = "version", .required = true, .read = read_version},
	{.key = "homes", .read = read_homes},
	{.key = "cases", .required = true, .read = read_cases},
	{0},
};

/* --- asking ------------------------------------------------------------------------------------
 */

static enum wish ask(const struct policy *policy, const struct watchset *set, struct one_case *c)
{
	struct policy_answer answer;

	c->query.watch = watchset_match(set, span_of(c->object));
	if (!c->query.watch)
		return WISH_UNWATCHED;
	policy_judge(policy, &c->query, &answer);
	switch (answer.verdict) {
	case VERDICT_ALLOW:
		return WISH_ALLOW;
	case VERDICT_RECORD:
		return WISH_RECORD;
	default:
		return WISH_ALERT;
	}
}

static void tell(const struct policy *policy, const char *file, const struct one_case *c,
		 enum wish is, const char *watch, FILE *out)
{
	char name[256] = "";

	if (c->name)
		escape_bytes(c->name, strlen(c->name), name, sizeof(name), NULL);
	fprintf(out, "%s:%u:%u: FAILED: %s%sexpected %s", file, c->line, c->column, name,
		c->name ? ": " : "", wishes[c->wish]);
	if (c->watch)
		fprintf(out, " by '%s'", c->watch);
	fprintf(out, ", is %s%s%s%s\n", wishes[is], watch ? " by '" : "", watch ? watch : "",
		watch ? "'" : "");
	if (is == WISH_UNWATCHED)
		fprintf(out, "No watch entry is about %s\n", c->object);
	else
		policy_explain(policy, &c->query, out);
}

static int ask_all(const struct policy *policy, struct cases_reader *cr, struct diag_list *diags,
		   FILE *out, struct cases_result *out_result)
{
	_cleanup_(watchset_freep) struct watchset *set = NULL;
	struct cases_result result = {0};
	int err;

	cr->homes[cr->nr_homes++] = "/root";
	err = watchset_compile(policy, cr->homes, cr->nr_homes, 1, diags, &set);
	if (err < 0)
		return err;
	for (size_t i = 0; i < cr->nr; i++) {
		struct one_case *c = &cr->cases[i];
		enum wish is = ask(policy, set, c);
		const struct watch_entry *entry = policy_watch(policy, c->query.watch);

		if (is == c->wish && (!c->watch || (entry && !strcmp(entry->name, c->watch)))) {
			result.passed++;
			continue;
		}
		result.failed++;
		tell(policy, cr->reader.file, c, is, entry ? entry->name : NULL, out);
	}
	*out_result = result;
	return 0;
}

int cases_run(const struct policy *policy, const char *name, const char *text, size_t len,
	      struct diag_list *diags, FILE *out, struct cases_result *out_result)
{
	_cleanup_(policy_freep) struct policy *keeper = policy_new(); /* of strings */
	struct yaml_tree tree = {0};
	struct cases_reader cr = {
		.reader = {.policy = keeper, .file = name, .tree = &tree, .diags = diags},
	};
	int err;

	if (!keeper)
		return -ENOMEM;
	err = yaml_tree_parse(name, text, len, diags, &tree);
	if (err < 0)
		return err;
	schema_read_map(&cr.reader, yaml_node(&tree, 1), file_fields, "a file of cases");
	yaml_tree_fini(&tree);
	if (cr.reader.no_memory)
		err = -ENOMEM;
	else if (cr.reader.wrong)
		err = -EINVAL;
	else
		err = ask_all(policy, &cr, diags, out, out_result);
	free(cr.cases);
	return err;
}
