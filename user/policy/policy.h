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
 *	    on: [read, dump]         # what is judged; the rest is recorded
 *	    mode: alert              # record | alert | deny
 *	    allow:                   # who may: nothing is told
 *	      - exe: /usr/bin/ssh
 *	    expect:                  # who is known to: recorded
 *	      - {exe: /usr/bin/rsync, unit: backup.service}
 *	override:                    # of entries that stand elsewhere, by their names
 *	  - {name: ssh-user-keys, severity: critical, allow: [{exe: /opt/agent}]}
 *	exceptions:                  # with an end and a reason
 *	  - name: migration
 *	    watch: [ssh-user-keys]
 *	    exe: /usr/bin/cp
 *	    until: 2030-01-31
 *	    reason: keys move to the new home server
 *	zones:
 *	  - {name: signing, mounts: [/srv/signing], units: [signd.service]}
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
	/* Keys under names that nobody knew, found by what they are: an entry of it has no paths.
	 */
	CLASS_FOUND_KEY,
	/* A key that nobody has a use for, laid out so that who touches it is told: no rule allows.
	 */
	CLASS_CANARY_KEY,
	/* Copies of keys, plain or packed, by somebody who had the key, confirmed by a scan: an
	 * entry of it has no paths. */
	CLASS_KEY_COPY,
	CLASS_NR
};

const char *severity_str(enum severity severity);
const char *object_class_str(enum object_class object_class); /* as written in a policy */
const char *object_class_noun(enum object_class object_class); /* "SSH user key": for sentences */

bool object_class_has_paths(enum object_class object_class);
bool object_class_has_files(enum object_class object_class); /* is about files, by path or not */
bool object_class_holds_keys(enum object_class object_class); /* what is in the file is a key */
bool object_class_gives_keys(enum object_class object_class); /* who reads it has a key */
bool object_class_is_scanned(enum object_class object_class); /* keys are searched for in it */

/* What was done to an object. Words: as in `on`. */
enum policy_action {
	ACTION_READ = 1,
	ACTION_WRITE,
	ACTION_LINK, /* another name was made for it */
	ACTION_SEND, /* who has read it talks to another host */
	ACTION_DUMP, /* memory of who has read it went into a dump */
	ACTION_NR
};
enum verdict { VERDICT_ALLOW = 1, VERDICT_ALERT, VERDICT_RECORD, VERDICT_NR };
enum policy_mode { MODE_RECORD, MODE_ALERT, MODE_DENY };
enum reads_mode { READS_OPEN, READS_EXACT };

/* Scans of dumps for keys, by the daemon. */
struct scan_settings {
	bool on; /* on */
	uint32_t max_size_mib; /* 8192: larger ones are not scanned; also what a packed one becomes
				*/
	uint32_t max_time_s; /* 900: for one file */
	uint32_t children; /* 1: scans at a time */
	uint32_t queue; /* 64: files that wait */
	const char *needles; /* "": file of known keys (docs/needles.md) */
};

/* The evidence log (docs/journal.md). */
struct journal_settings {
	uint32_t max_size_mib; /* 1024: of all its files; 0 = no bound */
	uint32_t keep_days; /* 0: older files go; 0 = never for their age */
};

/* The search for private keys by what they are (docs/inventory.md). */
struct discover_settings {
	bool content; /* on */
	bool homes; /* on: in homes; other trees: policy_discover_trees() */
	bool network; /* off: also where a file system may not answer */
	uint32_t look_s; /* 60: directories that changed are looked through this often ... */
	uint32_t again_s; /* 3600: ... and all of them so often */
	uint32_t names_per_s, files_per_s; /* 2000 looked at, of them 100 opened */
	uint32_t max_size_kib; /* 64: larger files are not opened */
	uint32_t max_names; /* 2000000: of one tree in one search */
};

/* Settings with their defaults applied. */
struct settings {
	enum cmdline_mode cmdline; /* redacted */
	enum reads_mode reads; /* open: who comes by a file; exact: who reads it */
	const char *sd_id; /* keytrail@32473 (RFC 5612) */
	const char *syslog_socket; /* /run/keytrail/rsyslog/syslog.sock: RFC 5424, our own rsyslog
				      input */
	const char *syslog_fallback; /* /dev/log: RFC 3164 framing */
	const char *jsonl; /* /var/log/keytrail/alerts.jsonl; "" = off */
	uint32_t alert_burst; /* 8: same (type, exe, uid, object) that go out one by one ... */
	uint32_t alert_window_s; /* 600: ... within this many seconds; the rest as a count */
	uint32_t
		alert_share; /* 200: of what one user causes within these seconds; then held back */
	uint32_t ring_critical_kib; /* 8192, power of two */
	uint32_t ring_bulk_kib; /* 4096, power of two */
	uint32_t marks_max; /* 131072 objects */
	uint32_t marks_quota; /* 16384: of them those of one user; 0 = no bound */
	bool memory; /* off: probes at memory of key holders, agents' sockets, their connections */
	bool refused; /* off: opens of watched names that are refused, or find nothing */
	bool trail_rules; /* off: deeds that say something together only */
	uint32_t trail_keep_days; /* 730: so long after a key was last seen; 0 = no bound */
	uint32_t canary_s; /* 60: the sensor is tested this often, 0 = never */
	struct scan_settings scan;
	struct journal_settings journal;
	struct discover_settings discover;
	uint32_t heartbeat_s; /* 600: the chain's head goes to syslog this often, 0 = never */
	uint32_t dump_threshold; /* 65536 bytes: files of less are not looked at; 0 = none are */
};

/*
 * Entries with `mode: deny`, at most. To judge an action of one of them no more need be known of
 * the subject than its executable: rules that ask for more are refused when the policy is loaded.
 */
#define DENY_ENTRIES_MAX 255

#define SEV_RECORD 0xff /* no alert: recorded */

struct watch_entry {
	const char *name;
	enum object_class object_class;
	enum severity severity;
	enum policy_mode mode;
	uint32_t on; /* bit 1 << enum policy_action for each that is judged */
	uint8_t verdict[SCANSTATE_NR]; /* dumps: severity by scan_state, SEV_RECORD; 0 = the above
					*/
};

/*
 * Severity of reading a dump of which this is known, 0 = recorded only. A dump that is being
 * scanned counts as unscanned, unless the entry says otherwise.
 */
enum severity watch_entry_severity(const struct watch_entry *entry, enum scan_state state);

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

/* Absolute paths of directories that are searched for keys besides homes. */
const char *const *policy_discover_trees(const struct policy *policy, size_t *out_nr);

/* Watch entries are numbered from 1 in the order in which they were written. */
uint32_t policy_nr_watches(const struct policy *policy);
const struct watch_entry *policy_watch(const struct policy *policy, uint32_t watch);
/* 0: there is no such entry. */
enum object_class policy_watch_class(const struct policy *policy, uint32_t watch);
bool policy_judges(const struct policy *policy, enum policy_action action); /* some entry does */
uint32_t policy_device_watch(const struct policy *policy); /* of class device, 0 = none */
uint32_t policy_find_watch(const struct policy *policy, struct span name); /* 0 = none */

/*
 * The entry under which a dump is watched that was known by its making or its content, and not by
 * its name: the first of class dump. 0 = the policy has none, and such dumps are not watched.
 */
uint32_t policy_dump_watch(const struct policy *policy);
/* The first entry of a class, 0 = none. For classes without paths, which one entry is for. */
uint32_t policy_find_class(const struct policy *policy, enum object_class object_class);

/*
 * Zones, numbered from 1; 0 = none. Is somebody, or a file by the path that its owner knows, in
 * one? A path that is not known (empty) counts as in it. zone must not be 0.
 */
uint32_t policy_watch_zone(const struct policy *policy, uint32_t watch);
uint32_t policy_find_zone(const struct policy *policy, struct span name);
const char *policy_zone_name(const struct policy *policy, uint32_t zone);

const char *policy_action_str(enum policy_action action);
const char *verdict_str(enum verdict verdict);
const char *policy_mode_str(enum policy_mode mode);

/*
 * Who acts, as far as the event tells. What is absent matches no rule that asks for it. Grows with
 * what becomes known of a process; a query is built with designated initializers, so that a new
 * field is absent wherever nobody fills it.
 */
struct policy_subject {
	struct span exe; /* path of the executable as the kernel told it */
	enum exe_trust exe_trust; /* an allowed path counts only with EXE_VERIFIED */
	uint32_t untrusted; /* enum untrusted: why the image does not count as its program */
	/* The script that the kernel started the program for; absent: none, or it is not known. */
	struct span script;
	enum exe_trust script_trust; /* event_script.trust */
	/* What was found out of the executable; `inspected`: that was tried. */
	bool inspected;
	enum package_state package_state;
	struct span package, digest, verity;
	uint32_t uid;
	uint32_t loginuid; /* UID_UNSET: nobody logged in to start it */
	enum session_type session_type; /* how he came in */
	struct span user; /* name of uid, as far as it is known */
	struct span unit; /* of the system's service manager: cgroup_system_unit() */
	struct span container; /* name or whole id: cgroup_system_container() */
	/* What that container was made from: name, as its runtime was told, and "sha256:...";
	 * absent: in none, or not known. */
	struct span image, image_id;
};

/* One question: may this subject do this to that object? Nothing is retained. */
struct policy_query {
	uint32_t watch;
	enum policy_action action;
	struct policy_subject subject;
	struct span path; /* the object's, as its owner knows it; for zones */
	uint64_t time; /* CLOCK_REALTIME ns, for what has an end; 0 = nothing has ended */
};

bool policy_zone_holds_path(const struct policy *policy, uint32_t zone, struct span path);
bool policy_zone_holds(const struct policy *policy, uint32_t zone, const struct policy_subject *who,
		       struct span path);

enum policy_reason {
	REASON_NO_WATCH = 1, /* no entry is about it */
	REASON_NOT_ON, /* the entry is not about such an action */
	REASON_ALLOWED,
	REASON_EXPECTED,
	REASON_NO_RULE,
	REASON_DISTRUST, /* a rule names the program, and what runs is not it */
	REASON_EXPIRED, /* a rule would let it, and is over */
	REASON_SUBJECT_ZONE, /* a rule would let it, but it is outside of the entry's zone */
	REASON_OBJECT_ZONE, /* the object is outside of the entry's zone */
	REASON_NR
};

struct policy_answer {
	enum verdict verdict;
	enum policy_reason reason;
	/* What a rule asks of the executable is not known yet: worth asking again a little later.
	 */
	bool pending;
	const char *why; /* one clause without full stop, for people: lives as long as the policy */
	const char *file; /* of the rule or the watch entry that decided; NULL = there is none */
	unsigned line; /* from 1; 0 with file NULL */
};

/*
 * Pure, no allocation, and time that does not grow with the number of rules: a look-up for each
 * combination of keys that the entry's rules ask for, and at most RULES_ALIKE_MAX comparisons in
 * each.
 */
void policy_judge(const struct policy *policy, const struct policy_query *query,
		  struct policy_answer *out_answer);

/*
 * The names of rules and exceptions that have ended after `from` and not after `to` (CLOCK_REALTIME
 * ns), i from 0. False past the last one. *out_text: one sentence, owned by the policy.
 */
bool policy_ended(const struct policy *policy, uint64_t from, uint64_t to, size_t i,
		  const char **out_text);

/* Whether a program of this path runs what it is told: model/interpreter.h. */
bool policy_is_interpreter(const char *exe);

#define DPKG_INFO "/var/lib/dpkg/info" /* where a rule's `package` is looked up: trust/dpkg.h */
#define RPM_DIRS                                              \
	{                                                     \
		"/usr/lib/sysimage/rpm", "/var/lib/rpm", NULL \
	} /* and there: trust/rpm.h */

/* Whether rules that name this executable ask for its package or a digest of it. */
bool policy_inspects(const struct policy *policy, struct span exe);

/* Whether a rule names this script. */
bool policy_names_script(const struct policy *policy, struct span script);

/*
 * The executables and scripts named by `allow` entries, each path once, in no order; NULL past the
 * end. The daemon asks for their kernel identity to fill event_access.exe_trust.
 */
const char *policy_allowed_exe(const struct policy *policy, size_t i);
