/* SPDX-License-Identifier: MIT */
/* bus.c - see bus.h. System calls only. */
#include "preload/bus.h"

#include <signal.h>
#include <sys/mman.h>

#include "preload/file.h"
#include "preload/handler.h"
#include "preload/heap.h"
#include "preload/raw.h"
#include "preload/sampler.h"
#include "preload/thread.h"
#include "preload/windows.h"

#define PAGE 4096u

/* Whoever is in the middle of a record finishes it, there or in another page that gets here; nobody begins one. */
static void end_recording(void)
{
	if (life->state != LIFE_RECORDING)
		return;
	life->state = LIFE_OFF;
	heap_update();
	thread_each(sampler_thread_end);
	/* The header may be gone as well: then this comes back here. */
	file_count(COUNT_FILE_CUT, 1);
}

static bool put_memory(uintptr_t address)
{
	uintptr_t page = address & ~(uintptr_t)(PAGE - 1);
	long p = raw6(SYS_mmap, (long)page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		      0);

	return p == (long)page;
}

static void on_bus_error(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code <= 0) {
		handler_die_of(sig);
		return;
	}
	if (info->si_code == BUS_ADRERR && windows_contain((uintptr_t)info->si_addr) &&
	    put_memory((uintptr_t)info->si_addr)) {
		end_recording();
		return;
	}
	/* The program's own: the instruction that made it is repeated. */
	handler_default(sig);
}

void bus_begin(void)
{
	handler_install(SIGBUS, on_bus_error, ~((uint64_t)1 << (SIGBUS - 1)), SA_NODEFER | SA_RESTART);
}

bool bus_is_ours(int sig)
{
	return sig == SIGBUS && handler_is(SIGBUS, on_bus_error);
}
