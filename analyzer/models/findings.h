/* SPDX-License-Identifier: MIT */
/*
 * findings.h - the sentences at the top of a report: what in these numbers is worth a look.
 *
 * A finding is one sentence with its numbers and the place it is about. findings.def has one row per rule.
 * Rules only speak above a share of the whole, and never guess at a cause that was not recorded.
 */
#ifndef RINGSIDE_FINDINGS_H
#define RINGSIDE_FINDINGS_H

#include "analyzer/models/analysis.h"
#include "analyzer/symbols/place.h"

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };

enum rule {
#define RULE(name, words, when) RULE_##name,
#include "analyzer/models/findings.def"
	RULES
};

struct finding {
	enum rule rule;
	enum severity severity;
	char *text;	       /* one sentence, safe to print */
	struct stack_id stack; /* what it is about; empty: the whole process */
};

struct findings {
	struct finding *list; /* most severe first, then in the order of the rules */
	size_t len, cap;
	bool failed;
};

const char *rule_name(enum rule rule);
const char *severity_name(enum severity severity);

/* findings_make - run all rules. 0 or -ENOMEM. */
int findings_make(struct findings *f, const struct analysis *a);
void findings_release(struct findings *f);

/* findings_add - for the rules: one printf-like sentence. */
__attribute__((format(printf, 5, 6))) void findings_add(struct findings *f, enum rule rule, enum severity severity,
							struct stack_id stack, const char *format, ...);

/*
 * wait_is_idle - a wait site where a thread waits for work to come, as far as can be told: an accept or epoll, or a
 * condition, semaphore or poll near the beginning of a thread of which there are several alike. A single thread
 * in such a wait may as well be held up by others: it is not called idle. Waiting for work is no cost.
 */
bool wait_is_idle(const struct stacks *stacks, const struct wait_site *site);

/* wait_is_gathering - the thread waits for other threads or processes to end. */
bool wait_is_gathering(const struct wait_site *site);

/* The rules, each in the file its subject belongs to. */
#define RULE(name, words, when) void rule_##name(struct findings *f, const struct analysis *a);
#include "analyzer/models/findings.def"

#endif
