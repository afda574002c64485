/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which image each container was made from, as the daemon told it (EVENT_CONTAINER), by the
 * container's whole id. Bounded: the one that nobody asked about longest gives way, and is counted.
 * A container that is not there is one of whose image nothing is known.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/event.h"
#include "proc/image.h"

#define IMAGES_MAX 4096

struct images;

struct images *images_new(void); /* NULL: out of memory */
void images_free(struct images *images);
void images_set(struct images *images, const struct event_container *told);
/*
 * NULL: not known. Valid until the next images_set(); what is found counts as asked about. Name and
 * id are as the event told them, "" = not known; of one that does not fit nothing is known, since
 * cut it would be another.
 */
const struct container_image *images_find(struct images *images, struct span container);
size_t images_count(const struct images *images);
uint64_t images_forgotten(const struct images *images);
size_t images_bytes(const struct images *images);
