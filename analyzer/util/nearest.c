/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "analyzer/util/nearest.h"

/* Insertions, deletions, changes and swaps of neighbours from a to b. */
static unsigned edit_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return UINT32_MAX;
	for (size_t i = 0; i <= a_len; i++)
		for (size_t j = 0; j <= b_len; j++) {
			unsigned best;

			if (!i || !j) {
				d[i][j] = (unsigned)(i + j);
				continue;
			}
			best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[a_len][b_len];
}

int nearest_word(const char *word, const char *const *words, size_t words_len)
{
	unsigned best = (unsigned)strlen(word) / 2 + 1;
	int found = -1;

	for (size_t i = 0; i < words_len; i++) {
		unsigned distance = edit_distance(word, words[i]);

		if (*word && !strncmp(word, words[i], strlen(word)) && distance >= best)
			distance = best - 1;
		if (distance < best) {
			best = distance;
			found = (int)i;
		}
	}
	return found;
}
