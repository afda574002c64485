// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an event costs in user space: decoding, the engine, writing and reading a trace, replaying
 *it.
 *
 *	bench_engine [LIVES]	a life is fork, exec, sometimes an access, exit; default 200,000
 *
 * The events are those of a build: short processes below a few shells, 120 bytes of arguments, one
 *in 50 reads a watched key (and may). Times are of one thread; allocations are counted in the
 *engine's loop.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "engine/replay.h"
#include "trace/trace.h"
#include "wire.h"
#include "wire/decode.h"

#define S  1000000000ULL
#define MS 1000000ULL

static const char policy_text[] =
	"version: 1\nwatch:\n"
	"  - {name: keys, class: ssh-user-key, severity: high, paths: [\"/k/*\"], allow: [{exe: "
	"/usr/bin/ssh}]}\n";

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_engine: %s\n", what);
	exit(1);
}

static uint64_t alerts;

static void on_alert(void *ctx, const struct alert *alert)
{
	alerts++;
}

/* The n-th event of the mix. Arguments stand in `args`. */
static struct event make_event(uint64_t n, char args[160])
{
	uint64_t life = n / 4, time = 100 * S + n * MS / 4;
	struct subject subject = {
		.id = {.tgid = (uint32_t)(1000 + life % 30000),
		       .start = 100 * S + life * MS,
		       .exec_id = 6},
		.uid = 1000,
		.euid = 1000,
		.loginuid = 1000,
		.session = 3,
		.exe = {.ino = 77, .dev = 8},
		.comm = "gcc",
	};
	struct proc_id parent = {.tgid = (uint32_t)(100 + life % 8), .start = 1, .exec_id = 5};
	struct event ev = {.time = time, .seq = n};
	int len;

	subject.tid = subject.id.tgid;
	switch (n % 4) {
	case 0:
		ev.type = EVENT_FORK;
		ev.fork.child = subject;
		ev.fork.parent = parent;
		break;
	case 1:
		ev.type = EVENT_EXEC;
		subject.id.exec_id++;
		len = snprintf(args, 160,
			       "gcc%c-std=gnu11%c-O2%c-g%c-Iuser%c-Ibpf%c-MMD%c-c%c-o%cbuild/user/"
			       "engine/engine-%u.o%cuser/engine/engine-%u.c",
			       0, 0, 0, 0, 0, 0, 0, 0, 0, (unsigned)life, 0, (unsigned)life);
		ev.exec = (struct event_exec){
			.subject = subject,
			.parent = parent,
			.exe_mode = 0100755,
			.exe_nlink = 1,
			.exe = span_of("/usr/bin/x86_64-linux-gnu-gcc-12"),
			.args = {args, (size_t)len},
			.cgroup = span_of("/user.slice/user-1000.slice/session-3.scope"),
		};
		break;
	case 2:
		subject.id.exec_id++;
		if (life % 50) {
			ev.type = EVENT_USER;
			ev.user.uid = 1000;
			ev.user.name = span_of("alice");
			break;
		}
		ev.type = EVENT_ACCESS;
		ev.access = (struct event_access){
			.subject = subject,
			.parent = parent,
			.inode = {.ino = 17, .dev = 8},
			.object = 17,
			.how = ACCESS_OPEN,
			.mode = ACCESS_M_READ,
			.fd = UINT32_MAX,
			.nlink = 1,
			.exe_nlink = 1,
			.exe_trust = EXE_VERIFIED,
			.path = span_of("/k/id_ed25519"),
			.exe = span_of("/usr/bin/ssh"),
			.cgroup = span_of("/user.slice/user-1000.slice/session-3.scope"),
		};
		break;
	default:
		ev.type = EVENT_EXIT;
		subject.id.exec_id++;
		ev.exit.subject = subject;
	}
	return ev;
}

static const struct event object = {
	.type = EVENT_OBJECT,
	.time = 99 * S,
	.object = {.object = 17, .path = {"/k/id_ed25519", 13}, .watch = {"keys", 4}},
};

static struct policy *load_policy(void)
{
	struct diag_list diags = {0};
	struct policy *policy = NULL;

	if (policy_parse("bench", policy_text, sizeof(policy_text) - 1, &diags, &policy) < 0)
		die("policy");
	return policy;
}

static void bench_decode(void)
{
	static union {
		struct wire_access access;
		char bytes[2048];
	} rec;
	size_t end = sizeof(rec.access);
	struct event ev;
	double t;
	const int rounds = 2000000;
	uint64_t sum = 0;

	rec.access.how = WIRE_HOW_OPEN;
	rec.access.path = (struct kt_str){(kt_u16)end, 40};
	rec.access.exe = (struct kt_str){(kt_u16)(end + 40), 20};
	rec.access.cgroup = (struct kt_str){(kt_u16)(end + 60), 50};
	rec.access.args = (struct kt_str){(kt_u16)(end + 110), 100};
	memset(rec.bytes + end, 'x', 300);
	end += 210;
	rec.access.h = (struct wire_header){.type = WIRE_ACCESS,
					    .version = WIRE_VERSION,
					    .size = (kt_u32)end};
	t = seconds();
	for (int i = 0; i < rounds; i++) {
		rec.access.h.seq = (kt_u64)i;
		if (wire_decode(rec.bytes, end, &ev) < 0)
			die("decode");
		sum += ev.access.path.len + ev.seq;
	}
	t = seconds() - t;
	printf("decode     %8.0f ns per access record (%llu)\n", t * 1e9 / rounds,
	       (unsigned long long)sum);
}

static void bench_engine(const struct policy *policy, uint64_t lives)
{
	struct engine *engine = engine_new(&(struct engine_config){
		.policy = policy, .host = "bench", .boot_id = "b", .alert = on_alert});
	struct engine_stats stats;
	double t, by_type[EVENT_TYPE_NR] = {0};
	uint64_t nr[EVENT_TYPE_NR] = {0};
	char args[160];

	if (!engine)
		die("out of memory");
	engine_feed(engine, &object);
	t = seconds();
	for (uint64_t n = 0; n < 4 * lives; n++) {
		struct event ev = make_event(n, args);

		engine_feed(engine, &ev);
		if (n % 64 == 0)
			engine_tick(engine, ev.time);
	}
	t = seconds() - t;
	engine_stats(engine, &stats);
	printf("engine     %8.0f ns per event, %.2f million events/s; %llu images, %.1f MiB in tables\n",
	       t * 1e9 / (double)(4 * lives), (double)(4 * lives) / t / 1e6,
	       (unsigned long long)stats.processes.nodes, (double)stats.bytes / 1048576);
	/* By type, in batches so that the clock does not count. */
	for (uint64_t n = 4 * lives; n < 4 * lives + 400000; n++) {
		struct event ev = make_event(n, args);
		double from = seconds();

		engine_feed(engine, &ev);
		by_type[ev.type] += seconds() - from;
		nr[ev.type]++;
		if (n % 64 == 0)
			engine_tick(engine, ev.time);
	}
	for (unsigned type = 1; type < EVENT_TYPE_NR; type++)
		if (nr[type])
			printf("  %-8s %8.0f ns (two looks at the clock included)\n",
			       event_type_str((enum event_type)type),
			       by_type[type] * 1e9 / (double)nr[type]);
	engine_free(engine);
}

static void bench_trace(const struct policy *policy, uint64_t lives)
{
	struct trace_header header = {.host = "bench", .boot_id = "b"};
	struct replay_options options = {.policy = policy, .alert = on_alert};
	struct diag_list diags = {0};
	struct trace_writer *writer;
	struct trace_reader *reader;
	struct trace_item item;
	struct replay_result result;
	FILE *f = tmpfile();
	uint64_t events = 4 * lives, read = 0;
	char args[160];
	double t, size;

	if (!f || trace_writer_new(f, &header, &writer) < 0)
		die("trace");
	t = seconds();
	if (trace_write(writer, &object) < 0)
		die("trace");
	for (uint64_t n = 0; n < events; n++) {
		struct event ev = make_event(n, args);

		if (trace_write(writer, &ev) < 0)
			die("trace");
	}
	fflush(f);
	t = seconds() - t;
	size = (double)ftell(f);
	trace_writer_free(writer);
	printf("write      %8.0f ns per event, %.0f bytes, %.0f MB/s\n", t * 1e9 / (double)events,
	       size / (double)events, size / t / 1e6);
	rewind(f);
	t = seconds();
	if (trace_reader_new(f, "bench", &diags, &reader) < 0)
		die("trace");
	while (trace_read(reader, &item) > 0)
		read++;
	t = seconds() - t;
	trace_reader_free(reader);
	if (read != events + 1)
		die("trace lost events");
	printf("read       %8.0f ns per event, %.0f MB/s\n", t * 1e9 / (double)events,
	       size / t / 1e6);
	rewind(f);
	t = seconds();
	if (replay_file(f, "bench", &options, &diags, &result) < 0)
		die("replay");
	t = seconds() - t;
	printf("replay     %8.0f ns per event, %.2f million events/s\n", t * 1e9 / (double)events,
	       (double)events / t / 1e6);
	fclose(f);
}

int main(int argc, char **argv)
{
	uint64_t lives = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
	struct policy *policy = load_policy();
	struct rusage usage;

	if (!lives)
		die("LIVES must be a number above 0");
	bench_decode();
	bench_engine(policy, lives);
	bench_trace(policy, lives);
	getrusage(RUSAGE_SELF, &usage);
	printf("memory     %8ld MiB at most, %llu alerts\n", usage.ru_maxrss / 1024,
	       (unsigned long long)alerts);
	policy_free(policy);
	return 0;
}
