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

# The same by weak references, for names that this libc has, that later ones have, and that other allocators have.
grep -v '^_*sigset$' rows >names
printf '%s\n' free_sized free_aligned_sized openat2 mseal pthread_gettid_np mallocx sdallocx mi_malloc GC_malloc tc_malloc je_malloc \
	nallocx malloc_size __sanitizer_print_stack_trace backtrace _Unwind_Backtrace unw_backtrace ringside_no_such_name >>names
{
	echo '#include <stdio.h>'
	sed 's/.*/extern char weak_&[] __asm__("&") __attribute__((weak));/' names
	echo 'int main(void) {'
	sed 's/.*/	printf("& %d\\n", weak_& != 0);/' names
	echo '	return 0; }'
} >weak.c
gcc -fPIC -fno-builtin -o weak weak.c || fail "the weak references"
./weak >bare
LD_PRELOAD="$lib" RINGSIDE="out=$dir/w.rsd" ./weak >recorded
diff bare recorded || fail "weak references that only the recorder answers"
[ "$(grep -c ' 1$' bare)" -gt 100 ] && grep -q 'free_sized 0' bare || echo "this libc has names that were not known"

# Loading: libc and the loader, with symbols that were there long ago. Raise the number only with docs/safety.md.
readelf -d "$lib" | grep NEEDED | grep -v 'libc.so.6' && fail "needs more than libc"
# musl's loader ends a program when a preloaded library asks for a name that musl hasn't got, unless it does so weakly.
nm -D --undefined-only "$lib" | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' |
	grep -vx '__errno_location\|dl_iterate_phdr\|dlerror\|dlsym\|getauxval\|mem[a-z]*\|str[a-z]*\|pthread_[a-z_]*\|sig[a-z]*' &&
	fail "musl may lack these"
readelf -d "$lib" | grep -q INITFIRST || fail "not initialised first"
objdump -T "$lib" | grep 'UND' | grep -o 'GLIBC_[0-9.]*' | sort -u >versions
awk -F'[_.]' '$2 != 2 || $3 > 16 { print "needs", $0; bad = 1 } END { exit bad || !NR }' versions ||
	fail "a libc of version 2.16 could not load it; 2.28 is what must be possible"
objdump -T "$lib" | grep 'UND' | grep -v 'GLIBC_\|_r_debug$' && fail "symbols without a version"
exit 0
