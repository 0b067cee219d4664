/* SPDX-License-Identifier: MIT */
/*
 * workload.h - how much work a program did, by its own account: tasks, regions, logs and counters of ringside.h by
 * name.
 *
 * Two runs that did different amounts of work are compared per unit of it.
 */
#ifndef RINGSIDE_WORKLOAD_H
#define RINGSIDE_WORKLOAD_H

#include "analyzer/read/pass.h"
#include "analyzer/util/map.h"

/* More names than this are not told apart: they are meant to be few. */
#define WORKLOAD_NAMES_MAX 4096u

struct workload_name {
	char *text;		       /* unsafe */
	uint64_t tasks, regions, logs; /* begun, begun, written */
	uint64_t counter_records;      /* of a counter */
	double counter_last;	       /* its last value */
};

struct workload {
	struct recording *rec;
	struct workload_name *names;
	size_t names_len, names_cap;
	struct map name_of; /* string id -> index + 1 */
	bool failed;
};

void workload_init(struct workload *w, struct recording *rec);
void workload_release(struct workload *w);
struct pass_sink workload_sink(struct workload *w);

/* workload_merge - add another process's; counters are summed. 0 or -ENOMEM. */
int workload_merge(struct workload *into, const struct workload *from);

/*
 * workload_count - how many units of `name` were done: its tasks; if there are none its regions, then its logs, then
 * the last value of the counter. *kind: "tasks", "regions", "logs" or "counter"; static text. 0.0 when there is no such
 * name.
 */
double workload_count(const struct workload *w, const char *name, const char **kind);

#endif
