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

# suite SECONDS COMMAND : "name exit-status" of each test whose name is read; {} in the command is its name. Each has a
# folder of its own. Four at a time, since most tests sleep most of the time. INT lets drivers end their children.
suite() {
	xargs -P 4 -I {} bash -c "mkdir -p $TMPDIR/{} && cd $TMPDIR/{} &&
		timeout -s INT -k 3 $1 $2 >/dev/null 2>&1 </dev/null; echo {} \$?" 2>/dev/null | sort
}

# settle SECONDS COMMAND LEAST : keep the tests that end in time, twice with the same verdict, in $prepared/list.
settle() {
	local round
	cat >"$prepared/tried"
	for round in 1 2; do
		suite "$1" "$2" <"$prepared/tried" >"$prepared/verdicts.$round"
	done
	comm -12 "$prepared/verdicts.1" "$prepared/verdicts.2" | grep -v ' 124$' | cut -d' ' -f1 >"$prepared/list"
	echo "$(wc -l <"$prepared/tried") tried, $(wc -l <"$prepared/list") run; with the verdicts:"
	comm -12 "$prepared/verdicts.1" "$prepared/verdicts.2"
	[ "$(wc -l <"$prepared/list")" -ge "$3" ] || fail "fewer than $3"
}

# shellcheck disable=SC1090 # the case is an argument
. "$1"
"$2"
