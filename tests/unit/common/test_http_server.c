/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server alone, as strict as it must be: raw bytes in, raw bytes out. */
#include <check.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "server.h"

static struct fixture f;

static void open_all(void)
{
	fixture_open(&f);
}

static void close_all(void)
{
	fixture_close(&f);
}

struct raw_case {
	const char *request;
	const char *starts; /* the answer does */
	const char *holds;  /* and somewhere has; NULL */
};

static int run_case(const struct fixture *fixture, const void *data)
{
	const struct raw_case *test = data;
	char answer[4096];

	CHILD_CHECK(fixture_raw(fixture, test->request, strlen(test->request), answer, sizeof answer) >= 0);
	if (strncmp(answer, test->starts, strlen(test->starts)) != 0 ||
		(test->holds && !strstr(answer, test->holds))) {
		fprintf(stderr, "request:\n%s\nanswer:\n%s\n", test->request, answer);
		return 1;
	}
	return 0;
}

#define OK "HTTP/1.1 200 OK\r\n"
#define END "Connection: close\r\n\r\n"

static const struct raw_case good[] = {
	{"GET /who HTTP/1.1\r\nHost: a\r\n" END, OK, "Connection: close\r\n"},
	{"GET /who HTTP/1.0\r\n\r\n", OK, NULL},
	{"\r\n\r\nGET /who HTTP/1.1\r\nHost: a\r\n" END, OK, NULL},
	{"GET http://a/who HTTP/1.1\r\nHost: a\r\n" END, OK, NULL},
	{"GET /who HTTP/1.1\r\nhOST:a\r\nX-A:\t b c \r\n" END, OK, "X-Evil: aSet: b\r\n"},
	{"HEAD /who HTTP/1.1\r\nHost: a\r\n" END, OK, "Content-Length: 3\r\n"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" END "abc", OK, "\r\n\r\nabc"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" END, OK, "Content-Length: 0\r\n"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n" END
	 "3\r\nabc\r\n00a;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
		OK, "\r\n\r\nabc0123456789"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n" END "x", OK,
		"\r\n\r\nx"},
	{"GET /name/a/b HTTP/1.1\r\nHost: a\r\n" END, OK, "\r\n\r\na/b"},
	{"GET /name/ HTTP/1.1\r\nHost: a\r\n" END, OK, "Content-Length: 0\r\n"},
	/* Two in one segment: the second waits its turn. */
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1GET /name/zwei HTTP/1.1\r\nHost: "
	 "a\r\n" END,
		OK, "\r\n\r\n1HTTP/1.1 200 OK\r\n"},
	{"POST /members HTTP/1.1\r\nHost: a\r\nX-Member: 1\r\nContent-Length: 3\r\n\r\nabc"
	 "GET /name/zwei HTTP/1.1\r\nHost: a\r\n" END,
		OK, "\r\n\r\nabcHTTP/1.1 200 OK\r\n"},
	{"GET /who HTTP/1.1\r\nHost: a\r\n" END, OK, "\r\nX-Every: one\r\n"},
	{"GET /nix HTTP/1.1\r\nHost: a\r\n" END, "HTTP/1.1 404 ", "\r\nX-Every: one\r\n"},
	{"GET /who\r\n\r\n", "HTTP/1.1 400 ", "\r\nX-Every: one\r\n"},
	{"GET /nix HTTP/1.1\r\nHost: a\r\n\r\nGET /name/zwei HTTP/1.1\r\nHost: a\r\n" END,
		"HTTP/1.1 404 Not Found\r\n", "\r\n\r\nzwei"},
};

static const struct raw_case bad[] = {
	{"GET /who HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "without a Host"},
	{"GET /who HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", "more than one Host"},
	{"GET /who HTTP/1.1\r\nHost: a b\r\n\r\n", "HTTP/1.1 400 ", "not a host"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
		"HTTP/1.1 400 ", "more than one Content-Length"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 400 ", NULL},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", "HTTP/1.1 400 ",
		"not a decimal"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", "HTTP/1.1 400 ", "not a decimal"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 400 ",
		NULL},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 400 ", "both"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP/1.1 400 ",
		"other than"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 400 ", "more than one Transfer-Encoding"},
	{"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400 ", NULL},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", "HTTP/1.1 400 ", "header name"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 400 ", NULL},
	{"GET /who HTTP/1.1\nHost: a\n\n", "HTTP/1.1 400 ", "CR LF"},
	{"GET /who HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "HTTP/1.1 400 ", "CR LF"},
	{"GET /who HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", "HTTP/1.1 400 ", "control"},
	{"GET /who HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /", "HTTP/1.1 400 ", "body on GET"},
	{"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", "percent"},
	{"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", "percent"},
	{"GET who HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", "start with"},
	{"GET /who  HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", NULL},
	{"GET /who\r\n\r\n", "HTTP/1.1 400 ", NULL},
	{"G@T /who HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", NULL},
	{"GET /who HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 ", NULL},
	{"BREW /who HTTP/1.1\r\nHost: a\r\n" END, "HTTP/1.1 501 ", NULL},
	{"GET /nix HTTP/1.1\r\nHost: a\r\n" END, "HTTP/1.1 404 ", "application/problem+json"},
	{"DELETE /echo HTTP/1.1\r\nHost: a\r\n" END, "HTTP/1.1 405 ", "Allow: GET, HEAD, POST\r\n"},
	{"POST /who HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 405 ",
		"Allow: GET, HEAD\r\n"},
	{"GET /silent HTTP/1.1\r\nHost: a\r\n" END, "HTTP/1.1 500 ", NULL},
	{"GET /who HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", "HTTP/1.1 417 ", NULL},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP/1.1 400 ",
		"broken chunk"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", "HTTP/1.1 400 ",
		"broken chunk"},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", "HTTP/1.1 413 ",
		NULL},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000000\r\n", "HTTP/1.1 400 ",
		NULL},
	{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413 ", NULL},
	/* Answered without a byte of the body. */
	{"POST /members HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n", "HTTP/1.1 403 ", "members only"},
	{"POST /members HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 403 ", NULL},
};

START_TEST(good_requests_are_answered)
{
	ck_assert_int_eq(fixture_child(&f, run_case, &good[_i]), 0);
}
END_TEST

START_TEST(bad_requests_are_refused)
{
	ck_assert_int_eq(fixture_child(&f, run_case, &bad[_i]), 0);
	ck_assert_int_eq(f.handled, 0);
}
END_TEST

/* A head of exactly this many bytes, or with this many headers. */
static char *head_of(size_t size, int headers)
{
	struct text text = {0};

	text_add(&text, "GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
	for (int i = 2; i < headers; i++)
		text_add(&text, "X: y\r\n");
	if (size > 0) {
		text_add(&text, "P: ");
		while (text.length < size - 4)
			text_add_bytes(&text, "p", 1);
		text_add(&text, "\r\n");
	}
	text_add(&text, "\r\n");
	return text_take(&text);
}

START_TEST(heads_have_limits)
{
	const struct {
		size_t size;
		int headers;
		const char *starts;
	} cases[] = {
		{16 << 10, 0, OK},
		{(16 << 10) + 1, 0, "HTTP/1.1 431 "},
		{0, 64, OK},
		{0, 65, "HTTP/1.1 431 "},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *request = head_of(cases[i].size, cases[i].headers);
		struct raw_case test = {request, cases[i].starts, NULL};

		ck_assert_int_eq(fixture_child(&f, run_case, &test), 0);
		free(request);
	}
}
END_TEST

/* The whole body is sent at once; the refusal must arrive in spite of it. */
static int oversized(const struct fixture *fixture, const void *data)
{
	size_t size = 512 << 10;
	char *request = calloc(1, size), answer[2048];

	(void)data;
	memset(request, 'x', size);
	memcpy(request, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 524288\r\n\r\n", 56);
	CHILD_CHECK(fixture_raw(fixture, request, size, answer, sizeof answer) > 0);
	CHILD_CHECK(strncmp(answer, "HTTP/1.1 413 ", 13) == 0);
	return 0;
}

START_TEST(a_refusal_is_not_lost_to_a_reset)
{
	ck_assert_int_eq(fixture_child(&f, oversized, NULL), 0);
}
END_TEST

static int idle(const struct fixture *fixture, const void *data)
{
	char answer[64];

	CHILD_CHECK(fixture_raw(fixture, data, strlen(data), answer, sizeof answer) == 0);
	return 0;
}

START_TEST(slow_clients_are_let_go)
{
	ck_assert_int_eq(fixture_child(&f, idle, "GET /wh"), 0);
	ck_assert_uint_eq(http_server_connections(f.server), 0);
}
END_TEST

/* With a fixture's PKI, on TLS, where a fixture has the plain port. */
static struct http_server *open_impatient(struct fixture *at)
{
	struct http_server_options options = {.handshake_timeout_ms = 50};
	struct http_server *server = http_server_new(at->base, &options);
	struct pki_files paths;
	struct err err;
	SSL_CTX *tls;

	pki_files(&paths, at->dir, "ca", "ctl");
	ck_assert_int_eq(tls_server_new(&paths.files, &tls, NULL, &err), 0);
	ck_assert_int_eq(http_server_listen(server, "127.0.0.1:0", tls, &err), 0);
	SSL_CTX_free(tls);
	at->plain_port = http_server_port(server);
	return server;
}

/* Long before the 60 s of one who has shown who it is. */
START_TEST(a_handshake_has_a_time_of_its_own)
{
	struct fixture at = f;
	struct http_server *server = open_impatient(&at);

	ck_assert_int_eq(fixture_child(&at, idle, "\x16\x03"), 0);
	ck_assert_uint_eq(http_server_connections(server), 0);
	http_server_free(server);
}
END_TEST

/* Closed at once, by an end or a reset. */
static int turned_away(const struct fixture *fixture, const void *data)
{
	char answer[64];

	CHILD_CHECK(fixture_raw(fixture, data, strlen(data), answer, sizeof answer) <= 0);
	return 0;
}

START_TEST(connections_have_a_limit)
{
	evutil_socket_t sockets[9];
	struct raw_case one = {"GET /who HTTP/1.1\r\nHost: a\r\n" END, OK, NULL};
	int connected = 0;

	for (size_t i = 0; i < 9; i++) {
		struct sockaddr_storage address;
		struct endpoint endpoint = {.port = f.plain_port};
		socklen_t length;

		ck_assert_int_eq(addr_parse("127.0.0.1", &endpoint.addr, NULL), 0);
		length = endpoint_to_sockaddr(&endpoint, &address);
		sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(connect(sockets[i], (struct sockaddr *)&address, length), 0);
	}
	while (http_server_connections(f.server) < 8)
		fixture_wait(&f, &connected, 0), event_base_loop(f.base, EVLOOP_ONCE);
	ck_assert_int_eq(fixture_child(&f, turned_away, one.request), 0);
	ck_assert_uint_eq(http_server_connections(f.server), 8);
	for (size_t i = 0; i < 9; i++)
		close(sockets[i]);
	while (http_server_connections(f.server) > 0)
		event_base_loop(f.base, EVLOOP_ONCE);
	ck_assert_int_eq(fixture_child(&f, run_case, &one), 0);
}
END_TEST

START_TEST(addresses_that_cannot_be_had_are_named)
{
	struct http_server *other = http_server_new(f.base, NULL);
	char address[64], text[1024], expected[256];
	struct err err;

	snprintf(address, sizeof address, "127.0.0.1:%u", f.plain_port);
	ck_assert_int_eq(http_server_listen(other, address, NULL, &err), -EADDRINUSE);
	snprintf(expected, sizeof expected, "%s: address already in use: does another program listen there?",
		address);
	ck_assert_str_eq(err_format(&err, text, sizeof text), expected);
	ck_assert_int_eq(http_server_listen(other, "192.0.2.1:1", NULL, &err), -EADDRNOTAVAIL);
	ck_assert_int_eq(http_server_listen(other, "localhost:1", NULL, &err), -EINVAL);
	ck_assert_int_eq(http_server_listen(other, ":65536", NULL, &err), -EINVAL);
	ck_assert_int_eq(http_server_listen(other, ":0", NULL, &err), 0);
	ck_assert_uint_ne(http_server_port(other), 0);
	http_server_free(other);
}
END_TEST

START_TEST(unix_sockets_replace_stale_ones_only)
{
	struct http_server *other = http_server_new(f.base, NULL);
	char stale[256], longest[200];
	struct stat status;
	struct err err;
	FILE *file;

	ck_assert_int_eq(http_server_listen_unix(other, f.socket_path, 0600, &err), -EADDRINUSE);
	ck_assert_int_eq(stat(f.socket_path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	ck_assert_int_eq(http_server_listen_unix(other, longest, 0600, &err), -ENAMETOOLONG);
	snprintf(stale, sizeof stale, "%s/file", f.dir);
	file = fopen(stale, "w");
	fclose(file);
	ck_assert_int_lt(http_server_listen_unix(other, stale, 0600, &err), 0);
	ck_assert_int_eq(stat(stale, &status), 0);
	unlink(stale);
	if (fork() == 0) {
		http_server_listen_unix(other, stale, 0600, NULL);
		_exit(0);
	}
	while (stat(stale, &status) < 0)
		;
	while (http_server_listen_unix(other, stale, 0600, &err) == -EADDRINUSE)
		; /* until the child is gone */
	ck_assert_int_eq(stat(stale, &status), 0);
	http_server_free(other);
	ck_assert_int_lt(stat(stale, &status), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http-server");
	TCase *tcase = tcase_create("raw");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_set_timeout(tcase, 40);
	tcase_add_loop_test(tcase, good_requests_are_answered, 0, sizeof good / sizeof good[0]);
	tcase_add_loop_test(tcase, bad_requests_are_refused, 0, sizeof bad / sizeof bad[0]);
	tcase_add_test(tcase, heads_have_limits);
	tcase_add_test(tcase, a_refusal_is_not_lost_to_a_reset);
	tcase_add_test(tcase, slow_clients_are_let_go);
	tcase_add_test(tcase, a_handshake_has_a_time_of_its_own);
	tcase_add_test(tcase, connections_have_a_limit);
	tcase_add_test(tcase, addresses_that_cannot_be_had_are_named);
	tcase_add_test(tcase, unix_sockets_replace_stale_ones_only);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
