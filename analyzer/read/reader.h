/* SPDX-License-Identifier: MIT */
/*
 * reader.h - from a dump file to checked extents. A compressed dump (packed.h) is read as if it were raw.
 *
 * The file may be damaged, foreign, or growing while it is read, and its apparent size may be hundreds of GiB of
 * holes: nothing is mapped, nothing is sized by st_size, every offset that leaves this file lies inside the units
 * in use. The index is a snapshot: what is committed later is seen by the next reader_refresh.
 */
#ifndef RINGSIDE_READER_H
#define RINGSIDE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/util/buf.h"
#include "format/record.h"

/* One extent: `size` committed bytes of data at file offset `offset`, both checked against the units in use. */
struct extent {
	uint64_t offset, size;
	enum rsd_extent_kind kind;
	uint32_t thread, first;
	uint64_t seq;
	struct rsd_clock base;
	uint64_t first_tick; /* EVENTS, SAMPLES: of the first record, at most base.tick */
};

struct packed;

struct reader {
	char *path;
	int fd;
	struct packed *packed;	  /* NULL: the dump is not compressed */
	struct rsd_header header; /* as of the last open or refresh */
	uint64_t units;		  /* in use, at most what the file holds */
	uint64_t indexed;	  /* units below this are in the index */
	struct extent *extents;
	size_t extents_len, extents_cap;
	uint64_t damaged;	 /* extents whose head made no sense, or whose records stopped early */
	uint64_t damaged_offset; /* of the first of them, 0 if none */
	const char *damaged_words;
};

/*
 * reader_open - check the header and index the extents.
 *
 * error:    gets "PATH: offset N: what" when it can't be read.
 * Returns:  0, -EINVAL for a file that is no dump, is cut short or of another version, or what open and read said.
 *           After an error nothing is left to release.
 */
int reader_open(struct reader *r, const char *path, struct buf *error);
void reader_release(struct reader *r);
/* reader_close - give the descriptor and the index back; header and path stay. Nothing can be read any more. */
void reader_close(struct reader *r);

/* reader_open_head - the same without the index: header and texts only. */
int reader_open_head(struct reader *r, const char *path, struct buf *error);

/*
 * reader_refresh - read the header again and index what was taken since.
 *
 * The `size` of extents that are there already stays as it was: first index events, then refresh and read stacks
 * and names, and everything an event refers to will be there.
 */
int reader_refresh(struct reader *r, struct buf *error);

/*
 * reader_read - `size` bytes at `offset` that the index says are there.
 *
 * Returns:  0, -EIO when the file shrank, -EBADMSG when a piece of a compressed dump is damaged.
 * Safety:   several threads may read at once.
 */
int reader_read(const struct reader *r, uint64_t offset, void *out, size_t size);

/* reader_words - what an error of reading means, for a message. */
const char *reader_words(int err);

/* reader_is_recycled - the ring has overwritten the extent since it was indexed. Costs one small read. */
bool reader_is_recycled(const struct reader *r, const struct extent *ext);

/* reader_damage - remember that something at `offset` could not be understood; `words` is static. */
void reader_damage(struct reader *r, uint64_t offset, const char *words);

/*
 * reader_text - one text of the header as a NUL terminated string the caller frees; "" when it is outside unit 0.
 * *len (may be NULL) counts NULs inside: argv is joined by them.
 */
char *reader_text(const struct reader *r, struct rsd_text text, size_t *len);

/* reader_is_live - the recorded process is still running on this machine and said no goodbye. */
bool reader_is_live(const struct reader *r);

#endif
