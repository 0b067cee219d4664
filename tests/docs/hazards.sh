#!/bin/sh
# docs/hazards.md has its rows in order, and every test that it names is there: the file, and the word in it.
set -eu
cd "$(dirname "$0")/../.."
page=docs/hazards.md
dir=$(mktemp -d "${TMPDIR:-/tmp}/ringside-hazards.XXXXXX")
trap 'rm -rf "$dir"' EXIT
HAZARDS=78

sed -n 's/^| *\([0-9][0-9]*\) |.*/\1/p' "$page" >"$dir/numbers"
seq "$HAZARDS" | diff - "$dir/numbers" || { echo "rows are missing or out of order" >&2; exit 1; }
bad=0
grep -n '^| *[0-9][0-9]* |' "$page" | grep -v '`tests/\|no test' && { echo "these rows name neither a test nor a reason" >&2; exit 1; }
grep -o '`tests/[^`]*`' "$page" | tr -d '`' | sort -u >"$dir/tests"
while IFS= read -r test; do
	path=${test%%: *} word=
	case $test in *': '*) word=${test#*: } ;; esac
	if [ ! -f "$path" ]; then
		echo "$page: there is no $path" >&2
		bad=1
	elif [ -n "$word" ] && ! grep -qF -- "$word" "$path"; then
		echo "$page: $path has no \"$word\"" >&2
		bad=1
	elif case $path in tests/programs/*) true ;; *) false ;; esac; then
		name=$(basename "${path%.*}")
		grep -qw -- "$name" tests/e2e/*.sh || { echo "$page: no script runs $path" >&2; bad=1; }
	elif case $path in *.sh) [ ! -x "$path" ] ;; *) false ;; esac; then
		echo "$page: $path is not executable, so that it never runs" >&2
		bad=1
	fi
done <"$dir/tests"
[ "$(wc -l <"$dir/tests")" -gt 60 ] || { echo "only $(wc -l <"$dir/tests") tests were found" >&2; exit 1; }
echo "$(wc -l <"$dir/tests") tests named"
exit $bad
