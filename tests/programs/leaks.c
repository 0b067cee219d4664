// SPDX-License-Identifier: MIT
/*
 * leaks.c - blocks that stay until the end, from places of their own: at the start, at the end, all along; and some
 * that the program itself tells leak checkers to leave out.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS 40
#define STEP_US 10000

static void *volatile chosen;

const char *__lsan_default_suppressions(void);

#ifdef COMPUTED
const char *__lsan_default_suppressions(void)
{
	static char text[64];

	strcpy(text, "leak:meant_to_stay\n");
	return text;
}
#else
const char *__lsan_default_suppressions(void)
{
	return "# what stays on purpose\n"
	       "leak:meant_to_stay\n";
}
#endif

static void at_the_start(void)
{
	for (int i = 1; i <= 3; i++)
		chosen = malloc((size_t)i * 1000);
}

static void meant_to_stay(void)
{
	chosen = malloc(5000);
	chosen = malloc(7000);
}

static void all_along(void)
{
	chosen = malloc(64);
}

static void mostly_freed(int step)
{
	void *p = malloc(32);

	chosen = p;
	if (step % 10)
		free(p);
}

static void at_the_end(void)
{
	chosen = malloc(11);
}

int main(void)
{
	at_the_start();
	meant_to_stay();
	for (int step = 0; step < STEPS; step++) {
		all_along();
		mostly_freed(step);
		usleep(STEP_US);
	}
	at_the_end();
	chosen = NULL;
	return 0;
}
