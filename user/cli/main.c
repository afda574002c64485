// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail`, the command. */
#include <locale.h>
#include <signal.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN); /* a reader that goes away is seen as EPIPE */
	return cli_main(argc, argv);
}
