// SPDX-License-Identifier: GPL-2.0-or-later
/* Needle files and token rules for `keytrail scan`. */
#include "cli/scan_known.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "policy/tokenrules.h"
#include "scan/known.h"
#include "scan/needle-site.h"

static int site_key(uint8_t key[NEEDLE_ED25519], bool *out_demanded)
{
	int err = needle_site_key(NEEDLE_SITE_KEY, key);

	*out_demanded = err != -ENOENT;
	if (err == 0 || err == -ENOENT)
		return 0;
	/* A key that is there and cannot be used demands all the same. */
	fprintf(stderr, "keytrail scan: %s: %s\n", NEEDLE_SITE_KEY,
		err == -EINVAL ? "no Ed25519 public key" : strerror(-err));
	return err;
}

static int add_file(struct needles *all, const char *path, const uint8_t *site)
{
	struct diag_list diags = {0};
	struct needles needles;
	size_t expired = 0;
	int err = needles_load(path, site, time(NULL), &diags, &needles, &expired);

	diag_print(&diags, stderr);
	diag_list_fini(&diags);
	if (err < 0)
		return err;
	if (expired)
		fprintf(stderr,
			"keytrail scan: %s: %zu of %zu needles have expired and are left out\n",
			path, expired, needles.nr);
	if (!all->made) {
		*all = needles;
		return 0;
	}
	err = needles_merge(all, &needles);
	if (err == -EXDEV)
		fprintf(stderr,
			"keytrail scan: %s: made with another key than the first needle file: make "
			"it anew with --like, or scan for each by itself\n",
			path);
	needles_fini(&needles);
	return err;
}

static int load_tokens(const char *path, struct scan_known *known)
{
	struct diag_list diags = {0};
	int err = token_rules_load(path, &diags, &known->rules);

	if (!err)
		err = token_search_new(&known->rules, &diags, &known->tokens);
	diag_print(&diags, stderr);
	diag_list_fini(&diags);
	if (err == -ENOTSUP) {
		fputs("keytrail scan: this processor has no SSSE3: tokens are not looked for\n",
		      stderr);
		return 0;
	}
	if (err == -ENOMEM)
		fputs("keytrail scan: out of memory\n", stderr);
	return err;
}

int scan_known_load(const struct cli_list *files, const char *tokens, struct scan_known *out_known,
		    struct scan_options *options)
{
	struct scan_known *known = out_known;
	uint8_t site[NEEDLE_ED25519];
	bool demanded = false;
	int err;

	*known = (struct scan_known){.tokens = NULL};
	err = load_tokens(tokens, known);
	if (!err && files->nr)
		err = site_key(site, &demanded);
	for (size_t i = 0; i < files->nr && !err; i++)
		err = add_file(&known->needles, files->items[i], demanded ? site : NULL);
	if (err < 0) {
		scan_known_fini(known);
		return err;
	}
	options->needles = files->nr ? &known->needles : NULL;
	options->tokens = known->tokens;
	return 0;
}

void scan_known_fini(struct scan_known *known)
{
	needles_fini(&known->needles);
	token_search_free(take_ptr(known->tokens));
	token_rules_fini(&known->rules);
}

void scan_known_names(const struct scan_known *known, struct scan_verdict *verdict)
{
	for (size_t i = 0; i < verdict->nr_keys; i++) {
		struct found_key *key = &verdict->keys[i];
		const struct needle *needle = known_needle(&known->needles, &key->finding);
		uint32_t rule = key->finding.what == FINDING_TOKEN ? key->finding.ref : 0;

		if (rule && rule <= known->rules.nr) {
			key->label = known->rules.items[rule - 1].name;
			continue;
		}
		key->label = needle && needle->label[0] ? needle->label : NULL;
		key->expired = needle && needle->expires && needle->expires <= time(NULL);
		key->zone = needle && needle->zone[0] ? needle->zone : NULL;
	}
}
