/* SPDX-License-Identifier: MIT */
/*
 * Profiles over a module that does not exist: its code is named "app+0x100" and so on, one function per address, so
 * the numbers of every view can be worked out by hand or by brute force.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "analyzer/views/views_model.h"

struct bench {
	struct symbols *symbols;
	struct stacks *stacks;
	struct modules modules;
	struct profile profile;
	char *out; /* what the last view printed */
	struct buf error;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->symbols = symbols_new(NULL);
	b->stacks = stacks_new(b->symbols);
	modules_init(&b->modules);
	modules_add(&b->modules, 1, "/nowhere/app", 12, NULL, 0, 0, 0, 0x10000);
	symbols_object(b->symbols, modules_by_id(&b->modules, 1));
	profile_init(&b->profile, "heap");
	profile_define(&b->profile, "space", UNIT_BYTES, "bytes in use");
	profile_define(&b->profile, "objects", UNIT_COUNT, NULL);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	profile_release(&b->profile);
	stacks_free(b->stacks);
	modules_release(&b->modules);
	symbols_free(b->symbols);
	buf_release(&b->error);
	free(b->out);
	free(b);
	return 0;
}

/* A stack from its function numbers, outermost first: "123" is 3 called by 2 called by 1. */
static struct stack_id stack(struct bench *b, const char *functions)
{
	struct stack_id id = { 0 };

	for (; *functions; functions++)
		id = stacks_push(b->stacks, id, 1, (uint64_t)(*functions - '0') * 0x100, true, CUT_NONE);
	return id;
}

static void add(struct bench *b, const char *functions, const char *label, int64_t space)
{
	int64_t values[] = { space, 1 };

	profile_add(&b->profile, stack(b, functions), label ? profile_label(&b->profile, label) : 0, values);
}

static int print(struct bench *b, const struct view_options *options)
{
	size_t size;
	FILE *out;
	int ret;

	free(b->out);
	b->out = NULL;
	buf_clear(&b->error);
	out = open_memstream(&b->out, &size);
	ret = views_print(&b->profile, b->stacks, options, out, &b->error);
	fclose(out);
	return ret;
}

/* What follows the first line of the output that starts with `from`, up to the notes. */
static const char *after(struct bench *b, const char *from)
{
	char *at = strstr(b->out, from), *note;

	assert_non_null(at);
	note = strstr(at, "note: ");
	if (note)
		*note = '\0';
	return at;
}

/* main(1) calls work(2), which calls leaf(3) and itself; 1 calls 3 as well. */
static void fill(struct bench *b)
{
	add(b, "1", NULL, 10 << 10);
	add(b, "12", "red", 20 << 10);
	add(b, "1223", "blue", 40 << 10);
	add(b, "13", NULL, 30 << 10);
	b->profile.duration_ns = 2000000000;
}

static void top_is_what_pprof_prints(void **state)
{
	struct view_options options = { .kind = VIEW_TOP };
	struct bench *b = *state;

	fill(b);
	assert_int_equal(print(b, &options), 0);
	assert_string_equal(after(b, "Type:"), "Type: space (bytes in use)\n"
					       "Duration: 2.00s, Total = 100.00kB\n"
					       "Showing nodes accounting for 100.00kB, 100% of 100.00kB total\n"
					       "      flat  flat%   sum%        cum   cum%\n"
					       "   70.00kB 70.00% 70.00%    70.00kB 70.00%  app+0x300\n"
					       "   20.00kB 20.00% 90.00%    60.00kB 60.00%  app+0x200\n"
					       "   10.00kB 10.00%   100%   100.00kB   100%  app+0x100\n");
	options.sort_cum = true;
	options.nodecount = 2;
	options.sample = "objects";
	assert_int_equal(print(b, &options), 0);
	assert_string_equal(after(b, "Showing"), "Showing nodes accounting for 3, 75.00% of 4 total\n"
						 "Showing top 2 nodes out of 3\n"
						 "      flat  flat%   sum%        cum   cum%\n"
						 "         1 25.00% 25.00%          4   100%  app+0x100\n"
						 "         2 50.00% 75.00%          2 50.00%  app+0x300\n");
}

static void the_tree_shows_callers_and_callees(void **state)
{
	static const char rule[] = "----------------------------------------------------------+-------------\n";
	struct view_options options = { .kind = VIEW_TREE };
	char expected[2048];
	struct bench *b = *state;

	fill(b);
	assert_int_equal(print(b, &options), 0);
	snprintf(expected, sizeof(expected),
		 "%s"
		 "      flat  flat%%   sum%%        cum   cum%%  calls calls%% + context\n"
		 "%s"
		 "                                           40.00kB 57.14%% |   app+0x200\n"
		 "                                           30.00kB 42.86%% |   app+0x100\n"
		 "   70.00kB 70.00%% 70.00%%    70.00kB 70.00%%                | app+0x300\n"
		 "%s"
		 "                                           60.00kB   100%% |   app+0x100\n"
		 "   20.00kB 20.00%% 90.00%%    60.00kB 60.00%%                | app+0x200\n"
		 "                                           40.00kB 66.67%% |   app+0x300\n"
		 "%s"
		 "   10.00kB 10.00%%   100%%   100.00kB   100%%                | app+0x100\n"
		 "                                           60.00kB 60.00%% |   app+0x200\n"
		 "                                           30.00kB 30.00%% |   app+0x300\n"
		 "%s",
		 rule, rule, rule, rule, rule);
	assert_string_equal(after(b, rule), expected);
	options.kind = VIEW_PEEK;
	options.pattern = "0x2";
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "| app+0x200\n"));
	assert_null(strstr(b->out, "| app+0x300\n"));
	assert_non_null(strstr(b->out, "|   app+0x300\n"));
	options.format = VIEW_CSV;
	assert_int_equal(print(b, &options), 0);
	assert_string_equal(b->out, "caller,callee,value\r\n"
				    "app+0x100,app+0x200,61440\r\n"
				    "app+0x200,app+0x300,40960\r\n");
	options.kind = VIEW_TREE;
	assert_int_equal(print(b, &options), 0);
	assert_string_equal(b->out, "caller,callee,value\r\n"
				    "app+0x200,app+0x300,40960\r\n"
				    "app+0x100,app+0x200,61440\r\n"
				    "app+0x100,app+0x300,30720\r\n");
}

static void traces_are_ordered_by_value(void **state)
{
	static const char rule[] = "-----------+-------------------------------------------------------\n";
	struct view_options options = { .kind = VIEW_TRACES, .nodecount = 2 };
	char expected[1024];
	int64_t values[] = { 35 << 10, 1 };
	struct bench *b = *state;

	fill(b);
	profile_add(&b->profile, stacks_push(b->stacks, (struct stack_id){ 0 }, 1, 0x900, true, CUT_DEPTH), 0, values);
	assert_int_equal(print(b, &options), 0);
	snprintf(expected, sizeof(expected),
		 "%s    label:   blue\n"
		 "   40.00kB   app+0x300\n"
		 "             app+0x200\n"
		 "             app+0x200\n"
		 "             app+0x100\n"
		 "%s   35.00kB   app+0x900\n"
		 "             [cut at the depth limit]\n%s",
		 rule, rule, rule);
	assert_non_null(strstr(b->out, "Showing top 2 stacks out of 5\n"));
	assert_non_null(
		strstr(b->out, "note: 25.93% of the total is in stacks that end early (cut at the depth limit):"));
	assert_string_equal(after(b, rule), expected);
	options.format = VIEW_CSV;
	assert_int_equal(print(b, &options), 0);
	assert_string_equal(b->out, "value,label,stack\r\n"
				    "40960,blue,app+0x100;app+0x200;app+0x200;app+0x300\r\n"
				    "35840,,app+0x900\r\n");
}

static void json_says_the_same(void **state)
{
	struct view_options options = { .kind = VIEW_TOP, .format = VIEW_JSON, .nodecount = 1, .focus = "0x200" };
	struct bench *b = *state;

	fill(b);
	profile_note(&b->profile, "nothing was lost");
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "\"schema\": \"ringside.profile/1\""));
	assert_non_null(strstr(b->out, "\"view\": \"top\""));
	assert_non_null(strstr(b->out, "\"name\": \"space\""));
	assert_non_null(strstr(b->out, "\"unit\": \"bytes\""));
	assert_non_null(strstr(b->out, "\"total\": 102400"));
	assert_non_null(strstr(b->out, "\"focus\": \"0x200\""));
	assert_non_null(strstr(b->out,
			       "{\"function\": \"app+0x300\", \"file\": null, \"line\": 0, \"module\": \"app\", "
			       "\"inlined\": false, \"flat\": 40960, \"flat_share\": 0.4, \"sum_share\": 0.4, "
			       "\"cum\": 40960, \"cum_share\": 0.4}\n  ]"));
	assert_non_null(strstr(b->out, "\"nothing was lost\""));
	options = (struct view_options){ .kind = VIEW_PEEK, .format = VIEW_JSON, .pattern = "0x200" };
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "\"callers\": [{\"function\": \"app+0x100\", \"file\": null, \"line\": 0, "
				       "\"module\": \"app\", \"inlined\": false, \"value\": 61440}]"));
	options = (struct view_options){ .kind = VIEW_TRACES, .format = VIEW_JSON, .label = "red" };
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "{\"value\": 20480, \"values\": {\"space\": 20480, \"objects\": 1}, "
				       "\"label\": \"red\", \"cut\": \"complete\", \"stack\": [{\"function\": "
				       "\"app+0x200\""));
	assert_null(strstr(b->out, "blue"));
}

static void filters_choose_stacks_and_frames(void **state)
{
	static const struct {
		const char *focus, *ignore, *hide, *label, *shown;
	} cases[] = {
		{ "0x200", NULL, NULL, NULL, "60.00kB, 60.00% of" },
		{ NULL, "0x200", NULL, NULL, "40.00kB, 40.00% of" },
		{ "0x300", "0x200", NULL, NULL, "30.00kB, 30.00% of" },
		{ "nothing", NULL, NULL, NULL, "0, 0% of" },
		{ NULL, NULL, NULL, "^(red|blue)$", "60.00kB, 60.00% of" },
		{ "^app$", NULL, NULL, NULL, "100.00kB, 100% of" }, /* by module */
		{ NULL, NULL, "0x[12]00", NULL, "70.00kB, 70.00% of" },
	};
	struct bench *b = *state;

	fill(b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct view_options options = { .focus = cases[i].focus,
						.ignore = cases[i].ignore,
						.hide = cases[i].hide,
						.label = cases[i].label };

		assert_int_equal(print(b, &options), 0);
		assert_non_null(strstr(b->out, cases[i].shown));
	}
}

/* What a hidden frame measured goes to its caller. */
static void hiding_a_leaf_charges_its_caller(void **state)
{
	struct view_options options = { .hide = "0x300" };
	struct bench *b = *state;

	fill(b);
	assert_int_equal(print(b, &options), 0);
	assert_string_equal(after(b, "   60.00kB"), "   60.00kB 60.00% 60.00%    60.00kB 60.00%  app+0x200\n"
						    "   40.00kB 40.00%   100%   100.00kB   100%  app+0x100\n");
}

/* As hidden, but at the inner end only, and never the whole stack. */
static void dropped_frames_charge_their_caller(void **state)
{
	struct view_options options = { 0 };
	struct bench *b = *state;

	fill(b);
	add(b, "31", NULL, 5 << 10);
	add(b, "3", NULL, 6 << 10);
	b->profile.drop_frames = "0x300$";
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "   60.00kB 54.05% 54.05%    60.00kB 54.05%  app+0x200\n"));
	assert_non_null(strstr(b->out, "   45.00kB 40.54% 94.59%   105.00kB 94.59%  app+0x100\n"));
	assert_non_null(strstr(b->out, "    6.00kB  5.41%   100%    11.00kB  9.91%  app+0x300\n"));
	options.keep_dropped = true;
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "   76.00kB 68.47% 68.47%"));
}

static void wrong_options_are_explained(void **state)
{
	struct view_options options = { .focus = "a(" };
	struct bench *b = *state;

	fill(b);
	assert_int_equal(print(b, &options), -EINVAL);
	assert_non_null(strstr(b->error.data, "--focus: "));
	options = (struct view_options){ .sample = "spce" };
	assert_int_equal(print(b, &options), -EINVAL);
	assert_string_equal(b->error.data, "--sample: no value named 'spce'; there are space, objects");
	options = (struct view_options){ .kind = VIEW_PEEK };
	assert_int_equal(print(b, &options), -EINVAL);
	assert_non_null(strstr(b->error.data, "--peek wants a pattern"));
	options = (struct view_options){ .kind = VIEW_LIST, .pattern = "xyz" };
	assert_int_equal(print(b, &options), -ENOENT);
	assert_string_equal(b->error.data, "no function in this profile matches 'xyz'");
	assert_string_equal(b->out, "");
}

static void an_empty_profile_is_shown_as_such(void **state)
{
	struct bench *b = *state;

	for (int kind = VIEW_TOP; kind <= VIEW_TREE; kind++) {
		struct view_options options = { .kind = (enum view_kind)kind };

		assert_int_equal(print(b, &options), 0);
		assert_non_null(strstr(b->out, "Showing nodes accounting for 0, 0% of 0 total"));
	}
	add(b, "", NULL, 5);
	assert_int_equal(print(b, &(struct view_options){ 0 }), 0);
	assert_non_null(strstr(b->out, "[no stack]"));
}

static void a_difference_may_be_negative(void **state)
{
	struct bench *b = *state;

	add(b, "12", NULL, -3072);
	add(b, "13", NULL, 1024);
	assert_int_equal(print(b, &(struct view_options){ 0 }), 0);
	assert_string_equal(after(b, "   -3.00kB"), "   -3.00kB -75.00% -75.00%    -3.00kB -75.00%  app+0x200\n"
						    "    1.00kB 25.00% -50.00%     1.00kB 25.00%  app+0x300\n"
						    "         0     0% -50.00%    -2.00kB -50.00%  app+0x100\n");
}

/* Random stacks with much recursion; flat, cum and edges counted again the slow way. */
static void random_profiles_agree_with_brute_force(void **state)
{
	struct bench *b = *state;
	struct view_options options = { 0 };
	int64_t flat[10] = { 0 }, cum[10] = { 0 };
	struct view v;

	srand(2);
	for (int row = 0; row < 400; row++) {
		int64_t value = rand() % 1000 + 1;
		char functions[12] = "";
		size_t len = 1 + (size_t)rand() % 10;

		for (size_t i = 0; i < len; i++)
			functions[i] = (char)('1' + rand() % 9);
		add(b, functions, NULL, value);
		flat[functions[len - 1] - '0'] += value;
		for (char f = '1'; f <= '9'; f++)
			cum[f - '0'] += strchr(functions, f) ? value : 0;
	}
	assert_int_equal(view_build(&v, &b->profile, b->stacks, &options, VIEW_FUNCTIONS, &b->error), 0);
	assert_int_equal(v.entries_len, 9);
	for (size_t i = 0; i < v.entries_len; i++) {
		const struct view_entry *e = &v.entries[i];

		assert_int_equal(e->flat, flat[e->frame->address / 0x100]);
		assert_int_equal(e->cum, cum[e->frame->address / 0x100]);
	}
	view_release(&v);
}

static void names_never_reach_the_terminal_raw(void **state)
{
	static const char path[] = "/nowhere/\033]0;owned\007\n\xc2\x9b"
				   "2J";
	struct bench *b = *state;
	int64_t values[] = { 100, 1 };
	struct stack_id id;

	modules_add(&b->modules, 2, path, strlen(path), NULL, 0, 0, 0x20000, 0x30000);
	symbols_object(b->symbols, modules_by_id(&b->modules, 2));
	id = stacks_push(b->stacks, (struct stack_id){ 0 }, 2, 0x20100, true, CUT_NONE);
	profile_add(&b->profile, id, profile_label(&b->profile, "l\033[1m"), values);
	profile_note(&b->profile, "note \033[1m");
	for (int kind = VIEW_TOP; kind <= VIEW_TRACES; kind++) {
		for (int format = VIEW_TEXT; format <= VIEW_CSV; format++) {
			struct view_options options = { .kind = (enum view_kind)kind,
							.format = (enum view_format)format,
							.pattern = "owned" };

			assert_int_equal(print(b, &options), 0);
			assert_true(strlen(b->out) > 10);
			for (const char *s = b->out; *s; s++)
				assert_true((unsigned char)*s >= 0x20 || *s == '\n' || *s == '\r');
			if (format != VIEW_JSON)
				assert_null(strstr(b->out, "\xc2\x9b"));
		}
	}
}

/* ---- with a real program ---- */

static const char source[] =
	"#include <stdio.h>\n"
	"extern char __executable_start;\n"
	"void where(void)\n"
	"{\n"
	"	printf(\"%lx\\n\", (unsigned long)((char *)__builtin_return_address(0) - &__executable_start));\n"
	"}\n"
	"\n"
	"int work(int n)\n"
	"{\n"
	"	where();\n"
	"	if (n)\n"
	"		n += work(n - 1);\n"
	"	return n;\n"
	"}\n"
	"\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	(void)argv;\n"
	"	where();\n"
	"	return work(argc - 1);\n"
	"}\n";

/* The recursion stands twice on line 10 of one stack and is counted once. */
static void list_annotates_the_source(void **state)
{
	char dir[] = "/tmp/ringside-views-XXXXXX", path[128], command[512];
	int64_t direct[] = { 1000, 1 }, nested[] = { 200, 1 };
	struct view_options options = { .kind = VIEW_LIST, .pattern = "^work$" };
	struct bench *b = *state;
	struct stack_id in_main, in_work, twice;
	unsigned long at_main, at_work;
	uint32_t object;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/work.c", dir);
	file = fopen(path, "w");
	fputs(source, file);
	fclose(file);
	snprintf(command, sizeof(command), "cd %s && cc -O0 -g -o work work.c && ./work", dir);
	file = popen(command, "r");
	assert_int_equal(fscanf(file, "%lx %lx", &at_main, &at_work), 2);
	assert_int_equal(pclose(file), 0);
	snprintf(path, sizeof(path), "%s/work", dir);
	modules_add(&b->modules, 3, path, strlen(path), NULL, 0, 0, 0x40000, 0x50000);
	object = symbols_object(b->symbols, modules_by_id(&b->modules, 3));
	in_main = stacks_push(b->stacks, (struct stack_id){ 0 }, object, at_main, false, CUT_NONE);
	in_work = stacks_push(b->stacks, in_main, object, at_work, false, CUT_NONE);
	twice = stacks_push(b->stacks, in_work, object, at_work, false, CUT_NONE);
	profile_add(&b->profile, in_work, 0, direct);
	profile_add(&b->profile, twice, 0, nested);
	profile_add(&b->profile, in_main, 0, nested);
	assert_int_equal(print(b, &options), 0);
	snprintf(command, sizeof(command),
		 "ROUTINE ======================== work in %s/work.c\n"
		 "    1.17kB     1.17kB (flat, cum) 85.71%% of Total\n"
		 "         .          .      8:int work(int n)\n"
		 "         .          .      9:{\n"
		 "    1.17kB     1.17kB     10:    where();\n"
		 "         .          .     11:    if (n)\n",
		 dir);
	assert_memory_equal(after(b, "ROUTINE"), command, strlen(command));
	options.format = VIEW_JSON;
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "\"flat\": 1200, \"cum\": 1200,"));
	assert_non_null(strstr(b->out, "{\"line\": 10, \"flat\": 1200, \"cum\": 1200, \"text\": \"\\twhere();\"}"));
	/* the source goes away: numbers stay, and the reader is told what to do */
	snprintf(command, sizeof(command), "mkdir %s/moved && mv %s/work.c %s/moved", dir, dir, dir);
	assert_int_equal(system(command), 0);
	options.format = VIEW_TEXT;
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "    1.17kB     1.17kB     10:\n"));
	assert_non_null(strstr(b->out, "--source-path"));
	snprintf(path, sizeof(path), "%s/moved", dir);
	options.source.source_path = path;
	options.source.trim_path = dir;
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "    1.17kB     1.17kB     10:    where();\n"));
	assert_non_null(strstr(b->out, " work in work.c\n"));
	/* a function is shown with where it is declared */
	options = (struct view_options){ .kind = VIEW_TOP };
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "  work (work.c:8)\n"));
	assert_non_null(strstr(b->out, "  main (work.c:16)\n"));
	options.granularity = VIEW_LINES;
	assert_int_equal(print(b, &options), 0);
	assert_non_null(strstr(b->out, "  main (work.c:19)\n"));
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static void summaries_get_functions_by_flat_or_cum(void **state)
{
	struct view_function *list;
	struct bench *b = *state;

	fill(b);
	assert_int_equal(view_top_functions(&b->profile, b->stacks, 0, false, &list), 3);
	assert_string_equal(list[0].frame->function, "app+0x300");
	assert_int_equal(list[0].flat, 70 << 10);
	free(list);
	assert_int_equal(view_top_functions(&b->profile, b->stacks, 1, true, &list), 3);
	assert_string_equal(list[0].frame->function, "app+0x100");
	assert_int_equal(list[0].cum, 4);
	free(list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(top_is_what_pprof_prints),
		TEST(the_tree_shows_callers_and_callees),
		TEST(traces_are_ordered_by_value),
		TEST(json_says_the_same),
		TEST(filters_choose_stacks_and_frames),
		TEST(hiding_a_leaf_charges_its_caller),
		TEST(dropped_frames_charge_their_caller),
		TEST(wrong_options_are_explained),
		TEST(an_empty_profile_is_shown_as_such),
		TEST(a_difference_may_be_negative),
		TEST(random_profiles_agree_with_brute_force),
		TEST(names_never_reach_the_terminal_raw),
		TEST(list_annotates_the_source),
		TEST(summaries_get_functions_by_flat_or_cum),
	};

	return cmocka_run_group_tests_name("analyzer/views/views", tests, NULL, NULL);
}
