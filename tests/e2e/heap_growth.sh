#!/bin/sh
# A leak grows steadily and its rate is told; a cache that is larger has levelled off. Also when the program was killed.
. "$(dirname "$0")/lib.sh"
verdicts() { # file
	ringside heap growth --json "$1" >growth.json
	check "the leak is found" '[.places[] | select(.stack[0].function == "leak_note")] | length == 1 and
		.[0].verdict == "grows steadily"' <growth.json
	check "the cache is not one" '[.places[] | select(.stack[0].function == "fill_cache")] | length == 1 and
		.[0].verdict == "levelled off" and .[0].bytes_per_hour == null' <growth.json
	check "what grows comes first" '.places[0].stack[0].function == "leak_note"' <growth.json
}
ringside record -o growing.rsd -- growing >truth.json
verdicts growing.rsd
# Stalls of a busy machine bend the line.
close_to "bytes per hour" "$(jq '.places[0].bytes_per_hour' growth.json)" "$(jq '.leaked / .ns * 3600e9' truth.json)" 50

ringside record -o killed.rsd -- growing kill >/dev/null
verdicts killed.rsd
