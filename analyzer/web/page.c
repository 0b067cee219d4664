/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/util/json.h"
#include "analyzer/util/sha256.h"
#include "analyzer/web/data.h"
#include "analyzer/web/files.h"
#include "analyzer/web/lines.h"
#include "analyzer/web/page.h"
#include "analyzer/web/reports.h"

#define NODES_MOST 200000u
#define NODES_LEAST 500u
#define OVERVIEW_TOP 30u

/* What takes the place of a mark in page.html. */
struct slot {
	const char *mark;
	char *text;
	size_t len;
};

enum {
	SLOT_POLICY,
	SLOT_STYLE,
	SLOT_OVERVIEW,
	SLOT_TREE,
	SLOT_TIME,
	SLOT_LANES,
	SLOT_SOURCE,
	SLOT_REPORTS,
	SLOT_SCRIPT,
	SLOTS
};

struct page_work {
	struct session *session;
	struct analysis *a;
	const struct web_base *base; /* or NULL */
	struct align *align;
	struct report_run run;
	struct web_tree tree;
	struct web_strips strips;
	struct web_lines lines;
	struct web_latency latency;
	struct web_lanes lanes;
	struct page heap;
	bool has_heap;
	struct slot slots[SLOTS];
};

/* ---- numbers -------------------------------------------------------------------------------------------------- */

/* As the views do: what only passes memory on is not charged with it. */
static int add_heap(struct page_work *w, const struct heap *h)
{
	static const enum web_metric metrics[] = { WEB_ALLOC_SPACE, WEB_ALLOC_OBJECTS, WEB_PEAK_SPACE, WEB_INUSE_SPACE,
						   WEB_TEMPORARY };
	struct web_tree *t = &w->tree;
	struct profile p;
	regex_t only_passes;
	int err;

	profile_init(&p, "heap");
	err = heap_profile(h, &p);
	err = err || regcomp(&only_passes, p.drop_frames, REG_EXTENDED | REG_NOSUB) ? -ENOMEM : 0;
	for (size_t i = 0; i < p.rows_len && !err; i++) {
		uint32_t node = web_tree_above(t, web_tree_at(t, p.rows[i].stack), &only_passes);
		int64_t values[WEB_METRICS] = { 0 };

		for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
			int at = profile_value_index(&p, web_metric_name(metrics[m]));

			values[metrics[m]] = p.rows[i].values[at];
			web_tree_add(t, node, metrics[m], values[metrics[m]]);
		}
		if (!t->is_base)
			web_lines_add(&w->lines, p.rows[i].stack, values);
	}
	if (!err)
		regfree(&only_passes);
	profile_release(&p);
	return err;
}

/* The curve of the heap is the report of that name; without a heap there is none. */
static int curve(struct page_work *w)
{
	const struct report *report = report_find("heap", "timeline");
	struct pass_filter filter = w->a->filter;
	int err;

	if (w->a->rec.reader.header.heap_mode == RSD_HEAP_OFF)
		return 0;
	err = report->run(&w->run, &w->heap);
	w->a->filter = filter;
	w->has_heap = !err;
	return err == -ENOMEM ? err : 0;
}

/* A number that was spent at a stack: in the tree, and for the recording shown at its lines of source. */
static void add_time(struct page_work *w, struct stack_id stack, enum web_metric metric, uint64_t ns)
{
	int64_t values[WEB_METRICS] = { 0 };

	values[metric] = (int64_t)ns;
	web_tree_add(&w->tree, web_tree_at(&w->tree, stack), metric, (int64_t)ns);
	if (!w->tree.is_base)
		web_lines_add(&w->lines, stack, values);
}

static void add_times(struct page_work *w, const struct analysis *a)
{
	for (size_t i = 0; i < a->cpu.sites_len; i++)
		add_time(w, a->cpu.sites[i].stack, WEB_CPU, a->cpu.sites[i].cpu_ns);
	for (size_t i = 0; i < a->waits.sites_len; i++) {
		const struct wait_site *s = &a->waits.sites[i];

		add_time(w, s->stack, WEB_BLOCKED, s->blocked_ns);
		if (!activity_is_idle(s->wait, s->in_pool))
			add_time(w, s->stack, WEB_BUSY_BLOCKED, s->blocked_ns);
	}
	for (size_t i = 0; i < a->locks.holders_len; i++)
		add_time(w, a->locks.holders[i].stack, WEB_HELD, a->locks.holders[i].wait_ns);
}

/* The numbers of the recording that is compared with, at the same functions. */
static int add_base(struct page_work *w)
{
	int err;

	w->tree.is_base = true;
	err = add_heap(w, &w->base->a->heap);
	if (!err)
		add_times(w, w->base->a);
	w->tree.is_base = false;
	return err;
}

static int find_same(struct page_work *w)
{
	int err;

	w->align = align_new(w->session->stacks);
	err = w->align ? web_base_align(w->align, ALIGN_OLD, w->base->a) : -ENOMEM;
	err = err ? err : web_base_align(w->align, ALIGN_NEW, w->a);
	return err ? err : align_finish(w->align);
}

static int gather(struct page_work *w)
{
	int err = w->base ? find_same(w) : 0;

	err = err ? err : web_tree_init(&w->tree, w->session->stacks);
	w->tree.align = w->align;
	err = err ? err : add_heap(w, &w->a->heap);
	if (err)
		return err;
	add_times(w, w->a);
	err = w->base ? add_base(w) : 0;
	if (err)
		return err;
	err = curve(w);
	/* Last: it takes the stretch of time off the filter. */
	err = err ? err : web_strips_make(&w->strips, &w->run, &w->tree);
	err = err ? err : web_latency_init(&w->latency, &w->run, w->strips.window);
	return err ? err : web_lanes_make(&w->lanes, &w->run, w->strips.window, &w->latency);
}

/* ---- blocks of JSON ------------------------------------------------------------------------------------------- */

static FILE *slot_open(struct slot *slot)
{
	free(slot->text);
	slot->text = NULL;
	return open_memstream(&slot->text, &slot->len);
}

static int slot_close(FILE *out, int err)
{
	return fclose(out) ? -ENOMEM : err;
}

static int fill_overview(struct page_work *w)
{
	struct overview o = { .session = w->session, .a = w->a, .top = OVERVIEW_TOP, .is_for_html = true };
	FILE *out = slot_open(&w->slots[SLOT_OVERVIEW]);
	int err = out ? findings_make(&o.findings, w->a) : -ENOMEM;

	err = err ? err : overview_json(&o, out);
	findings_release(&o.findings);
	return out ? slot_close(out, err) : err;
}

static int fill_reports(struct page_work *w)
{
	FILE *out = slot_open(&w->slots[SLOT_REPORTS]);

	return out ? slot_close(out, web_reports(&w->run, out)) : -ENOMEM;
}

static int fill_lanes(struct page_work *w)
{
	FILE *out = slot_open(&w->slots[SLOT_LANES]);

	return out ? slot_close(out, web_data_lanes(&w->lanes, &w->latency, &w->strips, out)) : -ENOMEM;
}

static int fill_source(struct page_work *w, const struct source_options *source)
{
	FILE *out = slot_open(&w->slots[SLOT_SOURCE]);

	return out ? slot_close(out, web_lines_json(&w->lines, source, out)) : -ENOMEM;
}

static int fill_tree(struct page_work *w, size_t nodes)
{
	FILE *tree = slot_open(&w->slots[SLOT_TREE]), *time = slot_open(&w->slots[SLOT_TIME]);
	int err = tree && time ? web_tree_prune(&w->tree, nodes) : -ENOMEM;

	err = err ? err : web_data_tree(&w->tree, w->base, tree);
	err = err ? err : web_data_strips(&w->strips, w->has_heap ? &w->heap : NULL, time);
	if (tree)
		err = slot_close(tree, err);
	if (time)
		err = slot_close(time, err);
	return err;
}

static size_t size_of(const struct page_work *w)
{
	size_t size = 0;

	for (int i = 0; i < SLOTS; i++)
		size += w->slots[i].len;
	return size;
}

/* Fewer nodes until the page is small enough. */
static int fill_data(struct page_work *w)
{
	int err = 0;

	for (size_t nodes = NODES_MOST; !err && nodes >= NODES_LEAST; nodes /= 2) {
		err = fill_tree(w, nodes);
		if (size_of(w) + (64u << 10) < WEB_PAGE_BYTES)
			break;
	}
	return err;
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static int fill_part(struct slot *slot, enum web_part part)
{
	struct buf text = { 0 };

	web_files(part, &text);
	slot->text = text.data;
	slot->len = text.len;
	return text.failed ? -ENOMEM : 0;
}

static int fill_policy(struct page_work *w)
{
	char style[SHA256_BASE64_LEN + 1], script[SHA256_BASE64_LEN + 1];
	struct slot *s = w->slots;
	int len;

	sha256_base64(s[SLOT_STYLE].text, s[SLOT_STYLE].len, style);
	sha256_base64(s[SLOT_SCRIPT].text, s[SLOT_SCRIPT].len, script);
	len = asprintf(&s[SLOT_POLICY].text,
		       "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; "
		       "form-action 'none'",
		       style, script);
	s[SLOT_POLICY].len = len > 0 ? (size_t)len : 0;
	return len > 0 ? 0 : -ENOMEM;
}

/* Marks are searched in the template only, never in what was put in. */
static int put_together(const struct page_work *w, FILE *out)
{
	struct buf page = { 0 };
	const char *at, *mark;

	web_files(WEB_PAGE, &page);
	at = buf_string(&page);
	for (int i = 0; i < SLOTS; i++) {
		mark = strstr(at, w->slots[i].mark);
		if (!mark)
			break;
		fwrite(at, 1, (size_t)(mark - at), out);
		fwrite(w->slots[i].text, 1, w->slots[i].len, out);
		at = mark + strlen(w->slots[i].mark);
	}
	fputs(at, out);
	buf_release(&page);
	return page.failed ? -ENOMEM : ferror(out) ? -EIO : 0;
}

int web_page_write(struct session *s, const struct web_base *base, const struct report_options *options,
		   const struct source_options *source, FILE *out)
{
	struct buf error = { 0 };
	struct page_work w = {
		.session = s,
		.base = base,
		.a = &s->analyses[0],
		.run = { .a = &s->analyses[0], .stacks = s->stacks, .options = options, .error = &error },
		.slots = { { "@policy@", NULL, 0 },
			   { "@style@", NULL, 0 },
			   { "@overview@", NULL, 0 },
			   { "@tree@", NULL, 0 },
			   { "@time@", NULL, 0 },
			   { "@lanes@", NULL, 0 },
			   { "@source@", NULL, 0 },
			   { "@reports@", NULL, 0 },
			   { "@script@", NULL, 0 } },
	};
	int err;

	page_init(&w.heap, s->stacks);
	web_lines_init(&w.lines, s->stacks);
	err = fill_part(&w.slots[SLOT_STYLE], WEB_STYLE);
	err = err ? err : fill_part(&w.slots[SLOT_SCRIPT], WEB_SCRIPT);
	err = err ? err : fill_policy(&w);
	/* First: it tells of the pass that the models had. */
	err = err ? err : fill_overview(&w);
	err = err ? err : fill_reports(&w);
	err = err ? err : gather(&w);
	err = err ? err : fill_lanes(&w);
	err = err ? err : fill_source(&w, source);
	err = err ? err : fill_data(&w);
	err = err ? err : put_together(&w, out);
	for (int i = 0; i < SLOTS; i++)
		free(w.slots[i].text);
	page_release(&w.heap);
	web_lanes_release(&w.lanes);
	web_lines_release(&w.lines);
	web_latency_release(&w.latency);
	web_strips_release(&w.strips);
	web_tree_release(&w.tree);
	align_free(w.align);
	buf_release(&error);
	return err;
}
