# SPDX-License-Identifier: MIT
# A profile for the Firefox Profiler against its recording: firefox_profile.py RSD JSON. Every index is in its table,
# every column as long as its table, times ascend, and all sums are those of the dump and of the report. Writes
# facts.json: what the Profiler's own client has to find.
import json, subprocess, sys
from collections import Counter, defaultdict


def no_constant(text):
    raise ValueError("not JSON: " + text)


rsd, path = sys.argv[1:]
profile = json.loads(open(path, "rb").read().decode("utf-8"), parse_constant=no_constant)


def run(*command):
    return subprocess.run(["ringside", *command, rsd], stdout=subprocess.PIPE, check=True).stdout


kinds = defaultdict(list)
for line in run("dump", "--json").decode().splitlines():
    row = json.loads(line)
    kinds[row["kind"]].append(row)
report = json.loads(run("report", "--json"))


def same(what, got, want):
    if got != want:
        sys.exit(f"{what}: {got}, the recording says {want}")


def ns(ms):
    return round(ms * 1e6)


# ---- tables --------------------------------------------------------------------------------------------------------
def columns_are_long_enough(name, value):
    if isinstance(value, dict):
        for key, column in value.items():
            if "length" in value and isinstance(column, list):
                same(f"length of {name}.{key}", len(column), value["length"])
            columns_are_long_enough(f"{name}.{key}", column)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            columns_are_long_enough(f"{name}[{i}]", item)


def all_in(what, column, table, nothing="must be there"):
    for i in column:
        assert i == nothing or isinstance(i, int) and 0 <= i < table, (what, i, table)


columns_are_long_enough("profile", profile)
meta, shared, threads, libs = profile["meta"], profile["shared"], profile["threads"], profile["libs"]
strings, stacks, frames = shared["stringArray"], shared["stackTable"], shared["frameTable"]
funcs, resources, sources = shared["funcTable"], shared["resourceTable"], shared["sources"]
assert meta["preprocessedProfileVersion"] == 63 and len(set(strings)) == len(strings)
assert any(c["color"] == "grey" for c in meta["categories"]) and all(c["subcategories"] for c in meta["categories"])
all_in("frame of a stack", stacks["frame"], frames["length"])
for i, prefix in enumerate(stacks["prefix"]):
    assert prefix is None or 0 <= prefix < i, (i, prefix)
all_in("function of a frame", frames["func"], funcs["length"])
all_in("category of a frame", frames["category"], len(meta["categories"]))
all_in("name of a function", funcs["name"], len(strings))
all_in("resource of a function", funcs["resource"], resources["length"], -1)
all_in("source of a function", funcs["source"], sources["length"], None)
all_in("lib of a resource", resources["lib"], len(libs))
all_in("name of a resource", resources["name"], len(strings))
all_in("name of a source", sources["filename"], len(strings))
assert all(len(lib["breakpadId"]) in (0, 33) for lib in libs)

schema = {s["name"]: {f["key"] for f in s["fields"]} for s in meta["markerSchema"]}
for thread in threads:
    samples, markers, blocks = thread["samples"], thread["markers"], thread.get("nativeAllocations", {"length": 0})
    all_in("stack of a sample", samples["stack"], stacks["length"], None)
    all_in("name of a marker", markers["name"], len(strings))
    all_in("category of a marker", markers["category"], len(meta["categories"]))
    all_in("stack of an allocation", blocks.get("stack", []), stacks["length"], None)
    for data in markers["data"]:
        assert set(data) - {"type", "cause"} <= schema[data["type"]], data
        all_in("stack of a marker", [data["cause"]["stack"]] if "cause" in data else [], stacks["length"])
    for column in (samples["time"], markers["startTime"], blocks.get("time", [])):
        assert column == sorted(column), (thread["name"], column)
    for phase, begin, end in zip(markers["phase"], markers["startTime"], markers["endTime"]):
        assert end is None if phase in (0, 2) else phase == 1 and end >= begin, (phase, begin, end)
    alive = {}
    for address, weight, stack in zip(*(blocks.get(k, []) for k in ("memoryAddress", "weight", "stack"))):
        assert weight > 0 or alive.pop(address) == -weight, (address, weight)
        if weight > 0:
            assert alive.setdefault(address, weight) is weight, (address, weight)
    thread["alive"] = sum(alive.values())

# ---- numbers -------------------------------------------------------------------------------------------------------
same("threads", Counter(t["tid"] for t in threads), Counter(t["tid"] for t in kinds["thread-slot"]))
rows = [dict(tid=t["tid"], name=strings[name], data=data, ns=None if end is None else ns(end) - ns(begin))
        for t in threads for name, data, begin, end in zip(*(t["markers"][k] for k in ("name", "data", "startTime", "endTime")))]


def of(*types):
    return [r for r in rows if r["data"]["type"] in types]


extra = [entry["value"] for section in meta["extra"] for entry in section["entries"]]
spans = kinds["span"]
waits = [r for r in of("wait") if "unfinished" not in r["data"]]
if not extra:
    same("waits by thread and kind", Counter((r["tid"], r["name"]) for r in waits), Counter((s["tid"], s["wait"]) for s in spans))
    same("sum of the waits", sum(r["ns"] for r in waits), sum(s["dur_ns"] for s in spans))
    same("time blocked", sum(ns(r["data"]["blocked"]) for r in waits), report["block"]["blocked_ns"])
    same("holders", Counter(r["data"].get("holder", 0) for r in waits), Counter(s["peer"] for s in spans))
    same("objects", Counter((int(r["data"].get("object", "0"), 0) or r["data"].get("fd", 0)) % 2**64 for r in waits),
         Counter(int(s["object"], 0) for s in spans))

for kind in ("task", "region"):
    begins = {r["id"]: r["ns"] for r in kinds[kind + "-begin"]}
    same(kind + "s", Counter((r["tid"], r["name"]) for r in of(kind)), Counter((r["tid"], r["name"]) for r in kinds[kind + "-begin"]))
    same("time in " + kind + "s", sum(r["ns"] or 0 for r in of(kind)), sum(r["ns"] - begins[r["id"]] for r in kinds[kind + "-end"]))
same("logs", Counter((r["name"], r["data"].get("message", "")) for r in of("log", "mark")),
     Counter((l["name"], l.get("text", "")) for l in kinds["log"] + kinds["mark"]))
same("counters", Counter((r["name"], r["data"]["value"]) for r in of("counter")), Counter((c["name"], c["value"]) for c in kinds["counter"]))

period = meta["interval"]
cpu = defaultdict(list)
for s in kinds["sample"]:
    cpu[s["tid"]].append(s)
for t in threads:
    mine = cpu[t["tid"]]
    same("weight of the samples", round(sum(t["samples"]["weight"]) / period), sum(s["weight"] for s in mine))
    same("times of the samples", [ns(at) for at in t["samples"]["time"]], [s["ns"] for s in mine])
    same("CPU time between the samples", sum(t["samples"]["threadCPUDelta"]), mine[-1]["cpu_ns"] - mine[0]["cpu_ns"] if mine else 0)

heap = report["heap"]
weights = [w for t in threads for w in t.get("nativeAllocations", {"weight": []})["weight"]]
same("bytes allocated", sum(w for w in weights if w > 0), heap["allocated_bytes"])
same("bytes alive", sum(weights), heap["live_bytes"])
same("bytes alive by address", sum(t["alive"] for t in threads), heap["live_bytes"])
for counter in profile["counters"]:
    all_in("thread of a counter", [counter["mainThreadIndex"]], len(threads))
    level, top = 0, 0
    for step in counter["samples"]["count"]:
        level += step
        top = max(top, level)
    assert counter["samples"]["length"] <= 512 and counter["samples"]["time"] == sorted(counter["samples"]["time"])
    if counter["name"] == "heap":
        same("peak of the heap", top, heap["peak_bytes"])
        same("end of the heap", level, heap["live_bytes"])
    for name in ("rss", "rss-most"):
        if counter["name"] == name:
            recorded = [m[name] for m in kinds["memory"] if name in m]
            same(name, (top, level), (max(recorded), recorded[-1]))
for name in ("rss", "rss-most"):
    assert any(c["name"] == name for c in profile["counters"]) == any(name in m for m in kinds["memory"])
assert any(c["name"] == "heap" for c in profile["counters"]) == bool(heap["allocations"])

named = [s is not None for t in threads for s in t["samples"]["stack"]]
json.dump({"functions": [strings[i] for i in funcs["name"]], "types": Counter(r["data"]["type"] for r in rows), "extra": extra,
           "allocated": heap["allocated_bytes"], "live": heap["live_bytes"], "markers": len(rows),
           "waits": len(waits), "waits_ns": sum(r["ns"] for r in waits), "threads": len(threads),
           "weight": sum(w for t in threads for w, s in zip(t["samples"]["weight"], t["samples"]["stack"]) if s is not None),
           "samples": len(named), "counters": len(profile["counters"])}, open("facts.json", "w"))
print(f"{path}: {len(waits)} waits of {sum(r['ns'] for r in waits)} ns, {len(rows)} markers, {len(named)} samples, "
      f"{stacks['length']} stacks")
