// SPDX-License-Identifier: GPL-2.0-or-later
/* Images of containers out of the files of docker, containers/storage and containerd. */
#include "proc/image.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define DIGEST "sha256:"
#define DIGITS 64

static bool is_hex(const char *s, size_t len)
{
	return len == DIGITS && strspn(s, "0123456789abcdef") == len;
}

bool container_id_is_whole(struct span id)
{
	char text[DIGITS + 1];

	if (id.len != DIGITS)
		return false;
	memcpy(text, id.p, DIGITS);
	text[DIGITS] = '\0';
	return is_hex(text, DIGITS);
}

static bool is_digest(const char *s)
{
	return !strncmp(s, DIGEST, strlen(DIGEST)) &&
	       is_hex(s + strlen(DIGEST), strlen(s) - strlen(DIGEST));
}

/* "" of what is no string, or could not be the name of an image. */
static const char *name_of(const json_t *value)
{
	const char *s = json_string_value(value);
	size_t len = json_string_length(value);

	if (!s || len >= IMAGE_NAME_SIZE)
		return "";
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return "";
	return s;
}

static bool is_named(const json_t *object, const char *key, const char *name)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s && !strcmp(s, name);
}

static json_t *load(const char *text, size_t len)
{
	/* Numbers as reals: none is too large then, and none is looked at. */
	return json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
}

static void put_name(const char *name, struct container_image *image)
{
	snprintf(image->name, sizeof(image->name), "%s", name);
}

static void put_id(const char *digest, struct container_image *image)
{
	snprintf(image->id, sizeof(image->id), "%s", digest);
}

static void read_docker(const json_t *root, const char *container, struct container_image *image)
{
	const char *id = name_of(json_object_get(root, "Image"));

	if (!is_named(root, "ID", container))
		return;
	if (is_digest(id))
		put_id(id, image);
	put_name(name_of(json_object_get(json_object_get(root, "Config"), "Image")), image);
}

static void read_storage(const json_t *item, struct container_image *image)
{
	const char *id = name_of(json_object_get(item, "image"));
	const json_t *text = json_object_get(item, "metadata");
	json_auto_t *metadata = NULL;

	if (is_hex(id, strlen(id)))
		snprintf(image->id, sizeof(image->id), DIGEST "%s", id);
	if (!json_is_string(text))
		return;
	metadata = load(json_string_value(text), json_string_length(text));
	put_name(name_of(json_object_get(metadata, "image-name")), image);
}

static void read_cri(const json_t *root, struct container_image *image)
{
	const json_t *notes = json_object_get(root, "annotations");
	const char *name = name_of(json_object_get(notes, "io.kubernetes.cri.image-name"));

	if (!is_named(notes, "io.kubernetes.cri.container-type", "container"))
		return;
	if (is_digest(name))
		put_id(name, image);
	else
		put_name(name, image);
}

int image_parse(enum image_source source, const char *text, size_t len,
		const char container[static CONTAINER_ID_SIZE], struct container_image *out_image)
{
	struct container_image image = {"", ""};
	json_auto_t *root = load(text, len);

	if (!json_is_object(root))
		return -EINVAL;
	if (source == IMAGE_DOCKER)
		read_docker(root, container, &image);
	else
		read_cri(root, &image);
	if (!image.name[0] && !image.id[0])
		return -ENOENT;
	*out_image = image;
	return 0;
}

int image_parse_storage(const char *text, size_t len, image_fn fn, void *userdata)
{
	json_auto_t *root = load(text, len);

	if (!json_is_array(root))
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(root); i++) {
		const json_t *item = json_array_get(root, i);
		const char *container = name_of(json_object_get(item, "id"));
		struct container_image image = {"", ""};

		if (!is_hex(container, strlen(container)))
			continue;
		read_storage(item, &image);
		if (image.name[0] || image.id[0])
			fn(userdata, container, &image);
	}
	return 0;
}
