/* SPDX-License-Identifier: MIT */
/*
 * demangle.h - readable names for C++ and Rust (v0 and legacy) symbols, through libiberty.
 */
#ifndef RINGSIDE_DEMANGLE_H
#define RINGSIDE_DEMANGLE_H

#include <stdbool.h>

/* Longer mangled names are left as they are: a demangled name can be exponentially longer. */
#define DEMANGLE_INPUT_MAX 4096
#define DEMANGLE_OUTPUT_MAX 16384

/*
 * demangle - the readable form of `name`: with parameters and template arguments, Rust without its hash.
 *
 * Returns:  a string the caller frees, or NULL when the name is not mangled, too long or malformed: show it as
 *           it is then.
 * Safety:   bounded recursion (libiberty's own limit) whatever the input.
 */
char *demangle(const char *name);

/*
 * demangle_short - a demangled name as people say it: without parameters, template arguments longer than `keep`
 * characters as "<...>" or "<first, ...>", std::string spelled so.
 * "std::vector<int>::push_back(int const&)" -> "std::vector<int>::push_back".
 * Operators ("operator()", "operator<") and "(anonymous namespace)" stay whole.
 *
 * Returns:  a string the caller frees, or NULL without memory.
 */
char *demangle_short(const char *readable, unsigned keep);

#endif
