// SPDX-License-Identifier: GPL-2.0-or-later
/* An index of the kernel's types by name, and extracts of them. */
#include "sensor/kerneltypes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "base/cleanup.h"

struct kernel_types {
	struct btf *btf;
	uint32_t nr; /* ids are below */
	/* By the hash of a name: its first type, and for each type the next, in the order of ids;
	 * 0 = none. */
	uint32_t *first, *next;
	uint32_t mask;
};

/* Of "file___v6_9" it is "file": up to the last three underscores that stand between others, as
 * libbpf has it. */
static size_t length_without_flavour(const char *name)
{
	const char *last = NULL;

	for (const char *at = name; (at = strstr(at, "___")); at++)
		if (at > name && at[-1] != '_' && at[3] && at[3] != '_')
			last = at;
	return last ? (size_t)(last - name) : strlen(name);
}

/* FNV-1a: the names are the kernel's own. */
static uint32_t hash(const char *name, size_t len)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619U;
	return h ^ h >> 15;
}

static const char *name_of(const struct kernel_types *types, uint32_t id)
{
	return btf__name_by_offset(types->btf, btf__type_by_id(types->btf, id)->name_off);
}

int kernel_types_new(struct btf *btf, struct kernel_types **out_types)
{
	struct kernel_types *types = calloc(1, sizeof(*types));
	size_t buckets = 1024;

	if (!types)
		return -ENOMEM;
	types->nr = btf__type_cnt(btf);
	while (buckets < types->nr / 2)
		buckets *= 2;
	types->mask = buckets - 1;
	types->first = calloc(buckets, sizeof(*types->first));
	types->next = calloc(types->nr, sizeof(*types->next));
	if (!types->first || !types->next) {
		kernel_types_free(types);
		return -ENOMEM;
	}
	types->btf = btf;
	for (uint32_t id = types->nr - 1; id > 0; id--) {
		const char *name = name_of(types, id);
		uint32_t slot;

		if (!name || !*name)
			continue;
		slot = hash(name, length_without_flavour(name)) & types->mask;
		types->next[id] = types->first[slot];
		types->first[slot] = id;
	}
	*out_types = types;
	return 0;
}

int kernel_types_load(struct kernel_types **out_types)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int r;

	if (!btf)
		return -errno;
	r = kernel_types_new(btf, out_types);
	if (r < 0)
		btf__free(btf);
	return r;
}

void kernel_types_free(struct kernel_types *types)
{
	if (!types)
		return;
	btf__free(types->btf);
	free(types->first);
	free(types->next);
	free(types);
}

const struct btf *kernel_types_btf(const struct kernel_types *types)
{
	return types->btf;
}

static uint32_t first_of(const struct kernel_types *types, const char *name, size_t len)
{
	return types->first[hash(name, len) & types->mask];
}

int kernel_types_find(const struct kernel_types *types, const char *name, unsigned kind)
{
	uint32_t id = first_of(types, name, length_without_flavour(name));

	for (; id; id = types->next[id])
		if (btf_kind(btf__type_by_id(types->btf, id)) == kind &&
		    !strcmp(name_of(types, id), name))
			return (int)id;
	return -ENOENT;
}

/* --- extracts --------------------------------------------------------------------------------- */

struct bytes {
	char *data;
	size_t len, size;
	bool failed;
};

static void put(struct bytes *to, const void *data, size_t len)
{
	if (to->len + len > to->size) {
		size_t size = to->size * 2 > to->len + len ? to->size * 2 : to->len + len + 65536;
		char *grown = realloc(to->data, size);

		if (!grown) {
			to->failed = true;
			return;
		}
		to->data = grown;
		to->size = size;
	}
	memcpy(to->data + to->len, data, len);
	to->len += len;
}

struct extract {
	const struct kernel_types *from;
	struct bytes types, names;
	uint32_t *ids; /* of each of the kernel's types: its number here, 0 = not in it */
	uint32_t *order; /* and the other way round: order[0] is number 1 */
	uint32_t nr;
};

static uint32_t want(struct extract *x, uint32_t id)
{
	if (!id)
		return 0;
	/* Nothing that a field could be. */
	if (btf_is_func_proto(btf__type_by_id(x->from->btf, id)))
		return 0;
	if (!x->ids[id]) {
		x->order[x->nr++] = id;
		x->ids[id] = x->nr;
	}
	return x->ids[id];
}

static uint32_t put_name(struct extract *x, uint32_t offset)
{
	const char *name = btf__name_by_offset(x->from->btf, offset);
	uint32_t at = x->names.len;

	if (!name || !*name)
		return 0;
	put(&x->names, name, strlen(name) + 1);
	return at;
}

static void put_type(struct extract *x, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(x->from->btf, id);
	struct btf_type head = *t;

	head.name_off = put_name(x, t->name_off);
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		put(&x->types, &head, sizeof(head));
		put(&x->types, t + 1, sizeof(uint32_t));
		break;
	case BTF_KIND_PTR:
		head.type = 0;
		put(&x->types, &head, sizeof(head));
		break;
	case BTF_KIND_ARRAY: {
		struct btf_array array = *btf_array(t);

		array.type = want(x, array.type);
		array.index_type = want(x, array.index_type);
		put(&x->types, &head, sizeof(head));
		put(&x->types, &array, sizeof(array));
		break;
	}
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		put(&x->types, &head, sizeof(head));
		for (unsigned i = 0; i < btf_vlen(t); i++) {
			struct btf_member member = btf_members(t)[i];

			member.name_off = put_name(x, member.name_off);
			member.type = want(x, member.type);
			put(&x->types, &member, sizeof(member));
		}
		break;
	case BTF_KIND_ENUM:
		put(&x->types, &head, sizeof(head));
		for (unsigned i = 0; i < btf_vlen(t); i++) {
			struct btf_enum value = btf_enum(t)[i];

			value.name_off = put_name(x, value.name_off);
			put(&x->types, &value, sizeof(value));
		}
		break;
	case BTF_KIND_ENUM64:
		put(&x->types, &head, sizeof(head));
		for (unsigned i = 0; i < btf_vlen(t); i++) {
			struct btf_enum64 value = btf_enum64(t)[i];

			value.name_off = put_name(x, value.name_off);
			put(&x->types, &value, sizeof(value));
		}
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		head.type = want(x, t->type);
		put(&x->types, &head, sizeof(head));
		break;
	default: /* BTF_KIND_FWD, BTF_KIND_FLOAT */
		put(&x->types, &head, sizeof(head));
		break;
	}
}

/* Can be what a field is of, and is named in programs. */
static bool is_data(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_FLOAT:
		return true;
	default:
		return false;
	}
}

static void want_named(struct extract *x, const char *name)
{
	const struct kernel_types *from = x->from;
	size_t len = length_without_flavour(name);

	for (uint32_t id = first_of(from, name, len); id; id = from->next[id]) {
		const char *other = name_of(from, id);

		if (is_data(btf__type_by_id(from->btf, id)) &&
		    length_without_flavour(other) == len && !strncmp(other, name, len))
			want(x, id);
	}
}

static int write_whole(int fd, const void *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, (const char *)data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
	}
	return 0;
}

static int write_extract(const struct extract *x, int fd)
{
	const struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = x->types.len,
		.str_off = x->types.len,
		.str_len = x->names.len,
	};
	int r = write_whole(fd, &header, sizeof(header));

	if (!r)
		r = write_whole(fd, x->types.data, x->types.len);
	return r ? r : write_whole(fd, x->names.data, x->names.len);
}

int kernel_types_extract(const struct kernel_types *types, const struct btf *local, int fd)
{
	struct extract x = {
		.from = types,
		.ids = calloc(types->nr, sizeof(*x.ids)),
		.order = calloc(types->nr, sizeof(*x.order)),
	};
	int r = -ENOMEM;

	if (!x.ids || !x.order)
		goto out;
	put(&x.names, "", 1);
	for (uint32_t id = 1; id < btf__type_cnt(local); id++) {
		const struct btf_type *t = btf__type_by_id(local, id);
		const char *name = btf__name_by_offset(local, t->name_off);

		if (name && *name && is_data(t))
			want_named(&x, name);
	}
	for (uint32_t i = 0; i < x.nr; i++)
		put_type(&x, x.order[i]);
	if (!x.types.failed && !x.names.failed)
		r = write_extract(&x, fd);
out:
	free(x.ids);
	free(x.order);
	free(x.types.data);
	free(x.names.data);
	return r;
}
