// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/record.h"
#include "preload/config.h"
#include "tests/support/fake_stderr.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name, *fallback, *values, *help;
} rows[] = {
#define TOGGLE(field, type, name, fallback, values, help) { name, fallback, values, help },
#include "format/toggles.def"
};

static struct config defaults;

/* What was understood, without what stands behind the ends of texts and what was given. */
static struct config plain(struct config c)
{
	strncpy(c.out, strdupa(c.out), sizeof(c.out));
	strncpy(c.trigger, strdupa(c.trigger), sizeof(c.trigger));
	strncpy(c.reach, strdupa(c.reach), sizeof(c.reach));
	strncpy(c.children_match, strdupa(c.children == CHILDREN_MATCH ? c.children_match : ""),
		sizeof(c.children_match));
	memset(c.toggles, 0, sizeof(c.toggles));
	return c;
}

static bool is_config(const struct config *want)
{
	struct config a = plain(config), b = plain(*want);

	return !memcmp(&a, &b, sizeof(a));
}

/* A fresh reading: nothing of the previous one can help. */
static void read_fresh(const char *value)
{
	memset(&config, 0, sizeof(config));
	config_read(value);
}

static const char *tell(const char *value)
{
	memset(&config, 0, sizeof(config));
	fake_stderr_begin();
	config_tell(value);
	return fake_stderr_end();
}

static int take_defaults(void **state)
{
	(void)state;
	read_fresh(NULL);
	defaults = config;
	return 0;
}

/* ---- values --------------------------------------------------------------------------------------------------- */

static void defaults_are_the_documented_ones(void **state)
{
	(void)state;
	read_fresh(NULL);
	assert_int_equal(config.heap, RSD_HEAP_EXACT);
	assert_int_equal(config.freestack, 32);
	assert_int_equal(config.alloctime, 1024);
	assert_int_equal(config.cpu, 99);
	assert_int_equal(config.block, 10000);
	assert_int_equal(config.ring, 0);
	assert_int_equal(config.limit, 0);
	assert_int_equal(config.depth, 128);
	assert_string_equal(config.out, "ringside.%e.%p.rsd");
	assert_int_equal(config.children, CHILDREN_ON);
	assert_int_equal(config.schedtrace, 0);
	assert_int_equal(config.heaptrace, 0);
	assert_true(config.locktrace == CONFIG_OFF);
	assert_true(config.iotrace == CONFIG_OFF);
	assert_true(config.stalltrace == CONFIG_OFF);
	assert_int_equal(config.rss, 0);
	assert_int_equal(config.inittrace, 0);
	assert_int_equal(config.budget, 0);
	assert_string_equal(config.trigger, "");
	assert_int_equal(config.help, 0);
	assert_string_equal(config.toggles, "");
}

/* Said or not, a row's default is the same. */
static void each_default_can_be_typed(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char given[128];

		snprintf(given, sizeof(given), "%s=%s", rows[i].name, rows[i].fallback);
		assert_string_equal(tell(given), "");
		assert_true(is_config(&defaults));
	}
}

static void good_values_are_taken(void **state)
{
	static const struct {
		const char *given;
		const uint64_t *field;
		uint64_t want;
	} cases[] = {
		{ "freestack=1", &config.freestack, 1 },
		{ "freestack=4294967295", &config.freestack, UINT32_MAX },
		{ "freestack=off", &config.freestack, 0 },
		{ "alloctime=64", &config.alloctime, 64 },
		{ "alloctime=off", &config.alloctime, 0 },
		{ "cpu=0", &config.cpu, 0 },
		{ "cpu=1", &config.cpu, 1 },
		{ "cpu=10000", &config.cpu, 10000 },
		{ "cpu=off", &config.cpu, 0 },
		{ "block=0", &config.block, 0 },
		{ "block=250", &config.block, 250 },
		{ "block=7ns", &config.block, 7 },
		{ "block=1.5us", &config.block, 1500 },
		{ "block=1.2345us", &config.block, 1234 },
		{ "block=0.001ms", &config.block, 1000 },
		{ "block=3ms", &config.block, 3000000 },
		{ "block=2s", &config.block, 2000000000 },
		{ "block=18446744073s", &config.block, 18446744073000000000u },
		{ "block=off", &config.block, CONFIG_OFF },
		{ "ring=0", &config.ring, 0 },
		{ "ring=off", &config.ring, 0 },
		{ "ring=64k", &config.ring, 65536 },
		{ "ring=64K", &config.ring, 65536 },
		{ "ring=1.5m", &config.ring, 1572864 },
		{ "ring=2M", &config.ring, 2097152 },
		{ "limit=1g", &config.limit, 1073741824 },
		{ "limit=0.5G", &config.limit, 536870912 },
		{ "limit=12345", &config.limit, 12345 },
		{ "limit=17592186044415m", &config.limit, UINT64_MAX - 1048575 },
		{ "depth=1", &config.depth, 1 },
		{ "depth=1024", &config.depth, RSD_DEPTH_MAX },
		{ "schedtrace=1000", &config.schedtrace, 1000 },
		{ "heaptrace=250", &config.heaptrace, 250 },
		{ "locktrace=5ms", &config.locktrace, 5000000 },
		{ "iotrace=1s", &config.iotrace, 1000000000 },
		{ "stalltrace=100ms", &config.stalltrace, 100000000 },
		{ "inittrace=1", &config.inittrace, 1 },
		{ "budget=5", &config.budget, 5 },
		{ "help=0", &config.help, 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_string_equal(tell(cases[i].given), "");
		if (*cases[i].field != cases[i].want)
			fail_msg("%s gave %llu", cases[i].given, (unsigned long long)*cases[i].field);
		assert_string_equal(config.toggles, cases[i].given);
	}
}

static void the_heap_has_three_modes(void **state)
{
	static const struct {
		const char *given;
		enum rsd_heap_mode mode;
		uint64_t sample_bytes; /* 0: not looked at */
	} cases[] = {
		{ "heap=exact", RSD_HEAP_EXACT, 0 },
		{ "heap=off", RSD_HEAP_OFF, 0 },
		{ "heap=sample:512k", RSD_HEAP_SAMPLE, 524288 },
		{ "heap=sample:1.5k", RSD_HEAP_SAMPLE, 1536 },
		{ "heap=sample:2", RSD_HEAP_SAMPLE, 2 },
		{ "heap=sample:1", RSD_HEAP_EXACT, 0 }, /* every byte is sampled */
		{ "heap=off,heap=sample:4k", RSD_HEAP_SAMPLE, 4096 },
		{ "heap=sample:4k,heap=exact", RSD_HEAP_EXACT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_string_equal(tell(cases[i].given), "");
		assert_int_equal(config.heap, cases[i].mode);
		if (cases[i].sample_bytes)
			assert_int_equal(config.sample_bytes, cases[i].sample_bytes);
	}
}

static void children_may_be_a_pattern(void **state)
{
	static const struct {
		const char *given;
		enum config_children children;
		const char *match; /* NULL: not looked at */
	} cases[] = {
		{ "children=on", CHILDREN_ON, NULL },
		{ "children=off", CHILDREN_OFF, NULL },
		{ "children==^worker", CHILDREN_MATCH, "^worker" },
		{ "children==a=b", CHILDREN_MATCH, "a=b" },
		{ "children==a|b,cpu=5", CHILDREN_MATCH, "a|b" },
		{ "children==", CHILDREN_MATCH, "" },
		{ "children==x,children=off", CHILDREN_OFF, NULL },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_string_equal(tell(cases[i].given), "");
		assert_int_equal(config.children, cases[i].children);
		if (cases[i].match)
			assert_string_equal(config.children_match, cases[i].match);
	}
}

static void triggers_have_three_kinds(void **state)
{
	static const char *const good[] = {
		"signal:USR1", "signal:SIGUSR2", "block:10ms", "block:5", "rss:1g", "rss:0", ""
	};

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		char given[64];

		snprintf(given, sizeof(given), "trigger=%s", good[i]);
		assert_string_equal(tell(given), "");
		assert_string_equal(config.trigger, good[i]);
	}
}

static void reach_has_three_moments(void **state)
{
	static const char *const good[] = { "exit", "mark", "signal:USR2", "signal:SIGHUP", "off" };

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		char given[64];

		snprintf(given, sizeof(given), "reach=%s", good[i]);
		assert_string_equal(tell(given), "");
		assert_string_equal(config.reach, good[i]);
	}
}

/* Each leaves all at the defaults, also after a good value of the same toggle, and says so in one line. */
static void bad_values_leave_the_default(void **state)
{
	static const struct {
		const char *name, *good, *bad[16];
	} cases[] = {
		{ "heap",
		  "off",
		  { "", "on", "EXACT", "exactly", "sample", "sample:", "sample:0", "sample:0.5", "sample:x",
		    "sample:1kb", "off " } },
		{ "freestack", "1", { "", "all", "sample", "-1", "0.5", "1k", "4294967296" } },
		{ "alloctime", "64", { "", "all", "-1", "1.5", "1us", "4294967296" } },
		{ "cpu",
		  "50",
		  { "", "fast", "-1", "+1", " 5", "5 ", "10001", "99.5", "0.5", "1k", "0x10", "9e9", "OFF" } },
		{ "block",
		  "1ms",
		  { "", "us", "10 us", "10US", "-1ms", ".5ms", "1..5ms", "1h", "1msx", "18446744074s",
		    "99999999999999999999", "OFF" } },
		{ "ring",
		  "1m",
		  { "", "k", "64kb", "64KiB", "1 k", "1t", "-1", "17592186044416m", "99999999999999999999" } },
		{ "limit", "1m", { "", "much", "1.5.5m", "99999999999g" } },
		{ "depth", "64", { "", "0", "1025", "99999999999999999999", "off", "deep", "1.5", "64k" } },
		{ "out", "x", { "" } },
		{ "children", "off", { "", "On", "no", "yes", "regex", "1" } },
		{ "schedtrace", "10", { "", "1s", "10ms", "0.5", "x" } },
		{ "heaptrace", "10", { "", "1s", "x" } },
		{ "locktrace", "1s", { "", "x", "1m" } },
		{ "iotrace", "1s", { "", "x", "1m" } },
		{ "stalltrace", "1s", { "", "x", "1m" } },
		{ "deadlocktrace", "1s", { "", "x", "1m" } },
		{ "rss", "1", { "", "2", "1g", "on" } },
		{ "inittrace", "1", { "", "2", "yes", "-1", "on", "0.5" } },
		{ "lockorder", "0", { "", "2", "yes", "-1", "on", "0.5" } },
		{ "budget", "5", { "", "5%", "0.5", "x" } },
		{ "trigger",
		  "rss:1g",
		  { "moon", "signal:", "signal:x", "signal:KILL", "signal", "block:", "block:soon", "block:1h",
		    "rss:", "rss:1kb", "rss:-1", "Signal:USR1", "SIGUSR1" } },
		{ "reach",
		  "exit",
		  { "", "on", "Exit", "exit ", "signal", "signal:", "signal:KILL", "signal:x", "mark:", "offf" } },
		{ "help", "0", { "2", "yes" } },
	};

	(void)state;
	assert_int_equal(LEN(cases), LEN(rows));
	for (size_t i = 0; i < LEN(cases); i++)
		for (size_t k = 0; k < LEN(cases[i].bad) && cases[i].bad[k]; k++) {
			char given[256], want[256];
			const char *said;

			snprintf(given, sizeof(given), "%s=%s,%s=%s", cases[i].name, cases[i].good, cases[i].name,
				 cases[i].bad[k]);
			snprintf(want, sizeof(want), "ringside: bad value \"%s\" for toggle %s, want ", cases[i].bad[k],
				 cases[i].name);
			said = tell(given);
			if (strncmp(said, want, strlen(want)) || strchr(said, '\n') != said + strlen(said) - 1)
				fail_msg("%s: said \"%s\"", given, said);
			if (!is_config(&defaults))
				fail_msg("%s changed something", given);
		}
}

static void a_bad_value_is_told_with_what_was_wanted(void **state)
{
	(void)state;
	assert_string_equal(tell("block=soon"), "ringside: bad value \"soon\" for toggle block, want DURATION|off; it "
						"stays at 10us\n");
	assert_string_equal(tell("trigger=x"), "ringside: bad value \"x\" for toggle trigger, want "
					       "signal:NAME|block:DUR|rss:SIZE; it stays at off\n");
	assert_string_equal(tell("cpu"), "ringside: bad value \"\" for toggle cpu, want HZ|off; it stays at 99\n");
}

/* ---- the line as a whole -------------------------------------------------------------------------------------- */

static void the_last_one_wins(void **state)
{
	(void)state;
	assert_string_equal(tell("cpu=1,block=1s,cpu=2,depth=7,cpu=3"), "");
	assert_int_equal(config.cpu, 3);
	assert_int_equal(config.block, 1000000000);
	assert_int_equal(config.depth, 7);
	assert_string_equal(tell("out=a,out=b"), "");
	assert_string_equal(config.out, "b");
	read_fresh("cpu=fast,cpu=5");
	assert_int_equal(config.cpu, 5);
}

static void empty_places_are_nothing(void **state)
{
	static const char *const empty[] = { "", ",", ",,,,", ",,cpu=99,," };

	(void)state;
	for (size_t i = 0; i < LEN(empty); i++) {
		assert_string_equal(tell(empty[i]), "");
		assert_true(is_config(&defaults));
		assert_string_equal(config.toggles, empty[i]);
	}
	assert_string_equal(tell("cpu=5,,depth=6,"), "");
	assert_int_equal(config.cpu, 5);
	assert_int_equal(config.depth, 6);
}

static void a_reading_starts_from_the_defaults(void **state)
{
	(void)state;
	config_read("cpu=5,heap=sample:9k,out=x,trigger=rss:1g,children=off,block=off");
	config_read("depth=9");
	config.depth = defaults.depth;
	assert_true(is_config(&defaults));
}

static void unknown_names_get_a_suggestion(void **state)
{
	static const struct {
		const char *given, *name, *near; /* NULL: none is near */
	} cases[] = {
		{ "hep=exact", "hep", "heap" },
		{ "heaps=off", "heaps", "heap" },
		{ "CPU", "CPU", NULL },
		{ "cpuu=5", "cpuu", "cpu" },
		{ "blok=1ms", "blok", "block" },
		{ "rings=1", "rings", "ring" },
		{ "dept=5", "dept", "depth" },
		{ "output=x", "output", "out" },
		{ "childen=on", "childen", "children" },
		{ "locktrce=1", "locktrce", "locktrace" },
		{ "stall=1s", "stall", NULL },
		{ "=5", "", NULL },
		{ "zzzzzzzz=1", "zzzzzzzz", NULL },
		{ "buget=5", "buget", "budget" },
		{ "cpu =5", "cpu ", "cpu" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		char want[256];

		if (cases[i].near)
			snprintf(want, sizeof(want),
				 "ringside: unknown toggle \"%s\" in RINGSIDE, did you mean \"%s\"?\n", cases[i].name,
				 cases[i].near);
		else
			snprintf(want, sizeof(want),
				 "ringside: unknown toggle \"%s\" in RINGSIDE; help=1 lists them all\n", cases[i].name);
		assert_string_equal(tell(cases[i].given), want);
		assert_true(is_config(&defaults));
	}
}

static void reading_is_silent(void **state)
{
	(void)state;
	fake_stderr_begin();
	config_read("hep=1,cpu=fast,help=1,,=,out=");
	assert_string_equal(fake_stderr_end(), "");
	assert_int_equal(config.help, 1);
	/* Telling is over when it is over. */
	tell("hep=1");
	fake_stderr_begin();
	config_read("hep=1");
	assert_string_equal(fake_stderr_end(), "");
}

static char *long_toggle(const char *head, size_t len)
{
	size_t head_len = strlen(head);
	char *given = malloc(head_len + len + 1);

	memcpy(given, head, head_len);
	memset(given + head_len, 'x', len);
	given[head_len + len] = 0;
	return given;
}

static void texts_are_taken_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *head;
		const char *field;
		size_t given_before; /* of the value, by the head */
	} cases[] = { { "out=", config.out, 0 }, { "children==", config.children_match, 0 } };

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t fits = CONFIG_TEXT_MAX - 1 - cases[i].given_before;
		char *given = long_toggle(cases[i].head, fits);

		assert_string_equal(tell(given), "");
		assert_int_equal(strlen(cases[i].field), CONFIG_TEXT_MAX - 1);
		free(given);
		for (size_t more = 1; more < 100000; more *= 10) {
			given = long_toggle(cases[i].head, fits + more);
			assert_non_null(strstr(tell(given), "bad value \""));
			assert_true(is_config(&defaults));
			free(given);
		}
	}
}

static void endless_names_and_numbers_do_no_harm(void **state)
{
	static const char *const heads[] = { "", "cp", "=", "depth=1", "ring=0.", "heap=sample:", "heap=" };

	(void)state;
	for (size_t i = 0; i < LEN(heads); i++) {
		char *given = long_toggle(heads[i], 100000);
		const char *said = tell(given);

		assert_true(strlen(said) < 300);
		assert_non_null(strstr(said, strchr(heads[i], '=') > heads[i] ? ", want " : " in RINGSIDE"));
		assert_true(is_config(&defaults));
		assert_int_equal(strlen(config.toggles), sizeof(config.toggles) - 1);
		free(given);
	}
}

/* ---- help ----------------------------------------------------------------------------------------------------- */

/* The name=value of each line of help, joined by commas; how many there were. */
static size_t values_of_help(const char *said, char *given, size_t size)
{
	size_t n = 0, len = 0;

	for (const char *line = strchr(said, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
		const char *start = line + strlen("ringside:   "), *end = strstr(start, "  ");

		assert_memory_equal(line, "ringside:   ", strlen("ringside:   "));
		len += (size_t)snprintf(given + len, size - len, "%s%.*s", n++ ? "," : "", (int)(end - start), start);
	}
	return n;
}

static void help_prints_every_toggle(void **state)
{
	const char *said = tell("help=1");

	(void)state;
	assert_int_equal(config.help, 1);
	for (size_t i = 0; i < LEN(rows); i++) {
		char line[300];

		snprintf(line, sizeof(line), "%s (%s)\n", rows[i].help, rows[i].values);
		assert_non_null(strstr(said, line));
		snprintf(line, sizeof(line), "\nringside:   %s=", rows[i].name);
		assert_non_null(strstr(said, line));
	}
}

static void what_help_prints_can_be_typed_back(void **state)
{
	static const char *const cases[] = {
		"help=1",
		"help=1,heap=sample:3k,cpu=off,block=off,ring=5m,limit=1g,depth=77,out=dump.%p,children==^a|b$",
		"help=1,heap=off,block=0,schedtrace=100,heaptrace=5,inittrace=1",
		"help=1,locktrace=1500us,iotrace=2s,stalltrace=7",
		"help=1,children=off,budget=3,trigger=block:10ms,cpu=10000,block=1.5s",
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		char given[2048];
		struct config before;

		assert_int_equal(values_of_help(tell(cases[i]), given, sizeof(given)), LEN(rows));
		before = config;
		assert_non_null(strstr(tell(given), "the toggles of RINGSIDE"));
		assert_true(is_config(&before));
	}
}

static void durations_and_sizes_are_read_for_others_too(void **state)
{
	uint64_t value = 1;

	(void)state;
	assert_true(config_duration("10ms", &value) && value == 10000000);
	assert_true(config_size("64m", &value) && value == 67108864);
	assert_false(config_duration("64m", &value));
	assert_false(config_size("10ms", &value));
	assert_false(config_duration("", &value));
	assert_int_equal(value, 67108864);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_documented_ones),
		cmocka_unit_test(each_default_can_be_typed),
		cmocka_unit_test(good_values_are_taken),
		cmocka_unit_test(the_heap_has_three_modes),
		cmocka_unit_test(children_may_be_a_pattern),
		cmocka_unit_test(triggers_have_three_kinds),
		cmocka_unit_test(reach_has_three_moments),
		cmocka_unit_test(bad_values_leave_the_default),
		cmocka_unit_test(a_bad_value_is_told_with_what_was_wanted),
		cmocka_unit_test(the_last_one_wins),
		cmocka_unit_test(empty_places_are_nothing),
		cmocka_unit_test(a_reading_starts_from_the_defaults),
		cmocka_unit_test(unknown_names_get_a_suggestion),
		cmocka_unit_test(reading_is_silent),
		cmocka_unit_test(texts_are_taken_whole_or_not_at_all),
		cmocka_unit_test(endless_names_and_numbers_do_no_harm),
		cmocka_unit_test(help_prints_every_toggle),
		cmocka_unit_test(what_help_prints_can_be_typed_back),
		cmocka_unit_test(durations_and_sizes_are_read_for_others_too),
	};

	return cmocka_run_group_tests_name("preload/config", tests, take_defaults, NULL);
}
