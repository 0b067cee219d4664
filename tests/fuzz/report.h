/* SPDX-License-Identifier: MIT */
/* report.h - a dump through the reader, all models, and everything that prints. */
#ifndef RINGSIDE_TESTS_FUZZ_REPORT_H
#define RINGSIDE_TESTS_FUZZ_REPORT_H

#include <stdio.h>

/*
 * report_all - choices: 16 bits of the input, which filters and forms of output. stdout must be `to` as well: some
 * commands print there.
 */
void report_all(const char *path, unsigned choices, FILE *to);

#endif
