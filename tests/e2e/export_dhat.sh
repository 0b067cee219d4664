#!/bin/bash
# dhat: valgrind's own dh_view.js builds its tree of it; the totals are those of our report, exactly.
. "$(dirname "$0")/lib.sh"
ringside record -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record"
ringside export dhat -o b.json b.rsd || fail "export"
ringside report --json b.rsd >report.json

total() { jq "[.pps[].$1] | add" b.json; }
for pair in "tb allocated_bytes" "tbk allocations" "eb live_bytes" "ebk live_blocks" "gb peak_bytes"; do
	set -- $pair
	want=$(jq ".heap.$2" report.json)
	[ "$want" != null ] || fail "the report has no $2"
	[ "$(total "$1")" = "$want" ] || fail "$1: $(total "$1"), the report says $want"
	echo "$1 = $2 = $want"
done
check "each site is plausible" '.te as $te | (.ftbl | length) as $frames | all(.pps[]; .mb >= .gb and .mb >= .eb and .tb >= .mb
	and .tbk >= .ebk and .tl <= .tbk * $te and (.fs | length) > 0 and all(.fs[]; . > 0 and . < $frames))
	and (.pps | map(.fs) | length == (unique | length)) and .tg <= .te' <b.json
# Lifetimes: summed up from the events. A pass never goes back: what a thread stamped before an earlier record of its own
# (a realloc that was timed) counts at that one's moment.
want=$(ringside dump --json b.rsd | jq -r 'select(.kind == "recording" or .ns) | [.kind, .ns // .end_ns, .tid // 0, .addr // 0] | @tsv' | awk '
	$1 == "recording" { end = $2; next }
	$1 == "sample" { next }
	$2 > now[$3] { now[$3] = $2 }
	$1 == "alloc" || $1 == "realloc-alloc" { born[$4] = now[$3] }
	($1 == "free" || $1 == "realloc-free") && $4 in born { sum += now[$3] - born[$4]; delete born[$4] }
	END { for (addr in born) sum += end - born[addr]; printf "%.0f", sum }')
[ "$(total tl)" = "$want" ] || fail "tl: $(total tl), the events say $want"
echo "tl = $want ns"

# Hostile names are text of one cell.
echo secret >secret
hostile=$'\033[31mred\a\r\n\t\xc2\x9b2J\xff\xe2\x80\xae",;<script>%s\\'
objcopy --redefine-sym alloc_of_names="$hostile" --strip-debug "$root/build/tests/programs/names" prog || fail "objcopy"
ringside record -o h.rsd -- ./prog "file$hostile" secret "$hostile" >/dev/null 2>&1 || fail "record names"
ringside export dhat -o h.json h.rsd || fail "export names"
LC_ALL=C tr -d '\n' <h.json | LC_ALL=C grep -q '[[:cntrl:]]' && fail "a control character"
check "the hostile function" 'any(.ftbl[]; startswith("\\x1b[31mred"))' <h.json

view=/usr/libexec/valgrind/dh_view.js
[ -r "$view" ] && command -v node >/dev/null || skip "totals are equal; no dh_view.js (valgrind) or no node to run it with"
cat >view.js <<'JS'
const fs = require("fs"), vm = require("vm");
const [view, file] = process.argv.slice(2);
const code = fs.readFileSync(view, "utf8") + `
;gData = JSON.parse(text);
gSelect = { childNodes: gSelectData.map(() => ({ disabled: false })), selectedIndex: 0 };
buildTree();
result = { tb: gRoot._totalBytes, tbk: gRoot._totalBlocks, gb: gRoot._atTGmaxBytes, eb: gRoot._atTEndBytes,
	   ebk: gRoot._atTEndBlocks, kids: gRoot._kids.length };`;
const world = { text: fs.readFileSync(file, "utf8"), result: null, document: {}, window: {}, console };
vm.runInNewContext(code, world);
console.log(JSON.stringify(world.result));
JS
for run in b h; do
	node view.js "$view" "$run.json" >viewed || fail "dh_view.js does not take $run.json"
	ringside report --json "$run.rsd" >report.json
	for pair in "tb allocated_bytes" "tbk allocations" "gb peak_bytes" "eb live_bytes" "ebk live_blocks"; do
		set -- $pair
		[ "$(jq ".$1" viewed)" = "$(jq ".heap.$2" report.json)" ] ||
			fail "dh_view.js: $run: $1 is $(jq ".$1" viewed), the report says $(jq ".heap.$2" report.json)"
	done
	cat viewed
done
