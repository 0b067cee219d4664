#!/bin/bash
# A recording of ten million events and 262144 stacks is one page below 10 MB, which answers within 100 ms.
. "$(dirname "$0")/lib.sh"
. "$root/tests/web/browser.sh"

ringside record -o big.rsd -- bushy 5000000 2>err || fail "bushy: $(cat err)"
ringside report --json big.rsd | check "ten million events" '.recording.events >= 10000000 and .recording.lost_events == 0 and
	.heap.allocations >= 5000000'
ringside html -o big.html big.rsd || fail "html big"
size=$(stat -c %s big.html)
echo "the page has $size bytes"
[ "$size" -lt 10000000 ] || fail "the page has $size bytes"
drive big.mjs big.html
exit 0
