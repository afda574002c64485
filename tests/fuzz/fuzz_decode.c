// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a ring record: an event whose spans lie inside the record, or an error and nothing
 * else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "wire.h"
#include "wire/decode.h"

static volatile unsigned char sink;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void inside(struct span s, const uint8_t *data, size_t size, size_t max)
{
	check(s.len <= max && (s.len > 0) == (s.p != NULL));
	if (!s.len)
		return;
	check((const uint8_t *)s.p >= data && (const uint8_t *)s.p + s.len <= data + size);
	for (size_t i = 0; i < s.len; i++)
		sink ^= (unsigned char)s.p[i];
}

static void check_event(const struct event *ev, const uint8_t *data, size_t size)
{
	switch (ev->type) {
	case EVENT_FORK:
		check(strlen(ev->fork.child.comm) < WIRE_COMM_LEN);
		break;
	case EVENT_EXEC:
	case EVENT_PROC:
		check(strlen(ev->exec.subject.comm) < WIRE_COMM_LEN);
		inside(ev->exec.exe, data, size, WIRE_EXE_MAX);
		inside(ev->exec.args, data, size, WIRE_ARGS_MAX);
		inside(ev->exec.cgroup, data, size, WIRE_CGROUP_MAX);
		check(!ev->exec.exe.len || !memchr(ev->exec.exe.p, '\0', ev->exec.exe.len));
		break;
	case EVENT_EXIT:
		check(strlen(ev->exit.subject.comm) < WIRE_COMM_LEN);
		break;
	case EVENT_ACCESS:
		check(ev->access.how >= ACCESS_OPEN && ev->access.how < ACCESS_HOW_NR);
		inside(ev->access.path, data, size, WIRE_PATH_MAX);
		inside(ev->access.exe, data, size, WIRE_EXE_MAX);
		inside(ev->access.cgroup, data, size, WIRE_CGROUP_MAX);
		inside(ev->access.args, data, size, WIRE_ARGS_MAX);
		check(!ev->access.path.len ||
		      !memchr(ev->access.path.p, '\0', ev->access.path.len));
		break;
	case EVENT_MARK:
		check(ev->mark.op >= MARK_ADDED && ev->mark.op < MARK_OP_NR);
		inside(ev->mark.path, data, size, WIRE_PATH_MAX);
		break;
	case EVENT_DUMP:
		check(ev->dump.how >= DUMP_NONE && ev->dump.how < DUMP_HOW_NR);
		check(strlen(ev->dump.subject.comm) < WIRE_COMM_LEN);
		inside(ev->dump.path, data, size, WIRE_PATH_MAX);
		inside(ev->dump.exe, data, size, WIRE_EXE_MAX);
		inside(ev->dump.cgroup, data, size, WIRE_CGROUP_MAX);
		inside(ev->dump.args, data, size, WIRE_ARGS_MAX);
		break;
	case EVENT_WRITTEN:
		check(strlen(ev->written.subject.comm) < WIRE_COMM_LEN);
		check(ev->written.kind == DUMPKIND_NONE);
		inside(ev->written.path, data, size, WIRE_PATH_MAX);
		break;
	case EVENT_SETTING:
		check(ev->setting.what >= SETTING_CORE_PATTERN &&
		      ev->setting.what <= SETTING_RLIMIT_CORE);
		inside(ev->setting.text, data, size, WIRE_SETTING_TEXT);
		inside(ev->setting.exe, data, size, WIRE_EXE_MAX);
		inside(ev->setting.cgroup, data, size, WIRE_CGROUP_MAX);
		inside(ev->setting.args, data, size, WIRE_ARGS_MAX);
		break;
	case EVENT_NET:
		check(ev->net.how >= NET_CONNECT && ev->net.how < NET_HOW_NR);
		check(strlen(ev->net.subject.comm) < WIRE_COMM_LEN);
		inside(ev->net.exe, data, size, WIRE_EXE_MAX);
		inside(ev->net.path, data, size, WIRE_PATH_MAX);
		break;
	case EVENT_SHARE:
		check(ev->share.how >= SHARE_PIPE && ev->share.how < SHARE_HOW_NR);
		check(ev->share.hops && ev->share.forked <= 1);
		check(strlen(ev->share.subject.comm) < WIRE_COMM_LEN);
		inside(ev->share.exe, data, size, WIRE_EXE_MAX);
		inside(ev->share.cgroup, data, size, WIRE_CGROUP_MAX);
		break;
	case EVENT_REFUSED:
		check(ev->refused.error == EPERM || ev->refused.error == ENOENT ||
		      ev->refused.error == EACCES);
		check(strlen(ev->refused.subject.comm) < WIRE_COMM_LEN && !ev->refused.watch.len);
		inside(ev->refused.path, data, size, WIRE_PATH_MAX);
		inside(ev->refused.dir, data, size, WIRE_EXE_MAX);
		inside(ev->refused.exe, data, size, WIRE_EXE_MAX);
		inside(ev->refused.cgroup, data, size, WIRE_CGROUP_MAX);
		inside(ev->refused.args, data, size, WIRE_ARGS_MAX);
		break;
	case EVENT_SCRIPT:
		check(ev->script.trust == EXE_UNKNOWN);
		inside(ev->script.path, data, size, WIRE_EXE_MAX);
		inside(ev->script.name, data, size, WIRE_SCRIPT_NAME_MAX);
		break;
	case EVENT_MEMORY:
		check(ev->memory.how >= MEMORY_ATTACH && ev->memory.how < MEMORY_HOW_NR);
		check((ev->memory.how >= MEMORY_DEV_MEM) == !ev->memory.target.id.tgid);
		check(strlen(ev->memory.target.comm) < WIRE_COMM_LEN);
		inside(ev->memory.exe, data, size, WIRE_EXE_MAX);
		inside(ev->memory.cgroup, data, size, WIRE_CGROUP_MAX);
		inside(ev->memory.args, data, size, WIRE_ARGS_MAX);
		break;
	default:
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const kt_u16 types[] = {WIRE_FORK,    WIRE_EXEC,	  WIRE_EXIT, WIRE_ACCESS,
				       WIRE_MARK,    WIRE_PROC,	  WIRE_DUMP, WIRE_WRITTEN,
				       WIRE_SETTING, WIRE_MEMORY, WIRE_NET,  WIRE_REFUSED,
				       WIRE_SCRIPT,  WIRE_SHARE};
	struct event ev, untouched;
	uint8_t *copy;
	struct wire_header h;
	int r;

	memset(&ev, 0x5a, sizeof(ev));
	untouched = ev;
	r = wire_decode(data, size, &ev);
	if (r == 0)
		check_event(&ev, data, size);
	else
		check(!memcmp(&ev, &untouched, sizeof(ev)));
	if (size < sizeof(h))
		return 0;
	/* The same with a header that is right, since chance rarely makes one. */
	copy = malloc(size);
	check(copy != NULL);
	memcpy(copy, data, size);
	memcpy(&h, copy, sizeof(h));
	h.version = WIRE_VERSION;
	h.size = (kt_u32)size;
	h.type = types[h.type % ARRAY_SIZE(types)];
	memcpy(copy, &h, sizeof(h));
	r = wire_decode(copy, size, &ev);
	check(r == 0 || r == -EMSGSIZE || r == -EBADMSG || r == -ENAMETOOLONG);
	if (r == 0)
		check_event(&ev, copy, size);
	free(copy);
	return 0;
}
