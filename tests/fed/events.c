// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes a trace of short processes, some of which read keys, to standard output.
 *
 *	events LIVES [FROM [STEP [READERS [DENIED [OBJECTS]]]]]
 *
 * A life is fork, exec and exit. One in READERS (1) reads a key, and of these one in DENIED (1) is
 *a program that may not; of who reads one in four then connects to somewhere, and one in five
 *crashes into a core. Lives begin STEP (50,000,000) ns apart. There are OBJECTS (0) keys; with 0
 *each life has one of its own. What a life is depends on its number alone, and it needs none before
 *it but the picture at the start: so a trace can be taken up FROM any life, and says the same of
 *it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "trace/trace.h"

#define S	  1000000000ULL
#define T0	  (1000 * S)
#define SHELLS	  8
#define USERS	  200
#define OBJECTS_0 1000000000ULL /* no number that a watcher gives */

static struct trace_writer *writer;
static uint64_t step = 50000000, readers = 1, denied = 1, objects;

static void put(const struct event *event)
{
	if (trace_write(writer, event) < 0) {
		fprintf(stderr, "events: cannot be written\n");
		exit(1);
	}
}

static struct proc_id shell(uint64_t life)
{
	return (struct proc_id){.tgid = (uint32_t)(100 + life % SHELLS),
				.start = 1 + life % SHELLS,
				.exec_id = 5};
}

static uint64_t object_of(uint64_t life)
{
	return OBJECTS_0 + (objects ? life * 7919 % objects : life);
}

static struct inode_id inode_of(uint64_t object)
{
	return (struct inode_id){.ino = 5000000 + object, .dev = 9};
}

static const char *path_of(uint64_t object)
{
	static char path[64];

	snprintf(path, sizeof(path), "/k/%llu", (unsigned long long)(object - OBJECTS_0));
	return path;
}

static void put_object(uint64_t object, uint64_t time)
{
	struct event event = {
		.type = EVENT_OBJECT,
		.time = time,
		.object =
			{
				.object = object,
				.inode = inode_of(object),
				.path = span_of(path_of(object)),
				.watch = span_of("keys"),
				.key_known = true,
				.key =
					{
						.kind = KEY_ED25519,
						.format = KEYFMT_OPENSSH,
						.bits = 256,
						.has_spki = true,
					},
			},
	};

	memcpy(event.object.key.spki, &object, sizeof(object));
	put(&event);
}

static void put_shells(void)
{
	for (uint64_t i = 0; i < SHELLS; i++) {
		struct event event = {
			.type = EVENT_PROC,
			.time = T0 - S,
			.exec =
				{
					.subject = {.id = shell(i),
						    .loginuid = UID_UNSET,
						    .session = UID_UNSET,
						    .exe = {.ino = 76, .dev = 8},
						    .comm = "bash"},
					.exe_mode = 0100755,
					.exe_nlink = 1,
					.exe = span_of("/usr/bin/bash"),
					.args = {"bash\0-l", 7},
				},
		};

		put(&event);
	}
}

static void put_crash(const struct subject *subject, const struct event_access *access,
		      uint64_t time)
{
	struct event event = {
		.type = EVENT_DUMP,
		.time = time,
		.dump =
			{
				.subject = *subject,
				.parent = access->parent,
				.held = {.key = {access->object}, .nr = 1},
				.inode = {.ino = access->inode.ino + 1000000, .dev = 9},
				.limit = UINT64_MAX,
				.how = DUMP_FILE,
				.signal = 11,
				.dumpable = 1,
				.exe_nlink = 1,
				.exe_mode = 0100755,
				.path = span_of("/var/tmp/core"),
				.exe = access->exe,
			},
	};

	put(&event);
}

static void put_connect(const struct subject *subject, const struct event_access *access,
			uint64_t life, uint64_t time)
{
	struct event event = {
		.type = EVENT_NET,
		.time = time,
		.net =
			{
				.subject = *subject,
				.parent = access->parent,
				.keys = {access->object},
				.nr_keys = 1,
				.how = NET_CONNECT,
				.family = AF_INET,
				.port = 22,
				.addr = {10, 0, (uint8_t)(life >> 8), (uint8_t)life},
				.exe_nlink = 1,
				.exe = access->exe,
			},
	};

	put(&event);
}

static void put_read(const struct subject *subject, uint64_t life, const char *exe, uint64_t time)
{
	const uint64_t object = object_of(life), reader = life / readers;
	struct event event = {
		.type = EVENT_ACCESS,
		.time = time,
		.access =
			{
				.subject = *subject,
				.parent = shell(life),
				.inode = inode_of(object),
				.object = object,
				.how = ACCESS_OPEN,
				.mode = ACCESS_M_READ,
				.fd = 3,
				.owner = subject->uid,
				.nlink = 1,
				.exe_nlink = 1,
				.exe_mode = 0100755,
				.path = span_of(path_of(object)),
				.exe = span_of(exe),
				.cgroup = span_of("/user.slice/user-1000.slice/session-3.scope"),
			},
	};

	if (!objects)
		put_object(object, time - 1000);
	event.access.path = span_of(path_of(object));
	put(&event);
	if (reader % 4 == 3)
		put_connect(subject, &event.access, life, time + 1000);
	if (reader % 5 == 4)
		put_crash(subject, &event.access, time + 2000);
}

static void put_life(uint64_t life)
{
	const uint64_t time = T0 + life * step;
	const bool reads = life % readers == 0, may = life / readers % denied != 0;
	const char *exe = reads && !may ? "/usr/bin/cat" : "/usr/bin/env";
	struct subject subject = {
		.id = {.tgid = (uint32_t)(1000 + life % 4000000), .start = time, .exec_id = 6},
		.tid = (uint32_t)(1000 + life % 4000000),
		.uid = (uint32_t)(100000 + life % USERS),
		.euid = (uint32_t)(100000 + life % USERS),
		.loginuid = (uint32_t)(100000 + life % USERS),
		.session = UID_UNSET,
		.exe = {.ino = reads && !may ? 78 : 77, .dev = 8},
	};
	struct event event = {.type = EVENT_FORK, .time = time};
	char args[96];

	snprintf(subject.comm, sizeof(subject.comm), "%s", strrchr(exe, '/') + 1);
	event.fork.child = subject;
	event.fork.parent = shell(life);
	put(&event);
	subject.id.exec_id++;
	event = (struct event){.type = EVENT_EXEC, .time = time + 1000};
	event.exec = (struct event_exec){
		.subject = subject,
		.parent = shell(life),
		.exe_mode = 0100755,
		.exe_nlink = 1,
		.exe = span_of(exe),
		.cgroup = span_of("/user.slice/user-1000.slice/session-3.scope"),
	};
	event.exec.args.p = args;
	event.exec.args.len = (size_t)snprintf(args, sizeof(args), "%s%cargument-%llu",
					       subject.comm, 0, (unsigned long long)life) +
			      1;
	put(&event);
	if (reads)
		put_read(&subject, life, exe, time + 3000);
	event = (struct event){.type = EVENT_EXIT, .time = time + 10000};
	event.exit.subject = subject;
	put(&event);
}

static uint64_t argument(int argc, char **argv, int i, uint64_t otherwise)
{
	return argc > i ? strtoull(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	static const struct trace_header header = {.host = "fed",
						   .boot_id = "fed",
						   .policy = "fed",
						   .wall_offset_ns = 1700000000 * S};
	const uint64_t lives = argument(argc, argv, 1, 0), from = argument(argc, argv, 2, 0);

	step = argument(argc, argv, 3, step);
	readers = argument(argc, argv, 4, readers);
	denied = argument(argc, argv, 5, denied);
	objects = argument(argc, argv, 6, objects);
	if (!lives || !step || !readers || !denied ||
	    trace_writer_new(stdout, &header, &writer) < 0) {
		fprintf(stderr, "usage: events LIVES [FROM [STEP [READERS [DENIED [OBJECTS]]]]]\n");
		return 2;
	}
	put_shells();
	for (uint64_t i = 0; i < objects; i++)
		put_object(OBJECTS_0 + i, T0 - S + 1);
	for (uint64_t life = from; life < lives; life++)
		put_life(life);
	trace_writer_free(writer);
	return fflush(stdout) ? 1 : 0;
}
