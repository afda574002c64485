// SPDX-License-Identifier: GPL-2.0-or-later
/* Markers of written forms, and who reads what follows them. */
#include "scan/form-search.h"

#include "base/cleanup.h"
#include "scan/der.h"
#include "scan/keyfile.h"
#include "scan/markers.h"
#include "scan/wipe.h"

#define JSON_AROUND 4096 /* bytes before and after "kty" that its object may take */
#define LOOK_BYTES  2048 /* for a cost of one, so many are looked through */

enum group { TEXT, DER, BLOB, JSON, BASE64, LINE, STORE };

static const struct marker3 list[] = {
	{"BEG", TEXT},
	{{'B', 0, 'E'}, TEXT},
	{{2, 1, 0}, DER},
	{{2, 1, 1}, DER},
	{{2, 1, 3}, DER},
	{"RSA", BLOB},
	{"ECS", BLOB},
	{"ECK", BLOB},
	{"kty", JSON},
	{"y-v", JSON},
	{"MII", BASE64},
	{"MIG", BASE64},
	{"MIH", BASE64},
	{"MHc", BASE64},
	{"MHQ", BASE64},
	{"MC4", BASE64},
	{"LS0", BASE64},
	{{'M', 0, 'I'}, BASE64},
	{"PuT", LINE},
	{"AGE", LINE},
	{"RWR", LINE},
	{"RWQ", LINE},
	{"teK", LINE},
	{"te-", LINE},
	{{0xfe, 0xed, 0xfe}, STORE},
	{{0xce, 0xce, 0xce}, STORE},
	{{5, 2, 0}, STORE},
	{{5, 4, 0}, STORE},
	{"d 3", STORE},
};

static struct markers markers;

__attribute__((constructor)) static void fill(void)
{
	markers_init(&markers, list, ARRAY_SIZE(list));
}

struct bytes form_rest(const struct form_search *s, size_t at)
{
	size_t left = s->memory.len - at;

	return (struct bytes){s->memory.p + at, left < FORM_MAX ? left : FORM_MAX};
}

bool form_affords(struct form_search *s, enum form_pot pot, uint64_t cost)
{
	return form_spend(s->ask->work, pot, cost);
}

void form_charge(struct form_search *s, enum form_pot pot, uint64_t cost)
{
	struct form_work *work = s->ask->work;
	unsigned *left = &work->left[pot];

	if (!work->all)
		*left -= cost < *left ? (unsigned)cost : *left;
}

void form_count_once(struct form_search *s, uint64_t untried_before)
{
	struct form_work *work = s->ask->work;

	if (work->untried > untried_before)
		work->untried = untried_before + 1;
}

void form_tell_bare(struct form_search *s, size_t at, enum finding_what what,
		    enum finding_class class, enum finding_layout layout, unsigned bits,
		    const struct secret *secret)
{
	struct finding f = {.what = what,
			    .class = class,
			    .layout = layout,
			    .bits = (uint16_t)bits,
			    .offset = at};

	if (form_affords(s, FORM_PROOFS, FORM_COST_PROOF))
		s->ask->hit(s->ask->userdata, &f, secret);
}

void form_tell(struct form_search *s, size_t at, enum finding_layout layout, enum key_format format)
{
	struct finding f = {.what = FINDING_STRUCTURE, .layout = layout, .offset = at};
	const struct form_key *key = s->key;
	struct secret secret = {
		.kind = key->pub.kind == KEY_RSA ? SECRET_RSA
			: key->seed		 ? SECRET_SEED
						 : SECRET_SCALAR,
		.value = {key->secret, key->secret_len},
	};

	f.class = key->proven ? CLASS_PROVEN : CLASS_LIKELY;
	pubkey_identify(&key->pub, &f.id);
	f.id.source = KEYSRC_FILE;
	f.id.format = format;
	f.bits = f.id.bits;
	if (key->pub.kind == KEY_RSA)
		secret.modulus = pubkey_get(&key->pub, PUB_N);
	s->ask->hit(s->ask->userdata, &f, &secret);
}

/* The parser of key files goes through all of it, and wipes what it made of it. */
#define COST_ASK 10
#define COST_POINTS \
	5000 /* three times d * G on the slowest of libcrypto's curves takes twice that */
#define COST_OWN 1000 /* the same on Ed448 */

static uint64_t cost_asking(size_t len)
{
	return COST_ASK + len / FORM_COST_BYTES;
}

bool form_may_ask(struct form_search *s, const struct form_work *before)
{
	struct form_work *work = s->ask->work;

	for (enum form_pot pot = FORM_POWERS; pot <= FORM_CURVES; pot++) {
		unsigned again = before->left[pot] - work->left[pot];

		work->left[pot] -= again < work->left[pot] ? again : work->left[pot];
	}
	return work->untried == before->untried;
}

/* It is paid for. whole: only if its public half is known; *out_named: it is. */
static bool ask(struct form_search *s, struct bytes file, size_t at, enum finding_layout layout,
		bool whole, bool *out_named)
{
	struct finding f = {.what = FINDING_STRUCTURE, .layout = layout, .offset = at};

	*out_named = false;
	if (keyfile_identify(file, (struct bytes){NULL, 0}, &f.id) < 0 || f.id.kind == KEY_NONE)
		return false;
	*out_named = f.id.source;
	if (whole && !f.id.source)
		return false;
	f.class = f.id.encrypted ? CLASS_ENCRYPTED : CLASS_LIKELY;
	f.bits = f.id.bits;
	s->ask->hit(s->ask->userdata, &f, NULL);
	return true;
}

bool form_ask(struct form_search *s, struct bytes file, size_t at, enum finding_layout layout)
{
	bool named;

	return form_affords(s, FORM_ASKING, cost_asking(file.len)) &&
	       ask(s, file, at, layout, false, &named);
}

bool form_ask_whole(struct form_search *s, struct bytes file, size_t at, enum finding_layout layout)
{
	bool named;

	return form_affords(s, FORM_ASKING, cost_asking(file.len)) &&
	       ask(s, file, at, layout, true, &named);
}

/* g^x is worked out where the public half is not written down, and again to check it. */
static uint64_t cost_libcrypto(const struct keyfile_work *work)
{
	if (work->curve)
		return COST_POINTS;
	return work->own ? COST_OWN : 2 * form_cost_power(work->modulus_bits, work->exponent_bits);
}

bool form_ask_libcrypto(struct form_search *s, struct bytes der, struct bytes file, size_t at,
			enum finding_layout layout)
{
	struct form_work *work = s->ask->work;
	struct keyfile_work needs;
	uint64_t cost;
	unsigned taken;
	bool named, told;

	keyfile_der_work(der, &needs);
	cost = cost_libcrypto(&needs);
	if (!cost)
		return form_ask(s, file, at, layout);
	if (!form_spend_dear(work, FORM_LIBCRYPTO, cost, &taken))
		return false;
	told = ask(s, file, at, layout, false, &named);
	if (named)
		form_give_back(work, FORM_LIBCRYPTO, cost, taken);
	return told;
}

/* Where the SEQUENCE starts whose first element is the version number at `at`; false if none. */
static bool sequence_before(const struct form_search *s, size_t at, size_t *out_start)
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

/* The SEQUENCE at `at`, its head included; empty if it goes on behind what there is. */
static struct bytes whole_sequence(const struct form_search *s, size_t at)
{
	const struct bytes all = form_rest(s, at);
	struct bytes rest = all, content;

	if (!der_expect(&rest, DER_SEQUENCE, &content))
		return (struct bytes){NULL, 0};
	return (struct bytes){all.p, all.len - rest.len};
}

/* PKCS#12, DSA, and curves that only libcrypto knows; not requests for certificates and the like,
 * which begin as they do. */
static void ask_der(struct form_search *s, size_t at)
{
	struct bytes file = whole_sequence(s, at);
	struct keyfile_work needs;

	if (file.len && keyfile_der_work(file, &needs))
		form_ask_libcrypto(s, file, file, at, LAYOUT_DER);
}

/* PKCS#12 is a version and what PKCS#7 wraps: its data, signed or not. */
static bool is_pkcs12(const struct form_search *s, size_t at)
{
	static const uint8_t pkcs7[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
	struct bytes rest = form_rest(s, at), content;

	/* The head of a SEQUENCE as long as it may be, its first element's, and its name. */
	return bytes_skip(&rest, 3) && rest.len > 16 && rest.p[0] == DER_SEQUENCE &&
	       bytes_take(&rest, 16, &content) &&
	       memmem(content.p, content.len, pkcs7, sizeof(pkcs7));
}

/* What is left of PKCS#1 may be five numbers, too, with something else behind them. */
static bool is_dsa(const struct form_search *s, size_t at)
{
	struct bytes file = whole_sequence(s, at);
	struct keyfile_work needs;

	return file.len && keyfile_der_work(file, &needs) && needs.dsa;
}

static void der(struct form_search *s, size_t at)
{
	const uint64_t untried = s->ask->work->untried;
	size_t left = s->memory.len - at, start;
	const uint8_t *p = s->memory.p + at;

	/* After the version an INTEGER, a SEQUENCE or an OCTET STRING. */
	if (left < 24 || (p[3] != 0x02 && p[3] != 0x30 && p[3] != 0x04) || at < s->until ||
	    !sequence_before(s, at, &start))
		return;
	if (p[2] == 3 && !is_pkcs12(s, at))
		return;
	form_key_init(s->key);
	if (p[2] == 3 || (p[3] == 0x02 && is_dsa(s, start))) {
		ask_der(s, start);
	} else if (!form_affords(s, FORM_PROOFS, FORM_COST_PROOF)) {
		; /* nor is libcrypto asked */
	} else if (form_der(form_rest(s, start), s->key)) {
		form_tell(s, start, LAYOUT_DER,
			  p[3] == 0x02	 ? KEYFMT_PKCS1
			  : p[3] == 0x04 ? KEYFMT_SEC1
					 : KEYFMT_PKCS8);
		s->until = at + (p[3] == 0x30 ? 48 : 0); /* PKCS#8 has the plain form in it */
	} else if (p[2] == 0 && p[3] != 0x04) {
		ask_der(s, start);
	}
	form_key_wipe(s->key);
	form_count_once(s, untried);
}

/* The magic words of CNG, and of CAPI with its head of eight bytes. */
static void blob(struct form_search *s, size_t at)
{
	const uint8_t *p = s->memory.p + at;
	bool capi = at >= 8 && p[-8] == 7 && p[-7] == 2;

	if (s->memory.len - at < 32 || p[3] < '2' || p[3] > '6' || p[6] || p[7])
		return;
	form_key_init(s->key);
	if (form_affords(s, FORM_PROOFS, FORM_COST_PROOF) &&
	    form_blob(form_rest(s, at), capi, s->key))
		form_tell(s, capi ? at - 8 : at, LAYOUT_BLOB, KEYFMT_UNKNOWN);
	form_key_wipe(s->key);
}

/* The object around "kty": from the last bracket before it to the next one, or a zero. */
static struct bytes object_around(const struct form_search *s, size_t at)
{
	const uint8_t *p = s->memory.p + at, *end;
	size_t before = at < JSON_AROUND ? at : JSON_AROUND;
	size_t left = s->memory.len - at, after = left < JSON_AROUND ? left : JSON_AROUND;
	const uint8_t *start = memrchr(p - before, '{', before);

	start = start ? start + 1 : p - before;
	end = memchr(p, '}', after);
	after = end ? (size_t)(end - p) : after;
	end = memchr(p, 0, after);
	after = end ? (size_t)(end - p) : after;
	return (struct bytes){start, (size_t)(p - start) + after};
}

/* A number and its name: a set of public keys has no "d". */
static bool has_d(struct bytes object)
{
	return memmem(object.p, object.len, "\"d\"", 3) ||
	       memmem(object.p, object.len, "\"d\\\"", 4);
}

static void jwk(struct form_search *s, size_t at)
{
	const struct bytes name = form_rest(s, at);
	struct bytes object;

	/* The letters alone stand in base64, of this very key perhaps. */
	if (!at || s->memory.p[at - 1] != '"' ||
	    (!bytes_starts(name, "kty\"") && !bytes_starts(name, "kty\\")) ||
	    !form_affords(s, FORM_JSON, 1))
		return;
	object = object_around(s, at);
	form_charge(s, FORM_JSON, object.len / LOOK_BYTES);
	if (!has_d(object))
		return;
	form_key_init(s->key);
	if (form_affords(s, FORM_JSON, FORM_COST_PROOF + object.len / FORM_COST_BYTES) &&
	    form_jwk(object, s->key))
		form_tell(s, (size_t)(object.p - s->memory.p), LAYOUT_JSON, KEYFMT_UNKNOWN);
	form_key_wipe(s->key);
}

/* As much as there is of a file of OpenSSH by the lengths in it; empty if its first strings, the
 * names of a cipher and of a way to make its key, are none. */
static struct bytes openssh_file(struct bytes all)
{
	struct bytes in = all, cipher, kdf, part;
	uint32_t nr;

	if (!bytes_skip(&in, 15) || !bytes_string(&in, &cipher) || cipher.len > 32 ||
	    !bytes_string(&in, &kdf) || kdf.len > 32 || !bytes_string(&in, &part) ||
	    part.len > 256 || !bytes_be32(&in, &nr) || nr != 1)
		return (struct bytes){NULL, 0};
	/* The public half and the private one. */
	if (!bytes_string(&in, &part) || !bytes_string(&in, &part))
		return all;
	return (struct bytes){all.p, all.len - in.len};
}

/* "openssh-key-v1", from its last letters on. */
static void openssh(struct form_search *s, size_t at)
{
	struct form_work before;
	struct bytes rest;

	if (at < 10)
		return;
	at -= 10;
	rest = form_rest(s, at);
	/* The name alone stands in every program that can read the format. */
	if (rest.len < 60 || memcmp(rest.p, "openssh-key-v1", 15) != 0)
		return;
	rest = openssh_file(rest);
	if (!rest.len)
		return;
	form_key_init(s->key);
	before = *s->ask->work;
	if (!form_affords(s, FORM_PROOFS, FORM_COST_PROOF))
		; /* nor is anybody else asked */
	else if (form_openssh(rest, s->key))
		form_tell(s, at, LAYOUT_OPENSSH, KEYFMT_OPENSSH);
	else if (form_may_ask(s, &before))
		form_ask_whole(s, rest, at, LAYOUT_OPENSSH);
	form_key_wipe(s->key);
}

static void on_marker(void *userdata, size_t at, unsigned groups)
{
	struct form_search *s = userdata;
	const uint8_t *p = s->memory.p + at;

	if (groups & 1U << TEXT && p[0] == 'B')
		form_text(s, at);
	if (groups & 1U << DER && p[0] == 2)
		der(s, at);
	if (groups & 1U << BLOB && (p[0] == 'R' || p[0] == 'E'))
		blob(s, at);
	if (groups & 1U << JSON && p[0] == 'k')
		jwk(s, at);
	if (groups & 1U << JSON && p[0] == 'y')
		openssh(s, at);
	if (groups & 1U << BASE64 && (p[0] == 'M' || p[0] == 'L'))
		form_base64(s, at);
	if (groups & 1U << LINE)
		form_line(s, at);
	if (groups & 1U << STORE)
		form_store(s, at);
}

struct form_room {
	uint8_t text[FORM_MAX], data[FORM_MAX];
	struct form_key key;
};

struct form_room *form_room_new(void)
{
	return wipe_alloc(sizeof(struct form_room));
}

int form_detect(struct bytes memory, size_t from, size_t to, const struct form_detect *detect)
{
	_cleanup_wipe_ uint8_t *own = detect->room ? NULL : wipe_alloc(sizeof(struct form_room));
	struct form_room *room = detect->room ? detect->room : (struct form_room *)own;
	struct form_search s = {memory, detect, NULL, NULL, NULL};

	if (!room)
		return -ENOMEM;
	s.text = room->text;
	s.data = room->data;
	s.key = &room->key;
	s.key->work = detect->work;
	markers_find(&markers, memory, from, to < memory.len ? to : memory.len, on_marker, &s);
	return 0;
}
