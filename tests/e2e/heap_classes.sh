#!/bin/sh
# C++ objects by class, and which part of the heap is in memory, are those of a program that knows.
. "$(dirname "$0")/lib.sh"
ringside record -t reach=mark -o classes.rsd -- classes >truth.json 2>/dev/null || fail "classes did not run"
ringside heap classes --json --top 0 classes.rsd >classes.json || fail "no classes"
ringside heap resident --json --top 0 classes.rsd >resident.json || fail "no resident"

class='def class($c): .classes[] | select(.class == $c); $truth[0] as $t |'
check "circles, of which three are lost" "$class"' class("scene::Circle") | .objects == 103 and .bytes == 103 * $t.circle
	and .resident_bytes == .bytes and .lost_objects == 3 and .lost_bytes == 3 * $t.circle and .module == "classes"' \
	--slurpfile truth truth.json <classes.json
check "a template" "$class"' class("scene::Polygon<4>") | .objects == 60 and .bytes == 60 * $t.polygon and .lost_objects == 0' \
	--slurpfile truth truth.json <classes.json
check "an object that is held by its second base" "$class"' class("scene::Label") | .objects == 7 and .bytes == 7 * $t.label' \
	--slurpfile truth truth.json <classes.json
check "what make_shared made begins with its counter" \
	'[.classes[] | select(.class | test("_Sp_counted_ptr_inplace<scene::Circle"))] | length == 1 and .[0].objects == 1' <classes.json

of='def site($f): .sites[] | select(.stack[0].function == $f); $truth[0] as $t |'
for site in part:touch_part nothing:touch_nothing all:touch_all; do
	check "$site" "$of"' site($f) | .resident_bytes == $t[$k] and .swapped_bytes == 0
		and .untouched_bytes == .bytes - .resident_bytes' --slurpfile truth truth.json \
		--arg k "${site%:*}" --arg f "${site#*:}" <resident.json
done
