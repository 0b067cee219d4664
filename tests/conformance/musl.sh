# Title: musl and static programs, started by recorded ones
# Needs: musl-gcc gcc busybox
# Package: musl-tools
# Time: 60
# Quick: yes

prepare() {
	cat >program.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *work(void *arg)
{
	for (int i = 0; i < 10000; i++)
		free(realloc(malloc(10), 100));
	return arg;
}
int main(void)
{
	pthread_t thread;
	void *aligned = NULL;
	pthread_create(&thread, NULL, work, NULL);
	pthread_join(thread, NULL);
	printf("%d %d\n", posix_memalign(&aligned, 64, 100), aligned_alloc(64, 128) != NULL);
	return 5;
}
C
	musl-gcc -static -o static program.c && gcc -static -w -pthread -o static-glibc program.c &&
		musl-gcc -o dynamic program.c
}

run() {
	for program in static static-glibc dynamic; do
		"$prepared/$program"
		echo "$program: $?"
	done
	busybox sh -c 'echo $((2 + 3)); busybox seq 3'
	env -i /bin/true
	echo "no environment: $?"
}
