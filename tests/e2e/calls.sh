#!/bin/sh
# Every call of hooks.def in every situation of calls.def and blocks.def: results, errno, cancellation as without us.
. "$(dirname "$0")/lib.sh"

same() { # program modes...
	program="$1"
	shift
	timeout 120 "$program" >"$program.bare" || fail "$program: $(tail -n 3 "$program.bare")"
	for mode; do
		mkdir d
		LD_PRELOAD="$lib" RINGSIDE="$mode,out=$dir/d/%e.%p.rsd" timeout 120 "$program" >"$program.rec" ||
			fail "$program, $mode: $(tail -n 3 "$program.rec")"
		diff "$program.bare" "$program.rec" || fail "$program differs with $mode"
		ls d/"$program".*.rsd >/dev/null 2>&1 || fail "$program, $mode: nothing was recorded"
		rm -rf d
		echo "same    $program, $mode"
	done
}

same errno_kept block=0 heap=sample:4k,block=0,cpu=1000,ring=4m block=off,children=off
same cancel_calls block=0 block=off
same cancel_blocks block=0,cpu=1000
same cancel_cpp block=0 block=off
grep -q 'cancelled' cancel_calls.bare || fail "cancel_calls cancels nothing"
grep -v 'cancelled, 1 clean-up, 1 destroyed' cancel_blocks.bare && fail "cancel_blocks does not cancel these"
[ "$(wc -l <errno_kept.bare)" -gt 800 ] || fail "errno_kept has few lines"
