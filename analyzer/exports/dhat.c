/* SPDX-License-Identifier: MIT */
/*
 * dhat.c - version 2 of DHAT's JSON: blocks and bytes by stack, how long they lived, at the most of the site, at the
 * most of the whole, and at the end. Accesses of blocks are not recorded, so the file says that it has none.
 *
 * The viewer refuses a file with one list of frames twice, so stacks of equal frames are one (heap_sites.h).
 */
#include <errno.h>
#include <string.h>

#include "analyzer/exports/heap_sites.h"
#include "analyzer/util/json.h"

#define SHORT_LIFE_NS 10000u

static void put_head(struct json *j, const struct heap_sites *h)
{
	const struct recording *rec = &h->r->a->rec;

	json_field_u64(j, "dhatFileVersion", 2);
	json_field_string(j, "mode", "heap");
	json_field_string(j, "verb", "Allocated");
	json_field_bool(j, "bklt", true);
	json_field_bool(j, "bkacc", false);
	json_field_string(j, "tu", "ns");
	json_field_string(j, "Mtu", "ms");
	json_field_u64(j, "tuth", SHORT_LIFE_NS);
	json_field_string(j, "cmd", rec->exe);
	json_field_u64(j, "pid", rec->reader.header.pid);
	json_field_u64(j, "tg", clock_ns(&rec->clock, h->all.peak_tick));
	json_field_u64(j, "te", recording_end_ns(rec));
}

static void put_frames(struct json *j, const struct heap_sites *h, uint32_t node)
{
	json_key(j, "fs");
	json_begin_array(j);
	if (!node)
		json_u64(j, h->tree.distinct_len + 1);
	for (; node; node = h->tree.nodes[node - 1].parent)
		json_u64(j, h->tree.nodes[node - 1].frame_number);
	json_end(j);
}

static void put_site(struct json *j, const struct heap_sites *h, uint32_t node)
{
	const struct export_site *s = &h->sites[node];

	if (!s->blocks)
		return;
	json_begin_object(j);
	json_field_u64(j, "tb", s->bytes);
	json_field_u64(j, "tbk", weight_count(s->blocks));
	json_field_u64(j, "tl", s->lifetimes_ns);
	json_field_u64(j, "mb", s->top_bytes);
	json_field_u64(j, "mbk", weight_count(s->top_blocks));
	json_field_u64(j, "gb", s->mark.peak_bytes);
	json_field_u64(j, "gbk", weight_count(s->mark.peak_blocks));
	json_field_u64(j, "eb", s->mark.live_bytes);
	json_field_u64(j, "ebk", weight_count(s->mark.live_blocks));
	put_frames(j, h, node);
	json_end(j);
}

static bool put_table(struct json *j, const struct heap_sites *h)
{
	struct buf text = { 0 };
	bool failed;

	json_key(j, "ftbl");
	json_begin_array(j);
	json_string(j, "[root]");
	for (size_t i = 0; i < h->tree.distinct_len; i++) {
		const char *name = export_frame_name(h->tree.distinct[i]);

		buf_clear(&text);
		buf_add_safe(&text, name, strlen(name));
		export_place(&text, h->tree.distinct[i]);
		json_string(j, buf_string(&text));
	}
	json_string(j, "[unknown]");
	json_end(j);
	failed = text.failed;
	buf_release(&text);
	return failed;
}

int export_dhat(struct export_run *r)
{
	struct heap_sites h;
	struct json j;
	int err = heap_sites_run(&h, r, NULL);

	json_init(&j, r->out);
	j.pretty_depth = 2;
	json_begin_object(&j);
	put_head(&j, &h);
	json_key(&j, "pps");
	json_begin_array(&j);
	for (size_t i = 0; i < h.len; i++)
		put_site(&j, &h, (uint32_t)i);
	json_end(&j);
	if (put_table(&j, &h) && !err)
		err = -ENOMEM;
	json_end(&j);
	heap_sites_release(&h);
	return err ? err : json_finish(&j);
}
