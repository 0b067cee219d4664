/* SPDX-License-Identifier: MIT */
/* overview_json.c - the report for scripts. Its keys are a promise: add, never change. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/views/overview.h"
#include "analyzer/util/json.h"
#include "analyzer/views/views.h"
#include "format/kinds.h"

static void put_stack(struct json *j, const char *key, const struct analysis *a, struct stack_id stack)
{
	json_key(j, key);
	view_stack_json(j, a->rec.stacks, stack);
}

static void put_argv(struct json *j, const struct recording *rec)
{
	json_key(j, "argv");
	json_begin_array(j);
	for (size_t at = 0; at < rec->argv_len; at += strnlen(rec->argv + at, rec->argv_len - at) + 1)
		json_string_n(j, rec->argv + at, strnlen(rec->argv + at, rec->argv_len - at));
	json_end(j);
}

static void put_program(struct json *j, const struct overview *r)
{
	const struct recording *rec = &r->a->rec;
	const struct rsd_header *h = &rec->reader.header;
	char end[32];

	json_key(j, "program");
	json_begin_object(j);
	json_field_string(j, "exe", rec->exe);
	put_argv(j, rec);
	json_field_u64(j, "pid", h->pid);
	json_field_u64(j, "ppid", h->ppid);
	json_field_string(j, "host", rec->host);
	json_field_u64(j, "start_realtime_ns", h->start_realtime_ns);
	json_field_u64(j, "duration_ns", r->a->duration_ns);
	json_field_string(j, "end", overview_end(rec, end));
	json_field_u64(j, "threads", r->a->threads.rows_len);
	json_field_u64(j, "max_rss_bytes", h->max_rss_bytes);
	json_field_u64(j, "user_ns", h->user_ns);
	json_field_u64(j, "system_ns", h->system_ns);
	json_end(j);
}

static void put_processes(struct json *j, const struct session *s)
{
	json_key(j, "processes");
	json_begin_array(j);
	for (size_t i = 0; i < s->files_len; i++) {
		json_begin_object(j);
		json_field_string(j, "exe", s->files[i].exe);
		json_field_u64(j, "pid", s->files[i].pid);
		json_field_u64(j, "ppid", s->files[i].ppid);
		json_field_string(j, "file", s->files[i].path);
		json_end(j);
	}
	json_end(j);
}

static void put_losses(struct json *j, const struct analysis *a)
{
	struct buf losses = { 0 };
	size_t len;

	analysis_losses(a, &losses);
	json_key(j, "losses");
	json_begin_array(j);
	for (const char *line = buf_string(&losses); *line; line += len + 1) {
		len = strcspn(line, "\n");
		json_string_n(j, line, len);
	}
	json_end(j);
	buf_release(&losses);
}

static void put_recording(struct json *j, const struct analysis *a)
{
	const struct rsd_header *h = &a->rec.reader.header;
	char heap[48] = "off";

	if (h->heap_mode == RSD_HEAP_EXACT)
		snprintf(heap, sizeof(heap), "exact");
	else if (h->heap_mode == RSD_HEAP_SAMPLE)
		snprintf(heap, sizeof(heap), "sample:%" PRIu64, h->sample_bytes);
	json_key(j, "recording");
	json_begin_object(j);
	json_field_string(j, "heap", heap);
	json_field_u64(j, "cpu_hz", h->cpu_hz);
	json_key(j, "block_ns");
	if (h->block_ns == UINT64_MAX)
		json_null(j);
	else
		json_u64(j, h->block_ns);
	json_field_u64(j, "events", a->stats.events);
	json_field_u64(j, "lost_events", a->lost_events);
	json_field_u64(j, "dump_bytes", a->dump_bytes);
	json_field_u64(j, "self_ns", a->threads.self_ns);
	json_field_string(j, "toggles", a->rec.toggles);
	put_losses(j, a);
	json_key(j, "notices");
	json_begin_array(j);
	for (size_t i = 0; i < a->rec.notices_len; i++)
		json_string(j, a->rec.notices[i]);
	json_end(j);
	json_end(j);
}

/* ---- heap ----------------------------------------------------------------------------------------------------- */

static void put_heap_site(struct json *j, const struct analysis *a, const struct heap_site *s)
{
	json_begin_object(j);
	put_stack(j, "stack", a, s->stack);
	json_field_u64(j, "allocations", weight_count(s->allocations));
	json_field_u64(j, "frees", weight_count(s->frees));
	json_field_u64(j, "allocated_bytes", s->allocated_bytes);
	json_field_u64(j, "live_blocks", weight_count(s->live_blocks));
	json_field_u64(j, "live_bytes", s->live_bytes);
	json_field_u64(j, "peak_bytes", s->peak_bytes);
	json_field_u64(j, "temporary", weight_count(s->temporary));
	json_end(j);
}

static void put_pools(struct json *j, const struct pools *p)
{
	json_key(j, "pools");
	json_begin_array(j);
	for (size_t i = 0; i < p->pools_len; i++) {
		const struct heap *h = &p->pools[i].heap;

		json_begin_object(j);
		json_field_string(j, "name", p->pools[i].name);
		json_field_u64(j, "allocations", weight_count(h->total.allocations));
		json_field_u64(j, "frees", weight_count(h->total.frees));
		json_field_u64(j, "allocated_bytes", h->total.allocated_bytes);
		json_field_u64(j, "peak_bytes", h->total.peak_bytes);
		json_field_u64(j, "live_blocks", weight_count(h->total.live_blocks));
		json_field_u64(j, "live_bytes", h->total.live_bytes);
		json_end(j);
	}
	json_end(j);
	json_key(j, "pages");
	json_begin_object(j);
	json_field_u64(j, "maps", p->maps);
	json_field_u64(j, "unmaps", p->unmaps);
	json_field_u64(j, "mapped_bytes", p->mapped_bytes);
	json_field_u64(j, "unmapped_bytes", p->unmapped_bytes);
	json_end(j);
}

/* How far scaled totals may be off, up or down, in 95 of 100 runs; 0 in exact recordings. */
static void put_intervals(struct json *j, const struct heap *h)
{
	struct heap_intervals i = heap_intervals(h);

	json_key(j, "interval95");
	json_begin_object(j);
	json_field_u64(j, "allocations", i.allocations);
	json_field_u64(j, "allocated_bytes", i.allocated_bytes);
	json_field_u64(j, "live_bytes", i.live_bytes);
	json_field_u64(j, "peak_bytes", i.peak_bytes);
	json_end(j);
}

static int put_heap(struct json *j, const struct overview *r)
{
	const struct heap *h = &r->a->heap;
	size_t len;
	const struct heap_site **sites = overview_heap_sites(h, r->top, &len);

	if (!sites)
		return -ENOMEM;
	json_key(j, "heap");
	json_begin_object(j);
	json_field_u64(j, "allocations", weight_count(h->total.allocations));
	json_field_u64(j, "frees", weight_count(h->total.frees));
	json_field_u64(j, "allocated_bytes", h->total.allocated_bytes);
	json_field_u64(j, "peak_bytes", h->total.peak_bytes);
	json_field_u64(j, "peak_ns", h->peak_ns);
	json_field_u64(j, "live_blocks", weight_count(h->total.live_blocks));
	json_field_u64(j, "live_bytes", h->total.live_bytes);
	json_field_u64(j, "temporary", weight_count(h->total.temporary));
	json_field_u64(j, "unknown_frees", h->unknown_frees);
	json_field_u64(j, "sampled", h->sampled);
	put_intervals(j, h);
	json_key(j, "sites");
	json_begin_array(j);
	for (size_t i = 0; i < len; i++)
		put_heap_site(j, r->a, sites[i]);
	json_end(j);
	put_pools(j, &r->a->pools);
	json_end(j);
	free(sites);
	return 0;
}

/* ---- cpu ------------------------------------------------------------------------------------------------------ */

static int put_functions(struct json *j, const struct overview *r)
{
	struct view_function *list = NULL;
	struct profile p;
	long len;

	profile_init(&p, "cpu");
	len = cpu_profile(&r->a->cpu, &p);
	len = len ? len : view_top_functions(&p, r->a->rec.stacks, 0, false, &list);
	json_key(j, "functions");
	json_begin_array(j);
	for (long i = 0; i < len && (size_t)i < r->top; i++) {
		json_begin_object(j);
		json_field_string(j, "function", list[i].frame->function);
		json_field_string(j, "module", list[i].frame->module);
		json_field_i64(j, "flat_ns", list[i].flat);
		json_field_i64(j, "cum_ns", list[i].cum);
		json_end(j);
	}
	json_end(j);
	free(list);
	profile_release(&p);
	return len < 0 ? (int)len : 0;
}

static int put_cpu(struct json *j, const struct overview *r)
{
	const struct cpu *c = &r->a->cpu;
	size_t len;
	const struct cpu_site **sites = overview_cpu_sites(c, r->top, &len);
	int err;

	if (!sites)
		return -ENOMEM;
	json_key(j, "cpu");
	json_begin_object(j);
	json_field_u64(j, "samples", c->samples);
	json_field_u64(j, "cpu_ns", c->cpu_ns);
	json_field_f64(j, "delivered_hz", c->delivered_hz);
	err = put_functions(j, r);
	json_key(j, "sites");
	json_begin_array(j);
	for (size_t i = 0; i < len; i++) {
		json_begin_object(j);
		put_stack(j, "stack", r->a, sites[i]->stack);
		json_field_u64(j, "samples", sites[i]->samples);
		json_field_u64(j, "cpu_ns", sites[i]->cpu_ns);
		json_end(j);
	}
	json_end(j);
	json_end(j);
	free(sites);
	return err;
}

/* ---- block ---------------------------------------------------------------------------------------------------- */

static void put_kinds(struct json *j, const struct waits *w)
{
	json_key(j, "kinds");
	json_begin_array(j);
	for (unsigned i = 1; i < RSD_WAITS; i++) {
		const struct wait_kind *kind = &w->kinds[i];

		if (!kind->calls && !kind->spans)
			continue;
		json_begin_object(j);
		json_field_string(j, "kind", wait_name(i));
		json_field_u64(j, "calls", kind->calls);
		json_field_u64(j, "spans", kind->spans);
		json_field_u64(j, "blocked_ns", kind->blocked_ns);
		json_field_u64(j, "p50_ns", kind->blocked ? histogram_percentile(kind->blocked, 50) : 0);
		json_field_u64(j, "p99_ns", kind->blocked ? histogram_percentile(kind->blocked, 99) : 0);
		json_field_u64(j, "max_ns", kind->blocked ? kind->blocked->max : 0);
		json_field_u64(j, "elapsed_ns", kind->dur_ns);
		json_field_u64(j, "short_ns", kind->short_ns);
		json_end(j);
	}
	json_end(j);
}

static int put_wait_sites(struct json *j, const struct analysis *a, size_t top)
{
	size_t len;
	const struct wait_site **sites = overview_wait_sites(&a->waits, top, &len);

	if (!sites)
		return -ENOMEM;
	json_key(j, "sites");
	json_begin_array(j);
	for (size_t i = 0; i < len; i++) {
		json_begin_object(j);
		json_field_string(j, "kind", wait_name(sites[i]->wait));
		put_stack(j, "stack", a, sites[i]->stack);
		json_field_u64(j, "spans", sites[i]->spans);
		json_field_u64(j, "blocked_ns", sites[i]->blocked_ns);
		json_field_u64(j, "elapsed_ns", sites[i]->dur_ns);
		json_field_u64(j, "max_ns", sites[i]->max_ns);
		json_field_u64(j, "unfinished", sites[i]->unfinished);
		json_end(j);
	}
	json_end(j);
	free(sites);
	return 0;
}

static void put_inside(struct json *j, const struct analysis *a, const struct lock_holder *holder)
{
	json_key(j, "inside");
	json_begin_array(j);
	for (uint32_t i = 0; i < holder->inside_len; i++) {
		json_begin_object(j);
		json_field_string(j, "kind", wait_name(holder->inside[i].wait));
		put_stack(j, "stack", a, holder->inside[i].stack);
		json_field_u64(j, "blocked_ns", holder->inside[i].blocked_ns);
		json_field_u64(j, "times", holder->inside[i].times);
		json_end(j);
	}
	json_end(j);
}

/* Holders are ordered by lock: *at moves on to the first of the next one. */
static void put_holders(struct json *j, const struct analysis *a, size_t lock, size_t *at, size_t top)
{
	const struct locks *l = &a->locks;
	size_t count = 0;

	json_key(j, "holders");
	json_begin_array(j);
	for (; *at < l->holders_len && l->holders[*at].lock == lock; ++*at) {
		const struct lock_holder *holder = &l->holders[*at];

		if (count++ >= top)
			continue;
		json_begin_object(j);
		put_stack(j, "stack", a, holder->stack);
		json_field_u64(j, "tid", holder->tid);
		json_field_u64(j, "wait_ns", holder->wait_ns);
		json_field_u64(j, "waits", holder->waits);
		put_inside(j, a, holder);
		json_end(j);
	}
	json_end(j);
}

static void put_locks(struct json *j, const struct analysis *a, size_t top)
{
	size_t at = 0;

	json_key(j, "locks");
	json_begin_array(j);
	for (size_t i = 0; i < a->locks.locks_len && i < top; i++) {
		const struct lock *lock = &a->locks.locks[i];
		char address[24];

		snprintf(address, sizeof(address), "0x%" PRIx64, lock->address);
		json_begin_object(j);
		json_field_string(j, "address", address);
		json_field_string(j, "name", lock->name);
		json_field_string(j, "kind", wait_name(lock->wait));
		json_field_u64(j, "contentions", lock->contentions);
		json_field_u64(j, "wait_ns", lock->wait_ns);
		json_field_u64(j, "max_wait_ns", lock->max_wait_ns);
		json_field_u64(j, "holds", lock->holds);
		json_field_u64(j, "held_ns", lock->held_ns);
		put_holders(j, a, i, &at, top);
		json_end(j);
	}
	json_end(j);
}

static void put_fds(struct json *j, const struct fds *f, size_t top)
{
	json_key(j, "fds");
	json_begin_array(j);
	for (size_t i = 0; i < f->rows_len && i < top; i++) {
		const struct fd_row *row = &f->rows[i];

		json_begin_object(j);
		json_field_i64(j, "fd", row->fd == UINT32_MAX ? -1 : (int64_t)row->fd);
		json_field_string(j, "path", row->path);
		json_field_u64(j, "calls", row->calls);
		json_field_u64(j, "bytes_read", row->bytes_read);
		json_field_u64(j, "bytes_written", row->bytes_written);
		json_field_u64(j, "blocked_ns", row->blocked_ns);
		json_field_u64(j, "io_ns", row->io_ns);
		json_field_u64(j, "opened", row->lives);
		json_end(j);
	}
	json_end(j);
}

int overview_json_block(struct json *j, const struct analysis *a, size_t top)
{
	int err;

	json_field_u64(j, "calls", a->waits.total.calls);
	json_field_u64(j, "spans", a->waits.total.spans);
	json_field_u64(j, "blocked_ns", a->waits.total.blocked_ns);
	put_kinds(j, &a->waits);
	err = put_wait_sites(j, a, top);
	put_locks(j, a, top);
	put_fds(j, &a->fds, top);
	return err;
}

/* ---- threads, findings ---------------------------------------------------------------------------------------- */

static void put_threads(struct json *j, const struct analysis *a)
{
	json_key(j, "threads");
	json_begin_array(j);
	for (size_t i = 0; i < a->threads.rows_len; i++) {
		const struct thread_row *row = &a->threads.rows[i];

		json_begin_object(j);
		json_field_u64(j, "tid", row->tid);
		json_field_string(j, "name", row->name);
		json_field_u64(j, "wall_ns", row->wall_ns);
		json_field_u64(j, "cpu_ns", row->cpu_ns);
		json_field_u64(j, "blocked_ns", row->blocked_ns);
		json_field_u64(j, "runnable_ns", row->runnable_ns);
		json_field_u64(j, "unknown_ns", row->unknown_ns);
		json_field_u64(j, "start_ns", row->start_ns);
		put_stack(j, "created_by", a, row->created_by);
		json_field_u64(j, "spans", row->spans);
		json_field_u64(j, "allocations", row->allocations);
		json_field_string(j, "waiting", row->waiting ? wait_name(row->waiting) : NULL);
		json_field_u64(j, "waiting_ns", row->waiting_ns);
		json_end(j);
	}
	json_end(j);
}

static void put_findings(struct json *j, const struct overview *r)
{
	json_key(j, "findings");
	json_begin_array(j);
	for (size_t i = 0; i < r->findings.len; i++) {
		const struct finding *finding = &r->findings.list[i];

		json_begin_object(j);
		json_field_string(j, "rule", rule_name(finding->rule));
		json_field_string(j, "severity", severity_name(finding->severity));
		json_field_string(j, "text", finding->text);
		put_stack(j, "stack", r->a, finding->stack);
		json_end(j);
	}
	json_end(j);
}

int overview_json(const struct overview *r, FILE *out)
{
	struct json j;
	int err;

	json_init(&j, out);
	j.is_for_html = r->is_for_html;
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.report/1");
	put_program(&j, r);
	put_processes(&j, r->session);
	put_recording(&j, r->a);
	err = put_heap(&j, r);
	err = err ? err : put_cpu(&j, r);
	json_key(&j, "block");
	json_begin_object(&j);
	err = err ? err : overview_json_block(&j, r->a, r->top);
	json_end(&j);
	put_threads(&j, r->a);
	put_findings(&j, r);
	json_end(&j);
	return json_finish(&j) ? -EIO : err;
}
