// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * keytrail-search: the child that looks for files which may hold private keys, for the daemon.
 * Started by user/daemon/search.c with a socket as descriptor 0 (search/channel.h), and alive as
 * long as the daemon searches, since it is what remembers where it has looked. It compares first
 * bytes and parses nothing; what begins as a key is named to the daemon.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "search/channel.h"
#include "search/shut.h"

#define SOCKET	  0
#define SECOND_NS 1000000000ULL

struct child {
	struct search *search;
	uint64_t said_ns;
};

static uint64_t now(void *userdata)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

static int64_t wall(void *userdata)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

/* Whoever cannot be talked to is gone. */
static void say(const struct search_message *message)
{
	ssize_t n;

	do
		n = send(SOCKET, message, sizeof(*message), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*message))
		_exit(0);
}

static void hear(struct search_message *out)
{
	ssize_t n;

	do
		n = recv(SOCKET, out, sizeof(*out), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*out))
		_exit(0);
	out->path[sizeof(out->path) - 1] = '\0';
}

static void progress(void *userdata, const struct search_counts *so_far)
{
	struct child *child = userdata;
	const struct search_message message = {.word = SEARCH_COUNTS, .counts = *so_far};

	if (now(NULL) < child->said_ns + SECOND_NS)
		return;
	child->said_ns = now(NULL);
	say(&message);
}

/* In slices, each followed by a sign of life. */
static void rest(void *userdata, uint64_t ns)
{
	while (ns) {
		const uint64_t slice = ns < SECOND_NS ? ns : SECOND_NS - 1;
		const struct timespec ts = {.tv_nsec = (long)slice};
		static const struct search_message message = {.word = SEARCH_COUNTS, .value = 1};

		nanosleep(&ts, NULL);
		ns -= slice;
		if (ns)
			say(&message);
	}
}

static int ask(void *userdata, const struct search_file *file)
{
	struct search_message message = {
		.word = SEARCH_FILE,
		.dev = file->dev,
		.ino = file->ino,
	};

	snprintf(message.path, sizeof(message.path), "%s", file->path);
	say(&message);
	hear(&message);
	return message.word == SEARCH_ANSWER ? message.value : -EBADMSG;
}

static const struct search_ops ops = {now, wall, rest, ask, progress};

static void serve(struct child *child)
{
	for (;;) {
		struct search_message message, reply = {0};
		int r = 0;

		hear(&message);
		switch (message.word) {
		case SEARCH_BEGIN:
			search_begin(child->search, &message.limits, message.value & SEARCH_WHOLE,
				     message.value & SEARCH_FORGET);
			break;
		case SEARCH_TREE:
			r = search_tree(child->search, message.path, message.value);
			reply.word = SEARCH_NEXT;
			reply.value = r;
			say(&reply);
			break;
		case SEARCH_END:
			search_end(child->search, &reply.counts);
			reply.word = SEARCH_DONE;
			say(&reply);
			break;
		default:
			r = -EBADMSG;
		}
		if (r < 0)
			_exit(1);
	}
}

int main(int argc, char **argv)
{
	struct child child = {NULL};

	if (argc != 2 || strcmp(argv[1], "serve") != 0) {
		fputs("keytrail-search is started by keytraild only\n", stderr);
		return 2;
	}
	close_range(1, ~0U, 0);
	child_step_back();
	hash_bytes("", 0); /* its secret is had while that is allowed */
	if (search_new(&ops, &child, &child.search) < 0 || shut_in() < 0)
		return 3;
	serve(&child);
}
