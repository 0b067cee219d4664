/* SPDX-License-Identifier: MIT */
/* test_reach.c - states of blocks in snapshots made by hand, against definitions computed another way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "analyzer/models/reach.h"
#include "format/pointers.h"
#include "tests/support/trace.h"

#define HEAP UINT64_C(0x10000000)
#define DATA UINT64_C(0x400000)
#define OTHER UINT64_C(0x7f0000000000) /* a mapping of the program */
#define NS 1000			       /* of the snapshot */

static uint32_t random_state;

static uint32_t roll(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

/* ---- making a snapshot ---- */

struct maker {
	struct trace t;
	struct trace_lane events;
	size_t unit;
	struct pointer_stream stream;
	uint64_t open; /* offset of the open record in the extent's data */
};

static uint8_t *data_of(struct maker *m)
{
	return (uint8_t *)(trace_extent(&m->t, m->unit) + 1);
}

static void begin(struct maker *m)
{
	trace_init(&m->t);
	trace_header(&m->t)->heap_mode = RSD_HEAP_EXACT;
	trace_add_thread(&m->t, 0, 100, "main");
	m->events = trace_lane(&m->t, RSD_EXTENT_EVENTS, 0, 0);
}

static void record(struct maker *m, struct rsd_reach head, const void *payload, size_t len)
{
	struct rsd_extent *ext = trace_extent(&m->t, m->unit);

	head.len = (uint32_t)len;
	memcpy(data_of(m) + ext->used, &head, sizeof(head));
	if (len)
		memcpy(data_of(m) + ext->used + sizeof(head), payload, len);
	ext->used += (sizeof(head) + len + 7) & ~(size_t)7;
}

static void snapshot(struct maker *m, uint32_t number)
{
	struct reach_begin of = { .tick_before = TRACE_START + NS,
				  .tick_after = TRACE_START + NS + 10,
				  .trigger = REACH_AT_EXIT,
				  .threads = 1,
				  .residency = REACH_FROM_PAGEMAP };

	m->unit = trace_lane(&m->t, RSD_EXTENT_REACH, 0, NS).unit;
	trace_extent(&m->t, m->unit)->first = number;
	record(m, (struct rsd_reach){ .kind = REACH_BEGIN }, &of, sizeof(of));
}

static void open_pointers(struct maker *m, enum rsd_reach_kind kind, uint64_t from, uint64_t to)
{
	m->open = trace_extent(&m->t, m->unit)->used;
	record(m, (struct rsd_reach){ .kind = (uint16_t)kind, .from = from, .to = to }, NULL, 0);
	m->stream = (struct pointer_stream){ from, from };
}

static void pointer(struct maker *m, uint64_t location, uint64_t value)
{
	struct rsd_reach *head = (struct rsd_reach *)(data_of(m) + m->open);

	head->len += (uint32_t)pointer_put((uint8_t *)(head + 1) + head->len, &m->stream, location, value);
	trace_extent(&m->t, m->unit)->used = (m->open + sizeof(*head) + head->len + 7) & ~(uint64_t)7;
}

static void area(struct maker *m, uint64_t from, uint64_t to, unsigned flags)
{
	record(m, (struct rsd_reach){ .kind = REACH_AREA, .flags = (uint16_t)flags, .from = from, .to = to }, NULL, 0);
	open_pointers(m, REACH_MEMORY, from, to);
}

static void finish(struct maker *m)
{
	struct reach_end of = { .pointers = 1 };

	record(m, (struct rsd_reach){ .kind = REACH_END }, &of, sizeof(of));
}

/* ---- reading it ---- */

struct read {
	struct symbols *symbols;
	struct stacks *stacks;
	struct analysis a;
	struct reach reach;
	struct buf error;
};

static int open_snapshot(struct read *d, struct maker *m)
{
	char *path;
	int err;

	*d = (struct read){ .symbols = symbols_new(NULL) };
	d->stacks = stacks_new(d->symbols);
	trace_end(&m->t, 5000, 0);
	path = trace_write(&m->t, SIZE_MAX);
	assert_int_equal(analysis_begin(&d->a, path, d->stacks, NULL, NULL, &d->error), 0);
	err = reach_open(&d->reach, &d->a, &d->error);
	err = err ? err : reach_sort(&d->reach, NULL, NULL);
	unlink(path);
	free(path);
	trace_release(&m->t);
	return err;
}

static void close_snapshot(struct read *d)
{
	reach_release(&d->reach);
	analysis_release(&d->a);
	stacks_free(d->stacks);
	symbols_free(d->symbols);
	buf_release(&d->error);
}

static const struct reach_block *at(struct read *d, uint64_t addr)
{
	for (size_t i = 0; i < d->reach.blocks_len; i++)
		if (d->reach.blocks[i].addr == addr)
			return &d->reach.blocks[i];
	fail_msg("no block at %#llx", (unsigned long long)addr);
	return NULL;
}

/* ---- random graphs ---- */

#define BLOCKS 24
#define SIZE 512u

static uint64_t address(unsigned block)
{
	return HEAP + block * 1024u;
}

struct graph {
	/* 0: none, 1: to the begin, 2: to the middle */
	uint8_t edge[BLOCKS][BLOCKS], root[BLOCKS];
	bool sure[BLOCKS], maybe[BLOCKS]; /* reachable; reachable or possibly lost */
	bool leads[BLOCKS][BLOCKS];	  /* among the lost, by any number of steps */
};

static void make_graph(struct maker *m, struct graph *g)
{
	unsigned edges = 1 + roll(3);

	*g = (struct graph){ 0 };
	for (unsigned i = 0; i < BLOCKS; i++) {
		trace_alloc(&m->t, &m->events, 10 + i, address(i), SIZE, 0);
		for (unsigned n = 0; n < edges; n++)
			if (roll(2))
				g->edge[i][roll(BLOCKS)] = (uint8_t)(1 + !roll(4));
	}
	for (unsigned n = 0; n < 4; n++)
		g->root[roll(BLOCKS)] = (uint8_t)(1 + !roll(3));
}

static uint64_t target(unsigned block, uint8_t how)
{
	return address(block) + (how == 2 ? 8 + roll(SIZE - 8) : 0);
}

static void write_graph(struct maker *m, const struct graph *g)
{
	snapshot(m, 1);
	open_pointers(m, REACH_DATA, DATA, DATA + 4096);
	for (unsigned i = 0; i < BLOCKS; i++)
		if (g->root[i])
			pointer(m, DATA + 8 * i, target(i, g->root[i]));
	area(m, HEAP, HEAP + 0x100000, 0);
	for (unsigned i = 0; i < BLOCKS; i++)
		for (unsigned j = 0; j < BLOCKS; j++)
			if (g->edge[i][j])
				pointer(m, address(i) + 8 * (j + 1), target(j, g->edge[i][j]));
	finish(m);
}

/* By going round until nothing changes. */
static void solve(struct graph *g)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		g->sure[i] = g->root[i] == 1;
		g->maybe[i] = g->root[i] != 0;
	}
	for (unsigned round = 0; round < BLOCKS; round++)
		for (unsigned i = 0; i < BLOCKS; i++)
			for (unsigned j = 0; j < BLOCKS; j++) {
				g->sure[j] |= g->sure[i] && g->edge[i][j] == 1;
				g->maybe[j] |= g->maybe[i] && g->edge[i][j];
			}
	for (unsigned i = 0; i < BLOCKS; i++)
		for (unsigned j = 0; j < BLOCKS; j++)
			g->leads[i][j] = g->edge[i][j] && i != j && !g->maybe[i] && !g->maybe[j];
	for (unsigned k = 0; k < BLOCKS; k++)
		for (unsigned i = 0; i < BLOCKS; i++)
			for (unsigned j = 0; j < BLOCKS; j++)
				g->leads[i][j] |= g->leads[i][k] && g->leads[k][j];
}

/* Lost is the first of those that lead to each other, if nobody else leads to them. */
static bool is_lost(const struct graph *g, unsigned block)
{
	for (unsigned other = 0; other < BLOCKS; other++)
		if (other != block && g->leads[other][block] && (!g->leads[block][other] || other < block))
			return false;
	return true;
}

static void states_of_random_graphs_are_those_of_the_definitions(void **state)
{
	(void)state;
	for (random_state = 1; random_state < 300 * 7919; random_state += 7919) {
		uint32_t seed = random_state;
		struct maker m;
		struct graph g;
		struct read d;

		begin(&m);
		make_graph(&m, &g);
		write_graph(&m, &g);
		solve(&g);
		assert_int_equal(open_snapshot(&d, &m), 0);
		assert_int_equal(d.reach.blocks_len, BLOCKS);
		for (unsigned i = 0; i < BLOCKS; i++) {
			enum reach_state want = g.sure[i]	 ? REACH_REACHABLE
						: g.maybe[i]	 ? REACH_POSSIBLE
						: is_lost(&g, i) ? REACH_LOST
								 : REACH_INDIRECT;

			if (at(&d, address(i))->state != want)
				fail_msg("seed %u, block %u: state %u, want %u", seed, i, at(&d, address(i))->state,
					 want);
		}
		close_snapshot(&d);
		random_state = seed;
	}
}

/* ---- by hand ---- */

static void what_is_freed_later_was_not_lost(void **state)
{
	struct maker m;
	struct read d;

	(void)state;
	begin(&m);
	for (unsigned i = 0; i < 5; i++)
		trace_alloc(&m.t, &m.events, 10 + i, address(i), SIZE, 0);
	trace_free(&m.t, &m.events, 500, address(4));
	trace_alloc(&m.t, &m.events, NS + 5, address(5), SIZE, 0); /* while the copy is made */
	trace_alloc(&m.t, &m.events, NS + 50, address(6), SIZE, 0);
	trace_free(&m.t, &m.events, NS + 60, address(1));
	trace_realloc(&m.t, &m.events, NS + 70, address(2), address(7), SIZE, 0);
	snapshot(&m, 1);
	area(&m, HEAP, HEAP + 0x100000, 0);
	pointer(&m, address(1) + 8, address(3));
	finish(&m);
	assert_int_equal(open_snapshot(&d, &m), 0);
	assert_int_equal(d.reach.blocks_len, 5);
	assert_int_equal(at(&d, address(0))->state, REACH_LOST);
	assert_int_equal(at(&d, address(1))->state, REACH_FREED_LATER);
	assert_int_equal(at(&d, address(2))->state, REACH_FREED_LATER);
	assert_int_equal(at(&d, address(3))->state, REACH_FREED_LATER);
	assert_int_equal(at(&d, address(5))->state, REACH_REACHABLE);
	close_snapshot(&d);
}

static void mapping_event(struct maker *m, uint64_t ns, enum rsd_event_kind kind, uint64_t addr, uint64_t size)
{
	struct rec_alloc map = { .addr = addr, .size = size, .api = API_MMAP };
	struct rec_pages unmap = { .addr = addr, .size = size, .api = API_MUNMAP };

	if (kind == EV_PAGES_MAP)
		trace_put(&m->t, &m->events, kind, ns, &map, sizeof(map));
	else
		trace_put(&m->t, &m->events, kind, ns, &unmap, sizeof(unmap));
}

static void mappings_are_roots_unless_blocks_were_ever_in_them(void **state)
{
	struct maker m;
	struct read d;

	(void)state;
	begin(&m);
	for (unsigned i = 0; i < 6; i++)
		trace_alloc(&m.t, &m.events, 10 + i, address(i), SIZE, 0);
	/* An arena whose only block is gone again. */
	trace_alloc(&m.t, &m.events, 20, OTHER + 0x20000 + 64, 100, 0);
	trace_free(&m.t, &m.events, 21, OTHER + 0x20000 + 64);
	/* Two mappings of the program and such an arena are one area to the kernel. */
	mapping_event(&m, 30, EV_PAGES_MAP, OTHER, 0x3000);
	mapping_event(&m, 31, EV_PAGES_UNMAP, OTHER + 0x1000, 0x1000);
	snapshot(&m, 1);
	area(&m, HEAP, HEAP + 0x100000, 0);
	area(&m, OTHER, OTHER + 0x30000, 0);
	pointer(&m, OTHER + 0x10, address(0));	 /* in the mapping */
	pointer(&m, OTHER + 0x1010, address(1)); /* in the hole */
	pointer(&m, OTHER + 0x2010, address(2)); /* behind it */
	pointer(&m, OTHER + 0x20010, address(3));
	area(&m, OTHER + 0x100000, OTHER + 0x101000, 0); /* nobody knows what it is */
	pointer(&m, OTHER + 0x100000, address(4));
	area(&m, OTHER + 0x200000, OTHER + 0x201000, REACH_GUARDED); /* an old stack */
	pointer(&m, OTHER + 0x200000, address(5));
	finish(&m);
	assert_int_equal(open_snapshot(&d, &m), 0);
	assert_int_equal(at(&d, address(0))->state, REACH_REACHABLE);
	assert_int_equal(at(&d, address(1))->state, REACH_LOST);
	assert_int_equal(at(&d, address(2))->state, REACH_REACHABLE);
	assert_int_equal(at(&d, address(3))->state, REACH_LOST);
	assert_int_equal(at(&d, address(4))->state, REACH_REACHABLE);
	assert_int_equal(at(&d, address(5))->state, REACH_LOST);
	assert_true(at(&d, address(0))->is_mapped && at(&d, address(4))->is_mapped);
	close_snapshot(&d);
}

static void pages_tell_what_is_resident(void **state)
{
	static const uint8_t pages[] = { 0x01 | 0x02 << 2 | 0x00 << 4 | 0x01 << 6, 0x01 };
	uint64_t resident, swapped;
	struct maker m;
	struct read d;

	(void)state;
	begin(&m);
	trace_alloc(&m.t, &m.events, 10, HEAP + 4096 - 100, 3 * 4096, 0);
	trace_alloc(&m.t, &m.events, 11, HEAP + 0x100000, 500, 0); /* where nothing is known */
	snapshot(&m, 1);
	record(&m, (struct rsd_reach){ .kind = REACH_AREA, .from = HEAP, .to = HEAP + 5 * 4096 }, NULL, 0);
	record(&m, (struct rsd_reach){ .kind = REACH_PAGES, .from = HEAP, .to = HEAP + 5 * 4096 }, pages,
	       sizeof(pages));
	finish(&m);
	assert_int_equal(open_snapshot(&d, &m), 0);
	reach_resident(&d.reach, at(&d, HEAP + 4096 - 100), &resident, &swapped);
	assert_int_equal(resident, 100 + 4096 - 100);
	assert_int_equal(swapped, 4096);
	reach_resident(&d.reach, at(&d, HEAP + 0x100000), &resident, &swapped);
	assert_int_equal(resident + swapped, 0);
	close_snapshot(&d);
}

static void the_last_whole_snapshot_is_taken(void **state)
{
	struct maker m;
	struct read d;

	(void)state;
	begin(&m);
	trace_alloc(&m.t, &m.events, 10, address(0), SIZE, 0);
	snapshot(&m, 1);
	finish(&m);
	snapshot(&m, 2);
	finish(&m);
	snapshot(&m, 3); /* the copy was killed */
	assert_int_equal(open_snapshot(&d, &m), 0);
	assert_int_equal(d.reach.number, 2);
	assert_int_equal(d.reach.count, 3);
	assert_true(d.reach.is_whole);
	close_snapshot(&d);
}

static void an_unfinished_snapshot_is_better_than_none_and_says_so(void **state)
{
	struct buf notes = { 0 };
	struct maker m;
	struct read d;

	(void)state;
	begin(&m);
	trace_alloc(&m.t, &m.events, 10, address(0), SIZE, 0);
	snapshot(&m, 1);
	assert_int_equal(open_snapshot(&d, &m), 0);
	assert_false(d.reach.is_whole);
	reach_notes(&d.reach, &notes);
	assert_non_null(strstr(buf_string(&notes), "not finished"));
	buf_release(&notes);
	close_snapshot(&d);
}

static void without_a_snapshot_there_is_a_sentence(void **state)
{
	struct maker m;
	struct read d;

	(void)state;
	begin(&m);
	assert_int_equal(open_snapshot(&d, &m), -EINVAL);
	assert_non_null(strstr(buf_string(&d.error), "record with -t reach=exit"));
	close_snapshot(&d);
}

/* Whatever the bytes of a snapshot are: the sanitizers watch. */
static void damaged_snapshots_harm_nobody(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 400; round++) {
		struct maker m;
		struct graph g;
		struct read d;
		uint8_t *bytes;

		random_state = round;
		begin(&m);
		make_graph(&m, &g);
		write_graph(&m, &g);
		bytes = data_of(&m);
		for (unsigned n = 1 + roll(20); n > 0; n--)
			bytes[roll((uint32_t)trace_extent(&m.t, m.unit)->used)] = (uint8_t)roll(256);
		(void)open_snapshot(&d, &m);
		for (size_t i = 0; i < d.reach.blocks_len; i++) {
			uint64_t resident, swapped;

			reach_resident(&d.reach, &d.reach.blocks[i], &resident, &swapped);
			assert_true(resident + swapped <= 2 * d.reach.blocks[i].size);
		}
		close_snapshot(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_of_random_graphs_are_those_of_the_definitions),
		cmocka_unit_test(what_is_freed_later_was_not_lost),
		cmocka_unit_test(mappings_are_roots_unless_blocks_were_ever_in_them),
		cmocka_unit_test(pages_tell_what_is_resident),
		cmocka_unit_test(the_last_whole_snapshot_is_taken),
		cmocka_unit_test(an_unfinished_snapshot_is_better_than_none_and_says_so),
		cmocka_unit_test(without_a_snapshot_there_is_a_sentence),
		cmocka_unit_test(damaged_snapshots_harm_nobody),
	};

	return cmocka_run_group_tests_name("analyzer/models/reach", tests, NULL, NULL);
}
