"""reading.py - how fast recordings are read: `ringside report` against heaptrack_print, on the same program."""

import os
import shutil
import statistics
import subprocess
import time

from measure import Run, environment


def record(bench, recorder, argv, env, directory):
    """Runs argv under the recorder once, outside of what is measured."""
    command, extra = recorder.command(directory, argv)
    with open(os.devnull, "w") as nowhere:
        subprocess.run(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, cwd=directory, check=True,
                       env=environment({**env, **extra}), timeout=bench.seconds * 4)


def skip_greeting(stream):
    """Reads up to the first line that says something about the recording: heaptrack_print asks for patience first."""
    for line in stream:
        if line.strip() and not line.startswith((b"reading file", b"Debuggee", b"finished reading")):
            return


def read_once(bench, argv, directory):
    """Runs a reader. Returns its Run and the ns until its first line of result. No symbol cache is left from before."""
    cache = os.path.join(directory, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    run, begin = Run(), time.monotonic_ns()
    with open(os.path.join(directory, "stderr"), "w") as err:
        process = subprocess.Popen(bench.spawned(directory, argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=err, cwd=directory, env=environment({"XDG_CACHE_HOME": cache}))
        skip_greeting(process.stdout)
        first_ns = time.monotonic_ns() - begin
        process.stdout.read()
        process.wait()
    bench.read_spawn(run, directory)
    return run, first_ns


def row(program, reader, events, runs):
    """The numbers of one reader; `runs` are pairs as of read_once."""
    failure = next((run.failure for run, _ in runs if run.failure), None)
    result = {"program": program, "reader": reader, "events": events, "failure": failure}
    if not failure:
        seconds = statistics.median(run.wall_ns for run, _ in runs) / 1e9
        result.update(seconds=seconds, events_per_second=events / seconds,
                      first_output_ms=statistics.median(first for _, first in runs) / 1e6,
                      rss_kib=statistics.median(run.rss_kib for run, _ in runs))
    return result


def compressed(bench, file, events):
    """What `ringside compress` makes of a recording of malloc and free."""
    small = file + ".small"
    subprocess.run([bench.ringside, "compress", "-o", small, file], check=True, timeout=bench.seconds * 4)
    size = os.stat(small).st_size
    return {"bytes": size, "bytes_per_pair": size / (events / 2)}


def compare(bench, program, argv, env, recorders, options, say):
    """
    Both readers in turn on recordings of one program. Events are those Ringside counted, for both.
    Returns the rows, and what compressing does.
    """
    ringside = next(r for r in recorders if r.name == "heap")
    heaptrack = next(r for r in recorders if r.name == "heaptrack")
    with bench.folder() as directory:
        file = os.path.join(directory, "run.rsd")
        readers = {"ringside report": [bench.ringside, "report", file]}
        say("recording %s to be read" % program)
        record(bench, ringside, argv, env, directory)
        if not heaptrack.missing():
            record(bench, heaptrack, argv, env, directory)
            written = [name for name in os.listdir(directory) if name in ("run.zst", "run.gz")]
            readers["heaptrack_print"] = ["heaptrack_print", os.path.join(directory, written[0])]
        runs = {name: [] for name in readers}
        for number in range(options.runs):
            for name, command in readers.items():
                say("%s of %s, round %d of %d" % (name, program, number + 1, options.runs))
                runs[name].append(read_once(bench, command, directory))
        heap = bench.report(file)["heap"]
        events = heap["allocations"] + heap["frees"]
        small = compressed(bench, file, events)
    return [row(program, name, events, runs[name]) for name in readers], small
