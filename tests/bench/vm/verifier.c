// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the verifier has to go through for each program on this kernel: "PROGRAM INSNS STATES", or
 * "PROGRAM refused", "PROGRAM missing". The same choice of programs as the daemon's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "sensor/hooks.h"
#include "sensor/kerneltypes.h"
#include "sensor/object.h"
#include "watch.h"

#include "keytrail.skel.h"

#define LOG_STATS 4 /* the kernel's log level for the summary alone */
/* The summary is short, but since 6.4 the load fails if what was in between had no room. */
#define LOG_SIZE (1 << 18)

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* "processed N insns (limit M) max_states_per_insn A total_states B ..." */
static void tell(const char *program, const char *log)
{
	const char *insns = strstr(log, "processed "), *states = strstr(log, "total_states ");

	printf("%s %lu %lu\n", program, insns ? strtoul(insns + 10, NULL, 10) : 0,
	       states ? strtoul(states + 13, NULL, 10) : 0);
}

/* They are loaded in turn: the last that the verifier looked at, NULL if there was none. */
static struct bpf_program *refused(struct bpf_object *object)
{
	struct bpf_program *program, *last = NULL;

	bpf_object__for_each_program(program, object)
	{
		size_t size;
		const char *log = bpf_program__log_buf(program, &size);

		if (bpf_program__autoload(program) && log && log[0])
			last = program;
	}
	return last;
}

static int try_load(struct hooks *hooks, const struct kernel_types *types)
{
	static int types_fd = -1;
	struct keytrail_bpf *skel = object_open(types, &types_fd);
	struct bpf_program *program;
	int r;

	if (!skel)
		return -errno;
	hooks_select(hooks, skel->obj, types, HOOKS_NR,
		     &(struct hook_wishes){.memory = true, .leaves = true, .refused = true});
	bpf_object__for_each_program(program, skel->obj)
	{
		char *log = calloc(1, LOG_SIZE);

		if (!log)
			return -ENOMEM;
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, log, LOG_SIZE);
	}
	r = keytrail_bpf__load(skel);
	if (r) {
		program = refused(skel->obj);
		if (!program || hooks_reject(hooks, bpf_program__name(program), "refused"))
			return r;
		printf("%s refused\n", bpf_program__name(program));
		fprintf(stderr, "%s: %s\n", bpf_program__name(program),
			bpf_program__log_buf(program, &(size_t){0}));
		keytrail_bpf__destroy(skel);
		return -EAGAIN;
	}
	bpf_object__for_each_program(program, skel->obj)
	{
		size_t size;

		if (bpf_program__autoload(program))
			tell(bpf_program__name(program), bpf_program__log_buf(program, &size));
		else
			printf("%s missing\n", bpf_program__name(program));
	}
	return 0;
}

int main(void)
{
	struct kernel_types *types;
	struct hooks hooks;
	int r = -EAGAIN;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(quiet);
	if (kernel_types_load(&types) < 0 || hooks_init(&hooks) < 0)
		return 1;
	while (r == -EAGAIN)
		r = try_load(&hooks, types);
	if (r)
		fprintf(stderr, "verifier: %s\n", strerror(-r));
	return r ? 1 : 0;
}
