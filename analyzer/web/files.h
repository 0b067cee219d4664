/* SPDX-License-Identifier: MIT */
/* files.h - the sources of the page, which stand in the command as they stand in this folder. */
#ifndef RINGSIDE_WEB_FILES_H
#define RINGSIDE_WEB_FILES_H

#include "analyzer/util/buf.h"

enum web_part { WEB_PAGE, WEB_STYLE, WEB_SCRIPT };

/* web_files - append all files of one part, in order. */
void web_files(enum web_part part, struct buf *out);

#endif
