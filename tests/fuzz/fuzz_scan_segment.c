// SPDX-License-Identifier: GPL-2.0-or-later
/* Core headers that lie: segments stay within the file, and do not cover it many times. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan/finding.h"
#include "scan/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segments segments;
	struct finding finding;
	uint64_t sum = 0;
	int fd = memfd_create("core", MFD_CLOEXEC);

	if (size >= FINDING_SIZE)
		finding_decode(data, &finding);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (segments_read(fd, &segments) == 0) {
		for (size_t i = 0; i < segments.nr; i++) {
			const struct segment *s = &segments.items[i];

			if (s->offset > size || s->len > size - s->offset)
				abort();
			sum += s->len;
		}
		if (sum > 2 * size)
			abort();
		segments_fini(&segments);
	}
	close(fd);
	return 0;
}
