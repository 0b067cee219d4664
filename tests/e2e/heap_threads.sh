#!/bin/sh
# Blocks that change hands, by the names of the threads.
. "$(dirname "$0")/lib.sh"
ringside record -o handover.rsd -- handover >/dev/null
ringside heap flow --json --focus '^make_block' handover.rsd >flow.json
pair() { # from, to, blocks, bytes
	check "from $1 to $2" '[.pairs[] | select(.from == $from and .to == $to)] | length == 1 and
		.[0].blocks == $blocks and .[0].bytes == $bytes' \
		--arg from "$1" --arg to "$2" --argjson blocks "$3" --argjson bytes "$4" <flow.json
}
pair maker-1 ender 3000 300000
pair maker-2 ender 500 32000
pair maker-2 maker-2 500 32000
check "no other pair" '(.pairs | length) == 3 and .summary.blocks == 4000 and .summary.far_blocks == 3500' <flow.json
ringside heap threads --json --focus '^make_block' handover.rsd >threads.json
check "what each one made" '[.threads[] | select(.thread == "maker-2")] | length == 1 and
	(.[0] | .blocks == 1000 and .freed_here == 500 and .freed_elsewhere == 500 and .alive == 0)' <threads.json
check "whom ender works for" '[.threads[] | select(.thread == "ender")] | length == 1 and
	(.[0] | .blocks == 0 and .freed_for_others == 3500)' <threads.json
check "shares of the peak" '([.threads[].peak_bytes] | add) == .summary.peak_bytes' <threads.json

# The accounts of all threads have them too, without lines about the heap; of a sample what it stands for.
ringside record -o sampled.rsd -t heap=sample:4k -- handover >/dev/null
for run in handover sampled; do
	ringside report --json "$run.rsd" | check "$run: allocations by thread" '([.threads[].allocations] | add) as $sum |
		.heap.allocations as $all | $all >= 1000 and $sum > $all * 0.99 and $sum < $all * 1.01 and
		([.threads[] | select(.name | startswith("maker-")) | .allocations > 100] | length == 2 and all)'
done
ringside report --json handover.rsd | check "exactly" '([.threads[].allocations] | add) == .heap.allocations'
