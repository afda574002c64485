/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From alerts, and from records of the evidence log, to rules that would have let these accesses
 * pass, for a person to judge. What is proposed is bound as closely as what was seen: to a unit, to
 * a user, to nobody being logged in.
 *
 * Never proposed, and said why: what was seen on one occasion only; an interpreter, but with the
 * script that the kernel started it for, as root; a program of which it is not known that root
 * alone can change it; a tool that reads whatever it is told to, outside of a service; what has
 * neither a unit nor one user to be bound to; anything in a container; what the policy names
 * already, for then it was told for another reason.
 *
 * An attacker who reads a key each day is seen each day: that is what the evidence is printed for.
 *
 * Pure but for `sound`, which looks at a file. Bounded: LEARN_GROUPS_MAX groups (of entry, program,
 * script), what is beyond is counted. Not thread safe.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#define LEARN_GROUPS_MAX 1024
/* Accesses that follow within this time belong to one occasion, seconds. */
#define LEARN_OCCASION_S 600

/* Of a program's or script's file on this host. */
enum learn_file { LEARN_FILE_SOUND, LEARN_FILE_MISSING, LEARN_FILE_OTHERS };

struct learn;

/* NULL: out of memory. sound: whether root alone can change the file and all above it. */
struct learn *learn_new(enum learn_file (*sound)(void *ctx, const char *path), void *ctx);
void learn_free(struct learn *learn);

/*
 * Takes an alert in (docs/alerts.md), nothing of it is kept by reference. Whatever is no alert
 * about an access is counted and passed over. -ENOMEM.
 */
int learn_alert(struct learn *learn, const json_t *alert);

/*
 * The same of a record of the evidence log (docs/journal.md). What was only recorded (`mode:
 * record`) is as what was told. What a rule let pass is shown by that rule, each with the narrowest
 * one that would have let it pass: as comments, since beside the wide one a narrow one is nothing.
 */
int learn_record(struct learn *learn, const json_t *record);

/* A policy file with the proposals, evidence and what was not proposed as comments. Returns how
 * many rules stand in it. */
unsigned learn_print(const struct learn *learn, FILE *f);

/* What is wrong with `text` as a duration ("90s", "15m", "8h", "7d"), or NULL; *out_s: seconds. */
const char *learn_duration(const char *text, uint64_t *out_s);
