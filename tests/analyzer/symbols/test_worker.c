/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "analyzer/symbols/worker.h"

#define SECONDS 1u

static char ahead_text[64]; /* in the worker: what it was told */

/* What a hostile file could make of the worker, by name. */
static void suffer(const char *what)
{
	volatile unsigned turns = 1;

	if (!strcmp(what, "crash"))
		*(volatile int *)8 = 1;
	if (!strcmp(what, "abort"))
		abort(); /* which may not send a signal, and ends by an instruction that is none */
	if (!strcmp(what, "exit"))
		syscall(SYS_exit_group, 7); /* past LeakSanitizer, which exits with 1 in a sandbox */
	while (!strcmp(what, "loop"))
		turns++;
}

static char outcome(long result)
{
	return result < 0 ? 'n' : 'y';
}

/* One letter for each thing tried. */
static size_t try_all(char *out)
{
	const size_t huge = (size_t)1 << 46;
	char *at = out;

	*at++ = outcome(open("/dev/null", O_RDONLY));
	*at++ = outcome(open("/dev/null", O_WRONLY));
	*at++ = outcome(open("/tmp/ringside-worker", O_CREAT | O_RDONLY, 0600));
	*at++ = outcome(socket(AF_INET, SOCK_STREAM, 0));
	*at++ = outcome(fork());
	*at++ = outcome(kill(getppid(), 0));
	*at++ = outcome(execl("/bin/true", "true", NULL));
	*at++ = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 'n' : 'y';
	*at++ = mmap(NULL, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 'n' : 'y';
	return (size_t)(at - out);
}

static size_t answer(void *self, const void *question, size_t len, void *out)
{
	(void)self;
	suffer(question);
	if (!strcmp(question, "try"))
		return try_all(out);
	if (!strcmp(question, "huge"))
		return SIZE_MAX;
	if (!strcmp(question, "ahead")) {
		memcpy(out, ahead_text, sizeof(ahead_text));
		return strlen(ahead_text);
	}
	memcpy(out, question, len);
	return len;
}

static void ahead(void *self, const void *message, size_t len)
{
	(void)self;
	(void)len;
	suffer(message);
	strcat(ahead_text, message);
}

static struct worker *start(void)
{
	const struct worker_job job = { .answer = answer, .ahead = ahead, .seconds_max = SECONDS };
	struct worker *w = worker_new(&job);

	assert_non_null(w);
	return w;
}

static int ask(struct worker *w, const char *question, struct buf *out)
{
	return worker_ask(w, 5, question, strlen(question) + 1, out);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void questions_are_answered_in_order(void **state)
{
	struct worker *w = start();
	struct buf out = { 0 };

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(ask(w, text, &out), 0);
		assert_string_equal(out.data, text);
	}
	buf_release(&out);
	worker_free(w);
}

static void what_it_was_told_is_done_before_or_after_a_question(void **state)
{
	struct worker *w = start();
	struct buf out = { 0 };

	(void)state;
	worker_tell(w, 1, "a", 2);
	worker_tell(w, 2, "b", 2);
	worker_tell(w, 3, "c", 2);
	do
		assert_int_equal(ask(w, "ahead", &out), 0);
	while (out.len < 3);
	assert_string_equal(out.data, "abc");
	for (unsigned i = 0; i < 4 * WORKER_AHEAD_MAX; i++)
		worker_tell(w, 4, "", 1); /* too many are forgotten */
	assert_int_equal(ask(w, "x", &out), 0);
	buf_release(&out);
	worker_free(w);
}

static void a_death_names_its_cause_and_its_culprit(void **state)
{
	/* "signal 11", or "status 1" where AddressSanitizer looks after crashes. */
	static const struct {
		const char *question, *words;
	} cases[] = { { "crash", "reading it ended with s" },
		      { "abort", "reading it ended with s" },
		      { "exit", "reading it ended with status 7" },
		      { "loop", "reading it took more than 1 s" } };
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct worker *w = start();

		assert_int_equal(ask(w, "fine", &out), 0);
		assert_int_equal(ask(w, cases[i].question, &out), -EPIPE);
		assert_int_equal(worker_culprit(w), 5);
		buf_clear(&out);
		worker_end(w, &out);
		if (strncmp(out.data, cases[i].words, strlen(cases[i].words)))
			fail_msg("%s: %s", cases[i].question, out.data);
		assert_int_equal(ask(w, "fine", &out), -EPIPE);
		worker_tell(w, 1, "a", 2);
		worker_free(w);
	}
	buf_release(&out);
}

static void a_death_by_what_was_done_ahead_is_not_blamed_on_the_question(void **state)
{
	struct worker *w = start();
	struct buf out = { 0 };
	int err;

	(void)state;
	worker_tell(w, 77, "crash", 6);
	do
		err = ask(w, "fine", &out);
	while (!err);
	assert_int_equal(err, -EPIPE);
	assert_int_equal(worker_culprit(w), 77);
	buf_release(&out);
	worker_free(w);
}

static void an_answer_that_claims_too_much_is_cut(void **state)
{
	struct worker *w = start();
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(ask(w, "huge", &out), 0);
	assert_true(out.len <= WORKER_ANSWER_MAX);
	buf_release(&out);
	worker_free(w);
}

static void the_worker_may_read_files_and_nothing_else(void **state)
{
	struct worker *w = start();
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(ask(w, "try", &out), 0);
	assert_string_equal(out.data, "ynnnnnnnn");
	buf_release(&out);
	worker_free(w);
}

static void a_busy_worker_is_ended_at_once(void **state)
{
	struct worker *w = start();
	double begin = now();

	(void)state;
	worker_tell(w, 1, "loop", 5);
	worker_free(w);
	assert_true(now() - begin < 5);
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_answered_in_order),
		cmocka_unit_test(what_it_was_told_is_done_before_or_after_a_question),
		cmocka_unit_test(a_death_names_its_cause_and_its_culprit),
		cmocka_unit_test(a_death_by_what_was_done_ahead_is_not_blamed_on_the_question),
		cmocka_unit_test(an_answer_that_claims_too_much_is_cut),
		cmocka_unit_test(the_worker_may_read_files_and_nothing_else),
		cmocka_unit_test(a_busy_worker_is_ended_at_once),
	};

	return cmocka_run_group_tests_name("analyzer/symbols/worker", tests, NULL, NULL);
}
