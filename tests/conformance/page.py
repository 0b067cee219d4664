"""page.py - the table of a full run as docs/conformance.md."""

import os
import sys
import textwrap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))

import machine  # noqa: E402

HEAD = """# Conformance

<!-- Written by `make conformance` from tests/conformance/page.py; edits here are lost. -->

Programs that others wrote, bare and recorded. `make conformance` runs each case of
[tests/conformance/](../tests/conformance/) twice without the library and once in every mode, and compares exit status,
stdout, stderr, every file that is left, and the processes that are left. Suites print the verdict of each of their
tests, so equal output is an equal set of passes and failures. What two bare runs do not agree on (times, process
numbers) is replaced before comparing; the list is [below](#normalised). `make conformance-deps` installs the programs.

| column | |
| --- | --- |
"""

NOTES = """
## Notes

A run that differs is repeated once, since suites that measure time fail now and then on a busy machine, also without a
recorder. What was seen the first time:

"""


def mode_words(mode):
    how = "`ringside record -t %s`" if mode.by_command else "`LD_PRELOAD`, `RINGSIDE=%s`"
    return "| %s | %s |\n" % (mode.name, how % mode.toggles)


def cell_text(row, mode):
    if row["verdict"] in ("not installed", "not run", "broken"):
        return row["verdict"]
    cell = row["cells"][mode.name]
    return cell if cell.startswith("identical") else cell.replace("|", "\\|")


def write(path, rows, modes, build):
    about = machine.describe()
    command = os.path.join(build, "bin/ringside")
    counts = {word: sum(row["verdict"] == word for row in rows)
              for word in ("identical", "DIFFERENT", "broken", "not run", "not installed")}
    with open(path, "w") as file:
        file.write(HEAD + "".join(mode_words(mode) for mode in modes))
        file.write("| lines, files | how much the bare program printed and left behind |\n")
        file.write("\n## Result\n\n%d cases: %d identical in every mode, %d different, %d not installed, %d not run,"
                   " %d broken\nwithout the library.\n\n" % (len(rows), counts["identical"], counts["DIFFERENT"],
                                                  counts["not installed"], counts["not run"], counts["broken"]))
        file.write("%s, %d cores%s; Linux %s %s; %s; ringside %s. On %s, %d minutes of two cases at a time.\n\n" % (
            about["cpu"], about["cores"], " of a virtual machine" if about["virtual"] else "", about["kernel"],
            about["arch"], about["distribution"], machine.version_of([command, "version"]), about["date"],
            sum(row.get("seconds", 0) for row in rows) / 120))
        names = [mode.name for mode in modes]
        file.write("| case | what | lines | files | " + " | ".join(names) + " |\n")
        file.write("| --- | --- | ---: | ---: |" + " --- |" * len(names) + "\n")
        for row in rows:
            file.write("| [%s](../tests/conformance/%s.sh) | %s | %s | %s | %s |\n" % (
                row["name"], row["name"], row["title"].replace("|", "\\|"), row.get("lines", ""),
                row.get("files", ""), " | ".join(cell_text(row, mode) for mode in modes)))
        notes = [(row["name"], note) for row in rows for note in row["notes"]]
        file.write(NOTES if notes else "")
        file.writelines("- %s: %s\n" % note for note in notes)
        file.write("\n## Versions\n\n")
        packages = sorted({package for row in rows for package in row["packages"]})
        file.write(textwrap.fill(", ".join(packages) + ".", 118, break_on_hyphens=False))
        file.write("\n\n## Normalised\n\n| case | what, and why |\n| --- | --- |\n")
        for row in rows:
            for line in row["normalised"]:
                file.write("| %s | %s |\n" % (row["name"], line.replace("|", "\\|")))
