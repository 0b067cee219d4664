#!/bin/bash
# jsonl and csv as DuckDB reads them, by types that it guesses itself: rows and sums by kind, by wait and by function are
# the same in both, and the totals are the report's. Hostile names move nothing.
. "$(dirname "$0")/lib.sh"
command -v node >/dev/null && command -v npm >/dev/null || skip "no node and npm here"
export DUCKDB_MODULES=$root/build/tests/duckdb
mkdir -p "$DUCKDB_MODULES"
if ! cmp -s "$root/tests/duckdb/package.json" "$DUCKDB_MODULES/package.json" || [ ! -e "$DUCKDB_MODULES/installed" ]; then
	rm -f "$DUCKDB_MODULES/installed"
	cp "$root/tests/duckdb/package.json" "$DUCKDB_MODULES/"
	(cd "$DUCKDB_MODULES" && timeout 200 npm install --no-audit --no-fund --no-package-lock --silent >npm.log 2>&1) ||
		skip "npm could not install DuckDB"
	touch "$DUCKDB_MODULES/installed"
fi

ringside record -t cpu=250,block=0 -o w.rsd -- workflow --parallel --jobs 20 --records 200 >/dev/null 2>&1 || fail "record workflow"
ringside record -t cpu=250 -o b.rsd -- batch --variant naive --items 1000 >/dev/null 2>&1 || fail "record batch"
echo secret >secret
hostile=$'=\033[31mred\a\r\n\t\177\xc2\x9b2J\xff\xe2\x80\xae",&<b>%s\\'
objcopy --redefine-sym alloc_of_names="alloc$hostile" --redefine-sym wait_of_names="$hostile" --strip-debug \
	"$root/build/tests/programs/names" prog || fail "objcopy"
ringside record -t cpu=250,block=0 -o h.rsd -- ./prog "file$hostile" secret "$hostile" >/dev/null 2>&1 || fail "record names"

for run in w b h; do
	for format in jsonl csv sqlite; do
		ringside export "$format" -o "$run.$format" "$run.rsd" || fail "$run: export $format"
	done
	timeout 120 node "$root/tests/duckdb/sums.mjs" "$run.jsonl" "$run.csv" "$run.sqlite" >sums.json 2>err || fail "$run: DuckDB: $(cat err)"
	ringside report --json --top 0 "$run.rsd" >report.json
	ringside dump --json "$run.rsd" >dump.json
	check "$run: rows and sums by kind" '.jsonl.kinds as $kinds | ($kinds | length > 3) and .csv.kinds == $kinds' <sums.json
	check "$run: by wait" '.jsonl.waits as $waits | ($waits | length > 1) and .csv.waits == $waits' <sums.json
	# A hostile name is spelled as its format does it: what is compared of those is how much.
	names='.' && [ "$run" != h ] || names='map(.[1]) | sort'
	check "$run: bytes by function" "(.jsonl.allocated_by | $names) as \$by | (\$by | length > 1)
		and (.csv.allocated_by | $names) == \$by" <sums.json
	check "$run: numbers are numbers" 'all(.jsonl.types, .csv.types; .dur_ns == "BIGINT" and .size == "BIGINT" and .ns == "BIGINT")' <sums.json
	# A wait that took no time off the CPU has no row in the report, but a record.
	check "$run: the report" '$report[0] as $r | ($dump | map(select(.kind == "sample").weight) | add) as $weight |
		all(.jsonl.total, .csv.total; map(tonumber) == [$r.heap.allocations, $r.heap.allocated_bytes,
			$r.heap.frees + $r.heap.unknown_frees, $weight, $r.block.spans])' \
		--slurpfile report report.json --slurpfile dump dump.json <sums.json
	check "$run: waits of the dump" '[.jsonl.waits[] | [.[0], (.[1] | tonumber), (.[2] | tonumber)]] ==
		($dump | map(select(.kind == "span")) | group_by(.wait) | map([.[0].wait, length, (map(.dur_ns) | add)]))' \
		--slurpfile dump dump.json <sums.json
	check "$run: the database" '.sqlite == null or .sqlite == [$r[0].heap.allocations, $r[0].heap.allocated_bytes | tostring]' \
		--slurpfile r report.json <sums.json
	echo "$run: $(jq -r '.jsonl.total | "\(.[0]) allocations of \(.[1]) bytes, \(.[2]) frees, \(.[4]) waits"' sums.json)"
	[ "$(jq .sqlite sums.json)" != null ] || echo "$run: DuckDB has no extension here that reads SQLite's databases"
done

# As the help says, word for word.
help=$(ringside help export | grep -o 'select \* from read_json_auto([^)]*)') || fail "the help does not name DuckDB"
[ -n "$help" ] || fail "no query in the help"
cat >ask.mjs <<'JS'
import { createRequire } from 'node:module';
const { DuckDBInstance } = createRequire(process.env.DUCKDB_MODULES + '/package.json')('@duckdb/node-api');
const duck = await (await DuckDBInstance.create(':memory:')).connect();
console.log((await duck.runAndReadAll(process.argv[2])).currentRowCount);
JS
for run in w b; do
	got=$(node ask.mjs "${help/OUT/$run}" 2>err) || fail "the help's query: $(cat err)"
	[ "$got" = "$(wc -l <$run.jsonl)" ] || fail "$run: the help's query finds $got of $(wc -l <$run.jsonl) lines"
done
exit 0
