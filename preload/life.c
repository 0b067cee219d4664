/* SPDX-License-Identifier: MIT */
/*
 * life.c - start, fork and exit, in order.
 *
 * Start:  originals, configuration, clock, file, stacks, thread key, sampler, then the state word says RECORDING.
 * Fork:   the state word lies in a page that the kernel wipes in a child (MADV_WIPEONFORK), and the dump's
 *         mapping is not inherited (MADV_DONTFORK). A child that records nothing makes no file.
 * Exit:   a handler registered before all others runs after them; it writes the last numbers. Nothing is
 *         undone: other threads still run.
 */
#include "preload/life.h"

#include <elf.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "preload/bus.h"
#include "preload/channels.h"
#include "preload/config.h"
#include "preload/fds.h"
#include "preload/file.h"
#include "preload/heap.h"
#include "preload/hook.h"
#include "preload/inittrace.h"
#include "preload/lines.h"
#include "preload/locks.h"
#include "preload/memory.h"
#include "preload/modules.h"
#include "preload/old_libc.h"
#include "preload/open.h"
#include "preload/path.h"
#include "preload/raw.h"
#include "preload/reach.h"
#include "preload/ring.h"
#include "preload/sampler.h"
#include "preload/snapshot.h"
#include "preload/span.h"
#include "preload/stacks.h"
#include "preload/text.h"
#include "preload/thread.h"
#include "preload/wakes.h"
#include "preload/windows.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

static bool started;
static char **program_argv;
static uint32_t pid_recorded;		/* pid and random of the dump this process, or its parent, has */
static struct rsd_header parent_header; /* only pid and random are set */

bool life_started(void)
{
	return started;
}

static const char *environment(char **envp, const char *name)
{
	size_t len = text_len(name);

	for (; envp && *envp; envp++) {
		size_t i = 0;

		while (i < len && (*envp)[i] == name[i])
			i++;
		if (i == len && (*envp)[i] == '=')
			return *envp + len + 1;
	}
	return NULL;
}

/* A set-user-ID program runs with rights its caller lacks: it is left alone, variables and all. */
static bool is_secure(void)
{
	return getauxval(AT_SECURE) != 0;
}

/* The wiped page. Without WIPEONFORK (before Linux 4.14) a child could not be told apart: then nothing is recorded. */
static bool make_state_page(void)
{
	struct life *page = raw_map(4096);

	if (!page || raw3(SYS_madvise, page, 4096, MADV_WIPEONFORK) != 0)
		return false;
	life = page;
	return true;
}

static void remember_dump(void)
{
	pid_recorded = file_header->pid;
	parent_header.pid = file_header->pid;
	parent_header.random = file_header->random;
}

/* Reports say whose blocks these are, though hardly a stack runs through the allocator itself. */
static void note_allocator(void)
{
	struct module module;

	if (module_find((uintptr_t)real.malloc, &module))
		module_id(&module);
}

/* Everything that a fresh dump needs, in the first process and in a child alike. */
static void begin_recording(void)
{
	remember_dump();
	stacks_begin();
	note_allocator();
	ring_begin();
	heap_begin();
	span_setup();
	memory_begin();
	sampler_begin();
	life->state = LIFE_RECORDING;
	heap_update();
	reach_begin();
}

static void on_exit_handler(int status, void *unused)
{
	(void)unused;
	if (file_header && thread_is_mute()) {
		reach_exit_mute();
		file_finish_mute(RSD_END_EXIT, status);
	}
	if (life->state != LIFE_RECORDING || !file_header || thread_is_mute())
		return;
	reach_exit();
	thread_finish_process();
	file_finish(RSD_END_EXIT, status);
}

/* The parent's dump tells that this one is missing, unless it is not wanted. */
static bool open_child(void)
{
	struct rsd_header *parent = windows_inherit();
	int err = file_open(true, &parent_header, program_argv);

	if (err && err != -ECHILD && parent)
		__atomic_fetch_add(&parent->counter[COUNT_CHILD_LOST], 1, __ATOMIC_RELAXED);
	windows_disown();
	return !err;
}

/*
 * A child of fork has its parent's memory, with one thread. Its dump is opened at the first event that is
 * recorded; one event at a time gets here, because there is one thread.
 */
bool life_child(void)
{
	uint64_t mask;
	bool recording;
	uint32_t unknown = LIFE_UNKNOWN;

	/* Until it is done, whatever happens in here is not recorded; nor is what a handler does that comes in between.
	 */
	if (!__atomic_compare_exchange_n(&life->state, &unknown, LIFE_OFF, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return unknown == LIFE_RECORDING;
	if (thread_is_mute())
		return false;
	sampler_block(&mask);
	file_header = NULL;
	thread_begin_child();
	fds_begin_child();
	locks_begin_child();
	wakes_begin_child();
	channels_begin_child();
	recording = open_child();
	if (recording)
		begin_recording();
	sampler_unblock(&mask);
	if (recording)
		lines_begin();
	return recording;
}

/*
 * An exec of a recorded process, or any program started with the variables set, begins here. The argument
 * vector is passed by glibc's loader to every constructor; environ is not set yet when we run first.
 */
__attribute__((constructor)) static void life_begin(int argc, char **argv, char **envp)
{
	const char *toggles;
	int err;

	(void)argc;
	if (started || !libc_is_glibc() || is_secure())
		return;
	hook_begin();
	toggles = environment(envp, "RINGSIDE");
	config_read(toggles);
	clock_begin();
	program_argv = argv;
	if (!make_state_page())
		return;
	life->state = LIFE_OFF;
	started = true;
	err = file_open(false, NULL, argv);
	if (!path_is_descendant())
		config_tell(toggles);
	else if (err && err != -ECHILD)
		file_tell_missing();
	if (err)
		return;
	thread_begin();
	bus_begin();
	begin_recording();
	thread_register(NULL);
	if (real.on_exit)
		real.on_exit(on_exit_handler, NULL);
	snapshot_begin();
	if (config.inittrace)
		inittrace_begin();
	lines_begin();
}
