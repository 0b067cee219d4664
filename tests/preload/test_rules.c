// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preload/rules.h"

static int fresh_cache(void **state)
{
	(void)state;
	return rules_begin();
}

static void every_field_comes_back_as_it_was_packed(void **state)
{
	static const struct {
		enum rule_kind kind;
		int64_t offset, inner;
		enum rule_bp bp;
		int64_t bp_offset;
	} cases[] = {
		{ RULE_SP, 8, 0, RULE_BP_SAME, 0 },
		{ RULE_BP, 16, 0, RULE_BP_AT_CFA, -16 },
		{ RULE_SP, 0x3fffffff8, 0, RULE_BP_AT_CFA, -4096 },
		{ RULE_SP, -64, 0, RULE_BP_AT_CFA, 4088 },
		{ RULE_AT_BP, 0, -8, RULE_BP_AT_BP, 0 },
		{ RULE_AT_SP, 8, 152, RULE_BP_LOST, 0 },
		{ RULE_AT_SP, -262144, 262136, RULE_BP_SAME, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rule rule =
			rule_make(cases[i].kind, cases[i].offset, cases[i].inner, cases[i].bp, cases[i].bp_offset);
		bool is_deref = cases[i].kind == RULE_AT_BP || cases[i].kind == RULE_AT_SP;

		rule = rule_with_module(rule, 0xfedc);
		assert_int_equal(rule_kind(rule), cases[i].kind);
		assert_int_equal(rule_bp(rule), cases[i].bp);
		assert_int_equal(rule_bp_offset(rule), cases[i].bp_offset);
		assert_int_equal(is_deref ? rule_added(rule) : rule_offset(rule), cases[i].offset);
		if (is_deref)
			assert_int_equal(rule_inner(rule), cases[i].inner);
		assert_int_equal(rule_module(rule), 0xfedc);
	}
}

static void what_does_not_fit_is_complex(void **state)
{
	(void)state;
	assert_int_equal(rule_kind(rule_make(RULE_SP, 12, 0, RULE_BP_SAME, 0)), RULE_COMPLEX);
	assert_int_equal(rule_kind(rule_make(RULE_SP, INT64_C(1) << 40, 0, RULE_BP_SAME, 0)), RULE_COMPLEX);
	assert_int_equal(rule_kind(rule_make(RULE_SP, 16, 0, RULE_BP_AT_CFA, -4104)), RULE_COMPLEX);
	assert_int_equal(rule_kind(rule_make(RULE_AT_BP, 0, 262144, RULE_BP_SAME, 0)), RULE_COMPLEX);
}

static void a_stored_rule_is_found_and_others_are_not(void **state)
{
	struct rules_view view = rules_view();
	struct rule rule = rule_make(RULE_SP, 48, 0, RULE_BP_SAME, 0);

	(void)state;
	rules_store(&view, 0x401234, rule);
	assert_int_equal(rules_find(&view, 0x401234).bits, rule.bits);
	assert_int_equal(rules_find(&view, 0x401235).bits, 0);
	assert_int_equal(rules_find(&view, 0).bits, 0);
}

static void a_forgotten_rule_is_not_found_in_a_new_view(void **state)
{
	struct rules_view before = rules_view(), after;
	struct rule rule = rule_make(RULE_SP, 48, 0, RULE_BP_SAME, 0);

	(void)state;
	rules_store(&before, 0x401234, rule);
	rules_pause(), rules_resume();
	after = rules_view();
	assert_int_equal(rules_find(&after, 0x401234).bits, 0);
	/* A capture that began before may go on with what it saw. */
	assert_int_equal(rules_find(&before, 0x401234).bits, rule.bits);
}

static void generations_that_come_round_find_nothing_old(void **state)
{
	struct rules_view view = rules_view();

	(void)state;
	rules_store(&view, 0x401234, rule_make(RULE_SP, 48, 0, RULE_BP_SAME, 0));
	for (unsigned i = 0; i < 65536; i++)
		rules_pause(), rules_resume();
	view = rules_view();
	assert_int_equal(rules_find(&view, 0x401234).bits, 0);
}

static void most_rules_survive_growth(void **state)
{
	const unsigned count = 20000;
	unsigned found = 0;
	struct rules_view view;

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		view = rules_view();
		rules_store(&view, 0x7f0000000000 + i * 7, rule_make(RULE_SP, 8 * (i + 1), 0, RULE_BP_SAME, 0));
	}
	view = rules_view();
	for (unsigned i = 0; i < count; i++) {
		struct rule rule = rules_find(&view, 0x7f0000000000 + i * 7);

		found += rule.bits != 0;
		if (rule.bits)
			assert_int_equal(rule_offset(rule), 8 * (i + 1));
	}
	assert_in_range(found, count * 9 / 10, count);
}

/* All threads write and read the same few slots; the rule of a key is computed from the key. */
static struct rule rule_of(uintptr_t pc)
{
	return rule_make(RULE_SP, (int64_t)(pc & 0xffff) * 8, 0, RULE_BP_AT_CFA, -16);
}

static void *hammer(void *arg)
{
	uint64_t random = (uintptr_t)arg * 7919 + 1, wrong = 0;

	for (int i = 0; i < 1000000; i++) {
		struct rules_view view = rules_view();
		uintptr_t pc;
		struct rule rule;

		random = random * 6364136223846793005u + 1442695040888963407u;
		pc = 0x5500000000 + (random >> 40) % 4096;
		rule = rules_find(&view, pc);
		wrong += rule.bits && rule.bits != rule_of(pc).bits;
		if (random >> 62 == 0)
			rules_store(&view, pc, rule_of(pc));
	}
	return (void *)(uintptr_t)wrong;
}

static void racing_writers_never_show_a_mixed_rule(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)i), 0);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_field_comes_back_as_it_was_packed, fresh_cache),
		cmocka_unit_test_setup(what_does_not_fit_is_complex, fresh_cache),
		cmocka_unit_test_setup(a_stored_rule_is_found_and_others_are_not, fresh_cache),
		cmocka_unit_test_setup(a_forgotten_rule_is_not_found_in_a_new_view, fresh_cache),
		cmocka_unit_test_setup(generations_that_come_round_find_nothing_old, fresh_cache),
		cmocka_unit_test_setup(most_rules_survive_growth, fresh_cache),
		cmocka_unit_test_setup(racing_writers_never_show_a_mixed_rule, fresh_cache),
	};

	return cmocka_run_group_tests_name("preload/rules", tests, NULL, NULL);
}
