/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - from an address in an ELF object to functions, inlined frames, files and lines.
 *
 * An object is an ELF file with its build-id; modules of several dumps (or the same library at two places) are
 * one object, and addresses are ELF addresses (run-time address minus bias), so that they compare equal.
 * Each object is opened on first use, each distinct address is looked up once, strings are interned: equal names
 * are equal pointers.
 *
 * The file is the one at the recorded path; if that is gone or was replaced, one of the same base name in a directory
 * of `binaries`. Where names come from, in this order: DWARF of the file or of its separate debug file
 * (/usr/lib/debug/.build-id/xx/yyyy.debug, .gnu_debuglink, debuginfod when switched on), .symtab, .dynsym and the
 * compressed .gnu_debugdata, PLT stubs ("malloc@plt"), then "module+0x1234" (where the function starts, if unwind
 * tables tell), then "[unknown]". A file on disk
 * whose build-id is not the recorded one gives no names at all, only a note.
 *
 * Safety:  one thread. ELF and DWARF are untrusted: they are read in another process (names.h), whose crash or endless
 *          loop costs the names of one object and makes a note.
 */
#ifndef RINGSIDE_SYMBOLS_H
#define RINGSIDE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/modules.h"
#include "analyzer/util/buf.h"

/* How a frame got its name, best first. */
enum frame_source {
	FRAME_DWARF,  /* debug information */
	FRAME_SYMBOL, /* a symbol table; file and line may still come from a line table */
	FRAME_PLT,    /* a procedure linkage stub */
	FRAME_OFFSET, /* only the module is known: "libfoo.so+0x1234" */
	FRAME_UNKNOWN /* outside any module: "[unknown]", "[jit]" */
};

/* All strings are interned, live as long as the struct symbols, and are unsafe text (buf_add_safe). */
struct frame {
	const char *function; /* demangled; never NULL */
	const char *linkage;  /* as the linker knows it; NULL for inlined or unnamed code */
	const char *file;     /* source path as recorded by the compiler, made absolute; NULL: unknown */
	const char *module;   /* base name; NULL outside any module */
	const char *module_path;
	uint32_t line;	       /* 0: unknown. Of a caller with something inlined: the line of that call */
	const char *decl_file; /* where the function itself is declared; NULL: unknown */
	uint32_t decl_line;    /* and its first line, 0: unknown */
	uint64_t address;      /* ELF address that was looked up (run-time address without a module) */
	uint64_t start;	       /* ELF address of the symbol or function the code is in, 0: unknown */
	enum frame_source source;
	bool inlined; /* this function's code was copied into the next frame's function */
};

/* The frames of one address, innermost first: inlined functions, then the one whose code it is. At least one. */
struct frame_chain {
	uint32_t len;
	struct frame frames[];
};

struct symbol_options {
	bool use_debuginfod;   /* ask servers of DEBUGINFOD_URLS; also when RINGSIDE_DEBUGINFOD=1 */
	const char *debug_dir; /* where separate debug files are; NULL: /usr/lib/debug */
	const char *sysroot;   /* prefix for module paths; NULL: none */
	const char *binaries;  /* directories, separated by ':', with files that have another place now; NULL: none */
	bool opens_ahead;      /* symbols_expect does something: another process does it, which wants a core to spare */
	bool is_inside;	       /* no other process, for tests; see names.h */
	unsigned seconds_max;  /* see names.h */
};

struct symbols;

/* symbols_new - options may be NULL. Returns NULL without memory. */
struct symbols *symbols_new(const struct symbol_options *options);
void symbols_free(struct symbols *s);

/*
 * symbols_object - the object that `module` is a copy of; the answer is kept in module->object. The vdso is read
 * from this process if its build-id is the recorded one.
 *
 * Returns:  an id from 1 on, 0 without memory.
 * Cost:     a hash lookup; no file is opened.
 */
uint32_t symbols_object(struct symbols *s, struct module *module);

/*
 * symbols_expect - addresses of `object` will be looked up: open it meanwhile.
 *
 * Cost:     the first time for an object a few us, then nothing.
 */
void symbols_expect(struct symbols *s, uint32_t object);

/* symbols_is_recorder - whether the object is libringside.so: all its addresses are one frame "[ringside]". */
bool symbols_is_recorder(const struct symbols *s, uint32_t object);

/* symbols_path - the object's recorded path; "" for object 0. */
const char *symbols_path(struct symbols *s, uint32_t object);

/*
 * symbols_lookup - the frames at `address` of `object`.
 *
 * address:  of the instruction itself. For a return address pass it minus 1: the call is what is wanted.
 *           With object 0 it is a run-time address outside any module.
 * Returns:  never NULL: without memory a fixed "[unknown]" frame. Good as long as `s`.
 * Cost:     known: a hash lookup. New: 1 to 30 us with debug information, plus a question to another process, which
 *           brings all that was wanted meanwhile; plus opening the object once.
 */
const struct frame_chain *symbols_lookup(struct symbols *s, uint32_t object, uint64_t address);

/*
 * symbols_peek - the frames if they are known; else NULL, and the next lookup in this object brings them.
 * symbols_fetch - bring all that is wanted of any object.
 */
const struct frame_chain *symbols_peek(struct symbols *s, uint32_t object, uint64_t address);
void symbols_fetch(struct symbols *s);

/*
 * symbols_data_name - the data symbol that holds `address`: "queue_lock"; with debug information the member of it,
 * "run.queue.lock" or "shards[3].lock", else "run+0x8".
 *
 * address:  ELF address in `object`.
 * Returns:  interned, or NULL when no data symbol covers it.
 */
const char *symbols_data_name(struct symbols *s, uint32_t object, uint64_t address);

/* symbols_addr_data_name - the same for a run-time address of a process. NULL outside modules. */
const char *symbols_addr_data_name(struct symbols *s, struct modules *modules, uint64_t addr);

/*
 * symbols_addr_lookup - the frames at a run-time address: modules_by_addr, then symbols_lookup. For thread start
 * routines and the like; stacks use symbols_lookup.
 */
const struct frame_chain *symbols_addr_lookup(struct symbols *s, struct modules *modules, uint64_t addr);

/* symbols_returned_text - see elf_text.h; -ENOENT also when there is no file. */
int symbols_returned_text(struct symbols *s, uint32_t object, const char *function, struct buf *out);

/*
 * symbols_class_name - the C++ class whose virtual table holds `address` of `object`: "ns::Shape". What objects of the
 * class begin with is such an address. Interned, or NULL when no table is there.
 */
const char *symbols_class_name(struct symbols *s, uint32_t object, uint64_t address);

/*
 * symbols_intern - the one copy of `text` in this struct symbols; NULL without memory.
 * symbols_intern_text - the same of `len` bytes, cut at the first NUL.
 */
const char *symbols_intern(struct symbols *s, const char *text);
const char *symbols_intern_text(struct symbols *s, const char *text, size_t len);

/*
 * symbols_give - frames that come with their names, out of a profile of another tool, where others are looked up. From
 * then on symbols_lookup of (*object, *number) answers with them, and no file is ever opened for that object. Equal
 * frames of one module are given one number.
 *
 * module_path:  NULL: unknown.
 * frames:       innermost first, all but the last inlined; texts are interned here. module and inlined are filled in.
 * Returns:      0 or -ENOMEM.
 */
int symbols_give(struct symbols *s, const char *module_path, const struct frame *frames, size_t len, uint32_t *object,
		 uint64_t *number);

/*
 * symbols_note - the index-th thing a reader of names should know ("libfoo.so: the file on disk has another
 * build-id; its functions are shown as offsets"), of the objects used so far. NULL after the last.
 */
const char *symbols_note(struct symbols *s, size_t index);

/* What it took so far, for --verbose and the tests. */
struct symbol_stats {
	uint64_t objects_opened, lookups, cached, without_name;
};
struct symbol_stats symbols_stats(const struct symbols *s);

#endif
