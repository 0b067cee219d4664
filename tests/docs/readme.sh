#!/bin/sh
# The README's examples work and print what the README shows.
#
# Blocks marked ```sh are run in order, each must succeed. A ```text block shows output of the block before it: numbers,
# sizes, times, addresses, spaces and the severity of a finding (which follows a share) may differ, the words must be there
# in this order, line by line. A line "..." stands for anything. A ```c block whose first line is /* NAME */ becomes that file.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
python=$(command -v /usr/bin/python3 || command -v python3 || true)
[ -n "$python" ] || { echo "no python3"; exit 77; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/ringside-readme.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
ln -s "$root/build" "$root/include" .
cp "$root/README.md" .
PATH="$root/build/bin:$root/build/demos:$PATH"
export PATH NO_COLOR=1
unset LD_PRELOAD RINGSIDE || true

"$python" - "$root/README.md" <<'PY'
import re, subprocess, sys

NUMBER = r"[0-9]+(?:\\?\.[0-9]+)?(?:\\? ?(?:[kMGT]i?B|B|ns|us|ms|s)\b)?"
ANY_NUMBER = r"[0-9]+(?:\.[0-9]+)?(?: ?(?:[kMGT]i?B|B|ns|us|ms|s)\b)?"

def pattern(line):
    """The line as a regular expression with its numbers left open."""
    out = re.escape(" ".join(line.split()))
    out = re.sub(r"^(high|medium|low)(?=\\ )", "(?:high|medium|low)", out)
    out = re.sub(r"0x[0-9a-f]+", "@HEX@", out)
    out = re.sub(NUMBER, "@NUMBER@", out)
    return out.replace("@HEX@", "0x[0-9a-f]+").replace("@NUMBER@", ANY_NUMBER)

blocks, name, lines = [], None, []
for line in open(sys.argv[1]):
    if line.startswith("```"):
        if name is None:
            name, lines = line[3:].strip(), []
        else:
            blocks.append((name, lines))
            name = None
    elif name is not None:
        lines.append(line.rstrip("\n"))

output, ran, compared, bad = None, 0, 0, 0
for name, lines in blocks:
    if name == "sh":
        run = subprocess.run(["sh", "-e", "-c", "\n".join(lines)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, timeout=120)
        output, ran = run.stdout.decode(errors="replace"), ran + 1
        if run.returncode:
            print("exit %d from:\n%s\n%s" % (run.returncode, "\n".join(lines), output))
            bad += 1
    elif name == "text":
        # Long lines wrap where the numbers let them: what is compared is the text without its line ends.
        text, at = " ".join(output.split()), 0
        for line in lines:
            if line.strip() in ("", "..."):
                continue
            found = re.compile(pattern(line)).search(text, at)
            compared += 1
            if not found:
                again = re.search(pattern(line), text)
                print("%s: %s" % ("out of order" if again else "not printed", line))
                bad += 1
            else:
                at = found.end()
        if bad:
            print("---- output ----\n" + output)
    elif name == "c":
        file = re.match(r"/\* (\w+\.c) \*/", lines[0])
        if file:
            open(file.group(1), "w").write("\n".join(lines) + "\n")

print("%d blocks run, %d lines compared, %d wrong" % (ran, compared, bad))
sys.exit(bool(bad) or not ran or not compared)
PY
