/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which image a container was made from, out of what its runtime has written down. Pure: text in,
 * names out; who reads the files is trust/runtimes.h.
 *
 * What the runtimes write, each for its own use; what is not there, or is of another type, is not
 * known:
 *
 *	IMAGE_DOCKER	config.v2.json of a container (moby: container/container.go, Container):
 *			an object with "ID", "Image": the image's id, "sha256:<64 hex>", and
 *			"Config": {"Image": the name that was asked for}.
 *	IMAGE_CRI	config.json of a bundle of containerd (the OCI runtime specification) that
 *			its CRI plugin has made: an object with "annotations":
 *			{"io.kubernetes.cri.container-type": "container",
 *			"io.kubernetes.cri.image-name": name} (containerd: pkg/cri/annotations; a
 *			sandbox is no container). It does not say which container it is of: that is
 *			the name of its directory. The name is one that the node has for the image;
 *			"sha256:<64 hex>" is an image by its id.
 *	storage		containers.json of containers/storage (containers.go, Container), which is
 *			podman's and CRI-O's: an array of objects with "id", "image": the image's id
 *			without "sha256:", and "metadata": JSON in a string, in which both keep
 *			"image-name" (RuntimeContainerMetadata; podman: libpod/storage.go).
 *
 * Numbers may be larger than any integer of ours (limits of 2^64 - 1 in an OCI configuration) and
 * are not looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

#define CONTAINER_ID_SIZE 65 /* with NUL: 64 hex digits */
#define IMAGE_NAME_SIZE	  (IMAGE_NAME_MAX + 1) /* with NUL; a longer one is not known */
#define IMAGE_ID_SIZE	  72 /* with NUL: "sha256:" and 64 hex digits */

enum image_source { IMAGE_DOCKER = 1, IMAGE_CRI, IMAGE_SOURCE_NR };

struct container_image {
	char name[IMAGE_NAME_SIZE]; /* printable ASCII without blanks; "" = not known */
	char id[IMAGE_ID_SIZE]; /* "sha256:<64 hex>"; "" = not known */
};

/* 64 digits of 0-9, a-f: what all these runtimes call their containers, and what may stand in a
 * path. */
bool container_id_is_whole(struct span id);

/*
 * What the text says of that container. 0 with a name, an id, or both; -ENOENT: nothing; -EINVAL:
 * it is no such file. Takes memory in proportion to the text, and time; reentrant.
 */
int image_parse(enum image_source source, const char *text, size_t len,
		const char container[static CONTAINER_ID_SIZE], struct container_image *out_image);

/* Of a container by its whole id: a name, an id, or both. Valid during the call. */
typedef void (*image_fn)(void *userdata, const char *container,
			 const struct container_image *image);

/* All containers of which containers.json says it, in its order; the rest as above. */
int image_parse_storage(const char *text, size_t len, image_fn fn, void *userdata);
