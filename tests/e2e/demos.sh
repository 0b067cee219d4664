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
booked = {site["function"] for site in truth.get("sites", [])}
def own(function):
    # A block belongs to the innermost function that keeps books, and what libc allocates for itself to none.
    def owner(stack):
        return next((f["function"] for f in stack if f["function"] in booked), None)
    program = report["program"]["exe"].split("/")[-1]
    return [s for s in report["heap"]["sites"] if owner(s["stack"]) == function and s["stack"][0]["module"].split("/")[-1] == program]
for site in truth.get("sites", []):
    mine = own(site["function"])
    for key in ("allocations", "frees", "allocated_bytes", "live_blocks", "live_bytes"):
        if key in site:
            check(site["function"] + " " + key, sum(s[key] for s in mine), site[key])
for wait in truth.get("waits", []):
    # The report has what lasted 10 us or longer and was off the CPU: of short waits that is not all.
    # A sync or a send works on the CPU as well, which is no waiting.
    if wait["long_ns"] < 20e6 or wait["kind"] not in ("mutex", "rwlock-read", "rwlock-write", "cond", "sem", "sleep", "join"):
        continue
    mine = [s for s in of(wait["function"], report["block"]["sites"]) if s["kind"] == wait["kind"]]
    check("%s in %s" % (wait["kind"], wait["function"]), sum(s["blocked_ns"] for s in mine), wait["ns"], 10, 2e6)
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
