// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All programs are compiled twice, from the same source: with loops, and with calls of bpf_loop(),
 * which the verifier is done with in a fraction of the time (bpf/record.h, struct walk). Maps,
 * variables and programs of the two are the same, so one skeleton serves for both.
 */
#include "sensor/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/kerneltypes.h"
#include "watch.h" /* types that the skeletons name */

#include "keytrail-loop.skel.h"
#include "keytrail.skel.h"

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SAME_SIZE(what)                                                        \
	_Static_assert(sizeof(*((struct keytrail_bpf *)0)->what) ==            \
			       sizeof(*((struct keytrail_loop_bpf *)0)->what), \
		       "one skeleton for both objects")
SAME_SIZE(bss);
SAME_SIZE(rodata);
#undef SAME_SIZE
_Static_assert(sizeof(struct keytrail_bpf) == sizeof(struct keytrail_loop_bpf),
	       "one skeleton for both objects");

/* 5.17 (e6f2dd0f8067 "bpf: Add bpf_loop helper"). Helpers are an enum in the kernel's BTF. */
static bool has_bpf_loop(const struct kernel_types *types)
{
	const struct btf *vmlinux = kernel_types_btf(types);
	int id = kernel_types_find(types, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(vmlinux, id);
	const struct btf_enum *helpers = type ? btf_enum(type) : NULL;

	for (unsigned i = 0; helpers && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(vmlinux, helpers[i].name_off), "BPF_FUNC_loop"))
			return true;
	return false;
}

/* keytrail_bpf__open(), but for the choice. types_path: what it is fitted to; NULL: the kernel. */
static int open_fitted(const struct kernel_types *types, const char *types_path,
		       struct keytrail_bpf **out_skel)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = types_path);
	struct keytrail_bpf *skel = calloc(1, sizeof(*skel));
	int r;

	if (!skel)
		return -ENOMEM;
	r = keytrail_bpf__create_skeleton(skel);
	if (!r && has_bpf_loop(types))
		skel->skeleton->data =
			(void *)keytrail_loop_bpf__elf_bytes(&skel->skeleton->data_sz);
	if (!r)
		r = bpf_object__open_skeleton(skel->skeleton, &opts);
	if (r) {
		keytrail_bpf__destroy(skel);
		return r;
	}
	*out_skel = skel;
	return 0;
}

/* A file in memory that libbpf can open by `path`; negative errno. */
static int types_file(char *path, size_t size)
{
	/* Where vm.memfd_noexec is 2 there is none without it; before 6.3 there is none with it. */
	_cleanup_close_ int fd = memfd_create("keytrail-types", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	_cleanup_close_ int again = -1;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("keytrail-types", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(path, size, "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	return again < 0 ? -errno : take_fd(fd);
}

struct keytrail_bpf *object_open(const struct kernel_types *types, int *types_fd)
{
	struct keytrail_bpf *skel = NULL;
	char path[32];
	int r;

	if (*types_fd < 0) {
		_cleanup_close_ int fd = types_file(path, sizeof(path));

		r = fd < 0 ? fd : open_fitted(types, path, &skel);
		if (!r)
			r = kernel_types_extract(types, bpf_object__btf(skel->obj), fd);
		if (!r) {
			*types_fd = take_fd(fd);
			return skel;
		}
		/* All of the kernel's types then: dearer, and no worse. */
		keytrail_bpf__destroy(skel);
		r = open_fitted(types, NULL, &skel);
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", *types_fd);
		r = open_fitted(types, path, &skel);
	}
	errno = -r;
	return r ? NULL : skel;
}
