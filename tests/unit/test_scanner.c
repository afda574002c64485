// SPDX-License-Identifier: GPL-2.0-or-later
/* The dump scanner as the daemon starts it: the real program, and enemies in its place. */
#include "scan/scanner.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scan/channel.h"
#include "unit/keymaker.h"
#include "unit/tmpdir.h"

#define LONG_MS 120000 /* a limit for a broken machine, not a time that is waited for */

/* keytrail-scan-dump of the build that this test belongs to. */
static const char *real_program(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(n > 0);
	path[n] = '\0';
	for (int up = 0; up < 3; up++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/keytrail-scan-dump");
	assert_int_equal(access(path, X_OK), 0);
	return path;
}

struct seen {
	unsigned dumps, findings;
	uint64_t flags;
	struct finding first;
};

static int see_about(void *userdata, const struct scan_about *about)
{
	((struct seen *)userdata)->dumps++;
	return 0;
}

static int see(void *userdata, const struct finding *finding)
{
	struct seen *seen = userdata;

	if (finding->what == FINDING_END)
		seen->flags = finding->vaddr;
	else if (!seen->findings++)
		seen->first = *finding;
	return 0;
}

static const struct scanner_events events = {.about = see_about, .found = see};

/* None lives on. One that was killed while the machine was busy may take a moment. */
static void all_end(void)
{
	for (int i = 0; i < LONG_MS / 10; i++) {
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return;
		poll(NULL, 0, 10);
	}
	fail();
}

static int run(const char *program, int fd, int needles, uint64_t cpu_seconds, struct seen *seen)
{
	const struct scanner_input input = {
		.fd = fd,
		.maps_fd = -1,
		.cpu_seconds = cpu_seconds,
	};
	struct scanner *scanner = NULL;
	int r = scanner_exec(program, &input, needles, &scanner);

	*seen = (struct seen){0};
	while (!r && (r = scanner_read(scanner, &events, seen)) == -EAGAIN) {
		struct pollfd pfd = {.fd = scanner_fd(scanner), .events = POLLIN};

		assert_true(poll(&pfd, 1, LONG_MS) > 0);
		r = 0;
	}
	scanner_free(scanner);
	all_end();
	return r;
}

static void a_key_in_a_dump_is_named(void **state)
{
	struct seen seen;
	char fp[128];
	int fd;

	shell(*state, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	shell(*state, fp, sizeof(fp), "ssh-keygen -lf k | cut -d' ' -f2 | tr -d '\\n'");
	shell(*state, NULL, 0,
	      "head -c 300000 /dev/zero >d; cat k >>d; head -c 70000 /dev/zero >>d");
	fd = open(tmpdir_path(state, "d"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(run(real_program(), fd, -1, 0, &seen), 0);
	assert_int_equal(seen.dumps, 1);
	assert_true(seen.findings > 0);
	assert_string_equal(seen.first.id.ssh_fp, fp);
	close(fd);
}

static const char *enemy(void **state, const char *script)
{
	const char *path = tmpdir_path(state, "enemy");
	FILE *f = fopen(path, "w");

	fprintf(f, "#!/bin/sh\ncd '%s'\n%s\n", (char *)*state, script);
	fclose(f);
	chmod(path, 0755);
	return path;
}

static void each_failure_is_told_apart(void **state)
{
	static const struct {
		const char *script;
		int want;
	} cases[] = {
		{"kill -SEGV $$", -ECHILD},
		{"kill -XCPU $$", -ETIME},
		{"exit 0", -ECHILD},
		{"exec 1>&-; exec sleep 1000", -ECHILD}, /* closed, and still there */
		{"echo hello", -EBADMSG},
		{"exec cat /dev/zero", -EBADMSG},
		{"cat done done >both; cat both", -EBADMSG}, /* more after its last word */
		{"cat done; kill -KILL $$", 0}, /* said all it had to say */
		{"cat memory", -ENOMEM},
		{"cat read", -EIO},
		{"cat walls", -EPERM},
	};
	static const struct {
		const char *name;
		int error;
	} words[] = {{"done", 0}, {"memory", -ENOMEM}, {"read", -EIO}, {"walls", -EPERM}};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct seen seen;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct channel_message m = {.type = CHANNEL_DONE, .error = words[i].error};
		uint8_t bytes[CHANNEL_MAX];
		FILE *f = fopen(tmpdir_path(state, words[i].name), "w");

		fwrite(bytes, 1, channel_encode(&m, bytes), f);
		fclose(f);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].script);
		assert_int_equal(run(enemy(state, cases[i].script), fd, -1, 0, &seen),
				 cases[i].want);
	}
	assert_int_equal(run(tmpdir_path(state, "absent"), fd, -1, 0, &seen), -ENOENT);
	close(fd);
}

/* A needle file that is none never gets as far as the dump. */
static void needles_that_cannot_be_read_are_no_clean_verdict(void **state)
{
	struct seen seen;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), needles;

	shell(*state, NULL, 0, "echo none >needles");
	needles = open(tmpdir_path(state, "needles"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(run(real_program(), fd, needles, 0, &seen), -ECHILD);
	close(needles);
	close(fd);
}

static void time_that_is_up_is_told(void **state)
{
	struct seen seen;
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC); /* without end */

	assert_int_equal(run(real_program(), fd, -1, 1, &seen), -ETIME);
	close(fd);
}

static void it_has_the_lowest_priority_and_dies_when_freed(void **state)
{
	const struct scanner_input input = {
		.fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC),
		.maps_fd = -1,
	};
	struct scanner *scanner = NULL;
	struct seen seen = {0};
	struct pollfd pfd;
	char score[16];
	pid_t pid;

	assert_int_equal(scanner_exec(real_program(), &input, -1, &scanner), 0);
	pid = scanner_pid(scanner);
	/* It has begun when it says what it looks at. */
	pfd = (struct pollfd){.fd = scanner_fd(scanner), .events = POLLIN};
	assert_true(poll(&pfd, 1, LONG_MS) > 0);
	assert_int_equal(scanner_read(scanner, &events, &seen), -EAGAIN);
	assert_int_equal(sched_getscheduler(pid), SCHED_IDLE);
	shell(*state, score, sizeof(score), "cat /proc/%d/oom_score_adj", (int)pid);
	assert_int_equal(atoi(score), 500);
	scanner_free(scanner);
	all_end();
	assert_int_equal(kill(pid, 0), -1);
	close(input.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
		CASE(a_key_in_a_dump_is_named),
		CASE(each_failure_is_told_apart),
		CASE(needles_that_cannot_be_read_are_no_clean_verdict),
		CASE(time_that_is_up_is_told),
		CASE(it_has_the_lowest_priority_and_dies_when_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
