/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object with the probes, of the two that are built in the one that suits this kernel. */
#pragma once

struct btf;
struct keytrail_bpf;

/* vmlinux: the running kernel's BTF. NULL with errno set. keytrail_bpf__destroy() takes it back. */
struct keytrail_bpf *object_open(const struct btf *vmlinux);
