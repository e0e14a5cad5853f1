/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/http_connection.h"
#include "common/io/http_handshake.h"
#include "common/io/log.h"

enum { ACCEPT_PAUSE_MS = 100 };

struct http_listener {
	SLIST_ENTRY(http_listener) entry;
	struct http_server *server;
	struct evconnlistener *socket;
	struct event *resume;
	SSL_CTX *tls;    /* NULL: plain */
	char *unix_path; /* NULL: TCP */
};

/* An IPv4 client of a dual-stack socket is an IPv4 client. */
static void unmap(struct addr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct addr plain = {.family = AF_INET};

	if (addr->family != AF_INET6 || memcmp(addr->bytes, mapped, sizeof mapped) != 0)
		return;
	memcpy(plain.bytes, addr->bytes + 12, 4);
	*addr = plain;
}

static void describe_peer(const struct http_listener *listener, evutil_socket_t fd,
	const struct sockaddr *address, struct http_peer *peer)
{
	struct ucred credentials;
	socklen_t size = sizeof credentials;

	*peer = (struct http_peer){.kind = HTTP_PEER_ANONYMOUS, .uid = (uid_t)-1};
	if (!listener->unix_path) {
		endpoint_from_sockaddr(address, &peer->address);
		unmap(&peer->address.addr);
	} else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
		peer->kind = HTTP_PEER_LOCAL;
		peer->uid = credentials.uid;
	}
}

static bool has_place(const struct http_listener *listener, const struct http_peer *peer)
{
	struct http_server *server = listener->server;

	if (listener->tls && !http_handshake_is_admitted(server, peer))
		return false;
	if (server->connection_count < server->options.connections_max || http_handshake_make_room(server))
		return true;
	server->counters.connections_refused++;
	log_limited(LEVEL_WARNING, "http", "too-many-connections", "",
		log_u64("limit", server->options.connections_max), log_endpoint("from", &peer->address));
	return false;
}

static void accepted(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *address, int length,
	void *context)
{
	struct http_listener *listener = context;
	struct http_peer peer;

	(void)socket;
	(void)length;
	describe_peer(listener, fd, address, &peer);
	if (has_place(listener, &peer))
		http_connection_new(listener->server, fd, listener->tls, &peer);
	else
		evutil_closesocket(fd);
}

/* Out of descriptors: the kernel would report the same connection again and again, so look away for a moment. */
static void accept_failed(struct evconnlistener *socket, void *context)
{
	struct http_listener *listener = context;
	struct timeval pause = {.tv_usec = (suseconds_t)ACCEPT_PAUSE_MS * 1000};

	log_limited(LEVEL_ERROR, "http", "accept-failed", "", log_errno(-EVUTIL_SOCKET_ERROR()));
	evconnlistener_disable(socket);
	evtimer_add(listener->resume, &pause);
}

static void resume(evutil_socket_t fd, short what, void *context)
{
	struct http_listener *listener = context;

	(void)fd;
	(void)what;
	evconnlistener_enable(listener->socket);
}

/* Takes over fd, which is bound. */
static void add_listener(struct http_server *server, evutil_socket_t fd, SSL_CTX *tls, const char *unix_path)
{
	struct http_listener *listener = mem_new(1, sizeof *listener);

	listener->server = server;
	listener->unix_path = mem_text(unix_path);
	listener->tls = tls;
	if (tls)
		SSL_CTX_up_ref(tls);
	listener->resume = evtimer_new(server->base, resume, listener);
	listener->socket = evconnlistener_new(
		server->base, accepted, listener, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	evconnlistener_set_error_cb(listener->socket, accept_failed);
	SLIST_INSERT_HEAD(&server->listeners, listener, entry);
}

void http_listeners_free(struct http_server *server)
{
	while (!SLIST_EMPTY(&server->listeners)) {
		struct http_listener *listener = SLIST_FIRST(&server->listeners);

		SLIST_REMOVE_HEAD(&server->listeners, entry);
		evconnlistener_free(listener->socket);
		event_free(listener->resume);
		SSL_CTX_free(listener->tls);
		if (listener->unix_path)
			unlink(listener->unix_path);
		free(listener->unix_path);
		free(listener);
	}
}

void http_server_set_tls(struct http_server *server, SSL_CTX *tls)
{
	struct http_listener *listener;

	SLIST_FOREACH(listener, &server->listeners, entry)
	{
		if (!listener->tls)
			continue;
		SSL_CTX_up_ref(tls);
		SSL_CTX_free(listener->tls);
		listener->tls = tls;
	}
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

static int fail_listen(const char *address, int code, struct err *err)
{
	switch (code) {
	case -EADDRINUSE:
		return err_at(err, code, address, 0, 0,
			"address already in use: does another program listen there?");
	case -EADDRNOTAVAIL:
		return err_at(
			err, code, address, 0, 0, "cannot listen: this host does not have that address");
	case -EACCES:
		return err_at(
			err, code, address, 0, 0, "cannot listen: not permitted; ports below 1024 need root");
	default:
		return err_at(err, code, address, 0, 0, "cannot listen: %s", strerror(-code));
	}
}

/* Bound and listening, or -errno. dual: IPv4 as well, on ::. */
static int open_tcp(const struct endpoint *endpoint, bool dual)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(endpoint, &address);
	int on = 1, only6 = !dual, fd, r;

	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6);
	if (bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* ":7443": every address of both families; of IPv4 alone where the kernel has no IPv6. */
static int open_all(uint16_t port)
{
	struct endpoint any = {.addr.family = AF_INET6, .port = port};
	int fd = open_tcp(&any, true);

	if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
		return fd;
	any.addr.family = AF_INET;
	return open_tcp(&any, false);
}

static int open_address(const char *address, struct err *err)
{
	struct endpoint endpoint;
	uint64_t port;
	int fd;

	if (address[0] == ':' && text_to_u64(address + 1, 0, UINT16_MAX, &port) == 0) {
		fd = open_all((uint16_t)port);
		return fd < 0 ? fail_listen(address, fd, err) : fd;
	}
	if (endpoint_parse(address, &endpoint, NULL) < 0)
		return err_at(err, -EINVAL, address, 0, 0,
			"not an address to listen at: write 10.8.0.20:7443, [2001:db8::1]:7443 or :7443");
	fd = open_tcp(&endpoint, false);
	return fd < 0 ? fail_listen(address, fd, err) : fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	struct endpoint endpoint = {0};

	if (getsockname(fd, (struct sockaddr *)&address, &length) == 0)
		endpoint_from_sockaddr((struct sockaddr *)&address, &endpoint);
	return endpoint.port;
}

int http_server_listen(struct http_server *server, const char *address, SSL_CTX *tls, struct err *err)
{
	int fd = open_address(address, err);

	if (fd < 0)
		return fd;
	server->port = port_of(fd);
	add_listener(server, fd, tls, NULL);
	return 0;
}

/* A socket file that nobody answers is left from a process that was killed. */
static int remove_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;
	struct stat status;

	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : -EADDRINUSE;
	close(fd);
	if (r == -ENOENT)
		return 0;
	if (r != -ECONNREFUSED)
		return r;
	if (lstat(address->sun_path, &status) == 0 && !S_ISSOCK(status.st_mode))
		return -EEXIST;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

/* The mode is set before anybody can connect: until listen() the kernel refuses. */
static int open_unix(const struct sockaddr_un *address, mode_t mode)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
		chmod(address->sun_path, mode) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

int http_server_listen_unix(struct http_server *server, const char *path, mode_t mode, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	if (!text_copy(address.sun_path, sizeof address.sun_path, path))
		return err_at(err, -ENAMETOOLONG, path, 0, 0, "too long for a unix socket: at most %zu bytes",
			sizeof address.sun_path - 1);
	r = remove_stale(&address);
	if (r == 0)
		r = open_unix(&address, mode);
	if (r < 0)
		return fail_listen(path, r, err);
	add_listener(server, r, NULL, path);
	return 0;
}
