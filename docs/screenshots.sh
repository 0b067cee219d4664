#!/bin/bash
# The pictures of docs/walk-*.md, taken anew: record the demos, make their pages, let a headless Chromium look at them.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PATH="$root/build/bin:$root/build/demos:$PATH"
fail() { echo "$*" >&2; exit 1; }
skip() { fail "$@"; }
. "$root/tests/web/browser.sh"

cd "$dir"
ringside record -o batch.rsd batch >/dev/null 2>&1
ringside record -o pooled.rsd batch --variant pooled >/dev/null 2>&1
ringside record -o service.rsd service >/dev/null 2>&1
ringside record -o workflow.rsd workflow --parallel >/dev/null 2>&1
# Paths of this machine are nobody's business.
for demo in batch service workflow; do
	ringside html --trim-path "$root" -o $demo.html $demo.rsd
done
ringside html --trim-path "$root" --diff-base batch.rsd -o difference.html pooled.rsd
mkdir -p "$root/docs/pictures"
node "$root/tests/web/screenshots.mjs" "$dir" "$root/docs/pictures"
for picture in "$root"/docs/pictures/*.png; do
	[ "$(stat -c %s "$picture")" -lt 150000 ] || fail "$picture has more than 150 kB"
done
ls -l "$root/docs/pictures"
