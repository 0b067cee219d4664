#!/bin/bash
# Files of other tools in place of a recording: what their own readers say is what we say, our own export read back is the
# recording, and a heaptrack file against a recording of the same program has no difference that is the program's.
. "$(dirname "$0")/lib.sh"

# Of `ringside report --json`: a number's total, and what functions have it themselves.
total() { jq ".numbers[] | select(.name == \"$1\").total"; }
functions() { jq -r ".numbers[] | select(.name == \"$1\").functions[] | select(.flat != 0) | \"\(.flat) \(.function)\"" | sort; }

# ---- our own export ----

ringside record -t cpu=250,freestack=0 -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record"
compared=0
# A function whose lines come from several files is shown with one of them, not always the same. Only such may differ.
same_but_file() { # WHICH: ours and theirs, whose difference is delta
	sed 's/ ([^ ()]*:[0-9]*)//' ours >ours.names
	sed 's/ ([^ ()]*:[0-9]*)//' theirs >theirs.names
	cmp -s ours.names theirs.names || return 1
	sed -n 's/^< .* \([^ ]*\) ([^ ()]*:[0-9]*).*/\1/p' delta | sort -u >moved
	[ -s moved ] || return 1
	while read -r function; do
		files=$(ringside "$1" --lines --top=0 b.rsd | grep -F " $function (" | sed 's/.*(\([^():]*\):[0-9]*).*/\1/' | sort -u | wc -l)
		[ "$files" -gt 1 ] || return 1
	done <moved
}

for which in heap cpu block; do
	ringside export pprof --profile $which -o $which.pb.gz b.rsd || fail "export $which"
	ringside report --json --top 0 $which.pb.gz >read.json || fail "report $which.pb.gz"
	gzip -dc $which.pb.gz >plain
	ringside report --json --top 0 plain | jq .numbers >plain.json
	jq .numbers read.json | diff - plain.json || fail "$which: not packed it differs"
	check "what it is" '.schema == "ringside.import/1" and .format == "pprof" and .program == "batch"
		and .profile == $which' --arg which $which <read.json
	for name in $(jq -r '.numbers[].name' read.json); do
		ringside $which --sample "$name" --json --top 0 b.rsd >ours.json || fail "$which $name"
		want=$(jq .total ours.json) got=$(total "$name" <read.json)
		[ "$got" = "$want" ] || fail "$which $name: $got, the recording has $want"
		jq -r '.rows[] | select(.flat != 0) | "\(.flat) \(.function)"' ours.json | sort >ours
		functions "$name" <read.json >theirs
		diff ours theirs || fail "$which $name by function: recording (<), file (>)"
		compared=$((compared + 1))
	done
	# Every view, but for the words and notes around it.
	for view in --top=0 --tree "--peek ." "--lines --top=0" "--modules" "--csv"; do
		name=$(jq -r '.numbers[0].name' read.json)
		# shellcheck disable=SC2086 # words on purpose
		ringside $which --sample "$name" $view b.rsd | grep -v '^note:\|^Type:' >ours
		# shellcheck disable=SC2086
		ringside $which --sample "$name" $view $which.pb.gz | grep -v '^note:\|^Type:' >theirs
		[ -s ours ] || fail "$which $view shows nothing"
		diff ours theirs >delta || same_but_file "$which" || fail "$which $view: recording (<), file (>): $(cat delta)"
	done
	# Stacks that differ only inside the recorder, whose frames are not shown, are one in the file.
	for file in b.rsd $which.pb.gz; do
		ringside $which --sample "$name" --traces --json $file |
			jq '[.rows | group_by([.label, .stack])[] | [.[0].label, .[0].stack, (map(.value) | add)]]' >traces.$file
	done
	check "$which --traces shows something" 'length > 1 and all(.[]; (.[2] | type) == "number")' <traces.b.rsd
	cmp traces.b.rsd traces.$which.pb.gz || fail "$which --traces"
	for by in place stack function module; do
		ringside diff --by $by --json b.rsd $which.pb.gz >diff.json || fail "diff $which"
		check "$which: no difference by $by" '(.totals | length) > 1 and all(.totals[]; .delta == 0)
			and all(.places[]; length == 0) and .new.format == "pprof"' <diff.json
	done
	ringside $which --diff-base b.rsd --json $which.pb.gz | check "--diff-base $which" '.total > 0 and all(.rows[]; .flat == 0)'
done
[ $compared -ge 13 ] || fail "only $compared numbers were compared"
ringside diff --fail-on 'alloc_objects>0' b.rsd heap.pb.gz >/dev/null || fail "a limit that is kept"
ringside diff heap.pb.gz cpu.pb.gz 2>err && fail "nothing in common"
grep -q 'no number is in both' err || fail "nothing in common: $(cat err)"

# ---- what wants events, and what is for another command ----

refused() { # WORDS COMMAND...
	words=$1
	shift
	"$@" >out 2>err
	[ $? = 2 ] || fail "$*: not refused: $(cat out err)"
	grep -q -e "$words" err || fail "$*: $(cat err)"
}
refused 'is a pprof profile, which has sums but no events' ringside heap peaks heap.pb.gz
refused 'is a pprof profile, which has sums but no events' ringside trace cpu.pb.gz
refused 'is a pprof profile, which has sums but no events' ringside dump cpu.pb.gz
refused 'is a pprof profile, which has sums but no events' ringside html -o x.html cpu.pb.gz
refused 'the numbers that .ringside cpu. shows' ringside heap cpu.pb.gz
refused 'the numbers that .ringside heap. shows' ringside cpu --diff-base heap.pb.gz b.rsd
refused '--time wants the events' ringside report --time 1s- heap.pb.gz
refused '--per: a pprof profile does not say what was done' ringside diff --per item heap.pb.gz b.rsd
head -c 100 heap.pb.gz >cut
ringside report cut >/dev/null 2>err
[ $? = 3 ] && grep -q 'damaged or cut short\|not a Ringside dump' err || fail "a cut file: $(cat err)"

# ---- Go ----

if command -v go >/dev/null; then
	cat >tool.go <<-'GO'
	package main

	import (
		"os"
		"runtime"
		"runtime/pprof"
	)

	type tree struct{ left, right *tree }

	var kept *tree

	func (t *tree) grow(depth int) {
		if depth > 0 {
			t.left, t.right = new(tree), new(tree)
			t.left.grow(depth - 1)
			t.right.grow(depth - 1)
		}
	}

	func write(name, what string) {
		f, _ := os.Create(what)
		pprof.Lookup(name).WriteTo(f, 0)
		f.Close()
	}

	func main() {
		runtime.MemProfileRate = 1
		f, _ := os.Create("go_cpu")
		pprof.StartCPUProfile(f)
		for i := 0; i < 20; i++ {
			kept = new(tree)
			kept.grow(15)
		}
		pprof.StopCPUProfile()
		f.Close()
		runtime.GC()
		write("heap", "go_heap")
		write("goroutine", "go_goroutine")
	}
	GO
	HOME="${HOME:-$PWD}" GO111MODULE=off go build -o tool tool.go >err 2>&1 && ./tool || fail "go: $(cat err)"
	for file in go_heap go_cpu go_goroutine; do
		ringside report --json --top 0 $file >read.json || fail "report $file"
		check "$file" '.program == "tool"' <read.json
		for name in $(jq -r '.numbers[].name' read.json); do
			# Its own numbers, unit taken off: 1 count, 2 bytes, 3 nanoseconds.
			go tool pprof -raw -symbolize=none $file 2>/dev/null | awk -v name="$name" '
				/^Samples:/ { inside = 1; next }
				/^Locations/ { inside = 0 }
				inside && /\// && !column { for (i = 1; i <= NF; i++) if ($i ~ "^" name "/") column = i; next }
				inside && column && /^ *[-0-9]+[- 0-9]*:/ { split($0, sides, ":"); n = split(sides[1], v, " "); sum += v[column] }
				END { printf "%.0f\n", sum }' >want
			[ "$(cat want)" = "$(total "$name" <read.json)" ] || fail "$file $name: $(total "$name" <read.json), go says $(cat want)"
			echo "$file: $name $(cat want), as go tool pprof says"
		done
	done
	# By function, in bytes as they are.
	go tool pprof -sample_index=alloc_objects -top -nodecount=100000 -nodefraction=0 -symbolize=none go_heap 2>/dev/null |
		awk 'inside && $1 > 0 { print $1, $6 } /flat%/ { inside = 1 }' | sort >theirs
	ringside report --json --top 0 go_heap | functions alloc_objects >ours
	grep -q 'main.(\*tree).grow' ours || fail "go: $(cat ours)"
	diff theirs ours || fail "go_heap by function: go (<), we (>)"
	ringside heap --sample alloc_objects go_heap | grep -qF 'main.(*tree).grow' || fail "the method's name"
	ringside diff --by function --sample alloc_objects go_heap go_heap | grep -q 'grow' && fail "a file differs from itself"
	# A kind of profile that we do not have is shown by any of the commands.
	ringside cpu go_goroutine | grep -q '^Type: goroutine' || fail "goroutines"
fi

# ---- heaptrack ----

command -v heaptrack_print >/dev/null || { echo "no heaptrack"; exit 0; }
heaptrack -o live "$root/build/demos/batch" --variant naive --items 300 >/dev/null 2>&1 || fail "heaptrack"
live=$(ls live.*)
cost() { # TYPE: the sum of a number, by heaptrack_print
	heaptrack_print --disable-builtin-suppressions --disable-embedded-suppressions --flamegraph-cost-type "$1" -F stacks "$live" \
		>printed 2>err || fail "heaptrack_print: $(cat err)"
	awk '{ sum += $NF } END { printf "%.0f", sum }' stacks
}
ringside report --json --top 0 "$live" >read.json || fail "report $live"
check "what it is" '.format == "heaptrack" and .program == "batch" and .profile == "heap"' <read.json
for pair in "allocations alloc_objects" "leaked inuse_space" "peak peak_space"; do
	# shellcheck disable=SC2086 # words on purpose
	set -- $pair
	want=$(cost "$1") got=$(total "$2" <read.json)
	[ "$got" = "$want" ] || fail "$2 $got, heaptrack_print says $1 $want"
	# By function of the program; in libraries it shows the outer one of inlined functions.
	for function in grow_result make_item copy_bytes doubled_bytes note_item queue_init; do
		want=$(awk -v f="$function" '{ sub(/;? *[0-9]+$/, " &"); n = split($0, parts, ";") }
			{ leaf = ""; for (i = 1; i <= n; i++) if (parts[i] ~ /[^ 0-9]/) leaf = parts[i]
			if (leaf ~ "^" f "( |$)") sum += $NF } END { printf "%.0f", sum }' stacks)
		got=$(functions "$2" <read.json | awk -v f="$function" '$2 == f { print $1 }')
		[ "${got:-0}" = "$want" ] || fail "$2 of $function: ${got:-0}, heaptrack_print says $want"
	done
	echo "$2 $(total "$2" <read.json), as heaptrack_print says"
done
# It takes a free of the first kind of block in the file for one right after its allocation when no allocation was before.
close_to "temporary" "$(total temporary <read.json)" "$(cost temporary)" 0.1
zstd -dqc "$live" >plain.heaptrack && gzip -k plain.heaptrack
for file in plain.heaptrack plain.heaptrack.gz; do
	ringside report --json --top 0 $file | jq .numbers >again
	jq .numbers read.json | diff - again || fail "$file differs from $live"
done

# Of a program that was killed the file may end anywhere.
head -c $(($(stat -c %s plain.heaptrack.gz) / 2)) plain.heaptrack.gz >killed
ringside report killed >out || fail "half a file: $(cat out)"
grep -q 'cut short' out || fail "half a file says nothing: $(cat out)"

# Against a recording: each function of the program has as many allocations, with all callers, inlined ones and lines.
ringside record -o again.rsd -- batch --variant naive --items 300 >/dev/null 2>&1 || fail "record again"
for by in function place; do
	ringside diff --by $by --json "$live" again.rsd >diff.json || fail "diff by $by"
	check "$by: allocations of the program" '.old.format == "heaptrack" and (.totals[] | select(.name == "alloc_objects").old > 12000)
		and all(.places.alloc_objects[]; .stack[0].module != "batch")' <diff.json
done
ringside diff --by function --json again.rsd "$live" | check "the other way" 'all(.places.alloc_objects[]; .stack[0].module != "batch")'
ringside record -o less.rsd -- batch --variant naive --items 299 >/dev/null 2>&1 || fail "record less"
ringside diff --by function --json "$live" less.rsd | check "one item less is seen" \
	'any(.places.alloc_objects[]; .place | startswith("note_item")) and any(.places.alloc_objects[]; (.place | startswith("make_item")) and .delta == -2)'
ringside heap --diff-base again.rsd --sample alloc_objects --json "$live" |
	check "--diff-base" '[.rows[] | select(.module == "batch" and .flat != 0)] | length == 0'

# Our export of it, read back.
ringside export heaptrack -o again.heaptrack again.rsd || fail "export heaptrack"
ringside diff --by stack --json again.rsd again.heaptrack | check "our export of heaptrack's format" \
	'(.totals | length) >= 8 and all(.totals[] | select(.name != "wall" and .name != "temporary"); .delta == 0)
	and (.places.alloc_space | length) == 0 and (.places.peak_space | length) == 0'

# The file before its names were found.
refused_raw=$(printf 'v 10400 3\nx /bin/tool\n' >raw; ringside report raw 2>&1)
[ $? = 3 ] && echo "$refused_raw" | grep -q 'heaptrack --interpret' || fail "raw: $refused_raw"
