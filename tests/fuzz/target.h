/* SPDX-License-Identifier: MIT */
/*
 * target.h - what every fuzz target has, whoever drives it: libFuzzer (make fuzz) or replay.c (make check).
 */
#ifndef RINGSIDE_TESTS_FUZZ_TARGET_H
#define RINGSIDE_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
/* libFuzzer's own: changes some bytes. replay.c has none, and needs none. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/*
 * target_output - a stream that keeps nothing and ends the run when a byte comes through that a terminal would obey:
 * whatever a dump or an ELF file holds, the reports print text.
 */
FILE *target_output(void);

/*
 * target_page - the same for one page of HTML, which begins anew with each call. target_page_ends, after all of it is
 * written, ends the run unless it has as many '<' as the first one: each more would be a name that became markup.
 */
FILE *target_page(void);
void target_page_ends(FILE *page);

/* target_file - a file in memory to be written anew for each input; its path, good for open(), goes to *path. */
int target_file(const char **path);
/* target_write - make the file exactly this, as sparse as `size` says. */
void target_resize(int fd, uint64_t size);
void target_write(int fd, uint64_t offset, const void *data, size_t size);

#endif
