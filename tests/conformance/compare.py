"""compare.py - outcomes of runs: what the bare ones agree on, and where a recorded one departs from it."""

import difflib


class Bare:
    """Two bare runs. problem says why they are no measure."""

    def __init__(self, one, outcomes):
        self.one = one
        self.raw = outcomes
        self.first = self.seen(outcomes[0])
        self.problem = ""
        self.is_apart = False
        if outcomes[0].trouble or outcomes[0].code != one.exit:
            self.problem = "bare: exit status %d, wanted %d%s; %s" % (
                outcomes[0].code, one.exit, ", " + outcomes[0].trouble if outcomes[0].trouble else "",
                "; ".join((outcomes[0].out + outcomes[0].err).splitlines()[-3:]))
        elif not outcomes[0].out and not outcomes[0].files:
            self.problem = "bare: nothing to compare"
        else:
            apart = differences(self.first, self.seen(outcomes[1]))
            self.is_apart = bool(apart)
            if apart:
                self.problem = "two bare runs differ: " + "; ".join(apart)

    def seen(self, outcome):
        """What is compared, part by part, as text."""
        normal = self.one.normalised
        parts = {"exit status": str(outcome.code), "stdout": normal(outcome.out), "stderr": normal(outcome.err),
                 "processes left": str(outcome.left)}
        parts.update(("file " + normal(path), normal(text)) for path, text in outcome.files.items())
        return parts

    def amount(self):
        """Lines of output and files that are compared."""
        return (self.raw[0].out + self.raw[0].err).count("\n"), len(self.raw[0].files)

    def needless(self):
        """Declared to differ, yet alike in both bare runs. By chance, maybe: a note and no failure."""
        def matches(pattern, outcome):
            whole = "\n".join([outcome.out, outcome.err] + sorted(outcome.files) + sorted(outcome.files.values()))
            return [found.group(0) for found in pattern.finditer(whole)]

        return ["\"%s\" was the same in both bare runs" % pattern.pattern for pattern, _, _ in self.one.normalise
                if matches(pattern, self.raw[0]) == matches(pattern, self.raw[1])]

    def differences(self, outcome):
        found = differences(self.first, self.seen(outcome))
        if outcome.trouble:
            found.append(outcome.trouble)
        return found


def differences(wanted, got):
    """One short sentence per part that differs."""
    found = []
    for part in sorted(wanted.keys() | got.keys()):
        if part not in got or part not in wanted:
            found.append("%s %s" % (part, "missing" if part not in got else "is new"))
        elif wanted[part] != got[part]:
            found.append("%s: %s" % (part, first_lines(wanted[part], got[part])))
    return found[:6] + (["%d more" % (len(found) - 6)] if len(found) > 6 else [])


def first_lines(wanted, got):
    lines = [line for line in difflib.unified_diff(wanted.splitlines(), got.splitlines(), lineterm="", n=0)
             if not line.startswith(("---", "+++", "@@"))]
    return " / ".join(line[:160] for line in lines[:4]) or "ends of lines"
