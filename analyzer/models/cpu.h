/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - where the CPU time went, from samples.
 *
 * A sample stands for `weight` periods of its thread's CPU clock. The clocks say how much CPU time there was, the
 * samples only how it splits up: a thread with CPU_OWN_SAMPLES or more has its own time spread over its samples,
 * the others are spread together, because one sample says little about one short thread. CPU time that no sample
 * can stand for is the empty stack, "not sampled". So the sites sum up to the total exactly.
 */
#ifndef RINGSIDE_CPU_H
#define RINGSIDE_CPU_H

#include "analyzer/read/pass.h"
#include "analyzer/models/profile.h"

#define CPU_OWN_SAMPLES 20u

struct cpu_site {
	struct stack_id stack;
	uint64_t samples; /* sum of weights */
	uint64_t cpu_ns;  /* valid after cpu_finish */
};

/* Samples of one stack in one thread; working state. */
struct cpu_cell {
	uint32_t site, thread;
	uint64_t samples;
};

struct cpu {
	struct recording *rec;
	struct cpu_site *sites; /* site 0 is the empty stack: not sampled */
	size_t sites_len, sites_cap;
	struct cpu_cell *cells;
	size_t cells_len, cells_cap;
	struct map site_of, cell_of;
	uint64_t *thread_samples, *thread_cpu_ns; /* by thread index + 1, 0 for unknown threads */
	size_t threads_len;
	uint64_t samples, cpu_ns;
	uint64_t records;    /* sample records: samples - records were merged or late */
	double delivered_hz; /* samples per second of CPU time; 0 when there was too little of it */
	bool failed;
};

/* cpu_thread_ns - a thread's CPU time within the recording, as its slot last saw it. */
uint64_t cpu_thread_ns(const struct recording *rec, uint32_t thread);

/* cpu_process_ns - of the whole process within the recording: at least the sum of its threads. */
uint64_t cpu_process_ns(const struct recording *rec);

int cpu_init(struct cpu *c, struct recording *rec);
void cpu_release(struct cpu *c);
struct pass_sink cpu_sink(struct cpu *c);

/*
 * cpu_finish - samples to time. With a time window or a choice of threads (filter) samples count at the rate of
 * the whole recording.
 */
void cpu_finish(struct cpu *c, const struct pass_filter *filter);
int cpu_merge(struct cpu *into, const struct cpu *from);

/* cpu_profile - cpu (ns) and samples by stack. */
int cpu_profile(const struct cpu *c, struct profile *p);

#endif
