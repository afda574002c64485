// SPDX-License-Identifier: GPL-2.0-or-later
/* trail/graph: who counts as having a key, until when, and what is forgotten first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "trail/graph-internal.h"

#define SECOND 1000000000ULL

/* What the graph has told, a line each. */
static char told[65536];
static struct key_identity identity;
static bool identified;

static void note(const char *fmt, ...) _printf_(1, 2);
static void note(const char *fmt, ...)
{
	size_t n = strlen(told);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(told + n, sizeof(told) - n, fmt, ap);
	va_end(ap);
}

static void on_edge(void *ctx, const struct trail_edge *e)
{
	note("%s %s %s>%s %s\n", trail_edge_kind_str(e->kind), trail_evidence_str(e->evidence),
	     strrchr(e->from, '/') + 1, strrchr(e->to, '/') + 1, e->rule ? e->rule : "-");
}

static void on_gap(void *ctx, const struct trail_gap *gap)
{
	note("gap %s\n", gap->cause);
}

static void on_rekey(void *ctx, const char *old, const char *name)
{
	note("rekey %s>%s\n", strrchr(old, '/') + 1, strrchr(name, '/') + 1);
}

static enum trail_verified verified; /* of the process that was told last */

static void on_node(void *ctx, const struct trail_node *node)
{
	if (node->kind == TRAIL_PROCESS)
		verified = node->verified;
	if (node->ended_ns)
		note("ended %s\n", strrchr(node->name, '/') + 1);
}

/* Objects 1 to 9 are keys, those from 10 on are dumps, from 100 on copies of keys. */
static bool on_object(void *ctx, uint64_t number, struct trail_object *out)
{
	*out = (struct trail_object){
		.inode = {.ino = number},
		.path = span_of(number < 10 ? "/keys/k" : "/cores/c"),
		.watch = span_of("w"),
		.holds_key = number < 10,
		.is_dump = number >= 10 && number < 100,
		.is_copy = number >= 100,
		.key = number < 10 && identified ? &identity : NULL,
	};
	return number > 0;
}

/* Keys of 4096 bits belong to a zone. */
static uint32_t on_zone(void *ctx, const struct event_scan_key *key)
{
	return key->key.bits == 4096;
}

static struct trail_graph *graph_new(uint32_t processes, uint32_t files)
{
	const struct trail_sink sink = {.node = on_node,
					.edge = on_edge,
					.gap = on_gap,
					.rekey = on_rekey};
	struct trail_graph *g = trail_graph_new(&(struct trail_graph_config){
		.host = "h",
		.boot_id = "0123456789",
		.max_processes = processes,
		.max_files = files,
		.object = on_object,
		.zone = on_zone,
	});

	assert_non_null(g);
	trail_graph_set_sink(g, &sink);
	identity = (struct key_identity){.kind = KEY_ED25519,
					 .source = KEYSRC_FILE,
					 .ssh_fp = "SHA256:k"};
	identified = true;
	told[0] = '\0';
	return g;
}

static struct subject subject(uint32_t pid, uint64_t exec_id)
{
	return (struct subject){
		.id = {.start = pid, .exec_id = exec_id, .tgid = pid},
		.loginuid = UID_UNSET,
		.comm = "p",
	};
}

static enum exe_trust trust; /* in whom reads() reads */
static uint32_t untrusted;

static void reads(struct trail_graph *g, uint32_t pid, uint64_t object)
{
	const struct event ev = {
		.type = EVENT_ACCESS,
		.time = SECOND,
		.access =
			{
				.subject = subject(pid, 1),
				.inode = {.ino = object},
				.object = object,
				.how = ACCESS_OPEN,
				.mode = ACCESS_M_READ,
				.exe = span_of("/bin/p"),
				.exe_trust = trust,
			},
	};
	struct event copy = ev;

	copy.access.subject.untrusted = untrusted;
	trail_graph_feed(g, &copy);
}

static void forks(struct trail_graph *g, uint32_t pid, uint32_t child)
{
	const struct event ev = {
		.type = EVENT_FORK,
		.time = SECOND,
		.fork = {.child = subject(child, 1), .parent = subject(pid, 1).id},
	};

	trail_graph_feed(g, &ev);
}

static void execs(struct trail_graph *g, uint32_t pid)
{
	const struct event ev = {.type = EVENT_EXEC,
				 .time = SECOND,
				 .exec = {.subject = subject(pid, 2)}};

	trail_graph_feed(g, &ev);
}

static void exits(struct trail_graph *g, uint32_t pid)
{
	const struct event ev = {.type = EVENT_EXIT,
				 .time = SECOND,
				 .exit = {.subject = subject(pid, 1)}};

	trail_graph_feed(g, &ev);
}

static void crashes(struct trail_graph *g, uint32_t pid, uint64_t object)
{
	const struct event ev = {
		.type = EVENT_DUMP,
		.time = SECOND,
		.dump = {.subject = subject(pid, 1),
			 .how = DUMP_FILE,
			 .inode = {.ino = object},
			 .object = object,
			 .path = span_of("/cores/c")},
	};

	trail_graph_feed(g, &ev);
}

static void scanned(struct trail_graph *g, uint64_t object, enum scan_state state)
{
	const struct event key = {
		.type = EVENT_SCAN_KEY,
		.time = SECOND,
		.scan_key = {.scan = 1, .places = 1, .key = identity},
	};
	const struct event ev = {
		.type = EVENT_SCAN,
		.time = 2 * SECOND,
		.scan = {.scan = 1,
			 .state = state,
			 .inode = {.ino = object},
			 .object = object,
			 .keys = state == SCANSTATE_KEY},
	};

	if (state == SCANSTATE_KEY)
		trail_graph_feed(g, &key);
	trail_graph_feed(g, &ev);
}

static void connects(struct trail_graph *g, uint32_t pid)
{
	const struct event ev = {
		.type = EVENT_NET,
		.time = SECOND,
		.net = {.subject = subject(pid, 1),
			.how = NET_CONNECT,
			.family = 2,
			.port = 443,
			.addr = {10, 0, 0, 1}},
	};

	trail_graph_feed(g, &ev);
}

static void reads_memory(struct trail_graph *g, uint32_t pid, uint32_t target, enum memory_how how)
{
	const struct event ev = {
		.type = EVENT_MEMORY,
		.time = SECOND,
		.memory = {.subject = subject(pid, 1), .target = subject(target, 1), .how = how},
	};

	trail_graph_feed(g, &ev);
}

static void expect(struct trail_graph *g, const char *text)
{
	assert_string_equal(told, text);
	told[0] = '\0';
}

#define HOLDS "holds confirmed SHA256:k>0:1:0 -\n"

static void only_a_confirmed_file_carries_the_key_on(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	crashes(g, 5, 10);
	expect(g, HOLDS "read observed 0:1:0>5.5.1 -\ncrashed-into observed 5.5.1>0:10:0 -\n");
	reads(g, 6, 10); /* nothing is known of that dump */
	connects(g, 6);
	expect(g, "");
	scanned(g, 10, SCANSTATE_KEY);
	expect(g, "found-in confirmed SHA256:k>0:10:0 -\ndump-read observed 0:10:0>6.6.1 -\n");
	connects(g, 6);
	expect(g, "sent observed 6.6.1>10.0.0.1 port 443 -\n");
	/* And so on through the next dump. */
	crashes(g, 6, 11);
	scanned(g, 11, SCANSTATE_KEY);
	reads(g, 7, 11);
	expect(g, "crashed-into observed 6.6.1>0:11:0 -\nfound-in confirmed SHA256:k>0:11:0 -\n"
		  "dump-read observed 0:11:0>7.7.1 -\n");
	trail_graph_free(g);
}

static void a_dump_is_told_with_the_first_edge(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	struct trail_graph_stats st;

	for (uint64_t object = 10; object < 30; object++)
		reads(g, 5, object);
	trail_graph_stats(g, &st);
	assert_int_equal(st.nodes, 0);
	scanned(g, 10, SCANSTATE_KEY);
	trail_graph_stats(g, &st);
	assert_int_equal(st.nodes, 3); /* dump, key and reader */
	trail_graph_free(g);
}

static void a_clean_dump_carries_nothing(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	crashes(g, 5, 10);
	scanned(g, 10, SCANSTATE_CLEAN);
	told[0] = '\0';
	reads(g, 6, 10);
	connects(g, 6);
	expect(g, "");
	trail_graph_free(g);
}

static void children_are_told_when_they_do_something(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	told[0] = '\0';
	forks(g, 5, 6);
	forks(g, 6, 7);
	expect(g, "");
	connects(g, 7);
	expect(g, "inherited inferred 5.5.1>6.6.1 fork-copies-memory\n"
		  "inherited inferred 6.6.1>7.7.1 fork-copies-memory\n"
		  "sent observed 7.7.1>10.0.0.1 port 443 -\n");
	connects(g, 6);
	expect(g, "sent observed 6.6.1>10.0.0.1 port 443 -\n");
	trail_graph_free(g);
}

static void an_exec_ends_it(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	told[0] = '\0';
	execs(g, 5);
	expect(g, "ended 5.5.1\n");
	connects(g, 5); /* of the image before: too late to be told, and gone */
	forks(g, 5, 6);
	connects(g, 6);
	expect(g, "");
	trail_graph_free(g);
}

static void the_end_ends_it_but_a_crash_may_be_told_later(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	told[0] = '\0';
	exits(g, 5);
	expect(g, "ended 5.5.1\n");
	forks(g, 5, 6);
	connects(g, 6);
	expect(g, "");
	crashes(g, 5, 10);
	expect(g, "crashed-into observed 5.5.1>0:10:0 -\n");
	trail_graph_free(g);
}

static void who_can_read_memory_may_have_the_key(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	told[0] = '\0';
	reads_memory(g, 6, 5, MEMORY_GETFD); /* no memory */
	expect(g, "");
	reads_memory(g, 6, 5, MEMORY_ATTACH);
	connects(g, 6);
	expect(g, "memory-read inferred 5.5.1>6.6.1 memory-can-be-read\n"
		  "sent observed 6.6.1>10.0.0.1 port 443 -\n");
	trail_graph_free(g);
}

static void a_key_may_become_known_later(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	const struct event ev = {
		.type = EVENT_OBJECT,
		.time = SECOND,
		.object = {.object = 1,
			   .inode = {.ino = 1},
			   .path = span_of("/keys/k"),
			   .watch = span_of("w")},
	};

	identified = false;
	reads(g, 5, 1);
	expect(g, "holds inferred 0:1:0>0:1:0 names-unverified\nread observed 0:1:0>5.5.1 -\n");
	identified = true;
	trail_graph_feed(g, &ev);
	expect(g, "rekey 0:1:0>SHA256:k\n" HOLDS);
	connects(g, 5);
	expect(g, "sent observed 5.5.1>10.0.0.1 port 443 -\n");
	trail_graph_free(g);
}

/* As the daemon does at each change: what it is first, which key is in it then. */
static void is_told(struct trail_graph *g, const char *key)
{
	const struct event ev = {
		.type = EVENT_OBJECT,
		.time = SECOND,
		.object = {.object = 1,
			   .inode = {.ino = 1},
			   .path = span_of("/keys/k"),
			   .watch = span_of("w")},
	};

	identified = false;
	trail_graph_feed(g, &ev);
	identified = true;
	snprintf(identity.ssh_fp, sizeof(identity.ssh_fp), "SHA256:%s", key);
	trail_graph_feed(g, &ev);
}

static void a_key_that_is_found_out_once_more_leaves_nothing_behind(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	is_told(g, "k");
	is_told(g, "k");
	told[0] = '\0';
	reads(g, 6, 1);
	expect(g, "read observed 0:1:0>6.6.1 -\n");
	trail_graph_free(g);
}

static void who_reads_a_file_comes_by_the_key_that_is_in_it(void **state)
{
	const struct inode_id dump = {.ino = 10};
	struct trail_graph *g = graph_new(0, 0);
	struct trail_step steps[TRAIL_STEPS_MAX];

	reads(g, 5, 1);
	is_told(g, "k2");
	told[0] = '\0';
	reads(g, 6, 1);
	crashes(g, 6, 11);
	expect(g, "read observed 0:1:0>6.6.1 -\ncrashed-into observed 6.6.1>0:11:0 -\n");
	/* Who had read the one before has that one, from there. */
	crashes(g, 5, 10);
	assert_int_equal(trail_graph_way_to_file(g, &dump, "key/ssh/SHA256:k", steps,
						 TRAIL_STEPS_MAX),
			 3);
	/* However often it is replaced. */
	for (const char *c = "abcdefgh"; *c; c++)
		is_told(g, c);
	is_told(g, "last");
	told[0] = '\0';
	reads(g, 7, 1);
	expect(g, "read observed 0:1:0>7.7.1 -\n");
	crashes(g, 7, 12);
	assert_int_equal(trail_graph_way_to_file(g, &(struct inode_id){.ino = 12},
						 "key/ssh/SHA256:last", steps, TRAIL_STEPS_MAX),
			 3);
	trail_graph_free(g);
}

static void who_was_not_itself_once_is_not_told_as_verified(void **state)
{
	struct trail_graph *g = graph_new(8, 8);

	trust = EXE_VERIFIED;
	reads(g, 1, 1);
	assert_int_equal(verified, TRAIL_VERIFIED);
	/* Another file that is called so. */
	trust = EXE_OTHER;
	reads(g, 2, 1);
	assert_int_equal(verified, TRAIL_NOT_VERIFIED);
	trust = EXE_VERIFIED;
	reads(g, 2, 1);
	assert_int_equal(verified, TRAIL_NOT_VERIFIED);
	/* It was, until a debugger came. */
	untrusted = UNTRUSTED_TRACED;
	reads(g, 1, 1);
	assert_int_equal(verified, TRAIL_NOT_VERIFIED);
	untrusted = 0;
	trust = EXE_UNKNOWN;
	trail_graph_free(g);
}

static void a_new_name_is_told(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	const struct event ev = {
		.type = EVENT_OBJECT,
		.time = SECOND,
		.object = {.object = 1,
			   .inode = {.ino = 1},
			   .path = span_of("/elsewhere/k"),
			   .watch = span_of("w")},
	};

	reads(g, 5, 1);
	told[0] = '\0';
	trail_graph_feed(g, &ev);
	trail_graph_feed(g, &ev);
	expect(g, "renamed observed 0:1:0>0:1:0 -\n");
	trail_graph_free(g);
}

static void losses_are_gaps(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	const struct event ev = {.type = EVENT_GAP,
				 .time = SECOND,
				 .gap = {.cause = span_of("ring-critical")}};

	trail_graph_feed(g, &ev);
	expect(g, "gap ring-critical\n");
	trail_graph_free(g);
}

static void who_has_ended_is_forgotten_first(void **state)
{
	struct trail_graph *g = graph_new(4, 0);
	struct trail_graph_stats st;

	for (uint32_t pid = 1; pid <= 4; pid++)
		reads(g, pid, 1);
	exits(g, 3);
	reads(g, 5, 1);
	trail_graph_stats(g, &st);
	assert_int_equal(st.processes, 4);
	assert_int_equal(st.processes_forgotten, 0);
	assert_null(strstr(told, "gap"));
	reads(g, 1, 1); /* used last */
	reads(g, 6, 1); /* makes 2 go, which is told */
	trail_graph_stats(g, &st);
	assert_int_equal(st.processes, 4);
	assert_int_equal(st.processes_forgotten, 1);
	assert_non_null(strstr(told, "gap trail-full\n"));
	told[0] = '\0';
	connects(g, 2);
	expect(g, "");
	connects(g, 1);
	expect(g, "sent observed 1.1.1>10.0.0.1 port 443 -\n");
	trail_graph_free(g);
}

static void readers_are_not_forgotten_unsaid(void **state)
{
	struct trail_graph *g = graph_new(0, 4);
	struct trail_graph_stats before, st;

	reads(g, 5, 10);
	trail_graph_stats(g, &before);
	reads(g, 6, 10);
	trail_graph_stats(g, &st);
	assert_int_equal(st.bytes, before.bytes + sizeof(struct trail_reader));
	reads(g, 5, 11);
	scanned(g, 11, SCANSTATE_CLEAN); /* nobody needs that one */
	reads(g, 5, 12);
	reads(g, 5, 13);
	reads(g, 5, 14);
	trail_graph_stats(g, &st);
	assert_int_equal(st.files_forgotten, 0);
	assert_null(strstr(told, "gap"));
	reads(g, 5, 15);
	trail_graph_stats(g, &st);
	assert_int_equal(st.files_forgotten, 1);
	assert_non_null(strstr(told, "gap trail-full\n"));
	trail_graph_free(g);
}

static void memory_is_bounded_whatever_comes(void **state)
{
	struct trail_graph *g = graph_new(64, 32);
	struct trail_graph_stats st, end;

	for (uint32_t i = 0; i < 10000; i++) {
		reads(g, i, 1 + i % 9);
		forks(g, i, 100000 + i);
		crashes(g, i, 10 + i);
		told[0] = '\0';
		if (i == 1000)
			trail_graph_stats(g, &st);
	}
	trail_graph_stats(g, &end);
	assert_int_equal(end.processes, 64);
	assert_int_equal(end.files, 32);
	assert_int_equal(end.bytes, st.bytes);
	trail_graph_free(g);
}

/* What scan 1 found, one of many. */
static void finds(struct trail_graph *g, unsigned number, uint16_t bits)
{
	struct event ev = {
		.type = EVENT_SCAN_KEY,
		.time = SECOND,
		.scan_key = {.scan = 1,
			     .places = 1,
			     .key = {.kind = KEY_RSA, .source = KEYSRC_FILE, .bits = bits}},
	};

	snprintf(ev.scan_key.key.ssh_fp, sizeof(ev.scan_key.key.ssh_fp), "SHA256:%u", number);
	trail_graph_feed(g, &ev);
}

static void of_many_keys_that_of_a_zone_is_followed(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	const struct event ev = {
		.type = EVENT_SCAN,
		.time = 2 * SECOND,
		.scan = {.scan = 1,
			 .state = SCANSTATE_KEY,
			 .inode = {.ino = 10},
			 .object = 10,
			 .keys = 6},
	};

	for (unsigned i = 0; i < 5; i++)
		finds(g, i, 2048);
	finds(g, 5, 4096);
	trail_graph_feed(g, &ev);
	expect(g, "found-in confirmed SHA256:0>0:10:0 -\nfound-in confirmed SHA256:1>0:10:0 -\n"
		  "found-in confirmed SHA256:2>0:10:0 -\nfound-in confirmed SHA256:5>0:10:0 -\n");
	for (unsigned i = 10; i < 15; i++) /* another scan, of what is there now */
		finds(g, i, 2048);
	finds(g, 15, 4096);
	trail_graph_feed(g, &ev);
	told[0] = '\0';
	reads(g, 7, 10);
	assert_non_null(strstr(told, "dump-read"));
	trail_graph_free(g);
}

static void writes(struct trail_graph *g, uint32_t pid, uint64_t object, uint32_t how)
{
	const struct event ev = {
		.type = EVENT_WRITTEN,
		.time = SECOND,
		.written = {.subject = subject(pid, 1),
			    .inode = {.ino = object},
			    .object = object,
			    .how = how,
			    .kind = DUMPKIND_ELF_CORE,
			    .path = span_of("/cores/c")},
	};

	trail_graph_feed(g, &ev);
}

static void readers_are_those_of_the_content_that_was_scanned(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	struct trail_reader readers[TRAIL_READERS_MAX];
	const struct inode_id dump = {.ino = 10};

	writes(g, 20, 10, 0);
	reads(g, 5, 10);
	scanned(g, 10, SCANSTATE_CLEAN); /* he has read nothing */
	reads(g, 6, 10); /* nor has he */
	writes(g, 20, 10, 0);
	reads(g, 7, 10);
	writes(g, 20, 10, 0); /* as it is closed */
	told[0] = '\0';
	scanned(g, 10, SCANSTATE_KEY);
	expect(g, "found-in confirmed SHA256:k>0:10:0 -\ndump-read observed 0:10:0>7.7.1 -\n");
	assert_int_equal(trail_graph_take_readers(g, &dump, readers), 1);
	assert_int_equal(readers[0].subject.id.tgid, 7);
	assert_int_equal(trail_graph_take_readers(g, &dump, readers), 0);
	/* And the key goes with the content. */
	writes(g, 20, 10, 0);
	scanned(g, 10, SCANSTATE_CLEAN);
	told[0] = '\0';
	reads(g, 8, 10);
	expect(g, "");
	trail_graph_free(g);
}

static void who_wrote_one_key_has_not_written_the_other(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	const struct inode_id dump = {.ino = 10};
	const struct proc_id who = subject(5, 1).id;

	reads(g, 5, 1);
	crashes(g, 5, 10);
	assert_true(trail_graph_wrote(g, &dump, &who, "key/ssh/SHA256:k"));
	assert_true(trail_graph_wrote(g, &dump, &who, NULL));
	assert_false(trail_graph_wrote(g, &dump, &who, "key/ssh/SHA256:other"));
	/* But who was handed a memory has all of it in hand. */
	writes(g, 5, 11, WRITTEN_HELPER);
	assert_true(
		trail_graph_wrote(g, &(struct inode_id){.ino = 11}, &who, "key/ssh/SHA256:other"));
	reads(g, 5, 10);
	snprintf(identity.ssh_fp, sizeof(identity.ssh_fp), "SHA256:other");
	told[0] = '\0';
	scanned(g, 10, SCANSTATE_KEY); /* somebody else's, that it did not have */
	expect(g, "found-in confirmed SHA256:other>0:10:0 -\ndump-read observed 0:10:0>5.5.1 -\n");
	trail_graph_free(g);
}

static void the_way_to_a_file_begins_at_its_origin(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	const struct inode_id dump = {.ino = 11};
	struct trail_step steps[TRAIL_STEPS_MAX];

	reads(g, 5, 1);
	forks(g, 5, 6);
	crashes(g, 6, 11);
	assert_int_equal(trail_graph_way_to_file(g, &dump, "key/ssh/SHA256:k", steps,
						 TRAIL_STEPS_MAX),
			 4);
	assert_false(steps[0].is_process);
	assert_int_equal(steps[1].id.tgid, 5);
	assert_int_equal(steps[2].id.tgid, 6);
	assert_int_equal(steps[2].by, TRAIL_INHERITED);
	assert_int_equal(steps[3].by, TRAIL_CRASHED_INTO);
	assert_int_equal(trail_graph_way_to_file(g, &dump, "key/ssh/SHA256:other", steps,
						 TRAIL_STEPS_MAX),
			 0);
	trail_graph_free(g);
}

/* As the daemon tells what a holder, or its child, has closed. */
static void closes(struct trail_graph *g, uint32_t pid, uint64_t ino, uint32_t parent)
{
	const struct event ev = {
		.type = EVENT_WRITTEN,
		.time = SECOND,
		.written = {.subject = subject(pid, 1),
			    .parent = subject(parent, 1).id,
			    .inode = {.ino = ino},
			    .how = WRITTEN_COPY | (parent ? WRITTEN_OTHER : 0),
			    .path = span_of("/tmp/c")},
	};

	trail_graph_feed(g, &ev);
}

static void scanned_copy(struct trail_graph *g, uint64_t ino, enum scan_state state)
{
	const struct event key = {
		.type = EVENT_SCAN_KEY,
		.time = SECOND,
		.scan_key = {.scan = 7, .places = 1, .key = identity},
	};
	const struct event ev = {
		.type = EVENT_SCAN,
		.time = 2 * SECOND,
		.scan = {.scan = 7,
			 .state = state,
			 .cause = state == SCANSTATE_UNSCANNED ? SCANCAUSE_QUEUE : SCANCAUSE_NONE,
			 .copy = true,
			 .inode = {.ino = ino},
			 .object = state == SCANSTATE_KEY ? ino : 0,
			 .keys = state == SCANSTATE_KEY},
	};

	if (state == SCANSTATE_KEY)
		trail_graph_feed(g, &key);
	trail_graph_feed(g, &ev);
}

static void a_copy_carries_the_key_on_when_it_was_found_there(void **state)
{
	const struct subject writer = subject(5, 1);
	const struct inode_id copy = {.ino = 100};
	struct trail_graph *g = graph_new(0, 0);
	struct trail_graph_stats st;

	reads(g, 5, 1);
	told[0] = '\0';
	closes(g, 5, 100, 0);
	expect(g, "wrote inferred 5.5.1>0:100:0 holder-writes\n");
	reads(g, 6, 100);
	expect(g, "");
	scanned_copy(g, 100, SCANSTATE_KEY);
	expect(g, "found-in confirmed SHA256:k>0:100:0 -\n");
	assert_true(trail_graph_wrote(g, &copy, &writer.id, NULL));
	assert_true(trail_graph_wrote_all(g, &copy, &writer.id));
	reads(g, 6, 100);
	expect(g, "read observed 0:100:0>6.6.1 -\n");
	/* And once more. */
	closes(g, 6, 101, 0);
	scanned_copy(g, 101, SCANSTATE_KEY);
	reads(g, 7, 101);
	expect(g, "wrote inferred 6.6.1>0:101:0 holder-writes\n"
		  "found-in confirmed SHA256:k>0:101:0 -\nread observed 0:101:0>7.7.1 -\n");
	/* What stays inferred is remembered no longer. */
	trail_graph_stats(g, &st);
	assert_int_equal(st.files, 3);
	for (unsigned i = 0; i < 3; i++) {
		static const enum scan_state states[] = {SCANSTATE_CLEAN, SCANSTATE_INCOMPLETE,
							 SCANSTATE_UNSCANNED};

		closes(g, 5, 102 + i, 0);
		scanned_copy(g, 102 + i, states[i]);
		reads(g, 8, 102 + i);
		connects(g, 8);
	}
	expect(g, "wrote inferred 5.5.1>0:102:0 holder-writes\n"
		  "wrote inferred 5.5.1>0:103:0 holder-writes\n"
		  "wrote inferred 5.5.1>0:104:0 holder-writes\n");
	trail_graph_stats(g, &st);
	assert_int_equal(st.files, 6); /* the three of them are of who read them now */
	trail_graph_free(g);
}

/* Who added his own key to somebody's backup has not written what else is in it. */
static void who_wrote_one_key_of_a_file_has_not_written_the_others(void **state)
{
	const struct subject writer = subject(5, 1);
	const struct inode_id copy = {.ino = 100};
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	closes(g, 5, 100, 0);
	assert_true(trail_graph_wrote(g, &copy, &writer.id, NULL));
	assert_false(trail_graph_wrote_all(g, &copy, &writer.id)); /* nothing was found yet */
	scanned_copy(g, 100, SCANSTATE_KEY);
	assert_true(trail_graph_wrote_all(g, &copy, &writer.id));
	snprintf(identity.ssh_fp, sizeof(identity.ssh_fp), "SHA256:other");
	scanned_copy(g, 100, SCANSTATE_KEY); /* and not the first one any longer */
	assert_true(trail_graph_wrote(g, &copy, &writer.id, NULL));
	assert_false(trail_graph_wrote_all(g, &copy, &writer.id));
	assert_false(trail_graph_wrote_all(g, &(struct inode_id){.ino = 9}, &writer.id));
	trail_graph_free(g);
}

static void what_another_closes_is_told_when_the_key_was_found_there(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	told[0] = '\0';
	closes(g, 6, 100, 5);
	closes(g, 6, 101, 5);
	closes(g, 6, 102, 9); /* whose parent is not followed */
	scanned_copy(g, 101, SCANSTATE_CLEAN);
	expect(g, "");
	scanned_copy(g, 100, SCANSTATE_KEY);
	expect(g, "wrote inferred 5.5.1>0:100:0 written-for-holder\n"
		  "found-in confirmed SHA256:k>0:100:0 -\n");
	exits(g, 5);
	expect(g, "ended 5.5.1\n");
	closes(g, 4, 103, 5); /* a shell, what it had opened for it, or something else */
	expect(g, "");
	scanned_copy(g, 103, SCANSTATE_KEY);
	expect(g, "wrote inferred 5.5.1>0:103:0 written-for-holder\n"
		  "found-in confirmed SHA256:k>0:103:0 -\n");
	trail_graph_free(g);
}

static void of_many_files_only_the_first_are_told_without_a_key(void **state)
{
	struct trail_graph *g = graph_new(0, 0);
	struct trail_graph_stats before, after;

	reads(g, 5, 1);
	trail_graph_stats(g, &before);
	for (uint64_t i = 0; i < 2 * CANDIDATES_TOLD; i++) {
		closes(g, 5, 200 + i, 0);
		scanned_copy(g, 200 + i, SCANSTATE_CLEAN);
	}
	trail_graph_stats(g, &after);
	assert_int_equal(after.edges - before.edges, CANDIDATES_TOLD);
	assert_int_equal(after.files, 1);
	told[0] = '\0';
	closes(g, 5, 300, 0);
	expect(g, "");
	scanned_copy(g, 300, SCANSTATE_KEY);
	expect(g, "wrote inferred 5.5.1>0:300:0 holder-writes\n"
		  "found-in confirmed SHA256:k>0:300:0 -\n");
	/* A child that appends to it, and is told at once, does not take that off him. */
	forks(g, 5, 6);
	closes(g, 5, 301, 0);
	closes(g, 6, 301, 0);
	expect(g, "inherited inferred 5.5.1>6.6.1 fork-copies-memory\n"
		  "wrote inferred 6.6.1>0:301:0 holder-writes\n");
	scanned_copy(g, 301, SCANSTATE_KEY);
	expect(g, "wrote inferred 5.5.1>0:301:0 holder-writes\n"
		  "found-in confirmed SHA256:k>0:301:0 -\n");
	trail_graph_free(g);
}

/* Else sixteen trifles would hide the key behind content that no scan gets through. */
static void of_which_nothing_is_known_more_are_told(void **state)
{
	static const enum scan_state unclear[] = {SCANSTATE_INCOMPLETE, SCANSTATE_UNSCANNED};
	struct trail_graph *g = graph_new(0, 0);
	struct trail_graph_stats before, after;

	reads(g, 5, 1);
	for (uint64_t i = 0; i < CANDIDATES_TOLD; i++) {
		closes(g, 5, 200 + i, 0);
		scanned_copy(g, 200 + i, SCANSTATE_CLEAN);
	}
	told[0] = '\0';
	closes(g, 5, 300, 0);
	closes(g, 6, 301, 5);
	expect(g, "");
	scanned_copy(g, 300, SCANSTATE_INCOMPLETE);
	expect(g, "wrote inferred 5.5.1>0:300:0 holder-writes\n");
	scanned_copy(g, 301, SCANSTATE_UNSCANNED);
	expect(g, "wrote inferred 5.5.1>0:301:0 written-for-holder\n");
	trail_graph_stats(g, &before);
	for (uint64_t i = 0; i < 2 * UNCLEAR_TOLD; i++) {
		closes(g, 5, 400 + i, 0);
		scanned_copy(g, 400 + i, unclear[i % 2]);
	}
	trail_graph_stats(g, &after);
	assert_int_equal(after.edges - before.edges, UNCLEAR_TOLD - 2);
	assert_int_equal(after.files, 1);
	trail_graph_free(g);
}

/* The way begins with the first: the last may have the key from this very file. */
static void of_two_that_wrote_a_file_either_has_written_it(void **state)
{
	const struct proc_id first = subject(5, 1).id, last = subject(6, 1).id;
	const struct inode_id copy = {.ino = 100};
	const char *key = "key/ssh/SHA256:k";
	struct trail_graph *g = graph_new(0, 0);
	struct trail_step steps[TRAIL_STEPS_MAX];

	reads(g, 5, 1);
	closes(g, 5, 100, 0);
	scanned_copy(g, 100, SCANSTATE_KEY);
	reads(g, 6, 100);
	told[0] = '\0';
	for (unsigned i = 0; i < 2; i++) {
		closes(g, 6, 100, 0);
		scanned_copy(g, 100, SCANSTATE_KEY);
	}
	expect(g, "wrote inferred 6.6.1>0:100:0 holder-writes\n"
		  "found-in confirmed SHA256:k>0:100:0 -\nfound-in confirmed SHA256:k>0:100:0 -\n");
	assert_true(trail_graph_wrote(g, &copy, &first, key));
	assert_true(trail_graph_wrote(g, &copy, &last, key));
	assert_true(trail_graph_wrote_all(g, &copy, &last));
	assert_int_equal(trail_graph_way_to_file(g, &copy, key, steps, TRAIL_STEPS_MAX), 3);
	assert_int_equal(steps[1].id.tgid, 5);
	/* Whole memories are what the one was handed, not the other. */
	writes(g, 5, 11, WRITTEN_HELPER);
	writes(g, 6, 11, 0);
	assert_true(trail_graph_wrote(g, &(struct inode_id){.ino = 11}, &first, "another"));
	assert_false(trail_graph_wrote(g, &(struct inode_id){.ino = 11}, &last, "another"));
	assert_true(trail_graph_wrote(g, &(struct inode_id){.ino = 11}, &last, key));
	trail_graph_free(g);
}

static void that_a_second_one_wrote_it_is_told_when_the_key_was_found_there(void **state)
{
	struct trail_graph *g = graph_new(0, 0);

	reads(g, 5, 1);
	reads(g, 6, 1);
	told[0] = '\0';
	closes(g, 5, 100, 0);
	scanned_copy(g, 100, SCANSTATE_KEY);
	expect(g, "wrote inferred 5.5.1>0:100:0 holder-writes\n"
		  "found-in confirmed SHA256:k>0:100:0 -\n");
	closes(g, 7, 100, 6);
	expect(g, "");
	scanned_copy(g, 100, SCANSTATE_KEY);
	expect(g, "wrote inferred 6.6.1>0:100:0 written-for-holder\n"
		  "found-in confirmed SHA256:k>0:100:0 -\n");
	/* Who is told in the end has nothing that is held back; of the others the first and the
	 * last. */
	reads(g, 8, 1);
	told[0] = '\0';
	closes(g, 7, 100, 5);
	closes(g, 7, 100, 6);
	closes(g, 5, 100, 0);
	expect(g, "wrote inferred 5.5.1>0:100:0 holder-writes\n");
	closes(g, 7, 100, 8);
	closes(g, 7, 100, 5);
	scanned_copy(g, 100, SCANSTATE_KEY);
	expect(g, "wrote inferred 6.6.1>0:100:0 written-for-holder\n"
		  "wrote inferred 5.5.1>0:100:0 written-for-holder\n"
		  "found-in confirmed SHA256:k>0:100:0 -\n");
	trail_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_confirmed_file_carries_the_key_on),
		cmocka_unit_test(a_dump_is_told_with_the_first_edge),
		cmocka_unit_test(a_clean_dump_carries_nothing),
		cmocka_unit_test(children_are_told_when_they_do_something),
		cmocka_unit_test(an_exec_ends_it),
		cmocka_unit_test(the_end_ends_it_but_a_crash_may_be_told_later),
		cmocka_unit_test(who_can_read_memory_may_have_the_key),
		cmocka_unit_test(a_key_may_become_known_later),
		cmocka_unit_test(a_key_that_is_found_out_once_more_leaves_nothing_behind),
		cmocka_unit_test(who_reads_a_file_comes_by_the_key_that_is_in_it),
		cmocka_unit_test(who_was_not_itself_once_is_not_told_as_verified),
		cmocka_unit_test(a_new_name_is_told),
		cmocka_unit_test(losses_are_gaps),
		cmocka_unit_test(who_has_ended_is_forgotten_first),
		cmocka_unit_test(readers_are_not_forgotten_unsaid),
		cmocka_unit_test(memory_is_bounded_whatever_comes),
		cmocka_unit_test(of_many_keys_that_of_a_zone_is_followed),
		cmocka_unit_test(readers_are_those_of_the_content_that_was_scanned),
		cmocka_unit_test(a_copy_carries_the_key_on_when_it_was_found_there),
		cmocka_unit_test(who_wrote_one_key_of_a_file_has_not_written_the_others),
		cmocka_unit_test(what_another_closes_is_told_when_the_key_was_found_there),
		cmocka_unit_test(of_many_files_only_the_first_are_told_without_a_key),
		cmocka_unit_test(of_which_nothing_is_known_more_are_told),
		cmocka_unit_test(of_two_that_wrote_a_file_either_has_written_it),
		cmocka_unit_test(that_a_second_one_wrote_it_is_told_when_the_key_was_found_there),
		cmocka_unit_test(who_wrote_one_key_has_not_written_the_other),
		cmocka_unit_test(the_way_to_a_file_begins_at_its_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
