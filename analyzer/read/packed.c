/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "analyzer/read/packed.h"

#define SLOTS_MAX 64u
#define TABLE_HEAD_SIZE 8u /* magic and size of the skippable frame */
#define HAS_CHECKSUMS 0x80u
#define RESERVED_BITS 0x7cu
#define NO_PIECE SIZE_MAX
/* A slot that may go is taken before one that costs memory, and that before one whose piece may be asked for again. */
#define NOT_NEEDED 0
#define NEVER_USED 1
#define CHEAP 4096u	/* bytes that are as soon unpacked again: the heads of extents, when they are indexed */
#define STALE SLOTS_MAX /* uses of other pieces since: the last piece of an extent is never read to its end */

/* Where a piece begins, in the raw dump and in the file. The one behind the last is where both end. */
struct piece {
	uint64_t raw, file;
};

/* An unpacked piece. Whoever has it in hand counts in `readers`, so that nobody overwrites it. */
struct slot {
	uint8_t *data;
	size_t piece;
	uint64_t used; /* time of the last use; NOT_NEEDED, NEVER_USED */
	unsigned readers;
	bool is_loading;
};

/* What unpacking takes, one for each thread that does it at the same time. */
struct unpacker {
	struct unpacker *next;
	ZSTD_DCtx *context;
	uint8_t input[];
};

struct packed {
	int fd;
	struct piece *pieces;
	size_t len;
	size_t largest_raw, largest_file;
	pthread_mutex_t lock; /* of everything below */
	pthread_cond_t changed;
	struct slot slots[SLOTS_MAX];
	size_t slots_len;
	uint64_t now;
	struct unpacker *idle;
};

/* ---- the table ------------------------------------------------------------------------------------------------ */

static int read_at(int fd, uint64_t offset, void *out, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, (char *)out + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool packed_is(const void *first_bytes, size_t size)
{
	return size >= 4 && get_u32(first_bytes) == PACKED_FRAME_MAGIC;
}

struct table {
	uint64_t offset, size; /* of the skippable frame, its head included */
	uint32_t entries, entry_size;
};

static int find_table(int fd, uint64_t file_size, struct table *t, const char **fault)
{
	uint8_t footer[PACKED_FOOTER_SIZE], head[TABLE_HEAD_SIZE];
	int err;

	*fault = "compressed, but not in the seekable format: unpack it with `zstd -d`, or it was cut short";
	if (file_size < TABLE_HEAD_SIZE + PACKED_FOOTER_SIZE)
		return -EINVAL;
	err = read_at(fd, file_size - sizeof(footer), footer, sizeof(footer));
	if (err)
		return err;
	if (get_u32(footer + 5) != PACKED_FOOTER_MAGIC || footer[4] & RESERVED_BITS)
		return -EINVAL;
	*fault = "a table of compressed pieces that makes no sense";
	t->entries = get_u32(footer);
	t->entry_size = footer[4] & HAS_CHECKSUMS ? 12 : 8;
	t->size = TABLE_HEAD_SIZE + (uint64_t)t->entries * t->entry_size + PACKED_FOOTER_SIZE;
	if (t->size > file_size)
		return -EINVAL;
	t->offset = file_size - t->size;
	err = read_at(fd, t->offset, head, sizeof(head));
	if (err)
		return err;
	return get_u32(head) == PACKED_TABLE_MAGIC && get_u32(head + 4) == t->size - TABLE_HEAD_SIZE ? 0 : -EINVAL;
}

/* The sizes are summed up to offsets; they must end exactly where the table begins. */
static int add_pieces(struct packed *p, const struct table *t, const uint8_t *entries)
{
	struct piece at = { 0, 0 };

	for (uint32_t i = 0; i < t->entries; i++) {
		uint32_t file = get_u32(entries + (size_t)i * t->entry_size);
		uint32_t raw = get_u32(entries + (size_t)i * t->entry_size + 4);

		if (raw > PACKED_PIECE_MAX || file > ZSTD_COMPRESSBOUND(PACKED_PIECE_MAX) || !file)
			return -EINVAL;
		p->pieces[p->len++] = at;
		at.raw += raw;
		at.file += file;
		if (raw > p->largest_raw)
			p->largest_raw = raw;
		if (file > p->largest_file)
			p->largest_file = file;
	}
	p->pieces[p->len] = at;
	return at.file == t->offset ? 0 : -EINVAL;
}

static int read_table(struct packed *p, const struct table *t)
{
	size_t size = (size_t)t->entries * t->entry_size;
	uint8_t *entries = malloc(size + 1);
	int err = -ENOMEM;

	p->pieces = malloc(((size_t)t->entries + 1) * sizeof(*p->pieces));
	if (entries && p->pieces)
		err = read_at(p->fd, t->offset + TABLE_HEAD_SIZE, entries, size);
	err = err ? err : add_pieces(p, t, entries);
	free(entries);
	return err;
}

int packed_open(struct packed **out, int fd, uint64_t file_size, const char **fault, uint64_t *offset)
{
	struct packed *p = calloc(1, sizeof(*p));
	struct table t = { .offset = file_size };
	int err = p ? find_table(fd, file_size, &t, fault) : -ENOMEM;

	if (p) {
		p->fd = fd;
		pthread_mutex_init(&p->lock, NULL);
		pthread_cond_init(&p->changed, NULL);
		err = err ? err : read_table(p, &t);
		p->slots_len = p->largest_raw ? PACKED_CACHE_BYTES / p->largest_raw : 1;
		if (p->slots_len > SLOTS_MAX)
			p->slots_len = SLOTS_MAX;
		for (size_t i = 0; i < p->slots_len; i++)
			p->slots[i] = (struct slot){ .piece = NO_PIECE, .used = NEVER_USED };
		p->now = NEVER_USED;
	}
	*offset = t.offset;
	if (err)
		packed_close(p);
	*out = err ? NULL : p;
	return err;
}

void packed_close(struct packed *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->slots_len; i++)
		free(p->slots[i].data);
	for (struct unpacker *at = p->idle, *next; at; at = next) {
		next = at->next;
		ZSTD_freeDCtx(at->context);
		free(at);
	}
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
	free(p->pieces);
	free(p);
}

uint64_t packed_size(const struct packed *p)
{
	return p->pieces[p->len].raw;
}

/* ---- unpacking ------------------------------------------------------------------------------------------------ */

static struct unpacker *unpacker_new(const struct packed *p)
{
	struct unpacker *u = malloc(sizeof(*u) + p->largest_file);

	if (u && !(u->context = ZSTD_createDCtx())) {
		free(u);
		u = NULL;
	}
	return u;
}

/* Called without the lock; the slot is this thread's alone while it is loading. */
static int unpack(const struct packed *p, struct unpacker *u, size_t piece, struct slot *slot)
{
	const struct piece *at = &p->pieces[piece];
	size_t file = (size_t)(at[1].file - at->file), raw = (size_t)(at[1].raw - at->raw);
	int err;

	if (!u || !slot->data)
		return -ENOMEM;
	err = read_at(p->fd, at->file, u->input, file);
	if (err)
		return err;
	/* An error is a huge number: unequal too. */
	return ZSTD_decompressDCtx(u->context, slot->data, raw, u->input, file) == raw ? 0 : -EBADMSG;
}

static int load(struct packed *p, struct slot *slot, size_t piece)
{
	struct unpacker *u = p->idle;
	int err;

	slot->piece = piece;
	slot->is_loading = true;
	if (u)
		p->idle = u->next;
	pthread_mutex_unlock(&p->lock);
	u = u ? u : unpacker_new(p);
	if (!slot->data)
		slot->data = malloc(p->largest_raw);
	err = unpack(p, u, piece, slot);
	pthread_mutex_lock(&p->lock);
	if (u) {
		u->next = p->idle;
		p->idle = u;
	}
	slot->is_loading = false;
	if (err)
		slot->piece = NO_PIECE;
	pthread_cond_broadcast(&p->changed);
	return err;
}

/* The slot of a piece, or the one that was needed least recently, or NULL while all are in somebody's hands. */
static struct slot *choose_slot(struct packed *p, size_t piece)
{
	struct slot *best = NULL;

	for (size_t i = 0; i < p->slots_len; i++) {
		struct slot *slot = &p->slots[i];

		if (slot->piece == piece)
			return slot;
		if (slot->used != NEVER_USED && p->now - slot->used > STALE)
			slot->used = NOT_NEEDED;
		if (!slot->readers && !slot->is_loading && (!best || slot->used < best->used))
			best = slot;
	}
	return best;
}

/* Under the lock: the slot with the piece, held by one more reader. */
static int take(struct packed *p, size_t piece, struct slot **out)
{
	struct slot *slot;

	while (!(slot = choose_slot(p, piece)) || slot->is_loading)
		pthread_cond_wait(&p->changed, &p->lock);
	if (slot->piece != piece) {
		int err = load(p, slot, piece);

		if (err)
			return err;
	}
	slot->readers++;
	*out = slot;
	return 0;
}

static size_t find_piece(const struct packed *p, uint64_t offset)
{
	size_t low = 0, high = p->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->pieces[mid + 1].raw <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int packed_read(struct packed *p, uint64_t offset, void *out, size_t size)
{
	int err = 0;

	if (offset > packed_size(p) || size > packed_size(p) - offset)
		return -EIO;
	pthread_mutex_lock(&p->lock);
	for (size_t piece = find_piece(p, offset); size && !err; piece++) {
		size_t inside = (size_t)(offset - p->pieces[piece].raw);
		size_t left = (size_t)(p->pieces[piece + 1].raw - offset), n = size < left ? size : left;
		struct slot *slot;

		err = n ? take(p, piece, &slot) : 0;
		if (err || !n)
			continue;
		pthread_mutex_unlock(&p->lock);
		memcpy(out, slot->data + inside, n);
		pthread_mutex_lock(&p->lock);
		/* Extents are read from begin to end: what was read to its end may go first, and what is cheap. */
		p->now++;
		slot->used = n == left || inside + left <= CHEAP ? NOT_NEEDED : p->now;
		if (!--slot->readers)
			pthread_cond_broadcast(&p->changed);
		out = (char *)out + n;
		offset += n;
		size -= n;
	}
	pthread_mutex_unlock(&p->lock);
	return err;
}
