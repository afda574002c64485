// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The trail's database as `keytrail trail --db` reads it: whatever the file says, the answer is an
 * error or something that can be shown in each form.
 */
#include <stdint.h>
#include <stdio.h>

#include "trail/render.h"
#include "trail/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(struct trail_store *store, const char *what, FILE *nowhere)
{
	struct trail_view view;

	if (trail_store_view(store, what, 50, &view) < 0)
		return;
	trail_render_text(&view, nowhere);
	trail_render_json(&view, nowhere);
	trail_render_dot(&view, nowhere);
	trail_view_fini(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct trail_store *store;

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	if (!nowhere || size > 1 << 20 || trail_store_open_bytes(data, size, &store) < 0)
		return 0;
	show(store, "SHA256:k", nowhere);
	show(store, "/k", nowhere);
	show(store, "11", nowhere);
	show(store, "00112233", nowhere);
	trail_store_free(store);
	return 0;
}
