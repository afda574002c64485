/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users who have more watched files than one user may have (bpf/quota.h): told by name, and their
 * files looked for again when there is room.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct app;
struct quota;

int quota_new(struct app *app, struct quota **out_quota);
void quota_free(struct quota *quota);

/* Once a second. Costs nothing as long as nobody is refused. */
void quota_second(struct quota *quota);

/* The policy in force has changed; before the watcher walks. */
void quota_set_policy(struct quota *quota);

/* Whom what `uid` owns counts for: who has it as a subordinate uid, else itself. */
uint32_t quota_account(const struct quota *quota, uint32_t uid);

/* For `keytrail status`: docs/control.md. Those who were refused. */
json_t *quota_json(struct quota *quota);
