// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc/PID/maps with any text in it. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct container_context context = {.maps_fd = memfd_create("maps", MFD_CLOEXEC), .pid = 1};
	struct fuzz_input in = {data, size, 0};
	struct source *source = fuzz_source(&in, false);

	if (context.maps_fd < 0 || write(context.maps_fd, data, size) != (ssize_t)size)
		abort();
	fuzz_walk(&container_process, source, &context);
	source_free(source);
	close(context.maps_fd);
	return 0;
}
