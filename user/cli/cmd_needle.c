// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail needle make|list|merge|sign|verify`: files by which a scan knows keys. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <libgen.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/escape.h"
#include "cli/cli.h"
#include "scan/needle-make.h"
#include "scan/needle-site.h"

struct make_options {
	const char *output, *like, *label, *zone, *expires;
	bool symmetric;
};

struct file_options {
	const char *output, *key;
	bool json;
};

static int failed(const char *command, const char *what, const char *why)
{
	char name[256];

	escape_bytes(what, strlen(what), name, sizeof(name), NULL);
	fprintf(stderr, "keytrail needle %s: %s: %s\n", command, name, why);
	return CLI_FAILED;
}

static int write_all(int fd, const struct buf *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->p + done, text->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

/* To standard output, or under another name first, so that a reader sees the old file or the new.
 */
static int write_file(const char *path, const struct buf *text)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *other = NULL;
	int err;

	if (!path)
		return write_all(STDOUT_FILENO, text);
	if (asprintf(&other, "%s.new", path) < 0)
		return -ENOMEM;
	fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text);
	if (!err && (fsync(fd) < 0 || rename(other, path) < 0))
		err = -errno;
	if (err < 0)
		unlink(other);
	return err;
}

static int print(const char *command, const char *path, const struct needles *needles)
{
	struct buf text;
	int err;

	buf_init(&text, 0);
	err = needles_print(needles, &text);
	if (!err)
		err = write_file(path, &text);
	buf_fini(&text);
	return err < 0 ? failed(command, path ? path : "standard output", strerror(-err)) : 0;
}

static int load(const char *path, const uint8_t *site, struct needles *out_needles)
{
	struct diag_list diags = {0};
	size_t expired = 0;
	int err = needles_load(path, site, time(NULL), &diags, out_needles, &expired);

	diag_print(&diags, stderr);
	diag_list_fini(&diags);
	if (err == -ENOMEM)
		fputs("keytrail needle: out of memory\n", stderr);
	return err;
}

/* "90d" from now, or a date. */
static bool parse_expiry(const char *text, int64_t *out)
{
	struct tm tm = {.tm_sec = 0};
	char *end;
	long days = strtol(text, &end, 10);

	if (end != text && !strcmp(end, "d") && days > 0 && days < 100 * 366) {
		*out = time(NULL) + 86400L * days;
		return true;
	}
	end = strptime(text, "%Y-%m-%d", &tm);
	if (!end || *end)
		return false;
	*out = timegm(&tm);
	return *out > 0;
}

static bool set_text(const char *text, char *out, size_t size)
{
	bool truncated = false;

	escape_bytes(text, strlen(text), out, size, &truncated);
	return !truncated;
}

static int start_file(const struct make_options *o, struct needles *needles)
{
	if (o->like) {
		struct needles like;
		int err = load(o->like, NULL, &like);

		if (err < 0)
			return err;
		memcpy(needles->key, like.key, sizeof(needles->key));
		needles_fini(&like);
	} else if (getrandom(needles->key, sizeof(needles->key), 0) != sizeof(needles->key)) {
		return -EIO;
	}
	needles->made = time(NULL);
	return 0;
}

static int make_one(const struct make_options *o, const char *path, int64_t expires,
		    struct needles *needles)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *copy = strdup(path);
	struct needle needle = {.nr_forms = 0};
	int err;

	if (fd < 0 || !copy)
		return failed("make", path, strerror(errno));
	fflush(stdout); /* what reads the key is a fork */
	err = needle_make_file(fd, needles->key, o->symmetric, &needle);
	if (err < 0)
		return failed("make", path, needle_make_strerror(err));
	if (!set_text(o->label ? o->label : basename(copy), needle.label, sizeof(needle.label)) &&
	    o->label) {
		needle_fini(&needle);
		return failed("make", o->label, "a label is 63 bytes at most");
	}
	if (o->zone && !set_text(o->zone, needle.zone, sizeof(needle.zone))) {
		needle_fini(&needle);
		return failed("make", o->zone, "a zone is 31 bytes at most");
	}
	needle.expires = expires;
	if (!needle.nr_forms)
		fprintf(stderr,
			"keytrail needle make: %s: a key of this size is known by its public half "
			"only\n",
			needle.label);
	err = needles_add(needles, &needle);
	needle_fini(&needle);
	return err < 0 ? failed("make", path, strerror(-err)) : 0;
}

static int run_make(const void *options, int argc, char **argv)
{
	const struct make_options *o = options;
	struct needles needles = {.nr = 0};
	int64_t expires = 0;
	int r = 0;

	if (o->expires && !parse_expiry(o->expires, &expires)) {
		failed("make", o->expires, "neither a date as 2030-12-31 nor days as 90d");
		return CLI_USAGE;
	}
	if (start_file(o, &needles) < 0)
		return CLI_FAILED;
	for (int i = 0; i < argc && !r; i++)
		r = make_one(o, argv[i], expires, &needles);
	if (!r)
		r = print("make", o->output, &needles);
	needles_fini(&needles);
	return r;
}

static const struct cli_option make_options[] = {
	CLI_OPTION("output", 'o', CLI_STRING, struct make_options, output, "FILE",
		   "Write there instead of to standard output"),
	CLI_OPTION("label", 'l', CLI_STRING, struct make_options, label, "TEXT",
		   "What the key is called (default: the file's name)"),
	CLI_OPTION("zone", 'z', CLI_STRING, struct make_options, zone, "TEXT",
		   "Where the key is at home"),
	CLI_OPTION("expires", 'e', CLI_STRING, struct make_options, expires, "DATE",
		   "2030-12-31, or 90d: not looked for after that"),
	CLI_OPTION("like", 0, CLI_STRING, struct make_options, like, "FILE",
		   "Take the key of that needle file, to be merged with it"),
	CLI_OPTION("symmetric", 's', CLI_FLAG, struct make_options, symmetric, NULL,
		   "The files hold bytes of a symmetric key, raw or in hex"),
};

const struct cli_command cmd_needle_make = {
	.name = "needle make",
	.args = "KEY...",
	.min_args = 1,
	.max_args = 100000,
	.summary = "Make a needle file by which a scan knows private keys",
	.about =
		"Reads private keys (PEM, DER, OpenSSH; with --symmetric 16 to 64 bytes) in a\n"
		"sandboxed process and writes what `keytrail scan --needles` looks for: the public\n"
		"names, and for each form that the key takes in memory keyed tags and a MAC. The\n"
		"file holds no secret and nothing that guesses at a whole key could be shortened\n"
		"by; keys that are not random are refused (docs/needles.md).",
	.options = make_options,
	.nr_options = ARRAY_SIZE(make_options),
	.options_size = sizeof(struct make_options),
	.run = run_make,
};

static const char *kind_of(const struct needle *n)
{
	return n->id.kind == KEY_OTHER ? "SYMMETRIC" : key_kind_str(n->id.kind);
}

static void date(int64_t t, char out[16])
{
	time_t value = t;
	struct tm tm;

	strftime(out, 16, "%Y-%m-%d", gmtime_r(&value, &tm));
}

static unsigned count_windows(const struct needle *n)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < n->nr_forms; i++)
		nr += n->forms[i].nr;
	return nr;
}

static void list_json(const struct needle *n)
{
	json_auto_t *object = json_pack("{s:s, s:i, s:s, s:s, s:i, s:i}", "kind", kind_of(n),
					"bits", n->id.bits, "label", n->label, "zone", n->zone,
					"forms", n->nr_forms, "windows", (int)count_windows(n));
	char text[65];

	if (!object)
		return;
	if (n->id.ssh_fp[0])
		json_object_set_new(object, "fingerprint", json_string(n->id.ssh_fp));
	if (n->id.has_spki) {
		for (size_t i = 0; i < sizeof(n->id.spki); i++)
			snprintf(text + 2 * i, 3, "%02x", n->id.spki[i]);
		json_object_set_new(object, "spki_sha256", json_string(text));
	}
	if (n->expires) {
		date(n->expires, text);
		json_object_set_new(object, "expires", json_string(text));
		json_object_set_new(object, "expired", json_boolean(n->expires <= time(NULL)));
	}
	json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
}

static void list_text(const struct needle *n)
{
	char day[16] = "";

	printf("%s %u %s", kind_of(n), n->id.bits, n->id.ssh_fp[0] ? n->id.ssh_fp : "-");
	printf("  \"%s\"", n->label);
	if (n->zone[0])
		printf("  zone %s", n->zone);
	if (n->expires) {
		date(n->expires, day);
		printf("  %s %s", n->expires <= time(NULL) ? "expired" : "until", day);
	}
	printf("  %u windows%s\n", count_windows(n),
	       n->nr_forms ? "" : ": by its public half only");
}

static int run_list(const void *options, int argc, char **argv)
{
	const struct file_options *o = options;
	int r = 0;

	for (int i = 0; i < argc; i++) {
		struct needles needles;

		if (load(argv[i], NULL, &needles) < 0) {
			r = CLI_FAILED;
			continue;
		}
		for (size_t k = 0; k < needles.nr; k++) {
			if (o->json)
				list_json(&needles.items[k]);
			else
				list_text(&needles.items[k]);
		}
		needles_fini(&needles);
	}
	return r;
}

static const struct cli_option list_options[] = {
	CLI_OPTION("json", 'j', CLI_FLAG, struct file_options, json, NULL,
		   "Print one JSON object for each needle"),
};

const struct cli_command cmd_needle_list = {
	.name = "needle list",
	.args = "FILE...",
	.min_args = 1,
	.max_args = 1024,
	.summary = "Show which keys needle files are of",
	.about =
		"Prints kind, size, fingerprint (as ssh-keygen -lf), label, zone and expiry of each\n"
		"needle. Of a signed file the signature is checked against the key that it names;\n"
		"whether that is the site's, `keytrail needle verify` says.",
	.options = list_options,
	.nr_options = ARRAY_SIZE(list_options),
	.options_size = sizeof(struct file_options),
	.run = run_list,
};

static int run_merge(const void *options, int argc, char **argv)
{
	const struct file_options *o = options;
	struct needles all = {.nr = 0};
	int r = load(argv[0], NULL, &all) < 0 ? CLI_FAILED : 0;

	for (int i = 1; i < argc && !r; i++) {
		struct needles more;
		int err;

		if (load(argv[i], NULL, &more) < 0) {
			r = CLI_FAILED;
			break;
		}
		err = needles_merge(&all, &more);
		if (err < 0)
			r = failed("merge", argv[i],
				   err == -EXDEV
					   ? "made with another key than the first file: make "
					     "it anew with --like"
					   : strerror(-err));
		needles_fini(&more);
	}
	if (!r)
		r = print("merge", o->output, &all);
	needles_fini(&all);
	return r;
}

static const struct cli_option merge_options[] = {
	CLI_OPTION("output", 'o', CLI_STRING, struct file_options, output, "FILE",
		   "Write there instead of to standard output"),
};

const struct cli_command cmd_needle_merge = {
	.name = "needle merge",
	.args = "FILE...",
	.min_args = 1,
	.max_args = 1024,
	.summary = "Put needle files together",
	.about =
		"Writes one file with all needles; of a key that is in several, what the last file\n"
		"says. The files must have been made with one key (needle make --like). The result\n"
		"is not signed.",
	.options = merge_options,
	.nr_options = ARRAY_SIZE(merge_options),
	.options_size = sizeof(struct file_options),
	.run = run_merge,
};

static int run_sign(const void *options, int argc, char **argv)
{
	const struct file_options *o = options;
	struct needles needles;
	struct buf text;
	int err;

	if (!o->key) {
		fputs("keytrail needle sign: --key is needed: a PEM of `openssl genpkey -algorithm "
		      "ed25519`\n",
		      stderr);
		return CLI_USAGE;
	}
	if (load(argv[0], NULL, &needles) < 0)
		return CLI_FAILED;
	buf_init(&text, 0);
	err = needles_sign(&needles, o->key, &text);
	if (err < 0)
		err = failed("sign", o->key,
			     err == -EINVAL ? "no Ed25519 private key" : strerror(-err));
	else
		err = write_file(o->output ? o->output : argv[0], &text);
	if (err < 0)
		err = failed("sign", o->output ? o->output : argv[0], strerror(-err));
	buf_fini(&text);
	needles_fini(&needles);
	return err;
}

static const struct cli_option sign_options[] = {
	CLI_OPTION("key", 'k', CLI_STRING, struct file_options, key, "PEM",
		   "The site's private Ed25519 key"),
	CLI_OPTION("output", 'o', CLI_STRING, struct file_options, output, "FILE",
		   "Write there instead of over the file"),
};

const struct cli_command cmd_needle_sign = {
	.name = "needle sign",
	.args = "FILE",
	.min_args = 1,
	.max_args = 1,
	.summary = "Sign a needle file with the site's key",
	.about =
		"Ed25519, by openssl: `openssl genpkey -algorithm ed25519 -out site.pem` makes the\n"
		"key, `openssl pkey -in site.pem -pubout` its public half. Where that is installed\n"
		"as " NEEDLE_SITE_KEY ", scans refuse needle files that it did not sign.",
	.options = sign_options,
	.nr_options = ARRAY_SIZE(sign_options),
	.options_size = sizeof(struct file_options),
	.run = run_sign,
};

static int run_verify(const void *options, int argc, char **argv)
{
	const struct file_options *o = options;
	const char *path = o->key ? o->key : NEEDLE_SITE_KEY;
	uint8_t site[NEEDLE_ED25519];
	int err = needle_site_key(path, site), r = 0;

	if (err < 0)
		return failed("verify", path,
			      err == -EINVAL ? "no Ed25519 public key" : strerror(-err));
	for (int i = 0; i < argc; i++) {
		struct needles needles;

		if (load(argv[i], site, &needles) < 0) {
			r = CLI_FAILED;
			continue;
		}
		printf("good: %zu needles, signed by the site\n", needles.nr);
		needles_fini(&needles);
	}
	return r;
}

static const struct cli_option verify_options[] = {
	CLI_OPTION("site-key", 'k', CLI_STRING, struct file_options, key, "PEM",
		   "The site's public key (default: " NEEDLE_SITE_KEY ")"),
};

const struct cli_command cmd_needle_verify = {
	.name = "needle verify",
	.args = "FILE...",
	.min_args = 1,
	.max_args = 1024,
	.summary = "Check needle files as a scan does where signatures are demanded",
	.about = "Exits 0 if each file is whole, signed by the site's key, and not all expired.",
	.options = verify_options,
	.nr_options = ARRAY_SIZE(verify_options),
	.options_size = sizeof(struct file_options),
	.run = run_verify,
};
