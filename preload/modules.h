/* SPDX-License-Identifier: MIT */
/*
 * modules.h - which ELF object an address belongs to, and its number in the dump.
 *
 * With glibc 2.35 or newer the loader itself is asked, by _dl_find_object, which takes no lock and is
 * async-signal-safe. Elsewhere a list made by dl_iterate_phdr in modules_begin and modules_changed is used, and
 * code loaded in between is unknown.
 *
 * Numbers: the slot of a table that only grows. A module is written to the dump (META_MODULE) when the first
 * address in it is seen. An unloaded one keeps its slot, marked as gone: the same file at the same place gets its
 * number back, anything else gets a new one, so a number never means two things.
 */
#ifndef RINGSIDE_PRELOAD_MODULES_H
#define RINGSIDE_PRELOAD_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODULES_MAX 16383u

struct module {
	uintptr_t start, end;	     /* mapped range; may have holes */
	uintptr_t bias;		     /* run-time address minus ELF address */
	const uint8_t *eh_frame_hdr; /* PT_GNU_EH_FRAME, NULL when there is none */
	const char *name;	     /* the loader's: "" for the program, NULL unknown */
};

/*
 * module_find - the object that is mapped around `ip`.
 *
 * Returns:  false when no loaded object is; then *module is undefined.
 * Safety:   async-signal-safe, lock-free.
 * Cost:     5 ns with _dl_find_object.
 */
bool module_find(uintptr_t ip, struct module *module);

/*
 * module_id - the number of a module, writing it to the dump on first sight.
 *
 * Returns:  1..MODULES_MAX, or 0 when there is no room (counted).
 * Safety:   async-signal-safe, lock-free. The module stays loaded meanwhile.
 * Cost:     a linear search: ask once per cached rule, not per frame.
 */
uint32_t module_id(const struct module *module);

/*
 * module_words - what META_MODULE says of a module, struct meta_module with id 0 and the path, for a record of another
 * kind. Returns the length. Not twice at one time: the path is put together in static memory.
 */
#define MODULE_WORDS_MAX 1280u
size_t module_words(const struct module *module, char words[MODULE_WORDS_MAX]);

/* modules_begin - a new dump: no module has a number. Not from a signal handler. 0 or -ENOMEM. */
int modules_begin(void);

/* modules_changed - something may have been unloaded: mark the gone ones. Not from a handler, malloc or free. */
void modules_changed(void);

#endif
