#!/bin/sh
# Planted blocks that hold pages: their number and what is empty on them, from the program's own addresses.
. "$(dirname "$0")/lib.sh"
ringside record -o pins.rsd -t cpu=1000 -- pins >truth.json
ringside heap pages --json pins.rsd >pages.json
of() {
	printf '[.%s[] | select(.stack[0].function == "%s")] | length == 1 and (.[0] | ' "$1" "$2"
}
with() {
	what="$1" expression="$2"
	shift 2
	check "$what" "$expression" --slurpfile truth truth.json "$@" <pages.json
}
with "what stays at the end" "$(of at_end hold_page) .blocks == \$truth[0].pins and .pages == \$truth[0].pages and
	.sparse_pages == \$truth[0].sparse and (.empty_bytes - \$truth[0].empty | fabs) <= 1)"
with "what was there at the peak" "$(of at_peak fill_page) .pages == \$truth[0].bulk_pages and .blocks == 6000)"
with "nothing was sparse then" "$(of at_peak hold_page) .sparse_pages <= 1)"
with "at the peak of RSS it is the same blocks" "$(of at_rss_peak fill_page) .pages == \$truth[0].bulk_pages and .blocks == 6000)"
with "who holds the top" '.summary.brk_top == $truth[0].top and .brk_top[0].stack[0].function == "hold_page" and
	.brk_top[0].freed_bytes == $truth[0].freed and .brk_top[0].blocks == $truth[0].pins'
with "the worst comes first" '.at_end[0].stack[0].function == "hold_page"'
jq -r '"\(.summary.end_pages) pages at the end, \(.at_end[0].sparse_pages) of them held by pins"' pages.json
