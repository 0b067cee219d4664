/* SPDX-License-Identifier: MIT */
/*
 * names.c - everything that has a name has a hostile one: functions and locks (whose symbols a script renames),
 * threads, files, arguments, annotations. `names FILE SECRET-FILE`.
 *
 * It also keeps a secret in its heap, on its stack and in what it reads: tests look whether that is in the dump.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ringside.h>

#define ROUNDS 400
#define HOSTILE                                                                                                        \
	"\033[31mred\033]0;title\a\r\n\t\b\x7f\x9b"                                                                    \
	"2J\xff\xc3\x28\xe2\x80\xae"                                                                                   \
	"evil\xe2\x80\xa8\",;'<b>&%s%n\\"

pthread_mutex_t lock_of_names = PTHREAD_MUTEX_INITIALIZER;
static char *held[ROUNDS];

/* Apart, so that each has its own line of a report. */
__attribute__((noinline)) char *alloc_of_names(const char *secret)
{
	char *block = malloc(200);

	snprintf(block, 200, "in the heap: %s", secret);
	return block;
}

__attribute__((noinline)) void wait_of_names(long ns)
{
	struct timespec t = { 0, ns };

	nanosleep(&t, NULL);
}

__attribute__((noinline)) unsigned burn_of_names(unsigned n)
{
	for (volatile unsigned i = 0; i < 20000000; i++)
		n = n * 31 + i;
	return n;
}

__attribute__((noinline)) void hold_of_names(void)
{
	pthread_mutex_lock(&lock_of_names);
	wait_of_names(5000000);
	pthread_mutex_unlock(&lock_of_names);
}

static void *other(void *arg)
{
	prctl(PR_SET_NAME, arg);
	for (int i = 0; i < 4; i++)
		hold_of_names();
	return NULL;
}

static void annotate(int pool)
{
	ringside_task task = ringside_task_begin("task " HOSTILE);
	ringside_region region = ringside_region_begin(task, "region " HOSTILE);

	ringside_log(task, "category " HOSTILE, "text " HOSTILE);
	ringside_counter("counter " HOSTILE, 1.5);
	ringside_pool_alloc(&pool, "pool " HOSTILE, &pool, 100);
	wait_of_names(1000000);
	ringside_region_end(region);
	ringside_task_end(task);
}

int main(int argc, char **argv)
{
	char secret[100] = "", file[100] = "";
	pthread_t threads[3];
	static char *const names[] = { "\033[5mb\nc\r\t\x9b", "\xff\xfe\xe2\x80\xae x", "plain,\";'<i>" };
	int fd = argc > 2 ? open(argv[2], O_RDONLY) : -1;

	if (fd < 0 || read(fd, secret, sizeof(secret) - 1) <= 0)
		return 2;
	setenv("ANOTHER", secret, 1);
	close(fd);
	fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, other, names[i]);
	for (int i = 0; i < ROUNDS; i++) {
		held[i] = alloc_of_names(secret);
		if (pwrite(fd, held[i], 100, 0) != 100 || pread(fd, file, 99, 0) != 99)
			return 2;
		if (i % 2)
			free(held[i]);
	}
	if (!fork())
		_exit(strlen(alloc_of_names(secret)) == 0);
	wait(NULL);
	burn_of_names(1);
	annotate(1);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
