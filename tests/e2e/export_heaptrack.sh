#!/bin/bash
# heaptrack: heaptrack_print reads the file and counts what we count: allocations, the peak and what is left at the end,
# in all and by function, exactly; temporary ones nearly.
. "$(dirname "$0")/lib.sh"
command -v heaptrack_print >/dev/null || skip "no heaptrack_print (heaptrack)"

cost() { # type file: stacks with one number of heaptrack's
	heaptrack_print --disable-builtin-suppressions --disable-embedded-suppressions --flamegraph-cost-type "$1" -F stacks "$2" >printed 2>err ||
		fail "heaptrack_print: $(cat err)"
	cat stacks
}
sum() { awk '{ sum += $NF } END { printf "%.0f", sum }'; }
# Of the innermost functions; heaptrack puts the file behind a name.
by_function() { sed 's/;\? \([0-9]*\)$/;\1/' | awk -F';' '{ f = $(NF - 1); sub(/ \([^()]*\)$/, "", f); sum[f] += $NF }
	END { for (f in sum) if (sum[f]) printf "%.0f %s\n", sum[f], f }' | sort; }

compare() { # recording, pairs of heaptrack's number, ours of the report, ours of the profile
	ringside export heaptrack -o "$1.heaptrack" "$1.rsd" || fail "export $1"
	ringside report --json "$1.rsd" >report.json
	for pair in "$2" "$3" "$4" "$5"; do
		# shellcheck disable=SC2086 # words on purpose
		set -- "$1" "$2" "$3" "$4" "$5" $pair
		[ -n "$pair" ] || continue
		got=$(cost "$6" "$1.heaptrack" | sum) want=$(jq ".heap.$7" report.json)
		[ "$got" = "$want" ] || fail "$1: heaptrack_print says $6 $got, we say $want"
		by_function <stacks >theirs
		ringside export folded --sample "$8" "$1.rsd" | by_function >ours
		diff theirs ours || fail "$1: $6 by function: heaptrack_print (<), we (>)"
		echo "$1: $6 $got, $(wc -l <ours) functions equal"
	done
	cost allocations "$1.heaptrack" >/dev/null
	grep -q "^calls to allocation functions: $(jq .heap.allocations report.json) " printed || fail "$1: $(tail -6 printed)"
}

ringside record -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record batch"
compare b "allocations allocations alloc_objects" "peak peak_bytes peak_space" "leaked live_bytes inuse_space" ""
ringside record -o w.rsd -- workflow --jobs 20 --records 300 >/dev/null 2>&1 || fail "record workflow"
compare w "allocations allocations alloc_objects" "peak peak_bytes peak_space" "leaked live_bytes inuse_space" ""
# heaptrack calls a block temporary when the last event was an allocation, by any thread, of equal size and stack. In a
# program of one thread that is nearly ours.
close_to "temporary" "$(cost temporary w.heaptrack | sum)" "$(ringside report --json w.rsd | jq .heap.temporary)" 0.1
gzip -k b.heaptrack
[ "$(cost allocations b.heaptrack.gz | sum)" = "$(cost allocations b.heaptrack | sum)" ] || fail "gzipped"

# Hostile names stay in their line.
echo secret >secret
hostile=$'\033[31mred\a\r\n+ 1\n\t\xc2\x9b2J\xff\xe2\x80\xae",&<b>%s\\'
objcopy --redefine-sym alloc_of_names="$hostile" --strip-debug "$root/build/tests/programs/names" prog || fail "objcopy"
ringside record -o h.rsd -- ./prog "file$hostile" secret "$hostile" >/dev/null 2>&1 || fail "record names"
ringside export heaptrack -o h.heaptrack h.rsd || fail "export names"
[ "$(cost allocations h.heaptrack | sum)" = "$(ringside report --json h.rsd | jq .heap.allocations)" ] || fail "names: allocations"
tr -d '\n' <h.heaptrack | LC_ALL=C grep -q '[[:cntrl:]]' && fail "a control character"
grep -qF '\x1b[31mred\x07\x0d\n+ 1' stacks || fail "the hostile function: $(cat stacks)"

# A sample can't be told, nor what became one on the way.
ringside record -t limit=2m -o l.rsd -- batch --variant naive --items 6000 >/dev/null 2>&1 || fail "record with a limit"
[ "$(ringside report --json l.rsd | jq .heap.sampled)" -gt 0 ] || fail "the limit was not reached"
ringside export heaptrack -o l.heaptrack l.rsd 2>err
[ $? = 2 ] && [ ! -e l.heaptrack ] || fail "a sample from some moment on must be refused"
ringside record -t heap=sample:64k -o s.rsd -- batch --variant naive --items 300 >/dev/null 2>&1 || fail "record a sample"
ringside export heaptrack -o s.heaptrack s.rsd 2>err
[ $? = 2 ] || fail "a sample must be refused"
grep -q 'one block' err && [ ! -e s.heaptrack ] || fail "the reason: $(cat err)"
