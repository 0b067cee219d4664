/* SPDX-License-Identifier: MIT */
/* waits.c - planted waits for locks, signals of other threads, sleep and children. waits_io.c has those for I/O. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"

static struct timespec in_ms(clockid_t clock, unsigned int ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += (long)ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

/* ---- mutex ------------------------------------------------------------------------------------------------ */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void hold_mutex_30ms(void)
{
	pthread_mutex_lock(&mutex);
	scene_ready();
	scene_pass();
	pthread_mutex_unlock(&mutex);
}

static void wait_mutex(void)
{
	book_wait("mutex", "hold_mutex_30ms", pthread_mutex_lock(&mutex));
	pthread_mutex_unlock(&mutex);
}

static void wait_mutex_timed(void)
{
	struct timespec until = in_ms(CLOCK_REALTIME, 5000);

	if (!book_wait("mutex", "hold_mutex_30ms", pthread_mutex_timedlock(&mutex, &until)))
		pthread_mutex_unlock(&mutex);
}

/* Gives up after the planted time, before the holder is done. */
static void hold_mutex_longer(void)
{
	pthread_mutex_lock(&mutex);
	scene_ready();
	scene_pass();
	scene_pass();
	pthread_mutex_unlock(&mutex);
}

static void wait_mutex_timeout(void)
{
	struct timespec until = in_ms(CLOCK_REALTIME, scene_ms);

	if (!book_wait("mutex", "hold_mutex_longer", pthread_mutex_timedlock(&mutex, &until)))
		pthread_mutex_unlock(&mutex);
}

/* ---- condition -------------------------------------------------------------------------------------------- */

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t cond_lock = PTHREAD_MUTEX_INITIALIZER;
static int cond_is_set;

static void signal_cond(void)
{
	scene_ready();
	scene_pass();
	pthread_mutex_lock(&cond_lock);
	cond_is_set = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&cond_lock);
}

static void wait_cond(void)
{
	pthread_mutex_lock(&cond_lock);
	while (!cond_is_set)
		book_wait("cond", "signal_cond", pthread_cond_wait(&cond, &cond_lock));
	cond_is_set = 0;
	pthread_mutex_unlock(&cond_lock);
}

static void wait_cond_timed(void)
{
	struct timespec until = in_ms(CLOCK_REALTIME, scene_ms);

	pthread_mutex_lock(&cond_lock);
	while (book_wait("cond", NULL, pthread_cond_timedwait(&cond, &cond_lock, &until)) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&cond_lock);
}

/* ---- semaphore -------------------------------------------------------------------------------------------- */

static sem_t semaphore;

static void post_sem(void)
{
	sem_init(&semaphore, 0, 0);
	scene_ready();
	scene_pass();
	sem_post(&semaphore);
}

static void wait_sem(void)
{
	book_wait("sem", "post_sem", sem_wait(&semaphore));
}

static void wait_sem_timed(void)
{
	struct timespec until = in_ms(CLOCK_REALTIME, 5000);

	book_wait("sem", "post_sem", sem_timedwait(&semaphore, &until));
}

/* ---- read-write lock, spin lock --------------------------------------------------------------------------- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;

static void hold_write_45ms(void)
{
	pthread_rwlock_wrlock(&rwlock);
	scene_ready();
	scene_pass();
	pthread_rwlock_unlock(&rwlock);
}

static void wait_read(void)
{
	book_wait("rwlock-read", "hold_write_45ms", pthread_rwlock_rdlock(&rwlock));
	pthread_rwlock_unlock(&rwlock);
}

static void hold_read_45ms(void)
{
	pthread_rwlock_rdlock(&rwlock);
	scene_ready();
	scene_pass();
	pthread_rwlock_unlock(&rwlock);
}

static void wait_write(void)
{
	book_wait("rwlock-write", "hold_read_45ms", pthread_rwlock_wrlock(&rwlock));
	pthread_rwlock_unlock(&rwlock);
}

static void hold_spin_10ms(void)
{
	pthread_spin_lock(&spin);
	scene_ready();
	scene_pass();
	pthread_spin_unlock(&spin);
}

static void wait_spin(void)
{
	book_wait("spin", "hold_spin_10ms", pthread_spin_lock(&spin));
	pthread_spin_unlock(&spin);
}

/* ---- barrier, once, join ---------------------------------------------------------------------------------- */

static pthread_barrier_t barrier;

static void arrive_late(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	scene_ready();
	scene_pass();
	pthread_barrier_wait(&barrier);
}

static void wait_barrier(void)
{
	book_wait("barrier", "arrive_late", pthread_barrier_wait(&barrier));
}

static pthread_once_t once;

static void init_slowly(void)
{
	scene_ready();
	scene_pass();
}

static void call_once_first(void)
{
	once = PTHREAD_ONCE_INIT;
	pthread_once(&once, init_slowly);
}

static void wait_once(void)
{
	book_wait("once", "init_slowly", pthread_once(&once, init_slowly));
}

static void *end_late(void *arg)
{
	scene_pass();
	return arg;
}

static void wait_join(void)
{
	pthread_t thread;

	if (!book_thread(&thread, "ends-late", 0, end_late, NULL))
		book_wait("join", "end_late", pthread_join(thread, NULL));
}

/* ---- sleep, signals, children ----------------------------------------------------------------------------- */

static void sleep_nanosleep(void)
{
	struct timespec ts = { 0, (long)scene_ms * 1000000 };

	book_wait("sleep", NULL, nanosleep(&ts, NULL));
}

static void sleep_usleep(void)
{
	book_wait("sleep", NULL, usleep(scene_ms * 1000));
}

static void sleep_clock_nanosleep(void)
{
	struct timespec until = in_ms(CLOCK_MONOTONIC, scene_ms);

	book_wait("sleep", NULL, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
}

static void wait_signal(void)
{
	struct timespec limit = { 0, (long)scene_ms * 1000000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	book_wait("signal", NULL, sigtimedwait(&set, NULL, &limit));
}

static void wait_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		scene_pass();
		_exit(0);
	}
	scene_must(pid);
	scene_must(book_wait("wait-child", NULL, waitpid(pid, NULL, 0)));
}

/* system(3) waits inside libc, so only the outer call can be seen. */
static void wait_system(void)
{
	scene_must(book_wait("wait-child", NULL, system("sleep 0.03")));
}

/* ---- the C11 names ---------------------------------------------------------------------------------------- */

static mtx_t c11_mutex;
static cnd_t c11_cond;
static int c11_is_set;

static void hold_mtx(void)
{
	mtx_lock(&c11_mutex);
	scene_ready();
	scene_pass();
	mtx_unlock(&c11_mutex);
}

static void wait_mtx(void)
{
	book_wait("mutex", "hold_mtx", mtx_lock(&c11_mutex));
	mtx_unlock(&c11_mutex);
}

static void signal_cnd(void)
{
	scene_ready();
	scene_pass();
	mtx_lock(&c11_mutex);
	c11_is_set = 1;
	cnd_signal(&c11_cond);
	mtx_unlock(&c11_mutex);
}

static void wait_cnd(void)
{
	mtx_lock(&c11_mutex);
	while (!c11_is_set)
		book_wait("cond", "signal_cnd", cnd_wait(&c11_cond, &c11_mutex));
	c11_is_set = 0;
	mtx_unlock(&c11_mutex);
}

static void sleep_thrd(void)
{
	struct timespec ts = { 0, (long)scene_ms * 1000000 };

	book_wait("sleep", NULL, thrd_sleep(&ts, NULL));
}

static int end_late_thrd(void *arg)
{
	(void)arg;
	scene_pass();
	return 0;
}

static void wait_thrd(void)
{
	thrd_t thread;

	if (thrd_create(&thread, end_late_thrd, NULL) != thrd_success)
		return;
	book_other_thread();
	book_wait("join", "end_late_thrd", thrd_join(thread, NULL));
}

static const struct scene scenes[] = {
	{ "mutex", "wait_mutex", "hold_mutex_30ms", 30, wait_mutex, hold_mutex_30ms },
	{ "mutex", "wait_mutex_timed", "hold_mutex_30ms", 30, wait_mutex_timed, hold_mutex_30ms },
	{ "mutex", "wait_mutex_timeout", "hold_mutex_longer", 20, wait_mutex_timeout, hold_mutex_longer },
	{ "cond", "wait_cond", "signal_cond", 60, wait_cond, signal_cond },
	{ "cond", "wait_cond_timed", NULL, 20, wait_cond_timed, NULL },
	{ "sem", "wait_sem", "post_sem", 50, wait_sem, post_sem },
	{ "sem", "wait_sem_timed", "post_sem", 20, wait_sem_timed, post_sem },
	{ "rwlock-read", "wait_read", "hold_write_45ms", 45, wait_read, hold_write_45ms },
	{ "rwlock-write", "wait_write", "hold_read_45ms", 45, wait_write, hold_read_45ms },
	{ "spin", "wait_spin", "hold_spin_10ms", 10, wait_spin, hold_spin_10ms },
	{ "barrier", "wait_barrier", "arrive_late", 30, wait_barrier, arrive_late },
	{ "once", "wait_once", "init_slowly", 25, wait_once, call_once_first },
	{ "join", "wait_join", "end_late", 40, wait_join, NULL },
	{ "sleep", "sleep_nanosleep", NULL, 70, sleep_nanosleep, NULL },
	{ "sleep", "sleep_usleep", NULL, 20, sleep_usleep, NULL },
	{ "sleep", "sleep_clock_nanosleep", NULL, 30, sleep_clock_nanosleep, NULL },
	{ "signal", "wait_signal", NULL, 20, wait_signal, NULL },
	{ "wait-child", "wait_child", NULL, 40, wait_child, NULL },
	{ "wait-child", "wait_system", NULL, 30, wait_system, NULL },
	{ "mutex", "wait_mtx", "hold_mtx", 30, wait_mtx, hold_mtx },
	{ "cond", "wait_cnd", "signal_cnd", 30, wait_cnd, signal_cnd },
	{ "sleep", "sleep_thrd", NULL, 20, sleep_thrd, NULL },
	{ "join", "wait_thrd", "end_late_thrd", 30, wait_thrd, NULL },
};

int main(int argc, char **argv)
{
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	mtx_init(&c11_mutex, mtx_plain);
	cnd_init(&c11_cond);
	return scene_main(argc, argv, "waits", scenes, sizeof(scenes) / sizeof(*scenes));
}
