// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may open what is denied to all others, as the kernel side is told it. */
#include "daemon/deny.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "daemon/log.h"
#include "daemon/programs.h"
#include "trust/dpkg.h"
#include "trust/trust.h"
#include "trust/verity.h"
#include "watch/watcher.h"

#ifndef HARDLINKS /* its test has one of its own */
#define HARDLINKS "/proc/sys/fs/protected_hardlinks"
#endif

#ifndef PERMITS_ROOM /* likewise */
#define PERMITS_ROOM PERMITS_MAX
#endif

#define PAST_MAX 8 /* as trust.c: inodes that stood at a path before */

/* A package manager puts the file in place first, and says in its database later what it should be:
 * what was found not to be what a rule asks for is looked at again after so long, ns, and each time
 * after twice as long. So are permits for which there was no room. */
#define AGAIN_MIN 2000000000ULL
#define AGAIN_MAX 64000000000ULL

/* A group is not in force before all that its rules ask for is known, or this has passed, ns: whom
 * the policy allows must not be refused because the daemon has just begun to look. */
#define WAIT_MAX 30000000000ULL

/* How often the marks are gone through at once; if they were never come by all, again in a second.
 */
#define REGROUP_TRIES 3

/* Of each policy a range of its own, so that the one before and the one to come have others. */
#define BASES	  (DENY_GROUPS / BASE_ROOM)
#define BASE_ROOM (DENY_ENTRIES_MAX + 1)

_Static_assert(BASES >= 3, "groups of three policies: a child may mark by one that has gone");

struct row {
	uint32_t watch;
	uint16_t group;
	uint8_t denied; /* DENY_* */
	bool live; /* in force */
	bool permitted; /* some program is */
};

/* The entries of a policy that deny. */
struct table {
	const struct policy *policy;
	struct row *rows;
	size_t nr;
	uint32_t first, end; /* groups: first <= group < end */
	uint32_t nr_permits; /* at most PERMITS_ROOM: the next one has as much room */
	uint64_t since_ns; /* CLOCK_BOOTTIME */
};

/* What was found out of a file. */
struct facts {
	bool inspected;
	enum package_state state;
	char package[PACKAGE_MAX], digest[80], verity[VERITY_TEXT];
};

static const struct facts unknown; /* not inspected */

/* An executable that rules of such entries name, by its path. */
struct program {
	struct inode_id now;
	struct {
		struct inode_id id;
		uint64_t until_ns; /* CLOCK_BOOTTIME: when it was found replaced */
		struct facts facts; /* by then: who runs it is judged by what it is */
	} past[PAST_MAX];
	unsigned nr_past;
	bool has_now, verified;
	struct stat st; /* as last seen */
	struct facts facts;
	/* These are of before its last change, which changed neither size nor time of writing:
	 * since when, 0 = they are of now. */
	uint64_t doubt_ns;
	uint64_t again_ns, again_after; /* when it is looked at again, how long after that */
	uint64_t gone_ns; /* nothing stands at its path: since when, 0 = something does */
	int error; /* why nothing is known of what stands there now, 0 */
	bool lacks; /* some entry would let it do more, were it of the content that a rule asks for
		     */
	bool named; /* by the table that is being made */
	UT_hash_handle hh;
	char path[];
};

struct permit {
	struct permit_key key;
	struct permit_value value;
	unsigned turn; /* when it was last asked for */
	UT_hash_handle hh;
};

struct deny {
	struct app *app;
	struct table now, next;
	bool preparing;
	bool used; /* some policy had such entries: marks may carry groups */
	bool held; /* deny_hold() */
	bool regroup_all; /* a mark may be of another group than the object is that it is of */
	bool behind; /* told: not all marks could be gone through */
	unsigned base; /* of the table made last */
	struct program *programs;
	struct permit *permits;
	unsigned turn;
	bool attached, failed; /* the kernel's program; it was wanted and could not be had */
	bool told_failed;
	bool full, full_now; /* told: more permits than there is room for; in this turn */
	uint64_t full_ns, full_after; /* when it is tried again, how long after that; 0 = at once */
	char why[256];
	uint64_t refused; /* opens */
};

static bool same_file(const struct inode_id *a, const struct inode_id *b)
{
	return inode_id_same(a, b) && a->gen == b->gen;
}

static uint8_t denied_by(const struct watch_entry *entry)
{
	uint8_t denied = 0;

	if (entry->mode != MODE_DENY)
		return 0;
	if (entry->on & 1U << ACTION_READ)
		denied |= DENY_READ;
	if (entry->on & 1U << ACTION_WRITE)
		denied |= DENY_WRITE;
	return denied;
}

/* --- who may -----------------------------------------------------------------------------------
 */

/*
 * What the program of this path may do by the rules of an entry, DENY_*, if what runs is that and
 * has these facts. Nothing else of the subject matters: policy/deny.c. *out_pending: what of that
 * depends on what is not known yet.
 */
static uint32_t may(const struct policy *policy, uint32_t watch, const char *path,
		    const struct facts *facts, uint32_t *out_pending)
{
	static const struct {
		enum policy_action action;
		uint32_t bit;
	} asked[] = {{ACTION_READ, DENY_READ}, {ACTION_WRITE, DENY_WRITE}};
	uint32_t bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		const struct policy_query query = {
			.watch = watch,
			.action = asked[i].action,
			.subject =
				{
					.exe = span_of(path),
					.exe_trust = EXE_VERIFIED,
					.inspected = facts->inspected,
					.package_state = facts->state,
					.package = span_of(facts->package),
					.digest = span_of(facts->digest),
					.verity = span_of(facts->verity),
					.uid = UID_UNSET,
					.loginuid = UID_UNSET,
				},
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.reason == REASON_ALLOWED || answer.reason == REASON_EXPECTED)
			bits |= asked[i].bit;
		if (answer.pending)
			*out_pending |= asked[i].bit;
	}
	return bits;
}

/* Whether a rule of the entry asks for the content, and lets it do nothing for what that is. */
static bool lacks(const struct table *t, const struct row *row, const struct program *p,
		  uint32_t bits)
{
	uint32_t asked = 0;

	if (!p->has_now || !p->verified || !p->facts.inspected)
		return false;
	may(t->policy, row->watch, p->path, &unknown, &asked);
	return asked & ~bits;
}

static bool same_value(const struct permit_value *a, const struct permit_value *b)
{
	return a->may == b->may && a->before == b->before;
}

static void put_permit(struct deny *d, struct table *t, const struct inode_id *exe, uint16_t group,
		       uint32_t may, uint64_t before)
{
	struct permit_key key = {.ino = exe->ino, .dev = exe->dev, .gen = exe->gen, .group = group};
	const struct permit_value value = {.before = before, .may = may};
	struct permit *permit;
	int r = 0;

	HASH_FIND(hh, d->permits, &key, sizeof(key), permit);
	if (!permit && t->nr_permits >= PERMITS_ROOM)
		r = -E2BIG;
	else if (!permit || !same_value(&permit->value, &value))
		r = sensor_permit(d->app->sensor, &key, &value);
	if (!permit && !r) {
		permit = calloc(1, sizeof(*permit));
		r = permit ? 0 : -ENOMEM;
		if (permit) {
			permit->key = key;
			HASH_ADD(hh, d->permits, key, sizeof(permit->key), permit);
			t->nr_permits++;
		} else {
			sensor_unpermit(d->app->sensor, &key);
		}
	}
	if (permit) {
		if (!r)
			permit->value = value; /* else it is tried again */
		permit->turn = d->turn;
	}
	if (!r)
		return;
	d->full_now = true;
	if (d->full)
		return;
	d->full = true;
	log_line(SD_ERR,
		 "mode: deny: a program that the policy allows cannot be told to the "
		 "kernel and is refused: %s",
		 strerror(-r));
	feed_health(d->app, HEALTH_DEGRADED, "deny",
		    "a program that the policy allows cannot be told to the kernel and is refused: "
		    "there are too many");
}

static void drop_permits(struct deny *d, struct table *t, bool all)
{
	struct permit *permit, *tmp;

	HASH_ITER(hh, d->permits, permit, tmp)
	{
		if (permit->key.group < t->first || permit->key.group >= t->end ||
		    (!all && permit->turn == d->turn))
			continue;
		sensor_unpermit(d->app->sensor, &permit->key);
		HASH_DEL(d->permits, permit);
		free(permit);
		t->nr_permits--;
	}
}

/* Who stood there before, each by what was known of it: nothing more will be found out. */
static void permit_past(struct deny *d, struct table *t, const struct row *row,
			const struct program *p)
{
	uint32_t pending = 0;

	for (unsigned n = 0; n < p->nr_past; n++) {
		uint32_t bits = may(t->policy, row->watch, p->path, &p->past[n].facts, &pending);

		if (bits && !(p->has_now && same_file(&p->past[n].id, &p->now)))
			put_permit(d, t, &p->past[n].id, row->group, bits | PERMIT_PAST,
				   p->past[n].until_ns);
	}
}

/* The row of the entry's name in the policy that `t` is to replace, if it is in force. */
static const struct row *row_before(const struct deny *d, const struct table *t,
				    const struct row *row)
{
	const char *name = policy_watch(t->policy, row->watch)->name;

	for (size_t i = 0; t == &d->next && i < d->now.nr; i++) {
		const struct row *before = &d->now.rows[i];

		if (before->live && !strcmp(policy_watch(d->now.policy, before->watch)->name, name))
			return before;
	}
	return NULL;
}

/*
 * Does the row wait for what is not known of the program? Not if nothing stands there, or cannot be
 * looked at: nothing will be known of that. Where the entry is in force already it stays so for all
 * that it did not let: who is new to it was refused until now.
 */
static bool waits_for(const struct deny *d, const struct row *before, const struct program *p)
{
	uint32_t pending = 0;

	return p->has_now && !p->error &&
	       (!before ||
		(p->verified && may(d->now.policy, before->watch, p->path, &p->facts, &pending)));
}

/* Puts permits in first and takes others out then, so that nobody is without his for a moment. */
static void permit_all(struct deny *d, struct table *t)
{
	const bool waited = app_boottime() - t->since_ns > WAIT_MAX;

	d->turn++;
	for (size_t i = 0; i < t->nr; i++) {
		struct row *row = &t->rows[i];
		const struct row *before = row_before(d, t, row);
		struct program *p, *tmp;
		bool pending = false;

		row->permitted = false;
		HASH_ITER(hh, d->programs, p, tmp)
		{
			uint32_t open = 0;
			uint32_t bits = may(t->policy, row->watch, p->path, &p->facts, &open);

			pending |= open && waits_for(d, before, p);
			p->lacks |= lacks(t, row, p, bits);
			if (bits && p->has_now && p->verified) {
				/* By whatever name it goes on it is not started as that program. */
				put_permit(d, t, &p->now, row->group,
					   bits | (p->gone_ns ? PERMIT_PAST : 0), p->gone_ns);
				row->permitted = true;
			}
			permit_past(d, t, row, p);
		}
		if (!row->live && d->attached && (!pending || waited)) {
			row->live = true;
			sensor_deny_group(d->app->sensor, row->group, row->denied);
		}
	}
	drop_permits(d, t, false);
}

static void permit_both(struct deny *d)
{
	struct program *p, *tmp;

	d->full_now = false;
	HASH_ITER(hh, d->programs, p, tmp)
	{
		p->lacks = false;
	}
	if (d->now.nr)
		permit_all(d, &d->now);
	if (d->preparing && d->next.nr)
		permit_all(d, &d->next);
	if (!d->full || d->full_now)
		return;
	d->full = false;
	d->full_ns = d->full_after = 0;
	feed_health(d->app, HEALTH_OK, "deny",
		    "all programs that the policy allows are known to the kernel again");
}

/* --- marks -------------------------------------------------------------------------------------
 */

static uint16_t group_of(const struct table *t, uint32_t watch)
{
	for (size_t i = 0; i < t->nr; i++)
		if (t->rows[i].watch == watch)
			return t->rows[i].group;
	return 0;
}

/* What nobody knows is of no entry, unless it was just marked by these and is not told yet. */
static uint16_t group_of_mark(void *userdata, uint64_t object, uint16_t present)
{
	const struct deny *d = userdata;
	const uint32_t watch = watcher_watch(d->app->watcher, object);

	if (watch)
		return group_of(&d->now, watch);
	return present >= d->now.first && present < d->now.end ? present : 0;
}

static void regroup_all(struct deny *d, unsigned tries)
{
	bool all = false;

	while (!all && tries--)
		all = sensor_regroup_all(d->app->sensor, group_of_mark, d);
	if (!all && !d->behind)
		log_line(SD_WARNING, "mode: deny: marks go as fast as they are gone through: files "
				     "may be judged by the policy before until that has been done");
	d->behind = d->regroup_all = !all;
}

/* --- programs ----------------------------------------------------------------------------------
 */

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

/* True: permits may be others now. */
static bool look(struct deny *d, struct program *p)
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
		permit_both(d);
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

	if (p && !same_file(&p->now, &exec->subject.exe) && look(d, p))
		permit_both(d);
}

void deny_refused(struct deny *d, const struct event_refused *refused)
{
	struct program *p = find(d, refused->exe);

	d->refused += 1 + (uint64_t)refused->more;
	if (p && look(d, p))
		permit_both(d);
}

/* Whether it is time to look for room again: all entries are gone through for all programs. */
static bool is_full_again(struct deny *d)
{
	const uint64_t now = app_boottime();

	if (!d->full || now < d->full_ns)
		return false;
	d->full_after = !d->full_after		    ? AGAIN_MIN
			: d->full_after < AGAIN_MAX ? 2 * d->full_after
						    : AGAIN_MAX;
	d->full_ns = now + d->full_after;
	return true;
}

void deny_second(struct deny *d)
{
	bool changed = is_full_again(d);
	struct program *p, *tmp;

	if (d->behind)
		regroup_all(d, 1);
	HASH_ITER(hh, d->programs, p, tmp)
	{
		changed |= look(d, p);
	}
	for (size_t i = 0; i < d->now.nr; i++)
		changed |= d->attached && !d->now.rows[i].live;
	if (changed)
		permit_both(d);
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

static void drop_programs(struct deny *d, bool all)
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

/* The executables of which a rule of these entries speaks. */
static int find_programs(struct deny *d, const struct table *t)
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
			wanted = may(t->policy, t->rows[i].watch, path, &unknown, &pending) ||
				 pending;
		if (wanted)
			r = add_program(d, path);
	}
	return r;
}

/* --- policies ----------------------------------------------------------------------------------
 */

static void table_end(struct deny *d, struct table *t)
{
	for (size_t i = 0; i < t->nr; i++)
		sensor_deny_group(d->app->sensor, t->rows[i].group, 0);
	drop_permits(d, t, true);
	free(t->rows);
	*t = (struct table){};
}

static int table_new(struct deny *d, const struct policy *policy, struct table *t)
{
	const uint32_t nr = policy_nr_watches(policy);

	/* Never that of the policy in force: of those in between any number may have been
	 * abandoned, and the end of one with the same groups would be the end of what it denies. */
	do
		d->base = (d->base + 1) % BASES;
	while (d->now.rows && d->base * BASE_ROOM == d->now.first);
	*t = (struct table){
		.policy = policy,
		.rows = calloc(DENY_ENTRIES_MAX, sizeof(*t->rows)),
		.first = d->base * BASE_ROOM,
		.end = (d->base + 1) * BASE_ROOM,
		.since_ns = app_boottime(),
	};
	if (!t->rows)
		return -ENOMEM;
	for (uint32_t watch = 1; watch <= nr && t->nr < DENY_ENTRIES_MAX; watch++) {
		uint8_t denied = denied_by(policy_watch(policy, watch));

		if (denied) {
			t->rows[t->nr] = (struct row){
				.watch = watch,
				.group = (uint16_t)(t->first + 1 + t->nr),
				.denied = denied,
			};
			t->nr++;
		}
	}
	return 0;
}

/*
 * Whether nobody can link a file that is not his and that he may not write. Else any user who may
 * make a name that is denied can have libc by it, and all opens of that are refused to the host.
 */
static bool links_protected(void)
{
	_cleanup_fclose_ FILE *f = fopen(HARDLINKS, "re");

	return f && fgetc(f) == '1';
}

/* error: negative errno of sensor_deny(), or -EMLINK: hard links are not protected. */
static void cannot(struct deny *d, int error)
{
	const struct hook *hook = hooks_find(sensor_hooks(d->app->sensor), "on_deny_open");

	if (error == -ESTALE)
		snprintf(d->why, sizeof(d->why),
			 "opens cannot be refused again before keytraild is restarted");
	else if (error == -EMLINK)
		snprintf(d->why, sizeof(d->why),
			 "fs.protected_hardlinks is not 1, so any user can have others' files "
			 "refused to all, by a hard link of a name that is denied: set it, and "
			 "reload the policy");
	else
		snprintf(d->why, sizeof(d->why), "opens cannot be refused on this kernel: %s",
			 hook && hook->why[0] ? hook->why : strerror(-error));
	d->failed = true;
	log_line(SD_ERR, "mode: deny is not in force: %s", d->why);
}

/* Before the first file is marked for it; a program that has nothing to refuse lets all pass. */
static void attach(struct deny *d)
{
	int r = 0;

	if (!d->attached)
		r = links_protected() ? sensor_deny(d->app->sensor, true) : -EMLINK;
	if (r < 0) {
		cannot(d, r);
		return;
	}
	d->attached = true;
	d->failed = false;
	d->app->look_for_open = true; /* sensor_deny() */
}

static void detach(struct deny *d)
{
	d->failed = false;
	if (!d->attached)
		return;
	sensor_deny(d->app->sensor, false);
	d->attached = false;
	d->app->look_for_open = true;
}

static uint16_t next_group(void *userdata, uint32_t watch)
{
	const struct deny *d = userdata;

	return group_of(d->preparing ? &d->next : &d->now, watch);
}

int deny_new(struct app *app, struct deny **out_deny)
{
	struct deny *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->app = app;
	sensor_deny_watches(app->sensor, next_group, d);
	*out_deny = d;
	return 0;
}

void deny_free(struct deny *d)
{
	struct permit *permit, *tmp;

	if (!d)
		return;
	HASH_ITER(hh, d->permits, permit, tmp)
	{
		HASH_DEL(d->permits, permit);
		free(permit);
	}
	drop_programs(d, true);
	free(d->now.rows);
	free(d->next.rows);
	free(d);
}

int deny_prepare(struct deny *d, const struct policy *policy)
{
	struct program *p, *tmp;
	int r = table_new(d, policy, &d->next);

	if (r < 0)
		return r;
	d->preparing = true;
	if (d->used)
		sensor_deny_no_orders(d->app->sensor);
	d->used |= d->next.nr > 0;
	if (d->next.nr)
		attach(d);
	r = find_programs(d, &d->next);
	if (r < 0) {
		deny_abandon(d);
		return r;
	}
	HASH_ITER(hh, d->programs, p, tmp)
	{
		if (p->named)
			look(d, p);
	}
	permit_both(d);
	return 0;
}

/* Whether it is in force, told when that changes. */
static void tell(struct deny *d)
{
	const bool failed_before = d->told_failed;
	char text[512];

	d->told_failed = d->now.nr && d->failed;
	if (d->told_failed) {
		snprintf(
			text, sizeof(text),
			"mode: deny is not in force: entries that say so work as with mode: alert: "
			"%s",
			d->why);
		feed_health(d->app, HEALTH_DEGRADED, "deny", text);
	} else if (failed_before) {
		feed_health(d->app, HEALTH_OK, "deny", "nothing that the policy denies is open");
	}
}

void deny_switch(struct deny *d)
{
	struct table old = d->now;

	d->now = d->next;
	d->next = old; /* until the marks are of the new one */
	d->preparing = false;
}

static void regroup(void *userdata, const struct watched *watched)
{
	deny_object(userdata, watched);
}

void deny_hold(struct deny *d)
{
	d->held = true;
}

/*
 * Also what the walk did not come by again: its mark is of the policy before, or of none. Then what
 * no identity leads to: on overlayfs the inode beneath has a mark of its own, by which it would be
 * judged under the layer's own name. Only if some object's group is another one than it was, or
 * some object has ended.
 */
void deny_settle(struct deny *d)
{
	d->held = false;
	if (!d->used)
		return;
	watcher_each(d->app->watcher, regroup, d);
	if (d->regroup_all)
		regroup_all(d, REGROUP_TRIES);
}

void deny_retire(struct deny *d)
{
	d->regroup_all = true;
	deny_settle(d);
	table_end(d, &d->next);
	drop_programs(d, false);
	if (d->full) /* there is room now */
		permit_both(d);
	if (!d->now.nr)
		detach(d);
	tell(d);
}

void deny_abandon(struct deny *d)
{
	d->preparing = false;
	table_end(d, &d->next);
	if (d->now.nr)
		return; /* programs that the present policy does not name get no permit by it */
	detach(d); /* before 5.13 for good: policy.md says so */
	drop_programs(d, true);
}

uint32_t deny_flags(const struct deny *d, uint32_t watch)
{
	return d && watch ? mark_group(group_of(&d->now, watch)) : 0;
}

void deny_object(struct deny *d, const struct watched *watched)
{
	/* An error: there is no such mark any more, but there may be one beneath. */
	if (d && d->used && !d->held && watched->inode.ino &&
	    sensor_regroup(d->app->sensor, &watched->inode, watched->object,
			   watched->watch ? group_of(&d->now, watched->watch) : 0))
		d->regroup_all = true;
}

static const char *why_not(const struct program *p)
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

/* An entry that nobody may open: which programs its rules name, and what is wrong with them. */
static void warn_of_row(const struct deny *d, const struct row *row, json_t *warnings)
{
	struct program *p, *tmp;

	HASH_ITER(hh, d->programs, p, tmp)
	{
		uint32_t pending = 0;

		if (may(d->now.policy, row->watch, p->path, &unknown, &pending) || pending)
			json_array_append_new(
				warnings,
				json_sprintf("mode: deny: nobody may open files of '%s': %s: %s",
					     policy_watch(d->now.policy, row->watch)->name, p->path,
					     why_not(p)));
	}
}

json_t *deny_json(const struct deny *d, json_t *warnings)
{
	size_t live = 0;

	for (size_t i = 0; i < d->now.nr; i++)
		live += d->now.rows[i].live;
	for (size_t i = 0; i < d->now.nr; i++)
		if (d->now.rows[i].live && !d->now.rows[i].permitted)
			warn_of_row(d, &d->now.rows[i], warnings);
	if (d->now.nr && !d->attached)
		json_array_append_new(warnings,
				      json_sprintf("mode: deny is not in force, entries that say "
						   "so work as with mode: alert: %s",
						   d->why));
	else if (live < d->now.nr)
		json_array_append_new(warnings,
				      json_string("mode: deny is not in force yet for all entries: "
						  "what programs are is still being looked at"));
	if (d->behind)
		json_array_append_new(
			warnings,
			json_string(
				"mode: deny: not all marks are of the policy in force yet: they "
				"go as fast as they are gone through"));
	return json_pack("{s:i, s:i, s:i, s:i, s:I, s:s}", "entries", (int)d->now.nr, "in_force",
			 (int)live, "programs", (int)HASH_COUNT(d->programs), "permits",
			 (int)HASH_COUNT(d->permits), "refused", (json_int_t)d->refused, "why",
			 d->failed ? d->why : "");
}
