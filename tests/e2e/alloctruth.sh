#!/bin/sh
# Every allocation function against a program's exact books: per site, in total, leaks, temporaries and the peak.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3 || command -v python3)
cat >compare.py <<'PY'
import json, sys
truth, report = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
bad = 0
for site in truth["sites"]:
    name = site["function"]
    mine = [s for s in report["heap"]["sites"] if name in [f["function"] for f in s["stack"]]]
    keys = ["allocations", "frees", "allocated_bytes", "live_blocks", "live_bytes"]
    if truth.get("peak_is_exact"):
        keys += ["temporary"]
    for key in keys:
        got = sum(s[key] for s in mine)
        if got != site[key]:
            print("BAD %s %s: report %d, books %d" % (name, key, got, site[key]))
            bad += 1
print("%d sites compared" % len(truth["sites"]))
sys.exit(bad != 0 or not truth["sites"])
PY
for options in "--seed 1" "--seed 2 --rounds 3" "--seed 3 --threads 4"; do
	# shellcheck disable=SC2086 # words on purpose
	ringside record -o a.rsd -- alloctruth $options >truth.json
	ringside report --json --top 0 a.rsd >report.json
	"$python" compare.py truth.json report.json || fail "$options"
	check "the sum of all sites is the total" \
		'([.heap.sites[].allocations] | add) == .heap.allocations and ([.heap.sites[].live_bytes] | add) == .heap.live_bytes and ([.heap.sites[].peak_bytes] | add) == .heap.peak_bytes' <report.json
done
