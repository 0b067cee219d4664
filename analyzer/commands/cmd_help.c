/* SPDX-License-Identifier: MIT */
/* cmd_help.c - help pages, the version, and shell completion: all printed from the tables. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options.h"
#include "analyzer/models/contract.h"
#include "analyzer/models/diff.h"
#include "analyzer/exports/export.h"
#include "analyzer/util/die.h"

static const struct toggle {
	const char *name, *initial, *values, *words;
} toggles[] = {
#define TOGGLE(field, type, name, initial, values, words) { name, initial, values, words },
#include "format/toggles.def"
};
#define TOGGLES (sizeof(toggles) / sizeof(toggles[0]))

static int finish(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_FINE;
	warn("the output could not be written");
	return EXIT_FINDING;
}

static void print_examples(const char *examples, FILE *out)
{
	while (*examples) {
		size_t len = strcspn(examples, "\n");

		fprintf(out, "  %.*s\n", (int)len, examples);
		examples += len + (examples[len] == '\n');
	}
}

static bool takes(const struct command *command, unsigned option)
{
	return option == OPT_help || option_infos[option].groups & command->groups;
}

static void print_options(const struct command *command, FILE *out)
{
	fputs("\nOptions:\n", out);
	for (unsigned i = 0; i < OPTIONS; i++) {
		const struct option_info *info = &option_infos[i];
		char text[64];

		if (!takes(command, i))
			continue;
		snprintf(text, sizeof(text), "--%s%s%s%s", info->name,
			 info->argument == COUNT ? "[="
			 : *info->arg		 ? " "
						 : "",
			 info->arg, info->argument == COUNT ? "]" : "");
		fprintf(out, "  %c%c%c %-20s %s\n", info->letter ? '-' : ' ', info->letter ? info->letter : ' ',
			info->letter ? ',' : ' ', text, info->words);
	}
}

static void print_values(const char *command, FILE *out)
{
	struct profile p;
	struct heap heap = { 0 };
	struct cpu cpu = { 0 };
	struct waits waits = { 0 };

	profile_init(&p, command);
	if (!strcmp(command, "heap"))
		heap_profile(&heap, &p);
	else if (!strcmp(command, "cpu"))
		cpu_profile(&cpu, &p);
	else
		waits_profile(&waits, 0, &p);
	fprintf(out, "\nNumbers for --sample (the first is the default%s):\n",
		strcmp(command, "heap") ? "" : ", peak_space when the program has exited");
	for (size_t i = 0; i < p.values_len; i++)
		fprintf(out, "  %-16s %s\n", p.values[i].name, p.values[i].words);
	fputs("\nflat: measured in the function itself; cum: in it and all it called.\n", out);
	profile_release(&p);
}

static void print_reports(const char *subject, FILE *out)
{
	fputs("\nReports:\n", out);
	for (size_t i = 0; i < reports_len; i++)
		if (!strcmp(reports[i].subject, subject))
			fprintf(out, "  %-16s %s\n", reports[i].name, reports[i].words);
}

static void print_formats(FILE *out)
{
	fputs("\nFormats, and who opens them:\n", out);
	for (size_t i = 0; i < export_formats_len; i++)
		fprintf(out, "  %-12s %s\n  %-12s   %s\n", export_formats[i].name, export_formats[i].words, "",
			export_formats[i].viewer);
}

static void print_numbers(FILE *out)
{
	struct diff d = { 0 };
	const struct diff_value *values = diff_values(&d);

	fputs("\nNumbers for --sample and --fail-on (NAME[@RE]>LIMIT, the limit in % or in the number's unit):\n", out);
	for (size_t i = 0; values && i < d.values_len; i++)
		fprintf(out, "  %-16s %s\n", values[i].name, values[i].words);
	fputs("\nExit status: 1 when a limit was crossed, 2 for wrong usage, 3 when a recording could not be read.\n",
	      out);
	diff_release(&d);
}

static void print_rules(FILE *out)
{
	fputs("\nRules (names are regular expressions for the whole name):\n"
	      "  no WHAT [SCOPE...]\n"
	      "  at most AMOUNT [WHAT] [per call | per region NAME] [SCOPE...]\n"
	      "    WHAT:   malloc, free, realloc, heap, wait\n"
	      "    SCOPE:  in [function | thread | region | module] NAME, after TIME, before TIME\n"
	      "  TOTAL [in FUNCTION] < | <= | = | != | >= | > AMOUNT [%]\n",
	      out);
	for (unsigned i = 0; i < TOTALS; i++)
		fprintf(out, "    %-13s %s\n", quantity_infos[i].words, quantity_infos[i].help);
	fputs("\nExit status: 1 when a rule is broken or can't be decided, 2 for a wrong rule, 3 when the recording "
	      "could\n"
	      "not be read.\n",
	      out);
}

static void print_status(const struct command *command, FILE *out)
{
	if (command->groups & G_RECORD)
		fputs("\nThe exit status is PROGRAM's, 128+N when signal N ended it; 125 when recording failed, 126 "
		      "when\n"
		      "PROGRAM can't be executed, 127 when it is not found.\n",
		      out);
	else if (command->groups & G_STAT)
		fputs("\nThe exit status is 0, or that of the first run that failed, 128+N when signal N ended it: "
		      "then "
		      "there\n"
		      "are no more runs. 125, 126 and 127 as for `ringside record`.\n",
		      out);
	else if (command->groups & G_COMPRESS)
		fputs("\nThe dumps of a recording's descendants, in FILE.d, go with it. With --output FILE stays as it "
		      "is.\n",
		      out);
	else if (command->groups & G_STACKS)
		fputs("\nThe rights of a debugger are needed. Each thread is stopped for some ms.\n", out);
	else if (command->groups && !(command->groups & G_DIFF))
		fputs("\nWithout FILE the newest ringside.*.rsd of the current directory is read.\n", out);
}

void command_help(const struct command *command, FILE *out)
{
	fprintf(out, "ringside %s %s\n\n%s\n", command->name, command->arguments, command->summary);
	if (command->groups)
		print_options(command, out);
	if (command->groups & G_EXPORT)
		print_formats(out);
	if (command->groups & G_REPORTS)
		print_reports(command->name, out);
	if (command->groups & G_VIEW)
		print_values(command->name, out);
	if (command->groups & G_DIFF)
		print_numbers(out);
	if (command->groups & G_CHECK)
		print_rules(out);
	print_status(command, out);
	fputs("\nExamples:\n", out);
	print_examples(command->examples, out);
}

static int help_toggles(void)
{
	puts("What to record: RINGSIDE=name=value,name=value or record -t name=value,name=value\n");
	for (size_t i = 0; i < TOGGLES; i++) {
		printf("  %-11s %s\n", toggles[i].name, toggles[i].words);
		printf("  %-11s   %s, default %s\n", "", toggles[i].values,
		       *toggles[i].initial ? toggles[i].initial : "none");
	}
	puts("\nDurations take ns us ms s, sizes k m g (powers of 1024).");
	return finish();
}

static int help_all(void)
{
	puts("ringside - where memory, CPU time and waiting of a program go\n");
	for (size_t i = 0; i < commands_len; i++)
		printf("  ringside %-10s %s\n", commands[i].name, commands[i].summary);
	puts("\nStart with:\n"
	     "  ringside record ./program     then   ringside report\n"
	     "\n`ringside help COMMAND` has options and examples, `ringside help toggles` what can be recorded.");
	return finish();
}

int cmd_help(struct options *o)
{
	const struct command *command;

	if (!o->args_len)
		return help_all();
	if (!strcmp(o->args[0], "toggles"))
		return help_toggles();
	command = command_find(o->args[0]);
	if (!command) {
		warn("no command %s; `ringside help` lists them", o->args[0]);
		return EXIT_USAGE;
	}
	command_help(command, stdout);
	return finish();
}

int cmd_version(struct options *o)
{
	(void)o;
	printf("ringside %s\n", RINGSIDE_VERSION);
	return finish();
}

/* ---- completion ----------------------------------------------------------------------------------------------- */

static void complete_command(const struct command *command)
{
	printf("\t%s) options=\"", command->name);
	for (unsigned i = 0; i < OPTIONS; i++)
		if (takes(command, i))
			printf("%s--%s", i ? " " : "", option_infos[i].name);
	for (size_t i = 0; i < reports_len; i++)
		if (!strcmp(reports[i].subject, command->name))
			printf(" %s", reports[i].name);
	for (size_t i = 0; command->groups & G_EXPORT && i < export_formats_len; i++)
		printf(" %s", export_formats[i].name);
	puts("\" ;;");
}

static void complete_toggles(void)
{
	printf("\t-t|--toggles) COMPREPLY=($(compgen -S = -W \"");
	for (size_t i = 0; i < TOGGLES; i++)
		printf("%s%s", i ? " " : "", toggles[i].name);
	puts("\" -- \"$cur\")); compopt -o nospace; return ;;");
}

int cmd_completion(struct options *o)
{
	if (o->args_len != 1 || strcmp(o->args[0], "bash")) {
		warn("completion is there for bash only: `ringside completion bash`");
		return EXIT_USAGE;
	}
	puts("# bash completion for ringside, printed by `ringside completion bash`\n"
	     "_ringside()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options= i");
	printf("\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W \"");
	for (size_t i = 0; i < commands_len; i++)
		printf("%s%s", i ? " " : "", commands[i].name);
	puts("\" -- \"$cur\"))\n\t\treturn\n\tfi");
	puts("\tcase $prev in");
	complete_toggles();
	puts("\t-c|--rules|--binaries|--suppressions) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;");
	puts("\tesac\n\tcase ${COMP_WORDS[1]} in");
	for (size_t i = 0; i < commands_len; i++)
		complete_command(&commands[i]);
	puts("\tesac\n"
	     "\tif [[ ${COMP_WORDS[1]} == @(record|stat) ]]; then\n"
	     "\t\t# Behind PROGRAM its own words complete.\n"
	     "\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	     "\t\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t\t-o|-t|-r|--output|--toggles|--runs) ((i++)) ;;\n"
	     "\t\t\t-*) ;;\n"
	     "\t\t\t*) declare -F _command_offset >/dev/null && _command_offset $i; return ;;\n"
	     "\t\t\tesac\n"
	     "\t\tdone\n"
	     "\tfi\n"
	     "\tif [[ $cur == -* ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	     "\telif [[ ${COMP_WORDS[1]} == @(record|stat) ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -c -- \"$cur\") $(compgen -f -- \"$cur\"))\n"
	     "\telse\n"
	     "\t\tCOMPREPLY=($(compgen -f -X '!*.rsd*' -- \"$cur\") $(compgen -d -S / -- \"$cur\"))\n"
	     "\tfi\n"
	     "}\n"
	     "complete -o filenames -F _ringside ringside");
	return finish();
}
