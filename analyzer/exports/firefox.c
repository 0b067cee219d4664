/* SPDX-License-Identifier: MIT */
/*
 * firefox.c - a profile for the Firefox Profiler, in its own "processed" format: threads with CPU samples, with waits,
 * regions, tasks and logs as markers, and with the heap by stack; counters of memory.
 *
 * The format has a table per thread with an array per column, and its viewer holds all of it in memory: events are
 * gathered first, no more than FIREFOX_EVENTS_MAX of a kind. When there are more, short waits go first, two samples
 * become one of both weights, and annotations are cut; what was left out is said in the profile and by the command.
 * Version 63 is the first in which counters say how they are drawn; the viewer brings older profiles up to date when it
 * reads them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/firefox.h"
#include "analyzer/show/render.h"

#define FORMAT_VERSION 63u
#define GECKO_VERSION 30u /* of the format that browsers write; readers want one */

static const struct {
	const char *name, *color;
} categories[] = {
	[IN_OTHER] = { "Other", "grey" },     [IN_PROGRAM] = { "Program", "yellow" },
	[IN_LIBRARY] = { "Library", "blue" }, [OF_LOCKS] = { "Locks", "red" },
	[OF_SYNC] = { "Waiting", "orange" },  [OF_IO] = { "Files and sockets", "green" },
	[OF_TIME] = { "Sleep", "lightblue" }, [OF_NOTES] = { "Annotations", "purple" },
};

const char *const firefox_types[] = { "wait", "region", "task", "log", "mark", "counter" };

/* ---- about the profile ---------------------------------------------------------------------------------------- */

static void put_categories(struct firefox *f)
{
	firefox_column(f, "categories");
	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
		json_begin_object(&f->j);
		json_field_string(&f->j, "name", categories[i].name);
		json_field_string(&f->j, "color", categories[i].color);
		firefox_column(f, "subcategories");
		json_string(&f->j, "Other");
		json_end(&f->j);
		json_end(&f->j);
	}
	json_end(&f->j);
}

/* What the viewer shows of each type of marker. */
static const struct {
	unsigned types; /* bits */
	const char *key, *label, *format;
} fields[] = {
	{ 1u << OF_WAIT, "object", "Object", "string" },
	{ 1u << OF_WAIT, "fd", "Descriptor", "integer" },
	{ 1u << OF_WAIT, "blocked", "Off the CPU", "duration" },
	{ 1u << OF_WAIT, "holder", "Thread that held it", "tid" },
	{ 1u << OF_WAIT, "amount", "Bytes, or what the call was given", "integer" },
	{ 1u << OF_WAIT, "errno", "errno", "integer" },
	{ 1u << OF_COUNTER, "value", "Value", "decimal" },
	{ 1u << OF_LOG | 1u << OF_MARK, "message", "Message", "string" },
	{ ~(1u << OF_WAIT), "task", "Task", "string" },
	{ ~0u, "at", "Where", "string" },
	{ ~0u, "unfinished", "Not over when the recording ended", "string" },
};

static void put_schema(struct firefox *f, enum marker_type type)
{
	const char *label = type == OF_COUNTER			? "{marker.data.value}"
			    : type == OF_LOG || type == OF_MARK ? "{marker.data.message}"
								: "{marker.data.at}";

	json_begin_object(&f->j);
	json_field_string(&f->j, "name", firefox_types[type]);
	json_field_string(&f->j, "tableLabel", label);
	json_field_string(&f->j, "chartLabel", type == OF_WAIT ? label : "{marker.name}");
	json_field_string(&f->j, "tooltipLabel", "{marker.name}");
	firefox_column(f, "display");
	json_string(&f->j, "marker-chart");
	json_string(&f->j, "marker-table");
	json_string(&f->j, "timeline-overview");
	json_end(&f->j);
	firefox_column(f, "fields");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!(fields[i].types & 1u << type))
			continue;
		json_begin_object(&f->j);
		json_field_string(&f->j, "key", fields[i].key);
		json_field_string(&f->j, "label", fields[i].label);
		json_field_string(&f->j, "format", fields[i].format);
		json_end(&f->j);
	}
	json_end(&f->j);
	json_end(&f->j);
}

static void say(struct firefox *f, struct buf *out)
{
	char all[RENDER_NUMBER_MAX], longest[RENDER_NUMBER_MAX];

	if (f->waits_left)
		buf_printf(out,
			   "%" PRIu64
			   " waits of %s in all are not in the profile, none longer than %s: the longest ones "
			   "are\n",
			   f->waits_left, render_duration(all, (int64_t)f->waits_left_ns),
			   render_duration(longest, (int64_t)f->wait_min_ns));
	if (f->samples_joined)
		buf_printf(out, "%" PRIu64 " samples were joined with the one before them, which has their weight\n",
			   f->samples_joined);
	if (f->notes_left)
		buf_printf(out, "%" PRIu64 " annotations after the first %zu are not in the profile\n", f->notes_left,
			   FIREFOX_EVENTS_MAX);
}

/* What is missing, a sentence an entry. */
static void put_extra(struct firefox *f)
{
	struct buf text = { 0 };
	char *rest;

	say(f, &text);
	if (f->r->notes)
		buf_add_string(f->r->notes, buf_string(&text));
	firefox_column(f, "extra");
	if (text.len) {
		json_begin_object(&f->j);
		json_field_string(&f->j, "label", "Left out");
		firefox_column(f, "entries");
		for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			json_begin_object(&f->j);
			json_field_string(&f->j, "label", "Left out");
			json_field_string(&f->j, "format", "string");
			json_field_string(&f->j, "value", line);
			json_end(&f->j);
		}
		json_end(&f->j);
		json_end(&f->j);
	}
	json_end(&f->j);
	f->failed |= text.failed;
	buf_release(&text);
}

static void put_meta(struct firefox *f)
{
	const struct rsd_header *h = &f->rec->reader.header;

	json_key(&f->j, "meta");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "version", GECKO_VERSION);
	json_field_u64(&f->j, "preprocessedProfileVersion", FORMAT_VERSION);
	json_field_string(&f->j, "product", recording_name(f->rec));
	json_field_string(&f->j, "importedFrom", "Ringside");
	json_field_f64(&f->j, "interval", firefox_interval_ms(f));
	json_field_f64(&f->j, "startTime", (double)h->start_realtime_ns / 1e6);
	/* Without these the viewer shows the time from the first sample to the last one. */
	json_field_u64(&f->j, "profilingStartTime", 0);
	json_field_f64(&f->j, "profilingEndTime", (double)recording_end_ns(f->rec) / 1e6);
	json_field_u64(&f->j, "processType", 0);
	json_field_u64(&f->j, "stackwalk", 1);
	json_field_bool(&f->j, "debug", false);
	json_field_string(&f->j, "toolkit", "");
	json_field_string(&f->j, "platform", "Linux");
	json_field_bool(&f->j, "symbolicated", true);
	json_field_bool(&f->j, "symbolicationNotSupported", true);
	json_field_bool(&f->j, "usesOnlyOneStackType", true);
	json_field_bool(&f->j, "sourceCodeIsNotOnSearchfox", true);
	json_key(&f->j, "sampleUnits");
	json_begin_object(&f->j);
	json_field_string(&f->j, "time", "ms");
	json_field_string(&f->j, "eventDelay", "ms");
	json_field_string(&f->j, "threadCPUDelta", "ns");
	json_end(&f->j);
	put_categories(f);
	firefox_column(f, "markerSchema");
	for (unsigned type = OF_WAIT; type <= OF_COUNTER; type++)
		put_schema(f, (enum marker_type)type);
	json_end(&f->j);
	put_extra(f);
	json_end(&f->j);
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static int put_all(struct firefox *f)
{
	int err = firefox_gather(f);

	json_begin_object(&f->j);
	put_meta(f);
	if (!err)
		firefox_threads(f);
	firefox_counters(f);
	err = err ? err : firefox_shared(f);
	json_end(&f->j);
	return err;
}

static void release(struct firefox *f)
{
	for (uint32_t i = 0; f->tracks && i < f->rec->threads_len; i++) {
		free(f->tracks[i].waits.list);
		free(f->tracks[i].notes.list);
		free(f->tracks[i].samples);
		free(f->tracks[i].rows);
		free(f->tracks[i].regions);
	}
	free(f->tracks);
	for (size_t i = 0; i < f->strings_len; i++)
		free(f->strings[i]);
	free(f->strings);
	map_release(&f->tasks);
	map_release(&f->row_of);
	map_release(&f->string_of);
	map_release(&f->of_recording);
	frame_tree_release(&f->tree);
}

int export_firefox(struct export_run *r)
{
	struct firefox f = { .r = r, .rec = &r->a->rec };
	int err;

	json_init(&f.j, r->out);
	f.j.pretty_depth = 3;
	frame_tree_init(&f.tree, r->stacks);
	map_init(&f.tasks);
	map_init(&f.row_of);
	map_init(&f.string_of);
	map_init(&f.of_recording);
	f.tracks = calloc(f.rec->threads_len + 1, sizeof(*f.tracks));
	err = f.tracks ? put_all(&f) : -ENOMEM;
	if (!err && (f.failed || f.tree.failed))
		err = -ENOMEM;
	release(&f);
	return err ? err : json_finish(&f.j);
}
