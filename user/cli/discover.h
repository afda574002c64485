/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths of keys and dumps that only configurations know: IdentityFile, HostKey, ssl_certificate_key
 * and the like, key files of kubeconfigs, core_pattern.
 *
 * Not a parser of these languages: each is read line by line for the one word that is followed by a
 * path. What has variables or tokens in it that only the program could fill is told as such.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is looked for where. */
struct discover_kind {
	const char *files; /* glob(7) pattern; `~/` at the beginning: in each home, as its user */
	const char *word; /* that the path stands behind; compared without case */
	bool anywhere; /* the word may stand in the middle of a line */
	const char *watch; /* entry of the default policy that the path belongs to */
	const char
		*relative_to; /* of paths that do not begin with `/`; NULL: the file's directory */
};

extern const struct discover_kind discover_kinds[]; /* .files NULL ends it */

struct discovered {
	const char *path; /* absolute; resolved, if it is there */
	const char *watch;
	const char *file;
	unsigned line;
	const char *unclear; /* NULL, or why the path is not one: then it is as written */
};
typedef void (*discover_fn)(void *ctx, const struct discovered *found);

/*
 * The path in one line of a file of this kind, into `out`: false if there is none. home: what `~`
 * and `%d` stand for, NULL = nothing. *out_unclear as above. Pure.
 */
bool discover_line(const struct discover_kind *kind, const char *line, const char *dir,
		   const char *home, char *out, size_t size, const char **out_unclear);

/*
 * Reads the files of all kinds below `root` ("" for the host). Files of the host are read only if
 * root alone can change them; those in homes by a child that is the home's owner. -ENOMEM or
 * another negative errno.
 */
int discover_all(const char *root, const char *const *homes, size_t nr_homes, discover_fn fn,
		 void *ctx);

/*
 * The pattern under which a core_pattern puts dumps; false if it names no directory, or a program.
 * *out_sample: a path that the pattern would make.
 */
bool discover_core_pattern(const char *core_pattern, char *out, char *out_sample, size_t size);
