/* SPDX-License-Identifier: MIT */
/*
 * crest.h - what each part of something had when the whole was largest, exactly and in one pass.
 *
 *     crest_rise(&c, &row->mark, w);     for each part that the block belongs to
 *     crest_rise_all(&c, w, tick);       once a block, after its parts
 *     ...
 *     crest_settle(&c, &row->mark);      at the end: mark.peak_* are valid
 *
 * A part that changes after a new maximum first saves what it had at the maximum; one that has not changed since still
 * has it. Counts are in WEIGHT_ONEths.
 */
#ifndef RINGSIDE_CREST_H
#define RINGSIDE_CREST_H

#include "analyzer/models/weight.h"

/* Of a part. Ready when zeroed. */
struct crest_mark {
	uint64_t live_blocks, live_bytes;
	uint64_t peak_blocks, peak_bytes; /* valid after crest_settle */
	uint64_t epoch;			  /* of the maximum that peak_* was saved for */
};

/* Of the whole. Ready when zeroed. */
struct crest {
	uint64_t live_blocks, live_bytes;
	uint64_t peak_blocks, peak_bytes, peak_tick;
	uint64_t epoch;
};

static inline void crest_settle(const struct crest *c, struct crest_mark *m)
{
	if (m->epoch == c->epoch)
		return;
	m->epoch = c->epoch;
	m->peak_blocks = m->live_blocks;
	m->peak_bytes = m->live_bytes;
}

static inline void crest_rise(const struct crest *c, struct crest_mark *m, struct weight w)
{
	crest_settle(c, m);
	m->live_blocks += w.ones;
	m->live_bytes += w.bytes;
}

static inline void crest_fall(const struct crest *c, struct crest_mark *m, struct weight w)
{
	crest_settle(c, m);
	m->live_blocks -= w.ones;
	m->live_bytes -= w.bytes;
}

static inline void crest_rise_all(struct crest *c, struct weight w, uint64_t tick)
{
	c->live_blocks += w.ones;
	c->live_bytes += w.bytes;
	if (c->live_bytes <= c->peak_bytes)
		return;
	c->peak_blocks = c->live_blocks;
	c->peak_bytes = c->live_bytes;
	c->peak_tick = tick;
	c->epoch++;
}

static inline void crest_fall_all(struct crest *c, struct weight w)
{
	c->live_blocks -= w.ones;
	c->live_bytes -= w.bytes;
}

#endif
