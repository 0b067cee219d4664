/* SPDX-License-Identifier: MIT */
/*
 * names.h - a namer (namer.h) for each object, in a process that may crash or never come back: then the names of one
 * object are lost, and a new process goes on with the others. There are two such processes if there are cores for them.
 */
#ifndef RINGSIDE_NAMES_H
#define RINGSIDE_NAMES_H

#include "analyzer/symbols/namer.h"
#include "analyzer/symbols/strings.h"

struct names;

struct names_options {
	bool is_inside;	      /* no process: here. For tests that watch the code that reads hostile files */
	bool has_network;     /* see sandbox_enter */
	unsigned seconds_max; /* of CPU time for one question; 0: NAMES_SECONDS */
};

#define NAMES_SECONDS 20u
#define NAMES_LIVES 8u /* processes in all; then there are no more names */

/* names_new - nothing is started before the first question. NULL without memory. */
struct names *names_new(const struct names_options *options);
/* names_end - no more questions: what the processes hold is given back while this one does other things. */
void names_end(struct names *n);
void names_free(struct names *n);

/* names_start - start the processes now, while this one is small. */
void names_start(struct names *n);

/*
 * The object in question. `id` is from 1 on; of one id the rest is always the same.
 *
 * names_open - open it. True if it has names; *note gets what there is to know.
 * names_expect - it will be opened: do it while nobody asks.
 */
bool names_open(struct names *n, uint32_t id, const struct elf_want *want, struct buf *note);
void names_expect(struct names *n, uint32_t id, const struct elf_want *want);

/* Where the frames of an address go; see namer_lookup. Strings are in the list that was given to names_lookup. */
struct names_sink {
	void (*take)(void *self, uint64_t address, const struct frame *frames, size_t len);
	void *self;
	struct strings *strings;
};

#define NAMES_BATCH 1024u

/*
 * names_lookup - as namer_lookup, for `len` addresses at a time.
 *
 * Returns:  how many of them, from the first on, were answered: not always all. 0 when the object has no names any
 *           more, and *note says why.
 * names_data - as namer_data.
 */
size_t names_lookup(struct names *n, uint32_t id, const struct elf_want *want, const uint64_t *addresses, size_t len,
		    const struct names_sink *sink, struct buf *note);
void names_data(struct names *n, uint32_t id, const struct elf_want *want, uint64_t address, struct buf *out,
		struct buf *note);

/*
 * names_class - as namer_class.
 * names_text - as namer_text, of at most NAMES_TEXT bytes; -ENOENT also when the object has no names.
 */
#define NAMES_TEXT (1u << 19)
void names_class(struct names *n, uint32_t id, const struct elf_want *want, uint64_t address, struct buf *out,
		 struct buf *note);
int names_text(struct names *n, uint32_t id, const struct elf_want *want, const char *function, struct buf *out,
	       struct buf *note);

#endif
