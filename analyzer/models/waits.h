/* SPDX-License-Identifier: MIT */
/*
 * waits.h - blocking calls: how often, how long, where, by kind.
 *
 * A span is a call at least as long as the recorder's threshold. Its blocked time is the part in which the thread
 * was off the CPU: the thread's CPU clock is read now and then, and off = elapsed - CPU since the last reading.
 * At most the span's own length of that is this wait's; what is left over was time on the run queue, or in waits
 * too short to be recorded, before it. Shorter calls are known by number and sum only.
 */
#ifndef RINGSIDE_WAITS_H
#define RINGSIDE_WAITS_H

#include "analyzer/read/pass.h"
#include "analyzer/models/profile.h"
#include "analyzer/util/histogram.h"

/* One span's time: off_ns <= blocked_ns <= dur_ns; excess_ns was off the CPU before it. */
struct span_time {
	uint64_t dur_ns;
	uint64_t off_ns;     /* off the CPU */
	uint64_t blocked_ns; /* the same, except for spin locks: who spins gets on no more than who sleeps */
	uint64_t excess_ns;
};
struct span_time span_split(const struct clock *clock, const struct rec_span *span);

struct wait_site {
	struct stack_id stack;
	uint32_t wait; /* waits.def */
	uint64_t spans;
	uint64_t dur_ns, blocked_ns, max_ns; /* max of blocked time */
	uint64_t unfinished;		     /* of spans: threads still waiting when the recording ended */
	bool in_pool;			     /* by threads of which several run the same start routine */
};

struct wait_kind {
	uint64_t calls; /* all, short ones included */
	uint64_t spans, blocked_ns, dur_ns;
	uint64_t short_ns;	   /* summed over calls below the threshold, on the CPU or off it */
	struct histogram *blocked; /* by span; NULL while there is none */
};

struct waits {
	struct recording *rec;
	struct wait_site *sites;
	size_t sites_len, sites_cap;
	struct map site_of;    /* wait and stack -> index */
	struct map routine_of; /* start routine -> threads that run it */
	struct wait_kind kinds[RSD_WAITS];
	struct wait_kind total;
	bool failed;
};

int waits_init(struct waits *w, struct recording *rec);
void waits_release(struct waits *w);
struct pass_sink waits_sink(struct waits *w);

/*
 * waits_finish - after the pass: the calls counted by threads, and the waits that had not ended. `filter` as in
 * pass_run: with a time window only spans are known, calls and unfinished waits are left out.
 */
void waits_finish(struct waits *w, const struct pass_filter *filter);

int waits_merge(struct waits *into, const struct waits *from);

/*
 * waits_profile - blocked, spans and elapsed by stack; the kind is the row's label. `kinds` is a bit mask of
 * waits.def ids to keep, 0 for all.
 */
int waits_profile(const struct waits *w, uint64_t kinds, struct profile *p);

#endif
