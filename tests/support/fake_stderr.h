/* SPDX-License-Identifier: MIT */
/* fake_stderr.h - what a test's subject says on descriptor 2, kept instead of shown. */
#ifndef RINGSIDE_TESTS_FAKE_STDERR_H
#define RINGSIDE_TESTS_FAKE_STDERR_H

void fake_stderr_begin(void);

/* fake_stderr_end - what was said since, cut at 64 KiB and valid until the next call; descriptor 2 is back. */
const char *fake_stderr_end(void);

#endif
