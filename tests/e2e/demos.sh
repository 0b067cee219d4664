#!/bin/sh
# Each bundled workload against its own books: allocations, leaks, CPU shares, waits.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3 || command -v python3)
cat >compare.py <<'PY'
import json, sys
truth, report = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
bad = checked = 0
def check(what, got, want, percent=0.0, slack=0):
    global bad, checked
    checked += 1
    good = abs(got - want) <= abs(want) * percent / 100 + slack
    print("%s %s: report %s, books %s" % ("ok " if good else "BAD", what, got, want))
    bad += not good
def of(function, sites):
    return [s for s in sites if any(f["function"] == function for f in s["stack"])]
for site in truth.get("sites", []):
    mine = of(site["function"], report["heap"]["sites"])
    for key in ("allocations", "frees", "allocated_bytes", "live_blocks", "live_bytes"):
        if key in site:
            check(site["function"] + " " + key, sum(s[key] for s in mine), site[key])
for wait in truth.get("waits", []):
    if wait.get("long_ns", 0) < 20e6:
        continue
    mine = [s for s in of(wait["function"], report["block"]["sites"]) if s["kind"] == wait["kind"]]
    check("%s in %s" % (wait["kind"], wait["function"]), sum(s["blocked_ns"] for s in mine), wait["long_ns"], 5, 2e6)
check("threads", report["program"]["threads"], truth["threads"])
check("lost events", report["recording"]["lost_events"], 0)
print("%d checks" % checked)
sys.exit(bad != 0 or checked < 3)
PY
for run in "batch --variant naive --leak-every 100" "batch --variant pooled" "service" "workflow" "workflow --parallel"; do
	# shellcheck disable=SC2086 # words on purpose
	ringside record -o demo.rsd -- $run --truth >truth.json 2>err || fail "$run: $(cat err)"
	ringside report --json --top 0 demo.rsd >report.json
	echo "== $run"
	"$python" compare.py truth.json report.json || fail "$run"
done
