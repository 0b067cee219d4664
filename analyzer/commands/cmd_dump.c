/* SPDX-License-Identifier: MIT */
/*
 * cmd_dump.c - every record as one line: for tests, for scripts, and to see what the recorder really wrote.
 *
 * First the tables (modules, threads, strings, stack nodes, open descriptors), then all events in time order.
 * With --json each line is one object.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/session.h"
#include "analyzer/util/die.h"
#include "format/kinds.h"

#define NODES_AT_ONCE 1024u

/* One line being written, in either form. */
struct line {
	FILE *out;
	struct json json;
	bool is_json;
	struct recording *rec;
};

static void begin(struct line *l, const char *kind)
{
	if (!l->is_json) {
		fprintf(l->out, "%-13s", kind);
		return;
	}
	json_init(&l->json, l->out);
	l->json.pretty_depth = 0;
	json_begin_object(&l->json);
	json_field_string(&l->json, "kind", kind);
}

static void end(struct line *l)
{
	if (!l->is_json) {
		fputc('\n', l->out);
		return;
	}
	json_end(&l->json);
	json_finish(&l->json);
}

static void put_number(struct line *l, const char *name, uint64_t value)
{
	if (l->is_json)
		json_field_u64(&l->json, name, value);
	else
		fprintf(l->out, " %s=%" PRIu64, name, value);
}

static void put_address(struct line *l, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	if (l->is_json)
		json_field_string(&l->json, name, text);
	else
		fprintf(l->out, " %s=%s", name, text);
}

static void put_text(struct line *l, const char *name, const char *text, size_t len)
{
	struct buf safe = { 0 };

	if (l->is_json) {
		json_key(&l->json, name);
		json_string_n(&l->json, text, len);
		return;
	}
	buf_add_safe(&safe, text, len);
	fprintf(l->out, " %s=\"%s\"", name, buf_string(&safe));
	buf_release(&safe);
}

static void put_word(struct line *l, const char *name, const char *word)
{
	if (l->is_json)
		json_field_string(&l->json, name, word);
	else
		fprintf(l->out, " %s=%s", name, word);
}

static void put_string(struct line *l, const char *name, uint32_t id)
{
	struct buf text = { 0 };

	recording_string(l->rec, id, &text);
	put_text(l, name, buf_string(&text), text.len);
	buf_release(&text);
}

static void put_duration(struct line *l, const char *name, uint64_t ticks)
{
	put_number(l, name, clock_dur_ns(&l->rec->clock, ticks));
}

static void put_moment(struct line *l, const char *name, uint64_t tick)
{
	put_number(l, name, clock_ns(&l->rec->clock, tick));
}

/* ---- one function per shape of events.def --------------------------------------------------------------------- */

static void put_alloc(struct line *l, const struct rsd_event *ev)
{
	put_address(l, "addr", ev->alloc.addr);
	put_number(l, "size", ev->alloc.size);
	put_number(l, "stack", ev->alloc.stack);
	put_word(l, "api", api_name(ev->alloc.api));
	if (ev->alloc.align_log2)
		put_number(l, "align_log2", ev->alloc.align_log2);
}

static void put_free(struct line *l, const struct rsd_event *ev)
{
	put_address(l, "addr", ev->free.addr);
	put_number(l, "stack", ev->free.stack);
	put_word(l, "api", api_name(ev->free.api));
}

static void put_pages(struct line *l, const struct rsd_event *ev)
{
	put_address(l, "addr", ev->pages.addr);
	put_number(l, "size", ev->pages.size);
	put_number(l, "stack", ev->pages.stack);
	put_word(l, "api", api_name(ev->pages.api));
}

static void put_span(struct line *l, const struct rsd_event *ev)
{
	put_word(l, "wait", wait_name(ev->span.wait));
	put_duration(l, "dur_ns", ev->span.dur_ticks);
	put_address(l, "object", ev->span.object);
	put_number(l, "amount", ev->span.amount);
	put_number(l, "cpu_ns", ev->span.cpu_ns);
	put_duration(l, "since_ns", ev->span.since_ticks);
	put_number(l, "stack", ev->span.stack);
	put_number(l, "peer", ev->span.peer);
	put_number(l, "err", ev->span.err);
}

static void put_hold(struct line *l, const struct rsd_event *ev)
{
	put_word(l, "wait", wait_name(ev->hold.wait));
	put_address(l, "object", ev->hold.object);
	put_duration(l, "held_ns", ev->hold.held_ticks);
	put_number(l, "waiters", ev->hold.waiters);
	put_number(l, "stack", ev->hold.stack);
}

static void put_order(struct line *l, const struct rsd_event *ev)
{
	put_word(l, "held_kind", wait_name(ev->order.held_wait));
	put_address(l, "held", ev->order.held);
	put_address(l, "held_site", ev->order.held_site);
	put_word(l, "taken_kind", wait_name(ev->order.taken_wait));
	put_address(l, "taken", ev->order.taken);
	put_number(l, "stack", ev->order.stack);
}

static void put_wake(struct line *l, const struct rsd_event *ev)
{
	put_word(l, "wait", wait_name(ev->wake.wait));
	put_address(l, "object", ev->wake.object);
	put_number(l, "target", ev->wake.target);
	put_number(l, "count", ev->wake.count);
	put_number(l, "stack", ev->wake.stack);
}

static void put_sample(struct line *l, const struct rsd_event *ev)
{
	put_number(l, "weight", ev->sample.weight);
	put_number(l, "cpu_ns", ev->sample.cpu_ns);
	put_number(l, "stack", ev->sample.stack);
}

static void put_thread(struct line *l, const struct rsd_event *ev)
{
	put_number(l, "index", ev->thread.thread);
}

static void put_fd(struct line *l, const struct rsd_event *ev)
{
	put_number(l, "fd", ev->fd.fd);
	put_string(l, "path", ev->fd.name);
	put_number(l, "calls", ev->fd.calls);
	put_number(l, "bytes_read", ev->fd.bytes_read);
	put_number(l, "bytes_written", ev->fd.bytes_written);
	put_duration(l, "io_ns", ev->fd.io_ticks);
	put_moment(l, "open_ns", ev->fd.open_tick);
	put_number(l, "open_stack", ev->fd.open_stack);
}

static void put_note(struct line *l, const struct rsd_event *ev)
{
	put_number(l, "id", ev->note.id);
	put_number(l, "parent", ev->note.parent);
	put_string(l, "name", ev->note.name);
	if (ev->note.text)
		put_string(l, "text", ev->note.text);
	if (ev->kind == EV_COUNTER) {
		double value;

		memcpy(&value, &ev->note.value, sizeof(value));
		if (l->is_json)
			json_field_f64(&l->json, "value", value);
		else
			fprintf(l->out, " value=%g", value);
	}
	put_number(l, "stack", ev->note.stack);
}

static void put_pool(struct line *l, const struct rsd_event *ev)
{
	put_address(l, "pool", ev->pool.pool);
	put_string(l, "name", ev->pool.name);
	put_address(l, "addr", ev->pool.addr);
	put_number(l, "size", ev->pool.size);
	put_number(l, "stack", ev->pool.stack);
}

static void put_proc(struct line *l, const struct rsd_event *ev)
{
	put_number(l, "value", ev->proc.value);
	put_number(l, "stack", ev->proc.stack);
}

static void put_timed(struct line *l, const struct rsd_event *ev)
{
	put_word(l, "api", api_name(ev->timed.api));
	put_duration(l, "dur_ns", ev->timed.dur_ticks);
	put_number(l, "watched", ev->timed.flags & RSD_TIMED_WATCHED);
	put_number(l, "cpu_ns", ev->timed.cpu_ns);
	put_duration(l, "since_ns", ev->timed.since_ticks);
	put_number(l, "size", ev->timed.size);
	put_number(l, "stack", ev->timed.stack);
}

static void put_memory(struct line *l, const struct rsd_event *ev)
{
	put_number(l, ev->memory.flags & RSD_MEMORY_MOST ? "rss-most" : "rss", ev->memory.rss_bytes);
	put_number(l, "file", ev->memory.file_bytes);
	put_address(l, "brk", ev->memory.brk);
}

static void (*const put_shape[EV_LIMIT])(struct line *l, const struct rsd_event *ev) = {
#define EVENT(KIND, id, shape, domain, name) [EV_##KIND] = put_##shape,
#include "format/events.def"
};

static void on_event(void *self, const struct pass_event *e)
{
	struct line *l = self;
	const struct rsd_thread *thread = recording_thread(l->rec, e->thread);

	if (ferror(l->out))
		return;
	begin(l, kind_info(e->ev->kind)->name);
	put_moment(l, "ns", e->ev->tick);
	put_number(l, "tid", thread ? thread->tid : 0);
	put_shape[e->ev->kind](l, e->ev);
	end(l);
}

/* ---- tables --------------------------------------------------------------------------------------------------- */

static void dump_header(struct line *l)
{
	const struct rsd_header *h = &l->rec->reader.header;

	begin(l, "recording");
	put_text(l, "exe", l->rec->exe, strlen(l->rec->exe));
	put_number(l, "pid", h->pid);
	put_number(l, "ppid", h->ppid);
	put_text(l, "toggles", l->rec->toggles, strlen(l->rec->toggles));
	put_number(l, "start_realtime_ns", h->start_realtime_ns);
	put_number(l, "end_ns", recording_end_ns(l->rec));
	put_number(l, "units", l->rec->reader.units);
	put_number(l, "cpu_ns", h->cpu_ns);
	end(l);
	for (unsigned i = 0; i < RSD_COUNTERS; i++)
		if (counter_info(i) && h->counter[i]) {
			begin(l, "total");
			put_word(l, "name", counter_info(i)->name);
			put_number(l, "value", h->counter[i]);
			end(l);
		}
}

static void dump_modules(struct line *l)
{
	for (size_t i = 0; i < l->rec->modules.len; i++) {
		const struct module *m = &l->rec->modules.list[i];

		begin(l, "module");
		put_number(l, "id", m->id);
		put_address(l, "start", m->start);
		put_address(l, "end", m->end);
		put_address(l, "bias", m->bias);
		if (m->gone_tick)
			put_moment(l, "gone_ns", m->gone_tick);
		put_text(l, "path", m->path, strlen(m->path));
		end(l);
	}
}

static void dump_threads(struct line *l)
{
	for (uint32_t i = 0; i < l->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(l->rec, i);

		if (!t)
			continue;
		begin(l, "thread-slot");
		put_number(l, "index", i);
		put_number(l, "tid", t->tid);
		put_text(l, "name", t->name, strnlen(t->name, sizeof(t->name)));
		put_moment(l, "start_ns", t->start_tick);
		if (t->end_tick)
			put_moment(l, "end_ns", t->end_tick);
		put_number(l, "cpu_ns", t->cpu_ns);
		put_number(l, "events", t->events);
		put_number(l, "lost", t->lost);
		put_number(l, "allocs", t->allocs);
		put_number(l, "frees", t->frees);
		put_number(l, "samples", t->samples);
		put_duration(l, "self_ns", t->self_ticks);
		put_number(l, "create_stack", t->create_stack);
		end(l);
	}
}

static void dump_fds(struct line *l)
{
	for (size_t i = 0; i < l->rec->fds_len; i++) {
		const struct rsd_fd *slot = &l->rec->fds[i].slot;

		begin(l, "fd");
		put_number(l, "fd", l->rec->fds[i].fd);
		put_string(l, "path", slot->name);
		put_number(l, "calls", slot->own.calls);
		put_number(l, "bytes_read", slot->own.bytes_read);
		put_number(l, "bytes_written", slot->own.bytes_written);
		end(l);
	}
}

static void dump_node(struct line *l, uint64_t id, const struct rsd_node *node)
{
	begin(l, "node");
	put_number(l, "id", id);
	put_number(l, "parent", node->parent);
	put_number(l, "module", RSD_NODE_MODULE(node));
	put_address(l, "ip", RSD_NODE_IP(node));
	put_number(l, "flags", node->flags);
	if (!node->parent)
		put_word(l, "cut", cut_words(node->cut));
	end(l);
}

static int dump_nodes(struct line *l, const struct extent *ext)
{
	struct rsd_node nodes[NODES_AT_ONCE];
	uint64_t len = ext->size / sizeof(nodes[0]);

	for (uint64_t at = 0; at < len && !ferror(l->out); at += NODES_AT_ONCE) {
		uint64_t count = len - at < NODES_AT_ONCE ? len - at : NODES_AT_ONCE;
		int err = reader_read(&l->rec->reader, ext->offset + at * sizeof(nodes[0]), nodes,
				      count * sizeof(nodes[0]));

		if (err)
			return err == -EBADMSG ? 0 : err; /* the recording's tables know of this damage already */
		for (uint64_t i = 0; i < count; i++)
			if (nodes[i].committed)
				dump_node(l, ext->first + at + i, &nodes[i]);
	}
	return 0;
}

static int dump_tables(struct line *l)
{
	int err = 0;

	dump_header(l);
	dump_modules(l);
	dump_threads(l);
	dump_fds(l);
	for (size_t i = 0; !err && i < l->rec->reader.extents_len; i++)
		if (l->rec->reader.extents[i].kind == RSD_EXTENT_NODES)
			err = dump_nodes(l, &l->rec->reader.extents[i]);
	return err;
}

static int dump(struct session *s, const struct options *o, const char *path)
{
	struct recording rec;
	struct buf error = { 0 };
	struct line l = { .out = s->out, .is_json = o->is_json, .rec = &rec };
	struct pass_sink sink = { .self = &l };
	const struct pass_sink *sinks[] = { &sink };
	struct pass_filter filter = { .from_ns = o->filter.from_ns, .to_ns = o->filter.to_ns };
	struct pass_stats stats = { 0 };
	int err = recording_open(&rec, path, s->stacks, &error);

	if (err) {
		warn("%s", buf_string(&error));
		buf_release(&error);
		return EXIT_UNREADABLE;
	}
	for (unsigned i = 0; i < EV_LIMIT; i++)
		sink.on[i] = kind_info(i) ? on_event : NULL;
	err = dump_tables(&l);
	err = err ? err : pass_run(&rec, &filter, sinks, 1, 0, &stats, NULL);
	if (err)
		warn("%s: %s", path, reader_words(err));
	else if (rec.reader.damaged)
		warn("%s: offset %" PRIu64 ": %s", path, rec.reader.damaged_offset, rec.reader.damaged_words);
	recording_release(&rec);
	buf_release(&error);
	return err ? EXIT_UNREADABLE : EXIT_FINE;
}

int cmd_dump(struct options *o)
{
	struct session s;
	int status = session_find(&s, o);

	if (!status) {
		s.symbols = symbols_new(NULL);
		s.stacks = s.symbols ? stacks_new(s.symbols) : NULL;
		status = s.stacks ? dump(&s, o, s.files[s.shown].path) : EXIT_UNREADABLE;
	}
	return session_close(&s, status);
}
