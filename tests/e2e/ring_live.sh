#!/bin/sh
# Under a ring, sampled blocks that live are known although the ring has overwritten their records.
. "$(dirname "$0")/lib.sh"
ringside record -o r.rsd -t heap=sample:16k,ring=512k,cpu=off,block=off -- keepers >out 2>err || fail "record: $(cat err)"
want=$(awk '$1 == "live_bytes" { print $2 }' out)
ringside report --json --top 0 r.rsd >report.json || fail "report"
ringside dump r.rsd | grep -c sampled-alloc >records
ringside report r.rsd | grep -q "overwritten by the ring" || fail "the ring was never full"
close_to "live bytes" "$(jq .heap.live_bytes report.json)" "$want" 5
close_to "of the keeper's place" "$(jq '[.heap.sites[] | select(.stack[0].function == "keep") | .live_bytes] | add' report.json)" "$want" 5
check "nothing is handed out twice" '.recording.lost_events == 0' <report.json
