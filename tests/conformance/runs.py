"""runs.py - one run of a case: bare, with the library preloaded, or by `ringside record`."""

import ctypes
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import time
from dataclasses import dataclass

import case as cases

HERE = os.path.dirname(os.path.abspath(__file__))
PR_SET_CHILD_SUBREAPER = 36
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Mode:
    name: str
    toggles: str
    by_command: bool = False  # `ringside record`, else LD_PRELOAD
    quick: bool = False


EVERYTHING = "heap=exact,cpu=250,block=0"
MODES = (
    Mode("exact heap", "heap=exact,cpu=off,block=off"),
    Mode("sampled heap", "heap=sample:512k"),
    Mode("cpu 250", "cpu=250"),
    Mode("block 0", "block=0"),
    Mode("everything", EVERYTHING, quick=True),
    Mode("record", EVERYTHING, by_command=True, quick=True),
)


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    files: dict           # path: what it is, as text
    left: int             # processes that had to be killed after the end
    dumps: int = 0
    trouble: str = ""     # a dump that could not be read, a time limit


def adopt_orphans():
    """What a case leaves running becomes our child, not init's, and can be found."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # When the runner is ended, so is what it runs.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda number, frame: (end_orphans(0), os._exit(1)))


def take_interrupts():
    """A runner that was started in the background ignores SIGINT, and so would all that it runs."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def children():
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % task) as file:
                found += [int(word) for word in file.read().split()]
        except FileNotFoundError:
            pass  # a thread that has ended meanwhile
    return found


def end_orphans(grace):
    """Wait for what is about to end anyway, kill the rest. How many had to be killed."""
    until = time.monotonic() + grace
    killed = set()
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return len(killed)
        if time.monotonic() > until:
            for pid in children():
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


class Place:
    """Where a case runs: the same path each time, since programs print paths."""

    def __init__(self, one, build, top):
        self.one = one
        self.build = build
        self.top = os.path.join(top, "run", one.name)
        self.logs = os.path.join(top, "log", one.name)
        self.dir = os.path.join(self.top, "dir")
        self.tmp = os.path.join(self.top, "tmp")
        self.prepared = os.path.join(self.top, "prepared")
        self.dumps = os.path.join(self.top, "dumps")
        self.clean()
        shutil.rmtree(self.logs, ignore_errors=True)
        for path in (self.prepared, self.logs):
            os.makedirs(path, exist_ok=True)

    def clean(self):
        shutil.rmtree(self.top, ignore_errors=True)

    def environment(self):
        return {"PATH": cases.PATH, "HOME": self.dir, "TMPDIR": self.tmp, "LC_ALL": "C.UTF-8", "TZ": "UTC",
                "prepared": self.prepared, "build": self.build, "LANG": "C.UTF-8", "SHELL": "/bin/bash",
                "here": HERE}

    def command(self, function):
        return ["bash", os.path.join(HERE, "lib", "case.sh"), self.one.path, function]

    def prepare(self):
        """The preparation runs bare and once. What went wrong, or ""."""
        if not self.one.has_prepare:
            return ""
        log = os.path.join(self.logs, "prepare")
        self.make_folders()
        with open(log, "w") as file:
            try:
                code = subprocess.run(self.command("prepare"), cwd=self.prepared, env=self.environment(), stdout=file,
                                      stderr=file, stdin=subprocess.DEVNULL, timeout=900, check=False,
                                      preexec_fn=take_interrupts).returncode
            except subprocess.TimeoutExpired:
                code = "time limit"
        end_orphans(0)
        return "prepare failed (%s), see %s" % (code, os.path.relpath(log)) if code else ""

    def make_folders(self):
        for path in (self.dir, self.tmp, self.dumps):
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path, exist_ok=True)

    def run(self, mode):
        """One run; mode None is bare."""
        self.make_folders()
        argv, env = self.command("run"), self.environment()
        if mode and mode.by_command:
            first = os.path.join(self.dumps, "first.rsd")
            argv = [os.path.join(self.build, "bin/ringside"), "record", "-o", first, "-t", mode.toggles, "--"] + argv
        elif mode:
            env["LD_PRELOAD"] = os.path.join(self.build, "lib/ringside/libringside.so")
            env["RINGSIDE"] = "out=%s/%%e.%%p.rsd,%s" % (self.dumps, mode.toggles)
        label = (mode.name if mode else "bare").replace(" ", "-")
        out, err = (os.path.join(self.logs, "%s.%s" % (label, name)) for name in ("out", "err"))
        trouble = ""
        with open(out, "wb") as out_file, open(err, "wb") as err_file:
            child = subprocess.Popen(argv, cwd=self.dir, env=env, stdout=out_file, stderr=err_file,
                                     stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=take_interrupts)
            try:
                # A recorded program is slower, and the machine may be busy.
                code = child.wait(self.one.seconds * (3 if mode else 1))
            except subprocess.TimeoutExpired:
                trouble = "time limit"
                os.killpg(child.pid, signal.SIGKILL)
                code = child.wait()
        left = end_orphans(0 if trouble else 5)
        texts = [open(path, errors="replace").read() for path in (out, err)]
        if mode and mode.by_command:
            texts[1] = without_last_line(texts[1])
        outcome = Outcome(code, texts[0], texts[1], self.files(), left, trouble=trouble)
        if mode:
            outcome.dumps, problem = self.look_at_dumps()
            outcome.trouble = outcome.trouble or problem
        return outcome

    def files(self):
        found = {}
        for folder, names, files in os.walk(self.dir):
            for name in names + files:
                path = os.path.join(folder, name)
                short = os.path.relpath(path, self.dir)
                if not self.one.is_left_out(short):
                    found[short] = described(path)
        return found

    def look_at_dumps(self):
        """How many there are, and what is wrong with the largest that is quickly read."""
        found = []
        for folder, _, files in os.walk(self.dumps):
            found += [os.path.join(folder, name) for name in files if name.endswith(".rsd")]
        sizes = sorted((os.stat(path).st_blocks * 512, path) for path in found)
        small = [path for size, path in sizes if size < 16 << 20]
        if not small:
            return len(found), "" if found else "nothing was recorded"
        done = subprocess.run([os.path.join(self.build, "bin/ringside"), "report", "--json", "--top", "1", small[-1]],
                              capture_output=True, check=False)
        return len(found), "" if done.returncode == 0 else "unreadable dump: " + done.stderr.decode(errors="replace")


def without_last_line(text):
    """`record` ends with one line of its own, see ringside-record(1)."""
    head, _, last = text.rstrip("\n").rpartition("\n")
    if not last.startswith("ringside: "):
        return text
    return head + "\n" if head else ""


def described(path):
    """What a file is: kind, mode, contents. Small texts as they are, so that they can be normalised."""
    status = os.lstat(path)
    kind = "%06o " % status.st_mode
    if stat.S_ISLNK(status.st_mode):
        return kind + "link to " + os.readlink(path)
    if not stat.S_ISREG(status.st_mode):
        return kind
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 1 << 20:
        try:
            return kind + "text\n" + data.decode()
        except UnicodeDecodeError:
            pass
    return kind + "%d bytes %s" % (len(data), hashlib.sha256(data).hexdigest())
