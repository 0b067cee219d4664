# Title: AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer: clean programs and found faults, gcc and clang
# Needs: gcc clang
# Package: gcc clang
# Time: 120

# The runtime of AddressSanitizer wants to be first: with a library before it, it refuses to start. So it is preloaded
# before ours here, as docs/safety.md says.

prepare() {
	cat >program.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
static int shared;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *how)
{
	for (int i = 0; i < 10000; i++) {
		char *block = malloc(16 + i % 500);
		memset(block, i, 16);
		if (!how)
			pthread_mutex_lock(&lock);
		shared++;
		if (!how)
			pthread_mutex_unlock(&lock);
		free(realloc(block, 1000));
	}
	return NULL;
}
int main(int argc, char **argv)
{
	pthread_t threads[4];
	const char *what = argc > 1 ? argv[1] : "";
	volatile int max = 0x7fffffff, shift = 40, array[4] = { 0 };
	char *block = malloc(10);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work, !strcmp(what, "race") ? &shared : NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	if (!fork())
		_exit(3);
	int status;
	wait(&status);
	if (!strcmp(what, "overflow"))
		block[10 + array[0]] = 1;
	if (!strcmp(what, "use"))
		free(block), block[1] = 1;
	if (!strcmp(what, "twice"))
		free(block);
	if (!strcmp(what, "undefined"))
		printf("%d %d\n", max + 1, 1 << shift);
	if (strcmp(what, "leak"))
		free(block);
	block = NULL;
	printf("%s: %d %d\n", what, strcmp(what, "race") ? shared : 0, WEXITSTATUS(status));
	return 0;
}
C
	for cc in gcc clang; do
		for kind in address undefined thread; do
			$cc -g -O1 -w -pthread -fsanitize=$kind -o $cc-$kind program.c || echo "no $kind with $cc"
		done
	done
}

first() { # runtime program [argument]
	local runtime
	runtime=$(ldd "$2" | sed -n "s/.*lib$1[^ ]* => \([^ ]*\) .*/\1/p")
	shift
	if [ -n "${LD_PRELOAD:-}" ] && [ -n "$runtime" ]; then
		LD_PRELOAD="$runtime:$LD_PRELOAD" "$@"
	else
		"$@"
	fi
}

run() {
	local what
	export ASAN_OPTIONS=detect_leaks=1:color=never TSAN_OPTIONS=color=never
	for what in clean overflow use twice leak; do
		first asan "$prepared/gcc-address" $what 2>"$TMPDIR/err"
		echo "gcc address $what: $? $(grep -o 'AddressSanitizer: [a-z-]*\|LeakSanitizer: detected' "$TMPDIR/err" | sort -u)"
		grep -o '#0 .*\|[0-9]* byte(s) leaked.*' "$TMPDIR/err" | head -n 1 | sed 's/0x[0-9a-f]*//'
		if [ -x "$prepared/clang-address" ]; then
			"$prepared/clang-address" $what 2>"$TMPDIR/err"
			echo "clang address $what: $? $(grep -o 'AddressSanitizer: [a-z-]*\|LeakSanitizer: detected' "$TMPDIR/err" | sort -u)"
		fi
	done
	for what in clean undefined; do
		for cc in gcc clang; do
			[ -x "$prepared/$cc-undefined" ] && "$prepared/$cc-undefined" $what 2>&1 | sed 's/.*runtime error/runtime error/'
		done
	done
	for what in clean race; do
		first tsan "$prepared/gcc-thread" $what 2>"$TMPDIR/err"
		echo "gcc thread $what: $? $(grep -o 'ThreadSanitizer: data race' "$TMPDIR/err" | sort -u)"
		[ -x "$prepared/clang-thread" ] || continue
		"$prepared/clang-thread" $what 2>"$TMPDIR/err"
		echo "clang thread $what: $? $(grep -o 'ThreadSanitizer: data race' "$TMPDIR/err" | sort -u)"
	done
}
