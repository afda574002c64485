// SPDX-License-Identifier: GPL-2.0-or-later
/* Life of the kernel side: open, choose programs, load, attach, let go. */
#include "sensor/sensor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/internal.h"
#include "sensor/rings.h"
#include "sensor/support.h"

#include "keytrail.skel.h"

DEFINE_CLEANUP(struct btf *, btf__free)

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

/* Kernels lower than the whole of the programs lose one program, not all: try until it loads. */
static int load(struct sensor *sensor, const struct btf *vmlinux,
		struct sensor_refusal *out_refusal)
{
	for (;;) {
		struct keytrail_bpf *skel = keytrail_bpf__open();
		int err;

		if (!skel) {
			support_explain(-errno, "the probes' object does not open", out_refusal);
			return -errno;
		}
		skel->rodata->cfg_self_tgid = getpid();
		skel->rodata->cfg_memory = sensor->config.memory;
		skel->rodata->cfg_bulk_wakeup = sensor->config.ring_bulk_kib * 1024 / 4;
		bpf_map__set_max_entries(skel->maps.ring_critical,
					 sensor->config.ring_critical_kib * 1024);
		skel->rodata->cfg_pressure = sensor->config.ring_critical_kib * 1024 / 2;
		bpf_map__set_max_entries(skel->maps.ring_bulk, sensor->config.ring_bulk_kib * 1024);
		bpf_map__set_max_entries(skel->maps.marks, sensor->config.marks_max);
		/* Two sets are there at once while one replaces the other. */
		bpf_map__set_max_entries(skel->maps.watch_states, 2 * WATCHSET_STATES_MAX);
		bpf_map__set_max_entries(skel->maps.watch_literals, 2 * WATCHSET_LITERALS_MAX);
		hooks_select(&sensor->hooks, skel->obj, vmlinux, sensor->config.memory,
			     sensor->config.refused);

		memset(&load_log, 0, sizeof(load_log));
		err = keytrail_bpf__load(skel);
		if (!err) {
			sensor->skel = skel;
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
	_cleanup_(btf__freep) struct btf *vmlinux = NULL;
	struct sensor *sensor;
	int r, blind;

	r = support_check(out_refusal);
	if (r < 0)
		return r;
	sensor = calloc(1, sizeof(*sensor));
	if (!sensor)
		return -ENOMEM;
	sensor->config = *config;
	sensor->epoll_fd = -1;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(remember);
	vmlinux = btf__load_vmlinux_btf();
	if (!vmlinux) {
		r = -errno;
		support_explain(r, "the kernel's type information cannot be read", out_refusal);
		goto fail;
	}
	r = hooks_init(&sensor->hooks);
	if (!r)
		r = load(sensor, vmlinux, out_refusal);
	if (r)
		goto fail;
	r = rings_open(sensor);
	if (r) {
		support_explain(r, "ring buffers", out_refusal);
		goto fail;
	}
	sensor_set_quota(sensor, config->marks_quota);
	blind = hooks_attach(&sensor->hooks, sensor->skel->obj);
	if (hooks_find(&sensor->hooks, "on_file_open")->state != HOOK_ATTACHED) {
		r = -EOPNOTSUPP;
		support_explain(r, hooks_find(&sensor->hooks, "on_file_open")->why, out_refusal);
		goto fail;
	}
	(void)blind; /* told hook by hook, by whoever asks for the table */
	*out_sensor = sensor;
	return 0;
fail:
	sensor_free(sensor);
	return r;
}

void sensor_free(struct sensor *sensor)
{
	if (!sensor)
		return;
	hooks_fini(&sensor->hooks);
	rings_close(sensor);
	keytrail_bpf__destroy(sensor->skel);
	free(sensor);
}

int sensor_tell_reads(struct sensor *sensor, bool on)
{
	return hooks_switch(&sensor->hooks, sensor->skel->obj, "on_file_permission", on);
}

const struct hooks *sensor_hooks(const struct sensor *sensor)
{
	return &sensor->hooks;
}
