/* SPDX-License-Identifier: MIT */
/* import_files.h - small files of other tools, made in memory: what they hold is known. */
#ifndef RINGSIDE_TESTS_IMPORT_FILES_H
#define RINGSIDE_TESTS_IMPORT_FILES_H

#include "analyzer/util/buf.h"

/*
 * import_pprof_heap - alloc_space and alloc_objects, and the time in milliseconds as "slow":
 *
 *     leaf (inlined into middle, one location) <- main     1000 bytes, 10 objects, 2 ms, label kind=mutex
 *     main                                                  24 bytes,  1 object,   1 ms, label bytes:24
 *
 * The program is /bin/tool (build-id abcd), functions have file tool.c; the samples stand before what they refer to.
 * The second one has its numbers unpacked.
 */
void import_pprof_heap(struct buf *out);

/*
 * import_heaptrack_small - of /bin/tool, 16 ms, version 3:
 *
 *     leaf (inlined into middle) <- main   3 x 100 bytes, 2 freed again, one of them at once
 *     main                                 2 x  50 bytes, 1 freed again, at once
 *
 * Most was in use when two of each were: 300 bytes in 4 blocks.
 */
void import_heaptrack_small(struct buf *out);

/* import_gzip, import_zstd - replace what is in *data by its packed form. */
void import_gzip(struct buf *data);
void import_zstd(struct buf *data);

#endif
