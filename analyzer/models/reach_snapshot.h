/* SPDX-License-Identifier: MIT */
/* reach_snapshot.h - the records of one snapshot in a dump, checked, one after the other. */
#ifndef RINGSIDE_REACH_SNAPSHOT_H
#define RINGSIDE_REACH_SNAPSHOT_H

#include "analyzer/read/recording.h"

/* snapshot_each - every record of snapshot `number`: its head and head->len bytes. 0, what `each` returned, or -errno.
 */
int snapshot_each(struct recording *rec, uint32_t number,
		  int (*each)(void *self, const struct rsd_reach *head, const uint8_t *payload), void *self);

struct snapshot_summary {
	uint32_t number, count; /* the last whole one, else the last; how many there are */
	struct reach_begin begin;
	struct reach_end end;
	bool is_whole;
};

/* snapshot_choose - 0, -ENOENT when there is none, or -errno. */
int snapshot_choose(struct recording *rec, struct snapshot_summary *out);

#endif
