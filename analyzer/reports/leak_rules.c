/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "analyzer/reports/leak_rules.h"

#define ASKED "__lsan_default_suppressions"

/* The first object that has the function is the one the dynamic linker would take: the executable, if it has it. */
static int read_program(struct leak_rules *rules, const struct report_run *r)
{
	struct symbols *symbols = stacks_symbols(r->stacks);
	struct recording *rec = &r->a->rec;
	int err = -ENOENT;

	for (size_t i = 0; i < rec->modules.len && err == -ENOENT; i++) {
		struct module *module = &rec->modules.list[i];

		err = symbols_returned_text(symbols, symbols_object(symbols, module), ASKED, &rules->program);
	}
	rules->is_unreadable = err == -ENOTSUP;
	if (err)
		return err == -ENOMEM ? err : 0;
	err = suppressions_add(&rules->list, buf_string(&rules->program), rules->program.len, ASKED, &rules->complaint);
	return err == -EINVAL ? 0 : err;
}

int leak_rules_init(struct leak_rules *rules, const struct report_run *r)
{
	int err = 0;

	*rules = (struct leak_rules){ .stacks = r->stacks };
	if (r->options->suppressions)
		err = suppressions_add_file(&rules->list, r->options->suppressions, r->error);
	return err ? err : read_program(rules, r);
}

void leak_rules_release(struct leak_rules *rules)
{
	suppressions_release(&rules->list);
	buf_release(&rules->program);
	buf_release(&rules->complaint);
}

void leak_rules_print(const struct leak_rules *rules, struct page *page)
{
	struct table *table = page_table(page, "Left out by suppressions", "suppressions");

	table_column(table, "blocks", "blocks", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "pattern", "pattern", UNIT_TEXT);
	table_column(table, "from", "from", UNIT_TEXT);
	for (size_t i = 0; i < rules->list.len; i++) {
		const struct suppression *s = &rules->list.list[i];

		table_row(table);
		table_number(table, (int64_t)s->blocks);
		table_number(table, (int64_t)s->bytes);
		table_text(table, s->pattern);
		table_text(table, s->origin);
	}
	table_sort(table, 1, true);
	if (rules->is_unreadable)
		page_note(page, "the program's " ASKED "() computes what it returns, so its suppressions are not known "
				"here: put the same lines into a file for --suppressions.");
	if (rules->complaint.len)
		page_note(page, "of the program's own suppressions not all count: %s", buf_string(&rules->complaint));
	page->failed |= rules->list.failed;
}

int leak_groups(const struct report_run *r, struct groups *g)
{
	int err = report_groups(r, BY_PLACE, g);

	g->suppressions = NULL;
	return err;
}
