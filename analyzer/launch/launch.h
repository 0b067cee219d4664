/* SPDX-License-Identifier: MIT */
/*
 * launch.h - run a program with the preloaded library, and put its dumps in order when it has ended.
 *
 * The file is handed over empty: the forked child, which knows its pid, makes it under a temporary name and renames
 * it to FILE; the first recorded process claims the empty file, all others make FILE.d/NAME.PID.rsd.
 */
#ifndef RINGSIDE_LAUNCH_H
#define RINGSIDE_LAUNCH_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "analyzer/util/buf.h"

struct launch {
	const char *library; /* absolute path of libringside.so */
	const char *output;  /* pattern of -o; NULL: out= of the toggles, else ringside.%e.%p.rsd */
	const char *toggles; /* of -t, may be NULL */
	const char *program; /* as typed: looked up in PATH by exec */
	char **argv;
	bool compress; /* the recording, when the program has ended */
	/* After launch_run: */
	struct buf file; /* absolute path of FILE */
	pid_t pid;
	int status; /* of waitpid */
	struct rusage usage;
	bool is_unrecorded; /* FILE could not be made: the program ran by itself */
};

/* launch_library - where libringside.so is, relative to this command. Appended to *path; 0 or -errno with *error. */
int launch_library(struct buf *path, struct buf *error);

/*
 * launch_run - run the program to its end. Interrupts from the terminal are the program's; SIGTERM and SIGHUP are
 * passed on; stopping and continuing work as without ringside.
 *
 * Returns:  0 with l->status set, or an exit code (125, 126, 127) with one sentence in *error. When FILE can't be made
 *           (no permission, no space) the program runs without us: 0, is_unrecorded, and the reason in *error.
 */
int launch_run(struct launch *l, struct buf *error);
void launch_release(struct launch *l);

/* What became of the dumps. */
struct launch_result {
	bool has_file;
	uint64_t events, samples, lost, bytes;
	uint64_t raw_bytes; /* what `bytes` were before they were compressed, 0: they were not */
	size_t descendants;
	size_t running; /* of them, still recording */
};

/*
 * launch_finish - write into the dumps what a dead process could not: how it ended, when, its CPU time; cut the
 * files to what was used; remove FILE when nothing was written. Dumps of processes that still run are left alone.
 */
void launch_finish(const struct launch *l, struct launch_result *result);

/*
 * launch_compress - after launch_finish: compress FILE and what is in FILE.d, dumps that are still written excepted.
 *
 * Returns:  0, or the first failure with a sentence in *error: that dump and those after it stay as they are.
 */
int launch_compress(const struct launch *l, struct launch_result *result, struct buf *error);

/* launch_directory - FILE.d, if it is a directory of the user's own and no link, or NULL. */
DIR *launch_directory(const char *path);

#endif
