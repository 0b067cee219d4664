#!/bin/bash
# The replay of the critical path against reality: what the program takes when the part is really gone, within 10 %.
. "$(dirname "$0")/lib.sh"
bad=0

# A machine that does something else for a moment spoils a run: the best of a few is compared. Recorded as well, so that
# what recording costs is on both sides.
least() { # arguments of shapes
	for _ in 1 2 3; do ringside record -o gone.rsd -t cpu=1000 -- shapes "$@" 2>/dev/null; done | sort -n | head -1
}

for shape in lock pipeline phases forkjoin semaphore sleeper relay request; do
	verdict=BAD
	for _ in 1 2 3; do
		gone=$(least --shape "$shape" --cost 0 --rounds 150)
		ringside record -o $shape.rsd -t cpu=1000 -- shapes --shape "$shape" --rounds 150 >took || fail "$shape"
		ringside trace path --json --top 0 $shape.rsd >$shape.json
		saved=$(jq '[.path[] | select(any(.stack[]?; .function | tostring | startswith("removable"))) | .saved_ns // 0] | add // 0' $shape.json)
		predicted=$(($(cat took) - saved))
		off=$((predicted > gone ? predicted - gone : gone - predicted))
		if [ $((off * 10)) -le "$gone" ]; then
			verdict=ok
			break
		fi
	done
	echo "$verdict $shape: took $(cat took) ns, without the part $predicted predicted, $gone measured"
	[ $verdict = ok ] || bad=1
done
[ $bad = 0 ]
