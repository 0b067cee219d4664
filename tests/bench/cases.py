"""cases.py - what is recorded: the programs of this folder, and real ones that are installed.

A case is about heap, locks and calls ("block"), CPU, or all of it ("real"); a recorder runs on the cases it is made
for. Programs of this folder print nanoseconds per operation themselves, of real ones the wall time of the whole command
counts, recorder's start and end included.
"""

import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Case:
    """One program with its arguments.

    ops:   operations in a full run; a quick one has a fifth, a slow recorder fewer.
    argv:  function of the number of operations; None where `ops` means nothing.
    """

    def __init__(self, name, about, kind, unit, argv, ops=1, env=None, needs=None):
        self.name, self.about, self.kind, self.unit = name, about, kind, unit
        self.argv, self.ops, self.env, self.needs = argv, ops, env or {}, needs

    is_self_timed = property(lambda self: self.kind != "real")

    def missing(self):
        """The program that is not installed, or None."""
        return self.needs if self.needs and not shutil.which(self.needs) else None

    def value(self, run):
        """Of a finished run the number that is compared, in self.unit."""
        if self.kind == "real":
            return run.wall_ns / 1e6
        return float(re.search(r"([\d.]+) ns per ", run.output).group(1))  # recorders print there too


class Redis(Case):
    """A server that is recorded while redis-benchmark, which isn't, drives it: server time per request at full load."""

    def __init__(self, name, about, pipeline, ops):
        super().__init__(name, about, "real", "ns/request", self.server, ops, needs="redis-benchmark")
        self.pipeline = pipeline

    is_self_timed = True

    def missing(self):
        return None if shutil.which("redis-server") and shutil.which("redis-benchmark") else "redis"

    @staticmethod
    def server(_ops):
        return ["redis-server", "--port", "0", "--unixsocket", "redis.sock", "--save", "", "--appendonly", "no"]

    def drive(self, directory, ops, seconds):
        """Called while the server runs. Returns what redis-benchmark printed, "" when it didn't work."""
        socket = os.path.join(directory, "redis.sock")
        until = time.monotonic() + seconds
        while not os.path.exists(socket) and time.monotonic() < until:
            time.sleep(0.01)
        quiet = {"cwd": directory, "stderr": subprocess.DEVNULL, "timeout": seconds}
        try:
            bench = subprocess.run(
                ["redis-benchmark", "-s", "redis.sock", "-t", "set", "-r", "10000", "-d", "64", "-n", str(ops),
                 "-P", str(self.pipeline), "--csv"], stdout=subprocess.PIPE, check=False, **quiet)
            subprocess.run(["redis-cli", "-s", "redis.sock", "shutdown", "nosave"], stdout=subprocess.DEVNULL,
                           check=False, **quiet)
            return bench.stdout.decode()
        except subprocess.TimeoutExpired:
            return ""

    def value(self, run):
        row = [line for line in run.output.splitlines() if line.startswith('"SET"')]
        return 1e9 / float(row[0].split(",")[1].strip('"'))


SQL = ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) "
       "SELECT count(*), max(length(s)) FROM (SELECT printf('%d-%s', x % 5000, hex(x)) AS s FROM c ORDER BY s);")


def python():
    """An interpreter that is no script which starts another."""
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)


def all_cases(programs):
    """programs: folder of the built benchmark programs."""

    def own(name, *args):
        return lambda ops: [os.path.join(programs, name), str(ops), *args]

    compiler = "clang++" if shutil.which("clang++") else "g++"
    churn = [Case("churn-%d-%dt" % (frames, threads), "malloc+free, %d frames, %d thread%s"
                  % (frames, threads, "s" if threads > 1 else ""), "heap", "ns/pair",
                  own("churn", str(frames), str(threads)), 5000000)
             for frames, threads in ((5, 1), (30, 1), (60, 1), (5, 2), (30, 2), (60, 2), (5, 8), (30, 8), (60, 8))]
    return churn + [
        Case("sites", "malloc+free from 4096 stacks in random order", "heap", "ns/pair", own("sites"), 2000000),
        Case("grow", "realloc by 48 bytes up to 48 KiB", "heap", "ns/realloc", own("grow"), 3000000),
        Case("handoff", "blocks freed by another thread", "heap", "ns/block", own("handoff"), 4000000),
        Case("lock", "mutex lock+unlock, nobody waits", "block", "ns/pair", own("lock"), 10000000),
        Case("lock-2t", "the same mutex from 2 threads", "block", "ns/pair", own("lock", "5", "2"), 1000000),
        Case("pingpong", "two threads in turns by mutex and condition", "block", "ns/turn", own("pingpong"), 100000),
        Case("pipe", "pipe write+read, nobody waits", "block", "ns/pair", own("pipe"), 500000),
        Case("storm", "thread create+join", "block", "ns/thread", own("storm"), 100000),
        Case("burn", "arithmetic", "cpu", "ns/step", own("burn", "30"), 300000000),
        Case("sqlite", "300 000 rows of a recursive query, sorted", "real", "ms",
             lambda _: ["sqlite3", ":memory:", SQL], needs="sqlite3"),
        Case("jq", "200 000 objects", "real", "ms",
             lambda _: ["jq", "-n", '[range(200000) | {id: ., name: "n\\(.)"}] | length'], needs="jq"),
        Case("python", "PYTHONMALLOC=malloc, 200 000 lists in a dictionary", "real", "ms",
             lambda _: [python(), os.path.join(HERE, "objects.py")], env={"PYTHONMALLOC": "malloc"}, needs=python()),
        Case("compile", compiler + " -c of a C++ file", "real", "ms",
             lambda _: [compiler, "-c", "-o", "compile.o", os.path.join(HERE, "compile.cpp")], needs=compiler),
        Redis("redis", "server, SET, 50 clients", 1, 300000),
        Redis("redis-P16", "server, SET, 50 clients with 16 requests in flight each", 16, 1500000),
    ]
