// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is over the quota of marks: a health alert for each, and a walk when there is room again. */
#include "daemon/quota.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "daemon/log.h"
#include "daemon/subuid.h"

/* So many are told of, ever; all are counted. */
#define OVER_MAX 64

/* One that goes on is told again after this long, ns. */
#define TELL_AGAIN 3600000000000ULL
/* Between two walks for room that is free again: who fills and empties his has no more of them. */
#define WALK_AGAIN 20000000000ULL

struct over {
	uint32_t account;
	uint64_t marks, refused; /* as last seen */
	uint64_t told_ns; /* CLOCK_BOOTTIME */
	bool waiting; /* some of its files are not marked for want of room */
};

struct quota {
	struct app *app;
	struct over over[OVER_MAX];
	size_t nr;
	uint64_t refusals; /* all of them, as last seen */
	uint64_t walked_ns; /* CLOCK_BOOTTIME */
	bool relieved; /* a walk is due */
	struct subuid subuid;
	struct quota_range ranges[QUOTA_RANGES_MAX]; /* as read last */
	size_t nr_ranges;
};

/* Whose subordinate uids are whose, if that is news. */
static void look_for_ranges(struct quota *q)
{
	size_t more;

	if (!subuid_look(&q->subuid, q->ranges, &q->nr_ranges, &more))
		return;
	sensor_set_quota_ranges(q->app->sensor, q->ranges, q->nr_ranges);
	if (more)
		log_line(
			SD_WARNING,
			"/etc/subuid: %zu ranges of subordinate uids are more than the %u that are "
			"charged to their users; each uid of the others has a quota of its own",
			more, QUOTA_RANGES_MAX);
}

int quota_new(struct app *app, struct quota **out_quota)
{
	struct quota *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->app = app;
	look_for_ranges(q);
	*out_quota = q;
	return 0;
}

uint32_t quota_account(const struct quota *q, uint32_t uid)
{
	return subuid_account(q->ranges, q->nr_ranges, uid);
}

void quota_free(struct quota *q)
{
	free(q);
}

static uint32_t quota_of(const struct quota *q)
{
	return policy_settings(q->app->policy)->marks_quota;
}

static void account_name(uint32_t account, char *out, size_t size)
{
	if (account == QUOTA_FUSE)
		snprintf(out, size, "all files on FUSE together");
	else if (account == QUOTA_SHARED)
		snprintf(out, size, "users beyond those that are counted one by one");
	else
		snprintf(out, size, "the user with uid %" PRIu32, account);
}

static void tell(struct quota *q, const struct over *over)
{
	char who[96], text[256];

	account_name(over->account, who, sizeof(who));
	snprintf(text, sizeof(text),
		 "%s: %" PRIu64 " files and directories are watched, and more are not to be "
		 "(marks_quota %" PRIu32
		 "): what else appears there under watched names is not seen",
		 who, over->marks, quota_of(q));
	log_line(SD_WARNING, "%s", text);
	feed_health(q->app, HEALTH_DEGRADED, "marks-quota", text);
}

static struct over *find(struct quota *q, uint32_t account)
{
	for (size_t i = 0; i < q->nr; i++)
		if (q->over[i].account == account)
			return &q->over[i];
	return NULL;
}

static void look(void *userdata, const struct sensor_account *account)
{
	struct quota *q = userdata;
	struct over *over = find(q, account->account);
	uint64_t now = app_boottime();
	bool more;

	if (!over) {
		if (!account->refused || q->nr == OVER_MAX)
			return;
		over = &q->over[q->nr++];
		*over = (struct over){.account = account->account};
	}
	more = account->refused != over->refused;
	over->marks = account->marks;
	over->refused = account->refused;
	if (more) {
		over->waiting = true;
		if (!over->told_ns || now - over->told_ns > TELL_AGAIN) {
			over->told_ns = now;
			tell(q, over);
		}
		return;
	}
	/* An eighth is free, and nothing was refused for a second: worth a walk. */
	if (over->waiting && account->marks + account->marks / 8 <= quota_of(q)) {
		over->waiting = false;
		q->relieved = true;
	}
}

void quota_second(struct quota *q)
{
	uint64_t refusals = q->app->stats.drops[WIRE_DROP_MARK_QUOTA];
	uint64_t now = app_boottime();
	bool waiting = false;

	look_for_ranges(q);
	for (size_t i = 0; i < q->nr; i++)
		waiting |= q->over[i].waiting;
	if (refusals != q->refusals || waiting) {
		q->refusals = refusals;
		sensor_quota_each(q->app->sensor, look, q);
	}
	if (!q->relieved || (q->walked_ns && now - q->walked_ns < WALK_AGAIN))
		return;
	q->relieved = false;
	q->walked_ns = now;
	app_walk_soon(q->app);
}

void quota_set_policy(struct quota *q)
{
	sensor_set_quota(q->app->sensor, quota_of(q));
}

static void refresh(void *userdata, const struct sensor_account *account)
{
	struct over *over = find(userdata, account->account);

	if (over)
		over->marks = account->marks;
}

json_t *quota_json(struct quota *q)
{
	json_t *users = json_array();

	if (q->nr)
		sensor_quota_each(q->app->sensor, refresh, q);
	for (size_t i = 0; i < q->nr; i++) {
		const struct over *over = &q->over[i];
		bool uid = over->account < QUOTA_FUSE;
		char who[96];

		account_name(over->account, who, sizeof(who));
		json_array_append_new(users,
				      json_pack("{s:o, s:s, s:I, s:I, s:b}", "uid",
						uid ? json_integer(over->account) : json_null(),
						"who", who, "marks", (json_int_t)over->marks,
						"refused", (json_int_t)over->refused, "waiting",
						(int)over->waiting));
	}
	return json_pack("{s:I, s:o}", "max", (json_int_t)quota_of(q), "users", users);
}
