"""case.py - one case: a file of shell, its head read from comments.

    # Title: what it runs, for the table
    # Needs: command /path ...        what must exist, else the case is "not installed"
    # Package: name ...               whose versions the table shows
    # Time: seconds                   limit of one run (60)
    # Exit: number                    what the bare program ends with (0)
    # Quick: yes                      also part of the short form
    # Normalise: REGEX => TEXT | why  in stdout, stderr and files that are text
    # Left out: GLOB | why            files that no two runs make alike
    # Without: MODE | why             a mode that makes no sense here

The functions prepare (once, bare, in $prepared) and run (in an empty folder) follow.
"""

import fnmatch
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Case:
    path: str
    name: str
    title: str = ""
    needs: list = field(default_factory=list)
    packages: list = field(default_factory=list)
    seconds: int = 60
    exit: int = 0
    quick: bool = False
    has_prepare: bool = False
    normalise: list = field(default_factory=list)  # (pattern, text, why)
    left_out: list = field(default_factory=list)   # (glob, why)
    without: dict = field(default_factory=dict)    # mode: why

    def missing(self):
        return [word for word in self.needs
                if not (os.path.exists(word) if word.startswith("/") else shutil.which(word, path=PATH))]

    def versions(self):
        """"name version" of each package, as far as dpkg knows them."""
        found = []
        for package in self.packages:
            done = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Abbrev}${Version}", package], check=False,
                                  capture_output=True, text=True) if shutil.which("dpkg-query") else None
            known = done and done.returncode == 0 and done.stdout.startswith("ii")
            found.append(package + (" " + done.stdout[2:].strip() if known else ""))
        return found

    def described(self):
        return ["`%s`: %s" % (pattern.pattern, why) for pattern, _, why in self.normalise] + \
               ["files `%s`: %s" % (glob, why) for glob, why in self.left_out]

    def normalised(self, text):
        for pattern, replacement, _ in self.normalise:
            text = pattern.sub(replacement, text)
        return text

    def is_left_out(self, path):
        return any(fnmatch.fnmatch(path, glob) for glob, _ in self.left_out)


def with_reason(value, where):
    body, separator, why = value.rpartition(" | ")
    if not separator or not why.strip():
        raise ValueError("%s: \"%s\" lacks a reason" % (where, value))
    return body.strip(), why.strip()


def read(path):
    one = Case(path, os.path.basename(path)[:-len(".sh")])
    with open(path) as file:
        text = file.read()
    for key, value in re.findall(r"^# ([A-Z][a-z]+(?: out)?): (.*)$", text, re.MULTILINE):
        if key == "Title":
            one.title = value
        elif key == "Needs":
            one.needs += value.split()
        elif key == "Package":
            one.packages += value.split()
        elif key == "Time":
            one.seconds = int(value)
        elif key == "Exit":
            one.exit = int(value)
        elif key == "Quick":
            one.quick = value == "yes"
        elif key == "Normalise":
            body, why = with_reason(value, path)
            pattern, _, replacement = body.partition(" => ")
            one.normalise.append((re.compile(pattern, re.MULTILINE), replacement.strip(), why))
        elif key == "Left out":
            one.left_out.append(with_reason(value, path))
        elif key == "Without":
            mode, why = with_reason(value, path)
            one.without[mode] = why
        else:
            raise ValueError("%s: unknown key \"%s\"" % (path, key))
    one.has_prepare = re.search(r"^prepare\(\)", text, re.MULTILINE) is not None
    if not one.title or not re.search(r"^run\(\)", text, re.MULTILINE):
        raise ValueError("%s: a case has a Title and a function run" % path)
    return one
