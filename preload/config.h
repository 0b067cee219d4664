/* SPDX-License-Identifier: MIT */
/* config.h - the toggles of RINGSIDE=..., read once at start. format/toggles.def has one row each. */
#ifndef RINGSIDE_PRELOAD_CONFIG_H
#define RINGSIDE_PRELOAD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_TEXT_MAX 512

#define CONFIG_OFF UINT64_MAX /* a duration toggle that is off */

enum config_children { CHILDREN_ON, CHILDREN_OFF, CHILDREN_MATCH };

struct config {
	uint32_t heap;	       /* enum rsd_heap_mode */
	uint64_t sample_bytes; /* mean of heap=sample:SIZE */
	uint64_t freestack;    /* one free in so many, 0 none */
	uint64_t alloctime;    /* one call in so many, 0 none */
	uint64_t cpu;	       /* Hz, 0 off */
	uint64_t block;	       /* ns, CONFIG_OFF */
	uint64_t ring, limit;  /* bytes, 0 none */
	uint64_t depth;	       /* frames */
	char out[CONFIG_TEXT_MAX];
	uint32_t children; /* enum config_children */
	char children_match[CONFIG_TEXT_MAX];
	uint64_t schedtrace, heaptrace;		 /* ms, 0 off */
	uint64_t locktrace, iotrace, stalltrace, deadlocktrace; /* ns, CONFIG_OFF */
	uint64_t rss, inittrace, lockorder, budget, help;
	char trigger[CONFIG_TEXT_MAX];
	char reach[CONFIG_TEXT_MAX];
	char toggles[CONFIG_TEXT_MAX * 2]; /* as given, for the dump's header */
};

extern struct config config;

/*
 * config_read - set `config` from the value of RINGSIDE (NULL: all defaults), silently.
 * A toggle with a bad value stays at its default.
 */
void config_read(const char *value);

/*
 * config_tell - the same again, aloud, for the first process of a recording only: one warning line on stderr for
 * each unknown name (with the nearest known one) and bad value; help=1 prints every toggle with its value.
 */
void config_tell(const char *value);

/* config_duration, config_size - "10ms", "64m"; false when it is neither. Text as in a toggle's value. */
bool config_duration(const char *s, uint64_t *ns);
bool config_size(const char *s, uint64_t *bytes);

/* config_signal - the number of a signal that may trigger ("USR1" or "SIGUSR1"), 0 for any other name. */
int config_signal(const char *name, size_t len);

#endif
