/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded first-in first-out file of records: what a sink could not get rid of yet.
 *
 * The file (mode 0600) is a header with a magic and the offset of the oldest record, then records
 * of length, checksum and bytes. It is made with the first record and survives the process: at the
 * next open what is left is there again, up to the first record that is damaged. A record may be
 * handed out twice after a crash, never lost for it. A record is written once, at the end; when the
 * bound or the end of the disk is reached and half of the file is consumed, what is left moves to
 * its front. Nothing is
 * synced until spool_close(): the spool is for a reader that is away, not for a power cut. Not
 * thread safe; one process at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * An alert: 33 processes of a path of 512 bytes, each of which may stand as `\\xHH`, and of 256
 * bytes of arguments, are 110 KiB; a path of an object is up to 20 KiB, and there may be a dozen.
 */
#define SPOOL_RECORD_MAX (512 * 1024)

struct spool;

/*
 * Opens what is at `path`, if anything. max_bytes bounds the file. *out_damaged (may be NULL): part
 * of an older spool could not be read and was cut off. -ENOMEM, or the errno of the file.
 */
int spool_open(const char *path, uint64_t max_bytes, bool *out_damaged, struct spool **out_spool);
void spool_close(struct spool *spool); /* an empty spool's file is removed */
DEFINE_CLEANUP(struct spool *, spool_close)
#define _cleanup_spool_ _cleanup_(spool_closep)

/* -ENOSPC: the bound, or the disk's end; -EMSGSIZE: over SPOOL_RECORD_MAX or empty; other errno.
 * One that failed is not in the file, and costs at most its own bytes. */
int spool_append(struct spool *spool, const char *p, size_t len);

/*
 * The oldest record, valid until the next call on this spool; 0, -ENOENT if there is none, or the
 * errno of the read. A record that turns out damaged ends the spool (-EBADMSG): the rest is given
 * up.
 */
int spool_peek(struct spool *spool, const char **out_p, size_t *out_len);
void spool_pop(struct spool *spool); /* drops what spool_peek() shows */

uint64_t spool_count(const struct spool *spool); /* records */
uint64_t spool_used(const struct spool *spool); /* bytes that the records left take */
