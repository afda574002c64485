// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs a command without some of root's capabilities: drop-caps NUMBER[,NUMBER]... COMMAND [ARG]...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: drop-caps NUMBER[,NUMBER]... COMMAND [ARG]...\n");
		return 2;
	}
	/* What the bounding set has not, an exec by root does not give. */
	for (char *at, *word = strtok_r(argv[1], ",", &at); word; word = strtok_r(NULL, ",", &at)) {
		if (prctl(PR_CAPBSET_DROP, strtoul(word, NULL, 10), 0, 0, 0) < 0) {
			perror("drop-caps");
			return 1;
		}
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
