/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - the tree of stacks in the dump: from (caller's node, frame) to a node id.
 *
 * The nodes themselves are in NODES extents of the file; an id is found through a directory of those, a node
 * through a hash table of ids. Both are shared by all threads without locks.
 */
#ifndef RINGSIDE_PRELOAD_NODES_H
#define RINGSIDE_PRELOAD_NODES_H

#include <stdint.h>

/*
 * node_get - the id of the stack that extends `parent` by one frame.
 *
 * parent:    id of the frame that called it, 0: none.
 * ip_module: as in struct rsd_node. cut: why there is no caller, 0 when parent is not 0.
 * Returns:   the id, 0 when there is no room (counted).
 * Safety:    async-signal-safe, lock-free; a handler may interrupt it and call it.
 * Cost:      two cache lines when the node exists; now and then a new extent (50 us) or a larger table.
 */
uint32_t node_get(uint32_t parent, uint64_t ip_module, uint8_t flags, uint8_t cut);

/* nodes_begin - a new dump, without nodes. No other thread is in node_get. 0 or -ENOMEM. */
int nodes_begin(void);

#endif
