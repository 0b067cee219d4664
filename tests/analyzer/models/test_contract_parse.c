/* SPDX-License-Identifier: MIT */
/* test_contract_parse.c - what a rule means, and where a wrong one goes wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/models/contract.h"

#define MS UINT64_C(1000000)

/* The only rule of a list of its own; the caller releases the list. */
static struct contract *parse(struct contracts *c, const char *text)
{
	struct buf error = { 0 };
	size_t column;

	*c = (struct contracts){ 0 };
	if (contract_parse(c, text, "test", 1, &column, &error))
		fail_msg("%s: %s", text, buf_string(&error));
	assert_int_equal(c->len, 1);
	return &c->list[0];
}

static void a_rule_about_events_has_limits_and_scopes(void **state)
{
	static const struct {
		const char *text;
		enum contract_what what;
		enum contract_per per;
		uint64_t limit;
		bool counts_events;
		uint64_t from_ns, to_ns;
		const char *function, *thread, *region, *module, *per_region;
	} cases[] = {
		{ "no malloc", WHAT_MALLOC, PER_CALL, 0, true, 0, 0, NULL, NULL, NULL, NULL, NULL },
		{ "no malloc in audio_callback after 1s", WHAT_MALLOC, PER_CALL, 0, true, 1000 * MS, 0,
		  "audio_callback", NULL, NULL, NULL, NULL },
		{ "  No Free  in thread rt-.* ", WHAT_FREE, PER_CALL, 0, true, 0, 0, NULL, "rt-.*", NULL, NULL, NULL },
		{ "no realloc in region frame before 20ms", WHAT_REALLOC, PER_CALL, 0, true, 0, 20 * MS, NULL, NULL,
		  "frame", NULL, NULL },
		{ "no heap in function thread", WHAT_HEAP, PER_CALL, 0, true, 0, 0, "thread", NULL, NULL, NULL, NULL },
		{ "no wait in module \"lib a.so\" in \"thread\"", WHAT_WAIT, PER_CALL, 0, true, 0, 0, "thread", NULL,
		  NULL, "lib a.so", NULL },
		{ "no malloc in operator<", WHAT_MALLOC, PER_CALL, 0, true, 0, 0, "operator<", NULL, NULL, NULL, NULL },
		{ "at most 4k per call in parse", WHAT_MALLOC, PER_CALL, 4096, false, 0, 0, "parse", NULL, NULL, NULL,
		  NULL },
		{ "at most 4k", WHAT_MALLOC, PER_RUN, 4096, false, 0, 0, NULL, NULL, NULL, NULL, NULL },
		{ "at most 12 bytes", WHAT_MALLOC, PER_RUN, 12, false, 0, 0, NULL, NULL, NULL, NULL, NULL },
		{ "at most 3 mallocs per region frame in thread a", WHAT_MALLOC, PER_REGION, 3, true, 0, 0, NULL, "a",
		  NULL, NULL, "frame" },
		{ "at most 2k allocations", WHAT_MALLOC, PER_RUN, 2048, false, 0, 0, NULL, NULL, NULL, NULL, NULL },
		{ "at most 7 frees in f", WHAT_FREE, PER_RUN, 7, true, 0, 0, "f", NULL, NULL, NULL, NULL },
		{ "at most 5ms wait per call", WHAT_WAIT, PER_CALL, 5 * MS, false, 0, 0, NULL, NULL, NULL, NULL, NULL },
		{ "at most 5ms in f", WHAT_WAIT, PER_RUN, 5 * MS, false, 0, 0, "f", NULL, NULL, NULL, NULL },
		{ "at most 2 waits per region r", WHAT_WAIT, PER_REGION, 2, true, 0, 0, NULL, NULL, NULL, NULL, "r" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct contracts list;
		const struct contract *c = parse(&list, cases[i].text);
		const struct {
			const char *wanted, *got;
		} names[] = {
			{ cases[i].function, c->function.text },     { cases[i].thread, c->thread.text },
			{ cases[i].region, c->region.text },	     { cases[i].module, c->module.text },
			{ cases[i].per_region, c->per_region.text },
		};

		assert_false(c->is_total);
		assert_int_equal(c->what, cases[i].what);
		assert_int_equal(c->per, cases[i].per);
		assert_int_equal(c->limit, cases[i].limit);
		assert_int_equal(c->counts_events, cases[i].counts_events);
		assert_int_equal(c->from_ns, cases[i].from_ns);
		assert_int_equal(c->to_ns, cases[i].to_ns);
		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
			assert_int_equal(!names[n].wanted, !names[n].got);
			if (names[n].wanted)
				assert_string_equal(names[n].got, names[n].wanted);
		}
		contracts_release(&list);
	}
}

static void a_rule_about_a_total_has_a_quantity_and_a_bound(void **state)
{
	static const struct {
		const char *text;
		enum contract_quantity quantity;
		enum contract_op op;
		double bound;
		bool is_share;
	} cases[] = {
		{ "peak heap < 100m", TOTAL_PEAK_HEAP, OP_LESS, 104857600, false },
		{ "peak heap<100m", TOTAL_PEAK_HEAP, OP_LESS, 104857600, false },
		{ "live at exit <= 1k", TOTAL_LIVE, OP_LESS_EQUAL, 1024, false },
		{ "lost events = 0", TOTAL_LOST, OP_EQUAL, 0, false },
		{ "lost events == 0", TOTAL_LOST, OP_EQUAL, 0, false },
		{ "allocations in parse > 5", TOTAL_ALLOCATIONS, OP_GREATER, 5, false },
		{ "cpu in compress < 30 %", TOTAL_CPU, OP_LESS, 0.3, true },
		{ "cpu in function compress < 30%", TOTAL_CPU, OP_LESS, 0.3, true },
		{ "temporary < 10%", TOTAL_TEMPORARY, OP_LESS, 0.1, true },
		{ "wall < 1.5s", TOTAL_WALL, OP_LESS, 1.5e9, false },
		{ "threads != 3", TOTAL_THREADS, OP_NOT_EQUAL, 3, false },
		{ "wait for mutex < 100ms", TOTAL_WAIT_FOR, OP_LESS, 1e8, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct contracts list;
		const struct contract *c = parse(&list, cases[i].text);

		assert_true(c->is_total);
		assert_int_equal(c->quantity, cases[i].quantity);
		assert_int_equal(c->op, cases[i].op);
		assert_true(c->bound == cases[i].bound);
		assert_int_equal(c->is_share, cases[i].is_share);
		contracts_release(&list);
	}
}

static void a_lock_is_told_by_kind_and_name(void **state)
{
	struct contracts list;
	struct contract *c = parse(&list, "wait for mutex server.log.lock < 100ms");

	(void)state;
	assert_int_equal(c->wait, WAIT_MUTEX);
	assert_true(name_matches(&c->lock, "server.log.lock"));
	assert_false(name_matches(&c->lock, "the server.log.lock"));
	contracts_release(&list);
	c = parse(&list, "wait for lock queue.* < 1s");
	assert_int_equal(c->wait, 0);
	assert_true(name_matches(&c->lock, "queue_lock"));
	contracts_release(&list);
}

static void a_name_matches_as_a_whole(void **state)
{
	struct contracts list;
	struct contract *c = parse(&list, "no malloc in parse|scan");

	(void)state;
	assert_true(name_matches(&c->function, "parse"));
	assert_true(name_matches(&c->function, "scan"));
	assert_false(name_matches(&c->function, "parse_line"));
	assert_false(name_matches(&c->function, "sparse"));
	contracts_release(&list);
}

static void a_short_name_of_a_cpp_function_is_enough(void **state)
{
	const struct frame method = { .function = "ns::parser::run(std::vector<int> const&, int)" };
	const struct frame other = { .function = "ns::parser::run_all(int)" };
	struct contracts list;
	struct contract *c = parse(&list, "no malloc in ns::parser::run");

	(void)state;
	assert_true(name_matches_frame(&c->function, &method));
	assert_false(name_matches_frame(&c->function, &other));
	contracts_release(&list);
}

static void an_empty_line_and_a_comment_are_no_rules(void **state)
{
	static const char *const texts[] = { "", "   \t", "# peak heap < 1k", "  # no malloc" };
	struct contracts c = { 0 };
	struct buf error = { 0 };
	size_t column;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(contract_parse(&c, texts[i], "test", 1, &column, &error), 0);
	assert_int_equal(c.len, 0);
}

static void a_wrong_rule_is_told_with_its_place_and_what_was_expected(void **state)
{
	static const struct {
		const char *text;
		size_t column;
		const char *words; /* in the message */
	} cases[] = {
		{ "no malloc im parse", 10, "did you mean 'in'" },
		{ "no mallok", 3, "did you mean 'malloc'" },
		{ "no", 2, "the rule ends here" },
		{ "no malloc in", 12, "the name of a function" },
		{ "no malloc in thread", 19, "the name of a thread" },
		{ "no malloc in a in b", 18, "said before" },
		{ "no malloc in a(", 13, "no regular expression" },
		{ "no malloc in \"a", 13, "quotation mark" },
		{ "no malloc after soon", 16, "a time such as" },
		{ "no malloc after 2s before 1s", 28, "no time at all" },
		{ "at least 3 mallocs", 3, "'most'" },
		{ "at most many mallocs", 8, "an amount such as" },
		{ "at most 4k per cal", 15, "did you mean 'call'" },
		{ "at most 3 mallocs per call", 22, "a call is one event" },
		{ "at most 5ms malloc", 8, "a time is the limit of waits" },
		{ "at most 4k waits", 8, "waits are limited by a time" },
		{ "at most 4k frees", 11, "frees are limited by a number" },
		{ "pek heap < 3m", 0, "'peak heap'" },
		{ "peak heap 3m", 10, "'<='" },
		{ "peak heap < 3ms", 12, "a size such as" },
		{ "peak heap < 3%", 12, "needs 'in FUNCTION'" },
		{ "peak heap < 3m in f", 15, "the end of the rule" },
		{ "wall in f < 3s", 5, "of the whole process" },
		{ "wait for mutx a < 1s", 9, "did you mean 'mutex'" },
		{ "wait for lock < 1s", 14, "wants the name of a lock" },
		{ "lost events = none", 14, "a number" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct contracts c = { 0 };
		struct buf error = { 0 };
		size_t column;

		if (contract_parse(&c, cases[i].text, "test", 1, &column, &error) != -EINVAL)
			fail_msg("%s: is taken", cases[i].text);
		if (!strstr(buf_string(&error), cases[i].words))
			fail_msg("%s: says %s", cases[i].text, buf_string(&error));
		if (column != cases[i].column)
			fail_msg("%s: column %zu", cases[i].text, column);
		contracts_release(&c);
		buf_release(&error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_about_events_has_limits_and_scopes),
		cmocka_unit_test(a_rule_about_a_total_has_a_quantity_and_a_bound),
		cmocka_unit_test(a_lock_is_told_by_kind_and_name),
		cmocka_unit_test(a_name_matches_as_a_whole),
		cmocka_unit_test(a_short_name_of_a_cpp_function_is_enough),
		cmocka_unit_test(an_empty_line_and_a_comment_are_no_rules),
		cmocka_unit_test(a_wrong_rule_is_told_with_its_place_and_what_was_expected),
	};

	return cmocka_run_group_tests_name("analyzer/models/contract_parse", tests, NULL, NULL);
}
