/* SPDX-License-Identifier: MIT */
/*
 * elf_text.h - the text that a function returns, read out of the file without running the function.
 *
 * Programs tell LeakSanitizer what to leave out by a function, __lsan_default_suppressions. Nearly always it is
 * `return "leak:...";`, which is one instruction that loads an address and a return: that much is understood here, for
 * x86-64. Calling it instead, in the recorded process, would run the program's code when nothing is sure any more.
 */
#ifndef RINGSIDE_ELF_TEXT_H
#define RINGSIDE_ELF_TEXT_H

#include "analyzer/symbols/elf_object.h"

#define ELF_TEXT_MAX (1u << 20)

/*
 * elf_returned_text - what `function` returns, without the NUL, appended to *out.
 *
 * Returns:  0; -ENOENT: no such function; -ENOTSUP: it does more than that; -ENOMEM.
 */
int elf_returned_text(struct elf_object *o, const char *function, struct buf *out);

#endif
