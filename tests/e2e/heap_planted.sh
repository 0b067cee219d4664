#!/bin/sh
# What was planted in the naive batch is found by the heap reports, and nothing of it in the pooled one.
. "$(dirname "$0")/lib.sh"
for variant in naive pooled; do
	ringside record -o $variant.rsd -- batch --variant $variant >out 2>/dev/null || fail "$variant"
	for report in temporary reallocs lifetimes; do
		ringside heap $report --json --top 0 $variant.rsd >$variant.$report.json || fail "$variant $report"
	done
done

# at FUNCTION: its row.
at='def at($f): .sites[] | select(.stack[0].function == $f);'
check "a result grown line by line is temporary: every step but the last is freed next" \
	"$at"' at("grow_result") | .temporary / .allocations > 0.9 and .near >= .temporary' <naive.temporary.json
check "a copy nobody needs lives briefly" "$at"' at("copy_bytes") | .brief / .allocations > 0.9' <naive.temporary.json
check "so does the buffer for doubled bytes" "$at"' at("doubled_bytes") | .brief / .allocations > 0.9' <naive.temporary.json
check "the result grows in many small steps" \
	"$at"' at("grow_result") | .growth_factor < 1.3 and .reallocs / .chains > 20 and .reserve_bytes > 1024' <naive.reallocs.json
check "notes outlive the run" "$at"' at("note_item") | .alive == 320' <naive.lifetimes.json

check "pooled: nothing is temporary by any definition but what threads and libc allocate once" \
	'[.sites[] | select(.temporary + .near + .brief > 10)] == []' <pooled.temporary.json
check "pooled: no block is grown in small steps" '[.sites[] | select(.reallocs > 10)] == []' <pooled.reallocs.json
check "pooled: no note is left" '[.sites[] | select(.alive > 10)] == []' <pooled.lifetimes.json
