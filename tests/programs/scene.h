/* SPDX-License-Identifier: MIT */
/*
 * scene.h - planted waits: one thread makes another one wait, and the waiting one measures it.
 *
 * A scene's `hold` prepares what is waited for, calls scene_ready(), lets the planted time pass and ends the wait.
 * Only then `wait` starts, in a thread of its own, and books the call that blocks. Both threads are joined before the
 * next scene. A scene without `hold` waits for something that ends by itself.
 */
#ifndef TESTS_PROGRAMS_SCENE_H
#define TESTS_PROGRAMS_SCENE_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "common/books.h"
#include "common/options.h"

struct scene {
	const char *kind;     /* as reports name it */
	const char *function; /* that waits */
	const char *holder;   /* that makes it wait, or NULL */
	unsigned int planted_ms;
	void (*wait)(void);
	void (*hold)(void);
};

static sem_t scene_is_ready;
static unsigned int scene_ms; /* of the scene that is running */

/* For `hold`: the other thread may start to wait. */
static inline void scene_ready(void)
{
	sem_post(&scene_is_ready);
}

/* For `hold`: the planted time. */
static inline void scene_pass(void)
{
	clock_sleep_ns(scene_ms * 1000000ull);
}

static inline void *scene_run_hold(void *arg)
{
	((const struct scene *)arg)->hold();
	return NULL;
}

static inline void *scene_run_wait(void *arg)
{
	((const struct scene *)arg)->wait();
	return NULL;
}

static inline void scene_start(pthread_t *thread, const char *name, void *(*run)(void *), const struct scene *scene)
{
	int err = book_thread(thread, name, 0, run, (void *)(uintptr_t)scene);

	if (err) {
		fprintf(stderr, "%s: %s\n", scene->function, strerror(err));
		exit(1);
	}
}

static inline void scene_play(const struct scene *scene)
{
	pthread_t holder, waiter;

	scene_ms = scene->planted_ms;
	if (scene->hold) {
		scene_start(&holder, "holder", scene_run_hold, scene);
		while (sem_wait(&scene_is_ready) && errno == EINTR)
			;
	}
	scene_start(&waiter, "waiter", scene_run_wait, scene);
	pthread_join(waiter, NULL);
	if (scene->hold)
		pthread_join(holder, NULL);
}

static inline void scene_print(const struct scene *scenes, size_t count, uint64_t repeat, const char *program)
{
	printf("{\"program\":\"%s\",\"planted\":[", program);
	for (size_t i = 0; i < count; i++) {
		const struct scene *scene = &scenes[i];

		printf("%s{\"kind\":\"%s\",\"function\":\"%s\",\"count\":%lu,\"planted_ns\":%lu,\"holder\":",
		       i ? "," : "", scene->kind, scene->function, repeat, repeat * scene->planted_ms * 1000000);
		printf(scene->holder ? "\"%s\"}" : "null}", scene->holder);
	}
	printf("],");
	books_print(stdout);
	printf("}\n");
}

/* The whole main: every scene, `repeat` times, then the truth. Returns the exit status. */
static inline int scene_main(int argc, char **argv, const char *program, const struct scene *scenes, size_t count)
{
	uint64_t repeat = 1;
	const char *only = NULL;
	const struct option_row rows[] = {
		{ "repeat", OPTION_NUMBER, &repeat, 1, 1000, "how often each wait happens" },
		{ "only", OPTION_TEXT, &only, 0, 0, "name of one waiting function" },
		{ 0 },
	};

	books_stdout();
	options_parse(argc, argv, program, "Waits of known kinds, places and lengths; prints them as JSON.\n", rows);
	sem_init(&scene_is_ready, 0, 0);
	for (uint64_t i = 0; i < repeat; i++) {
		for (size_t s = 0; s < count; s++) {
			if (!only || !strcmp(only, scenes[s].function))
				scene_play(&scenes[s]);
		}
	}
	scene_print(scenes, count, repeat, program);
	return fflush(stdout) ? 1 : 0;
}

/* A call that must succeed, for the props of a scene. */
#define scene_must(call)                                                                                               \
	do {                                                                                                           \
		if ((call) < 0) {                                                                                      \
			fprintf(stderr, "%s: %s: %s\n", __func__, #call, strerror(errno));                             \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
