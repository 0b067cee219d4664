/* SPDX-License-Identifier: MIT */
/*
 * faults.c - what programs do to themselves: `faults CASE` prints the same with and without a recorder.
 *
 * Cases are the rows of the table at the end. "DIRECTORY" is where a case may make files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define NOBODY 65534

extern char **environ;
static const char *self, *argument;

/* Blocks, a lock and a short sleep: something of each kind to record. */
static void work(int n)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct timespec nap = { 0, 100000 };

	for (int i = 0; i < n; i++) {
		void *volatile block = malloc((size_t)i % 500 + 1);

		pthread_mutex_lock(&lock);
		block = realloc(block, (size_t)i % 700 + 1);
		pthread_mutex_unlock(&lock);
		free(block);
	}
	nanosleep(&nap, NULL);
}

static void limit(int what, rlim_t most)
{
	struct rlimit limit = { most, most };

	if (setrlimit(what, &limit))
		perror("setrlimit");
}

static void print_status(const char *what, int status)
{
	if (WIFSIGNALED(status))
		printf("%s: signal %d\n", what, WTERMSIG(status));
	else
		printf("%s: exit %d\n", what, WEXITSTATUS(status));
	fflush(stdout);
}

/* A child that does `inside`; how it ended is printed. */
static void in_child(const char *what, void (*inside)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		inside();
		exit(0);
	}
	waitpid(pid, &status, 0);
	print_status(what, status);
}

static void child_works(void)
{
	work(1000);
}

static void closefrom_case(void)
{
	work(100);
	closefrom(3);
	work(100000);
	printf("next descriptor %d\n", open("/dev/null", O_RDONLY));
	close_range(3, ~0u, 0);
	in_child("child", child_works);
	printf("next descriptor %d\n", dup(1));
}

static void no_descriptors(void)
{
	limit(RLIMIT_NOFILE, 3);
	work(100000);
	printf("open: %d, errno %d\n", open("/dev/null", O_RDONLY), errno);
	in_child("child", child_works);
}

static void chroot_case(void)
{
	char jail[4096];

	snprintf(jail, sizeof(jail), "%s/jail", argument);
	if (mkdir(jail, 0755) || chroot(jail) || chdir("/"))
		perror("chroot");
	work(100000);
	for (int i = 0; i < 3; i++)
		in_child("child", child_works);
	printf("%d\n", access("/etc/passwd", F_OK));
}

static void drop_case(void)
{
	work(100);
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		perror("setresuid");
	work(100000);
	in_child("child", child_works);
	printf("uid %d\n", (int)getuid());
}

static void fork_storm(void)
{
	int ended = 0, status;

	for (int i = 0; i < 300; i++) {
		if (!fork()) {
			if (i % 3 == 0 && !fork())
				_exit(0);
			work(i % 2 ? 100 : 0);
			_exit(0);
		}
		if (i % 32 == 31)
			while (waitpid(-1, &status, 0) > 0)
				ended += !status;
	}
	while (waitpid(-1, &status, 0) > 0)
		ended += !status;
	printf("%d ended\n", ended);
}

static void exec_chain(void)
{
	int left = argument ? atoi(argument) : 0;
	char number[16];

	work(10);
	if (!left) {
		printf("end of the chain\n");
		return;
	}
	snprintf(number, sizeof(number), "%d", left - 1);
	execl("/proc/self/exe", self, "execs", number, (char *)NULL);
}

static void spawn_many(void)
{
	char *const command[] = { "true", NULL };
	volatile int bad = 0;
	int status;

	for (volatile int i = 0; i < 100; i++) {
		pid_t pid = i % 2 ? vfork() : -1;

		if (!pid) {
			execvp(command[0], command);
			_exit(127);
		}
		if (i % 2 == 0 && posix_spawnp(&pid, i % 4 ? "true" : "no-such-program", NULL, NULL, command, environ))
			bad++;
		else if (waitpid(pid, &status, 0) < 0 || status)
			bad++;
		work(10);
	}
	printf("%d failed\n", bad);
}

static void *thread_works(void *arg)
{
	free(malloc((size_t)(uintptr_t)arg % 1000 + 1));
	return NULL;
}

static void many_threads(void)
{
	int made = 0, count = argument ? atoi(argument) : 100000;
	struct rusage usage;
	pthread_t threads[20];

	while (made < count) {
		int n = 0;

		while (n < 20 && !pthread_create(&threads[n], NULL, thread_works, (void *)(uintptr_t)made))
			n++;
		for (int i = 0; i < n; i++)
			pthread_join(threads[i], NULL);
		made += n;
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%d threads\n", made);
	if (getenv("SHOW_RSS"))
		fprintf(stderr, "%ld\n", usage.ru_maxrss);
}

static int dive(volatile int depth)
{
	volatile char room[2000];

	if (depth < 0)
		return 0;
	room[0] = (char)depth;
	free(malloc((size_t)depth % 100 + 1));
	return dive(depth + 1) + room[0];
}

static void overflow_plainly(void)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_STACK, MIB);
	dive(0);
}

static void on_overflow(int sig)
{
	static const char text[] = "overflow was handled\n";

	free(malloc(100)); /* nobody should; it happens */
	if (write(1, text, sizeof(text) - 1) < 0)
		_exit(9);
	_exit(sig == SIGSEGV ? 3 : 4);
}

static void overflow_handled(void)
{
	static char room[16384];
	stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction action = { .sa_handler = on_overflow, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	dive(0);
}

static void *thread_dives(void *arg)
{
	(void)arg;
	overflow_handled();
	return NULL;
}

static void overflow_in_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, thread_dives, NULL))
		pthread_join(thread, NULL);
}

static void overflow_case(void)
{
	in_child("without a handler", overflow_plainly);
	in_child("with one", overflow_handled);
	in_child("in a thread", overflow_in_thread);
}

/* Until nothing is left, three times; how much it was depends on the address space, that it is all comes back. */
static void out_of_memory(void)
{
	void **list = NULL;

	limit(RLIMIT_AS, 256 * MIB);
	for (int round = 0; round < 3; round++) {
		size_t got = 0;
		void *volatile huge = malloc((size_t)1 << 40);
		void **block;

		printf("huge: %d, errno %d\n", huge != NULL, errno);
		for (errno = 0; (block = malloc(100000)); got++) {
			*block = list;
			list = block;
		}
		printf("all: %d, errno %d\n", got > 192 * MIB / 100000 && got < 256 * MIB / 100000, errno);
		printf("more: %d %d %d\n", !!calloc(1000, 1000), !!realloc(NULL, MIB), !!aligned_alloc(4096, MIB));
		while (list) {
			block = *list;
			free(list);
			list = (void **)block;
		}
	}
	printf("%d\n", strcmp(strdup("works"), "works"));
}

#define ALLOW(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (n), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What a careful program that computes and talks needs, and nothing else. */
static void sandbox(unsigned otherwise)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_read),
		ALLOW(SYS_write),
		ALLOW(SYS_brk),
		ALLOW(SYS_futex),
		ALLOW(SYS_mmap),
		ALLOW(SYS_munmap),
		ALLOW(SYS_clock_nanosleep),
		ALLOW(SYS_rt_sigreturn),
		ALLOW(SYS_exit),
		ALLOW(SYS_exit_group),
		ALLOW(SYS_newfstatat),
		BPF_STMT(BPF_RET | BPF_K, otherwise),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
		perror("seccomp");
}

static void sandbox_kills(void)
{
	work(100);
	sandbox(SECCOMP_RET_KILL_PROCESS);
	work(100000);
}

static void sandbox_refuses(void)
{
	work(100);
	sandbox(SECCOMP_RET_ERRNO | EPERM);
	work(100000);
}

static void *thread_in_sandbox(void *arg)
{
	sandbox(SECCOMP_RET_KILL_PROCESS);
	work(20000);
	return arg;
}

static void sandbox_one_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, thread_in_sandbox, NULL)) {
		work(100000);
		pthread_join(thread, NULL);
	}
	work(1000);
}

static void sandbox_case(void)
{
	in_child("kills", sandbox_kills);
	in_child("refuses", sandbox_refuses);
	in_child("one thread", sandbox_one_thread);
}

/* A bus error of the program's own, and SIGBUS sent: as fatal as ever, and as easily handled. */
static void own_bus_error(void)
{
	char path[4096];
	volatile char *map;
	int fd;

	limit(RLIMIT_CORE, 0);
	snprintf(path, sizeof(path), "%s/short", argument);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (ftruncate(fd, 4096))
		perror(path);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	map[0] = 1;
	map[4096] = 1;
}

static void on_bus(int sig)
{
	_exit(sig == SIGBUS ? 5 : 6);
}

static void own_bus_handler(void)
{
	struct sigaction old, action = { .sa_handler = on_bus };

	sigaction(SIGBUS, NULL, &old);
	printf("default: %d %d\n", old.sa_handler == SIG_DFL, old.sa_flags);
	printf("default: %d\n", signal(SIGBUS, on_bus) == SIG_DFL);
	printf("kept: %d\n", signal(SIGBUS, SIG_DFL) == on_bus);
	sigaction(SIGBUS, &action, &old);
	fflush(stdout);
	own_bus_error();
}

static void sent_bus(void)
{
	limit(RLIMIT_CORE, 0);
	raise(SIGBUS);
}

static void bus_case(void)
{
	in_child("own error", own_bus_error);
	in_child("own handler", own_bus_handler);
	in_child("sent", sent_bus);
}

static void plain_case(void)
{
	work(100000);
	in_child("child", child_works);
}

/* Writes until it is told to end: for what others do to its dump meanwhile. */
static void forever(void)
{
	alarm(60);
	signal(SIGTERM, on_bus);
	for (;;)
		work(1000);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "closefrom", closefrom_case }, { "no-descriptors", no_descriptors },
	{ "chroot", chroot_case },	 { "drop", drop_case },
	{ "forks", fork_storm },	 { "execs", exec_chain },
	{ "spawns", spawn_many },	 { "threads", many_threads },
	{ "overflow", overflow_case },	 { "memory", out_of_memory },
	{ "sandbox", sandbox_case },	 { "bus", bus_case },
	{ "plain", plain_case },	 { "forever", forever },
};

int main(int argc, char **argv)
{
	self = argv[0];
	argument = argc > 2 ? argv[2] : NULL;
	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	fprintf(stderr, "faults: no such case\n");
	return 2;
}
