// SPDX-License-Identifier: MIT
/*
 * oracle_unwind.c - scenes of code that is hard to unwind, each compared at every instruction.
 *
 * Built with -Wl,-z,lazy, so that the first call of each libc function goes through the lazy resolver.
 */
#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/preload/oracle.h"

#define NOINLINE __attribute__((noinline, noclone))

void oracle_throw(int depth); /* oracle_throw.cpp */

static volatile uint64_t sink;

/* ---- plain code ------------------------------------------------------------------------------------------- */

NOINLINE static int recurse(int n)
{
	volatile char pad[40];

	pad[0] = (char)n;
	if (n == 0) {
		oracle_here();
		return 1;
	}
	return recurse(n - 1) + pad[0];
}

static void scene_recursion(void)
{
	oracle_step_begin();
	sink += (uint64_t)recurse(40);
	oracle_step_end();
}

static int by_value(const void *a, const void *b)
{
	oracle_here();
	return *(const int *)a - *(const int *)b;
}

static void scene_qsort(void)
{
	int values[40];

	for (int i = 0; i < 40; i++)
		values[i] = i * 7919 % 41;
	oracle_step_begin();
	qsort(values, 40, sizeof(values[0]), by_value);
	oracle_step_end();
}

static void scene_libc(void)
{
	char text[256], copy[9000];
	char *block;

	oracle_step_begin();
	for (int i = 1; i < 9000; i = i * 3 + 1) {
		memset(copy, i, (size_t)i);
		block = malloc((size_t)i);
		memcpy(block, copy, (size_t)i);
		snprintf(text, sizeof(text), "%d %g %s", i, i * 1.5, "text");
		sink += (uint64_t)strtod(text, NULL) + strlen(text);
		block = realloc(block, (size_t)i * 2);
		memmove(block + 1, block, (size_t)i);
		free(block);
	}
	sink += getenv("HOME") != NULL;
	sink += strchr(text, ' ') != NULL;
	oracle_step_end();
}

/* Each function's first call: PLT stub, resolver, symbol lookup. */
static void scene_lazy_binding(void)
{
	char text[64] = "a,b";
	char *rest;
	struct tm tm = { 0 };
	time_t when = 86400;

	oracle_step_begin();
	sink += (uint64_t)strtoul("12", NULL, 10);
	sink += (uint64_t)labs(-3);
	sink += strspn(text, "a") + strcspn(text, "b");
	sink += (uint64_t)(strpbrk(text, "b") - text);
	strtok_r(text, ",", &rest);
	gmtime_r(&when, &tm);
	sink += (uint64_t)getppid();
	oracle_step_end();
}

static void scene_clock(void)
{
	struct timespec ts;

	oracle_step_begin();
	for (int i = 0; i < 20; i++) {
		clock_gettime(i & 1 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &ts);
		sink += (uint64_t)time(NULL);
	}
	oracle_step_end();
}

/* ---- frames of unusual shape ------------------------------------------------------------------------------ */

NOINLINE static uint64_t variable_array(size_t n)
{
	volatile char array[n];

	array[n - 1] = 3;
	oracle_here();
	return (uint64_t)array[n - 1] + (n > 20 ? variable_array(n / 2) : 0);
}

NOINLINE static uint64_t with_alloca(size_t n)
{
	volatile char *p = alloca(n);

	p[0] = 1;
	sink += variable_array(n / 2 + 1);
	return (uint64_t)p[0];
}

/* Realigns its stack: the CFA is kept in memory. */
NOINLINE static uint64_t realigned(int n)
{
	volatile uint64_t wide[8] __attribute__((aligned(64)));

	for (int i = 0; i < 8; i++)
		wide[i] = (uint64_t)(i * n);
	oracle_here();
	return wide[n & 7] + (n ? realigned(n - 1) : 0);
}

/* Realigned and with alloca: gcc needs a register of its own for the arguments (DRAP). */
NOINLINE static uint64_t realigned_alloca(int n, int b, int c, int d, int e, int f, int on_stack)
{
	volatile uint64_t wide[8] __attribute__((aligned(64)));
	volatile char *p = alloca((size_t)n * 8 + 16);

	wide[0] = (uint64_t)(b + c + d + e + f + on_stack);
	p[0] = (char)n;
	oracle_here();
	return wide[0] + (n ? realigned_alloca(n - 1, b, c, d, e, f, on_stack) : 0) + (uint64_t)p[0];
}

__attribute__((noinline, optimize("no-omit-frame-pointer"))) static uint64_t with_frame_pointer(int n)
{
	volatile char pad[100];

	pad[n] = 1;
	return (uint64_t)pad[n] + (n ? with_frame_pointer(n - 1) : realigned(1));
}

/* 64 KiB locals: frames far apart. */
NOINLINE static uint64_t large_frame(int n)
{
	volatile char big[70000];

	big[n] = 1;
	big[69999] = 2;
	oracle_here();
	return (uint64_t)big[n] + (n ? large_frame(n - 1) : 0);
}

static void scene_frames(void)
{
	oracle_step_begin();
	sink += with_alloca(300);
	sink += realigned(6);
	sink += realigned_alloca(5, 1, 2, 3, 4, 5, 6);
	sink += with_frame_pointer(5);
	sink += large_frame(4);
	oracle_step_end();
}

/* ---- jumps and stacks ------------------------------------------------------------------------------------- */

static jmp_buf jump;

NOINLINE static void jump_back(int n)
{
	if (n == 0)
		longjmp(jump, 1);
	if (sink != 1)
		jump_back(n - 1);
	sink++;
}

static void scene_longjmp(void)
{
	oracle_step_begin();
	for (volatile int i = 0; i < 5; i++)
		if (setjmp(jump) == 0)
			jump_back(i * 3);
	oracle_step_end();
}

static ucontext_t main_context, coroutine[2];

static void coroutine_body(int which)
{
	for (int i = 0; i < 4; i++) {
		oracle_here();
		sink += (uint64_t)recurse(5 + which);
		swapcontext(&coroutine[which], &main_context);
	}
}

static void scene_coroutines(void)
{
	static char stacks[2][65536];

	for (int i = 0; i < 2; i++) {
		getcontext(&coroutine[i]);
		coroutine[i].uc_stack.ss_sp = stacks[i];
		coroutine[i].uc_stack.ss_size = sizeof(stacks[i]);
		coroutine[i].uc_link = &main_context;
		makecontext(&coroutine[i], (void (*)(void))coroutine_body, 1, i);
	}
	oracle_step_begin();
	for (int i = 0; i < 10; i++)
		swapcontext(&main_context, &coroutine[i & 1]);
	oracle_step_end();
}

static void on_user_signal(int sig)
{
	(void)sig;
	oracle_here();
	sink += (uint64_t)recurse(3);
}

static void raise_with(int flags)
{
	struct sigaction act = { .sa_handler = on_user_signal, .sa_flags = flags };

	sigaction(SIGUSR1, &act, NULL);
	oracle_step_begin();
	raise(SIGUSR1);
	oracle_step_end();
	raise(SIGUSR1);
}

static void scene_signals(void)
{
	static char alternate[65536];
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof(alternate) };

	raise_with(0);
	sigaltstack(&ss, NULL);
	raise_with(SA_ONSTACK);
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, NULL);
}

/* ---- other code ------------------------------------------------------------------------------------------- */

static void scene_throw(void)
{
	oracle_throw(0); /* the first throw loads what the oracle needs, too */
	oracle_step_begin();
	oracle_throw(6);
	oracle_step_end();
}

static void scene_loader(void)
{
	void *handle;

	oracle_step_begin();
	handle = dlopen("libz.so.1", RTLD_LAZY);
	sink += handle && dlsym(handle, "crc32");
	if (handle)
		dlclose(handle);
	oracle_step_end();
}

/* Hand-written assembler that moves sp and rbp in its own ways. */
static void scene_crypto(void)
{
	void *handle = dlopen("libcrypto.so.3", RTLD_NOW);
	unsigned char *(*sha256)(const void *, size_t, unsigned char *) = NULL;
	unsigned char *(*sha1)(const void *, size_t, unsigned char *) = NULL;
	unsigned char digest[64], data[200] = { 1 };

	if (handle) {
		*(void **)&sha256 = dlsym(handle, "SHA256");
		*(void **)&sha1 = dlsym(handle, "SHA1");
	}
	if (!sha256 || !sha1)
		return;
	sha256(data, 1, digest);
	oracle_step_begin();
	sha256(data, sizeof(data), digest);
	sha1(data, sizeof(data), digest);
	oracle_step_end();
}

static void *thread_body(void *arg)
{
	(void)arg;
	oracle_step_begin();
	sink += (uint64_t)recurse(10);
	oracle_step_end();
	return NULL;
}

/* One after the other: the oracle keeps one account. */
static void scene_threads(void)
{
	for (int i = 0; i < 3; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, thread_body, NULL) == 0)
			pthread_join(thread, NULL);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} scene_list[] = {
	{ "recursion", scene_recursion }, { "qsort callback", scene_qsort },
	{ "libc", scene_libc },		  { "lazy binding", scene_lazy_binding },
	{ "clock, vDSO", scene_clock },	  { "unusual frames", scene_frames },
	{ "longjmp", scene_longjmp },	  { "coroutines", scene_coroutines },
	{ "signals", scene_signals },	  { "C++ exceptions", scene_throw },
	{ "dlopen", scene_loader },	  { "assembler of OpenSSL", scene_crypto },
	{ "threads", scene_threads },
};

int main(int argc, char **argv)
{
	oracle_begin(20);
	for (unsigned i = 0; i < sizeof(scene_list) / sizeof(scene_list[0]); i++) {
		if (argc > 1 && !strstr(scene_list[i].name, argv[1]))
			continue;
		oracle_scene(scene_list[i].name);
		scene_list[i].run();
	}
	return oracle_end();
}
