// SPDX-License-Identifier: GPL-2.0-or-later
/* Which script an interpreter says that it runs. */
#include "proc/claim.h"

#include <string.h>

#include "base/cleanup.h"
#include "model/interpreter.h"

/*
 * Letters of options as each interpreter's manual page has them (python(1), perlrun(1), ruby(1),
 * bash(1), dash(1)). What is not here may load code, and then the operand is not all that runs.
 */
struct interpreter {
	const char *name; /* interpreter_name() */
	const char *plain; /* letters that stand alone, and may be joined */
	const char *joined; /* letters whose value is the rest of the argument */
	const char *valued; /* letters whose value is that, or the next argument */
	const char *const *longs; /* long options without a value */
};

static const char *const no_longs[] = {NULL};
static const char *const bash_longs[] = {"--noprofile",	 "--norc",    "--posix",
					 "--restricted", "--verbose", NULL};

/* Not among bash's: -i and -l (read start-up files), -s and -c. */
static const struct interpreter interpreters[] = {
	{"python", "bBdEIOPqRsStuvx", "", "WX", no_longs},
	{"perl", "acnpstTuUwWX", "0CFil", "", no_longs},
	{"ruby", "aclnpvw", "0FKW", "E", no_longs},
	{"node", "", "", "", no_longs},
	{"nodejs", "", "", "", no_longs},
	{"bash", "abefhkmnprtuvxBCEHPT", "", "oO", bash_longs},
	{"sh", "abefmnuvxCE", "", "o", no_longs},
	{"dash", "abefmnuvxCE", "", "o", no_longs},
};

static const struct interpreter *find_interpreter(struct span exe)
{
	const char *name = interpreter_name(exe);

	for (size_t i = 0; name && i < ARRAY_SIZE(interpreters); i++)
		if (!strcmp(interpreters[i].name, name))
			return &interpreters[i];
	return NULL;
}

/* The argument that begins at *at, which then is behind it. False at the end. */
static bool next_arg(struct span args, size_t *at, struct span *out)
{
	const char *nul;

	if (*at >= args.len)
		return false;
	nul = memchr(args.p + *at, '\0', args.len - *at);
	*out = (struct span){args.p + *at, nul ? (size_t)(nul - (args.p + *at)) : args.len - *at};
	*at += out->len + 1;
	return true;
}

static bool begins(struct span s, const char *with)
{
	return s.len >= strlen(with) && !memcmp(s.p, with, strlen(with));
}

static bool has(const char *letters, char c)
{
	return c && strchr(letters, c);
}

enum option { OPTION_HARMLESS, OPTION_TAKES_NEXT, OPTION_OTHER };

static enum option read_option(const struct interpreter *in, struct span arg)
{
	if (arg.p[1] == '-' || arg.p[0] == '+') {
		for (size_t i = 0; in->longs[i]; i++)
			if (arg.len == strlen(in->longs[i]) && begins(arg, in->longs[i]))
				return OPTION_HARMLESS;
		return OPTION_OTHER;
	}
	for (size_t i = 1; i < arg.len; i++) {
		if (has(in->joined, arg.p[i]))
			return OPTION_HARMLESS;
		if (has(in->valued, arg.p[i]))
			return i + 1 < arg.len ? OPTION_HARMLESS : OPTION_TAKES_NEXT;
		if (!has(in->plain, arg.p[i]))
			return OPTION_OTHER;
	}
	return OPTION_HARMLESS;
}

/* What stands for something that is open already, and has been written by whoever. */
static bool is_descriptor(struct span name)
{
	return begins(name, "/dev/fd/") || begins(name, "/dev/stdin") || begins(name, "/proc/");
}

struct span script_claimed(struct span exe, struct span args, bool truncated)
{
	const struct interpreter *in = find_interpreter(exe);
	const struct span nobody = {NULL, 0};
	struct span arg;
	size_t at = 0;

	if (!in || !next_arg(args, &at, &arg)) /* argv[0] */
		return nobody;
	while (next_arg(args, &at, &arg)) {
		bool last = arg.len == 2 && !memcmp(arg.p, "--", 2);

		if (last && !next_arg(args, &at, &arg))
			return nobody;
		if (last || !arg.len || (arg.p[0] != '-' && arg.p[0] != '+')) {
			if (!arg.len || is_descriptor(arg) || (truncated && at >= args.len))
				return nobody;
			return arg;
		}
		if (arg.len == 1) /* standard input */
			return nobody;
		switch (read_option(in, arg)) {
		case OPTION_HARMLESS:
			break;
		case OPTION_TAKES_NEXT:
			if (!next_arg(args, &at, &arg))
				return nobody;
			break;
		case OPTION_OTHER:
			return nobody;
		}
	}
	return nobody;
}
