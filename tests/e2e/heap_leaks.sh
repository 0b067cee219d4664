#!/bin/sh
# Blocks alive at the end by place, how they came about, and what is left out: by a file, and by the program's own word
# without running it.
. "$(dirname "$0")/lib.sh"
ringside record -o leaks.rsd -- leaks 2>/dev/null || fail "leaks did not run"
ringside heap leaks --json --top 0 leaks.rsd >leaks.json || fail "no report"

# at FUNCTION: its rows, one for each call that the compiler made of it.
at='def at($f): [.sites[] | select(.stack[0].function == $f)];'
check "what the program's function names is left out, and counted" \
	'.summary.suppressed_blocks == 2 and .summary.suppressed_bytes == 12000 and
	 .suppressions == [{blocks: 2, bytes: 12000, pattern: "meant_to_stay", from: "__lsan_default_suppressions"}]' <leaks.json
check "sums" '.summary.live_blocks == 3 + 40 + 4 + 1 and .summary.live_bytes == 6000 + 40 * 64 + 4 * 32 + 11' <leaks.json
check "the start" "$at"' at("at_the_start") | (map(.bytes) | add) == 6000 and all(.born == "at the start")' <leaks.json
check "the end" "$at"' at("at_the_end") | length == 1 and .[0].born == "at the end" and .[0].bytes == 11' <leaks.json
check "what grows" "$at"' at("all_along") | length == 1 and .[0].born == "all along" and .[0].blocks == 40
	and .[0].min_bytes == 64 and .[0].max_bytes == 64 and .[0].newest_ns - .[0].oldest_ns > 39 * 10000000' <leaks.json
check "what is freed nine times out of ten" "$at"' at("mostly_freed") | .[0].blocks == 4 and .[0].allocations == 40' <leaks.json

cat >rules <<'END'
# places
leak:^all_along$
leak:leaks.c*nowhere
  leak:at_the_st*
END
ringside heap leaks --json --suppressions rules leaks.rsd >less.json || fail "no report with a file"
check "a file leaves out more" '.summary.live_blocks == 5 and .summary.suppressed_blocks == 2 + 40 + 3' <less.json
check "by rule" '[.suppressions[] | {(.pattern): .blocks}] | add ==
	{"^all_along$": 40, "leaks.c*nowhere": 0, "at_the_st*": 3, "meant_to_stay": 2}' <less.json
echo 'leak:/leaks$' >module
ringside heap leaks --json --suppressions module leaks.rsd |
	check "the path of a module counts" '.summary.live_blocks == 0 and .summary.suppressed_blocks == 50'
ringside heap lifetimes --json --suppressions rules leaks.rsd >lives.json || fail "no lifetimes"
check "other reports leave it out too, and say so" '[.sites[] | select(.stack[0].function == "all_along")] == []
	and any(.notes[]; test("43 allocations are left out because of --suppressions"))' <lives.json

echo 'race:something' >wrong
ringside heap leaks --suppressions wrong leaks.rsd 2>error && fail "a line of another kind was taken"
[ $? = 2 ] && grep -q 'wrong: line 1: want leak:PATTERN' error || fail "a line of another kind: $(cat error)"
ringside heap leaks --suppressions none leaks.rsd 2>error
[ $? = 2 ] && grep -q 'none: No such file' error || fail "a file that is not there: $(cat error)"

# --fail-on: more than so many bytes. 8699 are alive.
ringside heap leaks --fail-on 8699 leaks.rsd >/dev/null || fail "as many as are allowed"
ringside heap leaks --fail-on 8698 leaks.rsd >text
[ $? = 1 ] && grep -q '8699 bytes are alive, 8698 are allowed' text || fail "one too many"
ringside heap leaks --fail-on 8k leaks.rsd >/dev/null
[ $? = 1 ] || fail "sizes have units"
ringside heap lifetimes --fail-on 1 leaks.rsd >/dev/null 2>error
[ $? = 2 ] && grep -q 'no number for --fail-on' error || fail "a report without a threshold"

# Each way a compiler returns a text; and a function that does more than that.
for how in "-O0" "-O2" "-O2 -no-pie" "-O1 -fcf-protection"; do
	for cc in gcc clang; do
		command -v $cc >/dev/null || continue
		$cc $how -g -o built "$root/tests/programs/leaks.c" || fail "$cc $how"
		ringside record -o built.rsd ./built 2>/dev/null || fail "$cc $how does not run"
		ringside heap leaks --json built.rsd | check "$cc $how" '.suppressions[0].pattern == "meant_to_stay"'
	done
done
gcc -O1 -DCOMPUTED -o computed "$root/tests/programs/leaks.c" || fail "computed"
ringside record -o computed.rsd ./computed 2>/dev/null || fail "computed does not run"
ringside heap leaks --json computed.rsd | check "a computed text is not guessed, and that is told" \
	'.summary.suppressed_blocks == 0 and any(.notes[]; test("computes what it returns"))'
