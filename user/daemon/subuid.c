// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose subordinate uids are whose: /etc/subuid. */
#include "daemon/subuid.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Up to `end`; a uid, and not the one that stands for none. */
static bool number(const char *text, char end, uint32_t *out)
{
	unsigned long n;
	char *stop;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoul(text, &stop, 10);
	if (errno || *stop != end || n >= UINT32_MAX)
		return false;
	*out = n;
	return true;
}

/* Read once for all lines: any user can have both files read again, and there may be thousands. */
struct name {
	char *name;
	uint32_t uid;
	size_t nr; /* of two lines of one name the first counts */
};

struct names {
	struct name *list;
	size_t nr;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

static int by_name_and_line(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int r = by_name(a, b);

	return r ? r : (x->nr > y->nr) - (x->nr < y->nr);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		free(names->list[i].name);
	free(names->list);
}

/* As many as there is memory for. */
static void names_read(FILE *passwd, struct names *names)
{
	size_t room = 0;

	for (struct passwd *pw; passwd && (pw = fgetpwent(passwd));) {
		struct name *name;

		if (names->nr == room) {
			room = room ? 2 * room : 64;
			name = reallocarray(names->list, room, sizeof(*name));
			if (!name)
				break;
			names->list = name;
		}
		name = &names->list[names->nr];
		*name = (struct name){strdup(pw->pw_name), pw->pw_uid, names->nr};
		if (!name->name)
			break;
		names->nr++;
	}
	if (!names->nr)
		return;
	qsort(names->list, names->nr, sizeof(*names->list), by_name_and_line);
}

static bool uid_of(const struct names *names, char *user, uint32_t *out_uid)
{
	const struct name key = {.name = user}, *found = NULL;

	if (number(user, '\0', out_uid))
		return true;
	if (names->nr)
		found = bsearch(&key, names->list, names->nr, sizeof(key), by_name);
	if (!found)
		return false;
	while (found > names->list && !by_name(found - 1, found))
		found--;
	*out_uid = found->uid;
	return true;
}

/* One line, changed on the way. */
static bool parse(char *line, const struct names *names, struct quota_range *out)
{
	char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;
	struct quota_range range;

	if (!count)
		return false;
	*first++ = '\0';
	line[strcspn(line, " \t")] = '\0';
	count++;
	count[strcspn(count, " \t\r\n")] = '\0';
	if (!number(first, ':', &range.first) || !number(count, '\0', &range.count) || !range.count)
		return false;
	if (range.count > UINT32_MAX - range.first)
		range.count = UINT32_MAX - range.first;
	if (!uid_of(names, line, &range.account))
		range.account = range.first;
	if (!range.account) /* root has no quota, and what he gives himself is his affair */
		return false;
	*out = range;
	return true;
}

static int by_first(const void *a, const void *b)
{
	const struct quota_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

size_t subuid_read(FILE *f, FILE *passwd, struct quota_range *ranges, size_t max, size_t *out_more)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0, nr = 0, kept = 0, more = 0;
	struct names names = {};
	uint64_t end = 0; /* of those before */

	names_read(passwd, &names);
	while (getline(&line, &size, f) >= 0) {
		struct quota_range range;

		if (parse(line, &names, &range)) {
			if (nr < max)
				ranges[nr++] = range;
			else
				more++;
		}
	}
	names_free(&names);
	qsort(ranges, nr, sizeof(*ranges), by_first);
	for (size_t i = 0; i < nr; i++) {
		struct quota_range r = ranges[i];
		const uint64_t stop = (uint64_t)r.first + r.count;

		if (stop <= end)
			continue;
		if (r.first < end) {
			r.first = (uint32_t)end;
			r.count = (uint32_t)(stop - end);
		}
		ranges[kept++] = r;
		end = stop;
	}
	*out_more = more;
	return kept;
}

uint32_t subuid_account(const struct quota_range *ranges, size_t nr, uint32_t uid)
{
	size_t low = 0, high = nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (uid < ranges[middle].first)
			high = middle;
		else if (uid - ranges[middle].first < ranges[middle].count)
			return ranges[middle].account;
		else
			low = middle + 1;
	}
	return uid;
}

static bool changed(const char *path, struct stat *known)
{
	struct stat now;

	if (stat(path, &now) < 0)
		now = (struct stat){};
	if (now.st_ino == known->st_ino && now.st_dev == known->st_dev &&
	    now.st_size == known->st_size &&
	    !memcmp(&now.st_mtim, &known->st_mtim, sizeof(now.st_mtim)) &&
	    !memcmp(&now.st_ctim, &known->st_ctim, sizeof(now.st_ctim)))
		return false;
	*known = now;
	return true;
}

int subuid_look(struct subuid *subuid, struct quota_range ranges[static QUOTA_RANGES_MAX],
		size_t *out_nr, size_t *out_more)
{
	/* Both are asked: what is read below is at least as new. */
	const bool one = changed("/etc/subuid", &subuid->subuid);
	const bool other = changed("/etc/passwd", &subuid->passwd);
	_cleanup_fclose_ FILE *f = NULL, *passwd = NULL;

	if (!one && !other)
		return 0;
	f = fopen("/etc/subuid", "re");
	passwd = fopen("/etc/passwd", "re");
	*out_more = 0;
	*out_nr = f ? subuid_read(f, passwd, ranges, QUOTA_RANGES_MAX, out_more) : 0;
	return 1;
}
