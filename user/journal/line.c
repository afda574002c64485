// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of the evidence log to lines and back, and their hashes. */
#include "journal/line.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

/* The last bytes of a line: ,"hash":"<hex>"} */
#define TAIL_KEY ",\"hash\":\""
#define TAIL_LEN (sizeof(TAIL_KEY) - 1 + LINE_HEX + 2)
#define PREV_KEY "\"prev\":\""

struct hasher {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

struct hasher *hasher_new(void)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (!hasher)
		return NULL;
	hasher->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	hasher->ctx = EVP_MD_CTX_new();
	if (!hasher->md || !hasher->ctx) {
		hasher_free(hasher);
		return NULL;
	}
	return hasher;
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->ctx);
	EVP_MD_free(hasher->md);
	free(hasher);
}

bool hasher_sum(struct hasher *hasher, const char *p, size_t len, uint8_t out[LINE_HASH])
{
	return EVP_DigestInit_ex2(hasher->ctx, hasher->md, NULL) &&
	       EVP_DigestUpdate(hasher->ctx, p, len) && EVP_DigestFinal_ex(hasher->ctx, out, NULL);
}

void line_time(uint64_t ns, char out[LINE_TIME + 1])
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[128];
	struct tm tm;

	/* 2^64 ns end in the year 2554: gmtime_r() cannot fail, and the year has four digits. */
	gmtime_r(&seconds, &tm);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (unsigned)(ns % 1000000000));
	memcpy(out, text, LINE_TIME);
	out[LINE_TIME] = '\0';
}

/* `nr` digits at p. */
static bool digits(const char *p, size_t nr, int *out)
{
	int n = 0;

	for (size_t i = 0; i < nr; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		n = n * 10 + p[i] - '0';
	}
	*out = n;
	return true;
}

bool line_time_parse(const char *p, uint64_t *out_ns)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
	struct tm tm = {};
	int nanoseconds;
	time_t seconds;

	for (size_t i = 0; i < LINE_TIME; i++)
		if (form[i] != 'd' && p[i] != form[i])
			return false;
	if (!digits(p, 4, &tm.tm_year) || !digits(p + 5, 2, &tm.tm_mon) ||
	    !digits(p + 8, 2, &tm.tm_mday) || !digits(p + 11, 2, &tm.tm_hour) ||
	    !digits(p + 14, 2, &tm.tm_min) || !digits(p + 17, 2, &tm.tm_sec) ||
	    !digits(p + 20, 9, &nanoseconds) || tm.tm_year < 1970 || tm.tm_year > 2553)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	seconds = timegm(&tm);
	*out_ns = (uint64_t)seconds * 1000000000 + (uint64_t)nanoseconds;
	return true;
}

void line_hex(const uint8_t hash[LINE_HASH], char out[LINE_HEX + 1])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < LINE_HASH; i++) {
		out[2 * i] = hex[hash[i] >> 4];
		out[2 * i + 1] = hex[hash[i] & 15];
	}
	out[LINE_HEX] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool line_unhex(const char *p, uint8_t out[LINE_HASH])
{
	uint8_t bytes[LINE_HASH];

	for (size_t i = 0; i < LINE_HASH; i++) {
		int hi = nibble(p[2 * i]), lo = nibble(p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	memcpy(out, bytes, sizeof(bytes));
	return true;
}

long line_seal(struct hasher *hasher, struct line *line, char out[LINE_MAX_BYTES])
{
	char time[LINE_TIME + 1], hex[LINE_HEX + 1];
	char *p = out;

	if (line->body.len > LINE_BODY_MAX)
		return -EMSGSIZE;
	line_time(line->time_ns, time);
	p += snprintf(p, LINE_FRAME / 2, "{\"seq\":%" PRIu64 ",\"time\":\"%s\",\"kind\":\"%.*s\",",
		      line->seq, time, (int)line->kind.len, line->kind.p);
	if (line->body.len)
		p = mempcpy(p, line->body.p, line->body.len);
	line_hex(line->prev, hex);
	p = mempcpy(p, PREV_KEY, sizeof(PREV_KEY) - 1);
	p = mempcpy(p, hex, LINE_HEX);
	*p++ = '"';
	if (!hasher_sum(hasher, out, (size_t)(p - out), line->hash))
		return -EIO;
	line_hex(line->hash, hex);
	p = mempcpy(p, TAIL_KEY, sizeof(TAIL_KEY) - 1);
	p = mempcpy(p, hex, LINE_HEX);
	p = mempcpy(p, "\"}\n", 3);
	return p - out;
}

/* Takes `text` off the front of *p. */
static bool skip(const char **p, const char *end, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(end - *p) < len || memcmp(*p, text, len))
		return false;
	*p += len;
	return true;
}

/* A number as it is written by line_seal(): no sign, no leading zero, at most 2^64 - 1. */
static bool number(const char **p, const char *end, uint64_t *out)
{
	const char *start = *p;
	uint64_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**p - '0'), &n))
			return false;
	*out = n;
	return *p > start && (*start != '0' || *p == start + 1);
}

/* Head, tail and prev; the rest is the body. */
static bool parse_form(const char *p, size_t len, struct line *line)
{
	const char *end = p + len, *tail, *prev;

	if (len < TAIL_LEN || len >= LINE_MAX_BYTES)
		return false;
	tail = end - TAIL_LEN;
	if (memcmp(tail, TAIL_KEY, sizeof(TAIL_KEY) - 1) || memcmp(end - 2, "\"}", 2) ||
	    !line_unhex(end - 2 - LINE_HEX, line->hash))
		return false;
	if (!skip(&p, tail, "{\"seq\":") || !number(&p, tail, &line->seq) || !line->seq ||
	    line->seq > INT64_MAX || !skip(&p, tail, ",\"time\":\"") || tail - p < LINE_TIME ||
	    !line_time_parse(p, &line->time_ns))
		return false;
	p += LINE_TIME;
	if (!skip(&p, tail, "\",\"kind\":\""))
		return false;
	line->kind = (struct span){p, 0};
	while (p < tail && ((*p >= 'a' && *p <= 'z') || *p == '-'))
		p++;
	line->kind.len = (size_t)(p - line->kind.p);
	if (!line->kind.len || line->kind.len > 32 || !skip(&p, tail, "\","))
		return false;
	prev = tail - 1 - LINE_HEX - (sizeof(PREV_KEY) - 1);
	if (prev < p || memcmp(prev, PREV_KEY, sizeof(PREV_KEY) - 1) || tail[-1] != '"' ||
	    !line_unhex(tail - 1 - LINE_HEX, line->prev))
		return false;
	line->body = (struct span){p, (size_t)(prev - p)};
	return !line->body.len || prev[-1] == ',';
}

int line_parse(struct hasher *hasher, const char *p, size_t len, struct line *out_line)
{
	uint8_t hash[LINE_HASH];
	struct line line;

	if (!parse_form(p, len, &line))
		return -EBADMSG;
	if (!hasher_sum(hasher, p, len - TAIL_LEN, hash) || memcmp(hash, line.hash, sizeof(hash)))
		return -EILSEQ;
	*out_line = line;
	return 0;
}

bool line_is(const struct line *line, const char *kind)
{
	return line->kind.len == strlen(kind) && !memcmp(line->kind.p, kind, line->kind.len);
}
