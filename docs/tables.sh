#!/bin/sh
# Tables in the pages are printed from the .def rows, between the lines
#     <!-- table:NAME -->
#     <!-- end -->
# docs/tables.sh          rewrite the pages
# docs/tables.sh --check  change nothing, fail when a page differs from the rows
set -eu
cd "$(dirname "$0")/.."
check="${1:-}"
dir=$(mktemp -d "${TMPDIR:-/tmp}/ringside-tables.XXXXXX")
trap 'rm -rf "$dir"' EXIT

${CC:-cc} -std=gnu11 -Wall -Wextra -I. -Iinclude -D_GNU_SOURCE -o "$dir/print" docs/tables.c
"$dir/print" >"$dir/tables"

# Copy a page; a table's old rows are left out and the new ones put in their place.
fill() {
	awk -v page="$1" '
		NR == FNR {
			if ($1 == "<!--" && $2 ~ /^table:/) name = $2
			else rows[name] = rows[name] $0 "\n"
			next
		}
		$1 == "<!--" && $2 ~ /^table:/ {
			if (!($2 in rows)) { print page ": no rows for " $2 > "/dev/stderr"; bad = 1 }
			print
			printf "%s", rows[$2]
			skipping = 1
			next
		}
		$1 == "<!--" && $2 == "end" { skipping = 0 }
		!skipping { print }
		END { if (skipping) { print page ": a table has no <!-- end -->" > "/dev/stderr"; bad = 1 }; exit bad }
	' "$dir/tables" "$1"
}

differs=0
for page in README.md docs/*.md; do
	[ -f "$page" ] || continue
	fill "$page" >"$dir/page"
	cmp -s "$dir/page" "$page" && continue
	if [ "$check" = --check ]; then
		echo "$page differs from the rows (docs/tables.sh rewrites it):" >&2
		diff "$page" "$dir/page" >&2 || true
		differs=1
	else
		cat "$dir/page" >"$page"
		echo "$page rewritten"
	fi
done
exit $differs
