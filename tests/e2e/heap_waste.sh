#!/bin/sh
# Usable bytes as the models say against malloc_usable_size of the allocators themselves, as far as they are installed.
. "$(dirname "$0")/lib.sh"
mapped() { # of "place" the row
	printf '.places[] | select(.stack[0].function == "%s")' "$1"
}
ringside record -o glibc.rsd -- usable >glibc.json
ringside heap waste --json --focus '^ask_' glibc.rsd >waste.json
for place in ask_small ask_medium ask_large; do
	check "$place has what glibc gave it" "[$(mapped $place)] | length == 1 and
		(.[0] | .bytes == \$truth[0].$place.bytes and .waste == \$truth[0].$place.usable - .bytes and
		.peak_blocks == \$truth[0].$place.blocks and .peak_usable == \$truth[0].$place.usable)" \
		--slurpfile truth glibc.json <waste.json
done
check "glibc is told" '.summary.allocator == "glibc"' <waste.json

compared=glibc
for row in jemalloc:libjemalloc.so.2 tcmalloc:libtcmalloc_minimal.so.4 mimalloc:libmimalloc.so.2; do
	name=${row%%:*} library=${row##*:}
	if ! LD_PRELOAD="$library" usable >"$name.json" 2>"$name.err" || [ -s "$name.err" ]; then
		echo "$name: $library is not installed, its model was not compared"
		continue
	fi
	check "$name would give as much" ".allocators[] | select(.allocator == \"$name\") |
		.usable == (\$truth[0] | [.[].usable] | add)" --slurpfile truth "$name.json" <waste.json
	LD_PRELOAD="$library" ringside record -o "$name.rsd" -- usable >own.json
	ringside heap waste --json --focus '^ask_' "$name.rsd" >own_waste.json
	check "$name is told, and by place" ".summary.allocator == \"$name\" and
		([.places[].peak_usable] | add) == (\$truth[0] | [.[].usable] | add)" \
		--slurpfile truth own.json <own_waste.json
	# Loaded before the recorder it is not recorded, and works: it need not have all of the family.
	RINGSIDE=out=before.rsd LD_PRELOAD="$library:$lib" usable >/dev/null || fail "$name before the recorder: $?"
	compared="$compared $name"
done
echo "compared: $compared"
