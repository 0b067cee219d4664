/* SPDX-License-Identifier: MIT */
/* test_pass.c - order, threads and filters of the merged stream. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/read/pass.h"
#include "format/kinds.h"
#include "tests/support/trace_analysis.h"

#define EVENTS_MAX 64

struct seen {
	size_t len;
	struct {
		enum rsd_event_kind kind;
		uint64_t ns, addr;
		uint32_t thread;
	} list[EVENTS_MAX];
};

static void see(void *self, const struct pass_event *e)
{
	struct seen *seen = self;

	assert_true(seen->len < EVENTS_MAX);
	seen->list[seen->len].kind = e->ev->kind;
	assert_int_equal(e->kind, e->ev->kind);
	seen->list[seen->len].ns = e->tick - TRACE_START;
	seen->list[seen->len].addr = e->ev->kind == EV_SAMPLE ? 0 : e->ev->free.addr;
	seen->list[seen->len++].thread = e->thread;
}

/* Everything a pass of a file says, with so many workers. */
static int run_sink(const char *path, const struct pass_filter *filter, struct pass_sink *sink, unsigned workers,
		    struct pass_stats *stats, uint64_t *damage)
{
	struct symbols *symbols = symbols_new(NULL);
	struct stacks *stacks = stacks_new(symbols);
	const struct pass_sink *const sinks[] = { sink };
	struct buf error = { 0 };
	struct recording rec;
	int err;

	*stats = (struct pass_stats){ 0 };
	assert_int_equal(recording_open(&rec, path, stacks, &error), 0);
	err = pass_run(&rec, filter, sinks, 1, workers, stats, NULL);
	*damage = rec.reader.damaged_offset;
	recording_release(&rec);
	stacks_free(stacks);
	symbols_free(symbols);
	return err;
}

/* With and without workers, which must not make a difference. */
static struct pass_stats run(const struct trace *t, const struct pass_filter *filter, struct seen *seen)
{
	struct pass_sink sink = { .self = seen };
	struct seen alone = { 0 };
	struct pass_stats stats;
	uint64_t damage;
	char *path = trace_write(t, SIZE_MAX);

	for (unsigned i = 0; i < EV_LIMIT; i++)
		sink.on[i] = kind_info(i) ? see : NULL;
	for (unsigned workers = 0; workers <= 3; workers += 3) {
		alone = *seen;
		seen->len = 0;
		assert_int_equal(run_sink(path, filter, &sink, workers, &stats, &damage), 0);
	}
	assert_int_equal(alone.len, seen->len);
	assert_memory_equal(alone.list, seen->list, seen->len * sizeof(seen->list[0]));
	unlink(path);
	free(path);
	return stats;
}

static void threads_are_merged_by_time(void **state)
{
	struct trace t;
	struct trace_lane a, b;
	struct seen seen = { 0 };

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	a = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	b = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	for (uint64_t i = 0; i < 10; i++) {
		trace_alloc(&t, &a, 20 * i, 0x1000 + 16 * i, 8, 0);
		trace_alloc(&t, &b, 20 * i + 10, 0x2000 + 16 * i, 8, 0);
	}
	assert_int_equal(run(&t, NULL, &seen).events, 20);
	assert_int_equal(seen.len, 20);
	for (size_t i = 0; i < seen.len; i++) {
		assert_int_equal(seen.list[i].ns, 10 * i);
		assert_int_equal(seen.list[i].thread, i & 1);
	}
	trace_release(&t);
}

static void a_free_comes_before_an_allocation_of_the_same_moment(void **state)
{
	struct trace t;
	struct trace_lane a, b;
	struct seen seen = { 0 };

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	a = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	b = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_alloc(&t, &a, 50, 0x1000, 8, 0);
	trace_free(&t, &b, 50, 0x1000);
	run(&t, NULL, &seen);
	assert_int_equal(seen.list[0].kind, EV_FREE);
	assert_int_equal(seen.list[1].kind, EV_ALLOC);
	trace_release(&t);
}

static void an_extent_switches_threads(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct rec_thread to = { .thread = 1 }, nobody = { .thread = 77 };
	struct seen seen = { 0 };

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 8, 0);
	trace_put(&t, &lane, EV_THREAD, 2, &to, sizeof(to));
	trace_alloc(&t, &lane, 3, 0x2000, 8, 0);
	trace_put(&t, &lane, EV_THREAD, 4, &nobody, sizeof(nobody));
	trace_alloc(&t, &lane, 5, 0x3000, 8, 0);
	run(&t, NULL, &seen);
	assert_int_equal(seen.len, 3);
	assert_int_equal(seen.list[0].thread, 0);
	assert_int_equal(seen.list[1].thread, 1);
	assert_int_equal(seen.list[2].thread, PASS_NO_THREAD);
	trace_release(&t);
}

static void a_window_and_threads_are_let_through(void **state)
{
	struct trace t;
	struct trace_lane a, b;
	bool threads[2] = { false, true };
	struct pass_filter filter = { .from_ns = 20, .to_ns = 60, .threads = threads };
	struct seen seen = { 0 };

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	a = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	b = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	for (uint64_t i = 0; i < 10; i++) {
		trace_alloc(&t, &a, 10 * i, 0x1000 + 16 * i, 8, 0);
		trace_alloc(&t, &b, 10 * i + 1, 0x2000 + 16 * i, 8, 0);
	}
	trace_free(&t, &a, 95, 0x1000);
	run(&t, &filter, &seen);
	assert_int_equal(seen.len, 4); /* 21, 31, 41, 51 */
	for (size_t i = 0; i < seen.len; i++) {
		assert_int_equal(seen.list[i].thread, 1);
		assert_int_equal(seen.list[i].ns, 21 + 10 * i);
	}
	trace_release(&t);
}

static void unknown_kinds_are_stepped_over(void **state)
{
	struct trace t;
	struct trace_lane lane;
	uint64_t future[4] = { 0 };
	struct seen seen = { 0 };
	struct pass_stats stats;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_put(&t, &lane, (enum rsd_event_kind)200, 5, future, sizeof(future));
	trace_alloc(&t, &lane, 6, 0x1000, 8, 0);
	stats = run(&t, NULL, &seen);
	assert_int_equal(stats.unknown, 1);
	assert_int_equal(seen.len, 1);
	assert_int_equal(seen.list[0].ns, 6);
	trace_release(&t);
}

/* More extents than any thread has open: they are opened when their time comes. */
static void many_extents_of_one_thread_follow_each_other(void **state)
{
	struct trace t;
	struct seen seen = { 0 };

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	for (uint64_t i = 0; i < 40; i++) {
		uint64_t at = 39 - i; /* the file's order is not the time's */
		struct trace_lane lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 100 * at);

		trace_alloc(&t, &lane, 100 * at + 7, 0x1000 + 16 * at, 8, 0);
	}
	run(&t, NULL, &seen);
	assert_int_equal(seen.len, 40);
	for (size_t i = 0; i < seen.len; i++)
		assert_int_equal(seen.list[i].ns, 100 * i + 7);
	trace_release(&t);
}

/* ---- more than a batch ---------------------------------------------------------------------------------------- */

#define LANES 5

struct order {
	uint64_t hash, len, spans, last;
};

static void note(struct order *o, uint64_t tick, uint64_t what)
{
	assert_true(tick >= o->last);
	o->last = tick;
	o->len++;
	o->hash = (o->hash ^ tick ^ what << 20) * 0x100000001b3u;
}

static void note_blocks(void *self, const struct pass_event *e, size_t len, size_t ahead)
{
	(void)ahead;
	assert_true(len > 0);
	for (size_t i = 0; i < len; i++) {
		assert_true(pass_is_block(e[i].kind));
		note(self, e[i].tick, e[i].addr + e[i].size + e[i].stack + e[i].thread + e[i].kind);
	}
}

static void note_span(void *self, const struct pass_event *e)
{
	struct order *o = self;

	o->spans++;
	note(o, e->tick, e->ev->span.object);
}

/* The same by records: blocks and spans alike. */
static void note_record(void *self, const struct pass_event *e)
{
	bool is_free = e->kind == EV_FREE;

	if (e->kind == EV_SPAN)
		note_span(self, e);
	else
		note(self, e->tick,
		     e->ev->free.addr + (is_free ? 0 : e->ev->alloc.size + e->ev->alloc.stack) + e->thread + e->kind);
}

/* Threads that take turns of random length, some at the same tick, with some waits. */
static void make_long_trace(struct trace *t)
{
	struct trace_lane lanes[LANES];
	uint64_t random = 88172645463325252u, ns = 0;

	trace_init(t);
	for (uint32_t i = 0; i < LANES; i++)
		trace_add_thread(t, i, 100 + i, "thread");
	for (unsigned extent = 0; extent < 3; extent++) {
		for (uint32_t i = 0; i < LANES; i++)
			lanes[i] = trace_lane(t, RSD_EXTENT_EVENTS, i, ns);
		for (unsigned i = 0; i < 15000; i++) {
			unsigned lane;
			uint64_t addr;

			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			lane = (random >> 10) % 7 ? (i / 500) % LANES : random % LANES;
			addr = 0x100000 + 16 * (random >> 40 & 0xfff);
			ns += random % 3;
			if (random >> 60 == 0 && (random >> 50 & 7) == 0)
				trace_span(t, &lanes[lane], ns, 1, WAIT_READ, addr, 0);
			else if (random >> 60 & 1)
				trace_free(t, &lanes[lane], ns, addr);
			else
				trace_alloc(t, &lanes[lane], ns, addr, 8 + i, 0);
		}
	}
}

static void workers_and_batches_change_nothing(void **state)
{
	struct order by_record = { 0 };
	struct pass_sink records = {
		.self = &by_record, .on = { [EV_ALLOC] = note_record, [EV_FREE] = note_record, [EV_SPAN] = note_record }
	};
	struct pass_stats stats;
	struct trace t;
	uint64_t damage;
	char *path;

	(void)state;
	make_long_trace(&t);
	path = trace_write(&t, SIZE_MAX);
	assert_int_equal(run_sink(path, NULL, &records, 0, &stats, &damage), 0);
	assert_int_equal(by_record.len, 45000);
	assert_int_equal(stats.events, 45000);
	assert_in_range(by_record.spans, 100, 1000);
	for (unsigned workers = 0; workers < 5; workers++) {
		struct order order = { 0 };
		struct pass_sink sink = { .self = &order, .on = { [EV_SPAN] = note_span }, .on_blocks = note_blocks };

		assert_int_equal(run_sink(path, NULL, &sink, workers, &stats, &damage), 0);
		assert_memory_equal(&order, &by_record, sizeof(order));
		assert_int_equal(stats.by_kind[EV_SPAN], order.spans);
		assert_int_equal(damage, 0);
	}
	unlink(path);
	free(path);
	trace_release(&t);
}

static void damage_is_met_in_the_order_of_time(void **state)
{
	struct pass_stats stats;
	struct trace t;
	uint64_t damage, first = 0;
	size_t early, late;
	char *path;

	(void)state;
	make_long_trace(&t);
	/* Nonsense in two extents; the later one has it near its begin, the earlier one near its end. */
	early = t.units - 2 * LANES;
	late = t.units - LANES;
	memset(t.data + early * RSD_UNIT + sizeof(struct rsd_extent) + trace_extent(&t, early)->used - 400, 0, 100);
	memset(t.data + late * RSD_UNIT + sizeof(struct rsd_extent) + 400, 0, 100);
	path = trace_write(&t, SIZE_MAX);
	for (unsigned workers = 0; workers < 5; workers++) {
		struct order order = { 0 };
		struct pass_sink sink = { .self = &order, .on_blocks = note_blocks };

		assert_int_equal(run_sink(path, NULL, &sink, workers, &stats, &damage), 0);
		assert_int_equal(damage / RSD_UNIT, early);
		assert_true(!first || damage == first);
		first = damage;
	}
	unlink(path);
	free(path);
	trace_release(&t);
}

/* Streams are open and workers at work when the pass ends. */
static void a_file_that_shrinks_is_an_error(void **state)
{
	struct symbols *symbols = symbols_new(NULL);
	struct stacks *stacks = stacks_new(symbols);
	struct trace t;

	(void)state;
	make_long_trace(&t);
	for (unsigned workers = 0; workers < 3; workers++) {
		char *path = trace_write(&t, SIZE_MAX);
		struct order order = { 0 };
		struct pass_sink sink = { .self = &order, .on_blocks = note_blocks };
		const struct pass_sink *const sinks[] = { &sink };
		struct pass_stats stats = { 0 };
		struct buf error = { 0 };
		struct recording rec;

		assert_int_equal(recording_open(&rec, path, stacks, &error), 0);
		assert_int_equal(truncate(path, (off_t)(trace_size(&t) - 2 * RSD_UNIT)), 0);
		assert_int_equal(pass_run(&rec, NULL, sinks, 1, workers, &stats, NULL), -EIO);
		recording_release(&rec);
		unlink(path);
		free(path);
	}
	stacks_free(stacks);
	symbols_free(symbols);
	trace_release(&t);
}

static void blocks_come_with_or_without_their_records(void **state)
{
	struct pass_sink sink = { .on = { [EV_FREE] = note_record }, .on_blocks = note_blocks };
	struct pass_stats stats;
	struct trace t;
	uint64_t damage;
	char *path;

	(void)state;
	trace_init(&t);
	path = trace_write(&t, SIZE_MAX);
	assert_int_equal(run_sink(path, NULL, &sink, 0, &stats, &damage), -EINVAL);
	unlink(path);
	free(path);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_are_merged_by_time),
		cmocka_unit_test(a_free_comes_before_an_allocation_of_the_same_moment),
		cmocka_unit_test(an_extent_switches_threads),
		cmocka_unit_test(a_window_and_threads_are_let_through),
		cmocka_unit_test(unknown_kinds_are_stepped_over),
		cmocka_unit_test(many_extents_of_one_thread_follow_each_other),
		cmocka_unit_test(workers_and_batches_change_nothing),
		cmocka_unit_test(damage_is_met_in_the_order_of_time),
		cmocka_unit_test(a_file_that_shrinks_is_an_error),
		cmocka_unit_test(blocks_come_with_or_without_their_records),
	};

	return cmocka_run_group_tests_name("analyzer/read/pass", tests, NULL, NULL);
}
