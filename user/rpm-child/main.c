// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * keytrail-rpm: looks one file up in the database of rpm, for the daemon. Started by
 * user/trust/rpm.c as `keytrail-rpm DIRECTORY BACKEND PATH`, with its answer's pipe as
 * descriptor 1. librpm is large, and what it reads is large; so it reads nothing but the database,
 * with no rights, and says names and digests only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rpm/header.h>
#include <rpm/rpmdb.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmmacro.h>
#include <rpm/rpmts.h>

#include "rpm-child/walls.h"
#include "trust/rpm-answer.h"

/*
 * librpm tells "not there" and "cannot be read" alike, but for what it logs. A format that it was
 * built without (ndb on Debian) is a warning to it, and an empty database.
 */
static rpmlogLvl worst = RPMLOG_DEBUG;

static int on_log(rpmlogRec record, rpmlogCallbackData data)
{
	if (rpmlogRecPriority(record) < worst)
		worst = rpmlogRecPriority(record);
	return 0;
}

/* A file of this package, as installed: not one that another package has replaced, nor one of the
 * other colour (32 bits beside 64). */
static void take(Header header, int index, struct rpm_answer *answer)
{
	rpmfiles files = rpmfilesNew(NULL, header, 0, RPMFI_FLAGS_QUERY);
	struct rpm_owner *owner = &answer->owners[answer->nr];
	const char *name = headerGetString(header, RPMTAG_NAME);
	const char *arch = headerGetString(header, RPMTAG_ARCH);
	const unsigned char *digest = NULL;
	size_t len = 0;
	int algorithm = 0;

	if (files && name && index >= 0 && (unsigned)index < (unsigned)rpmfilesFC(files) &&
	    rpmfilesFState(files, index) == RPMFILE_STATE_NORMAL) {
		if (!(rpmfilesFFlags(files, index) & RPMFILE_GHOST))
			digest = rpmfilesFDigest(files, index, &algorithm, &len);
		snprintf(owner->package, sizeof(owner->package), "%s%s%s", name, arch ? ":" : "",
			 arch ? arch : "");
		for (size_t i = 0; digest && i < len && 2 * i + 2 < sizeof(owner->digest); i++)
			snprintf(owner->digest + 2 * i, 3, "%02x", digest[i]);
		owner->algorithm = (uint32_t)algorithm;
		answer->nr++;
	}
	rpmfilesFree(files);
}

static int look(const char *dir, const char *backend, const char *path, struct rpm_answer *answer)
{
	rpmdbMatchIterator iterator;
	rpmts ts;
	Header header;

	/* In place of rpm's configuration, which is a language of its own. */
	rpmPushMacro(NULL, "_dbpath", NULL, dir, 0);
	rpmPushMacro(NULL, "_db_backend", NULL, backend, 0);
	ts = rpmtsCreate();
	rpmtsSetRootDir(ts, "/");
	/* Packages were checked as they were installed; the keys are in the same database. */
	rpmtsSetVSFlags(ts, rpmtsVSFlags(ts) | RPMVSF_MASK_NOSIGNATURES);
	if (rpmtsOpenDB(ts, O_RDONLY) != 0 || worst <= RPMLOG_WARNING) {
		rpmtsFree(ts);
		return -EIO;
	}
	iterator = rpmtsInitIterator(ts, RPMDBI_INSTFILENAMES, path, 0);
	while (answer->nr < RPM_OWNERS_MAX && (header = rpmdbNextIterator(iterator)))
		take(header, (int)rpmdbGetIteratorFileNum(iterator), answer);
	rpmdbFreeIterator(iterator);
	rpmtsFree(ts);
	return worst <= RPMLOG_ERR ? -EIO : 0;
}

int main(int argc, char **argv)
{
	struct rpm_answer answer = {.magic = RPM_ANSWER_MAGIC};

	if (argc != 4 || argv[1][0] != '/' || argv[3][0] != '/') {
		fputs("keytrail-rpm is started by keytraild and keytrail only\n", stderr);
		return 2;
	}
	rpmlogSetCallback(on_log, NULL);
	answer.error = walls_enter(argv[1]);
	if (!answer.error)
		answer.error = look(argv[1], argv[2], argv[3], &answer);
	if (answer.error)
		answer.nr = 0;
	/* Exit handlers would want more system calls than there are left. */
	_exit(write(1, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 4);
}
