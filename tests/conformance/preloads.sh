# Title: other preloaded libraries, before and after ours: fakeroot, faketime, eatmydata, jemalloc, tcmalloc, mimalloc
# Needs: fakeroot faketime gcc
# Package: fakeroot faketime libeatmydata1 libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0
# Time: 120
# Quick: yes

prepare() {
	cat >program.c <<'C'
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;
static void *work(void *arg)
{
	char *blocks[100] = { 0 };
	for (int i = 0; i < 30000; i++) {
		char **at = &blocks[i * 7 % 100];
		*at = i % 3 ? realloc(*at, 1 + i * 31 % 5000) : (free(*at), calloc(1, 1 + i % 300));
		(*at)[0] = 1;
	}
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 100; i++)
		sum += blocks[i] ? blocks[i][0] : 0, free(blocks[i]);
	pthread_mutex_unlock(&lock);
	return NULL;
}
int main(void)
{
	pthread_t threads[4];
	void *aligned;
	int status, file = open("out", O_CREAT | O_WRONLY, 0600);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("%ld %d %d\n", sum, posix_memalign(&aligned, 256, 1000), (int)((size_t)aligned % 256));
	printf("%d\n", malloc_usable_size(aligned) >= 1000);
	free(aligned);
	printf("%zd %d\n", write(file, "text", 4), fsync(file));
	fflush(stdout);
	if (!fork())
		work(NULL), _exit(sum != 0);
	wait(&status);
	printf("child %d\n", WEXITSTATUS(status));
	return 0;
}
C
	gcc -O1 -w -pthread -o program program.c
}

# with LIBRARY COMMAND... : preloaded before ours, and after.
with() {
	local library
	library=$(ls /usr/lib/*/"$1" 2>/dev/null | head -n 1)
	[ -n "$library" ] || fail "$1 is not installed"
	shift
	LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}" "$@"
	echo "before: $?"
	LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}$library" "$@"
	echo "after: $?"
}

run() {
	local library
	for library in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2.0 libeatmydata.so; do
		echo "== $library"
		with $library "$prepared/program"
		with $library sort -S 1M /etc/passwd | sha256sum
		with $library bash -c 'echo $(seq 1000 | wc -l); (exit 3); echo $?'
		with $library perl -e 'my %h = map { $_ => "x" x $_ } 1 .. 3000; print scalar(keys %h), "\n"'
	done
	echo "== fakeroot"
	cat >owned.sh <<'SH'
	touch f; chown 12:34 f; mknod node c 1 3; stat -c '%u %g %F' f node
	tar cf - f node | tar tvf - | cut -d' ' -f1,2; id -u; rm node
SH
	fakeroot sh owned.sh
	echo "fakeroot: $?"
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all fakeroot sh -c 'id -u; echo $((1 + 1))'
	echo "fakeroot as nobody: $?"
	with libfakeroot/libfakeroot-sysv.so true
	echo "== faketime"
	faketime '2001-02-03 04:05:06' date +%Y-%m-%d
	faketime -f '+1y x10' bash -c 'sleep 2; echo slept'
	faketime '2001-02-03 04:05:06' perl -e 'print 0 + (localtime)[5], "\n"; select undef, undef, undef, 0.1; alarm 1; $SIG{ALRM} = sub { print "alarm\n" }; sleep 3'
	FAKETIME='@2001-02-03 04:05:06' with faketime/libfaketimeMT.so.1 "$prepared/program"
}
