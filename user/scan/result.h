/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one message that the scan child says: a fixed number of bytes, written out field by field.
 * Its reader takes the child for an enemy: every field is checked against what it may be, and texts
 * against what their makers could have made.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/keyid.h"

#define SCAN_RESULT_SIZE 265

struct scan_result {
	int error; /* 0, or -EFBIG, -EIO, -EPERM, -ENOMEM as scan_child_read() says; then id is
		      empty */
	struct key_identity id;
};

void scan_result_encode(const struct scan_result *result, uint8_t out[SCAN_RESULT_SIZE]);

/* 0 or -EBADMSG. Pure. */
int scan_result_decode(const uint8_t *p, size_t len, struct scan_result *out_result);
