/* SPDX-License-Identifier: MIT */
/*
 * options.h - command lines of the workloads: `--name value`, `--name=value` and plain `--flag`.
 *
 *     static const struct option_row rows[] = {
 *             { "items", OPTION_NUMBER, &run.items, 1, 1000000, "how many items to process" },
 *             { "truth", OPTION_FLAG, &run.has_truth, 0, 0, "print the truth as JSON" },
 *             { 0 }
 *     };
 *     options_parse(argc, argv, "batch", "What it does and what to look for.", rows);
 */
#ifndef DEMOS_COMMON_OPTIONS_H
#define DEMOS_COMMON_OPTIONS_H

#include <stdint.h>

enum option_type {
	OPTION_NUMBER, /* uint64_t *, between low and high */
	OPTION_FLAG,   /* int *, becomes 1 */
	OPTION_TEXT,   /* const char **, points into argv */
};

struct option_row {
	const char *name;
	enum option_type type;
	void *value; /* holds the default */
	uint64_t low, high;
	const char *help;
};

/* Rows end with a NULL name. --help prints all of it and exits 0; a wrong option says which and exits 2. */
void options_parse(int argc, char **argv, const char *program, const char *about, const struct option_row *rows);

#endif
