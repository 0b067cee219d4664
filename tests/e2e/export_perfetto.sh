#!/bin/bash
# Perfetto's trace, decoded by protoc: what a packet names stood before it, slices nest and end, waits are equal to the
# dump's in number and sum, arrows to the wake-ups that `trace wakers` tells, the heap's totals to the report's; hostile
# names do no harm.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3 to check the trace with"
command -v protoc >/dev/null || skip "no protoc to read the trace with"

cat >check.py <<'PY'
import json, re, struct, subprocess, sys
from collections import Counter, defaultdict

rsd, path, proto = sys.argv[1:]

# ---- protoc's text: a message is a list of (name, value) -----------------------------------------------------------
def text_of(raw):
    return re.sub(rb"\\([0-7]{3}|.)", lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else
                  {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(m[1], m[1]), raw)

def message(lines):
    fields = defaultdict(list)
    for line in lines:
        line = line.strip()
        if line == b"}":
            return fields
        name, _, value = line.partition(b": ")
        if line.endswith(b"{") and not value:
            name, value = line[:-2], message(lines)
        elif value[:1] == b'"':
            value = text_of(value[1:-1])
        elif value in (b"true", b"false"):
            value = value == b"true"
        else:
            value = float(value) if re.search(rb"[.enan]", value[2:] if value[:2] == b"0x" else value) else int(value, 0)
        if name[:1].isdigit():
            sys.exit(f"field {name} is not in the schema")
        fields[name.decode()].append(value)
    return fields

decoded = subprocess.run(["protoc", "--proto_path", proto, "--decode=perfetto.protos.Trace", proto + "/perfetto.proto"],
                         stdin=open(path, "rb"), stdout=subprocess.PIPE, check=True).stdout
packets = message(iter(decoded.splitlines()))["packet"]

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

# ---- in the order of the file: tables grow, and are looked up in only after that -------------------------------------
names = dict(event_categories="name", event_names="name", debug_annotation_names="name", function_names="str",
             build_ids="str", mapping_paths="str", source_paths="str")
tables = {name: {} for name in [*names, "mappings", "frames", "callstacks"]}

def one(fields, key, default=None):
    assert len(fields[key]) <= 1, (key, fields)
    return fields[key][0] if fields[key] else default

def enter(interned):
    for table, key in names.items():
        for entry in interned[table]:
            assert one(entry, "iid") and one(entry, "iid") not in tables[table], (table, entry)
            text = one(entry, key)
            if table != "build_ids":
                text.decode("utf-8")
            tables[table][one(entry, "iid")] = text
    for m in interned["mappings"]:
        assert m["path_string_ids"][0] in tables["mapping_paths"], m
        assert not m["build_id"] or m["build_id"][0] in tables["build_ids"], m
        tables["mappings"][one(m, "iid")] = m
    for f in interned["frames"]:
        assert one(f, "function_name_id") in tables["function_names"] and one(f, "mapping_id") in tables["mappings"], f
        assert f["rel_pc"] and (not f["source_path_iid"] or one(f, "source_path_iid") in tables["source_paths"]), f
        tables["frames"][one(f, "iid")] = f
    for c in interned["callstacks"]:
        assert c["frame_ids"] and all(i in tables["frames"] for i in c["frame_ids"]), c
        assert one(c, "iid") not in tables["callstacks"]
        tables["callstacks"][one(c, "iid")] = c["frame_ids"]

def functions(iid):
    return [tables["function_names"][one(tables["frames"][f], "function_name_id")].decode() for f in tables["callstacks"][iid]]

tracks, events, samples, dumps = {}, [], [], []
for i, packet in enumerate(packets):
    assert one(packet, "trusted_packet_sequence_id") == 1 and one(packet, "sequence_flags") == (2 if i else 1), packet
    for interned in packet["interned_data"]:
        enter(interned)
    for track in packet["track_descriptor"]:
        assert one(track, "uuid") not in tracks and one(track, "parent_uuid", 1) in [1, *tracks], track
        tracks[one(track, "uuid")] = track
    for e in packet["track_event"]:
        assert one(e, "track_uuid") in tracks, e
        assert all(i in tables["event_categories"] for i in e["category_iids"]), e
        assert one(e, "type") in (2, 4) or one(e, "name_iid") in tables["event_names"], e
        assert all(i in tables["callstacks"] for i in e["callstack_iid"]), e
        event = dict(ns=one(packet, "timestamp"), type=one(e, "type"), track=one(e, "track_uuid"), e=e, notes={})
        event["name"] = tables["event_names"].get(one(e, "name_iid"), b"").decode()
        event["category"] = tables["event_categories"][e["category_iids"][0]].decode() if e["category_iids"] else ""
        for note in e["debug_annotations"]:
            key = tables["debug_annotation_names"][one(note, "name_iid")].decode()
            event["notes"][key] = next(v[0] for k, v in note.items() if v and k != "name_iid")
        events.append(event)
    for s in packet["perf_sample"]:
        assert not s["callstack_iid"] or one(s, "callstack_iid") in tables["callstacks"], s
        samples.append((one(packet, "timestamp"), one(s, "tid"), s))
    for p in packet["profile_packet"]:
        same("number of a profile packet", one(p, "index"), len(dumps))
        assert all(one(s, "callstack_id", 1) in tables["callstacks"] for d in p["process_dumps"] for s in d["samples"])
        dumps.append(p)

tid_of = {uuid: one(t["thread"][0], "tid") for uuid, t in tracks.items() if t["thread"]}
same("threads", Counter(tid_of.values()), Counter(t["tid"] for t in kinds["thread-slot"]))
clocks = {one(c, "clock_id"): one(c, "timestamp") for c in packets[0]["clock_snapshot"][0]["clocks"]}
assert clocks[6] == 0 and clocks[1] > 10**18, clocks

# ---- in the order of time, as a reader sorts them --------------------------------------------------------------------
slices, instants, open_slices, flow_from = [], [], defaultdict(list), {}
arrows = 0
for e in sorted(events, key=lambda e: e["ns"]):
    if e["type"] == 1:
        open_slices[e["track"]].append(e)
    elif e["type"] == 2:
        begin = open_slices[e["track"]].pop()
        begin["dur"] = e["ns"] - begin["ns"]
        slices.append(begin)
        for flow in e["e"]["terminating_flow_ids"]:
            at = flow_from.pop(flow)
            assert at["ns"] >= begin["ns"] and at["track"] != e["track"], (at, begin)
            arrows += 1
    elif e["type"] == 3:
        instants.append(e)
        for flow in e["e"]["flow_ids"]:
            flow_from[flow] = e
assert not flow_from, flow_from
unfinished = [e for list in open_slices.values() for e in list]
assert all(e["category"] in ("unfinished", "region", "task") for e in unfinished), unfinished

notes = ("region", "task")
waits = [s for s in slices if s["category"] not in notes]
spans = kinds["span"]
same("waits by thread and kind", Counter((tid_of[s["track"]], s["name"]) for s in waits),
     Counter((s["tid"], s["wait"]) for s in spans))
same("sum of the waits", sum(s["dur"] for s in waits), sum(s["dur_ns"] for s in spans))
same("time blocked", sum(s["notes"]["blocked_ns"] for s in waits), report["block"]["blocked_ns"])
same("holders", Counter(s["notes"].get("holder_tid", 0) for s in waits), Counter(s["peer"] for s in spans))
same("objects", Counter(s["notes"].get("object", s["notes"].get("fd", 0)) for s in waits),
     Counter(int(s["object"], 0) for s in spans))
assert not spans or any(s["e"]["callstack_iid"] for s in waits)
same("arrows", arrows, json.loads(run("trace", "wakers", "--json"))["summary"]["known_waits"])

regions = [s for s in slices + unfinished if s["category"] == "region"]
begins = {r["id"]: r["ns"] for r in kinds["region-begin"]}
same("regions", Counter((tid_of[s["track"]], s["name"]) for s in regions),
     Counter((r["tid"], r["name"]) for r in kinds["region-begin"]))
same("time in regions", sum(s.get("dur", 0) for s in regions), sum(r["ns"] - begins[r["id"]] for r in kinds["region-end"]))
tasks = [s for s in slices + unfinished if s["category"] == "task"]
begins = {t["id"]: t["ns"] for t in kinds["task-begin"]}
same("tasks", Counter(s["name"] for s in tasks), Counter(t["name"] for t in kinds["task-begin"]))
same("time in tasks", sum(s.get("dur", 0) for s in tasks), sum(t["ns"] - begins[t["id"]] for t in kinds["task-end"]))
same("logs", Counter((e["name"], e["notes"].get("message", b"").decode()) for e in instants if e["category"] != "wake"),
     Counter((l["name"], l.get("text", "")) for l in kinds["log"] + kinds["mark"]))

counters = [e for e in events if e["type"] == 4]
same("counters", Counter((one(tracks[e["track"]], "name").decode(), one(e["e"], "double_counter_value")) for e in counters
     if e["e"]["double_counter_value"]), Counter((c["name"], c["value"]) for c in kinds["counter"]))
heap = [one(e["e"], "counter_value") for e in counters if one(tracks[e["track"]], "name") == b"heap live bytes"]
for key, name in (("rss", b"resident bytes"), ("rss-most", b"most resident bytes so far")):
    same(key, [one(e["e"], "counter_value") for e in counters if one(tracks[e["track"]], "name") == name],
         [m[key] for m in kinds["memory"] if key in m])
assert len(heap) <= 512
same("peak of the heap", max(heap, default=0), report["heap"]["peak_bytes"])
same("end of the heap", heap[-1] if heap else 0, report["heap"]["live_bytes"])

same("samples", Counter((ns, tid) for ns, tid, _ in samples), Counter((s["ns"], s["tid"]) for s in kinds["sample"]))
total = defaultdict(Counter)
for p in dumps:
    for d in p["process_dumps"]:
        for s in d["samples"]:
            for key in ("self_allocated", "self_freed", "alloc_count", "free_count"):
                total[one(d, "heap_name")][key] += one(s, key, 0)
same("bytes allocated", total[b"heap"]["self_allocated"], report["heap"]["allocated_bytes"])
same("allocations", total[b"heap"]["alloc_count"], report["heap"]["allocations"])
same("bytes alive", total[b"heap"]["self_allocated"] - total[b"heap"]["self_freed"], report["heap"]["live_bytes"])
same("blocks alive", total[b"heap"]["alloc_count"] - total[b"heap"]["free_count"], report["heap"]["live_blocks"])
same("bytes at the peak", total[b"heap at its peak"]["self_allocated"], report["heap"]["peak_bytes"])
if dumps:
    assert not one(dumps[-1], "continued", False), dumps[-1]
json.dump({"functions": sorted({f for iid in tables["callstacks"] for f in functions(iid)}),
           "threads": [one(t["thread"][0], "thread_name").decode() for t in tracks.values() if t["thread"]],
           "process": one(tracks[1]["process"][0], "process_name").decode(),
           "regions": len(regions), "tasks": len(tasks), "arrows": arrows, "samples": len(samples)}, open("facts.json", "w"))
print(f"{path}: {len(packets)} packets, {len(waits)} waits of {sum(s['dur_ns'] for s in spans)} ns, {arrows} arrows, "
      f"{len(samples)} samples, {len(tables['callstacks'])} stacks")
PY

ringside record -t cpu=250,block=0 -o w.rsd -- workflow --parallel --jobs 40 >/dev/null 2>&1 || fail "record workflow"
ringside record -t cpu=250 -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record batch"
ringside record -t heap=sample:4k,cpu=250 -o s.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record sampled"
echo secret >secret
hostile=$'\033[31mred\a\r\n\t\177\xc2\x9b2J\xff\xe2\x80\xae",;=&<b>%s\\'
objcopy --redefine-sym alloc_of_names="alloc$hostile" --redefine-sym wait_of_names="wait$hostile" --strip-debug \
	"$root/build/tests/programs/names" "$hostile" 2>/dev/null || fail "objcopy"
ringside record -t cpu=250,block=0 -o h.rsd -- "./$hostile" "file$hostile" secret "$hostile" >/dev/null 2>err ||
	fail "record names: $(cat err)"
for run in w b s h; do
	ringside export perfetto -o "$run.pftrace" "$run.rsd" || fail "export $run"
	python3 check.py "$run.rsd" "$run.pftrace" "$root/tests/support" || fail "$run.pftrace"
	cp facts.json "$run.json"
done
check "the hostile function is there" 'any(.functions[]; startswith("wait\u001b[31mred") and contains("\ufffd"))' <h.json
check "regions, tasks and arrows are there" '.regions > 10 and .tasks > 10 and .arrows > 10' <w.json
check "samples are there" '.samples > 10' <b.json
ringside export perfetto w.rsd | cmp - w.pftrace || fail "to a pipe it is another trace"

# With one thread asked for, events are of tracks that are there.
ringside export perfetto --thread '^workflow$' w.rsd | protoc --proto_path "$root/tests/support" \
	--decode=perfetto.protos.Trace "$root/tests/support/perfetto.proto" >one || fail "export of one thread"
sed -n 's/^    track_uuid: //p' one | sort -u >used
sed -n 's/^    uuid: //p' one | sort -u >declared
[ -s used ] || fail "no events of that thread"
[ -z "$(comm -23 used declared)" ] || fail "tracks that were not declared: $(comm -23 used declared)"

# Memory is that of what is distinct: forty times the events need no more.
most_kb() {
	python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
}
for count in 10000 400000; do
	ringside record -t block=0,heap=off -o "$count.rsd" -- manywaits $count >/dev/null 2>&1 || fail "record manywaits"
	most_kb ringside export perfetto -o many.pftrace "$count.rsd" >"$count.kb" || fail "export $count"
done
[ "$(stat -c %s many.pftrace)" -gt 30000000 ] || fail "the trace of 400000 waits has only $(stat -c %s many.pftrace) bytes"
[ "$(cat 400000.kb)" -lt $(($(cat 10000.kb) + 8192)) ] || fail "memory grew from $(cat 10000.kb) kB to $(cat 400000.kb) kB"
echo "10000 waits: $(cat 10000.kb) kB, 400000 waits: $(cat 400000.kb) kB"
