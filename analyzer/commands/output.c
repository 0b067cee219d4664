/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/commands/output.h"
#include "analyzer/util/die.h"

int output_open(struct output *out, const char *path)
{
	struct stat st;
	int fd;

	*out = (struct output){ .file = stdout };
	if (!path || !strcmp(path, "-"))
		return 0;
	if (!lstat(path, &st) && !S_ISREG(st.st_mode)) {
		out->file = fopen(path, "we");
		out->is_ours = true;
		return out->file ? 0 : -errno;
	}
	if (asprintf(&out->part, "%s.part.%d", path, (int)getpid()) < 0)
		return -ENOMEM;
	fd = open(out->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	out->file = fd < 0 ? NULL : fdopen(fd, "w");
	return out->file ? 0 : -errno;
}

int output_close(struct output *out, const char *path, int status)
{
	int err = out->file && (fflush(out->file) || ferror(out->file)) ? -EIO : 0;

	if (out->part) {
		if (out->file && fclose(out->file))
			err = -EIO;
		if (!status && !err && rename(out->part, path))
			err = -errno;
		if (status || err)
			unlink(out->part);
	}
	if (out->is_ours && out->file && fclose(out->file))
		err = -EIO;
	free(out->part);
	if (err)
		warn("%s could not be written: %s", path ? path : "the output", strerror(-err));
	return status ? status : err ? EXIT_FINDING : EXIT_FINE;
}
