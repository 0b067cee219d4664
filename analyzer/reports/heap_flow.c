/* SPDX-License-Identifier: MIT */
/*
 * heap_flow.c - blocks that travel: who made them and who freed them, thread by thread. A block that one thread makes
 * and another one frees costs more in most allocators (a lock, or a list that is handed back), and shows which threads
 * produce and which consume. Memory grows with the pairs of threads that occur.
 */
#include <stdlib.h>

#include "analyzer/reports/report.h"
#include "analyzer/reports/thread_names.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"
#include "analyzer/util/whole.h"

struct pair {
	uint32_t maker, ender;
	uint64_t blocks, bytes; /* blocks: WEIGHT_ONEths */
	uint64_t records;
	uint64_t longest_ns;
	double sum_ns; /* of the records */
};

/* Of a thread that makes blocks: most of its blocks end where the last one did. */
struct recent {
	uint32_t ender, pair; /* pair + 1 */
};

struct flow {
	const struct report_run *r;
	struct lives lives;
	struct map pair_of; /* maker << 32 | ender -> index */
	struct pair *pairs;
	size_t pairs_len, pairs_cap;
	struct recent *recent; /* by maker + 1 */
	size_t recent_len;
	uint64_t blocks, bytes;		/* that ended; WEIGHT_ONEths */
	uint64_t far_blocks, far_bytes; /* in another thread */
};

static struct pair *find_pair(struct flow *f, uint32_t maker, uint32_t ender)
{
	bool is_new;
	uint64_t *at = map_at(&f->pair_of, (uint64_t)maker << 32 | ender, &is_new);

	if (!at || (is_new && list_grow((void **)&f->pairs, &f->pairs_cap, f->pairs_len, sizeof(*f->pairs))))
		return NULL;
	if (is_new) {
		f->pairs[f->pairs_len] = (struct pair){ .maker = maker, .ender = ender };
		*at = f->pairs_len++;
	}
	return &f->pairs[*at];
}

static struct pair *pair_of(struct flow *f, uint32_t maker, uint32_t ender)
{
	size_t index = maker == PASS_NO_THREAD ? 0 : (size_t)maker + 1;
	struct recent *recent = list_reach((void **)&f->recent, &f->recent_len, index, sizeof(*recent));
	struct pair *pair;

	if (recent && recent->pair && recent->ender == ender)
		return &f->pairs[recent->pair - 1];
	pair = recent ? find_pair(f, maker, ender) : NULL;
	if (pair)
		*recent = (struct recent){ ender, (uint32_t)(pair - f->pairs) + 1 };
	return pair;
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct flow *f = self;
	struct weight w = lives_weight(&f->lives, life);
	struct pair *pair;
	uint64_t ns;

	if (end->fate == LIFE_GOES_ON || end->fate == LIFE_LOST)
		return;
	pair = pair_of(f, life->thread, end->thread);
	if (!pair) {
		f->lives.failed = true;
		return;
	}
	ns = report_span_ns(f->r, life->born, end->tick);
	pair->blocks += w.ones;
	pair->bytes += w.bytes;
	pair->records++;
	pair->sum_ns += (double)ns;
	if (ns > pair->longest_ns)
		pair->longest_ns = ns;
	f->blocks += w.ones;
	f->bytes += w.bytes;
	if (life->thread != end->thread) {
		f->far_blocks += w.ones;
		f->far_bytes += w.bytes;
	}
}

static int print(const struct flow *f, struct page *page)
{
	const struct recording *rec = &f->r->a->rec;
	struct table *t = page_table(page, "From who made them to who freed them", "pairs");

	table_column(t, "blocks", "blocks", UNIT_COUNT);
	table_column(t, "bytes", "bytes", UNIT_BYTES);
	table_column(t, "of all", "share", UNIT_PERCENT);
	table_column(t, "mean life", "mean_ns", UNIT_NS);
	table_column(t, "longest", "max_ns", UNIT_NS);
	table_column(t, "tid", "from_tid", UNIT_COUNT);
	table_column(t, "made by", "from", UNIT_TEXT);
	table_column(t, "tid", "to_tid", UNIT_COUNT);
	table_column(t, "freed by", "to", UNIT_TEXT);
	for (size_t i = 0; i < f->pairs_len; i++) {
		const struct pair *p = &f->pairs[i];

		table_row(t);
		table_number(t, (int64_t)weight_count(p->blocks));
		table_number(t, (int64_t)p->bytes);
		table_real(t, f->bytes ? (double)p->bytes / (double)f->bytes : 0);
		table_number(t, whole_i64(p->sum_ns / (double)p->records));
		table_number(t, (int64_t)p->longest_ns);
		thread_cells(t, rec, p->maker);
		thread_cells(t, rec, p->ender);
	}
	page_note(page,
		  "blocks that ended, a realloc included; of all: of their bytes. Those that are still alive have "
		  "nobody who freed them: ringside heap threads.");
	return report_order(f->r, t, 1);
}

int report_heap_flow(struct report_run *r, struct page *page)
{
	struct flow f = { .r = r };
	struct groups groups;
	int err;

	map_init(&f.pair_of);
	f.lives.watcher = (struct life_watcher){ .self = &f, .ended = ended };
	err = report_lives(r, BY_PLACE, &groups, &f.lives);
	if (!err) {
		page_fact(page, "blocks freed", "blocks", UNIT_COUNT, weight_count(f.blocks));
		page_fact(page, "by another thread", "far_blocks", UNIT_COUNT, weight_count(f.far_blocks));
		page_fact(page, "bytes of these", "far_bytes", UNIT_BYTES, f.far_bytes);
		err = print(&f, page);
		report_sampled_note(r, &f.lives, page);
	}
	map_release(&f.pair_of);
	free(f.pairs);
	free(f.recent);
	groups_release(&groups);
	return err;
}
