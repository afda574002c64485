// SPDX-License-Identifier: GPL-2.0-or-later
/* What is told of the search for keys: health alerts and the status. */
#include "daemon/search-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "daemon/app.h"
#include "daemon/log.h"
#include "daemon/search-owners.h"
#include "watch/watcher.h"

static const char *const states[] = {
	[SEARCH_IS_OFF] = "off",
	[SEARCH_IS_WAITING] = "waiting",
	[SEARCH_IS_UNDER_WAY] = "searching",
	[SEARCH_IS_BROKEN] = "failed",
};

/* --- alerts --------------------------------------------------------------------------------------
 */

void search_bounded_free(struct search_bounded *bounded)
{
	for (size_t i = 0; i < SEARCH_BOUNDED_MAX; i++)
		free(bounded->paths[i]);
	*bounded = (struct search_bounded){.nr = 0};
}

/* The child has done with the place that it was sent last. */
void search_note_bounded(struct search_watch *s)
{
	if (s->bounded.nr < SEARCH_BOUNDED_MAX && s->at)
		s->bounded.paths[s->bounded.nr] = strdup(s->places[s->at - 1].path);
	s->bounded.nr++;
}

/* Once, and once when it is over: that only one which reads everything can tell. */
void search_tell_bounded(struct search_watch *s)
{
	const char *path = s->last_bounded.paths[0];
	char name[512] = "a tree", text[1024];

	if (s->last_bounded.nr && !s->bounded_told) {
		if (path)
			escape_bytes(path, strlen(path), name, sizeof(name), NULL);
		snprintf(
			text, sizeof(text),
			"%s has more names or directories than the search for keys looks through "
			"(discover.max_names %u): a key beyond is not found by what it is. Trees so "
			"cut short: %zu; `keytrail status --json` lists them",
			name, search_settings(s)->max_names, s->last_bounded.nr);
		log_line(SD_WARNING, "%s", text);
		feed_health(s->app, HEALTH_DEGRADED, "search-bounds", text);
		s->bounded_told = true;
	} else if (!s->last_bounded.nr && s->bounded_told && s->whole) {
		static const char over[] = "the search for keys sees all of each tree again";

		log_line(SD_NOTICE, "%s", over);
		feed_health(s->app, HEALTH_OK, "search-bounds", over);
		s->bounded_told = false;
	}
}

void search_tell_left_out(struct search_watch *s, int why)
{
	char text[512];

	if (why == -ENOSPC)
		snprintf(text, sizeof(text),
			 "as many keys are watched for what they are as may be (%d): keys of the "
			 "user with uid %u that were found are not watched",
			 WATCHER_FOUND_MAX, s->owner);
	else
		snprintf(text, sizeof(text),
			 "the user with uid %u has as many keys that are watched for what they are "
			 "as one may have (%d, and marks_quota): others of his are not watched",
			 s->owner, WATCHER_FOUND_OWNER_MAX);
	log_line(SD_WARNING, "%s", text);
	feed_health(s->app, HEALTH_DEGRADED, "found-keys", text);
}

/* Once, and once when a search has ended. */
void search_tell_broken(struct search_watch *s, const char *why, unsigned again_s)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "the search for keys was broken off: %s; it begins anew in %u minutes, and what "
		 "appears meanwhile under names that no entry knows is not watched",
		 why, again_s / 60);
	log_line(SD_WARNING, "%s", text);
	if (!s->broken_told)
		feed_health(s->app, HEALTH_DEGRADED, "search-broken", text);
	s->broken_told = true;
}

void search_tell_done(struct search_watch *s)
{
	static const char searched[] = "a search for keys has come to its end again",
			  watched[] = "all keys that were found are watched again";

	if (s->broken_told) {
		log_line(SD_NOTICE, "%s", searched);
		feed_health(s->app, HEALTH_OK, "search-broken", searched);
		s->broken_told = false;
	}
	if (s->whole && search_owners_over(s->owners)) {
		log_line(SD_NOTICE, "%s", watched);
		feed_health(s->app, HEALTH_OK, "found-keys", watched);
	}
}

/* There is nothing to be degraded any more. */
void search_tell_off(struct search_watch *s)
{
	static const char off[] = "the search for keys by what they are was switched off";

	if (s->bounded_told)
		feed_health(s->app, HEALTH_OK, "search-bounds", off);
	if (s->broken_told)
		feed_health(s->app, HEALTH_OK, "search-broken", off);
	s->bounded_told = s->broken_told = false;
	search_owners_begin(s->owners, true);
	if (search_owners_over(s->owners))
		feed_health(s->app, HEALTH_OK, "found-keys", off);
}

/* --- the status ----------------------------------------------------------------------------------
 */

static json_t *counts_json(const struct search_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "names", (json_int_t)counts->names,
			 "directories", (json_int_t)counts->dirs, "opened",
			 (json_int_t)counts->opened, "asked", (json_int_t)counts->asked,
			 "unreadable", (json_int_t)counts->unreadable, "mounts",
			 (json_int_t)counts->mounts, "bounded", (int)counts->bounded);
}

static json_t *bounded_json(const struct search_watch *s)
{
	json_t *list = json_array();
	char name[512];

	for (size_t i = 0; i < SEARCH_BOUNDED_MAX && s->last_bounded.paths[i]; i++) {
		const char *path = s->last_bounded.paths[i];

		escape_bytes(path, strlen(path), name, sizeof(name), NULL);
		json_array_append_new(list, json_string(name));
	}
	return list;
}

json_t *search_json(const struct search_watch *s)
{
	struct watcher_stats watched;
	json_t *json;

	watcher_stats(s->app->watcher, &watched);
	json = json_pack("{s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "state",
			 states[s->state], "whole", (int)s->whole, "now", counts_json(&s->so_far),
			 "last", counts_json(&s->last), "searches", (json_int_t)s->searches,
			 "trees", (json_int_t)s->nr_places, "tree", (json_int_t)s->at, "watched",
			 (json_int_t)watched.found, "test_keys", (json_int_t)s->test_keys,
			 "left_out", (json_int_t)s->left_out, "apart", (json_int_t)s->places_apart,
			 "failed", (json_int_t)s->failed);
	if (json) {
		json_object_set_new(json, "bounded_trees", bounded_json(s));
		json_object_set_new(json, "unread", json_integer((json_int_t)s->unread));
	}
	if (json && s->begun_ns)
		json_object_set_new(json, "begun", json_real((double)s->begun_ns / 1e9));
	if (json && s->ended_ns)
		json_object_set_new(json, "ended", json_real((double)s->ended_ns / 1e9));
	if (json && (s->state == SEARCH_IS_WAITING || s->state == SEARCH_IS_BROKEN))
		json_object_set_new(json, "next_in_s",
				    json_integer(s->next_s > search_now_s()
							 ? (json_int_t)(s->next_s - search_now_s())
							 : 0));
	return json;
}
