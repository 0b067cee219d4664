/* SPDX-License-Identifier: MIT */
/* fake_file.h - the functions of preload/file.h over plain memory, for tests that want to look at what was written. */
#ifndef RINGSIDE_TESTS_FAKE_FILE_H
#define RINGSIDE_TESTS_FAKE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "format/record.h"

/* fake_file_open - an empty file of at most `units` units (the first is the header). May be called again. */
void fake_file_open(unsigned units);

/* fake_file_node - a node by id, NULL when no committed one has it. */
const struct rsd_node *fake_file_node(uint32_t id);

/* fake_file_module - the record of a module, NULL when there is none. */
const struct meta_module *fake_file_module(uint32_t id);

/* fake_file_metas - how many committed META records of one kind. */
unsigned fake_file_metas(enum rsd_meta_kind kind);

/* fake_file_nodes - how many committed nodes. */
unsigned fake_file_nodes(void);

#endif
