/* SPDX-License-Identifier: MIT */
/*
 * massif.c - massif's snapshots: live bytes of the heap over time, and at its exact peak who had them, as a tree from
 * the allocating function out to its callers. Times are milliseconds with three decimals.
 *
 * ms_print takes what follows a # for a comment, so names are written without.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/heap_sites.h"
#include "analyzer/util/list.h"

#define THRESHOLD 1000u /* a node with less than one in so many bytes of the peak is not told one by one */

/* A frame under its callee. */
struct caller {
	const struct frame *frame; /* NULL: the root, and blocks without a stack */
	uint64_t bytes;
	uint32_t first, next; /* child, sibling: numbers from 1 */
	uint32_t children;
};

struct massif {
	struct export_run *r;
	struct heap_sites h;
	struct caller *callers; /* [0] is the root */
	size_t len, cap;
	struct map number_of; /* callee and frame number -> caller */
	bool failed;
};

/* ---- the tree ------------------------------------------------------------------------------------------------- */

static uint32_t caller_of(struct massif *m, uint32_t callee, uint32_t frame_number, const struct frame *frame)
{
	bool is_new;
	uint64_t *at = map_at(&m->number_of, (uint64_t)callee << 32 | frame_number, &is_new);

	if (!at || (is_new && list_grow((void **)&m->callers, &m->cap, m->len, sizeof(*m->callers)))) {
		m->failed = true;
		return callee;
	}
	if (is_new) {
		*at = m->len++;
		m->callers[*at] = (struct caller){ .frame = frame, .next = m->callers[callee].first };
		m->callers[callee].first = (uint32_t)*at;
		m->callers[callee].children++;
	}
	return (uint32_t)*at;
}

static void add_site(struct massif *m, uint32_t node, uint64_t bytes)
{
	const struct tree_node *nodes = m->h.tree.nodes;
	uint32_t at = 0;

	m->callers[0].bytes += bytes;
	if (!node)
		m->callers[caller_of(m, 0, 0, NULL)].bytes += bytes;
	for (; node; node = nodes[node - 1].parent) {
		at = caller_of(m, at, nodes[node - 1].frame_number, nodes[node - 1].frame);
		m->callers[at].bytes += bytes;
	}
}

static int build(struct massif *m)
{
	if (list_grow((void **)&m->callers, &m->cap, 0, sizeof(*m->callers)))
		return -ENOMEM;
	m->callers[0] = (struct caller){ 0 };
	m->len = 1;
	for (size_t i = 0; i < m->h.len && !m->failed; i++)
		if (m->h.sites[i].mark.peak_bytes)
			add_site(m, (uint32_t)i, m->h.sites[i].mark.peak_bytes);
	return m->failed ? -ENOMEM : 0;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static void put_text(struct massif *m, const struct buf *text)
{
	for (const char *s = buf_string(text); *s; s++)
		fputc(*s == '#' ? '?' : *s, m->r->out);
}

static void put_name(struct massif *m, const struct frame *frame)
{
	struct buf text = { 0 };

	if (!frame) {
		fputs("0x0: ???", m->r->out);
		return;
	}
	buf_printf(&text, "0x%" PRIX64 ": ", frame->address);
	buf_add_safe(&text, export_frame_name(frame), strlen(export_frame_name(frame)));
	export_place(&text, frame);
	put_text(m, &text);
	m->failed |= text.failed;
	buf_release(&text);
}

static bool is_told(const struct massif *m, const struct caller *c)
{
	return c->bytes >= m->callers[0].bytes / THRESHOLD;
}

static int by_bytes(const void *a, const void *b, void *callers)
{
	const struct caller *x = (struct caller *)callers + *(const uint32_t *)a;
	const struct caller *y = (struct caller *)callers + *(const uint32_t *)b;

	return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : 0;
}

static void put_tree(struct massif *m, uint32_t at, unsigned depth)
{
	const struct caller *c = &m->callers[at];
	uint32_t *told = calloc(c->children + 1, sizeof(*told));
	uint32_t told_len = 0, few = 0;
	uint64_t few_bytes = 0;

	if (!told) {
		m->failed = true;
		return;
	}
	for (uint32_t i = c->first; i; i = m->callers[i].next) {
		if (is_told(m, &m->callers[i])) {
			told[told_len++] = i;
			continue;
		}
		few++;
		few_bytes += m->callers[i].bytes;
	}
	qsort_r(told, told_len, sizeof(*told), by_bytes, m->callers);
	fprintf(m->r->out, "%*sn%" PRIu32 ": %" PRIu64 " ", depth, "", told_len + !!few, c->bytes);
	if (at)
		put_name(m, c->frame);
	else
		fputs("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.", m->r->out);
	fputc('\n', m->r->out);
	for (uint32_t i = 0; i < told_len; i++)
		put_tree(m, told[i], depth + 1);
	if (few)
		fprintf(m->r->out, "%*sn0: %" PRIu64 " in %" PRIu32 " places, all below massif's threshold (%.2f%%)\n",
			depth + 1, "", few_bytes, few, 100.0 / THRESHOLD);
	free(told);
}

static void put_snapshot(struct massif *m, unsigned *number, uint64_t ns, uint64_t bytes, bool is_peak)
{
	fprintf(m->r->out, "#-----------\nsnapshot=%u\n#-----------\ntime=%" PRIu64 ".%03u\n", (*number)++,
		ns / 1000000, (unsigned)(ns / 1000 % 1000));
	fprintf(m->r->out, "mem_heap_B=%" PRIu64 "\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=%s\n", bytes,
		is_peak ? "peak" : "empty");
	if (is_peak)
		put_tree(m, 0, 0);
}

static void put_snapshots(struct massif *m)
{
	bool has_peak = false;
	unsigned number = 0;

	put_snapshot(m, &number, 0, 0, false);
	for (size_t i = 0; i < m->h.curve.len; i++) {
		const struct curve_point *p = &m->h.curve.points[i];
		bool is_peak = p->is_set && !has_peak && p->top_bytes && p->top_bytes == m->h.all.peak_bytes;

		if (!p->is_set)
			continue;
		put_snapshot(m, &number, p->top_ns, p->top_bytes, is_peak);
		has_peak |= is_peak;
		if (p->last_ns > p->top_ns)
			put_snapshot(m, &number, p->last_ns, p->last_bytes, false);
	}
}

static void put_head(struct massif *m)
{
	struct buf text = { 0 };

	fputs("desc: recorded by ringside; requested bytes\ncmd: ", m->r->out);
	buf_add_safe(&text, m->r->a->rec.exe, strlen(m->r->a->rec.exe));
	put_text(m, &text);
	fputs("\ntime_unit: ms\n", m->r->out);
	m->failed |= text.failed;
	buf_release(&text);
}

int export_massif(struct export_run *r)
{
	struct massif m = { .r = r };
	int err = heap_sites_run(&m.h, r, NULL);

	map_init(&m.number_of);
	err = err ? err : build(&m);
	put_head(&m);
	if (!err)
		put_snapshots(&m);
	free(m.callers);
	map_release(&m.number_of);
	heap_sites_release(&m.h);
	if (!err && m.failed)
		err = -ENOMEM;
	return err ? err : ferror(r->out) ? -EIO : 0;
}
