/* SPDX-License-Identifier: MIT */
/*
 * forkexec.c - processes that make processes, in every way; each says what it allocated.
 *
 * Every process prints one JSON line: role, pid, parent, and the blocks of BLOCK_SIZE bytes that it allocated in
 * allocate_for_role itself and keeps; those a fork copied from its parent are told apart. An exec'ed process is this
 * program again with --role.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/options.h"

#define BLOCK_SIZE 1000u

extern char **environ;

static const char *role, *mode = "all";
static char self[4096];
static uint64_t blocks = 10;

static void allocate_for_role(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		char *volatile block = malloc(BLOCK_SIZE);

		if (!block)
			_exit(1);
	}
}

/* One write, so that lines of different processes don't mix. */
static void say(const char *who, uint64_t count, uint64_t inherited)
{
	char line[256];
	int len = snprintf(line, sizeof(line),
			   "{\"role\":\"%s\",\"pid\":%d,\"ppid\":%d,\"live_blocks\":%lu,\"live_bytes\":%lu,\"inherited_"
			   "blocks\":%lu}\n",
			   who, getpid(), getppid(), count, count * BLOCK_SIZE, inherited);

	if (write(1, line, (size_t)len) != len)
		_exit(1);
}

/* `inherited`: what a fork copied from its parent. */
static void act(const char *who, uint64_t count, uint64_t inherited)
{
	allocate_for_role(count);
	say(who, count, inherited);
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void exec_self(const char *who)
{
	char count[24];
	char *const argv[] = { self, "--role", (char *)(uintptr_t)who, "--blocks", count, NULL };

	snprintf(count, sizeof(count), "%lu", blocks);
	execv(self, argv);
	_exit(127);
}

static int by_fork(void)
{
	pid_t pid = fork();

	if (!pid) {
		act("fork-child", blocks + 1, blocks);
		exit(0);
	}
	return reap(pid);
}

static int by_fork_exec(void)
{
	pid_t pid = fork();

	if (!pid)
		exec_self("fork-exec");
	return reap(pid);
}

static int by_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl(self, self, "--role", "vfork-exec", NULL);
		_exit(127);
	}
	return reap(pid);
}

static int by_spawn(void)
{
	char *const argv[] = { self, "--role", "spawned", NULL };
	pid_t pid;

	return posix_spawn(&pid, self, NULL, NULL, argv, environ) ? -1 : reap(pid);
}

static int by_system(void)
{
	char command[sizeof(self) + 32];

	snprintf(command, sizeof(command), "'%s' --role system", self);
	return system(command);
}

static int by_popen(void)
{
	char command[sizeof(self) + 32], line[512];
	FILE *pipe;

	snprintf(command, sizeof(command), "'%s' --role popen", self);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	while (fgets(line, sizeof(line), pipe)) {
		if (write(1, line, strlen(line)) < 0)
			return -1;
	}
	return pclose(pipe);
}

/* A child that forks a child that execs; the first one is gone before the last one ends. */
static int by_chain(void)
{
	int ends[2];
	char end;
	pid_t pid;

	if (pipe(ends))
		return -1;
	pid = fork();
	if (!pid) {
		act("chain-1", 1, blocks);
		if (!fork()) {
			act("chain-2", 1, blocks + 1);
			exec_self("chain-3");
		}
		_exit(0);
	}
	close(ends[1]);
	if (reap(pid) || read(ends[0], &end, 1)) /* end of file: the last process of the chain ended */
		return -1;
	close(ends[0]);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} ways[] = {
	{ "fork", by_fork },	 { "fork-exec", by_fork_exec }, { "vfork", by_vfork }, { "spawn", by_spawn },
	{ "system", by_system }, { "popen", by_popen },		{ "chain", by_chain },
};

int main(int argc, char **argv)
{
	const struct option_row rows[] = {
		{ "mode", OPTION_TEXT, &mode, 0, 0, "fork fork-exec vfork spawn system popen chain, or all" },
		{ "blocks", OPTION_NUMBER, &blocks, 0, 1000000, "blocks each process keeps" },
		{ "role", OPTION_TEXT, &role, 0, 0, "what an exec'ed process calls itself" },
		{ 0 },
	};
	int failed = 0;

	options_parse(argc, argv, "forkexec", "Makes processes in every way; each prints what it allocated.\n", rows);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	act(role ? role : "first", blocks, 0);
	for (size_t i = 0; !role && i < sizeof(ways) / sizeof(*ways); i++) {
		if (strcmp(mode, "all") && strcmp(mode, ways[i].name))
			continue;
		if (ways[i].run()) {
			fprintf(stderr, "forkexec: %s failed\n", ways[i].name);
			failed = 1;
		}
	}
	return failed;
}
