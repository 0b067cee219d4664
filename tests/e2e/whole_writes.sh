#!/bin/sh
# A call that waits until all its bytes are moved moves them all, once and in their order, also when a sample comes while
# it waits.
. "$(dirname "$0")/lib.sh"

whole_writes --bare >bare || fail "without a recorder: $(cat bare)"
for _ in 1 2 3; do
	RINGSIDE=cpu=1000,block=0,children=off,out="$dir/whole.rsd" LD_PRELOAD="$lib" whole_writes >recorded ||
		fail "$(cat recorded)"
	cmp bare recorded || fail "bare and recorded differ"
	samples=$(ringside report --json whole.rsd | jq .cpu.samples)
	[ "$samples" -ge 10 ] || fail "only $samples samples came late"
	rm whole.rsd
done
cat recorded

# The other way round: what a signal of the program's has ended is not begun anew.
RINGSIDE=cpu=1000,block=0,out="$dir/handler.rsd" LD_PRELOAD="$lib" handler_writes || fail "a wait went on after the program's signal"
