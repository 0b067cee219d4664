/* SPDX-License-Identifier: MIT */
/* test_overview_json.c - the keys that scripts rely on are there, and the sites sum up to the totals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/views/overview.h"
#include "tests/support/trace_analysis.h"

static void make_trace(struct trace *t)
{
	struct trace_lane lane;
	struct rsd_fd fd = { .name = 1, .own.calls = 3 };
	uint32_t a, b;

	trace_init(t);
	trace_add_thread(t, 0, 100, "ma\"in\x1b");
	trace_string(t, 1, "/etc/passwd");
	trace_add_fd(t, 3, &fd);
	a = trace_stack(t, 0x10, 0x20);
	b = trace_stack(t, 0x10, 0x30);
	lane = trace_lane(t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(t, &lane, 1, 0x1000, 100, a);
	trace_alloc(t, &lane, 2, 0x2000, 50, b);
	trace_free(t, &lane, 3, 0x1000);
	trace_hold(t, &lane, 300, 0x5000, a);
	trace_span(t, &lane, 400, 200, WAIT_MUTEX, 0x5000, b);
	lane = trace_lane(t, RSD_EXTENT_SAMPLES, 0, 0);
	trace_sample(t, &lane, 120, 0, a, 2);
	trace_thread(t, 0)->cpu_ns = 500;
	trace_end(t, 1000, 3);
}

/* The report as text, which the caller frees. */
static char *report(struct traced *d, size_t top)
{
	struct process_file file = { .path = "x.rsd", .exe = "traced", .pid = 100 };
	struct session s = { .path = "x.rsd",
			     .files = &file,
			     .files_len = 1,
			     .symbols = d->symbols,
			     .stacks = d->stacks,
			     .analyses = &d->a,
			     .analyses_len = 1 };
	struct overview r = { .session = &s, .a = &d->a, .top = top };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(findings_make(&r.findings, &d->a), 0);
	assert_int_equal(overview_json(&r, out), 0);
	fclose(out);
	findings_release(&r.findings);
	return text;
}

static void every_promised_key_is_there(void **state)
{
	static const char *const keys[] = {
		"schema",     "program",     "exe",	    "argv",	  "pid",
		"ppid",	      "duration_ns", "end",	    "threads",	  "recording",
		"heap",	      "cpu_hz",	     "block_ns",    "events",	  "lost_events",
		"dump_bytes", "self_ns",     "allocations", "frees",	  "allocated_bytes",
		"peak_bytes", "peak_ns",     "live_blocks", "live_bytes", "temporary",
		"sites",      "stack",	     "cpu",	    "samples",	  "cpu_ns",
		"functions",  "function",    "module",	    "flat_ns",	  "cum_ns",
		"block",      "calls",	     "spans",	    "blocked_ns", "kinds",
		"kind",	      "p50_ns",	     "p99_ns",	    "max_ns",	  "locks",
		"address",    "name",	     "contentions", "wait_ns",	  "holders",
		"fds",	      "fd",	     "path",	    "bytes_read", "bytes_written",
		"tid",	      "wall_ns",     "runnable_ns", "unknown_ns", "start_ns",
		"created_by", "findings",    "file",	    "line",	  "inlined",
	};
	struct trace t;
	struct traced d;
	char *text;

	(void)state;
	make_trace(&t);
	traced_open(&d, &t, NULL);
	text = report(&d, SIZE_MAX);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char quoted[40];

		snprintf(quoted, sizeof(quoted), "\"%s\":", keys[i]);
		if (!strstr(text, quoted))
			fail_msg("no key %s", keys[i]);
	}
	assert_non_null(strstr(text, "\"ringside.report/1\""));
	assert_non_null(strstr(text, "\"exit:3\""));
	/* Names come from the program: they can't break out of their string. */
	assert_non_null(strstr(text, "ma\\\"in\\u001b"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	traced_release(&d);
	trace_release(&t);
}

/* The numbers behind every "key": between two places of the text. */
static uint64_t sum_of(const char *text, const char *end, const char *key)
{
	uint64_t sum = 0;
	char quoted[40];

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	for (const char *at = text; (at = strstr(at, quoted)) && at < end; at++)
		sum += strtoull(at + strlen(quoted), NULL, 10);
	return sum;
}

static void all_sites_sum_up_to_the_totals(void **state)
{
	static const struct {
		const char *section, *end, *key;
	} cases[] = {
		{ "\"heap\": {", "\"pools\":", "allocations" },	    { "\"heap\": {", "\"pools\":", "frees" },
		{ "\"heap\": {", "\"pools\":", "allocated_bytes" }, { "\"heap\": {", "\"pools\":", "peak_bytes" },
		{ "\"heap\": {", "\"pools\":", "live_bytes" },	    { "\"cpu\": {", "\"block\": {", "cpu_ns" },
		{ "\"cpu\": {", "\"block\": {", "samples" },
	};
	struct trace t;
	struct traced d;
	char *text;

	(void)state;
	make_trace(&t);
	traced_open(&d, &t, NULL);
	text = report(&d, SIZE_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *section = strstr(text, cases[i].section), *sites, *end;

		assert_non_null(section);
		sites = strstr(section, "\"sites\":");
		end = strstr(section, cases[i].end);
		assert_true(sites && end && sites < end);
		assert_int_equal(sum_of(sites, end, cases[i].key), sum_of(section, sites, cases[i].key));
	}
	free(text);
	traced_release(&d);
	trace_release(&t);
}

static void top_limits_every_list(void **state)
{
	struct trace t;
	struct traced d;
	char *text;

	(void)state;
	make_trace(&t);
	traced_open(&d, &t, NULL);
	text = report(&d, 1);
	assert_int_equal(sum_of(strstr(text, "\"sites\":"), strstr(text, "\"pools\":"), "allocations"), 1);
	free(text);
	traced_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_promised_key_is_there),
		cmocka_unit_test(all_sites_sum_up_to_the_totals),
		cmocka_unit_test(top_limits_every_list),
	};

	return cmocka_run_group_tests_name("analyzer/views/overview_json", tests, NULL, NULL);
}
