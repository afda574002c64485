// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs that run what they are told. */
#include "model/interpreter.h"

#include <string.h>

#include "base/cleanup.h"

static const char *const names[] = {
	"ash",	"awk",	"bash",	  "busybox", "csh",    "dash",	"env",	"expect", "fish",
	"gawk", "java", "ksh",	  "lua",     "luajit", "mawk",	"node", "nodejs", "perl",
	"php",	"pwsh", "python", "ruby",    "sh",     "tclsh", "zsh",
};

const char *interpreter_name(struct span exe)
{
	size_t begin = exe.len, end = exe.len;

	while (begin && exe.p[begin - 1] != '/')
		begin--;
	/* python3.11, perl5.36.0, lua-5.4 */
	while (end > begin && strchr("0123456789.-", exe.p[end - 1]) && exe.p[end - 1])
		end--;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == end - begin &&
		    !memcmp(names[i], exe.p + begin, end - begin))
			return names[i];
	return NULL;
}
