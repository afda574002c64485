// SPDX-License-Identifier: GPL-2.0-or-later
/* The scan child's life as the daemon sees it: the real one, and enemies in its place. */
#include "scan/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scan/keyfile.h"
#include "scan/result.h"
#include "unit/keymaker.h"
#include "unit/tmpdir.h"

#define LONG_MS 60000 /* a limit for a broken machine, not a time that is waited for */

/* keytrail-scan of the build that this test belongs to. */
static const char *real_child(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(n > 0);
	path[n] = '\0';
	for (int up = 0; up < 3; up++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/keytrail-scan");
	assert_int_equal(access(path, X_OK), 0);
	return path;
}

static int open_in(void **state, const char *name)
{
	int fd = open(tmpdir_path(state, name), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static void the_child_names_every_kind_of_key(void **state)
{
	static const struct {
		const char *make;
		enum key_kind kind;
	} cases[] = {
		{"ssh-keygen -q -t rsa -b 2048 -N '' -f k", KEY_RSA},
		{"ssh-keygen -q -t ed25519 -N '' -f k", KEY_ED25519},
		{"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k", KEY_RSA},
		{"openssl ecparam -name secp384r1 -genkey -noout | openssl ec -no_public -out k",
		 KEY_EC},
		{"openssl ecparam -name prime256v1 -param_enc explicit -genkey -noout -out k",
		 KEY_EC},
		{"openssl genpkey -algorithm ED25519 -out k", KEY_ED25519},
		{"openssl genpkey -algorithm ED448 -out k", KEY_ED448},
		{"openssl genpkey -algorithm X25519 -out k", KEY_X25519},
		{"ssh-keygen -q -t dsa -m PEM -N '' -f k", KEY_DSA},
		{"echo text >k", KEY_NONE},
	};
	unsigned fds = open_fds();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct key_identity id, own;
		struct bytes file;
		int fd;

		shell(*state, NULL, 0, "rm -f k k.pub; %s", cases[i].make);
		fd = open_in(state, "k");
		assert_int_equal(scan_child_identify(real_child(), fd, -1, LONG_MS, &id), 0);
		close(fd);
		assert_int_equal(id.kind, cases[i].kind);
		/* Inside the walls libcrypto computes the same as outside. */
		file = slurp(*state, "k");
		assert_int_equal(keyfile_identify(file, (struct bytes){NULL, 0}, &own), 0);
		assert_string_equal(id.ssh_fp, own.ssh_fp);
		assert_memory_equal(id.spki, own.spki, 32);
		free((void *)file.p);
	}
	assert_int_equal(open_fds(), fds);
}

static void the_sibling_is_read_and_offsets_stay(void **state)
{
	struct key_identity id;
	int key, sibling;

	shell(*state, NULL, 0, "ssh-keygen -q -t rsa -b 2048 -m PEM -N secret -C me -f k");
	key = open_in(state, "k");
	sibling = open_in(state, "k.pub");
	lseek(key, 11, SEEK_SET);
	assert_int_equal(scan_child_identify(real_child(), key, -1, LONG_MS, &id), 0);
	assert_int_equal(id.source, KEYSRC_NONE);
	assert_int_equal(scan_child_identify(real_child(), key, sibling, LONG_MS, &id), 0);
	assert_int_equal(id.source, KEYSRC_SIBLING);
	assert_string_equal(id.comment, "me");
	assert_int_equal(lseek(key, 0, SEEK_CUR), 11);
	assert_int_equal(lseek(sibling, 0, SEEK_CUR), 0);
	close(key);
	close(sibling);
}

/* Descriptors that a daemon with closed standard streams gets. */
static void low_descriptors_are_not_mixed_up(void **state)
{
	pid_t pid;
	int status;

	shell(*state, NULL, 0, "ssh-keygen -q -t rsa -b 2048 -m PEM -N secret -f k");
	pid = fork();
	if (!pid) {
		struct key_identity id;
		const char *program = real_child();

		for (int fd = 0; fd < 10; fd++)
			close(fd);
		/* 0 is the sibling, 1 the key: the reverse of what the child wants. */
		if (open(tmpdir_path(state, "k.pub"), O_RDONLY) != 0 ||
		    open(tmpdir_path(state, "k"), O_RDONLY) != 1)
			_exit(9);
		if (scan_child_identify(program, 1, 0, LONG_MS, &id) != 0)
			_exit(8);
		_exit(id.source == KEYSRC_SIBLING ? 0 : 7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void what_is_no_key_file_has_its_own_error(void **state)
{
	struct key_identity id;
	int fd, pipes[2];

	shell(*state, NULL, 0, "head -c 65537 /dev/zero >large; head -c 65536 /dev/zero >fits");
	fd = open_in(state, "large");
	assert_int_equal(scan_child_identify(real_child(), fd, -1, LONG_MS, &id), -EFBIG);
	close(fd);
	fd = open_in(state, "fits");
	assert_int_equal(scan_child_identify(real_child(), fd, -1, LONG_MS, &id), 0);
	assert_int_equal(id.kind, KEY_NONE);
	close(fd);
	fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(scan_child_identify(real_child(), fd, -1, LONG_MS, &id), -EIO);
	close(fd);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(scan_child_identify(real_child(), pipes[0], -1, LONG_MS, &id), -EIO);
	close(pipes[0]);
	close(pipes[1]);
	fd = open_in(state, "fits");
	assert_int_equal(scan_child_identify(tmpdir_path(state, "absent"), fd, -1, LONG_MS, &id),
			 -ENOENT);
	close(fd);
}

static const char *enemy(void **state, const char *script)
{
	const char *path = tmpdir_path(state, "enemy");
	FILE *f = fopen(path, "w");

	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	chmod(path, 0755);
	return path;
}

static void each_failure_of_a_child_is_told_apart(void **state)
{
	static const struct {
		const char *script;
		int want;
	} cases[] = {
		{"kill -SEGV $$", -ECHILD},
		{"exit 0", -ECHILD},
		{"exit 1", -ECHILD},
		{"exec 1>&-; exec sleep 1000", -ECHILD}, /* silent, closed, and still there */
		{"echo hello", -EBADMSG},
		{"head -c 264 /dev/zero", -EBADMSG},
		{"head -c 265 /dev/zero", -EBADMSG},
		{"cat good; echo", -EBADMSG}, /* one byte more than an answer */
		{"head -c 264 good; kill -KILL $$", -EBADMSG},
		{"exec cat /dev/zero", -EBADMSG},
		{"cat good", 0},
		{"cat good; kill -KILL $$", 0}, /* said all it had to say */
	};
	struct scan_result result = {.error = 0};
	uint8_t message[SCAN_RESULT_SIZE];
	unsigned fds = open_fds();

	scan_result_encode(&result, message);
	FILE *f = fopen(tmpdir_path(state, "good"), "w");

	fwrite(message, 1, sizeof(message), f);
	fclose(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct key_identity id = {.bits = 77};
		char script[PATH_MAX + 128];
		int fd = open_in(state, "good");

		snprintf(script, sizeof(script), "cd '%s' && %s", (char *)*state, cases[i].script);
		print_message("  %s\n", cases[i].script);
		assert_int_equal(scan_child_identify(enemy(state, script), fd, -1, LONG_MS, &id),
				 cases[i].want);
		assert_int_equal(id.bits, cases[i].want ? 77 : 0);
		close(fd);
		/* None is left, not even as a zombie. */
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
	assert_int_equal(open_fds(), fds);
}

/* None is left, not even as a zombie; one that was killed may take a moment on a busy machine. */
static void assert_no_child(void)
{
	pid_t pid = 0;

	for (int i = 0; i < 1000 && (pid = waitpid(-1, NULL, WNOHANG)) >= 0; i++)
		usleep(10000);
	assert_int_equal(pid, -1);
	assert_int_equal(errno, ECHILD);
}

static void a_child_that_hangs_is_killed_at_the_deadline(void **state)
{
	struct key_identity id;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* Deaf to what can be ignored; and one that drips bytes to keep its reader busy. */
	assert_int_equal(scan_child_identify(enemy(state,
						   "trap '' TERM INT HUP; while :; do :; done"),
					     fd, -1, 50, &id),
			 -ETIMEDOUT);
	assert_int_equal(scan_child_identify(enemy(state, "while :; do printf x; sleep 0.2; done"),
					     fd, -1, 100, &id),
			 -ETIMEDOUT);
	assert_no_child();
	close(fd);
}

/* The answer of a child that opens the file itself. */
static int identify_at(const char *path, dev_t dev, ino_t ino, struct key_identity *out_id)
{
	_cleanup_scan_child_ struct scan_child *child = NULL;
	int r = scan_child_spawn_at(real_child(), path, dev, ino, &child);

	if (r < 0)
		return r;
	while ((r = scan_child_read(child, out_id)) == -EAGAIN) {
		struct pollfd pfd = {.fd = scan_child_fd(child), .events = POLLIN};

		assert_true(poll(&pfd, 1, LONG_MS) > 0);
	}
	return r;
}

static void a_child_opens_only_the_file_that_was_meant(void **state)
{
	struct key_identity id, own;
	char path[PATH_MAX];
	struct stat st;
	int fd;

	shell(*state, NULL, 0,
	      "ssh-keygen -q -t ed25519 -N secret -f k; mkdir d; cp k k.pub d;"
	      "ln -s d e; ln -s k l");
	fd = open_in(state, "k");
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	/* With its sibling: the file alone does not tell this one's fingerprint in all forms. */
	assert_int_equal(identify_at(tmpdir_path(state, "k"), st.st_dev, st.st_ino, &id), 0);
	fd = open_in(state, "k");
	assert_int_equal(scan_child_identify(real_child(), fd, open_in(state, "k.pub"), LONG_MS,
					     &own),
			 0);
	close(fd);
	assert_int_equal(id.kind, KEY_ED25519);
	assert_string_equal(id.ssh_fp, own.ssh_fp);
	assert_int_equal(identify_at(tmpdir_path(state, "k"), st.st_dev, st.st_ino + 1, &id), -EIO);
	assert_int_equal(identify_at(tmpdir_path(state, "l"), st.st_dev, st.st_ino, &id), -EIO);
	assert_int_equal(identify_at(tmpdir_path(state, "none"), st.st_dev, st.st_ino, &id), -EIO);
	assert_int_equal(stat(tmpdir_path(state, "d/k"), &st), 0);
	assert_int_equal(identify_at(tmpdir_path(state, "d/k"), st.st_dev, st.st_ino, &id), 0);
	snprintf(path, sizeof(path), "%s", tmpdir_path(state, "e/k"));
	assert_int_equal(identify_at(path, st.st_dev, st.st_ino, &id), -EIO);
}

static void a_child_gets_nothing_but_its_four_descriptors(void **state)
{
	struct key_identity id;
	char out[1024] = "";
	int fd = open("/dev/null", O_RDONLY); /* not close-on-exec: a leak of somebody else's */
	struct bytes seen;

	setenv("SECRET_OF_THE_DAEMON", "x", 1);
	snprintf(out, sizeof(out),
		 "cd '%s'; ls /proc/$$/fd >fds; tr '\\0' '\\n' </proc/$$/environ >env",
		 (char *)*state);
	assert_int_equal(scan_child_identify(enemy(state, out), fd, -1, LONG_MS, &id), -ECHILD);
	seen = slurp(*state, "env");
	assert_int_equal(seen.len, 0);
	free((void *)seen.p);
	seen = slurp(*state, "fds");
	/* From 10 on they are the shell's own; a leak of ours would take the lowest free number. */
	for (struct bytes line, rest = seen; bytes_line(&rest, &line);)
		assert_true(line.len > 1 || (line.len == 1 && line.p[0] <= '3'));
	assert_true(seen.len > 4 && memmem(seen.p, seen.len, "0\n1\n", 4) != NULL);
	free((void *)seen.p);
	close(fd);
}

static void freeing_ends_a_running_child_and_reading_never_blocks(void **state)
{
	struct scan_child *child = NULL;
	struct key_identity id;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	assert_int_equal(scan_child_spawn(enemy(state, "exec sleep 1000"), fd, -1, &child), 0);
	pid = scan_child_pid(child);
	assert_int_equal(scan_child_read(child, &id), -EAGAIN);
	assert_true(fcntl(scan_child_fd(child), F_GETFD) & FD_CLOEXEC);
	scan_child_free(child);
	assert_int_equal(kill(pid, 0), -1);
	scan_child_free(NULL);
	close(fd);
}

static void several_children_run_side_by_side(void **state)
{
	struct scan_child *children[6];
	struct pollfd pfd[6];
	unsigned left = ARRAY_SIZE(children);
	int fd;

	shell(*state, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	fd = open_in(state, "k");
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		assert_int_equal(scan_child_spawn(real_child(), fd, -1, &children[i]), 0);
		pfd[i] = (struct pollfd){.fd = scan_child_fd(children[i]), .events = POLLIN};
	}
	while (left) {
		assert_true(poll(pfd, ARRAY_SIZE(pfd), LONG_MS) > 0);
		for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
			struct key_identity id;
			int r;

			if (pfd[i].fd < 0 || !pfd[i].revents)
				continue;
			r = scan_child_read(children[i], &id);
			if (r == -EAGAIN)
				continue;
			assert_int_equal(r, 0);
			assert_int_equal(id.kind, KEY_ED25519);
			/* The same when asked again. */
			assert_int_equal(scan_child_read(children[i], &id), 0);
			scan_child_free(children[i]);
			pfd[i].fd = -1;
			left--;
		}
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
		CASE(the_child_names_every_kind_of_key),
		CASE(the_sibling_is_read_and_offsets_stay),
		CASE(low_descriptors_are_not_mixed_up),
		CASE(what_is_no_key_file_has_its_own_error),
		CASE(each_failure_of_a_child_is_told_apart),
		CASE(a_child_that_hangs_is_killed_at_the_deadline),
		CASE(a_child_opens_only_the_file_that_was_meant),
		CASE(a_child_gets_nothing_but_its_four_descriptors),
		CASE(freeing_ends_a_running_child_and_reading_never_blocks),
		CASE(several_children_run_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
