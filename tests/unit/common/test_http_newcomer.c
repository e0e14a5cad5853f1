/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strangers do not keep those out who have something to ask. They come from addresses of 127.0.0.0/8. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io/clock.h"
#include "server.h"

enum { TIMEOUT_MS = 300, PLENTY = 2 * HTTP_NEWCOMERS_MAX, PATIENCE_MS = 8000 };

static struct fixture f;
static struct http_server *server;

static void serve_join(struct http_request *request, void *context)
{
	(void)context;
	http_reply(request, 200, "text/plain", "welcome", 7);
}

static void is_gone(struct http_request *request, void *context)
{
	(void)request;
	(void)context;
}

/* Answered when the next one asks. */
static void serve_hold(struct http_request *request, void *context)
{
	struct fixture *at = context;

	if (at->held)
		http_reply(at->held, 200, "text/plain", "welcome", 7);
	at->held = request;
	http_request_hold(request, is_gone, at);
}

static void open_server(unsigned newcomer_timeout_ms)
{
	struct http_server_options options = {.newcomer_timeout_ms = newcomer_timeout_ms};
	struct http_route join = {.methods = HTTP_POST,
		.path = "/join",
		.body_max = 1000,
		.handle = serve_join,
		.context = &f,
		.takes_newcomers = true};
	struct http_route hold = join;
	struct pki_files paths;
	struct err err;
	SSL_CTX *tls;

	hold.path = "/hold";
	hold.handle = serve_hold;
	server = http_server_new(f.base, &options);
	http_server_route(server, &join);
	http_server_route(server, &hold);
	pki_files(&paths, f.dir, "ca", "ctl");
	ck_assert_int_eq(tls_server_new(&paths.files, &tls, NULL, &err), 0);
	http_server_welcome(server, true);
	ck_assert_int_eq(http_server_listen(server, "127.0.0.1:0", tls, &err), 0);
	SSL_CTX_free(tls);
	f.tls_port = http_server_port(server);
}

static void open_all(void)
{
	fixture_open(&f);
}

static void close_all(void)
{
	http_server_free(server);
	fixture_close(&f);
}

/* ---- in a child ---- */

static int connect_from(const char *source)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(f.tls_port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	/* What is asked goes out at once, not with the next acknowledgement: it is asked before the next one comes. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	inet_pton(AF_INET, source, &from.sin_addr);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
		connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return -1;
	return fd;
}

/* Without a certificate; NULL: refused. */
static SSL *come(const char *source)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	struct timeval limit = {.tv_sec = PATIENCE_MS / 1000};
	int fd = connect_from(source);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	SSL_set_fd(ssl, fd);
	return SSL_connect(ssl) == 1 ? ssl : NULL;
}

static int ask(SSL *ssl, const char *path)
{
	char request[256];
	int length = snprintf(
		request, sizeof request, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nme", path);

	return SSL_write(ssl, request, length) == length;
}

static int is_answered(SSL *ssl)
{
	char answer[512] = "";
	int got = SSL_read(ssl, answer, sizeof answer - 1);

	return got > 0 && strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && strstr(answer, "Connection: close");
}

/* By an end or a reset. */
static int is_let_go(SSL *ssl)
{
	char answer[512];

	return SSL_read(ssl, answer, sizeof answer) <= 0 && SSL_get_error(ssl, 0) != SSL_ERROR_WANT_READ;
}

static int one_comes_to_a_crowd(const struct fixture *fixture, const void *data)
{
	SSL *newcomer;

	(void)fixture;
	(void)data;
	for (int i = 0; i < PLENTY; i++)
		CHILD_CHECK(come("127.0.0.2"));
	newcomer = come("127.0.0.3");
	CHILD_CHECK(newcomer);
	CHILD_CHECK(ask(newcomer, "/join"));
	CHILD_CHECK(is_answered(newcomer));
	return 0;
}

START_TEST(idle_ones_give_way)
{
	open_server(0);
	ck_assert_int_eq(fixture_child(&f, one_comes_to_a_crowd, NULL), 0);
	ck_assert_uint_gt(http_server_counters(server).newcomers_refused, 0);
}
END_TEST

static int one_is_there_before_a_crowd(const struct fixture *fixture, const void *data)
{
	SSL *newcomer = come("127.0.0.3"), *first = NULL;

	(void)fixture;
	(void)data;
	CHILD_CHECK(newcomer);
	for (int i = 0; i < PLENTY; i++) {
		SSL *stranger = come("127.0.0.2");

		CHILD_CHECK(stranger);
		if (!first)
			first = stranger;
	}
	CHILD_CHECK(is_let_go(first));
	CHILD_CHECK(ask(newcomer, "/join"));
	CHILD_CHECK(is_answered(newcomer));
	return 0;
}

START_TEST(a_crowd_from_one_place_turns_out_its_own)
{
	open_server(0);
	ck_assert_int_eq(fixture_child(&f, one_is_there_before_a_crowd, NULL), 0);
}
END_TEST

static int one_is_being_answered(const struct fixture *fixture, const void *data)
{
	SSL *newcomer = come("127.0.0.2"), *next;

	(void)fixture;
	(void)data;
	CHILD_CHECK(newcomer && ask(newcomer, "/hold"));
	for (int i = 0; i < PLENTY; i++)
		CHILD_CHECK(come("127.0.0.2"));
	next = come("127.0.0.2");
	CHILD_CHECK(next && ask(next, "/hold"));
	CHILD_CHECK(is_answered(newcomer));
	return 0;
}

START_TEST(who_is_being_answered_stays)
{
	open_server(0);
	ck_assert_int_eq(fixture_child(&f, one_is_being_answered, NULL), 0);
}
END_TEST

/* A byte of the body now and then, for as long as it is let. */
static int one_dawdles(const struct fixture *fixture, const void *data)
{
	static const char head[] = "POST /join HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
	int64_t start_ms = clock_now_ms();
	SSL *ssl = come("127.0.0.2");
	struct pollfd ends = {.fd = ssl ? SSL_get_fd(ssl) : -1, .events = POLLRDHUP};

	(void)fixture;
	(void)data;
	CHILD_CHECK(ssl && SSL_write(ssl, head, sizeof head - 1) > 0);
	while (poll(&ends, 1, TIMEOUT_MS / 10) == 0 && SSL_write(ssl, "x", 1) == 1)
		CHILD_CHECK(clock_now_ms() - start_ms < PATIENCE_MS);
	CHILD_CHECK(clock_now_ms() - start_ms >= TIMEOUT_MS);
	return 0;
}

START_TEST(a_request_has_one_time_for_all_of_it)
{
	open_server(TIMEOUT_MS);
	ck_assert_int_eq(fixture_child(&f, one_dawdles, NULL), 0);
	ck_assert_uint_eq(http_server_connections(server), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http-newcomer");
	TCase *tcase = tcase_create("places");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_set_timeout(tcase, 40);
	tcase_add_test(tcase, idle_ones_give_way);
	tcase_add_test(tcase, a_crowd_from_one_place_turns_out_its_own);
	tcase_add_test(tcase, who_is_being_answered_stays);
	tcase_add_test(tcase, a_request_has_one_time_for_all_of_it);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
