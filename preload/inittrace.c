/* SPDX-License-Identifier: MIT */
/* inittrace.c - see inittrace.h. "init libfoo.so @0.4 ms, 1.2 ms clock, 4096 bytes, 12 allocs", as Go prints it. */
#include "preload/inittrace.h"

#include <link.h>
#include <sys/mman.h>

#include "preload/clock.h"
#include "preload/old_libc.h"
#include "preload/raw.h"
#include "preload/text.h"
#include "preload/thread.h"

#define OBJECTS 128u
#define ENTRIES 256u

typedef void (*init_function)(int, char **, char **);

struct object {
	const char *name;
	init_function entry[ENTRIES];
	unsigned entries;
};

static struct object *objects;
static unsigned object_count;
static uint64_t begin_ns;

static void empty(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
}

static void put_line(const struct object *o, uint64_t start_ns, uint64_t bytes, uint64_t allocs)
{
	char buf[512];
	struct text t = text_on(buf, sizeof(buf));

	text_str(&t, "init ");
	text_str(&t, *o->name ? text_basename(o->name) : "program");
	text_str(&t, " @");
	text_fixed(&t, start_ns - begin_ns, 1000000, 3);
	text_str(&t, " ms, ");
	text_fixed(&t, clock_mono_ns() - start_ns, 1000000, 3);
	text_str(&t, " ms clock, ");
	text_u64(&t, bytes);
	text_str(&t, " bytes, ");
	text_u64(&t, allocs);
	text_str(&t, " allocs\n");
	raw3(SYS_write, 2, t.buf, t.len);
}

static void run(unsigned index, int argc, char **argv, char **envp)
{
	struct object *o = &objects[index];
	uint64_t start_ns = clock_mono_ns();
	struct thread *t = thread_enter();
	uint64_t bytes = t ? t->slot->alloc_bytes : 0, allocs = t ? t->slot->allocs : 0;

	for (unsigned i = 0; i < o->entries; i++)
		o->entry[i](argc, argv, envp);
	put_line(o, start_ns, t ? t->slot->alloc_bytes - bytes : 0, t ? t->slot->allocs - allocs : 0);
}

/* An init function gets no word about which object it belongs to: so there is one function for each. */
#define RUN(n)                                                                                                         \
	static void run_##n(int argc, char **argv, char **envp)                                                        \
	{                                                                                                              \
		run(0x##n, argc, argv, envp);                                                                          \
	}
#define SIXTEEN(M, h)                                                                                                  \
	M(h##0)                                                                                                        \
	M(h##1)                                                                                                        \
	M(h##2) M(h##3) M(h##4) M(h##5) M(h##6) M(h##7) M(h##8) M(h##9) M(h##a) M(h##b) M(h##c) M(h##d) M(h##e) M(h##f)
#define ALL(M)                                                                                                         \
	SIXTEEN(M, 0) SIXTEEN(M, 1) SIXTEEN(M, 2) SIXTEEN(M, 3) SIXTEEN(M, 4) SIXTEEN(M, 5) SIXTEEN(M, 6) SIXTEEN(M, 7)
ALL(RUN)

#define NAME(n) run_##n,
static const init_function runners[OBJECTS] = { ALL(NAME) };

/* The table is read-only after relocation: writable for the moment of the change. */
static bool make_writable(void *from, size_t size, int prot)
{
	uintptr_t start = (uintptr_t)from & ~(uintptr_t)4095, end = ((uintptr_t)from + size + 4095) & ~(uintptr_t)4095;

	return raw3(SYS_mprotect, start, end - start, prot) == 0;
}

static void wrap(struct link_map *map)
{
	init_function *table = NULL;
	size_t size = 0;
	struct object *o = &objects[object_count];

	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_INIT_ARRAY)
			table = (init_function *)(map->l_addr + d->d_un.d_ptr);
		if (d->d_tag == DT_INIT_ARRAYSZ)
			size = d->d_un.d_val;
	}
	if (!table || size < sizeof(*table) || size / sizeof(*table) > ENTRIES || object_count == OBJECTS)
		return;
	o->name = map->l_name;
	o->entries = (unsigned)(size / sizeof(*table));
	for (unsigned i = 0; i < o->entries; i++) {
		o->entry[i] = table[i];
		/* Our own constructor is running: its table is left alone. */
		if ((void *)table[i] == NULL || *(uintptr_t *)&table[i] == (uintptr_t)-1)
			return;
	}
	if (!make_writable(table, size, PROT_READ | PROT_WRITE))
		return;
	for (unsigned i = 1; i < o->entries; i++)
		table[i] = empty;
	table[0] = runners[object_count++];
	/* It stays writable: the page may hold data that the program writes. */
}

void inittrace_begin(void)
{
	extern char __ehdr_start __attribute__((visibility("hidden")));

	objects = raw_map(OBJECTS * sizeof(*objects));
	if (!objects)
		return;
	begin_ns = clock_mono_ns();
	for (struct link_map *map = _r_debug.r_map; map; map = map->l_next)
		if (map->l_addr != (uintptr_t)&__ehdr_start)
			wrap(map);
}
