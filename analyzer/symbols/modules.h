/* SPDX-License-Identifier: MIT */
/*
 * modules.h - which ELF object was where in one recorded process.
 *
 * A module id of the dump stays valid for ever: an address in a stack node goes with the id that was there when
 * the stack was taken. Objects unloaded meanwhile keep their entry with a `gone_tick`; a lookup by address
 * alone prefers what is still loaded, then the newest.
 *
 * One struct modules is one dump. Several dumps may share one struct symbols (symbols.h).
 */
#ifndef RINGSIDE_MODULES_H
#define RINGSIDE_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/record.h"
#include "analyzer/util/map.h"

struct module {
	uint32_t id;
	char *path; /* as the loader told: unsafe text, see buf_add_safe */
	uint8_t build_id[RSD_BUILD_ID_MAX];
	uint32_t build_id_len; /* 0: it has none, or it was not seen */
	uint64_t bias;	       /* run-time address minus ELF address */
	uint64_t start, end;   /* run-time range [start, end) */
	uint64_t gone_tick;    /* 0: still loaded when the recording was read */
	uint32_t object;       /* symbols_object()'s answer, 0 while not asked */
};

struct modules {
	struct module *list;
	size_t len, cap;
	struct map by_id;   /* id -> index in list */
	uint32_t *by_start; /* indices ordered by start; NULL when it must be rebuilt */
	uint64_t widest;    /* largest end - start */
};

void modules_init(struct modules *m);
void modules_release(struct modules *m);

/*
 * modules_add - one META_MODULE record. An id that is there already is left as it is (a live file is read again).
 *
 * path:     len bytes, copied, cut at the first NUL.
 * build_id: build_id_len bytes; more than RSD_BUILD_ID_MAX is -EINVAL.
 * Returns:  0, -EINVAL for id 0, an id above 65535 or end < start, -ENOMEM.
 */
int modules_add(struct modules *m, uint32_t id, const char *path, size_t path_len, const void *build_id,
		size_t build_id_len, uint64_t bias, uint64_t start, uint64_t end);

/* modules_gone - one META_MODULE_GONE record; an unknown id is ignored. */
void modules_gone(struct modules *m, uint32_t id, uint64_t tick);

/* Both return NULL when there is none; the pointer is good until the next modules_add. */
struct module *modules_by_id(const struct modules *m, uint32_t id);
struct module *modules_by_addr(struct modules *m, uint64_t addr);

/* path_base - what follows the last slash of `path`; the whole of it when there is none. */
const char *path_base(const char *path);

#endif
