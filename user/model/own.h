/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where programs of keytrail stand that read keys and dumps: by packages, and by this build. */
#pragma once

/* clang-format off */
#define OWN_PROGRAMS \
	"/usr/bin/keytrail", \
	"/usr/local/bin/keytrail", \
	KT_LIBEXECDIR "/keytrail-scan", \
	KT_LIBEXECDIR "/keytrail-scan-dump", \
	KT_LIBEXECDIR "/keytrail-search"
#define OWN_PROGRAMS_NR 5
/* clang-format on */
