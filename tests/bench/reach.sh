#!/bin/sh
# What a snapshot costs: the pause of the program, the work of its copy, the dump and the report, for 100 MB and 1 GB.
set -eu
cd "$(dirname "$0")/../.."
PATH="$PWD/build/bin:$PATH"
dir=$(mktemp -d "${TMPDIR:-/tmp}/ringside-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
for size in "100 1000" "100 64" "1000 1000" "1000 64"; do
	for run in 1 2 3; do
		ringside record -t cpu=off,block=off,reach=off -o "$dir/off.rsd" -- build/bench/reach $size >"$dir/off" 2>/dev/null
		ringside record -t cpu=off,block=off,reach=mark -o "$dir/on.rsd" -- build/bench/reach $size >"$dir/on" 2>/dev/null
		begin=$(date +%s%N)
		ringside heap reach --json "$dir/on.rsd" >"$dir/json"
		end=$(date +%s%N)
		echo "$size: $(cat "$dir/on") dump MB $(($(stat -c %s "$dir/on.rsd") / 1000000 - $(stat -c %s "$dir/off.rsd") / 1000000))" \
			"scan ms $(jq '.summary.scan_ns / 1000000 | round' "$dir/json") report ms $(((end - begin) / 1000000))"
	done
done
