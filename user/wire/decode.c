// SPDX-License-Identifier: GPL-2.0-or-later
/* Decoder of ring records: every length checked, every field copied out, nothing cast. */
#include "wire/decode.h"

#include <errno.h>
#include <string.h>

/* A hole in a record would carry kernel memory out: padding must be written down. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "wire.h"
#pragma GCC diagnostic pop

/* The model's values are the wire's: the decoder checks ranges and copies. */
#define SAME(model, wire) _Static_assert((int)(model) == (int)(wire), #model " is not " #wire)
SAME(EVENT_FORK, WIRE_FORK);
SAME(EVENT_EXEC, WIRE_EXEC);
SAME(EVENT_EXIT, WIRE_EXIT);
SAME(EVENT_ACCESS, WIRE_ACCESS);
SAME(EVENT_MARK, WIRE_MARK);
SAME(EVENT_PROC, WIRE_PROC);
SAME(EVENT_PATH_TRUNCATED, WIRE_F_PATH_TRUNCATED);
SAME(EVENT_EXE_TRUNCATED, WIRE_F_EXE_TRUNCATED);
SAME(EVENT_CGROUP_TRUNCATED, WIRE_F_CGROUP_TRUNCATED);
SAME(EVENT_ARGS_TRUNCATED, WIRE_F_ARGS_TRUNCATED);
SAME(EVENT_PATH_FAILED, WIRE_F_PATH_FAILED);
SAME(EVENT_FD_SCAN_BOUND, WIRE_F_FD_SCAN_BOUND);
SAME(EVENT_GENERATION, WIRE_F_GENERATION);
SAME(EVENT_DENIED, WIRE_F_DENIED);
SAME(MEMORY_ATTACH, WIRE_MEMORY_ATTACH);
SAME(MEMORY_TRACED, WIRE_MEMORY_TRACED);
SAME(MEMORY_PEEK, WIRE_MEMORY_PEEK);
SAME(MEMORY_PROC_MEM, WIRE_MEMORY_PROC_MEM);
SAME(MEMORY_PROCESS_VM, WIRE_MEMORY_PROCESS_VM);
SAME(MEMORY_GETFD, WIRE_MEMORY_GETFD);
SAME(MEMORY_ENVIRON, WIRE_MEMORY_ENVIRON);
SAME(MEMORY_DEV_MEM, WIRE_MEMORY_DEV_MEM);
SAME(MEMORY_KCORE, WIRE_MEMORY_KCORE);
SAME(MEMORY_VMCORE, WIRE_MEMORY_VMCORE);
SAME(EVENT_KEYS_MAX, WIRE_KEYS_MAX);
SAME(ACCESS_OPEN, WIRE_HOW_OPEN);
SAME(ACCESS_RECEIVE, WIRE_HOW_RECEIVE);
SAME(ACCESS_EXEC_FD, WIRE_HOW_EXEC_FD);
SAME(ACCESS_MMAP, WIRE_HOW_MMAP);
SAME(ACCESS_FOUND, WIRE_HOW_FOUND);
SAME(ACCESS_CLOSE_WRITE, WIRE_HOW_CLOSE_WRITE);
SAME(ACCESS_CONNECT, WIRE_HOW_CONNECT);
SAME(ACCESS_READ, WIRE_HOW_READ);
SAME(ACCESS_LINK, WIRE_HOW_LINK);
SAME(ACCESS_RENAME, WIRE_HOW_RENAME);
SAME(NET_CONNECT, WIRE_NET_CONNECT);
SAME(NET_SEND, WIRE_NET_SEND);
SAME(NET_UNIX, WIRE_NET_UNIX);
SAME(NET_MOUNT, WIRE_NET_MOUNT);
SAME(ACCESS_M_READ, WIRE_M_READ);
SAME(ACCESS_M_WRITE, WIRE_M_WRITE);
SAME(ACCESS_M_EXEC, WIRE_M_EXEC);
SAME(ACCESS_M_CREATED, WIRE_M_CREATED);
SAME(MARK_ADDED, WIRE_MARK_ADDED);
SAME(MARK_MOVED, WIRE_MARK_MOVED);
SAME(MARK_DROPPED, WIRE_MARK_DROPPED);
SAME(MARK_SYMLINK, WIRE_MARK_SYMLINK);
SAME(MARK_MOVED_OUT, WIRE_MARK_MOVED_OUT);
SAME(MARK_MOVED_TREE, WIRE_MARK_MOVED_TREE);
SAME(MARK_SUPER_GONE, WIRE_MARK_SUPER_GONE);
SAME(MARK_LINKED, WIRE_MARK_LINKED);
SAME(MARK_REFUSED, WIRE_MARK_REFUSED);
SAME(MARK_BORN, WIRE_MARK_BORN);
SAME(HELD_MAX, WIRE_HELD_MAX);
SAME(UNTRUSTED_MAPPED, WIRE_TAINT_MAPPED);
SAME(UNTRUSTED_TRACED, WIRE_TAINT_TRACED);
SAME(UNTRUSTED_UNKNOWN, WIRE_TAINT_UNKNOWN);
SAME(UNTRUSTED_DISGUISED, WIRE_TAINT_DISGUISED);
SAME(DUMP_NONE, WIRE_DUMP_NONE);
SAME(DUMP_FILE, WIRE_DUMP_FILE);
SAME(DUMP_PIPE, WIRE_DUMP_PIPE);
SAME(DUMP_SOCKET, WIRE_DUMP_SOCKET);
SAME(DUMP_HELPER, WIRE_DUMP_HELPER);
SAME(WRITTEN_HELPER, WIRE_WRITTEN_HELPER);
SAME(WRITTEN_HOLDER, WIRE_WRITTEN_HOLDER);
SAME(WRITTEN_OTHER, WIRE_WRITTEN_OTHER);
SAME(WRITTEN_OVER, WIRE_WRITTEN_OVER);
SAME(SETTING_CORE_PATTERN, WIRE_SETTING_CORE_PATTERN);
SAME(SETTING_SUID_DUMPABLE, WIRE_SETTING_SUID_DUMPABLE);
SAME(SETTING_DUMPABLE, WIRE_SETTING_DUMPABLE);
SAME(SETTING_RLIMIT_CORE, WIRE_SETTING_RLIMIT_CORE);
#undef SAME
_Static_assert(sizeof(((struct subject *)0)->comm) == WIRE_COMM_LEN, "comm");

/* The record being decoded. `fixed` is where its tail of strings begins. */
struct record {
	const char *p;
	size_t len, fixed;
	uint32_t flags;
};

static int get_string(struct record *rec, struct kt_str str, size_t max, uint32_t cut_flag,
		      struct span *out)
{
	const char *nul;

	*out = (struct span){NULL, 0};
	if (!str.len)
		return 0;
	if (str.len > max)
		return -ENAMETOOLONG;
	if (str.off < rec->fixed || str.off > rec->len || str.len > rec->len - str.off)
		return -EBADMSG;
	out->p = rec->p + str.off;
	out->len = str.len;
	nul = cut_flag ? memchr(out->p, '\0', out->len) : NULL;
	if (nul) {
		out->len = (size_t)(nul - out->p);
		rec->flags |= cut_flag;
		if (!out->len)
			out->p = NULL;
	}
	return 0;
}

static struct inode_id get_inode(const struct wire_inode *w)
{
	return (struct inode_id){.ino = w->ino, .dev = w->dev, .gen = w->gen};
}

static int get_subject(const struct wire_subject *w, struct subject *out)
{
	if (!memchr(w->comm, '\0', sizeof(w->comm)))
		return -EBADMSG;
	*out = (struct subject){
		.id = {.start = w->start, .exec_id = w->exec_id, .tgid = w->tgid},
		.tid = w->tid,
		.uid = w->uid,
		.euid = w->euid,
		.gid = w->gid,
		.loginuid = w->loginuid,
		.session = w->session,
		.pidns = w->pidns,
		.exe = get_inode(&w->exe),
		.untrusted = w->taint & (UNTRUSTED_MAPPED | UNTRUSTED_TRACED | UNTRUSTED_UNKNOWN |
					 UNTRUSTED_DISGUISED),
	};
	/* Up to the NUL only: what is behind it is nobody's word. */
	memcpy(out->comm, w->comm, strnlen(w->comm, sizeof(w->comm)));
	return 0;
}

/* Copies the fixed part out of the record, which need not be aligned. */
#define GET_FIXED(rec, w)                                                                    \
	({                                                                                   \
		(rec)->fixed = sizeof(w);                                                    \
		(rec)->len < sizeof(w) ? -EMSGSIZE : (memcpy(&(w), (rec)->p, sizeof(w)), 0); \
	})

static int decode_fork(struct record *rec, struct event_fork *out)
{
	struct wire_fork w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	return get_subject(&w.child, &out->child);
}

static int decode_exec(struct record *rec, struct event_exec *out)
{
	struct wire_exec w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	out->exe_mode = w.exe_mode;
	out->exe_uid = w.exe_uid;
	out->exe_nlink = w.exe_nlink;
	out->cgroup_no = w.cgroup_no;
	r = get_subject(&w.subject, &out->subject);
	if (!r)
		r = get_string(rec, w.exe, WIRE_EXE_MAX, EVENT_EXE_TRUNCATED, &out->exe);
	if (!r)
		r = get_string(rec, w.cgroup, WIRE_CGROUP_MAX, EVENT_CGROUP_TRUNCATED,
			       &out->cgroup);
	if (!r)
		r = get_string(rec, w.args, WIRE_ARGS_MAX, 0, &out->args);
	return r;
}

static int decode_script(struct record *rec, struct event_script *out)
{
	struct wire_script w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	out->id = (struct proc_id){w.start, w.exec_id, w.tgid};
	out->inode = get_inode(&w.inode);
	out->nlink = w.nlink;
	out->mode = w.mode;
	out->uid = w.uid;
	out->by = w.by;
	out->trust = EXE_UNKNOWN;
	r = get_string(rec, w.path, WIRE_EXE_MAX, EVENT_PATH_FAILED, &out->path);
	if (!r)
		r = get_string(rec, w.name, WIRE_SCRIPT_NAME_MAX, EVENT_PATH_FAILED, &out->name);
	return r;
}

static int decode_exit(struct record *rec, struct event_exit *out)
{
	struct wire_exit w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	out->code = w.code;
	return get_subject(&w.subject, &out->subject);
}

static int decode_access(struct record *rec, struct event_access *out)
{
	struct wire_access w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	if (w.how < WIRE_HOW_OPEN || w.how >= ACCESS_HOW_NR)
		return -EBADMSG;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	out->inode = get_inode(&w.inode);
	out->object = w.object;
	out->size = w.size;
	out->how = (enum access_how)w.how;
	out->mode = w.mode;
	out->open_flags = w.open_flags;
	out->fd = w.fd;
	out->owner = w.owner;
	out->nlink = w.nlink;
	out->exe_nlink = w.exe_nlink;
	out->exe_mode = w.exe_mode;
	out->exe_uid = w.exe_uid;
	out->exe_trust = EXE_UNKNOWN;
	r = get_subject(&w.subject, &out->subject);
	if (!r)
		r = get_string(rec, w.path, WIRE_PATH_MAX, EVENT_PATH_FAILED, &out->path);
	if (!r)
		r = get_string(rec, w.from, WIRE_PATH_MAX, EVENT_PATH_FAILED, &out->from);
	if (!r)
		r = get_string(rec, w.exe, WIRE_EXE_MAX, EVENT_EXE_TRUNCATED, &out->exe);
	if (!r)
		r = get_string(rec, w.cgroup, WIRE_CGROUP_MAX, EVENT_CGROUP_TRUNCATED,
			       &out->cgroup);
	if (!r)
		r = get_string(rec, w.args, WIRE_ARGS_MAX, 0, &out->args);
	return r;
}

static int decode_memory(struct record *rec, struct event_memory *out)
{
	struct wire_memory w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	if (w.how < WIRE_MEMORY_ATTACH || w.how >= MEMORY_HOW_NR)
		return -EBADMSG;
	/* The machine's memory belongs to nobody, a process's does. */
	if ((w.how >= WIRE_MEMORY_DEV_MEM) != (w.target.tgid == 0))
		return -EBADMSG;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	out->target_parent = (struct proc_id){w.target_parent_start, w.target_parent_exec_id,
					      w.target_parent_tgid};
	memcpy(out->keys, w.key, sizeof(out->keys));
	out->nr_keys = w.nr_keys;
	out->how = (enum memory_how)w.how;
	out->exe_nlink = w.exe_nlink;
	out->exe_mode = w.exe_mode;
	out->exe_uid = w.exe_uid;
	out->exe_trust = EXE_UNKNOWN;
	r = get_subject(&w.subject, &out->subject);
	if (!r)
		r = get_subject(&w.target, &out->target);
	if (!r)
		r = get_string(rec, w.exe, WIRE_EXE_MAX, EVENT_EXE_TRUNCATED, &out->exe);
	if (!r)
		r = get_string(rec, w.cgroup, WIRE_CGROUP_MAX, EVENT_CGROUP_TRUNCATED,
			       &out->cgroup);
	if (!r)
		r = get_string(rec, w.args, WIRE_ARGS_MAX, 0, &out->args);
	return r;
}

static int decode_net(struct record *rec, struct event_net *out)
{
	struct wire_net w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	if (w.how < WIRE_NET_CONNECT || w.how >= NET_HOW_NR)
		return -EBADMSG;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	memcpy(out->keys, w.key, sizeof(out->keys));
	memcpy(out->addr, w.addr, sizeof(out->addr));
	out->other = w.other;
	out->nr_keys = w.nr_keys;
	out->how = (enum net_how)w.how;
	out->family = w.family;
	out->port = w.port;
	out->peer = w.peer_tgid;
	out->exe_nlink = w.exe_nlink;
	out->exe_mode = w.exe_mode;
	out->exe_uid = w.exe_uid;
	out->exe_trust = EXE_UNKNOWN;
	out->fs_magic = w.fs_magic;
	out->dev = w.dev;
	r = get_subject(&w.subject, &out->subject);
	if (!r)
		r = get_string(rec, w.exe, WIRE_EXE_MAX, EVENT_EXE_TRUNCATED, &out->exe);
	if (!r)
		r = get_string(rec, w.path, WIRE_PATH_MAX, EVENT_PATH_FAILED, &out->path);
	if (!r)
		r = get_string(rec, w.cgroup, WIRE_CGROUP_MAX, EVENT_CGROUP_TRUNCATED,
			       &out->cgroup);
	if (!r)
		r = get_string(rec, w.args, WIRE_ARGS_MAX, 0, &out->args);
	return r;
}

static int decode_refused(struct record *rec, struct event_refused *out)
{
	struct wire_refused w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	if (w.error != EPERM && w.error != ENOENT && w.error != EACCES)
		return -EBADMSG;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	out->inode = get_inode(&w.inode);
	out->object = w.object;
	out->state = w.state;
	out->error = w.error;
	out->open_flags = w.open_flags;
	out->more = w.more;
	out->owner = w.object ? w.owner : UID_UNSET;
	out->exe_nlink = w.exe_nlink;
	out->exe_mode = w.exe_mode;
	out->exe_uid = w.exe_uid;
	out->exe_trust = EXE_UNKNOWN;
	r = get_subject(&w.subject, &out->subject);
	if (!r)
		r = get_string(rec, w.path, WIRE_PATH_MAX, EVENT_PATH_FAILED, &out->path);
	if (!r)
		r = get_string(rec, w.dir, WIRE_EXE_MAX, EVENT_PATH_FAILED, &out->dir);
	if (!r)
		r = get_string(rec, w.exe, WIRE_EXE_MAX, EVENT_EXE_TRUNCATED, &out->exe);
	if (!r)
		r = get_string(rec, w.cgroup, WIRE_CGROUP_MAX, EVENT_CGROUP_TRUNCATED,
			       &out->cgroup);
	if (!r)
		r = get_string(rec, w.args, WIRE_ARGS_MAX, 0, &out->args);
	return r;
}

static int decode_mark(struct record *rec, struct event_mark *out)
{
	struct wire_mark w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	if (w.op < WIRE_MARK_ADDED || w.op >= MARK_OP_NR)
		return -EBADMSG;
	out->inode = get_inode(&w.inode);
	out->object = w.object;
	out->parent_object = w.parent_object;
	out->state = w.state;
	out->watch = w.watch;
	out->op = (enum mark_op)w.op;
	out->mode = w.mode;
	out->uid = w.uid;
	out->tgid = w.tgid;
	return get_string(rec, w.path, WIRE_PATH_MAX, EVENT_PATH_FAILED, &out->path);
}

static struct held get_held(const struct wire_held *w)
{
	struct held held = {.nr = w->nr, .other = w->other};

	memcpy(held.key, w->key, sizeof(held.key));
	return held;
}

/* The strings that every record about a process has. */
static int get_process_strings(struct record *rec, struct kt_str exe, struct kt_str cgroup,
			       struct kt_str args, struct span *out_exe, struct span *out_cgroup,
			       struct span *out_args)
{
	int r = get_string(rec, exe, WIRE_EXE_MAX, EVENT_EXE_TRUNCATED, out_exe);

	if (!r)
		r = get_string(rec, cgroup, WIRE_CGROUP_MAX, EVENT_CGROUP_TRUNCATED, out_cgroup);
	if (!r)
		r = get_string(rec, args, WIRE_ARGS_MAX, 0, out_args);
	return r;
}

static int decode_dump(struct record *rec, struct event_dump *out)
{
	struct wire_dump w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	if (w.how < WIRE_DUMP_NONE || w.how >= DUMP_HOW_NR)
		return -EBADMSG;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	out->inode = get_inode(&w.inode);
	out->held = get_held(&w.held);
	out->object = w.object;
	out->limit = w.limit;
	out->other_start = w.other_start;
	out->other_tgid = w.other_tgid;
	out->how = (enum dump_how)w.how;
	out->signal = w.signal;
	out->dumpable = w.dumpable;
	out->exe_nlink = w.exe_nlink;
	out->exe_mode = w.exe_mode;
	out->exe_uid = w.exe_uid;
	r = get_subject(&w.subject, &out->subject);
	if (!r)
		r = get_string(rec, w.path, WIRE_PATH_MAX, EVENT_PATH_FAILED, &out->path);
	if (!r)
		r = get_process_strings(rec, w.exe, w.cgroup, w.args, &out->exe, &out->cgroup,
					&out->args);
	return r;
}

static int decode_written(struct record *rec, struct event_written *out)
{
	struct wire_written w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	out->inode = get_inode(&w.inode);
	out->held = get_held(&w.held);
	out->size = w.size;
	out->object = w.object;
	out->fs = w.fs;
	out->owner = w.owner;
	out->how = w.how & (WRITTEN_HELPER | WRITTEN_HOLDER | WRITTEN_OTHER | WRITTEN_OVER);
	r = get_subject(&w.subject, &out->subject);
	if (!r)
		r = get_string(rec, w.path, WIRE_PATH_MAX, EVENT_PATH_FAILED, &out->path);
	return r;
}

static int decode_setting(struct record *rec, struct event_setting *out)
{
	struct wire_setting w;
	int r = GET_FIXED(rec, w);

	if (r < 0)
		return r;
	if (w.what < WIRE_SETTING_CORE_PATTERN || w.what > WIRE_SETTING_RLIMIT_CORE)
		return -EBADMSG;
	out->parent = (struct proc_id){w.parent_start, w.parent_exec_id, w.parent_tgid};
	out->held = get_held(&w.held);
	out->old_value = w.old_value;
	out->value = w.value;
	out->target_start = w.target_start;
	out->target_tgid = w.target_tgid;
	out->what = (enum setting_what)w.what;
	out->exe_nlink = w.exe_nlink;
	out->exe_mode = w.exe_mode;
	out->exe_uid = w.exe_uid;
	r = get_subject(&w.subject, &out->subject);
	if (!r)
		r = get_string(rec, w.text, WIRE_SETTING_TEXT, EVENT_PATH_FAILED, &out->text);
	if (!r)
		r = get_process_strings(rec, w.exe, w.cgroup, w.args, &out->exe, &out->cgroup,
					&out->args);
	return r;
}

int wire_decode(const void *buf, size_t len, struct event *out_event)
{
	struct record rec = {.p = buf, .len = len};
	struct event ev = {0};
	struct wire_header h;
	int r;

	if (len < sizeof(h))
		return -EMSGSIZE;
	memcpy(&h, buf, sizeof(h));
	/* Version before size: another version may mean something else by its size. */
	if (h.version != WIRE_VERSION)
		return -EPROTONOSUPPORT;
	if (h.size != len)
		return -EMSGSIZE;
	rec.flags = h.flags;
	ev.type = (enum event_type)h.type;
	ev.cpu = h.cpu;
	ev.seq = h.seq;
	ev.time = h.time;
	switch (h.type) {
	case WIRE_FORK:
		r = decode_fork(&rec, &ev.fork);
		break;
	case WIRE_EXEC:
	case WIRE_PROC:
		r = decode_exec(&rec, &ev.exec);
		break;
	case WIRE_EXIT:
		r = decode_exit(&rec, &ev.exit);
		break;
	case WIRE_ACCESS:
		r = decode_access(&rec, &ev.access);
		break;
	case WIRE_MARK:
		r = decode_mark(&rec, &ev.mark);
		break;
	case WIRE_DUMP:
		ev.type = EVENT_DUMP;
		r = decode_dump(&rec, &ev.dump);
		break;
	case WIRE_WRITTEN:
		ev.type = EVENT_WRITTEN;
		r = decode_written(&rec, &ev.written);
		break;
	case WIRE_SETTING:
		ev.type = EVENT_SETTING;
		r = decode_setting(&rec, &ev.setting);
		break;
	case WIRE_MEMORY:
		ev.type = EVENT_MEMORY;
		r = decode_memory(&rec, &ev.memory);
		break;
	case WIRE_NET:
		ev.type = EVENT_NET;
		r = decode_net(&rec, &ev.net);
		break;
	case WIRE_SCRIPT:
		ev.type = EVENT_SCRIPT;
		r = decode_script(&rec, &ev.script);
		break;
	case WIRE_REFUSED:
		ev.type = EVENT_REFUSED;
		r = decode_refused(&rec, &ev.refused);
		break;
	default:
		r = -ENOMSG;
	}
	if (r < 0)
		return r;
	ev.flags = rec.flags;
	*out_event = ev;
	return 0;
}
