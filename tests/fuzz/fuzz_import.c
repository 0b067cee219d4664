/* SPDX-License-Identifier: MIT */
/*
 * fuzz_import.c - the file of another tool: u16 choices, then the file as it is, packed or not. Through what recognises
 * it, what reads it, the report, each view in each format, and a difference to itself.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/imports/import.h"
#include "analyzer/views/diff_view.h"
#include "analyzer/views/imported_view.h"
#include "analyzer/views/views.h"
#include "tests/fuzz/target.h"

#define HEAD 2u

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

static void print_report(const struct import *im)
{
	struct imported_view v = { .import = im, .path = path, .top = SIZE_MAX };

	imported_text(&v, stdout);
	imported_json(&v, stdout);
}

static void print_view(const struct import *im, unsigned choices)
{
	struct view_options o = { .kind = (enum view_kind)(choices % 5),
				  .format = (enum view_format)(choices / 5 % 3),
				  .granularity = (enum view_granularity)(choices / 15 % 5),
				  .pattern = ".",
				  .full_names = choices & 1024 };
	struct buf error = { 0 };

	views_print(&im->profile, im->stacks, &o, stdout, &error);
	buf_release(&error);
}

static void print_diff(const struct import *im, unsigned choices)
{
	const struct diff_input inputs[ALIGN_SIDES] = { { .import = im }, { .import = im } };
	const struct diff_options options = { .by = (enum group_by)(choices & 3), .has_by = choices & 4 };
	struct thresholds thresholds = { 0 };
	struct buf error = { 0 };
	struct diff d;
	struct diff_view v = { .d = &d, .thresholds = &thresholds, .path = { path, path } };

	page_init(&v.notes, im->stacks);
	if (!diff_make(&d, inputs, im->stacks, &options, &error)) {
		diff_view_text(&v, stdout);
		diff_view_json(&v, stdout);
	}
	diff_release(&d);
	page_release(&v.notes);
	thresholds_release(&thresholds);
	buf_release(&error);
}

static void read_it(const struct import_format *format, struct stacks *stacks, unsigned choices)
{
	struct buf error = { 0 };
	struct import im;

	if (!import_open(&im, format, path, stacks, &error)) {
		print_report(&im);
		print_view(&im, choices);
		if (choices & 2048)
			print_diff(&im, choices);
		import_release(&im);
	}
	buf_release(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct symbol_options nothing = { .sysroot = "/dev/null", .debug_dir = "/dev/null", .is_inside = true };
	const struct import_format *format;
	struct symbols *symbols;
	struct stacks *stacks;

	if (size < HEAD)
		return 0;
	target_resize(file, size - HEAD);
	target_write(file, 0, data + HEAD, size - HEAD);
	format = import_recognise(path);
	if (!format)
		return 0;
	symbols = symbols_new(&nothing);
	stacks = symbols ? stacks_new(symbols) : NULL;
	if (stacks)
		read_it(format, stacks, data[0] | (unsigned)data[1] << 8);
	stacks_free(stacks);
	symbols_free(symbols);
	fflush(stdout);
	return 0;
}
