/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a detector is to the driver (dump.c), and what the driver does for it. A detector is one
 * file with one `const struct detector`, named in the table of detectors.c; the driver knows
 * nothing else of it.
 *
 * One scan of one dump ("job"):
 *
 *	begin -> window, window, ... piece, ... -> settle -> [again, again, ...] -> end -> free
 *
 * window() sees each byte of the dump's memory once as one where something may begin, in no
 * particular order, from several threads at a time: a detector locks what its calls share, or keeps
 * a share for each worker. What must not depend on how many threads there are and which is the
 * faster (of what is more than is kept, what gives way?) is put in order by piece(). All other
 * calls come alone. A detector keeps compact tables, bounded in size, and wipes them in free(): the
 * whole scanner has 64 MiB, of which all detectors together may take 36, whatever the size of the
 * dump.
 *
 * A second look at memory, for what is only known to matter at the end (is this point in the dump?
 * what does this pointer lead to?):
 *   - settle() and end() may read at random, by address or position: detector_read(). Of a stream
 *     (pipe, compressed file) only its first bytes are still there (SOURCE_KEPT), of a seekable
 *     dump all.
 *   - settle() may ask for all windows once more. They come, through again(), where the dump can be
 *     read twice (job->repeatable: also a compressed file, which is unpacked twice); a stream is
 *     gone. So what must be found in streams too has to be collected in the first pass.
 */
#pragma once

#include "scan/bytes.h"
#include "scan/finding.h"
#include "scan/secret.h"

struct run;

enum segment_kind {
	SEGMENT_UNKNOWN = 0, /* raw bytes, or nothing is said about them */
	SEGMENT_ANON, /* memory of a process that belongs to no file */
	SEGMENT_HEAP, /* its brk heap */
	SEGMENT_STACK, /* of one of its threads */
	SEGMENT_FILE, /* mapped from a file: code, data, maybe written to */
	SEGMENT_PHYSICAL, /* pages in the order of their frames */
	SEGMENT_KIND_NR
};

#define WINDOW_BEFORE 512 /* bytes before `from` that are there, unless the segment begins */
#define WINDOW_AFTER  16384 /* bytes after `to`, unless the segment ends */

/*
 * Some memory. What begins in [from, to) is this window's to report and no other's. Bytes before
 * and after are there to be read. Runs of zeros are left out: windows need not touch.
 */
struct window {
	/* Which piece of the pass it is out of: they are numbered as they stand in the dump, from 0
	 * on, and each is one worker's. */
	uint64_t piece;
	struct bytes memory; /* p is aligned to 64 bytes, and lasts for the call */
	size_t from, to; /* in `memory` */
	/* Of memory.p[0]. offset: in the file, or in what was unpacked from it; of packed pages
	 * (kdump) the physical address. */
	uint64_t offset, vaddr;
	bool has_vaddr;
	/*
	 * 8: words of the program stand at multiples of their size from memory.p, up to 8 bytes.
	 * 1: they may stand anywhere (Java's HPROF files).
	 */
	unsigned align;
	enum segment_kind kind;
	/* The runs that begin in it (runs.h): found once for all detectors. For the call. */
	const struct run *runs;
	size_t nr_runs;
};

struct dump;

struct scan_options {
	unsigned workers; /* threads that scan; 0: as many as there are processors */
	bool all_the_time; /* no budgets of work in detectors */
	bool patient; /* for bare numbers many times the budget, but for those of packed data */
	uint64_t unpack_max; /* bytes that packed files may become; 0: as unpack.h says */
	bool keep_secrets; /* for redaction (secret.h) */
	bool digests; /* of what is read, which is then done by one thread */
	const struct needles *needles; /* keys that are looked for; NULL: none */
	const struct token_search *tokens; /* rules, compiled; NULL: none */
};

struct detector_job {
	const struct scan_options *options;
	unsigned workers; /* window() and again() get a number below */
	bool repeatable; /* known in settle(): it may ask for a second pass */
	bool big_endian, bits32; /* of the machine that was dumped, where it is known */
	struct secrets *secrets; /* detector_secret() */
	struct dump *dump; /* the driver's */
};

struct detector {
	const char *name;
	/* -ENOMEM, or 0 and a state. The job lasts until free(). */
	int (*begin)(const struct detector_job *job, void **out_state);
	void (*window)(void *state, unsigned worker, const struct window *window);
	/*
	 * All windows of this piece are through, by the same worker; memory is still there. Comes
	 * for each number once, also where nothing was shown of the piece, and from several threads
	 * at a time. Without memory (p is NULL) nothing of the piece is wanted: it could not be
	 * read, or the pass has ended early; then only others may not be kept waiting. May wait for
	 * those of lower numbers, which wait for no higher one. NULL is fine.
	 */
	void (*piece)(void *state, unsigned worker, const struct window *piece);
	/* All windows are through. True: all of them again, if the job is repeatable. NULL is
	 * fine, as for the next two. */
	bool (*settle)(void *state);
	void (*again)(void *state, unsigned worker, const struct window *window);
	void (*end)(void *state); /* reports what was found by now */
	void (*free)(void *state); /* wipes; also after a scan that failed */
};

extern const struct detector *const detectors[]; /* up to a NULL */

/*
 * For detectors. Both may be called from any thread at any time between begin and free.
 * detector_report(): offset, vaddr and has_vaddr as window_place() sets them, or detector_place().
 */
void detector_report(const struct detector_job *job, const struct finding *finding);
void detector_incomplete(const struct detector_job *job); /* a table is full: the verdict says so */
/* So much of it was not tried, as there is a budget of work: the verdict says what, and that it is
 * incomplete. */
void detector_untried(const struct detector_job *job, enum untried what, uint64_t nr);
/* Not all was tried: the verdict says that, too, and is as good as it was. */
void detector_out_of_budget(const struct detector_job *job);

/*
 * Before detector_report(): the secret that the finding is of, which stays in this process. Sets
 * finding->tag, by which places of one key are put together where it has no public name, and if the
 * dump is to be redacted, the secret is looked for in all its forms.
 */
void detector_secret(const struct detector_job *job, const struct secret *secret,
		     struct finding *finding);

/* In settle() and end(): part(userdata, n) for each n below nr, by as many threads as there are. */
void detector_share(const struct detector_job *job, void (*part)(void *userdata, unsigned n),
		    void *userdata, unsigned nr);

/* From a position in the window's memory to those in the finding. */
static inline void window_place(const struct window *window, size_t at, struct finding *finding)
{
	finding->offset = window->offset + at;
	finding->has_vaddr = window->has_vaddr;
	finding->vaddr = window->has_vaddr ? window->vaddr + at : 0;
}

/* Sets a finding's offset, and its address where the dump has addresses. */
void detector_place(const struct detector_job *job, uint64_t offset, struct finding *finding);

/*
 * In settle() and end(): reads memory at an address of the dumped process, over the seams of
 * adjacent segments. The number of bytes got, fewer than len where they end; 0 if there are none,
 * or if they went by with the stream. *out_offset: where the first one stands; may be NULL.
 */
size_t detector_read(const struct detector_job *job, uint64_t vaddr, void *out, size_t len,
		     uint64_t *out_offset);
/* The same by position. */
size_t detector_read_at(const struct detector_job *job, uint64_t offset, void *out, size_t len);
