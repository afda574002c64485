/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which executables are looked at (user/trust/inspect.h), and that the engine is told. */
#pragma once

#include "model/event.h"
#include "trust/inspect.h"

struct app;
struct programs_watch;

int programs_watch_new(struct app *app, struct programs_watch **out_watch);
void programs_watch_free(struct programs_watch *watch);

/* A process has come by something watched. */
void programs_watch_subject(struct programs_watch *watch, const struct subject *subject,
			    struct span exe);
/* A program was started: looked at before it does anything, if the policy will ask. */
void programs_watch_exec(struct programs_watch *watch, const struct event_exec *exec);
/* The policy is in force: what it asks about is looked at before anybody runs it. */
void programs_watch_policy(struct programs_watch *watch);

/* What stands at an allowed path is looked at; what is known of it is told once more, at once. */
void programs_watch_path(struct programs_watch *watch, const char *path,
			 const struct inode_id *inode);

/* It has not changed, but what the package database says of it may have. Told when that is known,
 * and it is what it was until then. `first`: as inspect_again() has it. */
void programs_look_again(struct programs_watch *watch, const char *path,
			 const struct inode_id *inode, bool first);

/* An O_PATH descriptor of what stands at an absolute path, no link followed; negative errno,
 * -EREMOTE on a file system that may not answer. Never waits for one. */
int programs_open(struct programs_watch *watch, const char *path);

void programs_watch_stats(const struct programs_watch *watch, struct inspect_stats *out_stats);
