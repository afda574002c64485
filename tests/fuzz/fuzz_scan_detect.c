// SPDX-License-Identifier: GPL-2.0-or-later
/* The dump scanner's detectors over any bytes: plain and vector code agree, findings are such. */
#include <stdlib.h>
#include <string.h>

#include "scan/detect-aes.h"
#include "scan/detect-ec.h"
#include "scan/detect-form.h"
#include "scan/detect-rsa.h"
#include "scan/markers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_aes(void *userdata, const struct aes_hit *hit)
{
	*(uint64_t *)userdata = *(uint64_t *)userdata * 31 + hit->at + hit->key_len + hit->layout;
}

/* What is found must get through the channel, and lie in the bytes. */
static void on_form(void *userdata, const struct finding *finding, const struct secret *secret)
{
	uint8_t record[FINDING_SIZE];
	struct finding back;

	finding_encode(finding, record);
	if (finding_decode(record, &back) < 0 || finding->offset >= *(size_t *)userdata)
		abort();
}

static void on_marker(void *userdata, size_t at, unsigned groups)
{
	*(uint64_t *)userdata = *(uint64_t *)userdata * 31 + at + groups;
}

static void on_rsa(void *userdata, const struct rsa_hit *hit)
{
	if (hit->prime_at < -HARVEST_MARGIN || hit->prime_at > hit->stretch->len)
		abort();
}

static void on_curve(void *userdata, const struct ec_hit *hit)
{
	if (hit->at < -HARVEST_MARGIN || hit->at > hit->stretch->len)
		abort();
}

static void numbers(const uint8_t *p, size_t size)
{
	const struct harvest_place place = {.bytes = size & 1};
	const struct rsa_join rsa = {.budget = 1 << 16, .hit = on_rsa};
	const struct ec_search curves = {.seconds = 0.001, .hit = on_curve};
	struct run runs[1024];
	struct harvest *h;
	size_t nr;
	bool cut;

	if (harvest_new(1 << 16, &h) < 0)
		return;
	nr = runs_find((struct bytes){p, size}, 0, size, place.bytes, runs,
		       sizeof(runs) / sizeof(runs[0]));
	for (size_t i = 0; i < nr; i++)
		harvest_take(h, (struct bytes){p, size}, &runs[i], &place);
	harvest_sort(h);
	rsa_join(h, &rsa, &cut);
	if (h->nr && size & 2)
		ec_detect(h, &curves, &cut);
	harvest_drop_half(h);
	harvest_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct marker3 list[] = {{"ABC", 0}, {{2, 1, 0}, 1}, {{1, 0, 0}, 2}};
	uint64_t plain = 0, vector = 0;
	size_t end_plain = 0, end_vector = 0;
	unsigned budget = 2;
	/* On the heap and just as long, for AddressSanitizer to see a step too far. */
	uint8_t *copy = malloc(size ? size : 1);
	const struct form_detect forms = {&budget, on_form, &size};
	struct markers markers;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	aes_detect_scalar((struct bytes){copy, size}, 0, size, &end_plain, on_aes, &plain);
	aes_detect((struct bytes){copy, size}, 0, size, &end_vector, on_aes, &vector);
	if (plain != vector || end_plain != end_vector)
		abort();
	markers_init(&markers, list, sizeof(list) / sizeof(list[0]));
	plain = vector = 0;
	markers_find_plain(&markers, (struct bytes){copy, size}, 0, size, on_marker, &plain);
	markers_find(&markers, (struct bytes){copy, size}, 0, size, on_marker, &vector);
	if (plain != vector)
		abort();
	form_detect((struct bytes){copy, size}, 0, size, &forms);
	numbers(copy, size);
	free(copy);
	return 0;
}
