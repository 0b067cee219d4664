/* SPDX-License-Identifier: MIT */
/* cmd_compress.c - make recordings small or raw again: a FILE together with the dumps in FILE.d. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/commands/options.h"
#include "analyzer/read/pack.h"
#include "analyzer/show/render.h"
#include "analyzer/util/die.h"

/* One recording on its way. */
struct work {
	const char *from, *to;
	bool is_back;
	uint64_t before, after; /* bytes */
	int status;
};

/* What can't be read, or is as it should be, does not stop the others; a full disk does. */
static int add_dump(struct work *w, const char *from, const char *to)
{
	struct buf error = { 0 };
	struct pack_result packed;
	int err = pack_file(from, to, w->is_back, &packed, &error);

	w->before += packed.before;
	w->after += packed.after;
	if (err)
		warn("%s", buf_string(&error));
	if (err && err != -EALREADY)
		w->status = packed.is_unreadable ? EXIT_UNREADABLE : EXIT_FINDING;
	buf_release(&error);
	return err == -EALREADY || err == -EBUSY || packed.is_unreadable ? 0 : err;
}

/* FILE.d/NAME goes to OUT.d/NAME. */
static int add_descendant(void *self, const char *path, const char *name)
{
	struct work *w = self;
	struct buf to = { 0 };
	int err;

	if (w->to == w->from)
		return add_dump(w, path, path);
	buf_printf(&to, "%s.d", w->to);
	if (mkdir(buf_string(&to), 0700) && errno != EEXIST) {
		err = -errno;
		warn("%s: %s", buf_string(&to), strerror(errno));
		w->status = EXIT_FINDING;
	} else {
		buf_printf(&to, "/%s", name);
		err = add_dump(w, path, buf_string(&to));
	}
	buf_release(&to);
	return err;
}

static int do_recording(const char *from, const char *to, bool is_back)
{
	struct work w = { .from = from, .to = to, .is_back = is_back };
	char before[RENDER_NUMBER_MAX], after[RENDER_NUMBER_MAX];

	if (!add_dump(&w, from, to))
		pack_descendants(from, add_descendant, &w);
	if (w.before)
		warn("%s: %s, was %s", to, render_bytes(after, (int64_t)w.after),
		     render_bytes(before, (int64_t)w.before));
	return w.status;
}

int cmd_compress(struct options *o)
{
	int status = EXIT_FINE;

	if (!o->args_len || (o->output && o->args_len > 1)) {
		warn(o->args_len ? "compress: one FILE at a time with --output"
				 : "compress: no FILE; for example `ringside compress run.rsd`");
		return EXIT_USAGE;
	}
	for (int i = 0; i < o->args_len; i++) {
		int one = do_recording(o->args[i], o->output ? o->output : o->args[i], o->decompress);

		status = one ? one : status;
	}
	return status;
}
