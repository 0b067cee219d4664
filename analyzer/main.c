/* SPDX-License-Identifier: MIT */
/* main.c - the word after `ringside` to its command. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options.h"
#include "analyzer/util/die.h"

static int unknown_command(const char *word)
{
	const char *words[32];
	size_t len = 0;
	int nearest;

	for (; len < commands_len && len < 32; len++)
		words[len] = commands[len].name;
	nearest = nearest_word(word, words, len);
	if (nearest >= 0)
		warn("no command %s; did you mean `ringside %s`?", word, words[nearest]);
	else
		warn("no command %s; `ringside help` lists them", word);
	return EXIT_USAGE;
}

static const char *command_word(const char *word)
{
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return "help";
	return !strcmp(word, "--version") || !strcmp(word, "-V") ? "version" : word;
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct options o;
	int status;

	if (argc < 2) {
		struct options none = { 0 };

		cmd_help(&none);
		return EXIT_USAGE;
	}
	command = command_find(command_word(argv[1]));
	if (!command)
		return unknown_command(argv[1]);
	if (options_parse(&o, command, argc - 1, argv + 1)) {
		free(o.args);
		return EXIT_USAGE;
	}
	if (o.wants_help) {
		command_help(command, stdout);
		status = fflush(stdout) ? EXIT_FINDING : EXIT_FINE;
	} else {
		status = command->run(&o);
	}
	free(o.args);
	return status;
}
