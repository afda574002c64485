// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text as each of the files in which runtimes say what a container was made from: what comes
 * out is a name or an id, is terminated, and has no byte that an image's name has not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proc/image.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_image(const struct container_image *image)
{
	size_t len = strnlen(image->name, sizeof(image->name));

	check(len < sizeof(image->name));
	for (size_t i = 0; i < len; i++)
		check(image->name[i] > ' ' && image->name[i] <= '~');
	if (!image->id[0]) {
		check(len > 0);
		return;
	}
	check(strnlen(image->id, sizeof(image->id)) == strlen("sha256:") + 64);
	check(!strncmp(image->id, "sha256:", 7));
	check(container_id_is_whole(span_of(image->id + 7)));
}

static void check_item(void *userdata, const char *container, const struct container_image *image)
{
	check(container_id_is_whole(span_of(container)));
	check_image(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As the seeds have it, so that something is found. */
	static const char container[CONTAINER_ID_SIZE] =
		"4f1c0a9e8d7b65544f1c0a9e8d7b65544f1c0a9e8d7b65544f1c0a9e8d7b6554";

	for (int source = IMAGE_DOCKER; source < IMAGE_SOURCE_NR; source++) {
		struct container_image image;
		int r = image_parse((enum image_source)source, (const char *)data, size, container,
				    &image);

		check(r == 0 || r == -ENOENT || r == -EINVAL);
		if (r == 0)
			check_image(&image);
	}
	(void)image_parse_storage((const char *)data, size, check_item, NULL);
	return 0;
}
