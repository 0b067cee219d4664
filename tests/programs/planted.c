// SPDX-License-Identifier: MIT
/*
 * planted.c - blocks that are lost, possibly lost and reachable in every way a leak checker has to know, each kind by a
 * function of its own name. Then one moment at which all checkers look, and the end.
 *
 * `planted --truth` prints as JSON what memcheck's definitions say of them: [state, blocks, bytes] by function.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <ringside.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef WITH_LSAN
#include <sanitizer/lsan_interface.h>
#endif
#ifdef WITH_MEMCHECK
#include <valgrind/memcheck.h>
#endif

#define KEY 0x5555555555555555u

struct node {
	struct node *next;
	char rest[40];
};

struct holder {
	long count;
	void *block;
};

static void *volatile kept, *volatile inside, *volatile inside_chain, *volatile chosen;
static volatile uintptr_t hidden;
static __thread void *volatile kept_by_thread;
static pthread_key_t key;
static sem_t at_rest, never;
static void *volatile *page, *volatile *gone_page;

static void *block(size_t size)
{
	void *p = malloc(size);

	memset(p, 0, size);
	return p;
}

static struct node *node(struct node *next)
{
	struct node *n = block(sizeof(*n));

	n->next = next;
	return n;
}

static void lost_plain(void)
{
	for (int i = 0; i < 10; i++)
		chosen = block(100 + (size_t)i);
	chosen = NULL;
}

/* a -> b -> c, nobody -> a */
static void lost_list(void)
{
	chosen = node(node(node(NULL)));
	chosen = NULL;
}

static void lost_ring(void)
{
	struct node *last = node(NULL), *first = node(node(last));

	last->next = first;
}

static void lost_self(void)
{
	struct node *n = node(NULL);

	n->next = n;
}

static void lost_hidden(void)
{
	hidden = (uintptr_t)block(77) ^ KEY;
}

/* What only a mapping knew that is gone. */
static void lost_with_mapping(void)
{
	gone_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	gone_page[3] = block(55);
	munmap((void *)gone_page, 4096);
	gone_page = NULL;
}

static void possibly_inside(void)
{
	inside = (char *)block(200) + 24;
}

/* A pointer into the middle of one block, whose begin points to another. */
static void possibly_chain(void)
{
	struct node *n = node(block(48));

	inside_chain = n->rest;
}

static void reachable_global(void)
{
	kept = block(300);
}

static void reachable_chain(void)
{
	static struct holder *volatile holder;

	holder = block(sizeof(*holder));
	holder->block = block(64);
}

static void reachable_ring(void)
{
	static struct node *volatile ring;
	struct node *last = node(NULL);

	ring = node(node(last));
	last->next = ring;
}

static void reachable_tls(void)
{
	kept_by_thread = block(33);
}

static void reachable_key(void)
{
	pthread_key_create(&key, NULL);
	pthread_setspecific(key, block(44));
}

static void reachable_plugin_tls(void *plugin)
{
	void (*keep)(void *) = (void (*)(void *))dlsym(plugin, "keep_in_plugin");

	if (keep)
		keep(block(66));
}

static void mapped(void)
{
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page[7] = block(88);
	/* The mapping itself is not to be a way to it. */
	page = NULL;
}

/* ---- another thread ---- */

static void *thread_stack_block(void)
{
	return block(111);
}

static void thread_tls_block(void)
{
	kept_by_thread = block(122);
}

static void thread_lost_block(void)
{
	chosen = block(133);
	chosen = NULL;
}

static void thread_key_block(void)
{
	pthread_setspecific(key, block(144));
}

static void scrub(void)
{
	volatile char waste[32768];

	for (size_t i = 0; i < sizeof(waste); i++)
		waste[i] = 0;
}

static void *rest(void *arg)
{
	void *volatile mine[4] = { NULL, thread_stack_block(), NULL, NULL };

	(void)arg;
	thread_tls_block();
	thread_key_block();
	thread_lost_block();
	scrub();
	sem_post(&at_rest);
	while (sem_wait(&never))
		;
	return mine[1];
}

/* ---- all together ---- */

static void truth(void)
{
	const size_t n = sizeof(struct node), h = sizeof(struct holder);

	printf("{\"lost_plain\": {\"lost\": [10, 1045]}, \"lost_list\": {\"lost\": [1, %zu], \"indirect\": [2, "
	       "%zu]},\n",
	       n, 2 * n);
	printf(" \"lost_ring\": {\"lost\": [1, %zu], \"indirect\": [2, %zu]}, \"lost_self\": {\"lost\": [1, %zu]},\n",
	       n, 2 * n, n);
	printf(" \"lost_hidden\": {\"lost\": [1, 77]}, \"lost_with_mapping\": {\"lost\": [1, 55]},\n");
	printf(" \"possibly_inside\": {\"possible\": [1, 200]}, \"possibly_chain\": {\"possible\": [2, %zu]},\n",
	       n + 48);
	printf(" \"reachable_global\": {\"reachable\": [1, 300]}, \"reachable_chain\": {\"reachable\": [2, %zu]},\n",
	       h + 64);
	printf(" \"reachable_ring\": {\"reachable\": [3, %zu]}, \"reachable_tls\": {\"reachable\": [1, 33]},\n", 3 * n);
	printf(" \"reachable_key\": {\"reachable\": [1, 44]}, \"reachable_plugin_tls\": {\"reachable\": [1, 66]},\n");
	printf(" \"mapped\": {\"reachable\": [1, 88], \"mapped\": [1, 88]}, \"thread_stack_block\": {\"reachable\": "
	       "[1, 111]},\n");
	printf(" \"thread_tls_block\": {\"reachable\": [1, 122]}, \"thread_key_block\": {\"reachable\": [1, 144]},\n");
	printf(" \"thread_lost_block\": {\"lost\": [1, 133]}}\n");
}

static void plant(void *plugin)
{
	lost_plain();
	lost_list();
	lost_ring();
	lost_self();
	lost_hidden();
	lost_with_mapping();
	possibly_inside();
	possibly_chain();
	reachable_global();
	reachable_chain();
	reachable_ring();
	reachable_tls();
	reachable_key();
	reachable_plugin_tls(plugin);
	mapped();
}

static void look(void)
{
	ringside_mark("look");
#ifdef WITH_LSAN
	__lsan_do_recoverable_leak_check();
#endif
#ifdef WITH_MEMCHECK
	VALGRIND_DO_LEAK_CHECK;
#endif
}

int main(int argc, char **argv)
{
	void *plugin = dlopen(getenv("PLANTED_PLUGIN"), RTLD_NOW);
	pthread_t thread;

	if (argc > 1 && !strcmp(argv[1], "--truth"))
		truth();
	fflush(stdout);
	sem_init(&at_rest, 0, 0);
	sem_init(&never, 0, 0);
	plant(plugin);
	pthread_create(&thread, NULL, rest, NULL);
	while (sem_wait(&at_rest))
		;
	usleep(20000); /* until it sleeps */
	scrub();
	look();
	exit(plugin ? 0 : 1);
}
