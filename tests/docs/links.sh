#!/bin/sh
# Every link in the pages leads to a file of the tree, and to a heading if it names one.
set -eu
cd "$(dirname "$0")/../.."

# The anchors of a page: headings in lower case, punctuation dropped, spaces as dashes.
anchors() {
	sed -n 's/^##* //p' "$1" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

links=0 bad=0
for page in $(git ls-files '*.md' 2>/dev/null || find . -name '*.md'); do
	[ -f "$page" ] || continue
	for link in $(grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//'); do
		case $link in http://* | https://* | mailto:*) continue ;; esac
		links=$((links + 1))
		file=${link%%#*} anchor=
		case $link in *'#'*) anchor=${link#*#} ;; esac
		target=$page
		[ -z "$file" ] || target=$(dirname "$page")/$file
		if [ ! -e "$target" ]; then
			echo "$page: $link is not there" >&2
			bad=1
		elif [ -n "$anchor" ] && ! anchors "$target" | grep -qxF -- "$anchor"; then
			echo "$page: $link: no such heading" >&2
			bad=1
		fi
	done
done
[ "$links" -gt 0 ] || { echo "no links found" >&2; exit 1; }
echo "$links links"
exit $bad
