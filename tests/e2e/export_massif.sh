#!/bin/bash
# massif: ms_print reads it and shows our peak, the bytes at the end, and at the peak what our report says by function.
. "$(dirname "$0")/lib.sh"
command -v ms_print >/dev/null || skip "no ms_print (valgrind)"
ringside record -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record"
ringside export massif -o b.massif b.rsd || fail "export"
ms_print --threshold=0 b.massif >printed 2>err || fail "ms_print: $(cat err)"
[ ! -s err ] || fail "ms_print complains: $(cat err)"
ringside report --json b.rsd >report.json
want=$(jq .heap.peak_bytes report.json)

snapshots() { # n, time, total, as ms_print shows them
	tr -d , <printed | awk 'NF == 6 && $1 ~ /^[0-9]+$/ && $3 == $4 && $5 == 0 { print $1, $2, $3 }'
}
[ "$(snapshots | sort -n -k3 | tail -1 | cut -d' ' -f3)" = "$want" ] || fail "peak: $(snapshots | sort -n -k3 | tail -1), we say $want"
[ "$(snapshots | tail -1 | cut -d' ' -f3)" = "$(jq .heap.live_bytes report.json)" ] || fail "end: $(snapshots | tail -1)"
[ "$(snapshots | wc -l)" -le 513 ] || fail "more snapshots than points: $(snapshots | wc -l)"
snapshots | awk '$2 < last { exit 1 } { last = $2 }' || fail "time goes back"

# The detailed snapshot is the peak, its root is the whole, its first level adds up to it.
peak=$(grep -o '[0-9]* (peak)' printed | cut -d' ' -f1)
[ "$(snapshots | awk -v n="$peak" '$1 == n { print $3 }')" = "$want" ] || fail "snapshot $peak is called the peak"
tr -d , <printed | grep -q "^[0-9.]*% (${want}B) (heap allocation functions)" || fail "root of the tree"
level=$(tr -d , <printed | sed -n 's/^->[0-9.]*% (\([0-9]*\)B).*/\1/p' | awk '{ sum += $1 } END { printf "%.0f", sum }')
[ "$level" = "$want" ] || fail "the first level is $level bytes, the peak $want"
# By function, against the folded export: innermost function of every stack at the peak.
ringside export folded --sample peak_space b.rsd | awk '{ n = $NF; sub(/ [0-9]*$/, ""); sub(/.*;/, ""); sum[$0] += n }
	END { for (f in sum) if (sum[f] > 1000) printf "%.0f %s\n", sum[f], f }' | sort >ours
while read -r bytes function; do
	got=$(tr -d , <printed | grep -F -- ": $function" | sed -n 's/^->[0-9.]*% (\([0-9]*\)B).*/\1/p' | awk '{ sum += $1 } END { printf "%.0f", sum }')
	[ "$got" = "$bytes" ] || fail "$function: ms_print shows $got bytes, we $bytes"
done <ours
[ -s ours ] || fail "no function has bytes at the peak"
echo "ms_print: peak $want, $(snapshots | wc -l) snapshots, $(wc -l <ours) functions equal"

# A hostile name has no line of its own, and what follows a # in it is not lost.
echo secret >secret
hostile=$'#\033[31mred\a\r\n\t\xc2\x9b2J\xff\xe2\x80\xae",;(x:1)%s%n\\'
objcopy --redefine-sym alloc_of_names="$hostile" --strip-debug "$root/build/tests/programs/names" prog || fail "objcopy"
ringside record -o h.rsd -- ./prog "file$hostile" secret "$hostile" >/dev/null 2>&1 || fail "record names"
ringside export massif -o h.massif h.rsd || fail "export names"
tr -d '\n' <h.massif | LC_ALL=C grep -q '[[:cntrl:]]' && fail "a control character"
ms_print --threshold=0 h.massif >printed 2>err || fail "ms_print: $(cat err)"
[ ! -s err ] || fail "ms_print complains: $(cat err)"
grep -q '0x[0-9A-F]*: ?\\x1b\[31mred.*%s%n' printed || fail "the hostile function: $(cat printed)"
