/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "analyzer/read/pack.h"
#include "analyzer/read/packed.h"
#include "analyzer/read/reader.h"
#include "analyzer/commands/session.h"
#include "analyzer/util/list.h"

/* zstd at this level and piece size: what compresses the hardest recordings (random sizes) at over 100 MB/s. */
#define LEVEL 4
#define PIECE (4u * RSD_UNIT)
/* The head of an extent and its first record, which the index reads, are a piece of their own: little to unpack. */
#define HEAD_PIECE 4096u
#define PAGE 4096u
#define PIECES_MAX 0x8000000u /* what the format allows: 32 TiB */

/* ---- output --------------------------------------------------------------------------------------------------- */

static int write_all(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* The file that is being written, for the signal handler. */
static char unfinished[PATH_MAX];
static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP };
#define SIGNALS (sizeof(ending_signals) / sizeof(ending_signals[0]))

static void on_ending_signal(int sig)
{
	unlink(unfinished);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* What is ignored (nohup) stays ignored. */
static void watch_signals(struct sigaction *old)
{
	struct sigaction new = { .sa_handler = on_ending_signal };

	for (size_t i = 0; i < SIGNALS; i++) {
		sigaction(ending_signals[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(ending_signals[i], &new, NULL);
	}
}

static void restore_signals(const struct sigaction *old)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(ending_signals[i], &old[i], NULL);
}

/* ---- compressing ---------------------------------------------------------------------------------------------- */

struct packer {
	const struct reader *r;
	int fd;
	ZSTD_CCtx *context;
	uint8_t *raw, *out;
	size_t out_size;
	uint32_t (*table)[2]; /* sizes of a piece: compressed, raw */
	size_t table_len, table_cap;
	size_t extent; /* the first that begins behind what is written */
};

/* Where the piece that begins at `at` ends: at the next extent's head, behind one, or after PIECE bytes. */
static uint64_t piece_end(struct packer *p, uint64_t at, uint64_t total)
{
	uint64_t end = at + PIECE < total ? at + PIECE : total;

	for (; p->extent < p->r->extents_len; p->extent++) {
		uint64_t head = p->r->extents[p->extent].offset - sizeof(struct rsd_extent);

		if (head > at)
			return head < end ? head : end;
		if (head == at)
			end = at + HEAD_PIECE;
	}
	return end;
}

static int put_piece(struct packer *p, uint64_t at, size_t size)
{
	int err = p->table_len < PIECES_MAX ? reader_read(p->r, at, p->raw, size) : -EFBIG;
	size_t packed;

	err = err ? err : list_grow((void **)&p->table, &p->table_cap, p->table_len, sizeof(*p->table));
	if (err)
		return err;
	packed = ZSTD_compress2(p->context, p->out, p->out_size, p->raw, size);
	if (ZSTD_isError(packed))
		return -ENOMEM; /* the room is large enough, so nothing else can be wrong */
	p->table[p->table_len][0] = (uint32_t)packed;
	p->table[p->table_len++][1] = (uint32_t)size;
	return write_all(p->fd, p->out, packed);
}

static int put_table(struct packer *p)
{
	uint32_t entries = (uint32_t)p->table_len, footer_magic = PACKED_FOOTER_MAGIC;
	uint32_t head[2] = { PACKED_TABLE_MAGIC, entries * (uint32_t)sizeof(*p->table) + PACKED_FOOTER_SIZE };
	uint8_t footer[PACKED_FOOTER_SIZE] = { 0 }; /* byte 4: no checksums here, the frames have them */
	int err = write_all(p->fd, head, sizeof(head));

	memcpy(footer, &entries, 4);
	memcpy(footer + 5, &footer_magic, 4);
	err = err ? err : write_all(p->fd, p->table, p->table_len * sizeof(*p->table));
	return err ? err : write_all(p->fd, footer, sizeof(footer));
}

static int pack(const struct reader *r, int fd)
{
	struct packer p = { .r = r, .fd = fd, .context = ZSTD_createCCtx(), .out_size = ZSTD_COMPRESSBOUND(PIECE) };
	uint64_t total = r->units * RSD_UNIT;
	int err = -ENOMEM;

	p.raw = malloc(PIECE);
	p.out = malloc(p.out_size);
	if (p.context && p.raw && p.out) {
		ZSTD_CCtx_setParameter(p.context, ZSTD_c_compressionLevel, LEVEL);
		ZSTD_CCtx_setParameter(p.context, ZSTD_c_checksumFlag, 1);
		err = 0;
	}
	for (uint64_t at = 0, end; !err && at < total; at = end) {
		end = piece_end(&p, at, total);
		err = put_piece(&p, at, (size_t)(end - at));
	}
	err = err ? err : put_table(&p);
	ZSTD_freeCCtx(p.context);
	free(p.raw);
	free(p.out);
	free(p.table);
	return err;
}

/* ---- and back ------------------------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *data, size_t size)
{
	return !data[0] && !memcmp(data, data + 1, size - 1);
}

/* Pages of zeros become holes again. */
static int unpack(const struct reader *r, int fd)
{
	uint8_t *raw = malloc(RSD_UNIT);
	int err = raw ? 0 : -ENOMEM;

	for (uint64_t unit = 0; !err && unit < r->units; unit++) {
		err = reader_read(r, unit * RSD_UNIT, raw, RSD_UNIT);
		for (size_t at = 0; !err && at < RSD_UNIT; at += PAGE)
			if (is_zero(raw + at, PAGE))
				err = lseek(fd, PAGE, SEEK_CUR) < 0 ? -errno : 0;
			else
				err = write_all(fd, raw + at, PAGE);
	}
	free(raw);
	return err ? err : ftruncate(fd, (off_t)(r->units * RSD_UNIT)) ? -errno : 0;
}

/* ---- one file ------------------------------------------------------------------------------------------------- */

static int copy_identity(int fd, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };

	(void)!fchown(fd, st->st_uid, st->st_gid); /* only root may give files away */
	if (fchmod(fd, st->st_mode & 0777) || futimens(fd, times))
		return -errno;
	return 0;
}

/* Write beside `to`, then put it there in one step. */
static int write_and_rename(const struct reader *r, const char *to, bool is_back, const struct stat *st,
			    struct pack_result *result)
{
	struct sigaction old[SIGNALS];
	struct stat done;
	int fd, err;

	if (snprintf(unfinished, sizeof(unfinished), "%s.%d.tmp", to, (int)getpid()) >= (int)sizeof(unfinished))
		return -ENAMETOOLONG;
	watch_signals(old);
	fd = open(unfinished, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : is_back ? unpack(r, fd) : pack(r, fd);
	err = err ? err : copy_identity(fd, st);
	if (!err && fstat(fd, &done))
		err = -errno;
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	if (!err && rename(unfinished, to))
		err = -errno;
	if (err && fd >= 0)
		unlink(unfinished);
	restore_signals(old);
	if (!err)
		*result = (struct pack_result){ (uint64_t)st->st_size, (uint64_t)done.st_size, false };
	return err;
}

/* What a link leads to is replaced, not the link; only an ordinary file is. The caller frees. */
static int resolve(const char *to, char **real)
{
	struct stat st;

	if (stat(to, &st)) {
		*real = errno == ENOENT ? strdup(to) : NULL;
		return *real ? 0 : -errno;
	}
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	*real = realpath(to, NULL);
	return *real ? 0 : -errno;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int pack_opened(struct reader *r, const char *to, bool is_back, struct pack_result *result)
{
	struct stat st;
	char *real;
	int err;

	if (reader_is_live(r))
		return -EBUSY;
	if (!r->packed == is_back && is_same_file(r->path, to))
		return -EALREADY;
	if (fstat(r->fd, &st))
		return -errno;
	err = resolve(to, &real);
	if (err)
		return err;
	err = write_and_rename(r, real, is_back, &st, result);
	free(real);
	return err;
}

int pack_file(const char *from, const char *to, bool is_back, struct pack_result *result, struct buf *error)
{
	struct reader r;
	int err = reader_open(&r, from, error);

	*result = (struct pack_result){ .is_unreadable = err };
	if (err)
		return err;
	err = pack_opened(&r, to, is_back, result);
	result->is_unreadable = err == -EIO || err == -EBADMSG;
	if (err == -EBUSY)
		buf_printf(error, "%s: still being recorded", from);
	else if (err == -EALREADY)
		buf_printf(error, "%s: %s", from, is_back ? "is not compressed" : "is compressed already");
	else if (result->is_unreadable)
		buf_printf(error, "%s: %s", from, reader_words(err));
	else if (err)
		buf_printf(error, "%s: %s", to, strerror(-err));
	reader_release(&r);
	return err;
}

int pack_descendants(const char *file, int (*each)(void *self, const char *path, const char *name), void *self)
{
	struct buf path = { 0 };
	size_t base;
	int ret = 0, fd;
	DIR *dir;

	/* Not through a link: what is compressed is replaced. */
	buf_printf(&path, "%s.d", file);
	fd = open(buf_string(&path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	base = path.len;
	for (struct dirent *d; dir && !ret && (d = readdir(dir));) {
		struct stat st;

		path.len = base;
		buf_printf(&path, "/%s", d->d_name);
		if (is_dump_name(d->d_name) && !lstat(buf_string(&path), &st) && S_ISREG(st.st_mode))
			ret = each(self, buf_string(&path), d->d_name);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return ret;
}
