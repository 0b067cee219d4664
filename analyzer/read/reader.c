/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/read/packed.h"
#include "analyzer/read/reader.h"
#include "format/codec.h"

static int refuse(struct buf *error, const char *path, uint64_t offset, const char *what)
{
	buf_printf(error, "%s: offset %" PRIu64 ": %s", path, offset, what);
	return -EINVAL;
}

static int refuse_errno(struct buf *error, const char *path, int err)
{
	buf_printf(error, "%s: %s", path, strerror(err));
	return -err;
}

/* As many of `size` bytes as there are; negative on failure. */
static ssize_t read_some(int fd, uint64_t offset, void *out, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)out + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int reader_read(const struct reader *r, uint64_t offset, void *out, size_t size)
{
	ssize_t n;

	if (r->packed)
		return packed_read(r->packed, offset, out, size);
	n = read_some(r->fd, offset, out, size);
	return n < 0 ? (int)n : (size_t)n < size ? -EIO : 0;
}

const char *reader_words(int err)
{
	return err == -EIO	 ? "the file shrank while it was read"
	       : err == -EBADMSG ? "a damaged piece of a compressed dump"
				 : strerror(-err);
}

void reader_damage(struct reader *r, uint64_t offset, const char *words)
{
	if (!r->damaged++) {
		r->damaged_offset = offset;
		r->damaged_words = words;
	}
}

/* ---- header -------------------------------------------------------------------------------------------------- */

static const char *header_fault(const struct rsd_header *h, size_t got, uint64_t *offset)
{
	*offset = 0;
	if (!got)
		return "the file is empty, nothing was recorded";
	if (got < 8 || memcmp(h->magic, RSD_MAGIC, 8))
		return "not a Ringside dump";
	if (got < sizeof(*h)) {
		*offset = got;
		return "the file ends inside its header";
	}
	*offset = offsetof(struct rsd_header, version);
	if (h->version < RSD_VERSION_OLDEST || h->version > RSD_VERSION)
		return "a dump of another version of Ringside";
	*offset = offsetof(struct rsd_header, header_size);
	if (h->header_size < offsetof(struct rsd_header, counter) || h->header_size > RSD_TEXT_OFFSET)
		return "impossible header size";
	*offset = offsetof(struct rsd_header, unit_size);
	if (h->unit_size != RSD_UNIT)
		return "impossible unit size";
	*offset = offsetof(struct rsd_header, next_unit);
	if (!h->next_unit)
		return "no units in use, the recording never began";
	return NULL;
}

/* Taking a unit may run past the end of a full file: what counts is what fits. */
static uint64_t units_wanted(const struct rsd_header *h)
{
	return h->cap_units && h->next_unit > h->cap_units ? h->cap_units : h->next_unit;
}

/* As much of the header as there is, and the size of the raw dump. */
static ssize_t read_head(const struct reader *r, struct rsd_header *h, uint64_t *size)
{
	struct stat st;
	int err;

	if (!r->packed) {
		*size = fstat(r->fd, &st) ? 0 : (uint64_t)st.st_size;
		return read_some(r->fd, 0, h, sizeof(*h));
	}
	*size = packed_size(r->packed);
	err = packed_read(r->packed, 0, h, *size < sizeof(*h) ? *size : sizeof(*h));
	return err ? err : *size < sizeof(*h) ? (ssize_t)*size : (ssize_t)sizeof(*h);
}

static int read_header(struct reader *r, struct buf *error)
{
	struct rsd_header h = { 0 };
	uint64_t offset, wanted, size;
	const char *fault;
	ssize_t got = read_head(r, &h, &size);

	if (got == -EBADMSG)
		return refuse(error, r->path, 0, reader_words((int)got));
	if (got < 0)
		return refuse_errno(error, r->path, (int)-got);
	fault = header_fault(&h, (size_t)got, &offset);
	if (fault)
		return refuse(error, r->path, offset, fault);
	/* An older writer knew fewer fields: what it did not write is 0. */
	if (h.header_size < sizeof(h))
		memset((char *)&h + h.header_size, 0, sizeof(h) - h.header_size);
	wanted = units_wanted(&h);
	if (wanted > size / RSD_UNIT)
		return refuse(error, r->path, size, "the file ends here, its header counts more: cut short?");
	/* One flipped bit of the table moves all pieces behind it; then the sum is wrong too. */
	if (r->packed && size != wanted * RSD_UNIT)
		return refuse(error, r->path, 0,
			      "the header and the table of compressed pieces disagree about the size");
	r->header = h;
	r->units = wanted;
	return 0;
}

/* ---- extents ------------------------------------------------------------------------------------------------- */

static bool has_records(unsigned kind)
{
	return kind == RSD_EXTENT_EVENTS || kind == RSD_EXTENT_SAMPLES;
}

/* META's `used` is reserved by writers who may run past the end; fixed arrays fill their extent. */
static uint64_t committed(const struct rsd_extent *raw)
{
	uint64_t room = (uint64_t)raw->units * RSD_UNIT - sizeof(*raw);

	if (has_records(raw->kind) || raw->kind == RSD_EXTENT_META || raw->kind == RSD_EXTENT_SYMBOLS ||
	    raw->kind == RSD_EXTENT_REACH)
		return raw->used < room ? raw->used : room;
	return room;
}

static struct extent *extent_push(struct reader *r)
{
	if (r->extents_len == r->extents_cap) {
		size_t cap = r->extents_cap ? 2 * r->extents_cap : 64;
		struct extent *list = realloc(r->extents, cap * sizeof(*list));

		if (!list)
			return NULL;
		r->extents = list;
		r->extents_cap = cap;
	}
	return &r->extents[r->extents_len++];
}

static uint64_t first_tick(const struct rsd_extent *raw, const void *data, size_t left)
{
	struct rsd_stream stream = { .tick = raw->base.tick };
	struct rsd_event ev;

	if (!codec_get(data, left, &stream, &ev) || ev.tick > raw->base.tick)
		return raw->base.tick;
	return ev.tick;
}

/* Index the extent at `unit`. Returns how many units to go on by, 0 when the unit holds none. */
static int index_unit(struct reader *r, uint64_t unit, uint64_t *step)
{
	uint8_t bytes[sizeof(struct rsd_extent) + CODEC_RECORD_MAX];
	struct rsd_extent raw;
	struct extent *ext;
	int err = reader_read(r, unit * RSD_UNIT, bytes, sizeof(bytes));

	*step = 0;
	if (err == -EBADMSG) {
		reader_damage(r, unit * RSD_UNIT, reader_words(err));
		return 0;
	}
	if (err)
		return err;
	memcpy(&raw, bytes, sizeof(raw));
	if (raw.magic != RSD_EXTENT_MAGIC)
		return 0;
	if (!raw.units || raw.units > r->units - unit) {
		reader_damage(r, unit * RSD_UNIT, "an extent of impossible length");
		return 0;
	}
	*step = raw.units;
	ext = extent_push(r);
	if (!ext)
		return -ENOMEM;
	*ext = (struct extent){ .offset = unit * RSD_UNIT + sizeof(raw),
				.size = committed(&raw),
				.kind = (enum rsd_extent_kind)raw.kind,
				.thread = raw.thread,
				.first = raw.first,
				.seq = raw.seq,
				.base = raw.base,
				.first_tick = raw.base.tick };
	if (has_records(raw.kind))
		ext->first_tick = first_tick(&raw, bytes + sizeof(raw),
					     ext->size < CODEC_RECORD_MAX ? ext->size : CODEC_RECORD_MAX);
	return 0;
}

/* A stretch of units that were never written is a hole: jump over it in one call. */
static uint64_t next_data_unit(const struct reader *r, uint64_t unit)
{
	off_t at = r->packed ? 0 : lseek(r->fd, (off_t)(unit * RSD_UNIT), SEEK_DATA);

	if (at < 0)
		return errno == ENXIO ? r->units : unit;
	return (uint64_t)at / RSD_UNIT > unit ? (uint64_t)at / RSD_UNIT : unit;
}

static int index_extents(struct reader *r, struct buf *error)
{
	while (r->indexed < r->units) {
		uint64_t step;
		int err = index_unit(r, r->indexed, &step);

		if (err) {
			buf_printf(error, "%s: offset %" PRIu64 ": %s", r->path, r->indexed * RSD_UNIT,
				   reader_words(err));
			return err;
		}
		r->indexed = step ? r->indexed + step : next_data_unit(r, r->indexed + 1);
	}
	return 0;
}

int reader_refresh(struct reader *r, struct buf *error)
{
	int err = read_header(r, error);

	return err ? err : index_extents(r, error);
}

/* A dump that begins like a zstd frame is a compressed one. */
static int open_packed(struct reader *r, uint64_t file_size, struct buf *error)
{
	uint8_t magic[4];
	ssize_t got = read_some(r->fd, 0, magic, sizeof(magic));
	const char *fault;
	uint64_t offset;
	int err;

	if (got < 0)
		return refuse_errno(error, r->path, (int)-got);
	if (!packed_is(magic, (size_t)got))
		return 0;
	err = packed_open(&r->packed, r->fd, file_size, &fault, &offset);
	return err == -EINVAL ? refuse(error, r->path, offset, fault) : err ? refuse_errno(error, r->path, -err) : 0;
}

int reader_open_head(struct reader *r, const char *path, struct buf *error)
{
	struct stat st;
	int err;

	*r = (struct reader){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), .indexed = 1 };
	if (r->fd < 0)
		return refuse_errno(error, path, errno);
	r->path = strdup(path);
	if (!r->path)
		err = refuse_errno(error, path, ENOMEM);
	else if (fstat(r->fd, &st))
		err = refuse_errno(error, path, errno);
	else if (!S_ISREG(st.st_mode))
		err = refuse(error, path, 0,
			     S_ISDIR(st.st_mode) ? "a directory, not a regular file" : "not a regular file");
	else
		err = open_packed(r, (uint64_t)st.st_size, error);
	err = err ? err : read_header(r, error);
	if (err)
		reader_release(r);
	return err;
}

int reader_open(struct reader *r, const char *path, struct buf *error)
{
	int err = reader_open_head(r, path, error);

	if (err)
		return err;
	err = index_extents(r, error);
	if (err)
		reader_release(r);
	return err;
}

void reader_close(struct reader *r)
{
	packed_close(r->packed);
	r->packed = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	free(r->extents);
	r->extents = NULL;
	r->extents_len = r->extents_cap = 0;
}

void reader_release(struct reader *r)
{
	reader_close(r);
	free(r->path);
	*r = (struct reader){ .fd = -1 };
}

bool reader_is_recycled(const struct reader *r, const struct extent *ext)
{
	struct rsd_extent raw;

	return reader_read(r, ext->offset - sizeof(raw), &raw, sizeof(raw)) || raw.seq != ext->seq ||
	       raw.magic != RSD_EXTENT_MAGIC;
}

char *reader_text(const struct reader *r, struct rsd_text text, size_t *len)
{
	char *copy;

	if (text.off >= RSD_UNIT || text.len > RSD_UNIT - text.off)
		text.len = 0;
	copy = calloc(1, (size_t)text.len + 1);
	if (copy && text.len && reader_read(r, text.off, copy, text.len))
		text.len = 0, copy[0] = 0;
	if (len)
		*len = copy ? text.len : 0;
	return copy;
}

/* Field 22 of /proc/PID/stat, counted behind the name, which may hold anything. */
static bool stat_start(uint32_t pid, uint64_t *start, char *state)
{
	char path[64], line[1024];
	ssize_t n;
	char *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read_some(fd, 0, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = 0;
	at = strrchr(line, ')');
	if (!at || strlen(at) < 3)
		return false;
	*state = at[2];
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*start = strtoull(at + 1, NULL, 10);
	return true;
}

bool reader_is_live(const struct reader *r)
{
	uint64_t start;
	char state;

	return r->header.end_kind == RSD_END_NONE && !r->header.end.tick && r->header.pid &&
	       stat_start(r->header.pid, &start, &state) && start == r->header.pid_start && state != 'Z';
}
