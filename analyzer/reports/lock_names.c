/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "analyzer/reports/lock_names.h"

int lock_names_init(struct lock_names *n, struct recording *rec)
{
	int err = heap_init(&n->heap, rec);

	map_init(&n->index);
	return err ? err : locks_init(&n->locks, rec, &n->heap);
}

void lock_names_release(struct lock_names *n)
{
	heap_release(&n->heap);
	locks_release(&n->locks);
	map_release(&n->index);
}

void lock_names_sinks(struct lock_names *n, struct pass_sink sinks[2])
{
	sinks[0] = heap_sink(&n->heap);
	sinks[1] = locks_sink(&n->locks);
}

int lock_names_finish(struct lock_names *n)
{
	int err = locks_finish(&n->locks);

	for (size_t i = 0; i < n->locks.locks_len && !err; i++)
		err = map_put(&n->index, n->locks.locks[i].address, i);
	return err;
}

const char *lock_name(const struct lock_names *n, uint64_t address)
{
	uint64_t index;

	return map_get(&n->index, address, &index) ? n->locks.locks[index].name : NULL;
}
