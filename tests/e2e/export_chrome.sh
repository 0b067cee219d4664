#!/bin/bash
# Chrome's trace events: strict JSON, a track per thread in order, waits equal to the dump's in number and sum, regions
# that nest, tasks that end, the heap's peak, frames that exist; hostile names do no harm.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to read the trace with"

cat >check.py <<'PY'
import json, subprocess, sys
from collections import Counter, defaultdict

def no_constant(text):
    raise ValueError("not JSON: " + text)

rsd, path = sys.argv[1:]
trace = json.loads(open(path, "rb").read().decode("utf-8"), parse_constant=no_constant)
dump = subprocess.run(["ringside", "dump", "--json", rsd], stdout=subprocess.PIPE, check=True).stdout
dump = [json.loads(line) for line in dump.decode("utf-8").splitlines()]
report = json.loads(subprocess.run(["ringside", "report", "--json", rsd], stdout=subprocess.PIPE, check=True).stdout)
kinds = defaultdict(list)
for row in dump:
    kinds[row["kind"]].append(row)
events = trace["traceEvents"]
frames = trace["stackFrames"]
assert trace["metadata"]["highres-ticks"] is True

def same(what, got, want):
    if got != want:
        sys.exit(f"{what}: {got}, the recording says {want}")

def ns(us):
    return round(us * 1000)

for e in events:
    assert all(key in e for key in ("ph", "name", "cat", "pid", "tid", "ts")), e
    assert e["ts"] >= 0 and e.get("dur", 0) >= 0, e
    assert "sf" not in e or str(e["sf"]) in frames, e
for number, frame in frames.items():
    assert "parent" not in frame or int(frame["parent"]) < int(number), frame

waits = [e for e in events if e["ph"] == "X" and e["cat"] not in ("unfinished", "region")]
spans = kinds["span"]
same("waits by thread and kind", Counter((e["tid"], e["name"]) for e in waits),
     Counter((s["tid"], s["wait"]) for s in spans))
same("sum of the waits", sum(ns(e["dur"]) for e in waits), sum(s["dur_ns"] for s in spans))
same("holders", Counter(e["args"].get("holder_tid", 0) for e in waits), Counter(s["peer"] for s in spans))
same("objects", Counter((int(e["args"].get("object", "0"), 0) or e["args"].get("fd", 0)) % 2**64 for e in waits),
     Counter(int(s["object"], 0) for s in spans))
assert not spans or any(e["args"]["stack"] for e in waits)

# Waits of a track are in order and apart; with regions, what begins in an event also ends in it.
track = defaultdict(list)
for e in events:
    if e["ph"] == "X":
        track[e["tid"]].append(e)
for tid in track:
    end = 0
    for e in (e for e in waits if e["tid"] == tid):
        assert ns(e["ts"]) >= end, e
        end = ns(e["ts"]) + ns(e["dur"])
    around = []
    for e in sorted(track[tid], key=lambda e: (ns(e["ts"]), -ns(e["dur"]))):
        begin, end = ns(e["ts"]), ns(e["ts"]) + ns(e["dur"])
        while around and around[-1] <= begin:
            around.pop()
        assert not around or end <= around[-1], (e, around)
        around.append(end)

regions = [e for e in events if e["cat"] == "region"]
begins = {r["id"]: r["ns"] for r in kinds["region-begin"]}
same("regions", Counter((e["tid"], e["name"]) for e in regions), Counter((r["tid"], r["name"]) for r in kinds["region-begin"]))
same("time in regions", sum(ns(e["dur"]) for e in regions if "unfinished" not in e["args"]),
     sum(r["ns"] - begins[r["id"]] for r in kinds["region-end"]))
same("tasks", Counter(e["name"] for e in events if e["ph"] == "b"), Counter(t["name"] for t in kinds["task-begin"]))
begun = {e["id"]: e["name"] for e in events if e["ph"] == "b"}
for e in events:
    assert e["ph"] != "e" or begun[e["id"]] == e["name"], e
same("logs", Counter((e["name"], e["args"].get("message")) for e in events if e["ph"] == "I"),
     Counter((l["name"], l.get("text")) for l in kinds["log"] + kinds["mark"]))
same("counters", [e["args"]["value"] for e in events if e["ph"] == "C" and e["cat"] == "counter"],
     [c["value"] for c in kinds["counter"]])
same("samples", sum(e["args"]["weight"] for e in events if e["ph"] == "P"), sum(s["weight"] for s in kinds["sample"]))
heap = [e for e in events if e["cat"] == "heap"]
assert len(heap) <= 512
same("peak of the heap", max((e["args"]["live_bytes"] for e in heap), default=0), report["heap"]["peak_bytes"])
if heap:
    same("end of the heap", heap[-1]["args"]["live_bytes"], report["heap"]["live_bytes"])
same("threads", Counter(e["tid"] for e in events if e["name"] == "thread_name" and e["ph"] == "M"),
     Counter(t["tid"] for t in kinds["thread-slot"]))
print(f"{path}: {len(events)} events, {len(waits)} waits of {sum(s['dur_ns'] for s in spans)} ns, {len(frames)} frames")
PY

ringside record -t cpu=250,block=0 -o w.rsd -- workflow --parallel --jobs 40 >/dev/null 2>&1 || fail "record workflow"
ringside record -t cpu=250 -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record batch"
echo secret >secret
hostile=$'\033[31mred\a\r\n\t\177\xc2\x9b2J\xff\xe2\x80\xae",;=&<b>%s\\'
objcopy --redefine-sym alloc_of_names="alloc$hostile" --redefine-sym wait_of_names="wait$hostile" --strip-debug \
	"$root/build/tests/programs/names" "$hostile" 2>/dev/null || fail "objcopy"
ringside record -t cpu=250,block=0 -o h.rsd -- "./$hostile" "file$hostile" secret "$hostile" >/dev/null 2>err ||
	fail "record names: $(cat err)"
for run in w b h; do
	ringside export chrome -o "$run.json" "$run.rsd" || fail "export $run"
	python3 check.py "$run.rsd" "$run.json" || fail "$run.json"
	LC_ALL=C grep -q '[[:cntrl:]]' "$run.json" && fail "$run.json: a control character"
done
check "the hostile function is there" 'any(.stackFrames[]; .name | startswith("wait\u001b[31mred"))' <h.json
check "a region and a task are there" '[.traceEvents[] | select(.cat == "region" or .ph == "b")] | length > 10' <w.json
