"""measure.py - run one command once and say what it took; several of them in rotation."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile


class Run:
    """A finished run. `failure` is a reason, or None."""

    def __init__(self):
        self.failure, self.output, self.value = None, "", None
        self.wall_ns = self.rss_kib = self.cpu_ns = self.bytes = 0
        self.events = self.lost = self.samples_per_second = None


def environment(extra):
    """That of the caller without what would make a recorder behave differently."""
    drop = ("LD_PRELOAD", "RINGSIDE", "MALLOC_CONF", "HEAPPROFILE", "CPUPROFILE", "PYTHONMALLOC")
    return {**{k: v for k, v in os.environ.items() if k not in drop}, "LC_ALL": "C", **extra}


def size_of(directory):
    """Bytes on disk of the files named run*, as a recorder was told to name them."""
    total = 0
    for folder, _, files in os.walk(directory):
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.relpath(path, directory).startswith("run"):
                continue
            status = os.lstat(path)
            total += min(status.st_size, status.st_blocks * 512)
    return total


def last_line(path):
    with open(path, errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1] if lines else "no word"


class Bench:
    """Where things are and how long they may take. A run has a folder of its own, which is gone afterwards."""

    def __init__(self, build, seconds):
        self.build, self.seconds = os.path.abspath(build), seconds
        self.ringside = os.path.join(self.build, "bin", "ringside")
        self.spawn = os.path.join(self.build, "bench", "spawn")

    def folder(self):
        """On the disk of the build tree: /tmp is memory on many systems."""
        return tempfile.TemporaryDirectory(prefix="run.", dir=os.path.join(self.build, "bench"))

    def spawned(self, directory, argv):
        return [self.spawn, os.path.join(directory, "spawn"), str(self.seconds), *argv]

    def read_spawn(self, run, directory):
        with open(os.path.join(directory, "spawn")) as file:
            code, run.wall_ns, run.rss_kib, run.cpu_ns = (int(word) for word in file.read().split())
        if code == 124:
            run.failure = "more than %d s" % self.seconds
        elif code:
            run.failure = "exit %d: %s" % (code, last_line(os.path.join(directory, "stderr")))

    def once(self, case, recorder, ops, want_events):
        """One run of `case` under `recorder`. want_events: also let Ringside count the events it recorded."""
        run = Run()
        with self.folder() as directory:
            program, *words = case.argv(ops)
            argv, extra = recorder.command(directory, [shutil.which(program), *words])  # gprofng wants a path
            with open(os.path.join(directory, "stdout"), "w+") as out, \
                    open(os.path.join(directory, "stderr"), "w") as err:
                process = subprocess.Popen(self.spawned(directory, argv), stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=err, cwd=directory, env=environment({**case.env, **extra}))
                driven = case.drive(directory, ops, self.seconds) if hasattr(case, "drive") else None
                process.wait()
                out.seek(0)
                run.output = out.read() if driven is None else driven
            self.read_spawn(run, directory)
            if not run.failure:
                self.finish(run, case, recorder, directory, want_events)
        return run

    def several(self, case, result, want_events):
        """A short program is over before the machine's pace shows: its run is the middle one of three."""
        times = 1 if case.is_self_timed or result.recorder.slow > 4 else 3
        runs = [self.once(case, result.recorder, result.ops, want_events and i == times - 1) for i in range(times)]
        runs.sort(key=lambda run: (run.failure is not None, run.value or 0))
        middle, counted = runs[times // 2], next((run for run in runs if run.events), None)
        if counted and not middle.failure:
            middle.events, middle.lost, middle.bytes = counted.events, counted.lost, counted.bytes
        return middle

    def report(self, file):
        """What Ringside itself says about a recording."""
        command = [self.ringside, "report", "--json", "--top", "1", file]
        return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)

    def finish(self, run, case, recorder, directory, want_events):
        try:
            run.value = case.value(run)
        except (AttributeError, IndexError, ValueError):
            run.failure = "no result: " + last_line(os.path.join(directory, "stderr"))
            return
        run.bytes = size_of(directory)
        if recorder.group == "ringside" and want_events:
            report = self.report(os.path.join(directory, "run.rsd"))
            run.events, run.lost = report["recording"]["events"], report["recording"]["lost_events"]
            if report["cpu"]["samples"]:
                run.samples_per_second = report["cpu"]["samples"] * 1e9 / report["cpu"]["cpu_ns"]


class Result:
    """All runs of one recorder on one case, and what they say against the runs beside them."""

    def __init__(self, recorder, ops):
        self.recorder, self.ops, self.runs, self.base = recorder, ops, [], None

    def good(self):
        return [run for run in self.runs if not run.failure]

    def median(self, attribute):
        return statistics.median(getattr(run, attribute) for run in self.good())

    def paired(self, combine):
        """Median over rounds of combine(own value, the base's value in the same round); None without such rounds."""
        pairs = [(own.value, base.value) for own, base in zip(self.runs, self.base.runs)
                 if not own.failure and not base.failure] if self.base else []
        return statistics.median(combine(*pair) for pair in pairs) if pairs else None

    def as_dict(self):
        row = {"recorder": self.recorder.name, "group": self.recorder.group, "operations": self.ops,
               "compared_with": self.recorder.base, "failure": next((r.failure for r in self.runs if r.failure), None)}
        good = self.good()
        if not good:
            return row
        values = [run.value for run in good]
        row.update(median=statistics.median(values), min=min(values), max=max(values), values=values,
                   ratio=self.paired(lambda own, base: own / base), added=self.paired(lambda own, base: own - base),
                   rss_kib=self.median("rss_kib"), bytes=self.median("bytes"), cpu_ms=self.median("cpu_ns") / 1e6)
        if self.base and self.base.good():
            row["rss_added_kib"] = row["rss_kib"] - self.base.median("rss_kib")
        counted = [run for run in good if run.events]
        if counted:
            row.update(events=counted[-1].events, lost_events=counted[-1].lost,
                       bytes_per_event=counted[-1].bytes / counted[-1].events,
                       samples_per_second=counted[-1].samples_per_second)
        return row


def rotate(bench, case, recorders, options, say):
    """A B C A B C: what the machine does meanwhile meets all alike."""
    results = []
    for recorder in recorders:
        slow = recorder.slow if case.is_self_timed else 1
        results.append(Result(recorder, max(1, case.ops // slow // (5 if options.quick else 1))))
    by_name = {result.recorder.name: result for result in results}
    for result in results:
        result.base = by_name.get(result.recorder.base)
    for number in range(options.runs):
        for result in results:
            if result.runs and (result.runs[-1].failure or result.recorder.is_once(case, options)):
                continue
            say("%s, %s, round %d of %d" % (case.name, result.recorder.name, number + 1, options.runs))
            result.runs.append(bench.several(case, result, number == options.runs - 1))
    return results


def remove_leftovers(build):
    """Folders of runs that were interrupted."""
    for name in os.listdir(os.path.join(build, "bench")):
        if name.startswith("run."):
            shutil.rmtree(os.path.join(build, "bench", name), ignore_errors=True)
