/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who may be handed a key by who has read it, through what both of them have open: a pipe, a pair
 * of Unix sockets, a file that is memory only. See share.bpf.c.
 */
#pragma once

#include "holders.h"

/* So long programs that start are asked whether they have such a channel: a shell that has started
 * the first command of a pipeline starts the last one at once. */
#define SHARE_NS 3000000000ULL

/*
 * The process of `task` has come by a key, or may have: remembers the channels into which it can
 * write, and looks who in its family has their other ends.
 */
int share_follow(kt_u64 task);

/*
 * The current process runs another image; `was`: the one before was a holder of any kind. To be
 * asked of those, and while `share_until` is not 0.
 */
int share_exec(kt_u32 was);

/* The current process was handed the descriptor of `file`. */
int share_receive(kt_u64 file);
