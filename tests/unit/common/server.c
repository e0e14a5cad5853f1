/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"

static void serve_who(struct http_request *request, void *context)
{
	struct fixture *f = context;
	const char *query = http_request_query(request, "q");

	f->peer = *http_request_peer(request);
	text_copy(f->query, sizeof f->query, query ? query : "(absent)");
	f->handled++;
	http_reply_header(request, "ETag", "\"42\"");
	http_reply_header(request, "X-Evil", "a\r\nSet: b");
	http_reply(request, 200, "text/plain", "you", 3);
}

static void serve_name(struct http_request *request, void *context)
{
	struct fixture *f = context;

	text_copy(f->rest, sizeof f->rest, http_request_rest(request));
	f->handled++;
	http_reply(request, 200, "text/plain", f->rest, strlen(f->rest));
}

static bool is_member(struct http_request *request, void *context)
{
	(void)context;
	if (http_request_header(request, "X-Member"))
		return true;
	http_reply_problem(request, 403, "members only");
	return false;
}

static void serve_echo(struct http_request *request, void *context)
{
	struct fixture *f = context;
	const char *body = http_request_body(request, &f->body_size);

	f->handled++;
	http_reply(request, 200, "application/octet-stream", body, f->body_size);
}

static void serve_big(struct http_request *request, void *context)
{
	struct fixture *f = context;

	http_request_body(request, &f->body_size);
	f->handled++;
	http_reply(request, 204, NULL, NULL, 0);
}

static void is_gone(struct http_request *request, void *context)
{
	struct fixture *f = context;

	ck_assert_ptr_eq(request, f->held);
	f->held = NULL;
	f->gone++;
}

static void serve_hold(struct http_request *request, void *context)
{
	struct fixture *f = context;

	f->held = request;
	f->handled++;
	http_request_hold(request, is_gone, f);
}

static void serve_silent(struct http_request *request, void *context)
{
	(void)request;
	(void)context;
}

static void add_routes(struct fixture *f)
{
	const struct http_route routes[] = {
		{.methods = HTTP_GET, .path = "/who", .handle = serve_who, .context = f},
		{.methods = HTTP_GET, .path = "/name/", .handle = serve_name, .context = f},
		{.methods = HTTP_POST, .path = "/echo", .body_max = 1000, .handle = serve_echo, .context = f},
		{.methods = HTTP_GET, .path = "/echo", .handle = serve_who, .context = f},
		{.methods = HTTP_POST,
			.path = "/members",
			.body_max = 1000,
			.handle = serve_echo,
			.context = f,
			.admit = is_member},
		{.methods = HTTP_PUT, .path = "/big", .body_max = 2 << 20, .handle = serve_big, .context = f},
		{.methods = HTTP_GET, .path = "/hold", .handle = serve_hold, .context = f},
		{.methods = HTTP_PUT,
			.path = "/keep",
			.body_max = 2 << 20,
			.handle = serve_hold,
			.context = f},
		{.methods = HTTP_GET, .path = "/silent", .handle = serve_silent, .context = f},
	};

	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		http_server_route(f->server, &routes[i]);
}

static void make_pki(struct fixture *f)
{
	pki_directory(f->dir, sizeof f->dir);
	pki_authority(f->dir, "ca");
	pki_authority(f->dir, "other");
	pki_issue(f->dir, "ca", "ctl", "holdfast:controller:ctl", -60, 3600);
	pki_issue(f->dir, "ca", "gw-a", "holdfast:gateway:gw-a", -60, 3600);
	pki_issue(f->dir, "ca", "old", "holdfast:gateway:old", -3600, -60);
	pki_issue(f->dir, "ca", "nobody", NULL, -60, 3600);
	pki_issue(f->dir, "other", "stranger", "holdfast:gateway:gw-a", -60, 3600);
}

void fixture_open(struct fixture *f)
{
	struct http_server_options options = {
		.connections_max = 8, .idle_timeout_ms = 2000, .reply_headers = "X-Every: one\r\n"};
	struct pki_files paths;
	struct err err;
	SSL_CTX *tls;

	memset(f, 0, sizeof *f);
	log_set_output(open("/dev/null", O_WRONLY | O_CLOEXEC), false);
	signal(SIGPIPE, SIG_IGN);
	make_pki(f);
	f->base = event_base_new();
	f->server = http_server_new(f->base, &options);
	add_routes(f);
	pki_files(&paths, f->dir, "ca", "ctl");
	ck_assert_int_eq(tls_server_new(&paths.files, &tls, NULL, &err), 0);
	ck_assert_int_eq(http_server_listen(f->server, "127.0.0.1:0", tls, &err), 0);
	SSL_CTX_free(tls);
	f->tls_port = http_server_port(f->server);
	ck_assert_int_eq(http_server_listen(f->server, "127.0.0.1:0", NULL, &err), 0);
	f->plain_port = http_server_port(f->server);
	snprintf(f->socket_path, sizeof f->socket_path, "%s/sock", f->dir);
	ck_assert_int_eq(http_server_listen_unix(f->server, f->socket_path, 0600, &err), 0);
	snprintf(f->url, sizeof f->url, "https://127.0.0.1:%u", f->tls_port);
	snprintf(f->plain_url, sizeof f->plain_url, "http://127.0.0.1:%u", f->plain_port);
}

void fixture_close(struct fixture *f)
{
	http_server_free(f->server);
	event_base_free(f->base);
	libevent_global_shutdown();
	pki_remove(f->dir);
}

/* One turn of the loop, at most 10 ms. */
static void turn(struct fixture *f)
{
	struct timeval soon = {.tv_usec = 10000};

	event_base_loopexit(f->base, &soon);
	event_base_loop(f->base, EVLOOP_ONCE);
}

void fixture_wait(struct fixture *f, const int *flag, int value)
{
	int64_t end_ms = clock_now_ms() + 10000;

	while (*flag < value) {
		ck_assert_msg(clock_now_ms() < end_ms, "waited in vain for %d (is %d)", value, *flag);
		turn(f);
	}
}

int fixture_child(struct fixture *f, int (*code)(const struct fixture *f, const void *data), const void *data)
{
	int *result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t end_ms = clock_now_ms() + 20000;
	int status, line;
	pid_t pid;

	*result = -1;
	pid = fork();
	if (pid == 0) {
		*result = code(f, data);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		ck_assert_msg(clock_now_ms() < end_ms, "the child does not end");
		turn(f);
	}
	line = *result;
	munmap(result, sizeof *result);
	return line;
}

static int connect_plain(const struct fixture *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(f->plain_port)};
	struct timeval limit = {.tv_sec = 8};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

long fixture_raw(const struct fixture *f, const void *bytes, size_t size, char *answer, size_t answer_size)
{
	int fd = connect_plain(f);
	size_t got = 0;
	ssize_t n = 0;

	if (fd < 0 || send(fd, bytes, size, MSG_NOSIGNAL) < 0)
		return -1;
	while (got + 1 < answer_size && (n = recv(fd, answer + got, answer_size - got - 1, 0)) > 0)
		got += (size_t)n;
	answer[got] = '\0';
	close(fd);
	return n == 0 ? (long)got : -1;
}
