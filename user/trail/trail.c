// SPDX-License-Identifier: GPL-2.0-or-later
/* Words of the trail. */
#include "trail/trail.h"

#include <string.h>

#include "base/cleanup.h"

const char *trail_node_kind_str(enum trail_node_kind kind)
{
	static const char *const words[TRAIL_NODE_NR] = {
		[TRAIL_KEY] = "key",
		[TRAIL_FILE] = "file",
		[TRAIL_DUMP] = "dump",
		[TRAIL_PROCESS] = "process",
		[TRAIL_DESTINATION] = "destination",
	};

	return (unsigned)kind < TRAIL_NODE_NR && words[kind] ? words[kind] : "?";
}

const char *trail_edge_kind_str(enum trail_edge_kind kind)
{
	static const char *const words[TRAIL_EDGE_NR] = {
		[TRAIL_HOLDS] = "holds",
		[TRAIL_READ] = "read",
		[TRAIL_INHERITED] = "inherited",
		[TRAIL_MEMORY_READ] = "memory-read",
		[TRAIL_CRASHED_INTO] = "crashed-into",
		[TRAIL_WROTE] = "wrote",
		[TRAIL_FOUND_IN] = "found-in",
		[TRAIL_RENAMED] = "renamed",
		[TRAIL_DUMP_READ] = "dump-read",
		[TRAIL_SENT] = "sent",
		[TRAIL_SAME] = "same-content",
		[TRAIL_SHARED] = "shared",
	};

	return (unsigned)kind < TRAIL_EDGE_NR && words[kind] ? words[kind] : "?";
}

const char *trail_evidence_str(enum trail_evidence evidence)
{
	static const char *const words[TRAIL_EVIDENCE_NR] = {
		[TRAIL_OBSERVED] = "observed",
		[TRAIL_CONFIRMED] = "confirmed",
		[TRAIL_INFERRED] = "inferred",
	};

	return (unsigned)evidence < TRAIL_EVIDENCE_NR && words[evidence] ? words[evidence] : "?";
}

const char *trail_state_str(enum trail_state state)
{
	static const char *const words[TRAIL_STATE_NR] = {
		[TRAIL_UNSCANNED] = "unscanned",
		[TRAIL_CLEAN] = "clean",
		[TRAIL_WITH_KEY] = "key",
		[TRAIL_INCOMPLETE] = "incomplete",
	};

	return (unsigned)state < TRAIL_STATE_NR && words[state] ? words[state] : "?";
}

const char *trail_rule_text(const char *rule)
{
	static const struct {
		const char *word, *text;
	} rules[] = {
		{"fork-copies-memory", "a child has a copy of its parent's memory"},
		{"dump-handed-over", "it was handed the dump of a process that has the key"},
		{"helper-writes-dump", "it was handed that dump, and writes a file"},
		{"holder-writes", "it has the key, and writes a file"},
		{"dump-names-process", "the dump names this process, which had crashed"},
		{"memory-can-be-read", "it could read the memory, and so the key"},
		{"shares-pipe", "it has the other end of a pipe"},
		{"shares-socket", "it has the other end of a pair of sockets"},
		{"shares-memory", "it has the same memory file open"},
		{"same-content", "it has the same bytes; how they came there was not seen"},
		{"names-unverified", "the public half stands beside it: not verified"},
	};

	for (size_t i = 0; rule && i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].word, rule))
			return rules[i].text;
	return rule;
}
