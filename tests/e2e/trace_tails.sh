#!/bin/bash
# What slow tasks do that others do not: a planted sleep of every fiftieth.
. "$(dirname "$0")/lib.sh"

ringside record -o tails.rsd -t cpu=1000 -- tails || fail "tails"
ringside trace tails --json --top 0 tails.rsd >tails.json
check "the slowest hundredth is compared with the middle half" \
	'.types | length == 1 and .[0].type == "request" and .[0].slow_tasks >= 6 and .[0].slow_tasks <= 12
	and .[0].middle_tasks >= 250 and .[0].slow_ns > 8000000 and .[0].middle_ns < .[0].slow_ns / 2' <tails.json
check "the sleep is the first difference but for a crowded machine, 8 ms long" \
	'[.deeds[] | select(.doing != "ready" and .doing != "outside")][0] | .doing == "sleep" and .more_ns > 7500000
	and .middle_ns == 0 and any(.stack[]; .function == "rare_sleep")' <tails.json
check "the work is none" 'all(.deeds[] | select(.doing == "cpu"); .more_ns < 3000000)' <tails.json
ringside trace tails tails.rsd | grep -q 'rare_sleep' || fail "the text does not say where"
# A program without tasks has no tails.
ringside record -o none.rsd -- true
ringside trace tails none.rsd >none || fail "without tasks"
