// SPDX-License-Identifier: GPL-2.0-or-later
/* proc/cgroup.c: units and containers by the names that systemd and the runtimes give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/cgroup.h"

#define ID  "4f1c0a9e8d7b6c5f4e3d2c1b0a99887766554433221100ffeeddccbbaa998877"
#define ID2 "aaaa0a9e8d7b6c5f4e3d2c1b0a99887766554433221100ffeeddccbbaa998877"
#define NO  UID_UNSET

static const struct {
	const char *path, *unit, *container, *runtime;
	uint32_t user;
} cases[] = {
	{"", "", "", "", NO},
	{"/", "", "", "", NO},
	{"/init.scope", "init.scope", "", "", NO},
	{"/system.slice/ssh.service", "ssh.service", "", "", NO},
	{"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "", "", NO},
	{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", "", NO},
	{"/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", "", "", 1000},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service", "",
	 "", 1000},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/app-a\\x2db.scope",
	 "app-a-b.scope", "", "", 1000},
	{"/system.slice/a\\x0ab.service", "a\\x0ab.service", "", "", NO},
	{"/user.slice/user@99999999999.service", "user@99999999999.service", "", "", NO},
	{"/user.slice/user@4294967295.service", "user@4294967295.service", "", "", NO},
	{"/user.slice/user@x.service", "user@x.service", "", "", NO},
	{"/system.slice/ssh.service/sub/deeper", "ssh.service", "", "", NO},
	{"/system.slice/.service", "", "", "", NO},
	/* docker, both cgroup drivers */
	{"/system.slice/docker-" ID ".scope", "docker-" ID ".scope", "4f1c0a9e8d7b", "docker", NO},
	{"/docker/" ID, "", "4f1c0a9e8d7b", "docker", NO},
	{"/docker/" ID "/system.slice/nginx.service", "nginx.service", "4f1c0a9e8d7b", "docker",
	 NO},
	{"/docker/buildkit", "", "", "", NO},
	{"/system.slice/docker-short.scope", "docker-short.scope", "", "", NO},
	{"/system.slice/docker.service", "docker.service", "", "", NO},
	/* in docker */
	{"/docker/" ID "/docker/" ID2, "", "aaaa0a9e8d7b", "docker", NO},
	/* podman */
	{"/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", "4f1c0a9e8d7b",
	 "podman", NO},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
	 "libpod-" ID ".scope", "4f1c0a9e8d7b", "podman", 1000},
	{"/libpod_parent/libpod-" ID, "", "4f1c0a9e8d7b", "podman", NO},
	{"/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "", "", NO},
	/* kubernetes */
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod12_34.slice/"
	 "cri-containerd-" ID ".scope",
	 "cri-containerd-" ID ".scope", "4f1c0a9e8d7b", "containerd", NO},
	{"/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", "crio-" ID ".scope",
	 "4f1c0a9e8d7b", "crio", NO},
	{"/kubepods.slice/kubepods-pod1.slice/crio-conmon-" ID ".scope", "crio-conmon-" ID ".scope",
	 "", "", NO},
	{"/kubepods/burstable/pod0a1b2c3d-1111-2222-3333-444455556666/" ID, "", "4f1c0a9e8d7b",
	 "kubernetes", NO},
	/* lxc, nspawn, machines */
	{"/lxc.payload.web-1/system.slice/cron.service", "cron.service", "web-1", "lxc", NO},
	{"/lxc.monitor.web-1", "", "", "", NO},
	{"/lxc.payload.", "", "", "", NO},
	{"/machine.slice/machine-web\\x2d1.scope", "machine-web-1.scope", "web-1", "machine", NO},
	/* a container without a name is none, and does not hide the one that it would be in */
	{"/machine.slice/machine-.scope", "machine-.scope", "", "", NO},
	{"/machine.slice/systemd-nspawn@.service", "systemd-nspawn@.service", "", "", NO},
	{"/docker/" ID "/machine-.scope", "machine-.scope", "4f1c0a9e8d7b", "docker", NO},
	{"/docker/" ID "/systemd-nspawn@.service", "systemd-nspawn@.service", "4f1c0a9e8d7b",
	 "docker", NO},
	{"/machine.slice/systemd-nspawn@web.service/payload/init.scope", "init.scope", "web",
	 "nspawn", NO},
	{"/machine.slice/machine-qemu\\x2d2\\x2dvm.scope", "machine-qemu-2-vm.scope", "qemu-2-vm",
	 "libvirt", NO},
	/* whoever may make cgroups names them: nothing breaks out of the line */
	{"/system.slice/a\nb.service", "a\\x0ab.service", "", "", NO},
	{"/lxc.payload.a\x1b[0m", "", "a\\x1b[0m", "lxc", NO},
	{"/system.slice/docker-" ID "\xff.scope", "docker-" ID "\\xff.scope", "", "", NO},
};

static void paths_tell_unit_and_container(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup_name name;

		cgroup_parse(span_of(cases[i].path), &name);
		if (strcmp(name.unit, cases[i].unit) != 0 ||
		    strcmp(name.container, cases[i].container) != 0 ||
		    strcmp(name.runtime, cases[i].runtime) != 0 || name.user != cases[i].user)
			fail_msg("%s: unit \"%s\" container \"%s\" runtime \"%s\" user %u",
				 cases[i].path, name.unit, name.container, name.runtime, name.user);
	}
}

static void a_container_in_a_container_tells_the_outermost(void **state)
{
	static const struct {
		const char *path, *container, *outer;
	} rows[] = {
		{"/system.slice/ssh.service", "", ""},
		{"/docker/" ID, "4f1c0a9e8d7b", ""},
		{"/docker/" ID "/system.slice/nginx.service", "4f1c0a9e8d7b", ""},
		{"/docker/" ID "/docker/" ID2, "aaaa0a9e8d7b", "4f1c0a9e8d7b"},
		/* Called as the one that it is in, by who has that one to himself. */
		{"/docker/" ID "/docker/" ID, "4f1c0a9e8d7b", "4f1c0a9e8d7b"},
		{"/docker/" ID "/lxc.payload.web/docker/" ID2, "aaaa0a9e8d7b", "4f1c0a9e8d7b"},
		{"/lxc/101/docker/" ID, "4f1c0a9e8d7b", ""},
		{"/docker/" ID "/machine-.scope/docker/" ID2, "aaaa0a9e8d7b", "4f1c0a9e8d7b"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cgroup_name name;

		cgroup_parse(span_of(rows[i].path), &name);
		if (strcmp(name.container, rows[i].container) != 0 ||
		    strcmp(name.outer, rows[i].outer) != 0)
			fail_msg("%s: container \"%s\" in \"%s\"", rows[i].path, name.container,
				 name.outer);
	}
}

static void long_names_are_cut(void **state)
{
	char path[600] = "/system.slice/";
	struct cgroup_name name;

	memset(path + strlen(path), 'x', 500);
	strcpy(path + 514, ".service");
	cgroup_parse(span_of(path), &name);
	assert_int_equal(strlen(name.unit), sizeof(name.unit) - 1);
}

/* Only names that root alone can give count: not those of whoever has a cgroup for himself. */
static void what_decides_is_named_by_root(void **state)
{
	static const struct {
		const char *path, *container;
		bool image; /* its runtime makes containers from images */
	} rows[] = {
		{"/", "", false},
		{"/system.slice/ssh.service", "", false},
		{"/docker/" ID, ID, true},
		{"/docker/" ID "/docker/" ID2, ID, true},
		{"/moby/" ID, ID, true},
		{"/default/" ID, ID, true},
		{"/k8s.io/" ID, ID, true},
		{"/containerd/" ID, ID, true},
		{"/system.slice/docker-" ID ".scope", ID, true},
		{"/a.slice/a-b.slice/docker-" ID ".scope/x", ID, true},
		{"/machine.slice/libpod-" ID ".scope", ID, true},
		{"/machine.slice/libpod-" ID ".scope/container", ID, true},
		{"/machine.slice/machine-libpod_pod_" ID2 ".slice/libpod-" ID ".scope", ID, true},
		{"/machine.slice/libpod-conmon-" ID ".scope/libpod-" ID2 ".scope", "", false},
		{"/libpod_parent/libpod-" ID, ID, true},
		{"/kubepods/pod0a1b/" ID, ID, true},
		{"/kubepods/burstable/pod0a1b/" ID "/x", ID, true},
		{"/kubepods/besteffort/pod0a1b/" ID, ID, true},
		{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/"
		 "cri-containerd-" ID ".scope",
		 ID, true},
		{"/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", ID, true},
		{"/lxc.payload.web/docker/" ID, "web", false},
		{"/lxc.payload." ID, ID, false},
		{"/lxc/" ID, ID, false},
		{"/machine.slice/machine-" ID ".scope", ID, false},
		{"/machine.slice/systemd-nspawn@web.service/payload/docker/" ID, "web", false},
		{"/machine.slice/machine-.scope/docker/" ID, "", false},
		{"/machine.slice/systemd-nspawn@.service/docker/" ID, "", false},
		/* Where it is the root of a container, or anybody, who names it. */
		{"/lxc/101/ns/docker/" ID, "", false},
		{"/lxc/101/ns/system.slice/docker-" ID ".scope", "", false},
		{"/lxc/101/docker/" ID, "", false},
		{"/lxc/docker/" ID, "", false},
		{"/lxc/docker/docker-" ID ".scope", "", false},
		{"/lxc/a.slice/docker-" ID ".scope", "", false},
		{"/lxc/kubepods/burstable/pod1/" ID, "", false},
		{"/lxc.monitor.web/docker/" ID, "", false},
		{"/x/docker/" ID, "", false},
		{"/x/docker-" ID ".scope", "", false},
		{"/x/" ID "/docker/" ID2, "", false},
		{"/x/" ID "/system.slice/docker-" ID2 ".scope", "", false},
		{"/docker/x/docker/" ID, "", false},
		{"/docker/x.slice/docker-" ID ".scope", "", false},
		{"/kubepods/x/pod1/" ID, "", false},
		{"/kubepods/pod1/x/docker-" ID ".scope", "", false},
		{"/system.slice/x/docker/" ID, "", false},
		{"/user.slice/user-1.slice/user@1.service/user.slice/libpod-" ID ".scope", "",
		 false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *of_image = rows[i].image ? rows[i].container : "";
		struct span container = cgroup_system_container(span_of(rows[i].path)),
			    image = cgroup_image_container(span_of(rows[i].path));

		if (container.len != strlen(rows[i].container) ||
		    strncmp(container.p ? container.p : "", rows[i].container, container.len) != 0)
			fail_msg("%s: container \"%.*s\"", rows[i].path, (int)container.len,
				 container.p);
		if (image.len != strlen(of_image) || (image.len && image.p != container.p))
			fail_msg("%s: container of an image \"%.*s\"", rows[i].path, (int)image.len,
				 image.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_decides_is_named_by_root),
		cmocka_unit_test(paths_tell_unit_and_container),
		cmocka_unit_test(a_container_in_a_container_tells_the_outermost),
		cmocka_unit_test(long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
