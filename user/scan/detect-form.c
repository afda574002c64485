// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys in PEM, DER and OpenSSH form: markers, then the parser. */
#include "scan/detect-form.h"

#include "scan/keyfile.h"
#include "scan/pem.h"

struct search {
	struct bytes memory;
	size_t from, to;
	unsigned *budget;
	void (*hit)(void *userdata, const struct finding *finding);
	void *userdata;
};

static struct bytes from_here(const struct search *s, size_t at)
{
	size_t left = s->memory.len - at;

	return (struct bytes){s->memory.p + at, left < FORM_MAX ? left : FORM_MAX};
}

/* Asks the parser about these bytes; tells what it says. False: no key. */
static bool ask(const struct search *s, struct bytes bytes, size_t at, enum finding_layout layout)
{
	struct finding f = {.what = FINDING_STRUCTURE, .layout = layout, .offset = at};
	bool proven = false;
	int err;

	if (*s->budget) {
		err = keyfile_prove(bytes, &f.id, &proven);
		if (!err && f.id.source && !f.id.encrypted)
			--*s->budget;
	} else {
		err = keyfile_identify(bytes, (struct bytes){NULL, 0}, &f.id);
	}
	if (err || f.id.kind == KEY_NONE)
		return false;
	/* A form that is damaged or cut off says so by having no public half. */
	f.class = f.id.encrypted ? CLASS_ENCRYPTED : proven ? CLASS_PROVEN : CLASS_LIKELY;
	f.bits = f.id.bits;
	s->hit(s->userdata, &f);
	return true;
}

static void find_pem(const struct search *s)
{
	static const char begin[] = "-----BEGIN ";
	const uint8_t *end = s->memory.p + s->memory.len;
	const uint8_t *p = s->memory.p + s->from;

	while ((p = memmem(p, (size_t)(end - p), begin, sizeof(begin) - 1)) &&
	       p < s->memory.p + s->to) {
		size_t at = (size_t)(p - s->memory.p);
		struct bytes rest = from_here(s, at), block;
		struct pem pem;

		p += sizeof(begin) - 1;
		/* In memory a text ends with its NUL. */
		rest.len = strnlen((const char *)rest.p, rest.len);
		block = rest;
		if (!pem_next(&rest, &pem) || pem.label.p != p || !pem_is_private(&pem))
			continue;
		block.len = (size_t)(rest.p - block.p);
		ask(s, block, at, LAYOUT_TEXT);
	}
}

static void find_openssh(const struct search *s)
{
	static const char magic[] = "openssh-key-v1"; /* and its NUL */
	const uint8_t *end = s->memory.p + s->memory.len;
	const uint8_t *p = s->memory.p + s->from;

	while ((p = memmem(p, (size_t)(end - p), magic, sizeof(magic))) &&
	       p < s->memory.p + s->to) {
		struct finding f;
		struct bytes bytes = from_here(s, (size_t)(p - s->memory.p));
		bool proven;

		/* The name alone stands in every program that can read the format. */
		if (keyfile_prove(bytes, &f.id, &proven) == 0 && f.id.source)
			ask(s, bytes, (size_t)(p - s->memory.p), LAYOUT_OPENSSH);
		p += sizeof(magic);
	}
}

/* Where the SEQUENCE starts whose first element is the version number at `at`; false if none. */
static bool sequence_before(const struct search *s, size_t at, size_t *out_start)
{
	const uint8_t *p = s->memory.p + at;

	if (at >= 4 && p[-4] == 0x30 && p[-3] == 0x82)
		*out_start = at - 4;
	else if (at >= 3 && p[-3] == 0x30 && p[-2] == 0x81)
		*out_start = at - 3;
	else if (at >= 2 && p[-2] == 0x30 && p[-1] >= 0x2c && p[-1] < 0x80)
		*out_start = at - 2;
	else
		return false;
	return true;
}

static void find_der(const struct search *s)
{
	static const uint8_t version[] = {0x02, 0x01};
	const uint8_t *end = s->memory.p + s->memory.len;
	const uint8_t *p = s->memory.p + s->from;

	while ((p = memmem(p, (size_t)(end - p), version, sizeof(version))) &&
	       p < s->memory.p + s->to && end - p > 4) {
		size_t at = (size_t)(p - s->memory.p), start;

		p += sizeof(version);
		/* After the version an INTEGER, a SEQUENCE or an OCTET STRING. */
		if (p[0] > 1 || (p[1] != 0x02 && p[1] != 0x30 && p[1] != 0x04) ||
		    !sequence_before(s, at, &start))
			continue;
		if (ask(s, from_here(s, start), start, LAYOUT_DER))
			p += 32;
	}
}

void form_detect(struct bytes memory, size_t from, size_t to, unsigned *budget,
		 void (*hit)(void *userdata, const struct finding *finding), void *userdata)
{
	struct search s = {memory, from, to < memory.len ? to : memory.len, budget, hit, userdata};

	if (s.from >= s.to)
		return;
	find_pem(&s);
	find_openssh(&s);
	find_der(&s);
}
