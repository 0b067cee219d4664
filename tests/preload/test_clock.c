// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "preload/clock.h"

static int begin(void **state)
{
	(void)state;
	clock_begin();
	return 0;
}

static uint64_t libc_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void busy(uint64_t ns)
{
	uint64_t until = libc_ns(CLOCK_MONOTONIC) + ns;

	while (libc_ns(CLOCK_MONOTONIC) < until)
		;
}

static void assert_within(uint64_t got, uint64_t want, uint64_t permille)
{
	uint64_t off = got > want ? got - want : want - got;

	if (off > want / 1000 * permille + want % 1000 * permille / 1000)
		fail_msg("got %lu, want %lu within %lu permille", (unsigned long)got, (unsigned long)want,
			 (unsigned long)permille);
}

static void the_three_clocks_are_those_of_libc(void **state)
{
	static const struct {
		uint64_t (*ours)(void);
		clockid_t id;
	} clocks[] = { { clock_mono_ns, CLOCK_MONOTONIC },
		       { clock_thread_cpu_ns, CLOCK_THREAD_CPUTIME_ID },
		       { clock_process_cpu_ns, CLOCK_PROCESS_CPUTIME_ID } };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t before = libc_ns(clocks[i].id), ours = clocks[i].ours();

		assert_true(before <= ours);
		assert_true(ours <= libc_ns(clocks[i].id));
	}
}

static void time_never_goes_back(void **state)
{
	uint64_t last = clock_now();

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t now = clock_now();

		assert_true(now >= last);
		last = now;
	}
}

static void pairs_lie_between_readings_and_go_forward(void **state)
{
	struct rsd_clock last = clock_pair();

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t tick = clock_now(), ns = clock_mono_ns();
		struct rsd_clock pair = clock_pair();

		assert_true(pair.tick >= tick && pair.tick <= clock_now());
		assert_true(pair.mono_ns >= ns && pair.mono_ns <= clock_mono_ns());
		assert_true(pair.tick >= last.tick && pair.mono_ns >= last.mono_ns);
		last = pair;
	}
}

/* Ticks turned into ns against CLOCK_MONOTONIC over the same stretch, calibrated afresh several times. */
static void ticks_and_ns_agree_within_two_percent(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct rsd_clock from, to;

		clock_begin();
		from = clock_pair();
		busy(20000000);
		to = clock_pair();
		assert_within(clock_ns(to.tick - from.tick), to.mono_ns - from.mono_ns, 20);
		assert_within(clock_ticks(to.mono_ns - from.mono_ns), to.tick - from.tick, 20);
	}
}

/* There and back; beyond some microseconds the rounding is below a permille. */
static void conversions_undo_each_other(void **state)
{
	(void)state;
	for (uint64_t ns = 10000; ns < UINT64_C(1) << 60; ns = ns * 3 + 1)
		assert_within(clock_ns(clock_ticks(ns)), ns, 1);
	assert_int_equal(clock_ticks(0), 0);
	assert_int_equal(clock_ns(0), 0);
}

static void never_stays_never(void **state)
{
	(void)state;
	assert_true(clock_ticks(UINT64_MAX) == UINT64_MAX);
}

static void sleeping_costs_no_cpu_time(void **state)
{
	uint64_t thread = clock_thread_cpu_ns(), mono = clock_mono_ns();

	(void)state;
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
	assert_true(clock_mono_ns() - mono >= 30000000);
	assert_true(clock_thread_cpu_ns() - thread < 15000000);
	thread = clock_thread_cpu_ns();
	while (clock_thread_cpu_ns() - thread < 5000000)
		;
}

static void *use_cpu(void *arg)
{
	uint64_t from = clock_thread_cpu_ns();

	while (clock_thread_cpu_ns() - from < 20000000)
		;
	return arg;
}

static void the_process_pays_for_all_its_threads(void **state)
{
	uint64_t thread = clock_thread_cpu_ns(), process = clock_process_cpu_ns();
	pthread_t other;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, use_cpu, NULL), 0);
	pthread_join(other, NULL);
	assert_true(clock_process_cpu_ns() - process >= 20000000);
	assert_true(clock_thread_cpu_ns() - thread < 20000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_clocks_are_those_of_libc),
		cmocka_unit_test(time_never_goes_back),
		cmocka_unit_test(pairs_lie_between_readings_and_go_forward),
		cmocka_unit_test(ticks_and_ns_agree_within_two_percent),
		cmocka_unit_test(conversions_undo_each_other),
		cmocka_unit_test(never_stays_never),
		cmocka_unit_test(sleeping_costs_no_cpu_time),
		cmocka_unit_test(the_process_pays_for_all_its_threads),
	};

	return cmocka_run_group_tests_name("preload/clock", tests, begin, NULL);
}
