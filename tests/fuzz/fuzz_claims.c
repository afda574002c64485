// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a central log, which anybody may have written, into a trail that can be shown. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trail/claims.h"
#include "trail/join.h"
#include "trail/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(struct trail_store *store, const char *what, FILE *nowhere)
{
	struct trail_view view;

	if (trail_join_view(store, store, what, 50, &view) < 0)
		return;
	trail_render_text(&view, nowhere);
	trail_render_json(&view, nowhere);
	trail_render_dot(&view, nowhere);
	trail_view_fini(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct trail_store_options memory = {.path = ":memory:"};
	static FILE *nowhere;
	struct trail_store *store;
	struct trail_claims *claims;
	struct trail_sink sink;
	char *text = malloc(size + 1), *rest, *line;

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	if (!nowhere || !text || size > 1 << 16 || trail_store_new(&memory, &store) < 0) {
		free(text);
		return 0;
	}
	sink = trail_store_sink(store);
	claims = trail_claims_new(&sink, NULL, NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	for (rest = text; claims && (line = strsep(&rest, "\n"));)
		trail_claims_line(claims, line);
	trail_store_flush(store, 0);
	show(store, "SHA256:kA5Xm1fQxXw1u4d0rXoUQm7a1B9u2pO1iVYcV1W3s0Q", nowhere);
	show(store, "/k", nowhere);
	show(store, "1", nowhere);
	trail_claims_free(claims);
	trail_store_free(store);
	free(text);
	return 0;
}
