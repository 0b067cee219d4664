/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/symbols/source.h"

static char dir[] = "/tmp/ringside-source-XXXXXX";

static void shell(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && %s", dir, command);
	assert_int_equal(system(line), 0);
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	shell("mkdir -p build/src other/src && printf 'one\\ntwo\\r\\n\\nfour' >build/src/a.c && "
	      "printf 'other\\n' >other/src/b.c && : >empty.c && mkfifo fifo.c && truncate -s 17M huge.c");
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	shell("rm -rf \"$PWD\"");
	return 0;
}

static const char *in_dir(const char *name)
{
	static char path[4][256];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static void lines_are_cut_at_newlines(void **state)
{
	struct source_options none = { 0 };
	struct source_file f;

	(void)state;
	assert_int_equal(source_open(&f, in_dir("build/src/a.c"), &none), 0);
	assert_int_equal(f.len, 4);
	assert_string_equal(f.lines[0], "one");
	assert_string_equal(f.lines[1], "two");
	assert_string_equal(f.lines[2], "");
	assert_string_equal(f.lines[3], "four");
	assert_string_equal(f.path, in_dir("build/src/a.c"));
	source_release(&f);
	assert_int_equal(source_open(&f, in_dir("empty.c"), &none), 0);
	assert_int_equal(f.len, 0);
	source_release(&f);
}

static void moved_sources_are_found_below_the_source_path(void **state)
{
	char list[600];
	struct source_options options = { .source_path = list };
	struct source_file f;

	(void)state;
	snprintf(list, sizeof(list), "/nowhere:%s:%s", in_dir("build"), in_dir("other"));
	assert_int_equal(source_open(&f, "/home/somebody/project/src/b.c", &options), 0);
	assert_string_equal(f.lines[0], "other");
	source_release(&f);
	assert_int_equal(source_open(&f, "src/a.c", &options), 0);
	source_release(&f);
	options.trim_path = "/gone/:/home/somebody/project";
	assert_string_equal(source_shown("/home/somebody/project/src/b.c", &options), "src/b.c");
	assert_string_equal(source_shown("/home/somebody/projects/b.c", &options), "/home/somebody/projects/b.c");
	assert_string_equal(source_shown("/gone/b.c", &options), "b.c");
	assert_int_equal(source_open(&f, "/home/somebody/project/src/c.c", &options), -ENOENT);
	source_release(&f);
}

static void odd_files_are_refused(void **state)
{
	struct source_options none = { 0 };
	struct source_file f;

	(void)state;
	assert_int_equal(source_open(&f, in_dir("fifo.c"), &none), -ENOENT);
	assert_int_equal(source_open(&f, in_dir("build"), &none), -ENOENT);
	assert_int_equal(source_open(&f, in_dir("huge.c"), &none), -EFBIG);
	assert_int_equal(source_open(&f, "relative.c", &none), -ENOENT);
	assert_int_equal(source_open(&f, "", &none), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_cut_at_newlines),
		cmocka_unit_test(moved_sources_are_found_below_the_source_path),
		cmocka_unit_test(odd_files_are_refused),
	};

	return cmocka_run_group_tests_name("analyzer/symbols/source", tests, group_setup, group_teardown);
}
