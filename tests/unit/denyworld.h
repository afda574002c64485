/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/deny*.c with a kernel side, a watcher and a clock that a test sets. */
#pragma once

static const char *hardlinks;
#define HARDLINKS hardlinks
static unsigned permits_room;
#define PERMITS_ROOM permits_room
/* The daemon is no library. */
#include "daemon/deny-permits.c"
#include "daemon/deny-programs.c"
#include "daemon/deny.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#include "tmpdir.h"

#define SECOND	    1000000000ULL
#define FILE_OBJECT 7

/* In place of the kernel side, the clock and the thread that looks at programs. */
static uint64_t now_ns;
static unsigned looks, looks_again, looks_first, healths;
static int open_error, permit_error;
static uint16_t regrouped;
static int regroup_result;
static unsigned all_regroups, all_fails; /* how often all were gone through, and will not be */
static unsigned others, alives; /* marks besides those below; signs of life */
static uint8_t denied_by_group[DENY_GROUPS];
static unsigned no_orders, permits_tried;
static struct {
	struct permit_key key;
	struct permit_value value;
} permits[8];
static size_t nr_permits;
static struct {
	uint64_t object;
	uint16_t group;
} marks[4];
static size_t nr_marks;

uint64_t app_boottime(void)
{
	return now_ns;
}

int programs_open(struct programs_watch *watch, const char *path)
{
	int fd = open_error ? open_error : open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);

	return open_error || fd >= 0 ? fd : -errno;
}

void programs_watch_path(struct programs_watch *watch, const char *path,
			 const struct inode_id *inode)
{
	looks++;
}

void programs_look_again(struct programs_watch *watch, const char *path,
			 const struct inode_id *inode, bool first)
{
	looks_again++;
	looks_first += first;
}

int sensor_identify_fd(struct sensor *sensor, int fd, struct inode_id *out_identity)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	*out_identity = (struct inode_id){.ino = st.st_ino, .dev = (uint32_t)st.st_dev};
	return 0;
}

enum exe_trust trust_ask(struct trust *trust, struct span exe, const struct inode_id *inode,
			 uint32_t nlink)
{
	return EXE_VERIFIED;
}

int sensor_permit(struct sensor *sensor, const struct permit_key *key,
		  const struct permit_value *value)
{
	size_t i = 0;

	permits_tried++;
	if (permit_error)
		return permit_error;
	while (i < nr_permits && memcmp(&permits[i].key, key, sizeof(*key)))
		i++;
	assert_in_range(i, 0, ARRAY_SIZE(permits) - 1);
	permits[i].key = *key;
	permits[i].value = *value;
	nr_permits += i == nr_permits;
	return 0;
}

void sensor_unpermit(struct sensor *sensor, const struct permit_key *key)
{
	for (size_t i = 0; i < nr_permits; i++)
		if (!memcmp(&permits[i].key, key, sizeof(*key))) {
			permits[i] = permits[--nr_permits];
			return;
		}
}

int sensor_deny(struct sensor *sensor, bool on)
{
	return 0;
}

void sensor_deny_group(struct sensor *sensor, uint16_t group, uint8_t denied)
{
	denied_by_group[group] = denied;
}

void sensor_deny_no_orders(struct sensor *sensor)
{
	no_orders++;
}

void sensor_deny_watches(struct sensor *sensor, uint16_t (*group)(void *userdata, uint32_t watch),
			 void *userdata)
{
}

int sensor_regroup(struct sensor *sensor, const struct inode_id *identity, uint64_t object,
		   uint16_t group)
{
	assert_int_equal(object, FILE_OBJECT);
	regrouped = group;
	return regroup_result;
}

bool sensor_regroup_all(struct sensor *sensor,
			uint16_t (*group)(void *userdata, uint64_t object, uint16_t present),
			void *userdata)
{
	all_regroups++;
	if (all_fails) {
		all_fails--;
		return false;
	}
	for (unsigned i = 0; i < others; i++)
		assert_int_equal(group(userdata, FILE_OBJECT + 100, 0), 0);
	for (size_t i = 0; i < nr_marks; i++)
		marks[i].group = group(userdata, marks[i].object, marks[i].group);
	return true;
}

const struct hooks *sensor_hooks(const struct sensor *sensor)
{
	return NULL;
}

const struct hook *hooks_find(const struct hooks *hooks, const char *program)
{
	return NULL;
}

uint32_t watcher_watch(const struct watcher *watcher, uint64_t object)
{
	return object == FILE_OBJECT ? 1 : 0;
}

void watcher_each(struct watcher *watcher,
		  void (*call)(void *userdata, const struct watched *watched), void *userdata)
{
	const struct watched file = {.object = FILE_OBJECT, .watch = 1, .inode = {.ino = 1}};

	call(userdata, &file);
}

void app_alive(const struct app *app)
{
	alives++;
}

void feed_health(struct app *app, enum health_level level, const char *what, const char *text)
{
	healths++;
}

_printf_(2, 3) void log_line(const char *prefix, const char *fmt, ...)
{
}

static inline void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

struct world {
	struct app app;
	struct deny *d;
	struct policy *policy;
	char path[PATH_MAX];
};

static inline void reload(struct world *w)
{
	assert_int_equal(deny_prepare(w->d, w->policy), 0);
	deny_switch(w->d);
	deny_retire(w->d);
}

/* An entry of that name, of the world's program and maybe others. */
static inline void parse(const struct world *w, const char *name, const char *conditions,
			 struct policy **out_policy)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list diags = {0};

	assert_true(asprintf(&text,
			     "version: 1\nwatch:\n- name: %s\n  class: key\n  paths: [/k]\n"
			     "  mode: deny\n  allow:\n  - {exe: '%s'%s}\n",
			     name, w->path, conditions) > 0);
	assert_int_equal(policy_parse("p", text, strlen(text), &diags, out_policy), 0);
	diag_list_fini(&diags);
}

static inline void set_links(void **state, const char *text)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", tmpdir_path(state, "protected_hardlinks"));
	write_file(path, text);
	hardlinks = path;
}

/* A policy that denies nothing. */
static inline void parse_none(struct policy **out_policy)
{
	static const char text[] = "version: 1\nwatch:\n- {name: w, class: key, paths: [/k]}\n";
	struct diag_list diags = {0};

	assert_int_equal(policy_parse("p", text, strlen(text), &diags, out_policy), 0);
	diag_list_fini(&diags);
}

static inline void begin(struct world *w, void **state, const char *conditions)
{
	set_links(state, "1\n");
	memset(w, 0, sizeof(*w));
	memset(denied_by_group, 0, sizeof(denied_by_group));
	now_ns = 100 * SECOND;
	looks = looks_again = looks_first = healths = 0;
	nr_permits = nr_marks = 0;
	open_error = permit_error = 0;
	regroup_result = 0;
	all_regroups = all_fails = 0;
	others = alives = 0;
	permits_room = PERMITS_MAX;
	snprintf(w->path, sizeof(w->path), "%s", tmpdir_path(state, "signd"));
	write_file(w->path, "one");
	parse(w, "w", conditions, &w->policy);
	assert_int_equal(deny_new(&w->app, &w->d), 0);
	reload(w);
}

static inline void end(struct world *w)
{
	deny_free(w->d);
	policy_free(w->policy);
}

static inline void found(struct world *w, enum package_state state)
{
	deny_program(w->d, &(struct event_program){.inode = w->d->programs->now,
						   .state = state,
						   .package = span_of("tool")});
}

static inline void second(struct world *w)
{
	now_ns += SECOND;
	deny_second(w->d);
}

static inline bool in_force(const struct table *t)
{
	assert_int_equal(t->nr, 1);
	assert_int_equal(denied_by_group[t->rows[0].group], t->rows[0].live ? DENY_READ : 0);
	return t->rows[0].live;
}
