/* SPDX-License-Identifier: MIT */
/*
 * lifecycle.c - threads and processes that begin and end in all ways, one scene per argument: prints the same with and
 * without a recorder.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

extern char **environ;
static const char *self;

static void burn(uint64_t dur_ns)
{
	uint64_t until_ns = clock_thread_cpu_ns() + dur_ns;

	while (clock_thread_cpu_ns() < until_ns)
		;
}

/* Something of every kind that is recorded. */
static int work(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* no shared one, which a fork would leave locked */
	struct timespec moment = { 0, 100000 };
	int ends[2], ok = 0;
	char byte = 0;
	void *volatile block = malloc(1000);

	block = realloc(block, 100000);
	free(block);
	pthread_mutex_lock(&mutex);
	ok += pipe(ends) == 0 && write(ends[1], "x", 1) == 1;
	pthread_mutex_unlock(&mutex);
	ok += read(ends[0], &byte, 1) == 1;
	ok += close(ends[0]) == 0 && close(ends[1]) == 0;
	ok += nanosleep(&moment, NULL) == 0;
	return ok == 4;
}

static int reap(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return status;
}

/* ---- children, by every call that makes them ------------------------------------------------------------------ */

static int in_clone(void *arg)
{
	(void)arg;
	return work() ? 5 : 1;
}

static pid_t by_clone(int flags)
{
	static char stack[1 << 16] __attribute__((aligned(16)));

	return clone(in_clone, stack + sizeof(stack), flags | SIGCHLD, NULL);
}

static pid_t by_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 5", NULL);
		_exit(1);
	}
	return pid;
}

static pid_t by_spawn(void)
{
	char *const argv[] = { "sh", "-c", "exit 5", NULL };
	pid_t pid;

	return posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) ? -1 : pid;
}

static void say_child(const char *how, pid_t pid)
{
	if (!pid)
		_exit(work() ? 5 : 1);
	printf("%s: %#x", how, reap(pid));
	printf(", parent %d\n", work());
}

static void scene_children(void)
{
	for (int i = 0; i < 3; i++) {
		say_child("fork", fork());
		say_child("_Fork", _Fork());
		say_child("clone by number", (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
		say_child("clone", by_clone(0));
		say_child("clone, shared memory", by_clone(CLONE_VM | CLONE_VFORK));
		say_child("vfork", by_vfork());
		say_child("posix_spawn", by_spawn());
	}
}

/* ---- forks while other threads record ------------------------------------------------------------------------- */

static volatile int is_over;

static void *churn(void *arg)
{
	while (!is_over)
		*(int *)arg += work();
	return arg;
}

static void scene_storm(void)
{
	pthread_t threads[4];
	int counts[4] = { 0 }, failed = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, &counts[i]);
	for (int i = 0; i < 150; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(work() ? 5 : 1);
		failed += reap(pid) != 5 << 8;
	}
	is_over = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("150 children, %d failed; all threads worked: %d\n", failed,
	       counts[0] && counts[1] && counts[2] && counts[3]);
}

/* ---- a timer's signal must not reach what is executed ---------------------------------------------------------- */

static void scene_exec(void)
{
	const char *left = getenv("LEFT");
	int rounds = left ? atoi(left) : 5;
	sigset_t all;
	char text[16];

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	burn(20000000);
	if (!rounds) {
		sigemptyset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		burn(20000000);
		printf("alive\n");
		return;
	}
	snprintf(text, sizeof(text), "%d", rounds - 1);
	setenv("LEFT", text, 1);
	execl(self, self, "exec", NULL);
	printf("exec: %s\n", strerror(errno));
}

/* ---- ends ------------------------------------------------------------------------------------------------------ */

static void at_exit_more(void)
{
	printf("last handler works: %d\n", work());
	fflush(stdout);
}

static void at_exit_exits(void)
{
	printf("handler\n");
	atexit(at_exit_more);
	exit(7);
}

static void scene_exit_in_atexit(void)
{
	atexit(at_exit_exits);
}

static void *exit_here(void *arg)
{
	exit((int)(uintptr_t)arg);
}

static void scene_exit_in_thread(void)
{
	pthread_t thread, busy;
	static int count;

	pthread_create(&busy, NULL, churn, &count);
	work();
	pthread_create(&thread, NULL, exit_here, (void *)(uintptr_t)8);
	pthread_join(busy, NULL);
}

static void on_signal_exit(int sig)
{
	exit(sig);
}

static void scene_exit_in_handler(void)
{
	signal(SIGUSR1, on_signal_exit);
	work();
	raise(SIGUSR1);
}

static void scene_quick_exit(void)
{
	at_quick_exit(at_exit_more);
	work();
	quick_exit(9);
}

static void *outlive(void *arg)
{
	usleep(20000);
	printf("the last thread works: %d\n", work());
	return arg;
}

static void scene_main_exits_first(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, outlive, NULL);
	pthread_exit(NULL);
}

static void scene_abort(void)
{
	work();
	abort();
}

/* ---- the end of a thread: keys whose destructors do what is recorded, in all passes ---------------------------- */

static pthread_key_t keys[3];
static int passes[3], worked;

static void on_key(void *value)
{
	int i = (int)(uintptr_t)value - 1;

	worked += work();
	if (++passes[i] < PTHREAD_DESTRUCTOR_ITERATIONS)
		pthread_setspecific(keys[i], value);
}

static void *use_keys(void *arg)
{
	for (int i = 0; i < 3; i++)
		pthread_setspecific(keys[i], (void *)(uintptr_t)(i + 1));
	return arg;
}

static void scene_keys(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_key_create(&keys[i], on_key);
	for (int i = 0; i < 50; i++) {
		memset(passes, 0, sizeof(passes));
		pthread_create(&thread, NULL, use_keys, NULL);
		pthread_join(thread, NULL);
	}
	printf("passes %d %d %d, worked %d times\n", passes[0], passes[1], passes[2], worked);
}

/* ---- many threads, one after another, under a limit of pending signals ----------------------------------------- */

static void *touch(void *arg)
{
	free(malloc(10));
	return arg;
}

static void on_queued(int sig)
{
	(void)sig;
}

/* What may be pending is counted for all processes of a user: so many more than there are now. */
static void limit_pending(rlim_t more)
{
	struct rlimit limit = { 0, 0 };
	unsigned long used = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "SigQ: %lu", &used);
	if (f)
		fclose(f);
	limit.rlim_cur = limit.rlim_max = used + more;
	setrlimit(RLIMIT_SIGPENDING, &limit);
}

static void scene_threads(void)
{
	int failed = 0, unsent = 0;

	signal(SIGRTMIN, on_queued);
	limit_pending(1000);
	for (int i = 0; i < 5000; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, touch, NULL))
			failed++;
		else
			pthread_join(thread, NULL);
		if (i % 100 == 0)
			unsent += sigqueue(getpid(), SIGRTMIN, (union sigval){ 0 }) != 0;
	}
	printf("5000 threads, %d failed, %d signals refused\n", failed, unsent);
}

/* ---- stacks as small as they may be, and threads that ask for their bounds -------------------------------------- */

static void scene_small_stacks(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	printf("least stack size: %d\n", pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN));
	for (int i = 0; i < 5; i++) {
		int err = pthread_create(&thread, &attr, touch, NULL);

		printf("created: %d\n", err ? err : pthread_join(thread, NULL));
	}
}

static void *ask_bounds(void *arg)
{
	int same = 1;
	size_t first = 0;

	for (int i = 0; i < 2000; i++) {
		pthread_attr_t attr;
		void *low;
		size_t size;

		pthread_getattr_np(pthread_self(), &attr);
		pthread_attr_getstack(&attr, &low, &size);
		pthread_attr_destroy(&attr);
		same &= !first || size == first;
		first = size;
	}
	*(int *)arg = same;
	return NULL;
}

static void scene_bounds(void)
{
	pthread_t threads[4];
	int same[5];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, ask_bounds, &same[i]);
	ask_bounds(&same[4]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("bounds stay: %d %d %d %d %d\n", same[0], same[1], same[2], same[3], same[4]);
}

/* ---- a thread that libc knows nothing of ------------------------------------------------------------------------ */

static volatile int raw_done;

/* It shares the first thread's thread-local area: only what needs none of it may be called. */
static int in_raw_thread(void *arg)
{
	(void)arg;
	raw_done = 1;
	syscall(SYS_exit, 0);
	return 0;
}

static void scene_raw_thread(void)
{
	static char stack[1 << 16] __attribute__((aligned(16)));

	if (clone(in_raw_thread, stack + sizeof(stack),
		  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) < 0)
		printf("clone: %s\n", strerror(errno));
	while (!raw_done)
		work();
	printf("works: %d\n", work());
}

/* ---- masks come back as they were given -------------------------------------------------------------------------- */

static int mask_is(const sigset_t *set, int (*belongs)(int))
{
	int same = 1;

	for (int sig = 1; sig <= 64; sig++)
		same &= sigismember(set, sig) ==
			(belongs(sig) && sig != SIGKILL && sig != SIGSTOP && (sig < 32 || sig > 33));
	return same;
}

static int all(int sig)
{
	(void)sig;
	return 1;
}

static int high(int sig)
{
	return sig > 40;
}

static int none(int sig)
{
	(void)sig;
	return 0;
}

static void set_mask(int (*belongs)(int), int (*before)(int))
{
	sigset_t set, old;

	sigemptyset(&set);
	for (int sig = 1; sig <= 64; sig++) {
		if (belongs(sig))
			sigaddset(&set, sig);
	}
	sigfillset(&old);
	pthread_sigmask(SIG_SETMASK, &set, &old);
	burn(5000000);
	printf("%d", mask_is(&old, before));
	sigprocmask(SIG_BLOCK, NULL, &old);
	printf("%d ", mask_is(&old, belongs));
}

static void scene_masks(void)
{
	for (int i = 0; i < 5; i++) {
		set_mask(all, none);
		set_mask(high, all);
		set_mask(none, high);
	}
	printf("\n");
}

/* ---- faults that the program handles ------------------------------------------------------------------------------
 */

static sigjmp_buf back;
static volatile sig_atomic_t faults;

static void on_fault(int sig)
{
	(void)sig;
	faults++;
	work();
	siglongjmp(back, 1);
}

static volatile int depth_guard;

static __attribute__((noinline)) int recurse(int n)
{
	volatile char room[512];

	room[0] = (char)n;
	free(malloc(20));
	if (depth_guard)
		return room[0];
	return recurse(n + 1) + room[0];
}

static void scene_faults(void)
{
	static char stack[1 << 16];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK };
	struct rlimit limit = { 1 << 20, RLIM_INFINITY };
	volatile int i;

	setrlimit(RLIMIT_STACK, &limit);
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	for (i = 0; i < 200; i++) {
		if (!sigsetjmp(back, 1))
			*(volatile int *)(uintptr_t)8 = 1;
	}
	printf("%d faults at address 8\n", faults);
	for (i = 0; i < 3; i++) {
		if (!sigsetjmp(back, 1))
			recurse(0);
	}
	printf("%d with stacks that ran over; works: %d\n", faults, work());
}

/* ---- cancelled anywhere -------------------------------------------------------------------------------------------
 */

static void *read_zeros(void *arg)
{
	int fd = *(int *)arg;
	char bytes[8];

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;) {
		if (read(fd, bytes, sizeof(bytes)) != sizeof(bytes))
			abort();
	}
	return NULL;
}

static void scene_async_cancel(void)
{
	int fd = open("/dev/zero", O_RDONLY), cancelled = 0;

	for (int i = 0; i < 300; i++) {
		pthread_t thread;
		void *result;

		pthread_create(&thread, NULL, read_zeros, &fd);
		clock_sleep_ns((uint64_t)i * 3000);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		cancelled += result == PTHREAD_CANCELED;
	}
	printf("%d of 300 cancelled; works: %d\n", cancelled, work());
}

/* ---- rights given up after the start ------------------------------------------------------------------------------
 */

static void scene_drop(void)
{
	pid_t pid;

	printf("before: %d\n", work());
	if (chroot("/var/empty-of-tests") && chroot("."))
		printf("chroot: %s\n", strerror(errno));
	printf("%d%d%d\n", chdir("/"), setgid(65534), setuid(65534));
	printf("after: %d\n", work());
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(work() ? 5 : 1);
	printf("child: %#x\n", reap(pid));
	printf("a descriptor more: %d\n", dup(0));
}

/* ---- all signals blocked for longer than the queue of pending ones can take ----------------------------------- */

static void scene_blocked(void)
{
	sigset_t set;

	limit_pending(100);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	for (volatile long i = 0; i < 500000000; i++)
		;
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	printf("alive\n");
}

static const struct {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "children", scene_children },
	{ "storm", scene_storm },
	{ "exec", scene_exec },
	{ "exit-in-atexit", scene_exit_in_atexit },
	{ "exit-in-thread", scene_exit_in_thread },
	{ "exit-in-handler", scene_exit_in_handler },
	{ "quick-exit", scene_quick_exit },
	{ "main-exits-first", scene_main_exits_first },
	{ "abort", scene_abort },
	{ "keys", scene_keys },
	{ "threads", scene_threads },
	{ "small-stacks", scene_small_stacks },
	{ "bounds", scene_bounds },
	{ "raw-thread", scene_raw_thread },
	{ "masks", scene_masks },
	{ "blocked", scene_blocked },
	{ "faults", scene_faults },
	{ "async-cancel", scene_async_cancel },
	{ "drop", scene_drop },
};

int main(int argc, char **argv)
{
	static char path[PATH_MAX];

	self = realpath("/proc/self/exe", path);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		if (argc != 2 || strcmp(argv[1], scenes[i].name))
			continue;
		setvbuf(stdout, NULL, _IOLBF, 0);
		scenes[i].play();
		return fflush(stdout) ? 1 : 0;
	}
	fprintf(stderr, "lifecycle: one scene, please\n");
	return 2;
}
