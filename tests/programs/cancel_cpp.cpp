// SPDX-License-Identifier: MIT
/*
 * cancel_cpp.cpp - cancellation, pthread_exit and exceptions through wrapped calls in C++: destructors run, a catch of
 * everything sees the unwinding and passes it on, and exceptions thrown in callbacks arrive.
 */
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdexcept>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int destroyed, caught, ends[2], sockets[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;

struct local {
	~local()
	{
		destroyed++;
	}
};

static void in_read()
{
	char byte;

	if (read(ends[0], &byte, 1) < 0)
		return;
}

static void in_recv()
{
	char byte;

	recv(sockets[0], &byte, 1, 0);
}

static void in_poll()
{
	poll(nullptr, 0, 60000);
}

static void in_sem_wait()
{
	sem_wait(&sem);
}

static void in_sleep()
{
	timespec time = { 60, 0 };

	nanosleep(&time, nullptr);
}

static void in_cond_wait()
{
	/* Unlocks in its destructor: the wait must have taken the mutex again. */
	struct holder {
		holder()
		{
			pthread_mutex_lock(&mutex);
		}
		~holder()
		{
			destroyed += pthread_mutex_unlock(&mutex) == 0;
		}
	} holder;

	pthread_cond_wait(&cond, &mutex);
}

static void in_exit()
{
	pthread_exit(nullptr);
}

static void *run(void *arg)
{
	local outer;

	try {
		local inner;

		reinterpret_cast<void (*)()>(arg)();
	} catch (abi::__forced_unwind &) {
		caught++;
		throw;
	} catch (...) {
		puts("SOMETHING ELSE");
	}
	return nullptr;
}

static void try_in(const char *name, void (*wait)())
{
	pthread_t thread;
	void *result = &thread;

	destroyed = caught = 0;
	if (pthread_create(&thread, nullptr, run, reinterpret_cast<void *>(wait)))
		exit(1);
	usleep(20000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("%-10s %s, %d destroyed, %d caught\n", name, result == PTHREAD_CANCELED ? "cancelled" : "ended",
	       destroyed, caught);
}

static int compare(const void *, const void *)
{
	local l;
	void *volatile block = malloc(10);

	free(block);
	throw std::runtime_error("from a callback");
}

/* Through libc's code, and through pthread_once, which std::call_once uses. */
static void throw_through()
{
	int numbers[2] = { 2, 1 }, tries = 0;
	std::once_flag once;

	destroyed = 0;
	try {
		qsort(numbers, 2, sizeof(int), compare);
	} catch (const std::exception &e) {
		printf("qsort: %s, %d destroyed\n", e.what(), destroyed);
	}
	for (int i = 0; i < 3; i++) {
		try {
			std::call_once(once, [&] {
				if (++tries < 2)
					throw std::runtime_error("once");
			});
		} catch (const std::exception &e) {
			printf("call_once: %s\n", e.what());
		}
	}
	printf("call_once ran %d times\n", tries);
}

int main()
{
	if (pipe(ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) || sem_init(&sem, 0, 0))
		return 1;
	try_in("read", in_read);
	try_in("recv", in_recv);
	try_in("poll", in_poll);
	try_in("sem_wait", in_sem_wait);
	try_in("nanosleep", in_sleep);
	try_in("cond_wait", in_cond_wait);
	try_in("exit", in_exit);
	throw_through();
	return fflush(stdout) ? 1 : 0;
}
