// SPDX-License-Identifier: GPL-2.0-or-later
/* One line from a client of the control socket, parsed. */
#include "control/request.h"

#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

static const char *const verbs[CONTROL_VERB_NR] = {
	[CONTROL_STATUS] = "status",
	[CONTROL_ALERTS] = "alerts",
	[CONTROL_RELOAD] = "reload",
	[CONTROL_HOLDERS] = "holders",
};

const char *control_verb_str(enum control_verb verb)
{
	return verb > 0 && verb < CONTROL_VERB_NR ? verbs[verb] : "?";
}

struct parse {
	struct control_request *request;
	char *error;
	size_t error_size;
};

static int refuse(struct parse *parse, const char *what, const char *name)
{
	char safe[64];

	escape_bytes(name, strlen(name), safe, sizeof(safe), NULL);
	snprintf(parse->error, parse->error_size, "%s: %s", what, safe);
	return -EINVAL;
}

static int parse_version(struct parse *parse, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) != CONTROL_VERSION)
		return refuse(parse, "not a version this daemon speaks (it speaks 1)", "v");
	return 0;
}

static int parse_id(struct parse *parse, const json_t *value)
{
	return json_is_integer(value) ? 0 : refuse(parse, "must be an integer", "id");
}

static int parse_verb(struct parse *parse, const json_t *value)
{
	const char *word = json_string_value(value);

	if (!word)
		return refuse(parse, "must be a string", "do");
	for (int i = 1; i < CONTROL_VERB_NR; i++)
		if (!strcmp(word, verbs[i])) {
			parse->request->verb = i;
			return 0;
		}
	return refuse(parse, "no such request", word);
}

static int parse_limit(struct parse *parse, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return refuse(parse, "must be an integer, 0 or more", "limit");
	parse->request->limit = json_integer_value(value);
	return 0;
}

static int parse_since(struct parse *parse, const json_t *value)
{
	double s = json_number_value(value);

	if (!json_is_number(value) || !(s >= 0) || s > 9e9)
		return refuse(parse, "must be seconds since 1970", "since");
	parse->request->query.since_ns = json_is_integer(value)
						 ? json_integer_value(value) * 1000000000ULL
						 : (uint64_t)(s * 1e9);
	return 0;
}

static int parse_type(struct parse *parse, const json_t *value)
{
	const char *word = json_string_value(value);

	for (int i = 1; word && i < ALERT_TYPE_NR; i++)
		if (!strcmp(word, alert_type_str(i))) {
			parse->request->query.type = i;
			return 0;
		}
	return refuse(parse, "no such type of alert", word ? word : "type");
}

static int parse_severity(struct parse *parse, const json_t *value)
{
	const char *word = json_string_value(value);

	for (int i = 1; word && i < SEV_NR; i++)
		if (!strcmp(word, severity_str(i))) {
			parse->request->query.min_severity = i;
			return 0;
		}
	return refuse(parse, "no such severity", word ? word : "severity");
}

static int parse_follow(struct parse *parse, const json_t *value)
{
	if (!json_is_boolean(value))
		return refuse(parse, "must be true or false", "follow");
	parse->request->follow = json_is_true(value);
	return 0;
}

static const struct {
	const char *name;
	bool needed;
	enum control_verb only; /* 0: all verbs */
	int (*parse)(struct parse *parse, const json_t *value);
} keys[] = {
	{"v", true, 0, parse_version},
	{"id", false, 0, parse_id},
	{"do", true, 0, parse_verb},
	{"limit", false, CONTROL_ALERTS, parse_limit},
	{"since", false, CONTROL_ALERTS, parse_since},
	{"type", false, CONTROL_ALERTS, parse_type},
	{"severity", false, CONTROL_ALERTS, parse_severity},
	{"follow", false, CONTROL_ALERTS, parse_follow},
};

static int parse_object(struct parse *parse, const json_t *root)
{
	size_t known = 0;
	const char *name;
	json_t *value;
	int r;

	/* In the order of the table, so that the verb is known when its own keys come. */
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		value = json_object_get(root, keys[i].name);
		if (!value && keys[i].needed)
			return refuse(parse, "missing", keys[i].name);
		if (!value)
			continue;
		known++;
		if (keys[i].only && keys[i].only != parse->request->verb)
			return refuse(parse, "does not belong to this request", keys[i].name);
		r = keys[i].parse(parse, value);
		if (r < 0)
			return r;
	}
	if (known == json_object_size(root))
		return 0;
	json_object_foreach ((json_t *)root, name, value) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			found |= !strcmp(name, keys[i].name);
		if (!found)
			return refuse(parse, "unknown key", name);
	}
	return -EINVAL;
}

int control_request_parse(const char *line, size_t len, struct control_request *out_request,
			  char *error, size_t error_size)
{
	struct control_request request = {.limit = CONTROL_LIMIT_DEFAULT};
	struct parse parse = {&request, error, error_size};
	json_auto_t *root = NULL;
	const json_t *id;
	json_error_t at;
	int r;

	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &at);
	if (!root || !json_is_object(root)) {
		out_request->id = 0;
		return refuse(&parse, "not a JSON object", root ? "" : at.text);
	}
	id = json_object_get(root, "id");
	request.id = json_is_integer(id) ? json_integer_value(id) : 0;
	r = parse_object(&parse, root);
	if (r < 0)
		out_request->id = request.id;
	else
		*out_request = request;
	return r;
}
