#!/bin/sh
# include/ringside.h from C and C++: nothing happens without the recorder, tasks, regions, logs, counters and pools with it.
. "$(dirname "$0")/lib.sh"
cat >notes.c <<'C'
#include <errno.h>
#include <stdio.h>
#include <ringside.h>

int main(void)
{
	static char pool[1024];

	errno = 12345;
	for (int i = 0; i < 3; i++) {
		ringside_task task = ringside_task_begin("order");
		ringside_task sub = ringside_subtask_begin(task, "line");
		ringside_region outer = ringside_region_begin(task, "parse");
		ringside_region inner = ringside_region_begin(task, "tokens");

		ringside_logf(task, "customer", "id %d", i);
		ringside_counter("queue", i * 1.5);
		ringside_mark("half");
		ringside_pool_alloc(pool, "arena", pool + i, 16);
		ringside_pool_resize(pool, "arena", pool + i, pool + 100 + i, 32);
		ringside_region_end(inner);
		ringside_region_end(outer);
		ringside_task_end(sub);
		ringside_task_end(task);
	}
	ringside_pool_free(pool, pool + 100);
	printf("%d %d\n", ringside_active(), errno);
	return 0;
}
C
cp notes.c notes.cc
for build in "gcc -std=gnu11 -O2 -Wall -Wextra -Werror -pedantic notes.c" "gcc -O0 -fno-pie -no-pie notes.c" \
	"clang -Wall -Wextra -Werror notes.c" "g++ -O2 -Wall -Wextra notes.cc" "gcc -static notes.c"; do
	# shellcheck disable=SC2086 # words on purpose
	$build -I"$root/include" -o notes || fail "$build"
	[ "$(./notes)" = "0 12345" ] || fail "$build: bare says $(./notes)"
	case "$build" in *-static*) continue ;; esac
	ringside record -o n.rsd -- ./notes >out 2>/dev/null
	[ "$(cat out)" = "1 12345" ] || fail "$build: recorded says $(cat out)"
	ringside dump n.rsd >dump
	for kind in 'task-begin.*name="order"' 'task-end' 'region-begin.*name="parse"' 'region-end' 'log .*name="customer" text="id' 'counter .*name="queue"' 'mark .*name="half"'; do
		[ "$(grep -c "^$kind" dump)" -ge 3 ] || fail "$build: $kind: $(grep -v node dump | head -30)"
	done
	[ "$(grep -c '^pool-alloc' dump)" = 6 ] && [ "$(grep -c '^pool-free' dump)" = 4 ] || fail "$build: pools"
done
# The pool is booked beside the heap: 2 blocks of 32 bytes live.
ringside report --json n.rsd | check "pool" '.heap.pools[0].name == "arena" and .heap.pools[0].live_bytes == 64'
