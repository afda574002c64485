// SPDX-License-Identifier: GPL-2.0-or-later
/* wire/decode.c: well-formed records come out whole, all others are refused with the right error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "wire.h"
#include "wire/decode.h"

/* A record as the probes lay it out: fixed part, then strings at their own places. */
union record {
	struct wire_header h;
	struct wire_fork fork;
	struct wire_exec exec;
	struct wire_exit exit;
	struct wire_access access;
	struct wire_mark mark;
	struct wire_dump dump;
	struct wire_written written;
	struct wire_setting setting;
	struct wire_memory memory;
	struct wire_net net;
	struct wire_refused refused;
	struct wire_script script;
	char bytes[4096];
};

static struct wire_subject subject(uint32_t tgid)
{
	return (struct wire_subject){
		.start = 123456789,
		.exec_id = 7,
		.tgid = tgid,
		.tid = tgid + 1,
		.uid = 1000,
		.euid = 1001,
		.gid = 1002,
		.loginuid = 1003,
		.session = 4,
		.pidns = 4026531836,
		.exe = {.ino = 99, .dev = 8388609, .gen = 3},
		.comm = "cat",
		.taint = WIRE_TAINT_TRACED | 0x80, /* one that is not known is nothing */
	};
}

static void put(union record *rec, size_t *end, struct kt_str *str, const char *p, size_t len)
{
	str->off = (kt_u16)*end;
	str->len = (kt_u16)len;
	memcpy(rec->bytes + *end, p, len);
	*end += len;
}

static void header(union record *rec, unsigned type, size_t size)
{
	rec->h = (struct wire_header){
		.type = (kt_u16)type,
		.version = WIRE_VERSION,
		.size = (kt_u32)size,
		.flags = WIRE_F_ARGS_TRUNCATED,
		.cpu = 3,
		.seq = 42,
		.time = 987654321,
	};
}

static const struct wire_held held = {.key = {17, 18, 0, 0}, .nr = 2, .other = 1};

/* Fills a record of the type and returns its size. */
static size_t make(union record *rec, unsigned type)
{
	size_t end = 0;

	memset(rec, 0xa5, sizeof(*rec)); /* bytes that nobody named hold rubbish */
	switch (type) {
	case WIRE_FORK:
		memset(&rec->fork, 0, end = sizeof(rec->fork));
		rec->fork.child = subject(812);
		rec->fork.parent_start = 5;
		rec->fork.parent_exec_id = 6;
		rec->fork.parent_tgid = 800;
		break;
	case WIRE_EXEC:
	case WIRE_PROC:
		memset(&rec->exec, 0, end = sizeof(rec->exec));
		rec->exec.subject = subject(812);
		rec->exec.parent_tgid = 800;
		rec->exec.exe_mode = 0100755;
		rec->exec.exe_uid = 11;
		rec->exec.exe_nlink = 12;
		put(rec, &end, &rec->exec.exe, "/usr/bin/cat", 12);
		put(rec, &end, &rec->exec.args, "cat\0/x\0", 7);
		put(rec, &end, &rec->exec.cgroup, "/init.scope", 11);
		break;
	case WIRE_EXIT:
		memset(&rec->exit, 0, end = sizeof(rec->exit));
		rec->exit.subject = subject(812);
		rec->exit.code = 256;
		break;
	case WIRE_ACCESS:
		memset(&rec->access, 0, end = sizeof(rec->access));
		rec->access.subject = subject(812);
		rec->access.inode = (struct wire_inode){.ino = 1, .dev = 2, .gen = 3};
		rec->access.object = 17;
		rec->access.size = 411;
		rec->access.parent_tgid = 800;
		rec->access.how = WIRE_HOW_EXEC_FD;
		rec->access.mode = WIRE_M_READ;
		rec->access.open_flags = 0100000;
		rec->access.fd = 5;
		rec->access.owner = 1000;
		rec->access.exe_nlink = 1;
		rec->access.nlink = 2;
		rec->access.exe_mode = 0100755;
		rec->access.exe_uid = 9;
		put(rec, &end, &rec->access.path, "/home/a/.ssh/id", 15);
		put(rec, &end, &rec->access.exe, "/usr/bin/cat", 12);
		put(rec, &end, &rec->access.cgroup, "/a", 2);
		put(rec, &end, &rec->access.args, "cat\0", 4);
		put(rec, &end, &rec->access.from, "/a/.ssh/old", 11);
		break;
	case WIRE_DUMP:
		memset(&rec->dump, 0, end = sizeof(rec->dump));
		rec->dump.subject = subject(812);
		rec->dump.inode = (struct wire_inode){.ino = 1, .dev = 2, .gen = 3};
		rec->dump.held = held;
		rec->dump.object = 19;
		rec->dump.limit = 8192;
		rec->dump.parent_tgid = 800;
		rec->dump.other_start = 6;
		rec->dump.other_tgid = 7;
		rec->dump.how = WIRE_DUMP_FILE;
		rec->dump.signal = 11;
		rec->dump.dumpable = 2;
		rec->dump.exe_uid = 9;
		put(rec, &end, &rec->dump.path, "/tmp/core", 9);
		put(rec, &end, &rec->dump.exe, "/usr/bin/cat", 12);
		put(rec, &end, &rec->dump.cgroup, "/a", 2);
		put(rec, &end, &rec->dump.args, "cat\0", 4);
		break;
	case WIRE_WRITTEN:
		memset(&rec->written, 0, end = sizeof(rec->written));
		rec->written.subject = subject(812);
		rec->written.inode = (struct wire_inode){.ino = 1, .dev = 2, .gen = 3};
		rec->written.held = held;
		rec->written.size = 1 << 20;
		rec->written.object = 19;
		rec->written.fs = 0xef53;
		rec->written.parent_tgid = 800;
		rec->written.owner = 1000;
		rec->written.how = WIRE_WRITTEN_HELPER;
		put(rec, &end, &rec->written.path, "/tmp/x.hprof", 12);
		break;
	case WIRE_SETTING:
		memset(&rec->setting, 0, end = sizeof(rec->setting));
		rec->setting.subject = subject(812);
		rec->setting.held = held;
		rec->setting.old_value = 1;
		rec->setting.value = 2;
		rec->setting.target_start = 5;
		rec->setting.target_tgid = 6;
		rec->setting.parent_tgid = 800;
		rec->setting.what = WIRE_SETTING_CORE_PATTERN;
		put(rec, &end, &rec->setting.text, "|/bin/x %p", 10);
		put(rec, &end, &rec->setting.exe, "/usr/bin/tee", 12);
		put(rec, &end, &rec->setting.cgroup, "/a", 2);
		put(rec, &end, &rec->setting.args, "tee\0", 4);
		break;
	case WIRE_MEMORY:
		memset(&rec->memory, 0, end = sizeof(rec->memory));
		rec->memory.subject = subject(812);
		rec->memory.target = subject(900);
		rec->memory.parent_tgid = 800;
		rec->memory.target_parent_start = 31;
		rec->memory.target_parent_exec_id = 32;
		rec->memory.target_parent_tgid = 33;
		for (unsigned i = 0; i < WIRE_KEYS_MAX; i++)
			rec->memory.key[i] = 17 + i;
		rec->memory.nr_keys = 5;
		rec->memory.how = WIRE_MEMORY_PROC_MEM;
		rec->memory.exe_nlink = 1;
		rec->memory.exe_mode = 0100755;
		rec->memory.exe_uid = 9;
		put(rec, &end, &rec->memory.exe, "/usr/bin/gdb", 12);
		put(rec, &end, &rec->memory.cgroup, "/a", 2);
		put(rec, &end, &rec->memory.args, "gdb\0-p\0", 7);
		break;
	case WIRE_NET:
		memset(&rec->net, 0, end = sizeof(rec->net));
		rec->net.subject = subject(812);
		rec->net.parent_tgid = 800;
		for (unsigned i = 0; i < WIRE_KEYS_MAX; i++)
			rec->net.key[i] = 17 + i;
		rec->net.other = 30;
		memcpy(rec->net.addr, "0123456789abcdef", 16);
		rec->net.nr_keys = 5;
		rec->net.how = WIRE_NET_MOUNT;
		rec->net.family = 10;
		rec->net.port = 443;
		rec->net.peer_tgid = 901;
		rec->net.exe_nlink = 1;
		rec->net.exe_mode = 0100755;
		rec->net.exe_uid = 9;
		rec->net.fs_magic = 0x6969;
		rec->net.dev = 44;
		put(rec, &end, &rec->net.exe, "/usr/bin/nc", 11);
		put(rec, &end, &rec->net.path, "/mnt/x", 6);
		put(rec, &end, &rec->net.cgroup, "/a", 2);
		put(rec, &end, &rec->net.args, "nc\0-l\0", 6);
		break;
	case WIRE_REFUSED:
		memset(&rec->refused, 0, end = sizeof(rec->refused));
		rec->refused.subject = subject(812);
		rec->refused.inode = (struct wire_inode){.ino = 1, .dev = 2, .gen = 3};
		rec->refused.object = 17;
		rec->refused.parent_tgid = 800;
		rec->refused.state = 5;
		rec->refused.error = EACCES;
		rec->refused.open_flags = 0100001;
		rec->refused.more = 6;
		rec->refused.owner = 1000;
		rec->refused.exe_nlink = 1;
		rec->refused.exe_mode = 0100755;
		rec->refused.exe_uid = 9;
		put(rec, &end, &rec->refused.path, "../id_a", 7);
		put(rec, &end, &rec->refused.dir, "/home/a/.ssh/x", 14);
		put(rec, &end, &rec->refused.exe, "/usr/bin/cat", 12);
		put(rec, &end, &rec->refused.cgroup, "/a", 2);
		put(rec, &end, &rec->refused.args, "cat\0", 4);
		break;
	case WIRE_SCRIPT:
		memset(&rec->script, 0, end = sizeof(rec->script));
		rec->script.start = 123456789;
		rec->script.exec_id = 7;
		rec->script.tgid = 812;
		rec->script.inode = (struct wire_inode){.ino = 1, .dev = 2, .gen = 3};
		rec->script.nlink = 1;
		rec->script.mode = 0100755;
		rec->script.uid = 9;
		put(rec, &end, &rec->script.path, "/usr/sbin/adduser", 17);
		put(rec, &end, &rec->script.name, "/sbin/addgroup", 14);
		break;
	default:
		memset(&rec->mark, 0, end = sizeof(rec->mark));
		rec->mark.inode = (struct wire_inode){.ino = 1, .dev = 2, .gen = 3};
		rec->mark.object = 17;
		rec->mark.parent_object = 4;
		rec->mark.state = 5;
		rec->mark.watch = 6;
		rec->mark.op = WIRE_MARK_MOVED_TREE;
		rec->mark.mode = 040755;
		rec->mark.uid = 7;
		rec->mark.tgid = 8;
		put(rec, &end, &rec->mark.path, "/d", 2);
	}
	header(rec, type, end);
	return end;
}

/* From an exact copy on the heap, at an odd address: reading past it or aligned is seen by the
 * sanitizers. */
static int decode(const union record *rec, size_t len, struct event *ev)
{
	char *copy = malloc(len + 1);
	int r;

	assert_non_null(copy);
	memcpy(copy + 1, rec->bytes, len);
	r = wire_decode(copy + 1, len, ev);
	free(copy);
	return r;
}

static void assert_span(struct span s, const char *p, size_t len)
{
	assert_int_equal(s.len, len);
	assert_memory_equal(s.p, p, len);
}

static void every_field_comes_out(void **state)
{
	union record rec;
	struct event ev;
	size_t n = make(&rec, WIRE_ACCESS);
	const struct event_access *a = &ev.access;

	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_ACCESS);
	assert_int_equal(ev.flags, EVENT_ARGS_TRUNCATED);
	assert_int_equal(ev.cpu, 3);
	assert_int_equal(ev.seq, 42);
	assert_int_equal(ev.time, 987654321);
	assert_int_equal(a->subject.id.tgid, 812);
	assert_int_equal(a->subject.id.start, 123456789);
	assert_int_equal(a->subject.id.exec_id, 7);
	assert_int_equal(a->subject.tid, 813);
	assert_int_equal(a->subject.uid, 1000);
	assert_int_equal(a->subject.euid, 1001);
	assert_int_equal(a->subject.gid, 1002);
	assert_int_equal(a->subject.loginuid, 1003);
	assert_int_equal(a->subject.session, 4);
	assert_int_equal(a->subject.pidns, 4026531836);
	assert_int_equal(a->subject.exe.ino, 99);
	assert_int_equal(a->subject.exe.dev, 8388609);
	assert_int_equal(a->subject.exe.gen, 3);
	assert_string_equal(a->subject.comm, "cat");
	assert_int_equal(a->subject.untrusted, UNTRUSTED_TRACED);
	assert_int_equal(a->parent.tgid, 800);
	assert_int_equal(a->inode.ino, 1);
	assert_int_equal(a->object, 17);
	assert_int_equal(a->size, 411);
	assert_int_equal(a->how, ACCESS_EXEC_FD);
	assert_int_equal(a->mode, ACCESS_M_READ);
	assert_int_equal(a->open_flags, 0100000);
	assert_int_equal(a->fd, 5);
	assert_int_equal(a->owner, 1000);
	assert_int_equal(a->nlink, 2);
	assert_int_equal(a->exe_nlink, 1);
	assert_int_equal(a->exe_mode, 0100755);
	assert_int_equal(a->exe_uid, 9);
	assert_int_equal(a->exe_trust, EXE_UNKNOWN);
	assert_span(a->path, "/home/a/.ssh/id", 15);
	assert_span(a->from, "/a/.ssh/old", 11);
	assert_span(a->exe, "/usr/bin/cat", 12);
	assert_span(a->cgroup, "/a", 2);
	assert_span(a->args, "cat\0", 4);

	n = make(&rec, WIRE_MEMORY);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_MEMORY);
	assert_int_equal(ev.memory.subject.id.tgid, 812);
	assert_int_equal(ev.memory.target.id.tgid, 900);
	assert_int_equal(ev.memory.parent.tgid, 800);
	assert_int_equal(ev.memory.target_parent.start, 31);
	assert_int_equal(ev.memory.target_parent.exec_id, 32);
	assert_int_equal(ev.memory.target_parent.tgid, 33);
	assert_int_equal(ev.memory.keys[0], 17);
	assert_int_equal(ev.memory.keys[3], 20);
	assert_int_equal(ev.memory.nr_keys, 5);
	assert_int_equal(ev.memory.how, MEMORY_PROC_MEM);
	assert_int_equal(ev.memory.exe_nlink, 1);
	assert_int_equal(ev.memory.exe_mode, 0100755);
	assert_int_equal(ev.memory.exe_uid, 9);
	assert_int_equal(ev.memory.exe_trust, EXE_UNKNOWN);
	assert_span(ev.memory.exe, "/usr/bin/gdb", 12);
	assert_span(ev.memory.cgroup, "/a", 2);
	assert_span(ev.memory.args, "gdb\0-p\0", 7);

	n = make(&rec, WIRE_NET);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_NET);
	assert_int_equal(ev.net.subject.id.tgid, 812);
	assert_int_equal(ev.net.parent.tgid, 800);
	assert_int_equal(ev.net.keys[3], 20);
	assert_int_equal(ev.net.nr_keys, 5);
	assert_int_equal(ev.net.other, 30);
	assert_memory_equal(ev.net.addr, "0123456789abcdef", 16);
	assert_int_equal(ev.net.how, NET_MOUNT);
	assert_int_equal(ev.net.family, 10);
	assert_int_equal(ev.net.port, 443);
	assert_int_equal(ev.net.peer, 901);
	assert_int_equal(ev.net.exe_nlink, 1);
	assert_int_equal(ev.net.fs_magic, 0x6969);
	assert_int_equal(ev.net.dev, 44);
	assert_span(ev.net.exe, "/usr/bin/nc", 11);
	assert_span(ev.net.path, "/mnt/x", 6);
	assert_span(ev.net.cgroup, "/a", 2);
	assert_span(ev.net.args, "nc\0-l\0", 6);
	assert_int_equal(ev.net.exe_mode, 0100755);
	assert_int_equal(ev.net.exe_uid, 9);
	assert_int_equal(ev.net.exe_trust, EXE_UNKNOWN);

	n = make(&rec, WIRE_FORK);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.fork.child.id.tgid, 812);
	assert_int_equal(ev.fork.parent.tgid, 800);
	assert_int_equal(ev.fork.parent.start, 5);
	assert_int_equal(ev.fork.parent.exec_id, 6);

	n = make(&rec, WIRE_PROC);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_PROC);
	assert_int_equal(ev.exec.exe_nlink, 12);
	assert_int_equal(ev.exec.exe_uid, 11);
	assert_span(ev.exec.args, "cat\0/x\0", 7);

	n = make(&rec, WIRE_EXIT);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.exit.code, 256);

	n = make(&rec, WIRE_MARK);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.mark.op, MARK_MOVED_TREE);
	assert_int_equal(ev.mark.parent_object, 4);
	assert_int_equal(ev.mark.state, 5);
	assert_int_equal(ev.mark.watch, 6);
	assert_int_equal(ev.mark.tgid, 8);
	assert_span(ev.mark.path, "/d", 2);
}

static void records_of_dumps_come_out(void **state)
{
	union record rec;
	struct event ev;
	size_t n = make(&rec, WIRE_DUMP);

	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_DUMP);
	assert_int_equal(ev.dump.subject.id.tgid, 812);
	assert_int_equal(ev.dump.parent.tgid, 800);
	assert_int_equal(ev.dump.inode.gen, 3);
	assert_int_equal(ev.dump.held.nr, 2);
	assert_int_equal(ev.dump.held.other, 1);
	assert_int_equal(ev.dump.held.key[0], 17);
	assert_int_equal(ev.dump.held.key[1], 18);
	assert_int_equal(ev.dump.object, 19);
	assert_int_equal(ev.dump.limit, 8192);
	assert_int_equal(ev.dump.other_start, 6);
	assert_int_equal(ev.dump.other_tgid, 7);
	assert_int_equal(ev.dump.how, DUMP_FILE);
	assert_int_equal(ev.dump.signal, 11);
	assert_int_equal(ev.dump.dumpable, 2);
	assert_int_equal(ev.dump.exe_uid, 9);
	assert_span(ev.dump.path, "/tmp/core", 9);
	assert_span(ev.dump.exe, "/usr/bin/cat", 12);
	assert_span(ev.dump.args, "cat\0", 4);

	n = make(&rec, WIRE_WRITTEN);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_WRITTEN);
	assert_int_equal(ev.written.inode.ino, 1);
	assert_int_equal(ev.written.held.nr, 2);
	assert_int_equal(ev.written.size, 1 << 20);
	assert_int_equal(ev.written.object, 19);
	assert_int_equal(ev.written.fs, 0xef53);
	assert_int_equal(ev.written.owner, 1000);
	assert_int_equal(ev.written.how, WRITTEN_HELPER);
	assert_int_equal(ev.written.kind, DUMPKIND_NONE);
	assert_span(ev.written.path, "/tmp/x.hprof", 12);

	n = make(&rec, WIRE_SETTING);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_SETTING);
	assert_int_equal(ev.setting.old_value, 1);
	assert_int_equal(ev.setting.value, 2);
	assert_int_equal(ev.setting.target_start, 5);
	assert_int_equal(ev.setting.target_tgid, 6);
	assert_int_equal(ev.setting.what, SETTING_CORE_PATTERN);
	assert_span(ev.setting.text, "|/bin/x %p", 10);
	assert_span(ev.setting.exe, "/usr/bin/tee", 12);
}

static void refused_tries(void **state)
{
	union record rec;
	struct event ev;
	size_t n = make(&rec, WIRE_REFUSED);

	assert_int_equal(decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_REFUSED);
	assert_int_equal(ev.refused.subject.id.tgid, 812);
	assert_int_equal(ev.refused.parent.tgid, 800);
	assert_int_equal(ev.refused.inode.ino, 1);
	assert_int_equal(ev.refused.object, 17);
	assert_int_equal(ev.refused.state, 5);
	assert_int_equal(ev.refused.error, EACCES);
	assert_int_equal(ev.refused.open_flags, 0100001);
	assert_int_equal(ev.refused.more, 6);
	assert_int_equal(ev.refused.owner, 1000);
	assert_int_equal(ev.refused.exe_mode, 0100755);
	assert_int_equal(ev.refused.exe_trust, EXE_UNKNOWN);
	assert_span(ev.refused.path, "../id_a", 7);
	assert_span(ev.refused.dir, "/home/a/.ssh/x", 14);
	assert_span(ev.refused.exe, "/usr/bin/cat", 12);
	assert_span(ev.refused.cgroup, "/a", 2);
	assert_span(ev.refused.args, "cat\0", 4);
	assert_int_equal(ev.refused.watch.len, 0);
	assert_int_equal(ev.flags & EVENT_DENIED, 0);
	rec.h.flags = WIRE_F_DENIED;
	assert_int_equal(decode(&rec, n, &ev), 0);
	assert_int_equal(ev.flags, EVENT_DENIED);
	rec.h.flags = 0;
	/* Of a name that is not there nobody is the owner. */
	rec.refused.object = 0;
	assert_int_equal(decode(&rec, n, &ev), 0);
	assert_int_equal(ev.refused.owner, UID_UNSET);
}

static void scripts(void **state)
{
	union record rec;
	struct event ev;
	size_t n = make(&rec, WIRE_SCRIPT);

	assert_int_equal(decode(&rec, n, &ev), 0);
	assert_int_equal(ev.type, EVENT_SCRIPT);
	assert_int_equal(ev.script.id.start, 123456789);
	assert_int_equal(ev.script.id.exec_id, 7);
	assert_int_equal(ev.script.id.tgid, 812);
	assert_int_equal(ev.script.inode.gen, 3);
	assert_int_equal(ev.script.nlink, 1);
	assert_int_equal(ev.script.mode, 0100755);
	assert_int_equal(ev.script.uid, 9);
	assert_int_equal(ev.script.trust, EXE_UNKNOWN);
	assert_span(ev.script.path, "/usr/sbin/adduser", 17);
	assert_span(ev.script.name, "/sbin/addgroup", 14);
}

static void every_shorter_record_is_refused(void **state)
{
	static const unsigned types[] = {WIRE_FORK,    WIRE_EXEC,   WIRE_EXIT, WIRE_ACCESS,
					 WIRE_MARK,    WIRE_PROC,   WIRE_DUMP, WIRE_WRITTEN,
					 WIRE_SETTING, WIRE_MEMORY, WIRE_NET,  WIRE_REFUSED,
					 WIRE_SCRIPT};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		unsigned type = types[i];
		union record rec;
		size_t whole = make(&rec, type);
		struct event ev;

		for (size_t n = 0; n < whole; n++) {
			assert_int_equal(decode(&rec, n, &ev), -EMSGSIZE);
			/* and when the size field goes along: its strings are outside */
			if (n < sizeof(rec.h))
				continue;
			rec.h.size = (kt_u32)n;
			assert_in_range(-decode(&rec, n, &ev), 1, 4095);
			rec.h.size = (kt_u32)whole;
		}
		assert_int_equal(decode(&rec, whole, &ev), 0);
		assert_int_equal(decode(&rec, whole + 1, &ev), -EMSGSIZE);
	}
}

static void what_is_wrong_is_said(void **state)
{
	union record rec;
	struct event ev, before;
	size_t n;

#define REFUSED(type, change, error)                                                      \
	do {                                                                              \
		n = make(&rec, type);                                                     \
		change;                                                                   \
		memset(&ev, 0x5a, sizeof(ev));                                            \
		before = ev;                                                              \
		assert_int_equal(decode(&rec, n, &ev), error);                            \
		assert_memory_equal(&ev, &before, sizeof(ev)); /* untouched on failure */ \
	} while (0)

	REFUSED(WIRE_EXEC, rec.h.version = WIRE_VERSION + 1, -EPROTONOSUPPORT);
	REFUSED(WIRE_EXEC, rec.h.version = 0, -EPROTONOSUPPORT);
	REFUSED(WIRE_EXEC, rec.h.type = 0, -ENOMSG);
	REFUSED(WIRE_EXEC, rec.h.type = EVENT_OBJECT + 100, -ENOMSG);
	REFUSED(WIRE_EXEC, rec.h.type = WIRE_SCRIPT + 1, -ENOMSG);
	REFUSED(WIRE_SCRIPT, rec.script.name.len = WIRE_SCRIPT_NAME_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_SCRIPT, rec.script.path.off = 4, -EBADMSG);
	REFUSED(WIRE_EXEC, rec.h.size++, -EMSGSIZE);
	REFUSED(WIRE_EXEC, memset(rec.exec.subject.comm, 'a', WIRE_COMM_LEN), -EBADMSG);
	REFUSED(WIRE_FORK, memset(rec.fork.child.comm, 'a', WIRE_COMM_LEN), -EBADMSG);
	REFUSED(WIRE_EXIT, memset(rec.exit.subject.comm, 'a', WIRE_COMM_LEN), -EBADMSG);
	REFUSED(WIRE_NET, rec.net.how = 0, -EBADMSG);
	REFUSED(WIRE_NET, rec.net.how = NET_HOW_NR, -EBADMSG);
	REFUSED(WIRE_NET, rec.net.path.len = WIRE_PATH_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_NET, rec.net.exe.off = (kt_u16)n, -EBADMSG);
	REFUSED(WIRE_NET, rec.net.args.len = WIRE_ARGS_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_ACCESS, rec.access.from.len = WIRE_PATH_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_ACCESS, rec.access.from.off = 4, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.how = WIRE_HOW_RENAME + 1, -EBADMSG);
	REFUSED(WIRE_MEMORY, rec.memory.how = 0, -EBADMSG);
	REFUSED(WIRE_MEMORY, rec.memory.how = MEMORY_HOW_NR, -EBADMSG);
	REFUSED(WIRE_MEMORY, rec.memory.how = WIRE_MEMORY_KCORE, -EBADMSG); /* has a target */
	REFUSED(WIRE_MEMORY, rec.memory.target.tgid = 0, -EBADMSG); /* has none */
	REFUSED(WIRE_MEMORY, memset(rec.memory.target.comm, 'a', WIRE_COMM_LEN), -EBADMSG);
	REFUSED(WIRE_MEMORY, rec.memory.exe.len = WIRE_EXE_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_MEMORY, rec.memory.exe.off = (kt_u16)n, -EBADMSG);
	REFUSED(WIRE_REFUSED, rec.refused.error = 0, -EBADMSG);
	REFUSED(WIRE_REFUSED, rec.refused.error = EEXIST, -EBADMSG);
	REFUSED(WIRE_REFUSED, rec.refused.path.len = WIRE_PATH_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_REFUSED, rec.refused.dir.off = 4, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.how = 0, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.how = ACCESS_HOW_NR, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.how = 0xffffffff, -EBADMSG);
	REFUSED(WIRE_MARK, rec.mark.op = 0, -EBADMSG);
	REFUSED(WIRE_MARK, rec.mark.op = MARK_OP_NR, -EBADMSG);
	REFUSED(WIRE_DUMP, rec.dump.how = 0, -EBADMSG);
	REFUSED(WIRE_DUMP, rec.dump.how = DUMP_HOW_NR, -EBADMSG);
	REFUSED(WIRE_DUMP, memset(rec.dump.subject.comm, 'a', WIRE_COMM_LEN), -EBADMSG);
	REFUSED(WIRE_DUMP, rec.dump.path.off = 0, -EBADMSG);
	REFUSED(WIRE_DUMP, rec.dump.args.len = WIRE_ARGS_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_WRITTEN, rec.written.path.len = WIRE_PATH_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_WRITTEN, rec.written.path.off = (kt_u16)n, -EBADMSG);
	REFUSED(WIRE_SETTING, rec.setting.what = 0, -EBADMSG);
	REFUSED(WIRE_SETTING, rec.setting.what = WIRE_SETTING_RLIMIT_CORE + 1, -EBADMSG);
	REFUSED(WIRE_SETTING, rec.setting.text.len = WIRE_SETTING_TEXT + 1, -ENAMETOOLONG);
	/* strings: into the fixed part, behind the end, partly behind it, wrapping around */
	REFUSED(WIRE_ACCESS, rec.access.path.off = sizeof(struct wire_access) - 1, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.path.off = 0, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.exe.off = (kt_u16)n, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.cgroup.off = 0xffff, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.args.len = 100, -EBADMSG);
	REFUSED(WIRE_MARK, rec.mark.path.len = 3, -EBADMSG);
	REFUSED(WIRE_ACCESS, rec.access.path.len = WIRE_PATH_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_ACCESS, rec.access.exe.len = WIRE_EXE_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_ACCESS, rec.access.cgroup.len = WIRE_CGROUP_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_ACCESS, rec.access.args.len = WIRE_ARGS_MAX + 1, -ENAMETOOLONG);
	REFUSED(WIRE_EXEC, rec.exec.exe.len = WIRE_EXE_MAX + 1, -ENAMETOOLONG);
#undef REFUSED
}

static void longest_strings_are_taken(void **state)
{
	union record rec;
	struct event ev;
	size_t end = sizeof(struct wire_access);
	static char path[WIRE_PATH_MAX];

	make(&rec, WIRE_ACCESS);
	memset(path, 'p', sizeof(path));
	put(&rec, &end, &rec.access.path, path, WIRE_PATH_MAX);
	put(&rec, &end, &rec.access.exe, path, WIRE_EXE_MAX);
	put(&rec, &end, &rec.access.cgroup, path, WIRE_CGROUP_MAX);
	put(&rec, &end, &rec.access.args, path, WIRE_ARGS_MAX);
	rec.h.size = (kt_u32)end;
	assert_int_equal(decode(&rec, end, &ev), 0);
	assert_int_equal(ev.access.path.len, WIRE_PATH_MAX);
}

static void absent_strings_need_no_place(void **state)
{
	union record rec;
	struct event ev;
	size_t n = make(&rec, WIRE_ACCESS);

	rec.access.path = (struct kt_str){.off = 0xffff, .len = 0};
	assert_int_equal(decode(&rec, n, &ev), 0);
	assert_null(ev.access.path.p);
	assert_int_equal(ev.access.path.len, 0);
}

/* A name that is being changed while it is read must not cost the access. */
static void a_nul_inside_a_path_cuts_it_and_is_flagged(void **state)
{
	union record rec;
	struct event ev;
	size_t n = make(&rec, WIRE_ACCESS);

	rec.bytes[rec.access.path.off + 5] = '\0';
	rec.bytes[rec.access.exe.off] = '\0';
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_span(ev.access.path, "/home", 5);
	assert_int_equal(ev.access.exe.len, 0);
	assert_null(ev.access.exe.p);
	assert_int_equal(ev.flags, EVENT_ARGS_TRUNCATED | EVENT_PATH_FAILED | EVENT_EXE_TRUNCATED);
}

static void what_stands_behind_comm_is_not_taken_along(void **state)
{
	union record rec;
	struct event ev;
	size_t n = make(&rec, WIRE_EXIT);

	memcpy(rec.exit.subject.comm, "sh\0leaked kerne", 16);
	assert_int_equal(wire_decode(&rec, n, &ev), 0);
	assert_memory_equal(ev.exit.subject.comm, "sh\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_out),
		cmocka_unit_test(records_of_dumps_come_out),
		cmocka_unit_test(refused_tries),
		cmocka_unit_test(scripts),
		cmocka_unit_test(every_shorter_record_is_refused),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(longest_strings_are_taken),
		cmocka_unit_test(absent_strings_need_no_place),
		cmocka_unit_test(a_nul_inside_a_path_cuts_it_and_is_flagged),
		cmocka_unit_test(what_stands_behind_comm_is_not_taken_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
