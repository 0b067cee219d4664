/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/read/recording.h"

/* Tables are read in pieces of this many bytes. */
#define CHUNK RSD_UNIT
#define NOTICES_MAX 64

static int grow(void **list, size_t *cap, size_t wanted, size_t size)
{
	size_t new_cap = *cap ? *cap : 16;
	void *p;

	if (wanted <= *cap)
		return 0;
	while (new_cap < wanted)
		new_cap *= 2;
	p = realloc(*list, new_cap * size);
	if (!p)
		return -ENOMEM;
	memset((char *)p + *cap * size, 0, (new_cap - *cap) * size);
	*list = p;
	*cap = new_cap;
	return 0;
}

/* ---- names and modules --------------------------------------------------------------------------------------- */

static void add_notice(struct recording *rec, const struct meta_string *meta)
{
	char *text;

	if (rec->notices_len == NOTICES_MAX ||
	    grow((void **)&rec->notices, &rec->notices_cap, rec->notices_len + 1, sizeof(*rec->notices)))
		return;
	text = strndup((const char *)(meta + 1), meta->text_len);
	if (text)
		rec->notices[rec->notices_len++] = text;
}

static int add_string(struct recording *rec, const struct meta_string *meta, size_t len, uint64_t offset)
{
	if (len < sizeof(*meta) || meta->text_len > len - sizeof(*meta))
		return 0;
	if (meta->h.kind == META_NOTICE)
		add_notice(rec, meta);
	return meta->h.kind == META_STRING ? map_put(&rec->strings, meta->id, offset) : 0;
}

static int add_module(struct recording *rec, const struct meta_module *meta, size_t len)
{
	int err;

	if (len < sizeof(*meta) || meta->path_len > len - sizeof(*meta))
		return 0;
	err = modules_add(&rec->modules, meta->id, (const char *)(meta + 1), meta->path_len, meta->build_id,
			  meta->build_id_len, meta->bias, meta->start, meta->end);
	return err == -ENOMEM ? err : 0;
}

static int add_meta(struct recording *rec, const void *p, size_t len, uint64_t offset)
{
	const struct rsd_meta *head = p;
	const struct meta_gone *gone = p;

	switch (head->kind) {
	case META_MODULE:
		return add_module(rec, p, len);
	case META_MODULE_GONE:
		if (len >= sizeof(*gone))
			modules_gone(&rec->modules, gone->id, gone->tick);
		return 0;
	default:
		return add_string(rec, p, len, offset);
	}
}

/* An extent of META is read whole: its length in units is 16 bits, so at most 4 GiB of data that do exist. */
static int read_meta(struct recording *rec, const struct extent *ext)
{
	uint8_t *data = malloc(ext->size ? ext->size : 1);
	uint64_t at = 0;
	int err = data ? reader_read(&rec->reader, ext->offset, data, ext->size) : -ENOMEM;

	while (!err && at + sizeof(struct rsd_meta) <= ext->size) {
		struct rsd_meta head;

		memcpy(&head, data + at, sizeof(head));
		if (!head.kind && !head.len) {
			at += 8;
			continue;
		}
		if (head.len < sizeof(head) || head.len & 7 || head.len > ext->size - at) {
			reader_damage(&rec->reader, ext->offset + at, "a name record of impossible length");
			break;
		}
		if (head.flags & RSD_META_COMMITTED)
			err = add_meta(rec, data + at, head.len, ext->offset + at);
		at += head.len;
	}
	free(data);
	return err;
}

void recording_string(struct recording *rec, uint32_t id, struct buf *out)
{
	struct meta_string meta;
	char text[RSD_STRING_MAX];
	uint64_t offset;

	if (!id || !map_get(&rec->strings, id, &offset) || reader_read(&rec->reader, offset, &meta, sizeof(meta)))
		return;
	if (meta.text_len > sizeof(text))
		meta.text_len = sizeof(text);
	if (!reader_read(&rec->reader, offset + sizeof(meta), text, meta.text_len))
		buf_add(out, text, meta.text_len);
}

/* ---- arrays: stack nodes, threads, descriptors --------------------------------------------------------------- */

static int add_nodes(struct recording *rec, uint32_t first, const void *items, size_t count)
{
	int err = stack_space_add(rec->space, first, items, count);

	return err == -ENOMEM ? err : 0;
}

static int add_threads(struct recording *rec, uint32_t first, const void *items, size_t count)
{
	const struct rsd_thread *slots = items;

	for (size_t i = 0; i < count; i++) {
		size_t index = (size_t)first + i;

		if (!slots[i].state)
			continue;
		/* Slots are dense: an index far beyond what was registered is damage and must not size an array. */
		if (index >= rec->reader.header.next_thread || index > rec->threads_len + RSD_THREADS_PER_UNIT * 1024)
			continue;
		if (grow((void **)&rec->threads, &rec->threads_cap, index + 1, sizeof(*rec->threads)))
			return -ENOMEM;
		rec->threads[index] = slots[i];
		if (index >= rec->threads_len)
			rec->threads_len = index + 1;
	}
	return 0;
}

static void add_sums(struct rsd_fd_sums *to, const struct rsd_fd_sums *from)
{
	to->calls += from->calls;
	to->bytes_read += from->bytes_read;
	to->bytes_written += from->bytes_written;
	to->io_ticks += from->io_ticks;
}

static int add_fds(struct recording *rec, uint32_t first, const void *items, size_t count)
{
	const struct rsd_fd *slots = items;

	for (size_t i = 0; i < count; i++) {
		if (!slots[i].own.calls && !slots[i].others.calls && !slots[i].name)
			continue;
		if (grow((void **)&rec->fds, &rec->fds_cap, rec->fds_len + 1, sizeof(*rec->fds)))
			return -ENOMEM;
		rec->fds[rec->fds_len] = (struct open_fd){ .fd = first + (uint32_t)i, .slot = slots[i] };
		add_sums(&rec->fds[rec->fds_len++].slot.own, &slots[i].others);
	}
	return 0;
}

static int add_live(struct recording *rec, uint32_t first, const void *items, size_t count)
{
	const struct rsd_live *blocks = items;

	(void)first;
	for (size_t i = 0; i < count; i++) {
		if (!blocks[i].addr)
			continue;
		if (grow((void **)&rec->live, &rec->live_cap, rec->live_len + 1, sizeof(*rec->live)))
			return -ENOMEM;
		rec->live[rec->live_len++] = blocks[i];
	}
	return 0;
}

static int read_array(struct recording *rec, const struct extent *ext, size_t item,
		      int (*add)(struct recording *rec, uint32_t first, const void *items, size_t count))
{
	_Alignas(8) uint8_t chunk[CHUNK];
	size_t per_chunk = CHUNK / item;
	uint64_t total = ext->size / item;

	for (uint64_t done = 0; done < total;) {
		size_t count = total - done < per_chunk ? (size_t)(total - done) : per_chunk;
		int err = reader_read(&rec->reader, ext->offset + done * item, chunk, count * item);

		if (err || ext->first + done > UINT32_MAX)
			return err;
		err = add(rec, (uint32_t)(ext->first + done), chunk, count);
		if (err)
			return err;
		done += count;
	}
	return 0;
}

static int read_table(struct recording *rec, const struct extent *ext)
{
	switch (ext->kind) {
	case RSD_EXTENT_META:
		return read_meta(rec, ext);
	case RSD_EXTENT_NODES:
		return read_array(rec, ext, sizeof(struct rsd_node), add_nodes);
	case RSD_EXTENT_THREADS:
		return read_array(rec, ext, sizeof(struct rsd_thread), add_threads);
	case RSD_EXTENT_FDS:
		return read_array(rec, ext, sizeof(struct rsd_fd), add_fds);
	case RSD_EXTENT_LIVE:
		return read_array(rec, ext, sizeof(struct rsd_live), add_live);
	default:
		return 0;
	}
}

/*
 * Modules before stacks are asked for; META extents of a live file are read to their reserved end as of the
 * refresh, so a name that is reserved but not yet committed is stepped over.
 */
static int read_tables(struct recording *rec, struct buf *error)
{
	int err = reader_refresh(&rec->reader, error);

	for (size_t i = 0; !err && i < rec->reader.extents_len; i++) {
		const struct extent *ext = &rec->reader.extents[i];

		err = read_table(rec, ext);
		if (err == -EBADMSG) {
			reader_damage(&rec->reader, ext->offset, reader_words(err));
			err = 0;
		}
		if (err)
			buf_printf(error, "%s: offset %" PRIu64 ": %s", rec->reader.path, ext->offset,
				   reader_words(err));
	}
	return err;
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

static void find_end(struct recording *rec)
{
	const struct rsd_header *h = &rec->reader.header;

	rec->end_tick = h->end.tick ? h->end.tick : rec->is_live ? clock_now_tick(h) : 0;
	if (rec->end_tick)
		return;
	for (size_t i = 0; i < rec->reader.extents_len; i++)
		if (rec->reader.extents[i].base.tick > rec->end_tick)
			rec->end_tick = rec->reader.extents[i].base.tick;
	for (size_t i = 0; i < rec->threads_len; i++)
		if (rec->threads[i].cpu_tick > rec->end_tick)
			rec->end_tick = rec->threads[i].cpu_tick;
}

static int read_texts(struct recording *rec, struct buf *error)
{
	const struct rsd_header *h = &rec->reader.header;

	rec->exe = reader_text(&rec->reader, h->exe, NULL);
	rec->argv = reader_text(&rec->reader, h->argv, &rec->argv_len);
	rec->toggles = reader_text(&rec->reader, h->toggles, NULL);
	rec->host = reader_text(&rec->reader, h->host, NULL);
	if (rec->exe && rec->argv && rec->toggles && rec->host)
		return 0;
	buf_printf(error, "%s: out of memory", rec->reader.path);
	return -ENOMEM;
}

int recording_open(struct recording *rec, const char *path, struct stacks *stacks, struct buf *error)
{
	int err;

	*rec = (struct recording){ .stacks = stacks };
	err = reader_open(&rec->reader, path, error);
	if (err)
		return err;
	modules_init(&rec->modules);
	map_init(&rec->strings);
	rec->space = stack_space_new(stacks, &rec->modules);
	err = rec->space ? read_texts(rec, error) : -ENOMEM;
	if (!err)
		err = read_tables(rec, error);
	if (err) {
		recording_release(rec);
		return err;
	}
	rec->is_live = reader_is_live(&rec->reader);
	clock_fit(&rec->clock, &rec->reader, rec->is_live);
	find_end(rec);
	return 0;
}

void recording_release(struct recording *rec)
{
	reader_release(&rec->reader);
	stack_space_free(rec->space);
	modules_release(&rec->modules);
	map_release(&rec->strings);
	for (size_t i = 0; i < rec->notices_len; i++)
		free(rec->notices[i]);
	free(rec->notices);
	free(rec->threads);
	free(rec->fds);
	free(rec->live);
	free(rec->exe);
	free(rec->argv);
	free(rec->toggles);
	free(rec->host);
	*rec = (struct recording){ .reader = { .fd = -1 } };
}

uint64_t recording_end_ns(const struct recording *rec)
{
	return clock_ns(&rec->clock, rec->end_tick);
}

const char *recording_name(const struct recording *rec)
{
	const char *slash = strrchr(rec->exe, '/');

	return slash ? slash + 1 : rec->exe;
}
