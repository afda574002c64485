/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plain sentence of an alert. From the alert's own fields, so that both always say the same. */
#pragma once

#include <stdint.h>

#include "alert/alert.h"

/* All return allocated text on one line, or NULL if out of memory. */

/*
 *	cat (pid 812, user alice) opened SSH user key /home/alice/.ssh/id_ed25519 (ED25519 256
 *	SHA256:...), <why>; ancestry: cat <- bash <- sshd
 *
 * opener: who had opened what the process was handed, NULL = it did so itself. fd: (uint32_t)-1 =
 *none.
 */
char *sentence_access(const struct alert *alert, const char *noun, const char *opener, uint32_t fd,
		      const char *why);
/*
 *	nginx (pid 9, user www-data) crashed by SIGSEGV and its memory goes into the file
 *	/var/cores/core.9; it had read /etc/ssl/private/a.key (RSA 2048 SHA256:...);
 *	ancestry: nginx <- systemd
 */
char *sentence_dump(const struct alert *alert);
/* sysctl (pid 9, user root) changed kernel.core_pattern from core to /tmp/core; ancestry: ... */
char *sentence_setting(const struct alert *alert);
/*
 *	dump /var/cores/core.9 (elf-core of nginx, pid 9, unit nginx.service) holds RSA 2048
 *	SHA256:... (proven) and 2 more; written by nginx (pid 9, user www-data); ancestry: ...
 */
char *sentence_scan(const struct alert *alert);
/*
 *	cat (pid 9, user bob) was refused SSH user key /home/alice/.ssh/id_a (EACCES); the policy
 *allows no such program to read SSH user keys; ancestry: cat <- bash
 */
char *sentence_refused(const struct alert *alert, const char *noun, const char *why);
/*
 *	curl (pid 9, user bob), which has read SSH user key /home/alice/.ssh/id_a (ED25519 ...),
 *	tried to connect to 192.0.2.1 port 443, <why>; ancestry: curl <- bash
 */
char *sentence_sent(const struct alert *alert, const char *noun, const char *why);
/*
 *	cat (pid 9, user bob) was denied SSH user key /home/alice/.ssh/id_a; the policy allows no
 *	such program to read SSH user keys; ancestry: cat <- bash
 */
char *sentence_denied(const struct alert *alert, const char *noun,
		      const struct policy_answer *answer);
/* noun[i]: of the class of alert->keys[i]. */
char *sentence_memory(const struct alert *alert, const char *const *nouns, const char *why);
/* cat (pid 9, user bob) <what>; ancestry: ... */
char *sentence_rule(const struct alert *alert, const char *what);
char *sentence_gap(const struct alert *alert);
char *sentence_held_back(const struct alert *alert);
char *sentence_summary(const struct alert *summary, const struct alert *like);

/* "PRIVATE KEY in words": "ED25519 256 SHA256:...", "" if nothing is known. */
void sentence_key(const struct key_identity *key, char *out, size_t size);

/* Behind the last slash; the whole if nothing is behind it. */
const char *sentence_basename(const char *path);
