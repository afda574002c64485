/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a cgroup's path says about a process: its systemd unit, its container. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"

struct cgroup_name {
	char unit[128]; /* innermost unit, systemd's escaping undone where it is text; "" = none */
	uint32_t user; /* uid whose service manager (user@UID.service) runs it, or UID_UNSET */
	char container[128]; /* 12 hex digits of an id, or a name; "" = none */
	char outer[128]; /* likewise: the outermost one that it is in, "" = it is in none */
	char runtime[16]; /* "docker", "podman", "crio", "containerd", "kubernetes", "lxc",
			     "nspawn", ... */
};

/*
 * Reads a path in the unified hierarchy, from its root. Pure, does not allocate. Bytes that do not
 * fit, or that are not printable after escaping, never break out: the strings are escaped.
 *
 *	/system.slice/ssh.service				unit ssh.service
 *	/user.slice/user-1000.slice/session-3.scope		unit session-3.scope
 *	/user.slice/.../user@1000.service/app.slice/a.service	unit a.service, user 1000
 *	/system.slice/docker-<64 hex>.scope			container <12 hex>, runtime docker
 *	/machine.slice/machine-web\x2d1.scope			container web-1, runtime machine
 *
 * A process may name a cgroup that it may create as it likes: what comes from here is for people,
 *and never decides anything.
 */
void cgroup_parse(struct span path, struct cgroup_name *out_name);

/*
 * What decides, where cgroup_parse() is for people: names that only root can give. Below the first
 * component that is no slice a cgroup may belong to somebody else (a user's service manager, a
 * container's root), who names what is in it as he likes; so that component is the unit, and a
 * container is looked for no deeper than there, nor below any other directory that is not known to
 * be of a runtime: a container may have been given it (docker's --cgroup-parent). Views on `path`,
 * as the kernel tells them (systemd's escapes, a container's whole id); {NULL, 0} = none. Pure.
 *
 *	/system.slice/ssh.service/x.service	unit ssh.service
 *	/user.slice/user-1.slice/user@1.service/a.slice/b.service	unit user@1.service
 *	/system.slice/docker-<64 hex>.scope	unit docker-<64 hex>.scope, container <64 hex>
 *	/docker/<64 hex>/x			container <64 hex>
 *	/lxc/101/docker/<64 hex>, /x/docker/<64 hex>	neither
 */
struct span cgroup_system_unit(struct span path);
struct span cgroup_system_container(struct span path);

/* That container, if its runtime is one that makes containers from images (proc/image.h). */
struct span cgroup_image_container(struct span path);
