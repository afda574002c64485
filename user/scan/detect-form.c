// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys in PEM, DER and OpenSSH form: markers, then the parser. */
#include "scan/detect-form.h"

#include "scan/find.h"
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
	const struct marker begin = MARKER("-----BEGIN ", 4);
	size_t at = s->from;

	for (; (at = find_marker(s->memory, at, begin)) < s->to; at += begin.len) {
		struct bytes rest = from_here(s, at), block;
		struct pem pem;

		/* In memory a text ends with its NUL. */
		rest.len = strnlen((const char *)rest.p, rest.len);
		block = rest;
		if (!pem_next(&rest, &pem) || pem.label.p != block.p + begin.len ||
		    !pem_is_private(&pem))
			continue;
		block.len = (size_t)(rest.p - block.p);
		ask(s, block, at, LAYOUT_TEXT);
	}
}

static void find_openssh(const struct search *s)
{
	const struct marker magic = MARKER("openssh-key-v1\0", 10);
	size_t at = s->from;

	for (; (at = find_marker(s->memory, at, magic)) < s->to; at += magic.len) {
		struct bytes bytes = from_here(s, at);
		struct key_identity id;

		/* The name alone stands in every program that can read the format. */
		if (keyfile_identify(bytes, (struct bytes){NULL, 0}, &id) == 0 && id.source)
			ask(s, bytes, at, LAYOUT_OPENSSH);
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
	const struct marker version = MARKER("\x02\x01", 0);
	size_t at = s->from, start;

	while ((at = find_marker(s->memory, at, version)) < s->to && s->memory.len - at > 4) {
		const uint8_t *p = s->memory.p + at;

		/* After the version an INTEGER, a SEQUENCE or an OCTET STRING. */
		if (p[2] <= 1 && (p[3] == 0x02 || p[3] == 0x30 || p[3] == 0x04) &&
		    sequence_before(s, at, &start) &&
		    ask(s, from_here(s, start), start, LAYOUT_DER))
			at += 32; /* the same key stands in it once more */
		at += version.len;
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
