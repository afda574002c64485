// SPDX-License-Identifier: GPL-2.0-or-later
/* From segments to windows to detectors to findings. */
#include "scan/dump.h"

#include "scan/detect-aes.h"
#include "scan/detect-form.h"
#include "scan/detect-rsa.h"
#include "scan/pubkey.h"
#include "scan/segment.h"
#include "scan/wipe.h"

/* What stands before a window, so that a schedule is found by its later blocks; and after it, so
 * that what begins in a window can be read to its end. */
#define BEFORE	 512
#define CORE	 (1 << 20)
#define AFTER	 FORM_MAX
#define KEYS_MAX 4096
#define PROOFS	 200

struct aes_key {
	struct finding finding;
	uint8_t key[32];
};

struct dump {
	int (*found)(void *userdata, const struct finding *finding);
	void *userdata;
	int error; /* of found() */
	uint64_t window_at, window_vaddr; /* of the window's first byte */
	bool has_vaddr;
	unsigned budget;
	bool full;
	const struct segments *segments;
	struct aes_key *keys; /* wiped with the windows */
	size_t nr_keys;
	uint8_t (*drbg)[32]; /* what stands where a DRBG of OpenSSL keeps its key */
	size_t nr_drbg;
};

static void tell(struct dump *d, const struct finding *finding)
{
	if (!d->error)
		d->error = d->found(d->userdata, finding);
}

/* From a position in the window to one in the file. */
static void place(const struct dump *d, size_t at, struct finding *f)
{
	f->offset = d->window_at + at;
	f->has_vaddr = d->has_vaddr;
	f->vaddr = d->has_vaddr ? d->window_vaddr + at : 0;
}

static void on_form(void *userdata, const struct finding *finding)
{
	struct dump *d = userdata;
	struct finding f = *finding;

	place(d, finding->offset, &f);
	tell(d, &f);
}

static void on_aes(void *userdata, const struct aes_hit *hit)
{
	struct dump *d = userdata;
	struct aes_key *key;

	if (d->nr_keys == KEYS_MAX) {
		d->full = true;
		return;
	}
	key = &d->keys[d->nr_keys++];
	key->finding = (struct finding){
		.what = FINDING_AES,
		.class = CLASS_LIKELY,
		.layout = hit->layout,
		.bits = (uint16_t)(8 * hit->key_len),
	};
	place(d, hit->at, &key->finding);
	memcpy(key->key, hit->key, sizeof(key->key));
}

/*
 * OpenSSL's CTR-DRBG, which every process has that once used random numbers: keylen 32, a use_df
 * flag of 1, then the key. On the heap, so at multiples of 8.
 */
static void find_drbg(struct dump *d, struct bytes memory, size_t from, size_t to)
{
	for (size_t at = (from + 7) / 8 * 8; at < to && at + 44 <= memory.len; at += 8) {
		uint64_t keylen;
		uint32_t use_df;

		memcpy(&keylen, memory.p + at, sizeof(keylen));
		if (keylen != 32)
			continue;
		memcpy(&use_df, memory.p + at + 8, sizeof(use_df));
		if (use_df != 1)
			continue;
		if (d->nr_drbg == KEYS_MAX) {
			d->full = true;
			return;
		}
		memcpy(d->drbg[d->nr_drbg++], memory.p + at + 12, 32);
	}
}

static enum finding_class aes_class(const struct dump *d, const struct aes_key *key)
{
	size_t len = key->finding.bits / 8;
	bool counts = true;

	/* 00 01 02 ...: FIPS 197's example, and the constant key of derivation functions. */
	for (size_t i = 0; i < len; i++)
		counts &= key->key[i] == i;
	if (counts)
		return CLASS_TEST;
	for (size_t i = 0; i < d->nr_drbg; i++)
		if (len == 32 && !memcmp(d->drbg[i], key->key, 32))
			return CLASS_EPHEMERAL;
	return CLASS_LIKELY;
}

/* Addresses of the place where the prime stands. */
static void on_rsa(void *userdata, const struct rsa_hit *hit)
{
	static const uint8_t e[] = {1, 0, 1};
	struct dump *d = userdata;
	struct finding f = {.what = FINDING_RSA,
			    .class = CLASS_PROVEN,
			    .layout = hit->layout,
			    .offset = hit->prime_at};
	struct pubkey pub;

	for (size_t i = 0; i < d->segments->nr && d->segments->core; i++) {
		const struct segment *s = &d->segments->items[i];

		if (f.offset >= s->offset && f.offset - s->offset < s->len) {
			f.has_vaddr = true;
			f.vaddr = s->vaddr + (f.offset - s->offset);
			break;
		}
	}
	/* The exponent is not in the proof; practically all keys have this one. */
	pubkey_init(&pub);
	if (pubkey_set_number(&pub, PUB_N, hit->modulus) &&
	    pubkey_set(&pub, PUB_E, (struct bytes){e, sizeof(e)}) && pubkey_finish(&pub, KEY_RSA)) {
		pubkey_identify(&pub, &f.id);
		f.id.source = KEYSRC_FILE;
		f.bits = f.id.bits;
	}
	tell(d, &f);
}

static long read_at(int fd, uint8_t *out, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, out + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break; /* it shrank meanwhile */
		got += (size_t)n;
	}
	return (long)got;
}

static int scan_segment(struct dump *d, int fd, const struct segment *segment, uint8_t *window,
			struct rsa_search *rsa, uint64_t *looked_at)
{
	/* Words are aligned by address; a segment may start between them, in the file or in memory.
	 */
	size_t skew = segment->has_vaddr ? segment->vaddr % 8 : 0;
	uint8_t *base = window + 64 + skew;
	size_t last_end = 0;

	for (uint64_t at = 0; at < segment->len && !d->error; at += CORE) {
		uint64_t start = at < BEFORE ? 0 : at - BEFORE;
		uint64_t left = segment->len - start;
		size_t from = (size_t)(at - start);
		size_t want = from + CORE + AFTER;
		size_t shift = at ? CORE : CORE - BEFORE; /* to the next window */
		long got = read_at(fd, base, left < want ? (size_t)left : want,
				   segment->offset + start);
		struct bytes memory;
		size_t to;

		if (got < 0)
			return (int)got;
		if ((size_t)got <= from)
			break;
		/* Detectors take words at multiples of their size from where the bytes begin. */
		memory = (struct bytes){base - skew, (size_t)got + skew};
		memset(base - skew, 0, skew);
		to = from + CORE < (size_t)got ? from + CORE : (size_t)got;
		*looked_at += to - from;
		d->has_vaddr = segment->has_vaddr;
		d->window_at = segment->offset + start - skew;
		d->window_vaddr = segment->vaddr + start - skew;
		from += at ? skew : 0;
		to += skew;
		aes_detect(memory, from, to, &last_end, on_aes, d);
		last_end = last_end > shift ? last_end - shift : 0;
		rsa_collect(rsa, memory, from, to, d->window_at);
		form_detect(memory, from, to, &d->budget, on_form, d);
		find_drbg(d, memory, from, to);
	}
	return 0;
}

static int scan(struct dump *d, int fd, uint8_t *window, struct rsa_search *rsa)
{
	struct finding end = {.what = FINDING_END};
	bool rsa_full = false;
	int err = 0;

	for (size_t i = 0; i < d->segments->nr && !err && !d->error; i++)
		err = scan_segment(d, fd, &d->segments->items[i], window, rsa, &end.offset);
	if (err < 0 || d->error)
		return err < 0 ? err : d->error;
	for (size_t i = 0; i < d->nr_keys; i++) {
		d->keys[i].finding.class = aes_class(d, &d->keys[i]);
		tell(d, &d->keys[i].finding);
	}
	rsa_join(rsa, on_rsa, d, &rsa_full);
	end.vaddr = (d->segments->truncated ? FINDING_TRUNCATED : 0) |
		    (d->full || rsa_full || d->segments->too_many ? FINDING_INCOMPLETE : 0) |
		    (d->segments->core ? FINDING_CORE : 0);
	tell(d, &end);
	return d->error;
}

int dump_scan(int fd, int (*found)(void *userdata, const struct finding *finding), void *userdata)
{
	_cleanup_rsa_search_ struct rsa_search *rsa = NULL;
	_cleanup_wipe_ uint8_t *window = wipe_alloc(64 + 8 + BEFORE + CORE + AFTER);
	_cleanup_wipe_ uint8_t *keys = wipe_alloc(KEYS_MAX * sizeof(struct aes_key));
	_cleanup_wipe_ uint8_t *drbg = wipe_alloc(KEYS_MAX * 32);
	struct segments segments;
	struct dump d = {
		.found = found,
		.userdata = userdata,
		.budget = PROOFS,
		.segments = &segments,
		.keys = (struct aes_key *)keys,
		.drbg = (uint8_t(*)[32])drbg,
	};
	int err;

	if (!window || !keys || !drbg || rsa_search_new(&rsa) < 0)
		return -ENOMEM;
	err = segments_read(fd, &segments);
	if (err < 0)
		return err;
	err = scan(&d, fd, window, rsa);
	segments_fini(&segments);
	return err;
}
