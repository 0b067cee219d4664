/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "analyzer/symbols/elf_text.h"

#define CODE_MAX 32u /* bytes of such a function */
#define PIECE 256u

/* Steps over `bytes` if the code goes on with them. */
static bool skip(const uint8_t **code, const uint8_t *end, const char *bytes, size_t len)
{
	if ((size_t)(end - *code) < len || memcmp(*code, bytes, len))
		return false;
	*code += len;
	return true;
}
#define SKIP(code, end, bytes) skip(code, end, bytes, sizeof(bytes) - 1)

static int32_t operand(const uint8_t **code)
{
	int32_t value;

	memcpy(&value, *code, sizeof(value));
	*code += sizeof(value);
	return value;
}

/* [endbr64] [push %rbp; mov %rsp,%rbp] lea text(%rip),%rax | mov $text,%eax [pop %rbp] ret */
static bool find_text(const uint8_t *code, size_t size, uint64_t address, uint64_t *text)
{
	const uint8_t *begin = code, *end = code + size;
	bool has_frame;

	SKIP(&code, end, "\xf3\x0f\x1e\xfa");
	has_frame = SKIP(&code, end, "\x55\x48\x89\xe5");
	if (end - code < 8)
		return false;
	if (SKIP(&code, end, "\x48\x8d\x05")) {
		*text = (uint64_t)(int64_t)operand(&code);
		*text += address + (uint64_t)(code - begin);
	} else if (SKIP(&code, end, "\xb8") || SKIP(&code, end, "\x48\xc7\xc0")) {
		*text = (uint32_t)operand(&code);
	} else {
		return false;
	}
	if (has_frame && !SKIP(&code, end, "\x5d") && !SKIP(&code, end, "\xc9"))
		return false;
	return SKIP(&code, end, "\xc3") || SKIP(&code, end, "\xf3\xc3");
}

static int read_text(struct elf_object *o, uint64_t address, struct buf *out)
{
	char piece[PIECE];

	for (size_t len = 0; len < ELF_TEXT_MAX;) {
		size_t got = elf_object_bytes(o, address + len, piece, sizeof(piece));
		const char *end = memchr(piece, 0, got);

		if (buf_add(out, piece, end ? (size_t)(end - piece) : got))
			return -ENOMEM;
		if (end)
			return 0;
		if (!got)
			break;
		len += got;
	}
	return -ENOTSUP;
}

int elf_returned_text(struct elf_object *o, const char *function, struct buf *out)
{
	uint8_t code[CODE_MAX];
	struct elf_symbol symbol;
	uint64_t text;
	size_t size;

	if (!elf_object_function_named(o, function, &symbol))
		return -ENOENT;
	size = elf_object_bytes(o, symbol.start, code, sizeof(code));
	if (elf_object_machine(o) != EM_X86_64 || !find_text(code, size, symbol.start, &text))
		return -ENOTSUP;
	return read_text(o, text, out);
}
