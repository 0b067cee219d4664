/* SPDX-License-Identifier: MIT */
/* block_tables.h - what `ringside block` shows beside the stacks: kinds, locks with their holders, descriptors. */
#ifndef RINGSIDE_BLOCK_TABLES_H
#define RINGSIDE_BLOCK_TABLES_H

#include "analyzer/commands/session.h"

/* Both write to s->out and return an exit code. block_json is one object with the keys of the report's "block". */
int block_tables(struct session *s, const struct options *o);
int block_json(struct session *s, const struct options *o);

#endif
