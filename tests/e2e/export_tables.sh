#!/bin/bash
# jsonl and csv: the rows of the dump in number and sum, stacks with names; sqlite3 and python read them, hostile names
# do no harm.
. "$(dirname "$0")/lib.sh"
ringside record -t cpu=250,block=0 -o w.rsd -- workflow --parallel --jobs 20 --records 200 >/dev/null 2>&1 || fail "record"
echo secret >secret
hostile=$'=\033[31mred\a\r\n\t\177\xc2\x9b2J\xff\xe2\x80\xae",;&<b>%s\\'
objcopy --redefine-sym alloc_of_names="alloc$hostile" --redefine-sym wait_of_names="$hostile" --strip-debug \
	"$root/build/tests/programs/names" "prog" || fail "objcopy"
ringside record -t cpu=250,block=0 -o h.rsd -- ./prog "file$hostile" secret "$hostile" >/dev/null 2>&1 || fail "record names"

for run in w h; do
	ringside dump --json "$run.rsd" | jq -c 'select(.ns != null)' >"$run.want"
	ringside export jsonl -o "$run.jsonl" "$run.rsd" || fail "jsonl $run"
	LC_ALL=C grep -q '[[:cntrl:]]' "$run.jsonl" && fail "$run.jsonl: a control character"
	jq -c 'select(.ns != null)' "$run.jsonl" >"$run.got"
	# Equal in all but what a stack is called by.
	for side in want got; do
		jq -cS 'del(.stack, .open_stack, .at)' "$run.$side" >"$run.$side.plain"
	done
	cmp "$run.want.plain" "$run.got.plain" || fail "$run: jsonl and the dump differ"
	# Every stack is told once; every event's is; what had none still has none.
	jq -sc '(map(select(.kind == "stack").stack) | length == (unique | length)) and
		((map(select(.ns != null and (.stack // 0) != 0).stack) | unique) -
		 (map(select(.kind == "stack").stack) | unique) | length == 0)' "$run.jsonl" >told
	[ "$(cat told)" = true ] || fail "$run: stacks of jsonl"
	[ "$(jq -s 'map(select(.stack == 0)) | length' "$run.want")" = "$(jq -s 'map(select(.stack == 0)) | length' "$run.got")" ] ||
		fail "$run: stacks that are not known"

	ringside export csv -o "$run.csv" "$run.rsd" || fail "csv $run"
	tr -d '\r\n' <"$run.csv" | LC_ALL=C grep -q '[[:cntrl:]]' && fail "$run.csv: a control character"
	jq -r '[keys[]] | .[]' "$run.got" | sort -u >keys
	head -1 "$run.csv" | tr -d '\r' | tr , '\n' | sort >columns
	comm -23 keys columns >missing
	[ ! -s missing ] || fail "csv has no column for $(cat missing)"
	command -v sqlite3 >/dev/null || continue
	sum='sum(dur_ns), sum(size), sum(amount), count(*), count(nullif(at, "")), count(nullif(functions, ""))'
	sqlite3 :memory: ".import --csv $run.csv events" "select kind, $sum from events group by kind order by kind" >csv.sums ||
		fail "sqlite3: $run.csv"
	jq -r -s 'group_by(.kind)[] | [.[0].kind, (map(.dur_ns // 0) | add), (map(.size // 0) | add),
		(map(.amount // 0) | add), length, (map(select(.at)) | length), (map(select(.at)) | length)] | join("|")' \
		"$run.got" >want.sums
	# sqlite says 0.0 for a column of empty texts.
	sed -i 's/\.0\b//g' csv.sums
	diff want.sums csv.sums || fail "$run: jsonl (<) and csv (>) differ"
	cat csv.sums
done
check "a stack has names" 'select(.kind == "stack" and any(.frames[]; .function == "join_stage" or .function == "main")) | true' <w.jsonl
grep -q '"function":"=\\u001b\[31mred' h.jsonl || grep -q '"function": "=\\u001b\[31mred' h.jsonl || fail "the hostile function"
grep -q ",'=" h.csv && fail "a formula without quotes"
grep -q "\"'=" h.csv || fail "a formula is there"
