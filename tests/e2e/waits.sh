#!/bin/sh
# Planted waits of every kind: time within 3 %, the right waiting function, and for locks the holder's.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3 || command -v python3)

cat >compare.py <<'PY'
import json, sys
truth, report = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
bad = 0
def names(stack):
    return [f["function"] for f in stack]
for w in truth["waits"]:
    if w["kind"] == "once" or not w["long_count"]:
        continue
    sites = [s for s in report["block"]["sites"] if s["kind"] == w["kind"] and w["function"] in names(s["stack"])]
    ns = sum(s["blocked_ns"] for s in sites)
    spans = sum(s["spans"] for s in sites)
    # A spin lock waits on the CPU and a sync works there: their time is in the CPU report, their spans are here.
    if w["kind"] in ("spin", "fsync"):
        good = spans >= w["long_count"]
    else:
        good = abs(ns - w["ns"]) <= 0.03 * w["ns"] and spans >= w["long_count"]
    print("%s %-13s %-24s %12d ns, books say %12d, %d spans" % ("ok " if good else "BAD", w["kind"], w["function"], ns, w["ns"], spans))
    bad += not good
    holder = w.get("holder")
    if holder and w["kind"] in ("mutex", "rwlock-read", "rwlock-write"):
        found = any(holder in names(h["stack"]) for l in report["block"]["locks"] for h in l["holders"] if h["wait_ns"] > 0)
        print("%s holder %s of %s" % ("ok " if found else "BAD", holder, w["function"]))
        bad += not found
sys.exit(bad != 0)
PY

for program in waits waits_io; do
	ringside record -o $program.rsd -- $program --repeat 2 >$program.truth
	ringside report --json --top 0 $program.rsd >$program.json
	"$python" compare.py $program.truth $program.json || fail "$program: see above"
	ringside block $program.rsd >$program.txt
	grep -q wait $program.txt || fail "block prints no waits"
done
