/* SPDX-License-Identifier: MIT */
/*
 * stream.h - the events of one extent after another in batches, decoded ahead by threads of their own.
 *
 * Decoding needs nothing but the extent, so whoever has time does it: a worker that finds a stream with few batches
 * ready makes more, and stream_next makes one itself when there is none. So a machine with one core works without
 * workers, and results never depend on who was faster.
 *
 * Memory:   each open stream has a buffer and the batch in use; all streams share STREAM_AHEAD batches beyond that.
 */
#ifndef RINGSIDE_STREAM_H
#define RINGSIDE_STREAM_H

#include "analyzer/read/recording.h"
#include "format/codec.h"

#define BATCH_EVENTS 1024u
#define BATCH_RECORDS 128u
#define STREAM_AHEAD 64u

/* One event. Small, because there are millions: what most events do not have is in a record beside them. */
struct pass_event {
	uint64_t tick; /* never before the previous event's */
	union {
		struct { /* kinds that pass_is_block() tells, unless the streams have records for all */
			uint64_t addr, size; /* of a free: 0 */
		};
		const struct rsd_event *ev; /* all other kinds; its shape is known, ids in it are not checked */
	};
	uint32_t stack;	      /* dump's id; of a block's kinds only, of a free 0 where it is not known */
	uint32_t thread : 23; /* index; below recording.threads_len or PASS_NO_THREAD */
	uint32_t kind : 5;    /* enum rsd_event_kind, one that this version knows */
	uint32_t api : 4;     /* apis.def: the call that made or ended a block; 0 for other kinds and unknown calls */
};
#define PASS_NO_THREAD 0x7fffffu

_Static_assert(sizeof(struct pass_event) == 32, "an event is half a cache line");
_Static_assert(EV_LIMIT <= 32, "kinds are bits of a word below, and 5 bits above");
_Static_assert(API_FREE_SIZED < 16, "the calls of blocks are 4 bits");

/* pass_is_block - malloc, realloc and free: nearly all events of a dump. */
static inline bool pass_is_block(unsigned kind)
{
	return (1u << kind) & (1u << EV_ALLOC | 1u << EV_REALLOC_ALLOC | 1u << EV_SAMPLED_ALLOC | 1u << EV_FREE |
			       1u << EV_REALLOC_FREE);
}

/* What was counted on the way. */
struct pass_stats {
	uint64_t events;  /* records of kinds that this version knows, thread switches not counted */
	uint64_t unknown; /* records of kinds of later versions */
	uint64_t by_kind[EV_LIMIT];
	uint64_t recycled;  /* extents that the ring took back while they were read */
	uint64_t bytes;	    /* of records read */
	uint64_t last_tick; /* of all records, unknown kinds too */
};

/* Some events of one stream, in its order. All of a batch is good until the next stream_next of its stream. */
struct batch {
	struct pass_event events[BATCH_EVENTS];
	struct rsd_event records[BATCH_RECORDS];
	uint32_t len, records_len;
	struct pass_stats stats;
	bool is_last;	     /* the extent ends here, or at damage, or by an error */
	int err;	     /* stream_next returns it */
	uint64_t damage;     /* file offset of what could not be understood */
	const char *damaged; /* static words for it; NULL: nothing */
	struct batch *next;  /* in a list, while nobody uses it */
};

struct streams;
struct stream;

/*
 * streams_new - for the extents of one recording.
 *
 * workers:     how many threads, of which at most 4 are started; 0: none.
 * has_records: every event has its record, for whoever needs fields that struct pass_event has not.
 * Returns:     NULL without memory. When threads can't be started there are fewer.
 */
struct streams *streams_new(struct recording *rec, unsigned workers, bool has_records);
/* streams_free - streams that are still open are closed. */
void streams_free(struct streams *s);

/* stream_open - of an extent with records. 0 or -ENOMEM. */
int stream_open(struct streams *s, const struct extent *ext, struct stream **out);

/*
 * stream_next - the next batch that has events.
 *
 * Returns:  1; 0 when there are no more, then damage that ended the extent is in the reader and the stream is gone;
 *           -ENOMEM, -EIO when the file shrank.
 */
int stream_next(struct stream *st, const struct batch **batch, struct pass_stats *stats);

#endif
