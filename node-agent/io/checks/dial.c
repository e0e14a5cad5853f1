/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/io/checks/checks_int.h"

/* TCP, and HTTP/1.0 (RFC 1945) over it: of the answer the status line counts, and little more than that is read. */

void dial_end(struct checks_item *item)
{
	if (item->event)
		event_free(item->event);
	item->event = NULL;
	if (item->fd >= 0)
		close(item->fd);
	item->fd = -1;
}

static void watch(struct checks_item *item, short what, event_callback_fn callback)
{
	if (item->event)
		event_free(item->event);
	item->event = event_new(item->checks->base, item->fd, what, callback, item);
	event_add(item->event, NULL);
}

/* "HTTP/1.1 204 No Content": 204; 0: it is none. */
static int status_of(const char *line)
{
	int major, minor, status;

	return sscanf(line, "HTTP/%1d.%1d %3d", &major, &minor, &status) == 3 ? status : 0;
}

static void judge_status(struct checks_item *item, int status)
{
	char failure[64];

	if (status >= 200 && status < 400) {
		checks_answer(item, NULL);
		return;
	}
	if (status)
		(void)snprintf(failure, sizeof(failure), "answers with status %d", status);
	checks_answer(item, status ? failure : "answers no HTTP");
}

static bool is_whole(const struct checks_item *item)
{
	return item->line_size == CHECKS_LINE_MAX || memchr(item->line, '\n', item->line_size) != NULL;
}

/* It may come in pieces; what is there when the connection ends has to do. */
static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct checks_item *item = context;
	ssize_t length = recv(fd, item->line + item->line_size, CHECKS_LINE_MAX - item->line_size, 0);

	(void)what;
	if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
		event_add(item->event, NULL);
		return;
	}
	if (length < 0 || (length == 0 && item->line_size == 0)) {
		checks_answer(item, length < 0 ? strerror(errno) : "closes the connection without an answer");
		return;
	}
	item->line_size += (size_t)length;
	if (length > 0 && !is_whole(item)) {
		event_add(item->event, NULL);
		return;
	}
	item->line[item->line_size] = '\0';
	judge_status(item, status_of(item->line));
}

static void request(struct checks_item *item)
{
	char text[PROTO_PATH_MAX + ENDPOINT_TEXT_MAX + 64], host[ENDPOINT_TEXT_MAX];
	int length = snprintf(text, sizeof(text),
		"GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: holdfast\r\nConnection: close\r\n\r\n",
		item->desired.path, endpoint_format(&item->desired.target, host, sizeof(host)));

	item->line_size = 0;
	if (send(item->fd, text, (size_t)length, MSG_NOSIGNAL) != length)
		checks_answer(item, "does not take a request");
	else
		watch(item, EV_READ, on_readable);
}

static void on_connected(evutil_socket_t fd, short what, void *context)
{
	struct checks_item *item = context;
	int error = 0;
	socklen_t size = sizeof(error);

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error)
		checks_answer(item, strerror(error));
	else if (item->desired.kind == CHECK_HTTP)
		request(item);
	else
		checks_answer(item, NULL);
}

static int bind_to(int fd, const struct desired_check *desired, const struct addr *source)
{
	struct endpoint own = {.addr = *source};
	struct sockaddr_storage address;
	socklen_t size;

	if (desired->interface[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, desired->interface,
					     (socklen_t)strlen(desired->interface)) < 0)
		return -errno;
	if (!addr_is_set(source))
		return 0;
	size = endpoint_to_sockaddr(&own, &address);
	return bind(fd, (struct sockaddr *)&address, size) < 0 ? -errno : 0;
}

static int connect_to(int fd, const struct endpoint *target)
{
	struct sockaddr_storage address;
	socklen_t size = endpoint_to_sockaddr(target, &address);

	return connect(fd, (struct sockaddr *)&address, size) < 0 && errno != EINPROGRESS ? -errno : 0;
}

const char *dial_ask(struct checks_item *item, const struct addr *source)
{
	const struct desired_check *desired = &item->desired;
	int r;

	item->fd =
		socket(desired->target.addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (item->fd < 0)
		return strerror(errno);
	r = bind_to(item->fd, desired, source);
	if (r >= 0)
		r = connect_to(item->fd, &desired->target);
	if (r < 0)
		return strerror(-r);
	watch(item, EV_WRITE, on_connected);
	return NULL;
}
