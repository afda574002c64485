/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An alert: data with a schema (docs/alerts.md), made by the engine, written by sinks.
 *
 * All strings are escaped (base/escape.h), NUL terminated and owned by the alert; an alert is built
 * once and then only read, so it may be shared by sinks on one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/digests.h"
#include "model/event.h"
#include "policy/policy.h"

/* Stable: a type keeps its word and its number for ever. */
enum alert_type {
	ALERT_KEY_READ =
		1, /* "key-read": key material opened, received, mapped by an undeclared process */
	ALERT_DUMP_READ = 2, /* "dump-read": same for a crash dump */
	ALERT_CREDENTIAL_READ = 3, /* "credential-read" */
	ALERT_SENSOR_DEGRADED = 4, /* "sensor-degraded": a hook is missing or detached */
	ALERT_EVENTS_LOST = 5, /* "events-lost": a gap; from, to, count, cause */
	ALERT_POLICY_REFUSED =
		6, /* "policy-refused": a reload failed, the old policy is in force */
	ALERT_DAEMON = 7, /* "daemon": started, stopping, reloaded (severity info) */
	ALERT_MEMORY_READ = 8, /* "memory-read": of a process that has read a key */
	ALERT_DEVICE_READ = 9, /* "device-read": the block device under watched files */
	ALERT_HOLDER_DUMPED = 10, /* "holder-dumped": memory of a key's holder went into a dump */
	ALERT_DUMP_SETTING = 11, /* "dump-setting-changed": what decides about dumps */
	ALERT_AGENT_USE = 12, /* "agent-use": a connection to an agent that has keys */
	ALERT_DUMP_WITH_KEY = 13, /* "dump-with-key": a scan found keys in a dump */
	ALERT_DUMP_UNSCANNED = 14, /* "dump-unscanned": whether a dump holds keys is not known */
	ALERT_OBJECT_WRITTEN = 15, /* "object-written": opened for writing (`on: write`) */
	ALERT_ACCESS_REFUSED = 16, /* "access-refused": an open of a watched name failed */
	ALERT_ISOLATION_BREACH =
		17, /* "isolation-breach": a key's bytes are read outside its zone */
	ALERT_TRAIL_RULE =
		18, /* "trail-rule": deeds that say something together; `cause` names it */
	ALERT_OBJECT_LINKED = 19, /* "object-linked": given another name (`on: link`) */
	ALERT_HOLDER_SENT = 20, /* "holder-sent": who has read it talks to a host (`on: send`) */
	ALERT_ACCESS_DENIED = 21, /* "access-denied": an open that `mode: deny` refused */
	ALERT_TYPE_NR
};

struct alert_process { /* one step of the ancestry, [0] is the subject itself */
	uint32_t pid;
	uint64_t start; /* CLOCK_BOOTTIME ns */
	uint32_t uid;
	char *exe; /* "" = not known */
	char *args; /* redacted as the policy says, "" = not known or none */
	char *user; /* name of uid, or the number */
};

#define ALERT_ANCESTRY_MAX 32

struct alert_key { /* a key that a process has read, and may have in memory */
	char *path; /* as its owner knows it, "" = not known (any longer) */
	const char *object_class; /* object_class_str(), static, "" = not known */
	bool key_known;
	struct key_identity key;
};

struct alert_dump { /* ALERT_HOLDER_DUMPED */
	const char *how; /* static: "file", "pipe", "socket", "written" */
	char *path; /* the file; the helper's program; the socket */
	const char *kind; /* dump_kind_str(), static, of a file that the process wrote itself */
	uint32_t signal; /* 0 = none */
	uint32_t dumpable; /* 0, 1, 2 */
	uint64_t limit; /* RLIMIT_CORE in bytes, UINT64_MAX = none */
	uint64_t size; /* bytes, 0 = not known yet */
	uint32_t listener; /* pid of who listens at a socket, 0 = not known */
};

struct alert_scan_key { /* a key that stands in a dump */
	enum severity severity;
	char *class, *what; /* finding_class_str(), finding_what_str() */
	char *label, *zone; /* of a known key; rule of a token; "" = none */
	bool expired;
	uint32_t bits;
	uint64_t places, offset; /* how often it stands there, and where first */
	struct key_identity key; /* kind KEY_NONE: nothing public about it */
};

struct alert_scan { /* ALERT_DUMP_WITH_KEY, ALERT_DUMP_UNSCANNED, and ALERT_DUMP_READ */
	const char *state, *cause; /* scan_state_str(), scan_cause_str(); state NULL = not about one
				    */
	uint64_t keys; /* in all */
	struct alert_scan_key items[EVENT_KEYS_MAX]; /* the worst */
	uint32_t nr;
	struct digests digests; /* of what was scanned */
	/* NULL or 0 in ALERT_DUMP_READ */
	char *path, *container, *unseen;
	uint64_t size, bytes, took_ms;
	uint32_t pid, signal; /* what the dump says of its process; 0 = nothing */
	char *command, *exe;
	uint32_t holder_pid; /* who crashed, as it was seen; 0 = not known */
	char *holder_exe, *holder_unit;
};

struct alert_setting { /* ALERT_DUMP_SETTING */
	const char *name; /* setting_what_str(), static; NULL = not about a setting */
	char *old_value, *value; /* as text */
	uint32_t pid; /* of the process that it is a setting of; 0 = of the host */
};

struct alert_sent { /* ALERT_HOLDER_SENT */
	const char *how; /* net_how_str(), static; NULL = not about that */
	char to[64]; /* address, or "vsock:" and a cid */
	uint32_t port;
	uint32_t more; /* keys that it has read besides those that are named in the event */
};

struct alert_breach { /* ALERT_ISOLATION_BREACH */
	char *zone; /* NULL = not about one */
	char *link; /* the step by which the key left its zone, in words */
	char *way; /* the path so far: "/srv/a.key -> signd[901] -> /var/cores/core.901" */
	bool key_known;
	struct key_identity key; /* to be replaced by another */
};

struct alert {
	char id[33]; /* hex: same input, same id: a replay or a restart repeats it */
	enum alert_type type;
	enum severity severity;
	uint64_t time_ns; /* CLOCK_REALTIME of the event (boot time + offset), ns */
	char *host;
	char *text; /* one plain sentence with who, what, whose key, by which way */
	const char *attack; /* ATT&CK technique id, "" = none; static */
	uint64_t count; /* 1, or how many more of the same a summary stands for */
	uint64_t first_ns, last_ns; /* CLOCK_REALTIME, ns: of what `count` stands for */
	bool summary; /* this is the count of folded repeats of alert `of` */
	char of[33];

	/* who; nr_processes 0 = not about a process */
	struct alert_process *processes;
	uint32_t nr_processes;
	bool ancestry_complete; /* reaches pid 1 of the host or a kernel thread */
	uint32_t euid, loginuid, session;
	enum session_type session_type;
	char *remote; /* host that the session came from, "" = this one, or not known */
	char *login_user; /* name of loginuid, "" = none */
	char *unit; /* systemd unit, "" = none */
	char *container; /* id or name from the cgroup, "" = none */
	/* What the outermost container was made from: the name that its runtime was told, and
	 * "sha256:...". "" = in none, or not known */
	char *image, *image_id;
	char *image_container; /* which one that is, as `container`; NULL, "" = the same */
	enum exe_trust exe_trust;
	/* the script that the executable runs, "" = none, or not known; how that is known: observed
	 * (the kernel started it) or claimed (its arguments say so), static */
	char *script;
	const char *script_evidence;
	enum exe_trust script_trust; /* observed only */
	uint32_t untrusted; /* enum untrusted */
	char *package; /* which the executable is of, "" = none, or not known */
	enum package_state package_state;
	char *exe_digest; /* "sha256:...", "" = not known */
	char *exe_verity; /* the same of fs-verity, "" = it has none, or it is not known */

	/* what; object 0 = not about an object */
	uint64_t object;
	char *path; /* as its owner knows it */
	char *via; /* path by which it was reached if that is another one, else "" */
	char *watch; /* name of the policy's entry */
	const char *object_class; /* object_class_str(), static */
	uint32_t owner;
	char *owner_user;
	bool key_known;
	struct key_identity key;
	enum access_how how;
	uint32_t mode; /* enum access_mode, bits */
	uint32_t event_flags;

	/* ALERT_ACCESS_REFUSED, ALERT_ACCESS_DENIED: "EACCES", "ENOENT", "EPERM", static; else NULL
	 */
	const char *refused;

	char *new_path; /* ALERT_OBJECT_LINKED: the name that it was given; else NULL */

	/* ALERT_MEMORY_READ: whose memory, and what keys that process has read */
	enum memory_how memory_how;
	struct alert_process target; /* pid 0: the machine's memory */
	struct alert_key keys[EVENT_KEYS_MAX];
	uint32_t nr_keys; /* of keys[] */
	uint32_t keys_read; /* in all: there may be more than are named */

	/* why */
	char *rule; /* what the policy said, with file:line if it was a rule */
	const char *evidence; /* "observed" | "inferred" | "gap", static */
	/* what a process holds whose memory is at stake; of the first ones, see nr_held_all */
	struct alert_key held[HELD_MAX];
	uint32_t nr_held, nr_held_all;
	struct alert_dump dump;
	struct alert_setting setting;
	struct alert_scan scan;
	struct alert_breach breach;
	struct alert_sent sent;
	/* ALERT_EVENTS_LOST */
	uint64_t gap_from_ns, gap_to_ns; /* CLOCK_REALTIME */
	char *cause;
	/* Its record in the evidence log, and that record's hash; 0, "" = there is none. */
	uint64_t chain_seq;
	char chain_head[65];
};

void alert_free(struct alert *alert);

const char *alert_type_str(enum alert_type type);

/*
 * The alert as one JSON object on one line without newline, as docs/alerts.md says. Allocated; NULL
 * if out of memory. Valid UTF-8 whatever the input was. Reentrant.
 */
char *alert_json(const struct alert *alert);
