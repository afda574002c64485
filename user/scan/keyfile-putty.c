// SPDX-License-Identifier: GPL-2.0-or-later
/* PuTTY's .ppk, versions 1 to 3: the public half stands in clear as an OpenSSH blob. */
#include "scan/keyfile-internal.h"

#include "base/cleanup.h"
#include "scan/base64.h"
#include "scan/wipe.h"

static bool field(struct bytes line, const char *name, struct bytes *out_value)
{
	if (!bytes_starts(line, name))
		return false;
	bytes_skip(&line, strlen(name));
	*out_value = line;
	return true;
}

/* A line count in decimal. */
static bool count(struct bytes value, size_t *out_nr)
{
	size_t nr = 0;

	if (!value.len || value.len > 4)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return false;
		nr = nr * 10 + (size_t)(value.p[i] - '0');
	}
	*out_nr = nr;
	return true;
}

static int public_lines(struct bytes *in, size_t nr, struct pubkey *out_pub)
{
	struct bytes body = {in->p, 0};
	struct bytes line;
	_cleanup_wipe_ uint8_t *blob = NULL;
	long len;

	while (nr--)
		if (!bytes_line(in, &line))
			return 0;
	body.len = (size_t)(in->p - body.p);
	blob = wipe_alloc(BASE64_DECODED_MAX(body.len));
	if (!blob)
		return -ENOMEM;
	len = base64_decode(body, blob);
	if (len > 0)
		pubkey_from_ssh((struct bytes){blob, (size_t)len}, out_pub);
	return 0;
}

int keyfile_putty(struct bytes text, struct keyfile_found *found)
{
	struct bytes line, value;
	size_t nr;

	if (!bytes_line(&text, &line) || !field(line, "PuTTY-User-Key-File-", &value) ||
	    value.len < 3 || value.p[0] < '1' || value.p[0] > '9' || value.p[1] != ':')
		return 0;
	found->format = KEYFMT_PUTTY;
	found->kind = KEY_OTHER;
	while (bytes_line(&text, &line)) {
		if (field(line, "Encryption: ", &value))
			found->encrypted = !bytes_is(value, "none");
		else if (field(line, "Comment: ", &value))
			keyfile_comment(value, found->comment);
		else if (field(line, "Public-Lines: ", &value))
			return count(value, &nr) && public_lines(&text, nr, &found->pub) < 0
				       ? -ENOMEM
				       : 1;
		else if (field(line, "Private-Lines: ", &value))
			break;
	}
	return 1;
}
