#!/bin/bash
# Twelve ways of waiting for each other, 1 to 64 threads: waits, holds, holders and wakers as the program's own books.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3 || command -v python3)

cat >compare.py <<'PY'
import json, sys
name = sys.argv[1]
truth, block, wakers = (json.load(open(name + "." + x)) for x in ("truth", "block", "wakers"))
bad = []
def names(stack):
    return [f["function"] for f in stack]
def near(ns, books, what):
    if abs(ns - books) > max(0.02 * books, 100e3):
        bad.append("%s: %d ns, books say %d" % (what, ns, books))
for w in truth["waits"]:
    what = w["kind"] + " in " + w["function"]
    ours = [s for s in block["block"]["sites"] if s["kind"] == w["kind"] and w["function"] in names(s["stack"])]
    near(sum(s["elapsed_ns"] for s in ours), w["ns"] - w["count"] * truth["clock_ns"], what)
    # An uncontended lock and a wait that need not be are no spans; each long wait is one.
    if sum(s["spans"] for s in ours) < w["long_count"]:
        bad.append("%s: %d spans of %d long waits" % (what, sum(s["spans"] for s in ours), w["long_count"]))
    pairs = [p for p in wakers["pairs"] if p["kind"] == w["kind"] and w["function"] in names(p["stack"])]
    if w["holder"] and w["long_count"]:
        right = sum(p["blocked_ns"] for p in pairs if w["holder"] in names(p["waker"]))
        near(right, sum(s["blocked_ns"] for s in ours), what + " ended by " + w["holder"])
for lock in block["block"]["locks"]:
    near(sum(h["wait_ns"] for h in lock["holders"]), lock["wait_ns"], "waits that holders answer for")
    # Sections that nobody waited for are not recorded: those that are must be as long as all are.
    if lock["holds"] > 1 and truth["sections"] and truth["strategy"] != "rwlock":
        near(lock["held_ns"] / lock["holds"], truth["section_ns"] / truth["sections"], "mean section")
    if any("asleep" in names(h["stack"]) for h in lock["holders"]):
        bad.append("a holder that holds nothing")
for line in bad:
    print("  " + line)
sys.exit(bool(bad))
PY

bad=0
for strategy in global-lock local-lock trylock rwlock cond semaphore barrier pipe socket futex join sleep; do
	for threads in 1 4 16 64; do
		verdict=BAD
		# Between the program's look at its clock and the call the thread may lose its CPU, on a crowded machine often.
		for _ in 1 2 3 4 5 6; do
			name=$strategy.$threads
			ringside record -o "$name.rsd" -t block=0 -- strategies --strategy $strategy --threads $threads \
				--rounds $((threads > 16 ? 10 : 20)) --hold-us $((threads > 16 ? 2000 : 1000)) >"$name.truth" 2>"$name.said" ||
				fail "$name: $(cat "$name.said")"
			ringside report --json --top 0 "$name.rsd" >"$name.block"
			ringside trace wakers --json --top 0 "$name.rsd" >"$name.wakers"
			"$python" compare.py "$name" >said && verdict=ok && break
		done
		echo "$verdict $strategy, $threads threads"
		[ $verdict = ok ] || { cat said; bad=1; }
	done
done
[ $bad = 0 ]
