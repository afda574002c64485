// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A key that is read as soon as there is one: create-race SOURCE FILE...
 *
 * race-reader already spins on opening FILE when this program makes it from SOURCE, which nobody
 * watches: complete in the directory above first, linked or renamed to FILE then ($WAY_MAKE:
 * rename, the default, or link), so that what is opened has content at once.
 */
#include "way.h"

static char content[16384];
static ssize_t content_len;

static int load(const char *source)
{
	int fd = way_open(source);

	content_len = fd < 0 ? -1 : read(fd, content, sizeof(content));
	if (content_len < 0)
		return way_failed(source);
	close(fd);
	return 0;
}

static int make(const char *path)
{
	const char *by = getenv("WAY_MAKE");
	char temporary[PATH_MAX];
	bool linked = by && strcmp(by, "link") == 0;
	int fd, r;

	if (way_alias(path, temporary))
		return WAY_FAILED;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, content, content_len) != content_len)
		return way_failed(temporary);
	close(fd);
	r = linked ? link(temporary, path) : rename(temporary, path);
	if (r < 0)
		return way_failed(path);
	if (linked)
		unlink(temporary);
	return 0;
}

static int run_reader(const char *path, int out)
{
	char reader[PATH_MAX];

	way_beside("race-reader", reader);
	if (dup2(out, STDOUT_FILENO) < 0)
		return way_failed("dup2");
	execl(reader, "race-reader", path, NULL);
	return way_failed(reader);
}

static int get(const char *path)
{
	int ready[2], made = WAY_FAILED, r;
	char word[6];
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return way_failed("pipe");
	pid = fork();
	if (pid == 0)
		_exit(run_reader(path, ready[1]));
	close(ready[1]);
	if (read(ready[0], word, sizeof(word)) == (ssize_t)sizeof(word))
		made = make(path);
	close(ready[0]);
	r = way_wait(pid);
	return made ? made : r;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: create-race SOURCE FILE...\n");
		return 2;
	}
	if (load(argv[1]))
		return WAY_FAILED;
	return way_each(argc - 1, argv + 1, get);
}
