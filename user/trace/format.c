// SPDX-License-Identifier: GPL-2.0-or-later
/* What a line of each type holds. A new field goes here, into docs/trace.md, and nowhere else. */
#include "trace/format.h"

#include "base/cleanup.h"

#define UNSET UID_UNSET

#define AT(member) .offset = offsetof(struct event, member)
#define U16(n, member)                                   \
	{                                                \
		.name = n, AT(member), .kind = TRACE_U16 \
	}
#define U32(n, member)                                   \
	{                                                \
		.name = n, AT(member), .kind = TRACE_U32 \
	}
#define U32_OR(n, member, value)                                          \
	{                                                                 \
		.name = n, AT(member), .kind = TRACE_U32, .preset = value \
	}
#define U64(n, member)                                   \
	{                                                \
		.name = n, AT(member), .kind = TRACE_U64 \
	}
#define BOOL(n, member)                                   \
	{                                                 \
		.name = n, AT(member), .kind = TRACE_BOOL \
	}
#define SPAN(n, member)                                   \
	{                                                 \
		.name = n, AT(member), .kind = TRACE_SPAN \
	}
#define CHARS(n, member)                                    \
	{                                                   \
		.name = n, AT(member), .kind = TRACE_CHARS, \
		.size = sizeof(((struct event *)0)->member) \
	}
#define ADDR(n, member)                                   \
	{                                                 \
		.name = n, AT(member), .kind = TRACE_ADDR \
	}
#define WORD(n, member, from, to, function)                                         \
	{                                                                           \
		.name = n, AT(member), .kind = TRACE_WORD, .first = from, .nr = to, \
		.preset = from, .word = function                                    \
	}

#define SUBJECT(s)                                                                            \
	U32("pid", s.id.tgid), U64("start", s.id.start), U64("exec_id", s.id.exec_id),        \
		U32("tid", s.tid), U32("uid", s.uid), U32("euid", s.euid), U32("gid", s.gid), \
		U32_OR("loginuid", s.loginuid, UNSET), U32_OR("session", s.session, UNSET),   \
		U32("pidns", s.pidns), U64("exe_ino", s.exe.ino), U32("exe_dev", s.exe.dev),  \
		U32("exe_gen", s.exe.gen), CHARS("comm", s.comm), U32("untrusted", s.untrusted)
#define TARGET(s)                                                                               \
	U32("target_pid", s.id.tgid), U64("target_start", s.id.start),                          \
		U64("target_exec_id", s.id.exec_id), U32("target_tid", s.tid),                  \
		U32("target_uid", s.uid), U32("target_euid", s.euid), U32("target_gid", s.gid), \
		U32_OR("target_loginuid", s.loginuid, UNSET),                                   \
		U32_OR("target_session", s.session, UNSET), U32("target_pidns", s.pidns),       \
		U64("target_exe_ino", s.exe.ino), U32("target_exe_dev", s.exe.dev),             \
		U32("target_exe_gen", s.exe.gen), CHARS("target_comm", s.comm),                 \
		U32("target_untrusted", s.untrusted)
#define PARENT(p) \
	U32("ppid", p.tgid), U64("parent_start", p.start), U64("parent_exec_id", p.exec_id)
#define INODE(i) U64("ino", i.ino), U32("dev", i.dev), U32("gen", i.gen)

static const char *how_word(unsigned v)
{
	return access_how_str((enum access_how)v);
}
static const char *memory_word(unsigned v)
{
	return memory_how_str((enum memory_how)v);
}
static const char *net_word(unsigned v)
{
	return net_how_str((enum net_how)v);
}
static const char *trust_word(unsigned v)
{
	return exe_trust_str((enum exe_trust)v);
}
static const char *package_word(unsigned v)
{
	return package_state_str((enum package_state)v);
}
static const char *session_word(unsigned v)
{
	return session_type_str((enum session_type)v);
}
static const char *mark_word(unsigned v)
{
	return mark_op_str((enum mark_op)v);
}
static const char *level_word(unsigned v)
{
	return health_level_str((enum health_level)v);
}
static const char *kind_word(unsigned v)
{
	return key_kind_str((enum key_kind)v);
}
static const char *format_word(unsigned v)
{
	return key_format_str((enum key_format)v);
}
static const char *source_word(unsigned v)
{
	static const char *const words[] = {[KEYSRC_NONE] = "none",
					    [KEYSRC_FILE] = "file",
					    [KEYSRC_SIBLING] = "sibling",
					    [KEYSRC_STATED] = "stated"};

	return v < ARRAY_SIZE(words) ? words[v] : "?";
}

static const char *dump_how_word(unsigned v)
{
	return dump_how_str((enum dump_how)v);
}
static const char *dump_kind_word(unsigned v)
{
	return dump_kind_str((enum dump_kind)v);
}
static const char *setting_word(unsigned v)
{
	return setting_what_str((enum setting_what)v);
}

static const char *scan_state_word(unsigned v)
{
	return scan_state_str((enum scan_state)v);
}
static const char *scan_cause_word(unsigned v)
{
	return scan_cause_str((enum scan_cause)v);
}

static const struct trace_field common[] = {
	U64("time", time),
	U32("cpu", cpu),
	U64("seq", seq),
	U32("flags", flags),
};

static const struct trace_field fork_fields[] = {SUBJECT(fork.child), PARENT(fork.parent)};

static const struct trace_field exec_fields[] = {
	SUBJECT(exec.subject),
	PARENT(exec.parent),
	U32("exe_mode", exec.exe_mode),
	U32("exe_uid", exec.exe_uid),
	U32_OR("exe_nlink", exec.exe_nlink, 1),
	SPAN("exe", exec.exe),
	SPAN("args", exec.args),
	SPAN("cgroup", exec.cgroup),
};

static const struct trace_field exit_fields[] = {SUBJECT(exit.subject), U32("code", exit.code)};

static const struct trace_field access_fields[] = {
	SUBJECT(access.subject),
	PARENT(access.parent),
	INODE(access.inode),
	U64("object", access.object),
	U64("size", access.size),
	WORD("how", access.how, ACCESS_OPEN, ACCESS_HOW_NR, how_word),
	U32_OR("mode", access.mode, ACCESS_M_READ),
	U32("open_flags", access.open_flags),
	U32_OR("fd", access.fd, UNSET),
	U32("owner", access.owner),
	U32_OR("nlink", access.nlink, 1),
	U32_OR("exe_nlink", access.exe_nlink, 1),
	U32("exe_mode", access.exe_mode),
	U32("exe_uid", access.exe_uid),
	WORD("exe_trust", access.exe_trust, EXE_UNKNOWN, EXE_TRUST_NR, trust_word),
	SPAN("path", access.path),
	SPAN("from", access.from),
	SPAN("exe", access.exe),
	SPAN("cgroup", access.cgroup),
	SPAN("args", access.args),
};

static const struct trace_field mark_fields[] = {
	INODE(mark.inode),
	U64("object", mark.object),
	U64("parent_object", mark.parent_object),
	U32("state", mark.state),
	U32("watch_number", mark.watch),
	WORD("op", mark.op, MARK_ADDED, MARK_OP_NR, mark_word),
	U32("mode", mark.mode),
	U32("owner", mark.uid),
	U32("pid", mark.tgid),
	SPAN("path", mark.path),
};

static const struct trace_field memory_fields[] = {
	SUBJECT(memory.subject),
	PARENT(memory.parent),
	TARGET(memory.target),
	U32("target_ppid", memory.target_parent.tgid),
	U64("target_parent_start", memory.target_parent.start),
	U64("target_parent_exec_id", memory.target_parent.exec_id),
	WORD("how", memory.how, MEMORY_ATTACH, MEMORY_HOW_NR, memory_word),
	U64("key1", memory.keys[0]),
	U64("key2", memory.keys[1]),
	U64("key3", memory.keys[2]),
	U64("key4", memory.keys[3]),
	U32("keys", memory.nr_keys),
	U32_OR("exe_nlink", memory.exe_nlink, 1),
	U32("exe_mode", memory.exe_mode),
	U32("exe_uid", memory.exe_uid),
	WORD("exe_trust", memory.exe_trust, EXE_UNKNOWN, EXE_TRUST_NR, trust_word),
	SPAN("exe", memory.exe),
	SPAN("cgroup", memory.cgroup),
	SPAN("args", memory.args),
};

static const struct trace_field net_fields[] = {
	SUBJECT(net.subject),
	PARENT(net.parent),
	WORD("how", net.how, NET_CONNECT, NET_HOW_NR, net_word),
	U32("family", net.family),
	ADDR("addr", net.addr),
	U32("port", net.port),
	U32("peer", net.peer),
	U32("fs_magic", net.fs_magic),
	U32("dev", net.dev),
	U64("key1", net.keys[0]),
	U64("key2", net.keys[1]),
	U64("key3", net.keys[2]),
	U64("key4", net.keys[3]),
	U32("keys", net.nr_keys),
	U64("other", net.other),
	U32_OR("exe_nlink", net.exe_nlink, 1),
	U32("exe_mode", net.exe_mode),
	U32("exe_uid", net.exe_uid),
	WORD("exe_trust", net.exe_trust, EXE_UNKNOWN, EXE_TRUST_NR, trust_word),
	SPAN("exe", net.exe),
	SPAN("path", net.path),
	SPAN("cgroup", net.cgroup),
	SPAN("args", net.args),
};

static const struct trace_field session_fields[] = {
	U32("session", session.number),
	WORD("type", session.type, SESSION_UNKNOWN, SESSION_TYPE_NR, session_word),
	SPAN("remote", session.remote),
};

static const struct trace_field container_fields[] = {
	SPAN("id", container.id),
	SPAN("image", container.image),
	SPAN("image_id", container.image_id),
};

static const struct trace_field script_fields[] = {
	U32("pid", script.id.tgid),
	U64("start", script.id.start),
	U64("exec_id", script.id.exec_id),
	INODE(script.inode),
	U32_OR("nlink", script.nlink, 1),
	U32("mode", script.mode),
	U32("owner", script.uid),
	U32("by", script.by),
	WORD("trust", script.trust, EXE_UNKNOWN, EXE_TRUST_NR, trust_word),
	SPAN("path", script.path),
	SPAN("name", script.name),
};

static const struct trace_field refused_fields[] = {
	SUBJECT(refused.subject),
	PARENT(refused.parent),
	INODE(refused.inode),
	U64("object", refused.object),
	U32("error", refused.error),
	U32("open_flags", refused.open_flags),
	U32("more", refused.more),
	U32_OR("owner", refused.owner, UNSET),
	U32_OR("exe_nlink", refused.exe_nlink, 1),
	U32("exe_mode", refused.exe_mode),
	U32("exe_uid", refused.exe_uid),
	WORD("exe_trust", refused.exe_trust, EXE_UNKNOWN, EXE_TRUST_NR, trust_word),
	SPAN("path", refused.path),
	SPAN("watch", refused.watch),
	SPAN("exe", refused.exe),
	SPAN("cgroup", refused.cgroup),
	SPAN("args", refused.args),
};

static const struct trace_field object_fields[] = {
	U64("object", object.object),
	INODE(object.inode),
	SPAN("path", object.path),
	SPAN("watch", object.watch),
	BOOL("key_known", object.key_known),
	WORD("key_type", object.key.kind, KEY_NONE, KEY_KIND_NR, kind_word),
	WORD("key_format", object.key.format, KEYFMT_UNKNOWN, KEYFMT_NR, format_word),
	WORD("key_source", object.key.source, KEYSRC_NONE, KEYSRC_NR, source_word),
	BOOL("key_encrypted", object.key.encrypted),
	U16("key_bits", object.key.bits),
	CHARS("key_curve", object.key.curve),
	{.name = "key_spki", AT(object.key), .kind = TRACE_SPKI},
	CHARS("key_fingerprint", object.key.ssh_fp),
	CHARS("key_grip", object.key.keygrip),
	CHARS("key_comment", object.key.comment),
};

static const struct trace_field user_fields[] = {U32("uid", user.uid), SPAN("name", user.name)};

static const struct trace_field program_fields[] = {
	INODE(program.inode),
	WORD("package_state", program.state, PACKAGE_UNKNOWN, PACKAGE_STATE_NR, package_word),
	SPAN("package", program.package),
	SPAN("digest", program.digest),
	SPAN("verity", program.verity),
};

static const struct trace_field gap_fields[] = {
	U64("from", gap.from),
	U64("to", gap.to),
	U64("count", gap.count),
	SPAN("cause", gap.cause),
};

static const struct trace_field health_fields[] = {
	WORD("level", health.level, HEALTH_OK, HEALTH_BLIND + 1, level_word),
	SPAN("what", health.what),
	SPAN("text", health.text),
};

#define HELD(h)                                                                \
	U32("held", h.nr), U32("held_other", h.other), U64("held1", h.key[0]), \
		U64("held2", h.key[1]), U64("held3", h.key[2]), U64("held4", h.key[3])
#define EXE(e)                                                                         \
	U32_OR("exe_nlink", e.exe_nlink, 1), U32("exe_mode", e.exe_mode),              \
		U32("exe_uid", e.exe_uid),                                             \
		WORD("exe_trust", e.exe_trust, EXE_UNKNOWN, EXE_TRUST_NR, trust_word), \
		SPAN("exe", e.exe), SPAN("cgroup", e.cgroup), SPAN("args", e.args)

static const struct trace_field dump_fields[] = {
	SUBJECT(dump.subject),
	PARENT(dump.parent),
	INODE(dump.inode),
	HELD(dump.held),
	U64("object", dump.object),
	U64("limit", dump.limit),
	U64("other_start", dump.other_start),
	U32("other_pid", dump.other_tgid),
	WORD("how", dump.how, DUMP_NONE, DUMP_HOW_NR, dump_how_word),
	U32("signal", dump.signal),
	U32_OR("dumpable", dump.dumpable, 1),
	SPAN("path", dump.path),
	EXE(dump),
};

static const struct trace_field written_fields[] = {
	SUBJECT(written.subject),
	PARENT(written.parent),
	INODE(written.inode),
	HELD(written.held),
	U64("size", written.size),
	U64("object", written.object),
	U64("fs", written.fs),
	U32("owner", written.owner),
	U32("how", written.how),
	WORD("kind", written.kind, DUMPKIND_NONE, DUMPKIND_NR, dump_kind_word),
	SPAN("path", written.path),
};

static const struct trace_field setting_fields[] = {
	SUBJECT(setting.subject),
	PARENT(setting.parent),
	HELD(setting.held),
	U64("old", setting.old_value),
	U64("new", setting.value),
	U64("target_start", setting.target_start),
	U32("target_pid", setting.target_tgid),
	WORD("what", setting.what, SETTING_CORE_PATTERN, SETTING_WHAT_NR, setting_word),
	SPAN("old_text", setting.old_text),
	SPAN("text", setting.text),
	EXE(setting),
};

#define KEY(k)                                                                                \
	WORD("key_type", k.kind, KEY_NONE, KEY_KIND_NR, kind_word),                           \
		WORD("key_format", k.format, KEYFMT_UNKNOWN, KEYFMT_NR, format_word),         \
		WORD("key_source", k.source, KEYSRC_NONE, KEYSRC_SIBLING + 1, source_word),   \
		BOOL("key_encrypted", k.encrypted), U16("key_bits", k.bits),                  \
		CHARS("key_curve", k.curve), {.name = "key_spki", AT(k), .kind = TRACE_SPKI}, \
		CHARS("key_fingerprint", k.ssh_fp), CHARS("key_grip", k.keygrip),             \
		CHARS("key_comment", k.comment)

static const struct trace_field scan_key_fields[] = {
	U64("scan", scan_key.scan),
	U32("severity", scan_key.severity),
	SPAN("class", scan_key.class),
	SPAN("what", scan_key.what),
	U32("bits", scan_key.bits),
	U64("places", scan_key.places),
	U64("offset", scan_key.offset),
	SPAN("label", scan_key.label),
	SPAN("zone", scan_key.zone),
	BOOL("expired", scan_key.expired),
	KEY(scan_key.key),
};

static const struct trace_field scan_fields[] = {
	SUBJECT(scan.subject),
	PARENT(scan.parent),
	INODE(scan.inode),
	HELD(scan.held),
	U64("scan", scan.scan),
	U64("object", scan.object),
	U64("size", scan.size),
	U64("bytes", scan.bytes),
	U64("took", scan.took),
	U64("keys", scan.keys),
	U64("more", scan.more),
	U32("owner", scan.owner),
	BOOL("copy", scan.copy),
	WORD("state", scan.state, SCANSTATE_UNSCANNED, SCANSTATE_NR, scan_state_word),
	WORD("cause", scan.cause, SCANCAUSE_NONE, SCANCAUSE_NR, scan_cause_word),
	U32("dump_pid", scan.dump_pid),
	U32("dump_signal", scan.dump_signal),
	SPAN("dump_command", scan.dump_command),
	SPAN("dump_exe", scan.dump_exe),
	SPAN("container", scan.container),
	SPAN("unseen", scan.flags),
	SPAN("path", scan.path),
	SPAN("sha256", scan.sha256),
	SPAN("content_sha256", scan.content_sha256),
};

struct trace_fields trace_common_fields(void)
{
	return (struct trace_fields){common, ARRAY_SIZE(common)};
}

struct trace_fields trace_type_fields(enum event_type type)
{
#define FIELDS(list)                   \
	{                              \
		list, ARRAY_SIZE(list) \
	}
	static const struct trace_fields types[EVENT_TYPE_NR] = {
		[EVENT_FORK] = FIELDS(fork_fields),
		[EVENT_EXEC] = FIELDS(exec_fields),
		[EVENT_EXIT] = FIELDS(exit_fields),
		[EVENT_ACCESS] = FIELDS(access_fields),
		[EVENT_MARK] = FIELDS(mark_fields),
		[EVENT_PROC] = FIELDS(exec_fields),
		[EVENT_OBJECT] = FIELDS(object_fields),
		[EVENT_USER] = FIELDS(user_fields),
		[EVENT_GAP] = FIELDS(gap_fields),
		[EVENT_HEALTH] = FIELDS(health_fields),
		[EVENT_DUMP] = FIELDS(dump_fields),
		[EVENT_WRITTEN] = FIELDS(written_fields),
		[EVENT_SETTING] = FIELDS(setting_fields),
		[EVENT_MEMORY] = FIELDS(memory_fields),
		[EVENT_NET] = FIELDS(net_fields),
		[EVENT_SCAN] = FIELDS(scan_fields),
		[EVENT_SCAN_KEY] = FIELDS(scan_key_fields),
		[EVENT_REFUSED] = FIELDS(refused_fields),
		[EVENT_SCRIPT] = FIELDS(script_fields),
		[EVENT_SESSION] = FIELDS(session_fields),
		[EVENT_PROGRAM] = FIELDS(program_fields),
		[EVENT_CONTAINER] = FIELDS(container_fields),
	};
#undef FIELDS

	return (unsigned)type < EVENT_TYPE_NR ? types[type] : (struct trace_fields){NULL, 0};
}
