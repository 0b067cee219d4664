/* SPDX-License-Identifier: MIT */
/* kinds.h - names, domains and sizes of everything with an id in the .def tables. */
#ifndef RINGSIDE_FORMAT_KINDS_H
#define RINGSIDE_FORMAT_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kind_info {
	const char *name, *domain, *shape;
	size_t size;	 /* of the long struct */
	bool moves_addr; /* a heap shape: its address is the base of the next delta */
};

struct counter_info {
	const char *name, *words;
	bool is_loss;
};

/* All return NULL (or "?" where a plain word is returned) for an id that this version does not know. */
const struct kind_info *kind_info(unsigned kind);
const struct counter_info *counter_info(unsigned slot);
const char *wait_name(unsigned wait);	/* "mutex"; "?" */
const char *wait_domain(unsigned wait); /* "lock"; "?" */
const char *api_name(unsigned api);	/* "malloc"; "?" */
const char *cut_words(unsigned cut);	/* "cut at the depth limit"; "?" */
const char *meta_name(unsigned kind);

/* wait_by_name - the id of a kind word, 0 if there is none. */
unsigned wait_by_name(const char *word);

#endif
