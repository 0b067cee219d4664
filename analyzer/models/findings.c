/* SPDX-License-Identifier: MIT */
/* findings.c - the list of findings and the rules about the process as a whole. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/findings.h"
#include "analyzer/show/render.h"
#include "analyzer/views/views.h"

static const struct {
	const char *words;
	void (*run)(struct findings *f, const struct analysis *a);
} rules[] = {
#define RULE(name, words, when) [RULE_##name] = { words, rule_##name },
#include "analyzer/models/findings.def"
};

const char *rule_name(enum rule rule)
{
	return rules[rule].words;
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = { "info", "low", "medium", "high" };

	return names[severity];
}

void findings_add(struct findings *f, enum rule rule, enum severity severity, struct stack_id stack, const char *format,
		  ...)
{
	struct buf text = { 0 };
	va_list args;

	if (f->len == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 8;
		struct finding *list = realloc(f->list, cap * sizeof(*list));

		if (!list) {
			f->failed = true;
			return;
		}
		f->list = list;
		f->cap = cap;
	}
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	f->failed |= text.failed;
	if (text.data)
		f->list[f->len++] = (struct finding){ rule, severity, text.data, stack };
}

static int by_severity(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

int findings_make(struct findings *f, const struct analysis *a)
{
	*f = (struct findings){ 0 };
	for (unsigned i = 0; i < RULES; i++)
		rules[i].run(f, a);
	if (f->len)
		qsort(f->list, f->len, sizeof(*f->list), by_severity);
	if (!f->failed)
		return 0;
	findings_release(f);
	return -ENOMEM;
}

void findings_release(struct findings *f)
{
	for (size_t i = 0; i < f->len; i++)
		free(f->list[i].text);
	free(f->list);
	*f = (struct findings){ 0 };
}

/* ---- the process as a whole ----------------------------------------------------------------------------------- */

void rule_one_thread(struct findings *f, const struct analysis *a)
{
	const struct thread_row *top = NULL;
	uint64_t sum = 0;

	for (size_t i = 0; i < a->threads.rows_len; i++) {
		const struct thread_row *row = &a->threads.rows[i];

		sum += row->cpu_ns;
		if (!top || row->cpu_ns > top->cpu_ns)
			top = row;
	}
	if (a->threads.rows_len < 2 || a->processes > 1 || sum < 200000000 || sum < a->duration_ns / 2 ||
	    top->cpu_ns < sum / 10 * 9)
		return;
	findings_add(f, RULE_one_thread, SEVERITY_LOW, top->created_by,
		     "One of %zu threads did the work: thread %u used %.0f %% of the CPU time.", a->threads.rows_len,
		     top->tid, 100.0 * (double)top->cpu_ns / (double)sum);
}

void rule_runnable(struct findings *f, const struct analysis *a)
{
	char text[RENDER_NUMBER_MAX];
	uint64_t runnable = 0, wall = 0;

	for (size_t i = 0; i < a->threads.rows_len; i++) {
		runnable += a->threads.rows[i].runnable_ns;
		wall += a->threads.rows[i].wall_ns;
	}
	if (runnable < 100000000 || runnable < wall / 10)
		return;
	findings_add(f, RULE_runnable, SEVERITY_LOW, (struct stack_id){ 0 },
		     "Threads were ready to run but had no CPU for %s in sum, %.0f %% of their time: more threads than "
		     "CPUs?",
		     render_duration(text, (int64_t)runnable), 100.0 * (double)runnable / (double)wall);
}

void rule_self_cost(struct findings *f, const struct analysis *a)
{
	char text[RENDER_NUMBER_MAX];

	if (a->threads.self_ns < 10000000 || a->threads.self_ns < a->cpu.cpu_ns / 20)
		return;
	findings_add(f, RULE_self_cost, a->threads.self_ns > a->cpu.cpu_ns / 4 ? SEVERITY_MEDIUM : SEVERITY_INFO,
		     (struct stack_id){ 0 },
		     "Recording itself took about %s, %.0f %% of the CPU time: heap=sample:512k makes it cheaper.",
		     render_duration(text, (int64_t)a->threads.self_ns),
		     100.0 * (double)a->threads.self_ns / (double)a->cpu.cpu_ns);
}

void rule_lost(struct findings *f, const struct analysis *a)
{
	struct buf losses = { 0 };
	unsigned count = analysis_losses(a, &losses);

	if (count)
		findings_add(f, RULE_lost, SEVERITY_MEDIUM, (struct stack_id){ 0 },
			     "Something could not be recorded, so numbers are too low: %.*s%s.",
			     (int)strcspn(buf_string(&losses), "\n"), buf_string(&losses),
			     count > 1 ? ", and more below" : "");
	buf_release(&losses);
}
