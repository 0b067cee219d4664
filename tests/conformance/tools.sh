# Title: openssl, tar, xz, zstd, pigz, lbzip2, rsync, curl, socat, gdb, strace, make -j2 with gcc and clang, find, sort, diff
# Needs: openssl tar xz zstd pigz lbzip2 rsync curl socat gdb strace make gcc clang python3
# Package: openssl tar xz-utils zstd pigz lbzip2 rsync curl socat gdb strace make gcc clang
# Time: 150

run() {
	seq 300000 >data
	echo "== compressors"
	xz -T2 -1 -k data && xz -t data.xz && xz -dc data.xz | cmp - data
	zstd -q -T2 -5 -k data && zstd -dqc data.zst | cmp - data
	pigz -p 2 -n -k data && pigz -dc data.gz | cmp - data
	lbzip2 -n 2 -k data && lbzip2 -dc data.bz2 | cmp - data
	tar --sort=name --mtime=@0 --owner=0 --group=0 -c data data.gz | sha256sum
	tar -I 'zstd -T2 -q' -cf t.tar.zst data && tar -I zstd -tf t.tar.zst && rm t.tar.zst
	echo "== openssl"
	openssl enc -aes-256-ctr -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff -iv 00112233445566778899aabbccddeeff -in data | sha256sum
	openssl genrsa 1024 2>/dev/null | openssl rsa -check -noout 2>/dev/null
	openssl speed -seconds 1 -bytes 1024 -multi 2 sha256 >"$TMPDIR/speed" 2>&1
	echo "speed: $?"
	echo "== curl"
	python3 -u -m http.server --bind 127.0.0.1 0 >"$TMPDIR/http" 2>&1 &
	server=$!
	wait_for grep -q "port " "$TMPDIR/http"
	port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$TMPDIR/http")
	curl -s "http://127.0.0.1:$port/data" | cmp - data
	curl -s --no-progress-meter -Z --parallel-max 5 -o 1 -o 2 -o 3 "http://127.0.0.1:$port/data" "http://127.0.0.1:$port/data.gz" "http://127.0.0.1:$port/none"
	echo "curl: $?"
	sha256sum 1 2 | cut -c1-16
	rm -f 1 2 3
	curl -s -m 1 http://127.0.0.1:1/
	echo "refused: $?"
	kill $server
	wait $server
	echo "server: $?"
	echo "== socat, rsync"
	socat UNIX-LISTEN:"$TMPDIR/s",fork EXEC:cat &
	server=$!
	wait_for test -S "$TMPDIR/s"
	echo through | socat -t 2 - UNIX-CONNECT:"$TMPDIR/s"
	kill $server
	wait $server
	rsync -a --exclude copy ./ copy/ && diff -r data copy/data && rm -r copy
	echo "== make"
	mkdir project
	for i in $(seq 12); do
		printf '#include <stdio.h>\n#include <stdlib.h>\nint f%d(int n) { char *b = malloc(n); int r = b ? n %% 7 + %d : 0; free(b); return r; }\n' $i $i >project/f$i.c
	done
	printf 'int printf(const char *, ...);\n%s\nint main(void) { printf("%%d\\n", %s0); return 0; }\n' \
		"$(seq 12 | sed 's/.*/int f&(int n);/')" "$(seq 12 | sed 's/.*/f&(&) +/' | tr '\n' ' ')" >project/main.c
	printf 'OBJ := $(patsubst %%.c,%%.o,$(sort $(wildcard *.c)))\nprogram: $(OBJ)\n\t$(CC) -o $@ $^\n%%.o: %%.c\n\t$(CC) -O2 -c -o $@ $<\n' >project/Makefile
	for cc in gcc clang; do
		make -s -j2 -C project CC=$cc && project/program && sha256sum project/program project/*.o | sha256sum
		make -C project -q CC=$cc
		echo "up to date: $?"
		rm project/*.o
	done
	printf 'all: a b\na b:\n\tsleep 0.1; exit 1\n' >project/failing.mk
	make -s -k -j2 -f project/failing.mk 2>&1 | sort
	echo "== gdb"
	gcc -g -w -o debugged -x c - <<'C'
#include <stdio.h>
#include <stdlib.h>
static int twice(int n) { return n * 2; }
int main(void) { int i, s = 0; for (i = 0; i < 5; i++) s += twice(i); printf("%d\n", s); return 7; }
C
	gdb -q -batch -nx -ex 'set debuginfod enabled off' -ex 'handle SIG64 nostop noprint pass' -ex 'break twice' -ex run -ex bt -ex 'print n' -ex 'delete 1' -ex finish -ex continue ./debugged 2>&1 |
		grep -v 'thread_db\|libthread\|SIG64\|Signal  *Stop\|0x[0-9a-f]' | sed 's/process [0-9]*/process N/'
	rm debugged
	echo "== strace"
	strace -f -qq -e trace=execve -o "$TMPDIR/trace" sh -c '/bin/echo a; /bin/echo b | cat; exit 3'
	echo "strace: $?, $(grep -c 'execve("' "$TMPDIR/trace") programs"
	echo "== coreutils"
	sort -S 1M -T . -rn data | sha256sum
	sort --parallel=2 -S 8M -R --random-source=data data | sha256sum
	find /usr/include -name 'std*.h' | sort | xargs -P 2 -n 5 grep -l size_t | sort | sha256sum
	timeout 0.2 sleep 5
	echo "timeout: $?"
	split -n 4 data part. && cat part.* | cmp - data
	cp --sparse=always data sparse && mv sparse moved && ln -s moved link && stat -c '%F %s' moved link
	dd if=data of=dd bs=1k count=100 status=none && tail -c 10 dd
	tee copy1 copy2 <data | wc -l
	comm -12 data copy1 | wc -l
	diff data dd | wc -l
	setpriv --reuid 65534 --regid 65534 --clear-groups id -un
	nice -n 3 nice
	env -i A=b env
	flock lockfile -c 'echo locked'
	stdbuf -oL echo buffered
	script -qec 'tty | cut -c1-8; exit 3' /dev/null | tr -d '\r'
	sleep 0.1 & wait -n
	yes | head -n 3
}
