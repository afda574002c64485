// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Distance between two short words: insertions, deletions, replacements, swaps of neighbours.
 */
#include "policy/suggest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 32

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance_of(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned row[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= la; i++) {
		for (size_t j = 0; j <= lb; j++) {
			unsigned d;

			if (i == 0 || j == 0) {
				row[i][j] = (unsigned)(i + j);
				continue;
			}
			d = row[i - 1][j - 1] + (tolower((unsigned char)a[i - 1]) != b[j - 1]);
			d = least(d, row[i - 1][j] + 1);
			d = least(d, row[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = least(d, row[i - 2][j - 2] + 1);
			row[i][j] = d;
		}
	}
	return row[la][lb];
}

void suggest(const char *word, size_t len, const char *candidate, unsigned *distance,
	     const char **best)
{
	size_t n = strlen(candidate);
	unsigned d;

	if (len > WORD_MAX || n > WORD_MAX)
		return;
	d = distance_of(word, len, candidate, n);
	if (d < *distance && d <= (n < 4 ? 1 : n / 3)) {
		*distance = d;
		*best = candidate;
	}
}
