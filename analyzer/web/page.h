/* SPDX-License-Identifier: MIT */
/*
 * page.h - one recording as one HTML file that needs nothing else: no network, no other file, no server.
 *
 * The file is page.html with its style, its script and three blocks of JSON put in. The policy in its head allows that
 * one style and that one script, by their hashes, and nothing else: whatever a name in a recording holds, it stays
 * text.
 */
#ifndef RINGSIDE_WEB_PAGE_H
#define RINGSIDE_WEB_PAGE_H

#include <stdio.h>

#include "analyzer/symbols/source.h"
#include "analyzer/views/overview.h"
#include "analyzer/web/base.h"

/* A page is no larger than this: less is shown of a large recording, and the page says so. */
#define WEB_PAGE_BYTES (10u << 20)

/*
 * web_page_write - of the session's first analysis, whose models ran and whose file is open.
 *
 * base:    what it is compared with, or NULL.
 * source:  where files of source are, NULL: none of their text is wanted.
 * Returns: 0, -EIO, -ENOMEM.
 */
int web_page_write(struct session *s, const struct web_base *base, const struct report_options *options,
		   const struct source_options *source, FILE *out);

#endif
