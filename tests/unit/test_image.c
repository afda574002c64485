// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images of containers: what the runtimes' files say (proc/image.c), which files count
 * (trust/runtimes.c), what is asked and told (daemon/images.c), what is kept (engine/images.c).
 */
#include "daemon/images.c" /* the daemon is no library */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tmpdir.h"

#define HEX  "4f1c0a9e8d7b65544f1c0a9e8d7b65544f1c0a9e8d7b65544f1c0a9e8d7b6554"
#define HEX2 "5f1c0a9e8d7b65544f1c0a9e8d7b65544f1c0a9e8d7b65544f1c0a9e8d7b6554"
#define SHA  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct event told[4];
static struct container_image told_image;
static unsigned nr_told;
static uint64_t now = 1000000000;

void feed(struct app *app, const struct event *event)
{
	told[nr_told++ % 4] = *event;
	snprintf(told_image.name, sizeof(told_image.name), "%.*s", (int)event->container.image.len,
		 event->container.image.p);
	snprintf(told_image.id, sizeof(told_image.id), "%.*s", (int)event->container.image_id.len,
		 event->container.image_id.p);
}

uint64_t app_boottime(void)
{
	return now;
}

bool mounts_answers(struct mounts *mounts, int fd)
{
	return true;
}

/* --- what is written ---------------------------------------------------------------------------
 */

#define DOCKER(id, image, name)                                              \
	"{\"ID\":\"" id "\",\"Image\":" image ",\"Config\":{\"Image\":" name \
	"},\"State\":{\"Pid\":18446744073709551615}}"
#define STORAGE(id, image, metadata)                                                         \
	"[{\"id\":\"" HEX2 "\",\"image\":\"" HEX "\"},7,{\"id\":\"" id "\",\"image\":" image \
	",\"metadata\":" metadata "}]"
#define CRI_OF(type, name)                                             \
	"{\"annotations\":{\"io.kubernetes.cri.container-type\":" type \
	",\"io.kubernetes.cri.image-name\":" name "}}"
#define CRI(name) CRI_OF("\"container\"", name)

static void take(void *userdata, const char *container, const struct container_image *image)
{
	if (!strcmp(container, HEX))
		*(struct container_image *)userdata = *image;
}

#define STORAGE_FILE IMAGE_SOURCE_NR

static int parse(enum image_source source, const char *text, struct container_image *image)
{
	const struct container_image before = *image;
	int r;

	if (source != STORAGE_FILE)
		return image_parse(source, text, strlen(text), HEX, image);
	r = image_parse_storage(text, strlen(text), take, image);
	return r == 0 && !memcmp(image, &before, sizeof(before)) ? -ENOENT : r;
}

static void files_of_runtimes_tell_the_image(void **state)
{
	static const struct {
		enum image_source source;
		const char *text;
		int result;
		const char *name, *id;
	} rows[] = {
		{IMAGE_DOCKER, DOCKER(HEX, "\"sha256:" SHA "\"", "\"nginx:1.25\""), 0, "nginx:1.25",
		 "sha256:" SHA},
		{IMAGE_DOCKER, DOCKER(HEX, "\"sha256:" SHA "\"", "7"), 0, "", "sha256:" SHA},
		{IMAGE_DOCKER, DOCKER(HEX, "[]", "\"a/b\""), 0, "a/b", ""},
		{IMAGE_DOCKER, DOCKER(HEX, "\"" SHA "\"", "\"a\""), 0, "a", ""},
		{IMAGE_DOCKER, DOCKER(HEX, "\"sha256:" SHA "0\"", "\"a\""), 0, "a", ""},
		{IMAGE_DOCKER, DOCKER(HEX, "\"sha256:x\"", "\"\""), -ENOENT, NULL, NULL},
		{IMAGE_DOCKER, DOCKER(HEX2, "\"sha256:" SHA "\"", "\"a\""), -ENOENT, NULL, NULL},
		{IMAGE_DOCKER, "{\"Image\":\"sha256:" SHA "\"}", -ENOENT, NULL, NULL},
		{IMAGE_DOCKER, "{\"ID\":\"" HEX "\",\"Config\":[\"Image\"]}", -ENOENT, NULL, NULL},
		{IMAGE_DOCKER, "[]", -EINVAL, NULL, NULL},
		{IMAGE_DOCKER, "", -EINVAL, NULL, NULL},
		{IMAGE_DOCKER, "{\"ID\":", -EINVAL, NULL, NULL},
		/* Twice: which of them is meant? */
		{IMAGE_DOCKER, "{\"ID\":\"" HEX "\",\"ID\":\"" HEX "\"}", -EINVAL, NULL, NULL},
		/* What no name of an image has. */
		{IMAGE_DOCKER, DOCKER(HEX, "1", "\"a b\""), -ENOENT, NULL, NULL},
		{IMAGE_DOCKER, DOCKER(HEX, "1", "\"a\\nb\""), -ENOENT, NULL, NULL},
		{IMAGE_DOCKER, DOCKER(HEX, "1", "\"a\\u001b[m\""), -ENOENT, NULL, NULL},
		{IMAGE_DOCKER, DOCKER(HEX, "1", "\"\\u202ea\""), -ENOENT, NULL, NULL},
		{IMAGE_DOCKER, DOCKER(HEX, "1", "\"a\\u0000b\""), -EINVAL, NULL, NULL},
		{IMAGE_DOCKER, DOCKER(HEX, "1", "\"\xff\""), -EINVAL, NULL, NULL},
		{IMAGE_DOCKER, DOCKER(HEX, "1", "\"a\\u002fb\""), 0, "a/b", ""},
		{STORAGE_FILE,
		 STORAGE(HEX, "\"" SHA "\"", "\"{\\\"image-name\\\":\\\"q.io/a:1\\\"}\""), 0,
		 "q.io/a:1", "sha256:" SHA},
		{STORAGE_FILE, STORAGE(HEX, "\"" SHA "\"", "\"no JSON\""), 0, "", "sha256:" SHA},
		{STORAGE_FILE, STORAGE(HEX, "\"" SHA "\"", "{}"), 0, "", "sha256:" SHA},
		{STORAGE_FILE, STORAGE(HEX, "\"sha256:" SHA "\"", "\"[]\""), -ENOENT, NULL, NULL},
		{STORAGE_FILE, STORAGE(HEX, "\"../x\"", "\"{\\\"image-name\\\":\\\"a\\\"}\""), 0,
		 "a", ""},
		{STORAGE_FILE, "[]", -ENOENT, NULL, NULL},
		{STORAGE_FILE, "{}", -EINVAL, NULL, NULL},
		{IMAGE_CRI, CRI("\"docker.io/library/nginx:1.25\""), 0,
		 "docker.io/library/nginx:1.25", ""},
		{IMAGE_CRI, CRI("\"sha256:" SHA "\""), 0, "", "sha256:" SHA},
		{IMAGE_CRI, CRI("{}"), -ENOENT, NULL, NULL},
		/* Not by kubernetes, or of no container. */
		{IMAGE_CRI, "{\"annotations\":{\"io.kubernetes.cri.image-name\":\"a\"}}", -ENOENT,
		 NULL, NULL},
		{IMAGE_CRI, CRI_OF("\"sandbox\"", "\"a\""), -ENOENT, NULL, NULL},
		{IMAGE_CRI, CRI_OF("\"sandbox\"", "\"sha256:" SHA "\""), -ENOENT, NULL, NULL},
		{IMAGE_CRI, CRI_OF("true", "\"a\""), -ENOENT, NULL, NULL},
		/* No limit, in an OCI configuration. */
		{IMAGE_CRI,
		 "{\"process\":{\"rlimits\":[{\"hard\":18446744073709551615}]},"
		 "\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
		 "\"io.kubernetes.cri.image-name\":\"a\"}}",
		 0, "a", ""},
		{IMAGE_CRI, "{\"annotations\":null}", -ENOENT, NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct container_image image = {"untouched", ""};
		int r = parse(rows[i].source, rows[i].text, &image);

		if (r != rows[i].result ||
		    strcmp(image.name, rows[i].name ? rows[i].name : "untouched") != 0 ||
		    strcmp(image.id, rows[i].id ? rows[i].id : "") != 0)
			fail_msg("row %zu: %d '%s' '%s'", i, r, image.name, image.id);
	}
}

static void a_name_that_would_be_cut_is_none(void **state)
{
	char name[IMAGE_NAME_SIZE + 1], text[2048];
	struct container_image image;
	size_t n;

	for (size_t longer = 0; longer < 2; longer++) {
		memset(name, 'x', sizeof(name));
		name[IMAGE_NAME_SIZE - 1 + longer] = '\0';
		n = (size_t)snprintf(text, sizeof(text), CRI("\"%s\""), name);
		assert_int_equal(image_parse(IMAGE_CRI, text, n, HEX, &image),
				 longer ? -ENOENT : 0);
	}
	assert_int_equal(strlen(image.name), IMAGE_NAME_SIZE - 1);
}

static void only_whole_ids_are_ids(void **state)
{
	assert_true(container_id_is_whole(span_of(HEX)));
	assert_false(container_id_is_whole(span_of(HEX "0")));
	assert_false(container_id_is_whole(span_of("4f1c0a9e8d7b")));
	assert_false(
		container_id_is_whole(span_of("../../../../../../../../../../../../../../../../"
					      "../../../../aaaa")));
	assert_false(container_id_is_whole((struct span){NULL, 0}));
	assert_false(container_id_is_whole((struct span){HEX, 63}));
}

/* --- which files count -------------------------------------------------------------------------
 */

#define DOCKER_DIR  "/var/lib/docker/containers"
#define STORAGE_DIR "/var/lib/containers/storage/overlay-containers"
#define TASKS_DIR   "/run/containerd/io.containerd.runtime.v2.task"

static struct runtimes here; /* the host of a test */

static void in(const char *path, char out[static 1024])
{
	snprintf(out, 1024, "%s%s", here.root, path);
}

/* The file and the directories on its way. */
static void put(const char *path, const char *text)
{
	char whole[1024];
	FILE *f;

	in(path, whole);
	for (char *p = whole + strlen(here.root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(whole, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*p = '/';
	}
	f = fopen(whole, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(whole, 0600), 0);
}

static void let(const char *path, mode_t mode)
{
	char whole[1024];

	in(path, whole);
	assert_int_equal(chmod(whole, mode), 0);
}

static struct runtimes_refused refused;

static bool finds(const char *name)
{
	struct container_image image = {"", ""};

	return runtimes_find_image(&here, span_of(HEX), &refused, &image) == 0 &&
	       !strcmp(image.name, name);
}

static int setup(void **state)
{
	if (tmpdir_make(state))
		return -1;
	umask(022);
	here = (struct runtimes){.root = *state, .owner = getuid()};
	nr_told = 0;
	return 0;
}

#define DOCKER_FILE DOCKER_DIR "/" HEX "/config.v2.json"

static void each_runtime_is_asked(void **state)
{
	static const struct {
		const char *path, *text, *name;
	} rows[] = {
		/* From the last that is asked to the first: each goes before those above. */
		{"/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" HEX "/config.json",
		 CRI("\"k3s\""), "k3s"},
		{TASKS_DIR "/k8s.io/" HEX "/config.json", CRI("\"cri\""), "cri"},
		{"/run/containers/storage/overlay-containers/volatile-containers.json",
		 STORAGE(HEX, "1", "\"{\\\"image-name\\\":\\\"transient\\\"}\""), "transient"},
		{STORAGE_DIR "/volatile-containers.json",
		 STORAGE(HEX, "1", "\"{\\\"image-name\\\":\\\"rm\\\"}\""), "rm"},
		{STORAGE_DIR "/containers.json",
		 STORAGE(HEX, "1", "\"{\\\"image-name\\\":\\\"pod\\\"}\""), "pod"},
		{DOCKER_FILE, DOCKER(HEX, "1", "\"dock\""), "dock"},
	};
	struct container_image image;

	put(TASKS_DIR "/k8s.io/" HEX2 "/config.json", CRI("\"other\""));
	assert_false(finds("other"));
	/* In other name spaces who makes a container says what he likes. */
	put(TASKS_DIR "/moby/" HEX "/config.json", CRI("\"q.io/good\""));
	put(TASKS_DIR "/default/" HEX "/config.json", CRI("\"q.io/good\""));
	assert_int_equal(runtimes_find_image(&here, span_of(HEX), &refused, &image), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put(rows[i].path, rows[i].text);
		if (!finds(rows[i].name))
			fail_msg("row %zu", i);
	}
	/* Nothing but a whole id is put into a path. */
	assert_int_equal(runtimes_find_image(&here, span_of("."), &refused, &image), -ENOENT);
	assert_int_equal(runtimes_find_image(&here, (struct span){HEX, 12}, &refused, &image),
			 -ENOENT);
}

/* As runtimes do: another file in its place. With the old time, to be seen by the rest. */
static void replace(const char *path, const char *text, const struct stat *times)
{
	char whole[1024], next[1024];

	in(path, whole);
	in("/next", next);
	put("/next", text);
	if (times)
		assert_int_equal(utimensat(AT_FDCWD, next,
					   (struct timespec[]){times->st_atim, times->st_mtim}, 0),
				 0);
	assert_int_equal(rename(next, whole), 0);
}

#define POD(name) STORAGE(HEX, "1", "\"{\\\"image-name\\\":\\\"" name "\\\"}\"")

static void a_file_about_all_is_read_once_and_when_it_changed(void **state)
{
	static const char path[] = STORAGE_DIR "/containers.json";
	struct container_image image = {"", ""};
	char whole[1024];
	struct stat st;

	in(path, whole);
	here.kept = runtimes_kept_new();
	assert_non_null(here.kept);
	put(path, POD("one"));
	assert_true(finds("one"));
	/* Others in it are known by then. */
	assert_int_equal(runtimes_find_image(&here, span_of(HEX2), &refused, &image), 0);
	assert_string_equal(image.id, "sha256:" HEX);
	/* Rewritten so that nothing of it tells: it was not read again. */
	assert_int_equal(stat(whole, &st), 0);
	put(path, POD("two"));
	assert_int_equal(utimensat(AT_FDCWD, whole, (struct timespec[]){st.st_atim, st.st_mtim}, 0),
			 0);
	assert_true(finds("one"));
	/* Another time, another size, another file. */
	st.st_mtim.tv_nsec ^= 1;
	assert_int_equal(utimensat(AT_FDCWD, whole, (struct timespec[]){st.st_atim, st.st_mtim}, 0),
			 0);
	assert_true(finds("two"));
	replace(path, POD("three"), &st);
	assert_true(finds("three"));
	replace(path, POD("seven"), &st);
	assert_true(finds("seven"));
	/* What is no such file, and none. */
	replace(path, "{", NULL);
	assert_false(finds("seven"));
	replace(path, POD("last"), NULL);
	assert_true(finds("last"));
	let(path, 0666);
	assert_false(finds("last"));
	let(path, 0600);
	assert_true(finds("last"));
	assert_int_equal(unlink(whole), 0);
	assert_false(finds("last"));
	runtimes_kept_free(here.kept);
}

static void what_others_may_change_does_not_count(void **state)
{
	static const char *const paths[] = {DOCKER_FILE, DOCKER_DIR "/" HEX, DOCKER_DIR};
	char whole[1024], to[1024];

	put(DOCKER_FILE, DOCKER(HEX, "1", "\"a\""));
	assert_true(finds("a"));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		for (unsigned bit = S_IWOTH; bit <= S_IWGRP; bit <<= 3) {
			let(paths[i], 0700 | bit);
			assert_false(finds("a"));
		}
		let(paths[i], 0700);
		assert_true(finds("a"));
	}
	here.owner++;
	assert_false(finds("a"));
	here.owner--;
	/* A link, a pipe, too much. */
	in(DOCKER_FILE, whole);
	in("/elsewhere", to);
	assert_int_equal(rename(whole, to), 0);
	assert_int_equal(symlink(to, whole), 0);
	assert_false(finds("a"));
	assert_int_equal(unlink(whole), 0);
	assert_int_equal(mkfifo(whole, 0600), 0);
	assert_false(finds("a"));
	assert_int_equal(unlink(whole), 0);
	assert_int_equal(rename(to, whole), 0);
	assert_true(finds("a"));
	assert_int_equal(truncate(whole, (off_t)RUNTIME_ONE_MAX + 1), 0);
	assert_false(finds("a"));
}

static int open_nothing(void *userdata, const char *path)
{
	return -*(const int *)userdata;
}

static void refuses(enum runtimes_fault fault, const char *path)
{
	assert_false(finds("a"));
	assert_string_equal(runtimes_fault_str(refused.fault), runtimes_fault_str(fault));
	assert_string_equal(refused.path, path);
}

/* Who wonders why no rule counts is told which file it is, and what is wrong with it. */
static void what_was_there_and_did_not_count_is_named(void **state)
{
	static const struct {
		int error;
		enum runtimes_fault fault;
	} errors[] = {
		{ENOENT, RUNTIMES_NONE},       {EREMOTE, RUNTIMES_SILENT},
		{ELOOP, RUNTIMES_TYPE},	       {ENOTDIR, RUNTIMES_TYPE},
		{EACCES, RUNTIMES_UNREADABLE}, {EPERM, RUNTIMES_UNREADABLE},
	};
	char whole[1024];
	int error;

	refuses(RUNTIMES_NONE, "");
	put(DOCKER_FILE, DOCKER(HEX, "1", "\"a\""));
	assert_true(finds("a"));
	assert_int_equal(refused.fault, RUNTIMES_NONE);
	let(DOCKER_FILE, 0620);
	refuses(RUNTIMES_WRITABLE, DOCKER_FILE);
	let(DOCKER_DIR "/" HEX, 0702);
	refuses(RUNTIMES_WRITABLE, DOCKER_DIR "/" HEX);
	let(DOCKER_DIR, 0777);
	refuses(RUNTIMES_WRITABLE, DOCKER_DIR);
	here.owner++;
	refuses(RUNTIMES_OWNER, DOCKER_DIR);
	here.owner--;
	/* The first one, and also if another says it. */
	put(STORAGE_DIR "/containers.json", "{}");
	refuses(RUNTIMES_WRITABLE, DOCKER_DIR);
	let(DOCKER_DIR, 0700);
	let(DOCKER_DIR "/" HEX, 0700);
	let(DOCKER_FILE, 0600);
	put(DOCKER_FILE, DOCKER(HEX2, "1", "\"a\"")); /* of another one: that is no fault */
	refuses(RUNTIMES_FORMAT, STORAGE_DIR "/containers.json");
	put(TASKS_DIR "/k8s.io/" HEX "/config.json", CRI("\"a\""));
	assert_true(finds("a"));
	assert_string_equal(refused.path, STORAGE_DIR "/containers.json");
	put(TASKS_DIR "/k8s.io/" HEX "/config.json", CRI_OF("\"sandbox\"", "\"a\""));
	put(STORAGE_DIR "/containers.json", "[]");
	refuses(RUNTIMES_NONE, "");
	put(TASKS_DIR "/k8s.io/" HEX "/config.json", "no JSON");
	refuses(RUNTIMES_FORMAT, TASKS_DIR "/k8s.io/" HEX "/config.json");
	put(DOCKER_FILE, "");
	refuses(RUNTIMES_FORMAT, DOCKER_FILE);
	in(DOCKER_FILE, whole);
	assert_int_equal(truncate(whole, (off_t)RUNTIME_ONE_MAX + 1), 0);
	refuses(RUNTIMES_SIZE, DOCKER_FILE);
	assert_int_equal(unlink(whole), 0);
	assert_int_equal(symlink("/dev/null", whole), 0);
	refuses(RUNTIMES_TYPE, DOCKER_FILE);
	here.open = open_nothing;
	here.userdata = &error;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		error = errors[i].error;
		refuses(errors[i].fault, errors[i].fault ? DOCKER_DIR : "");
	}
}

static void a_kept_file_that_is_wrong_is_named_again(void **state)
{
	here.kept = runtimes_kept_new();
	assert_non_null(here.kept);
	put(STORAGE_DIR "/containers.json", "{}");
	refuses(RUNTIMES_FORMAT, STORAGE_DIR "/containers.json");
	refuses(RUNTIMES_FORMAT, STORAGE_DIR "/containers.json");
	replace(STORAGE_DIR "/containers.json", POD("a"), NULL);
	assert_true(finds("a"));
	assert_int_equal(refused.fault, RUNTIMES_NONE);
	runtimes_kept_free(here.kept);
}

/* Blanks up to `size`, which JSON does not mind. */
static void pad(const char *path, size_t size)
{
	char whole[1024];
	FILE *f;

	in(path, whole);
	f = fopen(whole, "ae");
	assert_non_null(f);
	for (long at = ftell(f); at < (long)size; at++)
		fputc(' ', f);
	fclose(f);
}

static void of_one_container_less_is_read_than_of_all(void **state)
{
	static const struct {
		const char *path, *text;
		size_t max;
	} rows[] = {
		{DOCKER_FILE, DOCKER(HEX, "1", "\"a\""), 1U << 20},
		{TASKS_DIR "/k8s.io/" HEX "/config.json", CRI("\"a\""), 1U << 20},
		{STORAGE_DIR "/containers.json", POD("a"), 8U << 20},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char whole[1024];

		put(rows[i].path, rows[i].text);
		pad(rows[i].path, rows[i].max);
		if (!finds("a"))
			fail_msg("row %zu: not read", i);
		pad(rows[i].path, rows[i].max + 1);
		if (finds("a"))
			fail_msg("row %zu: read", i);
		in(rows[i].path, whole);
		assert_int_equal(unlink(whole), 0);
	}
}

/* --- what is asked and told --------------------------------------------------------------------
 */

static struct images_watch *watch_here(void)
{
	struct images_watch *w = images_watch_new(NULL);

	assert_non_null(w);
	here.kept = w->runtimes.kept;
	w->runtimes = here;
	return w;
}

static void an_image_is_told_once_and_before_what_showed_it(void **state)
{
	static const char cgroup[] = "/system.slice/docker-" HEX ".scope/init.scope";
	struct images_watch *w = watch_here();

	put(DOCKER_FILE, DOCKER(HEX, "\"sha256:" SHA "\"", "\"nginx:1.25\""));
	/* A cut cgroup is another one; a user's container is none; 32 digits are no id. */
	images_seen(w, span_of(cgroup), EVENT_CGROUP_TRUNCATED);
	images_seen(w, span_of("/user.slice/user-1.slice/user@1.service/docker-" HEX ".scope"), 0);
	images_seen(w, span_of("/docker/0123456789abcdef0123456789abcdef"), 0);
	images_seen(w, (struct span){NULL, 0}, 0);
	assert_int_equal(nr_told, 0);
	images_seen(w, span_of(cgroup), 0);
	assert_int_equal(nr_told, 1);
	assert_int_equal(told[0].type, EVENT_CONTAINER);
	assert_string_equal(told_image.name, "nginx:1.25");
	assert_string_equal(told_image.id, "sha256:" SHA);
	images_seen(w, span_of(cgroup), 0);
	assert_int_equal(nr_told, 1);
	/* The engine may have forgotten it. */
	w->tellings += TOLD_AGAIN + 1;
	images_seen(w, span_of(cgroup), 0);
	assert_int_equal(nr_told, 2);
	assert_int_equal(images_watch_unknown(w), 0);
	images_watch_free(w);
}

static void what_is_not_found_is_looked_for_later(void **state)
{
	static const char cgroup[] = "/machine.slice/libpod-" HEX ".scope";
	struct images_watch *w = watch_here();
	uint64_t wait = AGAIN_NS;

	images_seen(w, span_of(cgroup), 0);
	for (unsigned i = 1; i < 10; i++) {
		now += wait - 1;
		images_seen(w, span_of(cgroup), 0);
		assert_int_equal(images_watch_unknown(w), i);
		now++;
		images_seen(w, span_of(cgroup), 0);
		assert_int_equal(images_watch_unknown(w), i + 1);
		if (wait < 64 * AGAIN_NS)
			wait *= 2;
	}
	put(STORAGE_DIR "/containers.json", STORAGE(HEX, "\"" SHA "\"", "\"\""));
	now += wait;
	images_seen(w, span_of(cgroup), 0);
	assert_int_equal(nr_told, 1);
	assert_string_equal(told_image.id, "sha256:" SHA);
	images_watch_free(w);
}

static void the_status_tells_of_a_file_until_it_is_mended(void **state)
{
	static const char *const cgroups[] = {"/docker/" HEX, "/docker/" HEX2};
	static const char other[] = DOCKER_DIR "/" HEX2 "/config.v2.json";
	struct images_watch *w = watch_here();
	const struct images_refused *told_of;
	char whole[1024];

	assert_null(images_watch_refused(w));
	images_seen(w, span_of(cgroups[0]), 0); /* nothing is there: nothing to mend */
	assert_null(images_watch_refused(w));
	put(DOCKER_FILE, DOCKER(HEX, "1", "\"a\""));
	let(DOCKER_FILE, 0666);
	put(other, "{");
	now += AGAIN_NS;
	images_seen(w, span_of(cgroups[0]), 0);
	told_of = images_watch_refused(w);
	assert_non_null(told_of);
	assert_string_equal(told_of->container, HEX);
	assert_string_equal(told_of->why.path, DOCKER_FILE);
	assert_int_equal(told_of->why.fault, RUNTIMES_WRITABLE);
	/* The last one. */
	images_seen(w, span_of(cgroups[1]), 0);
	told_of = images_watch_refused(w);
	assert_non_null(told_of);
	assert_string_equal(told_of->container, HEX2);
	assert_int_equal(told_of->why.fault, RUNTIMES_FORMAT);
	/* As it is now: something else is wrong, it is mended, the container is gone. */
	let(other, 0660);
	assert_int_equal(images_watch_refused(w)->why.fault, RUNTIMES_WRITABLE);
	put(other, DOCKER(HEX2, "1", "\"b\""));
	assert_null(images_watch_refused(w));
	now += 64 * AGAIN_NS;
	images_seen(w, span_of(cgroups[0]), 0);
	assert_non_null(images_watch_refused(w));
	in(DOCKER_FILE, whole);
	assert_int_equal(unlink(whole), 0);
	assert_null(images_watch_refused(w));
	images_watch_free(w);
}

/* --- what is kept ------------------------------------------------------------------------------
 */

static void set(struct images *images, const char *id, const char *name)
{
	images_set(images, &(struct event_container){.id = span_of(id), .image = span_of(name)});
}

static void the_one_unused_longest_is_forgotten(void **state)
{
	struct images *images = images_new();
	char id[16], name[IMAGE_NAME_SIZE + 1];

	assert_null(images_find(images, span_of("a")));
	for (unsigned i = 0; i < IMAGES_MAX; i++) {
		snprintf(id, sizeof(id), "%u", i);
		set(images, id, id);
	}
	assert_int_equal(images_count(images), IMAGES_MAX);
	assert_non_null(images_find(images, span_of("0")));
	set(images, "1", "again");
	set(images, "new", "n");
	assert_int_equal(images_forgotten(images), 1);
	assert_null(images_find(images, span_of("2")));
	assert_string_equal(images_find(images, span_of("0"))->name, "0");
	assert_string_equal(images_find(images, span_of("1"))->name, "again");
	assert_string_equal(images_find(images, span_of("new"))->name, "n");
	/* From a trace: rubbish. */
	memset(name, 'x', sizeof(name));
	name[IMAGE_NAME_SIZE] = '\0';
	set(images, "new", name);
	assert_string_equal(images_find(images, span_of("new"))->name, "");
	set(images, name, "n");
	set(images, "", "n");
	assert_int_equal(images_forgotten(images), 1);
	images_free(images);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_runtimes_tell_the_image),
		cmocka_unit_test(a_name_that_would_be_cut_is_none),
		cmocka_unit_test(only_whole_ids_are_ids),
		CASE(each_runtime_is_asked),
		CASE(of_one_container_less_is_read_than_of_all),
		CASE(a_file_about_all_is_read_once_and_when_it_changed),
		CASE(what_others_may_change_does_not_count),
		CASE(what_was_there_and_did_not_count_is_named),
		CASE(a_kept_file_that_is_wrong_is_named_again),
		CASE(an_image_is_told_once_and_before_what_showed_it),
		CASE(what_is_not_found_is_looked_for_later),
		CASE(the_status_tells_of_a_file_until_it_is_mended),
		cmocka_unit_test(the_one_unused_longest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
