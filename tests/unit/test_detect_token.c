// SPDX-License-Identifier: GPL-2.0-or-later
/* Tokens are found by the built-in rules, and what only looks like one is not. */
#include "scan/detect-token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ctype.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "policy/tokenrules.h"
#include "scan/base64.h"

/*
 * Tokens are made here, as none may stand in a source. {N@} is N random letters and digits, {N#}
 * hex digits, {N^} letters of base 32, {N0} digits, {!} the checksum over the 30 bytes before.
 */
static const struct {
	const char *rule, *form;
} samples[] = {
	{"github-token", "ghp_{30@}{!}"},
	{"github-fine-grained", "github_pat_{22@}_{59@}"},
	{"gitlab-token", "glpat-{20@}"},
	{"gitlab-token", "glrt-{40@}"},
	{"bitbucket-app-password", "ATBB{32@}"},
	{"atlassian-token", "ATATT3{180@}={8@}"},
	{"npm-token", "npm_{30@}{!}"},
	{"pypi-token", "pypi-AgEIcHlwaS5vcmc{120@}"},
	{"rubygems-token", "rubygems_{48#}"},
	{"docker-token", "dckr_pat_{27@}"},
	{"aws-access-key-id", "AKIA{16^}"},
	{"aws-secret-key", "secret_access_key = {40@}"},
	{"google-api-key", "AIza{35@}"},
	{"google-oauth-secret", "GOCSPX-{28@}"},
	{"google-access-token", "ya29.{150@}"},
	{"azure-storage-key", "AccountKey={86@}=="},
	{"azure-client-secret", "{3@}8Q~{34@}"},
	{"digitalocean-token", "dop_v1_{64#}"},
	{"alibaba-access-key-id", "LTAI{20@}"},
	{"vault-token", "hvs.{95@}"},
	{"terraform-token", "{14@}.atlasv1.{67@}"},
	{"slack-token", "xoxb-{120}-{13 0}-{24@}"},
	{"slack-app-token", "xapp-1-A{10^}-{13 0}-{64#}"},
	{"slack-webhook", "hooks.slack.com/services/T{9^}/B{9^}/{24@}"},
	{"discord-token", "Bot M{25@}.{6@}.{38@}"},
	{"telegram-token", "{10 0}:AA{33@}"},
	{"sendgrid-key", "SG.{22@}.{43@}"},
	{"stripe-key", "sk_live_{24@}"},
	{"square-token", "sq0atp-{22@}"},
	{"shopify-token", "shpat_{32#}"},
	{"anthropic-key", "sk-ant-api03-{95@}"},
	{"openai-key", "sk-proj-{120@}"},
	{"huggingface-token", "hf_{34a}"},
	{"grafana-token", "glsa_{32@}_{8#}"},
};

static char pick(const char *letters)
{
	uint8_t byte;

	RAND_bytes(&byte, 1);
	return letters[byte % strlen(letters)];
}

#define ALNUM "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static size_t make(const char *form, char *out)
{
	size_t len = 0;

	for (; *form; form++) {
		long nr;
		char *kind;

		if (*form != '{') {
			out[len++] = *form;
			continue;
		}
		nr = strtol(form + 1, &kind, 10);
		/* "{12 0}": the digit is the kind, not of the number */
		if (kind[0] == '}') {
			nr /= 10;
			kind--;
		}
		kind += *kind == ' ';
		for (long i = 0; i < nr; i++)
			out[len++] = pick(*kind == '@'	 ? ALNUM
					  : *kind == '#' ? "0123456789abcdef"
					  : *kind == '^' ? "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
					  : *kind == 'a' ? ALNUM + 10
							 : "0123456789");
		if (form[1] == '!') {
			unsigned long crc = crc32(0, (uint8_t *)out + len - 30, 30);

			for (int i = 5; i >= 0; i--, crc /= 62)
				out[len + (size_t)i] = ALNUM[crc % 62];
			len += 6;
		}
		form = strchr(form, '}');
	}
	out[len] = '\0';
	return len;
}

struct fixture {
	struct token_rules rules;
	struct token_search *search;
	struct token_scratch *scratch;
};

static int open_rules(void **state)
{
	static struct fixture f;
	struct diag_list diags = {0};

	assert_int_equal(token_rules_load("policy/scan/tokens.yaml", &diags, &f.rules), 0);
	assert_int_equal(token_search_new(&f.rules, &diags, &f.search), 0);
	assert_int_equal(token_scratch_new(f.search, &f.scratch), 0);
	assert_int_equal(diags.errors, 0);
	diag_list_fini(&diags);
	*state = &f;
	return 0;
}

static int close_rules(void **state)
{
	struct fixture *f = *state;

	token_scratch_free(f->scratch);
	token_search_free(f->search);
	token_rules_fini(&f->rules);
	return 0;
}

struct seen {
	const struct fixture *f;
	unsigned nr;
	const char *rule;
	struct token_hit last;
};

static void on_hit(void *userdata, const struct token_hit *hit)
{
	struct seen *seen = userdata;

	seen->nr++;
	seen->rule = seen->f->rules.items[hit->rule].name;
	seen->last = *hit;
}

static struct seen search(const struct fixture *f, const void *p, size_t len, size_t from,
			  size_t to)
{
	struct seen seen = {.f = f};

	token_detect(f->search, f->scratch, (struct bytes){p, len}, from, to, on_hit, &seen);
	return seen;
}

/* Between other bytes, as memory has it. */
static struct seen search_text(const struct fixture *f, const char *text)
{
	static char memory[20000];
	size_t len = strlen(text);

	memset(memory, 0, sizeof(memory));
	memcpy(memory + 1000, text, len);
	return search(f, memory, sizeof(memory), 0, sizeof(memory));
}

static void each_kind_is_found_whole(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		/* By chance a token has too little entropy: one of some thousand. */
		for (int try = 0;; try++) {
			char text[1024];
			size_t len = make(samples[i].form, text);
			struct seen seen = search_text(f, text);

			if (seen.nr == 1 && !strcmp(seen.rule, samples[i].rule)) {
				assert_int_equal(seen.last.at, 1000);
				assert_int_equal(seen.last.len, len);
				assert_int_equal(seen.last.proven, !!strchr(samples[i].form, '!'));
				break;
			}
			if (try == 3)
				fail_msg("%s: %u found, the last is %s", samples[i].rule, seen.nr,
					 seen.rule ? seen.rule : "none");
		}
	}
}

/* Those that need words around them, and those that are more than a pattern. */
static size_t make_jwt(char *out, const char *header, size_t signature)
{
	uint8_t bytes[256];
	size_t len = base64_encode((struct bytes){(const uint8_t *)header, strlen(header)}, out);

	out[len++] = '.';
	len += base64_encode(BYTES_STR("{\"sub\":\"1234567890\",\"iat\":1516239022}"), out + len);
	out[len++] = '.';
	RAND_bytes(bytes, sizeof(bytes));
	len += base64_encode((struct bytes){bytes, signature}, out + len);
	for (size_t i = 0; i < len; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	return len;
}

static void a_jwt_reaches_to_the_end_of_its_signature(void **state)
{
	const struct fixture *f = *state;
	char text[2048];
	size_t len = make_jwt(text, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", 32);
	struct seen seen = search_text(f, text);

	assert_int_equal(seen.nr, 1);
	assert_string_equal(seen.rule, "jwt");
	assert_int_equal(seen.last.len, len);
	/* Cut off, unsigned, without an algorithm: none. */
	for (size_t cut = 1; cut < len; cut++)
		if (token_jwt_len((struct bytes){(uint8_t *)text, len - cut}))
			fail_msg("%zu bytes of %zu are taken for a JWT", len - cut, len);
	make_jwt(text, "{\"alg\":\"none\",\"typ\":\"JWT\"}", 0);
	assert_int_equal(search_text(f, text).nr, 0);
	make_jwt(text, "{\"typ\":\"JWT\",\"kid\":\"x\"}", 32);
	assert_int_equal(search_text(f, text).nr, 0);
}

static void a_service_account_needs_its_key(void **state)
{
	const struct fixture *f = *state;
	struct seen seen = search_text(f, "{\"type\": \"service_account\", \"project_id\": \"x\", "
					  "\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMII");

	assert_int_equal(seen.nr, 1);
	assert_string_equal(seen.rule, "google-service-account");
	assert_int_equal(search_text(f, "{\"type\": \"service_account\"}").nr, 0);
}

static void context_is_asked_for(void **state)
{
	const struct fixture *f = *state;
	char text[256];

	make("MAILGUN_API_KEY=key-{32#}", text);
	assert_string_equal(search_text(f, text).rule, "mailgun-key");
	make("key-{32#}", text);
	assert_int_equal(search_text(f, text).nr, 0);
	make("twilio: SK{32#}", text);
	assert_string_equal(search_text(f, text).rule, "twilio-key");
}

static void what_only_looks_like_a_token_is_none(void **state)
{
	static const char *const forms[] = {
		"ghp_{36@}", /* one in 62^6 has the checksum */
		"ghp_{30@}{!}{1@}", "{1@}ghp_{30@}{!}",
		"npm_{36@}",	    "glpat-aaaaaaaaaaaaaaaaaaaa",
		"glpat-{19@}",	    "AKIAAAAAAAAAAAAAAAAA",
		"AKIA{17^}",	    "AIza00000000000000000000000000000000000",
		"AIza{34@}",	    "sk_live_{23@}",
		"sk_test_{24@}",    "xoxq-{12 0}-{24@}",
		"{200@}",	    "SG.{22@}{43@}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char text[512];

		make(forms[i], text);
		if (search_text(*state, text).nr)
			fail_msg("%s is found", forms[i]);
	}
}

static void random_bytes_and_base64_are_silent(void **state)
{
	const struct fixture *f = *state;
	size_t len = 4 << 20;
	uint8_t *memory = malloc(len);
	char *text = malloc(BASE64_ENCODED_MAX(len / 2));

	RAND_bytes(memory, (int)len);
	assert_int_equal(search(f, memory, len, 0, len).nr, 0);
	assert_int_equal(search(f, text, base64_encode((struct bytes){memory, len / 2}, text), 0,
				len / 2)
				 .nr,
			 0);
	free(memory);
	free(text);
}

/* Each place belongs to one window, wherever the seam is. */
static void a_token_on_a_seam_is_found_once(void **state)
{
	const struct fixture *f = *state;
	char memory[2048] = {0};
	size_t len = make("glpat-{20@}", memory + 500);

	for (size_t seam = 490; seam < 510 + len; seam++) {
		unsigned first = search(f, memory, sizeof(memory), 0, seam).nr;
		unsigned second = search(f, memory, sizeof(memory), seam, sizeof(memory)).nr;

		assert_int_equal(first + second, 1);
		assert_int_equal(first, seam > 500);
	}
	/* At the very end of memory. */
	assert_int_equal(search(f, memory + 400, 100 + len, 0, 100 + len).nr, 1);
	assert_int_equal(search(f, memory + 400, 100 + len - 1, 0, 100 + len - 1).nr, 0);
}

/* In two pieces, for it is one that GitHub itself shows. */
static void the_checksum_is_githubs(void **state)
{
	char token[64];

	snprintf(token, sizeof(token), "%s%s", "ghp_zQWBuTSOoRi4A9spHcVY", "5ncnsDkxkJ0mLq17");
	assert_true(token_crc32_holds((struct bytes){(uint8_t *)token, 40}));
	for (int i = 4; i < 40; i++) {
		token[i]++;
		assert_false(token_crc32_holds((struct bytes){(uint8_t *)token, 40}));
		token[i]--;
	}
	assert_false(token_crc32_holds((struct bytes){(uint8_t *)token, 35}));
}

static void entropy_is_shannons(void **state)
{
	static const struct {
		const char *text;
		unsigned entropy;
	} cases[] = {
		{"", 0},	  {"aaaaaaaa", 0},	    {"abababab", 10}, {"aabbccdd", 20},
		{"abcdefgh", 30}, {"abcdefghijklmnop", 40}, {"abc", 15},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(token_entropy((struct bytes){(const uint8_t *)cases[i].text,
							      strlen(cases[i].text)}),
				 cases[i].entropy);
}

static void patterns_that_cannot_be_are_told_with_their_place(void **state)
{
	static const struct {
		const char *pattern, *message;
	} cases[] = {
		{"[", "x.yaml:4: error: pattern of 'one'"},
		{"secrets_[a-z]+", "x.yaml:4: error: pattern of 'one': it may match more than 512"},
		{"sk_[a-z]{3}", "x.yaml:4: error: pattern of 'one': it matches fewer than 8"},
		{"(abcdefgh)\\\\1", "x.yaml:4: error: pattern of 'one'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[512], *out = NULL;
		struct token_search *search_ = NULL;
		struct token_rules rules;
		struct diag_list diags = {0};
		size_t size;
		FILE *f = open_memstream(&out, &size);

		snprintf(text, sizeof(text),
			 "version: 1\ntokens:\n  - name: one\n    pattern: \"%s\"\n    about: x\n",
			 cases[i].pattern);
		assert_int_equal(token_rules_parse("x.yaml", text, strlen(text), &diags, &rules),
				 0);
		assert_int_equal(token_search_new(&rules, &diags, &search_), -EINVAL);
		diag_print(&diags, f);
		fclose(f);
		if (strncmp(out, cases[i].message, strlen(cases[i].message)) != 0)
			fail_msg("%s: %s", cases[i].pattern, out);
		free(out);
		diag_list_fini(&diags);
		token_rules_fini(&rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_found_whole),
		cmocka_unit_test(a_jwt_reaches_to_the_end_of_its_signature),
		cmocka_unit_test(a_service_account_needs_its_key),
		cmocka_unit_test(context_is_asked_for),
		cmocka_unit_test(what_only_looks_like_a_token_is_none),
		cmocka_unit_test(random_bytes_and_base64_are_silent),
		cmocka_unit_test(a_token_on_a_seam_is_found_once),
		cmocka_unit_test(the_checksum_is_githubs),
		cmocka_unit_test(entropy_is_shannons),
		cmocka_unit_test(patterns_that_cannot_be_are_told_with_their_place),
	};

	return cmocka_run_group_tests_name("detect-token", tests, open_rules, close_rules);
}
