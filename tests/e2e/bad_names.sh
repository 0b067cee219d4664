#!/bin/sh
# A library whose debug information kills whoever reads it costs its own names, and nothing else.
. "$(dirname "$0")/lib.sh"

cat >bad.c <<'C'
#include <stdlib.h>
void *volatile kept;
void from_bad_library(void) { kept = malloc(1000); }
C
sed 's/bad_library/good_library/' bad.c >good.c
cat >main.c <<'C'
#include <stdlib.h>
void from_bad_library(void), from_good_library(void);
void *volatile mine;
static __attribute__((noinline)) void from_program(void) { mine = malloc(2000); }
int main(void)
{
	from_bad_library();
	from_good_library();
	from_program();
	return 0;
}
C
gcc -g -shared -fPIC -o libbad.so bad.c && gcc -g -shared -fPIC -o libgood.so good.c &&
	gcc -g -O1 -o program main.c -L. -lbad -lgood "-Wl,-rpath,$dir" || fail "no compiler"
ringside record -o run.rsd ./program 2>/dev/null || fail "record"

# The reader of ELF files, with a fault that only one file finds.
cat >faulty.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
void *dwfl_report_elf(void *dwfl, const char *name, const char *file, int fd, unsigned long base, bool add)
{
	void *(*real)(void *, const char *, const char *, int, unsigned long, bool) = dlsym(RTLD_NEXT, __func__);

	if (strstr(file, "libbad.so"))
		*(volatile int *)8 = 0;
	return real(dwfl, name, file, fd, base, add);
}
C
gcc -shared -fPIC -o faulty.so faulty.c || fail "no compiler"

ulimit -c unlimited
for cores in 0 "$(nproc --all | awk '{ print "0-" $1 - 1 }')"; do
	for command in report heap; do
		LD_PRELOAD="$dir/faulty.so" taskset -c "$cores" ringside $command run.rsd >out 2>err ||
			fail "$command on $cores: exit $?: $(cat err)"
		grep -q 'from_good_library' out || fail "$command: the other library lost its names"
		grep -q 'from_program' out || fail "$command: the program lost its names"
		grep -q 'from_bad_library' out && fail "$command: names out of nowhere"
		[ "$(grep -c "names of $dir/libbad.so could not be read: reading it ended with signal 11" out)" = 1 ] ||
			fail "$command: no note, or more than one: $(grep 'names of' out)"
	done
	LD_PRELOAD="$dir/faulty.so" taskset -c "$cores" ringside heap --traces --json run.rsd >out.json || fail "json"
	check "the bad library is shown by offsets" '[.. | .function? // empty] | any(startswith("libbad.so+0x"))' <out.json
	check "the note is in the JSON" '.notes | any(contains("libbad.so could not be read"))' <out.json
done
[ -z "$(find . -name 'core*')" ] || fail "a core dump was left behind"

# And without the fault it has names like the others.
ringside heap run.rsd | grep -q 'from_bad_library' || fail "the library is readable after all"
exit 0
