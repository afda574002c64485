// SPDX-License-Identifier: GPL-2.0-or-later
/* Copy, overwrite, look again. */
#include "cli/scan_redact.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "scanq/scan_verdict.h"
#include "scan/scanner.h"

#define ROUNDS_MAX 4
#define PIECE	   (1 << 20)

/* --- the copy --- */

static int write_all(int fd, const uint8_t *p, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int copy_data(int from, int to, uint64_t at, uint64_t end, uint8_t *buffer)
{
	while (at < end) {
		size_t want = end - at < PIECE ? (size_t)(end - at) : PIECE;
		ssize_t n = pread(from, buffer, want, (off_t)at);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO; /* it shrinks: no copy of anything */
		err = write_all(to, buffer, (size_t)n, at);
		if (err < 0)
			return err;
		at += (uint64_t)n;
	}
	return 0;
}

static int copy_sparse(int from, int to, uint64_t size)
{
	_cleanup_free_ uint8_t *buffer = malloc(PIECE);
	uint64_t at = 0;
	int err = 0;

	if (!buffer)
		return -ENOMEM;
	if (ftruncate(to, (off_t)size) < 0)
		return -errno;
	while (at < size && !err) {
		off_t data = lseek(from, (off_t)at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);

		if (data < 0 && errno == ENXIO)
			break; /* a hole to the end */
		if (data < 0 || hole < 0) { /* a file system without holes */
			data = (off_t)at;
			hole = (off_t)size;
		}
		err = copy_data(from, to, (uint64_t)data, (uint64_t)hole, buffer);
		at = (uint64_t)hole;
	}
	explicit_bzero(buffer, PIECE);
	return err;
}

/* --- one round: which ranges, and away with them --- */

struct round {
	int out;
	uint64_t size;
	struct scan_verdict verdict;
	unsigned dumps;
	struct redaction redaction;
};

static int on_about(void *userdata, const struct scan_about *about)
{
	struct round *round = userdata;

	/* Positions are the file's only where the file is the memory. */
	if (round->dumps++ || about->depth || about->container == CONTAINER_KDUMP ||
	    about->container == CONTAINER_KDUMP_FLAT || about->container == CONTAINER_AVML ||
	    about->container == CONTAINER_PROCESS || about->container == CONTAINER_ARCHIVE)
		return -ENOTSUP;
	scan_verdict_init(&round->verdict, about);
	return 0;
}

static int overwrite(struct round *round, uint64_t offset, uint64_t len)
{
	uint8_t x[4096];

	if (offset > round->size || len > round->size - offset)
		return -EBADMSG;
	round->redaction.ranges++;
	round->redaction.bytes += len;
	memset(x, 'X', sizeof(x));
	while (len) {
		size_t n = len < sizeof(x) ? (size_t)len : sizeof(x);
		int err = write_all(round->out, x, n, offset);

		if (err < 0)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

static int on_finding(void *userdata, const struct finding *finding)
{
	struct round *round = userdata;

	if (finding->what == FINDING_RANGE)
		return round->out < 0 ? 0 : overwrite(round, finding->offset, finding->vaddr);
	return scan_verdict_add(&round->verdict, finding);
}

static const struct scanner_events events = {.about = on_about, .found = on_finding};

/*
 * Was all of it tried? A detector that gave up may have left a whole key, if only a seed amid other
 * bytes (SCAN_BUDGET alone), so this is more than that there is no verdict of "found". What is not
 * in the file (a core that is cut off) is no such thing.
 */
static bool is_complete(const struct scan_verdict *verdict)
{
	return !(verdict->flags & (SCAN_INCOMPLETE | SCAN_BUDGET)) && !verdict->findings_left_out;
}

/* out: -1 to look only; -EOVERFLOW: not all was tried. 1: there were keys that count. */
static int look(int fd, const struct scan_options *options, struct round *round)
{
	struct scanner_input input = {.fd = fd, .maps_fd = -1, .options = *options};
	int err;

	input.options.keep_secrets = round->out >= 0;
	input.options.patient = true;
	round->dumps = 0;
	err = scanner_run(&input, &events, round);
	if (!err)
		err = scan_verdict_outcome(&round->verdict) == OUTCOME_FOUND;
	if (!err && round->out < 0 && !is_complete(&round->verdict)) {
		memcpy(round->redaction.untried, round->verdict.untried,
		       sizeof(round->redaction.untried));
		err = -EOVERFLOW;
	}
	scan_verdict_fini(&round->verdict);
	return err;
}

/* Each round looks at what the last one left, and the last one tries all and finds nothing. */
static int redact(int in, int out, const struct scan_options *options, struct round *round)
{
	int r;

	for (unsigned i = 1; i <= ROUNDS_MAX; i++) {
		uint64_t before = round->redaction.ranges;

		round->out = out;
		r = look(i == 1 ? in : out, options, round);
		if (r < 0)
			return r;
		round->redaction.rounds = i;
		round->out = -1;
		r = look(out, options, round);
		if (r <= 0)
			return r;
		if (round->redaction.ranges == before)
			break; /* another round would do nothing either */
	}
	return -EILSEQ;
}

/*
 * Under the copy's name there is nothing before all keys are out of it: who is interrupted, or
 * killed, leaves no dump that looks redacted. Where a file system has no files without a name, it
 * is *out_part until then, which then stays.
 */
static int copy_open(const char *path, char **out_part)
{
	_cleanup_free_ char *copy = strdup(path);
	int fd;

	if (!copy)
		return -ENOMEM;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	fd = open(dirname(copy), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* EISDIR: of a kernel's file system that knows no such flag; EINVAL: of FUSE's servers. */
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	if (asprintf(out_part, "%s.part", path) < 0) {
		*out_part = NULL;
		return -ENOMEM;
	}
	fd = open(*out_part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0) {
		fd = -errno;
		free(*out_part); /* not ours to remove */
		*out_part = NULL;
	}
	return fd;
}

/* -EEXIST: somebody made such a file meanwhile. */
static int copy_name(int fd, const char *part, const char *path)
{
	char self[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	if (part) {
		/* NFS has links and cannot rename so, FAT the other way round. */
		if (link(part, path) == 0)
			return unlink(part) < 0 ? -errno : 0;
		if (errno != EPERM && errno != EOPNOTSUPP)
			return -errno;
		return renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) < 0 ? -errno : 0;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int scan_redact(int fd, const struct scan_options *options, const char *path,
		struct redaction *out_redaction)
{
	_cleanup_free_ char *part = NULL;
	_cleanup_close_ int out = -1;
	struct round round = {.out = -1};
	struct stat st;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	out = copy_open(path, &part);
	if (out < 0)
		return out;
	round.size = (uint64_t)st.st_size;
	err = copy_sparse(fd, out, round.size);
	if (!err)
		err = redact(fd, out, options, &round);
	/* A copy with everything in it would be no copy of a dump, but one of any file. */
	if (!err && !round.redaction.ranges)
		err = -ENODATA;
	if (!err && fsync(out) < 0)
		err = -errno;
	if (!err)
		err = copy_name(out, part, path);
	if (err == -EOVERFLOW)
		memcpy(out_redaction->untried, round.redaction.untried,
		       sizeof(out_redaction->untried));
	if (err < 0) {
		if (part)
			unlink(part);
		return err;
	}
	*out_redaction = round.redaction;
	return 0;
}

const char *scan_redact_strerror(int error)
{
	switch (error) {
	case -ENODATA:
		return "no key was found in it, so that there is nothing to overwrite: no copy is made";
	case -ENOTSUP:
		return "only a plain dump can be redacted: unpack it first";
	case -E2BIG:
		return "more keys than can be redacted at once";
	case -EILSEQ:
		return "keys are still found after all that could be overwritten was";
	case -EOVERFLOW:
		return "there is more in it than is tried as keys, so some may be left in a copy; one "
		       "with less memory in it (core(5), coredump_filter) may do";
	case -EEXIST:
		return "the copy's file is there already";
	default:
		return scanner_strerror(error);
	}
}
