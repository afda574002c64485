// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Under pressure the kernel side counts repeats instead of telling them (bpf/repeat.h). Counts
 * are kept by turns: this file begins a new turn, lets what still runs in the old one end, and then
 * takes the old one's counts out, so that none is lost between reading and removing.
 */
#include <errno.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

#include "keytrail.skel.h"

/* A program that was running when the turn changed has ended after this long. */
#define TURN_NS 50000000ULL

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The next key is asked for before the present one goes. */
static void take_out(struct sensor *sensor, uint32_t turn)
{
	int fd = bpf_map__fd(sensor->skel->maps.pressure_kinds);
	struct pressure_key key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	for (uint32_t i = 0; more && i < 2 * PRESSURE_KINDS; i++) {
		uint64_t count;

		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (key.turn != (turn & 1) || bpf_map_lookup_elem(fd, &key, &count))
			continue;
		if (key.what != PRESSURE_SHARE)
			sensor->repeats += count;
		bpf_map_delete_elem(fd, &key);
	}
}

void pressure_turn(struct sensor *sensor)
{
	struct pressure_clock *p = &sensor->skel->bss->pressure;

	if (sensor->turned) {
		if (now_ns() - sensor->turned_ns < TURN_NS)
			return;
		sensor->turned = false;
		take_out(sensor, p->turn - 1);
	}
	if (!__atomic_exchange_n(&p->used, 0, __ATOMIC_SEQ_CST))
		return;
	__atomic_fetch_add(&p->turn, 1, __ATOMIC_SEQ_CST);
	sensor->turned = true;
	sensor->turned_ns = now_ns();
}
