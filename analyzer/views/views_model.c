/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/demangle.h"
#include "analyzer/symbols/modules.h"
#include "analyzer/views/views_model.h"
#include "analyzer/util/whole.h"

struct view_pattern {
	regex_t regex;
};

struct filters {
	struct view_pattern *focus, *ignore, *hide, *label, *drop;
};

/* Answers of the filters for a frame, kept beside its entry in frame_index. */
enum { FRAME_FOCUS = 1, FRAME_IGNORE = 2, FRAME_HIDE = 4, FRAME_DROP = 8, FRAME_BITS = 16 };

/* ---- patterns ---- */

int view_pattern_new(struct view_pattern **out, const char *text, const char *option, struct buf *error)
{
	char words[256];
	int err;

	*out = NULL;
	if (!text)
		return 0;
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	err = regcomp(&(*out)->regex, text, REG_EXTENDED | REG_NOSUB);
	if (!err)
		return 0;
	regerror(err, &(*out)->regex, words, sizeof(words));
	buf_printf(error, "%s: %s", option, words);
	free(*out);
	*out = NULL;
	return -EINVAL;
}

void view_pattern_free(struct view_pattern *p)
{
	if (!p)
		return;
	regfree(&p->regex);
	free(p);
}

bool view_pattern_matches_text(const struct view_pattern *p, const char *text)
{
	return text && !regexec(&p->regex, text, 0, NULL, 0);
}

bool view_pattern_matches_function(const struct view_pattern *p, const struct frame *frame)
{
	char *name;
	bool matches;

	if (view_pattern_matches_text(p, frame->function))
		return true;
	if (!strpbrk(frame->function, "(<"))
		return false;
	name = demangle_short(frame->function, VIEW_TEMPLATE_KEEP);
	matches = view_pattern_matches_text(p, name);
	free(name);
	return matches;
}

bool view_pattern_matches(const struct view_pattern *p, const struct frame *frame)
{
	return view_pattern_matches_text(p, frame->file) || view_pattern_matches_text(p, frame->module) ||
	       view_pattern_matches_function(p, frame);
}

static int filters_init(struct filters *f, const struct profile *p, const struct view_options *o, struct buf *error)
{
	int ret;

	memset(f, 0, sizeof(*f));
	if ((ret = view_pattern_new(&f->focus, o->focus, "--focus", error)) ||
	    (ret = view_pattern_new(&f->ignore, o->ignore, "--ignore", error)) ||
	    (ret = view_pattern_new(&f->hide, o->hide, "--hide", error)) ||
	    (ret = view_pattern_new(&f->label, o->label, "--label", error)) ||
	    (ret = view_pattern_new(&f->drop, o->keep_dropped ? NULL : p->drop_frames, "drop_frames", error)))
		return ret;
	return 0;
}

static void filters_release(struct filters *f)
{
	view_pattern_free(f->focus);
	view_pattern_free(f->ignore);
	view_pattern_free(f->hide);
	view_pattern_free(f->label);
	view_pattern_free(f->drop);
}

/* ---- numbers ---- */

int64_t view_add(int64_t a, int64_t b)
{
	return whole_add(a, b);
}

static int64_t magnitude(int64_t value)
{
	return value == INT64_MIN ? INT64_MAX : value < 0 ? -value : value;
}

double view_share(int64_t value, int64_t total)
{
	return total ? (double)value / (double)total : 0;
}

/* ---- entries ---- */

/* What makes two frames one entry: up to four words. */
static uint64_t entry_key(const struct frame *f, enum view_granularity granularity)
{
	uint64_t key[4] = { 0 };

	switch (granularity) {
	case VIEW_FUNCTIONS:
		key[0] = (uintptr_t)f->function;
		key[1] = (uintptr_t)(f->decl_file ? f->decl_file : f->module_path);
		break;
	case VIEW_LINES:
		key[0] = (uintptr_t)f->function;
		key[1] = (uintptr_t)(f->decl_file ? f->decl_file : f->module_path);
		key[2] = (uintptr_t)f->file;
		key[3] = f->line;
		break;
	case VIEW_FILES:
		key[0] = (uintptr_t)(f->file ? f->file : f->module_path);
		break;
	case VIEW_MODULES:
		key[0] = (uintptr_t)f->module_path;
		break;
	case VIEW_ADDRESSES:
		key[0] = f->address;
		key[1] = (uintptr_t)f->module_path;
		key[2] = (uintptr_t)f->function;
		break;
	}
	return hash_bytes(key, sizeof(key));
}

static bool grow(void *list, size_t len, size_t *cap, size_t size)
{
	void **at = list;
	size_t wanted = *cap ? *cap * 2 : 256;
	void *grown;

	if (len < *cap)
		return true;
	grown = realloc(*at, wanted * size);
	if (!grown)
		return false;
	*at = grown;
	*cap = wanted;
	return true;
}

/* The same over two builds, whose frames have nothing but their names in common. */
static uint64_t aligned_key(const struct align *align, const struct frame *f, enum view_granularity granularity)
{
	struct align_place place = align_frame(align, f);
	uint64_t key[3] = { granularity };

	if (!place.module || granularity == VIEW_ADDRESSES)
		return entry_key(f, granularity);
	if (granularity == VIEW_MODULES || (granularity == VIEW_FILES && !f->file))
		key[1] = place.module;
	else if (granularity == VIEW_FILES)
		key[1] = hash_bytes(path_base(f->file), strlen(path_base(f->file)));
	else
		key[1] = place.function;
	key[2] = granularity == VIEW_LINES ? place.site : 0;
	return hash_bytes(key, sizeof(key));
}

/* The entry of a frame, made if it is new. SIZE_MAX without memory. 64 bits of seeded hash stand for the key. */
static size_t entry_of(struct view *v, const struct frame *frame, enum view_granularity granularity)
{
	bool is_new;
	uint64_t *at;

	if (!grow(&v->entries, v->entries_len, &v->entries_cap, sizeof(*v->entries)))
		return SIZE_MAX;
	at = map_at(&v->entry_index,
		    v->options->align ? aligned_key(v->options->align, frame, granularity)
				      : entry_key(frame, granularity),
		    &is_new);
	if (!at)
		return SIZE_MAX;
	if (is_new) {
		v->entries[v->entries_len] = (struct view_entry){ .frame = frame };
		*at = v->entries_len++;
	}
	return *at;
}

static uint64_t ask_filters(const struct filters *f, const struct frame *frame)
{
	uint64_t bits = 0;

	if (f->focus && view_pattern_matches(f->focus, frame))
		bits |= FRAME_FOCUS;
	if (f->ignore && view_pattern_matches(f->ignore, frame))
		bits |= FRAME_IGNORE;
	if (f->hide && view_pattern_matches(f->hide, frame))
		bits |= FRAME_HIDE;
	if (f->drop && view_pattern_matches_text(f->drop, frame->function))
		bits |= FRAME_DROP;
	return bits;
}

/* Entry and filter answers of a frame: asked once per frame. Negative without memory. */
static int64_t frame_info(struct view *v, const struct filters *f, const struct frame *frame,
			  enum view_granularity granularity)
{
	uint64_t known;
	size_t entry;

	if (map_get(&v->frame_index, (uintptr_t)frame, &known))
		return (int64_t)known;
	entry = entry_of(v, frame, granularity);
	if (entry == SIZE_MAX)
		return -ENOMEM;
	known = entry * FRAME_BITS | ask_filters(f, frame);
	if (map_put(&v->frame_index, (uintptr_t)frame, known))
		return -ENOMEM;
	return (int64_t)known;
}

/* ---- paths ---- */

static const struct frame no_stack = { .function = "[no stack]", .source = FRAME_UNKNOWN };

static int take_frames(struct view *v, const struct filters *f, const struct frames *frames,
		       enum view_granularity granularity, struct view_path *path)
{
	const struct frame *only = &no_stack, *const *list = frames->len ? frames->list : &only;
	size_t len = frames->len ? frames->len : 1;
	bool in_focus = !f->focus, is_leaf = true;

	path->first = v->steps_len;
	for (size_t i = 0; i < len; i++) {
		int64_t info = frame_info(v, f, list[i], granularity);

		if (info < 0 || !grow(&v->steps, v->steps_len, &v->steps_cap, sizeof(*v->steps)))
			return -ENOMEM;
		if (info & FRAME_IGNORE)
			goto drop;
		in_focus |= info & FRAME_FOCUS;
		is_leaf &= (info & FRAME_DROP) && i + 1 < len;
		if (!(info & FRAME_HIDE) && !is_leaf)
			v->steps[v->steps_len++] = (struct view_step){ (uint32_t)(info / FRAME_BITS), list[i] };
	}
	path->len = (uint32_t)(v->steps_len - path->first);
	if (in_focus && path->len)
		return 0;
drop:
	v->steps_len = path->first;
	path->len = 0;
	return 0;
}

static void account(struct view *v, const struct view_path *path, uint32_t number)
{
	const struct view_step *steps = v->steps + path->first;

	v->entries[steps[0].entry].flat = view_add(v->entries[steps[0].entry].flat, path->value);
	for (uint32_t i = 0; i < path->len; i++) {
		struct view_entry *entry = &v->entries[steps[i].entry];

		if (steps[i].frame->inlined)
			entry->is_inlined = true;
		else
			entry->is_called = true;
		if (entry->last_path == number)
			continue;
		entry->last_path = number;
		entry->cum = view_add(entry->cum, path->value);
	}
}

static int take_row(struct view *v, const struct filters *f, const struct profile_row *row,
		    enum view_granularity granularity, struct frames *frames)
{
	struct view_path path = { .row = row, .value = row->values[v->value] };
	unsigned cut;

	if (!path.value)
		return 0;
	v->total = view_add(v->total, magnitude(path.value));
	cut = stacks_cut(v->stacks, row->stack);
	if (cut != CUT_NONE) {
		cut = cut < VIEW_CUTS ? cut : VIEW_CUTS - 1;
		v->cut_totals[cut] = view_add(v->cut_totals[cut], magnitude(path.value));
	}
	if (f->label && !view_pattern_matches_text(f->label, profile_label_text(v->profile, row->label)))
		return 0;
	if (stacks_frames(v->stacks, row->stack, frames) || take_frames(v, f, frames, granularity, &path))
		return -ENOMEM;
	if (!path.len)
		return 0;
	account(v, &path, ++v->paths_seen);
	if (v->options->kind == VIEW_TOP) {
		v->steps_len = path.first; /* sums are enough: a large profile has more steps than memory */
		return 0;
	}
	if (!grow(&v->paths, v->paths_len, &v->paths_cap, sizeof(*v->paths)))
		return -ENOMEM;
	v->paths[v->paths_len++] = path;
	return 0;
}

static int compare_paths(const void *pa, const void *pb)
{
	const struct view_path *a = pa, *b = pb;
	int64_t a_size = magnitude(a->value), b_size = magnitude(b->value);

	if (a_size != b_size)
		return a_size > b_size ? -1 : 1;
	return a->first < b->first ? -1 : 1;
}

static int choose_value(struct view *v, struct buf *error)
{
	int index =
		v->options->sample ? profile_value_index(v->profile, v->options->sample) : (int)v->profile->main_value;

	if (index < 0 || (size_t)index >= v->profile->values_len) {
		buf_printf(error, "--sample: no value named '%s'; there are",
			   v->options->sample ? v->options->sample : "");
		for (size_t i = 0; i < v->profile->values_len; i++)
			buf_printf(error, "%s %s", i ? "," : "", v->profile->values[i].name);
		return -EINVAL;
	}
	v->value = (size_t)index;
	v->unit = v->profile->values[index].unit;
	return 0;
}

/* As pprof's -diff_base: shares are of what was subtracted. Of nothing there are none, then they are of the change. */
static void set_base_total(struct view *v, const struct profile *base)
{
	int64_t total = 0;

	for (size_t i = 0; i < base->rows_len; i++)
		total = view_add(total, magnitude(base->rows[i].values[v->value]));
	v->total = total ? total : v->total;
}

int view_build(struct view *v, const struct profile *profile, struct stacks *stacks, const struct view_options *options,
	       enum view_granularity granularity, struct buf *error)
{
	struct frames frames = { 0 };
	struct filters filters;
	int ret;

	*v = (struct view){ .profile = profile, .stacks = stacks, .options = options };
	ret = choose_value(v, error);
	if (ret)
		return ret;
	ret = filters_init(&filters, profile, options, error);
	for (size_t i = 0; !ret && i < profile->rows_len; i++)
		if (profile->rows[i].values[v->value])
			stacks_want(stacks, profile->rows[i].stack);
	for (size_t i = 0; !ret && i < profile->rows_len; i++)
		ret = take_row(v, &filters, &profile->rows[i], granularity, &frames);
	filters_release(&filters);
	frames_release(&frames);
	if (options->base)
		set_base_total(v, options->base);
	if (!ret && v->paths_len)
		qsort(v->paths, v->paths_len, sizeof(*v->paths), compare_paths);
	return ret;
}

void view_release(struct view *v)
{
	free(v->entries);
	free(v->paths);
	free(v->steps);
	map_release(&v->entry_index);
	map_release(&v->frame_index);
	memset(v, 0, sizeof(*v));
}

/* ---- order ---- */

struct order {
	const struct view_entry *entries;
	bool by_cum;
};

static int compare_entries(const void *pa, const void *pb, void *arg)
{
	const struct order *order = arg;
	const struct view_entry *a = &order->entries[*(const uint32_t *)pa],
				*b = &order->entries[*(const uint32_t *)pb];
	int64_t a_first = magnitude(order->by_cum ? a->cum : a->flat),
		a_second = magnitude(order->by_cum ? a->flat : a->cum);
	int64_t b_first = magnitude(order->by_cum ? b->cum : b->flat),
		b_second = magnitude(order->by_cum ? b->flat : b->cum);
	int names;

	if (a_first != b_first)
		return a_first > b_first ? -1 : 1;
	if (a_second != b_second)
		return a_second > b_second ? -1 : 1;
	names = strcmp(a->frame->function, b->frame->function);
	return names ? names : (a < b ? -1 : 1);
}

uint32_t *view_order(const struct view *v, bool by_cum, size_t *len)
{
	uint32_t *list = malloc((v->entries_len + 1) * sizeof(*list));
	struct order order = { v->entries, by_cum };

	*len = 0;
	if (!list)
		return NULL;
	for (size_t i = 0; i < v->entries_len; i++)
		if (v->entries[i].flat || v->entries[i].cum)
			list[(*len)++] = (uint32_t)i;
	qsort_r(list, *len, sizeof(*list), compare_entries, &order);
	return list;
}
