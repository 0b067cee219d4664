/* SPDX-License-Identifier: MIT */
/* test_heap_threads.c - who allocates and who frees, in heap threads and heap flow, against books of a random trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/trace_report.h"

#define THREADS 3
#define BLOCKS 64
#define EVENTS 3000

struct books {
	int64_t blocks[THREADS], bytes[THREADS], live[THREADS], live_bytes[THREADS], peak_bytes[THREADS];
	int64_t ended[THREADS][THREADS], ended_bytes[THREADS][THREADS], longest[THREADS][THREADS];
	int64_t all, peak;
};

/* Each thread makes and frees; thread 2 frees most of what thread 0 made. */
static void fill(struct trace *t, struct books *b)
{
	static const char *const names[] = { "maker", "both", "ender" };
	struct {
		uint64_t size, born;
		unsigned maker;
	} blocks[BLOCKS] = { 0 };
	struct trace_lane lanes[THREADS];
	uint64_t random = 3;

	trace_init(t);
	for (unsigned i = 0; i < THREADS; i++)
		trace_add_thread(t, i, 100 + i, names[i]);
	for (unsigned i = 0; i < THREADS; i++)
		lanes[i] = trace_lane(t, RSD_EXTENT_EVENTS, i, 0);
	for (uint64_t ns = 1; ns < EVENTS; ns++) {
		unsigned i = (unsigned)((random = random * 6364136223846793005u + 1442695040888963407u) >> 58);
		unsigned who = (random >> 20) % THREADS;
		uint64_t addr = 0x10000 + 0x1000 * (uint64_t)i;

		if (blocks[i].size) {
			unsigned maker = blocks[i].maker;
			int64_t size = (int64_t)blocks[i].size, ns_lived = (int64_t)(ns - blocks[i].born);

			who = maker == 0 && who ? 2 : who;
			trace_free(t, &lanes[who], ns, addr);
			b->ended[maker][who]++;
			b->ended_bytes[maker][who] += size;
			if (ns_lived > b->longest[maker][who])
				b->longest[maker][who] = ns_lived;
			b->live[maker]--;
			b->live_bytes[maker] -= size;
			b->all -= size;
			blocks[i].size = 0;
			continue;
		}
		blocks[i].size = 1 + (random >> 30) % 2000;
		blocks[i].born = ns;
		blocks[i].maker = who;
		trace_alloc(t, &lanes[who], ns, addr, blocks[i].size, 0);
		b->blocks[who]++;
		b->live[who]++;
		b->bytes[who] += (int64_t)blocks[i].size;
		b->live_bytes[who] += (int64_t)blocks[i].size;
		b->all += (int64_t)blocks[i].size;
		if (b->all > b->peak) {
			b->peak = b->all;
			memcpy(b->peak_bytes, b->live_bytes, sizeof(b->peak_bytes));
		}
	}
}

static void threads_have_what_they_made_and_know_who_freed_it(void **state)
{
	struct books b = { 0 };
	struct reported d;
	struct trace t;

	(void)state;
	fill(&t, &b);
	reported_open(&d, &t, "heap", "threads", NULL);
	assert_int_equal(reported_fact(&d, "peak_bytes")->number, b.peak);
	assert_int_equal(reported_table(&d, "threads")->rows_len, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		size_t row = reported_row(&d, "threads", "tid", 100 + i);
		int64_t elsewhere = 0, for_others = 0;

		for (unsigned k = 0; k < THREADS; k++) {
			elsewhere += k == i ? 0 : b.ended[i][k];
			for_others += k == i ? 0 : b.ended[k][i];
		}
		assert_int_equal(reported_cell(&d, "threads", row, "blocks")->number, b.blocks[i]);
		assert_int_equal(reported_cell(&d, "threads", row, "bytes")->number, b.bytes[i]);
		assert_int_equal(reported_cell(&d, "threads", row, "peak_bytes")->number, b.peak_bytes[i]);
		assert_int_equal(reported_cell(&d, "threads", row, "alive")->number, b.live[i]);
		assert_int_equal(reported_cell(&d, "threads", row, "alive_bytes")->number, b.live_bytes[i]);
		assert_int_equal(reported_cell(&d, "threads", row, "freed_here")->number, b.ended[i][i]);
		assert_int_equal(reported_cell(&d, "threads", row, "freed_elsewhere")->number, elsewhere);
		assert_int_equal(reported_cell(&d, "threads", row, "freed_for_others")->number, for_others);
	}
	reported_release(&d);
	trace_release(&t);
}

static size_t row_of_pair(struct reported *d, int64_t from, int64_t to)
{
	for (size_t row = 0; row < reported_table(d, "pairs")->rows_len; row++)
		if (reported_cell(d, "pairs", row, "from_tid")->number == from &&
		    reported_cell(d, "pairs", row, "to_tid")->number == to)
			return row;
	fail_msg("no pair %d to %d", (int)from, (int)to);
	return 0;
}

static void flow_has_every_pair_of_maker_and_ender(void **state)
{
	struct books b = { 0 };
	struct reported d;
	struct trace t;
	int64_t all = 0, far = 0;

	(void)state;
	fill(&t, &b);
	reported_open(&d, &t, "heap", "flow", NULL);
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < THREADS; k++) {
			size_t row;

			all += b.ended[i][k];
			far += i == k ? 0 : b.ended[i][k];
			if (!b.ended[i][k])
				continue;
			row = row_of_pair(&d, 100 + i, 100 + k);
			assert_int_equal(reported_cell(&d, "pairs", row, "blocks")->number, b.ended[i][k]);
			assert_int_equal(reported_cell(&d, "pairs", row, "bytes")->number, b.ended_bytes[i][k]);
			assert_int_equal(reported_cell(&d, "pairs", row, "max_ns")->number, b.longest[i][k]);
		}
	assert_int_equal(b.ended[0][1], 0);
	assert_int_equal(reported_table(&d, "pairs")->rows_len, THREADS * THREADS - 1);
	assert_int_equal(reported_fact(&d, "blocks")->number, all);
	assert_int_equal(reported_fact(&d, "far_blocks")->number, far);
	assert_string_equal(reported_cell(&d, "pairs", row_of_pair(&d, 100, 102), "from")->text, "maker");
	assert_string_equal(reported_cell(&d, "pairs", row_of_pair(&d, 100, 102), "to")->text, "ender");
	reported_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_have_what_they_made_and_know_who_freed_it),
		cmocka_unit_test(flow_has_every_pair_of_maker_and_ender),
	};

	return cmocka_run_group_tests_name("analyzer/reports/heap_threads", tests, NULL, NULL);
}
