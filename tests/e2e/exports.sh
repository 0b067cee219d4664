#!/bin/sh
# What the library exports is what hooks.def lists, plus the two annotation entries; it needs nothing but libc.
. "$(dirname "$0")/lib.sh"
sed -n 's/^HOOK([^(]*[ *,]\([a-z_A-Z0-9]*\), (.*/\1/p' "$root/preload/hooks.def" | sort >rows
nm -D --defined-only "$lib" | awk '$2 ~ /[TWi]/ { sub(/@.*/, "", $3); print $3 }' | grep -v '^ringside_\(note\|pool\)_v1$' | sort >exported
diff rows exported || fail "hooks.def (<) and nm -D (>) differ"
[ "$(wc -l <rows)" -gt 100 ] || fail "the table was not read"
# An exported name that this libc lacks would make programs believe that it exists.
cat >probe.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
	char name[128];
	while (scanf("%127s", name) == 1)
		printf("%s %d\n", name, dlsym(RTLD_DEFAULT, name) != NULL);
	return 0;
}
C
gcc -o probe probe.c -ldl
./probe <rows >bare
LD_PRELOAD="$lib" RINGSIDE="out=$dir/p.rsd" ./probe <rows >recorded
diff bare recorded || fail "names that exist only under the recorder"
readelf -d "$lib" | grep NEEDED | grep -v 'libc.so.6' && fail "needs more than libc"
# musl's loader ends a program when a preloaded library asks for a name that musl hasn't got, unless it does so weakly.
nm -D --undefined-only "$lib" | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' |
	grep -vx '__errno_location\|dl_iterate_phdr\|dlerror\|dlsym\|getauxval\|mem[a-z]*\|str[a-z]*\|pthread_[a-z_]*\|sig[a-z]*' &&
	fail "musl may lack these"
readelf -d "$lib" | grep -q INITFIRST || fail "not initialised first"
objdump -T "$lib" | grep -o 'GLIBC_2\.[0-9]*' | sort -u -t. -k2n | awk -F. '$2 > 28 { print "needs", $0; bad = 1 } END { exit bad }' || fail "a libc of version 2.28 could not load it"
exit 0
