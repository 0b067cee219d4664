#!/bin/sh
# A multi-threaded program kills itself with SIGKILL: the report has every allocation its own books had counted before.
. "$(dirname "$0")/lib.sh"
for seed in 1 2 3 4 5; do
	rm -f books
	LD_PRELOAD="$lib" RINGSIDE="out=$dir/kill$seed.rsd" killself --books books --threads 4 --after $((20000 * seed)) --seed $seed && fail "it survived"
	killself --read --books books >truth.json
	ringside report --json --top 0 "kill$seed.rsd" >report.json
	jq -n -e --slurpfile t truth.json --slurpfile r report.json '
		$r[0].heap.allocations >= $t[0].allocations and $r[0].heap.frees >= $t[0].frees
		and $r[0].heap.allocations <= $t[0].allocations + $t[0].threads * 2 + 200
		and $r[0].recording.lost_events == 0' >/dev/null ||
		fail "seed $seed: books $(jq -c '[.allocations,.frees]' truth.json), report $(jq -c '[.heap.allocations,.heap.frees]' report.json)"
	echo "seed $seed: books $(jq -c '[.allocations,.frees]' truth.json), report $(jq -c '[.heap.allocations,.heap.frees,.program.end]' report.json)"
done
ringside record -o launched.rsd -- killself --books books2 2>err && fail "it survived"
[ "$(ringside report --json launched.rsd | jq -r .program.end)" = signal:9 ] || fail "the end is not told"
