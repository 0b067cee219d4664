/* SPDX-License-Identifier: MIT */
/*
 * server.c - the acceptor, the workers and one request.
 *
 * Ending: a stop makes the acceptor leave poll. It closes the listening socket and shuts all open connections down,
 * so that every recv ends, then closes the queue; workers finish what they have and go. A connection is taken off the
 * list before its descriptor is closed, so a shutdown never meets a reused one.
 */
#include "service/service.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/books.h"
#include "common/stop.h"

/* ---- connections ------------------------------------------------------------------------------------------ */

static void list_add(struct server *server, struct connection *conn)
{
	pthread_mutex_lock(&server->lock);
	conn->next = server->open.next;
	conn->prev = &server->open;
	conn->next->prev = conn;
	server->open.next = conn;
	pthread_mutex_unlock(&server->lock);
}

static void drop_connection(struct server *server, struct connection *conn)
{
	pthread_mutex_lock(&server->lock);
	conn->prev->next = conn->next;
	conn->next->prev = conn->prev;
	pthread_mutex_unlock(&server->lock);
	close(conn->fd);
	book_free(conn, sizeof(*conn));
}

static void shut_all_down(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	for (struct connection *conn = server->open.next; conn != &server->open; conn = conn->next)
		shutdown(conn->fd, SHUT_RDWR);
	pthread_mutex_unlock(&server->lock);
}

static void accept_one(struct server *server)
{
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct connection *conn;

	if (fd < 0)
		return; /* the client is gone again, or we are out of descriptors: poll tells again */
	conn = book_malloc(sizeof(*conn));
	if (!conn) {
		close(fd);
		return;
	}
	if (!server->opt->has_nagle)
		send_at_once(fd);
	conn->fd = fd;
	list_add(server, conn);
	if (queue_push(&server->waiting, conn))
		drop_connection(server, conn);
}

static void *acceptor_run(void *arg)
{
	struct server *server = arg;
	struct pollfd fds[2] = { { .fd = server->listen_fd, .events = POLLIN }, { .fd = stop_fd(), .events = POLLIN } };

	while (!stop_requested()) {
		if (book_wait("poll", NULL, poll(fds, 2, -1)) > 0 && fds[0].revents)
			accept_one(server);
	}
	close(server->listen_fd);
	shut_all_down(server);
	queue_close(&server->waiting);
	return NULL;
}

/* ---- one request ------------------------------------------------------------------------------------------ */

/* Returns 0 or -ETIMEDOUT. */
static int take_slot(struct server *server)
{
	struct timespec until;
	uint64_t timeout_ms = server->opt->timeout_ms;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ms / 1000);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (book_wait("sem", NULL, sem_clockwait(&server->slots, CLOCK_MONOTONIC, &until))) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int compute(struct server *server, const struct request_head *head, const uint8_t *payload, uint64_t *hash)
{
	int err = take_slot(server);

	if (err)
		return err;
	*hash = hash_payload(head->kind, payload, head->size);
	sem_post(&server->slots);
	return 0;
}

static void log_request(struct server *server, const struct request_head *head, int status)
{
	char text[LOG_LINE];

	snprintf(text, sizeof(text), "%lx kind %u size %u status %d", head->id, head->kind, head->size, status);
	if (log_append(&server->log, text))
		fprintf(stderr, "service: %s: a line was lost\n", server->log.path);
}

static int answer_stats(struct server *server, int fd, const struct request_head *head)
{
	struct reply_head reply = { .id = head->id };
	size_t size;
	char *text;
	int err;

	reply.status = metrics_format(&server->metrics, &text, &size);
	reply.size = text ? (uint32_t)strlen(text) : 0;
	err = send_all(fd, &reply, sizeof(reply));
	if (!err && text)
		err = send_all(fd, text, reply.size);
	if (text)
		book_free(text, size);
	return err;
}

static int answer_hash(struct server *server, int fd, const struct request_head *head, struct tally *mine)
{
	uint8_t *payload = book_malloc(head->size);
	struct reply_head reply = { .id = head->id };
	int err = payload ? recv_all(fd, payload, head->size) : -ENOMEM;

	if (!err) {
		reply.status = compute(server, head, payload, &reply.hash);
		if (!reply.status)
			reply.status = metrics_add(&server->metrics, head->kind, head->size);
		log_request(server, head, reply.status);
		mine->done += !reply.status;
		mine->timed_out += reply.status == -ETIMEDOUT;
		mine->bytes += reply.status ? 0 : head->size;
		err = send_all(fd, &reply, sizeof(reply));
	} else if (err == -ECONNRESET) {
		mine->aborted++;
	}
	book_free(payload, head->size);
	return err;
}

__attribute__((noinline)) static int handle_request(struct server *server, int fd, struct tally *mine)
{
	struct request_head head;
	int err = recv_all(fd, &head, sizeof(head));

	if (err)
		return err;
	if (head.kind == REQUEST_STATS && !head.size) {
		mine->stats++;
		return answer_stats(server, fd, &head);
	}
	if ((head.kind != REQUEST_FAST && head.kind != REQUEST_STRONG) || !head.size || head.size > PAYLOAD_MAX) {
		mine->refused++;
		return -EBADMSG;
	}
	return answer_hash(server, fd, &head, mine);
}

static void *worker_run(void *arg)
{
	struct server *server = arg;
	struct tally mine = { 0 };
	void *conn;

	while (!queue_pop(&server->waiting, &conn)) {
		while (!handle_request(server, ((struct connection *)conn)->fd, &mine))
			;
		drop_connection(server, conn);
	}
	pthread_mutex_lock(&server->lock);
	server->tally.done += mine.done;
	server->tally.stats += mine.stats;
	server->tally.timed_out += mine.timed_out;
	server->tally.aborted += mine.aborted;
	server->tally.refused += mine.refused;
	server->tally.bytes += mine.bytes;
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

/* ---- start and end ---------------------------------------------------------------------------------------- */

static int set_address(struct server *server)
{
	const struct options *opt = server->opt;

	if (!opt->unix_path) {
		server->address.in =
			(struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)opt->port) };
		server->address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		server->address_len = sizeof(server->address.in);
		return 0;
	}
	server->address.un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(opt->unix_path) >= sizeof(server->address.un.sun_path))
		return -ENAMETOOLONG;
	strcpy(server->address.un.sun_path, opt->unix_path);
	server->address_len = sizeof(server->address.un);
	return 0;
}

/* The address becomes the one that the kernel chose. Returns 0 or -errno; -EADDRINUSE also for an existing path. */
static int listen_on(struct server *server)
{
	int yes = 1, err = set_address(server);

	if (err)
		return err;
	server->listen_fd = socket(server->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listen_fd < 0)
		return -errno;
	setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(server->listen_fd, &server->address.any, server->address_len) || listen(server->listen_fd, 128) ||
	    getsockname(server->listen_fd, &server->address.any, &server->address_len)) {
		err = -errno;
		close(server->listen_fd);
	}
	return err;
}

static void release_all(struct server *server)
{
	queue_release(&server->waiting);
	sem_destroy(&server->slots);
	log_release(&server->log);
	metrics_release(&server->metrics);
	pthread_mutex_destroy(&server->lock);
	if (server->opt->unix_path)
		unlink(server->opt->unix_path);
}

/* Threads that did start end with the queue when a later one did not. */
static int start_threads(struct server *server)
{
	int err = 0;

	while (server->worker_count < server->opt->workers && !err) {
		err = book_thread(&server->workers[server->worker_count], "worker",
				  (unsigned int)server->worker_count + 1, worker_run, server);
		server->worker_count += !err;
	}
	if (!err)
		err = book_thread(&server->acceptor, "acceptor", 0, acceptor_run, server);
	if (!err)
		return 0;
	queue_close(&server->waiting);
	for (uint64_t i = 0; i < server->worker_count; i++)
		pthread_join(server->workers[i], NULL);
	return -err;
}

int server_start(struct server *server, const struct options *opt)
{
	int err;

	memset(server, 0, sizeof(*server));
	server->opt = opt;
	server->open.next = server->open.prev = &server->open;
	err = listen_on(server);
	if (err)
		return err;
	err = log_init(&server->log, opt);
	if (err)
		goto close_listen;
	err = queue_init(&server->waiting, 128);
	if (err)
		goto release_log;
	pthread_mutex_init(&server->lock, NULL);
	sem_init(&server->slots, 0, (unsigned int)opt->slots);
	metrics_init(&server->metrics);
	err = start_threads(server);
	if (!err)
		return 0;
	release_all(server);
	close(server->listen_fd);
	return err;
release_log:
	log_release(&server->log);
close_listen:
	close(server->listen_fd);
	if (opt->unix_path)
		unlink(opt->unix_path);
	return err;
}

void server_join(struct server *server)
{
	book_wait("join", NULL, pthread_join(server->acceptor, NULL));
	for (uint64_t i = 0; i < server->worker_count; i++)
		book_wait("join", NULL, pthread_join(server->workers[i], NULL));
	release_all(server);
}
