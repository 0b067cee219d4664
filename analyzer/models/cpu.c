/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/cpu.h"
#include "analyzer/util/list.h"

/* ---- what the clocks say -------------------------------------------------------------------------------------- */

uint64_t cpu_thread_ns(const struct recording *rec, uint32_t index)
{
	const struct rsd_thread *thread = recording_thread(rec, index);
	uint64_t start_ns = rec->reader.header.start_cpu_ns;

	if (!thread)
		return 0;
	/* The first thread's clock runs on over exec: what it used before is not this recording's. */
	if (index == 0 && thread->tid == rec->reader.header.pid)
		return thread->cpu_ns > start_ns ? thread->cpu_ns - start_ns : 0;
	return thread->cpu_ns;
}

uint64_t cpu_process_ns(const struct recording *rec)
{
	const struct rsd_header *h = &rec->reader.header;
	uint64_t threads_ns = 0, process_ns = h->cpu_ns > h->start_cpu_ns ? h->cpu_ns - h->start_cpu_ns : 0;

	for (size_t i = 0; i < rec->threads_len; i++)
		threads_ns += cpu_thread_ns(rec, (uint32_t)i);
	return process_ns > threads_ns ? process_ns : threads_ns;
}

/* ---- samples -------------------------------------------------------------------------------------------------- */

static uint32_t site_index(struct cpu *c, struct stack_id stack)
{
	uint64_t index;

	if (map_get(&c->site_of, stack.v, &index))
		return (uint32_t)index;
	if (list_grow((void **)&c->sites, &c->sites_cap, c->sites_len, sizeof(*c->sites)) ||
	    map_put(&c->site_of, stack.v, c->sites_len)) {
		c->failed = true;
		return 0;
	}
	c->sites[c->sites_len] = (struct cpu_site){ .stack = stack };
	return (uint32_t)c->sites_len++;
}

static struct cpu_cell *cell_at(struct cpu *c, uint32_t site, uint32_t thread)
{
	uint64_t key = (uint64_t)thread << 32 | site, index;

	if (map_get(&c->cell_of, key, &index))
		return &c->cells[index];
	if (list_grow((void **)&c->cells, &c->cells_cap, c->cells_len, sizeof(*c->cells)) ||
	    map_put(&c->cell_of, key, c->cells_len)) {
		c->failed = true;
		return NULL;
	}
	c->cells[c->cells_len] = (struct cpu_cell){ .site = site, .thread = thread };
	return &c->cells[c->cells_len++];
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct cpu *c = self;
	uint32_t weight = e->ev->sample.weight ? e->ev->sample.weight : 1;
	uint32_t thread = e->thread < c->threads_len ? e->thread + 1 : 0;
	uint32_t site = site_index(c, recording_stack(c->rec, e->ev->sample.stack));
	struct cpu_cell *cell = cell_at(c, site, thread);

	if (!cell)
		return;
	cell->samples += weight;
	c->sites[site].samples += weight;
	c->thread_samples[thread] += weight;
	c->samples += weight;
	c->records++;
}

int cpu_init(struct cpu *c, struct recording *rec)
{
	*c = (struct cpu){ .rec = rec, .threads_len = rec->threads_len };
	map_init(&c->site_of);
	map_init(&c->cell_of);
	c->thread_samples = calloc(c->threads_len + 1, sizeof(uint64_t));
	c->thread_cpu_ns = calloc(c->threads_len + 1, sizeof(uint64_t));
	if (!c->thread_samples || !c->thread_cpu_ns)
		goto fail;
	site_index(c, (struct stack_id){ 0 });
	if (!c->failed)
		return 0;
fail:
	cpu_release(c);
	return -ENOMEM;
}

void cpu_release(struct cpu *c)
{
	free(c->sites);
	free(c->cells);
	free(c->thread_samples);
	free(c->thread_cpu_ns);
	map_release(&c->site_of);
	map_release(&c->cell_of);
	*c = (struct cpu){ 0 };
}

struct pass_sink cpu_sink(struct cpu *c)
{
	return (struct pass_sink){ .self = c, .on = { [EV_SAMPLE] = on_sample } };
}

/* ---- time ----------------------------------------------------------------------------------------------------- */

/* One pot of CPU time that is shared out by samples; cumulative, so that the parts sum up to the whole. */
struct pot {
	uint64_t ns, samples;
	uint64_t seen, given;
};

static uint64_t pot_take(struct pot *pot, uint64_t samples)
{
	uint64_t until;

	pot->seen += samples;
	until = pot->samples ? (uint64_t)((unsigned __int128)pot->ns * pot->seen / pot->samples) : 0;
	samples = until - pot->given;
	pot->given = until;
	return samples;
}

static bool has_own_pot(const struct cpu *c, uint32_t thread)
{
	return thread && c->thread_samples[thread] >= CPU_OWN_SAMPLES && c->thread_cpu_ns[thread];
}

static void fill_pots(const struct cpu *c, struct pot *pots)
{
	for (uint32_t i = 0; i <= c->threads_len; i++) {
		struct pot *pot = &pots[has_own_pot(c, i) ? i : 0];

		pot->samples += c->thread_samples[i];
		pot->ns += c->thread_cpu_ns[i];
	}
}

static void share_out(struct cpu *c)
{
	struct pot *pots = calloc(c->threads_len + 1, sizeof(*pots));

	if (!pots) {
		c->failed = true;
		return;
	}
	fill_pots(c, pots);
	for (size_t i = 0; i < c->cells_len; i++) {
		const struct cpu_cell *cell = &c->cells[i];
		struct pot *pot = &pots[has_own_pot(c, cell->thread) ? cell->thread : 0];

		c->sites[cell->site].cpu_ns += pot_take(pot, cell->samples);
	}
	if (!pots[0].samples)
		c->sites[0].cpu_ns += pots[0].ns;
	free(pots);
}

/* In a window the threads' clocks are not known: what the filter let through, at the rate of the whole. */
static void share_out_window(struct cpu *c, uint64_t whole_ns)
{
	uint64_t whole_samples = 0;
	struct pot pot = { 0 };

	for (size_t i = 0; i < c->rec->threads_len; i++)
		whole_samples += c->rec->threads[i].samples;
	pot.samples = c->samples;
	pot.ns = whole_samples ? (uint64_t)((unsigned __int128)whole_ns * c->samples / whole_samples) : 0;
	if (pot.ns > whole_ns)
		pot.ns = whole_ns;
	for (size_t i = 0; i < c->sites_len; i++)
		c->sites[i].cpu_ns = pot_take(&pot, c->sites[i].samples);
}

void cpu_finish(struct cpu *c, const struct pass_filter *filter)
{
	uint64_t process_ns = cpu_process_ns(c->rec), threads_ns = 0;

	for (uint32_t i = 0; i < c->threads_len; i++)
		threads_ns += c->thread_cpu_ns[i + 1] = cpu_thread_ns(c->rec, i);
	if (filter && (filter->from_ns || filter->to_ns || filter->threads)) {
		share_out_window(c, process_ns);
	} else {
		share_out(c);
		/* Used before the first thread was registered or after the last look at the clocks. */
		if (c->failed)
			return;
		c->sites[0].cpu_ns += process_ns - threads_ns;
	}
	for (size_t i = 0; i < c->sites_len; i++)
		c->cpu_ns += c->sites[i].cpu_ns;
	if (c->cpu_ns > 10000000)
		c->delivered_hz = (double)c->samples * 1e9 / (double)c->cpu_ns;
}

int cpu_merge(struct cpu *into, const struct cpu *from)
{
	for (size_t i = 0; i < from->sites_len; i++) {
		uint32_t index = site_index(into, from->sites[i].stack); /* may move the sites */

		into->sites[index].samples += from->sites[i].samples;
		into->sites[index].cpu_ns += from->sites[i].cpu_ns;
	}
	into->samples += from->samples;
	into->records += from->records;
	into->cpu_ns += from->cpu_ns;
	if (into->cpu_ns > 10000000)
		into->delivered_hz = (double)into->samples * 1e9 / (double)into->cpu_ns;
	return into->failed ? -ENOMEM : 0;
}

int cpu_profile(const struct cpu *c, struct profile *p)
{
	profile_define(p, "cpu", UNIT_NS, "CPU time, user and system");
	profile_define(p, "samples", UNIT_COUNT, "timer periods that samples stand for");
	for (size_t i = 0; i < c->sites_len; i++) {
		int64_t values[PROFILE_VALUES] = { (int64_t)c->sites[i].cpu_ns, (int64_t)c->sites[i].samples };

		if ((values[0] || values[1]) && profile_add(p, c->sites[i].stack, 0, values))
			return -ENOMEM;
	}
	return 0;
}
