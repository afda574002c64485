// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * keytrail-scan-dump: the child that looks for keys in a dump for the daemon. Started by
 * user/scan/scanner.c with the dump as descriptor 0, the channel as 1 and a needle file, or
 * /dev/null, as 3; opens no dump itself.
 *
 *	keytrail-scan-dump UNPACK-MAX CPU-SECONDS
 *
 * A program apart from keytrail-scan, which is started once for each key file and so must not wait
 * for the unpackers and automata of this one to be linked.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/ioprio.h>
#include <openssl/crypto.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "policy/tokenrules.h"
#include "scan/detect-token.h"
#include "scan/needle-site.h"
#include "scan/scanner-child.h"
#include "scan/wipe.h"

/* Nobody is to notice. What cannot be had is not worth a scan left undone. */
static void step_back(void)
{
	static const struct sched_param none = {0};
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	setpriority(PRIO_PROCESS, 0, 19);
	sched_setscheduler(0, SCHED_IDLE, &none);
	/* Where memory is short, this goes and not the daemon, whose score it has. */
	if (fd >= 0)
		(void)!write(fd, "500", 3);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static int number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoumax(text, &end, 10);
	return errno || *end || end == text ? -EINVAL : 0;
}

/* The daemon has checked it, signature and all; it is of root's making. */
static int read_needles(struct needles *needles)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list diags = {0};
	struct stat st;
	size_t len = 0;
	int err;

	if (fstat(3, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		ssize_t n = pread(3, text + len, (size_t)st.st_size - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		len += (size_t)n;
	}
	err = needles_parse("needles", text, len, &diags, needles);
	diag_list_fini(&diags);
	return err;
}

/* Without the processor's help tokens are not looked for. */
static int read_tokens(struct token_rules *rules, struct token_search **out_search)
{
	struct diag_list diags = {0};
	int err = token_rules_load(NULL, &diags, rules);

	if (!err)
		err = token_search_new(rules, &diags, out_search);
	diag_list_fini(&diags);
	return err == -ENOTSUP ? 0 : err;
}

int main(int argc, char **argv)
{
	static struct needles needles;
	static struct token_rules rules;
	struct token_search *tokens = NULL;
	struct dump_input dump = {.fd = 0, .maps_fd = -1, .options.workers = 1};
	uint64_t unpack_max, seconds;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (argc != 3 || number(argv[1], &unpack_max) < 0 || number(argv[2], &seconds) < 0 ||
	    !seconds || seconds > UINT32_MAX) {
		fputs("keytrail-scan-dump is started by keytraild only\n", stderr);
		return 2;
	}
	close_range(4, ~0U, 0);
	step_back();
	if (wipe_libcrypto() < 0 || OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return 3;
	if (read_needles(&needles) < 0 || read_tokens(&rules, &tokens) < 0)
		return 4;
	dump.options.needles = needles.nr ? &needles : NULL;
	dump.options.tokens = tokens;
	dump.options.unpack_max = unpack_max;
	dump.options.digests = true;
	scanner_child(&dump, (uint32_t)seconds);
}
