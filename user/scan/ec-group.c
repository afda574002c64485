// SPDX-License-Identifier: GPL-2.0-or-later
/* Curve arithmetic by libcrypto, over coordinates as they lie in memory. */
#include "scan/ec-group.h"

#include <openssl/obj_mac.h>

static const struct {
	int nid;
	const char *name;
	unsigned field;
} curves[EC_CURVE_NR] = {
	[EC_P256] = {NID_X9_62_prime256v1, "prime256v1", 32},
	[EC_SECP256K1] = {NID_secp256k1, "secp256k1", 32},
	[EC_P384] = {NID_secp384r1, "secp384r1", 48},
	[EC_P521] = {NID_secp521r1, "secp521r1", 66},
};

const char *ec_curve_name(enum ec_curve curve)
{
	return curves[curve].name;
}

unsigned ec_curve_field(enum ec_curve curve)
{
	return curves[curve].field;
}

/* One over what Montgomery's form multiplies by. */
static bool set_unmont(struct ec_group *g)
{
	BIGNUM *r = BN_CTX_get(g->ctx);

	return r && BN_lshift(r, BN_value_one(), (int)(8 * g->words)) &&
	       BN_mod_inverse(g->unmont, r, g->p, g->ctx);
}

int ec_group_init(struct ec_group *out, enum ec_curve curve)
{
	struct ec_group g = {.field = curves[curve].field};
	bool ok;

	g.words = (g.field + 7) / 8 * 8;
	g.group = EC_GROUP_new_by_curve_name(curves[curve].nid);
	g.point = g.group ? EC_POINT_new(g.group) : NULL;
	g.ctx = BN_CTX_new();
	g.p = BN_new();
	g.a = BN_new();
	g.b = BN_new();
	g.order = BN_new();
	g.unmont = BN_new();
	g.gx = BN_new();
	ok = g.point && g.ctx && g.p && g.a && g.b && g.order && g.unmont && g.gx;
	if (ok) {
		BN_CTX_start(g.ctx);
		ok = EC_GROUP_get_curve(g.group, g.p, g.a, g.b, g.ctx) &&
		     EC_GROUP_get_order(g.group, g.order, g.ctx) && set_unmont(&g) &&
		     EC_POINT_get_affine_coordinates(g.group, EC_GROUP_get0_generator(g.group),
						     g.gx, NULL, g.ctx);
		BN_CTX_end(g.ctx);
	}
	if (!ok) {
		ec_group_fini(&g);
		return -ENOMEM;
	}
	*out = g;
	return 0;
}

void ec_group_fini(struct ec_group *g)
{
	EC_POINT_clear_free(g->point);
	EC_GROUP_free(g->group);
	BN_free(g->p);
	BN_free(g->a);
	BN_free(g->b);
	BN_free(g->order);
	BN_free(g->unmont);
	BN_free(g->gx);
	BN_CTX_free(g->ctx);
	*g = (struct ec_group){.group = NULL};
}

size_t ec_form_size(const struct ec_group *g, enum ec_form form)
{
	return form == EC_BYTES ? g->field : form == EC_WORDS ? (g->field + 3) / 4 * 4 : g->words;
}

void ec_scalar_bytes(const struct ec_group *g, enum ec_form form, const uint8_t *scalar,
		     uint8_t *out)
{
	size_t size = ec_form_size(g, form);
	uint8_t all[EC_FIELD_MAX];

	for (size_t i = 0; i < size; i++)
		all[i] = form == EC_BYTES   ? scalar[i]
			 : form == EC_WORDS ? scalar[i / 4 * 4 + 3 - i % 4]
					    : scalar[size - 1 - i];
	memcpy(out, all + size - g->field, g->field);
	explicit_bzero(all, sizeof(all));
}

/* A coordinate below p; 0 and what only fits with other bytes before it are none. */
static bool coordinate(const struct ec_group *g, enum ec_form form, const uint8_t *p, BIGNUM *out)
{
	size_t size = ec_form_size(g, form);
	uint8_t all[EC_FIELD_MAX];

	if (form == EC_BYTES) {
		if (!BN_bin2bn(p, (int)size, out))
			return false;
	} else if (form == EC_WORDS) {
		for (size_t i = 0; i < size; i++)
			all[i] = p[i / 4 * 4 + 3 - i % 4];
		if (!BN_bin2bn(all, (int)size, out))
			return false;
	} else if (!BN_lebin2bn(p, (int)size, out)) {
		return false;
	}
	if (BN_is_zero(out) || BN_cmp(out, g->p) >= 0)
		return false;
	return form != EC_MONTGOMERY || BN_mod_mul(out, out, g->unmont, g->p, g->ctx);
}

static bool write_out(const struct ec_group *g, const BIGNUM *bn, uint8_t *out)
{
	return BN_bn2binpad(bn, out, (int)g->field) > 0;
}

/* y^2 = x^3 + a * x + b */
bool ec_sides(const struct ec_group *g, enum ec_form form, const uint8_t *p, struct ec_sides *out)
{
	BIGNUM *v, *t;
	bool ok;

	BN_CTX_start(g->ctx);
	v = BN_CTX_get(g->ctx);
	t = BN_CTX_get(g->ctx);
	ok = t && coordinate(g, form, p, v) && BN_cmp(v, g->gx) && write_out(g, v, out->value) &&
	     BN_mod_sqr(t, v, g->p, g->ctx) && write_out(g, t, out->squared) &&
	     BN_mod_add_quick(t, t, g->a, g->p) && BN_mod_mul(t, t, v, g->p, g->ctx) &&
	     BN_mod_add_quick(t, t, g->b, g->p) && write_out(g, t, out->cubic);
	BN_CTX_end(g->ctx);
	return ok;
}

bool ec_is_point(const struct ec_group *g, const struct ec_sides *x, const struct ec_sides *y,
		 uint8_t *out)
{
	if (memcmp(x->cubic, y->squared, g->field) != 0)
		return false;
	memcpy(out, x->value, g->field);
	memcpy(out + g->field, y->value, g->field);
	return true;
}

bool ec_public(const struct ec_group *g, enum ec_form form, const uint8_t *scalar, uint8_t *out)
{
	uint8_t bytes[EC_FIELD_MAX];
	BIGNUM *d, *x, *y;
	bool ok;

	BN_CTX_start(g->ctx);
	d = BN_CTX_get(g->ctx);
	x = BN_CTX_get(g->ctx);
	y = BN_CTX_get(g->ctx);
	ec_scalar_bytes(g, form, scalar, bytes);
	ok = y && BN_bin2bn(bytes, (int)g->field, d) && !BN_is_zero(d) && BN_cmp(d, g->order) < 0 &&
	     EC_POINT_mul(g->group, g->point, d, NULL, NULL, g->ctx) &&
	     EC_POINT_get_affine_coordinates(g->group, g->point, x, y, g->ctx) &&
	     BN_bn2binpad(x, out, (int)g->field) > 0 &&
	     BN_bn2binpad(y, out + g->field, (int)g->field) > 0;
	if (d)
		BN_clear(d);
	BN_CTX_end(g->ctx);
	explicit_bzero(bytes, sizeof(bytes));
	return ok;
}

static bool set_r(const struct ec_group *g, BIGNUM *r)
{
	return BN_one(r) && BN_lshift(r, r, (int)(8 * g->words));
}

bool ec_times_r(const struct ec_group *g, const uint8_t *point, uint8_t *out)
{
	BIGNUM *r, *x, *y;
	bool ok;

	BN_CTX_start(g->ctx);
	r = BN_CTX_get(g->ctx);
	x = BN_CTX_get(g->ctx);
	y = BN_CTX_get(g->ctx);
	ok = y && set_r(g, r) && BN_mod(r, r, g->order, g->ctx) &&
	     BN_bin2bn(point, (int)g->field, x) && BN_bin2bn(point + g->field, (int)g->field, y) &&
	     EC_POINT_set_affine_coordinates(g->group, g->point, x, y, g->ctx) &&
	     EC_POINT_mul(g->group, g->point, NULL, g->point, r, g->ctx) &&
	     EC_POINT_get_affine_coordinates(g->group, g->point, x, y, g->ctx) &&
	     write_out(g, x, out) && write_out(g, y, out + g->field);
	BN_CTX_end(g->ctx);
	return ok;
}

bool ec_scalar_unmont(const struct ec_group *g, uint8_t *scalar)
{
	BIGNUM *r, *d;
	bool ok;

	BN_CTX_start(g->ctx);
	r = BN_CTX_get(g->ctx);
	d = BN_CTX_get(g->ctx);
	ok = d && set_r(g, r) && BN_mod_inverse(r, r, g->order, g->ctx) &&
	     BN_bin2bn(scalar, (int)g->field, d) && BN_mod_mul(d, d, r, g->order, g->ctx) &&
	     write_out(g, d, scalar);
	if (d)
		BN_clear(d);
	BN_CTX_end(g->ctx);
	return ok;
}
