// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail inventory`: which private keys lie where, and which of them should not lie so. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/inventory.h"
#include "cli/last_read.h"
#include "cli/policy_source.h"
#include "cli/term.h"
#include "scan/child.h"

#define SECONDS_A_DAY 86400

struct options {
	struct cli_list policy;
	uint64_t max_names, stale_days;
	bool json, network;
	const char *program, *trail, *socket;
};

/* --- setting up --------------------------------------------------------------------------------
 */

/* Others' reads and writes come first: an inventory has time. */
static void be_modest(void)
{
	enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_IDLE = 3, IOPRIO_CLASS_SHIFT = 13 };

	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
	if (nice(10) < 0)
		errno = 0;
}

static void on_progress(void *ctx, const struct inventory *so_far)
{
	if (so_far->read % 16 == 0)
		fprintf(stderr, "\r%" PRIu64 " names, %" PRIu64 " files read, %zu keys ",
			so_far->names, so_far->read, so_far->nr);
}

/* The trees that are named, resolved; without any all homes, and what the policy leads to. */
static int list_trees(int argc, char **argv, const struct cli_homes *homes, char ***out_trees,
		      size_t *out_nr)
{
	size_t nr = argc ? (size_t)argc : homes->nr, kept = 0;
	char **trees = calloc(nr + 1, sizeof(*trees));

	if (!trees)
		return CLI_FAILED;
	for (size_t i = 0; i < nr; i++) {
		char *real = realpath(argc ? argv[i] : homes->list[i], NULL);

		/* Service accounts share directories, or have none. */
		if (real && (argc || strcmp(real, "/")) &&
		    (argc || (strncmp(real, "/usr", 4) && strncmp(real, "/bin", 4) &&
			      strcmp(real, "/var")))) {
			trees[kept++] = real;
			continue;
		}
		free(real);
		if (!argc)
			continue;
		fprintf(stderr, "keytrail inventory: %s: %s\n", argv[i], strerror(errno));
		for (size_t k = 0; k < kept; k++)
			free(trees[k]);
		free(trees);
		return CLI_FAILED;
	}
	*out_trees = trees;
	*out_nr = kept;
	return 0;
}

/* --- telling -----------------------------------------------------------------------------------
 */

static const char *user_name(uint32_t uid, char buf[static 64])
{
	const struct passwd *pw = getpwuid(uid);

	if (pw)
		escape_bytes(pw->pw_name, strlen(pw->pw_name), buf, 64, NULL);
	else
		snprintf(buf, 64, "%" PRIu32, uid);
	return buf;
}

static char *escaped(const char *s)
{
	size_t len = strlen(s), size = 4 * len + 1;
	char *text = malloc(size);

	if (text)
		escape_bytes(s, len, text, size, NULL);
	return text;
}

static const char *class_of(const struct policy *policy, const struct inventory_key *key)
{
	return key->watch ? object_class_str(policy_watch(policy, key->watch)->object_class) : "";
}

static const char *fingerprint(const struct key_identity *id, char buf[static 80])
{
	if (id->ssh_fp[0])
		return id->ssh_fp;
	if (!id->has_spki)
		return "";
	snprintf(buf, 80, "spki:");
	for (size_t i = 0; i < sizeof(id->spki); i++)
		snprintf(buf + 5 + 2 * i, 80 - 5 - 2 * i, "%02x", id->spki[i]);
	return buf;
}

static void print_key(const struct term *term, const struct policy *policy,
		      const struct inventory *inventory, const struct inventory_key *key,
		      const struct last_reads *reads, int64_t now)
{
	_cleanup_free_ char *path = escaped(key->path), *same = NULL;
	char owner[64], fp[80];

	term_put(term, STYLE_BOLD, path ? path : "?");
	printf("\n  %s", key_kind_str(key->id.kind));
	if (key->id.bits)
		printf(" %u", key->id.bits);
	if (*fingerprint(&key->id, fp))
		printf(" %s%s", fingerprint(&key->id, fp),
		       key->id.source == KEYSRC_SIBLING	 ? " (by the .pub beside it)"
		       : key->id.source == KEYSRC_STATED ? " (as the file says, unverified)"
							 : "");
	printf("\n  %s, %s, owner %s, mode %04o, %" PRId64 " days old",
	       key->watch ? policy_watch(policy, key->watch)->name : "no watch entry",
	       key->id.encrypted ? "with a passphrase" : "without passphrase",
	       user_name(key->uid, owner), key->mode, (now - key->modified) / SECONDS_A_DAY);
	if (key->id.comment[0])
		printf(", \"%s\"", key->id.comment);
	printf("\n");
	last_reads_print(reads, key->path);
	for (uint32_t f = 1; f <= FINDING_ALL; f <<= 1)
		if (key->findings & f) {
			printf("  ");
			term_put(term, f == FINDING_WORLD_READABLE ? STYLE_BAD : STYLE_WARN,
				 inventory_finding_str((enum inventory_finding)f));
			if (f == FINDING_DUPLICATE && key->same_as) {
				same = escaped(inventory->keys[key->same_as - 1].path);
				printf(" of %s", same ? same : "?");
			}
			printf("\n");
		}
}

static int print_json(const struct policy *policy, const struct inventory *inventory,
		      const struct inventory_key *key, const struct last_reads *reads, int64_t now)
{
	const struct key_identity *id = &key->id;
	_cleanup_free_ char *path = escaped(key->path), *same = NULL;
	json_auto_t *object = NULL, *findings = json_array();
	char owner[64], fp[80], spki[65] = "", mode[8];

	if (key->same_as)
		same = escaped(inventory->keys[key->same_as - 1].path);
	for (size_t i = 0; id->has_spki && i < sizeof(id->spki); i++)
		snprintf(spki + 2 * i, sizeof(spki) - 2 * i, "%02x", id->spki[i]);
	for (uint32_t f = 1; findings && f <= FINDING_ALL; f <<= 1)
		if (key->findings & f)
			json_array_append_new(findings, json_string(inventory_finding_str(
								(enum inventory_finding)f)));
	snprintf(mode, sizeof(mode), "%04o", key->mode & 07777U);
	object = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:s, s:s, s:i, s:s, s:s, "
			   "s:I, s:I, s:O, s:s}",
			   "path", path ? path : "", "watch",
			   key->watch ? policy_watch(policy, key->watch)->name : "", "class",
			   class_of(policy, key), "type", key_kind_str(id->kind), "bits",
			   (int)id->bits, "fingerprint", fingerprint(id, fp), "spki_sha256", spki,
			   "format", key_format_str(id->format), "encrypted", (int)id->encrypted,
			   "comment", id->comment, "source",
			   id->source == KEYSRC_FILE	  ? "file"
			   : id->source == KEYSRC_STATED  ? "stated"
			   : id->source == KEYSRC_SIBLING ? "sibling"
							  : "",
			   "owner", (int)key->uid, "owner_user", user_name(key->uid, owner), "mode",
			   mode, "modified", (json_int_t)key->modified, "age_days",
			   (json_int_t)((now - key->modified) / SECONDS_A_DAY), "findings",
			   findings, "duplicate_of", same ? same : "");
	if (!object || !last_reads_json(reads, key->path, object) ||
	    json_dumpf(object, stdout, JSON_COMPACT) < 0)
		return CLI_FAILED;
	fputc('\n', stdout);
	return 0;
}

static void print_sum(const struct inventory *inventory)
{
	size_t counts[8] = {0}, plain = 0;
	unsigned n;

	for (size_t i = 0; i < inventory->nr; i++) {
		plain += !inventory->keys[i].id.encrypted;
		n = 0;
		for (uint32_t f = 1; f <= FINDING_ALL; f <<= 1, n++)
			counts[n] += (inventory->keys[i].findings & f) != 0;
	}
	printf("%s%zu key%s, %zu without passphrase", inventory->nr ? "\n" : "", inventory->nr,
	       inventory->nr == 1 ? "" : "s", plain);
	n = 0;
	for (uint32_t f = 1; f <= FINDING_ALL; f <<= 1, n++)
		if (counts[n])
			printf(", %zu %s", counts[n],
			       inventory_finding_str((enum inventory_finding)f));
	printf("\n");
}

/* What may have been missed is said, on stderr, so that --json stays what it is. */
static void print_gaps(const struct inventory *inventory)
{
	if (inventory->unreadable)
		fprintf(stderr, "%" PRIu64 " files or directories could not be opened%s\n",
			inventory->unreadable, geteuid() ? " (root can)" : "");
	if (inventory->failed)
		fprintf(stderr, "%" PRIu64 " files could not be looked into\n", inventory->failed);
	if (inventory->network)
		fprintf(stderr,
			"%" PRIu64 " network mounts were not entered (--network enters them)\n",
			inventory->network);
	if (inventory->bounded)
		fprintf(stderr, "There was more than --max-names lets be looked at in one tree\n");
}

/* --- running -----------------------------------------------------------------------------------
 */

static int tell(const struct options *options, const struct policy *policy,
		const struct inventory *inventory, int64_t now)
{
	struct last_reads reads;
	struct term term;
	int code = 0;

	last_reads_open(options->trail, &reads);
	term_init(&term, stdout);
	for (size_t i = 0; i < inventory->nr && !code; i++) {
		if (options->json)
			code = print_json(policy, inventory, &inventory->keys[i], &reads, now);
		else
			print_key(&term, policy, inventory, &inventory->keys[i], &reads, now);
	}
	if (!options->json)
		print_sum(inventory);
	print_gaps(inventory);
	last_reads_close(&reads);
	last_reads_print_search(options->socket ? options->socket : CLI_SOCKET_DEFAULT);
	return code;
}

static int make(const struct options *options, const struct policy *policy,
		const struct watchset *set, char **trees, size_t nr, bool whole_policy)
{
	const struct inventory_config config = {
		.policy = policy,
		.set = set,
		.trees = (const char *const *)trees,
		.nr_trees = nr,
		.whole_policy = whole_policy,
		.network = options->network,
		.max_names = options->max_names,
		.now = time(NULL),
		.stale_days = (uint32_t)options->stale_days,
		.program = options->program,
		.progress = isatty(STDERR_FILENO) ? on_progress : NULL,
	};
	struct inventory inventory;
	int r, code;

	be_modest();
	r = inventory_make(&config, &inventory);
	if (config.progress)
		fprintf(stderr, "\r%60s\r", "");
	if (r < 0) {
		fprintf(stderr, "keytrail inventory: %s\n",
			r == -ENOMEM ? "out of memory" : scan_child_strerror(r));
		return CLI_FAILED;
	}
	code = tell(options, policy, &inventory, config.now);
	inventory_fini(&inventory);
	return code;
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_(watchset_freep) struct watchset *set = NULL;
	struct cli_homes homes = {NULL, 0};
	struct diag_list diags = {0};
	char **trees = NULL;
	size_t nr = 0;
	int code = policy_source_load("inventory", &options->policy, &policy);

	if (code)
		return code;
	if (!options->max_names || options->stale_days > 100000) {
		fprintf(stderr, "keytrail inventory: --max-names must not be 0, --stale-days at "
				"most 100000\n");
		return CLI_USAGE;
	}
	if (cli_homes_read(NULL, &homes) < 0 ||
	    watchset_compile(policy, (const char *const *)homes.list, homes.nr, 1, &diags, &set) <
		    0) {
		diag_print(&diags, stderr);
		code = CLI_FAILED;
	}
	if (!code)
		code = list_trees(argc, argv, &homes, &trees, &nr);
	if (!code)
		code = make(options, policy, set, trees, nr, argc == 0);
	for (size_t i = 0; i < nr; i++)
		free(trees[i]);
	free(trees);
	diag_list_fini(&diags);
	cli_homes_fini(&homes);
	return code;
}

static void defaults(void *p)
{
	struct options *options = p;

	options->max_names = 200000;
	options->stale_days = 365;
}

static const struct cli_option options[] = {
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "One JSON object per key and line (docs/inventory.md)"),
	CLI_OPTION("network", 0, CLI_FLAG, struct options, network, NULL,
		   "Enter network mounts (NFS, SMB, FUSE, ...)"),
	CLI_OPTION("stale-days", 0, CLI_UINT, struct options, stale_days, "DAYS",
		   "A key that has not changed for so long is stale (365)"),
	CLI_OPTION("max-names", 0, CLI_UINT, struct options, max_names, "NUMBER",
		   "Look at so many names in one tree at most (200000)"),
	CLI_OPTION("policy", 'p', CLI_LIST, struct options, policy, "FILE",
		   "Policy to go by instead of the installed one; may be given again"),
	CLI_OPTION("trail", 0, CLI_STRING, struct options, trail, "FILE",
		   "Database of the trail to ask who read a key last"),
	CLI_OPTION("socket", 0, CLI_STRING, struct options, socket, "PATH",
		   "Control socket of the daemon, to ask how far its search is"),
	CLI_OPTION("program", 0, CLI_STRING, struct options, program, "FILE",
		   "keytrail-scan to use instead of the installed one"),
};

const struct cli_command cmd_inventory = {
	.name = "inventory",
	.args = "[DIRECTORY...]",
	.max_args = 1024,
	.summary = "List the private keys of this host",
	.about =
		"Finds the keys that the policy names and, by what files begin with, others in all "
		"homes; or in\n"
		"the directories given. Each with its public fingerprint, whether it has a "
		"passphrase, owner,\n"
		"mode and age. Points out what everybody can read, what is old, what stands twice, "
		"what no\n"
		"watch entry is about; and who read it last, as far as the trail has it on record. Files "
		"are read\n"
		"in a sandbox; links are not followed, network mounts not entered. At the end, on "
		"standard error,\n"
		"how far the daemon's own search for keys is.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.defaults = defaults,
	.run = run,
};
