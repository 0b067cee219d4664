#!/bin/bash
# case.sh CASE prepare|run - one function of a case, with what cases share.
set -u
export prepared build here

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# wait_for COMMAND... : until it succeeds, 20 s at most.
wait_for() {
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	fail "waited in vain: $*"
}

# verdicts COMMAND... : run each line of stdin as "name<TAB>shell command", print "name exit-status".
verdicts() {
	local name line
	while IFS=$'\t' read -r name line; do
		timeout 60 bash -c "$line" >"$TMPDIR/verdict" 2>&1 </dev/null
		echo "$name $?"
	done
}

# shellcheck disable=SC1090 # the case is an argument
. "$1"
"$2"
