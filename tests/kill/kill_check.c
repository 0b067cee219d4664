/* SPDX-License-Identifier: MIT */
/*
 * kill_check.c - compare the books of a killed tree of processes with what its dumps hold.
 *
 *     for f in DUMPS; do ringside dump $f; done | kill_check BOOKS [--waits] [--ring]
 *
 * For each account: blocks, frees, bytes and (--waits: every wait is recorded) waits are at least what returned and at
 * most what was begun, and the newest records are the newest entries, in their order and with their addresses. --ring:
 * the older ones are gone, only the newest are compared.
 * Prints one JSON object; exits with 1 if anything is lost.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/kill/books.h"

#define TIDS (1u << 22)
#define NONE UINT32_MAX
#define IN_FLIGHT 2 /* a realloc is two records */

/* What the dumps say of an account. */
struct seen {
	uint64_t sum[ENTRIES];
	bool is_found;
	uint64_t tail_len, tail[BOOKS_TAIL + IN_FLIGHT];
};

static struct books *books;
static struct seen seen[BOOKS_ACCOUNTS];
static uint64_t accounts, records, blocks, dumps, lost, faults;
static uint64_t locks_begun, locks_returned;
static bool has_waits, is_ring;

/* Whose records a thread's are, in the dump at hand. */
static struct {
	uint64_t dump;
	uint32_t account;
} current[TIDS];

static uint64_t number_after(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? strtoull(at + strlen(name), NULL, 0) : 0;
}

/* In a ring the signature may be gone: then it is the thread's newest account. */
static uint32_t newest_account(uint32_t tid)
{
	for (uint64_t i = accounts; i--;)
		if (books->account[i].tid == tid)
			return (uint32_t)i;
	return NONE;
}

static struct seen *owner_of(uint64_t tid)
{
	if (tid >= TIDS)
		return NULL;
	if (current[tid].dump != dumps) {
		current[tid].dump = dumps;
		current[tid].account = is_ring ? newest_account((uint32_t)tid) : NONE;
	}
	return current[tid].account == NONE ? NULL : &seen[current[tid].account];
}

static bool take_signature(uint64_t tid, uint64_t size)
{
	uint64_t number = size - BOOKS_SIGNATURE;

	if (size < BOOKS_SIGNATURE || number >= accounts || tid >= TIDS || books->account[number].tid != tid)
		return false;
	current[tid].dump = dumps;
	current[tid].account = (uint32_t)number;
	seen[number].is_found = true;
	return true;
}

static void add_block(struct seen *s, uint64_t word, uint64_t size)
{
	s->tail[s->tail_len++ % (BOOKS_TAIL + IN_FLIGHT)] = word;
	s->sum[word & 1 ? ENTRY_FREE : ENTRY_ALLOC]++;
	s->sum[ENTRY_BYTES] += size;
	records++;
	blocks++;
}

/* aligned_alloc and its like have no books. */
static bool is_booked(const char *line)
{
	return strstr(line, "api=malloc") || strstr(line, "api=calloc") || strstr(line, "api=realloc\n") ||
	       strstr(line, "api=free");
}

static void on_alloc(const char *line, uint64_t tid)
{
	uint64_t size = number_after(line, " size=");
	struct seen *s;

	if (take_signature(tid, size) || !is_booked(line))
		return;
	s = owner_of(tid);
	if (s)
		add_block(s, number_after(line, " addr="), size);
}

static void on_free(const char *line, uint64_t tid)
{
	struct seen *s = owner_of(tid);

	if (s && is_booked(line))
		add_block(s, number_after(line, " addr=") + 1, 0);
}

static void on_span(const char *line, uint64_t tid)
{
	struct seen *s = owner_of(tid);
	enum books_entry entry = strstr(line, " wait=read ")	? ENTRY_READ
				 : strstr(line, " wait=write ") ? ENTRY_WRITE
				 : strstr(line, " wait=sleep ") ? ENTRY_SLEEP
								: ENTRIES;

	if (!s || entry == ENTRIES)
		return;
	s->sum[entry]++;
	records++;
}

static void on_line(const char *line)
{
	uint64_t tid = number_after(line, " tid=");

	if (!strncmp(line, "recording ", 10))
		dumps++;
	else if (!strncmp(line, "total ", 6) && strstr(line, "lost"))
		lost += number_after(line, " value=");
	else if (!strncmp(line, "alloc ", 6) || !strncmp(line, "realloc-alloc ", 14))
		on_alloc(line, tid);
	else if (!strncmp(line, "free ", 5) || !strncmp(line, "realloc-free ", 13))
		on_free(line, tid);
	else if (!strncmp(line, "span ", 5))
		on_span(line, tid);
}

__attribute__((format(printf, 2, 3))) static void fault(uint64_t number, const char *format, ...)
{
	va_list list;

	if (faults++ > 20)
		return;
	fprintf(stderr, "account %lu, tid %u: ", number, books->account[number].tid);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
}

static void compare_sums(uint64_t number)
{
	static const char *const names[] = { "blocks", "frees", "bytes", "reads", "writes", "sleeps", "locks" };
	const struct account *a = &books->account[number];
	const struct seen *s = &seen[number];

	for (int i = 0; i < (has_waits ? ENTRY_LOCK : ENTRY_READ); i++)
		if (s->sum[i] < a->sum[i].returned || s->sum[i] > a->sum[i].begun)
			fault(number, "%lu %s, the books say %lu to %lu", s->sum[i], names[i], a->sum[i].returned,
			      a->sum[i].begun);
}

/* Do the newest records, without the last `skip`, equal the newest entries? */
static bool is_tail(const struct account *a, const struct seen *s, uint64_t skip)
{
	/* The oldest may be overwritten already by one that is not yet counted. */
	uint64_t n = a->tail_len < BOOKS_TAIL ? a->tail_len : BOOKS_TAIL - 1;

	if (s->tail_len < n + skip)
		return false;
	for (uint64_t i = 1; i <= n; i++)
		if (a->tail[(a->tail_len - i) % BOOKS_TAIL] !=
		    s->tail[(s->tail_len - skip - i) % (BOOKS_TAIL + IN_FLIGHT)])
			return false;
	return true;
}

static void compare_tail(uint64_t number)
{
	for (uint64_t skip = 0; skip <= IN_FLIGHT; skip++)
		if (is_tail(&books->account[number], &seen[number], skip))
			return;
	fault(number, "the newest of %lu records are not the newest of %lu entries", seen[number].tail_len,
	      books->account[number].tail_len);
}

/* Threads that ended long ago may have left nothing in a ring. */
static bool is_to_be_found(uint64_t number)
{
	return is_ring ? seen[number].tail_len > BOOKS_TAIL + IN_FLIGHT : books->account[number].is_signed;
}

static void compare(uint64_t number)
{
	if (!is_to_be_found(number))
		return;
	if (!is_ring && !seen[number].is_found) {
		fault(number, "not in any dump");
		return;
	}
	if (!is_ring)
		compare_sums(number);
	compare_tail(number);
}

static int open_books(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0)
		return -1;
	/* Killed before the program came to its books: nothing to compare. */
	if (!fstat(fd, &st) && st.st_size == (off_t)sizeof(*books))
		books = mmap(NULL, sizeof(*books), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (books == MAP_FAILED)
		return -1;
	if (books)
		accounts = books->next < BOOKS_ACCOUNTS ? books->next : BOOKS_ACCOUNTS;
	return 0;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;

	for (int i = 2; i < argc; i++) {
		has_waits |= !strcmp(argv[i], "--waits");
		is_ring |= !strcmp(argv[i], "--ring");
	}
	if (argc < 2 || open_books(argv[1])) {
		fprintf(stderr, "kill_check: no books\n");
		return 2;
	}
	while (getline(&line, &room, stdin) > 0)
		on_line(line);
	free(line);
	for (uint64_t i = 0; i < accounts; i++) {
		compare(i);
		locks_begun += books->account[i].sum[ENTRY_LOCK].begun;
		locks_returned += books->account[i].sum[ENTRY_LOCK].returned;
	}
	printf("{\"dumps\":%lu,\"accounts\":%lu,\"records\":%lu,\"blocks\":%lu,\"lost_events\":%lu,\"faults\":%lu,"
	       "\"locks_begun\":%lu,\"locks_returned\":%lu}\n",
	       dumps, accounts, records, blocks, lost, faults, locks_begun, locks_returned);
	return faults ? 1 : 0;
}
