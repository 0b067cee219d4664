#!/bin/sh
# Threads and processes begin and end as without us, what they see of themselves is the same, and calls keep promises.
. "$(dirname "$0")/lib.sh"
ulimit -c 0
modes="block=0,cpu=1000 heap=sample:1k,block=off children=off"

run() { # output mode program scene
	mkdir -p d
	LD_PRELOAD="$lib" RINGSIDE="$2,out=$dir/d/%e.%p.rsd" timeout 120 "$3" $4 >"$1" 2>&1
	echo "exit $?" >>"$1"
}

same() { # program scenes...
	program="$1"
	shift
	for scene; do
		timeout 120 "$program" $scene >bare 2>&1
		echo "exit $?" >>bare
		for mode in $modes; do
			run recorded "$mode" "$program" "$scene"
			diff bare recorded || fail "$program $scene differs with $mode"
			ls d/"$program".*.rsd >/dev/null 2>&1 || fail "$program $scene, $mode: nothing was recorded"
			rm -rf d
		done
		echo "same    $program $scene: $(tail -n 1 bare)"
	done
}

same lifecycle children storm exec exit-in-atexit exit-in-thread exit-in-handler quick-exit main-exits-first abort
same lifecycle keys threads small-stacks bounds raw-thread masks blocked faults async-cancel
same semantics vfork variadics mutexes allocator tsc
same state ''
[ "$(id -u)" = 0 ] && modes="block=0 children=off" && same lifecycle drop
exit 0
