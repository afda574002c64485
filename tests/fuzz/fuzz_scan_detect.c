// SPDX-License-Identifier: GPL-2.0-or-later
/* The dump scanner's detectors over any bytes: plain and vector code agree, findings are such. */
#include <stdlib.h>
#include <string.h>

#include "scan/detect-aes.h"
#include "scan/detect-form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_aes(void *userdata, const struct aes_hit *hit)
{
	*(uint64_t *)userdata = *(uint64_t *)userdata * 31 + hit->at + hit->key_len + hit->layout;
}

/* What is found must get through the channel, and lie in the bytes. */
static void on_form(void *userdata, const struct finding *finding)
{
	uint8_t record[FINDING_SIZE];
	struct finding back;

	finding_encode(finding, record);
	if (finding_decode(record, &back) < 0 || finding->offset >= *(size_t *)userdata)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t plain = 0, vector = 0;
	size_t end_plain = 0, end_vector = 0;
	unsigned budget = 2;
	/* On the heap and just as long, for AddressSanitizer to see a step too far. */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	aes_detect_scalar((struct bytes){copy, size}, 0, size, &end_plain, on_aes, &plain);
	aes_detect((struct bytes){copy, size}, 0, size, &end_vector, on_aes, &vector);
	if (plain != vector || end_plain != end_vector)
		abort();
	form_detect((struct bytes){copy, size}, 0, size, &budget, on_form, &size);
	free(copy);
	return 0;
}
