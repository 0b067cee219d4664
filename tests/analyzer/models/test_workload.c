/* SPDX-License-Identifier: MIT */
/* test_workload.c - units of work by the program's own account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/trace_analysis.h"

static void note(struct trace *t, struct trace_lane *lane, enum rsd_event_kind kind, uint64_t ns, uint32_t name,
		 double value)
{
	struct rec_note rec = { .name = name };

	memcpy(&rec.value, &value, sizeof(value));
	trace_put(t, lane, kind, ns, &rec, sizeof(rec));
}

static void units_are_counted_by_name_and_the_best_kind_is_told(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	const char *kind;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	trace_string(&t, 1, "order");
	trace_string(&t, 2, "parse");
	trace_string(&t, 3, "done");
	trace_string(&t, 4, "order"); /* written twice by a race */
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	note(&t, &lane, EV_TASK_BEGIN, 1, 1, 0);
	note(&t, &lane, EV_REGION_BEGIN, 2, 2, 0);
	note(&t, &lane, EV_REGION_END, 3, 2, 0);
	note(&t, &lane, EV_REGION_BEGIN, 4, 2, 0);
	note(&t, &lane, EV_TASK_BEGIN, 5, 4, 0);
	note(&t, &lane, EV_LOG, 6, 1, 0);
	note(&t, &lane, EV_COUNTER, 7, 3, 17);
	note(&t, &lane, EV_COUNTER, 8, 3, 12.5);
	note(&t, &lane, EV_LOG, 9, 99, 0); /* a string that is not there */
	trace_end(&t, 100, 0);
	traced_open(&d, &t, NULL);
	assert_true(workload_count(&d.a.workload, "order", &kind) == 2);
	assert_string_equal(kind, "tasks");
	assert_true(workload_count(&d.a.workload, "parse", &kind) == 2);
	assert_string_equal(kind, "regions");
	assert_true(workload_count(&d.a.workload, "done", &kind) == 12.5);
	assert_string_equal(kind, "counter");
	assert_true(workload_count(&d.a.workload, "none", &kind) == 0);
	assert_null(kind);
	assert_int_equal(workload_merge(&d.a.workload, &d.a.workload), 0);
	assert_true(workload_count(&d.a.workload, "parse", &kind) == 4);
	traced_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_counted_by_name_and_the_best_kind_is_told),
	};

	return cmocka_run_group_tests_name("analyzer/models/workload", tests, NULL, NULL);
}
