// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts from what the engine knows: every string escaped here, once. */
#include "engine/report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "engine/report-internal.h"
#include "engine/sentence.h"
#include "proc/cgroup.h"
#include "proc/claim.h"
#include "proc/cmdline.h"

#define PATH_TEXT_MAX (4 * 4096 + 1) /* each byte of the longest path as \xHH */

enum alert_type report_type(enum object_class object_class)
{
	switch (object_class) {
	case CLASS_DUMP:
		return ALERT_DUMP_READ;
	case CLASS_CREDENTIAL:
		return ALERT_CREDENTIAL_READ;
	case CLASS_DEVICE:
		return ALERT_DEVICE_READ;
	case CLASS_AGENT_SOCKET:
		return ALERT_AGENT_USE;
	default:
		return ALERT_KEY_READ;
	}
}

const char *report_attack(enum object_class object_class)
{
	switch (object_class) {
	case CLASS_DUMP:
		return "T1005"; /* Data from Local System: the dump was there, nobody made it to get
				   at it */
	case CLASS_AGENT_SOCKET:
		return "T1563.001"; /* Remote Service Session Hijacking: SSH Hijacking */
	case CLASS_CREDENTIAL:
		return "T1552.001"; /* Unsecured Credentials: Credentials In Files */
	case CLASS_DEVICE:
		return "T1006"; /* Direct Volume Access */
	default:
		return "T1552.004"; /* Unsecured Credentials: Private Keys */
	}
}

static uint64_t wall(const struct report *report, uint64_t boottime)
{
	return boottime + (uint64_t)report->wall_offset_ns;
}

/* The first half of SHA-256 in hex. */
void report_id(char out_id[33], const char *fmt, ...)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		text = NULL;
	out_id[0] = '\0';
	if (!text || !EVP_Digest(text, (size_t)n, digest, NULL, EVP_sha256(), NULL))
		return;
	for (size_t i = 0; i < 16; i++)
		snprintf(out_id + 2 * i, 3, "%02x", digest[i]);
}

char *report_escaped(struct span bytes)
{
	char buf[PATH_TEXT_MAX];

	escape_bytes(bytes.p, bytes.len, buf, sizeof(buf), NULL);
	return strdup(buf);
}

char *report_user(const struct report *report, uint32_t uid)
{
	const char *name = users_name(report->users, uid);
	char number[16];

	if (uid == UID_UNSET)
		return strdup("");

	if (name)
		return strdup(name);
	snprintf(number, sizeof(number), "%" PRIu32, uid);
	return strdup(number);
}

char *report_args(const struct report *report, struct span args, bool truncated)
{
	char text[CMDLINE_TEXT_MAX + 1] = "";

	if (report->cmdline != CMDLINE_NONE)
		cmdline_text(args, truncated, report->cmdline == CMDLINE_REDACTED, text);
	return strdup(text);
}

struct alert *report_new(const struct report *report, enum alert_type type, enum severity severity,
			 uint64_t time)
{
	struct alert *alert = calloc(1, sizeof(*alert));

	if (!alert)
		return NULL;
	alert->type = type;
	alert->severity = severity;
	alert->time_ns = alert->first_ns = alert->last_ns = wall(report, time);
	alert->count = 1;
	alert->attack = "";
	alert->object_class = "";
	alert->dump.kind = "";
	alert->evidence = "observed";
	alert->loginuid = alert->session = UID_UNSET;
	alert->host = strdup(report->host);
	if (!alert->host) {
		alert_free(alert);
		return NULL;
	}
	return alert;
}

bool report_fill_empty(struct alert *alert)
{
	char **const strings[] = {
		&alert->login_user,    &alert->unit,	   &alert->package,
		&alert->exe_digest,    &alert->exe_verity, &alert->script,
		&alert->container,     &alert->path,	   &alert->via,
		&alert->watch,	       &alert->owner_user, &alert->rule,
		&alert->cause,	       &alert->dump.path,  &alert->setting.old_value,
		&alert->setting.value, &alert->remote,	   &alert->image,
		&alert->image_id,
	};

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		if (!*strings[i])
			*strings[i] = strdup("");
		if (!*strings[i])
			return false;
	}
	for (uint32_t i = 0; i < alert->nr_held; i++)
		if (!alert->held[i].path)
			return false;
	for (uint32_t i = 0; i < alert->nr_processes; i++)
		if (!alert->processes[i].exe || !alert->processes[i].args ||
		    !alert->processes[i].user)
			return false;
	return true;
}

int report_key(const struct policy *policy, const struct objects *objects, uint64_t number,
	       struct alert_key *out_key, const char **out_noun)
{
	const struct object *object = objects_find(objects, number);
	const struct watch_entry *entry =
		object ? policy_watch(policy, object->watch_number) : NULL;
	struct alert_key key = {.object_class = entry ? object_class_str(entry->object_class) : ""};

	key.path = report_escaped(object ? str_span(object->path) : (struct span){NULL, 0});
	if (!key.path)
		return -ENOMEM;
	if (object && object->key_known) {
		key.key_known = true;
		key.key = *object->key;
	}
	if (out_noun)
		*out_noun = entry ? object_class_noun(entry->object_class) : "a key";
	*out_key = key;
	return 0;
}

/* --- who ------------------------------------------------------------------------------- */

/* Exe as a path; a kernel thread is told by its name in brackets, as ps does. */
char *report_exe(const struct proc_info *info)
{
	char name[4 * sizeof(info->comm) + 1], text[sizeof(name) + 2];

	if (info->exe || !info->kernel_thread)
		return report_escaped(str_span(info->exe));
	escape_bytes(info->comm, strlen(info->comm), name, sizeof(name), NULL);
	snprintf(text, sizeof(text), "[%s]", name);
	return strdup(text);
}

/* What an interpreter runs: as the kernel knows it, else as its arguments say. */
static void fill_script(const struct report *report, const struct report_subject *s,
			const struct proc_info *info, struct alert *alert)
{
	bool truncated = info->args ? info->args_truncated : s->flags & EVENT_ARGS_TRUNCATED;
	struct span args = info->args ? str_span(info->args) : s->args;
	struct span claimed = {NULL, 0};

	if (info->script) {
		alert->script = report_escaped(str_span(info->script));
		alert->script_evidence = "observed";
		alert->script_trust = info->script_trust;
		return;
	}
	if (report->cmdline != CMDLINE_NONE)
		claimed = script_claimed(s->exe, args, truncated);
	if (claimed.len) {
		alert->script = report_escaped(claimed);
		alert->script_evidence = "claimed";
	}
}

int report_processes(const struct report *report, const struct report_subject *s,
		     struct alert *alert)
{
	struct proc_info infos[ALERT_ANCESTRY_MAX];
	const struct subject *subject = s->subject;
	const struct program *program;
	const struct session *session;
	const struct container_image *image = NULL;
	struct alert_process *self;
	struct cgroup_name group;
	bool complete = false;
	size_t nr =
		proctab_ancestry(report->processes, s->proc, infos, ARRAY_SIZE(infos), &complete);

	if (!nr) { /* gone for want of room: what the access itself tells is left */
		infos[0] = (struct proc_info){.id = subject->id, .uid = subject->uid};
		nr = 1;
	}
	alert->processes = calloc(nr, sizeof(*alert->processes));
	if (!alert->processes)
		return -ENOMEM;
	alert->nr_processes = (uint32_t)nr;
	alert->ancestry_complete = complete;
	for (size_t i = 0; i < nr; i++) {
		struct alert_process *process = &alert->processes[i];

		process->pid = infos[i].id.tgid;
		process->start = infos[i].id.start;
		process->uid = infos[i].uid;
		process->user = report_user(report, infos[i].uid);
		process->exe = report_exe(&infos[i]);
		process->args =
			report_args(report, str_span(infos[i].args), infos[i].args_truncated);
	}
	/* The subject as it was at the access, not as it was known before or after. */
	self = &alert->processes[0];
	self->uid = subject->uid;
	free(self->user);
	self->user = report_user(report, subject->uid);
	if (s->exe.len) {
		free(self->exe);
		self->exe = report_escaped(s->exe);
	}
	if (self->args && !self->args[0] && s->args.len) {
		free(self->args);
		self->args = report_args(report, s->args, s->flags & EVENT_ARGS_TRUNCATED);
	}
	fill_script(report, s, &infos[0], alert);
	alert->euid = subject->euid;
	alert->loginuid = subject->loginuid;
	alert->session = subject->session;
	if (subject->loginuid != UID_UNSET)
		alert->login_user = report_user(report, subject->loginuid);
	session = sessions_find(report->sessions, subject->session);
	if (session) {
		alert->session_type = session->type;
		alert->remote = report_escaped(span_of(session->remote));
	}
	alert->exe_trust = s->exe_trust;
	alert->untrusted = subject->untrusted;
	program = programs_find(report->programs, &subject->exe);
	if (program) {
		alert->package_state = program->state;
		alert->package = report_escaped(span_of(program->package));
		alert->exe_digest = report_escaped(span_of(program->digest));
		alert->exe_verity = report_escaped(span_of(program->verity));
	}
	cgroup_parse(s->cgroup, &group);
	alert->unit = strdup(group.unit);
	alert->container = strdup(group.container);
	if (!(s->flags & EVENT_CGROUP_TRUNCATED))
		image = images_find(report->images, cgroup_image_container(s->cgroup));
	if (image) {
		alert->image = report_escaped(span_of(image->name));
		alert->image_id = report_escaped(span_of(image->id));
	}
	if (!(s->flags & EVENT_CGROUP_TRUNCATED)) {
		alert->image_container = strdup(group.outer);
		if (!alert->image_container)
			return -ENOMEM;
	}
	return 0;
}

/* What stands in the sentence for a process that is no step of the ancestry. */
static void opener_name(const struct report *report, const struct proc_id *id, char *out,
			size_t size)
{
	struct proc_info info;

	snprintf(out, size, "?");
	if (proctab_info(report->processes, proctab_find(report->processes, id), &info)) {
		_cleanup_free_ char *exe = report_exe(&info);

		if (exe && exe[0])
			snprintf(out, size, "%s", sentence_basename(exe));
	}
}

/* --- what ------------------------------------------------------------------------------ */

static bool ends_with(struct span s, struct span end)
{
	return s.len >= end.len && !memcmp(s.p + s.len - end.len, end.p, end.len);
}

/*
 * Path as the owner knows it, and the one by which it was reached if that is another. A mark's own
 * path begins at the root of its file system; where the access went by the same names, its path
 * says more.
 */
static int fill_paths(const struct settled *s, const struct object *object, struct alert *alert)
{
	struct span known = object ? str_span(object->path) : (struct span){NULL, 0};
	struct span seen = s->access.path;
	bool whole = seen.len && !(s->flags & (EVENT_PATH_TRUNCATED | EVENT_PATH_FAILED));

	if (!known.len || (!object->told && whole && ends_with(seen, known)))
		known = seen;
	alert->path = report_escaped(known);
	if (seen.len && !(seen.len == known.len && !memcmp(seen.p, known.p, seen.len)) &&
	    (whole || !ends_with(known, seen)))
		alert->via = report_escaped(seen);
	return alert->path ? 0 : -ENOMEM;
}

static bool same_span(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

/* The name that it had and the one that it was given, by which its owner may know it by now. */
static int fill_names(const struct settled *s, const struct object *object, struct alert *alert)
{
	const struct event_access *a = &s->access;
	struct span known = object ? str_span(object->path) : (struct span){NULL, 0};

	if (!known.len || same_span(known, a->path))
		known = a->from;
	alert->path = report_escaped(known);
	if (!same_span(known, a->from))
		alert->via = report_escaped(a->from);
	alert->new_path = report_escaped(a->path);
	return alert->path && alert->new_path ? 0 : -ENOMEM;
}

char *report_rule(const struct policy_answer *answer)
{
	_cleanup_free_ char *file = NULL;
	char *text = NULL;

	if (!answer->file)
		return strdup(answer->why);
	file = report_escaped(span_of(answer->file));
	if (!file || asprintf(&text, "%s (%s:%u)", answer->why, file, answer->line) < 0)
		return NULL;
	return text;
}

/* Why it is one, for the sentence: the link that failed, and which key to replace. */
static char *breach_why(const struct alert_breach *breach)
{
	char key[256] = "the key";
	char *why = NULL;

	if (breach->key_known)
		sentence_key(&breach->key, key, sizeof(key));
	if (asprintf(&why, "outside of zone %s: %s; rotate %s", breach->zone, breach->link, key) <
	    0)
		return NULL;
	return why;
}

static struct alert *report_as(enum alert_type type, const char *attack,
			       const struct report *report, const struct settled *s,
			       const struct object *object, const struct watch_entry *entry,
			       const struct policy_answer *answer, const struct alert_sent *sent)
{
	enum object_class object_class = entry ? entry->object_class : CLASS_KEY;
	const struct event_access *a = &s->access;
	const struct report_subject subject = {
		.proc = s->proc,
		.subject = &a->subject,
		.exe = a->exe,
		.args = a->args,
		.cgroup = a->cgroup,
		.exe_trust = a->exe_trust,
		.flags = s->flags,
	};
	struct alert *alert =
		report_new(report, type, entry ? entry->severity : SEV_MEDIUM, s->time);
	const struct key_identity *key;
	char opener[1024] = "";
	const char *noun;

	if (!alert)
		return NULL;
	alert->attack = attack;
	/* Without time to wait for its exec, who opened may only have opened for another. */
	if (s->early || s->flags & EVENT_FD_SCAN_BOUND)
		alert->evidence = "inferred";
	alert->last_ns = wall(report, s->last_time);
	alert->object = a->object ? a->object : UINT64_MAX;
	alert->object_class = entry ? object_class_str(object_class) : "";
	alert->owner = a->owner;
	alert->how = a->how;
	alert->mode = a->mode;
	if (sent)
		alert->sent = *sent;
	alert->event_flags = s->flags;
	key = object ? object_key(object, s->time) : NULL;
	if (key) {
		alert->key_known = true;
		alert->key = *key;
	}
	alert->owner_user = report_user(report, a->owner);
	alert->watch = entry ? report_escaped(span_of(entry->name)) : strdup("");
	if (entry && object_class_is_scanned(object_class) &&
	    report_scan_state(object ? object->scan : NULL, &alert->scan))
		goto fail;
	alert->rule = report_rule(answer);
	/* What stays the same over a restart: neither the mark's number nor the path. */
	report_id(alert->id,
		  "access %s %s %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32,
		  report->boot_id, alert_type_str(type), a->subject.id.tgid, a->subject.id.start,
		  a->subject.id.exec_id, a->inode.ino, a->inode.dev);
	if (report_processes(report, &subject, alert) || !alert->id[0] ||
	    (type == ALERT_OBJECT_LINKED ? fill_names(s, object, alert)
					 : fill_paths(s, object, alert)))
		goto fail;
	/* What the sentence is made of must be there. */
	if (!report_fill_empty(alert))
		goto fail;
	if (s->handed)
		opener_name(report, &s->handed_by, opener, sizeof(opener));
	noun = entry ? object_class_noun(object_class) : "watched file";
	alert->text =
		sent ? sentence_sent(alert, noun, answer->why)
		     : sentence_access(alert, noun, s->handed ? opener : NULL, a->fd, answer->why);
	if (!alert->text)
		goto fail;
	return alert;
fail:
	alert_free(alert);
	return NULL;
}

struct alert *report_access(const struct report *report, const struct settled *s,
			    const struct object *object, const struct watch_entry *entry,
			    const struct policy_answer *answer)
{
	enum object_class object_class = entry ? entry->object_class : CLASS_KEY;

	return report_as(report_type(object_class), report_attack(object_class), report, s, object,
			 entry, answer, NULL);
}

struct alert *report_breach(const struct report *report, const struct settled *s,
			    const struct object *object, const struct watch_entry *entry,
			    const struct policy_answer *answer, struct alert_breach *breach)
{
	struct watch_entry critical = *entry;
	_cleanup_free_ char *why = breach_why(breach);
	struct policy_answer said = *answer;
	struct alert *alert = NULL;
	char *rule;

	critical.severity = SEV_CRITICAL;
	said.why = why;
	if (why)
		alert = report_as(ALERT_ISOLATION_BREACH, report_attack(entry->object_class),
				  report, s, object, &critical, &said, NULL);
	if (!alert) {
		free(breach->zone);
		free(breach->link);
		free(breach->way);
		return NULL;
	}
	alert->breach = *breach;
	rule = report_rule(answer); /* without what stands in `breach` */
	if (!rule) {
		alert_free(alert);
		return NULL;
	}
	free(alert->rule);
	alert->rule = rule;
	return alert;
}

struct alert *report_write(const struct report *report, const struct settled *s,
			   const struct object *object, const struct watch_entry *entry,
			   const struct policy_answer *answer)
{
	/* Data Manipulation: Stored Data Manipulation */
	return report_as(ALERT_OBJECT_WRITTEN, "T1565.001", report, s, object, entry, answer, NULL);
}

struct alert *report_name(const struct report *report, const struct settled *s,
			  const struct object *object, const struct watch_entry *entry,
			  const struct policy_answer *answer)
{
	/* Data Staged: Local Data Staging */
	return report_as(ALERT_OBJECT_LINKED, "T1074.001", report, s, object, entry, answer, NULL);
}

/* An address needs no escaping. */
static void fill_sent(const struct event_net *net, struct alert_sent *out)
{
	uint32_t cid;

	*out = (struct alert_sent){.how = net_how_str(net->how), .port = net->port};
	if (net->family == AF_INET || net->family == AF_INET6) {
		inet_ntop((int)net->family, net->addr, out->to, sizeof(out->to));
	} else {
		memcpy(&cid, net->addr, sizeof(cid));
		snprintf(out->to, sizeof(out->to), "vsock:%" PRIu32, cid);
	}
	if (net->nr_keys > EVENT_KEYS_MAX)
		out->more = net->nr_keys - EVENT_KEYS_MAX;
}

struct alert *report_sent(const struct report *report, const struct settled *s,
			  const struct event_net *net, const struct object *object,
			  const struct watch_entry *entry, const struct policy_answer *answer)
{
	struct alert_sent sent;

	fill_sent(net, &sent);
	/* Exfiltration Over Alternative Protocol */
	return report_as(ALERT_HOLDER_SENT, "T1048", report, s, object, entry, answer, &sent);
}

/* --- the daemon's own matters ---------------------------------------------------------- */

enum severity report_gap_severity(struct span cause)
{
	static const struct {
		const char *cause;
		enum severity severity;
	} known[] = {
		/* An access itself may be among what was lost. */
		{"ring-critical", SEV_HIGH},
		{"mark-full", SEV_HIGH},
		{"mark-busy", SEV_HIGH},
		/* What counts as an allowed program may be another one. */
		{"taint-full", SEV_HIGH},
		/* Of one user's own files, who has very many. */
		{"mark-quota", SEV_MEDIUM},
		{"recursion", SEV_HIGH},
		{"undecodable", SEV_HIGH},
		/* Nothing is missing but how often. */
		{"repeats", SEV_INFO},
		/* Only names and ancestry suffer. */
		{"ring-bulk", SEV_LOW},
		{"script-full", SEV_LOW},
		{"recursion-lifecycle", SEV_LOW},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (cause.len == strlen(known[i].cause) &&
		    !memcmp(cause.p, known[i].cause, cause.len))
			return known[i].severity;
	return SEV_MEDIUM;
}

struct alert *report_gap(const struct report *report, const struct event *ev)
{
	const struct event_gap *gap = &ev->gap;
	enum severity severity = report_gap_severity(gap->cause);
	struct alert *alert = report_new(report, ALERT_EVENTS_LOST, severity, ev->time);

	if (!alert)
		return NULL;
	alert->evidence = "gap";
	alert->count = gap->count;
	alert->gap_from_ns = alert->first_ns = wall(report, gap->from);
	alert->gap_to_ns = alert->last_ns = wall(report, gap->to);
	alert->cause = report_escaped(gap->cause);
	report_id(alert->id, "gap %s %s %" PRIu64 " %" PRIu64, report->boot_id,
		  alert->cause ? alert->cause : "", gap->from, gap->to);
	if (alert->cause)
		alert->text = sentence_gap(alert);
	if (!alert->text || !alert->id[0] || !report_fill_empty(alert)) {
		alert_free(alert);
		return NULL;
	}
	return alert;
}

struct alert *report_held_back(const struct report *report, uint32_t user, uint64_t start,
			       uint64_t held, uint64_t first, uint64_t last)
{
	struct alert *alert = report_new(report, ALERT_EVENTS_LOST, SEV_MEDIUM, last);

	if (!alert)
		return NULL;
	alert->evidence = "gap";
	alert->count = held;
	alert->gap_from_ns = alert->first_ns = wall(report, first);
	alert->gap_to_ns = alert->last_ns = wall(report, last);
	alert->cause = strdup("held-back");
	alert->login_user = report_user(report, user);
	report_id(alert->id, "held-back %s %" PRIu32 " %" PRIu64 " %" PRIu64, report->boot_id, user,
		  start, held);
	if (alert->cause && alert->login_user)
		alert->text = sentence_held_back(alert);
	if (!alert->text || !alert->id[0] || !report_fill_empty(alert)) {
		alert_free(alert);
		return NULL;
	}
	return alert;
}

static bool begins(struct span s, const char *with)
{
	return s.len >= strlen(with) && !memcmp(s.p, with, strlen(with));
}

struct alert *report_health(const struct report *report, const struct event *ev)
{
	const struct event_health *health = &ev->health;
	enum alert_type type = ALERT_SENSOR_DEGRADED;
	enum severity severity = SEV_MEDIUM;
	struct alert *alert;

	if (health->level == HEALTH_OK) {
		type = ALERT_DAEMON;
		severity = SEV_INFO;
	} else if (begins(health->what, "exception-ended")) {
		type = ALERT_DAEMON;
	} else if (begins(health->what, "policy")) {
		type = ALERT_POLICY_REFUSED;
	} else if (health->level == HEALTH_BLIND) {
		severity = SEV_HIGH;
	}
	alert = report_new(report, type, severity, ev->time);
	if (!alert)
		return NULL;
	alert->cause = report_escaped(health->what);
	alert->text = report_escaped(health->text);
	report_id(alert->id, "health %s %s %s %" PRIu64, report->boot_id,
		  alert->cause ? alert->cause : "", health_level_str(health->level), ev->time);
	if (!alert->text || !alert->cause || !alert->id[0] || !report_fill_empty(alert)) {
		alert_free(alert);
		return NULL;
	}
	return alert;
}

int report_summary(const struct report *report, const struct alert *like, uint64_t count,
		   uint64_t first, uint64_t last, struct alert *out_alert, char **out_text)
{
	struct alert alert = *like;
	char *text;

	alert.summary = true;
	alert.count = count;
	alert.first_ns = wall(report, first);
	alert.last_ns = wall(report, last);
	alert.time_ns = alert.last_ns;
	memcpy(alert.of, like->id, sizeof(alert.of));
	if (alert.type == ALERT_EVENTS_LOST) {
		alert.gap_from_ns = alert.first_ns;
		alert.gap_to_ns = alert.last_ns;
	}
	report_id(alert.id, "summary %s %" PRIu64 " %" PRIu64, like->id, first, last);
	text = sentence_summary(&alert, like);
	if (!text || !alert.id[0]) {
		free(text);
		return -ENOMEM;
	}
	alert.text = text;
	*out_alert = alert;
	*out_text = text;
	return 0;
}
