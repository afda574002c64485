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
		[EVENT_FORK] = "fork",	   [EVENT_EXEC] = "exec", [EVENT_EXIT] = "exit",
		[EVENT_ACCESS] = "access", [EVENT_MARK] = "mark", [EVENT_PROC] = "proc",
		[EVENT_OBJECT] = "object", [EVENT_USER] = "user", [EVENT_GAP] = "gap",
		[EVENT_HEALTH] = "health",
	};

	return word(words, ARRAY_SIZE(words), type);
}

const char *access_how_str(enum access_how how)
{
	static const char *const words[ACCESS_HOW_NR] = {
		[ACCESS_OPEN] = "open",	      [ACCESS_RECEIVE] = "receive",
		[ACCESS_EXEC_FD] = "exec-fd", [ACCESS_MMAP] = "mmap",
		[ACCESS_FOUND] = "found",     [ACCESS_CLOSE_WRITE] = "close-write",
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

const char *mark_op_str(enum mark_op op)
{
	static const char *const words[MARK_OP_NR] = {
		[MARK_ADDED] = "added",		  [MARK_MOVED] = "moved",
		[MARK_DROPPED] = "dropped",	  [MARK_SYMLINK] = "symlink",
		[MARK_MOVED_OUT] = "moved-out",	  [MARK_MOVED_TREE] = "moved-tree",
		[MARK_SUPER_GONE] = "super-gone", [MARK_LINKED] = "linked",
		[MARK_REFUSED] = "refused",
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
