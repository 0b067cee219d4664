/* SPDX-License-Identifier: MIT */
/*
 * books.c - counters of the sites and their JSON.
 *
 * All counters are relaxed atomics: nothing is published through them, and they are read after the threads
 * were joined. Sites enter a list on their first use and never leave it.
 */
#include "common/books.h"

#include <string.h>

static struct book *all_sites;
static struct books_totals totals = { .threads = 1 };
static char stdout_buffer[1 << 16];

#define ADD(counter, value) __atomic_add_fetch(&(counter), (value), __ATOMIC_RELAXED)
#define READ(counter) __atomic_load_n(&(counter), __ATOMIC_RELAXED)

static void raise_max(uint64_t *max, uint64_t value)
{
	uint64_t seen = READ(*max);

	while (value > seen && !__atomic_compare_exchange_n(max, &seen, value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void list_site(struct book *site)
{
	if (READ(site->is_listed) || __atomic_exchange_n(&site->is_listed, 1, __ATOMIC_RELAXED))
		return;
	site->next = READ(all_sites);
	while (!__atomic_compare_exchange_n(&all_sites, &site->next, site, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

void book_add(struct book *site, uint64_t count, uint64_t amount)
{
	list_site(site);
	ADD(site->count, count);
	ADD(site->amount, amount);
}

void *book_gained(struct book *site, void *block, size_t size)
{
	if (!block)
		return NULL;
	book_add(site, 1, size);
	ADD(totals.allocations, 1);
	ADD(totals.allocated_bytes, size);
	raise_max(&totals.peak_bytes, ADD(totals.live_bytes, size));
	return block;
}

void book_lost(const void *block, size_t size)
{
	if (!block)
		return;
	ADD(totals.frees, 1);
	ADD(totals.live_bytes, -size);
}

void *book_moved(struct book *site, int had_old, size_t old_size, void *block, size_t size)
{
	if (!block)
		return NULL;
	if (had_old)
		book_lost(block, old_size);
	return book_gained(site, block, size);
}

void book_waited(struct book *site, uint64_t dur_ns)
{
	book_add(site, 1, dur_ns);
	raise_max(&site->max_ns, dur_ns);
	if (dur_ns < BOOK_LONG_NS)
		return;
	ADD(site->longs, 1);
	ADD(site->long_ns, dur_ns);
}

int book_thread(pthread_t *thread, const char *name, unsigned int number, void *(*run)(void *), void *arg)
{
	char full[32];
	int err = pthread_create(thread, NULL, run, arg);

	if (err)
		return err;
	ADD(totals.threads, 1);
	snprintf(full, sizeof(full), number ? "%.10s-%u" : "%.15s", name, number);
	pthread_setname_np(*thread, full);
	return 0;
}

void book_other_thread(void)
{
	ADD(totals.threads, 1);
}

struct books_totals books_totals(void)
{
	return totals;
}

void books_stdout(void)
{
	setvbuf(stdout, stdout_buffer, _IOFBF, sizeof(stdout_buffer));
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

static int same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static int same_row(const struct book *a, const struct book *b)
{
	return a->kind == b->kind && same_text(a->name, b->name) && same_text(a->word, b->word);
}

/* Adds later sites of the same name to the first one and marks them, so that each name is printed once. */
static void merge_same(struct book *first)
{
	for (struct book *site = first->next; site; site = site->next) {
		if (!site->is_listed || !same_row(first, site))
			continue;
		first->count += site->count;
		first->amount += site->amount;
		first->longs += site->longs;
		first->long_ns += site->long_ns;
		raise_max(&first->max_ns, site->max_ns);
		first->holder = first->holder ? first->holder : site->holder;
		first->does = first->does ? first->does : site->does;
		site->is_listed = 0;
	}
}

static void print_heap(FILE *out, const struct book *site)
{
	fprintf(out, "{\"function\":\"%s\",\"allocations\":%lu,\"allocated_bytes\":%lu}", site->name, site->count,
		site->amount);
}

static void print_leak(FILE *out, const struct book *site)
{
	fprintf(out, "{\"function\":\"%s\",\"live_blocks\":%lu,\"live_bytes\":%lu}", site->name, site->count,
		site->amount);
}

static void print_cpu(FILE *out, const struct book *site)
{
	fprintf(out, "{\"function\":\"%s\",\"calls\":%lu,\"cpu_ns\":%lu}", site->name, site->count, site->amount);
}

static void print_wait(FILE *out, const struct book *site)
{
	fprintf(out,
		"{\"kind\":\"%s\",\"function\":\"%s\",\"count\":%lu,\"ns\":%lu,\"max_ns\":%lu,\"long_count\":%lu,"
		"\"long_ns\":%lu,\"holder\":",
		site->word, site->name, site->count, site->amount, site->max_ns, site->longs, site->long_ns);
	fprintf(out, site->holder ? "\"%s\"" : "null", site->holder);
	fprintf(out, site->does ? ",\"holder_does\":\"%s\"}" : "}", site->does);
}

static void print_list(FILE *out, enum book_kind kind, const char *key, void (*print)(FILE *, const struct book *))
{
	const char *between = "";

	fprintf(out, ",\"%s\":[", key);
	for (const struct book *site = all_sites; site; site = site->next) {
		if (site->kind != kind || !site->is_listed || !site->count)
			continue;
		fputs(between, out);
		print(out, site);
		between = ",";
	}
	fputs("]", out);
}

/* "cpu": share of the process's CPU time; the rest is the program's other code, the kernel and libc. */
static void print_shares(FILE *out, uint64_t process_ns)
{
	const char *between = "";

	fputs(",\"cpu\":{", out);
	for (const struct book *site = all_sites; site; site = site->next) {
		if (site->kind != BOOK_CPU || !site->is_listed)
			continue;
		fprintf(out, "%s\"%s\":%.4f", between, site->name, (double)site->amount / (double)process_ns);
		between = ",";
	}
	fputs("}", out);
}

static const struct book *only_leak(void)
{
	const struct book *found = NULL;

	for (const struct book *site = all_sites; site; site = site->next) {
		if (site->kind != BOOK_LEAK || !site->is_listed)
			continue;
		if (found)
			return NULL;
		found = site;
	}
	return found;
}

void books_print(FILE *out)
{
	uint64_t process_ns = clock_process_cpu_ns();
	const struct book *leak;

	for (struct book *site = all_sites; site; site = site->next) {
		if (site->is_listed)
			merge_same(site);
	}
	fprintf(out, "\"scope\":\"blocks whose allocating call stands in the program itself, not in libc\"");
	fprintf(out, ",\"allocations\":%lu,\"frees\":%lu,\"allocated_bytes\":%lu", totals.allocations, totals.frees,
		totals.allocated_bytes);
	fprintf(out, ",\"live_blocks\":%lu,\"live_bytes\":%lu,\"peak_bytes_about\":%lu",
		totals.allocations - totals.frees, totals.live_bytes, totals.peak_bytes);
	leak = only_leak();
	fprintf(out, leak ? ",\"leak_function\":\"%s\"" : ",\"leak_function\":null", leak ? leak->name : "");
	fprintf(out, ",\"threads\":%lu,\"process_cpu_ns\":%lu", totals.threads, process_ns);
	print_list(out, BOOK_HEAP, "sites", print_heap);
	print_list(out, BOOK_LEAK, "leaks", print_leak);
	print_shares(out, process_ns);
	print_list(out, BOOK_CPU, "cpu_functions", print_cpu);
	print_list(out, BOOK_WAIT, "waits", print_wait);
}
