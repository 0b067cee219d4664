/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/trace.h"

#include "format/kinds.h"

static void must(int is_true, const char *what)
{
	if (is_true)
		return;
	fprintf(stderr, "trace: %s\n", what);
	abort();
}

static size_t add_unit(struct trace *t)
{
	t->data = realloc(t->data, (t->units + 1) * RSD_UNIT);
	must(t->data != NULL, "out of memory");
	memset(t->data + t->units * RSD_UNIT, 0, RSD_UNIT);
	if (t->units)
		trace_header(t)->next_unit = t->units + 1;
	return t->units++;
}

struct rsd_header *trace_header(struct trace *t)
{
	return (struct rsd_header *)t->data;
}

struct rsd_extent *trace_extent(struct trace *t, size_t unit)
{
	return (struct rsd_extent *)(t->data + unit * RSD_UNIT);
}

static size_t add_extent(struct trace *t, enum rsd_extent_kind kind, uint32_t thread, uint32_t first)
{
	size_t unit = add_unit(t);

	*trace_extent(t, unit) = (struct rsd_extent){ .magic = RSD_EXTENT_MAGIC,
						      .kind = (uint16_t)kind,
						      .units = 1,
						      .thread = thread,
						      .first = first,
						      .seq = ++t->seq,
						      .base = { TRACE_START, TRACE_START } };
	return unit;
}

static void put_text(struct trace *t, struct rsd_text *text, uint32_t at, const char *s)
{
	*text = (struct rsd_text){ RSD_TEXT_OFFSET + at, (uint32_t)strlen(s) };
	memcpy(t->data + RSD_TEXT_OFFSET + at, s, strlen(s));
}

void trace_init(struct trace *t)
{
	struct rsd_header *h;

	*t = (struct trace){ 0 };
	add_unit(t);
	h = trace_header(t);
	memcpy(h->magic, RSD_MAGIC, 8);
	h->version = RSD_VERSION;
	h->header_size = sizeof(*h);
	h->unit_size = RSD_UNIT;
	h->pid = 100;
	h->start = (struct rsd_clock){ TRACE_START, TRACE_START };
	h->tick_kind = RSD_TICK_MONO_NS;
	h->heap_mode = RSD_HEAP_EXACT;
	h->cpu_hz = 99;
	h->block_ns = 10;
	h->cap_units = 1 << 20;
	h->next_unit = h->next_node = h->next_string = h->next_module = 1;
	put_text(t, &h->exe, 0, "/bin/traced");
	put_text(t, &h->argv, 64, "traced");
}

void trace_release(struct trace *t)
{
	free(t->data);
	*t = (struct trace){ 0 };
}

struct rsd_thread *trace_thread(struct trace *t, uint32_t index)
{
	return (struct rsd_thread *)(trace_extent(t, t->threads_unit) + 1) + index;
}

void trace_add_thread(struct trace *t, uint32_t index, uint32_t tid, const char *name)
{
	struct rsd_thread *slot;

	must(index < RSD_THREADS_PER_UNIT, "too many threads");
	if (!t->threads_unit)
		t->threads_unit = add_extent(t, RSD_EXTENT_THREADS, 0, 0);
	slot = trace_thread(t, index);
	slot->tid = tid;
	slot->state = 1;
	slot->start_tick = TRACE_START;
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	if (trace_header(t)->next_thread <= index)
		trace_header(t)->next_thread = index + 1;
}

void trace_end(struct trace *t, uint64_t ns, int status)
{
	struct rsd_header *h = trace_header(t);

	h->end = (struct rsd_clock){ TRACE_START + ns, TRACE_START + ns };
	h->end_kind = RSD_END_EXIT;
	h->end_code = status;
}

static uint32_t add_node(struct trace *t, uint32_t parent, uint64_t ip)
{
	struct rsd_node *nodes;

	if (!t->nodes_unit)
		t->nodes_unit = add_extent(t, RSD_EXTENT_NODES, 0, 1);
	nodes = (struct rsd_node *)(trace_extent(t, t->nodes_unit) + 1);
	nodes[t->nodes] = (struct rsd_node){ .ip_module = ip, .parent = parent, .committed = 1 };
	trace_header(t)->next_node = t->nodes + 2;
	return ++t->nodes;
}

uint32_t trace_stack(struct trace *t, uint64_t outer, uint64_t inner)
{
	uint32_t id = outer ? add_node(t, 0, outer) : 0;

	return inner ? add_node(t, id, inner) : id;
}

uint32_t trace_string(struct trace *t, uint32_t id, const char *text)
{
	struct rsd_extent *ext;
	struct meta_string *meta;
	size_t len = strlen(text), size = (sizeof(*meta) + len + 7) & ~(size_t)7;

	if (!t->meta_unit)
		t->meta_unit = add_extent(t, RSD_EXTENT_META, 0, 0);
	ext = trace_extent(t, t->meta_unit);
	meta = (struct meta_string *)((char *)(ext + 1) + ext->used);
	meta->h = (struct rsd_meta){ META_STRING, RSD_META_COMMITTED, (uint32_t)size };
	meta->id = id;
	meta->text_len = (uint32_t)len;
	memcpy(meta + 1, text, len);
	ext->used += size;
	return id;
}

void trace_add_fd(struct trace *t, uint32_t fd, const struct rsd_fd *slot)
{
	must(fd < RSD_FDS_PER_UNIT, "descriptor too large");
	if (!t->fds_unit)
		t->fds_unit = add_extent(t, RSD_EXTENT_FDS, 0, 0);
	((struct rsd_fd *)(trace_extent(t, t->fds_unit) + 1))[fd] = *slot;
}

void trace_add_live(struct trace *t, uint32_t thread, uint64_t ns, uint64_t addr, uint64_t size, uint32_t stack)
{
	struct rsd_live *live;

	if (!t->live_unit)
		t->live_unit = add_extent(t, RSD_EXTENT_LIVE, 0, 1);
	live = (struct rsd_live *)(trace_extent(t, t->live_unit) + 1);
	while (live->addr)
		live++;
	*live = (struct rsd_live){
		.addr = addr, .size = size, .tick = TRACE_START + ns, .stack = stack, .thread = thread
	};
}

/* ---- records -------------------------------------------------------------------------------------------------- */

struct trace_lane trace_lane(struct trace *t, enum rsd_extent_kind kind, uint32_t thread, uint64_t ns)
{
	struct trace_lane lane = { .unit = add_extent(t, kind, thread, 0) };

	lane.stream.tick = TRACE_START + ns;
	trace_extent(t, lane.unit)->base = (struct rsd_clock){ TRACE_START + ns, TRACE_START + ns };
	return lane;
}

static void *room(struct trace *t, const struct trace_lane *lane, size_t size)
{
	struct rsd_extent *ext = trace_extent(t, lane->unit);

	must(sizeof(*ext) + ext->used + size <= RSD_UNIT, "lane is full");
	return (char *)(ext + 1) + ext->used;
}

static void commit(struct trace *t, struct trace_lane *lane, size_t size, uint64_t tick)
{
	trace_extent(t, lane->unit)->used += size;
	lane->stream.tick = tick;
}

void trace_put(struct trace *t, struct trace_lane *lane, enum rsd_event_kind kind, uint64_t ns, void *record,
	       size_t size)
{
	struct rec_head head = { RSD_HEAD(kind, size, 0), TRACE_START + ns };

	memcpy(record, &head, sizeof(head));
	memcpy(room(t, lane, size), record, size);
	commit(t, lane, size, TRACE_START + ns);
	/* Both heap shapes begin head, addr. */
	if (kind_info(kind) && kind_info(kind)->moves_addr)
		codec_move_to(&lane->stream, TRACE_START + ns, ((struct rec_free *)record)->addr);
}

static void put_alloc(struct trace *t, struct trace_lane *lane, enum rsd_tag tag, enum rsd_event_kind kind, uint64_t ns,
		      uint64_t addr, uint64_t size, uint32_t stack)
{
	struct rec_alloc rec = { .addr = addr, .size = size, .stack = stack, .api = API_MALLOC };
	size_t n = codec_put_alloc(room(t, lane, 12), &lane->stream, tag, TRACE_START + ns, addr, size, stack);

	if (n)
		commit(t, lane, n, TRACE_START + ns);
	else
		trace_put(t, lane, kind, ns, &rec, sizeof(rec));
}

static void put_free(struct trace *t, struct trace_lane *lane, enum rsd_tag tag, enum rsd_event_kind kind, uint64_t ns,
		     uint64_t addr)
{
	struct rec_free rec = { .addr = addr, .api = API_FREE };
	size_t n = codec_put_free(room(t, lane, 8), &lane->stream, tag, TRACE_START + ns, addr);

	if (n)
		commit(t, lane, n, TRACE_START + ns);
	else
		trace_put(t, lane, kind, ns, &rec, sizeof(rec));
}

void trace_alloc(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t addr, uint64_t size, uint32_t stack)
{
	put_alloc(t, lane, RSD_TAG_MALLOC, EV_ALLOC, ns, addr, size, stack);
}

void trace_free(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t addr)
{
	put_free(t, lane, RSD_TAG_FREE, EV_FREE, ns, addr);
}

void trace_realloc(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t old, uint64_t addr, uint64_t size,
		   uint32_t stack)
{
	put_free(t, lane, RSD_TAG_REALLOC_FREE, EV_REALLOC_FREE, ns, old);
	put_alloc(t, lane, RSD_TAG_REALLOC_ALLOC, EV_REALLOC_ALLOC, ns, addr, size, stack);
}

void trace_span(struct trace *t, struct trace_lane *lane, uint64_t end_ns, uint64_t dur_ns, enum rsd_wait wait,
		uint64_t object, uint32_t stack)
{
	struct rec_span rec = { .dur_ticks = dur_ns, .object = object, .stack = stack, .wait = (uint16_t)wait };

	trace_put(t, lane, EV_SPAN, end_ns, &rec, sizeof(rec));
}

void trace_hold(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t object, uint32_t stack)
{
	struct rec_hold rec = { .object = object, .stack = stack, .waiters = 1, .wait = WAIT_MUTEX };

	trace_put(t, lane, EV_HOLD, ns, &rec, sizeof(rec));
}

void trace_sample(struct trace *t, struct trace_lane *lane, uint64_t ns, uint32_t thread, uint32_t stack,
		  uint32_t weight)
{
	struct rec_sample rec = { .stack = stack, .weight = weight, .thread = thread };

	trace_put(t, lane, EV_SAMPLE, ns, &rec, sizeof(rec));
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

size_t trace_size(const struct trace *t)
{
	return t->units * RSD_UNIT;
}

char *trace_write(const struct trace *t, size_t size)
{
	char *path = strdup("/tmp/ringside-test-XXXXXX");
	int fd = path ? mkstemp(path) : -1;

	must(fd >= 0, "no temporary file");
	if (size > trace_size(t))
		size = trace_size(t);
	must(write(fd, t->data, size) == (ssize_t)size, "short write");
	close(fd);
	return path;
}
