/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An alert with everything in it, for the tests of sinks. Its strings are the caller's to replace.
 */
#pragma once

#include <string.h>

#include "alert/alert.h"

/* The alert owns its strings and so has no const; nobody writes through these. */
#define SAMPLE_STR(s) ((char *)(s))

struct alert_sample {
	struct alert alert;
	struct alert_process processes[ALERT_ANCESTRY_MAX];
};

/* 2025-01-09 12:34:56.123456789 UTC */
#define SAMPLE_TIME_NS 1736426096123456789ULL

static inline void alert_sample_init(struct alert_sample *s)
{
	static const struct {
		uint32_t pid, uid;
		const char *exe, *args, *user;
	} processes[] = {
		{4242, 1000, "/usr/bin/cat", "cat /home/ann/.ssh/id_ed25519", "ann"},
		{4200, 1000, "/usr/bin/bash", "-bash", "ann"},
		{4100, 0, "/usr/sbin/sshd", "sshd: ann [priv]", "root"},
		{1, 0, "/usr/lib/systemd/systemd", "", "root"},
	};

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++)
		s->processes[i] = (struct alert_process){
			.pid = processes[i].pid,
			.start = 1000 + i,
			.uid = processes[i].uid,
			.exe = (char *)processes[i].exe,
			.args = (char *)processes[i].args,
			.user = (char *)processes[i].user,
		};
	s->alert = (struct alert){
		.id = "00112233445566778899aabbccddeeff",
		.type = ALERT_KEY_READ,
		.severity = SEV_HIGH,
		.time_ns = SAMPLE_TIME_NS,
		.host = SAMPLE_STR("web1"),
		.text = SAMPLE_STR("cat, started by ann, opened ann's SSH user key"),
		.attack = "T1552.004",
		.count = 1,
		.first_ns = SAMPLE_TIME_NS,
		.last_ns = SAMPLE_TIME_NS,
		.processes = s->processes,
		.nr_processes = 4,
		.ancestry_complete = true,
		.euid = 1000,
		.loginuid = 1000,
		.session = 7,
		.login_user = SAMPLE_STR("ann"),
		.unit = SAMPLE_STR("session-7.scope"),
		.container = SAMPLE_STR(""),
		.exe_trust = EXE_VERIFIED,
		.object = 99,
		.path = SAMPLE_STR("/home/ann/.ssh/id_ed25519"),
		.via = SAMPLE_STR(""),
		.watch = SAMPLE_STR("ssh-user-keys"),
		.object_class = "ssh-user-key",
		.owner = 1000,
		.owner_user = SAMPLE_STR("ann"),
		.key_known = true,
		.key = {.kind = KEY_ED25519,
			.format = KEYFMT_OPENSSH,
			.source = KEYSRC_FILE,
			.bits = 256,
			.has_spki = true,
			.ssh_fp = "SHA256:0123456789abcdefghijABCDEFGHIJ0123456789abc",
			.comment = "ann@laptop"},
		.how = ACCESS_OPEN,
		.mode = ACCESS_M_READ,
		.rule = SAMPLE_STR("no rule allows /usr/bin/cat"),
		.evidence = "observed",
		.cause = SAMPLE_STR(""),
	};
	memset(s->alert.key.spki, 0xab, sizeof(s->alert.key.spki));
}
