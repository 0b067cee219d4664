#!/bin/sh
# Rules find what a program planted, as often as its own books say, and nothing in the same program without it.
. "$(dirname "$0")/lib.sh"
cat >limits.rules <<'R'
# What contracts.c promises.
no malloc in audio_callback after 1s
no free in thread rt-.*
at most 4k per call in parse

at most 1000 bytes per region frame
at most 20 mallocs per region frame
at most 4k in region frame in thread main-.*
R
ringside record -o clean.rsd -- contracts >clean.truth 2>/dev/null
ringside record -o planted.rsd -- contracts --plant >planted.truth 2>/dev/null

ringside check -c limits.rules clean.rsd >clean.txt || fail "rules broken by the clean program: $(cat clean.txt)"
grep -q '^0 of 6 rules broken: clean.rsd' clean.txt || fail "clean: $(cat clean.txt)"
ringside check -c limits.rules --json --top 0 planted.rsd >planted.json
[ $? = 1 ] || fail "planted: exit $?"
check "breaches equal the books" '
	(.rules | map({ key: (.line | tostring), value: .breaches }) | from_entries) as $by_line | $truth[0] as $t
	| $by_line["2"] == $t.late_mallocs and $by_line["3"] == $t.rt_frees and $by_line["4"] == $t.large_lines
	and $by_line["6"] == $t.frames_over and $by_line["7"] == $t.frame_mallocs_over and $by_line["8"] == 0
	and .broken == 5 and .kept == 1 and .undecided == 0' --slurpfile truth planted.truth <planted.json
check "planted enough" '.late_mallocs == 7 and .large_lines > 10 and .frames_over > 10 and .frame_mallocs_over > 5' <planted.truth
check "each breach has its time, thread, bytes and stack" '
	.rules[0].list | length == 7 and all(.[]; .time_ns > 1000000000 and .thread == "rt-audio" and .amount == 64
	and .stack[0].function == "buffer" and any(.stack[]; .function == "audio_callback"))' <planted.json
check "a region's sum is what it came to" '
	[.rules[3].list[].amount] | max == 3100 and min == 1100' <planted.json

# Text: the rule with its place, then the breaches with their stacks.
ringside check -c limits.rules --top 1 planted.rsd >planted.txt
[ $? = 1 ] || fail "planted text: exit $?"
grep -q '^BROKEN .*no malloc in audio_callback after 1s  limits.rules:2$' planted.txt || fail "text: $(cat planted.txt)"
grep -q 'thread [0-9]* rt-audio  64B$' planted.txt && grep -q 'audio_callback (contracts.c:' planted.txt ||
	fail "text: $(cat planted.txt)"
grep -q '6 more; --top 0 shows all' planted.txt || fail "text does not say how many more"

# Who frees is known for as many frees as have their stacks: parse frees two blocks a line.
frees() { # FREESTACK EXPRESSION
	ringside record -o frees.rsd -t "freestack=$1" -- contracts >/dev/null 2>&1
	ringside check --json --top 0 --rule 'no free in parse' --rule 'no free in draw_nothing' frees.rsd |
		check "freestack=$1" "[.rules[] | {s: .status, n: .breaches, r: (.reason != null)}] | $2"
}
frees 1 '.[0] == {s: "broken", n: 80, r: false} and .[1].s == "kept"'
frees 2 '.[0].s == "broken" and .[0].n < 80 and .[0].r and .[1].s == "undecided" and .[1].r'
frees off '.[0].s == "undecided" and .[1].s == "undecided"'

# The whole time is another matter: then the early ones count too.
ringside check --json --rule 'no malloc in audio_callback' clean.rsd |
	check "early allocations" '.rules[0].breaches == $truth[0].early_mallocs' --slurpfile truth clean.truth

# A rule about a name that is nowhere is kept by everything: that is said.
ringside check --json --rule 'no malloc in audio_calback' --rule 'no malloc in main after 1h' planted.rsd |
	check "a misspelt name" '.broken == 0 and ([.notes[] | select(contains("audio_calback"))] | length) == 1
		and any(.notes[]; contains("did you mean '"'audio_callback'"'?"))'

# Totals, against the report of the same recording.
ringside report --json --top 0 clean.rsd >report.json
peak=$(jq .heap.peak_bytes report.json) calls=$(jq .heap.allocations report.json)
total() { # want RULE...: exit code
	want=$1
	shift
	ringside check --rule "$*" clean.rsd >total.txt 2>&1
	got=$?
	[ $got = "$want" ] || fail "$*: exit $got, want $want: $(cat total.txt)"
}
total 0 "peak heap < $((peak + 1))"
total 1 "peak heap < $peak"
total 0 "peak heap = $peak"
total 0 "allocations <= $calls"
total 1 "allocations in parse >= $calls"
total 0 "allocations in parse = 80"
total 0 "lost events = 0"
total 0 "wall > 1.5s"
total 1 "wall < 1500ms"
total 0 "threads = 2"
total 0 "cpu in nothing_of_this_name < 1 %"
total 0 "wait for sleep > 1s"
total 1 "wait for sleep < 1s"
total 0 "temporary < 90 %"
ringside check --json --rule 'peak heap = 0' clean.rsd | check "the value of a total" ".rules[0].value == $peak"

# A lock by its name.
ringside record -o s.rsd -- service >/dev/null 2>&1
locks=$(ringside block --json s.rsd | jq '[.locks[] | select(.name == "server.log.lock") | .wait_ns] | add')
ringside check --rule "wait for mutex server.log.lock <= ${locks}ns" --rule "wait for lock server.log.lock < ${locks}ns" s.rsd >locks.txt
[ $? = 1 ] && [ "$(grep -c ^kept locks.txt)" = 1 ] || fail "locks: $(cat locks.txt)"

# What was not recorded proves nothing, and a wrong rule says where.
ringside record -o off.rsd -t heap=off -- contracts >/dev/null 2>&1
ringside check --rule 'no malloc' off.rsd >off.txt
[ $? = 1 ] && grep -q '^UNDECIDED' off.txt || fail "heap=off: $(cat off.txt)"
# Of a sample the total is known to some extent: a bound well away from it decides, one beside it does not.
ringside record -o sampled.rsd -t heap=sample:4k -- contracts --plant >/dev/null 2>&1
bytes=$(ringside report --json sampled.rsd | jq .heap.allocated_bytes)
ringside check --json --rule "allocated < $((bytes * 10))" --rule "allocated > $((bytes * 10))" --rule "allocated < $((bytes + 1))" sampled.rsd |
	check "totals of a sample" '[.rules[].status] == ["kept", "broken", "undecided"]'
printf 'no malloc\npeak heap < 3 mb\nno mallok in x\n' >bad.rules
ringside check -c bad.rules clean.rsd >out.txt 2>err.txt
[ $? = 2 ] && [ ! -s out.txt ] || fail "a bad rule: exit $?"
grep -q '^ringside: bad.rules:2:15: expected' err.txt && grep -q "^ringside: bad.rules:3:4: expected.*did you mean 'malloc'" err.txt ||
	fail "bad rules: $(cat err.txt)"
ringside check clean.rsd 2>/dev/null
[ $? = 2 ] || fail "no rules at all"
ringside check -c none.rules clean.rsd 2>/dev/null
[ $? = 2 ] || fail "no file of rules"
ringside check --rule 'no malloc' none.rsd 2>/dev/null
[ $? = 3 ] || fail "no recording"

# Every process of a tree has to keep the rules.
ringside record -o tree.rsd -- sh -c 'contracts --plant; true' >tree.truth 2>/dev/null
ringside check --all --json --rule 'no free in thread rt-.*' tree.rsd |
	check "a descendant's breaches" '.rules[0].breaches == $truth[0].rt_frees and .rules[0].list[0].process == "contracts"' \
		--slurpfile truth tree.truth
