/* SPDX-License-Identifier: MIT */
/* fuzz_dump.c - a whole dump, written as dump_form.h has it. */
#include "tests/fuzz/dump_form.h"
#include "tests/fuzz/dump_mutator.h"
#include "tests/fuzz/report.h"
#include "tests/fuzz/target.h"

static int file;
static const char *path;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	stdout = target_output();
	file = target_file(&path);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct form f;

	form_parse(&f, data, size);
	form_write(&f, file);
	report_all(path, f.choices, stdout);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	return dump_mutate(data, size, max_size, seed);
}
