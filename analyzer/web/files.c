/* SPDX-License-Identifier: MIT */
#include "analyzer/web/files.h"

struct web_file {
	const char *begin, *end;
	uint64_t part;
};

/* A row of the table and what it points to, both laid down by the assembler. The Makefile knows the files. */
#define WEB_PART_PAGE "0"
#define WEB_PART_STYLE "1"
#define WEB_PART_SCRIPT "2"
#define WEB_FILE(part, name)                                                                                           \
	".section .rodata.web_text,\"a\"\n"                                                                            \
	"1: .incbin \"analyzer/web/" name "\"\n"                                                                       \
	"2: .byte 0\n"                                                                                                 \
	".section .data.rel.ro.web_files,\"aw\"\n"                                                                     \
	".balign 8\n"                                                                                                  \
	".quad 1b, 2b, " WEB_PART_##part "\n"

__asm__(".section .data.rel.ro.web_files,\"aw\"\n"
	".balign 8\n"
	"web_files_begin:\n"
#include "analyzer/web/files.def"
	".section .data.rel.ro.web_files,\"aw\"\n"
	"web_files_end:\n"
	".text\n");

extern const struct web_file web_files_begin[] __attribute__((visibility("hidden")));
extern const struct web_file web_files_end[] __attribute__((visibility("hidden")));

_Static_assert(WEB_PAGE == 0 && WEB_STYLE == 1 && WEB_SCRIPT == 2, "the assembler's numbers");

void web_files(enum web_part part, struct buf *out)
{
	for (const struct web_file *file = web_files_begin; file < web_files_end; file++)
		if (file->part == part)
			buf_add(out, file->begin, (size_t)(file->end - file->begin));
}
