/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose subordinate uids are whose, by /etc/subuid (subuid(5)): lines of `user:first:count`, the
 * user by name or uid. For quotas (bpf/quota.h).
 *
 * Names are looked up in /etc/passwd alone, since a name service may take seconds. A range whose
 * user is not there is an account of its own, under its first uid.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "sensor/sensor.h" /* struct quota_range */

/*
 * Reads lines from `f`, users' uids from `passwd` (may be NULL). Up to `max` ranges, sorted, none
 * over another: of two that are, the later one in order of uids loses what both have. Lines that
 * are none, and ranges of root's, are passed over. Returns how many; sets *out_more to how many
 * there was no room for.
 */
size_t subuid_read(FILE *f, FILE *passwd, struct quota_range *ranges, size_t max, size_t *out_more);

/* Whom what `uid` owns is charged to, by such ranges: itself if it is in none of them. */
uint32_t subuid_account(const struct quota_range *ranges, size_t nr, uint32_t uid);

/* The files as they were read. */
struct subuid {
	struct stat subuid, passwd;
};

/*
 * To be called each second: if a file has changed, or at the first call, reads both and returns 1,
 * with the ranges; else 0. No file is no range.
 */
int subuid_look(struct subuid *subuid, struct quota_range ranges[static QUOTA_RANGES_MAX],
		size_t *out_nr, size_t *out_more);
