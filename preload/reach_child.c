/* SPDX-License-Identifier: MIT */
/*
 * reach_child.c - the copy of the process at its work: gives everything back that it does not need, looks at all memory
 * that may point into the heap, writes what it found, ends. See reach.h.
 *
 * Pages that are not there hold nothing: they are told apart first (pagemap, or mincore where that can't be read), so
 * the copy touches no page that the process has not touched.
 */
#include "preload/reach_plan.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "preload/clock.h"
#include "preload/file.h"
#include "preload/raw.h"
#include "preload/reach_areas.h"
#include "preload/reach_write.h"
#include "preload/windows.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define PAGE 4096u
#define BATCH 16384u /* pages that are looked at in one go */
#define DESCRIPTORS_MOST 65536u
#define PAGEMAP_PRESENT ((uint64_t)1 << 63)
#define PAGEMAP_SWAPPED ((uint64_t)1 << 62)

struct scanner {
	const struct reach_plan *plan;
	struct reach_areas areas;
	struct reach_writer out;
	enum rsd_reach_residency residency;
	long pagemap;
	uint64_t scanned;
	size_t target_hint, image_hint;
	uint64_t entries[BATCH];
	uint8_t states[BATCH];	   /* REACH_PAGE_* of each page */
	uint8_t packed[BATCH / 4]; /* the same as written */
};

/* Old kernels have no call for it. */
static void close_all(void)
{
	struct rlimit limit = { .rlim_cur = DESCRIPTORS_MOST };

	if (raw3(SYS_close_range, 0, ~0U, 0) == 0)
		return;
	raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	for (uint64_t fd = 0; fd < limit.rlim_cur && fd < DESCRIPTORS_MOST; fd++)
		raw1(SYS_close, fd);
}

/*
 * No core file, should memory turn out to be unreadable; when memory runs short, the copy goes first; and it is no
 * real-time thread, whatever the one was that it is a copy of.
 */
static void be_modest(void)
{
	int priority = 0;
	struct rlimit none = { 1, 1 }; /* 0 would still start a handler of core files */
	long fd = raw4(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);

	if (fd >= 0) {
		raw3(SYS_write, fd, "1000", 4);
		raw1(SYS_close, fd);
	}
	raw4(SYS_prlimit64, 0, RLIMIT_CORE, &none, NULL);
	raw3(SYS_sched_setscheduler, 0, 0 /* SCHED_OTHER */, &priority);
	raw2(SYS_prctl, PR_SET_NAME, "ringside-reach");
}

/* ---- which pages are there ------------------------------------------------------------------------------------ */

static bool read_pagemap(struct scanner *s, uintptr_t from, size_t pages)
{
	size_t wanted = pages * sizeof(s->entries[0]);

	if (s->pagemap < 0 ||
	    raw4(SYS_pread64, s->pagemap, s->entries, wanted, from / PAGE * sizeof(s->entries[0])) != (long)wanted)
		return false;
	for (size_t i = 0; i < pages; i++)
		s->states[i] = (s->entries[i] & PAGEMAP_PRESENT ? REACH_PAGE_RESIDENT : 0) |
			       (s->entries[i] & PAGEMAP_SWAPPED ? REACH_PAGE_SWAPPED : 0);
	return true;
}

/* `from` is the begin of a page. */
static void look_at_pages(struct scanner *s, uintptr_t from, size_t pages)
{
	if (read_pagemap(s, from, pages))
		return;
	if (s->residency == REACH_FROM_PAGEMAP)
		s->residency = REACH_FROM_MINCORE;
	if (s->residency == REACH_FROM_MINCORE && raw3(SYS_mincore, from, pages * PAGE, s->states) == 0) {
		for (size_t i = 0; i < pages; i++)
			s->states[i] &= 1;
		return;
	}
	s->residency = REACH_UNKNOWN;
	for (size_t i = 0; i < pages; i++)
		s->states[i] = REACH_PAGE_RESIDENT;
}

static void put_pages(struct scanner *s, uintptr_t from, size_t pages)
{
	for (size_t i = 0; i < (pages + 3) / 4; i++)
		s->packed[i] = 0;
	for (size_t i = 0; i < pages; i++)
		s->packed[i / 4] |= (uint8_t)(s->states[i] << i % 4 * 2);
	reach_put(&s->out, (struct rsd_reach){ .kind = REACH_PAGES, .from = from, .to = from + pages * PAGE },
		  s->packed, (pages + 3) / 4);
}

/* ---- what points somewhere ------------------------------------------------------------------------------------ */

static void scan_words(struct scanner *s, uintptr_t from, uintptr_t to, bool wants_classes)
{
	const struct reach_list *targets = &s->areas.targets, *images = &s->areas.images;
	uintptr_t low = targets->at[0].from, span = targets->at[targets->len - 1].to - low;
	uintptr_t image_low = images->at[0].from, image_span = images->at[images->len - 1].to - image_low;

	for (uintptr_t at = from; at + sizeof(uintptr_t) <= to; at += sizeof(uintptr_t)) {
		uintptr_t value = *(const volatile uintptr_t *)at;

		if (value - low < span && reach_list_find(targets, value, &s->target_hint))
			reach_pointer(&s->out, at, value);
		else if (wants_classes && !(at & 15) && value - image_low < image_span && !(value & 7) &&
			 reach_list_find(images, value, &s->image_hint))
			reach_pointer(&s->out, at, value);
	}
	s->scanned += to - from;
}

static void scan_batch(struct scanner *s, uintptr_t from, uintptr_t to, enum rsd_reach_kind kind)
{
	uintptr_t first = from & ~(uintptr_t)(PAGE - 1);

	reach_open(&s->out, kind, from);
	for (uintptr_t page = first; page < to; page += PAGE)
		if (s->states[(page - first) / PAGE])
			scan_words(s, page > from ? page : from, page + PAGE < to ? page + PAGE : to,
				   kind == REACH_MEMORY);
	reach_close(&s->out, to);
}

static void scan_range(struct scanner *s, const struct reach_range *r)
{
	bool is_area = r->kind == REACH_AREA;

	if (is_area)
		reach_put(&s->out,
			  (struct rsd_reach){ .kind = REACH_AREA, .flags = r->flags, .from = r->from, .to = r->to },
			  NULL, 0);
	for (uintptr_t from = r->from; from < r->to;) {
		uintptr_t first = from & ~(uintptr_t)(PAGE - 1), to = first + (uintptr_t)BATCH * PAGE;

		if (to > r->to)
			to = r->to;
		look_at_pages(s, first, (to - first + PAGE - 1) / PAGE);
		if (is_area)
			put_pages(s, first, (to - first + PAGE - 1) / PAGE);
		scan_batch(s, from, to, is_area ? REACH_MEMORY : (enum rsd_reach_kind)r->kind);
		from = to;
	}
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

static void put_begin(struct scanner *s, uint64_t now)
{
	struct reach_begin begin = { .tick_before = s->plan->tick_before,
				     .tick_after = now,
				     .trigger = s->plan->trigger,
				     .detail = s->plan->detail,
				     .threads = s->plan->threads_len,
				     .threads_running = s->areas.threads_running,
				     .residency = s->residency };

	reach_put(&s->out, (struct rsd_reach){ .kind = REACH_BEGIN }, &begin, sizeof(begin));
}

static void put_modules(struct scanner *s)
{
	for (size_t i = 0; i < s->areas.modules_len; i++) {
		const struct module *m = &s->areas.modules[i];
		char words[MODULE_WORDS_MAX];
		size_t len = module_words(m, words);

		reach_put(&s->out, (struct rsd_reach){ .kind = REACH_MODULE, .from = m->start, .to = m->end }, words,
			  len);
	}
}

/* Roots first: without them nothing can be said, should the room not do for all. */
static void scan_all(struct scanner *s)
{
	const struct reach_list *all = &s->areas.all;

	for (size_t i = 0; i < all->len; i++)
		if (all->at[i].kind == REACH_DATA || all->at[i].kind == REACH_STACK)
			scan_range(s, &all->at[i]);
	for (size_t i = 0; i < all->len; i++)
		if (all->at[i].kind == REACH_AREA)
			scan_range(s, &all->at[i]);
}

static void put_end(struct scanner *s, uint64_t begin_ns)
{
	struct reach_end end = {
		.pointers = s->out.pointers, .cut = s->out.cut, .scanned = s->scanned, .ns = clock_mono_ns() - begin_ns
	};

	if (s->out.cut)
		file_count(COUNT_REACH_CUT, s->out.cut);
	reach_put_end(&s->out, &end);
}

static void work(const struct reach_plan *plan)
{
	uint64_t now = clock_now(), begin_ns = clock_mono_ns();
	struct scanner *s;

	windows_begin_again(plan->window);
	file_header = plan->window;
	close_all();
	be_modest();
	s = raw_map(sizeof(*s));
	if (!s || !reach_areas_find(&s->areas, plan)) {
		file_count(COUNT_REACH_FAILED, 1);
		return;
	}
	s->plan = plan;
	s->out = (struct reach_writer){ .number = plan->number, .parent = plan->parent, .cut = s->areas.lost };
	s->pagemap = raw4(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
	s->residency = s->pagemap < 0 ? REACH_FROM_MINCORE : REACH_FROM_PAGEMAP;
	put_begin(s, now);
	put_modules(s);
	scan_all(s);
	put_end(s, begin_ns);
}

void reach_child(const struct reach_plan *plan)
{
	work(plan);
	for (;;)
		raw1(SYS_exit_group, 0);
}
