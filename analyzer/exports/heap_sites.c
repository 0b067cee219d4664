/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/heap_sites.h"
#include "analyzer/util/list.h"

static struct export_site *site_of(struct heap_sites *h, struct stack_id stack)
{
	uint32_t node = frame_tree_of(&h->tree, stack);
	struct export_site *site = list_reach((void **)&h->sites, &h->cap, node, sizeof(*h->sites));

	if (site && node >= h->len)
		h->len = node + 1;
	h->tree.failed |= !site;
	return site;
}

static uint64_t moment(const struct heap_sites *h, uint64_t tick)
{
	return clock_ns(&h->r->a->rec.clock, tick);
}

static void born(void *self, struct life *life)
{
	struct heap_sites *h = self;
	struct weight w = lives_weight(&h->lives, life);
	struct export_site *site = site_of(h, life->stack);

	if (!site)
		return;
	site->blocks += w.ones;
	site->bytes += w.bytes;
	crest_rise(&h->all, &site->mark, w);
	crest_rise_all(&h->all, w, life->born);
	if (site->mark.live_bytes > site->top_bytes) {
		site->top_bytes = site->mark.live_bytes;
		site->top_blocks = site->mark.live_blocks;
	}
	curve_add(&h->curve, moment(h, life->born), h->all.live_bytes);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct heap_sites *h = self;
	struct weight w = lives_weight(&h->lives, life);
	struct export_site *site = site_of(h, life->stack);
	uint64_t ns = moment(h, end->tick) - moment(h, life->born);

	if (!site)
		return;
	site->lifetimes_ns += (uint64_t)((unsigned __int128)ns * w.ones / WEIGHT_ONE);
	if (end->fate == LIFE_GOES_ON)
		return;
	crest_fall(&h->all, &site->mark, w);
	crest_fall_all(&h->all, w);
	curve_add(&h->curve, moment(h, end->tick), h->all.live_bytes);
}

int heap_sites_run(struct heap_sites *h, struct export_run *r, const struct pass_sink *also)
{
	int err;

	*h = (struct heap_sites){ .r = r };
	frame_tree_init(&h->tree, r->stacks);
	h->lives.watcher = (struct life_watcher){ .self = h, .born = born, .ended = ended };
	h->lives.also[0] = also;
	err = lives_run(&h->lives, r->a);
	for (size_t i = 0; i < h->len; i++)
		crest_settle(&h->all, &h->sites[i].mark);
	return err ? err : h->tree.failed ? -ENOMEM : 0;
}

void heap_sites_release(struct heap_sites *h)
{
	frame_tree_release(&h->tree);
	free(h->sites);
}

void export_place(struct buf *out, const struct frame *frame)
{
	const char *text = frame->file ? frame->file : frame->module_path;

	if (!text)
		return;
	buf_add_string(out, frame->file ? " (" : " (in ");
	buf_add_safe(out, text, strlen(text));
	if (frame->file)
		buf_printf(out, ":%" PRIu32, frame->line);
	buf_add_string(out, ")");
}
