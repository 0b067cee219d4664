/* SPDX-License-Identifier: MIT */
/* fds.c - the live table of descriptors. See fds.h. */
#include "preload/fds.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "preload/channels.h"
#include "preload/file.h"
#include "preload/raw.h"
#include "preload/text.h"

struct rsd_extent *fds_tables[FDS_TABLES];

/* In a fresh child of fork the parent's dump is not mapped: these tables point nowhere until life_child. */
static bool is_mapped(void)
{
	return life->state == LIFE_RECORDING;
}

/* The slot of a descriptor that is used for the first time: its table made, its page there. NULL: no room. */
static struct rsd_fd *make_slot(int fd, uint32_t thread)
{
	uint32_t table = (uint32_t)fd / RSD_FDS_PER_UNIT;
	struct rsd_extent *none = NULL, *ext;
	struct rsd_fd *slot;

	if (fd < 0 || table >= FDS_TABLES)
		return NULL;
	if (!__atomic_load_n(&fds_tables[table], __ATOMIC_ACQUIRE)) {
		ext = file_extent(RSD_EXTENT_FDS, 1, thread, table * RSD_FDS_PER_UNIT, sizeof(*ext));
		if (!ext)
			return NULL;
		if (__atomic_compare_exchange_n(&fds_tables[table], &none, ext, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE))
			extent_publish(ext);
	}
	slot = fds_slot(fd);
	return file_populate(slot, sizeof(*slot)) == 0 ? slot : NULL;
}

static void put_inet(struct text *t, const void *addr, unsigned family)
{
	const uint8_t *b = addr;

	if (family == AF_INET) {
		for (int i = 0; i < 4; i++) {
			text_u64(t, b[i]);
			text_str(t, i < 3 ? "." : "");
		}
		return;
	}
	text_str(t, "[");
	for (int i = 0; i < 16; i += 2) {
		char hex[24];
		struct text h = text_on(hex, sizeof(hex));

		text_hex(&h, (uint64_t)b[i] << 8 | b[i + 1]);
		text_str(t, hex + 2);
		text_str(t, i < 14 ? ":" : "]");
	}
}

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* Keys of channels (channels.h) from what both ends can know: the pipe's inode, the eventfd, both addresses. */
#define PIPE_KEYS ((uint64_t)1 << 58)
#define EVENTFD_KEYS ((uint64_t)1 << 59)
#define INET_KEYS ((uint64_t)1 << 60)

static uint64_t mixed(uint64_t hash, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
	return hash;
}

static int compared(const void *a, const void *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
			return ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
	return 0;
}

/* Of a connection within this host: nobody else can be at both of its ends. `a` has two addresses, the peer's first. */
static uint64_t inet_channel(int fd, union address *a)
{
	bool is_v4 = a[0].any.sa_family == AF_INET;
	size_t at = is_v4 ? offsetof(struct sockaddr_in, sin_addr) : offsetof(struct sockaddr_in6, sin6_addr);
	size_t len = is_v4 ? sizeof(a->in.sin_addr) : sizeof(a->in6.sin6_addr);
	socklen_t room = sizeof(a[1]);
	const char *peer = (const char *)&a[0], *own = (const char *)&a[1];
	int order;
	uint64_t hash = 0xcbf29ce484222325u;

	if (raw3(SYS_getsockname, fd, &a[1], &room) != 0 || a[1].any.sa_family != a[0].any.sa_family ||
	    compared(peer + at, own + at, len) != 0)
		return 0;
	order = compared(&a[0].in.sin_port, &a[1].in.sin_port, sizeof(a->in.sin_port));
	hash = mixed(hash, own + at, len);
	hash = mixed(hash, order < 0 ? &a[0].in.sin_port : &a[1].in.sin_port, sizeof(a->in.sin_port));
	hash = mixed(hash, order < 0 ? &a[1].in.sin_port : &a[0].in.sin_port, sizeof(a->in.sin_port));
	return INET_KEYS | (hash << 3 & (PIPE_KEYS - 1)) | CHANNEL_BOTH | (order < 0 ? CHANNEL_END : 0);
}

/* The number in the link "pipe:[42]", or 0. */
static uint64_t pipe_number(const char *link, size_t len)
{
	uint64_t number = 0;

	if (len < 8 || !text_same_n(link, 6, "pipe:["))
		return 0;
	for (size_t i = 6; i < len && link[i] >= '0' && link[i] <= '9'; i++)
		number = number * 10 + (uint64_t)(link[i] - '0');
	return number;
}

static uint64_t link_channel(const char *link, size_t len, int fd)
{
	uint64_t number = pipe_number(link, len);

	if (number)
		return PIPE_KEYS | (number << 3 & (PIPE_KEYS - 1));
	if (len == 20 && text_same_n(link, 20, "anon_inode:[eventfd]"))
		return EVENTFD_KEYS | (uint64_t)fd << 3;
	return 0;
}

/* The peer of a connected socket, or where a listening one is bound. */
static bool put_socket(struct text *t, int fd, union address *a, uint64_t *channel)
{
	socklen_t len = sizeof(*a), type_len = sizeof(int);
	int type = 0;
	bool is_peer = raw3(SYS_getpeername, fd, a, &len) == 0;

	if (!is_peer) {
		len = sizeof(*a);
		if (raw3(SYS_getsockname, fd, a, &len) != 0)
			return false;
	}
	raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
	switch (a->any.sa_family) {
	case AF_INET:
	case AF_INET6:
		text_str(t, type == SOCK_DGRAM ? "udp " : "tcp ");
		text_str(t, is_peer ? "" : "at ");
		put_inet(t, a->any.sa_family == AF_INET ? (void *)&a->in.sin_addr : (void *)&a->in6.sin6_addr,
			 a->any.sa_family);
		text_str(t, ":");
		text_u64(t, __builtin_bswap16(a->in.sin_port));
		*channel = is_peer && type == SOCK_STREAM ? inet_channel(fd, a) : 0;
		return true;
	case AF_UNIX:
		text_str(t, "unix ");
		if (len <= sizeof(sa_family_t)) {
			text_str(t, "(unnamed pair)");
		} else if (a->un.sun_path[0]) {
			text_str(t, a->un.sun_path);
		} else {
			text_str(t, "@");
			text_bytes(t, a->un.sun_path + 1, len - sizeof(sa_family_t) - 1);
		}
		return true;
	default:
		return false;
	}
}

/* The link's text, or the peer's name in its place. `a` has room for two addresses. */
static size_t put_name(struct text *t, int fd, union address *a, uint64_t *channel)
{
	char link[32];
	struct text path = text_on(link, sizeof(link));
	long n;

	text_str(&path, "/proc/self/fd/");
	text_u64(&path, (uint64_t)fd);
	n = raw4(SYS_readlinkat, AT_FDCWD, link, t->buf, t->cap - 1);
	if (n <= 0) {
		text_str(t, "?");
		return t->len;
	}
	*channel = link_channel(t->buf, (size_t)n, fd);
	if (n > 8 && text_same_n(t->buf, 8, "socket:[") && put_socket(t, fd, a, channel))
		return t->len;
	return (size_t)n;
}

__attribute__((noinline)) static uint32_t look_up_name(struct thread *t, int fd, struct rsd_fd *slot)
{
	struct lane *lane = lane_enter(t);
	uint64_t channel = 0;
	struct text text;
	uint32_t name;

	if (!lane)
		return 0;
	/* The addresses behind the text, both off the program's stack. */
	text = text_on(lane->scratch, sizeof(lane->scratch) - 2 * sizeof(union address));
	name = meta_string(lane->scratch, put_name(&text, fd, (void *)(lane->scratch + text.cap), &channel));
	lane_leave(t, lane);
	slot->channel = channel;
	return name;
}

/* Apart from the name, so that neither stands on the other's stack. */
__attribute__((noinline)) static void note_place(struct thread *t, struct rsd_fd *slot, const struct regs *from)
{
	struct lane *lane = lane_enter(t);

	if (!lane)
		return;
	slot->open_stack = lane_stack(lane, from);
	lane_leave(t, lane);
}

/* The slot of a descriptor whose life begins with this call. */
static struct rsd_fd *begin_slot(struct thread *t, int fd, const struct regs *from)
{
	struct rsd_fd *slot = make_slot(fd, t->index);

	if (!slot)
		return NULL;
	slot->open_tick = clock_now();
	if (!slot->open_stack)
		note_place(t, slot, from);
	__atomic_store_n(&slot->name, look_up_name(t, fd, slot), __ATOMIC_RELEASE);
	return slot;
}

uint64_t fds_channel_slow(struct thread *t, int fd, const struct regs *from)
{
	struct rsd_fd *slot = begin_slot(t, fd, from);

	return slot ? slot->channel : 0;
}

void fds_set_channel(struct thread *t, int fd, uint64_t channel, const struct regs *from)
{
	struct rsd_fd *slot = begin_slot(t, fd, from);

	if (slot)
		slot->channel = channel;
}

/* The name can wait for the first use: most descriptors that are only opened are of no interest. */
void fds_opened(int fd, const struct regs *from)
{
	struct thread *t = fd < 0 || span_is_off() ? NULL : thread_enter();
	struct rsd_fd *slot = t ? make_slot(fd, t->index) : NULL;

	if (slot)
		note_place(t, slot, from);
	else if (t)
		thread_settle(t);
}

void fds_count(int fd, uint64_t again, uint64_t syncs)
{
	struct rsd_fd *slot = fd < 0 ? NULL : fds_slot(fd);

	if (!slot)
		return;
	__atomic_fetch_add(&slot->again, again, __ATOMIC_RELAXED);
	__atomic_fetch_add(&slot->syncs, syncs, __ATOMIC_RELAXED);
}

static void add_atomic(struct rsd_fd_sums *sums, bool is_write, uint64_t bytes, uint64_t ticks)
{
	__atomic_fetch_add(&sums->calls, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&sums->io_ticks, ticks, __ATOMIC_RELAXED);
	__atomic_fetch_add(is_write ? &sums->bytes_written : &sums->bytes_read, bytes, __ATOMIC_RELAXED);
}

void fds_io_slow(struct thread *t, int fd, bool is_write, uint64_t bytes, uint64_t ticks, const struct regs *from)
{
	struct rsd_fd *slot = fd < 0 ? NULL : fds_slot(fd);
	uint32_t nobody = 0;

	if (!slot || !__atomic_load_n(&slot->name, __ATOMIC_RELAXED))
		slot = from ? begin_slot(t, fd, from) : NULL;
	if (!slot)
		return;
	if (slot->owner == t->index + 1 ||
	    (!slot->owner && __atomic_compare_exchange_n(&slot->owner, &nobody, t->index + 1, false, __ATOMIC_RELAXED,
							 __ATOMIC_RELAXED))) {
		fds_add_own(&slot->own, is_write, bytes, ticks);
	} else {
		add_atomic(&slot->others, is_write, bytes, ticks);
	}
}

static uint64_t take(uint64_t *own, uint64_t *other)
{
	return __atomic_exchange_n(own, 0, __ATOMIC_RELAXED) + __atomic_exchange_n(other, 0, __ATOMIC_RELAXED);
}

void fds_close(int fd)
{
	struct rsd_fd *slot;
	struct thread *t;
	struct rec_fd record = { .fd = (uint32_t)fd };

	if (!is_mapped() || !(slot = fds_slot(fd)) || !(slot->name || slot->open_stack) || !(t = thread_enter()))
		return;
	/* A child of vfork runs on our memory and closes its own descriptors. */
	if (raw1(SYS_gettid, 0) != (long)t->tid) {
		thread_settle(t);
		return;
	}
	record.name = __atomic_exchange_n(&slot->name, 0, __ATOMIC_ACQ_REL);
	record.open_tick = slot->open_tick;
	record.open_stack = __atomic_exchange_n(&slot->open_stack, 0, __ATOMIC_RELAXED);
	record.again = __atomic_exchange_n(&slot->again, 0, __ATOMIC_RELAXED);
	record.syncs = __atomic_exchange_n(&slot->syncs, 0, __ATOMIC_RELAXED);
	record.calls = take(&slot->own.calls, &slot->others.calls);
	record.bytes_read = take(&slot->own.bytes_read, &slot->others.bytes_read);
	record.bytes_written = take(&slot->own.bytes_written, &slot->others.bytes_written);
	record.io_ticks = take(&slot->own.io_ticks, &slot->others.io_ticks);
	__atomic_store_n(&slot->owner, 0, __ATOMIC_RELAXED);
	if (record.name)
		thread_put(t, EV_FD_CLOSE, clock_now(), &record, sizeof(record));
	else
		thread_settle(t);
}

void fds_peer_changed(int fd)
{
	struct rsd_fd *slot = is_mapped() ? fds_slot(fd) : NULL;

	if (slot)
		__atomic_store_n(&slot->name, 0, __ATOMIC_RELEASE);
}

void fds_begin_child(void)
{
	for (unsigned i = 0; i < FDS_TABLES; i++)
		if (fds_tables[i])
			fds_tables[i] = NULL;
}
