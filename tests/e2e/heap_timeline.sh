#!/bin/sh
# heap timeline shows a staircase of known steps: the heap exactly, the process's memory as the kernel counts it.
. "$(dirname "$0")/lib.sh"
mib=1048576
ringside record -o a.rsd -- staircase
ringside heap timeline --json a.rsd >a.json
check "the peak is all blocks together" '.summary.peak_bytes >= 40 * $mib and .summary.peak_bytes < 41 * $mib' --argjson mib $mib <a.json
check "the highest point is the peak, at its time" '
	.summary as $s | ([.points[].peak_bytes] | max) == $s.peak_bytes and
	any(.points[]; .peak_bytes == $s.peak_bytes and .ns <= $s.peak_ns and $s.peak_ns < .ns + $s.point_ns)' <a.json
check "all allocations stand in some point" '
	([.points[].allocations] | add) == .summary.allocations and ([.points[].allocated_bytes] | add) == .summary.allocated_bytes' <a.json
check "every step is there, in order" '
	.summary.peak_ns as $peak | [.points[] | select(.ns <= $peak) | .live_bytes / (8 * $mib) | floor] |
	. == sort and unique == [0, 1, 2, 3, 4, 5]' --argjson mib $mib <a.json
check "points are as many as promised, at equal distances, to the end" '
	(.points | length) > 100 and (.points | length) <= 256 and .summary.point_ns as $w |
	all(range(.points | length) as $i | .points[$i].ns == $i * $w; .)' <a.json
check "mapped memory comes and goes" '([.points[].mapped_bytes // 0] | max) == 32 * $mib and .points[-1].mapped_bytes == 0' --argjson mib $mib <a.json
check "resident memory is that of blocks and mapping, and then it falls" '
	.summary.rss_peak_bytes > 72 * $mib and .summary.rss_peak_bytes < 100 * $mib and
	.points[-1].rss_bytes < 40 * $mib and ([.points[].rss_bytes // empty] | length) > 50' --argjson mib $mib <a.json
check "each block adds its pages" '
	.summary.peak_ns as $peak |
	[.points[] | select(.ns <= $peak and .rss_bytes and .live_bytes == 24 * $mib) | .rss_bytes] |
	length > 0 and max > 24 * $mib and max < 40 * $mib' --argjson mib $mib <a.json

# As text: lines as wide as asked for, the peak marked below.
COLUMNS=80 LC_ALL=C ringside heap timeline a.rsd >a.txt
cat a.txt
grep -q '^  live bytes  *[.:=+*%# -]* *40\.0[0-9]*MB$' a.txt || fail "no line of live bytes"
grep -q '^ *40\.0[0-9]*MB at [0-9.]*m*s ^$' a.txt || fail "the peak is not marked"
LC_ALL=C.UTF-8 ringside heap timeline a.rsd | grep -q '^  RSS .*█' || fail "no bars in a terminal that has them"
ringside heap timeline --csv a.rsd | head -n 1 | grep -q '^ns,live_bytes,peak_bytes,' || fail "no data as CSV"

# Without CPU samples nobody reads the process's memory; the heap is the same.
ringside record -o b.rsd -t cpu=off -- staircase
ringside heap timeline --json b.rsd >b.json
check "the heap needs no samples" '.summary.peak_bytes >= 40 * $mib and ([.points[].rss_bytes // empty] | length) == 0' --argjson mib $mib <b.json
check "and the page says what is missing" '.notes | any(contains("cpu=99"))' <b.json

# A window begins with what was allocated in it.
from=$(jq '.summary.peak_ns - 1000' a.json)
ringside heap timeline --json --time "${from}ns-" a.rsd >c.json
check "points of a window begin with it" '.points[0].ns == $from and .summary.peak_bytes == 8 * $mib' \
	--argjson mib $mib --argjson from "$from" <c.json
