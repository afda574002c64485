// SPDX-License-Identifier: GPL-2.0-or-later
/* Which detectors there are, in the order in which they see a window. */
#include "scan/detectors.h"

/* clang-format off */
const struct detector *const detectors[] = {
	&detector_aes,
	&detector_numbers,
	&detector_form,
	&detector_needle,
	&detector_token,
	NULL,
};
/* clang-format on */
