#!/bin/sh
# A sample is unbiased, and its 95 % intervals hold what they promise: against the exact books of a program whose blocks
# have 8 bytes to 1 MiB. RUNS=1000 for more than a quick look.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3 || command -v python3)
cat >runs.py <<'PY'
import json, subprocess, sys

runs = int(sys.argv[1])
keys = ["allocations", "allocated_bytes", "live_bytes", "peak_bytes"]
bad = 0

def output(*command):
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

for max_size, mean in ("1000000", "512k"), ("20000", "64k"), ("64", "4k"):
    hits, ratios = dict.fromkeys(keys, 0), {key: [] for key in keys}
    for seed in range(runs):
        truth = output("ringside", "record", "-o", "s.rsd", "-t", "cpu=off,block=off,heap=sample:" + mean, "--",
                       "heaptruth", "--seed", str(seed), "--max-size", max_size, "--rounds", "20000")
        truth["allocated_bytes"] = sum(place["bytes"] for place in truth["places"])
        heap = output("ringside", "report", "--json", "--top", "1", "s.rsd")["heap"]
        for key in keys:
            hits[key] += abs(heap[key] - truth[key]) <= heap["interval95"][key]
            ratios[key].append(heap[key] / truth[key])
    for key in keys:
        average = sum(ratios[key]) / runs
        spread = (sum((r - average) ** 2 for r in ratios[key]) / (runs - 1) / runs) ** 0.5
        print("sample:%s, blocks up to %s: %s within its interval in %d of %d runs, on average %.4f +- %.4f of the truth"
              % (mean, max_size, key, hits[key], runs, average, spread))
        # The peak is the largest of many noisy sums, so it leans upward; what it leans is in its interval.
        if key != "peak_bytes" and abs(average - 1) > 4 * spread:
            bad += 1
            print("BAD: biased")
        # 95 % promised; fewer than that by more than four standard deviations is no accident.
        if hits[key] < runs * (0.95 - 4 * (0.95 * 0.05 / runs) ** 0.5):
            bad += 1
            print("BAD: the interval is too small")
sys.exit(bad != 0)
PY
"$python" runs.py "${RUNS:-30}" || fail "sampled"
