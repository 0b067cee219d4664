/* SPDX-License-Identifier: MIT */
/*
 * reach_areas.c - see reach_areas.h.
 *
 * Mappings come sorted. Each is given to what it is: a module's data, or an area of other memory. Then stacks are cut
 * out of the areas, and the recorder's own memory out of everything.
 */
#include "preload/reach_areas.h"

#include <fcntl.h>

#include "format/record.h"
#include "preload/birth.h"
#include "preload/raw.h"

#define PAGE ((uintptr_t)4096)
#define LINE_MOST 4352u			 /* a path and what stands before it */
#define DESCRIPTOR 8192u		 /* libc's struct pthread and what the loader puts beside it, with room */
#define OTHER_STACK ((uintptr_t)1 << 20) /* of a stack that is not the thread's own, at most */
#define BESIDE_STACK 1u			 /* bits of a mapping that are only needed in here */

static uint64_t ranges_lost; /* for lack of room */

struct mapping {
	uintptr_t from, to;
	bool is_readable, is_writable, is_private, is_stack, is_file;
};

struct maps_reader {
	long fd;
	size_t len, at;
	char buf[2 * LINE_MOST];
};

static bool list_make(struct reach_list *l, size_t cap)
{
	*l = (struct reach_list){ .at = raw_map(cap * sizeof(*l->at)), .cap = cap };
	return l->at != NULL;
}

static void list_add(struct reach_list *l, uintptr_t from, uintptr_t to, unsigned kind, unsigned flags)
{
	if (from >= to)
		return;
	if (l->len < l->cap)
		l->at[l->len++] = (struct reach_range){ from, to, (uint16_t)kind, (uint16_t)flags };
	else
		ranges_lost++;
}

/* ---- /proc/self/maps ------------------------------------------------------------------------------------------ */

static void refill(struct maps_reader *r)
{
	for (size_t i = r->at; i < r->len; i++)
		r->buf[i - r->at] = r->buf[i];
	r->len -= r->at;
	r->at = 0;
	for (;;) {
		long n = raw3(SYS_read, r->fd, r->buf + r->len, sizeof(r->buf) - r->len);

		if (n <= 0)
			return;
		r->len += (size_t)n;
		if (r->len > LINE_MOST)
			return;
	}
}

static uintptr_t parse_hex(const char **p)
{
	uintptr_t value = 0;

	for (;; ++*p) {
		char c = **p;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uintptr_t)(c - 'a' + 10);
		else
			return value;
	}
}

/* The line ends with a newline: every digit is followed by something that is none. */
static void parse_mapping(const char *p, const char *end, struct mapping *m)
{
	static const char stack[] = "[stack]";
	const char *name = end;

	m->from = parse_hex(&p);
	p++;
	m->to = parse_hex(&p);
	m->is_readable = p[1] == 'r';
	m->is_writable = p[2] == 'w';
	m->is_private = p[4] == 'p';
	while (name > p && name[-1] != ' ')
		name--;
	m->is_file = *name == '/';
	m->is_stack = (size_t)(end - name) == sizeof(stack) - 1;
	for (size_t i = 0; m->is_stack && i < sizeof(stack) - 1; i++)
		m->is_stack = name[i] == stack[i];
}

static bool next_mapping(struct maps_reader *r, struct mapping *m)
{
	size_t end;

	if (r->len - r->at < LINE_MOST)
		refill(r);
	for (end = r->at; end < r->len && r->buf[end] != '\n'; end++)
		;
	if (end == r->len)
		return false;
	parse_mapping(r->buf + r->at, r->buf + end, m);
	r->at = end + 1;
	return true;
}

/* ---- modules -------------------------------------------------------------------------------------------------- */

static bool is_own(const struct module *m)
{
	extern char __ehdr_start __attribute__((visibility("hidden")));

	return (uintptr_t)&__ehdr_start - m->start < m->end - m->start;
}

static bool is_last_module(const struct reach_areas *a, const struct module *m)
{
	return a->modules_len && a->modules[a->modules_len - 1].start == m->start;
}

/* The module a mapping belongs to, remembered. Its data begins in a file and may end between two pages of the file. */
static bool find_module(struct reach_areas *a, uintptr_t address, struct module *m)
{
	if (!module_find(address, m))
		return false;
	if (!is_last_module(a, m) && a->modules_len < REACH_MODULES_MOST) {
		a->modules[a->modules_len++] = *m;
		list_add(&a->images, m->start, m->end, 0, 0);
	}
	return true;
}

static void add_mapping(struct reach_areas *a, const struct mapping *m, bool is_guarded)
{
	uintptr_t from = m->from, to = m->to;
	struct module module;

	if (m->is_stack)
		return; /* by its thread */
	if (find_module(a, from, &module)) {
		uintptr_t end = (module.end + PAGE - 1) & ~(PAGE - 1);

		if (!m->is_writable || !m->is_private)
			return;
		if (end > to)
			end = to;
		list_add(&a->all, from, end, is_own(&module) ? 0 : REACH_DATA, 0);
		from = end;
	}
	if (m->is_readable && m->is_writable && m->is_private)
		list_add(&a->all, from, to, REACH_AREA, is_guarded ? REACH_GUARDED : 0);
}

/* ---- threads -------------------------------------------------------------------------------------------------- */

/* The mapping around `address` in a sorted list of all that are readable and writable. */
static const struct reach_range *around(const struct reach_list *l, uintptr_t address)
{
	size_t low = 0, high = l->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->at[mid].to <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->len && address >= l->at[low].from ? &l->at[low] : NULL;
}

static void add_root(struct reach_list *roots, const struct reach_range *in, uintptr_t from, uintptr_t to)
{
	if (!in)
		return;
	list_add(roots, (from > in->from ? from : in->from) & ~(uintptr_t)7, to < in->to ? to : in->to, REACH_STACK, 0);
}

/*
 * libc puts a thread's stack, its static TLS and its descriptor into one mapping, in this order. The first thread has a
 * stack of its own from the kernel, and the loader made the rest.
 */
static void add_thread(struct reach_areas *a, const struct reach_list *maps, struct reach_list *roots,
		       const struct reach_thread *t, const struct reach_plan *plan)
{
	const struct reach_range *own = around(maps, t->pointer), *now = t->sp ? around(maps, t->sp) : NULL;
	const struct reach_range *kernels = NULL;
	uintptr_t beside = plan->static_tls + DESCRIPTOR;

	a->threads_running += !t->sp;
	if (t->tid == plan->parent) {
		for (size_t i = 0; i < maps->len; i++)
			if (maps->at[i].flags & BESIDE_STACK)
				kernels = &maps->at[i];
		add_root(roots, own, t->pointer - beside, t->pointer + beside);
		if (now == kernels)
			add_root(roots, kernels, t->sp, UINTPTR_MAX);
		else
			add_root(roots, kernels, 0, UINTPTR_MAX);
	} else {
		add_root(roots, own, now == own ? t->sp : 0, t->pointer + beside);
	}
	/* On another stack: of a signal, or of a coroutine. */
	if (now && now != own && now != kernels)
		add_root(roots, now, t->sp, t->sp + OTHER_STACK);
}

/* ---- cutting -------------------------------------------------------------------------------------------------- */

static void sift(struct reach_range *at, size_t root, size_t len)
{
	for (size_t child; (child = 2 * root + 1) < len; root = child) {
		struct reach_range swapped = at[root];

		if (child + 1 < len && at[child + 1].from > at[child].from)
			child++;
		if (at[root].from >= at[child].from)
			return;
		at[root] = at[child];
		at[child] = swapped;
	}
}

static void sort(struct reach_list *l)
{
	for (size_t i = l->len / 2; i-- > 0;)
		sift(l->at, i, l->len);
	for (size_t end = l->len; end > 1;) {
		struct reach_range first = l->at[0];

		l->at[0] = l->at[--end];
		l->at[end] = first;
		sift(l->at, 0, end);
	}
}

/* Sorted ranges of one kind: those that overlap become one. */
static void join(struct reach_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->len; i++) {
		struct reach_range *last = kept ? &l->at[kept - 1] : NULL;

		if (!last || l->at[i].from > last->to)
			l->at[kept++] = l->at[i];
		else if (l->at[i].to > last->to)
			last->to = l->at[i].to;
	}
	l->len = kept;
}

/* What of `from` is not in `minus` goes to `to`. Both are sorted. */
static void subtract(const struct reach_list *from, const struct reach_list *minus, struct reach_list *to)
{
	size_t m = 0;

	for (size_t i = 0; i < from->len; i++) {
		struct reach_range rest = from->at[i];

		while (m && minus->at[m - 1].to > rest.from)
			m--;
		for (; m < minus->len && minus->at[m].from < rest.to; m++) {
			if (minus->at[m].to <= rest.from)
				continue;
			list_add(to, rest.from, minus->at[m].from, rest.kind, rest.flags);
			rest.from = minus->at[m].to;
		}
		list_add(to, rest.from, rest.to, rest.kind, rest.flags);
	}
}

static void add_own(void *self, uintptr_t from, uintptr_t to)
{
	list_add(self, from, to, 0, 0);
}

static void find_roots(struct reach_areas *a, const struct reach_list *maps, struct reach_list *roots,
		       const struct reach_plan *plan)
{
	for (uint32_t i = 0; i < plan->threads_len; i++)
		add_thread(a, maps, roots, &plan->threads[i], plan);
	if (plan->registers)
		list_add(roots, plan->registers & ~(uintptr_t)7, plan->registers_end, REACH_STACK, 0);
	sort(roots);
	join(roots);
}

/* ---- all together --------------------------------------------------------------------------------------------- */

/* Every mapping once: into a->all by what it is, into `maps` if it can hold a stack. */
static bool read_maps(struct reach_areas *a, struct reach_list *maps)
{
	struct maps_reader *r = raw_map(sizeof(*r));
	struct mapping m, before = { .to = 0 };

	if (!r)
		return false;
	r->fd = raw4(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	if (r->fd < 0)
		return false;
	while (next_mapping(r, &m)) {
		if (m.is_readable && m.is_writable)
			list_add(maps, m.from, m.to, 0, m.is_stack ? BESIDE_STACK : 0);
		add_mapping(a, &m, before.to == m.from && !before.is_readable);
		before = m;
	}
	raw1(SYS_close, r->fd);
	return maps->len != 0;
}

static void find_targets(struct reach_areas *a)
{
	for (size_t i = 0; i < a->all.len; i++)
		if (a->all.at[i].kind == REACH_AREA)
			list_add(&a->targets, a->all.at[i].from, a->all.at[i].to, 0, 0);
	join(&a->targets);
}

/* Packets for new threads lie in the recorder's memory, but what is in them is the program's. */
static void add_packets(struct reach_list *l)
{
	uintptr_t from, to;

	birth_packets(&from, &to);
	list_add(l, from, to, REACH_STACK, 0);
}

bool reach_areas_find(struct reach_areas *a, const struct reach_plan *plan)
{
	struct reach_list maps, roots, own, found, rest;

	*a = (struct reach_areas){ .modules = raw_map(REACH_MODULES_MOST * sizeof(*a->modules)) };
	if (!a->modules || !list_make(&a->all, REACH_AREAS_MOST) || !list_make(&a->targets, REACH_AREAS_MOST) ||
	    !list_make(&a->images, REACH_MODULES_MOST) || !list_make(&maps, REACH_AREAS_MOST) ||
	    !list_make(&roots, 4 * REACH_THREADS_MOST) || !list_make(&own, REACH_AREAS_MOST) ||
	    !list_make(&found, REACH_AREAS_MOST) || !list_make(&rest, REACH_AREAS_MOST) || !read_maps(a, &maps))
		return false;
	find_roots(a, &maps, &roots, plan);
	raw_each(add_own, &own);
	sort(&own);
	join(&own);
	subtract(&a->all, &own, &rest);
	subtract(&rest, &roots, &found);
	subtract(&roots, &own, &found);
	add_packets(&found);
	sort(&found);
	a->all = found;
	find_targets(a);
	join(&a->images);
	a->lost = ranges_lost + plan->threads_lost;
	return a->targets.len && a->images.len;
}
