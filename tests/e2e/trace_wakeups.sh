#!/bin/bash
# A herd is told from turns, and a writer that readers keep out from one that waits for its turn.
. "$(dirname "$0")/lib.sh"

ringside record -o herd.rsd -t block=0 -- bells herd || fail "herd"
ringside trace wakeups --json --top 0 herd.rsd >herd.json
check "broadcasts that wake a herd are called so" \
	'[.wakeups[] | select(.kind == "cond" and .object == "any_turn")] | length == 1 and .[0].sign == "herd"
	and .[0].woken_max >= 4 and .[0].broadcasts >= 200 and .[0].useless > .[0].waits / 2 and .[0].useless < .[0].waits' <herd.json

ringside record -o turns.rsd -t block=0 -- bells turns || fail "turns"
ringside trace wakeups --json --top 0 turns.rsd >turns.json
check "turns are no herd" '[.wakeups[] | select(.kind == "cond")] | length >= 4
	and all(.[]; .sign == null and .woken_max == 1 and .broadcasts == 0 and .useless <= 1)' <turns.json

ringside record -o starved.rsd -- bells starved || fail "starved"
ringside trace locks --json --top 0 starved.rsd >starved.json
check "a writer that readers keep out starves" 'any(.locks[]; .lock == "table" and .sign == "starvation" and .overtaken_max >= 8)' <starved.json
ringside trace wakeups starved.rsd >text || fail "without any condition"
ringside trace wakeups herd.rsd | grep -q 'herd' || fail "the text does not say herd"
