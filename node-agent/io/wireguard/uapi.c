/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/io/wireguard/internal.h"

enum { READ_BYTES = 32768 };

char *wg_uapi_path(const char *name, char path[WG_UAPI_PATH_MAX])
{
	snprintf(path, WG_UAPI_PATH_MAX, "/var/run/wireguard/%.15s.sock", name);
	return path;
}

static int connect_socket(int fd, const char *name, int timeout_ms)
{
	const struct timeval timeout = {
		.tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	wg_uapi_path(name, address.sun_path);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0 ||
		connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return 0;
}

int wg_uapi_connect(const char *name, int timeout_ms)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = connect_socket(fd, name, timeout_ms);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

void wg_uapi_remove_stale(const char *name)
{
	char path[WG_UAPI_PATH_MAX];
	int fd = wg_uapi_connect(name, WG_TIMEOUT_MS);

	if (fd >= 0)
		close(fd);
	else if (fd == -ECONNREFUSED)
		unlink(wg_uapi_path(name, path));
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int send_all(int fd, const char *data, size_t size)
{
	ssize_t sent;

	for (; size > 0; data += sent, size -= (size_t)sent) {
		sent = send(fd, data, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			sent = 0;
		if (sent < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	return 0;
}

static int read_reply(int fd, struct wg_uapi_parser *parser, char *buffer)
{
	int64_t deadline_ms = now_ms() + WG_ANSWER_MAX_MS;
	ssize_t size;
	int r = 0;

	while (r == 0) {
		if (now_ms() > deadline_ms)
			return -ETIMEDOUT;
		size = recv(fd, buffer, READ_BYTES, 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (size == 0)
			return -EPIPE;
		r = wg_uapi_parse(parser, buffer, (size_t)size);
	}
	return r < 0 ? r : 0;
}

/* One question, one answer, on a connection of its own: the program may have been restarted since the last. */
static int exchange(const char *name, int timeout_ms, const struct text *question, struct wg_builder *builder)
{
	struct wg_uapi_parser parser = {.builder = builder};
	int fd = wg_uapi_connect(name, timeout_ms);
	char *buffer;
	int r, sent;

	if (fd < 0)
		return fd == -ENOENT || fd == -ECONNREFUSED ? -ENODEV : fd;
	buffer = mem_new(1, READ_BYTES);
	sent = send_all(fd, question->data, question->length);
	/* Who refuses a line answers, and may close before it has read the rest. */
	r = sent == 0 || sent == -EPIPE || sent == -ECONNRESET ? read_reply(fd, &parser, buffer) : sent;
	close(fd);
	mem_wipe(buffer, READ_BYTES);
	free(buffer);
	mem_wipe(&parser, sizeof parser);
	return r;
}

static int fail(const char *name, const char *what, int r, struct err *err)
{
	char path[WG_UAPI_PATH_MAX];

	wg_uapi_path(name, path);
	if (r == -ENODEV)
		return err_set(err, r, "%s: nobody answers on %s", name, path);
	if (r == -EPROTO)
		return err_set(err, r, "%s: the answer on %s cannot be understood", name, path);
	if (r == -EMSGSIZE || r == -E2BIG)
		return err_set(err, r, "%s: the answer on %s is beyond all bounds", name, path);
	return err_set(err, r, "%s: %s: %s", name, what, strerror(-r));
}

int wg_uapi_get(const char *name, int timeout_ms, struct wg_device *ret_device, struct err *err)
{
	static const char question[] = "get=1\n\n";
	struct text text = {0};
	struct wg_builder builder;
	struct wg_device device;
	int r;

	wg_builder_init(&builder, &device);
	text_add(&text, "%s", question);
	r = exchange(name, timeout_ms, &text, &builder);
	text_clear(&text);
	if (r < 0) {
		wg_builder_abort(&builder);
		return fail(name, "cannot read the WireGuard configuration", r, err);
	}
	wg_builder_finish(&builder);
	*ret_device = device;
	return 0;
}

int wg_uapi_set(const char *name, int timeout_ms, const struct wg_change *change, struct err *err)
{
	struct text text = {0};
	int r;

	wg_uapi_format(change, &text);
	r = exchange(name, timeout_ms, &text, NULL);
	wg_uapi_wipe(&text);
	return r < 0 ? fail(name, "cannot change the WireGuard configuration", r, err) : 0;
}
