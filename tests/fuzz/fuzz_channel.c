// SPDX-License-Identifier: GPL-2.0-or-later
/* The reader of the dump scanner's channel: what passes is what could have been written. */
#include <stdlib.h>
#include <string.h>

#include "scan/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct channel_reader reader = {.len = 0};
	size_t at = 0, passed = 0;
	int r = 0;

	while (at < size && r >= 0) {
		struct channel_message message;
		uint8_t again[CHANNEL_MAX];
		size_t room, n;
		uint8_t *to = channel_room(&reader, &room);

		if (!room)
			abort();
		n = 1 + data[at] % 97;
		n = n < room ? n : room;
		n = n < size - at ? n : size - at;
		memcpy(to, data + at, n);
		channel_got(&reader, n);
		at += n;
		while ((r = channel_next(&reader, &message)) > 0) {
			size_t len = channel_encode(&message, again);

			if (memcmp(again, data + passed, len) != 0)
				abort();
			passed += len;
		}
	}
	return 0;
}
