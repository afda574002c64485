/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells where something was mounted, so that watched names below it are marked (homes at login). */
#pragma once

#include <systemd/sd-event.h>

struct mounts;

int mounts_new(sd_event *loop, void (*mounted)(void *userdata, const char *path), void *userdata,
	       struct mounts **out_mounts);
void mounts_free(struct mounts *mounts);
