/* SPDX-License-Identifier: MIT */
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/target.h"

static void must(int is_true, const char *what)
{
	if (is_true)
		return;
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

static unsigned long tags; /* of one page */

/* CSV has its lines end in "\r\n"; alone, a '\r' lets a line be written over. */
static ssize_t look_at(void *self, const char *text, size_t size)
{
	static char last;

	(void)self;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		must(last != '\r' || c == '\n', "a carriage return in the output");
		must((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\r', "a control byte in the output");
		last = text[i];
	}
	return (ssize_t)size;
}

/* Our own style and script are indented by tabs. */
static ssize_t look_at_markup(void *self, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		tags += text[i] == '<';
		if (text[i] != '\t')
			look_at(self, &text[i], 1);
	}
	return (ssize_t)size;
}

static FILE *output(cookie_write_function_t *write)
{
	FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = write });

	must(out && !setvbuf(out, NULL, _IOFBF, 1 << 16), "no output stream");
	__fsetlocking(out, FSETLOCKING_BYCALLER); /* a third faster */
	return out;
}

FILE *target_output(void)
{
	return output(look_at);
}

FILE *target_page(void)
{
	static FILE *page;

	page = page ? page : output(look_at_markup);
	tags = 0;
	return page;
}

void target_page_ends(FILE *page)
{
	static unsigned long tags_of_first;

	fflush(page);
	tags_of_first = tags_of_first ? tags_of_first : tags;
	must(tags == tags_of_first, "a name became markup");
}

int target_file(const char **path)
{
	static char names[8][32];
	static unsigned used;
	int fd = memfd_create("input", MFD_CLOEXEC);

	must(fd >= 0 && used < 8, "no memory file");
	snprintf(names[used], sizeof(names[used]), "/proc/self/fd/%d", fd);
	*path = names[used++];
	return fd;
}

void target_resize(int fd, uint64_t size)
{
	must(!ftruncate(fd, 0) && !ftruncate(fd, (off_t)size), "ftruncate");
}

void target_write(int fd, uint64_t offset, const void *data, size_t size)
{
	must(!size || pwrite(fd, data, size, (off_t)offset) == (ssize_t)size, "pwrite");
}
