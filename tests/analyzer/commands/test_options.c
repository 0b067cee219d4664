/* SPDX-License-Identifier: MIT */
/* test_options.c - what may be typed, and what is said to what may not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/commands/options.h"

#define MS UINT64_C(1000000)

static int parse(struct options *o, const char *command, ...)
{
	char *argv[16] = { (char *)command };
	int argc = 1;
	va_list args;

	va_start(args, command);
	while ((argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	return options_parse(o, command_find(command), argc, argv);
}

static void options_stand_before_and_behind_the_file(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "heap", "--tree", "run.rsd", "--focus=^a", "--sample", "alloc_space", NULL), 0);
	assert_int_equal(o.args_len, 1);
	assert_string_equal(o.args[0], "run.rsd");
	assert_int_equal(o.view.kind, VIEW_TREE);
	assert_string_equal(o.view.focus, "^a");
	assert_string_equal(o.view.sample, "alloc_space");
	free(o.args);
}

static void top_takes_a_number_or_none(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "heap", "--top", "run.rsd", NULL), 0);
	assert_int_equal(o.top, -1);
	assert_int_equal(o.args_len, 1);
	free(o.args);
	assert_int_equal(parse(&o, "heap", "--top", "5", "run.rsd", NULL), 0);
	assert_int_equal(o.view.nodecount, 5);
	free(o.args);
	assert_int_equal(parse(&o, "report", "--top=0", NULL), 0);
	assert_int_equal(o.top, 0);
	assert_true(o.view.is_unlimited);
	free(o.args);
	assert_int_equal(parse(&o, "report", "--top=x", NULL), -EINVAL);
	free(o.args);
}

static void a_recorded_program_keeps_its_own_options(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "record", "-o", "f", "-tcpu=off", "ls", "-o", "--", "x", NULL), 0);
	assert_string_equal(o.output, "f");
	assert_string_equal(o.toggles, "cpu=off");
	assert_int_equal(o.args_len, 4);
	assert_string_equal(o.args[0], "ls");
	assert_string_equal(o.args[1], "-o");
	assert_string_equal(o.args[2], "--");
	free(o.args);
	assert_int_equal(parse(&o, "record", "-tcpu=off", "--toggles=block=0,heap=off", "-t", "cpu=9", "ls", NULL), 0);
	assert_string_equal(o.toggles, "cpu=off,block=0,heap=off,cpu=9");
	free(o.args);
	assert_int_equal(parse(&o, "record", "--", "-program", "-o", NULL), 0);
	assert_string_equal(o.args[0], "-program");
	assert_int_equal(o.args_len, 2);
	free(o.args);
}

static void windows_of_time(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t from_ns, to_ns;
	} cases[] = {
		{ "1.5s-3s", 0, 1500 * MS, 3000 * MS },
		{ "200ms-", 0, 200 * MS, 0 },
		{ "-1", 0, 0, 1000 * MS },
		{ "1us-2us", 0, 1000, 2000 },
		{ "3-1", -EINVAL, 0, 0 },
		{ "1s", -EINVAL, 0, 0 },
		{ "a-b", -EINVAL, 0, 0 },
		{ "1s-2x", -EINVAL, 0, 0 },
		{ "1e99-", -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o;

		assert_int_equal(parse(&o, "cpu", "--time", cases[i].text, NULL), cases[i].err);
		if (!cases[i].err) {
			assert_int_equal(o.filter.from_ns, cases[i].from_ns);
			assert_int_equal(o.filter.to_ns, cases[i].to_ns);
		}
		free(o.args);
	}
}

static void what_is_not_there_is_refused(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "heap", "--tre", NULL), -EINVAL);
	free(o.args);
	assert_int_equal(parse(&o, "heap", "--tree=1", NULL), -EINVAL);
	free(o.args);
	assert_int_equal(parse(&o, "heap", "--peek", NULL), -EINVAL);
	free(o.args);
	assert_int_equal(parse(&o, "report", "--tree", NULL), -EINVAL); /* another command's */
	free(o.args);
}

static void rules_may_be_given_again(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "check", "-c", "a.rules", "--rule", "no malloc", "--rules=b.rules", "--rule=no free",
			       "run.rsd", NULL),
			 0);
	assert_int_equal(o.rule_files_len, 2);
	assert_string_equal(o.rule_files[1], "b.rules");
	assert_int_equal(o.rules_len, 2);
	assert_string_equal(o.rules[1], "no free");
	assert_int_equal(o.args_len, 1);
	free(o.args);
}

static void a_program_to_be_measured_keeps_its_own_options(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "stat", "-r", "3", "--json", "./program", "-r", "x", NULL), 0);
	assert_int_equal(o.runs, 3);
	assert_true(o.is_json);
	assert_int_equal(o.args_len, 3);
	free(o.args);
	assert_int_equal(parse(&o, "stat", "-r", "none", "./program", NULL), -EINVAL);
	free(o.args);
}

static void a_diff_takes_two_files_and_its_options(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "diff", "old.rsd", "--per", "request", "new.rsd", "--fail-on=cpu>3%", "--by",
			       "function", NULL),
			 0);
	assert_int_equal(o.args_len, 2);
	assert_string_equal(o.args[1], "new.rsd");
	assert_string_equal(o.per, "request");
	assert_string_equal(o.fail_on, "cpu>3%");
	assert_int_equal(o.report.by, BY_FUNCTION);
	free(o.args);
	assert_int_equal(parse(&o, "diff", "--tree", NULL), -EINVAL); /* of the profile views */
	free(o.args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_before_and_behind_the_file),
		cmocka_unit_test(top_takes_a_number_or_none),
		cmocka_unit_test(a_recorded_program_keeps_its_own_options),
		cmocka_unit_test(windows_of_time),
		cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(rules_may_be_given_again),
		cmocka_unit_test(a_program_to_be_measured_keeps_its_own_options),
		cmocka_unit_test(a_diff_takes_two_files_and_its_options),
	};

	return cmocka_run_group_tests_name("analyzer/commands/options", tests, NULL, NULL);
}
