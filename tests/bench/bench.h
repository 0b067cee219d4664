/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the benchmark programs share: arguments, a deep stack, threads that start together, the result.
 *
 * A program takes OPERATIONS [FRAMES [THREADS]] and prints one line, "12.34 ns per pair, 5000000 pairs". The number is
 * the time of one core: wall time * cores used / operations, cores used being the smaller of THREADS and the machine's.
 * Perfect scaling prints the same number for any number of threads. What a recorder does before main, in a quarter more
 * operations at the beginning and after exit is not in it: some need 100 ms until they run evenly.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct bench {
	long ops;      /* in all threads together */
	long frames;   /* calls between the thread's first function and the work */
	long threads;  /* at least 1 */
	int is_serial; /* only one thread runs at a time: its wall time is the cost */
};

/* The work of one thread: `ops` operations. `index` counts threads from 0. */
typedef void bench_work(long ops, long index);

/* One thread's part. */
struct bench_part {
	const struct bench *bench;
	bench_work *work;
	pthread_barrier_t *start;
	long index;
	uint64_t begin_ns, end_ns;
};

static inline uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Exits with 2 and a word of usage when the arguments are not numbers above 0. */
static inline struct bench bench_args(int argc, char **argv, long ops)
{
	struct bench bench = { .ops = ops, .frames = 5, .threads = 1 };
	long *fields[] = { &bench.ops, &bench.frames, &bench.threads };

	for (int i = 1; i < argc && i <= 3; i++)
		*fields[i - 1] = atol(argv[i]);
	if (argc > 4 || bench.ops < 1 || bench.frames < 1 || bench.threads < 1) {
		fprintf(stderr, "usage: %s [OPERATIONS [FRAMES [THREADS]]]\n", argv[0]);
		exit(2);
	}
	return bench;
}

static inline void bench_print(double ns_per_op, long ops, const char *unit)
{
	printf("%.2f ns per %s, %ld %ss\n", ns_per_op, unit, ops, unit);
}

/*
 * Three functions with frames of different size call each other in turn, so that a stack is not one address
 * repeated. The barrier after each call keeps the compiler from making it a jump.
 */
typedef void bench_frame(long left, struct bench_part *part);
static bench_frame bench_frame_a, bench_frame_b, bench_frame_c;

static inline void bench_bottom(struct bench_part *part)
{
	long threads = part->bench->threads;
	long ops = part->bench->ops / threads;

	part->work(ops / 4 > 0 ? ops / 4 : 1, part->index);
	pthread_barrier_wait(part->start);
	part->begin_ns = bench_now_ns();
	part->work(ops > 0 ? ops : 1, part->index);
	part->end_ns = bench_now_ns();
}

#define BENCH_FRAME(name, next, bytes)                                                                                 \
	__attribute__((noinline)) static void name(long left, struct bench_part *part)                                 \
	{                                                                                                              \
		volatile char local[bytes];                                                                            \
                                                                                                                       \
		local[0] = (char)left;                                                                                 \
		if (left > 0)                                                                                          \
			next(left - 1, part);                                                                          \
		else                                                                                                   \
			bench_bottom(part);                                                                            \
		local[(bytes)-1] = local[0];                                                                           \
	}
BENCH_FRAME(bench_frame_a, bench_frame_b, 24)
BENCH_FRAME(bench_frame_b, bench_frame_c, 120)
BENCH_FRAME(bench_frame_c, bench_frame_a, 56)

static void *bench_thread(void *arg)
{
	struct bench_part *part = arg;

	bench_frame_a(part->bench->frames - 1, part);
	return NULL;
}

/* Runs `work` in bench->threads threads (one: the main thread) and prints the result. */
static inline int bench_run(const struct bench *bench, bench_work *work, const char *unit)
{
	struct bench_part *parts = calloc((size_t)bench->threads, sizeof(*parts));
	pthread_t *threads = calloc((size_t)bench->threads, sizeof(*threads));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long used = bench->is_serial ? 1 : bench->threads < cores ? bench->threads : cores;
	uint64_t begin_ns = UINT64_MAX, end_ns = 0;
	pthread_barrier_t start;

	if (!parts || !threads || pthread_barrier_init(&start, NULL, (unsigned)bench->threads))
		return 1;
	for (long i = 0; i < bench->threads; i++) {
		parts[i] = (struct bench_part){ .bench = bench, .work = work, .start = &start, .index = i };
		if (i > 0 && pthread_create(&threads[i], NULL, bench_thread, &parts[i]))
			return 1;
	}
	bench_thread(&parts[0]);
	for (long i = 0; i < bench->threads; i++) {
		if (i > 0)
			pthread_join(threads[i], NULL);
		begin_ns = parts[i].begin_ns < begin_ns ? parts[i].begin_ns : begin_ns;
		end_ns = parts[i].end_ns > end_ns ? parts[i].end_ns : end_ns;
	}
	bench_print((double)(end_ns - begin_ns) * (double)used / (double)bench->ops, bench->ops, unit);
	free(threads);
	free(parts);
	return 0;
}

/*
 * Keeps the process on one core. For programs that wake threads all the time: else it is chance whether a wake crosses
 * cores, and waking an idle core of a virtual machine takes longer than all that is measured here.
 */
static inline void bench_stay_here(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		perror("bench: sched_setaffinity");
}

/* xorshift: the same numbers in every run. `state` is not 0. */
static inline uint32_t bench_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
