# Title: musl and static programs, started by recorded ones
# Needs: musl-gcc gcc busybox
# Package: musl-tools
# Time: 60
# Quick: yes

prepare() {
	cat >program.c <<'C'
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sem_t done;
static int state, got;
static void on_signal(int sig)
{
	got = sig;
}
static void *work(void *arg)
{
	for (int i = 0; i < 10000; i++)
		free(realloc(malloc(10), 100));
	pthread_mutex_lock(&lock);
	state = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	sem_post(&done);
	return arg;
}
int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct timespec soon;
	pthread_t thread;
	void *aligned = NULL;
	char *line = NULL, text[20];
	size_t cap = 0;
	int fds[2], status, file;
	struct pollfd waited;
	FILE *f;
	sem_init(&done, 0, 0);
	pthread_create(&thread, NULL, work, NULL);
	pthread_mutex_lock(&lock);
	while (!state)
		pthread_cond_wait(&changed, &lock);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec = (soon.tv_nsec + 1000000) % 1000000000;
	printf("%d\n", pthread_cond_timedwait(&changed, &lock, &soon) == ETIMEDOUT);
	pthread_mutex_unlock(&lock);
	sem_wait(&done);
	pthread_join(thread, NULL);
	printf("%d %d\n", posix_memalign(&aligned, 64, 100), aligned_alloc(64, 128) != NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	pipe(fds);
	if (!fork())
		write(fds[1], "child", 5), _exit(3);
	waited = (struct pollfd){ fds[0], POLLIN };
	printf("%d %d\n", poll(&waited, 1, 5000), (int)read(fds[0], text, sizeof(text)));
	wait(&status);
	printf("%d %d %d\n", WEXITSTATUS(status), got == SIGUSR1, syscall(SYS_getpid) == getpid());
	f = fopen("file", "w+");
	fprintf(f, "one\ntwo\n");
	rewind(f);
	while (getline(&line, &cap, f) > 0)
		printf("%s", line);
	fclose(f);
	file = open("file", O_RDWR | O_CREAT, 0600);
	printf("%d %d %d\n", fcntl(file, F_GETFL) & O_ACCMODE, fsync(file), (int)pread(file, text, 3, 4));
	printf("%d %d\n", system("exit 4") >> 8, usleep(1000));
	return 5;
}
C
	musl-gcc -static -o static program.c && gcc -static -w -D_GNU_SOURCE -pthread -o static-glibc program.c &&
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
