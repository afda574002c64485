// SPDX-License-Identifier: GPL-2.0-or-later
/* Secrets by their tags, kept once each. */
#include "scan/secret.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sys/random.h>

#include "scan/wipe.h"

#define ARENA (1 << 20)

struct kept {
	uint64_t tag;
	enum secret_kind kind;
	uint32_t at;
	uint16_t len, modulus_len;
};

/* Where something stands: a range to hide, or a written form. */
struct spot {
	uint64_t offset, value; /* value: length, or layout */
};

struct spots {
	struct spot *items;
	size_t nr;
};

struct secrets {
	pthread_mutex_t lock;
	struct spots hidden, forms;
	uint8_t *key; /* of the tags; 32 bytes, wiped */
	bool keep, full;
	struct kept *kept;
	size_t nr, used;
	uint8_t *arena; /* wiped */
};

int secrets_new(bool keep, struct secrets **out_secrets)
{
	_cleanup_secrets_ struct secrets *secrets = calloc(1, sizeof(*secrets));

	if (!secrets)
		return -ENOMEM;
	pthread_mutex_init(&secrets->lock, NULL);
	secrets->keep = keep;
	secrets->key = wipe_alloc(32);
	if (keep) {
		secrets->kept = calloc(SECRETS_MAX, sizeof(*secrets->kept));
		secrets->arena = wipe_alloc(ARENA);
	}
	if (!secrets->key || (keep && (!secrets->kept || !secrets->arena)))
		return -ENOMEM;
	if (getrandom(secrets->key, 32, 0) != 32)
		return -EIO;
	*out_secrets = take_ptr(secrets);
	return 0;
}

void secrets_free(struct secrets *secrets)
{
	if (!secrets)
		return;
	wipe_free(secrets->key);
	wipe_free(secrets->arena);
	free(secrets->kept);
	free(secrets->hidden.items);
	free(secrets->forms.items);
	pthread_mutex_destroy(&secrets->lock);
	free(secrets);
}

static uint64_t tag_of(const struct secrets *s, const struct secret *secret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32] = {0};
	uint8_t kind = (uint8_t)secret->kind;
	uint64_t tag;

	/* An RSA key has two primes and one modulus. */
	struct bytes names = secret->kind == SECRET_RSA ? secret->modulus : secret->value;

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(ctx, s->key, 32) || !EVP_DigestUpdate(ctx, &kind, 1) ||
	    !EVP_DigestUpdate(ctx, names.p, names.len) || !EVP_DigestFinal_ex(ctx, digest, NULL))
		memset(digest, 0, sizeof(digest));
	EVP_MD_CTX_free(ctx);
	memcpy(&tag, digest, sizeof(tag));
	return tag ? tag : 1;
}

/* With the lock held. */
static void keep(struct secrets *s, const struct secret *secret, uint64_t tag)
{
	struct kept *k;

	for (size_t i = 0; i < s->nr; i++)
		if (s->kept[i].tag == tag && s->kept[i].kind == secret->kind)
			return;
	if (s->nr == SECRETS_MAX || secret->value.len > SECRET_BYTES_MAX ||
	    secret->modulus.len > SECRET_BYTES_MAX ||
	    secret->value.len + secret->modulus.len > ARENA - s->used) {
		s->full = true;
		return;
	}
	k = &s->kept[s->nr++];
	*k = (struct kept){
		.tag = tag,
		.kind = secret->kind,
		.at = (uint32_t)s->used,
		.len = (uint16_t)secret->value.len,
		.modulus_len = (uint16_t)secret->modulus.len,
	};
	if (k->len)
		memcpy(s->arena + k->at, secret->value.p, k->len);
	if (k->modulus_len)
		memcpy(s->arena + k->at + k->len, secret->modulus.p, k->modulus_len);
	s->used += (size_t)k->len + k->modulus_len;
}

uint64_t secrets_add(struct secrets *secrets, const struct secret *secret)
{
	uint64_t tag = tag_of(secrets, secret);

	if (secrets->keep) {
		pthread_mutex_lock(&secrets->lock);
		keep(secrets, secret, tag);
		pthread_mutex_unlock(&secrets->lock);
	}
	return tag;
}

static void add_spot(struct secrets *s, struct spots *spots, uint64_t offset, uint64_t value)
{
	if (!s->keep)
		return;
	pthread_mutex_lock(&s->lock);
	if (!spots->items)
		spots->items = calloc(SECRETS_MAX, sizeof(*spots->items));
	if (spots->items && spots->nr < SECRETS_MAX)
		spots->items[spots->nr++] = (struct spot){offset, value};
	else
		s->full = true;
	pthread_mutex_unlock(&s->lock);
}

void secrets_hide(struct secrets *secrets, uint64_t offset, uint64_t len)
{
	add_spot(secrets, &secrets->hidden, offset, len);
}

void secrets_note_form(struct secrets *secrets, uint64_t offset, unsigned layout)
{
	add_spot(secrets, &secrets->forms, offset, layout);
}

size_t secrets_nr_hidden(const struct secrets *secrets)
{
	return secrets->hidden.nr;
}

void secrets_get_hidden(const struct secrets *secrets, size_t i, uint64_t *out_offset,
			uint64_t *out_len)
{
	*out_offset = secrets->hidden.items[i].offset;
	*out_len = secrets->hidden.items[i].value;
}

size_t secrets_nr_forms(const struct secrets *secrets)
{
	return secrets->forms.nr;
}

uint64_t secrets_get_form(const struct secrets *secrets, size_t i, unsigned *out_layout)
{
	*out_layout = (unsigned)secrets->forms.items[i].value;
	return secrets->forms.items[i].offset;
}

bool secrets_full(const struct secrets *secrets)
{
	return secrets->full;
}

size_t secrets_nr(const struct secrets *secrets)
{
	return secrets->nr;
}

struct secret secrets_get(const struct secrets *secrets, size_t i)
{
	const struct kept *k = &secrets->kept[i];

	return (struct secret){
		.kind = k->kind,
		.value = {secrets->arena + k->at, k->len},
		.modulus = {secrets->arena + k->at + k->len, k->modulus_len},
	};
}
