#!/bin/sh
# Profiles in the formats of others, opened by those others: totals and the top functions are equal to ours.
. "$(dirname "$0")/lib.sh"
ringside record -t cpu=250 -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record"
ringside report --json --top 0 b.rsd >report.json

# folded: the numbers of all lines are the total, for each profile.
for pair in "heap alloc_space .heap.allocated_bytes" "heap peak_space .heap.peak_bytes" "cpu cpu .cpu.cpu_ns" \
	"block blocked .block.blocked_ns"; do
	set -- $pair
	want=$(jq "$3" report.json)
	got=$(ringside export folded --profile "$1" --sample "$2" b.rsd | awk '{ sum += $NF } END { printf "%.0f", sum }')
	[ "$got" = "$want" ] || fail "folded $1 $2: $got, report says $want"
done
ringside export folded --sample alloc_space b.rsd | grep -q ';naive_process;.*grow_result [0-9]*$' || fail "folded: order of frames"

# speedscope: frames are numbered, weights are the total.
ringside export speedscope -o b.speedscope.json b.rsd
check "speedscope" '.shared.frames as $f | .profiles | length == 8 and all(.[];
	(.samples | length) == (.weights | length) and ((.weights | add) // 0) == .endValue
	and all(.samples[]; length > 0) and all(.samples[][]; . < ($f | length)))' <b.speedscope.json
[ "$(jq '.profiles[] | select(.name == "alloc_space").endValue' b.speedscope.json)" = "$(jq .heap.allocated_bytes report.json)" ] ||
	fail "speedscope: total"

# callgrind_annotate reads it and finds the same total.
ringside export callgrind -o b.callgrind b.rsd
callgrind_annotate --sort=alloc_space b.callgrind >annotated 2>&1 || fail "callgrind_annotate: $(cat annotated)"
want=$(jq .heap.allocated_bytes report.json)
sed -n 's/,//g; /PROGRAM TOTALS/p' annotated | grep -q "\\b$want\\b" || fail "callgrind_annotate: no $want in $(grep TOTALS annotated)"
grep -q 'naive.c:grow_result' annotated || fail "callgrind_annotate: $(cat annotated)"

# pprof: go tool pprof's own numbers. Without Go the file is at least gzip.
for pair in "heap alloc_space bytes" "heap temporary count" "cpu cpu ns" "block spans count" "mutex delay ns" "io blocked ns"; do
	set -- $pair
	ringside export pprof --profile "$1" -o "$1.pb.gz" b.rsd || fail "pprof $1"
	gzip -t "$1.pb.gz" || fail "pprof $1: not gzip"
	command -v go >/dev/null || continue
	got=$(go tool pprof -raw -symbolize=none "$1.pb.gz" 2>/dev/null | awk -v name="$2" '
		/^Samples:/ { inside = 1; next }
		/^Locations/ { inside = 0 }
		inside && /\// && !column { for (i = 1; i <= NF; i++) if ($i ~ "^" name "/") column = i; next }
		inside && column && /^ *[-0-9]+[- 0-9]*:/ { split($0, sides, ":"); n = split(sides[1], v, " "); sum += v[column] }
		END { printf "%.0f", sum }')
	want=$(ringside export folded --profile "$1" --sample "$2" b.rsd | awk '{ sum += $NF } END { printf "%.0f", sum }')
	[ "$got" = "$want" ] || fail "go tool pprof $1 $2: $got, we say $want"
done
if command -v go >/dev/null; then
	go tool pprof -sample_index=alloc_space -top -symbolize=none heap.pb.gz 2>/dev/null | grep -q '^File: batch$' ||
		fail "go tool pprof: the program is not the first mapping"
	go tool pprof -sample_index=alloc_space -top -symbolize=none heap.pb.gz >top 2>/dev/null
	grep -q 'grow_result$' top || fail "go tool pprof -top: $(cat top)"
	go tool pprof -sample_index=alloc_space -list grow_result -symbolize=none heap.pb.gz 2>/dev/null | grep -q 'naive.c' ||
		fail "go tool pprof -list"
fi

ringside export nonsense b.rsd 2>err
[ $? = 2 ] || fail "an unknown format must be a usage error"
ringside export foldd b.rsd 2>&1 | grep -q 'did you mean folded' || fail "the nearest format"
ringside export pprof -o /nowhere/x b.rsd 2>/dev/null && fail "a directory that is not there"
[ -z "$(ls ./*.part.* 2>/dev/null)" ] || fail "a part is left"

# What is no regular file is written to and stays what it is: a file in the place of /dev/null would harm everybody.
mkfifo pipe
cat pipe >piped &
timeout 20 ringside export folded -o pipe b.rsd || fail "into a pipe with a name"
[ -p pipe ] || fail "the pipe was replaced: $(ls -l pipe)"
wait
ringside export folded b.rsd | cmp - piped || fail "what came through the pipe"
: >target
ln -s target link
ringside export folded -o link b.rsd || fail "through a link"
[ -L link ] && cmp -s target piped || fail "the link was replaced: $(ls -l link)"
