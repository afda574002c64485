// SPDX-License-Identifier: GPL-2.0-or-later
/* `mode: deny`: the programs that its rules name, what stands at their paths, and what that is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "daemon/deny-internal.h"
#include "daemon/programs.h"
#include "trust/trust.h"

static bool unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* By all that stat() says of it. Whoever could set the time of writing back is root. */
static bool same_content(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Which file stands at the path now. What stood there before, and was what it should be, goes to
 * the past. Nothing there: it stays what it was, for who runs it by then. No answer without
 * waiting: it stays what it was. */
static void identify(struct deny *d, struct program *p, bool *out_changed)
{
	_cleanup_close_ int at = programs_open(d->app->programs, p->path);
	uint64_t until_ns;
	struct inode_id now;
	bool same, gone;
	struct facts facts;
	struct stat st;

	p->error = at < 0 ? -at : fstat(at, &st) < 0 ? errno : !S_ISREG(st.st_mode) ? EINVAL : 0;
	gone = p->error == ENOENT || p->error == ENOTDIR;
	until_ns = p->gone_ns ? p->gone_ns : app_boottime();
	if (gone ? !p->gone_ns : !p->error && p->gone_ns) {
		p->gone_ns = gone ? until_ns : 0;
		*out_changed = true;
	}
	if (p->error || (p->has_now && unchanged(&st, &p->st)) ||
	    sensor_identify_fd(d->app->sensor, at, &now) < 0)
		return;
	*out_changed = true;
	facts = p->facts;
	same = p->has_now && same_file(&now, &p->now);
	if (same && p->facts.inspected && same_content(&st, &p->st)) {
		if (!p->doubt_ns)
			p->doubt_ns = app_boottime();
	} else {
		p->facts.inspected = false; /* in place, too */
		p->doubt_ns = p->again_after = 0;
	}
	p->st = st;
	if (same)
		return;
	if (p->has_now && p->verified) {
		if (p->nr_past == PAST_MAX)
			memmove(&p->past[0], &p->past[1], --p->nr_past * sizeof(p->past[0]));
		p->past[p->nr_past].id = p->now;
		p->past[p->nr_past].facts = facts;
		p->past[p->nr_past++].until_ns = until_ns;
	}
	p->now = now;
	p->has_now = true;
	p->verified = false;
}

/* What was found out of it is not what some rule asks for: that may be another thing by now. */
static void look_again(struct deny *d, struct program *p)
{
	const uint64_t now = app_boottime();

	if (!p->again_after) {
		p->again_after = AGAIN_MIN;
	} else if (now < p->again_ns) {
		return;
	} else {
		/* What is not going to be it (two entries pin two digests) is in nobody's way. */
		programs_look_again(d->app->programs, p->path, &p->now, p->again_after < AGAIN_MAX);
		if (p->again_after < AGAIN_MAX)
			p->again_after *= 2;
	}
	p->again_ns = now + p->again_after;
}

bool deny_program_look(struct deny *d, struct program *p)
{
	bool changed = false, verified;

	identify(d, p, &changed);
	/* What cannot be looked at without waiting stays what it was. */
	if (!p->has_now || p->error)
		return changed;
	/* Of what it and the directories above it are: asked each time, since modes change. */
	verified = trust_ask(d->app->trust, span_of(p->path), &p->now, 1) == EXE_VERIFIED;
	changed |= verified != p->verified;
	p->verified = verified;
	if (!policy_inspects(d->preparing ? d->next.policy : d->now.policy, span_of(p->path)))
		return changed;
	if (p->doubt_ns && app_boottime() - p->doubt_ns > WAIT_MAX) {
		p->facts.inspected = false;
		p->doubt_ns = 0;
		changed = true;
	}
	if (!p->facts.inspected || p->doubt_ns)
		programs_watch_path(d->app->programs, p->path, &p->now);
	else if (p->lacks)
		look_again(d, p);
	return changed;
}

static void set_text(char *out, size_t size, struct span text)
{
	snprintf(out, size, "%.*s", (int)text.len, text.len ? text.p : "");
}

void deny_program(struct deny *d, const struct event_program *program)
{
	struct program *p, *tmp;
	struct facts *facts;
	bool changed = false;

	if (!d)
		return; /* still starting */
	HASH_ITER(hh, d->programs, p, tmp)
	{
		if (!p->has_now || !same_file(&p->now, &program->inode))
			continue;
		if (program->state == PACKAGE_PENDING)
			identify(d, p, &changed);
		if (program->state == PACKAGE_PENDING && p->doubt_ns)
			continue; /* what was known counts until it is known otherwise */
		p->doubt_ns = 0;
		facts = &p->facts;
		facts->inspected = program->state != PACKAGE_PENDING;
		facts->state = program->state;
		set_text(facts->package, sizeof(facts->package), program->package);
		set_text(facts->digest, sizeof(facts->digest), program->digest);
		set_text(facts->verity, sizeof(facts->verity), program->verity);
		changed = true;
	}
	if (changed)
		deny_permits_put(d);
}

static struct program *find(const struct deny *d, struct span path)
{
	struct program *p = NULL;

	if (path.len)
		HASH_FIND(hh, d->programs, path.p, path.len, p);
	return p;
}

void deny_exec(struct deny *d, const struct event_exec *exec)
{
	struct program *p = d && d->programs ? find(d, exec->exe) : NULL;

	if (p && !same_file(&p->now, &exec->subject.exe) && deny_program_look(d, p))
		deny_permits_put(d);
}

void deny_refused(struct deny *d, const struct event_refused *refused)
{
	struct program *p = find(d, refused->exe);

	d->refused += 1 + (uint64_t)refused->more;
	if (p && deny_program_look(d, p))
		deny_permits_put(d);
}

static int add_program(struct deny *d, const char *path)
{
	const size_t len = strlen(path);
	struct program *p = find(d, span_of(path));

	if (!p) {
		p = calloc(1, sizeof(*p) + len + 1);
		if (!p)
			return -ENOMEM;
		memcpy(p->path, path, len + 1);
		HASH_ADD_KEYPTR(hh, d->programs, p->path, len, p);
	}
	p->named = true;
	return 0;
}

void deny_programs_drop(struct deny *d, bool all)
{
	struct program *p, *tmp;

	HASH_ITER(hh, d->programs, p, tmp)
	{
		if (!all && p->named)
			continue;
		HASH_DEL(d->programs, p);
		free(p);
	}
}

int deny_programs_find(struct deny *d, const struct table *t)
{
	struct program *p, *tmp;
	const char *path;
	int r = 0;

	HASH_ITER(hh, d->programs, p, tmp)
	{
		p->named = false;
	}
	for (size_t n = 0; t->nr && !r && (path = policy_allowed_exe(t->policy, n)); n++) {
		uint32_t pending = 0;
		bool wanted = false;

		for (size_t i = 0; i < t->nr && !wanted; i++)
			wanted = deny_may(t->policy, t->rows[i].watch, path, NULL, &pending) ||
				 pending;
		if (wanted)
			r = add_program(d, path);
	}
	return r;
}

const char *deny_program_why_not(const struct program *p)
{
	switch (p->error) {
	case 0:
		break;
	case ELOOP:
		return "its path has a symbolic link in it, and what runs is never called so";
	case EREMOTE:
		return "it is on a file system that may not answer";
	case EINVAL:
		return "it is not a regular file";
	default:
		return strerror(p->error);
	}
	if (!p->verified)
		return "others than root can change it, or a directory above it";
	if (!p->facts.inspected)
		return "it is still being looked at";
	return "it is not of the package or content that the rule asks for";
}
