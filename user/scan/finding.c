// SPDX-License-Identifier: GPL-2.0-or-later
/* The dump scanner's records: their words, and their way through the pipe. */
#include "scan/finding.h"

#include <errno.h>

#include "base/cleanup.h"
#include "scan/bytes.h"

static const char *word(const char *const *words, size_t nr, unsigned value)
{
	return value < nr ? words[value] : "?";
}

const char *finding_what_str(enum finding_what what)
{
	static const char *const words[FINDING_WHAT_NR] = {
		"end",	 "rsa-pair",  "structure",    "aes-schedule", "range",	   "known-key",
		"token", "ec-scalar", "shielded-key", "chacha-state", "key-store", "untried",
	};

	return word(words, ARRAY_SIZE(words), what);
}

const char *untried_str(enum untried what)
{
	static const char *const words[UNTRIED_NR] = {
		"written", "rsa", "shielded", "aes", "tokens", "findings", "curves", "prekeys",
	};

	return word(words, ARRAY_SIZE(words), what);
}

const char *untried_sentence(enum untried what)
{
	static const char *const words[UNTRIED_NR] = {
		"places that look like written keys were not tried",
		"numbers that may be parts of RSA keys were not tried",
		"shielded keys were not read",
		"AES schedules are not told",
		"tokens are not told",
		"findings are not told",
		"searches for keys of curves did not come to their end",
		"stretches that keys may be shielded with were dropped",
	};

	return word(words, ARRAY_SIZE(words), what);
}

const char *finding_class_str(enum finding_class class)
{
	static const char *const words[FINDING_CLASS_NR] = {"proven", "likely", "encrypted", "test",
							    "ephemeral"};

	return word(words, ARRAY_SIZE(words), class);
}

const char *finding_layout_str(enum finding_layout layout)
{
	static const char *const words[LAYOUT_NR] = {
		"little-endian",
		"big-endian",
		"words-32",
		"pem",
		"der",
		"openssh",
		"encrypt",
		"decrypt",
		"encrypt-words-32",
		"decrypt-words-32",
		"digits",
		"text",
		"words-64",
		"swapped-64",
		"swapped-32",
		"digits-60",
		"digits-31",
		"digits-30",
		"digits-28",
		"digits-15",
		"raw",
		"json",
		"blob",
		"s-expression",
	};

	return word(words, ARRAY_SIZE(words), layout);
}

static void put64(uint8_t *to, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		to[i] = (uint8_t)value;
}

void finding_encode(const struct finding *finding, uint8_t out[FINDING_SIZE])
{
	struct scan_result result = {.error = 0, .id = finding->id};

	memset(out, 0, 40);
	out[0] = (uint8_t)finding->what;
	out[1] = (uint8_t)finding->class;
	out[2] = (uint8_t)finding->layout;
	out[3] = finding->has_vaddr;
	out[4] = (uint8_t)(finding->bits >> 8);
	out[5] = (uint8_t)finding->bits;
	put64(out + 8, finding->offset);
	put64(out + 16, finding->vaddr);
	put64(out + 24, finding->tag);
	put64(out + 32, (uint64_t)finding->ref << 32 | finding->length);
	scan_result_encode(&result, out + 40);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | p[i];
	return value;
}

int finding_decode(const uint8_t p[FINDING_SIZE], struct finding *out_finding)
{
	struct scan_result result;

	if (p[0] >= FINDING_WHAT_NR || p[1] >= FINDING_CLASS_NR || p[2] >= LAYOUT_NR || p[3] > 1 ||
	    p[6] || p[7] || scan_result_decode(p + 40, SCAN_RESULT_SIZE, &result) < 0 ||
	    result.error || (p[0] != FINDING_TOKEN && (uint32_t)get64(p + 32)) ||
	    (p[0] == FINDING_UNTRIED && get64(p + 32) >> 32 >= UNTRIED_NR))
		return -EBADMSG;
	*out_finding = (struct finding){
		.what = p[0],
		.class = p[1],
		.layout = p[2],
		.has_vaddr = p[3],
		.bits = (uint16_t)(p[4] << 8 | p[5]),
		.offset = get64(p + 8),
		.vaddr = get64(p + 16),
		.tag = get64(p + 24),
		.ref = (uint32_t)(get64(p + 32) >> 32),
		.length = (uint32_t)get64(p + 32),
		.id = result.id,
	};
	return 0;
}
