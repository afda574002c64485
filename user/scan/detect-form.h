/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private keys that stand in memory in a written form: PEM of any kind, bare DER, openssh-key-v1. A
 * marker is found by its bytes, what follows goes to the key file parser.
 */
#pragma once

#include "scan/bytes.h"
#include "scan/finding.h"

#define FORM_MAX 16384 /* bytes that one key may take */

/*
 * Looks at what begins in [from, to) of `memory`; a key may reach beyond `to`. Positions in
 * findings count from memory.p. *budget: keys that may still be proven, as a proof takes time;
 * those beyond are reported as likely.
 */
void form_detect(struct bytes memory, size_t from, size_t to, unsigned *budget,
		 void (*hit)(void *userdata, const struct finding *finding), void *userdata);
