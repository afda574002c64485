// SPDX-License-Identifier: GPL-2.0-or-later
/* The best code that may be run. */
#include "scan/code.h"

enum scan_code code_most = CODE_NR - 1;

static bool machine_can(enum scan_code code)
{
	switch (code) {
	case CODE_PLAIN:
		return true;
#if defined(__x86_64__)
	case CODE_SSE2:
		return true;
	case CODE_AVX2:
		return __builtin_cpu_supports("avx2");
	case CODE_AVX512:
		return __builtin_cpu_supports("avx512bw");
#endif
	default:
		return false;
	}
}

bool code_limit(enum scan_code code)
{
	if (!machine_can(code))
		return false;
	code_most = code;
	return true;
}

void code_limit_none(void)
{
	code_most = CODE_NR - 1;
}
