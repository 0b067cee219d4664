#!/bin/bash
# Who ended a wait: the place that signalled, posted, wrote or read, for each planted wait that another thread ends.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3 || command -v python3)

cat >compare.py <<'PY'
import json, sys
truth, report = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
# Waits that other threads end by something that no record tells: connections, locks on files. A spin lock spins.
untold = ("accept", "connect", "lock-file", "fsync", "spin", "once", "sleep", "join")
bad = told = 0
def names(stack):
    return [f["function"] for f in stack]
for w in truth["waits"]:
    # A wait that was given up was ended by nobody.
    if w["kind"] in untold or not w.get("holder") or not w["long_count"] or w["function"].endswith("_timeout"):
        continue
    pairs = [p for p in report["pairs"] if p["kind"] == w["kind"] and w["function"] in names(p["stack"])]
    right = sum(p["waits"] for p in pairs if w["holder"] in names(p["waker"]))
    wrong = sum(p["waits"] for p in pairs) - right
    good = right >= w["long_count"] and not wrong
    print("%s %-13s %-24s ended by %-14s %d of %d, by others %d" %
          ("ok " if good else "BAD", w["kind"], w["function"], w["holder"], right, w["long_count"], wrong))
    bad += not good
    told += 1
sys.exit(bad != 0 or told < 5)
PY

for program in waits waits_io; do
	ringside record -o $program.rsd -- $program --repeat 2 >$program.truth
	ringside trace wakers --json --top 0 $program.rsd >$program.json
	"$python" compare.py $program.truth $program.json || fail "$program: see above"
done
