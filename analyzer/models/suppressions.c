/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/models/suppressions.h"
#include "analyzer/util/list.h"

#define KIND "leak:"
#define FILE_MAX ((off_t)16 << 20)
#define NONE 1u
#define FIRST 2u

void suppressions_release(struct suppressions *s)
{
	for (size_t i = 0; i < s->len; i++)
		free(s->list[i].pattern);
	free(s->list);
	stack_index_release(&s->index);
	*s = (struct suppressions){ 0 };
}

/*
 * Each piece between stars is looked for behind the one before it, the first place counts: LeakSanitizer does not try
 * a later one when the rest does not fit, and what it reports must be reported here.
 */
bool suppression_matches(const char *pattern, const char *name)
{
	bool is_tied = *pattern == '^', is_open = false;

	if (!name || !*name)
		return false;
	pattern += is_tied;
	while (*pattern) {
		size_t len = strcspn(pattern, "*$");
		const char *found;

		if (*pattern == '*') {
			pattern++;
			is_tied = false;
			is_open = true;
			continue;
		}
		if (*pattern == '$')
			return !*name || is_open;
		if (!*name)
			return false;
		found = memmem(name, strlen(name), pattern, len);
		if (!found || (is_tied && found != name))
			return false;
		name = found + len;
		pattern += len;
		is_tied = is_open = false;
	}
	return true;
}

static int add_pattern(struct suppressions *s, const char *pattern, size_t len, const char *origin)
{
	char *copy = strndup(pattern, len);

	if (!copy || list_grow((void **)&s->list, &s->cap, s->len, sizeof(*s->list))) {
		free(copy);
		return -ENOMEM;
	}
	s->list[s->len++] = (struct suppression){ .pattern = copy, .origin = origin };
	return 0;
}

static int add_line(struct suppressions *s, const char *line, size_t len, const char *origin)
{
	size_t kind = sizeof(KIND) - 1;

	while (len && strchr(" \t", line[0]))
		line++, len--;
	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	if (!len || *line == '#')
		return 0;
	if (len < kind || memcmp(line, KIND, kind))
		return -EINVAL;
	return add_pattern(s, line + kind, len - kind, origin);
}

int suppressions_add(struct suppressions *s, const char *text, size_t len, const char *origin, struct buf *error)
{
	const char *end = text + len;
	unsigned number = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		int err = add_line(s, text, (size_t)(line_end - text), origin);

		number++;
		if (err == -EINVAL) {
			buf_add_safe(error, origin, strlen(origin));
			buf_printf(error, ": line %u: want leak:PATTERN or # and a comment", number);
		}
		if (err)
			return err;
		text = line_end + (newline != NULL);
	}
	return 0;
}

static int read_all(int fd, struct buf *out)
{
	char piece[4096];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return S_ISDIR(st.st_mode) ? -EISDIR : S_ISREG(st.st_mode) ? -EFBIG : -EINVAL;
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		if (buf_add(out, piece, (size_t)n))
			return -ENOMEM;
	return n < 0 ? -errno : 0;
}

int suppressions_add_file(struct suppressions *s, const char *path, struct buf *error)
{
	struct buf text = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err = fd < 0 ? -errno : read_all(fd, &text);

	if (fd >= 0)
		close(fd);
	if (err && err != -ENOMEM) {
		buf_printf(error, "--suppressions: ");
		buf_add_safe(error, path, strlen(path));
		buf_printf(error, ": %s", strerror(-err));
		err = -EINVAL;
	}
	err = err ? err : suppressions_add(s, buf_string(&text), text.len, path, error);
	buf_release(&text);
	return err;
}

static bool matches_frame(const char *pattern, const struct frame *frame)
{
	return suppression_matches(pattern, frame->function) || suppression_matches(pattern, frame->file) ||
	       suppression_matches(pattern, frame->module_path);
}

static uint32_t search(const struct suppressions *s, struct stacks *stacks, struct stack_id stack)
{
	struct frame_walk w = { .stacks = stacks, .id = stack };
	const struct frame *frame;

	while ((frame = stacks_next_frame(&w)))
		for (size_t i = 0; i < s->len; i++)
			if (matches_frame(s->list[i].pattern, frame))
				return (uint32_t)i + FIRST;
	return NONE;
}

struct suppression *suppressions_find(struct suppressions *s, struct stacks *stacks, struct stack_id stack)
{
	uint32_t number;

	if (!s->len)
		return NULL;
	number = stack_index_get(&s->index, stack);
	if (!number) {
		number = search(s, stacks, stack);
		if (stack_index_put(&s->index, stack, number))
			s->failed = true;
	}
	return number == NONE ? NULL : &s->list[number - FIRST];
}
