/* SPDX-License-Identifier: MIT */
/*
 * blocks.h - the rows of blocks.def as functions, and the props they need.
 *
 * blocks_begin makes the props; then blocks_poke_all, called again and again by one thread, ends waits. Without it they
 * last for good, or for wait_ms. blocks_check fails when a function of preload/hooks.def has no row.
 */
#ifndef TESTS_PROGRAMS_BLOCKS_H
#define TESTS_PROGRAMS_BLOCKS_H

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "preload/hook.h" /* prototypes that libc's headers lack */

struct block {
	const char *function, *group;
	int (*wait)(void);  /* 1: interrupted */
	void (*poke)(void); /* ends the wait */
	int is_point;	    /* of cancellation */
};

static int wait_ms = 3;		 /* of calls that end by themselves */
static int holds_for_ever;	 /* file locks of the other process */
static int lasts_for_ever(void); /* waits are to be cancelled, not to end */

static int null, nothing_ready, door, door2, lock_fd, lock_fd2, posix_fd, data_fd, caught;
static int source[2], sink[2], peers[2], takers[2], stream_source[2], stream_sink[2];
static pthread_mutex_t held_mutex = PTHREAD_MUTEX_INITIALIZER, waited_mutex;
static pthread_rwlock_t held_rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t waited = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;
static pthread_spinlock_t held_spin;
static mtx_t held_mtx, waited_mtx;
static cnd_t waited_cnd;
static sem_t waited_sem;
static pthread_t pausing, suspending, sigwaiting;
static __thread int handled;
static char small[16], big[1 << 16], fifo[] = "blocks.XXXXXX", *got_line;
static size_t got_cap;
static struct iovec small_iov = { small, 5 };
static struct iovec big_iov[] = { { big, 1000 }, { NULL, 0 }, { big + 1000, sizeof(big) - 1000 } };
static struct mmsghdr small_msg = { .msg_hdr = { .msg_iov = &small_iov, .msg_iovlen = 1 } };
static struct mmsghdr big_msg = { .msg_hdr = { .msg_iov = big_iov, .msg_iovlen = 3 } };
static struct epoll_event ready;
static int counter[2]; /* [0] is empty, [1] is full */
static eventfd_t counted;
static struct sockaddr_un door_name = { .sun_family = AF_UNIX }, door2_name = { .sun_family = AF_UNIX };
static socklen_t door_len, door2_len;
static struct flock ofd_range = { .l_type = F_WRLCK, .l_len = 1 }, posix_range = { .l_type = F_WRLCK, .l_len = 1 };
static void *file_map;
#define CHILDREN 16
static pid_t children[CHILDREN];
static int left_over;

static void must(int ok)
{
	if (ok)
		return;
	perror("blocks: a prop");
	exit(1);
}

static void nothing(void)
{
}

static int lasts_for_ever(void)
{
	return wait_ms > 1000;
}

static int cut(long ret)
{
	return ret < 0 && errno == EINTR;
}

static int cut_fd(int fd)
{
	int is_cut = cut(fd);

	if (fd >= 0)
		close(fd);
	return is_cut;
}

/* ---- time ----------------------------------------------------------------------------------------------------- */

static struct timespec *short_time(void)
{
	static __thread struct timespec time;

	time = (struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000 };
	return &time;
}

static struct timeval *short_timeval(void)
{
	static __thread struct timeval time;

	time = (struct timeval){ wait_ms / 1000, wait_ms % 1000 * 1000 };
	return &time;
}

static struct timespec *in_ms(long ms)
{
	static __thread struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += ms / 1000;
	time.tv_nsec += ms % 1000 * 1000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_nsec -= 1000000000;
		time.tv_sec++;
	}
	return &time;
}

static struct timespec *later(void)
{
	return in_ms(wait_ms);
}

static struct timespec *in_a_minute(void)
{
	return in_ms(60000);
}

/* ---- signals -------------------------------------------------------------------------------------------------- */

static void on_usr1(int sig)
{
	(void)sig;
	handled++;
}

static const sigset_t *usr2_set(void)
{
	static __thread sigset_t set;

	sigwaiting = pthread_self();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return &set;
}

/*
 * The mask that is in place. system() blocks SIGCHLD in its thread, so the kernel would pick another one to tell, and end
 * its calls: with no recorder, 181 of 200 children of system() ended another thread's epoll_wait.
 */
static const sigset_t *but_usr2(void)
{
	static __thread sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGCHLD);
	return &set;
}

static int suspend(void)
{
	return sigsuspend(but_usr2());
}

static int ended_unasked(int (*wait)(void))
{
	int before = handled;

	*(wait == suspend ? &suspending : &pausing) = pthread_self();
	wait();
	return handled == before;
}

static void signal_to(pthread_t *thread, int sig)
{
	if (*thread)
		pthread_kill(*thread, sig);
}

/* ---- locks ---------------------------------------------------------------------------------------------------- */

static void toggle_locks(void)
{
	static int is_held;

	is_held = !is_held;
	if (is_held) {
		pthread_mutex_lock(&held_mutex);
		pthread_rwlock_wrlock(&held_rw);
		mtx_lock(&held_mtx);
	} else {
		mtx_unlock(&held_mtx);
		pthread_rwlock_unlock(&held_rw);
		pthread_mutex_unlock(&held_mutex);
	}
}

static int lock_mutex(int err)
{
	if (!err)
		pthread_mutex_unlock(&held_mutex);
	return err == EINTR;
}

static int lock_rw(int err)
{
	if (!err)
		pthread_rwlock_unlock(&held_rw);
	return err == EINTR;
}

static int lock_mtx(int ret)
{
	if (ret == thrd_success)
		mtx_unlock(&held_mtx);
	return ret != thrd_success && ret != thrd_timedout;
}

static int lock_spin(void)
{
	int err = pthread_spin_lock(&held_spin);

	pthread_spin_unlock(&held_spin);
	return err != 0;
}

static void hold_spin(void)
{
	pthread_spin_lock(&held_spin);
	for (volatile int i = 0; i < 10000; i++)
		;
	pthread_spin_unlock(&held_spin);
}

/* The one who waited last may have been cancelled, and left the mutex locked. */
#define with_mutex(call)                                                                                               \
	({                                                                                                             \
		int err_;                                                                                              \
		pthread_mutex_init(&waited_mutex, NULL);                                                               \
		pthread_mutex_lock(&waited_mutex);                                                                     \
		err_ = (call);                                                                                         \
		pthread_mutex_unlock(&waited_mutex);                                                                   \
		err_ &&err_ != ETIMEDOUT;                                                                              \
	})
#define with_mtx(call)                                                                                                 \
	({                                                                                                             \
		int ret_;                                                                                              \
		mtx_init(&waited_mtx, mtx_plain);                                                                      \
		mtx_lock(&waited_mtx);                                                                                 \
		ret_ = (call);                                                                                         \
		mtx_unlock(&waited_mtx);                                                                               \
		ret_ != thrd_success &&ret_ != thrd_timedout;                                                          \
	})

static void wake_all(void)
{
	pthread_cond_broadcast(&waited);
	cnd_broadcast(&waited_cnd);
}

static void post(void)
{
	int value;

	if (!sem_getvalue(&waited_sem, &value) && value < 1)
		sem_post(&waited_sem);
}

/* ---- threads and children ------------------------------------------------------------------------------------- */

static void *sleep_a_while(void *arg)
{
	usleep((useconds_t)wait_ms * 1000);
	return arg;
}

static int sleep_a_while_c11(void *arg)
{
	sleep_a_while(arg);
	return 0;
}

static pthread_t sleeping_thread(void)
{
	pthread_t thread;

	must(!pthread_create(&thread, NULL, sleep_a_while, NULL));
	return thread;
}

static thrd_t sleeping_thrd(void)
{
	thrd_t thread;

	must(thrd_create(&thread, sleep_a_while_c11, NULL) == thrd_success);
	return thread;
}

/* Some are left over by those who were cancelled, to the end of the program. */
static pid_t sleeping_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		usleep((useconds_t)wait_ms * 1000);
		_exit(0);
	}
	if (lasts_for_ever() && left_over < CHILDREN)
		children[left_over++] = pid;
	return pid;
}

static const char *sleep_command(void)
{
	return lasts_for_ever() ? "exec sleep 20" : "exec sleep 0.003";
}

/* ---- pipes and sockets ---------------------------------------------------------------------------------------- */

/* One line, when there is none: the other end is then empty. */
static void give(int fd)
{
	int pending = 0, other = fd == source[1] ? source[0] : fd == peers[1] ? peers[0] : stream_source[0];

	if (!ioctl(other, FIONREAD, &pending) && !pending && syscall(SYS_write, fd, "line\n", 5) < 0)
		return;
}

static void count(void)
{
	struct pollfd full = { .fd = counter[1], .events = POLLIN };
	eventfd_t value = 1;

	if (syscall(SYS_write, counter[0], &value, sizeof(value)) < 0 || syscall(SYS_poll, &full, 1, 0) != 1 ||
	    syscall(SYS_read, counter[1], &value, sizeof(value)) < 0)
		return;
}

static void empty(int fd)
{
	static char taken[1 << 16];

	if (syscall(SYS_read, fd, taken, sizeof(taken)) < 0)
		return;
}

static void set_nonblocking(int fd)
{
	must(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

static void knock(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	syscall(SYS_connect, fd, &door_name, door_len);
	syscall(SYS_close, fd);
}

/* Nobody is accepted meanwhile, and only one waits to be. */
static int connect_once(void)
{
	int is_cut = 0;

	for (int i = 0; i < 3; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		is_cut |= cut(connect(fd, (void *)&door2_name, door2_len));
		close(fd);
	}
	return is_cut;
}

static void let_in(void)
{
	long fd = syscall(SYS_accept4, door2, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		syscall(SYS_close, fd);
}

static int make_door(struct sockaddr_un *name, socklen_t *len, int backlog)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A name of the kernel's making, in no file system. */
	must(fd >= 0 && !bind(fd, (void *)name, sizeof(name->sun_family)) && !listen(fd, backlog));
	*len = sizeof(*name);
	must(!getsockname(fd, (void *)name, len));
	return fd;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

static void open_other_side(void)
{
	for (int side = O_RDONLY; side <= O_WRONLY; side++) {
		long fd = syscall(SYS_openat, AT_FDCWD, fifo, side | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0)
			syscall(SYS_close, fd);
	}
}

static int whole_file(void)
{
	lseek(data_fd, 0, SEEK_SET);
	return data_fd;
}

static int lock_file(int ret)
{
	int is_cut = cut(ret);

	flock(lock_fd, LOCK_UN);
	return is_cut;
}

static int lock_range(int ret)
{
	struct flock unlock = { .l_type = F_UNLCK, .l_len = 1 };
	int is_cut = cut(ret);

	fcntl(lock_fd, F_OFD_SETLK, &unlock);
	return is_cut;
}

static int lock_posix(int ret)
{
	struct flock unlock = { .l_type = F_UNLCK, .l_len = 1 };
	int is_cut = cut(ret);

	fcntl(posix_fd, F_SETLK, &unlock);
	return is_cut;
}

static void toggle_file_locks(void)
{
	static int is_held;
	struct flock range = { .l_type = F_UNLCK, .l_len = 1 };

	is_held = !is_held;
	if (is_held)
		range.l_type = F_WRLCK;
	flock(lock_fd2, is_held ? LOCK_EX | LOCK_NB : LOCK_UN);
	fcntl(lock_fd2, F_OFD_SETLK, &range);
}

/* In a process of its own, until its parent is gone: a process does not wait for its own locks. */
static void start_locker(void)
{
	struct flock range = { .l_type = F_WRLCK, .l_len = 1 };
	int go[2];
	char byte;
	pid_t pid;

	must(!pipe2(go, O_CLOEXEC));
	pid = fork();
	if (pid) {
		must(pid > 0 && read(go[0], &byte, 1) == 1);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int is_first = 1;; is_first = 0) {
		range.l_type = F_WRLCK;
		fcntl(posix_fd, F_SETLKW, &range);
		if (is_first && write(go[1], "x", 1) != 1)
			_exit(1);
		if (holds_for_ever)
			pause();
		usleep(2000);
		range.l_type = F_UNLCK;
		fcntl(posix_fd, F_SETLKW, &range);
		usleep(2000);
	}
}

/* ---- streams -------------------------------------------------------------------------------------------------- */

static FILE *of_thread[2];

static FILE *fresh_stream(int which, int fd, const char *mode)
{
	if (of_thread[which] && !lasts_for_ever())
		fclose(of_thread[which]);
	of_thread[which] = fdopen(dup(fd), mode);
	must(of_thread[which] != NULL);
	return of_thread[which];
}

static FILE *in_stream(void)
{
	return fresh_stream(0, stream_source[0], "r");
}

/* Unbuffered, or with so much in its buffer as the pipe takes. */
static FILE *out_stream(int is_buffered)
{
	static char buffer[sizeof(big)];
	FILE *f = fresh_stream(1, stream_sink[1], "w");

	setvbuf(f, buffer, is_buffered ? _IOFBF : _IONBF, sizeof(buffer));
	if (is_buffered)
		fwrite(big, 1, sizeof(big) - 1, f);
	return f;
}

static FILE *given_away(FILE *f)
{
	of_thread[1] = NULL;
	return f;
}

static const char *big_text(void)
{
	static char text[sizeof(big)];

	memset(text, 'x', sizeof(text) - 1);
	return text;
}

/* ---- begin ---------------------------------------------------------------------------------------------------- */

static int new_file(void)
{
	char path[] = "blocks.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	must(fd >= 0);
	lock_fd2 = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	return fd;
}

static void begin_files(void)
{
	posix_fd = new_file();
	close(lock_fd2);
	data_fd = new_file();
	close(lock_fd2);
	lock_fd = new_file();
	must(write(data_fd, big, sizeof(big)) == sizeof(big));
	file_map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, data_fd, 0);
	must(file_map != MAP_FAILED);
	close(mkstemp(fifo));
	unlink(fifo);
	must(!mkfifo(fifo, 0600));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	nothing_ready = epoll_create1(EPOLL_CLOEXEC);
	counter[0] = eventfd(0, EFD_CLOEXEC);
	counter[1] = eventfd(0, EFD_CLOEXEC);
	must(counter[0] >= 0 && counter[1] >= 0);
}

static void begin_pipes(void)
{
	must(!pipe2(source, O_CLOEXEC) && !pipe2(sink, O_CLOEXEC) && !pipe2(stream_source, O_CLOEXEC) &&
	     !pipe2(stream_sink, O_CLOEXEC));
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, peers) &&
	     !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, takers));
	setsockopt(takers[1], SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int));
	set_nonblocking(sink[0]);
	set_nonblocking(stream_sink[0]);
	set_nonblocking(takers[0]);
	door = make_door(&door_name, &door_len, 5);
	door2 = make_door(&door2_name, &door2_len, 0);
	set_nonblocking(door2);
	/* Full to begin with, so that the first write waits as well. */
	if (lasts_for_ever())
		must(write(sink[1], big, sizeof(big)) > 0 && write(stream_sink[1], big, sizeof(big)) > 0 &&
		     !eventfd_write(counter[1], UINT64_MAX - 2));
}

static void blocks_begin(void)
{
	struct sigaction action = { .sa_handler = on_usr1 };

	sigaction(SIGUSR1, &action, NULL);
	pthread_sigmask(SIG_BLOCK, but_usr2(), NULL);
	holds_for_ever = lasts_for_ever();
	pthread_barrier_init(&both, NULL, 2);
	pthread_spin_init(&held_spin, 0);
	mtx_init(&held_mtx, mtx_timed);
	cnd_init(&waited_cnd);
	sem_init(&waited_sem, 0, 0);
	begin_files();
	begin_pipes();
	start_locker();
	if (lasts_for_ever())
		toggle_file_locks();
}

static void blocks_end(void)
{
	while (left_over)
		kill(children[--left_over], SIGKILL);
	unlink(fifo);
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

#define BLOCK_JOIN(a, b) a##b
#define BLOCK_NAME(a, b) BLOCK_JOIN(a, b)
#define BLOCK(function, group, call, end)                                                                              \
	static int BLOCK_NAME(wait_, __LINE__)(void)                                                                   \
	{                                                                                                              \
		return (call);                                                                                         \
	}                                                                                                              \
	static void BLOCK_NAME(poke_, __LINE__)(void)                                                                  \
	{                                                                                                              \
		end;                                                                                                   \
	}
#define HOLD BLOCK
#define NEVER(function)
#include "blocks.def"

static const struct block blocks[] = {
#define BLOCK(function, group, call, end)                                                                              \
	{ #function, #group, BLOCK_NAME(wait_, __LINE__), BLOCK_NAME(poke_, __LINE__), 1 },
#define HOLD(function, group, call, end)                                                                               \
	{ #function, #group, BLOCK_NAME(wait_, __LINE__), BLOCK_NAME(poke_, __LINE__), 0 },
#define NEVER(function) { #function, NULL, NULL, NULL, 0 },
#include "blocks.def"
};
#define BLOCKS (sizeof(blocks) / sizeof(*blocks))

static inline void blocks_poke_all(void)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		if (blocks[i].poke)
			blocks[i].poke();
	}
}

/* Returns how many functions of the library have no row, each told on stdout. */
static inline int blocks_check(void)
{
	static const char *const hooks[] = {
#define HOOK(ret, name, params, version) #name,
#include "preload/hooks.def"
	};
	int missing = 0;

	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		size_t at = 0;

		while (at < BLOCKS && strcmp(blocks[at].function, hooks[i]))
			at++;
		if (at < BLOCKS)
			continue;
		printf("blocks.def: no row for %s\n", hooks[i]);
		missing++;
	}
	return missing;
}

#endif
