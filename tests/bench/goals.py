"""goals.py - what recording is meant to cost at most, held against what was measured.

A goal is a sentence, a function of the results that gives the measured number, and the bound. What was not measured
(a quick run, a tool that isn't installed) is left out.
"""


def row_of(result, case, recorder):
    for c in result["cases"]:
        if c["name"] == case:
            for r in c["recorders"]:
                if r["recorder"] == recorder and "median" in r:
                    return r
    return None


def field(case, recorder, name):
    def get(result):
        row = row_of(result, case, recorder)
        return row and row.get(name)
    return get


def share_of(case, recorder, other):
    """The added cost as a part of another tool's."""
    def get(result):
        own, peer = row_of(result, case, recorder), row_of(result, case, other)
        return own["added"] / peer["added"] if own and peer and peer["added"] > 0 else None
    return get


def throughput(case, recorder):
    """Requests a second as a part of the bare server's; the ratio kept is that of time per request."""
    def get(result):
        row = row_of(result, case, recorder)
        return 1 / row["ratio"] if row and row["ratio"] else None
    return get


def reading(program, reader, name):
    def get(result):
        for r in result["reading"]:
            if r["program"] == program and r["reader"] == reader and not r["failure"]:
                return r[name]
        return None
    return get


def quotient(above, below):
    def get(result):
        a, b = above(result), below(result)
        return a / b if a is not None and b else None
    return get


def bytes_per_pair(name):
    def get(result):
        size = result.get("compressed") or {}
        return size.get(name)
    return get


REAL = (("sqlite", "sqlite3"), ("jq", "jq"), ("python", "python3"), ("compile", "clang"))

GOALS = [
    ("exact heap, 30 frames, 1 thread: added time as a part of heaptrack's",
     share_of("churn-30-1t", "heap", "heaptrack"), "<=", 1 / 8),
    ("exact heap, 30 frames, 2 threads: added time as a part of heaptrack's",
     share_of("churn-30-2t", "heap", "heaptrack"), "<=", 1 / 14),
    ("exact heap, 30 frames, 8 threads on the same cores: added time against that of 2 threads",
     quotient(field("churn-30-8t", "heap", "added"), field("churn-30-2t", "heap", "added")), "<=", 1.5),
    *((name + " under exact heap, wall time against bare", field(case, "heap", "ratio"), "<=", 1.35)
      for case, name in REAL[:2]),
    ("sampled heap on malloc+free, against bare", field("churn-30-1t", "heap sampled", "ratio"), "<=", 1.2),
    *((name + " under sampled heap, wall time against bare", field(case, "heap sampled", "ratio"), "<=", 1.02)
      for case, name in REAL),
    ("uncontended lock+unlock, ns added", field("lock", "block", "added"), "<=", 12),
    ("pipe write+read that never waits, against bare", field("pipe", "block", "ratio"), "<=", 1.15),
    ("CPU samples at 99 Hz, against bare", field("burn", "cpu", "ratio"), "<=", 1.01),
    ("CPU samples at 1000 Hz, against bare", field("burn", "cpu 1000 Hz", "ratio"), "<=", 1.03),
    ("samples a CPU second delivered of 1000", field("burn", "cpu 1000 Hz", "samples_per_second"), ">=", 950),
    ("redis, everything recorded: requests a second against bare", throughput("redis", "everything"), ">=", 0.9),
    ("redis with 16 requests in flight: the same", throughput("redis-P16", "everything"), ">=", 0.7),
    ("python3, everything recorded, wall time against bare", field("python", "everything", "ratio"), "<=", 1.5),
    ("clang, everything recorded, wall time against bare", field("compile", "everything", "ratio"), "<=", 1.5),
    ("bytes a record of malloc+free, exact", field("churn-30-1t", "heap", "bytes_per_event"), "<=", 10),
    ("bytes a malloc+free pair, compressed", bytes_per_pair("bytes_per_pair"), "<=", 8),
    ("thread create+join, everything recorded, against bare", field("storm", "everything", "ratio"), "<=", 1.5),
    ("heap events a second read by ringside report", reading("churn-30-1t", "ringside report", "events_per_second"),
     ">=", 15e6),
    *(("time to read %s, against heaptrack_print" % name,
       quotient(reading(case, "ringside report", "seconds"), reading(case, "heaptrack_print", "seconds")), "<=", 1)
      for case, name in (("churn-30-1t", "malloc+free"), ("jq", "jq"))),
    ("memory to read ten times the events, against once",
     quotient(reading("churn-30-1t, 10 times", "ringside report", "rss_kib"),
              reading("churn-30-1t", "ringside report", "rss_kib")), "<=", 1.1),
]


def number(value):
    if value >= 1e6:
        return "%.1f M" % (value / 1e6)
    return "%.0f" % value if value >= 100 else "%.1f" % value if value >= 10 else "%.3f" % value


def judged(result):
    """(sentence, measured, bound, met) of every goal that was measured, numbers as text."""
    rows = []
    for about, measure, relation, bound in GOALS:
        value = measure(result)
        if value is not None:
            is_met = value <= bound if relation == "<=" else value >= bound
            rows.append((about, number(value), "%s %s" % ("at most" if relation == "<=" else "at least",
                                                          number(bound)), is_met))
    return rows
