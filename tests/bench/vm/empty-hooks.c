// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Empty programs on all the hooks that keytrail has with its default policy, until it is told to
 * end: what attaching alone costs, which no keytrail can go below. Prints a line for each hook that
 * does not attach, and "ready". With any argument none are attached: a process that is there as a
 * monitor's is, with its libraries mapped, and does nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor/hooks.h"

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

static int attach(const struct hook_spec *spec)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type =
			    spec->kind == HOOK_FENTRY ? BPF_TRACE_FENTRY : BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id(spec->target, opts.expected_attach_type);
	int program;

	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", nothing,
				sizeof(nothing) / sizeof(nothing[0]), &opts);
	if (program < 0)
		return program;
	return bpf_raw_tracepoint_open(NULL, program); /* kept until we end */
}

int main(int argc, char **argv)
{
	struct hooks hooks;
	int attached = 0;

	if (hooks_init(&hooks) < 0)
		return 1;
	for (size_t i = 0; argc < 2 && i < hooks.nr; i++) {
		const struct hook_spec *spec = hooks.items[i].spec;
		int r;

		/* What the policy has to ask for is not on them either. */
		if (spec->on_demand || spec->memory || spec->refused ||
		    (spec->kind != HOOK_FENTRY && spec->kind != HOOK_TRACEPOINT))
			continue;
		r = attach(spec);
		if (r < 0)
			printf("not attached: %s: %s\n", spec->target, strerror(-r));
		else
			attached++;
	}
	printf("ready %d\n", attached);
	fflush(stdout);
	pause();
	return 0;
}
