/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/read/stream.h"
#include "format/kinds.h"

#define STREAM_BUFFER 16384u
#define READY_MAX 32u
#define WAKE_BYTES 16384u /* what is left of an extent for a worker to begin with it */
#define WORKERS_MAX 4u

/* One open extent. data[at, len) is read and not yet decoded, `left` bytes of the extent are still in the file. */
struct stream {
	struct streams *all;
	const struct extent *ext;
	struct batch *current; /* in the caller's hands */

	/* Of whoever decodes: a worker while is_busy is set, else nobody. */
	struct rsd_stream state;
	uint64_t key; /* tick of the last record, never before an earlier one's */
	uint64_t offset, left;
	uint32_t thread, at, len;

	/* Under the lock. */
	struct batch *ready[READY_MAX]; /* in order */
	unsigned ready_len;
	bool is_busy, is_queued, is_done; /* is_done: all is decoded */
	struct stream *next, *previous;	  /* in the queue */
	struct stream *next_open, *previous_open;
	uint8_t data[STREAM_BUFFER];
};

struct streams {
	struct recording *rec;
	bool has_records;
	pthread_t threads[WORKERS_MAX];
	unsigned threads_len;
	pthread_mutex_t lock; /* of everything below */
	pthread_cond_t has_work, has_batch;
	struct stream *first, *last; /* the queue: streams that a worker should go on with */
	struct stream *open;
	struct batch *idle;
	unsigned ahead; /* batches that wait in `ready` of streams */
	bool is_ending;
};

/* ---- decoding: no lock, nothing but the stream and its batch -------------------------------------------------- */

static int fill_buffer(struct stream *st, struct batch *b)
{
	struct reader *r = &st->all->rec->reader;
	uint32_t keep = st->len - st->at, take = sizeof(st->data) - keep;
	int err;

	if (take > st->left)
		take = (uint32_t)st->left;
	memmove(st->data, st->data + st->at, keep);
	st->at = 0;
	st->len = keep;
	err = take ? reader_read(r, st->offset, st->data + keep, take) : 0;
	if (err == -EBADMSG) {
		b->damage = st->offset;
		b->damaged = reader_words(err);
		st->left = 0;
		return 0;
	}
	if (err)
		return err;
	st->len += take;
	st->offset += take;
	st->left -= take;
	b->stats.bytes += take;
	if (r->header.ring_bytes && st->all->rec->is_live && reader_is_recycled(r, st->ext)) {
		b->stats.recycled++;
		st->len = st->at;
		st->left = 0;
	}
	return 0;
}

static const struct {
	uint8_t kind, api;
} of_tag[] = { [RSD_TAG_FREE] = { EV_FREE, API_FREE },
	       [RSD_TAG_MALLOC] = { EV_ALLOC, API_MALLOC },
	       [RSD_TAG_CALLOC] = { EV_ALLOC, API_CALLOC },
	       [RSD_TAG_REALLOC_ALLOC] = { EV_REALLOC_ALLOC, API_REALLOC },
	       [RSD_TAG_REALLOC_FREE] = { EV_REALLOC_FREE, API_REALLOC } };

/* Short forms one after the other: this loop decodes nearly everything. */
static void decode_short(struct stream *st, struct batch *b)
{
	const uint8_t *p = st->data + st->at, *end = st->data + st->len;
	struct pass_event *e = b->events + b->len, *full = b->events + BATCH_EVENTS;
	struct rsd_stream state = st->state;
	struct codec_short record;
	uint64_t key = st->key;
	size_t n;

	while (e < full && end - p >= CODEC_RECORD_MAX && (n = codec_get_short(p, CODEC_RECORD_MAX, &state, &record))) {
		unsigned kind = of_tag[record.tag].kind;

		p += n;
		if (state.tick > key)
			key = state.tick;
		*e++ = (struct pass_event){ .tick = key,
					    .addr = state.addr,
					    .size = record.size,
					    .stack = record.stack,
					    .thread = st->thread,
					    .kind = kind,
					    .api = of_tag[record.tag].api };
		b->stats.by_kind[kind]++;
	}
	st->at = (uint32_t)(p - st->data);
	st->state = state;
	st->key = key;
	b->len = (uint32_t)(e - b->events);
}

static uint32_t known_thread(const struct stream *st, uint32_t thread)
{
	return thread < PASS_NO_THREAD && recording_thread(st->all->rec, thread) ? thread : PASS_NO_THREAD;
}

static unsigned known_api(uint32_t api)
{
	return api <= API_FREE_SIZED ? api : 0;
}

/* Both shapes of blocks begin head, addr. */
static void add_record(struct stream *st, struct batch *b)
{
	struct rsd_event *ev = &b->records[b->records_len];
	struct pass_event *e = &b->events[b->len];

	if (ev->kind == EV_THREAD) {
		st->thread = known_thread(st, ev->thread.thread);
		return;
	}
	b->stats.last_tick = st->key;
	if (!kind_info(ev->kind)) {
		b->stats.unknown++;
		return;
	}
	*e = (struct pass_event){ .tick = st->key, .thread = st->thread, .kind = ev->kind };
	if (ev->kind == EV_SAMPLE)
		e->thread = known_thread(st, ev->sample.thread);
	b->stats.by_kind[ev->kind]++;
	b->len++;
	if (!pass_is_block(ev->kind) || st->all->has_records) {
		e->ev = ev;
		b->records_len++;
		return;
	}
	e->addr = ev->free.addr;
	if (ev->kind == EV_FREE || ev->kind == EV_REALLOC_FREE) {
		e->api = known_api(ev->free.api);
		e->stack = ev->free.stack;
		return;
	}
	e->api = known_api(ev->alloc.api);
	e->size = ev->alloc.size;
	e->stack = ev->alloc.stack;
}

/* Any one record. False when it makes no sense. */
static bool decode_one(struct stream *st, struct batch *b)
{
	size_t n = codec_get(st->data + st->at, st->len - st->at, &st->state, &b->records[b->records_len]);

	if (!n) {
		b->damage = st->offset - (st->len - st->at);
		b->damaged = "a record that makes no sense";
		return false;
	}
	st->at += (uint32_t)n;
	if (st->state.tick > st->key)
		st->key = st->state.tick;
	add_record(st, b);
	return true;
}

static void fill(struct stream *st, struct batch *b)
{
	b->stats = (struct pass_stats){ 0 };
	b->len = b->records_len = 0;
	b->err = 0;
	b->is_last = false;
	b->damaged = NULL;
	while (b->len < BATCH_EVENTS && b->records_len < BATCH_RECORDS && !b->is_last) {
		if (st->len - st->at < CODEC_RECORD_MAX * 8 && st->left)
			b->err = fill_buffer(st, b);
		if (!b->err && !st->all->has_records)
			decode_short(st, b);
		if (b->len == BATCH_EVENTS)
			break;
		b->is_last = b->err || st->at == st->len || !decode_one(st, b);
	}
	b->stats.events = b->len;
	if (b->len && b->events[b->len - 1].tick > b->stats.last_tick)
		b->stats.last_tick = b->events[b->len - 1].tick;
}

/* ---- who decodes ---------------------------------------------------------------------------------------------- */

static void queue_remove(struct stream *st)
{
	struct streams *s = st->all;

	if (!st->is_queued)
		return;
	*(st->previous ? &st->previous->next : &s->first) = st->next;
	*(st->next ? &st->next->previous : &s->last) = st->previous;
	st->is_queued = false;
}

static void queue_add(struct stream *st)
{
	struct streams *s = st->all;

	st->next = NULL;
	st->previous = s->last;
	*(s->last ? &s->last->next : &s->first) = st;
	s->last = st;
	st->is_queued = true;
	pthread_cond_signal(&s->has_work);
}

/* Make one batch. With the lock, which is given up meanwhile. */
static void make_batch(struct stream *st)
{
	struct streams *s = st->all;
	struct batch *b = s->idle;

	if (b)
		s->idle = b->next;
	st->is_busy = true;
	pthread_mutex_unlock(&s->lock);
	b = b ? b : malloc(sizeof(*b));
	if (b)
		fill(st, b);
	pthread_mutex_lock(&s->lock);
	st->is_busy = false;
	st->is_done = !b || b->is_last;
	if (b)
		st->ready[st->ready_len++] = b;
	s->ahead += b != NULL;
}

static void *work(void *arg)
{
	struct streams *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->is_ending) {
		struct stream *st = s->first;

		if (!st) {
			pthread_cond_wait(&s->has_work, &s->lock);
			continue;
		}
		queue_remove(st);
		while (!st->is_done && st->ready_len < READY_MAX && s->ahead < STREAM_AHEAD && !s->is_ending) {
			make_batch(st);
			pthread_cond_signal(&s->has_batch);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct streams *streams_new(struct recording *rec, unsigned workers, bool has_records)
{
	struct streams *s = calloc(1, sizeof(*s));
	sigset_t all, old;

	if (!s)
		return NULL;
	s->rec = rec;
	s->has_records = has_records;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->has_work, NULL);
	pthread_cond_init(&s->has_batch, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (s->threads_len < workers && s->threads_len < WORKERS_MAX &&
	       !pthread_create(&s->threads[s->threads_len], NULL, work, s))
		s->threads_len++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return s;
}

static void free_batch(struct streams *s, struct batch *b)
{
	b->next = s->idle;
	s->idle = b;
}

/* Nobody is decoding it. */
static void stream_free(struct stream *st)
{
	struct streams *s = st->all;

	queue_remove(st);
	*(st->previous_open ? &st->previous_open->next_open : &s->open) = st->next_open;
	if (st->next_open)
		st->next_open->previous_open = st->previous_open;
	if (st->current)
		free_batch(s, st->current);
	for (unsigned i = 0; i < st->ready_len; i++)
		free_batch(s, st->ready[i]);
	free(st);
}

void streams_free(struct streams *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->is_ending = true;
	pthread_cond_broadcast(&s->has_work);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->threads_len; i++)
		pthread_join(s->threads[i], NULL);
	while (s->open)
		stream_free(s->open);
	for (struct batch *b = s->idle, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->has_work);
	pthread_cond_destroy(&s->has_batch);
	free(s);
}

/* ---- the caller's side ---------------------------------------------------------------------------------------- */

int stream_open(struct streams *s, const struct extent *ext, struct stream **out)
{
	struct stream *st = malloc(sizeof(*st));

	if (!st)
		return -ENOMEM;
	memset(st, 0, offsetof(struct stream, data));
	st->all = s;
	st->ext = ext;
	st->state = (struct rsd_stream){ .tick = ext->base.tick };
	st->offset = ext->offset;
	st->left = ext->size;
	st->thread = known_thread(st, ext->thread);
	pthread_mutex_lock(&s->lock);
	st->next_open = s->open;
	if (s->open)
		s->open->previous_open = st;
	s->open = st;
	pthread_mutex_unlock(&s->lock);
	*out = st;
	return 0;
}

/* Waking a worker costs as much as making a batch. Nobody is decoding. */
static bool pays_to_wake(const struct stream *st)
{
	return st->ready_len <= READY_MAX / 2 && st->left >= WAKE_BYTES;
}

/* With the lock: the next batch, made here when nobody has and nobody is about to. */
static struct batch *take_batch(struct stream *st)
{
	struct streams *s = st->all;
	struct batch *b;

	while (!st->ready_len && !(st->is_done && !st->is_busy)) {
		if (st->is_busy) {
			pthread_cond_wait(&s->has_batch, &s->lock);
			continue;
		}
		queue_remove(st);
		make_batch(st);
	}
	if (!st->ready_len)
		return NULL;
	b = st->ready[0];
	memmove(st->ready, st->ready + 1, --st->ready_len * sizeof(struct batch *));
	s->ahead--;
	if (s->threads_len && !st->is_done && !st->is_busy && !st->is_queued && pays_to_wake(st))
		queue_add(st);
	return b;
}

static void add_stats(struct pass_stats *sum, const struct pass_stats *add)
{
	sum->events += add->events;
	sum->unknown += add->unknown;
	sum->recycled += add->recycled;
	sum->bytes += add->bytes;
	if (add->last_tick > sum->last_tick)
		sum->last_tick = add->last_tick;
	for (unsigned kind = 0; kind < EV_LIMIT; kind++)
		sum->by_kind[kind] += add->by_kind[kind];
}

/* Damage becomes known when the caller arrives at it, so that its order does not depend on the workers. */
int stream_next(struct stream *st, const struct batch **batch, struct pass_stats *stats)
{
	struct streams *s = st->all;
	struct batch *b = st->current;
	int ret = -ENOMEM;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		bool is_end = b && b->is_last;

		if (b && b->damaged)
			reader_damage(&s->rec->reader, b->damage, b->damaged);
		ret = is_end ? b->err : -ENOMEM;
		if (b)
			free_batch(s, b);
		st->current = b = is_end ? NULL : take_batch(st);
		if (!b)
			break;
		add_stats(stats, &b->stats);
		if (b->len) {
			ret = 1;
			break;
		}
	}
	if (!b && !ret)
		stream_free(st);
	pthread_mutex_unlock(&s->lock);
	*batch = b;
	return ret;
}
