/* SPDX-License-Identifier: MIT */
/* thread_names.h - how tables of reports name a thread. */
#ifndef RINGSIDE_THREAD_NAMES_H
#define RINGSIDE_THREAD_NAMES_H

#include <string.h>

#include "analyzer/read/recording.h"
#include "analyzer/show/table.h"

/* thread_cells - two cells, tid and name; unset for a thread that the recording does not know. */
static inline void thread_cells(struct table *t, const struct recording *rec, uint32_t index)
{
	const struct rsd_thread *thread = recording_thread(rec, index);
	char name[sizeof(thread->name) + 1] = "";

	if (!thread) {
		table_skip(t);
		table_text(t, "[unknown]");
		return;
	}
	memcpy(name, thread->name, sizeof(thread->name));
	table_number(t, thread->tid);
	table_text(t, name);
}

#endif
