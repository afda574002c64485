/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's search for keys with everything around it made here: the host's trees, the watcher,
 * the readers of files, the clock, and whoever is told. Only the event loop is real, and the child
 * that searches: a process that sleeps, for which the test speaks.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "scan/process.h"

static int puppet_error; /* < 0: there is no child to be had */
static int puppet_fd = -1; /* its end of the socket */
static pid_t puppet; /* the last one */

static int spawn_puppet(const char *program, char *const argv[], const int fds[SCAN_PROCESS_FDS],
			struct scan_process *out_process)
{
	assert_string_equal(argv[0], "keytrail-search");
	if (puppet_error)
		return puppet_error;
	puppet = fork();
	assert_true(puppet >= 0);
	if (!puppet) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not come to its end */
		for (;;)
			pause();
	}
	puppet_fd = dup(fds[0]);
	*out_process = scan_process_of(puppet);
	return 0;
}

#define scan_process_spawn spawn_puppet
#include "daemon/search.c" /* the daemon is no library */
#undef scan_process_spawn
#include "daemon/search-file.c"
#include "daemon/search-owners.c"
#include "daemon/search-places.c"
#include "daemon/search-told.c"

/* --- the clock, and whoever is told --------------------------------------------------------------
 */

static uint64_t clock_s = 1000;

uint64_t app_boottime(void)
{
	return clock_s * SECOND_NS;
}

uint64_t app_realtime(void)
{
	return clock_s * SECOND_NS;
}

static char told[4096]; /* "degraded found-keys; ok found-keys; " */
static char said[8192]; /* for the operator */

void feed_health(struct app *app, enum health_level level, const char *what, const char *text)
{
	size_t len = strlen(told);

	snprintf(told + len, sizeof(told) - len, "%s %s; ", level == HEALTH_OK ? "ok" : "degraded",
		 what);
}

_printf_(2, 3) void log_line(const char *prefix, const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list args;

	va_start(args, fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, args);
	va_end(args);
}

/* What was told since the last look. */
#define assert_told(text)                        \
	do {                                     \
		assert_string_equal(told, text); \
		told[0] = '\0';                  \
	} while (0)

/* --- the policy, the trees -----------------------------------------------------------------------
 */

static struct settings set;
static uint32_t found_entry = 7;
static const char *tree_list[8], *home_list[8];
static size_t nr_tree_list, nr_home_list;

const struct settings *policy_settings(const struct policy *policy)
{
	return &set;
}

uint32_t policy_find_class(const struct policy *policy, enum object_class class)
{
	return class == CLASS_FOUND_KEY ? found_entry : 0;
}

const char *const *policy_discover_trees(const struct policy *policy, size_t *out_nr)
{
	*out_nr = nr_tree_list;
	return tree_list;
}

const char *const *homes_list(const struct homes *homes, size_t *out_nr)
{
	*out_nr = nr_home_list;
	return home_list;
}

static bool fds_answer = true;
struct fake_mount {
	const char *path, *type;
	int id;
	bool answers;
};
const struct fake_mount *mount_list;
size_t nr_mount_list;

bool mounts_answers(struct mounts *mounts, int fd)
{
	return fds_answer;
}

bool mounts_type_is_pseudo(const char *type)
{
	return !strcmp(type, "proc");
}

void mounts_each(struct mounts *mounts,
		 void (*call)(void *userdata, const char *path, int id, const char *type,
			      bool answers),
		 void *userdata)
{
	for (size_t i = 0; i < nr_mount_list; i++)
		call(userdata, mount_list[i].path, mount_list[i].id, mount_list[i].type,
		     mount_list[i].answers);
}

/* --- the watcher, the sensor ---------------------------------------------------------------------
 */

static int open_result; /* < 0: instead of a file */
static int room_result, add_result;
static unsigned opened, added;
static uint32_t entry_set;
static uint32_t account; /* to whom what root owns belongs */

uint32_t quota_account(const struct quota *quota, uint32_t uid)
{
	struct stat st;

	/* Root, but in a container of a user's. */
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_int_equal(uid, st.st_uid);
	return account;
}

void watcher_set_found_watch(struct watcher *watcher, uint32_t watch)
{
	entry_set = watch;
}

int watcher_open_found(struct watcher *watcher, const char *path, uint64_t dev, uint64_t ino)
{
	if (open_result < 0)
		return open_result;
	opened++; /* and is root's */
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int watcher_found_room(const struct watcher *watcher, uint32_t owner)
{
	assert_int_equal(owner, account);
	return room_result;
}

int watcher_add_found(struct watcher *watcher, int fd, const char *path, uint32_t owner)
{
	assert_int_equal(owner, account);
	added += add_result == 0;
	return add_result;
}

void watcher_stats(const struct watcher *watcher, struct watcher_stats *out_stats)
{
	*out_stats = (struct watcher_stats){.found = added};
}

static pid_t lent; /* to whom the marking slot is lent */

void sensor_lend_child(struct sensor *sensor, unsigned slot, pid_t pid)
{
	assert_int_equal(slot, MARKING_SLOT_SEARCH);
	lent = pid;
}

void sensor_child_ended(struct sensor *sensor, unsigned slot)
{
	lent = 0;
}

/* --- readers of files ----------------------------------------------------------------------------
 */

struct scan_child {
	int fd;
};

#define NEVER 1 /* a reader that was stopped: it says nothing */
static int replies[8]; /* of the readers in turn: 0 = a key, NEVER, or an error */
static int spawn_result;
static unsigned readers, readers_ended;
static struct key_identity reply_key = {.kind = KEY_ED25519};

int scan_child_spawn(const char *program, int key_fd, int sibling_fd, struct scan_child **out_child)
{
	const int reply = replies[readers < ARRAY_SIZE(replies) ? readers : 0];

	if (spawn_result < 0)
		return spawn_result;
	readers++;
	*out_child = calloc(1, sizeof(**out_child));
	assert_non_null(*out_child);
	(*out_child)->fd = eventfd(reply != NEVER, EFD_CLOEXEC);
	return 0;
}

int scan_child_fd(const struct scan_child *child)
{
	return child->fd;
}

int scan_child_read(struct scan_child *child, struct key_identity *out_id)
{
	const int reply = replies[readers - 1];

	if (reply == NEVER)
		return -EAGAIN;
	*out_id = reply_key;
	return reply;
}

void scan_child_free(struct scan_child *child)
{
	if (!child)
		return;
	readers_ended++;
	close(child->fd);
	free(child);
}

/* --- the search ----------------------------------------------------------------------------------
 */

struct rig {
	struct app app;
	struct search_watch *search;
};

static void rig_start(struct rig *rig)
{
	*rig = (struct rig){};
	set = (struct settings){
		.discover =
			{
				.content = true,
				.homes = true,
				.look_s = 60,
				.again_s = 3600,
				.max_names = 1000,
			},
	};
	found_entry = 7;
	nr_tree_list = nr_home_list = nr_mount_list = 0;
	fds_answer = true;
	puppet_error = spawn_result = open_result = room_result = add_result = 0;
	account = 0;
	opened = added = readers = readers_ended = 0;
	memset(replies, 0, sizeof(replies));
	reply_key = (struct key_identity){.kind = KEY_ED25519};
	told[0] = said[0] = '\0';
	assert_true(sd_event_new(&rig->app.loop) >= 0);
	assert_int_equal(search_watch_new(&rig->app, &rig->search), 0);
}

static void puppet_close(void)
{
	if (puppet_fd >= 0)
		close(puppet_fd);
	puppet_fd = -1;
}

static void rig_end(struct rig *rig)
{
	search_watch_free(rig->search);
	assert_int_equal(lent, 0);
	assert_int_equal(readers, readers_ended);
	puppet_close();
	sd_event_unref(rig->app.loop);
}

/* The next search begins, at its time. */
static inline void begin_search(struct rig *rig)
{
	if (clock_s < rig->search->next_s)
		clock_s = rig->search->next_s;
	search_watch_second(rig->search);
}

/* As the child, and let the daemon hear it. */
static inline void child_says(struct rig *rig, const struct search_message *message)
{
	assert_int_equal(send(puppet_fd, message, sizeof(*message), MSG_NOSIGNAL),
			 sizeof(*message));
	assert_true(sd_event_run(rig->app.loop, 10000000) > 0);
}

/* What the daemon has said to it. */
static inline struct search_message child_hears(void)
{
	struct search_message message = {.word = 0};

	assert_int_equal(recv(puppet_fd, &message, sizeof(message), MSG_DONTWAIT), sizeof(message));
	return message;
}

/* The daemon notices that the child has gone. */
static inline void child_dies(struct rig *rig)
{
	kill(puppet, SIGKILL);
	puppet_close();
	assert_true(sd_event_run(rig->app.loop, 10000000) > 0);
}

static inline void policy_in_force(struct rig *rig)
{
	search_watch_policy(rig->search);
	begin_search(rig);
}
