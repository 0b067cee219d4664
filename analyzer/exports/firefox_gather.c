/* SPDX-License-Identifier: MIT */
/*
 * firefox_gather.c - what a profile is made of, in one pass over the recording, and never more of it than
 * FIREFOX_EVENTS_MAX of a kind.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/firefox.h"
#include "analyzer/models/waits.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

#define HEAP_PARTS 64u /* parts of the time in which blocks of one stack are one allocation */

/* NULL: not a thread of the profile. */
static struct track *track_of(const struct firefox *f, uint32_t thread)
{
	return recording_thread(f->rec, thread) ? &f->tracks[thread] : NULL;
}

/* ---- strings -------------------------------------------------------------------------------------------------- */

uint32_t firefox_string(struct firefox *f, const char *text)
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
		*at = firefox_string(f, text.len ? buf_string(&text) : "?");
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
	uint64_t begin = firefox_ns(f, e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0);
	uint64_t ns = clock_dur_ns(&f->rec->clock, span->dur_ticks);

	if (!t || f->failed)
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
						    .name = firefox_string(f, wait_name(span->wait)),
						    .stack = recording_stack(f->rec, span->stack),
						    .peer = span->peer,
						    .wait = span->wait,
						    .err = span->err }) != NULL;
	if (f->waits_len >= FIREFOX_EVENTS_MAX)
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
			   (struct marker){ .begin = firefox_ns(f, t->waiting_since),
					    .end = firefox_ns(f, f->rec->end_tick),
					    .object = t->waiting_object,
					    .name = firefox_string(f, wait_name(t->waiting)),
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
	t->samples[t->samples_len++] = (struct sample){ .ns = firefox_ns(f, e->tick),
							.cpu_ns = sample->cpu_ns,
							.stack = recording_stack(f->rec, sample->stack),
							.weight = sample->weight ? sample->weight : 1 };
	/* A thread keeps one: with very many threads there is nothing to join. */
	if (++f->samples_len >= FIREFOX_EVENTS_MAX && f->samples_len / 4 >= f->rec->threads_len)
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
	if (f->notes_len >= FIREFOX_EVENTS_MAX) {
		f->notes_left++;
		return SIZE_MAX;
	}
	m = add_marker(f, &t->notes,
		       (struct marker){ .begin = firefox_ns(f, e->tick),
					.end = firefox_ns(f, e->tick),
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
	uint64_t end = firefox_ns(f, tick);

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

	curve_add(e->ev->memory.flags & RSD_MEMORY_MOST ? &f->rss_most : &f->rss, firefox_ns(f, e->tick),
		  e->ev->memory.rss_bytes);
}

/* The row of a new block, from 1 on. With many rows a stack has one more for the rest of the time. */
static uint64_t row_for(struct firefox *f, struct track *t, const struct life *life)
{
	uint64_t ns = firefox_ns(f, life->born), part = f->rows_len < FIREFOX_EVENTS_MAX ? ns / f->part_ns : UINT64_MAX;
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
	curve_add(&f->heap, firefox_ns(f, life->born), f->live_bytes);
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
	curve_add(&f->heap, firefox_ns(f, end->tick), f->live_bytes);
	if (!row)
		return;
	row->freed += bytes;
	row->freed_ns = firefox_ns(f, end->tick);
}

/* ---- the pass ------------------------------------------------------------------------------------------------- */

static int compare_markers(const void *a, const void *b)
{
	const struct marker *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end == y->end ? 0 : x->end > y->end ? -1 : 1;
}

/* All markers of a thread in one list, in the order of their beginnings. */
static void join_markers(struct firefox *f, struct track *t)
{
	for (size_t i = 0; i < t->notes.len; i++)
		add_marker(f, &t->waits, t->notes.list[i]);
	if (t->waits.len)
		qsort(t->waits.list, t->waits.len, sizeof(*t->waits.list), compare_markers);
}

int firefox_gather(struct firefox *f)
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
	for (uint32_t i = 0; i < f->rec->threads_len; i++)
		join_markers(f, &f->tracks[i]);
	return err;
}
