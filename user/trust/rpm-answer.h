/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keytrail-rpm says to who started it: one message of fixed size. Both are of one build. */
#pragma once

#include <stdint.h>

#include "model/event.h"
#include "trust/dpkg.h" /* PACKAGE_MAX */

#define RPM_ANSWER_MAGIC 0x6b742d72706d3031ULL
#define RPM_OWNERS_MAX	 8 /* packages of several architectures may have a file in common */
#define RPM_DIGEST_MAX	 132 /* hex digits of SHA-512, with NUL and room */

/* Numbers of OpenPGP (RFC 4880, 9.4), as rpm keeps them with a package's files. */
enum rpm_algorithm { RPM_MD5 = 1, RPM_SHA256 = 8 };

struct rpm_owner {
	char package[128]; /* "NAME:ARCH", NUL terminated */
	char digest[RPM_DIGEST_MAX]; /* hex digits; "" = the package says nothing of its content */
	uint32_t algorithm;
	uint32_t reserved;
};

struct rpm_answer {
	uint64_t magic;
	int32_t error; /* 0, or negative errno: nothing else counts then */
	uint32_t nr; /* owners; 0: no package has such a file */
	struct rpm_owner owners[RPM_OWNERS_MAX];
};

_Static_assert(sizeof(struct rpm_answer) <= 4096, "a pipe takes it at once or not at all");

/*
 * What the answer says of a file whose content has these hashes; outputs as of rpm_find().
 * -EBADMSG: it is nothing that keytrail-rpm would say; -EIO: that it could not read the database.
 * Outputs are untouched then. Pure.
 */
int rpm_answer_judge(const struct rpm_answer *answer, const char *sha256, const char *md5,
		     char out_package[static PACKAGE_MAX], enum package_state *out_state);
