// SPDX-License-Identifier: GPL-2.0-or-later
/* What a dump is: words, and the way through the pipe. */
#include "scan/about.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "scan/bytes.h"

const char *scan_container_str(enum scan_container container)
{
	static const char *const words[CONTAINER_NR] = {
		"raw",	    "elf-core", "vmcore",  "kdump",   "kdump-flattened",
		"minidump", "pagedump", "lime",	   "avml",    "hprof",
		"v8-heap",  "criu",	"process", "archive",
	};

	return container < CONTAINER_NR ? words[container] : "?";
}

static const struct {
	unsigned flag;
	const char *word, *sentence;
} flags[] = {
	{SCAN_TRUNCATED, "truncated", "the dump is cut off"},
	{SCAN_INCOMPLETE, "incomplete", "more was there than could be kept, so there may be more"},
	{SCAN_CORE, "memory", "it is memory with addresses"},
	{SCAN_FILTERED, "filtered", "memory was left out when the dump was written"},
	{SCAN_ERASED, "erased", "data was erased from it when it was written"},
	{SCAN_CHANGED, "changed", "it became shorter while it was read"},
	{SCAN_UNREADABLE, "unreadable", "parts of it could not be read"},
	{SCAN_DAMAGED, "damaged", "it is damaged, and was looked at up to there"},
	{SCAN_EXPANDS, "expands", "unpacking was stopped, as it grows out of all proportion"},
	{SCAN_TOO_DEEP, "too-deep", "archives are nested too deeply to open them all"},
	{SCAN_LOCKED, "locked", "encrypted parts were not looked into"},
	{SCAN_UNSUPPORTED, "unsupported", "this variant of its format is read as mere bytes"},
	{SCAN_ONE_PASS, "one-pass", "it went by once, what needs a second look was left out"},
	{SCAN_BUDGET, "budget",
	 "not every place was tried as a key, as there is a budget of work for that"},
	{SCAN_TIME_UP, "time-up", "the time for it was over"},
	{SCAN_TOUCHED, "touched", "it was changed while it was read, so its digest is not told"},
};

const char *scan_flag_str(unsigned flag)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].flag == flag)
			return flags[i].word;
	return "?";
}

const char *scan_flag_sentence(unsigned flag)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].flag == flag)
			return flags[i].sentence;
	return "?";
}

static uint8_t *put(uint8_t *to, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		to[i] = (uint8_t)(value >> 8 * (len - 1 - i));
	return to + len;
}

static uint8_t *put_text(uint8_t *to, const char *text, size_t size)
{
	memset(to, 0, size);
	memcpy(to, text, strnlen(text, size - 1));
	return to + size;
}

void scan_about_encode(const struct scan_about *about, uint8_t out[SCAN_ABOUT_SIZE])
{
	uint8_t *p = out;

	p = put(p, about->container, 1);
	p = put(p, about->signal, 1);
	p = put(p, about->depth, 1);
	p = put(p, about->bits, 1);
	p = put(p, about->big_endian, 1);
	p = put(p, 0, 3);
	p = put(p, about->size, 8);
	p = put(p, about->pid, 4);
	p = put(p, about->threads, 4);
	p = put_text(p, about->command, sizeof(about->command));
	p = put_text(p, about->exe, sizeof(about->exe));
	p = put_text(p, about->build_id, sizeof(about->build_id));
	p = put_text(p, about->member, sizeof(about->member));
	put(p, 0, 3);
}

/* A text as escape_bytes() makes it, with nothing but NULs after it. */
static bool take_text(struct bytes *in, char *out, size_t size)
{
	char raw[256], again[256];
	struct bytes b;
	size_t len;
	long n;

	if (!bytes_take(in, size, &b))
		return false;
	len = strnlen((const char *)b.p, size);
	for (size_t i = len; i < size; i++)
		if (b.p[i])
			return false;
	if (len == size)
		return false;
	n = escape_undo((const char *)b.p, len, raw, sizeof(raw));
	if (n < 0)
		return false;
	escape_bytes(raw, (size_t)n, again, sizeof(again), NULL);
	memcpy(out, b.p, size);
	return strcmp(again, out) == 0;
}

static uint64_t get(struct bytes *in, unsigned len)
{
	uint64_t value = 0;
	uint8_t byte = 0;

	for (unsigned i = 0; i < len && bytes_u8(in, &byte); i++)
		value = value << 8 | byte;
	return value;
}

int scan_about_decode(const uint8_t p[SCAN_ABOUT_SIZE], struct scan_about *out)
{
	struct bytes in = {p, SCAN_ABOUT_SIZE};
	struct scan_about a = {.size = 0};
	uint64_t container = get(&in, 1), endian;

	a.signal = (uint8_t)get(&in, 1);
	a.depth = (uint8_t)get(&in, 1);
	a.bits = (uint8_t)get(&in, 1);
	endian = get(&in, 1);
	if (container >= CONTAINER_NR || endian > 1 || (a.bits && a.bits != 32 && a.bits != 64) ||
	    get(&in, 3))
		return -EBADMSG;
	a.container = (enum scan_container)container;
	a.big_endian = endian;
	a.size = get(&in, 8);
	a.pid = (uint32_t)get(&in, 4);
	a.threads = (uint32_t)get(&in, 4);
	if (!take_text(&in, a.command, sizeof(a.command)) ||
	    !take_text(&in, a.exe, sizeof(a.exe)) ||
	    !take_text(&in, a.build_id, sizeof(a.build_id)) ||
	    !take_text(&in, a.member, sizeof(a.member)) || get(&in, 3) ||
	    a.build_id[strspn(a.build_id, "0123456789abcdef")])
		return -EBADMSG;
	*out = a;
	return 0;
}
