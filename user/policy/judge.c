// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The judgement, and the index that makes it cheap.
 *
 * Each rule has keys that are compared as they are (a program, a unit, a user, ...) and may have
 * conditions besides (a pattern, a kind of login, a zone, an end). Rules stand in one hash table
 * under all their keys together; an entry knows which combinations of keys its rules have. So a
 * question costs one look-up for each combination, of which there are hardly more than three, and
 * never a walk through the rules.
 */
#include <string.h>

#include "policy/policy-internal.h"

/* An allowed path alone is not enough: what runs must be the file that stands there. */
static const char *const distrust[EXE_TRUST_NR] = {
	[EXE_UNKNOWN] = "the policy allows this path, but it could not be verified that the file "
			"at this path is what runs",
	[EXE_OTHER] = "the policy allows this path, but another file stands there than the one "
		      "that runs",
	[EXE_MEMORY] = "the policy allows this path, but what runs is a deleted file or one that "
		       "never had a name",
	[EXE_WRITABLE] = "the policy allows this path, but somebody other than root can change "
			 "the file that stands there",
};

/* --- index -------------------------------------------------------------------------------------
 */

#define KEYS_NR 5

static uint64_t text_hash(const char *text, size_t len)
{
	uint64_t h = WATCH_HASH_BASIS;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * WATCH_HASH_PRIME;
	return h;
}

/* Hash of one key's value; which key it is counts, for a unit may be called what a user is. */
static uint64_t key_hash(unsigned key, const char *text, size_t len)
{
	return (text_hash(text, len) ^ key) * WATCH_HASH_PRIME;
}

static uint64_t uid_hash(uint32_t uid)
{
	return key_hash(4, (const char *)&uid, sizeof(uid));
}

/* hashes: of each key, by its bit. Cheap, since a question asks for many combinations. */
static inline uint64_t keys_hash(uint32_t watch, uint32_t keys,
				 const uint64_t hashes[static KEYS_NR])
{
	uint64_t h = (uint64_t)watch << 8 | keys;

	for (uint32_t left = keys; left; left &= left - 1)
		h ^= hashes[__builtin_ctz(left)];
	h *= 0xd6e8feb86659fd93ULL; /* an odd number with bits everywhere, as in base/hash.h */
	return h ^ h >> 32; /* the low bits choose the slot */
}

static bool span_is(struct span span, const char *text, size_t len)
{
	return span.len == len && (!len || !memcmp(span.p, text, len));
}

static bool text_is(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && !memcmp(a, b, a_len);
}

static uint32_t rule_keys(const struct rule *rule)
{
	uint32_t keys = 0;

	if (rule->exe)
		keys |= KEY_EXE;
	if (rule->unit.text && !rule->unit.glob)
		keys |= KEY_UNIT;
	if (rule->container.text && !rule->container.glob)
		keys |= KEY_CONTAINER;
	if (rule->user.text && !rule->user.glob)
		keys |= KEY_USER;
	if (rule->uid != UID_UNSET)
		keys |= KEY_UID;
	return keys;
}

static uint64_t rule_hash(const struct rule *rule)
{
	uint64_t hashes[KEYS_NR] = {0};

	if (rule->keys & KEY_EXE)
		hashes[0] = key_hash(0, rule->exe, rule->exe_len);
	if (rule->keys & KEY_UNIT)
		hashes[1] = key_hash(1, rule->unit.text, rule->unit.len);
	if (rule->keys & KEY_CONTAINER)
		hashes[2] = key_hash(2, rule->container.text, rule->container.len);
	if (rule->keys & KEY_USER)
		hashes[3] = key_hash(3, rule->user.text, rule->user.len);
	if (rule->keys & KEY_UID)
		hashes[4] = uid_hash(rule->uid);
	return keys_hash(rule->watch, rule->keys, hashes);
}

static bool same_keys(const struct rule *a, const struct rule *b)
{
	return a->hash == b->hash && a->watch == b->watch && a->keys == b->keys &&
	       (!(a->keys & KEY_EXE) || text_is(a->exe, a->exe_len, b->exe, b->exe_len)) &&
	       (!(a->keys & KEY_UNIT) ||
		text_is(a->unit.text, a->unit.len, b->unit.text, b->unit.len)) &&
	       (!(a->keys & KEY_CONTAINER) || text_is(a->container.text, a->container.len,
						      b->container.text, b->container.len)) &&
	       (!(a->keys & KEY_USER) ||
		text_is(a->user.text, a->user.len, b->user.text, b->user.len)) &&
	       a->uid == b->uid;
}

/* Has the subject what the rule's keys are? */
static bool keys_are(const struct rule *rule, const struct policy_subject *s)
{
	return (!(rule->keys & KEY_EXE) || span_is(s->exe, rule->exe, rule->exe_len)) &&
	       (!(rule->keys & KEY_UNIT) || span_is(s->unit, rule->unit.text, rule->unit.len)) &&
	       (!(rule->keys & KEY_CONTAINER) ||
		span_is(s->container, rule->container.text, rule->container.len)) &&
	       (!(rule->keys & KEY_USER) || span_is(s->user, rule->user.text, rule->user.len)) &&
	       (!(rule->keys & KEY_UID) || s->uid == rule->uid);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int index_exes(struct policy *policy)
{
	size_t nr = 0, kept = 0;

	policy->exes = calloc(policy->nr_rules * 2, sizeof(*policy->exes));
	policy->inspected = calloc(policy->nr_rules, sizeof(*policy->inspected));
	policy->scripts = calloc(policy->nr_rules, sizeof(*policy->scripts));
	if (!policy->exes || !policy->inspected || !policy->scripts)
		return -ENOMEM;
	for (size_t r = 0; r < policy->nr_rules; r++)
		if (policy->rules[r].script)
			policy->scripts[policy->nr_scripts++] = policy->rules[r].script;
	if (policy->nr_scripts)
		qsort(policy->scripts, policy->nr_scripts, sizeof(*policy->scripts),
		      compare_strings);
	for (size_t r = 0; r < policy->nr_rules; r++)
		if (policy->rules[r].exe && rule_inspects(&policy->rules[r]))
			policy->inspected[policy->nr_inspected++] = policy->rules[r].exe;
	if (policy->nr_inspected)
		qsort(policy->inspected, policy->nr_inspected, sizeof(*policy->inspected),
		      compare_strings);
	for (size_t r = 0; r < policy->nr_rules; r++)
		if (policy->rules[r].exe)
			policy->exes[nr++] = policy->rules[r].exe;
	for (size_t r = 0; r < policy->nr_scripts; r++)
		policy->exes[nr++] = policy->scripts[r];
	if (nr)
		qsort(policy->exes, nr, sizeof(*policy->exes), compare_strings);
	for (size_t r = 0; r < nr; r++)
		if (!kept || strcmp(policy->exes[kept - 1], policy->exes[r]))
			policy->exes[kept++] = policy->exes[r];
	policy->nr_exes = kept;
	return 0;
}

/* Puts the rule into the table, behind those that have the same keys. */
static bool put_rule(struct policy *policy, uint32_t number)
{
	struct rule *rule = &policy->rules[number - 1], *head;
	size_t mask = policy->nr_rule_slots - 1, i = rule->hash & mask;
	unsigned alike = 1;

	for (; policy->rule_slots[i]; i = (i + 1) & mask) {
		head = &policy->rules[policy->rule_slots[i] - 1];
		if (!same_keys(head, rule))
			continue;
		for (; head->next_alike; alike++)
			head = &policy->rules[head->next_alike - 1];
		if (alike == RULES_ALIKE_MAX)
			return false;
		head->next_alike = number;
		return true;
	}
	policy->rule_slots[i] = number;
	return true;
}

int rules_index(struct policy *policy, struct diag_list *diags)
{
	size_t slots = 16;
	int err;

	if (!policy->nr_rules)
		return 0;
	while (slots < policy->nr_rules * 4)
		slots *= 2;
	policy->rule_slots = calloc(slots, sizeof(*policy->rule_slots));
	if (!policy->rule_slots)
		return -ENOMEM;
	policy->nr_rule_slots = slots;
	for (size_t r = 0; r < policy->nr_rules; r++) {
		struct rule *rule = &policy->rules[r];

		rule->keys = rule_keys(rule);
		rule->hash = rule_hash(rule);
		policy->nr_ending += rule->until != NULL;
		policy->watches[rule->watch - 1].keys_used |= 1U << rule->keys;
		if (put_rule(policy, (uint32_t)r + 1))
			continue;
		diag_add(diags, DIAG_ERROR, rule->place.file, rule->place.line, rule->place.column,
			 "more than %d rules of one entry have the same `exe`, `unit`, `container` "
			 "and `user`: patterns, `image` and other keys do not count as different. "
			 "Name programs, units or users exactly, or several images by one pattern",
			 RULES_ALIKE_MAX);
		return -EINVAL;
	}
	err = index_exes(policy);
	return err;
}

/* --- conditions --------------------------------------------------------------------------------
 */

bool wanted_is(const struct wanted *wanted, struct span text)
{
	if (!wanted->text)
		return true;
	if (!text.len)
		return false;
	return wanted->glob ? glob_match(wanted->glob, text.p, text.len)
			    : span_is(text, wanted->text, wanted->len);
}

bool rule_image_is(const struct rule *rule, const struct policy_subject *s)
{
	return wanted_is(&rule->image, rule->image_by_id ? s->image_id : s->image);
}

static bool any_is(const struct wanted *wanted, size_t nr, struct span text)
{
	for (size_t i = 0; i < nr; i++)
		if (wanted_is(&wanted[i], text))
			return true;
	return false;
}

bool zone_holds_subject(const struct policy *policy, uint32_t number,
			const struct policy_subject *s)
{
	const struct zone *zone = &policy->zones[number - 1];
	char digits[16];
	int n;

	if (!zone->here)
		return false;
	if (!zone->nr_units && !zone->nr_containers && !zone->nr_users)
		return true;
	if (any_is(zone->units, zone->nr_units, s->unit) ||
	    any_is(zone->containers, zone->nr_containers, s->container) ||
	    any_is(zone->users, zone->nr_users, s->user))
		return true;
	n = snprintf(digits, sizeof(digits), "%u", s->uid);
	return any_is(zone->users, zone->nr_users, (struct span){digits, (size_t)n});
}

static bool is_below(const struct pattern *mount, struct span path)
{
	return pattern_match(mount, path.p, path.len);
}

bool zone_holds_path(const struct policy *policy, uint32_t number, struct span path)
{
	const struct zone *zone = &policy->zones[number - 1];

	if (!zone->here)
		return false;
	if (!zone->nr_paths && !zone->nr_mounts)
		return true;
	for (size_t i = 0; i < zone->nr_paths; i++)
		if (pattern_match(zone->paths[i], path.p, path.len))
			return true;
	for (size_t i = 0; i < zone->nr_mounts; i++)
		if (is_below(zone->mounts[i], path))
			return true;
	return false;
}

bool policy_zone_holds_path(const struct policy *policy, uint32_t zone, struct span path)
{
	return zone_holds_path(policy, zone, path);
}

bool policy_zone_holds(const struct policy *policy, uint32_t zone, const struct policy_subject *who,
		       struct span path)
{
	return zone_holds_subject(policy, zone, who) &&
	       (!path.len || zone_holds_path(policy, zone, path));
}

/* What is not looked up. */
static bool conditions_hold(const struct policy *policy, const struct rule *rule,
			    const struct policy_subject *s, enum policy_action action)
{
	if (!(rule->on & 1U << action))
		return false;
	if (rule->script && !span_is(s->script, rule->script, strlen(rule->script)))
		return false;
	if (rule->unit.glob && !wanted_is(&rule->unit, s->unit))
		return false;
	if (rule->container.glob && !wanted_is(&rule->container, s->container))
		return false;
	if (rule->user.glob && !wanted_is(&rule->user, s->user))
		return false;
	if (rule->image.text && !rule_image_is(rule, s))
		return false;
	if (rule->login == LOGIN_NONE && s->loginuid != UID_UNSET)
		return false;
	if (rule->login == LOGIN_SOME && s->loginuid == UID_UNSET)
		return false;
	if (rule->session != SESSION_UNKNOWN && s->session_type != rule->session)
		return false;
	return !rule->zone || zone_holds_subject(policy, rule->zone, s);
}

bool rule_meets(const struct policy *policy, const struct rule *rule,
		const struct policy_subject *subject, enum policy_action action)
{
	return keys_are(rule, subject) && conditions_hold(policy, rule, subject, action);
}

/*
 * Is what runs the program that the rule names? NULL, or what speaks against it. Inside of a
 * container a path means what the container's image says, and there is no file of the host to
 * compare with; nor are its libraries the host's root's. A rule without program is about whatever
 * runs there, but for what is known to be nobody's.
 */
static const char *distrusted(const struct rule *rule, const struct policy_subject *s)
{
	const bool named = rule->exe && !rule_in_container(rule);
	const bool inspected = rule_inspects(rule);
	enum exe_trust trust = s->exe_trust;

	if (named && trust != EXE_VERIFIED)
		return distrust[trust < EXE_TRUST_NR ? trust : EXE_UNKNOWN];
	if (trust == EXE_MEMORY || trust == EXE_WRITABLE)
		return distrust[trust];
	if (s->untrusted & UNTRUSTED_MEMORY && trust != EXE_VERIFIED)
		return distrust[EXE_MEMORY];
	if (s->untrusted & UNTRUSTED_TRACED)
		return "the policy allows this program, but a tracer has what runs in hand, or "
		       "somebody other than root had";
	/* It may be a tracer, so for rules without a program, too. */
	if (s->untrusted & UNTRUSTED_UNKNOWN)
		return "the policy allows this program, but it could not be seen whether "
		       "somebody's code is in what runs, or a tracer has it in hand";
	if (inspected && s->untrusted & UNTRUSTED_WRITABLE)
		return distrust[EXE_WRITABLE];
	if ((named || inspected) && s->untrusted & UNTRUSTED_MAPPED)
		return "the policy allows this path, but what runs there has mapped code from a "
		       "file that others than root can change";
	if ((named || inspected) && s->untrusted & UNTRUSTED_DISGUISED)
		return "the policy allows this path, but what runs there has set itself which "
		       "executable it counts as";
	return NULL;
}

/*
 * The same of its script. Whose user started an interpreter has its environment in hand (PERL5OPT,
 * PYTHONPATH, BASH_ENV), and so what code it loads besides; only root's is root's.
 */
static const char *script_distrusted(const struct rule *rule, const struct policy_subject *s)
{
	if (!rule->script)
		return NULL;
	if (s->uid != 0)
		return "the policy allows this script, but not to who is not root: what else its "
		       "interpreter loads is up to who started it";
	if (s->script_trust == EXE_WRITABLE)
		return "the policy allows this script, but somebody other than root can change it, "
		       "or what the name leads to by which it was started";
	if (s->script_trust != EXE_VERIFIED)
		return "the policy allows this script, but it could not be verified that the file "
		       "at this path is what was started";
	return NULL;
}

enum inspection { INSPECT_FITS, INSPECT_OTHER, INSPECT_PENDING, INSPECT_MODIFIED };

bool policy_is_package(struct span found, const char *wanted)
{
	const size_t n = strlen(wanted);

	return found.len >= n && !memcmp(found.p, wanted, n) &&
	       (found.len == n || (found.p[n] == ':' && !strchr(wanted, ':')));
}

/* Is the executable's content what the rule asks for? */
static enum inspection inspect(const struct rule *rule, const struct policy_subject *s)
{
	if (!rule_inspects(rule))
		return INSPECT_FITS;
	if (!s->inspected)
		return INSPECT_PENDING;
	if (rule->digest && !span_is(s->digest, rule->digest, strlen(rule->digest)))
		return INSPECT_OTHER;
	if (rule->verity && !span_is(s->verity, rule->verity, strlen(rule->verity)))
		return INSPECT_OTHER;
	if (rule->package && !policy_is_package(s->package, rule->package))
		return INSPECT_OTHER;
	if (rule->package && s->package_state != PACKAGE_INTACT)
		return INSPECT_MODIFIED;
	return INSPECT_FITS;
}

static const char *inspection_why(enum inspection inspection)
{
	switch (inspection) {
	case INSPECT_PENDING:
		return "the policy asks what this program's package or digest is, and that could "
		       "not be found out";
	case INSPECT_MODIFIED:
		return "the policy allows this program, but it is not what its package installed";
	default:
		return "the policy allows this path, but its package or digest is another one";
	}
}

/* --- judging -----------------------------------------------------------------------------------
 */

/* What the rules that match a subject come to; the first of each kind in the policy's order. */
struct found {
	const struct rule *allow, *expect, *distrusted, *expired, *outside;
	const char *why; /* of distrusted */
	bool pending; /* what some rule asks for is not known yet */
};

static void note(const struct rule **slot, const struct rule *rule)
{
	if (!*slot || rule < *slot)
		*slot = rule;
}

static void consider(const struct policy *policy, const struct rule *rule,
		     const struct policy_query *q, bool outside, struct found *found)
{
	enum inspection inspection = inspect(rule, &q->subject);
	const char *why;

	if (!conditions_hold(policy, rule, &q->subject, q->action))
		return;
	/* Whoever is not of the package is not meant, unless his path is. */
	if (inspection == INSPECT_OTHER && !rule->exe)
		return;
	why = distrusted(rule, &q->subject);
	if (!why)
		why = script_distrusted(rule, &q->subject);
	if (!why && inspection != INSPECT_FITS) {
		why = inspection_why(inspection);
		found->pending |= inspection == INSPECT_PENDING;
	}
	if (rule->until && q->time > rule->until_ns) {
		note(&found->expired, rule);
	} else if (why) {
		note(&found->distrusted, rule);
		if (found->distrusted == rule)
			found->why = why;
	} else if (outside && !rule->until && !rule->outside) {
		note(&found->outside, rule);
	} else {
		note(rule->kind == RULE_ALLOW ? &found->allow : &found->expect, rule);
	}
}

/* Rules whose keys are these and the subject's. */
static void look_up(const struct policy *policy, const struct policy_query *q, uint32_t keys,
		    const uint64_t hashes[static KEYS_NR], bool outside, struct found *found)
{
	size_t mask = policy->nr_rule_slots - 1;
	uint64_t hash = keys_hash(q->watch, keys, hashes);

	for (size_t i = hash & mask; policy->rule_slots[i]; i = (i + 1) & mask) {
		const struct rule *rule = &policy->rules[policy->rule_slots[i] - 1];

		if (rule->hash != hash || rule->watch != q->watch || rule->keys != keys ||
		    !keys_are(rule, &q->subject))
			continue;
		for (;;) {
			consider(policy, rule, q, outside, found);
			if (!rule->next_alike)
				return;
			rule = &policy->rules[rule->next_alike - 1];
		}
	}
}

static void find_rules(const struct policy *policy, const struct policy_query *q, bool outside,
		       struct found *found)
{
	const struct policy_subject *s = &q->subject;
	uint32_t used = policy->watches[q->watch - 1].keys_used, has = KEY_UID, wanted = 0;
	uint64_t hashes[KEYS_NR];

	for (uint32_t left = used; left; left &= left - 1)
		wanted |= (uint32_t)__builtin_ctz(left);
	has |= (s->exe.len ? KEY_EXE : 0) | (s->unit.len ? KEY_UNIT : 0) |
	       (s->container.len ? KEY_CONTAINER : 0) | (s->user.len ? KEY_USER : 0);
	wanted &= has;
	hashes[0] = wanted & KEY_EXE ? key_hash(0, s->exe.p, s->exe.len) : 0;
	hashes[1] = wanted & KEY_UNIT ? key_hash(1, s->unit.p, s->unit.len) : 0;
	hashes[2] = wanted & KEY_CONTAINER ? key_hash(2, s->container.p, s->container.len) : 0;
	hashes[3] = wanted & KEY_USER ? key_hash(3, s->user.p, s->user.len) : 0;
	hashes[4] = uid_hash(s->uid);
	for (uint32_t left = used; left; left &= left - 1) {
		uint32_t keys = (uint32_t)__builtin_ctz(left);

		if (!(keys & ~has))
			look_up(policy, q, keys, hashes, outside, found);
	}
}

static const char *words(const struct watch_rule *watch, enum policy_action action, bool allowed)
{
	if (action == ACTION_WRITE && watch->entry.object_class != CLASS_CANARY_KEY)
		return allowed ? "the policy allows this program to write it"
			       : "the policy allows no such program to write it";
	if (action == ACTION_LINK && watch->entry.object_class != CLASS_CANARY_KEY)
		return allowed ? "the policy allows this program to give it another name"
			       : "the policy allows no such program to give it another name";
	if (action == ACTION_SEND && watch->entry.object_class != CLASS_CANARY_KEY)
		return allowed ? "the policy allows this program to talk to other hosts"
			       : "the policy allows no such program to talk to other hosts after "
				 "that";
	return object_class_verdict(watch->entry.object_class, allowed);
}

static void answer(struct policy_answer *out, enum verdict verdict, enum policy_reason reason,
		   const char *why, const struct place *place)
{
	*out = (struct policy_answer){
		.verdict = verdict,
		.reason = reason,
		.why = why,
		.file = place ? place->file : NULL,
		.line = place ? place->line : 0,
	};
}

static const char *not_on(enum policy_action action)
{
	static const char *const words[ACTION_NR] = {
		[ACTION_READ] = "it was read, which the entry is not about",
		[ACTION_WRITE] = "it was written, not read",
		[ACTION_LINK] = "it was given another name, not read",
		[ACTION_SEND] = "the entry is not about who talks to whom",
		[ACTION_DUMP] = "the entry is not about dumps of who has read it",
	};

	return action > 0 && action < ACTION_NR ? words[action] : "it was not read";
}

static void refuse(const struct watch_rule *watch, const struct found *found, bool object_outside,
		   const struct policy_query *q, struct policy_answer *out)
{
	/* mode: record: nothing of this entry is told. */
	enum verdict verdict = watch->entry.mode == MODE_RECORD ? VERDICT_RECORD : VERDICT_ALERT;

	if (found->distrusted) {
		answer(out, verdict, REASON_DISTRUST, found->why, &found->distrusted->place);
	} else if (found->outside && object_outside) {
		answer(out, verdict, REASON_OBJECT_ZONE,
		       "the policy allows this program, but what it has is outside of its zone",
		       &watch->zone_place);
	} else if (found->outside) {
		answer(out, verdict, REASON_SUBJECT_ZONE,
		       "the policy allows this program, but only in the zone of what it has",
		       &found->outside->place);
	} else if (found->expired) {
		answer(out, verdict, REASON_EXPIRED,
		       "the policy allowed this program until a day that is over",
		       &found->expired->place);
	} else {
		answer(out, verdict, REASON_NO_RULE, words(watch, q->action, false), &watch->place);
	}
	out->pending = found->pending;
}

void policy_judge(const struct policy *policy, const struct policy_query *query,
		  struct policy_answer *out_answer)
{
	bool object_outside = false, outside = false;
	const struct watch_rule *watch;
	struct found found = {NULL};

	if (query->watch == 0 || query->watch > policy->nr_watches) {
		answer(out_answer, VERDICT_RECORD, REASON_NO_WATCH,
		       "no watch entry of the policy in force is about it", NULL);
		return;
	}
	watch = &policy->watches[query->watch - 1];
	if (query->action >= ACTION_NR || !(watch->entry.on & 1U << query->action)) {
		answer(out_answer, VERDICT_RECORD, REASON_NOT_ON, not_on(query->action),
		       &watch->place);
		return;
	}
	if (watch->zone) {
		object_outside =
			query->path.len && !zone_holds_path(policy, watch->zone, query->path);
		outside =
			object_outside || !zone_holds_subject(policy, watch->zone, &query->subject);
	}
	if (watch->keys_used)
		find_rules(policy, query, outside, &found);
	if (found.allow)
		answer(out_answer, VERDICT_ALLOW, REASON_ALLOWED, words(watch, query->action, true),
		       &found.allow->place);
	else if (found.expect)
		answer(out_answer, VERDICT_RECORD, REASON_EXPECTED,
		       "the policy expects this program", &found.expect->place);
	else
		refuse(watch, &found, object_outside, query, out_answer);
}

bool policy_judges(const struct policy *policy, enum policy_action action)
{
	for (size_t i = 0; i < policy->nr_watches; i++)
		if (policy->watches[i].entry.on & 1U << action)
			return true;
	return false;
}

const char *policy_allowed_exe(const struct policy *policy, size_t i)
{
	return i < policy->nr_exes ? policy->exes[i] : NULL;
}

static int compare_span(const void *key, const void *item)
{
	const struct span *span = key;
	const char *text = *(const char *const *)item;
	size_t len = strlen(text), n = span->len < len ? span->len : len;
	int r = n ? memcmp(span->p, text, n) : 0;

	return r ? r : (span->len > len) - (span->len < len);
}

bool policy_inspects(const struct policy *policy, struct span exe)
{
	return policy->nr_inspected && exe.len &&
	       bsearch(&exe, policy->inspected, policy->nr_inspected, sizeof(*policy->inspected),
		       compare_span);
}

bool policy_names_script(const struct policy *policy, struct span script)
{
	return policy->nr_scripts && script.len &&
	       bsearch(&script, policy->scripts, policy->nr_scripts, sizeof(*policy->scripts),
		       compare_span);
}

bool policy_ended(const struct policy *policy, uint64_t from, uint64_t to, size_t i,
		  const char **out_text)
{
	const char *last = NULL;

	if (!policy->nr_ending)
		return false;
	/* An exception is a rule for each of its entries, all with one text. */
	for (size_t r = 0; r < policy->nr_rules; r++) {
		const struct rule *rule = &policy->rules[r];

		if (!rule->until || rule->until_ns <= from || rule->until_ns > to ||
		    rule->ended == last)
			continue;
		last = rule->ended;
		if (i-- == 0) {
			*out_text = rule->ended;
			return true;
		}
	}
	return false;
}
