#!/bin/sh
# Real programs at their exit: what is lost, indirectly and possibly lost is what memcheck says of the same run, in blocks
# and bytes. None of their allocations depend on the environment, which is another one under valgrind.
. "$(dirname "$0")/lib.sh"
command -v valgrind >/dev/null || skip "valgrind is not installed"
compared=0

compare() { # name command...
	name="$1"
	shift
	command -v "$1" >/dev/null || return 0
	ringside record -t reach=exit,cpu=off,children=off -o "$name.rsd" -- "$@" >"$name.out" 2>"$name.err" ||
		fail "$name did not run: $(cat "$name.err")"
	valgrind --run-libc-freeres=no --run-cxx-freeres=no --leak-check=full --leak-check-heuristics=none \
		--log-file="$name.vg" "$@" >"$name.bare" 2>/dev/null
	ours=$(ringside heap reach --json "$name.rsd" | jq -r '.summary
		| "\(.lost_bytes) \(.lost_blocks) \(.indirect_bytes) \(.indirect_blocks) \(.possible_bytes) \(.possible_blocks)"')
	if grep -q 'no leaks are possible' "$name.vg"; then
		theirs="0 0 0 0 0 0"
	else
		theirs=$(sed -n '/LEAK SUMMARY/,/still/ s/.*lost: \(.*\) bytes in \(.*\) blocks/\1 \2/p' "$name.vg" |
			tr -d , | head -n 3 | tr '\n' ' ' | sed 's/ $//')
	fi
	[ "$ours" = "$theirs" ] || fail "$name: lost, indirectly, possibly (bytes, blocks) $ours, memcheck $theirs"
	echo "$name: $ours"
	compared=$((compared + 1))
}
compare sqlite3 sqlite3 :memory: 'create table t(a,b); insert into t values(1,2); select * from t'
compare jq jq -n '[range(2000) | {a: ., b: tostring}] | length'
compare ls ls -l /usr
mkdir repo && git -C repo init -q 2>/dev/null && echo text >repo/file &&
	git -C repo add file && git -C repo -c user.name=a -c user.email=a@b commit -qm first &&
	compare git git -C repo log --stat
[ "$compared" -gt 0 ] || skip "none of the programs is installed"

# What perl leaves behind is a list of hundreds of blocks in all states.
if command -v perl >/dev/null; then
	PERL_HASH_SEED=0 ringside record -t reach=exit -o perl.rsd -- perl -e 'my %h; $h{$_} = [1, $_] for 1..500' 2>/dev/null
	PERL_HASH_SEED=0 valgrind --run-libc-freeres=no --leak-check=full --leak-check-heuristics=none --log-file=perl.vg \
		perl -e 'my %h; $h{$_} = [1, $_] for 1..500'
	for state in definitely:lost indirectly:indirect possibly:possible; do
		theirs=$(sed -n "s/.*${state%:*} lost: \\(.*\\) bytes in .*/\\1/p" perl.vg | tr -d ,)
		close_to "perl, ${state%:*}" "$(ringside heap reach --json perl.rsd | jq ".summary.${state#*:}_bytes")" "$theirs" 1
	done
fi
