/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/util/json.h"
#include "analyzer/util/list.h"
#include "analyzer/util/whole.h"
#include "analyzer/web/lines.h"

#define LEAST_SHARE 0.001
#define TEXT_MOST 240u /* bytes of a line */

void web_lines_init(struct web_lines *l, struct stacks *stacks)
{
	*l = (struct web_lines){ .stacks = stacks };
	map_init(&l->line_of);
}

void web_lines_release(struct web_lines *l)
{
	free(l->list);
	map_release(&l->line_of);
	frames_release(&l->scratch);
}

/* ---- adding up ------------------------------------------------------------------------------------------------ */

static struct web_line *line_at(struct web_lines *l, const struct frame *f)
{
	const uintptr_t key[] = { (uintptr_t)f->file, (uintptr_t)f->function, f->line };
	bool is_new;
	uint64_t *at = map_at(&l->line_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&l->list, &l->cap, l->len, sizeof(*l->list)))) {
		l->failed = true;
		return NULL;
	}
	if (is_new) {
		l->list[l->len] = (struct web_line){ .file = f->file, .function = f->function, .line = f->line };
		*at = l->len++;
	}
	return &l->list[*at];
}

void web_lines_add(struct web_lines *l, struct stack_id stack, const int64_t values[WEB_METRICS])
{
	for (unsigned m = 0; m < WEB_METRICS; m++)
		l->total[m] = whole_add(l->total[m], values[m] > 0 ? values[m] : 0);
	if (!stack.v)
		return;
	if (stacks_frames(l->stacks, stack, &l->scratch)) {
		l->failed = true;
		return;
	}
	l->stacks_len++;
	for (size_t i = 0; i < l->scratch.len; i++) {
		const struct frame *f = l->scratch.list[i];
		struct web_line *line = f->file && f->line ? line_at(l, f) : NULL;

		if (!line)
			continue;
		for (unsigned m = 0; m < WEB_METRICS; m++) {
			int64_t value = values[m] > 0 ? values[m] : 0;

			line->flat[m] = whole_add(line->flat[m], i ? 0 : value);
			line->cum[m] = whole_add(line->cum[m], line->stack == l->stacks_len ? 0 : value);
		}
		line->stack = l->stacks_len;
	}
}

/* ---- choosing ------------------------------------------------------------------------------------------------- */

static const int64_t *ordered_total;

static double heat(const struct web_line *line)
{
	double most = 0;

	for (unsigned m = 0; m < WEB_METRICS; m++) {
		double share = ordered_total[m] ? (double)line->cum[m] / (double)ordered_total[m] : 0;

		most = share > most ? share : most;
	}
	return most;
}

static int by_heat(const void *a, const void *b)
{
	const struct web_line *x = a, *y = b;
	double hx = heat(x), hy = heat(y);

	if (hx != hy)
		return hx > hy ? -1 : 1;
	if (x->file != y->file)
		return strcmp(x->file, y->file);
	return (x->line > y->line) - (x->line < y->line);
}

bool web_lines_is_source(const char *path)
{
	static const char *const ends[] = { ".c",  ".h",   ".cc",  ".cpp", ".cxx",  ".hh",   ".hpp", ".hxx",
					    ".C",  ".H",   ".inc", ".tcc", ".ipp",  ".def",  ".S",   ".s",
					    ".rs", ".go",  ".d",   ".f90", ".f",    ".y",    ".l",   ".m",
					    ".mm", ".zig", ".nim", ".pyx", ".vala", ".swift" };
	const char *base = strrchr(path, '/'), *end = strrchr(base ? base : path, '.');

	for (size_t i = 0; end && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strcmp(end, ends[i]))
			return true;
	return false;
}

/* Hottest first; those that are shown come to the front. Returns how many. */
static size_t choose(struct web_lines *l)
{
	size_t len = 0;

	ordered_total = l->total;
	for (size_t i = 0; i < l->len; i++)
		if (web_lines_is_source(l->list[i].file) && heat(&l->list[i]) >= LEAST_SHARE)
			l->list[len++] = l->list[i];
	if (len)
		qsort(l->list, len, sizeof(*l->list), by_heat);
	return len < WEB_LINES_MOST ? len : WEB_LINES_MOST;
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

struct put_source {
	struct json j;
	const struct web_lines *l;
	size_t chosen, bytes;
	const char *files[WEB_LINES_FILES]; /* that could be read */
	size_t files_len, left_out;
};

static bool is_near(const struct put_source *p, const char *file, size_t number)
{
	for (size_t i = 0; i < p->chosen; i++)
		if (p->l->list[i].file == file && number + WEB_LINES_AROUND >= p->l->list[i].line &&
		    number <= p->l->list[i].line + WEB_LINES_AROUND)
			return true;
	return false;
}

static void put_text(struct put_source *p, const char *text)
{
	size_t len = strlen(text);

	len = len < TEXT_MOST ? len : TEXT_MOST;
	json_string_n(&p->j, text, len);
	p->bytes += len;
}

/* ranges: the first line's number, then the lines. */
static void put_ranges(struct put_source *p, const char *file, const struct source_file *source)
{
	bool is_open = false;

	json_key(&p->j, "ranges");
	json_begin_array(&p->j);
	for (size_t number = 1; number <= source->len; number++) {
		bool is_wanted = p->bytes < WEB_LINES_BYTES && is_near(p, file, number);

		if (is_open && !is_wanted)
			json_end(&p->j);
		if (!is_open && is_wanted) {
			json_begin_array(&p->j);
			json_u64(&p->j, number);
		}
		is_open = is_wanted;
		if (is_wanted)
			put_text(p, source->lines[number - 1]);
	}
	if (is_open)
		json_end(&p->j);
	json_end(&p->j);
}

static bool is_met(const struct put_source *p, size_t line)
{
	for (size_t i = 0; i < line; i++)
		if (p->l->list[i].file == p->l->list[line].file)
			return true;
	return false;
}

/* files: in the order in which the hottest lines name them. */
static void put_files(struct put_source *p, const struct source_options *options)
{
	json_key(&p->j, "files");
	json_begin_array(&p->j);
	for (size_t i = 0; i < p->chosen && options; i++) {
		const char *file = p->l->list[i].file;
		struct source_file source;

		if (is_met(p, i))
			continue;
		if (p->files_len == WEB_LINES_FILES || p->bytes >= WEB_LINES_BYTES ||
		    source_open(&source, file, options)) {
			p->left_out++;
			continue;
		}
		p->files[p->files_len++] = file;
		json_begin_object(&p->j);
		json_field_string(&p->j, "path", source_shown(file, options));
		put_ranges(p, file, &source);
		json_end(&p->j);
		source_release(&source);
	}
	json_end(&p->j);
}

static int file_number(const struct put_source *p, const char *file)
{
	for (size_t i = 0; i < p->files_len; i++)
		if (p->files[i] == file)
			return (int)i;
	return -1;
}

/* lines: file, line, function, then flat and cum of each metric in the order of the tree. Only of files that are here.
 */
static void put_lines(struct put_source *p)
{
	json_key(&p->j, "lines");
	json_begin_array(&p->j);
	for (size_t i = 0; i < p->chosen; i++) {
		const struct web_line *line = &p->l->list[i];
		int file = file_number(p, line->file);

		if (file < 0)
			continue;
		json_begin_array(&p->j);
		json_i64(&p->j, file);
		json_u64(&p->j, line->line);
		json_string(&p->j, line->function);
		for (unsigned m = 0; m < WEB_METRICS; m++) {
			json_i64(&p->j, line->flat[m]);
			json_i64(&p->j, line->cum[m]);
		}
		json_end(&p->j);
	}
	json_end(&p->j);
}

int web_lines_json(struct web_lines *l, const struct source_options *options, FILE *out)
{
	struct put_source p = { .l = l, .chosen = choose(l) };

	if (l->failed)
		return -ENOMEM;
	json_init(&p.j, out);
	p.j.is_for_html = true;
	p.j.pretty_depth = 2;
	json_begin_object(&p.j);
	json_field_string(&p.j, "schema", "ringside.html.source/1");
	json_field_bool(&p.j, "is_wanted", options != NULL);
	json_field_u64(&p.j, "around", WEB_LINES_AROUND);
	json_field_f64(&p.j, "least_share", LEAST_SHARE);
	put_files(&p, options);
	json_field_u64(&p.j, "files_left_out", p.left_out);
	put_lines(&p);
	json_end(&p.j);
	return json_finish(&p.j);
}
