/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block devices under the file systems on which watched files are: who reads those reads the
 * files, and opens none.
 *
 * Which they are: the device that a file system is on (each of them for btrfs), the disk that it is
 * a partition of, what it is stacked on (LVM, RAID; below dm-crypt stands nothing readable), and
 * the file behind a loop device, with the device that this one is on. They are marked by number
 * (bpf/device.bpf.c), so the node does not matter. From /sys and the mount table of the daemon's
 * mount namespace; what is stacked on them later by others is not followed.
 *
 * One thread. Nothing here is fatal: what cannot be found out is not watched.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct devices;
struct sensor;
struct watched;

/* object: a device became an object, or (watch 0) is none any more. The sensor outlives it. */
int devices_new(struct sensor *sensor,
		void (*object)(void *userdata, const struct watched *watched), void *userdata,
		struct devices **out_devices);
void devices_free(struct devices *devices);

/* A watched file is on the file system with this s_dev (the kernel's encoding). */
void devices_note(struct devices *devices, uint32_t dev);

/* All file systems, or one that ended, are forgotten; what is still so is noted anew. */
void devices_forget_all(struct devices *devices);
void devices_forget(struct devices *devices, uint32_t dev);

/* The mount table has changed. */
void devices_remounted(struct devices *devices);

/*
 * Brings the marks up to date if anything was noted, forgotten or mounted since, or with another
 * entry. `watch`: the policy's entry for devices, 0 = none: then nothing is marked.
 */
void devices_refresh(struct devices *devices, uint32_t watch);

size_t devices_count(const struct devices *devices);
