// SPDX-License-Identifier: GPL-2.0-or-later
/* Which container it is. */
#include "scan/container.h"

static const struct container_type *const types[] = {
	&container_elf,	     &container_kdump,	      &container_minidump,
	&container_pagedump, &container_lime,	      &container_avml,
	&container_hprof,    &container_heapsnapshot, &container_criu,
};

const struct container_type *container_of(struct bytes head)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i]->is(head))
			return types[i];
	return &container_raw;
}
