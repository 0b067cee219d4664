/* SPDX-License-Identifier: MIT */
/* fold.c - a recording on stdin as an input of fuzz_dump on stdout: how the corpus was made. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/dump_form.h"

int main(void)
{
	uint8_t *dump = calloc(1, FORM_BYTES_MAX);
	size_t size = dump ? fread(dump, 1, FORM_BYTES_MAX, stdin) : 0;
	struct buf out = { 0 };

	form_fold(&out, 0, 0, (uint16_t)(size / RSD_UNIT), dump, size);
	fwrite(out.data, 1, out.len, stdout);
	buf_release(&out);
	free(dump);
	return !size || fflush(stdout);
}
