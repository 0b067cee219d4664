/* SPDX-License-Identifier: MIT */
/*
 * Whoever is about to sleep says so first, and whoever has news looks for that afterwards, so one of them sees the
 * other. Nobody looks for news in a loop: on a busy machine that takes the core from whom it waits for.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/symbols/sandbox.h"
#include "analyzer/symbols/worker.h"

#define NAP_NS 10000000 /* between two looks whether the worker is still alive */
#define WALL_FACTOR 10u

/* Something that grows and can be slept on. */
struct bell {
	_Atomic uint32_t count;
	_Atomic uint32_t sleepers;
};

struct message {
	uint32_t about, len;
	uint8_t bytes[WORKER_QUESTION_MAX];
};

/* What both processes see. */
struct channel {
	struct bell news;	/* rung by the parent: a question, or something to do ahead */
	struct bell answers;	/* rung by the worker */
	_Atomic uint32_t asked; /* questions so far */
	_Atomic uint32_t busy;	/* what the worker has in hand, 0: nothing */
	_Atomic uint32_t told;	/* messages so far; the worker takes them in order */
	_Atomic uint32_t done;	/* messages it has taken */
	uint32_t answer_len;
	struct message question;
	struct message ahead[WORKER_AHEAD_MAX];
	uint8_t answer[WORKER_ANSWER_MAX];
};

struct worker {
	struct worker_job job;
	struct channel *channel;
	pid_t pid; /* 0: it is gone */
	uint32_t culprit;
	int status;	/* as wait has it */
	bool was_ended; /* by us: it took too long */
};

/* ---- bells ----------------------------------------------------------------------------------------------------- */

static long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

static void bell_ring(struct bell *b)
{
	atomic_fetch_add(&b->count, 1);
	if (atomic_load(&b->sleepers))
		futex(&b->count, FUTEX_WAKE, 1, NULL);
}

/* Until the bell has another count than `seen`, or (timeout not NULL) some time has passed. */
static void bell_wait(struct bell *b, uint32_t seen, const struct timespec *timeout)
{
	atomic_store(&b->sleepers, 1);
	futex(&b->count, FUTEX_WAIT, seen, timeout);
	atomic_store(&b->sleepers, 0);
}

/* ---- the worker ------------------------------------------------------------------------------------------------ */

static void answer(struct worker *w, struct channel *c)
{
	atomic_store(&c->busy, c->question.about);
	c->answer_len = (uint32_t)w->job.answer(w->job.self, c->question.bytes, c->question.len, c->answer);
	atomic_store(&c->busy, 0);
	bell_ring(&c->answers);
}

static void do_ahead(struct worker *w, struct channel *c, uint32_t number)
{
	const struct message *m = &c->ahead[number % WORKER_AHEAD_MAX];

	atomic_store(&c->busy, m->about);
	w->job.ahead(w->job.self, m->bytes, m->len);
	atomic_store(&c->busy, 0);
	atomic_store(&c->done, number + 1);
}

/* What this process does at a signal is no answer to a crash of the worker. */
static void forget_handlers(void)
{
	const struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A question goes before all that was only told. */
static _Noreturn void work(struct worker *w, pid_t parent)
{
	struct channel *c = w->channel;
	uint32_t answered = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	forget_handlers();
	sandbox_enter(w->job.has_network);
	for (;;) {
		uint32_t news = atomic_load(&c->news.count), done = atomic_load(&c->done);

		if (atomic_load(&c->asked) != answered) {
			answered++;
			answer(w, c);
		} else if (atomic_load(&c->told) != done) {
			do_ahead(w, c, done);
		} else {
			bell_wait(&c->news, news, NULL);
		}
	}
}

/* ---- this side ------------------------------------------------------------------------------------------------- */

struct worker *worker_new(const struct worker_job *job)
{
	struct worker *w = calloc(1, sizeof(*w));
	pid_t parent = getpid();

	if (!w)
		return NULL;
	w->job = *job;
	w->channel = mmap(NULL, sizeof(*w->channel), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);
	if (w->channel == MAP_FAILED) {
		free(w);
		return NULL;
	}
	w->pid = fork();
	if (!w->pid)
		work(w, parent);
	if (w->pid < 0) {
		munmap(w->channel, sizeof(*w->channel));
		free(w);
		return NULL;
	}
	return w;
}

/* Wait for its end, which has come or was just sent. */
static void bury(struct worker *w)
{
	while (waitpid(w->pid, &w->status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	w->culprit = atomic_load(&w->channel->busy);
}

void worker_kill(struct worker *w)
{
	if (w->pid)
		kill(w->pid, SIGKILL);
}

static void end(struct worker *w)
{
	worker_kill(w);
	bury(w);
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->pid)
		end(w);
	munmap(w->channel, sizeof(*w->channel));
	free(w);
}

static bool is_dead(struct worker *w)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) ? 0 : (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* For one answer. Looking at the clocks begins with the first nap. */
struct patience {
	clockid_t cpu;
	uint64_t cpu_end_ns, wall_end_ns;
};

static bool is_over(struct worker *w, struct patience *p)
{
	uint64_t limit_ns = w->job.seconds_max * UINT64_C(1000000000);

	if (!p->wall_end_ns) {
		p->wall_end_ns = now_ns(CLOCK_MONOTONIC) + WALL_FACTOR * limit_ns;
		p->cpu_end_ns = clock_getcpuclockid(w->pid, &p->cpu) ? UINT64_MAX : now_ns(p->cpu) + limit_ns;
		return false;
	}
	return now_ns(CLOCK_MONOTONIC) > p->wall_end_ns ||
	       (p->cpu_end_ns != UINT64_MAX && now_ns(p->cpu) > p->cpu_end_ns);
}

/* Until the answers' bell has rung again. */
static int await(struct worker *w, uint32_t seen)
{
	struct bell *answers = &w->channel->answers;
	struct timespec nap = { .tv_nsec = NAP_NS };
	struct patience patience = { 0 };

	while (atomic_load(&answers->count) == seen) {
		bell_wait(answers, seen, &nap);
		if (atomic_load(&answers->count) != seen)
			break;
		w->was_ended = is_over(w, &patience);
		if (w->was_ended) {
			end(w);
			return -EPIPE;
		}
		if (is_dead(w)) {
			bury(w);
			return -EPIPE;
		}
	}
	return 0;
}

int worker_ask(struct worker *w, uint32_t about, const void *question, size_t len, struct buf *out)
{
	struct channel *c = w->channel;
	uint32_t seen = atomic_load(&c->answers.count), size;
	int err;

	buf_clear(out);
	if (!w->pid || len > WORKER_QUESTION_MAX)
		return -EPIPE;
	c->question.about = about;
	c->question.len = (uint32_t)len;
	memcpy(c->question.bytes, question, len);
	atomic_fetch_add(&c->asked, 1);
	bell_ring(&c->news);
	err = await(w, seen);
	if (err)
		return err;
	size = __atomic_load_n(&c->answer_len, __ATOMIC_RELAXED);
	return buf_add(out, c->answer, size < WORKER_ANSWER_MAX ? size : WORKER_ANSWER_MAX);
}

void worker_tell(struct worker *w, uint32_t about, const void *message, size_t len)
{
	struct channel *c = w->channel;
	uint32_t told = atomic_load(&c->told);
	struct message *m = &c->ahead[told % WORKER_AHEAD_MAX];

	if (!w->pid || len > WORKER_QUESTION_MAX || told - atomic_load(&c->done) >= WORKER_AHEAD_MAX)
		return;
	m->about = about;
	m->len = (uint32_t)len;
	memcpy(m->bytes, message, len);
	atomic_store(&c->told, told + 1);
	bell_ring(&c->news);
}

uint32_t worker_culprit(const struct worker *w)
{
	return w->culprit;
}

void worker_end(const struct worker *w, struct buf *out)
{
	if (w->was_ended)
		buf_printf(out, "reading it took more than %u s", w->job.seconds_max);
	else if (WIFSIGNALED(w->status))
		buf_printf(out, "reading it ended with signal %d", WTERMSIG(w->status));
	else
		buf_printf(out, "reading it ended with status %d", WEXITSTATUS(w->status));
}
