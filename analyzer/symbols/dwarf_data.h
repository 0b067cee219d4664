/* SPDX-License-Identifier: MIT */
/*
 * dwarf_data.h - which member of a variable an address is: "run" + 0x8 is run.queue.lock.
 */
#ifndef RINGSIDE_DWARF_DATA_H
#define RINGSIDE_DWARF_DATA_H

#include <elfutils/libdw.h>
#include <stdint.h>

#include "analyzer/util/buf.h"

struct dwarf_data;

/* dwarf_data_new - nothing is read before the first question. NULL without memory. The Dwarf must outlive it. */
struct dwarf_data *dwarf_data_new(Dwarf *dwarf);
void dwarf_data_free(struct dwarf_data *d);

/*
 * dwarf_data_member - append the path from the variable at `variable` (a DWARF address) to the member `offset` bytes
 * into it: ".queue.lock", ".shards[3].lock". It ends at a lock of the C or C++ library, or where types do.
 *
 * Returns:  0 (perhaps with nothing appended: the variable itself), or -ENOENT when it is not known or the offset is
 *           inside something that has no members.
 * Cost:     the first time all variables of the file are noted: some ms, bounded for giants.
 */
int dwarf_data_member(struct dwarf_data *d, uint64_t variable, uint64_t offset, struct buf *out);

#endif
