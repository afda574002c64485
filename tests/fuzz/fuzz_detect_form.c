// SPDX-License-Identifier: GPL-2.0-or-later
/* Written keys in any bytes: plain and vector code see the same markers, findings are such. */
#include <stdlib.h>
#include <string.h>

#include "scan/detect-form.h"
#include "scan/markers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found must get through the channel, and lie in the bytes. */
static void on_form(void *userdata, const struct finding *finding, const struct secret *secret)
{
	uint8_t record[FINDING_SIZE];
	struct finding back;

	finding_encode(finding, record);
	if (finding_decode(record, &back) < 0 || finding->offset >= *(size_t *)userdata)
		abort();
}

static void on_marker(void *userdata, size_t at, unsigned groups)
{
	*(uint64_t *)userdata = *(uint64_t *)userdata * 31 + at + groups;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct marker3 list[] = {{"ABC", 0}, {{2, 1, 0}, 1}, {{1, 0, 0}, 2}};
	uint64_t plain = 0, vector = 0;
	struct form_work work = {.all = false};
	/* On the heap and just as long, for AddressSanitizer to see a step too far. */
	uint8_t *copy = malloc(size ? size : 1);
	const struct form_detect forms = {&work, on_form, &size, NULL};
	struct markers markers;

	if (!copy)
		return 0;
	for (enum form_pot pot = 0; pot < FORM_POTS; pot++)
		work.left[pot] = 3000;
	memcpy(copy, data, size);
	markers_init(&markers, list, sizeof(list) / sizeof(list[0]));
	markers_find_plain(&markers, (struct bytes){copy, size}, 0, size, on_marker, &plain);
	markers_find(&markers, (struct bytes){copy, size}, 0, size, on_marker, &vector);
	if (plain != vector)
		abort();
	form_detect((struct bytes){copy, size}, 0, size, &forms);
	free(copy);
	return 0;
}
