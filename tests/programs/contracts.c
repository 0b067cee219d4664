/* SPDX-License-Identifier: MIT */
/*
 * contracts.c - allocations where rules forbid them, as many as the books say; without --plant none at all.
 *
 * A thread "rt-audio" runs callbacks: allocations in the first moments are allowed, those after 1.5 s are planted. The
 * main thread parses lines and draws frames, which are regions; some take more than they may.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ringside.h"

#define LATE_MS 1500
#define LINE_LIMIT 4096
#define FRAME_LIMIT 1000

static struct books {
	unsigned early_mallocs, late_mallocs, rt_frees;
	unsigned large_lines, line_bytes_max;
	unsigned frames_over, frame_mallocs_over;
} books;
static int is_planted;

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void *buffer(size_t size)
{
	char *p = malloc(size);

	if (!p)
		abort();
	memset(p, 1, size);
	return p;
}

static void audio_callback(char **out, size_t size)
{
	if (size)
		*out = buffer(size);
}

/* Blocks are handed to the main thread, which frees them; the planted ones are freed here. */
static void *audio(void *arg)
{
	char **given = arg;

	pthread_setname_np(pthread_self(), "rt-audio");
	for (int i = 0; i < 5; i++, books.early_mallocs++)
		audio_callback(&given[i], 100);
	sleep_ms(LATE_MS);
	for (int i = 0; i < 20; i++) {
		char *block = NULL;
		int wants_one = is_planted && i % 3 == 0;

		audio_callback(&block, wants_one ? 64 : 0);
		books.late_mallocs += wants_one;
		if (block) {
			free(block);
			books.rt_frees++;
		}
	}
	return NULL;
}

static void parse(unsigned length)
{
	char *line = buffer(length), *copy = buffer(32);

	books.large_lines += length > LINE_LIMIT;
	if (length > books.line_bytes_max)
		books.line_bytes_max = length;
	free(copy);
	free(line);
}

static void draw(unsigned shapes)
{
	ringside_region frame = ringside_region_begin(RINGSIDE_NO_TASK, "frame");
	char *list[64];

	for (unsigned i = 0; i < shapes; i++)
		list[i] = buffer(100);
	for (unsigned i = 0; i < shapes; i++)
		free(list[i]);
	ringside_region_end(frame);
	books.frames_over += shapes * 100 > FRAME_LIMIT;
	books.frame_mallocs_over += shapes > 20;
}

int main(int argc, char **argv)
{
	char *given[5] = { NULL };
	pthread_t thread;

	is_planted = argc > 1 && !strcmp(argv[1], "--plant");
	if (pthread_create(&thread, NULL, audio, given))
		return 1;
	for (unsigned i = 1; i <= 40; i++) {
		parse(is_planted ? 200 * i : 50 * i);
		draw(is_planted ? i % 32 : i % 10);
	}
	pthread_join(thread, NULL);
	for (int i = 0; i < 5; i++)
		free(given[i]);
	printf("{\"early_mallocs\": %u, \"late_mallocs\": %u, \"rt_frees\": %u, \"large_lines\": %u, "
	       "\"line_bytes_max\": %u, "
	       "\"frames_over\": %u, \"frame_mallocs_over\": %u}\n",
	       books.early_mallocs, books.late_mallocs, books.rt_frees, books.large_lines, books.line_bytes_max,
	       books.frames_over, books.frame_mallocs_over);
	return 0;
}
