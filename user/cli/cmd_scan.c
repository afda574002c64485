// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail scan`: is key material in these files, and whose key is it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "cli/cli.h"
#include "scan/scanner.h"

#define SCAN_FOUND     1
#define SCAN_COULD_NOT 2

struct options {
	bool json;
	bool all;
};

struct output {
	const struct options *options;
	char *file; /* escaped */
	unsigned found, others;
	uint64_t bytes, flags;
};

/* What is a secret of somebody's; the rest is shown with --all. */
static bool counts(const struct finding *f)
{
	return f->class == CLASS_PROVEN || f->class == CLASS_LIKELY || f->class == CLASS_ENCRYPTED;
}

static void print_text(const struct output *output, const struct finding *f)
{
	printf("%s: %s %s", output->file, finding_class_str(f->class), finding_what_str(f->what));
	if (f->id.kind)
		printf(" %s", key_kind_str(f->id.kind));
	if (f->bits)
		printf(" %u", f->bits);
	printf(" (%s) at offset 0x%" PRIx64, finding_layout_str(f->layout), f->offset);
	if (f->has_vaddr)
		printf(", address 0x%" PRIx64, f->vaddr);
	if (f->id.ssh_fp[0])
		printf(", %s", f->id.ssh_fp);
	if (f->id.comment[0])
		printf(", \"%s\"", f->id.comment);
	putchar('\n');
}

static void hex(const uint8_t *p, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static int print_json(const struct output *output, const struct finding *f)
{
	json_auto_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:i, s:I}", "file", output->file, "class",
			  finding_class_str(f->class), "what", finding_what_str(f->what), "layout",
			  finding_layout_str(f->layout), "bits", f->bits, "offset",
			  (json_int_t)f->offset);
	char spki[65];

	if (!object)
		return -ENOMEM;
	if (f->has_vaddr) {
		char address[24];

		/* As text: JSON numbers do not reach 64 bits everywhere. */
		snprintf(address, sizeof(address), "0x%" PRIx64, f->vaddr);
		json_object_set_new(object, "address", json_string(address));
	}
	if (f->id.kind)
		json_object_set_new(object, "kind", json_string(key_kind_str(f->id.kind)));
	if (f->id.has_spki) {
		hex(f->id.spki, sizeof(f->id.spki), spki);
		json_object_set_new(object, "spki_sha256", json_string(spki));
	}
	if (f->id.ssh_fp[0])
		json_object_set_new(object, "fingerprint", json_string(f->id.ssh_fp));
	if (f->id.comment[0])
		json_object_set_new(object, "comment", json_string(f->id.comment));
	json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	return 0;
}

static int on_finding(void *userdata, const struct finding *f)
{
	struct output *output = userdata;

	if (f->what == FINDING_END) {
		output->bytes = f->offset;
		output->flags = f->vaddr;
		return 0;
	}
	if (counts(f))
		output->found++;
	else
		output->others++;
	if (!counts(f) && !output->options->all)
		return 0;
	if (output->options->json)
		return print_json(output, f);
	print_text(output, f);
	return 0;
}

static void summary(const struct output *output)
{
	fprintf(stderr, "%s: %u found in %" PRIu64 " bytes%s%s", output->file, output->found,
		output->bytes, output->flags & FINDING_CORE ? " of memory" : "",
		output->found ? "" : ", clean as far as this scan sees");
	if (output->others && !output->options->all)
		fprintf(stderr, "; %u of random generators and tests not shown (--all)",
			output->others);
	if (output->flags & FINDING_TRUNCATED)
		fprintf(stderr, "; the dump is cut off");
	if (output->flags & FINDING_INCOMPLETE)
		fprintf(stderr, "; more was there than could be kept, so there may be more");
	fputc('\n', stderr);
}

static int scan_file(const struct options *options, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *name = malloc(4 * strlen(path) + 1);
	static const struct scanner_events events = {.found = on_finding};
	struct scanner_input input = {.fd = fd, .maps_fd = -1};
	struct output output = {.options = options, .file = name};
	int err;

	if (!name)
		return SCAN_COULD_NOT;
	escape_bytes(path, strlen(path), name, 4 * strlen(path) + 1, NULL);
	err = fd < 0 ? -errno : 0;
	fflush(stdout); /* the scanner is a fork */
	if (!err)
		err = scanner_run(&input, &events, &output);
	if (err < 0) {
		fprintf(stderr, "keytrail: %s: %s\n", name,
			err == -ESPIPE ? "cannot be read twice: write it to a file first"
				       : scanner_strerror(err));
		return SCAN_COULD_NOT;
	}
	summary(&output);
	return output.found ? SCAN_FOUND : 0;
}

static int run(const void *options, int argc, char **argv)
{
	bool found = false, failed = false;

	for (int i = 0; i < argc; i++) {
		int r = scan_file(options, argv[i]);

		found |= r == SCAN_FOUND;
		failed |= r == SCAN_COULD_NOT;
	}
	/* A file that was not looked at is not clean. */
	return failed ? SCAN_COULD_NOT : found ? SCAN_FOUND : 0;
}

static const struct cli_option options_table[] = {
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "Print one JSON object for each finding"),
	CLI_OPTION("all", 'a', CLI_FLAG, struct options, all, NULL,
		   "Show the keys of random generators and of self tests, too"),
};

const struct cli_command cmd_scan = {
	.name = "scan",
	.args = "FILE...",
	.min_args = 1,
	.max_args = 1024,
	.summary = "Look for private keys in core dumps and other files",
	.about =
		"Reads ELF cores (64 bits, little endian) by their segments and anything else as\n"
		"raw bytes, and looks for RSA keys as bare numbers (proven by division), private\n"
		"keys in PEM, DER and OpenSSH form, and AES key schedules. Prints what, where, and\n"
		"the public fingerprint; never key bytes. For an RSA key found as bare numbers the\n"
		"fingerprint supposes the public exponent 65537. Compressed files are not\n"
		"unpacked. The bytes are read in a sandboxed process.\n"
		"\n"
		"Exits 0 if nothing was found, 1 if something was, 2 if a file could not be\n"
		"scanned.",
	.options = options_table,
	.nr_options = ARRAY_SIZE(options_table),
	.options_size = sizeof(struct options),
	.run = run,
};
