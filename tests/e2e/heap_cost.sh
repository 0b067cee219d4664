#!/bin/sh
# heap cost against an allocator that takes known times: it sleeps 2 ms for one size, and computes for 1 ms for another.
. "$(dirname "$0")/lib.sh"
cat >slow.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void *malloc(size_t size)
{
	static void *(*next)(size_t);
	struct timespec nap = { 0, 2000000 };

	if (!next)
		next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	if (size == 4242)
		syscall(SYS_nanosleep, &nap, NULL);
	if (size == 2424)
		for (uint64_t until = cpu_ns() + 1000000; cpu_ns() < until;)
			;
	return next(size);
}
C
cat >program.c <<'C'
#include <stdlib.h>

static volatile int after;

static __attribute__((noinline)) void *wait_here(void)
{
	void *block = malloc(4242);

	after = 1;
	return block;
}

static __attribute__((noinline)) void *burn_here(void)
{
	void *block = malloc(2424);

	after = 2;
	return block;
}

int main(void)
{
	for (int i = 0; i < 100; i++) {
		free(wait_here());
		free(burn_here());
	}
	return 0;
}
C
cc -shared -fPIC -O1 -o slow.so slow.c -ldl && cc -g -O1 -o program program.c || fail "no compiler"
LD_PRELOAD="$lib $dir/slow.so" RINGSIDE=alloctime=1,out=a.rsd ./program || fail "the program failed"
ringside heap cost --json a.rsd >a.json
cat a.json
check "all calls but the first one were timed" '.summary.timed >= .summary.calls - 1 and .summary.calls == 400' <a.json
check "waiting is told from running" '
	.sites[] | select(.stack[0].function == "wait_here") | .timed >= 99 and .median_ns >= 2000000 and
	.time_ns >= 198000000 and .wait_ns >= 0.95 * .time_ns' <a.json
check "and running from waiting, to a tenth" '
	.sites[] | select(.stack[0].function == "burn_here") | .timed >= 99 and .median_ns >= 1000000 and
	(.time_ns - .wait_ns) >= 99000000 and (.time_ns - .wait_ns) < 115000000' <a.json
check "most of the CPU time went into it" '.summary.cpu_share > 0.6 and .summary.cpu_share <= 1' <a.json
check "usual calls take nanoseconds" '[.sites[] | select(.stack[0].function == "main" and .call == "free") | .median_ns] | all(. < 5000)' <a.json

# Of many calls one in 1024 is timed, and stands for the others: within five standard deviations.
ringside record -o b.rsd -- freepairs --rounds 400000 >books.json
ringside heap cost --json b.rsd >b.json
check "one in 1024" '.summary | .timed - .calls / 1024 | . * . < 25 * $calls / 1024' \
	--argjson calls "$(jq .summary.calls b.json)" <b.json
check "places have their share of the calls" '
	[.sites[] | select(.stack[0].function | startswith("make_")) | .calls] | length == 4 and
	all(. - 100000 | . * . < 25 * 100000 * 1024)' <b.json
check "one in 4 of these was watched" '.summary.watched | . > 100 and . < 300' <b.json
ringside record -o c.rsd -t alloctime=off -- freepairs >books.json
ringside heap cost --json c.rsd >c.json
check "what was not timed is not told" '.summary.timed == 0 and .sites == null and (.notes | any(contains("alloctime=1024")))' <c.json
