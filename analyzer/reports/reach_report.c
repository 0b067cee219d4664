/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "analyzer/reports/reach_report.h"

static bool is_suppressed(void *self, const struct reach_block *block)
{
	struct reach_report *x = self;

	return leak_rules_find(&x->rules, block->stack) != NULL;
}

int reach_report_open(struct reach_report *x, struct report_run *r)
{
	int err;

	*x = (struct reach_report){ .r = r };
	err = leak_groups(r, &x->groups);
	err = err ? err : leak_rules_init(&x->rules, r);
	err = err ? err : reach_open(&x->reach, r->a, r->error);
	return err ? err : reach_sort(&x->reach, is_suppressed, x);
}

void reach_report_release(struct reach_report *x)
{
	reach_release(&x->reach);
	leak_rules_release(&x->rules);
	groups_release(&x->groups);
}

uint32_t reach_report_group(struct reach_report *x, const struct reach_block *block)
{
	return reach_wants(&x->reach, block) ? groups_of(&x->groups, block->stack) : GROUP_NONE;
}

static void spell_trigger(const struct reach_report *x, struct buf *out)
{
	const struct reach *reach = &x->reach;

	buf_printf(out, "%" PRIu32 " of %" PRIu32 ", ", reach->number, reach->count);
	if (reach->begin.trigger == REACH_AT_EXIT) {
		buf_add_string(out, "at exit");
	} else if (reach->begin.trigger == REACH_AT_SIGNAL) {
		const char *name = sigabbrev_np((int)reach->begin.detail);

		buf_printf(out, "at SIG%s", name ? name : "?");
	} else {
		struct buf name = { 0 };

		recording_string(&x->r->a->rec, reach->begin.detail, &name);
		buf_add_string(out, "at the mark ");
		buf_add_safe(out, buf_string(&name), name.len);
		buf_release(&name);
	}
}

void reach_report_facts(const struct reach_report *x, struct page *page)
{
	const struct reach *reach = &x->reach;
	struct buf words = { 0 };

	spell_trigger(x, &words);
	page_fact_text(page, "snapshot", "snapshot", buf_string(&words));
	page_fact(page, "taken at", "taken_ns", UNIT_NS, report_ns(x->r, reach->begin.tick_before));
	page_fact(page, "pause", "pause_ns", UNIT_NS,
		  report_span_ns(x->r, reach->begin.tick_before, reach->begin.tick_after));
	page_fact(page, "looked at", "scanned_bytes", UNIT_BYTES, reach->end.scanned);
	page_fact(page, "for", "scan_ns", UNIT_NS, reach->end.ns);
	page->failed |= words.failed;
	buf_release(&words);
}

void reach_report_notes(const struct reach_report *x, struct page *page)
{
	struct buf notes = { 0 };

	reach_notes(&x->reach, &notes);
	for (char *line = notes.data; line && *line;) {
		size_t len = strcspn(line, "\n");

		page_note(page, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
	page->failed |= notes.failed;
	buf_release(&notes);
}
