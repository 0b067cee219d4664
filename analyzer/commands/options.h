/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line against options.def and commands.def.
 */
#ifndef RINGSIDE_OPTIONS_H
#define RINGSIDE_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "analyzer/models/analysis.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/nearest.h"
#include "analyzer/views/views.h"

/* Which options a command takes: a bit per group. */
enum option_group {
	G_RECORD = 1,
	G_REPORT = 2,
	G_VIEW = 4,
	G_BLOCK = 8,
	G_DUMP = 16,
	G_COMPRESS = 32,
	G_REPORTS = 64,
	G_HEAP = 128,
	G_TRACE = 256,
	G_STACKS = 512,
	G_EXPORT = 1024,
	G_DIFF = 2048,
	G_CHECK = 4096,
	G_STAT = 8192,
	G_HTML = 16384,
	G_ALL = 32767,
};

enum option_id {
#define OPTION(id, name, letter, argument, arg, groups, words) OPT_##id,
#include "analyzer/commands/options.def"
	OPTIONS
};

struct option_info {
	const char *name, *arg, *words;
	char letter;
	enum { NONE, NEEDED, COUNT } argument;
	unsigned groups;
};
extern const struct option_info option_infos[OPTIONS];

/* Options that may be given several times: so often. */
#define RULES_MAX 64u

struct options {
	struct view_options view;
	struct analysis_filter filter;
	struct report_options report;
	bool given[OPTIONS];
	long top; /* -1: not given */
	const char *output, *toggles, *process, *kind, *profile;
	char toggle_list[4096];		   /* what `toggles` points to */
	const char *per, *work, *fail_on;  /* of diff */
	const char *diff_base;		   /* of profile views */
	uint64_t kinds;			   /* bits of --kind, set by the command */
	const char *binaries;		   /* directories, separated by ':' */
	const char *rule_files[RULES_MAX]; /* of check */
	const char *rules[RULES_MAX];	   /* given on the command line */
	size_t rule_files_len, rules_len;
	long runs; /* of stat; 0: not given */
	bool is_json, is_all, use_debuginfod, wants_help, compress, decompress, no_source;
	/* What is no option: FILE, or PROGRAM and its arguments. */
	char **args;
	int args_len;
};

/* One word of the command line that works. */
struct command {
	const char *name, *arguments, *summary, *examples;
	unsigned groups;
	int (*run)(struct options *o); /* an exit code */
};
extern const struct command commands[];
extern const size_t commands_len;

const struct command *command_find(const char *name);

/*
 * options_parse - argv[0] is the command's word. Options may stand anywhere before `--`; for commands of G_RECORD and
 * G_STAT the first word that is no option is PROGRAM and ends them.
 *
 * Returns:  0, or -EINVAL after a message with the nearest known option.
 */
int options_parse(struct options *o, const struct command *command, int argc, char **argv);

/* command_help - the --help page of a command. */
void command_help(const struct command *command, FILE *out);

/* The commands themselves. */
#define COMMAND(name, arguments, groups, summary, examples) int cmd_##name(struct options *o);
#include "analyzer/commands/commands.def"

#endif
