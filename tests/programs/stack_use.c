/* SPDX-License-Identifier: MIT */
/*
 * stack_use.c - how much stack each function that the library stands in front of takes, libc's own part included.
 *
 * Prints for each function the deepest of its calls in calls.def: the first one that a thread makes, and the same
 * again when it was made before. To compare with a run without a recorder; samples and lazy binding (LD_BIND_NOW) are
 * to be off. Measured by painting the stack below the call.
 */
#include "calls.h"

#include "common/options.h"

#define STACK_SIZE ((size_t)256 << 10)
#define PAINT 0xa5a5a5a5a5a5a5a5u
#define DEEPEST 24576u

struct use {
	size_t first, again;
};

static struct use uses[CALLS];

/* Not inlined, so that nothing of its caller's lies below. */
static __attribute__((noinline)) size_t make_painted(const struct call *call)
{
	volatile uint64_t *sp = __builtin_frame_address(0), *p;

	__asm__ volatile("mov %%rsp, %0" : "=r"(sp));
	for (p = sp - DEEPEST / 8; p < sp; p++)
		*p = PAINT;
	call->make();
	for (p = sp - DEEPEST / 8; p < sp && *p == PAINT; p++)
		;
	return (size_t)((const volatile char *)sp - (const volatile char *)p);
}

static void *measure(void *arg)
{
	struct use *use = arg;
	const struct call *call = &calls[use - uses];

	call->prepare();
	use->first = make_painted(call);
	for (int i = 0; i < 20; i++) {
		size_t again;

		call->prepare();
		again = make_painted(call);
		/* Room in the dump is made now and then: that is in what the first call takes. */
		if (!i || again < use->again)
			use->again = again;
	}
	return NULL;
}

static void measure_in_thread(size_t i)
{
	pthread_attr_t attr;
	pthread_t own;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	must(!pthread_create(&own, &attr, measure, &uses[i]) && !pthread_join(own, NULL));
	pthread_attr_destroy(&attr);
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };

	options_parse(argc, argv, "stack_use", "Prints how many bytes of stack calls take.\n", rows);
	calls_begin();
	for (size_t i = 0; i < CALLS; i++) {
		if (calls[i].situation)
			measure_in_thread(i);
	}
	for (size_t i = 0; i < CALLS; i++) {
		if (calls[i].situation)
			printf("%s\t%s\t%zu\t%zu\n", calls[i].function, calls[i].situation, uses[i].first,
			       uses[i].again);
	}
	return fflush(stdout) ? 1 : 0;
}
