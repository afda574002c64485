// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client of the control socket that sends anything, in pieces of any size.
 *
 * The first byte says what rights it has, the following ones how the rest is cut; a piece may be
 * followed by reading, pumping or a published alert. Whatever comes: bounded output, whole lines,
 * each valid JSON, and nothing changed without the right to.
 */
#include <stdlib.h>
#include <string.h>

#include "control/session.h"
#include "unit/alert_sample.h"

static int reloads;

static int give_status(void *userdata, json_t **out_result)
{
	*out_result = json_pack("{s:s}", "version", "fuzz");
	return 0;
}

static int do_reload(void *userdata, json_t **out_result)
{
	reloads++;
	return -EINVAL;
}

static const struct control_handlers handlers = {give_status, do_reload, give_status};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void read_output(struct buf *out)
{
	check(out->len <= CONTROL_OUT_MAX);
	while (out->len > 0) {
		char *newline = memchr(out->p, '\n', out->len);
		json_t *reply;

		check(newline != NULL);
		reply = json_loadb(out->p, newline - out->p, JSON_REJECT_DUPLICATES, NULL);
		check(json_is_object(reply));
		json_decref(reply);
		buf_consume(out, newline - out->p + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_session *session = NULL;
	struct alert_sample sample;
	bool root;
	int r = 0;

	if (size < 1)
		return 0;
	root = data[0] & 1;
	reloads = 0;
	alert_sample_init(&sample);
	if (control_session_new(&handlers, NULL, NULL, root ? CONTROL_MAY_CHANGE : CONTROL_MAY_READ,
				&session) < 0)
		return 0;
	data++;
	size--;
	while (size > 1 && r == 0) {
		size_t n = data[0] & 0x3f;

		if (n == 0 || n > size - 1)
			n = size - 1;
		r = control_session_feed(session, (const char *)data + 1, n);
		if (r == 0 && data[0] & 0x40)
			r = control_session_publish(session, &sample.alert, "{}", 2);
		if (data[0] & 0x80) {
			read_output(control_session_output(session));
			if (r == 0)
				r = control_session_pump(session);
		}
		data += n + 1;
		size -= n + 1;
	}
	read_output(control_session_output(session));
	check(root || reloads == 0);
	control_session_free(session);
	return 0;
}
