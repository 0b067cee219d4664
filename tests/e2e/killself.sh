#!/bin/sh
# A multi-threaded program kills itself with SIGKILL: the report has every allocation its own books had counted before.
. "$(dirname "$0")/lib.sh"
for seed in 1 2 3 4 5; do
	rm -f books
	LD_PRELOAD="$lib" RINGSIDE="out=$dir/kill$seed.rsd" killself --books books --threads 4 --after $((20000 * seed)) --seed $seed && fail "it survived"
	killself --read books >truth.json
	ringside report --json --top 0 "kill$seed.rsd" >report.json
	# A free is booked before its call: each of the 4 threads may have died in between.
	jq -n -e --slurpfile t truth.json --slurpfile r report.json '
		([$r[0].heap.sites[] | select(any(.stack[]; .function == $t[0].function))] | [map(.allocations), map(.frees), map(.allocated_bytes)] | map(add)) as $got
		| $got[0] >= $t[0].allocations_at_least and $got[0] <= $t[0].allocations_at_least + 8
		and $got[1] >= $t[0].frees_at_least - 4 and $got[2] >= $t[0].allocated_bytes_at_least
		and $r[0].recording.lost_events == 0' >/dev/null ||
		fail "seed $seed: books $(jq -c '[.allocations_at_least,.frees_at_least]' truth.json), report $(jq -c '[.heap.allocations,.heap.frees]' report.json)"
	echo "seed $seed: books $(jq -c '[.allocations_at_least,.frees_at_least]' truth.json), report $(jq -c '[.heap.allocations,.heap.frees,.program.end]' report.json)"
done
ringside record -o launched.rsd -- killself --books books2 2>err && fail "it survived"
[ "$(ringside report --json launched.rsd | jq -r .program.end)" = signal:9 ] || fail "the end is not told"
