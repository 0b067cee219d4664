/* SPDX-License-Identifier: MIT */
/* options.c - parse and explain options. */
#include "common/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(const char *program, const char *about, const struct option_row *rows)
{
	printf("usage: %s [OPTION...]\n\n%s\nOptions:\n", program, about);
	for (const struct option_row *row = rows; row->name; row++) {
		if (row->type == OPTION_NUMBER)
			printf("  --%-18s %s (%lu to %lu, default %lu)\n", row->name, row->help, row->low, row->high,
			       *(const uint64_t *)row->value);
		else if (row->type == OPTION_TEXT && *(const char **)row->value)
			printf("  --%-18s %s (default %s)\n", row->name, row->help, *(const char **)row->value);
		else
			printf("  --%-18s %s\n", row->name, row->help);
	}
	printf("  --%-18s %s\n\nExit status: 0 done, 1 something failed, 2 wrong usage.\n", "help", "this text");
}

__attribute__((noreturn)) static void refuse(const char *program, const char *what, const char *arg)
{
	fprintf(stderr, "%s: %s: %s (see %s --help)\n", program, arg, what, program);
	exit(2);
}

/* The row that `arg` names ("--name" or "--name=value"), and its value after '=' or NULL. */
static const struct option_row *find_row(const struct option_row *rows, const char *arg, const char **value)
{
	size_t len = strcspn(arg, "=");

	*value = arg[len] ? arg + len + 1 : NULL;
	if (strncmp(arg, "--", 2) || len <= 2)
		return NULL;
	for (const struct option_row *row = rows; row->name; row++) {
		if (strlen(row->name) == len - 2 && !strncmp(row->name, arg + 2, len - 2))
			return row;
	}
	return NULL;
}

static void set_number(const char *program, const struct option_row *row, const char *text)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-')
		refuse(program, "not a number", text);
	if (number < row->low || number > row->high)
		refuse(program, "out of range", text);
	*(uint64_t *)row->value = number;
}

void options_parse(int argc, char **argv, const char *program, const char *about, const struct option_row *rows)
{
	for (int i = 1; i < argc; i++) {
		const struct option_row *row;
		const char *value;

		if (!strcmp(argv[i], "--help")) {
			print_help(program, about, rows);
			exit(fflush(stdout) ? 1 : 0);
		}
		row = find_row(rows, argv[i], &value);
		if (!row)
			refuse(program, "unknown option", argv[i]);
		if (row->type == OPTION_FLAG) {
			if (value)
				refuse(program, "takes no value", argv[i]);
			*(int *)row->value = 1;
			continue;
		}
		if (!value && ++i == argc)
			refuse(program, "wants a value", argv[i - 1]);
		value = value ? value : argv[i];
		if (row->type == OPTION_TEXT)
			*(const char **)row->value = value;
		else
			set_number(program, row, value);
	}
}
