/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `mode: deny`: who may open the files of such entries, as the kernel side is told it.
 *
 * For each entry a group (bpf/watch.h), for each executable that its rules name and that user/trust
 * has verified (and user/trust/inspect.h, if the rule asks for package or digest) a permit. Looked
 * at again each second, when such a program is started, and when one of them was refused.
 *
 * A new policy's groups stand beside those of the old one until all marks are of the new ones:
 * deny_prepare(), deny_switch(), deny_hold(), the walk that marks, deny_retire(). deny_abandon()
 * instead of deny_switch() if the new policy is not to be.
 */
#pragma once

#include <jansson.h>

#include "model/event.h"
#include "policy/policy.h"

struct app;
struct deny;
struct watched;

int deny_new(struct app *app, struct deny **out_deny);
void deny_free(struct deny *deny);

/* -ENOMEM. That the kernel cannot is no failure: entries then work as with `mode: alert`, and that
 * is told. `policy` stays until deny_retire() or deny_abandon() after the next deny_switch(). */
int deny_prepare(struct deny *deny, const struct policy *policy);
void deny_switch(struct deny *deny);
void deny_retire(struct deny *deny); /* deny_settle() included */
void deny_abandon(struct deny *deny);

/*
 * While a walk of everything is under way, files that are marked keep the group that they have;
 * then all get that of the entry they are of by then. A file with two names would else be open, or
 * another entry's, from when the walk comes by the one name until it comes by the other.
 */
void deny_hold(struct deny *deny);
void deny_settle(struct deny *deny);

/* MARK_GROUP of files of a watch entry of the policy in force. */
uint32_t deny_flags(const struct deny *deny, uint32_t watch);
/* The object's entry may be another one than it was marked for. */
void deny_object(struct deny *deny, const struct watched *watched);

void deny_second(struct deny *deny);
void deny_exec(struct deny *deny, const struct event_exec *exec);
void deny_program(struct deny *deny, const struct event_program *program);
/* An open was refused: what of its program has changed since takes effect before this returns. */
void deny_refused(struct deny *deny, const struct event_refused *refused);

/* For `keytrail status`. */
json_t *deny_json(const struct deny *deny, json_t *warnings);
