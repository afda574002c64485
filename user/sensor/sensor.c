// SPDX-License-Identifier: GPL-2.0-or-later
/* Life of the kernel side: open, choose programs, load, attach, let go. */
#include "sensor/sensor.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/pages.h"
#include "sensor/internal.h"
#include "sensor/kerneltypes.h"
#include "sensor/object.h"
#include "sensor/rings.h"
#include "sensor/support.h"

#include "keytrail.skel.h"

/*
 * What libbpf said of the load in progress. libbpf's print callback has no user data, and only one
 * load runs at a time, so this is the one piece of global state.
 */
static struct {
	char program[64]; /* that the verifier refused */
	char line[160]; /* its last message about it */
} load_log;

static int remember(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512], *program, *end;

	if (level > LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	program = strstr(line, "prog '");
	end = program ? strchr(program + 6, '\'') : NULL;
	if (!end || !strstr(end, "failed to load") || load_log.program[0])
		return 0;
	snprintf(load_log.program, sizeof(load_log.program), "%.*s", (int)(end - program - 6),
		 program + 6);
	snprintf(load_log.line, sizeof(load_log.line), "%.150s", end + 2);
	return 0;
}

static void configure(const struct sensor *sensor, struct keytrail_bpf *skel)
{
	const struct sensor_config *config = &sensor->config;

	skel->rodata->cfg_self_tgid = getpid();
	skel->rodata->cfg_memory = config->memory;
	skel->rodata->cfg_bulk_wakeup = config->ring_bulk_kib * 1024 / 4;
	skel->rodata->cfg_pressure = config->ring_critical_kib * 1024 / 2;
	bpf_map__set_max_entries(skel->maps.ring_critical, config->ring_critical_kib * 1024);
	bpf_map__set_max_entries(skel->maps.ring_bulk, config->ring_bulk_kib * 1024);
	bpf_map__set_max_entries(skel->maps.marks, config->marks_max);
	/* Two sets are there at once while one replaces the other. */
	bpf_map__set_max_entries(skel->maps.watch_states, 2 * WATCHSET_STATES_MAX);
	bpf_map__set_max_entries(skel->maps.watch_literals, 2 * WATCHSET_LITERALS_MAX);
}

/* Variables and settings are maps too. */
static int share_maps(const struct keytrail_bpf *from, struct keytrail_bpf *to)
{
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, to->obj)
	{
		struct bpf_map *there = bpf_object__find_map_by_name(from->obj, bpf_map__name(map));

		if (!there)
			return -ENOENT;
		r = bpf_map__reuse_fd(map, bpf_map__fd(there));
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * The programs of a stage, on maps of their own or those of the stage before. Kernels lower than
 * the whole of the programs lose one program, not all: try until it loads.
 */
static int load(struct sensor *sensor, enum hook_stage stage, struct keytrail_bpf **out_skel,
		struct sensor_refusal *out_refusal)
{
	for (;;) {
		struct keytrail_bpf *skel = object_open(sensor->types, &sensor->types_fd);
		int err = 0;

		if (!skel) {
			err = -errno;
			support_explain(err, "the probes' object does not open", out_refusal);
			return err;
		}
		if (stage == HOOKS_EARLY)
			configure(sensor, skel);
		else
			err = share_maps(sensor->skel, skel);
		hooks_select(&sensor->hooks, skel->obj, sensor->types, stage,
			     &(struct hook_wishes){
				     .memory = sensor->config.memory,
				     .leaves = sensor->config.leaves,
				     .refused = sensor->config.refused,
				     .demands = sensor->config.demands,
			     });

		memset(&load_log, 0, sizeof(load_log));
		if (!err)
			err = keytrail_bpf__load(skel);
		if (!err) {
			*out_skel = skel;
			return 0;
		}
		keytrail_bpf__destroy(skel);
		if (!load_log.program[0] ||
		    hooks_reject(&sensor->hooks, load_log.program, load_log.line)) {
			support_explain(err, load_log.line, out_refusal);
			return err;
		}
		/* Refused for want of rights is refused for all of them: do not try each. */
		if (err == -EPERM) {
			support_explain(err, load_log.line, out_refusal);
			return err;
		}
	}
}

int sensor_new(const struct sensor_config *config, struct sensor **out_sensor,
	       struct sensor_refusal *out_refusal)
{
	struct sensor *sensor;
	int r;

	r = support_check(out_refusal);
	if (r < 0)
		return r;
	sensor = calloc(1, sizeof(*sensor));
	if (!sensor)
		return -ENOMEM;
	sensor->config = *config;
	sensor->epoll_fd = sensor->types_fd = -1;
	for (int i = 0; i < SENSOR_RING_NR; i++)
		sensor->ring_fds[i] = -1;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(remember);
	r = kernel_types_load(&sensor->types);
	if (r) {
		support_explain(r, "the kernel's type information cannot be read", out_refusal);
		goto fail;
	}
	r = hooks_init(&sensor->hooks);
	if (r) {
		support_explain(r, "the table of hooks", out_refusal);
		goto fail;
	}
	r = load(sensor, HOOKS_EARLY, &sensor->skel, out_refusal);
	if (r)
		goto fail;
	r = rings_open(sensor);
	if (r) {
		support_explain(r, "ring buffers", out_refusal);
		goto fail;
	}
	r = quota_open(sensor);
	if (r) {
		support_explain(r, "the table of quotas", out_refusal);
		goto fail;
	}
	sensor_set_quota(sensor, config->marks_quota);
	hooks_attach(&sensor->hooks, sensor->skel->obj, HOOKS_EARLY);
	if (hooks_find(&sensor->hooks, "on_file_open")->state != HOOK_ATTACHED) {
		r = -EOPNOTSUPP;
		support_explain(r, hooks_find(&sensor->hooks, "on_file_open")->why, out_refusal);
		goto fail;
	}
	*out_sensor = sensor;
	return 0;
fail:
	sensor_free(sensor);
	return r;
}

/* All variables are mapped, and all of that is there at once: without what only programs use. */
static void vacate_tables(const struct keytrail_bpf *skel)
{
	pages_vacate(skel->bss->filter, sizeof(skel->bss->filter));
	pages_vacate(skel->bss->fd_slots, sizeof(skel->bss->fd_slots));
	pages_vacate(skel->bss->taint_slots, sizeof(skel->bss->taint_slots));
	pages_vacate(skel->bss->taint_lost, sizeof(skel->bss->taint_lost));
}

/*
 * libbpf keeps of each program its instructions and more, a megabyte and a half. Links and programs
 * are held by descriptors of their own (hooks.c), so an object with the maps alone is enough.
 */
static void keep_maps_only(struct sensor *sensor)
{
	struct keytrail_bpf *maps = object_open(sensor->types, &sensor->types_fd);
	struct bpf_program *program;

	if (!maps)
		return; /* dearer, and no worse */
	bpf_object__for_each_program(program, maps->obj) bpf_program__set_autoload(program, false);
	if (share_maps(sensor->skel, maps) || keytrail_bpf__load(maps)) {
		keytrail_bpf__destroy(maps);
		return;
	}
	keytrail_bpf__destroy(sensor->skel);
	sensor->skel = maps;
	vacate_tables(maps);
	/* The object is a part of the program's file, and read at the start only. */
	pages_release(maps->skeleton->data, maps->skeleton->data_sz);
}

void sensor_complete(struct sensor *sensor)
{
	struct sensor_refusal refusal = {};
	struct keytrail_bpf *late = NULL;

	if (load(sensor, HOOKS_LATE, &late, &refusal))
		hooks_give_up(&sensor->hooks, HOOKS_LATE, refusal.text);
	else
		hooks_attach(&sensor->hooks, late->obj, HOOKS_LATE);
	keytrail_bpf__destroy(late);
	keep_maps_only(sensor);
	sensor->types_fd = fd_close(sensor->types_fd);
	kernel_types_free(sensor->types);
	sensor->types = NULL;
	/* The kernel's types and the programs' were some ten megabytes: not to be kept in the heap.
	 */
	malloc_trim(0);
}

void sensor_free(struct sensor *sensor)
{
	if (!sensor)
		return;
	hooks_fini(&sensor->hooks);
	rings_close(sensor);
	keytrail_bpf__destroy(sensor->skel);
	fd_close(sensor->types_fd);
	kernel_types_free(sensor->types);
	free(sensor);
}

int sensor_tell_reads(struct sensor *sensor, bool on)
{
	return hooks_switch(&sensor->hooks, "on_file_permission", on);
}

const struct hooks *sensor_hooks(const struct sensor *sensor)
{
	return &sensor->hooks;
}
