/* SPDX-License-Identifier: MIT */
/*
 * packed.h - any bytes of a compressed dump, without unpacking the whole of it.
 *
 * The file is in the published zstd seekable format: independent zstd frames, here called pieces, then a skippable
 * frame with a table of their sizes. So `zstd -d` gives the raw dump back. docs/format.md has the layout.
 *
 * Nothing in the file is believed: sizes of the table are checked against the file and against the largest piece
 * allowed, a frame is unpacked into room of the size that the table says and must fill it exactly.
 *
 * Memory:   16 bytes a piece, and at most PACKED_CACHE_BYTES of unpacked pieces however large the file is.
 * Safety:   packed_read may be called by several threads at once.
 */
#ifndef RINGSIDE_PACKED_H
#define RINGSIDE_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKED_FRAME_MAGIC 0xFD2FB528u /* first bytes of the file, as of every zstd frame */
#define PACKED_TABLE_MAGIC 0x184D2A5Eu /* of the skippable frame that holds the table */
#define PACKED_FOOTER_MAGIC 0x8F92EAB1u
#define PACKED_FOOTER_SIZE 9u
#define PACKED_PIECE_MAX (1u << 20) /* raw bytes of a piece that is read; larger ones are refused */
#define PACKED_CACHE_BYTES (16u << 20)

struct packed;

/* packed_is - the file begins like a zstd frame. */
bool packed_is(const void *first_bytes, size_t size);

/*
 * packed_open - read the table of `fd`, which stays the caller's and must stay open.
 *
 * fault, offset:  set with -EINVAL: what makes no sense, and where.
 * Returns:        0, -EINVAL, -ENOMEM or what reading said.
 */
int packed_open(struct packed **out, int fd, uint64_t file_size, const char **fault, uint64_t *offset);
void packed_close(struct packed *p);

/* packed_size - bytes of the raw dump. */
uint64_t packed_size(const struct packed *p);

/*
 * packed_read - `size` raw bytes at `offset`.
 *
 * Returns:  0, -EIO when the file has shrunk or ends before, -EBADMSG when a piece is damaged, -ENOMEM.
 * Cost:     a copy when the piece is in the cache, else unpacking it: about 1 ms a MB.
 */
int packed_read(struct packed *p, uint64_t offset, void *out, size_t size);

#endif
