#!/bin/sh
# heap pairs against a program's exact books: equal when every free has its stack; from the sample of the default, each
# pair within five standard deviations, also when the program frees strictly in turn.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3 || command -v python3)
cat >compare.py <<'PY'
import json, sys
truth, report, every = json.load(open(sys.argv[1])), json.load(open(sys.argv[2])), int(sys.argv[3])
bad = 0
ours = [n + str(i) for n in ("make_", "drop_") for i in range(4)] + ["grow"]
got = {(p["stack"][0]["function"], p["free_stack"][0]["function"]): p for p in report["pairs"]
       if p["stack"][0]["function"] in ours}
for pair in truth["pairs"]:
    p = got.pop((pair["maker"], pair["ender"]), {"blocks": 0, "bytes": 0, "other_thread": 0, "recorded": 0})
    scale = 1 if pair["ender"] == "grow" else every  # a realloc has its stack anyway
    slack = 5 * (pair["blocks"] * (scale - 1)) ** 0.5
    if abs(p["blocks"] - pair["blocks"]) > slack:
        bad += 1
    if scale == 1 and (p["bytes"] != pair["bytes"] or p["recorded"] != pair["blocks"] or
                       abs(p["other_thread"] * pair["blocks"] - pair["elsewhere"]) > 1e-6):
        bad += 1
    if p["blocks"] != p["recorded"] * scale:
        bad += 1
    print("%s freed by %s: %d blocks, books %d (%d recorded), %d bytes, books %d" % (
        pair["maker"], pair["ender"], p["blocks"], pair["blocks"], p["recorded"], p["bytes"], pair["bytes"]))
# All together are known better than each.
frees = [p for p in truth["pairs"] if p["ender"] != "grow"]
total = sum(p["blocks"] for p in frees)
sum_got = sum(p["blocks"] for p in report["pairs"] if p["free_stack"][0]["function"].startswith("drop_"))
print("all: %d, books %d" % (sum_got, total))
if abs(sum_got - total) > 5 * (total * (every - 1)) ** 0.5 or got:
    bad += 1
    print("not in the books: %s" % sorted(got))
sys.exit(bad != 0 or not truth["pairs"])
PY
compare() { # every toggles options...
	every="$1" toggles="$2"
	shift 2
	ringside record -o a.rsd -t "$toggles" -- freepairs "$@" >truth.json
	ringside heap pairs --json a.rsd >report.json
	"$python" compare.py truth.json report.json "$every" || fail "$toggles $*"
}
compare 1 freestack=1 --seed 1
check "frees and reallocs are all known, what stays is alive" \
	'.summary.freed == .summary.freed_recorded and .summary.resized > 10000 and .summary.alive >= 16' <report.json
compare 1 freestack=1,heaptrace=1000 --seed 4 --rounds 20000
compare 32 cpu=99 --seed 2 --rounds 400000
check "the page says that it is a sample" '.notes | any(contains("one free in 32"))' <report.json
compare 32 cpu=99 --rhythm --rounds 400000
compare 7 freestack=7 --rhythm --rounds 100000

ringside record -o a.rsd -t freestack=off -- freepairs --seed 3 >truth.json
ringside heap pairs --json a.rsd >report.json
check "without stacks of frees only reallocs have an end, and the page says so" \
	'.summary.freed_recorded == 0 and (.pairs | all(.free_stack[0].function == "grow")) and (.notes | any(contains("freestack=1")))' <report.json

# Of sampled blocks each end is known: sums are those of all blocks, to some percent.
ringside record -o a.rsd -t heap=sample:4k -- freepairs --seed 3 --rounds 400000 >truth.json
ringside heap pairs --json a.rsd >report.json
close_to "bytes of all pairs, sampled" "$(jq '[.pairs[].bytes] | add' report.json)" "$(jq '[.pairs[].bytes] | add' truth.json)" 3
