// SPDX-License-Identifier: GPL-2.0-or-later
/* Sentences for people. What comes in is escaped already. */
#include "engine/sentence.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ARROW \
	"<-" /* in ASCII, so that RFC 5424 asks for no byte order mark before most sentences */
#define ELLIPSIS "\xe2\x80\xa6" /* U+2026 */

#define NAME_MAX_SHOWN	 64
#define PATH_MAX_SHOWN	 2048
#define SCRIPT_MAX_SHOWN 256
#define IMAGE_MAX_SHOWN	 128

const char *sentence_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/*
 * A name that could be read as a part of the sentence stands in quotes; one that is too long loses
 * its end. At most `max` bytes, by whole characters and escapes.
 */
static void put_name(FILE *f, const char *name, size_t max)
{
	bool quoted = strpbrk(name, " \"'(),;:") || strstr(name, ARROW);
	size_t left = strlen(name), n = 0;

	if (quoted)
		fputc('"', f);
	while (left) {
		enum text_kind kind;
		size_t unit = text_unit(name, left, &kind);

		if (n + unit > max) {
			fputs(ELLIPSIS, f);
			break;
		}
		if (quoted && *name == '"')
			fputc('\\', f);
		fwrite(name, 1, unit, f);
		name += unit;
		left -= unit;
		n += unit;
	}
	if (quoted)
		fputc('"', f);
}

static void put_process(FILE *f, const struct alert_process *process)
{
	put_name(f, process->exe[0] ? sentence_basename(process->exe) : "?", NAME_MAX_SHOWN);
}

void sentence_key(const struct key_identity *key, char *out, size_t size)
{
	char id[96] = "", kind[64];

	if (key->kind == KEY_NONE && !key->encrypted) {
		snprintf(out, size, "no key was found in it");
		return;
	}
	if (key->source == KEYSRC_NONE) {
		snprintf(out, size, "%s, its public half cannot be read",
			 key->encrypted ? "encrypted" : "a key");
		return;
	}
	if (key->bits)
		snprintf(kind, sizeof(kind), "%s %u", key_kind_str(key->kind), key->bits);
	else
		snprintf(kind, sizeof(kind), "%s", key_kind_str(key->kind));
	if (key->ssh_fp[0]) {
		snprintf(id, sizeof(id), " %s", key->ssh_fp);
	} else if (key->has_spki) {
		size_t n = (size_t)snprintf(id, sizeof(id), " SPKI ");

		for (size_t i = 0; i < sizeof(key->spki); i++)
			n += (size_t)snprintf(id + n, sizeof(id) - n, "%02x", key->spki[i]);
	} else if (key->keygrip[0]) {
		snprintf(id, sizeof(id), " keygrip %s", key->keygrip);
	}
	snprintf(out, size, "%s%s%s", kind, id,
		 key->source == KEYSRC_SIBLING	? ", unverified, from the file beside it"
		 : key->source == KEYSRC_STATED ? ", unverified, as the file states"
						: "");
}

/* Colons of an address are no part of the sentence: no quotes. */
static void put_address(FILE *f, const char *address)
{
	struct in6_addr in6;

	if (inet_pton(AF_INET6, address, &in6) == 1)
		fputs(address, f);
	else
		put_name(f, address, NAME_MAX_SHOWN);
}

static void put_subject(FILE *f, const struct alert *alert)
{
	const struct alert_process *self = &alert->processes[0];

	put_process(f, self);
	fprintf(f, " (pid %" PRIu32 ", user ", self->pid);
	put_name(f, self->user, NAME_MAX_SHOWN);
	if (alert->login_user[0] && strcmp(alert->login_user, self->user) != 0) {
		fputs(", logged in as ", f);
		put_name(f, alert->login_user, NAME_MAX_SHOWN);
	}
	if (alert->session_type == SESSION_SSH || alert->session_type == SESSION_REMOTE) {
		fputs(alert->session_type == SESSION_SSH ? ", by ssh" : ", by a remote session", f);
		if (alert->remote && alert->remote[0]) {
			fputs(" from ", f);
			put_address(f, alert->remote);
		}
	}
	if (alert->script && alert->script[0]) {
		bool claimed = strcmp(alert->script_evidence, "observed") != 0;

		fputs(claimed ? ", by its arguments running " : ", running ", f);
		put_name(f, alert->script, SCRIPT_MAX_SHOWN);
	}
	if (alert->container[0]) {
		fputs(", container ", f);
		put_name(f, alert->container, NAME_MAX_SHOWN);
		if (alert->image && alert->image[0]) {
			/* The image is the outermost one's, which the container may be in. */
			if (alert->image_container && alert->image_container[0])
				fputs(" in a container", f);
			fputs(" of image ", f);
			put_name(f, alert->image, IMAGE_MAX_SHOWN);
		}
	}
	fputc(')', f);
}

static void put_verb(FILE *f, const struct alert *alert, const char *opener, uint32_t fd)
{
	switch (alert->how) {
	case ACCESS_RECEIVE:
		fputs(" was passed an open descriptor of", f);
		break;
	case ACCESS_EXEC_FD:
		if (alert->event_flags & EVENT_FD_SCAN_BOUND)
			fputs(" probably still has a descriptor, of too many to look at, of", f);
		else if (opener)
			fputs(" was handed", f);
		else if (fd != UINT32_MAX)
			fprintf(f, " was started with descriptor %" PRIu32 " open on", fd);
		else
			fputs(" was started with a descriptor open on", f);
		break;
	case ACCESS_MMAP:
		fputs(" mapped", f);
		break;
	case ACCESS_FOUND:
		fputs(" already had", f);
		break;
	case ACCESS_CONNECT:
		fputs(" connected to", f);
		break;
	case ACCESS_READ:
		fputs(" read", f);
		break;
	case ACCESS_LINK:
		fputs(" hard-linked", f);
		break;
	case ACCESS_RENAME:
		fputs(" renamed", f);
		break;
	default:
		fputs(alert->type == ALERT_OBJECT_WRITTEN ? " opened for writing" : " opened", f);
	}
}

static bool about_a_key(const struct alert *alert)
{
	return !alert->scan.state &&
	       (alert->type == ALERT_KEY_READ || alert->type == ALERT_ISOLATION_BREACH);
}

/* open_memstream()'s text, or NULL if something of it is missing. */
static char *end_text(FILE *f, char **text)
{
	bool failed = ferror(f);

	if (!fclose(f) && !failed)
		return *text;
	free(*text);
	return NULL;
}

static void put_path(FILE *f, const struct alert *alert)
{
	if (alert->path[0])
		put_name(f, alert->path, PATH_MAX_SHOWN);
	else
		fputs("whose path is not known", f);
}

/* False: which key it is is not known. */
static bool put_key(FILE *f, bool known, const struct key_identity *key)
{
	char text[256];

	if (!known)
		return false;
	sentence_key(key, text, sizeof(text));
	fprintf(f, " (%s)", text);
	return true;
}

static void put_ancestry(FILE *f, const struct alert *alert)
{
	fputs("; ancestry: ", f);
	for (uint32_t i = 0; i < alert->nr_processes; i++) {
		if (i)
			fputs(" " ARROW " ", f);
		put_process(f, &alert->processes[i]);
	}
	if (!alert->ancestry_complete)
		fputs(" (incomplete)", f);
}

/* What is known of keys in a dump. */
static void put_scan(FILE *f, const struct alert_scan *scan)
{
	if (!strcmp(scan->state, "unscanned"))
		fprintf(f, "not scanned for keys%s%s", scan->cause[0] ? ": " : "", scan->cause);
	else if (!strcmp(scan->state, "scanning"))
		fputs("being scanned for keys", f);
	else if (!strcmp(scan->state, "clean"))
		fputs("scanned: no key in it", f);
	else if (!strcmp(scan->state, "incomplete"))
		fputs("scanned in part: no key found", f);
	else
		fputs("holds ", f);
	for (uint32_t i = 0; i < scan->nr; i++) {
		const struct alert_scan_key *k = &scan->items[i];
		char key[256];

		if (i)
			fputs(", ", f);
		if (k->label[0]) {
			put_name(f, k->label, NAME_MAX_SHOWN);
			fputc(' ', f);
		}
		if (k->key.kind != KEY_NONE) {
			sentence_key(&k->key, key, sizeof(key));
			fprintf(f, "%s (%s)", key, k->class);
		} else if (k->bits) {
			fprintf(f, "%s of %" PRIu32 " bits (%s)", k->what, k->bits, k->class);
		} else {
			fprintf(f, "%s (%s)", k->what, k->class);
		}
	}
	if (scan->keys > scan->nr)
		fprintf(f, "%s%" PRIu64 " more", scan->nr ? " and " : "", scan->keys - scan->nr);
}

char *sentence_access(const struct alert *alert, const char *noun, const char *opener, uint32_t fd,
		      const char *why)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_subject(f, alert);
	put_verb(f, alert, opener, fd);
	fprintf(f, " %s ", noun);
	put_path(f, alert);
	if (!put_key(f, alert->key_known, &alert->key) && about_a_key(alert))
		fputs(" (key not identified)", f);
	if (alert->scan.state) {
		fputs(" (", f);
		put_scan(f, &alert->scan);
		fputc(')', f);
	}
	if (alert->via[0]) {
		fputs(alert->new_path ? " by its name " : " as ", f);
		put_name(f, alert->via, PATH_MAX_SHOWN);
	}
	if (alert->new_path) {
		fputs(" to ", f);
		put_name(f, alert->new_path, PATH_MAX_SHOWN);
	}
	if (alert->how == ACCESS_FOUND)
		fputs(fd == UINT32_MAX ? " mapped" : " open", f);
	if (opener && alert->how == ACCESS_EXEC_FD) {
		fputs(" by ", f);
		put_name(f, opener, NAME_MAX_SHOWN);
	}
	fprintf(f, ", %s", why);
	put_ancestry(f, alert);
	return end_text(f, &text);
}

char *sentence_sent(const struct alert *alert, const char *noun, const char *why)
{
	const struct alert_sent *sent = &alert->sent;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_subject(f, alert);
	fprintf(f, ", which has read %s ", noun);
	put_path(f, alert);
	put_key(f, alert->key_known, &alert->key);
	if (sent->more)
		fprintf(f, " and %" PRIu32 " keys that are not named", sent->more);
	fprintf(f, ", %s %s port %" PRIu32 ", %s",
		strcmp(sent->how, "send") != 0 ? "tried to connect to" : "sent to", sent->to,
		sent->port, why);
	put_ancestry(f, alert);
	return end_text(f, &text);
}

char *sentence_rule(const struct alert *alert, const char *what)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_subject(f, alert);
	fprintf(f, " %s", what);
	put_ancestry(f, alert);
	return end_text(f, &text);
}

static void put_held(FILE *f, const struct alert *alert, const char *who)
{
	if (!alert->nr_held_all)
		return;
	fprintf(f, "; %s had read", who);
	for (uint32_t i = 0; i < alert->nr_held; i++) {
		const struct alert_key *h = &alert->held[i];

		fputs(i ? ", " : " ", f);
		if (h->path[0])
			put_name(f, h->path, PATH_MAX_SHOWN);
		else
			fputs("a key that is gone", f);
		put_key(f, h->key_known, &h->key);
	}
	if (alert->nr_held_all > alert->nr_held)
		fprintf(f, " and %" PRIu32 " more", alert->nr_held_all - alert->nr_held);
}

char *sentence_dump(const struct alert *alert)
{
	const struct alert_dump *dump = &alert->dump;
	const char *abbreviation = sigabbrev_np((int)dump->signal);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_subject(f, alert);
	if (!strcmp(dump->how, "written")) {
		fprintf(f, " wrote a dump (%s) into ", dump->kind);
	} else {
		if (abbreviation)
			fprintf(f, " crashed by SIG%s", abbreviation);
		else
			fprintf(f, " crashed by signal %" PRIu32, dump->signal);
		fputs(!strcmp(dump->how, "pipe")     ? " and its memory goes to the program "
		      : !strcmp(dump->how, "socket") ? " and its memory goes to who listens at "
						     : " and its memory goes into the file ",
		      f);
	}
	if (dump->path[0])
		put_name(f, dump->path, PATH_MAX_SHOWN);
	else
		fputs("whose path is not known", f);
	put_held(f, alert, "it");
	put_ancestry(f, alert);
	return end_text(f, &text);
}

char *sentence_scan(const struct alert *alert)
{
	const struct alert_scan *scan = &alert->scan;
	const char *exe = scan->holder_exe[0] ? scan->holder_exe
			  : scan->exe[0]      ? scan->exe
					      : scan->command;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs("dump ", f);
	put_name(f, scan->path[0] ? scan->path : "?", PATH_MAX_SHOWN);
	if (scan->container[0]) {
		fprintf(f, " (%s", scan->container);
		if (exe[0]) {
			fputs(" of ", f);
			put_name(f, sentence_basename(exe), NAME_MAX_SHOWN);
		}
		if (scan->holder_pid || scan->pid)
			fprintf(f, ", pid %" PRIu32,
				scan->holder_pid ? scan->holder_pid : scan->pid);
		if (scan->holder_unit[0]) {
			fputs(", unit ", f);
			put_name(f, scan->holder_unit, NAME_MAX_SHOWN);
		}
		fputc(')', f);
	}
	if (!strcmp(scan->state, "unscanned"))
		fputs(" is ", f);
	else
		fputc(' ', f);
	put_scan(f, scan);
	if (!strcmp(scan->state, "key") && scan->cause[0])
		fprintf(f, "; the scan did not get to its end: %s", scan->cause);
	if (alert->nr_processes) {
		fputs("; written by ", f);
		put_subject(f, alert);
		put_ancestry(f, alert);
	}
	return end_text(f, &text);
}

char *sentence_setting(const struct alert *alert)
{
	const struct alert_setting *setting = &alert->setting;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool own = alert->nr_processes && setting->pid == alert->processes[0].pid;

	if (!f)
		return NULL;
	if (alert->nr_processes) {
		put_subject(f, alert);
		fprintf(f, " changed %s%s", own ? "its own " : "", setting->name);
	} else {
		fputs(setting->name, f);
		fputs(" was changed by somebody who was not seen", f);
	}
	if (setting->pid && !own)
		fprintf(f, " of process %" PRIu32, setting->pid);
	fputs(" from ", f);
	put_name(f, setting->old_value[0] ? setting->old_value : "nothing", PATH_MAX_SHOWN);
	fputs(" to ", f);
	put_name(f, setting->value[0] ? setting->value : "nothing", PATH_MAX_SHOWN);
	put_held(f, alert, own ? "it" : "that process");
	if (alert->nr_processes)
		put_ancestry(f, alert);
	return end_text(f, &text);
}

static void put_target(FILE *f, const struct alert *alert, const char *const *nouns)
{
	put_process(f, &alert->target);
	fprintf(f, " (pid %" PRIu32 ", user ", alert->target.pid);
	put_name(f, alert->target.user, NAME_MAX_SHOWN);
	fputs("), which has read ", f);
	for (uint32_t i = 0; i < alert->nr_keys; i++) {
		const struct alert_key *k = &alert->keys[i];

		fprintf(f, "%s%s ", i ? ", " : "", nouns[i]);
		if (k->path[0])
			put_name(f, k->path, PATH_MAX_SHOWN);
		else
			fputs("that is gone", f);
		put_key(f, k->key_known, &k->key);
	}
	if (alert->keys_read > alert->nr_keys)
		fprintf(f, " and %" PRIu32 " more", alert->keys_read - alert->nr_keys);
}

char *sentence_memory(const struct alert *alert, const char *const *nouns, const char *why)
{
	static const char *const verbs[MEMORY_HOW_NR] = {
		[MEMORY_ATTACH] = "attached as a debugger to",
		[MEMORY_TRACED] = "is the debugger of",
		[MEMORY_PEEK] = "reads, as its debugger, the memory of",
		[MEMORY_PROC_MEM] = "opened, as a file, the memory of",
		[MEMORY_PROCESS_VM] = "read, by process_vm_readv, the memory of",
		[MEMORY_GETFD] = "took a descriptor of",
		[MEMORY_ENVIRON] = "read the environment of",
		[MEMORY_DEV_MEM] = "opened the memory of the machine (/dev/mem)",
		[MEMORY_KCORE] = "opened the memory of the machine (/proc/kcore)",
		[MEMORY_VMCORE] = "opened the memory of a crashed kernel (/proc/vmcore)",
	};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_subject(f, alert);
	fprintf(f, " %s", verbs[alert->memory_how]);
	if (alert->target.pid) {
		fputc(' ', f);
		put_target(f, alert, nouns);
	}
	fprintf(f, "; %s", why);
	put_ancestry(f, alert);
	return end_text(f, &text);
}

char *sentence_refused(const struct alert *alert, const char *noun, const char *why)
{
	const bool absent = !strcmp(alert->refused, "ENOENT");
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_subject(f, alert);
	fprintf(f, absent ? " looked for %s " : " was refused %s ", noun);
	put_path(f, alert);
	if (absent)
		fputs(", which is not there", f);
	else
		fprintf(f, " (%s)", alert->refused);
	if (alert->count > 1)
		fprintf(f, ", one of %" PRIu64 " such tries", alert->count);
	fprintf(f, "; %s", why);
	put_ancestry(f, alert);
	return end_text(f, &text);
}

char *sentence_denied(const struct alert *alert, const char *noun,
		      const struct policy_answer *answer)
{
	const bool may = answer->reason == REASON_ALLOWED || answer->reason == REASON_EXPECTED;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_subject(f, alert);
	fprintf(f, " was denied %s ", noun);
	put_path(f, alert);
	if (alert->count > 1)
		fprintf(f, ", one of %" PRIu64 " such tries", alert->count);
	fprintf(f, "; %s", answer->why);
	if (may)
		fputs("; at this try it was not known yet to be that program", f);
	else if (answer->pending)
		fputs("; what the rule asks of it was still being looked at", f);
	put_ancestry(f, alert);
	return end_text(f, &text);
}

static void put_time(char *out, size_t size, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n = 0;

	out[0] = '\0';
	if (gmtime_r(&seconds, &tm))
		n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	if (n)
		snprintf(out + n, size - n, ".%03uZ", (unsigned)(ns / 1000000 % 1000));
}

char *sentence_gap(const struct alert *alert)
{
	const char *harm = alert->severity >= SEV_MEDIUM
				   ? "accesses to watched files may have gone unseen"
				   : "names and ancestry of processes may be incomplete";
	char from[48], to[48], number[32] = "an unknown number of", *text = NULL;

	put_time(from, sizeof(from), alert->gap_from_ns);
	put_time(to, sizeof(to), alert->gap_to_ns);
	if (!strcmp(alert->cause, "repeats")) {
		if (asprintf(&text,
			     "%" PRIu64
			     " accesses between %s and %s came faster than they could be "
			     "read and were counted only: each repeats one that was told, of the "
			     "same object by the same program and user",
			     alert->count, from, to) < 0)
			return NULL;
		return text;
	}
	if (alert->count)
		snprintf(number, sizeof(number), "%" PRIu64, alert->count);
	if (asprintf(&text, "%s events were lost between %s and %s (%s): %s", number, from, to,
		     alert->cause, harm) < 0)
		return NULL;
	return text;
}

char *sentence_held_back(const struct alert *alert)
{
	char from[48], to[48], *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	put_time(from, sizeof(from), alert->gap_from_ns);
	put_time(to, sizeof(to), alert->gap_to_ns);
	if (alert->count)
		fprintf(f, "%" PRIu64 " alerts about what user ", alert->count);
	else
		fputs("from now on alerts about what user ", f);
	put_name(f, alert->login_user, NAME_MAX_SHOWN);
	if (alert->count)
		fprintf(f, " did between %s and %s were held back", from, to);
	else
		fputs(" does are held back for a while", f);
	fputs(", since they were too many: they are counted only, but for the first about each "
	      "file of another user",
	      f);
	return end_text(f, &text);
}

char *sentence_summary(const struct alert *summary, const struct alert *like)
{
	char from[48], to[48], *text = NULL;

	if (summary->type == ALERT_EVENTS_LOST)
		return sentence_gap(summary);
	put_time(from, sizeof(from), summary->first_ns);
	put_time(to, sizeof(to), summary->last_ns);
	if (asprintf(&text, "%" PRIu64 " more like this between %s and %s: %s", summary->count,
		     from, to, like->text) < 0)
		return NULL;
	return text;
}
