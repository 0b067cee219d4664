/* SPDX-License-Identifier: MIT */
/*
 * pins.c - many blocks, then nearly all are freed: a few small ones that stay hold their pages, and the last one the
 * top of the heap. The books are of the pages themselves: the addresses are known.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGE 4096u
#define SPARSE 1024u
#define PINS 150
#define BULK_PER_PIN 40
#define PIN_SIZE 48u
#define BULK_SIZE 200u
#define BASE_SIZE 1000u

static char *base, *pins[PINS], *bulk[PINS * BULK_PER_PIN];
static char buffer[BUFSIZ];

static void hold_base(void)
{
	base = malloc(BASE_SIZE);
}

static void hold_page(int i)
{
	pins[i] = malloc(PIN_SIZE);
}

static void fill_page(int i)
{
	bulk[i] = malloc(BULK_SIZE);
}

static uint64_t page_of(const char *at)
{
	return (uintptr_t)at / PAGE;
}

/* Addresses rise: nothing was freed before. A block shorter than a page is on one page or two. */
static uint64_t count_pages(char *const *blocks, int len, uint32_t size)
{
	uint64_t pages = 0, last = 0;

	for (int i = 0; i < len; i++)
		for (uint64_t page = page_of(blocks[i]); page <= page_of(blocks[i] + size - 1); page++) {
			pages += page != last;
			last = page;
		}
	return pages;
}

static uint64_t bytes_on(uint64_t page, const char *block, uint32_t size)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < size; i++)
		bytes += page_of(block + i) == page;
	return bytes;
}

/* Pages on which pins are, and of these the ones with less than a quarter in use. */
static void count_pinned(uint64_t *pages, uint64_t *sparse, double *empty)
{
	uint64_t last = 0;

	*pages = *sparse = 0;
	*empty = 0;
	for (int i = 0; i < PINS; i++)
		for (uint64_t page = page_of(pins[i]); page <= page_of(pins[i] + PIN_SIZE - 1); page++) {
			uint64_t mine = 0, others = bytes_on(page, base, BASE_SIZE);

			if (page == last)
				continue;
			last = page;
			for (int k = 0; k < PINS; k++)
				mine += bytes_on(page, pins[k], PIN_SIZE);
			++*pages;
			if (mine + others >= SPARSE)
				continue;
			++*sparse;
			*empty += (double)(PAGE - mine - others) * (double)mine / (double)(mine + others);
		}
}

/* The recorder looks at the memory with its CPU samples, every 10 ms at most: at the peak it shall. */
static void compute(void)
{
	clock_t until = clock() + CLOCKS_PER_SEC / 20;

	while (clock() < until)
		for (volatile int i = 0; i < 10000; i++)
			;
}

int main(void)
{
	uint64_t pages, sparse, bulk_pages;
	double empty;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	hold_base();
	for (int i = 0; i < PINS * BULK_PER_PIN; i++) {
		fill_page(i);
		if (i % BULK_PER_PIN == BULK_PER_PIN - 1)
			hold_page(i / BULK_PER_PIN);
	}
	compute();
	bulk_pages = count_pages(bulk, PINS * BULK_PER_PIN, BULK_SIZE);
	for (int i = 0; i < PINS * BULK_PER_PIN; i++)
		free(bulk[i]);
	malloc_trim(0); /* what is resident falls, so that the peak was before */
	count_pinned(&pages, &sparse, &empty);
	printf("{\"pins\": %d, \"pages\": %lu, \"sparse\": %lu, \"empty\": %.3f, \"bulk_pages\": %lu, \"top\": "
	       "\"0x%lx\", "
	       "\"freed\": %lu}\n",
	       PINS, pages, sparse, empty, bulk_pages, (uintptr_t)(pins[PINS - 1] + PIN_SIZE),
	       (uint64_t)(pins[PINS - 1] + PIN_SIZE - (base + BASE_SIZE)));
	return 0;
}
