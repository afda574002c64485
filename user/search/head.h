/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What private keys begin with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HEAD_BYTES    64 /* so many are enough */
#define KEY_BYTES_MIN 32 /* what is smaller is no key file */
#define KEY_BYTES_MAX 65536 /* nor what is larger: scan/keyfile.h */

/* May a file that begins so be a private key? Compares bytes, parses nothing. */
bool head_is_key(const unsigned char *p, size_t len);
