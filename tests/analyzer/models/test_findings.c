/* SPDX-License-Identifier: MIT */
/* test_findings.c - each rule speaks when it should, and keeps quiet when nothing stands out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/models/findings.h"
#include "tests/support/trace_analysis.h"

#define MS UINT64_C(1000000)
#define LOCK 0x5000

static const struct finding *find(const struct findings *f, enum rule rule)
{
	for (size_t i = 0; i < f->len; i++)
		if (f->list[i].rule == rule)
			return &f->list[i];
	return NULL;
}

static void begin(struct trace *t)
{
	trace_init(t);
	trace_add_thread(t, 0, 100, "main");
	trace_add_thread(t, 1, 101, "worker");
	trace_add_thread(t, 2, 102, "worker");
	trace_thread(t, 1)->start_routine = trace_thread(t, 2)->start_routine = 0x10;
}

static void nothing_to_say_about_a_quiet_program(void **state)
{
	struct trace t;
	struct traced d;
	struct findings f;
	struct trace_lane lane;

	(void)state;
	begin(&t);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 64, 0);
	trace_free(&t, &lane, 2, 0x1000);
	trace_end(&t, 100 * MS, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(findings_make(&f, &d.a), 0);
	assert_int_equal(f.len, 0);
	findings_release(&f);
	traced_release(&d);
	trace_release(&t);
}

static void a_contended_lock_is_told_with_its_holder(void **state)
{
	struct trace t;
	struct traced d;
	struct findings f;
	struct trace_lane waiter, holder;
	uint32_t wait, flush;

	(void)state;
	begin(&t);
	wait = trace_stack(&t, 0x10, 0x20);
	flush = trace_stack(&t, 0x10, 0x30);
	waiter = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	holder = trace_lane(&t, RSD_EXTENT_EVENTS, 2, 0);
	for (uint64_t i = 1; i <= 10; i++) {
		trace_hold(&t, &holder, 90 * MS * i, LOCK, flush);
		trace_span(&t, &waiter, 90 * MS * i + 1000, 80 * MS, WAIT_MUTEX, LOCK, wait);
	}
	trace_end(&t, 1000 * MS, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(findings_make(&f, &d.a), 0);
	assert_non_null(find(&f, RULE_lock));
	assert_non_null(strstr(find(&f, RULE_lock)->text, "100 % of the waiting"));
	assert_non_null(strstr(find(&f, RULE_lock)->text, "held by"));
	assert_int_equal(find(&f, RULE_lock)->stack.v, traced_stack(&d, wait).v);
	assert_null(find(&f, RULE_idle));
	findings_release(&f);
	traced_release(&d);
	trace_release(&t);
}

static void idle_workers_are_no_cost(void **state)
{
	struct trace t;
	struct traced d;
	struct findings f;
	struct trace_lane lane;
	uint32_t pop;

	(void)state;
	begin(&t);
	pop = trace_stack(&t, 0x10, 0x20);
	for (uint32_t thread = 1; thread <= 2; thread++) {
		lane = trace_lane(&t, RSD_EXTENT_EVENTS, thread, 0);
		trace_span(&t, &lane, 900 * MS + thread, 800 * MS, WAIT_COND, 0x77, pop);
	}
	trace_end(&t, 1000 * MS, 0);
	traced_open(&d, &t, NULL);
	assert_true(wait_is_idle(d.stacks, traced_wait_site(&d, WAIT_COND, pop)));
	assert_int_equal(findings_make(&f, &d.a), 0);
	assert_int_equal(find(&f, RULE_idle)->severity, SEVERITY_INFO);
	assert_null(find(&f, RULE_wait));
	findings_release(&f);
	traced_release(&d);
	trace_release(&t);
}

static void a_lone_thread_held_up_by_others_is_not_idle(void **state)
{
	struct trace t;
	struct traced d;
	struct findings f;
	struct trace_lane lane;
	uint32_t push;

	(void)state;
	begin(&t);
	push = trace_stack(&t, 0x10, 0x20);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_span(&t, &lane, 900 * MS, 800 * MS, WAIT_COND, 0x77, push);
	trace_end(&t, 1000 * MS, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(findings_make(&f, &d.a), 0);
	assert_null(find(&f, RULE_idle));
	assert_non_null(strstr(find(&f, RULE_wait)->text, "for others in cond"));
	findings_release(&f);
	traced_release(&d);
	trace_release(&t);
}

static void leaks_and_temporaries_are_told(void **state)
{
	struct trace t;
	struct traced d;
	struct findings f;
	struct trace_lane lane;
	uint32_t leak, churn;

	(void)state;
	begin(&t);
	leak = trace_stack(&t, 0x10, 0x20);
	churn = trace_stack(&t, 0x10, 0x30);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 8192, leak);
	for (uint64_t i = 0; i < 1500; i++) {
		trace_alloc(&t, &lane, 10 + 2 * i, 0x9000, 32, churn);
		trace_free(&t, &lane, 11 + 2 * i, 0x9000);
	}
	trace_end(&t, 100 * MS, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(findings_make(&f, &d.a), 0);
	assert_int_equal(find(&f, RULE_leak)->stack.v, traced_stack(&d, leak).v);
	assert_int_equal(find(&f, RULE_temporary)->stack.v, traced_stack(&d, churn).v);
	findings_release(&f);
	traced_release(&d);

	/* Killed: nobody can say what it would have freed. */
	trace_header(&t)->end_kind = RSD_END_SIGNAL;
	traced_open(&d, &t, NULL);
	assert_int_equal(findings_make(&f, &d.a), 0);
	assert_null(find(&f, RULE_leak));
	findings_release(&f);
	traced_release(&d);
	trace_release(&t);
}

static void threads_in_locks_at_the_end_are_stuck(void **state)
{
	struct trace t;
	struct traced d;
	struct findings f;

	(void)state;
	begin(&t);
	for (uint32_t thread = 1; thread <= 2; thread++) {
		trace_thread(&t, thread)->waiting = WAIT_MUTEX;
		trace_thread(&t, thread)->waiting_since = TRACE_START + 100 * MS;
	}
	trace_end(&t, 5000 * MS, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(findings_make(&f, &d.a), 0);
	assert_int_equal(f.list[0].rule, RULE_stuck);
	assert_int_equal(f.list[0].severity, SEVERITY_HIGH);
	assert_non_null(strstr(f.list[0].text, "2 threads"));
	findings_release(&f);
	traced_release(&d);
	trace_release(&t);
}

static void what_was_lost_is_told(void **state)
{
	struct trace t;
	struct traced d;
	struct findings f;

	(void)state;
	begin(&t);
	trace_header(&t)->counter[COUNT_LOST_FULL] = 7;
	trace_header(&t)->counter[COUNT_SAMPLES_BLOCKED] = 9; /* no loss */
	trace_end(&t, 100 * MS, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(findings_make(&f, &d.a), 0);
	assert_int_equal(f.len, 1);
	assert_int_equal(f.list[0].rule, RULE_lost);
	assert_non_null(strstr(f.list[0].text, "7 events lost"));
	findings_release(&f);
	traced_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_say_about_a_quiet_program),
		cmocka_unit_test(a_contended_lock_is_told_with_its_holder),
		cmocka_unit_test(idle_workers_are_no_cost),
		cmocka_unit_test(a_lone_thread_held_up_by_others_is_not_idle),
		cmocka_unit_test(leaks_and_temporaries_are_told),
		cmocka_unit_test(threads_in_locks_at_the_end_are_stuck),
		cmocka_unit_test(what_was_lost_is_told),
	};

	return cmocka_run_group_tests_name("analyzer/models/findings", tests, NULL, NULL);
}
