/* SPDX-License-Identifier: MIT */
/* nearest.h - what was meant by a word that is not known. */
#ifndef RINGSIDE_UTIL_NEAREST_H
#define RINGSIDE_UTIL_NEAREST_H

#include <stddef.h>

#define WORD_MAX 32 /* longer words are like no other */

/* nearest_word - the index of the word most like `word`, -1 when none is. */
int nearest_word(const char *word, const char *const *words, size_t words_len);

#endif
