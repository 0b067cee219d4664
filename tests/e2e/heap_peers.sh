#!/bin/sh
# The same program under heaptrack and under massif: allocations, temporaries, leaks, the peak and who held it agree.
. "$(dirname "$0")/lib.sh"
command -v heaptrack_print >/dev/null || skip "no heaptrack here"
command -v valgrind >/dev/null || skip "no valgrind here"
python=$(command -v /usr/bin/python3 || command -v python3)
cat >compare.py <<'PY'
import json, re, subprocess, sys

def ours(*options):
    return json.loads(subprocess.run(["ringside", *options, "--json", "--top", "0", "h.rsd"], check=True, capture_output=True).stdout)

truth = json.load(open("truth.json"))
heap = ours("report")["heap"]
peaks = ours("heap", "peaks")
text = open("heaptrack.txt").read()
compared = bad = 0

def same(what, got, want):
    global compared, bad
    compared += 1
    if got != want:
        bad += 1
        print("BAD", what, "ours", got, "theirs", want)

def number(pattern):
    return re.search(pattern, text, re.M).group(1)

def spelled(size):
    # As heaptrack_print writes sizes: powers of 1000, two decimals.
    for unit in "BKMG":
        if size < 1000:
            return "%.2f%s" % (size, unit)
        size /= 1000

# heaptrack's library brings libstdc++ along, which allocates its emergency pool of 72704 bytes once.
same("allocations", heap["allocations"], int(number(r"^calls to allocation functions: (\d+)")) - 1)
# heaptrack takes the free of a block of the newest one's size and stack for that of the newest one. The books count that
# way too; the right number is the other one.
same("heaptrack's temporary", truth["temporary_by_kind"], int(number(r"^temporary memory allocations: (\d+)")))
same("temporary", heap["temporary"], sum(place["temporary"] for place in truth["places"]))
same("leaked", spelled(heap["live_bytes"]), number(r"^total memory leaked: (\S+)"))
same("peak", spelled(heap["peak_bytes"] + 72704), number(r"^peak heap memory consumption: (\S+)"))
theirs = dict(re.findall(r"^(\S+) peak memory consumed over \d+ calls from\n((?:make|grow)_\d)$", text, re.M))
mine = {row["stack"][0]["function"]: row["bytes"] for row in peaks["sites"] if row["peak"] == 1}
for size, function in theirs.items():
    same("at the peak: " + function, spelled(mine[function]), size)
massif = max(int(line.split("=")[1]) for line in open("massif.out") if line.startswith("mem_heap_B="))
same("massif's peak", heap["peak_bytes"], massif)
print(compared, "numbers compared")
sys.exit(bool(bad) or compared < 12)
PY
for seed in 11 12; do
	ringside record -o h.rsd -- heaptruth --seed $seed >truth.json 2>/dev/null || fail "record"
	rm -f track.*
	heaptrack -o track "$(command -v heaptruth)" --seed $seed >/dev/null 2>&1 || fail "heaptrack"
	heaptrack_print -f track.* >heaptrack.txt 2>/dev/null || fail "heaptrack_print"
	valgrind --tool=massif --peak-inaccuracy=0.0 --massif-out-file=massif.out heaptruth --seed $seed >/dev/null 2>&1 || fail "massif"
	"$python" compare.py || fail "seed $seed"
done
