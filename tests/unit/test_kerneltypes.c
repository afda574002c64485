// SPDX-License-Identifier: GPL-2.0-or-later
/* The index of the kernel's types, and what an object is fitted to: on types made up here. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "sensor/kerneltypes.h"

struct ids {
	int number, other, to_other, inner, array, file, proto, opened;
};

/*
 * struct other { int hidden; };
 * struct inner { int a; };
 * struct file { struct other *p; struct inner in; struct inner all[4]; int bits : 3; };
 * struct file___old { int gone; };
 * enum mode { MODE_READ = 1, MODE_WRITE = 2 };
 * typedef struct inner inner_t;
 * void opened(int); typedef void callback(int);
 */
static struct btf *kernel(struct ids *ids)
{
	struct btf *btf = btf__new_empty();

	ids->number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	ids->other = btf__add_struct(btf, "other", 4);
	btf__add_field(btf, "hidden", ids->number, 0, 0);
	ids->to_other = btf__add_ptr(btf, ids->other);
	ids->inner = btf__add_struct(btf, "inner", 4);
	btf__add_field(btf, "a", ids->number, 0, 0);
	ids->array = btf__add_array(btf, ids->number, ids->inner, 4);
	ids->file = btf__add_struct(btf, "file", 32);
	btf__add_field(btf, "p", ids->to_other, 0, 0);
	btf__add_field(btf, "in", ids->inner, 64, 0);
	btf__add_field(btf, "all", ids->array, 96, 0);
	btf__add_field(btf, "bits", ids->number, 224, 3);
	btf__add_struct(btf, "file___old", 4);
	btf__add_field(btf, "gone", ids->number, 0, 0);
	btf__add_enum(btf, "mode", 4);
	btf__add_enum_value(btf, "MODE_READ", 1);
	btf__add_enum_value(btf, "MODE_WRITE", 2);
	btf__add_typedef(btf, "inner_t", ids->inner);
	ids->proto = btf__add_func_proto(btf, 0);
	btf__add_func_param(btf, "n", ids->number);
	ids->opened = btf__add_func(btf, "opened", BTF_FUNC_GLOBAL, ids->proto);
	btf__add_typedef(btf, "callback", ids->proto);
	btf__add_func(btf, "file", BTF_FUNC_STATIC, ids->proto);
	return btf;
}

static void test_find(void **state)
{
	struct kernel_types *types;
	struct ids ids;

	assert_int_equal(kernel_types_new(kernel(&ids), &types), 0);
	assert_int_equal(kernel_types_find(types, "opened", BTF_KIND_FUNC), ids.opened);
	assert_int_equal(kernel_types_find(types, "file", BTF_KIND_STRUCT), ids.file);
	assert_int_equal(kernel_types_find(types, "file___old", BTF_KIND_STRUCT), ids.file + 1);
	assert_int_equal(kernel_types_find(types, "file___new", BTF_KIND_STRUCT), -ENOENT);
	assert_int_equal(kernel_types_find(types, "opened", BTF_KIND_STRUCT), -ENOENT);
	assert_int_equal(kernel_types_find(types, "", BTF_KIND_PTR), -ENOENT);
	kernel_types_free(types);
}

/* What is in the extract for an object that names these types. */
static struct btf *extract(const char *const *names, struct ids *ids)
{
	struct btf *local = btf__new_empty(), *out;
	struct kernel_types *types;
	char path[64];
	int fd = memfd_create("extract", MFD_CLOEXEC);

	for (; *names; names++)
		btf__add_struct(local, *names, 4);
	assert_int_equal(kernel_types_new(kernel(ids), &types), 0);
	assert_int_equal(kernel_types_extract(types, local, fd), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	out = btf__parse(path, NULL);
	assert_non_null(out);
	kernel_types_free(types);
	btf__free(local);
	close(fd);
	return out;
}

static void expect_member(const struct btf *btf, const struct btf_type *t, unsigned nr,
			  const char *name, unsigned kind, unsigned offset, unsigned bits)
{
	const struct btf_member *m = &btf_members(t)[nr];

	assert_string_equal(btf__name_by_offset(btf, m->name_off), name);
	assert_int_equal(btf_kind(btf__type_by_id(btf, m->type)), kind);
	assert_int_equal(btf_member_bit_offset(t, nr), offset);
	assert_int_equal(btf_member_bitfield_size(t, nr), bits);
}

static void test_extract(void **state)
{
	struct ids ids;
	struct btf *btf = extract((const char *const[]){"file___v6_9", NULL}, &ids);
	int id = btf__find_by_name_kind(btf, "file", BTF_KIND_STRUCT);
	const struct btf_type *file = btf__type_by_id(btf, id), *t;
	const struct btf_array *array;

	assert_int_equal(file->size, 32);
	assert_int_equal(btf_vlen(file), 4);
	expect_member(btf, file, 0, "p", BTF_KIND_PTR, 0, 0);
	expect_member(btf, file, 1, "in", BTF_KIND_STRUCT, 64, 0);
	expect_member(btf, file, 2, "all", BTF_KIND_ARRAY, 96, 0);
	expect_member(btf, file, 3, "bits", BTF_KIND_INT, 224, 3);
	t = btf__type_by_id(btf, btf_members(file)[1].type);
	assert_string_equal(btf__name_by_offset(btf, t->name_off), "inner");
	expect_member(btf, t, 0, "a", BTF_KIND_INT, 0, 0);
	array = btf_array(btf__type_by_id(btf, btf_members(file)[2].type));
	assert_int_equal(array->nelems, 4);
	assert_int_equal(array->type, btf_members(file)[1].type);
	/* Every one of the name, as libbpf looks at all of them; and nothing of no use. */
	assert_true(btf__find_by_name_kind(btf, "file___old", BTF_KIND_STRUCT) > 0);
	assert_int_equal(btf__find_by_name_kind(btf, "other", BTF_KIND_STRUCT), -ENOENT);
	assert_int_equal(btf__find_by_name_kind(btf, "mode", BTF_KIND_ENUM), -ENOENT);
	assert_int_equal(btf__find_by_name_kind(btf, "file", BTF_KIND_FUNC), -ENOENT);
	btf__free(btf);
}

static void test_extract_others(void **state)
{
	struct ids ids;
	struct btf *btf =
		extract((const char *const[]){"mode", "inner_t", "callback", "other___a___b", NULL},
			&ids);
	int id = btf__find_by_name_kind(btf, "mode", BTF_KIND_ENUM);
	const struct btf_type *mode = btf__type_by_id(btf, id), *t;

	assert_int_equal(btf_vlen(mode), 2);
	assert_string_equal(btf__name_by_offset(btf, btf_enum(mode)[1].name_off), "MODE_WRITE");
	assert_int_equal(btf_enum(mode)[1].val, 2);
	t = btf__type_by_id(btf, btf__find_by_name_kind(btf, "inner_t", BTF_KIND_TYPEDEF));
	t = btf__type_by_id(btf, t->type);
	assert_string_equal(btf__name_by_offset(btf, t->name_off), "inner");
	t = btf__type_by_id(btf, btf__find_by_name_kind(btf, "callback", BTF_KIND_TYPEDEF));
	assert_int_equal(t->type, 0);
	/* What follows the last "___" is left out, no more: that would be of "other___a". */
	assert_int_equal(btf__find_by_name_kind(btf, "other", BTF_KIND_STRUCT), -ENOENT);
	btf__free(btf);
}

static void test_extract_of_nothing(void **state)
{
	struct ids ids;
	struct btf *btf = extract((const char *const[]){"nowhere", NULL}, &ids);

	assert_int_equal(btf__type_cnt(btf), 1);
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_extract),
		cmocka_unit_test(test_extract_others),
		cmocka_unit_test(test_extract_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
