/* SPDX-License-Identifier: MIT */
/*
 * fuzz_elf.c - an ELF file with its DWARF as a module of a recording: functions, lines and inlined calls at places all
 * over its code, variables all over its data, and the profile's list of them.
 *
 * What crashes inside elfutils is no finding: that is why the command does this in a process of its own. It is run here
 * without one, so that the sanitizers see our part; see docs/howto-test.md.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/place.h"
#include "analyzer/views/views.h"
#include "tests/fuzz/target.h"

#define PLACES 12u /* in each segment */
#define SEGMENTS_MAX 8u

static int file;
static const char *path;

/* Memory that elfutils loses over damaged files is the process's that dies with it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libdw\nleak:libelf\nleak:libz\nleak:liblzma\nleak:libbz2\nleak:libzstd\n";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	stdout = target_output();
	file = target_file(&path);
	return 0;
}

struct bench {
	struct symbols *symbols;
	struct stacks *stacks;
	struct profile profile;
	uint32_t object;
};

static void look_at_code(struct bench *b, uint64_t address)
{
	const struct frame_chain *chain = symbols_lookup(b->symbols, b->object, address);
	struct stack_id stack = stacks_push(b->stacks, (struct stack_id){ 0 }, b->object, address, true, CUT_NONE);
	int64_t value = (int64_t)address % 100 + 1;
	struct buf name = { 0 };

	if (!chain->len)
		abort();
	place_name(&name, b->stacks, stack);
	buf_release(&name);
	profile_add(&b->profile, stack, 0, &value);
}

static void look_at_segment(struct bench *b, const Elf64_Phdr *segment)
{
	uint64_t step = segment->p_memsz / PLACES + 1;

	for (unsigned i = 0; i < PLACES && segment->p_type == PT_LOAD; i++) {
		uint64_t address = segment->p_vaddr + i * step;

		if (segment->p_flags & PF_X)
			look_at_code(b, address);
		if (segment->p_flags & PF_W)
			symbols_data_name(b->symbols, b->object, address);
	}
}

/* Where the code is that one might ask about, by what the headers say. */
static void look_at_all(struct bench *b, const uint8_t *data, size_t size)
{
	Elf64_Ehdr head = { 0 };
	Elf64_Phdr segment;

	memcpy(&head, data, size < sizeof(head) ? size : sizeof(head));
	look_at_code(b, head.e_entry);
	look_at_code(b, 0);
	for (unsigned i = 0; i < head.e_phnum && i < SEGMENTS_MAX; i++) {
		if (head.e_phoff > size || size - head.e_phoff < (i + 1) * sizeof(segment))
			return;
		memcpy(&segment, data + head.e_phoff + i * sizeof(segment), sizeof(segment));
		look_at_segment(b, &segment);
	}
}

static void print(struct bench *b)
{
	struct view_options o = { .kind = VIEW_TREE, .granularity = VIEW_LINES, .pattern = "." };
	struct buf error = { 0 };

	views_print(&b->profile, b->stacks, &o, stdout, &error);
	o = (struct view_options){ .kind = VIEW_LIST, .format = VIEW_JSON, .pattern = "." };
	views_print(&b->profile, b->stacks, &o, stdout, &error);
	buf_release(&error);
	fflush(stdout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symbol_options inside = { .debug_dir = "/dev/null", .is_inside = true };
	struct module module = { .path = (char *)(uintptr_t)path };
	struct bench b = { .symbols = symbols_new(&inside) };

	target_resize(file, size);
	target_write(file, 0, data, size);
	b.stacks = b.symbols ? stacks_new(b.symbols) : NULL;
	profile_init(&b.profile, "elf");
	profile_define(&b.profile, "value", UNIT_COUNT, NULL);
	if (b.stacks) {
		b.object = symbols_object(b.symbols, &module);
		look_at_all(&b, data, size);
		print(&b);
	}
	profile_release(&b.profile);
	stacks_free(b.stacks);
	symbols_free(b.symbols);
	return 0;
}
