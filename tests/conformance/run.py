#!/usr/bin/env python3
"""run.py - programs that others wrote, bare and recorded: do they behave the same?

A case is a file of shell in this folder; case.py says what its head may hold. Each is run twice without the library,
then once in every mode. Exit status, stdout, stderr and all files it left must be what the bare runs had. What the two
bare runs do not agree on must be declared in the case, and what is declared without need is told.

0: all cases that ran are identical. 1: a difference. 2: there was nothing to run.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import case  # noqa: E402
import compare  # noqa: E402
import page  # noqa: E402
import runs  # noqa: E402


SECOND = "identical in a second run"


def chosen(arguments):
    arguments.cases = os.path.abspath(arguments.cases)
    names = sorted(name for name in os.listdir(arguments.cases) if name.endswith(".sh"))
    cases = [case.read(os.path.join(arguments.cases, name)) for name in names]
    if arguments.quick:
        cases = [one for one in cases if one.quick]
    return [one for one in cases if arguments.only in one.name]


def judge(one, where, modes, deadline):
    """Also in another process, so all that it needs is passed."""
    begin = time.monotonic()
    if time.time() > deadline:
        return blank(one) | {"verdict": "not run", "why": "out of time", "seconds": 0}
    return verdict(one, where, modes) | {"seconds": round(time.monotonic() - begin, 1)}


def blank(one):
    return {"name": one.name, "title": one.title, "packages": one.versions(), "normalised": one.described(),
            "cells": {}, "notes": []}


def verdict(one, where, modes):
    """All runs of one case. Returns what the table says about it."""
    row = blank(one)
    missing = one.missing()
    if missing:
        return row | {"verdict": "not installed", "why": "missing: " + " ".join(missing)}
    place = runs.Place(one, *where)
    try:
        problem = place.prepare()
        if problem:
            return row | {"verdict": "broken", "why": problem}
        bare = [place.run(None), place.run(None)]
        agreed = compare.Bare(one, bare)
        if agreed.is_apart:
            # A loaded machine makes some tests fail by chance: two of three must agree.
            row["notes"].append("first " + agreed.problem)
            bare.append(place.run(None))
            pairs = [compare.Bare(one, pair) for pair in (bare[1:], bare[::2])]
            agreed = next((pair for pair in pairs if not pair.is_apart), agreed)
        row["lines"], row["files"] = agreed.amount()
        row["notes"] += agreed.needless()
        if agreed.problem:
            return row | {"verdict": "broken", "why": agreed.problem}
        for mode in modes:
            reason = one.without.get(mode.name)
            if reason:
                row["cells"][mode.name] = "left out: " + reason
                continue
            found = agreed.differences(place.run(mode))
            row["cells"][mode.name] = "; ".join(found) or "identical"
            if found:
                # A second run tells chance from cause; that it was needed is said.
                row["notes"].append("%s, first run: %s" % (mode.name, "; ".join(found)))
                found = agreed.differences(place.run(mode))
                row["cells"][mode.name] = "; ".join(found) or SECOND
    finally:
        place.clean()
    same = all(cell in ("identical", SECOND) or cell.startswith("left out") for cell in row["cells"].values())
    return row | {"verdict": "identical" if same else "DIFFERENT"}


class Kept:
    """Rows of earlier runs with the same library, so that a run which was cut short can be taken up again."""

    def __init__(self, build, folder):
        self.folder = os.path.join(folder, "rows")
        with open(os.path.join(build, "lib/ringside/libringside.so"), "rb") as file:
            self.library = hashlib.sha256(file.read()).hexdigest()
        os.makedirs(self.folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name + ".json")

    def keep(self, row):
        with open(self.path(row["name"]), "w") as file:
            json.dump({"library": self.library, "row": row}, file, indent=1)

    def find(self, one):
        path = self.path(one.name)
        if not os.path.exists(path) or os.path.getmtime(one.path) > os.path.getmtime(path):
            return None
        with open(path) as file:
            kept = json.load(file)
        return kept["row"] if kept["library"] == self.library and kept["row"]["verdict"] == "identical" else None


def tell(row):
    print("%-13s %s (%.0f s)%s" % (row["verdict"], row["name"], row["seconds"],
                                  ": " + row["why"] if "why" in row else ""), flush=True)
    for name, cell in row["cells"].items():
        if cell != "identical":
            print("    %-12s %s" % (name, cell))
    for note in row["notes"]:
        print("    note: " + note)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="the build folder")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--mode", default="", help="this mode only")
    parser.add_argument("--quick", action="store_true", help="the short form, for make check")
    parser.add_argument("--cases", default=HERE, help="folder of the cases")
    parser.add_argument("--resume", action="store_true", help="take over what was identical with this library before")
    parser.add_argument("--minutes", type=float, default=600, help="begin no case after so many")
    parser.add_argument("--page", help="file to write the table to")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    modes = [mode for mode in runs.MODES if (not arguments.quick or mode.quick) and arguments.mode in mode.name]
    cases = chosen(arguments)
    if not cases or not modes:
        print("conformance: no case to run", file=sys.stderr)
        return 2
    build = os.path.abspath(arguments.build)
    # The short form may run while the long one does.
    folder = os.path.join(build, "conformance", "quick" if arguments.quick else "full")
    begin = time.time()
    # The longest first, so that the last to end is a short one.
    cases.sort(key=lambda one: -one.seconds)
    kept = Kept(build, folder)
    rows = [row for row in map(kept.find, cases) if row] if arguments.resume else []
    had = {row["name"] for row in rows}
    cases = [one for one in cases if one.name not in had]
    with concurrent.futures.ProcessPoolExecutor(arguments.jobs, initializer=runs.adopt_orphans) as pool:
        for done in concurrent.futures.as_completed([pool.submit(judge, one, (build, folder), modes, begin + 60 * arguments.minutes) for one in cases]):
            rows.append(done.result())
            tell(rows[-1])
            if not arguments.mode:
                kept.keep(rows[-1])
    rows.sort(key=lambda row: row["name"])
    counts = {word: sum(row["verdict"] == word for row in rows)
              for word in ("identical", "DIFFERENT", "broken", "not run", "not installed")}
    print(", ".join("%d %s" % (counts[word], word) for word in counts) + " in %d s" % (time.time() - begin))
    if arguments.page and not arguments.only and not arguments.mode and not arguments.quick:
        page.write(arguments.page, rows, modes, build)
    if not counts["identical"] + counts["DIFFERENT"] + counts["broken"]:
        return 2
    return 1 if counts["DIFFERENT"] + counts["broken"] + counts["not run"] else 0


if __name__ == "__main__":
    sys.exit(main())
