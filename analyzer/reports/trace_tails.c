/* SPDX-License-Identifier: MIT */
/*
 * trace_tails.c - what the slowest tasks of a type did that ordinary ones did not: time by place, a task of the slowest
 * hundredth minus a task of the middle half.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/working.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/whole.h"
#include "format/kinds.h"

#define ENOUGH 20u /* tasks of a type: fewer have no tail */

enum side { SIDE_SLOW, SIDE_MIDDLE, SIDES };

struct tail_type {
	uint64_t slow_ns; /* the 99th percentile; 0: too few tasks */
	uint64_t tasks[SIDES];
	double ns[SIDES], inside_ns[SIDES]; /* of all of them: duration, and what regions account for */
};

/* What tasks of a type did: ran or waited somewhere. */
struct deed {
	uint32_t type, wait, group; /* wait 0: ran; WAITS: could have run; group GROUP_NONE: not known where */
	double ns[SIDES];
};

struct tails {
	struct report_run *r;
	struct groups groups;
	struct working working;	  /* of the first pass, then of the second */
	struct tail_type *types;  /* by index of task type */
	struct map sides;	  /* task id -> side */
	struct stack_id *sampled; /* by thread index: where its latest sample was */
	struct deed *deeds;
	size_t len, cap;
	struct map deed_of;
	bool failed;
};

static struct deed *deed_at(struct tails *t, uint32_t type, uint32_t wait, uint32_t group)
{
	const uint64_t key[] = { type, wait, group };
	bool is_new;
	uint64_t *at = map_at(&t->deed_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&t->deeds, &t->cap, t->len, sizeof(*t->deeds)))) {
		t->failed = true;
		return NULL;
	}
	if (is_new) {
		t->deeds[t->len] = (struct deed){ .type = type, .wait = wait, .group = group };
		*at = t->len++;
	}
	return &t->deeds[*at];
}

static void charge(struct tails *t, uint32_t type, enum side side, uint32_t wait, uint32_t group, double ns)
{
	struct deed *d = ns > 0 ? deed_at(t, type, wait, group) : NULL;

	if (d)
		d->ns[side] += ns;
}

/* ---- the passes ----------------------------------------------------------------------------------------------- */

static void no_piece(void *self, const struct work_region *in, const struct stretch *s, uint64_t from, uint64_t to)
{
	(void)self, (void)in, (void)s, (void)from, (void)to;
}

static void piece(void *self, const struct work_region *in, const struct stretch *s, uint64_t from, uint64_t to)
{
	struct tails *t = self;
	const struct work_task *task = in->task ? &t->working.tasks[in->task - 1] : NULL;
	const struct clock *clock = &t->r->a->rec.clock;
	uint64_t ns[DOINGS] = { 0 }, side;
	double all = (double)clock_dur_ns(clock, to - from), cpu;
	uint32_t ran;

	if (!task || !map_get(&t->sides, task->id, &side))
		return;
	stretch_share(s, clock, from, to, false, ns);
	cpu = (double)ns[DOING_CPU];
	t->types[task->type].inside_ns[side] += all;
	ran = t->sampled[s->thread].v ? groups_of(&t->groups, t->sampled[s->thread]) : GROUP_NONE;
	charge(t, task->type, (enum side)side, 0, ran, cpu);
	if (s->wait)
		charge(t, task->type, (enum side)side, s->wait, groups_of(&t->groups, s->stack), all - cpu);
	else
		charge(t, task->type, (enum side)side, RSD_WAITS, GROUP_NONE, all - cpu);
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct tails *t = self;

	if (e->ev->sample.thread < t->r->a->rec.threads_len)
		t->sampled[e->ev->sample.thread] = recording_stack(&t->r->a->rec, e->ev->sample.stack);
}

static int pass(struct tails *t,
		void (*on_piece)(void *, const struct work_region *, const struct stretch *, uint64_t, uint64_t))
{
	struct report_window window = report_window(t->r);
	struct pass_sink own = { .self = t, .on[EV_SAMPLE] = on_sample }, sinks[2];
	const struct pass_sink *list[] = { &own, &sinks[0], &sinks[1] };
	int err;

	t->working = (struct working){ .self = t, .piece = on_piece, .from = window.from, .to = window.to };
	err = working_init(&t->working, &t->r->a->rec);
	working_sinks(&t->working, sinks);
	err = err ? err : analysis_pass(t->r->a, list, 3);
	err = err ? err : working_finish(&t->working);
	return !err && (t->failed || t->groups.failed) ? -ENOMEM : err;
}

static uint64_t duration(const struct tails *t, const struct work_task *task)
{
	return report_span_ns(t->r, task->begin, task->end);
}

struct timed {
	uint64_t ns;
	uint32_t type, task;
};

static int by_type_and_time(const void *a, const void *b)
{
	const struct timed *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static int take(struct tails *t, const struct timed *tasks, size_t from, size_t to, enum side side)
{
	for (size_t i = from; i < to; i++) {
		t->types[tasks[i].type].tasks[side]++;
		t->types[tasks[i].type].ns[side] += (double)tasks[i].ns;
		if (map_put(&t->sides, t->working.tasks[tasks[i].task].id, side))
			return -ENOMEM;
	}
	return 0;
}

/* Of one type, the fastest first. */
static int choose_of_type(struct tails *t, const struct timed *tasks, size_t len)
{
	size_t slow = len - (len + 99) / 100;

	if (len < ENOUGH)
		return 0;
	t->types[tasks->type].slow_ns = tasks[slow].ns;
	return take(t, tasks, slow, len, SIDE_SLOW) || take(t, tasks, len / 4, len - len / 4, SIDE_MIDDLE) ? -ENOMEM
													   : 0;
}

/* Which tasks are compared. */
static int choose(struct tails *t)
{
	struct working *w = &t->working;
	struct timed *tasks = calloc(w->tasks_len + 1, sizeof(*tasks));
	size_t len = 0, end;
	int err = 0;

	t->types = calloc(w->task_types_len + 1, sizeof(*t->types));
	if (!tasks || !t->types)
		err = -ENOMEM;
	for (size_t i = 0; !err && i < w->tasks_len; i++)
		if (w->tasks[i].end && w->tasks[i].end >= w->from && w->tasks[i].end < w->to)
			tasks[len++] = (struct timed){ duration(t, &w->tasks[i]), w->tasks[i].type, (uint32_t)i };
	if (!err)
		qsort(tasks, len, sizeof(*tasks), by_type_and_time);
	for (size_t i = 0; !err && i < len; i = end) {
		for (end = i + 1; end < len && tasks[end].type == tasks[i].type; end++)
			;
		err = choose_of_type(t, tasks + i, end - i);
	}
	free(tasks);
	return err;
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static double mean(double sum, uint64_t count)
{
	return count ? sum / (double)count : 0;
}

static void type_cell(const struct tails *t, struct table *table, uint32_t type)
{
	struct buf name = { 0 };

	recording_string(&t->r->a->rec, t->working.task_types[type].name, &name);
	table_text(table, buf_string(&name));
	buf_release(&name);
}

static void what_cell(const struct tails *t, struct table *table, const struct deed *d)
{
	struct buf text = { 0 };

	if (d->wait == RSD_WAITS)
		buf_add_string(&text, "ready to run, or in waits below the threshold");
	else if (!d->wait && d->group == GROUP_NONE)
		buf_add_string(&text, "runs (no CPU sample)");
	else
		buf_printf(&text, "%s ", d->wait ? wait_name(d->wait) : "runs");
	if (d->group != GROUP_NONE)
		groups_name(&t->groups, d->group, &text);
	table_stack(table, buf_string(&text), (struct stack_id){ 0 },
		    d->group != GROUP_NONE ? t->groups.list[d->group].place.site : NULL);
}

static void difference_cells(struct table *table, double slow, double middle)
{
	table_number(table, whole_i64(slow - middle));
	table_number(table, whole_i64(slow));
	table_number(table, whole_i64(middle));
}

static void outside_row(const struct tails *t, struct table *table, uint32_t type)
{
	const struct tail_type *of = &t->types[type];
	double ns[SIDES];

	for (int side = 0; side < SIDES; side++) {
		ns[side] = mean(of->ns[side] - of->inside_ns[side], of->tasks[side]);
		ns[side] = ns[side] > 0 ? ns[side] : 0;
	}
	table_row(table);
	difference_cells(table, ns[SIDE_SLOW], ns[SIDE_MIDDLE]);
	type_cell(t, table, type);
	table_text(table, "outside");
	table_stack(table, "outside of its regions: queued, or nobody worked for it", (struct stack_id){ 0 }, NULL);
}

static int print_deeds(struct tails *t, struct page *page)
{
	struct table *table = page_table(page, "What slow tasks did more of", "deeds");

	table_column(table, "more", "more_ns", UNIT_NS);
	table_column(table, "a slow one", "slow_ns", UNIT_NS);
	table_column(table, "a middle one", "middle_ns", UNIT_NS);
	table_column(table, "type", "type", UNIT_TEXT);
	table_column_quiet(table, "did", "doing", UNIT_TEXT);
	table_column(table, "what", "stack", UNIT_STACK);
	for (size_t i = 0; i < t->len; i++) {
		const struct deed *d = &t->deeds[i];
		const struct tail_type *of = &t->types[d->type];

		table_row(table);
		difference_cells(table, mean(d->ns[SIDE_SLOW], of->tasks[SIDE_SLOW]),
				 mean(d->ns[SIDE_MIDDLE], of->tasks[SIDE_MIDDLE]));
		type_cell(t, table, d->type);
		table_text(table, d->wait == RSD_WAITS ? "ready" : d->wait ? wait_name(d->wait) : "cpu");
		what_cell(t, table, d);
	}
	for (uint32_t type = 0; type < t->working.task_types_len; type++)
		if (t->types[type].tasks[SIDE_SLOW])
			outside_row(t, table, type);
	return report_order(t->r, table, 0);
}

static int print(struct tails *t, struct page *page)
{
	struct table *table = page_table(page, "Slow and middle tasks", "types");
	int err;

	table_column(table, "type", "type", UNIT_TEXT);
	table_column(table, "slow ones", "slow_tasks", UNIT_COUNT);
	table_column(table, "from", "slow_from_ns", UNIT_NS);
	table_column(table, "on average", "slow_ns", UNIT_NS);
	table_column(table, "middle ones", "middle_tasks", UNIT_COUNT);
	table_column(table, "on average", "middle_ns", UNIT_NS);
	for (uint32_t i = 0; i < t->working.task_types_len; i++) {
		const struct tail_type *type = &t->types[i];

		if (!type->slow_ns)
			continue;
		table_row(table);
		type_cell(t, table, i);
		table_number(table, (int64_t)type->tasks[SIDE_SLOW]);
		table_number(table, (int64_t)type->slow_ns);
		table_number(table, whole_i64(mean(type->ns[SIDE_SLOW], type->tasks[SIDE_SLOW])));
		table_number(table, (int64_t)type->tasks[SIDE_MIDDLE]);
		table_number(table, whole_i64(mean(type->ns[SIDE_MIDDLE], type->tasks[SIDE_MIDDLE])));
	}
	err = print_deeds(t, page);
	page_note(page,
		  "slow: the slowest hundredth of a type with %u tasks or more. middle: the half between the first and "
		  "the last quarter. Times are for one task on average; those behind them are of all its threads",
		  ENOUGH);
	return err;
}

static int run(struct tails *t, struct page *page)
{
	int err = report_groups(t->r, BY_PLACE, &t->groups);

	err = err ? err : pass(t, no_piece);
	err = err ? err : choose(t);
	if (t->working.rec)
		working_release(&t->working);
	t->working = (struct working){ 0 };
	err = err ? err : pass(t, piece);
	return err ? err : print(t, page);
}

int report_trace_tails(struct report_run *r, struct page *page)
{
	struct tails t = { .r = r };
	int err = -ENOMEM;

	map_init(&t.deed_of);
	map_init(&t.sides);
	t.sampled = calloc(r->a->rec.threads_len + 1, sizeof(*t.sampled));
	if (t.sampled)
		err = run(&t, page);
	if (t.working.rec)
		working_release(&t.working);
	groups_release(&t.groups);
	map_release(&t.deed_of);
	map_release(&t.sides);
	free(t.sampled);
	free(t.types);
	free(t.deeds);
	return err;
}
