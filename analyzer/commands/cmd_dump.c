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
#include "analyzer/show/record_line.h"
#include "analyzer/util/die.h"
#include "format/kinds.h"

static void on_event(void *self, const struct pass_event *e)
{
	line_event(self, e);
}

#define NODES_AT_ONCE 1024u

static void dump_node(struct line *l, uint64_t id, const struct rsd_node *node)
{
	line_begin(l, "node");
	line_number(l, "id", id);
	line_number(l, "parent", node->parent);
	line_number(l, "module", RSD_NODE_MODULE(node));
	line_address(l, "ip", RSD_NODE_IP(node));
	line_number(l, "flags", node->flags);
	if (!node->parent)
		line_word(l, "cut", cut_words(node->cut));
	line_end(l);
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

	line_tables(l);
	for (size_t i = 0; !err && i < l->rec->reader.extents_len; i++)
		if (l->rec->reader.extents[i].kind == RSD_EXTENT_NODES)
			err = dump_nodes(l, &l->rec->reader.extents[i]);
	return err;
}

static int dump(struct session *s, const struct options *o, const char *path)
{
	struct recording rec;
	struct buf error = { 0 };
	struct line l = { .out = s->out, .form = o->is_json ? LINE_JSON : LINE_TEXT, .rec = &rec };
	struct pass_sink sink;
	const struct pass_sink *sinks[] = { &sink };
	struct pass_filter filter = { .from_ns = o->filter.from_ns, .to_ns = o->filter.to_ns };
	struct pass_stats stats = { 0 };
	int err = recording_open(&rec, path, s->stacks, &error);

	if (err) {
		warn("%s", buf_string(&error));
		buf_release(&error);
		return EXIT_UNREADABLE;
	}
	line_sink(&sink, &l, on_event);
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
