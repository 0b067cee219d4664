// SPDX-License-Identifier: MIT
/* account.c - see account.h. */
#include "tests/oracle/account.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "preload/modules.h"

#define KEPT_MAX 40u
#define FRAMES_MAX 130u /* of each side */
#define NAME_MAX_LEN 28u

struct told_frame {
	uintptr_t ip, offset;
	char module[NAME_MAX_LEN];
};

struct told_chain {
	unsigned len, cut, guessed;
	struct told_frame frames[FRAMES_MAX];
};

static struct difference {
	uint64_t key; /* 0: free */
	uint64_t times;
	enum place place;
	const char *what;
	unsigned same;
	struct regs from;
	uint32_t is_complete;
	struct told_chain ours, theirs;
} kept[KEPT_MAX];

static uint64_t counts[PLACES][ITEMS], more_kept;
static uint32_t is_written;
static char file_prefix[4000];

/* The name is kept now: servers write over their arguments. */
void account_begin(const char *prefix)
{
	snprintf(file_prefix, sizeof(file_prefix), "%s.%s", prefix, program_invocation_short_name);
}

void account_add(enum place place, enum account_item item)
{
	__atomic_fetch_add(&counts[place][item], 1, __ATOMIC_RELAXED);
}

/* ---- differences ------------------------------------------------------------------------------------------ */

/* The name as it is now: a module may be unloaded before the end. */
static void tell(struct told_chain *to, const struct chain *from)
{
	to->len = from->len;
	to->cut = from->cut;
	to->guessed = from->guessed;
	for (unsigned i = 0; i < from->len && i < FRAMES_MAX; i++) {
		struct told_frame *f = &to->frames[i];
		const char *name = "?", *slash;
		struct module m;

		f->ip = f->offset = from->ip[i];
		if (module_find(f->ip, &m)) {
			f->offset -= m.bias;
			name = m.name && *m.name ? m.name : "program";
		}
		slash = strrchr(name, '/');
		strncpy(f->module, slash ? slash + 1 : name, NAME_MAX_LEN - 1);
	}
}

/* Interrupted code differs by its instruction, a call by where both part. */
static uint64_t key_of(enum place place, const char *what, const struct chain *ours, unsigned same)
{
	uintptr_t at = place == AT_CALL ? (same ? ours->ip[same - 1] : 0) : ours->ip[0];

	return ((uint64_t)at << 8 ^ (uintptr_t)what << 2 ^ (uint64_t)place) | 1;
}

/* The row of this key; *is_new: it was not there before. NULL: no room. */
static struct difference *find(uint64_t key, bool *is_new)
{
	for (unsigned i = 0; i < KEPT_MAX; i++) {
		uint64_t seen = 0;

		*is_new = __atomic_compare_exchange_n(&kept[i].key, &seen, key, false, __ATOMIC_ACQ_REL,
						      __ATOMIC_ACQUIRE);
		if (*is_new || seen == key)
			return &kept[i];
	}
	return NULL;
}

void account_keep(enum place place, const char *what, const struct regs *from, const struct chain *ours,
		  const struct chain *theirs)
{
	unsigned same = chain_common(ours, theirs);
	bool is_new;
	struct difference *d = find(key_of(place, what, ours, same), &is_new);

	if (!d) {
		__atomic_fetch_add(&more_kept, 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_fetch_add(&d->times, 1, __ATOMIC_RELAXED);
	if (!is_new)
		return;
	d->place = place;
	d->what = what;
	d->same = same;
	d->from = *from;
	tell(&d->ours, ours);
	tell(&d->theirs, theirs);
	__atomic_store_n(&d->is_complete, 1, __ATOMIC_RELEASE);
}

void account_forget(void)
{
	memset(counts, 0, sizeof(counts));
	memset(kept, 0, sizeof(kept));
	more_kept = is_written = 0;
}

/* ---- writing ---------------------------------------------------------------------------------------------- */

static void write_frame(int fd, const char *who, unsigned i, const struct told_frame *f)
{
	Dl_info info = { 0 };

	dladdr((const void *)f->ip, &info);
	dprintf(fd, "    %-7s %3u %012lx %s+%#lx", who, i, f->ip, f->module, f->offset);
	if (info.dli_sname)
		dprintf(fd, " (%s+%#lx)", info.dli_sname, f->ip - (uintptr_t)info.dli_saddr);
	dprintf(fd, "\n");
}

/* The innermost frame, then from the last equal one on. */
static void write_chain(int fd, const char *who, const struct told_chain *c, unsigned same)
{
	unsigned from = same > 2 ? same - 2 : 0;

	if (from && c->len)
		write_frame(fd, who, 0, &c->frames[0]);
	for (unsigned i = from; i < from + 6 && i < c->len && i < FRAMES_MAX; i++)
		write_frame(fd, who, i, &c->frames[i]);
}

static const char *const place_names[PLACES] = { "call", "timer", "step" };

static void write_difference(int fd, const struct difference *d)
{
	dprintf(fd, "difference %s %s: %lu times; %u frames (cut %u, guessed %u), oracle %u, equal %u; sp %lx bp %lx\n",
		place_names[d->place], d->what, d->times, d->ours.len, d->ours.cut, d->ours.guessed, d->theirs.len,
		d->same, d->from.sp, d->from.bp);
	write_chain(fd, "ours", &d->ours, d->same);
	write_chain(fd, "oracle", &d->theirs, d->same);
}

static void write_counts(int fd)
{
	static const char *const names[ITEMS] = {
		"equal",	  "guessed",	"cut",		"wrong", "no_oracle", "at_depth",
		"memo_differs",	  "misnamed",	"twice",	"lost",	 "nested",    "second_equal",
		"second_guessed", "second_cut", "second_wrong",
	};

	for (unsigned place = 0; place < PLACES; place++)
		for (unsigned item = 0; item < ITEMS; item++)
			dprintf(fd, "count %s %s %lu\n", place_names[place], names[item], counts[place][item]);
}

void account_write(void)
{
	char path[sizeof(file_prefix) + 16];
	int fd;

	if (__atomic_exchange_n(&is_written, 1, __ATOMIC_ACQ_REL))
		return;
	snprintf(path, sizeof(path), "%s.%d", file_prefix, (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	write_counts(fd);
	for (unsigned i = 0; i < KEPT_MAX; i++)
		if (__atomic_load_n(&kept[i].is_complete, __ATOMIC_ACQUIRE))
			write_difference(fd, &kept[i]);
	dprintf(fd, "more %lu\nend\n", more_kept);
	close(fd);
}
