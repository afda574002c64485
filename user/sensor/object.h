/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object with the probes, of the two that are built in the one that suits this kernel. */
#pragma once

struct kernel_types;
struct keytrail_bpf;

/*
 * NULL with errno set. keytrail_bpf__destroy() takes it back. *types_fd is -1 at first, and then a
 * file that the object is fitted to when it is loaded: the caller closes it, and the next objects
 * are opened with the same. It stays -1 where no such file is to be had: then libbpf reads all of
 * the kernel's types for the object.
 */
struct keytrail_bpf *object_open(const struct kernel_types *types, int *types_fd);
