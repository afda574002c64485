// SPDX-License-Identifier: GPL-2.0-or-later
/* Units and containers out of cgroup paths, by the names that systemd and the runtimes give. */
#include "proc/cgroup.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

#define ID_SHOWN 12 /* digits of a container's id, as `docker ps` and `crictl ps` show them */

static bool starts(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && !memcmp(s.p, prefix, n);
}

static bool ends(struct span s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len > n && !memcmp(s.p + s.len - n, suffix, n);
}

static struct span cut(struct span s, size_t head, size_t tail)
{
	return (struct span){s.p + head, s.len - head - tail};
}

static bool is_hex(struct span s, size_t min)
{
	if (s.len < min)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* systemd writes bytes that a unit's name must not hold as \xHH. */
static size_t unit_unescape(struct span s, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len && n < size; i++) {
		char c = s.p[i];

		if (c == '\\' && s.len - i >= 4 && s.p[i + 1] == 'x') {
			int hi = hex_value(s.p[i + 2]), lo = hex_value(s.p[i + 3]);

			if (hi >= 0 && lo >= 0 && (hi || lo)) {
				c = (char)(hi << 4 | lo);
				i += 3;
			}
		}
		out[n++] = c;
	}
	return n;
}

static void put(struct span s, char *out, size_t size)
{
	char raw[256];
	size_t n = unit_unescape(s, raw, sizeof(raw));

	escape_bytes(raw, n, out, size, NULL);
}

struct container {
	const char *runtime;
	struct span id; /* or name, as it stands in the path */
};

static void put_container(struct container *out, const char *runtime, struct span id)
{
	*out = (struct container){runtime, id};
}

/* <prefix><64 hex>.scope: one container each, by runtimes that use systemd's cgroup driver. */
static bool scope_container(struct span name, struct container *out)
{
	static const struct {
		const char *prefix, *runtime;
	} scopes[] = {
		{"docker-", "docker"},	    {"libpod-", "podman"},
		{"crio-", "crio"},	    {"cri-containerd-", "containerd"},
		{"nerdctl-", "containerd"}, {"containerd-", "containerd"},
	};

	if (!ends(name, ".scope"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		struct span id;

		if (!starts(name, scopes[i].prefix))
			continue;
		id = cut(name, strlen(scopes[i].prefix), strlen(".scope"));
		/* crio-conmon-<id>, libpod-conmon-<id>: the monitor, outside of the container */
		if (!is_hex(id, 32))
			return false;
		put_container(out, scopes[i].runtime, id);
		return true;
	}
	return false;
}

/* What stands between them; false if nothing does: a container without a name is none. */
static bool between(struct span name, const char *head, const char *tail, struct span *out_id)
{
	const size_t around = strlen(head) + strlen(tail);

	if (!starts(name, head) || !ends(name, tail) || name.len <= around)
		return false;
	*out_id = cut(name, strlen(head), strlen(tail));
	return true;
}

/* A directory below another that says what it is: the runtimes' cgroupfs drivers, lxc, machined. */
static bool dir_container(struct span parent, struct span name, struct container *out)
{
	static const struct {
		const char *dir, *runtime;
	} dirs[] = {
		{"docker", "docker"},	      {"libpod_parent", "podman"},
		{"containerd", "containerd"}, {"default", "containerd"},
		{"k8s.io", "containerd"},     {"moby", "docker"},
	};
	struct span id;

	if (between(name, "lxc.payload.", "", &id)) {
		put_container(out, "lxc", id);
		return true;
	}
	if (between(name, "machine-", ".scope", &id)) {
		/* libvirt: machine-qemu\x2d1\x2dname.scope is a virtual machine's process */
		put_container(out, starts(id, "qemu\\x2d") ? "libvirt" : "machine", id);
		return true;
	}
	if (between(name, "systemd-nspawn@", ".service", &id)) {
		put_container(out, "nspawn", id);
		return true;
	}
	if (starts(name, "libpod-") && is_hex(cut(name, strlen("libpod-"), 0), 32)) {
		put_container(out, "podman", cut(name, strlen("libpod-"), 0));
		return true;
	}
	if (!parent.len || !is_hex(name, 32))
		return false;
	/* kubelet's cgroupfs driver: .../pod<uid>/<id> */
	if (starts(parent, "pod") || (starts(parent, "kubepods") && ends(parent, ".slice"))) {
		put_container(out, "kubernetes", name);
		return true;
	}
	if (parent.len == 3 && !memcmp(parent.p, "lxc", 3)) {
		put_container(out, "lxc", name);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (parent.len == strlen(dirs[i].dir) &&
		    !memcmp(parent.p, dirs[i].dir, parent.len)) {
			put_container(out, dirs[i].runtime, name);
			return true;
		}
	}
	return false;
}

static bool user_manager(struct span name, uint32_t *out_uid)
{
	uint64_t uid = 0;
	struct span digits;

	if (!starts(name, "user@") || !ends(name, ".service"))
		return false;
	digits = cut(name, strlen("user@"), strlen(".service"));
	if (!digits.len || digits.len > 10)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		uid = uid * 10 + (uint64_t)(digits.p[i] - '0');
	}
	if (uid >= UID_UNSET)
		return false;
	*out_uid = (uint32_t)uid;
	return true;
}

static bool is_container(struct span parent, struct span name, struct container *out)
{
	return scope_container(name, out) || dir_container(parent, name, out);
}

/* The component that begins at or behind *at, and moves *at behind it. False at the end. */
static bool next_name(struct span path, size_t *at, struct span *out_name)
{
	size_t i = *at, end;

	while (i < path.len && path.p[i] == '/')
		i++;
	for (end = i; end < path.len && path.p[end] != '/'; end++)
		;
	*at = end;
	*out_name = end > i ? (struct span){path.p + i, end - i} : (struct span){NULL, 0};
	return end > i;
}

static void show_container(const struct container *container, struct cgroup_name *out)
{
	struct span id = container->id;

	if (is_hex(id, 32))
		id.len = ID_SHOWN;
	put(id, out->container, sizeof(out->container));
	snprintf(out->runtime, sizeof(out->runtime), "%s", container->runtime);
}

static bool is_unit(struct span name)
{
	return ends(name, ".service") || ends(name, ".scope");
}

void cgroup_parse(struct span path, struct cgroup_name *out_name)
{
	struct cgroup_name out = {.user = UID_UNSET};
	struct span parent = {NULL, 0}, name;
	struct container container;
	size_t at = 0;

	while (next_name(path, &at, &name)) {
		/* The innermost container wins: docker in docker, or systemd in nspawn. */
		if (is_container(parent, name, &container)) {
			if (!out.outer[0])
				memcpy(out.outer, out.container, sizeof(out.outer));
			show_container(&container, &out);
		}
		if (is_unit(name)) {
			put(name, out.unit, sizeof(out.unit));
			user_manager(name, &out.user);
		}
		parent = name;
	}
	*out_name = out;
}

struct span cgroup_system_unit(struct span path)
{
	struct span name;
	size_t at = 0;

	while (next_name(path, &at, &name))
		if (!ends(name, ".slice"))
			return is_unit(name) ? name : (struct span){NULL, 0};
	return (struct span){NULL, 0};
}

static bool is(struct span s, const char *name)
{
	return s.len == strlen(name) && !memcmp(s.p, name, s.len);
}

/*
 * Whether only root names what is in there: slices, and below the root of the hierarchy what the
 * runtimes make there for their containers, of the kubelet one for each class and pod. What is
 * below /lxc is a container each, whatever it is called. `parent` was asked for before.
 */
static bool is_roots_alone(struct span parent, struct span name)
{
	static const char *const tops[] = {
		"docker",  "moby",   "libpod_parent", "containerd",
		"default", "k8s.io", "kubepods",      "lxc",
	};

	if (!parent.len || ends(parent, ".slice")) {
		for (size_t i = 0; !parent.len && i < ARRAY_SIZE(tops); i++)
			if (is(name, tops[i]))
				return true;
		return ends(name, ".slice");
	}
	if (is(parent, "kubepods"))
		return is(name, "burstable") || is(name, "besteffort") || starts(name, "pod");
	return (is(parent, "burstable") || is(parent, "besteffort")) && starts(name, "pod");
}

static bool system_container(struct span path, struct container *out)
{
	struct span parent = {NULL, 0}, name;
	size_t at = 0;

	while (next_name(path, &at, &name)) {
		if (is_container(parent, name, out))
			return true;
		if (!is_roots_alone(parent, name))
			return false;
		parent = name;
	}
	return false;
}

struct span cgroup_system_container(struct span path)
{
	struct container container;

	return system_container(path, &container) ? container.id : (struct span){NULL, 0};
}

struct span cgroup_image_container(struct span path)
{
	static const char *const runtimes[] = {
		"docker", "podman", "crio", "containerd", "kubernetes",
	};
	struct container container;

	if (system_container(path, &container))
		for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
			if (!strcmp(container.runtime, runtimes[i]))
				return container.id;
	return (struct span){NULL, 0};
}
