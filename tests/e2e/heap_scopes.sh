#!/bin/sh
# heap scopes finds all that is planted in the naive variant of a batch processor, and nothing in the pooled one, which
# does the same work. Numbers of blocks are known: items, and every 50th note leaks.
. "$(dirname "$0")/lib.sh"
items=6000
for freestack in 1 32; do
	ringside record -o naive.rsd -t freestack=$freestack -- batch --variant naive --items $items >naive.out
	ringside heap scopes --json naive.rsd >naive.json
	cat naive.json
	check "a note is a small block of one size: a variable" '
		.places[] | select(.stack[0].function == "note_item") | .instead == "stack variable" and .blocks == $items and
		.min_bytes == 80 and .max_bytes == 80 and .saved_calls == 2 * $items - $items / 50 and .share > 0.9' \
		--argjson items $items <naive.json
	check "copies and results are of any size, one at a time: buffers" '
		[.places[] | select(.instead == "reused buffer" and .blocks == $items) | .stack[0].function] | sort ==
		["copy_bytes", "doubled_bytes", "grow_result"]' --argjson items $items <naive.json
	check "what realloc does to a result counts as calls of one block" '
		.places[] | select(.stack[0].function == "grow_result") | .saved_calls > 20 * $items and .min_bytes == 32' \
		--argjson items $items <naive.json
	check "all of them live in one call of one function" '
		(.places | length) == 4 and all(.places[]; .scope[0].function == "naive_process" and .at_once == 1)' <naive.json
	check "which could have an arena" '
		(.arenas | length) == 1 and .arenas[0].stack[0].function == "naive_process" and .arenas[0].blocks == 4 * $items and
		.arenas[0].calls == $items and .arenas[0].blocks_per_call == 4 and
		.arenas[0].saved_calls == ([.places[].saved_calls] | add)' --argjson items $items <naive.json
	ringside record -o pooled.rsd -t freestack=$freestack -- batch --variant pooled --items $items >pooled.out
	ringside heap scopes --json pooled.rsd >pooled.json
	check "blocks that are used again and again are no finding" '.places == [] and .arenas == []' <pooled.json
done
check "items go from one thread to another: no scope has them" '.summary.elsewhere > $items' --argjson items $items <naive.json

ringside record -o sampled.rsd -t heap=sample:64k -- batch --items 1000 >sampled.out
ringside heap scopes --json sampled.rsd >sampled.json
check "a sample says nothing of what is alive at once" '.places == null and (.notes | any(contains("heap=exact")))' <sampled.json
