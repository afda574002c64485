// SPDX-License-Identifier: GPL-2.0-or-later
/* The words for an event's values: one table each, used by trace, alerts and status alike. */
#include "model/event.h"

#include "base/cleanup.h"

static const char *word(const char *const *words, size_t nr, unsigned value)
{
	return value < nr && words[value] ? words[value] : "?";
}

const char *event_type_str(enum event_type type)
{
	static const char *const words[EVENT_TYPE_NR] = {
		[EVENT_FORK] = "fork",
		[EVENT_EXEC] = "exec",
		[EVENT_EXIT] = "exit",
		[EVENT_ACCESS] = "access",
		[EVENT_MARK] = "mark",
		[EVENT_PROC] = "proc",
		[EVENT_OBJECT] = "object",
		[EVENT_USER] = "user",
		[EVENT_GAP] = "gap",
		[EVENT_HEALTH] = "health",
		[EVENT_DUMP] = "dump",
		[EVENT_WRITTEN] = "written",
		[EVENT_SETTING] = "setting",
		[EVENT_MEMORY] = "memory",
		[EVENT_NET] = "net",
		[EVENT_SCAN_KEY] = "scan-key",
		[EVENT_SCAN] = "scan-verdict",
		[EVENT_REFUSED] = "refused",
		[EVENT_PROGRAM] = "program",
		[EVENT_SCRIPT] = "script",
		[EVENT_CONTAINER] = "container",
		[EVENT_SESSION] = "session",
	};

	return word(words, ARRAY_SIZE(words), type);
}

const char *access_how_str(enum access_how how)
{
	static const char *const words[ACCESS_HOW_NR] = {
		[ACCESS_OPEN] = "open",	      [ACCESS_RECEIVE] = "receive",
		[ACCESS_EXEC_FD] = "exec-fd", [ACCESS_MMAP] = "mmap",
		[ACCESS_FOUND] = "found",     [ACCESS_CLOSE_WRITE] = "close-write",
		[ACCESS_CONNECT] = "connect", [ACCESS_READ] = "read",
		[ACCESS_LINK] = "link",	      [ACCESS_RENAME] = "rename",
	};

	return word(words, ARRAY_SIZE(words), how);
}

const char *memory_how_str(enum memory_how how)
{
	static const char *const words[MEMORY_HOW_NR] = {
		[MEMORY_ATTACH] = "attach",
		[MEMORY_TRACED] = "traced",
		[MEMORY_PEEK] = "peek",
		[MEMORY_PROC_MEM] = "proc-mem",
		[MEMORY_PROCESS_VM] = "process-vm",
		[MEMORY_GETFD] = "getfd",
		[MEMORY_ENVIRON] = "environ",
		[MEMORY_DEV_MEM] = "dev-mem",
		[MEMORY_KCORE] = "kcore",
		[MEMORY_VMCORE] = "vmcore",
	};

	return word(words, ARRAY_SIZE(words), how);
}

const char *net_how_str(enum net_how how)
{
	static const char *const words[NET_HOW_NR] = {
		[NET_CONNECT] = "connect",
		[NET_SEND] = "send",
		[NET_UNIX] = "unix",
		[NET_MOUNT] = "mount",
	};

	return word(words, ARRAY_SIZE(words), how);
}

const char *exe_trust_str(enum exe_trust trust)
{
	static const char *const words[EXE_TRUST_NR] = {
		[EXE_UNKNOWN] = "unknown", [EXE_VERIFIED] = "verified", [EXE_OTHER] = "other",
		[EXE_MEMORY] = "memory",   [EXE_WRITABLE] = "writable",
	};

	return word(words, ARRAY_SIZE(words), trust);
}

const char *session_type_str(enum session_type type)
{
	static const char *const words[SESSION_TYPE_NR] = {
		[SESSION_UNKNOWN] = "unknown", [SESSION_LOCAL] = "local",   [SESSION_SSH] = "ssh",
		[SESSION_CRON] = "cron",       [SESSION_REMOTE] = "remote",
	};

	return word(words, ARRAY_SIZE(words), type);
}

const char *package_state_str(enum package_state state)
{
	static const char *const words[PACKAGE_STATE_NR] = {
		[PACKAGE_UNKNOWN] = "unknown", [PACKAGE_NONE] = "none",
		[PACKAGE_INTACT] = "intact",   [PACKAGE_MODIFIED] = "modified",
		[PACKAGE_PENDING] = "pending",
	};

	return word(words, ARRAY_SIZE(words), state);
}

const char *untrusted_str(enum untrusted reason)
{
	switch (reason) {
	case UNTRUSTED_MAPPED:
		return "mapped";
	case UNTRUSTED_TRACED:
		return "traced";
	case UNTRUSTED_MEMORY:
		return "memory";
	case UNTRUSTED_OTHER:
		return "other";
	case UNTRUSTED_WRITABLE:
		return "writable";
	case UNTRUSTED_UNKNOWN:
		return "unknown";
	case UNTRUSTED_DISGUISED:
		return "disguised";
	default:
		return "?";
	}
}

const char *mark_op_str(enum mark_op op)
{
	static const char *const words[MARK_OP_NR] = {
		[MARK_ADDED] = "added",		  [MARK_MOVED] = "moved",
		[MARK_DROPPED] = "dropped",	  [MARK_SYMLINK] = "symlink",
		[MARK_MOVED_OUT] = "moved-out",	  [MARK_MOVED_TREE] = "moved-tree",
		[MARK_SUPER_GONE] = "super-gone", [MARK_LINKED] = "linked",
		[MARK_REFUSED] = "refused",	  [MARK_BORN] = "born",
	};

	return word(words, ARRAY_SIZE(words), op);
}

const char *health_level_str(enum health_level level)
{
	static const char *const words[] = {
		[HEALTH_OK] = "ok",
		[HEALTH_DEGRADED] = "degraded",
		[HEALTH_BLIND] = "blind",
	};

	return word(words, ARRAY_SIZE(words), level);
}

const char *dump_how_str(enum dump_how how)
{
	static const char *const words[DUMP_HOW_NR] = {
		[DUMP_NONE] = "none",	  [DUMP_FILE] = "file",	    [DUMP_PIPE] = "pipe",
		[DUMP_SOCKET] = "socket", [DUMP_HELPER] = "helper",
	};

	return word(words, ARRAY_SIZE(words), how);
}

const char *dump_kind_str(enum dump_kind kind)
{
	static const char *const words[DUMPKIND_NR] = {
		[DUMPKIND_NONE] = "none",
		[DUMPKIND_ELF_CORE] = "elf-core",
		[DUMPKIND_MINIDUMP] = "minidump",
		[DUMPKIND_WINDOWS] = "windows-dump",
		[DUMPKIND_KDUMP] = "kdump",
		[DUMPKIND_JAVA] = "java-profile",
		[DUMPKIND_LIME] = "lime",
		[DUMPKIND_AVML] = "avml",
		[DUMPKIND_COMPRESSED] = "compressed",
		[DUMPKIND_TEXT] = "text",
		[DUMPKIND_ARCHIVE] = "archive",
	};

	return word(words, ARRAY_SIZE(words), kind);
}

const char *setting_what_str(enum setting_what what)
{
	static const char *const words[SETTING_WHAT_NR] = {
		[SETTING_CORE_PATTERN] = "kernel.core_pattern",
		[SETTING_SUID_DUMPABLE] = "fs.suid_dumpable",
		[SETTING_DUMPABLE] = "dumpable",
		[SETTING_RLIMIT_CORE] = "core-limit",
		[SETTING_CORE_PIPE_LIMIT] = "kernel.core_pipe_limit",
		[SETTING_CORE_USES_PID] = "kernel.core_uses_pid",
	};

	return word(words, ARRAY_SIZE(words), what);
}

const char *scan_state_str(enum scan_state state)
{
	static const char *const words[SCANSTATE_NR] = {
		[SCANSTATE_UNSCANNED] = "unscanned",   [SCANSTATE_SCANNING] = "scanning",
		[SCANSTATE_CLEAN] = "clean",	       [SCANSTATE_KEY] = "key",
		[SCANSTATE_INCOMPLETE] = "incomplete",
	};

	return word(words, ARRAY_SIZE(words), state);
}

const char *scan_cause_str(enum scan_cause cause)
{
	static const char *const words[SCANCAUSE_NR] = {
		[SCANCAUSE_NONE] = "",
		[SCANCAUSE_WAITING] = "waiting",
		[SCANCAUSE_OFF] = "off",
		[SCANCAUSE_SIZE] = "too-large",
		[SCANCAUSE_TIME] = "time-up",
		[SCANCAUSE_QUEUE] = "queue-full",
		[SCANCAUSE_CRASHED] = "crashed",
		[SCANCAUSE_MEMORY] = "no-memory",
		[SCANCAUSE_SANDBOX] = "no-sandbox",
		[SCANCAUSE_ANSWER] = "bad-answer",
		[SCANCAUSE_UNREADABLE] = "unreadable",
		[SCANCAUSE_PROGRAM] = "no-scanner",
		[SCANCAUSE_STOPPED] = "stopped",
	};

	return word(words, ARRAY_SIZE(words), cause);
}
