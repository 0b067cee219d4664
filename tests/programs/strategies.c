/* SPDX-License-Identifier: MIT */
/*
 * strategies.c - many threads that wait for each other in one of the usual ways, and keep books of it: each wait under
 * the function it happens in, each critical section under the function that holds it.
 *
 * Sections and pauses sleep, so that 64 threads on two CPUs measure waiting and not the scheduler.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/books.h"
#include "common/options.h"

#define MOST 64u

static uint64_t threads = 4, rounds = 10, hold_us = 300;

/* Sections: how many, and how long from the lock's return to the call that releases it. */
static uint64_t sections, section_ns;

static void must(bool holds)
{
	if (!holds) {
		perror("strategies");
		exit(1);
	}
}

static void pass(uint64_t us)
{
	struct timespec left = { .tv_nsec = (long)us * 1000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

#define SECTION(statement)                                                                                             \
	do {                                                                                                           \
		uint64_t since_ = clock_now_ns();                                                                      \
		statement;                                                                                             \
		__atomic_fetch_add(&section_ns, clock_now_ns() - since_, __ATOMIC_RELAXED);                            \
		__atomic_fetch_add(&sections, 1, __ATOMIC_RELAXED);                                                    \
	} while (0)

/* ---- locks ---------------------------------------------------------------------------------------------------- */

static pthread_mutex_t global = PTHREAD_MUTEX_INITIALIZER, own[MOST];
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

static void global_lock(unsigned me)
{
	(void)me;
	book_wait("mutex", "global_lock", pthread_mutex_lock(&global));
	SECTION(pass(hold_us));
	pthread_mutex_unlock(&global);
}

static void local_lock(unsigned me)
{
	book_wait("mutex", NULL, pthread_mutex_lock(&own[me]));
	SECTION(pass(hold_us));
	pthread_mutex_unlock(&own[me]);
}

__attribute__((noinline)) static void try_later(void)
{
	book_wait("sleep", NULL, (pass(hold_us / 2), 0));
}

static void try_lock(unsigned me)
{
	(void)me;
	while (pthread_mutex_trylock(&global))
		try_later();
	SECTION(pass(hold_us));
	pthread_mutex_unlock(&global);
}

static void rw_lock(unsigned me)
{
	if (me % 4)
		book_wait("rwlock-read", "rw_lock", pthread_rwlock_rdlock(&rw));
	else
		book_wait("rwlock-write", "rw_lock", pthread_rwlock_wrlock(&rw));
	SECTION(pass(hold_us));
	pthread_rwlock_unlock(&rw);
}

/* ---- turns ---------------------------------------------------------------------------------------------------- */

static pthread_cond_t turned[MOST];
static uint64_t turn;

static void pass_turn(void)
{
	turn = (turn + 1) % threads;
	pthread_cond_signal(&turned[turn]);
}

static void cond(unsigned me)
{
	pthread_mutex_lock(&global);
	while (turn != me)
		book_wait("cond", "pass_turn", pthread_cond_wait(&turned[me], &global));
	pass(hold_us);
	pass_turn();
	pthread_mutex_unlock(&global);
}

static sem_t next[MOST];

static void post_next(unsigned me)
{
	sem_post(&next[(me + 1) % threads]);
}

static void semaphore(unsigned me)
{
	book_wait("sem", "post_next", sem_wait(&next[me]));
	pass(hold_us);
	post_next(me);
}

static pthread_barrier_t meeting;

static void barrier(unsigned me)
{
	pass(hold_us * (1 + me));
	book_wait("barrier", "barrier", pthread_barrier_wait(&meeting));
}

static int ends[MOST][2];

static void write_next(unsigned me)
{
	must(write(ends[(me + 1) % threads][1], "x", 1) == 1);
}

static void pipes(unsigned me)
{
	char byte;

	must(book_wait("read", "write_next", read(ends[me][0], &byte, 1)) == 1);
	pass(hold_us);
	write_next(me);
}

static void send_next(unsigned me)
{
	must(send(ends[(me + 1) % threads][1], "x", 1, 0) == 1);
}

static void sockets(unsigned me)
{
	char byte;

	must(book_wait("recv", "send_next", recv(ends[me][0], &byte, 1, 0)) == 1);
	pass(hold_us);
	send_next(me);
}

/* Whose turn it is: a word for each thread, 1 when it may go on. */
static uint32_t words[MOST];

static void wake_next(unsigned me)
{
	uint32_t *word = &words[(me + 1) % threads];

	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void futexes(unsigned me)
{
	while (!__atomic_exchange_n(&words[me], 0, __ATOMIC_SEQ_CST))
		book_wait("futex", "wake_next", syscall(SYS_futex, &words[me], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	pass(hold_us);
	wake_next(me);
}

/* ---- alone ---------------------------------------------------------------------------------------------------- */

static void *short_life(void *arg)
{
	pass(hold_us);
	return arg;
}

static void join(unsigned me)
{
	pthread_t thread;

	(void)me;
	must(!pthread_create(&thread, NULL, short_life, NULL));
	book_wait("join", NULL, pthread_join(thread, NULL));
}

static void asleep(unsigned me)
{
	(void)me;
	book_wait("sleep", NULL, (pass(hold_us), 0));
}

/* ---- main ----------------------------------------------------------------------------------------------------- */

static const struct strategy {
	const char *name;
	void (*round)(unsigned me);
} strategies[] = {
	{ "global-lock", global_lock },
	{ "local-lock", local_lock },
	{ "trylock", try_lock },
	{ "rwlock", rw_lock },
	{ "cond", cond },
	{ "semaphore", semaphore },
	{ "barrier", barrier },
	{ "pipe", pipes },
	{ "socket", sockets },
	{ "futex", futexes },
	{ "join", join },
	{ "sleep", asleep },
};

static const struct strategy *strategy;

static pthread_barrier_t start;

/* Threads that begin crowd the CPUs for a moment: that is not what is measured. */
static void *play(void *arg)
{
	pthread_barrier_wait(&start);
	pass(20000);
	for (uint64_t i = 0; i < rounds; i++)
		strategy->round((unsigned)(uintptr_t)arg);
	return NULL;
}

static void prepare(void)
{
	bool is_socket = !strcmp(strategy->name, "socket");

	pthread_barrier_init(&meeting, NULL, (unsigned)threads);
	pthread_barrier_init(&start, NULL, (unsigned)threads);
	for (unsigned i = 0; i < threads; i++) {
		pthread_mutex_init(&own[i], NULL);
		pthread_cond_init(&turned[i], NULL);
		sem_init(&next[i], 0, i == 0);
		words[i] = i == 0;
		must(!(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]) : pipe(ends[i])));
	}
	must(write(ends[0][1], "x", 1) == 1);
}

/* What looking at the clock twice costs: each booked wait is that much too long. */
static uint64_t clock_cost_ns(void)
{
	uint64_t since = clock_now_ns();

	for (int i = 0; i < 20000; i++)
		clock_now_ns();
	return (clock_now_ns() - since) / 20000;
}

int main(int argc, char **argv)
{
	const char *name = "global-lock";
	const struct option_row rows[] = {
		{ "strategy", OPTION_TEXT, &name, 0, 0, "which one" },
		{ "threads", OPTION_NUMBER, &threads, 1, MOST, "how many" },
		{ "rounds", OPTION_NUMBER, &rounds, 1, 100000, "of each thread" },
		{ "hold-us", OPTION_NUMBER, &hold_us, 1, 100000, "how long a section or a turn takes" },
		{ 0 },
	};
	pthread_t ids[MOST];

	books_stdout();
	options_parse(argc, argv, "strategies", "Threads that wait for each other; prints their books as JSON.\n",
		      rows);
	for (size_t i = 0; i < sizeof(strategies) / sizeof(*strategies); i++)
		if (!strcmp(strategies[i].name, name))
			strategy = &strategies[i];
	must(strategy != NULL);
	prepare();
	for (uintptr_t i = 0; i < threads; i++)
		must(!book_thread(&ids[i], "player", 0, play, (void *)i));
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	printf("{\"strategy\":\"%s\",\"sections\":%lu,\"section_ns\":%lu,\"clock_ns\":%lu,", name, sections, section_ns,
	       clock_cost_ns());
	books_print(stdout);
	printf("}\n");
	return fflush(stdout) ? 1 : 0;
}
