// SPDX-License-Identifier: GPL-2.0-or-later
/* Key schedules in any bytes: plain and vector code agree, and what is found is one. */
#include <stdlib.h>
#include <string.h>

#include "scan/detect-aes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct bytes memory;
	uint64_t sum;
};

static void on_hit(void *userdata, const struct aes_hit *hit)
{
	struct seen *seen = userdata;
	uint8_t schedule[AES_SCHEDULE_MAX];
	size_t len = aes_schedule((struct bytes){hit->key, hit->key_len}, false, schedule);

	if (hit->at > seen->memory.len || len > seen->memory.len - hit->at)
		abort();
	if (hit->layout == LAYOUT_ENCRYPT && memcmp(schedule, seen->memory.p + hit->at, len) != 0)
		abort();
	seen->sum = seen->sum * 31 + hit->at + hit->key_len + hit->layout;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t end_plain = 0, end_vector = 0;
	/* On the heap and just as long, for AddressSanitizer to see a step too far. */
	uint8_t *copy = malloc(size ? size : 1);
	struct seen plain = {{copy, size}, 0}, vector = plain;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	aes_detect_scalar(plain.memory, 0, size, &end_plain, on_hit, &plain);
	aes_detect(vector.memory, 0, size, &end_vector, on_hit, &vector);
	if (plain.sum != vector.sum || end_plain != end_vector)
		abort();
	free(copy);
	return 0;
}
