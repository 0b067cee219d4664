/* SPDX-License-Identifier: MIT */
/* pack.h - from a raw dump to a compressed one (packed.h) and back, each as one step for whoever reads the file. */
#ifndef RINGSIDE_PACK_H
#define RINGSIDE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/util/buf.h"

struct pack_result {
	uint64_t before, after; /* bytes of the files, when it worked */
	bool is_unreadable;	/* else: `from` is to blame, not `to` */
};

/*
 * pack_file - write the dump `from` to `to`, compressed or (is_back) raw. `to` may be `from`.
 *
 * `to` is written under another name and renamed when it is complete; until then what was there stays. It gets the
 * permissions, the owner and the time of `from`. While it works, a signal that ends this process removes what is not
 * complete.
 *
 * Returns:  0; -EALREADY when to is from and nothing is to be done; -EBUSY for a dump that is still being recorded;
 *           else what went wrong. *error has a sentence.
 */
int pack_file(const char *from, const char *to, bool is_back, struct pack_result *result, struct buf *error);

/*
 * pack_descendants - call `each` with the path of every dump in FILE.d, until it returns other than 0.
 *
 * Returns:  0 or what `each` returned.
 */
int pack_descendants(const char *file, int (*each)(void *self, const char *path, const char *name), void *self);

#endif
