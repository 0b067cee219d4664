/* SPDX-License-Identifier: MIT */
/*
 * session.h - what a reading command works on: the recording the user meant, its processes, and where output goes.
 */
#ifndef RINGSIDE_SESSION_H
#define RINGSIDE_SESSION_H

#include "analyzer/imports/import.h"
#include "analyzer/models/analysis.h"
#include "analyzer/commands/options.h"

/* One dump of a recorded tree of processes. */
struct process_file {
	char *path;
	char *exe; /* base name */
	uint32_t pid, ppid;
	uint64_t start_realtime_ns;
	uint32_t end_kind;
	int32_t end_code;
};

struct session {
	struct symbols *symbols;
	struct stacks *stacks;
	char *path;		    /* the FILE of the recording */
	struct process_file *files; /* FILE first, then FILE.d/ by start */
	size_t files_len;
	size_t files_unreadable;
	struct analysis *analyses; /* [0] is what is shown; more only with --all, merged into [0] */
	size_t analyses_len;
	struct import *import; /* FILE is another tool's: then there are no files and no analyses. NULL: it is not */
	size_t shown;	       /* index in files of analyses[0] */
	FILE *out;	       /* stdout, or a pager when stdout is a terminal */
	bool has_pager;
	bool is_guest; /* names and stacks belong to another session */
};

/* What a command will do with the analysis. */
struct session_use {
	bool names_heap;	      /* most stacks of the heap will be shown by name */
	bool opens_only;	      /* analysis_begin: the caller runs passes of its own */
	bool takes_imports;	      /* session.import may come instead of analyses; else it is refused */
	const struct session *shares; /* names and stacks are those of this one, which is closed later */
	void (*opened)(const struct recording *rec); /* called as soon as the process shown is open; may be NULL */
};

/*
 * session_open - find FILE (the newest ringside.*.rsd of the current directory without one), choose the process,
 * run the analysis.
 *
 * use:      may be NULL.
 * Returns:  0, or an exit code after a message.
 */
int session_open(struct session *s, const struct options *o, const struct session_use *use);

/* session_find - only the first half: paths and processes, nothing analysed. */
int session_find(struct session *s, const struct options *o);

/*
 * session_close - flush the output and release all.
 *
 * Returns:  status, or EXIT_FINDING after a message when the output could not be written.
 */
int session_close(struct session *s, int status);

/* session_pager - from now on `s->out` goes through PAGER, if stdout is a terminal that understands it. */
void session_pager(struct session *s);

/* is_dump_name - ends in .rsd, or in .rsd.N as a second recording of the same name does. */
bool is_dump_name(const char *name);

/* session_progress_end - take the share done from the terminal; for whoever opened only and is through. */
void session_progress_end(void);

/* session_width - columns of the terminal, 0 when stdout is none. session_color: whether to use color. */
unsigned session_width(void);
bool session_color(void);

#endif
