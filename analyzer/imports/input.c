/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "analyzer/imports/input.h"

#define CHUNK (1u << 16)

enum packing { PLAIN, GZIP, ZSTD };

struct input {
	int fd;
	enum packing packing;
	z_stream z;
	ZSTD_DStream *zstd;
	bool is_inside; /* a member or frame has begun and not ended */
	bool is_over;	/* nothing comes any more */
	uint8_t raw[CHUNK];
	size_t raw_at, raw_len;
	uint8_t data[CHUNK]; /* unpacked */
	size_t data_at, data_len;
	char *line;
	size_t line_cap;
	uint64_t offset;
};

/* ---- the file ------------------------------------------------------------------------------------------------- */

/* More packed bytes; raw_len is 0 at the end. */
static int fill_raw(struct input *in)
{
	ssize_t n;

	do
		n = read(in->fd, in->raw, CHUNK);
	while (n < 0 && errno == EINTR);
	in->raw_at = 0;
	in->raw_len = n > 0 ? (size_t)n : 0;
	return n < 0 ? -errno : 0;
}

static enum packing packing_of(const uint8_t *head, size_t len)
{
	if (len >= 2 && head[0] == 0x1f && head[1] == 0x8b)
		return GZIP;
	return len >= 4 && head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd ? ZSTD : PLAIN;
}

static int begin_unpacking(struct input *in)
{
	in->packing = packing_of(in->raw, in->raw_len);
	if (in->packing == GZIP)
		return inflateInit2(&in->z, 15 + 16) == Z_OK ? 0 : -ENOMEM;
	if (in->packing == ZSTD)
		in->zstd = ZSTD_createDStream();
	return in->packing == ZSTD && !in->zstd ? -ENOMEM : 0;
}

int input_open(struct input **out, const char *path)
{
	struct input *in = calloc(1, sizeof(*in));
	struct stat st;
	int err;

	if (!in)
		return -ENOMEM;
	/* A pipe with a name must not be waited for, nor read by who only wants to know what it is. */
	in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	err = in->fd < 0 || fstat(in->fd, &st) ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	err = err ? err : fill_raw(in);
	err = err ? err : begin_unpacking(in);
	if (err) {
		input_close(in);
		return err;
	}
	*out = in;
	return 0;
}

void input_close(struct input *in)
{
	if (in->packing == GZIP)
		inflateEnd(&in->z);
	ZSTD_freeDStream(in->zstd);
	if (in->fd >= 0)
		close(in->fd);
	free(in->line);
	free(in);
}

/* ---- unpacking ------------------------------------------------------------------------------------------------ */

/* One step: bytes from raw to data. gzip's members and zstd's frames may follow each other. */
static int gunzip(struct input *in)
{
	int state;

	if (!in->is_inside && inflateReset(&in->z) != Z_OK)
		return -EBADMSG;
	in->z.next_in = in->raw + in->raw_at;
	in->z.avail_in = (uInt)(in->raw_len - in->raw_at);
	in->z.next_out = in->data;
	in->z.avail_out = CHUNK;
	state = inflate(&in->z, Z_NO_FLUSH);
	in->raw_at = in->raw_len - in->z.avail_in;
	in->data_len = CHUNK - in->z.avail_out;
	in->is_inside = state != Z_STREAM_END;
	return state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR ? 0
	       : state == Z_MEM_ERROR					      ? -ENOMEM
									      : -EBADMSG;
}

static int unzstd(struct input *in)
{
	ZSTD_inBuffer from = { in->raw, in->raw_len, in->raw_at };
	ZSTD_outBuffer to = { in->data, CHUNK, 0 };
	size_t left = ZSTD_decompressStream(in->zstd, &to, &from);

	if (ZSTD_isError(left))
		return -EBADMSG;
	in->raw_at = from.pos;
	in->data_len = to.pos;
	in->is_inside = left;
	return 0;
}

static int unpack(struct input *in)
{
	if (in->packing == GZIP)
		return gunzip(in);
	if (in->packing == ZSTD)
		return unzstd(in);
	memcpy(in->data, in->raw + in->raw_at, in->raw_len - in->raw_at);
	in->data_len = in->raw_len - in->raw_at;
	in->raw_at = in->raw_len;
	return 0;
}

/* More unpacked bytes in an empty `data`, which stays empty at the end. */
static int fill(struct input *in)
{
	int err = 0;

	in->data_at = in->data_len = 0;
	while (!err && !in->data_len && !in->is_over) {
		if (in->raw_at == in->raw_len)
			err = fill_raw(in);
		if (err)
			break;
		in->is_over = !in->raw_len;
		/* What is unpacked already may still be waiting inside. */
		err = in->is_over && !in->is_inside ? 0 : unpack(in);
		if (!err && in->is_over && in->is_inside)
			err = in->data_len ? 0 : -EBADMSG;
		in->is_over &= !in->data_len;
	}
	return err;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

const uint8_t *input_head(struct input *in, size_t *len)
{
	if (in->data_at == in->data_len && fill(in))
		in->data_at = in->data_len = 0;
	*len = in->data_len - in->data_at < INPUT_HEAD ? in->data_len - in->data_at : INPUT_HEAD;
	return in->data + in->data_at;
}

long input_read(struct input *in, void *out, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = in->data_len - in->data_at;
		int err = n ? 0 : fill(in);

		if (err)
			return err;
		n = in->data_len - in->data_at < size - done ? in->data_len - in->data_at : size - done;
		if (!n)
			break;
		memcpy((char *)out + done, in->data + in->data_at, n);
		in->data_at += n;
		done += n;
	}
	in->offset += done;
	return (long)done;
}

static int grow_line(struct input *in, size_t wanted)
{
	size_t cap = in->line_cap ? in->line_cap : 4096;
	char *line;

	if (wanted > INPUT_LINE_MAX)
		return -EBADMSG;
	while (cap < wanted)
		cap *= 2;
	if (cap == in->line_cap)
		return 0;
	line = realloc(in->line, cap);
	if (!line)
		return -ENOMEM;
	in->line = line;
	in->line_cap = cap;
	return 0;
}

int input_line(struct input *in, char **line, size_t *len)
{
	const uint8_t *end = NULL;
	size_t got = 0;
	int err = 0;

	while (!end) {
		size_t n;

		err = in->data_at < in->data_len ? 0 : fill(in);
		if (err || in->data_at == in->data_len)
			break;
		end = memchr(in->data + in->data_at, '\n', in->data_len - in->data_at);
		n = end ? (size_t)(end - in->data) - in->data_at : in->data_len - in->data_at;
		err = grow_line(in, got + n + 1);
		if (err)
			break;
		memcpy(in->line + got, in->data + in->data_at, n);
		got += n;
		in->data_at += n + (end != NULL);
		in->offset += n + (end != NULL);
	}
	if (err || (!end && !got))
		return err;
	in->line[got] = '\0';
	*line = in->line;
	*len = got;
	return 1;
}

uint64_t input_offset(const struct input *in)
{
	return in->offset;
}
