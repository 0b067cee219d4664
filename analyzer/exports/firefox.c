/* SPDX-License-Identifier: MIT */
/*
 * firefox.c - a profile for the Firefox Profiler, in its own "processed" format: threads with CPU samples, with waits,
 * regions, tasks and logs as markers, and with the heap by stack; counters of memory.
 *
 * The format has a table per thread with an array per column, and its viewer holds all of it in memory: events are
 * gathered first, no more than EVENTS_MAX of a kind. When there are more, short waits go first, two samples become one
 * of both weights, and annotations are cut; what was left out is said in the profile and by the command. Version 63 is
 * the first in which counters say how they are drawn; the viewer brings older profiles up to date when it reads them.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/curve.h"
#include "analyzer/exports/export.h"
#include "analyzer/exports/frame_tree.h"
#include "analyzer/models/lives.h"
#include "analyzer/models/waits.h"
#include "analyzer/show/render.h"
#include "analyzer/symbols/place.h"
#include "analyzer/util/json.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

#define FORMAT_VERSION 63u
#define GECKO_VERSION 30u /* of the format that browsers write; readers want one */
#define EVENTS_MAX ((size_t)1 << 18)
#define HEAP_PARTS 64u /* parts of the time in which blocks of one stack are one allocation */
#define EXACT_MAX ((uint64_t)1 << 53)

enum category { IN_OTHER, IN_PROGRAM, IN_LIBRARY, OF_LOCKS, OF_SYNC, OF_IO, OF_TIME, OF_NOTES };
static const struct {
	const char *name, *color;
} categories[] = {
	[IN_OTHER] = { "Other", "grey" },     [IN_PROGRAM] = { "Program", "yellow" },
	[IN_LIBRARY] = { "Library", "blue" }, [OF_LOCKS] = { "Locks", "red" },
	[OF_SYNC] = { "Waiting", "orange" },  [OF_IO] = { "Files and sockets", "green" },
	[OF_TIME] = { "Sleep", "lightblue" }, [OF_NOTES] = { "Annotations", "purple" },
};

enum marker_type { OF_WAIT, OF_REGION, OF_TASK, OF_LOG, OF_MARK, OF_COUNTER };
static const char *const type_names[] = { "wait", "region", "task", "log", "mark", "counter" };
enum { PHASE_INSTANT = 0, PHASE_INTERVAL = 1, PHASE_BEGIN = 2 };

struct marker {
	uint64_t begin, end; /* ns; end is also that of instants */
	uint64_t object;     /* of a wait; of others the task they belong to */
	uint64_t amount;     /* of a wait; of a counter its value */
	uint64_t blocked_ns;
	uint32_t name; /* in the table of strings */
	uint32_t text; /* string id of the recording */
	struct stack_id stack;
	uint32_t peer;
	uint16_t wait, err;
	uint8_t type;
	bool is_unfinished;
};

struct sample {
	uint64_t ns, cpu_ns;
	struct stack_id stack;
	uint32_t weight;
};

/* Blocks of one stack that were allocated in one part of the time. */
struct heap_row {
	struct stack_id stack;
	uint64_t first_ns, freed_ns; /* the first allocation, the last free */
	uint64_t bytes, freed;
};

struct markers {
	struct marker *list;
	size_t len, cap;
};

/* A region that a thread is in: where its marker is. */
struct inside {
	uint64_t id;
	size_t marker;
};

struct track {
	struct markers waits, notes;
	struct sample *samples;
	size_t samples_len, samples_cap;
	struct heap_row *rows;
	size_t rows_len, rows_cap;
	struct inside *regions; /* outermost first */
	size_t regions_len, regions_cap;
};

struct firefox {
	struct export_run *r;
	struct recording *rec;
	struct json j;
	struct frame_tree tree;
	struct track *tracks; /* by thread index */
	struct map tasks;     /* open ones: id -> thread << 32 | note */
	struct lives lives;
	struct curve heap, rss;
	uint64_t live_bytes, part_ns, addresses;
	struct map row_of; /* thread, stack and part of the time -> row of the thread */
	size_t rows_len;
	/* The table of strings. */
	struct map string_of;	 /* hash of the text -> number */
	struct map of_recording; /* its string ids -> number */
	char **strings;
	size_t strings_len, strings_cap;
	/* How much was gathered, and what was not. */
	size_t waits_len, samples_len, notes_len;
	uint64_t wait_min_ns, waits_left, waits_left_ns, notes_left, samples_joined;
	bool failed;
};

static uint64_t moment(const struct firefox *f, uint64_t tick)
{
	return clock_ns(&f->rec->clock, tick);
}

/* NULL: not a thread of the profile. */
static struct track *track_of(const struct firefox *f, uint32_t thread)
{
	return recording_thread(f->rec, thread) ? &f->tracks[thread] : NULL;
}

/* ---- strings -------------------------------------------------------------------------------------------------- */

static uint32_t string_of(struct firefox *f, const char *text)
{
	bool is_new;
	uint64_t *at = map_at(&f->string_of, hash_bytes(text, strlen(text)), &is_new);

	if (!at || (is_new && list_grow((void **)&f->strings, &f->strings_cap, f->strings_len, sizeof(*f->strings)))) {
		f->failed = true;
		return 0;
	}
	if (is_new) {
		*at = f->strings_len;
		f->strings[f->strings_len] = strdup(text);
		f->failed |= !f->strings[f->strings_len++];
	}
	return (uint32_t)*at;
}

static uint32_t string_of_recording(struct firefox *f, uint32_t id)
{
	bool is_new;
	uint64_t *at = map_at(&f->of_recording, id, &is_new);
	struct buf text = { 0 };

	if (!at) {
		f->failed = true;
		return 0;
	}
	if (is_new) {
		recording_string(f->rec, id, &text);
		*at = string_of(f, text.len ? buf_string(&text) : "?");
		f->failed |= text.failed;
		buf_release(&text);
	}
	return (uint32_t)*at;
}

/* ---- waits ---------------------------------------------------------------------------------------------------- */

static struct marker *add_marker(struct firefox *f, struct markers *m, struct marker marker)
{
	if (list_grow((void **)&m->list, &m->cap, m->len, sizeof(*m->list))) {
		f->failed = true;
		return NULL;
	}
	m->list[m->len] = marker;
	return &m->list[m->len++];
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t length_of(const struct marker *m)
{
	return m->end - m->begin;
}

/* How long the wait in the middle is, and how many are longer. */
static uint64_t median_wait(struct firefox *f, size_t *longer)
{
	uint64_t *lengths = calloc(f->waits_len, sizeof(*lengths)), median;
	size_t len = 0;

	f->failed |= !lengths;
	for (uint32_t i = 0; lengths && i < f->rec->threads_len; i++)
		for (size_t k = 0; k < f->tracks[i].waits.len; k++)
			lengths[len++] = length_of(&f->tracks[i].waits.list[k]);
	if (len)
		qsort(lengths, len, sizeof(*lengths), compare_u64);
	median = len ? lengths[len / 2] : 0;
	*longer = 0;
	for (size_t i = len; i > 0 && lengths[i - 1] > median; i--)
		(*longer)++;
	free(lengths);
	return median;
}

static void leave_out_wait(struct firefox *f, uint64_t ns)
{
	f->waits_left++;
	f->waits_left_ns += ns;
}

/* The shorter half goes; of equal ones so many stay that half is left. */
static void halve_waits(struct firefox *f)
{
	size_t longer, equal;

	f->wait_min_ns = median_wait(f, &longer);
	equal = f->waits_len / 2 > longer ? f->waits_len / 2 - longer : 0;
	f->waits_len = 0;
	for (uint32_t i = 0; i < f->rec->threads_len; i++) {
		struct markers *m = &f->tracks[i].waits;
		size_t kept = 0;

		for (size_t k = 0; k < m->len; k++) {
			uint64_t ns = length_of(&m->list[k]);

			if (ns > f->wait_min_ns || (ns == f->wait_min_ns && equal && equal--))
				m->list[kept++] = m->list[k];
			else
				leave_out_wait(f, ns);
		}
		m->len = kept;
		f->waits_len += kept;
	}
}

static void on_span(void *self, const struct pass_event *e)
{
	struct firefox *f = self;
	const struct rec_span *span = &e->ev->span;
	struct track *t = track_of(f, e->thread);
	uint64_t begin = moment(f, e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0);
	uint64_t ns = clock_dur_ns(&f->rec->clock, span->dur_ticks);

	if (!t)
		return;
	if (ns < f->wait_min_ns) {
		leave_out_wait(f, ns);
		return;
	}
	f->waits_len += add_marker(f, &t->waits,
				   (struct marker){ .begin = begin,
						    .end = begin + ns,
						    .object = span->object,
						    .amount = span->amount,
						    .blocked_ns = span_split(&f->rec->clock, span).blocked_ns,
						    .name = string_of(f, wait_name(span->wait)),
						    .stack = recording_stack(f->rec, span->stack),
						    .peer = span->peer,
						    .wait = span->wait,
						    .err = span->err }) != NULL;
	if (f->waits_len >= EVENTS_MAX)
		halve_waits(f);
}

/* What had not ended with the recording. */
static void add_unfinished(struct firefox *f)
{
	for (uint32_t i = 0; i < f->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(f->rec, i);

		if (!t || !t->waiting || t->waiting >= RSD_WAITS || t->end_tick ||
		    t->waiting_since >= f->rec->end_tick || f->r->a->is_filtered)
			continue;
		add_marker(f, &f->tracks[i].waits,
			   (struct marker){ .begin = moment(f, t->waiting_since),
					    .end = moment(f, f->rec->end_tick),
					    .object = t->waiting_object,
					    .name = string_of(f, wait_name(t->waiting)),
					    .peer = t->waiting_peer,
					    .wait = (uint16_t)t->waiting,
					    .is_unfinished = true });
	}
}

/* ---- samples -------------------------------------------------------------------------------------------------- */

/* Each two of a thread become one: where the first was, with the weight of both. */
static void halve_samples(struct firefox *f)
{
	f->samples_len = 0;
	for (uint32_t i = 0; i < f->rec->threads_len; i++) {
		struct track *t = &f->tracks[i];

		for (size_t k = 1; k < t->samples_len; k += 2)
			t->samples[k - 1].weight += t->samples[k].weight;
		for (size_t k = 0; k < t->samples_len; k += 2)
			t->samples[k / 2] = t->samples[k];
		f->samples_joined += t->samples_len / 2;
		t->samples_len -= t->samples_len / 2;
		f->samples_len += t->samples_len;
	}
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct firefox *f = self;
	const struct rec_sample *sample = &e->ev->sample;
	struct track *t = track_of(f, e->thread);

	if (!t)
		return;
	if (list_grow((void **)&t->samples, &t->samples_cap, t->samples_len, sizeof(*t->samples))) {
		f->failed = true;
		return;
	}
	t->samples[t->samples_len++] = (struct sample){ .ns = moment(f, e->tick),
							.cpu_ns = sample->cpu_ns,
							.stack = recording_stack(f->rec, sample->stack),
							.weight = sample->weight ? sample->weight : 1 };
	if (++f->samples_len >= EVENTS_MAX)
		halve_samples(f);
}

/* ---- annotations ---------------------------------------------------------------------------------------------- */

/* Where it is among the notes of the thread; SIZE_MAX: left out. */
static size_t add_note(struct firefox *f, const struct pass_event *e, enum marker_type type)
{
	const struct rec_note *note = &e->ev->note;
	struct track *t = track_of(f, e->thread);
	struct marker *m;

	if (!t)
		return SIZE_MAX;
	if (f->notes_len >= EVENTS_MAX) {
		f->notes_left++;
		return SIZE_MAX;
	}
	m = add_marker(f, &t->notes,
		       (struct marker){ .begin = moment(f, e->tick),
					.end = moment(f, e->tick),
					.object = type == OF_TASK ? note->id : note->parent,
					.amount = note->value,
					.name = string_of_recording(f, note->name),
					.text = note->text,
					.stack = recording_stack(f->rec, note->stack),
					.type = type,
					.is_unfinished = type == OF_REGION || type == OF_TASK });
	f->notes_len += m != NULL;
	return m ? t->notes.len - 1 : SIZE_MAX;
}

static void end_note(struct firefox *f, uint32_t thread, size_t at, uint64_t tick)
{
	struct marker *m = &f->tracks[thread].notes.list[at];
	uint64_t end = moment(f, tick);

	m->end = end > m->begin ? end : m->begin;
	m->is_unfinished = false;
}

static void on_task_end(void *self, const struct pass_event *e)
{
	struct firefox *f = self;
	uint64_t at;

	if (map_remove(&f->tasks, e->ev->note.id, &at))
		end_note(f, (uint32_t)(at >> 32), (uint32_t)at, e->tick);
}

/* An id that is used again ends what it was. */
static void on_task_begin(void *self, const struct pass_event *e)
{
	struct firefox *f = self;
	size_t at;

	on_task_end(f, e);
	at = add_note(f, e, OF_TASK);
	if (at != SIZE_MAX)
		f->failed |= map_put(&f->tasks, e->ev->note.id, (uint64_t)e->thread << 32 | at) != 0;
}

static void on_region_begin(void *self, const struct pass_event *e)
{
	struct firefox *f = self;
	struct track *t = track_of(f, e->thread);
	size_t at = add_note(f, e, OF_REGION);

	if (at == SIZE_MAX)
		return;
	if (list_grow((void **)&t->regions, &t->regions_cap, t->regions_len, sizeof(*t->regions)))
		f->failed = true;
	else
		t->regions[t->regions_len++] = (struct inside){ e->ev->note.id, at };
}

/* Regions inside that the program forgot end with it. */
static void on_region_end(void *self, const struct pass_event *e)
{
	struct firefox *f = self;
	struct track *t = track_of(f, e->thread);
	size_t found = 0;

	for (size_t i = t ? t->regions_len : 0; i > 0 && !found; i--)
		found = t->regions[i - 1].id == e->ev->note.id ? i : 0;
	for (; found && t->regions_len >= found; t->regions_len--)
		end_note(f, e->thread, t->regions[t->regions_len - 1].marker, e->tick);
}

static void on_log(void *self, const struct pass_event *e)
{
	add_note(self, e, e->kind == EV_MARK ? OF_MARK : e->kind == EV_COUNTER ? OF_COUNTER : OF_LOG);
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

static void on_memory(void *self, const struct pass_event *e)
{
	struct firefox *f = self;

	if (!(e->ev->memory.flags & RSD_MEMORY_MOST))
		curve_add(&f->rss, moment(f, e->tick), e->ev->memory.rss_bytes);
}

/* The row of a new block, from 1 on. With many rows a stack has one more for the rest of the time. */
static uint64_t row_for(struct firefox *f, struct track *t, const struct life *life)
{
	uint64_t ns = moment(f, life->born), part = f->rows_len < EVENTS_MAX ? ns / f->part_ns : UINT64_MAX;
	const uint64_t key[] = { life->thread, life->stack.v, part };
	bool is_new;
	uint64_t *at = map_at(&f->row_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&t->rows, &t->rows_cap, t->rows_len, sizeof(*t->rows)))) {
		f->failed = true;
		return 0;
	}
	if (is_new) {
		t->rows[t->rows_len++] = (struct heap_row){ .stack = life->stack, .first_ns = ns };
		*at = t->rows_len;
		f->rows_len++;
	}
	return *at;
}

static void born(void *self, struct life *life)
{
	struct firefox *f = self;
	struct track *t = track_of(f, life->thread);
	uint64_t bytes = lives_weight(&f->lives, life).bytes;

	f->live_bytes += bytes;
	curve_add(&f->heap, moment(f, life->born), f->live_bytes);
	life->tag = t ? row_for(f, t, life) : 0;
	if (life->tag)
		t->rows[life->tag - 1].bytes += bytes;
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct firefox *f = self;
	uint64_t bytes = lives_weight(&f->lives, life).bytes;
	struct heap_row *row = life->tag ? &f->tracks[life->thread].rows[life->tag - 1] : NULL;

	if (end->fate == LIFE_GOES_ON)
		return;
	f->live_bytes -= bytes;
	curve_add(&f->heap, moment(f, end->tick), f->live_bytes);
	if (!row)
		return;
	row->freed += bytes;
	row->freed_ns = moment(f, end->tick);
}

/* ---- columns -------------------------------------------------------------------------------------------------- */

static void begin(struct firefox *f, const char *key)
{
	json_key(&f->j, key);
	json_begin_array(&f->j);
}

static void put_ms(struct firefox *f, uint64_t ns)
{
	json_f64(&f->j, (double)ns / 1e6);
}

static void put_index(struct firefox *f, uint32_t number)
{
	if (number)
		json_u64(&f->j, number - 1);
	else
		json_null(&f->j);
}

static void put_stack(struct firefox *f, struct stack_id stack)
{
	put_index(f, frame_tree_of(&f->tree, stack));
}

/* A column of equal values. */
static void put_same(struct firefox *f, const char *key, size_t len, const char *value)
{
	begin(f, key);
	for (size_t i = 0; i < len; i++)
		if (!value)
			json_null(&f->j);
		else if (*value == 't' || *value == 'f')
			json_bool(&f->j, *value == 't');
		else
			json_i64(&f->j, strtoll(value, NULL, 10));
	json_end(&f->j);
}

/* ---- markers -------------------------------------------------------------------------------------------------- */

static enum category category_of(const struct marker *m)
{
	const char *domain = wait_domain(m->wait);

	if (m->type != OF_WAIT)
		return OF_NOTES;
	return !strcmp(domain, "lock")	 ? OF_LOCKS
	       : !strcmp(domain, "sync") ? OF_SYNC
	       : !strcmp(domain, "io")	 ? OF_IO
	       : !strcmp(domain, "time") ? OF_TIME
					 : IN_OTHER;
}

static void field_address(struct firefox *f, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_field_string(&f->j, key, text);
}

static void put_wait_fields(struct firefox *f, const struct marker *m)
{
	if (!strcmp(wait_domain(m->wait), "io"))
		json_field_i64(&f->j, "fd", (int64_t)m->object);
	else if (m->object)
		field_address(f, "object", m->object);
	if (m->amount)
		json_field_u64(&f->j, "amount", m->amount);
	if (m->peer)
		json_field_u64(&f->j, "holder", m->peer);
	if (m->err)
		json_field_u64(&f->j, "errno", m->err);
	if (!m->is_unfinished)
		json_field_f64(&f->j, "blocked", (double)m->blocked_ns / 1e6);
}

static void put_note_fields(struct firefox *f, const struct marker *m)
{
	struct buf text = { 0 };
	double value;

	memcpy(&value, &m->amount, sizeof(value));
	if (m->object)
		field_address(f, "task", m->object);
	if (m->type == OF_COUNTER)
		json_field_f64(&f->j, "value", value);
	recording_string(f->rec, m->text, &text);
	if (text.len) {
		json_key(&f->j, "message");
		json_string_n(&f->j, buf_string(&text), text.len);
	}
	f->failed |= text.failed;
	buf_release(&text);
}

static void put_cause(struct firefox *f, const struct marker *m)
{
	uint32_t node = frame_tree_of(&f->tree, m->stack);
	struct buf at = { 0 };

	if (!node)
		return;
	place_name(&at, f->r->stacks, m->stack);
	json_field_string(&f->j, "at", buf_string(&at));
	json_key(&f->j, "cause");
	json_begin_object(&f->j);
	json_field_f64(&f->j, "time", (double)m->begin / 1e6);
	json_field_u64(&f->j, "stack", node - 1);
	json_end(&f->j);
	f->failed |= at.failed;
	buf_release(&at);
}

static void put_marker_data(struct firefox *f, const struct marker *m)
{
	json_begin_object(&f->j);
	json_field_string(&f->j, "type", type_names[m->type]);
	if (m->type == OF_WAIT)
		put_wait_fields(f, m);
	else
		put_note_fields(f, m);
	if (m->is_unfinished)
		json_field_bool(&f->j, "unfinished", true);
	put_cause(f, m);
	json_end(&f->j);
}

static int compare_markers(const void *a, const void *b)
{
	const struct marker *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end == y->end ? 0 : x->end > y->end ? -1 : 1;
}

static unsigned phase_of(const struct marker *m)
{
	if (m->type == OF_LOG || m->type == OF_MARK || m->type == OF_COUNTER)
		return PHASE_INSTANT;
	return m->is_unfinished ? PHASE_BEGIN : PHASE_INTERVAL;
}

static void put_markers(struct firefox *f, struct track *t)
{
	struct markers *all = &t->waits;

	for (size_t i = 0; i < t->notes.len; i++)
		add_marker(f, all, t->notes.list[i]);
	if (all->len)
		qsort(all->list, all->len, sizeof(*all->list), compare_markers);
	json_key(&f->j, "markers");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", all->len);
	begin(f, "name");
	for (size_t i = 0; i < all->len; i++)
		json_u64(&f->j, all->list[i].name);
	json_end(&f->j);
	begin(f, "startTime");
	for (size_t i = 0; i < all->len; i++)
		put_ms(f, all->list[i].begin);
	json_end(&f->j);
	begin(f, "endTime");
	for (size_t i = 0; i < all->len; i++)
		if (phase_of(&all->list[i]) == PHASE_INTERVAL)
			put_ms(f, all->list[i].end);
		else
			json_null(&f->j);
	json_end(&f->j);
	begin(f, "phase");
	for (size_t i = 0; i < all->len; i++)
		json_u64(&f->j, phase_of(&all->list[i]));
	json_end(&f->j);
	begin(f, "category");
	for (size_t i = 0; i < all->len; i++)
		json_u64(&f->j, category_of(&all->list[i]));
	json_end(&f->j);
	begin(f, "data");
	for (size_t i = 0; i < all->len; i++)
		put_marker_data(f, &all->list[i]);
	json_end(&f->j);
	json_end(&f->j);
}

/* ---- samples and allocations ---------------------------------------------------------------------------------- */

static double interval_ms(const struct firefox *f)
{
	return f->rec->reader.header.cpu_hz ? 1e3 / f->rec->reader.header.cpu_hz : 1;
}

static void put_samples(struct firefox *f, const struct track *t)
{
	json_key(&f->j, "samples");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", t->samples_len);
	json_field_string(&f->j, "weightType", "tracing-ms");
	begin(f, "stack");
	for (size_t i = 0; i < t->samples_len; i++)
		put_stack(f, t->samples[i].stack);
	json_end(&f->j);
	begin(f, "time");
	for (size_t i = 0; i < t->samples_len; i++)
		put_ms(f, t->samples[i].ns);
	json_end(&f->j);
	begin(f, "weight");
	for (size_t i = 0; i < t->samples_len; i++)
		json_f64(&f->j, t->samples[i].weight * interval_ms(f));
	json_end(&f->j);
	begin(f, "threadCPUDelta");
	for (size_t i = 0; i < t->samples_len; i++) {
		uint64_t before = i ? t->samples[i - 1].cpu_ns : t->samples[0].cpu_ns;

		json_u64(&f->j, t->samples[i].cpu_ns > before ? t->samples[i].cpu_ns - before : 0);
	}
	json_end(&f->j);
	json_end(&f->j);
}

/*
 * A row as the viewer's allocations: what stayed alive, what did not, and its free. Pairs have an address, which is a
 * number of ours: the viewer finds by it what is still alive at the end of the time that is looked at.
 */
struct allocation {
	uint64_t ns, address;
	int64_t bytes;
	struct stack_id stack;
};

static int compare_allocations(const void *a, const void *b)
{
	const struct allocation *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->bytes == y->bytes ? 0 : x->bytes > y->bytes ? -1 : 1;
}

static size_t list_allocations(struct firefox *f, const struct track *t, struct allocation *list)
{
	size_t len = 0;

	for (size_t i = 0; i < t->rows_len; i++) {
		const struct heap_row *row = &t->rows[i];

		if (row->bytes > row->freed)
			list[len++] = (struct allocation){ row->first_ns, ++f->addresses,
							   (int64_t)(row->bytes - row->freed), row->stack };
		if (!row->freed)
			continue;
		list[len++] = (struct allocation){ row->first_ns, ++f->addresses, (int64_t)row->freed, row->stack };
		list[len++] = (struct allocation){ row->freed_ns, f->addresses, -(int64_t)row->freed, { 0 } };
	}
	if (len)
		qsort(list, len, sizeof(*list), compare_allocations);
	return len;
}

static void put_allocations(struct firefox *f, const struct track *t, uint32_t tid)
{
	struct allocation *list = calloc(t->rows_len * 3 + 1, sizeof(*list));
	size_t len = list ? list_allocations(f, t, list) : 0;
	char number[16];

	f->failed |= !list;
	snprintf(number, sizeof(number), "%" PRIu32, tid);
	json_key(&f->j, "nativeAllocations");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	json_field_string(&f->j, "weightType", "bytes");
	begin(f, "time");
	for (size_t i = 0; i < len; i++)
		put_ms(f, list[i].ns);
	json_end(&f->j);
	begin(f, "weight");
	for (size_t i = 0; i < len; i++)
		json_i64(&f->j, list[i].bytes);
	json_end(&f->j);
	begin(f, "stack");
	for (size_t i = 0; i < len; i++)
		put_stack(f, list[i].stack);
	json_end(&f->j);
	begin(f, "memoryAddress");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, list[i].address);
	json_end(&f->j);
	put_same(f, "threadId", len, number);
	json_end(&f->j);
	free(list);
}

/* ---- threads -------------------------------------------------------------------------------------------------- */

static void put_pid(struct firefox *f)
{
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, f->rec->reader.header.pid);
	json_field_string(&f->j, "pid", text);
}

static void field_ms_or_null(struct firefox *f, const char *key, bool is_known, uint64_t tick)
{
	json_key(&f->j, key);
	if (is_known)
		put_ms(f, moment(f, tick));
	else
		json_null(&f->j);
}

static void put_thread(struct firefox *f, uint32_t i)
{
	const struct rsd_thread *t = recording_thread(f->rec, i);
	char name[sizeof(t->name) + 1] = "";

	memcpy(name, t->name, sizeof(t->name));
	json_begin_object(&f->j);
	json_field_string(&f->j, "name", *name ? name : recording_name(f->rec));
	json_field_bool(&f->j, "isMainThread", t->tid == f->rec->reader.header.pid);
	json_field_string(&f->j, "processType", "default");
	json_field_string(&f->j, "processName", recording_name(f->rec));
	json_field_u64(&f->j, "processStartupTime", 0);
	field_ms_or_null(f, "processShutdownTime", f->rec->reader.header.end_kind, f->rec->end_tick);
	field_ms_or_null(f, "registerTime", true, t->start_tick);
	field_ms_or_null(f, "unregisterTime", t->end_tick, t->end_tick);
	json_field_bool(&f->j, "showMarkersInTimeline", true);
	begin(f, "pausedRanges");
	json_end(&f->j);
	put_pid(f);
	json_field_u64(&f->j, "tid", t->tid);
	put_samples(f, &f->tracks[i]);
	put_markers(f, &f->tracks[i]);
	if (f->tracks[i].rows_len)
		put_allocations(f, &f->tracks[i], t->tid);
	json_end(&f->j);
}

static void put_threads(struct firefox *f)
{
	begin(f, "threads");
	for (uint32_t i = 0; i < f->rec->threads_len; i++)
		if (recording_thread(f->rec, i) && (!f->r->a->filter.threads || f->r->a->filter.threads[i]))
			put_thread(f, i);
	json_end(&f->j);
}

/* ---- counters ------------------------------------------------------------------------------------------------- */

static void put_display(struct firefox *f, const char *label, const char *color, unsigned order)
{
	json_key(&f->j, "display");
	json_begin_object(&f->j);
	json_field_string(&f->j, "graphType", "line-accumulated");
	json_field_string(&f->j, "unit", "bytes");
	json_field_string(&f->j, "color", color);
	json_field_string(&f->j, "markerSchemaLocation", NULL);
	json_field_u64(&f->j, "sortWeight", order);
	json_field_string(&f->j, "label", label);
	begin(f, "tooltipRows");
	json_begin_object(&f->j);
	json_field_string(&f->j, "type", "value");
	json_field_string(&f->j, "source", "accumulated");
	json_key(&f->j, "format");
	json_begin_object(&f->j);
	json_field_string(&f->j, "unit", "bytes");
	json_end(&f->j);
	json_field_string(&f->j, "label", label);
	json_end(&f->j);
	json_end(&f->j);
	json_end(&f->j);
}

/* Values of a curve: each part of the time has its highest and its last one. */
struct point {
	uint64_t ns, bytes;
};

static size_t list_points(const struct curve *c, struct point *list)
{
	size_t len = 0;

	for (size_t i = 0; i < c->len; i++) {
		const struct curve_point *p = &c->points[i];

		if (!p->is_set)
			continue;
		list[len++] = (struct point){ p->top_ns, p->top_bytes };
		if (p->last_ns > p->top_ns)
			list[len++] = (struct point){ p->last_ns, p->last_bytes };
	}
	return len;
}

/* A sample of a counter is what it grew by. */
static void put_counter(struct firefox *f, const struct curve *c, const char *name, const char *label,
			const char *color, unsigned order)
{
	struct point list[2 * CURVE_POINTS];
	size_t len = list_points(c, list);

	if (!len)
		return;
	json_begin_object(&f->j);
	json_field_string(&f->j, "name", name);
	json_field_string(&f->j, "category", "Memory");
	json_field_string(&f->j, "description", label);
	put_pid(f);
	json_field_u64(&f->j, "mainThreadIndex", 0);
	json_key(&f->j, "samples");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	begin(f, "time");
	for (size_t i = 0; i < len; i++)
		put_ms(f, list[i].ns);
	json_end(&f->j);
	begin(f, "count");
	for (size_t i = 0; i < len; i++)
		json_i64(&f->j, (int64_t)(list[i].bytes - (i ? list[i - 1].bytes : 0)));
	json_end(&f->j);
	json_end(&f->j);
	put_display(f, label, color, order);
	json_end(&f->j);
}

/* ---- what threads share --------------------------------------------------------------------------------------- */

/* Functions, and the files and modules they are in; numbers from 1 on, 0: none. */
struct shared {
	struct map source_of, lib_of, func_of; /* hashes -> number */
	const char **sources, **libs;	       /* paths */
	size_t sources_cap, libs_cap, funcs_cap;
	struct function {
		uint32_t name, source, lib;
	} * funcs;
	uint32_t *func; /* by frame */
};

/* The number of a key; *is_new: it is one more than there were. */
static uint32_t number_of(struct firefox *f, struct map *map, uint64_t key, bool *is_new)
{
	uint64_t *at = map_at(map, key, is_new);

	f->failed |= !at;
	if (at && *is_new)
		*at = map->len;
	return at ? (uint32_t)*at : 0;
}

static uint32_t path_of(struct firefox *f, struct map *map, const char ***paths, size_t *cap, const char *path)
{
	bool is_new = false;
	uint32_t number = path ? number_of(f, map, hash_bytes(path, strlen(path)), &is_new) : 0;

	if (!is_new)
		return number;
	if (list_grow((void **)paths, cap, number - 1, sizeof(**paths))) {
		f->failed = true;
		return 0;
	}
	(*paths)[number - 1] = path;
	return number;
}

static uint32_t func_of(struct firefox *f, struct shared *s, const struct frame *frame)
{
	struct function func = { string_of(f, export_frame_name(frame)),
				 path_of(f, &s->source_of, &s->sources, &s->sources_cap, frame->file),
				 path_of(f, &s->lib_of, &s->libs, &s->libs_cap, frame->module_path) };
	bool is_new = false;
	uint32_t number = number_of(f, &s->func_of, hash_bytes(&func, sizeof(func)), &is_new);

	if (!is_new)
		return number;
	if (list_grow((void **)&s->funcs, &s->funcs_cap, number - 1, sizeof(*s->funcs))) {
		f->failed = true;
		return 0;
	}
	s->funcs[number - 1] = func;
	return number;
}

static int collect_shared(struct firefox *f, struct shared *s)
{
	map_init(&s->source_of);
	map_init(&s->lib_of);
	map_init(&s->func_of);
	s->func = calloc(f->tree.distinct_len + 1, sizeof(*s->func));
	f->failed |= !s->func;
	for (size_t i = 0; i < f->tree.distinct_len && !f->failed; i++)
		s->func[i] = func_of(f, s, f->tree.distinct[i]);
	return f->failed ? -ENOMEM : 0;
}

static void release_shared(struct shared *s)
{
	map_release(&s->source_of);
	map_release(&s->lib_of);
	map_release(&s->func_of);
	free(s->sources);
	free(s->libs);
	free(s->funcs);
	free(s->func);
}

static void put_stack_table(struct firefox *f)
{
	json_key(&f->j, "stackTable");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", f->tree.len);
	begin(f, "frame");
	for (size_t i = 0; i < f->tree.len; i++)
		json_u64(&f->j, f->tree.nodes[i].frame_number - 1);
	json_end(&f->j);
	begin(f, "prefix");
	for (size_t i = 0; i < f->tree.len; i++)
		put_index(f, f->tree.nodes[i].parent);
	json_end(&f->j);
	json_end(&f->j);
}

static enum category category_of_frame(const struct firefox *f, const struct frame *frame)
{
	if (!frame->module)
		return IN_OTHER;
	return strcmp(frame->module, recording_name(f->rec)) ? IN_LIBRARY : IN_PROGRAM;
}

static void put_frame_table(struct firefox *f, const struct shared *s)
{
	const struct frame *const *frames = f->tree.distinct;
	size_t len = f->tree.distinct_len;

	json_key(&f->j, "frameTable");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	begin(f, "address");
	for (size_t i = 0; i < len; i++)
		json_i64(&f->j,
			 frames[i]->module_path && frames[i]->address < EXACT_MAX ? (int64_t)frames[i]->address : -1);
	json_end(&f->j);
	begin(f, "inlineDepth");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, frames[i]->inlined);
	json_end(&f->j);
	begin(f, "category");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, category_of_frame(f, frames[i]));
	json_end(&f->j);
	put_same(f, "subcategory", len, "0");
	begin(f, "func");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, s->func[i] - 1);
	json_end(&f->j);
	put_same(f, "nativeSymbol", len, NULL);
	put_same(f, "innerWindowID", len, NULL);
	begin(f, "line");
	for (size_t i = 0; i < len; i++)
		if (frames[i]->line)
			json_u64(&f->j, frames[i]->line);
		else
			json_null(&f->j);
	json_end(&f->j);
	put_same(f, "column", len, NULL);
	json_end(&f->j);
}

static void put_func_table(struct firefox *f, const struct shared *s)
{
	size_t len = s->func_of.len;

	json_key(&f->j, "funcTable");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	begin(f, "name");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, s->funcs[i].name);
	json_end(&f->j);
	put_same(f, "isJS", len, "false");
	put_same(f, "relevantForJS", len, "false");
	begin(f, "resource");
	for (size_t i = 0; i < len; i++)
		json_i64(&f->j, (int64_t)s->funcs[i].lib - 1);
	json_end(&f->j);
	begin(f, "source");
	for (size_t i = 0; i < len; i++)
		put_index(f, s->funcs[i].source);
	json_end(&f->j);
	put_same(f, "lineNumber", len, NULL);
	put_same(f, "columnNumber", len, NULL);
	json_end(&f->j);
}

/* Each module is one resource, which is all that this table is for. */
static void put_resource_table(struct firefox *f, const struct shared *s)
{
	size_t len = s->lib_of.len;

	json_key(&f->j, "resourceTable");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	begin(f, "lib");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, i);
	json_end(&f->j);
	begin(f, "name");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, string_of(f, path_base(s->libs[i])));
	json_end(&f->j);
	put_same(f, "host", len, NULL);
	put_same(f, "type", len, "1");
	json_end(&f->j);
}

static void put_other_tables(struct firefox *f, const struct shared *s)
{
	static const char *const columns[] = { "libIndex", "address", "name", "functionSize" };
	size_t len = s->source_of.len;

	json_key(&f->j, "nativeSymbols");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", 0);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		put_same(f, columns[i], 0, NULL);
	json_end(&f->j);
	json_key(&f->j, "sources");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	put_same(f, "id", len, NULL);
	begin(f, "filename");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, string_of(f, s->sources[i]));
	json_end(&f->j);
	put_same(f, "startLine", len, "1");
	put_same(f, "startColumn", len, "1");
	put_same(f, "sourceMapURL", len, NULL);
	json_end(&f->j);
}

static void put_strings(struct firefox *f)
{
	begin(f, "stringArray");
	for (size_t i = 0; i < f->strings_len; i++)
		json_string(&f->j, f->strings[i] ? f->strings[i] : "");
	json_end(&f->j);
}

static const struct module *module_of(const struct firefox *f, const char *path)
{
	const struct modules *modules = &f->rec->modules;

	for (size_t i = 0; i < modules->len; i++)
		if (!strcmp(modules->list[i].path, path))
			return &modules->list[i];
	return NULL;
}

/* As Breakpad makes it of a build-id: its first numbers the other way round, and a 0 behind. */
static void put_build_id(struct firefox *f, const struct module *module)
{
	static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t id[RSD_BUILD_ID_MAX] = { 0 };
	char debug_id[2 * sizeof(order) + 2] = "", code_id[2 * RSD_BUILD_ID_MAX + 1] = "";

	if (module)
		memcpy(id, module->build_id, module->build_id_len);
	for (size_t i = 0; module && module->build_id_len && i < sizeof(order); i++)
		snprintf(debug_id + 2 * i, 4, "%02X0", id[order[i]]);
	for (uint32_t i = 0; module && i < module->build_id_len; i++)
		snprintf(code_id + 2 * i, 3, "%02x", id[i]);
	json_field_string(&f->j, "breakpadId", debug_id);
	json_field_string(&f->j, "codeId", *code_id ? code_id : NULL);
}

static void put_libs(struct firefox *f, const struct shared *s)
{
	uint32_t machine = f->rec->reader.header.machine;

	begin(f, "libs");
	for (size_t i = 0; i < s->lib_of.len; i++) {
		json_begin_object(&f->j);
		json_field_string(&f->j, "arch",
				  machine == EM_X86_64	  ? "x86_64"
				  : machine == EM_AARCH64 ? "arm64"
							  : "");
		json_field_string(&f->j, "name", path_base(s->libs[i]));
		json_field_string(&f->j, "path", s->libs[i]);
		json_field_string(&f->j, "debugName", path_base(s->libs[i]));
		json_field_string(&f->j, "debugPath", s->libs[i]);
		put_build_id(f, module_of(f, s->libs[i]));
		json_end(&f->j);
	}
	json_end(&f->j);
}

static int put_shared(struct firefox *f)
{
	struct shared s = { 0 };
	int err = collect_shared(f, &s);

	json_key(&f->j, "shared");
	json_begin_object(&f->j);
	if (!err) {
		put_stack_table(f);
		put_frame_table(f, &s);
		put_func_table(f, &s);
		put_resource_table(f, &s);
		put_other_tables(f, &s);
	}
	put_strings(f);
	json_end(&f->j);
	if (!err)
		put_libs(f, &s);
	release_shared(&s);
	return err;
}

/* ---- about the profile ---------------------------------------------------------------------------------------- */

static void put_categories(struct firefox *f)
{
	begin(f, "categories");
	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
		json_begin_object(&f->j);
		json_field_string(&f->j, "name", categories[i].name);
		json_field_string(&f->j, "color", categories[i].color);
		begin(f, "subcategories");
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
	json_field_string(&f->j, "name", type_names[type]);
	json_field_string(&f->j, "tableLabel", label);
	json_field_string(&f->j, "chartLabel", type == OF_WAIT ? label : "{marker.name}");
	json_field_string(&f->j, "tooltipLabel", "{marker.name}");
	begin(f, "display");
	json_string(&f->j, "marker-chart");
	json_string(&f->j, "marker-table");
	json_string(&f->j, "timeline-overview");
	json_end(&f->j);
	begin(f, "fields");
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
			   EVENTS_MAX);
}

/* What is missing, a sentence an entry. */
static void put_extra(struct firefox *f)
{
	struct buf text = { 0 };
	char *rest;

	say(f, &text);
	if (f->r->notes)
		buf_add_string(f->r->notes, buf_string(&text));
	begin(f, "extra");
	if (text.len) {
		json_begin_object(&f->j);
		json_field_string(&f->j, "label", "Left out");
		begin(f, "entries");
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
	json_field_f64(&f->j, "interval", interval_ms(f));
	json_field_f64(&f->j, "startTime", (double)h->start_realtime_ns / 1e6);
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
	begin(f, "markerSchema");
	for (unsigned type = OF_WAIT; type <= OF_COUNTER; type++)
		put_schema(f, (enum marker_type)type);
	json_end(&f->j);
	put_extra(f);
	json_end(&f->j);
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static int gather(struct firefox *f)
{
	const struct pass_sink sink = { .self = f,
					.on = { [EV_SPAN] = on_span,
						[EV_SAMPLE] = on_sample,
						[EV_TASK_BEGIN] = on_task_begin,
						[EV_TASK_END] = on_task_end,
						[EV_REGION_BEGIN] = on_region_begin,
						[EV_REGION_END] = on_region_end,
						[EV_LOG] = on_log,
						[EV_MARK] = on_log,
						[EV_COUNTER] = on_log,
						[EV_MEMORY] = on_memory } };
	int err;

	f->part_ns = recording_end_ns(f->rec) / HEAP_PARTS + 1;
	f->lives.watcher = (struct life_watcher){ .self = f, .born = born, .ended = ended };
	f->lives.also[0] = &sink;
	err = lives_run(&f->lives, f->r->a);
	add_unfinished(f);
	return err;
}

static int put_all(struct firefox *f)
{
	int err = gather(f);

	json_begin_object(&f->j);
	put_meta(f);
	if (!err)
		put_threads(f);
	begin(f, "counters");
	put_counter(f, &f->heap, "heap", "Heap: live bytes", "orange", 20);
	put_counter(f, &f->rss, "rss", "Resident memory", "grey", 21);
	json_end(&f->j);
	err = err ? err : put_shared(f);
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
