#!/bin/sh
# Real recordings and programs, cut and with wrong bits, through the commands as a user runs them: 0 or "could not be read", in time.
# Names are looked up too. tests/analyzer/commands/test_hostile.c and tests/fuzz do more of it, without processes.
. "$(dirname "$0")/lib.sh"

ringside record -o raw.rsd -- waits --only wait_sem >/dev/null 2>&1 || fail "record"
ringside record -z -o packed.rsd -- true >/dev/null 2>&1 || fail "record -z"
tried=0

try() { # WHAT FILE
	for command in report heap cpu block dump; do
		timeout 60 ringside $command "$2" >out 2>err
		code=$?
		case $code in 0 | 3) ;; *) fail "$1: ringside $command: exit $code: $(cat err)" ;; esac
		tried=$((tried + 1))
	done
}

size=$(stat -c %s packed.rsd)
for cut in $(seq 0 23 $((size - 1))); do
	head -c "$cut" packed.rsd >cut.rsd
	try "compressed, cut at $cut of $size" cut.rsd
	[ $code = 3 ] || fail "a part of a compressed dump was read as if it were whole: $cut of $size"
done

cat >flip.py <<'P'
# flip.py SEED FILE: some wrong bits in the parts of the file that are not empty
import random, sys
random.seed(int(sys.argv[1]))
data = bytearray(open(sys.argv[2], "rb").read())
full = [i for i, byte in enumerate(data) if byte]
for _ in range(random.choice([1, 4, 40])):
    data[random.choice(full)] ^= 1 << random.randrange(8)
sys.stdout.buffer.write(data)
P
for seed in $(seq 1 12); do
	for file in raw packed; do
		python3 flip.py "$seed" $file.rsd >flipped.rsd || fail "flip.py"
		try "$file with wrong bits, seed $seed" flipped.rsd
	done
done

# The recorded program may be damaged as well: its names may be wrong then, nothing else.
cat >named.c <<'C'
#include <stdlib.h>
void *volatile kept;
static __attribute__((noinline)) void make(int n) { kept = malloc(n); }
int main(void)
{
	for (int i = 1; i < 100; i++)
		make(i);
	return 0;
}
C
gcc -g -O1 -Wl,--build-id=none -o named named.c && cp named whole || fail "no compiler"
ringside record -o named.rsd ./named 2>/dev/null || fail "record"
ringside heap named.rsd | grep -q 'make' || fail "no names in the first place"
for seed in $(seq 1 15); do
	python3 flip.py "$seed" whole >named
	try "a program with wrong bits, seed $seed" named.rsd
	[ $code = 0 ] || fail "a damaged program made the dump unreadable, seed $seed"
done
echo "$tried commands"
