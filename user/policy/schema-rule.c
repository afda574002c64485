// SPDX-License-Identifier: GPL-2.0-or-later
/* The schema of rules: who may (`allow`), who is known to (`expect`), and exceptions. */
#include <ctype.h>
#include <string.h>

#include "policy/schema-internal.h"
#include "policy/suggest.h"

#define RULES_MAX      65536
#define EXCEPTIONS_MAX 1024
#define REASON_BYTES   256

/* --- values ------------------------------------------------------------------------------------
 */

const char *schema_read_name(struct reader *r, const struct yaml_node *value, const char *what)
{
	const char *s = schema_read_string(r, value, what);
	size_t i;

	if (!s)
		return NULL;
	for (i = 0; s[i] && (isalnum((unsigned char)s[i]) || (i && strchr("._-", s[i]))); i++)
		;
	if (!s[i] && i && i <= SCHEMA_NAME_MAX)
		return schema_keep(r, value);
	schema_wrong(r, value,
		     "%s '%.64s' is not 1 to %d of a-z, A-Z, 0-9, '.', '_', '-', a letter or digit "
		     "first",
		     what, s, SCHEMA_NAME_MAX);
	return NULL;
}

static const char *action_word(int i)
{
	return policy_action_str((enum policy_action)i);
}

uint32_t schema_read_on(struct reader *r, const struct yaml_node *value)
{
	const struct yaml_node *node;
	uint32_t on = 0;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "on"))
		return 0;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		int action = schema_read_word(r, node, "on", action_word, 1, ACTION_NR);

		if (action < 0)
			continue;
		if (on & 1U << action)
			schema_wrong(r, node, "on: '%s' stands twice",
				     policy_action_str((enum policy_action)action));
		on |= 1U << action;
	}
	if (!value->first)
		schema_wrong(r, value,
			     "on is an empty list: use `mode: record`, or leave the entry "
			     "out");
	return on;
}

/* A text or, with wildcards, a pattern. */
static bool read_pattern(struct reader *r, const struct yaml_node *value, const char *what,
			 struct wanted *out)
{
	const char *s = value->text, *why;
	struct glob *glob;
	int err;

	err = glob_new(s, value->len, &glob, &why);
	if (err == -EINVAL)
		schema_wrong(r, value, "%s '%.128s': %s", what, s, why);
	if (err == -ENOMEM)
		r->no_memory = true;
	if (err < 0)
		return false;
	if (!strpbrk(s, "*?[")) {
		/* systemd's names have backslashes, which stand for themselves there. */
		glob_free(glob);
		glob = NULL;
	}
	s = schema_keep(r, value);
	if (!s) {
		glob_free(glob);
		return false;
	}
	*out = (struct wanted){.text = s, .len = value->len, .glob = glob};
	return true;
}

/* The same of one name. */
static bool read_wanted(struct reader *r, const struct yaml_node *value, const char *what,
			struct wanted *out)
{
	const char *s = schema_read_string(r, value, what);

	if (s && *s && !strchr(s, '/'))
		return read_pattern(r, value, what, out);
	if (s)
		schema_wrong(r, value, "%s '%.128s' %s", what, s,
			     *s ? "has a slash, which no such name has" : "is empty");
	return false;
}

bool schema_read_wanted_list(struct reader *r, const struct yaml_node *value, const char *what,
			     struct wanted **list, size_t *nr)
{
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, what))
		return false;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		struct wanted wanted;

		if (*nr == SCHEMA_ITEMS_MAX) {
			schema_wrong(r, node, "%s has more than %d items", what, SCHEMA_ITEMS_MAX);
			return false;
		}
		if (!read_wanted(r, node, what, &wanted))
			continue;
		if (policy_grow(list, *nr, sizeof(**list)) < 0) {
			glob_free(wanted.glob);
			r->no_memory = true;
			return false;
		}
		(*list)[(*nr)++] = wanted;
	}
	return true;
}

/* --- who ---------------------------------------------------------------------------------------
 */

static void read_exe(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "exe"), *fault;

	if (!s)
		return;
	fault = schema_path_fault(s);
	if (!fault && strpbrk(s, "*?["))
		fault = "has a wildcard: an allowed program is named exactly";
	if (!fault && value->len >= WIRE_EXE_MAX)
		fault = "is longer than any path that can be told";
	if (fault) {
		schema_wrong(r, value, "exe '%.128s' %s", s, fault);
		return;
	}
	r->rule->exe = schema_keep(r, value);
	r->rule->exe_len = value->len;
	r->rule->place = (struct place){r->file, value->line, value->column};
}

/* What the kernel started an interpreter for. */
static void read_script(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "script"), *fault;

	if (!s)
		return;
	fault = schema_path_fault(s);
	if (!fault && strpbrk(s, "*?["))
		fault = "has a wildcard: an allowed script is named exactly";
	if (!fault && value->len >= WIRE_SCRIPT_NAME_MAX)
		fault = "is longer than any that can be told";
	if (fault)
		schema_wrong(r, value, "script '%.128s' %s", s, fault);
	else
		r->rule->script = schema_keep(r, value);
}

/* As dpkg and rpm name them: openssh-client, libssl3:amd64, NetworkManager. */
static void read_package(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "package");

	if (!s)
		return;
	if (value->len < 2 || value->len >= 128 ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._:") !=
		    value->len)
		schema_wrong(r, value, "package '%.128s' is not the name of a package", s);
	else
		r->rule->package = schema_keep(r, value);
}

#define SHA256_PREFIX "sha256:"

#define DIGITS_(number) #number
#define DIGITS(number)	DIGITS_(number)
#define TOO_LONG	"is longer than " DIGITS(IMAGE_NAME_MAX) " bytes, which no name of an image is"

static bool is_sha256(const char *s, size_t len)
{
	const size_t n = strlen(SHA256_PREFIX);

	return len == n + 64 && !strncmp(s, SHA256_PREFIX, n) &&
	       strspn(s + n, "0123456789abcdef") == 64;
}

static void read_digest(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "digest");

	if (!s)
		return;
	if (!is_sha256(s, value->len))
		schema_wrong(r, value,
			     "digest '%.128s' is not 'sha256:' and 64 digits of 0-9, a-f, as "
			     "sha256sum prints them",
			     s);
	else
		r->rule->digest = schema_keep(r, value);
}

/* As `fsverity measure` prints it. */
static void read_verity(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "verity");
	size_t digits = 0;

	if (!s)
		return;
	if (!strncmp(s, "sha256:", 7))
		digits = 64;
	else if (!strncmp(s, "sha512:", 7))
		digits = 128;
	if (!digits || value->len != 7 + digits || strspn(s + 7, "0123456789abcdef") != digits)
		schema_wrong(
			r, value,
			"verity '%.160s' is not 'sha256:' and 64 or 'sha512:' and 128 digits of "
			"0-9, a-f, as `fsverity measure` prints them",
			s);
	else
		r->rule->verity = schema_keep(r, value);
}

static void read_unit(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	static const char *const types[] = {".service", ".scope"};
	struct wanted unit;

	if (!read_wanted(r, value, "unit", &unit))
		return;
	r->rule->unit = unit;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t n = strlen(types[i]);

		if (unit.len > n && !strcmp(unit.text + unit.len - n, types[i]))
			return;
	}
	if (unit.text[unit.len - 1] != '*')
		schema_wrong(r, value,
			     "unit '%.128s' is no service and no scope: processes run in nothing "
			     "else",
			     unit.text);
}

static void read_container(struct reader *r, const struct yaml_node *value,
			   const struct field *field)
{
	read_wanted(r, value, "container", &r->rule->container);
}

bool schema_is_image_id(struct span text)
{
	const size_t n = strlen(SHA256_PREFIX);

	return text.len >= n && !memcmp(text.p, SHA256_PREFIX, n);
}

const char *schema_image_fault(struct span text)
{
	if (!text.len)
		return "is empty";
	if (text.len > IMAGE_NAME_MAX)
		return TOO_LONG;
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return "has a character that no name of an image has (a blank, or none of "
			       "ASCII)";
	if (schema_is_image_id(text) && !is_sha256(text.p, text.len))
		return "is not 'sha256:' and 64 digits of 0-9, a-f: an image's id is asked for whole";
	return NULL;
}

/* A name has slashes, and `*` stands for them, too; and it may be longer than a file's. */
static void read_image(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "image"), *fault;
	struct wanted *image = &r->rule->image;

	if (!s)
		return;
	fault = schema_image_fault((struct span){s, value->len});
	if (fault)
		schema_wrong(r, value, "image '%.128s' %s", s, fault);
	else if (strpbrk(s, "*?["))
		read_pattern(r, value, "image", image);
	else
		*image = (struct wanted){.text = schema_keep(r, value), .len = value->len};
	r->rule->image_by_id = schema_is_image_id((struct span){s, value->len});
}

static void read_user(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct wanted user;
	uint32_t uid;

	if (value->kind == YAML_TREE_SCALAR && value->plain && value->len &&
	    strspn(value->text, "0123456789") == value->len) {
		if (schema_read_number(r, value, "user", 0, UID_UNSET - 1, &uid))
			r->rule->uid = uid;
	} else if (read_wanted(r, value, "user", &user)) {
		r->rule->user = user;
	}
}

static const char *login_word(int i)
{
	static const char *const words[] = {"any", "none", "some"};

	return words[i];
}

static void read_login(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, "login", login_word, LOGIN_ANY, LOGIN_SOME + 1);

	if (word >= 0)
		r->rule->login = (enum login_kind)word;
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
		r->rule->session = (enum session_type)word;
}

static void read_rule_zone(struct reader *r, const struct yaml_node *value,
			   const struct field *field)
{
	r->rule->zone_name = schema_read_name(r, value, "zone");
	r->rule->zone_place = (struct place){r->file, value->line, value->column};
}

static void read_outside(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	r->rule->outside = schema_read_bool(r, value, "outside");
}

static void read_rule_on(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	r->rule->on = schema_read_on(r, value);
	r->rule->on_written = true;
}

static bool read_digits(const char *s, size_t nr, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < nr; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(s[i] - '0');
	}
	return true;
}

/* Days from 1970-01-01, Gregorian, from then on; counted in years that begin with March. */
static uint64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

	return 365ULL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* The end of that day, UTC. By hand: libc's functions look at the time zone's files. */
static bool parse_day(const char *s, uint64_t *out_ns)
{
	static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned year, month, day, length;

	if (strlen(s) != 10 || s[4] != '-' || s[7] != '-' || !read_digits(s, 4, &year) ||
	    !read_digits(s + 5, 2, &month) || !read_digits(s + 8, 2, &day))
		return false;
	/* 2500: nanoseconds since 1970 fit into 64 bits until then. */
	if (year < 1970 || year > 2500 || month < 1 || month > 12)
		return false;
	length = lengths[month - 1] +
		 (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
	if (day < 1 || day > length)
		return false;
	*out_ns = (days_since_epoch(year, month, day) + 1) * 86400 * 1000000000 - 1;
	return true;
}

bool schema_read_day(struct reader *r, const struct yaml_node *value, const char *what,
		     uint64_t *out_end_ns)
{
	const char *s = schema_read_string(r, value, what);

	if (s && parse_day(s, out_end_ns))
		return true;
	if (s)
		schema_wrong(r, value, "%s '%.32s' is not a day like 2030-01-31", what, s);
	return false;
}

static void read_until(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	if (schema_read_day(r, value, "until", &r->rule->until_ns))
		r->rule->until = schema_keep(r, value);
}

static void read_reason(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "reason");

	if (!s)
		return;
	if (!*s || value->len > REASON_BYTES)
		schema_wrong(r, value, "reason must have 1 to %d bytes", REASON_BYTES);
	else
		r->rule->reason = schema_keep(r, value);
}

#define SUBJECT_FIELDS                                                                             \
	{.key = "exe", .read = read_exe}, {.key = "script", .read = read_script},                  \
		{.key = "package", .read = read_package}, {.key = "digest", .read = read_digest},  \
		{.key = "verity", .read = read_verity}, {.key = "unit", .read = read_unit},        \
		{.key = "container", .read = read_container},                                      \
		{.key = "image", .read = read_image}, {.key = "user", .read = read_user},          \
		{.key = "login", .read = read_login}, {.key = "session", .read = read_session},    \
		{.key = "zone", .read = read_rule_zone}, {.key = "outside", .read = read_outside}, \
		{.key = "on", .read = read_rule_on}, {.key = "until", .read = read_until},         \
	{                                                                                          \
		.key = "reason", .read = read_reason                                               \
	}

static const struct field rule_fields[] = {
	SUBJECT_FIELDS,
	{0},
};

static void begin_rule(struct reader *r, struct rule *rule, const struct yaml_node *at)
{
	*rule = (struct rule){
		.uid = UID_UNSET,
		.on = RULE_ON_ALL,
		.place = {r->file, at->line, at->column},
	};
	r->rule = rule;
}

/* What the keys come to together. */
static void check_rule(struct reader *r, const struct rule *rule, const struct yaml_node *at,
		       const char *what)
{
	if (!rule->exe && !rule_inspects(rule) && !rule->unit.text && !rule_in_container(rule) &&
	    !rule->user.text && rule->uid == UID_UNSET && !rule->zone_name && !r->wrong)
		schema_wrong(
			r, at,
			"%s names nobody: it needs `exe`, `package`, `digest`, `verity`, `unit`, "
			"`container`, `image`, `user` or `zone`",
			what);
	if (rule->script && !rule->exe)
		schema_wrong(r, at,
			     "%s names a script and needs `exe` besides: the interpreter that the "
			     "script's first line names",
			     what);
	if (rule->script && rule_in_container(rule))
		schema_wrong(r, at, "%s names a script in a container: it cannot be verified there",
			     what);
	if (rule->script && rule->uid != UID_UNSET && rule->uid != 0)
		schema_wrong(r, at,
			     "%s names a script of a user who is not root: it would never count, "
			     "since who starts an interpreter decides what else it loads",
			     what);
	if (rule->session != SESSION_UNKNOWN && rule->login == LOGIN_NONE)
		schema_wrong(r, at,
			     "%s never counts: who is in a session has logged in (`login: none`)",
			     what);
	if (rule->outside && (rule->kind != RULE_EXPECT || !rule->exe || rule_in_container(rule)))
		schema_wrong(
			r, at,
			"%s is to count outside of zones: that is for `expect` rules with `exe` "
			"and without `container` or `image`, so that what runs is verified and "
			"recorded",
			what);
	if (rule->outside && rule->until)
		schema_wrong(r, at, "%s has an end and so counts outside of zones already", what);
	if (rule->until && !rule->reason)
		schema_wrong(r, at, "%s has an end and needs a `reason`", what);
	if (rule->user.text && rule->user.glob && !rule->exe)
		schema_wrong(r, at, "%s is about users by a pattern, and needs `exe` besides",
			     what);
}

static const char *ended_text(struct reader *r, const struct rule *rule, const char *name)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s%s at %s:%u ended with %s: %s",
		 name ? "exception '" : "a rule", name ? name : "", name ? "'" : "",
		 rule->place.file, rule->place.line, rule->until, rule->reason ? rule->reason : "");
	return policy_keep(r->policy, text, strlen(text));
}

static void finish_rule(struct reader *r, struct rule *rule, const char *exception)
{
	rule->exception = exception;
	if (!rule->until)
		return;
	rule->ended = ended_text(r, rule, exception);
	if (!rule->ended)
		r->no_memory = true;
}

void schema_read_rules(struct reader *r, const struct yaml_node *list, enum rule_kind kind,
		       uint32_t watch)
{
	const char *what = kind == RULE_ALLOW ? "allow" : "expect";
	struct policy *policy = r->policy;
	const struct yaml_node *node;

	if (!schema_is_kind(r, list, YAML_TREE_LIST, what))
		return;
	for (node = yaml_node(r->tree, list->first); node; node = yaml_node(r->tree, node->next)) {
		bool before = r->wrong;
		struct rule rule;

		if (policy->nr_rules == RULES_MAX) {
			schema_wrong(r, node, "more than %d rules", RULES_MAX);
			return;
		}
		if (node->kind == YAML_TREE_SCALAR && !yaml_node_is_null(node)) {
			schema_wrong(r, node, "an %s rule is a map: write `exe: %.128s`", what,
				     node->text);
			continue;
		}
		r->wrong = false;
		begin_rule(r, &rule, node);
		rule.watch = watch;
		rule.kind = kind;
		schema_read_map(r, node, rule_fields,
				kind == RULE_ALLOW ? "an allow rule" : "an expect rule");
		check_rule(r, &rule, node, "the rule");
		r->wrong |= before;
		finish_rule(r, &rule, NULL);
		if (policy_grow(&policy->rules, policy->nr_rules, sizeof(*policy->rules)) < 0) {
			rule_fini(&rule);
			r->no_memory = true;
			return;
		}
		policy->rules[policy->nr_rules++] = rule;
	}
}

/* --- exceptions --------------------------------------------------------------------------------
 */

static struct exception *this_exception(struct reader *r)
{
	return &r->policy->exceptions[r->policy->nr_exceptions - 1];
}

static void read_exception_name(struct reader *r, const struct yaml_node *value,
				const struct field *field)
{
	const char *name = schema_read_name(r, value, "name");

	for (size_t i = 0; name && i + 1 < r->policy->nr_exceptions; i++) {
		const struct exception *other = &r->policy->exceptions[i];

		if (!other->name || strcmp(other->name, name))
			continue;
		schema_wrong(r, value, "exception '%s' is there already: %s:%u:%u", name,
			     other->place.file, other->place.line, other->place.column);
		return;
	}
	this_exception(r)->name = name;
}

static void read_exception_watch(struct reader *r, const struct yaml_node *value,
				 const struct field *field)
{
	struct exception *exception = this_exception(r);
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "watch"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		const char *name = schema_read_name(r, node, "watch");

		if (!name)
			continue;
		if (exception->nr_watches == SCHEMA_ITEMS_MAX) {
			schema_wrong(r, node, "watch has more than %d items", SCHEMA_ITEMS_MAX);
			return;
		}
		if (policy_grow(&exception->watches, exception->nr_watches,
				sizeof(*exception->watches)) < 0 ||
		    policy_grow(&exception->places, exception->nr_watches,
				sizeof(*exception->places)) < 0) {
			r->no_memory = true;
			return;
		}
		exception->watches[exception->nr_watches] = name;
		exception->places[exception->nr_watches++] =
			(struct place){r->file, node->line, node->column};
	}
	if (!value->first)
		schema_wrong(r, value,
			     "watch is an empty list: the exception would be for nothing");
}

static const struct field exception_fields[] = {
	{.key = "name", .required = true, .read = read_exception_name},
	{.key = "watch", .required = true, .read = read_exception_watch},
	SUBJECT_FIELDS,
	{0},
};

void schema_read_exceptions(struct reader *r, const struct yaml_node *list,
			    const struct field *field)
{
	struct policy *policy = r->policy;
	const struct yaml_node *node;

	if (!schema_is_kind(r, list, YAML_TREE_LIST, "exceptions"))
		return;
	for (node = yaml_node(r->tree, list->first); node; node = yaml_node(r->tree, node->next)) {
		bool before = r->wrong;
		struct exception *e;

		if (policy->nr_exceptions == EXCEPTIONS_MAX) {
			schema_wrong(r, node, "more than %d exceptions", EXCEPTIONS_MAX);
			return;
		}
		if (policy_grow(&policy->exceptions, policy->nr_exceptions,
				sizeof(*policy->exceptions)) < 0) {
			r->no_memory = true;
			return;
		}
		e = &policy->exceptions[policy->nr_exceptions++];
		*e = (struct exception){.place = {r->file, node->line, node->column}};
		r->wrong = false;
		begin_rule(r, &e->rule, node);
		schema_read_map(r, node, exception_fields, "an exception");
		check_rule(r, &e->rule, node, "the exception");
		if (!e->rule.until && !r->wrong)
			schema_wrong(r, node,
				     "an exception needs an end (`until`): what has none is "
				     "an `allow` rule");
		r->wrong |= before;
		finish_rule(r, &e->rule, e->name);
	}
}
