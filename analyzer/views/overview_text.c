/* SPDX-License-Identifier: MIT */
/* overview_text.c - the report for people: one screen of at most 100 columns. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/show/render.h"
#include "analyzer/views/overview.h"
#include "analyzer/views/overview_places.h"
#include "analyzer/views/views.h"
#include "format/kinds.h"

#define WIDTH 100u
#define PROCESSES_SHOWN 8u

struct screen {
	const struct overview *r;
	FILE *out;
	unsigned width;
	bool use_color;
	int err;
};

static void heading(struct screen *p, const char *title)
{
	fprintf(p->out, "\n%s%s%s  ", p->use_color ? "\033[1m" : "", title, p->use_color ? "\033[0m" : "");
}

/* One of the lines in a list: a number column was printed, what is left of the width is for `text`. */
static void finish_line(struct screen *p, size_t used, const struct buf *text)
{
	const char *s = buf_string(text);
	size_t room = p->width > used + 8 ? p->width - used : 8;

	if (safe_width(s) <= room) {
		fprintf(p->out, "%s\n", s);
		return;
	}
	/* Not inside a character of several bytes. */
	for (room -= 3; room && ((unsigned char)s[room] & 0xc0) == 0x80;)
		room--;
	fprintf(p->out, "%.*s...\n", (int)room, s);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* Numbers of a line of text. One buffer each, so that several may stand in one printf. */
struct numbers {
	char text[8][RENDER_NUMBER_MAX];
	unsigned next;
};

static const char *bytes(struct numbers *n, uint64_t value)
{
	return render_bytes(n->text[n->next++ % 8], (int64_t)value);
}

static const char *duration(struct numbers *n, uint64_t value)
{
	return render_duration(n->text[n->next++ % 8], (int64_t)value);
}

static const char *count(struct numbers *n, uint64_t value)
{
	return render_count(n->text[n->next++ % 8], (int64_t)value);
}

/* ---- head ----------------------------------------------------------------------------------------------------- */

static void put_argv(struct screen *p, const struct recording *rec)
{
	struct buf line = { 0 };

	for (size_t at = 0; at < rec->argv_len; at += strnlen(rec->argv + at, rec->argv_len - at) + 1) {
		if (at)
			buf_add_char(&line, ' ');
		buf_add_safe(&line, rec->argv + at, strnlen(rec->argv + at, rec->argv_len - at));
	}
	if (!line.len)
		buf_add_safe(&line, rec->exe, strlen(rec->exe));
	finish_line(p, 0, &line);
	buf_release(&line);
}

static void put_end(FILE *out, const struct recording *rec)
{
	const struct rsd_header *h = &rec->reader.header;

	switch (h->end_kind) {
	case RSD_END_EXIT:
		fprintf(out, "exited with %d", h->end_code);
		break;
	case RSD_END_SIGNAL:
		fprintf(out, "ended by signal %d (%s)", h->end_code, strsignal(h->end_code));
		break;
	case RSD_END_EXEC:
		fputs("became another program (exec)", out);
		break;
	default:
		fputs(rec->is_live ? "still running" : "end not recorded (killed, or left by _exit)", out);
	}
}

static void put_processes(struct screen *p)
{
	const struct session *s = p->r->session;

	if (s->files_len < 2)
		return;
	fprintf(p->out, "%zu processes:", s->files_len);
	for (size_t i = 0; i < s->files_len && i < PROCESSES_SHOWN; i++) {
		fputc(' ', p->out);
		safe_puts(s->files[i].exe, p->out);
		fprintf(p->out, " (%" PRIu32 ")%s", s->files[i].pid, i + 1 < s->files_len ? "," : "");
	}
	fputs(s->files_len > PROCESSES_SHOWN ? " ...\n" : "\n", p->out);
	if (p->r->a->processes > 1) {
		fprintf(p->out, "Shown is the sum of %zu of them; peaks of different moments are added up.\n",
			p->r->a->processes);
		return;
	}
	fputs("Shown is ", p->out);
	safe_puts(s->files[s->shown].exe, p->out);
	fprintf(p->out, " (%" PRIu32 "); --process NAME shows another, --all the sum.\n", s->files[s->shown].pid);
}

static void put_head(struct screen *p)
{
	const struct analysis *a = p->r->a;
	const struct rsd_header *h = &a->rec.reader.header;
	struct numbers n = { 0 };

	if (!p->r->has_title)
		put_argv(p, &a->rec);
	fprintf(p->out, "pid %" PRIu32 ", %s, ", h->pid, duration(&n, a->duration_ns));
	put_end(p->out, &a->rec);
	fprintf(p->out, "; %zu thread%s, CPU %s", a->threads.rows_len, a->threads.rows_len == 1 ? "" : "s",
		duration(&n, a->cpu.cpu_ns));
	/* The loader's CPU time is in, its time before the recording is not: in short runs the ratio says nothing. */
	if (a->duration_ns >= 100000000)
		fprintf(p->out, " (%.2f cores)", (double)a->cpu.cpu_ns / (double)a->duration_ns);
	fprintf(p->out, ", heap peak %s", bytes(&n, a->heap.total.peak_bytes));
	if (h->max_rss_bytes)
		fprintf(p->out, ", RSS at most %s", bytes(&n, h->max_rss_bytes));
	fputc('\n', p->out);
	put_processes(p);
}

/* ---- findings ------------------------------------------------------------------------------------------------- */

static void put_findings(struct screen *p)
{
	heading(p, "FINDINGS");
	if (!p->r->findings.len) {
		fputs("nothing stands out\n", p->out);
		return;
	}
	fputs("what stands out, most severe first\n", p->out);
	for (size_t i = 0; i < p->r->findings.len; i++) {
		fprintf(p->out, "  %-6s  ", severity_name(p->r->findings.list[i].severity));
		render_wrapped(p->r->findings.list[i].text, p->width, 10, 10, p->out);
	}
}

/* ---- heap ----------------------------------------------------------------------------------------------------- */

static void put_heap_sites(struct screen *p, const struct heap *h)
{
	struct overview_place *places;
	long len = overview_heap_places(h, p->r->a->rec.stacks, &places);

	if (len < 0)
		p->err = -ENOMEM;
	fprintf(p->out, "  %10s %6s %10s %10s %10s %9s  %s\n", "at peak", "", "live", "total", "calls", "temporary",
		"allocated by");
	for (long i = 0; i < len && (!p->r->top || (size_t)i < p->r->top); i++) {
		const struct heap_site *s = &places[i].sum;
		struct numbers n = { 0 };
		struct buf name = { 0 };
		int used = fprintf(p->out, "  %10s %5.1f%% %10s %10s %10s %9s  ", bytes(&n, s->peak_bytes),
				   percent(s->peak_bytes, h->total.peak_bytes), bytes(&n, s->live_bytes),
				   bytes(&n, s->allocated_bytes), count(&n, weight_count(s->allocations)),
				   count(&n, weight_count(s->temporary)));

		buf_add_string(&name, places[i].name);
		finish_line(p, (size_t)used, &name);
		buf_release(&name);
	}
	overview_places_free(places, len);
}

static void put_pools(struct screen *p, const struct pools *pools)
{
	for (size_t i = 0; i < pools->pools_len; i++) {
		const struct heap_site *t = &pools->pools[i].heap.total;
		struct numbers n = { 0 };

		fputs("  pool ", p->out);
		safe_puts(pools->pools[i].name, p->out);
		fprintf(p->out, ": %s blocks of %s, peak %s, %s live\n", count(&n, weight_count(t->allocations)),
			bytes(&n, t->allocated_bytes), bytes(&n, t->peak_bytes), bytes(&n, t->live_bytes));
	}
}

static void put_heap(struct screen *p)
{
	const struct heap *h = &p->r->a->heap;
	const struct rsd_header *header = &p->r->a->rec.reader.header;
	struct numbers n = { 0 };

	heading(p, "HEAP");
	if (header->heap_mode == RSD_HEAP_OFF) {
		fputs("not recorded (heap=off)\n", p->out);
		return;
	}
	fprintf(p->out, "%s allocations of %s, peak %s at %s; %s blocks with %s live at the end\n",
		count(&n, weight_count(h->total.allocations)), bytes(&n, h->total.allocated_bytes),
		bytes(&n, h->total.peak_bytes), duration(&n, h->peak_ns), count(&n, weight_count(h->total.live_blocks)),
		bytes(&n, h->total.live_bytes));
	if (h->sampled)
		fprintf(p->out,
			"  scaled up from %s sampled allocations (one per %s on average); in 95 of 100 runs the total "
			"is "
			"right to\n  %s, the peak to %s\n",
			count(&n, h->sampled), bytes(&n, header->sample_bytes),
			bytes(&n, heap_intervals(h).allocated_bytes), bytes(&n, heap_intervals(h).peak_bytes));
	if (h->total.allocations)
		put_heap_sites(p, h);
	put_pools(p, &p->r->a->pools);
	fputs("  temporary: freed before the thread's next allocation\n", p->out);
}

/* ---- cpu ------------------------------------------------------------------------------------------------------ */

static void put_functions(struct screen *p, const struct cpu *c)
{
	struct view_function *list = NULL;
	struct profile profile;
	long len;

	profile_init(&profile, "cpu");
	len = cpu_profile(c, &profile);
	len = len ? len : view_top_functions(&profile, p->r->a->rec.stacks, 0, false, &list);
	if (len < 0)
		p->err = (int)len;
	for (long i = 0; i < len && (size_t)i < p->r->top; i++) {
		struct numbers n = { 0 };
		struct buf name = { 0 };
		uint64_t flat = (uint64_t)list[i].flat, cum = (uint64_t)list[i].cum;
		int used = fprintf(p->out, "  %10s %5.1f%% %10s %5.1f%%  ", duration(&n, flat),
				   percent(flat, c->cpu_ns), duration(&n, cum), percent(cum, c->cpu_ns));

		view_frame_name(&name, list[i].frame);
		finish_line(p, (size_t)used, &name);
		buf_release(&name);
	}
	free(list);
	profile_release(&profile);
}

static void put_cpu(struct screen *p)
{
	const struct cpu *c = &p->r->a->cpu;
	const struct rsd_header *h = &p->r->a->rec.reader.header;
	struct numbers n = { 0 };

	heading(p, "CPU");
	fprintf(p->out, "%s", duration(&n, c->cpu_ns));
	if (!h->cpu_hz) {
		fputs(", not sampled (cpu=off)\n", p->out);
		return;
	}
	fprintf(p->out, ", %s samples", count(&n, c->samples));
	if (c->delivered_hz)
		fprintf(p->out, " (%.0f per second, %u asked for)", c->delivered_hz, h->cpu_hz);
	fputc('\n', p->out);
	if (!c->samples)
		return;
	fprintf(p->out, "  %10s %6s %10s %6s  %s\n", "flat", "", "cum", "", "function");
	put_functions(p, c);
	fputs("  flat: in the function itself; cum: in it and all it called\n", p->out);
}

/* ---- blocking ------------------------------------------------------------------------------------------------- */

static const char *site_word(const struct screen *p, const struct wait_site *site)
{
	if (site->unfinished)
		return "not ended: ";
	if (wait_is_gathering(site))
		return "gathering: ";
	return wait_is_idle(p->r->a->rec.stacks, site) ? "idle: " : "";
}

static void put_wait_sites(struct screen *p, const struct waits *w)
{
	size_t len;
	const struct wait_site **sites = overview_wait_sites(w, p->r->top, &len);

	if (!sites) {
		p->err = -ENOMEM;
		return;
	}
	fprintf(p->out, "  %10s %6s %8s %10s  %-12s %s\n", "blocked", "", "times", "longest", "kind", "waited in");
	for (size_t i = 0; i < len; i++) {
		const struct wait_site *s = sites[i];
		struct numbers n = { 0 };
		struct buf name = { 0 };
		int used = fprintf(p->out, "  %10s %5.1f%% %8s %10s  %-12s ", duration(&n, s->blocked_ns),
				   percent(s->blocked_ns, w->total.blocked_ns), count(&n, s->spans),
				   duration(&n, s->max_ns), wait_name(s->wait));

		buf_add_string(&name, site_word(p, s));
		place_name(&name, p->r->a->rec.stacks, s->stack);
		finish_line(p, (size_t)used, &name);
		buf_release(&name);
	}
	free(sites);
}

/* The one thing a holder waited for most while it held the lock. */
static void put_inside(struct screen *p, const struct lock_holder *holder)
{
	const struct lock_inside *inside = &holder->inside[0];
	struct numbers n = { 0 };
	struct buf text = { 0 };
	int used;

	if (!holder->inside_len)
		return;
	used = fprintf(p->out, "  %10s         ", "");
	buf_printf(&text, "    in which it waited %s in %s at ", duration(&n, inside->blocked_ns),
		   wait_name(inside->wait));
	place_name_and_caller(&text, p->r->a->rec.stacks, inside->stack);
	finish_line(p, (size_t)used, &text);
	buf_release(&text);
}

static void put_holder(struct screen *p, const struct lock *lock, const struct lock_holder *holder)
{
	struct numbers n = { 0 };
	struct buf text = { 0 };
	int used = fprintf(p->out, "  %10s %5.1f%%  ", duration(&n, holder->wait_ns),
			   percent(holder->wait_ns, lock->wait_ns));

	if (holder->stack.v) {
		buf_add_string(&text, "  held by ");
		place_name(&text, p->r->a->rec.stacks, holder->stack);
	} else if (holder->tid) {
		buf_printf(&text, "  held by thread %" PRIu32, holder->tid);
	} else {
		buf_add_string(&text, "  holder not known");
	}
	finish_line(p, (size_t)used, &text);
	buf_release(&text);
	put_inside(p, holder);
}

static void put_locks(struct screen *p, const struct locks *l)
{
	size_t at = 0, shown = p->r->top < 5 ? p->r->top : 5;

	if (!l->locks_len)
		return;
	heading(p, "LOCKS");
	fputs("who waited, and who held the lock meanwhile\n", p->out);
	for (size_t i = 0; i < l->locks_len && i < shown; i++) {
		const struct lock *lock = &l->locks[i];
		struct numbers n = { 0 };

		fprintf(p->out, "  %10s         %s ", duration(&n, lock->wait_ns), wait_name(lock->wait));
		safe_puts(lock->name, p->out);
		fprintf(p->out, ", %s times, longest %s\n", count(&n, lock->contentions),
			duration(&n, lock->max_wait_ns));
		for (size_t holders = 0; at < l->holders_len && l->holders[at].lock == i; at++)
			if (l->holders[at].wait_ns && holders++ < 3)
				put_holder(p, lock, &l->holders[at]);
	}
}

static void put_block(struct screen *p)
{
	const struct waits *w = &p->r->a->waits;
	const struct rsd_header *h = &p->r->a->rec.reader.header;
	struct numbers n = { 0 };

	heading(p, "BLOCKING");
	if (h->block_ns == UINT64_MAX) {
		fputs("not recorded (block=off)\n", p->out);
		return;
	}
	fprintf(p->out, "%s in %s waits of at least %s; %s shorter calls took %s\n", duration(&n, w->total.blocked_ns),
		count(&n, w->total.spans), duration(&n, h->block_ns),
		count(&n, w->total.calls > w->total.spans ? w->total.calls - w->total.spans : 0),
		duration(&n, w->total.short_ns));
	if (w->sites_len)
		put_wait_sites(p, w);
	fputs("  blocked: off the CPU in the call; idle: waiting for work; gathering: for threads to end\n", p->out);
	put_locks(p, &p->r->a->locks);
}

/* ---- threads -------------------------------------------------------------------------------------------------- */

static int by_cpu_and_wait(const void *a, const void *b)
{
	const struct thread_row *x = *(const struct thread_row *const *)a, *y = *(const struct thread_row *const *)b;

	if (x->cpu_ns != y->cpu_ns)
		return x->cpu_ns > y->cpu_ns ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static void put_threads(struct screen *p)
{
	const struct threads *t = &p->r->a->threads;
	const struct thread_row **order;
	size_t shown = t->rows_len < p->r->top ? t->rows_len : p->r->top;

	if (t->rows_len < 2)
		return;
	order = malloc(t->rows_len * sizeof(const struct thread_row *));
	if (!order) {
		p->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < t->rows_len; i++)
		order[i] = &t->rows[i];
	qsort(order, t->rows_len, sizeof(*order), by_cpu_and_wait);
	heading(p, "THREADS");
	fputs("wall = CPU + blocked + runnable (ready, but no CPU free) + unknown\n", p->out);
	fprintf(p->out, "  %10s %10s %10s %10s %10s  %s\n", "wall", "CPU", "blocked", "runnable", "unknown", "thread");
	for (size_t i = 0; i < shown; i++) {
		struct numbers n = { 0 };

		fprintf(p->out, "  %10s %10s %10s %10s %10s  %" PRIu32 " ", duration(&n, order[i]->wall_ns),
			duration(&n, order[i]->cpu_ns), duration(&n, order[i]->blocked_ns),
			duration(&n, order[i]->runnable_ns), duration(&n, order[i]->unknown_ns), order[i]->tid);
		safe_puts(order[i]->name, p->out);
		fputc('\n', p->out);
	}
	if (shown < t->rows_len)
		fprintf(p->out, "  ... and %zu more\n", t->rows_len - shown);
	free(order);
}

/* ---- foot ----------------------------------------------------------------------------------------------------- */

static void put_losses(struct screen *p)
{
	struct buf losses = { 0 };
	size_t len;

	heading(p, "LOST");
	if (!analysis_losses(p->r->a, &losses))
		fputs("nothing was lost\n", p->out);
	else
		fputs("numbers above are too low by this\n", p->out);
	for (const char *line = buf_string(&losses); *line; line += len + 1) {
		len = strcspn(line, "\n");
		fprintf(p->out, "  %.*s\n", (int)len, line);
	}
	buf_release(&losses);
	for (size_t i = 0; i < p->r->a->rec.notices_len; i++) {
		fputs("  ", p->out);
		safe_puts(p->r->a->rec.notices[i], p->out);
		fputc('\n', p->out);
	}
	if (p->r->session->files_unreadable)
		fprintf(p->out, "  %zu dumps of descendants could not be read\n", p->r->session->files_unreadable);
}

static void put_cost(struct screen *p)
{
	const struct analysis *a = p->r->a;
	const char *note;
	struct numbers n = { 0 };

	heading(p, "COST");
	fprintf(p->out, "recording took about %s (%.1f %% of the CPU time); the dump has %s for %s records\n",
		duration(&n, a->threads.self_ns), percent(a->threads.self_ns, a->cpu.cpu_ns), bytes(&n, a->dump_bytes),
		count(&n, a->stats.events));
	if (a->rec.clock.is_guess)
		fputs("  the clock could not be fitted: times are in ticks\n", p->out);
	for (size_t i = 0; (note = symbols_note(p->r->session->symbols, i)); i++) {
		fputs("  ", p->out);
		safe_puts(note, p->out);
		fputc('\n', p->out);
	}
	fputs("\nMore: ", p->out);
	for (const char *const *word = (const char *const[]){ "heap", "cpu", "block", NULL }; *word; word++) {
		fprintf(p->out, "ringside %s ", *word);
		safe_puts(p->r->session->path, p->out);
		fputs(word[1] ? " | " : "\n", p->out);
	}
}

static struct screen page_of(const struct overview *r, FILE *out)
{
	unsigned width = session_width();

	return (struct screen){
		.r = r, .out = out, .use_color = session_color(), .width = width >= 40 && width < WIDTH ? width : WIDTH
	};
}

void overview_text_title(const struct recording *rec, FILE *out)
{
	struct screen p = page_of(NULL, out);

	put_argv(&p, rec);
}

int overview_text(const struct overview *r, FILE *out)
{
	struct screen p = page_of(r, out);

	put_head(&p);
	put_findings(&p);
	put_heap(&p);
	put_cpu(&p);
	put_block(&p);
	put_threads(&p);
	put_losses(&p);
	put_cost(&p);
	return p.err ? p.err : ferror(out) ? -EIO : 0;
}
