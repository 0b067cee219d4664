/* SPDX-License-Identifier: MIT */
/*
 * calls.h - the rows of calls.def as functions, and the props they need.
 *
 * A call's `prepare` makes the situation, `make` is nothing but the call. calls_begin makes what all calls share; a
 * child of fork has it as well. calls_check fails when a function of preload/hooks.def has no row, or none in which
 * it fails, though libc's can.
 */
#ifndef TESTS_PROGRAMS_CALLS_H
#define TESTS_PROGRAMS_CALLS_H

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "preload/hook.h" /* prototypes that libc's headers lack */

struct call {
	const char *function, *situation;
	void (*prepare)(void);
	long (*make)(void);
};

/* ---- props ---------------------------------------------------------------------------------------------------- */

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static volatile size_t huge = (size_t)1 << 62, half = SIZE_MAX / 2, zero;
static void *kept, *mapped = MAP_FAILED;
static pthread_mutex_t mutex;
static pthread_rwlock_t rwlock;
static pthread_cond_t cond;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_attr_t detached, impossible;
static pthread_t thread, sleeper;
static sem_t sem;
static mtx_t mtx;
static cnd_t cnd;
static thrd_t thrd;
static pthread_key_t key, keys[2000];
static int keys_len;
static struct timespec past = { 1, 0 }, bad_time = { 0, -1 }, moment = { 0, 200000 }, soon, far = { 1l << 40, 0 };
static int ends[2], socks[2], broken, file, file2, proc, epoll, listener, sock = -1, spare, last_fd = -1;
static int number;
static off_t off0, off1;
static char buf[64] = "line\n", *line, path[] = "calls.XXXXXX", path2[] = "calls.XXXXXX";
static size_t line_cap;
static struct iovec iov = { buf, 1 };
static struct mmsghdr mmsg = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
static struct pollfd pollfd = { .events = POLLIN };
static struct epoll_event event;
static int counter, pair[2];
static eventfd_t counted;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_len;
static struct flock file_lock = { .l_type = F_WRLCK, .l_len = 1 };
static struct sigaction action;
static sigset_t no_signals, usr2, pending;
static FILE *stream, *piped;
static pid_t child;
static void *library;

static void must(int ok)
{
	if (ok)
		return;
	perror("calls: a prop");
	exit(1);
}

static void nothing(void)
{
}

static void *no_address(void)
{
	return (void *)(volatile uintptr_t){ 8 };
}

static long is(const void *p)
{
	return p != NULL;
}

static long sign(long value)
{
	return value > 0 ? 1 : value < 0 ? -1 : 0;
}

static void *put(void *block)
{
	return kept = block;
}

static void *take(void)
{
	void *block = kept;

	kept = NULL;
	return block;
}

/* The block before is leaked: its free would be a call of its own. */
static void *keep(void *block)
{
	return put(block);
}

static int keep_fd(int fd)
{
	return last_fd = fd;
}

static void unmap(void)
{
	if (mapped != MAP_FAILED)
		munmap(mapped, 4096);
}

/* Unmapped twice, it could be somebody else's by then. */
static void *taken_map(void)
{
	void *p = mapped;

	mapped = MAP_FAILED;
	return p;
}

static void map(void)
{
	unmap();
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
	must(mapped != MAP_FAILED);
}

static void no_key(void)
{
	while (keys_len)
		pthread_key_delete(keys[--keys_len]);
}

/* All that libc has. The two calls that follow take none, and are cleaned up after by the next no_key. */
static void all_keys(void)
{
	no_key();
	while (keys_len < 2000 && !pthread_key_create(&keys[keys_len], NULL))
		keys_len++;
}

static void free_locks(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&mutex, &attr);
	pthread_rwlock_init(&rwlock, NULL);
	pthread_cond_init(&cond, NULL);
	cnd_init(&cnd);
	mtx_init(&mtx, mtx_timed | mtx_recursive);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 2000000;
	if (soon.tv_nsec >= 1000000000) {
		soon.tv_nsec -= 1000000000;
		soon.tv_sec++;
	}
}

static void held_locks(void)
{
	free_locks();
	must(!pthread_mutex_lock(&mutex) && !pthread_rwlock_wrlock(&rwlock) && mtx_lock(&mtx) == thrd_success);
}

static void *hold(void *arg)
{
	held_locks();
	return arg;
}

static void start_thread(void *(*start)(void *))
{
	must(!pthread_create(&thread, NULL, start, NULL));
}

static void others_locks(void)
{
	start_thread(hold);
	must(!pthread_join(thread, NULL));
}

/* Can be done only when the one who holds both mutexes waits. */
static void *signal_conditions(void *arg)
{
	for (int is_over = 0; !is_over; usleep(500)) {
		if (!pthread_mutex_trylock(&mutex)) {
			is_over = 1;
			pthread_cond_signal(&cond);
			pthread_mutex_unlock(&mutex);
		}
		if (mtx_trylock(&mtx) == thrd_success) {
			is_over = 1;
			cnd_signal(&cnd);
			mtx_unlock(&mtx);
		}
	}
	return arg;
}

static void signaller(void)
{
	held_locks();
	must(!pthread_create(&thread, &detached, signal_conditions, NULL));
}

static void fresh_sem(unsigned value)
{
	sem_init(&sem, 0, value);
}

static void *post_later(void *arg)
{
	usleep(2000);
	sem_post(&sem);
	return arg;
}

static void later_sem(void)
{
	fresh_sem(0);
	must(!pthread_create(&thread, &detached, post_later, NULL));
}

static void fresh_barrier(void)
{
	pthread_barrier_init(&barrier, NULL, 1);
}

static void fresh_spin(void)
{
	pthread_spin_init(&spin, 0);
}

static void *return_arg(void *arg)
{
	return arg;
}

static int return_0(void *arg)
{
	(void)arg;
	return 0;
}

/* A join acts upon a cancellation only when it has to wait: the thread must have ended, in the kernel's view too. */
static pid_t tid_of_ended;

static void *tell_tid(void *arg)
{
	__atomic_store_n(&tid_of_ended, syscall(SYS_gettid), __ATOMIC_RELEASE);
	return arg;
}

static int tell_tid_c11(void *arg)
{
	tell_tid(arg);
	return 0;
}

static void wait_until_ended(void)
{
	pid_t tid;

	while (!(tid = __atomic_exchange_n(&tid_of_ended, 0, __ATOMIC_ACQUIRE)))
		sched_yield();
	while (!syscall(SYS_tgkill, getpid(), tid, 0))
		sched_yield();
}

static void ended_thread(void)
{
	start_thread(tell_tid);
	wait_until_ended();
}

static void ended_thrd(void)
{
	must(!thrd_create(&thrd, tell_tid_c11, NULL));
	wait_until_ended();
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* To the calling thread, whatever others there are. */
static void alarm_in_us(long us)
{
	struct sigevent event_ = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	struct itimerspec in = { .it_value = { 0, us * 1000 } };
	timer_t timer;

	event_._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	must(!timer_create(CLOCK_MONOTONIC, &event_, &timer) && !timer_settime(timer, 0, &in, NULL));
}

static void send_usr2(void)
{
	must(!pthread_kill(pthread_self(), SIGUSR2));
}

static struct timeval *short_timeval(void)
{
	static struct timeval timeval;

	timeval = (struct timeval){ 0, 200 };
	return &timeval;
}

static void drain(int fd)
{
	char some[256];

	while (syscall(SYS_read, fd, some, sizeof(some)) > 0)
		;
}

static void drain_pipe(void)
{
	drain(ends[0]);
	pollfd.fd = ends[0];
}

static void fill_pipe(void)
{
	drain_pipe();
	must(write(ends[1], "x", 1) == 1);
}

static void fill_counter(void)
{
	drain(counter);
	must(!eventfd_write(counter, 2));
}

static void added_to_epoll(void)
{
	must(!epoll_ctl(epoll, EPOLL_CTL_ADD, socks[0], &(struct epoll_event){ .events = EPOLLIN }));
}

static int made_pair(int ret)
{
	return ret ? ret : close(pair[0]) || close(pair[1]);
}

static void fill_file(void)
{
	off0 = 0;
	off1 = 100;
	must(pwrite(file, "line\nline\n", 10, 0) == 10 && lseek(file, 0, SEEK_SET) == 0);
}

static void drain_sockets(void)
{
	drain(socks[0]);
}

static void fill_sockets(void)
{
	drain_sockets();
	must(write(socks[1], "x", 1) == 1);
}

static void no_connection(void)
{
	int fd;

	while ((fd = (int)syscall(SYS_accept, listener, NULL, NULL)) >= 0)
		close(fd);
}

static void fresh_socket(void)
{
	no_connection();
	if (sock >= 0)
		close(sock);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(sock >= 0);
}

static void pending_connection(void)
{
	fresh_socket();
	must(!connect(sock, (void *)&address, address_len));
}

/* A byte to lock that no other process has locked. */
static void own_place(void)
{
	file_lock.l_start = getpid();
	must(lseek(file, getpid(), SEEK_SET) >= 0);
}

static void spare_fd(void)
{
	spare = dup(file);
	must(spare >= 0);
}

static void fresh_stream(int fd, const char *mode)
{
	if (stream)
		fclose(stream);
	stream = fdopen(dup(fd), mode);
	must(stream != NULL);
}

static FILE *taken_stream(void)
{
	FILE *f = stream;

	stream = NULL;
	return f;
}

static void stream_of_file(void)
{
	fill_file();
	fresh_stream(file, "r");
}

static void unbuffered_stream(void)
{
	fill_file();
	fresh_stream(file, "r+");
	setvbuf(stream, NULL, _IONBF, 0);
}

static void broken_stream(const char *mode)
{
	fresh_stream(proc, "r");
	fclose(taken_stream());
	fresh_stream(file, *mode == 'r' ? "r" : "r+");
	if (*mode == 'w')
		setvbuf(stream, NULL, _IONBF, 0);
	close(fileno(stream));
}

static void unflushed_stream(void)
{
	fill_file();
	fresh_stream(file, "r+");
	must(fputs("text", stream) >= 0);
}

static void unflushed_broken_stream(void)
{
	unflushed_stream();
	close(fileno(stream));
}

/* By system calls: wait and waitpid are cancellation points themselves. */
static void reap(void)
{
	while (syscall(SYS_wait4, -1, NULL, 0, NULL) > 0)
		;
}

static long fork_once(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid > 0;
}

static void ended_child(void)
{
	siginfo_t info;

	reap();
	child = fork();
	if (!child)
		_exit(0);
	must(syscall(SYS_waitid, P_PID, child, &info, WEXITED | WNOWAIT, NULL) == 0);
}

static void open_pipe(void)
{
	reap();
	piped = popen("exit 3", "r");
	must(piped != NULL);
}

static void open_library(void)
{
	library = dlopen("libm.so.6", RTLD_NOW);
	must(library != NULL);
}

/* ---- begin ---------------------------------------------------------------------------------------------------- */

static void begin_files(void)
{
	int closed[2];

	must(!pipe2(ends, O_NONBLOCK | O_CLOEXEC) && !pipe2(closed, O_CLOEXEC));
	close(closed[0]);
	broken = closed[1];
	file = mkostemp(path, O_CLOEXEC);
	file2 = mkostemp(path2, O_CLOEXEC);
	must(file >= 0 && file2 >= 0 && !unlink(path) && !unlink(path2));
	proc = open("/proc", O_RDONLY | O_CLOEXEC);
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, socks) && proc >= 0);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	counter = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	must(counter >= 0);
	must(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &(struct epoll_event){ .events = EPOLLIN }));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* A name of the kernel's making, in no file system. */
	address_len = sizeof(address.sun_family);
	must(listener >= 0 && !bind(listener, (void *)&address, address_len) && !listen(listener, 100));
	address_len = sizeof(address);
	must(!getsockname(listener, (void *)&address, &address_len));
}

static void calls_begin(void)
{
	struct sigaction alarmed = { .sa_handler = on_alarm };

	sigemptyset(&no_signals);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &usr2, NULL);
	sigaction(SIGALRM, &alarmed, NULL);
	signal(SIGPIPE, SIG_IGN);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_attr_init(&impossible);
	pthread_attr_setstacksize(&impossible, (size_t)1 << 50);
	must(!pthread_create(&sleeper, NULL, sleep_for_ever, NULL));
	free_locks();
	begin_files();
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

/* sigset and its like are called because old programs do. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#define CALL_JOIN(a, b) a##b
#define CALL_NAME(a, b) CALL_JOIN(a, b)
#define CALL(function, situation, before, call)                                                                        \
	static void CALL_NAME(prepare_, __LINE__)(void)                                                                \
	{                                                                                                              \
		before;                                                                                                \
	}                                                                                                              \
	static long CALL_NAME(make_, __LINE__)(void)                                                                   \
	{                                                                                                              \
		return (long)(call);                                                                                   \
	}
#define ONE_OUTCOME(function)
#include "calls.def"

static const struct call calls[] = {
#define CALL(function, situation, before, call)                                                                        \
	{ #function, situation, CALL_NAME(prepare_, __LINE__), CALL_NAME(make_, __LINE__) },
#define ONE_OUTCOME(function) { #function, NULL, NULL, NULL },
#include "calls.def"
};
#define CALLS (sizeof(calls) / sizeof(*calls))

/* Rows without a situation are the ONE_OUTCOME. */
static int calls_count(const char *function, int *one_outcome)
{
	int count = 0;

	*one_outcome = 0;
	for (size_t i = 0; i < CALLS; i++) {
		if (strcmp(calls[i].function, function))
			continue;
		if (calls[i].situation)
			count++;
		else
			*one_outcome = 1;
	}
	return count;
}

/* For programs that make calls: returns how many functions of the library have too few rows, each told on stdout. */
static inline int calls_check(void)
{
	static const char *const hooks[] = {
#define HOOK(ret, name, params, version) #name,
#include "preload/hooks.def"
	};
	int missing = 0;

	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		int one_outcome, count = calls_count(hooks[i], &one_outcome);

		if (count >= 2 - one_outcome)
			continue;
		printf("calls.def: %s has %d rows: one in which it succeeds and one in which it fails are needed\n",
		       hooks[i], count);
		missing++;
	}
	return missing;
}

#endif
