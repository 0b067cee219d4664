"""recorders.py - who records: nobody, Ringside in its modes, and the tools a Debian system has.

Each is run as its manual says. `slow` divides the operations of the programs of this folder: time per operation is what
counts, and nobody should wait minutes for it. `is_late`: it may return a second after its program did, so the wall time
of the command says nothing and only programs that time themselves are recorded. A tool that brings its own allocator
is compared with that allocator alone.
"""

import glob
import os
import shutil


class Recorder:
    """command(directory, argv) returns the command to run and what to add to its environment."""

    def __init__(self, name, group, kinds, command, needs=None, slow=1, base="bare", is_late=False):
        self.name, self.group, self.kinds, self.command = name, group, kinds, command
        self.needs, self.slow, self.base, self.is_late = needs, slow, base, is_late

    def is_once(self, case, options):
        """Slow ones have one round where many would take too long."""
        return self.slow > 4 and (options.quick or case.kind == "real")

    def fits(self, case):
        return case.kind in self.kinds and (case.is_self_timed or not self.is_late)

    def missing(self):
        """What isn't installed, or None."""
        if not self.needs or os.path.exists(self.needs) or shutil.which(self.needs):
            return None
        return os.path.basename(self.needs)


def library(name):
    """Path of a shared library of the distribution; one that doesn't exist when it isn't installed."""
    found = [path for pattern in ("/usr/lib/*/", "/usr/lib64/", "/usr/lib/") for path in glob.glob(pattern + name)]
    return found[0] if found else "/usr/lib/" + name


def ringside(command, toggles):
    """Ringside with these toggles, "" for what everybody gets."""
    options = ["-t", toggles] if toggles else []
    return lambda d, argv: ([command, "record", "-o", os.path.join(d, "run.rsd"), *options, "--", *argv], {})


def preload(path, **variables):
    """A library to preload, with variables in which {d} is the folder for output."""
    return lambda d, argv: (argv, {"LD_PRELOAD": path, **{k: v.format(d=d) for k, v in variables.items()}})


def prefix(*words):
    """A command that takes the program as its last arguments."""
    return lambda d, argv: ([word.format(d=d) for word in words] + argv, {})


def all_recorders(command):
    """command: path of `ringside`."""
    jemalloc, tcmalloc = library("libjemalloc.so.2"), library("libtcmalloc.so.4")
    profiler = library("libprofiler.so.0")
    gprofng = ("gprofng", "collect", "app", "-o", "{d}/run.er")
    heap, both, everything = ("heap", "real"), ("block",), ("heap", "block", "cpu", "real")
    return [
        Recorder("bare", "bare", everything, lambda d, argv: (argv, {})),
        Recorder("heap", "ringside", heap, ringside(command, "cpu=off,block=off")),
        Recorder("heap sampled", "ringside", heap, ringside(command, "heap=sample:512k,cpu=off,block=off")),
        Recorder("cpu", "ringside", ("cpu", "real"), ringside(command, "heap=off,block=off")),
        Recorder("cpu 1000 Hz", "ringside", ("cpu",), ringside(command, "heap=off,block=off,cpu=1000")),
        Recorder("block", "ringside", ("block", "real"), ringside(command, "heap=off,cpu=off")),
        Recorder("everything", "ringside", everything, ringside(command, "")),
        Recorder("heaptrack", "peer", heap, prefix("heaptrack", "-o", "{d}/run"), "heaptrack"),
        Recorder("tcmalloc alone", "base", heap, preload(tcmalloc), tcmalloc),
        Recorder("gperftools heap", "peer", heap, preload(tcmalloc, HEAPPROFILE="{d}/run"), tcmalloc, 50,
                 "tcmalloc alone"),
        Recorder("jemalloc alone", "base", heap, preload(jemalloc), jemalloc),
        Recorder("jemalloc sampled", "peer", heap, preload(
            jemalloc, MALLOC_CONF="prof:true,lg_prof_sample:19,prof_final:true,prof_prefix:{d}/run"), jemalloc, 1,
                 "jemalloc alone"),
        Recorder("jemalloc exact", "peer", heap, preload(
            jemalloc, MALLOC_CONF="prof:true,lg_prof_sample:0,prof_final:true,prof_prefix:{d}/run"), jemalloc, 20,
                 "jemalloc alone"),
        Recorder("gprofng heap", "peer", heap, prefix(*gprofng, "-p", "off", "-H", "on"), "gprofng", 50),
        Recorder("valgrind dhat", "peer", heap, prefix("valgrind", "-q", "--tool=dhat", "--dhat-out-file={d}/run"),
                 "valgrind", 50),
        Recorder("gprofng sync", "peer", both, prefix(*gprofng, "-p", "off", "-s", "all"), "gprofng", 50),
        Recorder("gprofng io", "peer", both, prefix(*gprofng, "-p", "off", "-i", "on"), "gprofng", 20),
        Recorder("strace -c -f", "peer", both, prefix("strace", "-c", "-f", "-o", "{d}/run"), "strace", 20),
        Recorder("perf 99 Hz", "peer", ("cpu", "real"),
                 prefix("perf", "record", "-q", "-F", "99", "-g", "-o", "{d}/run"), "perf",
                 is_late=True),
        Recorder("perf 1000 Hz", "peer", ("cpu",),
                 prefix("perf", "record", "-q", "-F", "1000", "-g", "-o", "{d}/run"), "perf", is_late=True),
        Recorder("gperftools cpu", "peer", ("cpu", "real"), preload(
            profiler, CPUPROFILE="{d}/run", CPUPROFILE_FREQUENCY="99"), profiler),
        Recorder("gprofng cpu", "peer", ("cpu", "real"), prefix(*gprofng, "-p", "on"), "gprofng"),
    ]
