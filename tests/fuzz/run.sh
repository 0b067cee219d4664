#!/bin/bash
# run.sh SECONDS TARGET...: fuzz each target so long and print what was done. Inputs that break something are kept in
# build/fuzz/found/TARGET; the corpus grows in build/fuzz/corpus/TARGET. Exits with 1 when anything was found.
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds="$1"
shift
# Where something was allocated is told when a finding is run again.
export ASAN_OPTIONS=malloc_context_size=2:quarantine_size_mb=32:detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
TIMEFORMAT='%U %S'
status=0

last_number() { # FILE WORDS : the last number behind these words
	grep -aoE "$2 *[0-9]+" "$1" | tail -n 1 | grep -oE '[0-9]+$' || echo 0
}

# A run that finds something ends; the time that is left goes to another one.
fuzz() {
	local target="$1" end=$((SECONDS + seconds)) left log="build/fuzz/log/$1" found="build/fuzz/found/$1"
	local runs=0 cpu=0 edges=0 times done_now

	mkdir -p "build/fuzz/corpus/$target" "$found" build/fuzz/log
	while left=$((end - SECONDS)) && [ $left -gt 0 ]; do
		times=$({ time build/fuzz/bin/"$target" -close_fd_mask=2 -max_total_time=$left -max_len=4096 -timeout=60 -entropic=0 \
			-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$found/" \
			"build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; } 2>&1)
		grep -aq "^SUMMARY" "$log" && cp "$log" "$log.$(date +%s)"
		done_now=$(last_number "$log" number_of_executed_units:)
		# No fuzzer there, or it can't begin: trying on would only heat the room.
		if [ "${done_now:-0}" = 0 ]; then
			echo "$target: nothing was run: $(tail -n 1 "$log" 2>&1)" >&2
			status=1
			break
		fi
		runs=$((runs + done_now))
		edges=$(last_number "$log" cov:)
		cpu=$(echo "$cpu $times" | awk '{ print $1 + $2 + $3 }')
		echo "$(date +%s) $target $done_now $times $edges" >>build/fuzz/log/runs
	done
	printf '%-8s %9s runs, %7.0f s of CPU, %6s edges, %s findings in all\n' "$target" "$runs" "$cpu" "$edges" \
		"$(find "$found" -type f | wc -l)"
	[ -z "$(ls "$found")" ] || status=1
}

for target; do
	fuzz "$target"
done
exit $status
