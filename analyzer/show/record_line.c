/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/show/record_line.h"
#include "format/kinds.h"

/* What a record can tell, in the order of CSV's columns. */
static const char *const columns[] = {
	"kind",	     "ns",	 "tid",	      "wait",	    "api",    "dur_ns",	  "addr",	"size",
	"object",    "amount",	 "peer",      "err",	    "cpu_ns", "since_ns", "watched",	"align_log2",
	"held_kind", "held",	 "held_site", "taken_kind", "taken",  "held_ns",  "waiters",	"target",
	"count",     "weight",	 "index",     "fd",	    "path",   "calls",	  "bytes_read", "bytes_written",
	"io_ns",     "open_ns",	 "id",	      "parent",	    "name",   "text",	  "value",	"pool",
	"rss",	     "rss-most", "file",      "brk",	    "stack",  "at",	  "functions",	"open_stack",
	"again",     "syncs",
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static struct buf *cell(struct line *l, const char *name)
{
	for (size_t i = 0; l->cells && i < COLUMNS; i++)
		if (!strcmp(columns[i], name))
			return &l->cells[i];
	return &l->lost;
}

int line_csv_begin(struct line *l)
{
	l->form = LINE_CSV;
	l->cells = calloc(COLUMNS, sizeof(*l->cells));
	for (size_t i = 0; i < COLUMNS; i++)
		fprintf(l->out, "%s%s", i ? "," : "", columns[i]);
	fputs("\r\n", l->out);
	return l->cells ? 0 : -ENOMEM;
}

void line_release(struct line *l)
{
	for (size_t i = 0; l->cells && i < COLUMNS; i++)
		buf_release(&l->cells[i]);
	free(l->cells);
	buf_release(&l->lost);
}

/* RFC 4180, as tables are written. */
static void put_cells(struct line *l)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *text = buf_string(&l->cells[i]);

		fputs(i ? "," : "", l->out);
		if (!strpbrk(text, ",\"'")) {
			fputs(text, l->out);
		} else {
			fputc('"', l->out);
			for (; *text; text++)
				fputs(*text == '"' ? "\"\"" : (char[]){ *text, '\0' }, l->out);
			fputc('"', l->out);
		}
		buf_clear(&l->cells[i]);
	}
	buf_clear(&l->lost);
	fputs("\r\n", l->out);
}

void line_begin(struct line *l, const char *kind)
{
	if (l->form == LINE_CSV) {
		line_word(l, "kind", kind);
		return;
	}
	if (l->form == LINE_TEXT) {
		fprintf(l->out, "%-13s", kind);
		return;
	}
	json_init(&l->json, l->out);
	l->json.pretty_depth = 0;
	json_begin_object(&l->json);
	json_field_string(&l->json, "kind", kind);
}

void line_end(struct line *l)
{
	if (l->form == LINE_CSV) {
		put_cells(l);
		return;
	}
	if (l->form == LINE_TEXT) {
		fputc('\n', l->out);
		return;
	}
	json_end(&l->json);
	json_finish(&l->json);
}

void line_number(struct line *l, const char *name, uint64_t value)
{
	if (l->form == LINE_JSON)
		json_field_u64(&l->json, name, value);
	else if (l->form == LINE_CSV)
		buf_printf(cell(l, name), "%" PRIu64, value);
	else
		fprintf(l->out, " %s=%" PRIu64, name, value);
}

static void put_real(struct line *l, const char *name, double value)
{
	if (l->form == LINE_JSON)
		json_field_f64(&l->json, name, value);
	else if (l->form == LINE_CSV)
		buf_printf(cell(l, name), "%.15g", value);
	else
		fprintf(l->out, " %s=%g", name, value);
}

void line_word(struct line *l, const char *name, const char *word)
{
	if (l->form == LINE_JSON)
		json_field_string(&l->json, name, word);
	else if (l->form == LINE_CSV)
		buf_add_string(cell(l, name), word);
	else
		fprintf(l->out, " %s=%s", name, word);
}

void line_address(struct line *l, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	line_word(l, name, text);
}

/* A spreadsheet must not run a text: a leading =, +, -, @ gets a ' before it. */
void line_text(struct line *l, const char *name, const char *text, size_t len)
{
	struct buf safe = { 0 };

	if (l->form == LINE_JSON) {
		json_key(&l->json, name);
		json_string_n(&l->json, text, len);
		return;
	}
	if (l->form == LINE_CSV) {
		if (len && strchr("=+-@", text[0]) && text[0])
			buf_add_char(cell(l, name), '\'');
		buf_add_safe(cell(l, name), text, len);
		return;
	}
	buf_add_safe(&safe, text, len);
	fprintf(l->out, " %s=\"%s\"", name, buf_string(&safe));
	buf_release(&safe);
}

static void put_stack(struct line *l, const char *name, uint32_t id)
{
	if (l->stack)
		l->stack(l, name, id);
	else
		line_number(l, name, id);
}

static void put_string(struct line *l, const char *name, uint32_t id)
{
	struct buf text = { 0 };

	recording_string(l->rec, id, &text);
	line_text(l, name, buf_string(&text), text.len);
	buf_release(&text);
}

static void put_duration(struct line *l, const char *name, uint64_t ticks)
{
	line_number(l, name, clock_dur_ns(&l->rec->clock, ticks));
}

static void put_moment(struct line *l, const char *name, uint64_t tick)
{
	line_number(l, name, clock_ns(&l->rec->clock, tick));
}

/* ---- one function per shape of events.def --------------------------------------------------------------------- */

static void put_alloc(struct line *l, const struct rsd_event *ev)
{
	line_address(l, "addr", ev->alloc.addr);
	line_number(l, "size", ev->alloc.size);
	put_stack(l, "stack", ev->alloc.stack);
	line_word(l, "api", api_name(ev->alloc.api));
	if (ev->alloc.align_log2)
		line_number(l, "align_log2", ev->alloc.align_log2);
}

static void put_free(struct line *l, const struct rsd_event *ev)
{
	line_address(l, "addr", ev->free.addr);
	put_stack(l, "stack", ev->free.stack);
	line_word(l, "api", api_name(ev->free.api));
}

static void put_pages(struct line *l, const struct rsd_event *ev)
{
	line_address(l, "addr", ev->pages.addr);
	line_number(l, "size", ev->pages.size);
	put_stack(l, "stack", ev->pages.stack);
	line_word(l, "api", api_name(ev->pages.api));
}

static void put_span(struct line *l, const struct rsd_event *ev)
{
	line_word(l, "wait", wait_name(ev->span.wait));
	put_duration(l, "dur_ns", ev->span.dur_ticks);
	line_address(l, "object", ev->span.object);
	line_number(l, "amount", ev->span.amount);
	line_number(l, "cpu_ns", ev->span.cpu_ns);
	put_duration(l, "since_ns", ev->span.since_ticks);
	put_stack(l, "stack", ev->span.stack);
	line_number(l, "peer", ev->span.peer);
	line_number(l, "err", ev->span.err);
}

static void put_hold(struct line *l, const struct rsd_event *ev)
{
	line_word(l, "wait", wait_name(ev->hold.wait));
	line_address(l, "object", ev->hold.object);
	put_duration(l, "held_ns", ev->hold.held_ticks);
	line_number(l, "waiters", ev->hold.waiters);
	put_stack(l, "stack", ev->hold.stack);
}

static void put_order(struct line *l, const struct rsd_event *ev)
{
	line_word(l, "held_kind", wait_name(ev->order.held_wait));
	line_address(l, "held", ev->order.held);
	line_address(l, "held_site", ev->order.held_site);
	line_word(l, "taken_kind", wait_name(ev->order.taken_wait));
	line_address(l, "taken", ev->order.taken);
	put_stack(l, "stack", ev->order.stack);
}

static void put_wake(struct line *l, const struct rsd_event *ev)
{
	line_word(l, "wait", wait_name(ev->wake.wait));
	line_address(l, "object", ev->wake.object);
	line_number(l, "target", ev->wake.target);
	line_number(l, "count", ev->wake.count);
	put_stack(l, "stack", ev->wake.stack);
}

static void put_sample(struct line *l, const struct rsd_event *ev)
{
	line_number(l, "weight", ev->sample.weight);
	line_number(l, "cpu_ns", ev->sample.cpu_ns);
	put_stack(l, "stack", ev->sample.stack);
}

static void put_thread(struct line *l, const struct rsd_event *ev)
{
	line_number(l, "index", ev->thread.thread);
}

static void put_fd(struct line *l, const struct rsd_event *ev)
{
	line_number(l, "fd", ev->fd.fd);
	put_string(l, "path", ev->fd.name);
	line_number(l, "calls", ev->fd.calls);
	line_number(l, "bytes_read", ev->fd.bytes_read);
	line_number(l, "bytes_written", ev->fd.bytes_written);
	put_duration(l, "io_ns", ev->fd.io_ticks);
	put_moment(l, "open_ns", ev->fd.open_tick);
	line_number(l, "again", ev->fd.again);
	line_number(l, "syncs", ev->fd.syncs);
	put_stack(l, "open_stack", ev->fd.open_stack);
}

static void put_note(struct line *l, const struct rsd_event *ev)
{
	line_number(l, "id", ev->note.id);
	line_number(l, "parent", ev->note.parent);
	put_string(l, "name", ev->note.name);
	if (ev->note.text)
		put_string(l, "text", ev->note.text);
	if (ev->kind == EV_COUNTER) {
		double value;

		memcpy(&value, &ev->note.value, sizeof(value));
		put_real(l, "value", value);
	}
	put_stack(l, "stack", ev->note.stack);
}

static void put_pool(struct line *l, const struct rsd_event *ev)
{
	line_address(l, "pool", ev->pool.pool);
	put_string(l, "name", ev->pool.name);
	line_address(l, "addr", ev->pool.addr);
	line_number(l, "size", ev->pool.size);
	put_stack(l, "stack", ev->pool.stack);
}

static void put_proc(struct line *l, const struct rsd_event *ev)
{
	line_number(l, "value", ev->proc.value);
	put_stack(l, "stack", ev->proc.stack);
}

static void put_timed(struct line *l, const struct rsd_event *ev)
{
	line_word(l, "api", api_name(ev->timed.api));
	put_duration(l, "dur_ns", ev->timed.dur_ticks);
	line_number(l, "watched", ev->timed.flags & RSD_TIMED_WATCHED);
	line_number(l, "cpu_ns", ev->timed.cpu_ns);
	put_duration(l, "since_ns", ev->timed.since_ticks);
	line_number(l, "size", ev->timed.size);
	put_stack(l, "stack", ev->timed.stack);
}

static void put_memory(struct line *l, const struct rsd_event *ev)
{
	line_number(l, ev->memory.flags & RSD_MEMORY_MOST ? "rss-most" : "rss", ev->memory.rss_bytes);
	line_number(l, "file", ev->memory.file_bytes);
	line_address(l, "brk", ev->memory.brk);
}

static void (*const put_shape[EV_LIMIT])(struct line *l, const struct rsd_event *ev) = {
#define EVENT(KIND, id, shape, domain, name) [EV_##KIND] = put_##shape,
#include "format/events.def"
};

void line_event(struct line *l, const struct pass_event *e)
{
	const struct rsd_thread *thread = recording_thread(l->rec, e->thread);

	if (ferror(l->out))
		return;
	line_begin(l, kind_info(e->ev->kind)->name);
	put_moment(l, "ns", e->ev->tick);
	line_number(l, "tid", thread ? thread->tid : 0);
	put_shape[e->ev->kind](l, e->ev);
	line_end(l);
}

void line_sink(struct pass_sink *sink, void *self, void (*on)(void *self, const struct pass_event *e))
{
	*sink = (struct pass_sink){ .self = self };
	for (unsigned i = 0; i < EV_LIMIT; i++)
		sink->on[i] = kind_info(i) ? on : NULL;
}

/* ---- tables --------------------------------------------------------------------------------------------------- */

static void put_header(struct line *l)
{
	const struct rsd_header *h = &l->rec->reader.header;

	line_begin(l, "recording");
	line_text(l, "exe", l->rec->exe, strlen(l->rec->exe));
	line_number(l, "pid", h->pid);
	line_number(l, "ppid", h->ppid);
	line_text(l, "toggles", l->rec->toggles, strlen(l->rec->toggles));
	line_number(l, "start_realtime_ns", h->start_realtime_ns);
	line_number(l, "end_ns", recording_end_ns(l->rec));
	line_number(l, "units", l->rec->reader.units);
	line_number(l, "cpu_ns", h->cpu_ns);
	line_end(l);
	for (unsigned i = 0; i < RSD_COUNTERS; i++)
		if (counter_info(i) && h->counter[i]) {
			line_begin(l, "total");
			line_word(l, "name", counter_info(i)->name);
			line_number(l, "value", h->counter[i]);
			line_end(l);
		}
}

static void put_modules(struct line *l)
{
	for (size_t i = 0; i < l->rec->modules.len; i++) {
		const struct module *m = &l->rec->modules.list[i];

		line_begin(l, "module");
		line_number(l, "id", m->id);
		line_address(l, "start", m->start);
		line_address(l, "end", m->end);
		line_address(l, "bias", m->bias);
		if (m->gone_tick)
			put_moment(l, "gone_ns", m->gone_tick);
		line_text(l, "path", m->path, strlen(m->path));
		line_end(l);
	}
}

static void put_thread_slots(struct line *l)
{
	for (uint32_t i = 0; i < l->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(l->rec, i);

		if (!t)
			continue;
		line_begin(l, "thread-slot");
		line_number(l, "index", i);
		line_number(l, "tid", t->tid);
		line_text(l, "name", t->name, strnlen(t->name, sizeof(t->name)));
		put_moment(l, "start_ns", t->start_tick);
		if (t->end_tick)
			put_moment(l, "end_ns", t->end_tick);
		line_number(l, "cpu_ns", t->cpu_ns);
		line_number(l, "events", t->events);
		line_number(l, "lost", t->lost);
		line_number(l, "allocs", t->allocs);
		line_number(l, "frees", t->frees);
		line_number(l, "samples", t->samples);
		put_duration(l, "self_ns", t->self_ticks);
		put_stack(l, "create_stack", t->create_stack);
		line_end(l);
	}
}

static void put_fds(struct line *l)
{
	for (size_t i = 0; i < l->rec->fds_len; i++) {
		const struct rsd_fd *slot = &l->rec->fds[i].slot;

		line_begin(l, "fd");
		line_number(l, "fd", l->rec->fds[i].fd);
		put_string(l, "path", slot->name);
		line_number(l, "calls", slot->own.calls);
		line_number(l, "bytes_read", slot->own.bytes_read);
		line_number(l, "bytes_written", slot->own.bytes_written);
		line_end(l);
	}
}

void line_tables(struct line *l)
{
	put_header(l);
	put_modules(l);
	put_thread_slots(l);
	put_fds(l);
}
