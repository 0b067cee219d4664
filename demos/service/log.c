/* SPDX-License-Identifier: MIT */
/*
 * log.c - one line per request, on disk every sync_every lines.
 *
 * sync:   whoever's line is the sync_every-th syncs in sync_log_to_disk, with the lock held: all other requests
 *         wait for it in append_line. This is what a profile must find.
 * queued: requests only copy their line into a queue; one writer thread does the rest and holds no lock. Nobody
 *         waits for it, so one sync may cover GROUP times as many lines.
 */
#include "service/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/books.h"

#define GROUP 8

/* With --disk-us as on a disk that is busy with something else. */
__attribute__((noinline)) static void sync_log_to_disk(struct log_file *log)
{
	book_wait("fsync", NULL, fdatasync(log->fd));
	if (log->disk_us)
		clock_sleep_ns(log->disk_us * 1000);
	log->unsynced = 0;
	log->syncs++;
}

static int write_line(struct log_file *log, const char *line)
{
	size_t len = strlen(line);
	ssize_t done = write(log->fd, line, len);

	if (done != (ssize_t)len)
		return done < 0 ? -errno : -ENOSPC;
	log->lines++;
	if (++log->unsynced >= log->sync_every)
		sync_log_to_disk(log);
	return 0;
}

__attribute__((noinline)) static int append_line(struct log_file *log, const char *line)
{
	int err;

	book_wait_while("mutex", "append_line", "sync_log_to_disk", pthread_mutex_lock(&log->lock));
	err = write_line(log, line);
	pthread_mutex_unlock(&log->lock);
	return err;
}

static int queue_line(struct log_file *log, const char *line)
{
	char *copy = book_malloc(LOG_LINE);
	int err;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, line, LOG_LINE);
	err = queue_push(&log->queue, copy);
	if (err)
		book_free(copy, LOG_LINE);
	return err;
}

static void *writer_run(void *arg)
{
	struct log_file *log = arg;
	void *line;

	while (!queue_pop(&log->queue, &line)) {
		if (write_line(log, line))
			fprintf(stderr, "service: %s: a line could not be written\n", log->path);
		book_free(line, LOG_LINE);
	}
	return NULL;
}

int log_append(struct log_file *log, const char *text)
{
	char line[LOG_LINE];

	memset(line, 0, sizeof(line));
	snprintf(line, sizeof(line), "%s\n", text);
	return log->is_queued ? queue_line(log, line) : append_line(log, line);
}

static int open_file(struct log_file *log)
{
	const char *dir = getenv("TMPDIR");

	if (snprintf(log->path, sizeof(log->path), "%s/service-log.XXXXXX", dir ? dir : "/tmp") >=
	    (int)sizeof(log->path))
		return -ENAMETOOLONG;
	log->fd = mkstemp(log->path);
	return log->fd < 0 ? -errno : 0;
}

static int start_writer(struct log_file *log)
{
	int err = queue_init(&log->queue, 256);

	if (err)
		return err;
	err = -book_thread(&log->writer, "log-writer", 0, writer_run, log);
	if (err)
		queue_release(&log->queue);
	return err;
}

static void close_file(struct log_file *log)
{
	close(log->fd);
	unlink(log->path);
	pthread_mutex_destroy(&log->lock);
}

int log_init(struct log_file *log, const struct options *opt)
{
	int err;

	*log = (struct log_file){ .fd = -1, .sync_every = opt->sync_every, .disk_us = opt->disk_us };
	err = open_file(log);
	if (err)
		return err;
	pthread_mutex_init(&log->lock, NULL);
	log->is_queued = !strcmp(opt->log, "queued");
	if (log->is_queued)
		log->sync_every *= GROUP;
	err = log->is_queued ? start_writer(log) : 0;
	if (err)
		close_file(log);
	return err;
}

void log_release(struct log_file *log)
{
	if (log->is_queued) {
		queue_close(&log->queue);
		book_wait("join", NULL, pthread_join(log->writer, NULL));
		queue_release(&log->queue);
	}
	if (log->unsynced)
		sync_log_to_disk(log);
	close_file(log);
}
