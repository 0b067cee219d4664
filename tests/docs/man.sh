#!/bin/sh
# The manual pages format without a warning, and every toggle, command, option, finding and kind of wait that the
# .def rows have is explained where a reader looks for it.
set -eu
cd "$(dirname "$0")/../.."
man=docs/man
bad=0
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT

complain() {
	echo "$*" >&2
	bad=1
}

# A page's text without roff's escapes: "\-\-time" reads "--time".
plain() { sed 's/\\f[A-Z]//g; s/\\//g' "$1"; }

# has PAGE PATTERN
has() { plain "$man/$1" | grep -Eq -e "$2"; }

for page in $man/*.[15]; do
	if command -v groff >/dev/null 2>&1; then
		warnings=$(groff -man -Tutf8 -ww "$page" 2>&1 >/dev/null)
		[ -z "$warnings" ] || complain "$page: $warnings"
	fi
	name=$(basename "$page")
	grep -qF -- "docs/man/*.${name##*.}" Makefile || complain "$page is not installed"
done

# Each report has an entry in the page of its command.
sed -n 's/^REPORT(\([a-z]*\), *\([a-z]*\),.*/\1 \2/p' analyzer/reports/reports.def >"$rows"
[ -s "$rows" ] || complain "no rows in analyzer/reports/reports.def?"
while read -r subject name; do
	has "ringside-$subject.1" "^[.]B $name$" || complain "ringside-$subject.1 does not explain the report $name"
	grep -q "^## $subject $name\$" docs/reports.md || complain "docs/reports.md does not explain the report $subject $name"
done <"$rows"

# Each format of export has an entry.
for name in $(sed -n 's/^EXPORT(\([a-z]*\),.*/\1/p' analyzer/exports/exports.def); do
	has ringside-export.1 "^[.]B $name$" || complain "ringside-export.1 does not explain the format $name"
done

# Each toggle has an entry of its own, which names its default.
sed -n 's/^TOGGLE([a-z]*, *[a-z]*, *"\([a-z]*\)", *"\([^"]*\)".*/\1 \2/p' format/toggles.def >"$rows"
[ -s "$rows" ] || complain "no rows in format/toggles.def?"
while read -r name fallback; do
	entry=$(plain $man/ringside.5 | awk -v start="^[.]BR $name=" '
		$0 ~ /^[.]TP/ { pending = 1; next }
		pending { pending = 0; if (inside && /^[.]BR [a-z]+=/) exit; if ($0 ~ start) inside = 1 }
		inside { print }')
	[ -n "$entry" ] || { complain "ringside.5 has no entry for $name="; continue; }
	echo "$entry" | sed -n 2,4p | grep -qF -- "${fallback:-none}" || complain "ringside.5: $name= does not say its default $fallback"
done <"$rows"

# Each command is listed, and has a page unless it is a small helper; each of its options is in its page or, being one
# of the views' common ones, in ringside.1.
for command in $(sed -n 's/^COMMAND(\([a-z]*\),.*/\1/p' analyzer/commands/commands.def); do
	has ringside.1 "^[.]BR? $command( |$)" || complain "ringside.1 does not list $command"
	case $command in help | version | completion) continue ;; esac
	page=ringside-$command.1
	[ -f "$man/$page" ] || { complain "no page $page"; continue; }
	groups=$(sed -n "s/^COMMAND($command, *\"[^\"]*\", *\([A-Z_| ]*\),.*/\1/p" analyzer/commands/commands.def | tr '|' '\n' | tr -d ' ')
	for group in $groups; do
		for option in $(awk -F, -v group="$group" '/^OPTION/ && $6 ~ group "( |$)" { gsub(/[ "]/, "", $2); print $2 }' \
			analyzer/commands/options.def); do
			has "$page" "(^| )--$option( |=|$)" || {
				case $group in G_VIEW | G_REPORTS | G_EXPORT) true ;; *) false ;; esac && has ringside.1 "(^| )--$option( |=|,|\\[|$)"
			} || has "$page" "--$option" || complain "$page does not explain --$option"
		done
	done
done

for word in $(sed -n 's/^WAIT([A-Z_]*, *[0-9]*, *"\([a-z-]*\)".*/\1/p' format/waits.def); do
	has ringside-block.1 "^[.]BR? $word " || has ringside-block.1 "^[.]BR ${word}[ .]" || complain "ringside-block.1 lacks the kind $word"
done
for word in $(sed -n 's/^RULE([a-z_]*, *"\([a-z-]*\)".*/\1/p' analyzer/models/findings.def); do
	has ringside-report.1 "^[.]B $word$" || complain "ringside-report.1 lacks the finding $word"
done

# Words of the lines that toggles print stand in the recorder's source and in the page.
for word in 'SCHED ' 'HEAP ' 'LOCK tid=' 'IO tid=' 'STALL tid=' ' running=' ' other=' ' blocked=[' ' peak=' ' rss=' \
	' waited ' ' held by tid=' 'no progress for ' ' ms clock, ' ' allocs'; do
	grep -qF -- "$word" preload/lines.c preload/inittrace.c || complain "the recorder does not print \"$word\""
	plain $man/ringside.5 | grep -qF -- "$word" || complain "ringside.5 does not show \"$word\""
done
exit $bad
