/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "analyzer/reports/report.h"
#include "analyzer/views/views.h"

const struct report reports[] = {
#define REPORT(subject, name, title, words) { #subject, #name, title, words, report_##subject##_##name },
#include "analyzer/reports/reports.def"
};
const size_t reports_len = sizeof(reports) / sizeof(reports[0]);

const struct report *report_find(const char *subject, const char *name)
{
	for (size_t i = 0; i < reports_len; i++)
		if (!strcmp(reports[i].subject, subject) && !strcmp(reports[i].name, name))
			return &reports[i];
	return NULL;
}

int report_groups(const struct report_run *r, enum group_by by, struct groups *g)
{
	int err = groups_init(g, r->stacks, r->options->has_by ? r->options->by : by, &r->options->filter, r->error);

	g->suppressions = r->suppressions;
	return err;
}

int report_lives(const struct report_run *r, enum group_by by, struct groups *g, struct lives *l)
{
	int err = report_groups(r, by, g);

	l->groups = g;
	return err ? err : lives_run(l, r->a);
}

static int find_column(const struct report_run *r, const struct table *t, size_t *column)
{
	for (*column = 0; *column < t->columns_len; ++*column)
		if (!strcmp(t->columns[*column].key, r->options->order) ||
		    !strcmp(t->columns[*column].title, r->options->order))
			return 0;
	buf_printf(r->error, "--order: no column is called %s; there are", r->options->order);
	for (size_t i = 0; i < t->columns_len; i++)
		buf_printf(r->error, "%s %s", i ? "," : "", t->columns[i].key);
	return -EINVAL;
}

void report_rank(const struct report_run *r, struct table *t, size_t column)
{
	table_sort(t, column, true);
	if (r->options->top)
		table_cut(t, r->options->top);
}

int report_order(const struct report_run *r, struct table *t, size_t column)
{
	if (r->options->order && find_column(r, t, &column))
		return -EINVAL;
	report_rank(r, t, column);
	return 0;
}

struct report_window report_window(struct report_run *r)
{
	struct pass_filter *f = &r->a->filter;
	struct report_window w = { 0, UINT64_MAX };

	if (f->from_ns)
		w.from = clock_tick(&r->a->rec.clock, f->from_ns);
	if (f->to_ns)
		w.to = clock_tick(&r->a->rec.clock, f->to_ns);
	f->from_ns = f->to_ns = 0;
	return w;
}

int report_activity(struct report_run *r, struct activity *a, const struct pass_sink *also)
{
	struct pass_sink sink;
	const struct pass_sink *sinks[] = { &sink, also };
	int err = activity_init(a, &r->a->rec);

	sink = activity_sink(a);
	err = err ? err : analysis_pass(r->a, sinks, also ? 2 : 1);
	if (!err)
		activity_finish(a);
	activity_release(a);
	return err;
}

void report_thread_name(const struct report_run *r, uint32_t thread, struct buf *out)
{
	const struct rsd_thread *slot = recording_thread(&r->a->rec, thread);
	char name[sizeof(slot->name) + 1] = "";

	if (!slot) {
		buf_add_string(out, "[unknown]");
		return;
	}
	memcpy(name, slot->name, sizeof(slot->name));
	buf_add_safe(out, name, strlen(name));
	buf_printf(out, " %" PRIu32, slot->tid);
}

void report_routine_name(const struct report_run *r, uint32_t thread, struct buf *out)
{
	const struct rsd_thread *slot = recording_thread(&r->a->rec, thread);
	const struct frame_chain *chain;

	if (!slot || !slot->start_routine) {
		buf_add_string(out, "main");
		return;
	}
	chain = symbols_addr_lookup(stacks_symbols(r->stacks), &r->a->rec.modules, slot->start_routine);
	view_frame_name(out, &chain->frames[0]);
}

void report_stack_cell(const struct report_run *r, struct table *t, struct stack_id stack)
{
	struct buf text = { 0 };

	if (!stack.v) {
		table_skip(t);
		return;
	}
	place_name_and_caller(&text, r->stacks, stack);
	table_stack(t, buf_string(&text), stack, NULL);
	t->failed |= text.failed;
	buf_release(&text);
}

void report_thread_cell(const struct report_run *r, struct table *t, uint32_t thread)
{
	struct buf text = { 0 };

	report_thread_name(r, thread, &text);
	table_text(t, buf_string(&text));
	buf_release(&text);
}

void report_routine_cell(const struct report_run *r, struct table *t, uint32_t thread)
{
	struct buf text = { 0 };

	report_routine_name(r, thread, &text);
	table_text(t, buf_string(&text));
	buf_release(&text);
}

void report_doing_columns(struct table *t)
{
	for (unsigned i = 0; i < DOINGS; i++)
		table_column_quiet(t, doing_name((enum doing)i), doing_key((enum doing)i), UNIT_NS);
}

void report_doing_cells(struct table *t, const uint64_t ns[DOINGS])
{
	for (unsigned i = 0; i < DOINGS; i++)
		table_number(t, (int64_t)ns[i]);
}

uint64_t report_ns(const struct report_run *r, uint64_t tick)
{
	return clock_ns(&r->a->rec.clock, tick);
}

uint64_t report_span_ns(const struct report_run *r, uint64_t from, uint64_t to)
{
	return to > from ? report_ns(r, to) - report_ns(r, from) : 0;
}

void report_sampled_note(const struct report_run *r, const struct lives *l, struct page *page)
{
	if (l->sampled)
		page_note(page, "scaled up from %" PRIu64 " sampled allocations, one per %" PRIu64 " bytes on average",
			  l->sampled, r->a->rec.reader.header.sample_bytes);
	if (l->suppressed)
		page_note(page, "%" PRIu64 " allocations are left out because of --suppressions", l->suppressed);
}

void report_threshold(struct report_run *r, uint64_t bytes, struct page *page, const char *what)
{
	r->has_threshold = true;
	if (!r->options->has_fail_on || bytes <= r->options->fail_on)
		return;
	r->is_over = true;
	page_note(page, "--fail-on: %" PRIu64 " bytes are %s, %" PRIu64 " are allowed", bytes, what,
		  r->options->fail_on);
}

void report_frees_note(const struct report_run *r, struct page *page)
{
	uint32_t every = r->a->rec.reader.header.free_every;

	if (!every)
		page_note(page,
			  "the recording has no stacks of frees: record with -t freestack=1 for all, or freestack=32");
	else if (every > 1 && r->a->rec.reader.header.heap_mode == RSD_HEAP_EXACT)
		page_note(page,
			  "where a block was freed is known for one free in %" PRIu32 ", chosen at random; numbers of "
			  "blocks and bytes are scaled up from these, and are right to about 200 / sqrt(recorded) %%. "
			  "-t freestack=1 records all.",
			  every);
}
