/* SPDX-License-Identifier: MIT */
/*
 * heap_classes.c - which C++ objects are alive in a snapshot, by class: a block that begins with an address in a
 * virtual table is an object of that table's class.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/reach_report.h"
#include "analyzer/util/list.h"

struct class_row {
	const char *name, *module; /* interned; module: path */
	uint64_t blocks, bytes, resident, lost_blocks, lost_bytes;
};

struct classes {
	struct reach_report x;
	struct map by_word; /* first word -> row + 1; 0: no class */
	struct map by_name; /* name and module -> row + 1 */
	struct class_row *rows;
	size_t rows_len, rows_cap;
	uint64_t blocks, bytes, others, other_bytes;
	bool failed;
};

static uint64_t add_row(struct classes *c, const char *name, const char *module)
{
	const void *key[2] = { name, module };
	bool is_new;
	uint64_t *at = map_at(&c->by_name, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&c->rows, &c->rows_cap, c->rows_len, sizeof(*c->rows)))) {
		c->failed = true;
		return 0;
	}
	if (is_new) {
		c->rows[c->rows_len++] = (struct class_row){ .name = name, .module = module };
		*at = c->rows_len;
	}
	return *at;
}

static uint64_t find_class(struct classes *c, uint64_t word)
{
	struct symbols *symbols = stacks_symbols(c->x.r->stacks);
	struct module *module = modules_by_addr(&c->x.reach.modules, word);
	uint32_t object = module ? symbols_object(symbols, module) : 0;
	const char *name = module ? symbols_class_name(symbols, object, word - module->bias) : NULL;

	return name ? add_row(c, name, symbols_path(symbols, object)) : 0;
}

static struct class_row *class_of(struct classes *c, const struct reach_block *b)
{
	bool is_new;
	uint64_t *row = b->first_word ? map_at(&c->by_word, b->first_word, &is_new) : NULL;

	if (b->first_word && !row)
		c->failed = true;
	if (row && is_new)
		*row = find_class(c, b->first_word);
	return row && *row ? &c->rows[*row - 1] : NULL;
}

static void count(struct classes *c)
{
	for (size_t i = 0; i < c->x.reach.blocks_len; i++) {
		const struct reach_block *b = &c->x.reach.blocks[i];
		struct class_row *row = reach_report_group(&c->x, b) == GROUP_NONE ? NULL : class_of(c, b);
		uint64_t resident, swapped;

		if (!row) {
			c->others += reach_report_group(&c->x, b) != GROUP_NONE;
			continue;
		}
		reach_resident(&c->x.reach, b, &resident, &swapped);
		row->blocks++;
		row->bytes += b->size;
		row->resident += resident;
		if (b->state == REACH_LOST || b->state == REACH_INDIRECT) {
			row->lost_blocks++;
			row->lost_bytes += b->size;
		}
		c->blocks++;
		c->bytes += b->size;
	}
}

static void put_name(struct table *table, const char *name)
{
	struct buf text = { 0 };

	buf_add_safe(&text, name, strlen(name));
	table_text(table, buf_string(&text));
	table->failed |= text.failed;
	buf_release(&text);
}

static int print(struct classes *c, struct page *page)
{
	struct table *table = page_table(page, "By class", "classes");

	reach_report_facts(&c->x, page);
	page_fact(page, "objects", "objects", UNIT_COUNT, c->blocks);
	page_fact(page, "bytes", "bytes", UNIT_BYTES, c->bytes);
	page_fact(page, "other blocks", "other_blocks", UNIT_COUNT, c->others);
	table_column(table, "objects", "objects", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "resident", "resident_bytes", UNIT_BYTES);
	table_column(table, "lost", "lost_objects", UNIT_COUNT);
	table_column(table, "bytes lost", "lost_bytes", UNIT_BYTES);
	table_column(table, "class", "class", UNIT_TEXT);
	table_column(table, "module", "module", UNIT_TEXT);
	for (size_t i = 0; i < c->rows_len; i++) {
		const struct class_row *row = &c->rows[i];

		table_row(table);
		table_number(table, (int64_t)row->blocks);
		table_number(table, (int64_t)row->bytes);
		table_number(table, (int64_t)row->resident);
		table_number(table, (int64_t)row->lost_blocks);
		table_number(table, (int64_t)row->lost_bytes);
		put_name(table, row->name);
		put_name(table, path_base(row->module));
	}
	page_note(page,
		  "an object is a block that begins with the address of a virtual table that has a symbol: classes "
		  "without virtual functions, arrays of objects and members are not seen. bytes: of the block, "
		  "without what it points to.");
	reach_report_notes(&c->x, page);
	return report_order(c->x.r, table, 1);
}

int report_heap_classes(struct report_run *r, struct page *page)
{
	struct classes c = { .rows = NULL };
	int err = reach_report_open(&c.x, r);

	map_init(&c.by_word);
	map_init(&c.by_name);
	if (!err) {
		count(&c);
		err = c.failed ? -ENOMEM : print(&c, page);
	}
	map_release(&c.by_word);
	map_release(&c.by_name);
	free(c.rows);
	reach_report_release(&c.x);
	return err;
}
