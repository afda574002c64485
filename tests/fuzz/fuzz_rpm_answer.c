// SPDX-License-Identifier: GPL-2.0-or-later
/* What keytrail-rpm says, should librpm have been led astray: names and a state, or nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trust/rpm-answer.h"

#define SHA256 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MD5    "900150983cd24fb0d6963f7d28e17f72"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char package[PACKAGE_MAX] = "untouched";
	enum package_state state = PACKAGE_PENDING;
	struct rpm_answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return 0;
	memcpy(answer, data, size < sizeof(*answer) ? size : sizeof(*answer));
	if (rpm_answer_judge(answer, SHA256, MD5, package, &state) < 0) {
		if (state != PACKAGE_PENDING || strcmp(package, "untouched") != 0)
			abort();
	} else if (!memchr(package, 0, sizeof(package)) || state == PACKAGE_PENDING ||
		   (state == PACKAGE_NONE) != !package[0] || strpbrk(package, " \n\x1b\"'\\")) {
		abort();
	}
	free(answer);
	return 0;
}
