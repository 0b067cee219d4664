"""page.py - measured numbers as text for the terminal and as docs/performance.md."""

from textwrap import fill

import goals

MODES = ("heap", "heap sampled", "cpu", "cpu 1000 Hz", "block", "everything")


def short(number):
    """Three digits that mean something."""
    if number is None:
        return ""
    size = abs(number)
    return "%.0f" % number if size >= 100 else "%.1f" % number if size >= 10 else "%.2f" % number


def signed(number):
    return "" if number is None else ("+" if number >= 0 else "") + short(number)


def size_text(kib):
    if kib is None:
        return ""
    return "%.1f MiB" % (kib / 1024) if abs(kib) >= 1024 else "%.0f KiB" % kib


def per_event_means(row):
    """With few events the first extents, which every recording has, are all there is."""
    return row.get("events", 0) >= 10000


def aligned(rows, right_from=1):
    """Rows of words as lines, columns from right_from on aligned to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(widths[i]) if i >= right_from else cell.ljust(widths[i])
                               for i, cell in enumerate(row)).rstrip() for row in rows)


def markdown(header, rows):
    line = lambda cells: "| " + " | ".join(cells) + " |"
    return "\n".join([line(header), line(["---"] + ["---:"] * (len(header) - 1))] + [line(row) for row in rows])


def text_of_case(case):
    """One block of the table on the terminal."""
    rows = [("  " + case["name"], case["unit"], "min..max", "times", "added", "RSS added", "on disk", "a record")]
    for r in case["recorders"]:
        name = "    " + ("ringside " if r["group"] == "ringside" else "") + r["recorder"]
        if "median" not in r:
            rows.append((name, r["failure"][:40]) + ("",) * 6)
            continue
        compared = r["group"] != "bare"
        rows.append((name, short(r["median"]), "%s..%s" % (short(r["min"]), short(r["max"])),
                     short(r["ratio"]) if compared else "", signed(r["added"]) if compared else "",
                     size_text(r.get("rss_added_kib")) if compared else "",
                     size_text(r["bytes"] / 1024) if r["bytes"] else "",
                     "%.1f B" % r["bytes_per_event"] if per_event_means(r) else ""))
    return aligned(rows) + "\n"


def text_of_reading(rows):
    lines = [("  reading", "events", "seconds", "events/s", "first output", "peak RSS")]
    for r in rows:
        name = "    %s of %s" % (r["reader"], r["program"])
        lines.append((name, str(r["events"]), *reading_cells(r)))
    return aligned(lines) + "\n"


def reading_cells(r):
    if r["failure"]:
        return (r["failure"], "", "", "")
    return (short(r["seconds"]), "%.1f M" % (r["events_per_second"] / 1e6), short(r["first_output_ms"]) + " ms",
            size_text(r["rss_kib"]))


def find(case, name):
    return next((r for r in case["recorders"] if r["recorder"] == name), None)


def cost(row):
    """A cell: what is added and the ratio."""
    if row is None:
        return ""
    if "median" not in row:
        return row["failure"].split(":")[0]
    if row["ratio"] is None:
        return short(row["median"])
    return "%s (%s×)" % (signed(row["added"]), short(row["ratio"]))


def cost_table(cases, names, titles):
    """A line for each case, a column for each recorder that ran anywhere."""
    used = [n for n in names if any(find(case, n) for case in cases)]
    rows = []
    for case in cases:
        bare = find(case, "bare")
        base = "%s (%s..%s)" % tuple(short(bare[k]) for k in ("median", "min", "max")) if "median" in bare else ""
        rows.append(["%s: %s" % (case["name"], case["about"]), case["unit"], base]
                    + [cost(find(case, n)) for n in used])
    return markdown(["case", "unit", "bare"] + [titles.get(n, n) for n in used], rows)


def weight_row(case, r):
    return ["%s, %s" % (case["name"], r["recorder"]), str(r.get("events", "")), size_text(r["bytes"] / 1024),
            "%.1f" % r["bytes_per_event"] if per_event_means(r) else "", size_text(r.get("rss_added_kib"))]


def weights(cases, small_size):
    """What recordings take on disk and in memory: the large ones row by row, the small ones in a sentence."""
    measured = [(case, r) for case in cases for r in case["recorders"] if "median" in r]
    large = [weight_row(case, r) for case, r in measured
             if per_event_means(r) or r["recorder"] == "heaptrack" and find(case, "heap")]
    small = sorted(r["bytes"] / 1024 for _, r in measured if r["group"] == "ringside" and not per_event_means(r))
    text = ("Ringside keeps each event with its time and thread, and compresses afterwards if asked to (`record -z`), so\n"
            "that the file is complete at any moment. heaptrack compresses while it records, and notes the time now and\n"
            "then, not the thread.")
    if small_size:
        text += " The recording of churn-30-1t takes %.1f bytes a malloc+free pair compressed." % (
            small_size["bytes_per_pair"])
    if small:
        text += " Ringside's other recordings\nof these programs have fewer than 10 000 events and take %s to %s." % (
            size_text(small[0]), size_text(small[-1]))
    return text + "\n\n" + markdown(["recording", "events", "on disk", "bytes per event", "RSS added"], large)


def machine_text(result):
    m, options = result["machine"], result["options"]
    words = ["%s, %d cores%s" % (m["cpu"], m["cores"], " of a virtual machine" if m["virtual"] else "")]
    if m["memory_mib"]:
        words.append("%d GiB" % round(m["memory_mib"] / 1024))
    words += ["Linux %s %s" % (m["kernel"], m["arch"]), m["distribution"]]
    when = "Measured on %s in %d s, %d rounds%s; the machine's load was %s when it began." % (
        m["date"], result["seconds"], options["rounds"], ", `QUICK=1`" if options["quick"] else "", m["load_before"])
    tools = "Versions: %s." % ", ".join("%s %s" % item for item in sorted(result["versions"].items()))
    absent = sorted(set(result["missing_recorders"].values()) | set(result["missing_cases"].values()))
    paragraphs = ["%s. %s" % ("; ".join(words), when), tools]
    if absent:
        paragraphs.append("Not installed and so not measured: %s." % ", ".join(absent))
    return "\n\n".join(fill(paragraph, 120) for paragraph in paragraphs)


INTRO = """# Performance

<!-- Written by `make bench` from tests/bench/page.py; edits here are lost. -->

What recording costs, beside what other tools cost on the same machine in the same minutes. `make bench` writes this
page anew, `make bench QUICK=1` in about two minutes; `make bench-deps` installs the other tools on Debian.
`make bench BENCH=word` runs the cases whose name contains the word and prints their table.

## How to read it

- A cell is **what is added** to one operation and, in brackets, the ratio to the bare program. Both are medians over
  rounds of the difference and the ratio *within* a round: the bare program, each mode of Ringside and each other tool
  run one after the other, round by round, so that a slow minute of the machine meets all of them.
- Trust the ratios and the added time, not the absolute one. A machine that does other work, as a virtual or a shared
  one always does, moves absolute times by tens of percent; `build/bench/results.json` has each single run. A difference
  that is smaller than the spread of the bare program is noise, also when it is negative.
- Programs of [tests/bench/](../tests/bench/) print ns per operation themselves, after a warm-up. With several threads
  it is the time of a core: wall time times the cores used, over all operations. Real programs (`ms`) are timed from the
  outside, start and end of the recorder included; of a program of 300 ms the start is a good part. Each of their runs is
  the middle one of three in a row. redis is timed by the requests a second that redis-benchmark saw.
- A ratio of a program that does nothing but allocate is the worst case. Real programs are what to expect.
- Slow tools run fewer operations, {slow}. "more than N s" means that a run was ended.
- perf returns up to a second after its program, so it is compared on programs that time themselves.
- gperftools and jemalloc bring their own allocator and are compared with that allocator without profiling.
- RSS added counts the largest process of the command, against the bare program. What Ringside has written leaves the
  process a mebibyte later and stays in the page cache, as what any program writes into a file.
"""


def goal_table(result):
    rows = [[about, measured, bound, "yes" if is_met else "**no**"]
            for about, measured, bound, is_met in goals.judged(result)]
    return markdown(["goal", "measured", "bound", "met"], rows)


def text_of_goals(result):
    rows = [("  goals", "measured", "bound", "met")]
    rows += [("    " + about, measured, bound, "yes" if is_met else "NO")
             for about, measured, bound, is_met in goals.judged(result)]
    return aligned(rows) + "\n" if len(rows) > 1 else ""


def heap_note(cases):
    """The one comparison that matters most, in words and only when it was measured."""
    case = next((c for c in cases if c["name"] == "churn-30-1t"), None)
    own, other = (find(case, "heap"), find(case, "heaptrack")) if case else (None, None)
    if not own or not other or "median" not in own or "median" not in other:
        return ""
    return ("With 30 frames, a malloc and a free recorded exactly add %s ns in Ringside and %s ns in heaptrack.\n"
            "heaptrack also interprets and compresses what it got in two other processes while the program runs.\n"
            % (short(own["added"]), short(other["added"])))


def page_of(result):
    cases = result["cases"]
    heap = [c for c in cases if c["kind"] == "heap"]
    block = [c for c in cases if c["kind"] == "block"]
    other = [c for c in cases if c["kind"] in ("cpu", "real")]
    slow = "and have one round" if result["options"]["quick"] else "and have one round on real programs"
    titles = {"everything": "everything (default)", "heap": "heap, exact", "heap sampled": "heap, sampled at 512 KiB"}
    peers = lambda some: [r["recorder"] for c in some for r in c["recorders"] if r["group"] == "peer"]
    unique = lambda names: list(dict.fromkeys(names))
    parts = [INTRO.format(slow=slow), "## Machine\n", machine_text(result), "\n## Goals\n", goal_table(result), "\n## What Ringside adds\n",
             cost_table(cases, MODES, titles), "\n## Other tools: heap\n", heap_note(cases),
             cost_table(heap, ["heap"] + unique(peers(heap)), {"heap": "**Ringside**, heap exact"}),
             "\n## Other tools: locks, calls and threads\n",
             cost_table(block, ["block"] + unique(peers(block)), {"block": "**Ringside**, block"}),
             "\n## Other tools: CPU and real programs\n",
             cost_table(other, ["everything"] + unique(peers(other)), {"everything": "**Ringside**, everything"}),
             "\n## What a recording weighs\n", weights(cases, result["compressed"]), "\n## Reading\n",
             "From start to the end of the output, no symbol cache from before. Events are allocations and frees.\n"
             "heaptrack has looked up functions and lines while it recorded, in a second process.\n",
             markdown(["reader", "events", "seconds", "events/s", "first output", "peak RSS"],
                      [["%s of %s" % (r["reader"], r["program"]), str(r["events"]), *reading_cells(r)]
                       for r in result["reading"]])]
    return "\n".join(parts) + "\n"
