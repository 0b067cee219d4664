#!/usr/bin/env python3
"""run.py - `make bench`: all cases under all recorders, then the readers; text, JSON and docs/performance.md.

Only the standard library is used. The order of everything is fixed, so two runs on one machine differ by noise alone.
"""

import argparse
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cases as case_list  # noqa: E402  (after the path)
import machine  # noqa: E402
import measure  # noqa: E402
import page  # noqa: E402
import reading  # noqa: E402
import recorders as recorder_list  # noqa: E402

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "performance.md")
NOT_QUICK = ("churn-5-2t", "churn-60-2t", "churn-5-8t", "churn-30-8t", "churn-60-8t", "redis")
READ = ("churn-30-1t", "sqlite", "jq", "python", "compile")
QUICK_REAL_PEERS = ("heaptrack", "perf 99 Hz", "gperftools cpu")


def options_of(argv):
    parser = argparse.ArgumentParser(prog="run.py", description="measure the cost of recording")
    parser.add_argument("build", help="folder of the build, as build")
    parser.add_argument("--quick", action="store_true", help="fewer cases and operations: about two minutes")
    parser.add_argument("--runs", type=int, help="rounds (5, quick 3)")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--own", action="store_true", help="only Ringside, not the other tools; the page stays as it is")
    options = parser.parse_args(argv)
    options.runs = options.runs or (3 if options.quick else 5)
    if options.runs < 1:
        parser.error("--runs is a number above 0")
    return options


def say(text):
    """Progress, only on a terminal, on one line that is overwritten."""
    if sys.stderr.isatty():
        print("\r\033[K" + text, end="", file=sys.stderr, flush=True)


def chosen_cases(options, bench):
    """The cases to run, and those that can't be with what they need."""
    wanted = [case for case in case_list.all_cases(os.path.join(bench.build, "bench")) if options.only in case.name
              and (options.only or not options.quick or case.name not in NOT_QUICK)]
    return [case for case in wanted if not case.missing()], {case.name: case.missing() for case in wanted
                                                             if case.missing()}


def recorders_for(case, recorders, options):
    return [r for r in recorders if r.fits(case) and not r.missing()
            and not (options.own and r.group in ("peer", "base"))
            and not (options.quick and case.kind == "real" and r.group in ("peer", "base")
                     and r.name not in QUICK_REAL_PEERS)]


def run_cases(bench, cases, recorders, options):
    rows = []
    for case in cases:
        results = measure.rotate(bench, case, recorders_for(case, recorders, options), options, say)
        rows.append({"name": case.name, "about": case.about, "kind": case.kind, "unit": case.unit,
                     "recorders": [result.as_dict() for result in results]})
        say("")
        print(page.text_of_case(rows[-1]), flush=True)
    return rows


def run_readers(bench, cases, recorders, options):
    """On a program of one site with millions of events, on one with ten times as many, and on real ones with symbols."""
    rows, small = [], None
    for case in cases:
        if case.name not in READ:
            continue
        ops = case.ops // (5 if options.quick else 1)
        found, size = reading.compare(bench, case.name, case.argv(ops), case.env, recorders, options, say)
        rows += found
        if case.name == "churn-30-1t":
            small = size
            rows += reading.compare(bench, case.name + ", 10 times", case.argv(10 * ops), {}, recorders, options,
                                    say)[0]
    say("")
    if rows:
        print(page.text_of_reading(rows), flush=True)
    return rows, small


def failures(result):
    """What of Ringside's own runs failed or lost events: a benchmark of a broken recorder is none."""
    bad = []
    for case in result["cases"]:
        for row in case["recorders"]:
            if row["group"] == "ringside" and (row["failure"] or row.get("lost_events")):
                bad.append("%s, %s: %s" % (case["name"], row["recorder"],
                                           row["failure"] or "%d events lost" % row["lost_events"]))
    return bad + ["%s of %s: %s" % (r["reader"], r["program"], r["failure"]) for r in result["reading"]
                  if r["failure"] and r["reader"].startswith("ringside")]


def main():
    options = options_of(sys.argv[1:])
    bench = measure.Bench(options.build, 20 if options.quick else 60)
    measure.remove_leftovers(bench.build)
    recorders = recorder_list.all_recorders(bench.ringside)
    cases, missing_cases = chosen_cases(options, bench)
    if not cases:
        sys.exit("bench: no case has %s in its name" % options.only)
    begin = time.monotonic()
    result = {"schema": "ringside.bench/1", "machine": machine.describe(),
              "options": {"quick": options.quick, "rounds": options.runs, "only": options.only},
              "versions": machine.versions(bench.ringside), "missing_cases": missing_cases,
              "missing_recorders": {r.name: r.missing() for r in recorders if r.missing()}}
    result["cases"] = run_cases(bench, cases, recorders, options)
    result["reading"], result["compressed"] = [], None
    if not failures(result):  # a recording that can't be made can't be read
        result["reading"], result["compressed"] = run_readers(bench, cases, recorders, options)
    result["seconds"] = round(time.monotonic() - begin, 1)
    with open(os.path.join(bench.build, "bench", "results.json"), "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    print(page.text_of_goals(result), end="", flush=True)
    finish(result, options)


def finish(result, options):
    bad = failures(result)
    for line in bad:
        print("bench: " + line, file=sys.stderr)
    if options.only or options.own:
        print("bench: %d s; the page stays as it is, because only a part was measured" % result["seconds"],
              file=sys.stderr)
    elif not bad:
        with open(PAGE, "w") as file:
            file.write(page.page_of(result))
        print("bench: %d s; see docs/performance.md" % result["seconds"], file=sys.stderr)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
