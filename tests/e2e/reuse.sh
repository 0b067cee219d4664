#!/bin/sh
# Threads hand blocks of one size to each other, as fast as they can: each address is allocated and freed in turns.
. "$(dirname "$0")/lib.sh"
cat >reuse.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *shared[64];
static void *run(void *arg)
{
	unsigned state = (unsigned)(size_t)arg;
	for (int i = 0; i < 30000; i++) {
		void *p = malloc(64);
		state = state * 1664525u + 1013904223u;
		if (state >> 30 == 0)
			p = realloc(p, 72);
		free(__atomic_exchange_n(&shared[state >> 20 & 63], p, __ATOMIC_ACQ_REL));
	}
	return arg;
}
int main(void)
{
	pthread_t t[8];
	for (size_t i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, run, (void *)(i + 1));
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 64; i++)
		free(shared[i]);
	return 0;
}
C
gcc -O1 -g -pthread -o reuse reuse.c
LD_PRELOAD="$lib" RINGSIDE="cpu=off,block=off,out=$dir/reuse.rsd" ./reuse || fail "the program failed"
ringside report --json --top 0 reuse.rsd >report.json
check "every block was freed by its own free" '
	[.heap.sites[] | select(any(.stack[]; .function == "run"))]
	| (map(.allocations) | add) >= 240000 and (map(.allocations) | add) == (map(.frees) | add) and (map(.live_blocks) | add) == 0' <report.json
[ "$(jq '[.. | objects | .unknown_frees? // empty] | add // 0' report.json)" = 0 ] || fail "frees of unknown blocks"
check "nothing was lost" '.recording.lost_events == 0' <report.json
