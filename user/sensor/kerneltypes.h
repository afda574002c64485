/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running kernel's types (BTF), read once and found by name.
 *
 * libbpf looks for each name by going through all of them, a hundred thousand and more, and reads
 * them anew for each object: at the start that was a third of the time until reads are seen. So
 * where a program goes is looked up here (hooks.c), and an object is fitted to an extract, which
 * has nothing but the types that it names.
 */
#pragma once

#include <stdint.h>

struct btf;
struct kernel_types;

/* 0, or negative errno. */
int kernel_types_load(struct kernel_types **out_types);
/* Takes `btf` over where it succeeds. For tests, too: any BTF will do. */
int kernel_types_new(struct btf *btf, struct kernel_types **out_types);
void kernel_types_free(struct kernel_types *types);

const struct btf *kernel_types_btf(const struct kernel_types *types);

/* Id of the first type of this kind with this name, or -ENOENT. */
int kernel_types_find(const struct kernel_types *types, const char *name, unsigned kind);

/*
 * Writes to a file what `local`, an object's BTF, names, as raw BTF: all types of the same names
 * but for what follows "___", and what those consist of. Pointers lead nowhere in it: what is
 * looked up in a type that is pointed to is looked up by that type's name. 0 or negative errno.
 */
int kernel_types_extract(const struct kernel_types *types, const struct btf *local, int fd);
