/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that run what they are told: shells, languages, and what starts any other. */
#pragma once

#include "model/event.h"

/*
 * The name by which such a program is known ("python" for /usr/bin/python3.11), by the last name of
 * its path less a version at the end. NULL: it is none that we know. exe need not be terminated.
 */
const char *interpreter_name(struct span exe);
