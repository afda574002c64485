// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a record of the evidence log costs: made of an access, sealed, written, proved again.
 *
 *	bench_journal [RECORDS [DIR]]	default 200,000, below /tmp
 *
 * The accesses are those of sshd reading a host key, all different. They are flushed by the
 * hundred, as a turn of the daemon's loop does, and brought to the disk by its thread; the time
 *until the last one is there counts. Under callgrind (--tool=callgrind) it says what a record costs
 *in instructions: the same on every machine.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "journal/journal.h"
#include "journal/verify.h"

#define S  1000000000ULL
#define T0 (1700000000 * S)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

static void die(const char *what, int error)
{
	fprintf(stderr, "bench_journal: %s: %s\n", what, strerror(-error));
	exit(1);
}

static void make_access(uint64_t n, struct body *body)
{
	static const struct key_identity key = {
		.kind = KEY_ED25519,
		.has_spki = true,
		.bits = 256,
		.ssh_fp = "SHA256:kA5Xm1fQxXw1u4d0rXoUQm7a1B9u2pO1iVYcV1W3s0Q",
	};
	const struct evidence evidence = {
		.now_ns = T0 + n * 1000,
		.count = 1,
		.first_ns = T0 + n * 1000,
		.last_ns = T0 + n * 1000,
		.action = ACTION_READ,
		.how = "open",
		.verdict = VERDICT_ALLOW,
		.why = "the policy allows this program",
		.file = "/usr/local/share/keytrail/policy.d/10-ssh.yaml",
		.line = 31,
		.process = {.tgid = (uint32_t)(1000 + n % 30000), .start = n * 1000},
		.loginuid = UID_UNSET,
		.session = UID_UNSET,
		.user = "root",
		.exe = span_of("/usr/sbin/sshd"),
		.exe_trust = EXE_VERIFIED,
		.args = "/usr/sbin/sshd -D -R",
		.unit = "ssh.service",
		.container = "",
		.inode = {.ino = 5000 + n % 10, .dev = 8388609},
		.path = span_of("/etc/ssh/ssh_host_ed25519_key"),
		.watch = "ssh-host-keys",
		.object_class = "ssh-host-key",
		.key = &key,
	};

	body_access(body, &evidence);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int main(int argc, char **argv)
{
	const uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
	char dir[256] = "/tmp/keytrail-bench-XXXXXX", path[300];
	struct journal_options options = {.dir = path, .max_bytes = 1ULL << 40, .thread = true};
	static struct body body;
	struct verify_result proof;
	struct journal *journal;
	uint64_t start, wrote, synced, proved;
	int r;

	if (argc > 2)
		snprintf(dir, sizeof(dir), "%s/keytrail-bench-XXXXXX", argv[2]);
	if (!mkdtemp(dir))
		die("mkdtemp", -errno);
	snprintf(path, sizeof(path), "%s/log", dir);
	r = journal_new(&options, &journal);
	if (!r)
		r = journal_sync(journal, T0);
	if (r < 0)
		die(path, r);
	start = now();
	for (uint64_t n = 0; n < records; n++) {
		make_access(n, &body);
		r = journal_append(journal, JOURNAL_ACCESS, &body, T0 + n * 1000);
		if (r < 0)
			die("append", r);
		if (n % 100 == 99)
			journal_tick(journal, T0 + n * 1000, now());
	}
	wrote = now();
	r = journal_sync(journal, T0 + records * 1000);
	if (r < 0)
		die("sync", r);
	synced = now();
	journal_free(journal);
	r = verify_directory(path, NULL, 0, &proof);
	if (r < 0 || proof.fault)
		die("verify", r);
	proved = now();
	printf("%.0f records/s written, %.0f with the disk, %.0f proved; %.0f bytes each\n",
	       (double)records * 1e9 / (double)(wrote - start),
	       (double)records * 1e9 / (double)(synced - start),
	       (double)proof.records * 1e9 / (double)(proved - synced),
	       (double)proof.bytes / (double)proof.records);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) ? 1 : 0;
}
