/* SPDX-License-Identifier: MIT */
/*
 * input.h - a file of another tool from its first byte to its last, unpacked on the way if it is gzip or zstd.
 *
 * How it is packed is told by its bytes, never by its name. Memory is a few buffers of fixed size (zstd: its window of
 * at most 128 MiB), however large the file becomes; whoever keeps what was read has to bound it.
 */
#ifndef RINGSIDE_IMPORTS_INPUT_H
#define RINGSIDE_IMPORTS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_HEAD 256u		  /* bytes that can be looked at before they are read */
#define INPUT_LINE_MAX (1u << 20) /* longer lines are damage */

struct input;

/* input_open - a regular file. 0, -EINVAL for something else, -ENOMEM or what opening said. */
int input_open(struct input **out, const char *path);
void input_close(struct input *in);

/* input_head - the first bytes, *len of them, at most INPUT_HEAD; before anything was read. */
const uint8_t *input_head(struct input *in, size_t *len);

/*
 * input_read - the next `size` bytes; fewer only at the end.
 *
 * Returns:  how many, -EBADMSG where what is packed is damaged or cut short, or what reading said.
 */
long input_read(struct input *in, void *out, size_t size);

/*
 * input_line - the next line, without its end.
 *
 * line:     NUL terminated, and may hold NULs; good until the next call.
 * Returns:  1, 0 at the end, -EBADMSG (see input_read; a line that is too long), -ENOMEM or what reading said.
 */
int input_line(struct input *in, char **line, size_t *len);

/* input_offset - unpacked bytes that were given out: where an error is. */
uint64_t input_offset(const struct input *in);

#endif
