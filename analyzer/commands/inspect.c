/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analyzer/commands/inspect.h"
#include "analyzer/launch/elfcheck.h"
#include "analyzer/util/die.h"

/* A sentence of one or two lines; the second stands below the first. */
static void say(const char *reason)
{
	while (*reason) {
		size_t len = strcspn(reason, "\n");

		warn("%.*s", (int)len, reason);
		reason += len + (reason[len] == '\n');
	}
}

int program_inspect(const char *program)
{
	struct buf path = { 0 }, reason = { 0 };
	enum elf_verdict verdict = elf_find(program, &path, &reason);

	if (verdict == ELF_FINE)
		verdict = elf_check(buf_string(&path), &reason);
	say(buf_string(&reason));
	buf_release(&path);
	buf_release(&reason);
	switch (verdict) {
	case ELF_REFUSED:
		warn("%s was not run.", program);
		return EXIT_OWN_FAILURE;
	case ELF_NOT_EXECUTABLE:
		return EXIT_NOT_EXECUTABLE;
	case ELF_NOT_FOUND:
		return EXIT_NOT_FOUND;
	default:
		return 0;
	}
}
