// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers in each layout to limbs and back; sieve and exact division. */
#include "scan/limbs.h"

#include <endian.h>
#include <openssl/bn.h>

#include "base/cleanup.h"

/* How a layout that is no plain string of bytes puts words, or digits of fewer bits than the word.
 */
static const struct form {
	uint8_t word; /* bytes; 0: not a layout of numbers */
	uint8_t digit; /* bits */
	bool high_first; /* the most significant word first */
	bool swapped; /* bytes of a word in big endian order */
} forms[LAYOUT_NR] = {
	[LAYOUT_LE] = {8, 64, false, false},	      [LAYOUT_BE] = {8, 64, true, true},
	[LAYOUT_W32] = {4, 32, true, false},	      [LAYOUT_W64] = {8, 64, true, false},
	[LAYOUT_LE_SWAPPED64] = {8, 64, false, true}, [LAYOUT_LE_SWAPPED32] = {4, 32, false, true},
	[LAYOUT_DIGITS_60] = {8, 60, false, false},   [LAYOUT_DIGITS_31] = {4, 31, false, false},
	[LAYOUT_DIGITS_30] = {4, 30, false, false},   [LAYOUT_DIGITS_28] = {4, 28, false, false},
	[LAYOUT_DIGITS_15] = {2, 15, false, false},
};

static uint64_t word_at(const uint8_t *p, const struct form *form)
{
	uint64_t x = 0;

	if (form->word == 8) {
		memcpy(&x, p, 8);
		return form->swapped ? be64toh(x) : le64toh(x);
	}
	for (unsigned i = 0; i < form->word; i++)
		x |= (uint64_t)p[form->swapped ? form->word - 1U - i : i] << 8 * i;
	return x;
}

static unsigned words_of(const struct form *form, unsigned bits)
{
	return (bits + form->digit - 1U) / form->digit;
}

size_t limbs_size(enum finding_layout layout, unsigned bits)
{
	const struct form *form = &forms[layout];

	if (form->digit == 8 * form->word)
		return bits / 8;
	return form->word ? (size_t)form->word * words_of(form, bits) : 0;
}

/* 64 bits out of memory: two words of 32 bits stand in it the wrong way round in both layouts that
 * have such, as the order of words is the contrary of the order of bytes in each. */
static inline uint64_t limb_at(const uint8_t *p, bool swapped, bool halves)
{
	uint64_t x;

	memcpy(&x, p, 8);
	x = swapped ? be64toh(x) : le64toh(x);
	return halves ? x << 32 | x >> 32 : x;
}

static inline uint64_t limb_of(const uint8_t *p, const struct form *form)
{
	return limb_at(p, form->swapped, form->word == 4);
}

bool limbs_may_begin(enum finding_layout layout, const uint8_t *p)
{
	const struct form *form = &forms[layout];

	if (form->digit < 8 * form->word)
		return p[0] & 1;
	return form->high_first ? limb_of(p, form) >> 62 != 0 : limb_of(p, form) & 1;
}

/* Made once for each layout: what does not change is not asked for each limb. */
static inline __attribute__((always_inline)) void
copy_limbs(const uint8_t *p, unsigned nr, bool high_first, bool swapped, bool halves, uint64_t *out)
{
	for (unsigned i = 0; i < nr; i++)
		out[i] = limb_at(p + 8 * (size_t)(high_first ? nr - 1 - i : i), swapped, halves);
}

static bool load_full(enum finding_layout layout, const uint8_t *p, unsigned nr, unsigned top_bits,
		      uint64_t *out)
{
	const struct form *form = &forms[layout];
	size_t last = 8 * ((size_t)nr - 1);

	if (!(limb_of(form->high_first ? p + last : p, form) & 1) ||
	    !(limb_of(form->high_first ? p : p + last, form) >> (64 - top_bits)))
		return false;
	switch (layout) {
	case LAYOUT_LE:
		copy_limbs(p, nr, false, false, false, out);
		break;
	case LAYOUT_BE:
		copy_limbs(p, nr, true, true, false, out);
		break;
	case LAYOUT_W32:
		copy_limbs(p, nr, true, false, true, out);
		break;
	default:
		copy_limbs(p, nr, form->high_first, form->swapped, form->word == 4, out);
		break;
	}
	return true;
}

static bool load_digits(const struct form *form, const uint8_t *p, unsigned bits, unsigned top_bits,
			uint64_t *out)
{
	unsigned nr = words_of(form, bits), limbs = bits / 64;
	unsigned left = bits - form->digit * (nr - 1); /* bits of the highest digit */
	uint64_t top = word_at(p + (size_t)form->word * (nr - 1), form);

	if (!(p[0] & 1) || top >> left)
		return false;
	for (unsigned i = 0; i < nr; i++)
		if (word_at(p + (size_t)form->word * i, form) >> form->digit)
			return false;
	memset(out, 0, 8 * (size_t)limbs);
	for (unsigned i = 0; i < nr; i++) {
		uint64_t digit = word_at(p + (size_t)form->word * i, form);
		unsigned limb = i * form->digit / 64, shift = i * form->digit % 64;

		out[limb] |= digit << shift;
		if (shift && shift + form->digit > 64 && limb + 1 < limbs)
			out[limb + 1] |= digit >> (64 - shift);
	}
	return out[limbs - 1] >> (64 - top_bits) != 0;
}

bool limbs_load(enum finding_layout layout, const uint8_t *p, unsigned bits, unsigned top_bits,
		uint64_t *out)
{
	const struct form *form = &forms[layout];

	if (!form->word)
		return false;
	if (form->digit == 8 * form->word)
		return load_full(layout, p, bits / 64, top_bits, out);
	return load_digits(form, p, bits, top_bits, out);
}

void limbs_store(enum finding_layout layout, const uint64_t *limbs, unsigned bits, uint8_t *out)
{
	const struct form *form = &forms[layout];
	unsigned nr = form->word ? words_of(form, bits) : 0;
	uint64_t mask = form->digit == 64 ? ~0ULL : (1ULL << form->digit) - 1;

	for (unsigned i = 0; i < nr; i++) {
		unsigned limb = i * form->digit / 64, shift = i * form->digit % 64;
		uint64_t digit = limbs[limb] >> shift;
		uint8_t *to = out + (size_t)form->word * (form->high_first ? nr - 1 - i : i);

		if (shift && shift + form->digit > 64 && limb + 1 < bits / 64)
			digit |= limbs[limb + 1] << (64 - shift);
		digit &= mask;
		for (unsigned k = 0; k < form->word; k++)
			to[form->swapped ? form->word - 1U - k : k] = (uint8_t)(digit >> 8 * k);
	}
}

/* Modulo 2^64 - 1: the carry comes in again. */
static inline uint64_t end_around(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum + (sum < a);
}

static bool has_one_of(uint64_t remainder, const uint16_t *factors, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (remainder % factors[i] == 0)
			return true;
	return false;
}

/* a * 2^turn + limb, modulo 2^60 - 1, where to multiply turns the bits; up to 2^60. */
static inline uint64_t add60(uint64_t a, unsigned turn, uint64_t limb)
{
	const uint64_t mask = (1ULL << 60) - 1;

	a = (a << turn & mask) + (a >> (60 - turn)) + (limb & mask) + (limb >> 60);
	return (a & mask) + (a >> 60);
}

/*
 * Remainders that cost an addition for each limb: 2^64 - 1 = 3 * 5 * 17 * 257 * 641 * ..., and
 * 2^48 - 1 = 3^2 * 5 * 7 * 13 * 17 * 97 * 241 * ..., to which every third limb adds alike. Only
 * what is left pays for 2^60 - 1 = 3^2 * 5^2 * 7 * 11 * 13 * 31 * 41 * 61 * 151 * ..., in four sums
 * that do not wait for each other.
 */
bool limbs_small_factor(const uint64_t *limbs, unsigned nr)
{
	static const uint16_t of64[] = {3, 5, 17, 257, 641};
	static const uint16_t of48[] = {7, 13, 97, 241};
	static const uint16_t of60[] = {11, 31, 41, 61, 151};
	const uint64_t mask48 = (1ULL << 48) - 1;
	uint64_t low[3] = {0}, high[3] = {0}, turned[4] = {0}, a, b = 0;
	unsigned i = 0;

	/* Halves, of which hundreds have room in a sum. */
	for (; i + 3 <= nr; i += 3)
		for (unsigned k = 0; k < 3; k++) {
			low[k] += (uint32_t)limbs[i + k];
			high[k] += limbs[i + k] >> 32;
		}
	for (unsigned k = 0; i < nr; i++, k++) {
		low[k] += (uint32_t)limbs[i];
		high[k] += limbs[i] >> 32;
	}
	a = high[0] + high[1] + high[2];
	a = end_around(a << 32 | a >> 32, low[0] + low[1] + low[2]);
	if (has_one_of(a, of64, ARRAY_SIZE(of64)))
		return true;
	/* In units of 16 bits, of which three are one turn: limb k is at k, its half at k + 2. */
	a = low[0] + high[1];
	for (unsigned k = 1; k < 3; k++) {
		uint64_t sum = low[k] + high[(k + 1) % 3];

		sum = (sum << 16 * k & mask48) + (sum >> (48 - 16 * k));
		a += sum;
	}
	a = (a & mask48) + (a >> 48);
	if (has_one_of(a, of48, ARRAY_SIZE(of48)))
		return true;
	for (i = 0; i < nr; i++)
		turned[i % 4] = add60(turned[i % 4], 16, limbs[nr - 1 - i]);
	for (unsigned k = 0; k < 4; k++)
		b = add60(b, 4, turned[(nr + k) % 4]);
	return has_one_of(b, of60, ARRAY_SIZE(of60));
}

uint64_t limbs_inverse(uint64_t a)
{
	uint64_t x = (3 * a) ^ 2;

	for (int i = 0; i < 4; i++)
		x *= 2 - a * x;
	return x;
}

/*
 * The lowest limbs of the quotient, if it is one: multiples of p are added from below until nothing
 * is left there. What of them would lie above is not worked out.
 */
static void divide_low(const uint64_t *p, unsigned nr, const uint64_t *n, unsigned len, uint64_t *t,
		       uint64_t *out_q)
{
	uint64_t inverse = -limbs_inverse(p[0]), borrow = 0;

	memcpy(t, n, 8 * (size_t)len);
	for (unsigned i = 0; i < len; i++) {
		unsigned most = len - i < nr ? len - i : nr;
		uint64_t q = t[i] * inverse, carry = 0;

		for (unsigned j = 0; j < most; j++) {
			unsigned __int128 m = (unsigned __int128)q * p[j] + t[i + j] + carry;

			t[i + j] = (uint64_t)m;
			carry = (uint64_t)(m >> 64);
		}
		for (unsigned j = i + nr; carry && j < len; j++) {
			t[j] += carry;
			carry = t[j] < carry;
		}
		out_q[i] = q;
	}
	/* What was added is less what was to be taken off. */
	for (unsigned i = 0; i < len; i++) {
		uint64_t q = out_q[i];

		out_q[i] = -q - borrow;
		borrow |= q != 0;
	}
}

/* May n be p * q, by the highest limbs? False but for one of 2^60 that are not. */
static bool tops_fit(uint64_t p, uint64_t q, const uint64_t *n_top)
{
	unsigned __int128 n = (unsigned __int128)n_top[0] << 64 | n_top[-1];
	unsigned __int128 low = (unsigned __int128)p * q;

	return n >= low && n - low <= (unsigned __int128)p + q;
}

void limbs_multiply(const uint64_t *p, unsigned nr, const uint64_t *q, unsigned len, uint64_t *t)
{
	memset(t, 0, 8 * (size_t)(nr + len));
	for (unsigned i = 0; i < len; i++) {
		uint64_t carry = 0;

		for (unsigned j = 0; j < nr; j++) {
			unsigned __int128 m = (unsigned __int128)q[i] * p[j] + t[i + j] + carry;

			t[i + j] = (uint64_t)m;
			carry = (uint64_t)(m >> 64);
		}
		t[i + nr] = carry;
	}
}

bool limbs_divide(const uint64_t *p, unsigned nr, const uint64_t *n, unsigned sum, uint64_t *out_q)
{
	uint64_t t[LIMBS_MAX], q[LIMBS_MAX];
	unsigned len = sum - nr;
	bool ok;

	divide_low(p, nr, n, len, t, q);
	ok = tops_fit(p[nr - 1], q[len - 1], n + sum - 1);
	if (ok) {
		limbs_multiply(p, nr, q, len, t);
		ok = !memcmp(t, n, 8 * (size_t)sum);
	}
	if (ok && out_q)
		memcpy(out_q, q, 8 * (size_t)len);
	explicit_bzero(t, 8 * (size_t)sum);
	explicit_bzero(q, 8 * (size_t)len);
	return ok;
}

void limbs_to_bytes(const uint64_t *limbs, unsigned nr, uint8_t *out)
{
	for (unsigned i = 0; i < nr; i++) {
		uint64_t x = htobe64(limbs[nr - 1 - i]);

		memcpy(out + 8 * (size_t)i, &x, 8);
	}
}

/* Fermat's test to the base of 2: of numbers that nobody chose for it, it errs in one of 10^20. */
bool limbs_prime(const uint64_t *limbs, unsigned nr)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *p = BN_lebin2bn((const uint8_t *)limbs, (int)(8 * nr), NULL);
	BIGNUM *two = BN_new(), *e = BN_secure_new(), *r = BN_secure_new();
	bool prime = ctx && p && two && e && r && BN_set_word(two, 2) && BN_copy(e, p) &&
		     BN_sub_word(e, 1) && BN_mod_exp(r, two, e, p, ctx) && BN_is_one(r);

	BN_clear_free(p);
	BN_clear_free(e);
	BN_clear_free(r);
	BN_free(two);
	BN_CTX_free(ctx);
	return prime;
}
