/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the armoured blocks (RFC 7468, RFC 1421 headers, RFC 4880 armor) in a text. */
#pragma once

#include "scan/bytes.h"

struct pem {
	struct bytes label; /* "RSA PRIVATE KEY" */
	struct bytes headers; /* lines before the first empty one, with their ends; often empty */
	struct bytes body; /* the base64 lines */
	bool ended; /* its END line stands there */
};

/*
 * Takes the next block off `in`; what stands before and between blocks is passed over. A BEGIN must
 * stand at the start of a line, an END must have the same label; a block without END reaches to the
 * next BEGIN or the end. False if there is no more. Views into `in`.
 */
bool pem_next(struct bytes *in, struct pem *out);

/* The value of a header line "name: value", {NULL, 0} if there is none. */
struct bytes pem_header(const struct pem *pem, const char *name);

/* "PRIVATE KEY" stands at the end of the label, or it is OpenPGP's. */
bool pem_is_private(const struct pem *pem);
