#!/bin/bash
# `ringside html` makes one page that loads nothing, holds the report's numbers exactly, and shows hostile names as text.
. "$(dirname "$0")/lib.sh"

# block PAGE NAME: the JSON that stands in the page.
block() {
	sed -n "/ id=\"$2-data\">\$/,/^<\/script>/p" "$1" | sed '1d;$d'
}

# What a browser would load, and what may run: the policy allows one script by the hash of its text.
loads_nothing() { # page
	/usr/bin/python3 - "$1" <<'P' || fail "$1: see above"
import base64, hashlib, html.parser, sys
text = open(sys.argv[1], newline="").read()
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=False)
        self.tags, self.policy, self.inside, self.texts = [], None, None, {"script": [], "style": []}
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]
        for name, value in attrs.items():
            assert not name.startswith("on") and name not in ("src", "srcset", "style", "data", "action"), (tag, name)
            assert name != "href" or value == "#main", value
        self.inside = tag if tag == "style" or (tag == "script" and attrs.get("type") is None) else None
        if self.inside:
            self.texts[tag].append("")
    def handle_endtag(self, tag):
        self.inside = None
    def handle_data(self, data):
        if self.inside:
            self.texts[self.inside][-1] += data
page = Page()
page.feed(text)
assert page.policy.startswith("default-src 'none'; "), page.policy
for tag in "script", "style":
    assert len(page.texts[tag]) == 1, (tag, len(page.texts[tag]))
    digest = base64.b64encode(hashlib.sha256(page.texts[tag][0].encode()).digest()).decode()
    assert f"{tag}-src 'sha256-{digest}';" in page.policy, (tag, digest, page.policy)
assert page.tags.count("script") == 7, page.tags.count("script")
assert not {"link", "img", "iframe", "object", "embed", "base", "form", "svg", "video"} & set(page.tags), page.tags
assert "url(" not in page.texts["style"][0] and "@import" not in page.texts["style"][0]
for word in "http:", "https:", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "import(":
    assert word not in page.texts["script"][0], word
P
}

# Every number of the report is in the page, and what stands at the nodes sums up to it.
holds_the_numbers() { # recording page
	block "$2" tree >tree.json
	block "$2" time >time.json
	block "$2" overview >overview.json
	block "$2" reports >reports.json
	block "$2" lanes >lanes.json
	ringside report --json --top 0 "$1" >report.json || fail "report $1"
	jq -e . tree.json >/dev/null && jq -e . time.json >/dev/null && jq -e . overview.json >/dev/null || fail "$2: no JSON"
	jq -n --slurpfile tree tree.json --slurpfile time time.json --slurpfile r report.json '{
		tree: $tree[0], time: $time[0], r: $r[0],
		total: ($tree[0].metrics | map({ (.name): .total }) | add) }' >all.json
	check "$1: sums of nodes" '[.tree.metrics[] | (.value | add // 0) == .total and (.step | length) == (.value | length)] | all' <all.json
	check "$1: heap" '.total.alloc_space == .r.heap.allocated_bytes and .total.alloc_objects == .r.heap.allocations and
		.total.peak_space == .r.heap.peak_bytes and .total.inuse_space == .r.heap.live_bytes and
		.total.temporary == .r.heap.temporary and .total.alloc_space > 0' <all.json
	check "$1: times" '.total.cpu == .r.cpu.cpu_ns and .total.blocked == .r.block.blocked_ns and
		.total.lock_holders == ([.r.block.locks[].wait_ns] | add // 0) and .total.cpu > 0' <all.json
	check "$1: samples in columns" '([.time.cells[] | range(1; length; 4) as $i | .[$i]] | add // 0) == .r.cpu.samples and
		.time.cell_columns == (.time.cells | length)' <all.json
	# A wait is cut at the ends of its columns, which costs less than a nanosecond each.
	close_to "$1: blocked in columns" "$(jq '[.time.cells[] | range(2; length; 4) as $i | .[$i]] | add // 0' all.json)" \
		"$(jq .r.block.blocked_ns all.json)" 2
	check "$1: columns of threads" '.time as $t | [.time.threads[].runs | . as $runs | { at: 0, columns: 0 } |
		until(.at >= ($runs | length); . as $s | ($runs[$s.at + 1]) as $mask |
			{ columns: ($s.columns + $runs[$s.at]),
			  at: ($s.at + 2 + ([range(9) | ($mask / pow(2; .) | floor) % 2] | add)) }) | .columns == $t.columns] |
		all and length > 0' <all.json
	check "$1: the heap over time" '.time.heap.summary.peak_bytes == .r.heap.peak_bytes and
		.time.heap.summary.allocations == .r.heap.allocations' <all.json
	# Percentiles of waits are those of the report, and every wait is in its grid. A spin lock's waits are on the CPU.
	check "$1: durations" '$r[0].block.kinds as $kinds | [$l[0].latency.series[] | select(.group == "wait" and .name != "spin") |
		. as $s | ($kinds[] | select(.kind == $s.name)) as $k | $k.spans == $s.count and $k.p50_ns == $s.p50_ns and
		$k.p99_ns == $s.p99_ns and ([$s.cells[range(1; $s.cells | length; 2)]] | add) == $s.count] |
		all and length > 0' -n --slurpfile r report.json --slurpfile l lanes.json
	ringside trace tasks --json "$1" >tasks.json || fail "trace tasks $1"
	check "$1: tasks and regions" '$l[0] as $l | $t[0] as $t | $l.tasks.all == $t.summary.tasks and $l.regions.all ==
		([$t.regions[] | .count + (.unfinished // 0)] | add // 0) and ([$l.latency.series[] | select(.group == "task") |
		[.name, .count, .sum_ns]] == [$t.tasks[] | [.type, .count, .total_ns]])' -n --slurpfile l lanes.json --slurpfile t tasks.json
	ringside trace wakers --json "$1" >wakers.json || fail "trace wakers $1"
	check "$1: wake-ups" '$l[0].wakes.all == $w[0].summary.known_waits' -n --slurpfile l lanes.json --slurpfile w wakers.json
	ringside trace path --json "$1" >path.json || fail "trace path $1"
	check "$1: a report" '($a[0].reports | length) >= 2 and ($a[0].reports[] | select(.name == "path") |
		[.facts[].value]) == [$b[0].summary[]]' -n --slurpfile a reports.json --slurpfile b path.json
	check "$1: the overview" '$a[0].heap.allocations == $b[0].heap.allocations and $a[0].findings == $b[0].findings and
		$a[0].threads == $b[0].threads and $a[0].recording.events == $b[0].recording.events and
		$a[0].recording.events > 0' -n --slurpfile a overview.json --slurpfile b report.json
}

for demo in workflow batch service; do
	ringside record -o $demo.rsd -- $demo >out 2>&1 || fail "$demo: $(cat out)"
	ringside html -o $demo.html $demo.rsd || fail "html $demo"
	loads_nothing $demo.html
	holds_the_numbers $demo.rsd $demo.html
	echo "$demo: $(stat -c %s $demo.html) bytes"
done

# A window of time: what is in it as `report --time` tells it.
ringside html --time 10ms-200ms -o window.html batch.rsd || fail "a window"
ringside report --json --time 10ms-200ms batch.rsd >window.json
block window.html time | check "a window" '.from_ns == 10000000 and .to_ns == 200000000'
block window.html tree | check "what is in the window" \
	'([.metrics[] | select(.name == "alloc_space").total][0]) == $r[0].heap.allocated_bytes' --slurpfile r window.json

# Two recordings: each number of both is there, at nodes that both have; a recording has no difference to itself.
ringside html --diff-base batch.rsd -o same.html batch.rsd || fail "compared with itself"
block same.html tree | check "no difference to itself" '[.metrics[] | .total == .base_total and .step == .base_step and
	.value == .base_value] | all and length > 5'
ringside record -o pooled.rsd -- batch --variant pooled >out 2>&1 || fail "pooled: $(cat out)"
ringside html --diff-base batch.rsd -o diff.html pooled.rsd || fail "compared with another"
loads_nothing diff.html
block diff.html tree >tree.json
ringside report --json --top 0 pooled.rsd >new.json
ringside report --json --top 0 batch.rsd >old.json
check "numbers of both" '(.metrics | map({ (.name): . }) | add) as $m | $m.alloc_objects.total == $new[0].heap.allocations and
	$m.alloc_objects.base_total == $old[0].heap.allocations and $m.cpu.base_total == $old[0].cpu.cpu_ns and
	$m.blocked.base_total == $old[0].block.blocked_ns and ([.metrics[] | (.base_value | add // 0) == .base_total] | all)' \
	--slurpfile new new.json --slurpfile old old.json <tree.json
ringside html --diff-base missing.rsd -o x.html batch.rsd 2>err
[ $? = 3 ] || fail "a missing base: $(cat err)"

# Lines of source: as they stand in the files, only of files that look like source, and none when none are wanted.
block batch.html source >source.json
/usr/bin/python3 - source.json <<'P' || fail "source: see above"
import json, os, sys
source = json.load(open(sys.argv[1]))
seen = 0
for file in source["files"]:
    text = open(file["path"], errors="replace").read().splitlines()
    for first, *lines in file["ranges"]:
        assert lines == text[first - 1:first - 1 + len(lines)], (file["path"], first)
        seen += len(lines)
paths = [os.path.basename(f["path"]) for f in source["files"]]
assert "naive.c" in paths and 100 < seen < 9000, (paths, seen)
for number, line, name, *values in source["lines"]:
    ranges = source["files"][number]["ranges"]
    assert any(r[0] <= line < r[0] + len(r) - 1 for r in ranges), (paths[number], line)
    assert all(flat <= cum for flat, cum in zip(values[::2], values[1::2])), values
P
ringside html --no-source -o none.html batch.rsd || fail "without source"
block none.html source | check "no source" '.files == [] and .lines == [] and .is_wanted == false'
printf 'not\nfor\nothers: kept-to-myself\n' >secret.txt
cp secret.txt shown.c
cat >odd.c <<C
#include <stdlib.h>
int main(void)
{
#line 2 "$dir/secret.txt"
	free(malloc(7));
#line 3 "$dir/shown.c"
	free(malloc(9));
	return 0;
}
C
cc -g -O0 -fno-builtin -o odd odd.c || fail "cc odd.c"
ringside record -o odd.rsd -- ./odd 2>err || fail "odd: $(cat err)"
ringside html -o odd.html odd.rsd || fail "html of odd"
block odd.html source | check "only what looks like source" '[.files[].path | endswith("shown.c")] == [true] and
	([.files[].ranges[][] | select(. == "others: kept-to-myself")] | length == 1)'
rm shown.c
ringside html -o odd.html odd.rsd || fail "html without its source"
grep -q kept-to-myself odd.html && fail "a file that is no source is on the page"

# To stdout; no page where it can't be written; nothing is left of it.
ringside html workflow.rsd >stdout.html || fail "stdout"
cmp -s stdout.html workflow.html || fail "another page on stdout"
ringside html -o /nowhere/x.html workflow.rsd 2>err && fail "written to nowhere"
ringside html -o x.html missing.rsd 2>err
[ $? = 3 ] || fail "a missing recording: $(cat err)"
ls ./*.part.* x.html 2>/dev/null && fail "something is left"

# Without a heap, without samples, without waits.
# CPU time is known by the clocks; without samples it has no stack.
for off in heap cpu block; do
	ringside record -o off.rsd -t $off=off -- workflow >/dev/null 2>&1 || fail "$off=off"
	ringside html -o off.html off.rsd || fail "html with $off=off"
	block off.html tree | check "$off=off" '[.metrics[] | select(.group == $g)] as $m | if $g == "cpu"
		then [.frames.function[.nodes.frame[$m[0].step[0]]], ($m[0].step | length)] == ["[no stack]", 1]
		else [$m[].total] | add == 0 end' --arg g $off
	loads_nothing off.html
done

# Names that would end the script, begin another, or load something.
markup='</script><script>document.title="owned"</script><img src=x onerror=alert(1)><!--&lt;"'"'"
objcopy --redefine-sym alloc_of_names="alloc$markup" --redefine-sym wait_of_names="wait$markup" \
	--redefine-sym lock_of_names="lock$markup" --redefine-sym burn_of_names="burn<!--<script>" --strip-debug \
	"$root/build/tests/programs/names" hostile || fail objcopy
echo secret >secret
LD_PRELOAD="$lib" RINGSIDE="out=$dir/hostile.rsd,cpu=250,block=0" ./hostile "file<b>" secret "$markup" 2>err || fail "$(cat err)"
ringside html -o hostile.html hostile.rsd || fail "html of hostile names"
loads_nothing hostile.html
holds_the_numbers hostile.rsd hostile.html
check "the name is there, as text" '[.frames.function[] | select(. == "alloc" + $m)] | length == 1' --arg m "$markup" <tree.json
# What threads did is told in the words that the page has colours and explanations for.
doings=$(grep -o '"doings": *\[[^]]*\]' "$(ls ./*.html | head -1)" | grep -o '"[a-z]*"' | grep -v doings | tr -d '"')
[ -n "$doings" ] || fail "no doings in the page"
for word in $doings; do
	[ "$(grep -c "\\b$word: '" "$root/analyzer/web/js/color.js")" -ge 2 ] || fail "the page has no colour and words for $word"
done
exit 0
