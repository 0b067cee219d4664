/* SPDX-License-Identifier: MIT */
/*
 * semantics.c - what calls promise, one scene per argument: prints the same with and without a recorder.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

static void burn(uint64_t dur_ns)
{
	uint64_t until_ns = clock_thread_cpu_ns() + dur_ns;

	while (clock_thread_cpu_ns() < until_ns)
		;
}

/* ---- vfork: the child runs on its parent's stack until it executes something else --------------------------- */

static int vfork_once(const char *path, int i)
{
	char *const argv[] = { (char *)(uintptr_t)path, NULL }, *const envp[] = { NULL };
	sigset_t all, old;
	int status = 0;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = vfork();
	if (!pid) {
		int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(fd, 99);
		close(99);
		close(fd);
		sigprocmask(SIG_SETMASK, &old, NULL);
		execve(path, argv, envp);
		_exit(i & 7);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void scene_vfork(void)
{
	int failing = 0, working = 0;

	for (int i = 0; i < 2000; i++) {
		if (i % 20 == 0)
			burn(1000000);
		failing += vfork_once("/nonexistent", i) == (i & 7);
	}
	for (int i = 0; i < 30; i++)
		working += vfork_once("/bin/true", 1) == 0;
	printf("%d of 2000 exec's failed as they must, %d of 30 worked\n", failing, working);
}

/* ---- functions with an argument that is not always there ------------------------------------------------------ */

static void print_mode(const char *what, int fd)
{
	struct stat st = { 0 };

	fstat(fd, &st);
	printf("%s: %o\n", what, st.st_mode);
	close(fd);
}

static void scene_variadics(void)
{
	struct flock range = { .l_type = F_WRLCK, .l_len = 3 };
	char *page;

	umask(0);
	print_mode("open", open("v1", O_CREAT | O_EXCL | O_RDWR, 0641));
	print_mode("open64", open64("v2", O_CREAT | O_EXCL | O_RDWR, 0752));
	print_mode("openat", openat(AT_FDCWD, "v3", O_CREAT | O_EXCL | O_RDWR, 04711));
	print_mode("openat64", openat64(AT_FDCWD, "v4", O_CREAT | O_EXCL | O_RDWR, 0600));
	print_mode("O_TMPFILE", open(".", O_TMPFILE | O_RDWR, 0123));
	print_mode("no mode", open("v1", O_RDWR));
	print_mode("F_DUPFD", fcntl(0, F_DUPFD, 57));
	printf("F_DUPFD: %d\n", fcntl(0, F_DUPFD_CLOEXEC, 57));
	printf("F_GETFD: %d\n", fcntl(57, F_GETFD));
	printf("F_GETLK: %d", fcntl(open("v1", O_RDWR), F_GETLK, &range));
	printf(" %d\n", range.l_type == F_UNLCK);
	page = (char *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page[4095] = 7;
	printf("syscall of six: %d, of none: %d\n", page[4095], syscall(SYS_getppid) == getppid());
	printf("prctl: %d", prctl(PR_SET_NAME, "semantic"));
	printf(" %d\n", prctl(PR_GET_DUMPABLE));
	for (int i = 1; i <= 4; i++)
		unlink((char[]){ 'v', (char)('0' + i), 0 });
}

/* ---- mutexes of every kind: what lock, trylock and unlock say ------------------------------------------------- */

static void *die_with(void *mutex)
{
	pthread_mutex_lock(mutex);
	return NULL;
}

static void try_mutex(int type, int protocol, int robust)
{
	struct timespec past = { 1, 0 };
	pthread_mutexattr_t attr;
	pthread_mutex_t mutex;
	pthread_t thread;
	int init, is_deaf = type == PTHREAD_MUTEX_NORMAL || type == PTHREAD_MUTEX_ADAPTIVE_NP;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setprotocol(&attr, protocol);
	pthread_mutexattr_setrobust(&attr, robust);
	init = pthread_mutex_init(&mutex, &attr);
	printf("type %d protocol %d robust %d: init %d", type, protocol, robust, init);
	if (init) {
		printf("\n");
		return;
	}
	printf(" lock %d", pthread_mutex_lock(&mutex));
	/* These would wait for itself. */
	printf(" again %d", is_deaf ? -1 : pthread_mutex_lock(&mutex));
	printf(" timed %d", pthread_mutex_timedlock(&mutex, &past));
	printf(" unlock %d", pthread_mutex_unlock(&mutex));
	printf(" unlock %d", pthread_mutex_unlock(&mutex));
	printf(" unlock %d", is_deaf ? -1 : pthread_mutex_unlock(&mutex));
	if (robust == PTHREAD_MUTEX_ROBUST && !pthread_create(&thread, NULL, die_with, &mutex)) {
		pthread_join(thread, NULL);
		printf(" after death %d", pthread_mutex_lock(&mutex));
		printf(" consistent %d", pthread_mutex_consistent(&mutex));
		printf(" unlock %d", pthread_mutex_unlock(&mutex));
	}
	printf(" destroy %d\n", pthread_mutex_destroy(&mutex));
}

static void scene_mutexes(void)
{
	for (int type = PTHREAD_MUTEX_NORMAL; type <= PTHREAD_MUTEX_ADAPTIVE_NP; type++)
		for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_PROTECT; protocol++)
			for (int robust = 0; robust <= 1; robust++)
				try_mutex(type, protocol, robust);
}

/* ---- the allocator: same places, sizes, contents and errors --------------------------------------------------- */

#define SLOTS 512

static uint64_t random_state = 1, digest = 14695981039346656037u;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void mix(uint64_t value)
{
	digest = (digest ^ value) * 1099511628211u;
}

static size_t random_size(void)
{
	uint64_t r = random_next();

	if (r % 1000 == 0)
		return (size_t)-1 - r % 100;
	if (r % 50 == 0)
		return r % 3 ? 0 : 150000 + r % 100000;
	return r >> 8 & 2047;
}

static void *allocate(size_t size, void *old)
{
	size_t align = (size_t)1 << random_next() % 13;
	void *block = NULL;
	int err;

	switch (random_next() % 9) {
	case 0:
		return calloc(size, 1);
	case 1:
		return calloc(3, size / 2);
	case 2:
		return reallocarray(NULL, size, 2);
	case 3:
		err = posix_memalign(&block, align, size);
		mix((uint64_t)err);
		return err ? NULL : block;
	case 4:
		return aligned_alloc(align, size);
	case 5:
		return memalign(align, size);
	case 6:
		return valloc(size);
	case 7:
		free(old);
		return malloc(size);
	default:
		return pvalloc(size % 5000);
	}
}

static void check_block(const unsigned char *block, size_t size, unsigned char want)
{
	for (size_t i = 0; i < size; i += 97) {
		if (block[i] != want)
			printf("CONTENTS LOST\n");
	}
}

/* Places are told as distances: where the heap begins is random. Mapped blocks go by their place in the page. */
static void mix_block(char *block, const char *origin)
{
	ptrdiff_t distance = block - origin;

	mix(block == NULL);
	mix((uint64_t)(distance > 0 && distance < 1 << 28 ? distance : (ptrdiff_t)((uintptr_t)block & 4095)));
	mix(malloc_usable_size(block));
}

static void scene_allocator(void)
{
	static char *slots[SLOTS];
	static size_t sizes[SLOTS];
	char *origin = malloc(1);

	for (int i = 0; i < 200000; i++) {
		int at = (int)(random_next() % SLOTS);
		size_t size = random_size();
		char *block;

		errno = 0;
		if (slots[at] && random_next() % 3 == 0) {
			block = realloc(slots[at], size);
			if (block)
				check_block((unsigned char *)block, size < sizes[at] ? size : sizes[at],
					    (unsigned char)at);
			else if (size)
				free(slots[at]);
		} else {
			free(slots[at]);
			block = allocate(size, NULL);
		}
		mix((uint64_t)errno);
		mix_block(block, origin);
		slots[at] = block;
		sizes[at] = block ? malloc_usable_size(block) : 0;
		memset(block ? block : (char *)&digest, block ? at : 0, block ? sizes[at] : 0);
	}
	printf("places, sizes and errors of 200000 calls: %016lx\n", digest);
}

/* ---- a time stamp counter that must not be read ---------------------------------------------------------------- */

static void *allocate_much(void *arg)
{
	for (int i = 0; i < 100000; i++) {
		void *volatile block = malloc(50);

		free(block);
	}
	return arg;
}

static void scene_tsc(void)
{
	struct timespec short_time = { 0, 1000000 };
	pthread_t thread;

	printf("forbidden: %d\n", prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
	allocate_much(NULL);
	syscall(SYS_nanosleep, &short_time, NULL);
	if (!pthread_create(&thread, NULL, allocate_much, NULL))
		pthread_join(thread, NULL);
	printf("allowed: %d\n", prctl(PR_SET_TSC, PR_TSC_ENABLE));
	allocate_much(NULL);
}

static const struct {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "vfork", scene_vfork },     { "variadics", scene_variadics },
	{ "mutexes", scene_mutexes }, { "allocator", scene_allocator },
	{ "tsc", scene_tsc },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		if (argc != 2 || strcmp(argv[1], scenes[i].name))
			continue;
		scenes[i].play();
		return fflush(stdout) ? 1 : 0;
	}
	fprintf(stderr, "semantics: one scene, please\n");
	return 2;
}
