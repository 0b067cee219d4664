#!/bin/sh
# Planted blocks by the call that made them; a pool, a mapping and the recorder's own memory beside them.
. "$(dirname "$0")/lib.sh"
ringside record -o news.rsd -- news >/dev/null
ringside heap kinds --json --focus '^plant_' news.rsd >kinds.json
blocks() { # calls as a jq list, blocks, bytes
	check "$1" "[.kinds[] | select(.call | IN($1))] | (map(.blocks) | add) == $2 and (map(.bytes) | add) == $3" \
		<kinds.json
}
# Whether new[] has a frame of its own depends on how libstdc++ was built.
blocks '"operator new", "operator new[]"' 1520 $((1000 * 48 + 500 * 100 + 20 * 64))
blocks '"malloc"' 301 $((300 * 200 + 10))
blocks '"calloc"' 100 10000
blocks '"realloc"' 50 $((50 * 100 + 49 * 50 / 2))
blocks '"posix_memalign"' 40 $((40 * 512))
blocks '"aligned_alloc"' 30 $((30 * 256))
check "the module" '[.groups[] | select(.module == "news")] | length == 1' <kinds.json
check "the pool" '[.pools[] | select(.pool == "planted")] | length == 1 and
	(.[0] | .blocks == 64 and .peak_bytes == 4096 and .alive_bytes == 3072)' <kinds.json
check "the mapping" '[.mappings[] | select(.stack[0].function == "plant_mapping")] | length == 1 and
	(.[0] | .maps == 1 and .bytes == 3145728)' <kinds.json
check "what is beside the heap" '.summary | .mapped_bytes >= 3145728 and .max_rss_bytes > 1000000 and
	.recorder_bytes > 10000 and .recorder_bytes < 100000000' <kinds.json
check "the dump" '.summary | .dump_bytes == $size and .event_bytes > 0 and .event_bytes < $size' \
	--argjson size "$(stat -c %s news.rsd)" <kinds.json
