/* SPDX-License-Identifier: MIT */
/*
 * suppressions.h - which stacks LeakSanitizer's suppression files leave out, by the same rules.
 *
 *     # a comment
 *     leak:PATTERN
 *
 * A pattern matches anywhere in a function's name, a source path or a module's path of any frame. `*` stands for any
 * text, `^` at its beginning and `$` at its end tie it to the ends of the name.
 */
#ifndef RINGSIDE_SUPPRESSIONS_H
#define RINGSIDE_SUPPRESSIONS_H

#include "analyzer/symbols/stack_index.h"
#include "analyzer/util/buf.h"

struct suppression {
	char *pattern;
	const char *origin;	/* where it stands, as given */
	uint64_t blocks, bytes; /* what it left out, the caller's to count */
};

/* Ready when zeroed: nothing is left out. */
struct suppressions {
	struct suppression *list;
	size_t len, cap;
	struct stack_index index; /* 1: none matches, else number of the first that does + 2 */
	bool failed;		  /* memory ran out: some stacks were not left out */
};

void suppressions_release(struct suppressions *s);

/*
 * suppressions_add - the lines of `text`; before the first suppressions_find.
 *
 * origin:   kept, and named in *error.
 * Returns:  0, -ENOMEM, -EINVAL for a line of another kind; *error says which.
 */
int suppressions_add(struct suppressions *s, const char *text, size_t len, const char *origin, struct buf *error);

/* suppressions_add_file - the same for a file, which may be of at most 16 MiB; -EINVAL also when it can't be read. */
int suppressions_add_file(struct suppressions *s, const char *path, struct buf *error);

/* suppressions_find - the one that leaves `stack` out, or NULL. Costs two loads once the stack was asked for. */
struct suppression *suppressions_find(struct suppressions *s, struct stacks *stacks, struct stack_id stack);

/* suppression_matches - LeakSanitizer's rule for one pattern and one name; NULL and "" match nothing. */
bool suppression_matches(const char *pattern, const char *name);

#endif
