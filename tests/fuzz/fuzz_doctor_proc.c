// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text as smaps, limits, status and stat of a process: mappings are in bounds and ascend from
 * start to end, names are printable, and what is left out of dumps is in no core.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor/process.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	check(len < size);
	for (size_t i = 0; i < len; i++)
		check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_mapping(const struct mapping *m)
{
	char flags[24];

	check(m->end > m->start && strlen(m->perms) == 4);
	check_text(m->name, sizeof(m->name));
	mapping_flags_text(m, flags);
	check_text(flags, sizeof(flags));
	check(mapping_core_place(m) < CORE_PLACE_NR);
	check(!mapping_in_core(m, 0));
	if (m->flags & MAPPING_DONTDUMP)
		check(!mapping_in_core(m, 0x1ff));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smaps smaps = {(const char *)data, size};
	char *text = malloc(size + 1), out[24];
	struct mapping mapping;
	uint64_t soft, hard, start;
	uint32_t flags;

	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	while (smaps_next(&smaps, &mapping))
		check_mapping(&mapping);
	check(smaps.len == 0);
	limits_core(text, &soft, &hard);
	stat_fields(text, &flags, &start);
	if (status_field(text, "Uid", out, sizeof(out)) == 0)
		check_text(out, sizeof(out));
	free(text);
	return 0;
}
