/* SPDX-License-Identifier: MIT */
/*
 * contract.h - rules for `ringside check`: where nothing may be allocated, how much a region may use, how large a total
 * may get.
 *
 *     no malloc in audio_callback after 1s
 *     at most 4k per call in parse
 *     at most 3 mallocs per region frame
 *     no free in thread rt-.*
 *     peak heap < 100m
 *     cpu in compress < 30 %
 *     wait for mutex server.log.lock < 100ms
 *
 * Names are extended regular expressions that have to match the whole name. A rule is about single events (allocations,
 * frees, waits) or about one total. What a recording cannot decide, because the heap was sampled or frees have no
 * stacks, is said to be undecided: it is not kept.
 */
#ifndef RINGSIDE_CONTRACT_H
#define RINGSIDE_CONTRACT_H

#include <regex.h>

#include "analyzer/models/analysis.h"

enum contract_what { WHAT_MALLOC, WHAT_FREE, WHAT_REALLOC, WHAT_HEAP, WHAT_WAIT };
enum contract_per { PER_CALL, PER_REGION, PER_RUN };
enum contract_op { OP_LESS, OP_LESS_EQUAL, OP_EQUAL, OP_NOT_EQUAL, OP_GREATER_EQUAL, OP_GREATER };

enum contract_quantity {
#define QUANTITY(id, words, unit, source, value, help) TOTAL_##id,
#include "analyzer/models/quantities.def"
	TOTALS
};
struct quantity_info {
	const char *words, *value, *help;
	enum unit unit;
	enum { FROM_HEAP, FROM_CPU, FROM_BLOCK, FROM_PROCESS } source;
};
extern const struct quantity_info quantity_infos[TOTALS];

/* A pattern for whole names; ready when zeroed: none. */
struct name_pattern {
	char *text;
	regex_t regex;
};

/* A breach of a rule about events. */
struct breach {
	uint64_t ns;	 /* since the start */
	uint64_t amount; /* bytes of the block; with a sum what it came to; ns of a wait; of frees 0 */
	struct stack_id stack;
	uint32_t tid;
	char thread[17]; /* its name, unsafe */
	char *process;	 /* base name, when several were checked; else NULL */
};

enum contract_status { CONTRACT_KEPT, CONTRACT_BROKEN, CONTRACT_UNDECIDED };

struct contract {
	char *text;	    /* the rule as given */
	const char *source; /* file, or "--rule"; not owned */
	unsigned line;	    /* of the file, 0: of the command line */
	bool is_total;
	/* Events. */
	enum contract_what what;
	enum contract_per per;
	uint64_t limit; /* of amounts, or of events when counts_events; 0: none at all */
	bool counts_events;
	struct name_pattern function, thread, region, module, per_region;
	uint64_t from_ns, to_ns; /* to_ns 0: to the end */
	/* Totals. */
	enum contract_quantity quantity;
	enum contract_op op;
	double bound; /* in the quantity's unit, or a share when is_share */
	bool is_share;
	uint32_t wait;		  /* WAIT_FOR: waits.def, 0: any lock */
	struct name_pattern lock; /* WAIT_FOR: of the lock */
	/* The result. */
	enum contract_status status;
	const char *reason; /* why it is undecided, or there may be more breaches; NULL: none. Static text */
	double value;	    /* of a total */
	uint64_t events;    /* that the rule is about, kept or not */
	uint64_t cut;	    /* events outside as far as their stacks go, which end early */
	uint64_t breaches;
	struct breach *list; /* the first ones */
	size_t list_len, list_cap;
};

struct contracts {
	struct contract *list;
	size_t len, cap;
	size_t keep; /* breaches listed of each; 0: all */
};

/*
 * contract_parse - one rule, appended to the list; an empty line and one that begins with # are none.
 *
 * Returns:  0, -EINVAL with a sentence in *error and in *column where it went wrong (from 0), -ENOMEM.
 */
int contract_parse(struct contracts *c, const char *text, const char *source, unsigned line, size_t *column,
		   struct buf *error);
void contracts_release(struct contracts *c);

/* Whether any rule is about totals, or events. */
bool contracts_want(const struct contracts *c, bool totals);

/*
 * contracts_watch - one pass over one process's events; may be called for several, which add up. `process`: its name
 * for the breaches, NULL when there is one only. The analysis has only begun. 0 or -errno as analysis_pass.
 */
int contracts_watch(struct contracts *c, struct analysis *a, const char *process);

/* contracts_sum - the totals of a finished analysis. 0 or -ENOMEM. */
int contracts_sum(struct contracts *c, const struct analysis *a, struct stacks *stacks);

/*
 * contract_is_known - whether any function of any stack has the name that the rule speaks of; true when it speaks of
 * none.
 *
 * nearest:  the name most like it, if it is not; NULL: none is.
 * Cost:     names are looked up for all stacks there are: for rules that had nothing to do.
 */
bool contract_is_known(const struct contract *c, struct stacks *stacks, const char **nearest);

/* name_matches - the whole of `name`. name_matches_frame - the function as written or shortened. */
bool name_matches(const struct name_pattern *p, const char *name);
bool name_matches_frame(const struct name_pattern *p, const struct frame *frame);

#endif
