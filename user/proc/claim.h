/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which script an interpreter says that it runs: its arguments' word, for people. `python3
 * steal.py` is steal.py. Nothing is decided by it: arguments can be written anew at any time, and
 * what the interpreter has opened is its own business. What the kernel knows of scripts is
 * event_script.
 */
#pragma once

#include "model/event.h"

/*
 * The first operand of a known interpreter (python, perl, ruby, node, bash, sh, dash), a part of
 * `args`. Empty if nobody in particular runs there: code on the command line (-c, -e), from a
 * module or a pipe (-m, -s, `-`, /dev/fd/N), an option that loads other code (-M, -I, -r), any
 * option that is not known to be harmless, no operand, or one that may have been cut (`truncated`).
 *
 * exe: path of the executable. args: NUL separated, argv[0] first. Pure; keeps nothing.
 */
struct span script_claimed(struct span exe, struct span args, bool truncated);
