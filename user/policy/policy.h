/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy: which objects are watched, who may touch them, and the settings that go with it.
 *
 * Built whole from files and never changed afterwards; a reload builds another one. All strings it
 * returns live as long as it does. Reading it from several threads is safe.
 *
 *	version: 1
 *	settings:
 *	  cmdline: redacted          # none | redacted | full
 *	  sd_id: keytrail@32473
 *	watch:
 *	  - name: ssh-user-keys
 *	    class: ssh-user-key
 *	    severity: high           # info | low | medium | high | critical
 *	    paths: ["~/.ssh/id_*"]
 *	    exclude: ["*.pub"]       # a pattern without / is for the last component
 *	    allow:
 *	      - exe: /usr/bin/ssh
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "model/event.h"

enum severity { SEV_INFO = 1, SEV_LOW, SEV_MEDIUM, SEV_HIGH, SEV_CRITICAL, SEV_NR };
enum cmdline_mode { CMDLINE_NONE, CMDLINE_REDACTED, CMDLINE_FULL };

/* What kind of thing a watch entry's objects are; decides the alert's type and wording. */
enum object_class {
	CLASS_SSH_USER_KEY = 1,
	CLASS_SSH_HOST_KEY,
	CLASS_TLS_KEY,
	CLASS_GPG_KEY,
	CLASS_KEY, /* any other key material */
	CLASS_CREDENTIAL, /* tokens, passwords, tickets */
	CLASS_DUMP, /* crash dumps and memory images */
	CLASS_DEVICE, /* block devices under the file systems of all others; has no paths */
	CLASS_AGENT_SOCKET, /* Unix sockets of agents that have keys: who connects, not who reads */
	/* No files: an entry of these has no paths, and is about a deed. */
	CLASS_PROCESS_MEMORY, /* memory of a process that has read a key */
	CLASS_SYSTEM_MEMORY, /* /dev/mem, /proc/kcore, /proc/vmcore */
	CLASS_NR
};

const char *severity_str(enum severity severity);
const char *object_class_str(enum object_class object_class); /* as written in a policy */
const char *object_class_noun(enum object_class object_class); /* "SSH user key": for sentences */

bool object_class_has_paths(enum object_class object_class);
bool object_class_holds_keys(enum object_class object_class); /* what is in the file is a key */

/* Settings with their defaults applied. */
struct settings {
	enum cmdline_mode cmdline; /* redacted */
	const char *sd_id; /* keytrail@32473 (RFC 5612) */
	const char *syslog_socket; /* /run/keytrail/rsyslog/syslog.sock: RFC 5424, our own rsyslog
				      input */
	const char *syslog_fallback; /* /dev/log: RFC 3164 framing */
	const char *jsonl; /* /var/log/keytrail/alerts.jsonl; "" = off */
	uint32_t alert_burst; /* 8: same (type, exe, uid, object) that go out one by one ... */
	uint32_t alert_window_s; /* 600: ... within this many seconds; the rest as a count */
	uint32_t ring_critical_kib; /* 8192, power of two */
	uint32_t ring_bulk_kib; /* 4096, power of two */
	uint32_t marks_max; /* 131072 objects */
	bool memory; /* off: probes at memory of key holders, agents' sockets, their connections */
	uint32_t canary_s; /* 60: the sensor is tested this often, 0 = never */
	uint32_t dump_threshold; /* 65536 bytes: files of less are not looked at; 0 = none are */
};

struct watch_entry {
	const char *name;
	enum object_class object_class;
	enum severity severity;
};

struct policy;

/*
 * Reads the files, in order, as one policy. Errors and warnings go to `diags` with their place;
 * with any error the result is -EINVAL and *out_policy is untouched. -ENOMEM likewise. Paths are
 * opened and read by this call only; symbolic links are followed; a file over 1 MiB is an error.
 */
int policy_load(const char *const *files, size_t nr_files, struct diag_list *diags,
		struct policy **out_policy);

/* Like policy_load(), from memory; `name` stands for the file in messages. For tests and fuzzing.
 */
int policy_parse(const char *name, const char *text, size_t len, struct diag_list *diags,
		 struct policy **out_policy);
void policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free)

const struct settings *policy_settings(const struct policy *policy);

/* Watch entries are numbered from 1 in the order in which they were written. */
uint32_t policy_nr_watches(const struct policy *policy);
const struct watch_entry *policy_watch(const struct policy *policy, uint32_t watch);
uint32_t policy_device_watch(const struct policy *policy); /* of class device, 0 = none */
uint32_t policy_find_watch(const struct policy *policy, struct span name); /* 0 = none */

/*
 * The entry under which a dump is watched that was known by its making or its content, and not by
 * its name: the first of class dump. 0 = the policy has none, and such dumps are not watched.
 */
uint32_t policy_dump_watch(const struct policy *policy);
/* The first entry of a class, 0 = none. For classes without paths, which one entry is for. */
uint32_t policy_find_class(const struct policy *policy, enum object_class object_class);

enum policy_action { ACTION_READ = 1, ACTION_WRITE };
enum verdict { VERDICT_ALLOW = 1, VERDICT_ALERT, VERDICT_RECORD };

/* One question: may this subject do this to that object? Nothing is retained. */
struct policy_query {
	uint32_t watch;
	enum policy_action action;
	struct span exe; /* path of the executable as the kernel told it */
	enum exe_trust exe_trust; /* an allowed path counts only with EXE_VERIFIED */
	uint32_t uid;
};

struct policy_answer {
	enum verdict verdict;
	const char *why; /* one clause without full stop, for people: lives as long as the policy */
	const char
		*file; /* of the allow rule or the watch entry that decided; NULL = there is none */
	unsigned line; /* from 1; 0 with file NULL */
};

/* Pure, no allocation. */
void policy_judge(const struct policy *policy, const struct policy_query *query,
		  struct policy_answer *out_answer);

/*
 * The executables named by `allow` entries, each path once, in no order; NULL past the end. The
 * daemon asks for their kernel identity to fill event_access.exe_trust.
 */
const char *policy_allowed_exe(const struct policy *policy, size_t i);
