// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory of a living process, by /proc/PID/maps. It goes on meanwhile: mappings that are gone
 * by the time they are read are zeros.
 */
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "scan/container.h"

#define MAPS_MAX (16 << 20) /* bytes */

struct process {
	char *maps;
	size_t len;
	size_t at;
};

static bool is_process(struct bytes head)
{
	return false;
}

static void close_process(void *state)
{
	struct process *process = state;

	if (process)
		free(process->maps);
	free(process);
}

/* The kernel makes it while it is read, some lines at a time. */
static int read_maps(struct process *process, int fd, uint64_t *flags)
{
	size_t room = 0;

	for (;;) {
		ssize_t n;

		if (process->len == room) {
			char *more;

			if (room == MAPS_MAX) {
				*flags |= SCAN_INCOMPLETE;
				return 0;
			}
			room = room ? room * 2 : 65536;
			more = realloc(process->maps, room);
			if (!more)
				return -ENOMEM;
			process->maps = more;
		}
		n = pread(fd, process->maps + process->len, room - process->len,
			  (off_t)process->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		process->len += (size_t)n;
	}
}

/* The first mapping of a file is the program's, as addresses ascend. */
static void name_program(const struct process *process, struct scan_about *about)
{
	struct bytes rest = {(uint8_t *)process->maps, process->len}, line;
	const uint8_t *path;

	while (bytes_line(&rest, &line)) {
		path = memchr(line.p, '/', line.len);
		if (!path)
			continue;
		escape_bytes((const char *)path, line.len - (size_t)(path - line.p), about->exe,
			     sizeof(about->exe), NULL);
		return;
	}
}

static int open_process(struct source *source, const struct container_context *context,
			struct scan_about *about, uint64_t *flags, void **out_state)
{
	struct process *process = calloc(1, sizeof(*process));
	int err;

	if (!process)
		return -ENOMEM;
	err = read_maps(process, context->maps_fd, flags);
	if (err < 0) {
		close_process(process);
		return err;
	}
	about->pid = context->pid;
	about->bits = 8 * sizeof(long);
	name_program(process, about);
	*flags |= SCAN_CORE;
	*out_state = process;
	return 1;
}

/* "start-end rwxp offset dev inode   path" */
static bool parse(struct bytes line, struct segment *out)
{
	char text[128], *end, *name;
	size_t len = line.len < sizeof(text) - 1 ? line.len : sizeof(text) - 1;
	uint64_t from, to;

	memcpy(text, line.p, len);
	text[len] = '\0';
	from = strtoull(text, &end, 16);
	if (*end != '-')
		return false;
	to = strtoull(end + 1, &end, 16);
	if (*end != ' ' || end[1] != 'r' || to <= from)
		return false; /* what cannot be read holds nothing */
	/* Permissions, offset, device, inode. */
	name = end + 1;
	for (int i = 0; i < 4 && name; i++) {
		name = strchr(name, ' ');
		while (name && *name == ' ')
			name++;
	}
	*out = (struct segment){.offset = from, .len = to - from, .vaddr = from, .has_vaddr = true};
	if (!name || !*name)
		out->kind = SEGMENT_ANON;
	else if (!strcmp(name, "[heap]"))
		out->kind = SEGMENT_HEAP;
	else if (!strncmp(name, "[stack", 6))
		out->kind = SEGMENT_STACK;
	else if (!strncmp(name, "[anon", 5))
		out->kind = SEGMENT_ANON;
	else if (*name == '[') /* vvar, vdso, vsyscall: the kernel's, the same for all */
		return false;
	else
		out->kind = SEGMENT_FILE;
	return true;
}

static int next_process(void *state, struct segment *out_segment)
{
	struct process *process = state;
	struct bytes rest = {(uint8_t *)process->maps + process->at, process->len - process->at};
	struct bytes line;

	while (bytes_line(&rest, &line)) {
		process->at = process->len - rest.len;
		if (parse(line, out_segment))
			return 1;
	}
	return 0;
}

const struct container_type container_process = {
	.container = CONTAINER_PROCESS,
	.align = 8,
	.is = is_process,
	.open = open_process,
	.next = next_process,
	.close = close_process,
};
