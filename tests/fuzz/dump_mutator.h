/* SPDX-License-Identifier: MIT */
/*
 * dump_mutator.h - changes to a dump that bytes flipped at random would hardly ever make: records that are appended
 * with the right length and counted, extents that are begun, slots of tables, fields of the header.
 */
#ifndef RINGSIDE_TESTS_FUZZ_DUMP_MUTATOR_H
#define RINGSIDE_TESTS_FUZZ_DUMP_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* dump_mutate - as LLVMFuzzerCustomMutator, of an input in the form of dump_form.h. */
size_t dump_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#endif
