/* SPDX-License-Identifier: MIT */
/*
 * heap_pairs.c - where blocks are allocated and where they are freed, pair by pair. Who frees is known for a random
 * part of the blocks; each of them stands for as many as were not chosen.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"
#include "analyzer/util/spread.h"

struct pair {
	uint32_t from, to; /* groups of the allocation and of the end */
	uint64_t bytes;
	uint64_t recorded;   /* blocks whose end has a stack */
	uint64_t elsewhere;  /* WEIGHT_ONEths: freed by another thread */
	struct spread lived; /* ns; weights are WEIGHT_ONEths */
};

struct pairs {
	const struct report_run *r;
	struct lives lives;
	struct groups ends;
	struct map by_groups;
	struct pair *list;
	size_t len, cap;
	uint64_t freed, resized, alive, lost; /* WEIGHT_ONEths */
	uint64_t known;			      /* freed blocks with a stack */
};

static struct pair *pair_of(struct pairs *p, uint32_t from, uint32_t to)
{
	bool is_new;
	uint64_t *at = map_at(&p->by_groups, (uint64_t)from << 32 | to, &is_new);

	if (!at || (is_new && list_grow((void **)&p->list, &p->cap, p->len, sizeof(*p->list)))) {
		p->lives.failed = true;
		return NULL;
	}
	if (is_new) {
		p->list[p->len] = (struct pair){ .from = from, .to = to };
		*at = p->len++;
	}
	return &p->list[*at];
}

static void add_known(struct pairs *p, const struct life *life, const struct life_end *end)
{
	struct weight w = lives_known(&p->lives, life, end);
	struct pair *pair = w.ones ? pair_of(p, life->group, groups_of(&p->ends, end->stack)) : NULL;

	if (!pair)
		return;
	p->known += end->fate == LIFE_FREED;
	pair->recorded++;
	pair->bytes += w.bytes;
	if (end->thread != life->thread)
		pair->elsewhere += w.ones;
	spread_add(&pair->lived, report_span_ns(p->r, life->born, end->tick), w.ones);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct pairs *p = self;
	uint64_t *const sums[] = { [LIFE_FREED] = &p->freed,
				   [LIFE_RESIZED] = &p->resized,
				   [LIFE_LOST] = &p->lost,
				   [LIFE_GOES_ON] = &p->alive };

	*sums[end->fate] += lives_weight(&p->lives, life).ones;
	add_known(p, life, end);
}

/* The second half of a realloc says where it was called. */
static void resized(void *self, const struct life *old, const struct life_end *end, struct life *now)
{
	(void)now;
	ended(self, old, end);
}

static int print_pairs(struct pairs *p, const struct groups *starts, struct page *page)
{
	struct table *table = page_table(page, "Allocated here, freed there", "pairs");

	table_column(table, "blocks", "blocks", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "median", "median_ns", UNIT_NS);
	table_column(table, "p99", "p99_ns", UNIT_NS);
	table_column(table, "other thread", "other_thread", UNIT_PERCENT);
	table_column(table, "recorded", "recorded", UNIT_COUNT);
	groups_column(starts, table, "allocated by", "stack");
	groups_column_as(&p->ends, table, "freed by", "free_stack", "freed in module", "free_module");
	for (size_t i = 0; i < p->len; i++) {
		struct pair *pair = &p->list[i];

		table_row(table);
		table_number(table, (int64_t)weight_count(pair->lived.count));
		table_number(table, (int64_t)pair->bytes);
		table_number(table, (int64_t)spread_percentile(&pair->lived, 50));
		table_number(table, (int64_t)spread_percentile(&pair->lived, 99));
		table_real(table, (double)pair->elsewhere / (double)pair->lived.count);
		table_number(table, (int64_t)pair->recorded);
		groups_cell(starts, table, pair->from);
		groups_cell(&p->ends, table, pair->to);
	}
	return report_order(p->r, table, 0);
}

static int print(struct pairs *p, const struct groups *starts, struct page *page)
{
	int err;

	page_fact(page, "freed", "freed", UNIT_COUNT, weight_count(p->freed));
	page_fact(page, "of these with a stack", "freed_recorded", UNIT_COUNT, p->known);
	page_fact(page, "made another block by realloc", "resized", UNIT_COUNT, weight_count(p->resized));
	page_fact(page, "alive at the end", "alive", UNIT_COUNT, weight_count(p->alive));
	err = print_pairs(p, starts, page);
	report_frees_note(p->r, page);
	if (p->lost)
		page_note(page, "%" PRIu64 " blocks ended unseen, by a free that was not recorded",
			  weight_count(p->lost));
	report_sampled_note(p->r, &p->lives, page);
	return err;
}

int report_heap_pairs(struct report_run *r, struct page *page)
{
	struct pairs p = { .r = r };
	struct groups starts;
	int err;

	map_init(&p.by_groups);
	err = groups_init(&p.ends, r->stacks, r->options->has_by ? r->options->by : BY_PLACE, NULL, r->error);
	p.lives.watcher = (struct life_watcher){ .self = &p, .resized = resized, .ended = ended };
	if (err)
		starts = (struct groups){ 0 };
	else
		err = report_lives(r, BY_PLACE, &starts, &p.lives);
	err = err ? err : p.ends.failed ? -ENOMEM : 0;
	if (!err)
		err = print(&p, &starts, page);
	for (size_t i = 0; i < p.len; i++)
		spread_release(&p.list[i].lived);
	free(p.list);
	map_release(&p.by_groups);
	groups_release(&p.ends);
	groups_release(&starts);
	return err;
}
