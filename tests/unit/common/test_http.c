/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server and the client together: TLS with certificates on both sides, long polls, unix sockets. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <event2/listener.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/file.h"
#include "common/io/http_client.h"
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

struct answer {
	int count, status;
	char body[256], etag[32], type[64], wanted[32], error[ERR_TEXT_MAX + ERR_WHERE_MAX];
	size_t size;
};

static void take_answer(const struct http_response *response, const struct err *err, void *context)
{
	struct answer *a = context;

	a->count++;
	if (err) {
		err_format(err, a->error, sizeof a->error);
		return;
	}
	a->status = response->status;
	a->size = response->size;
	text_copy(a->body, sizeof a->body, response->body);
	text_copy(a->etag, sizeof a->etag, response->etag ? response->etag : "");
	text_copy(a->type, sizeof a->type, response->content_type ? response->content_type : "");
	text_copy(a->wanted, sizeof a->wanted, response->wanted ? response->wanted : "(none)");
}

static struct http_client *new_client(const char *name, enum tls_kind kind)
{
	struct http_client_options options = {.server_kind = kind};
	struct http_client *client;
	struct pki_files paths;
	struct err err;

	options.tls = pki_files(&paths, f.dir, "ca", name)->files;
	ck_assert_int_eq(http_client_new(f.base, &options, &client, &err), 0);
	return client;
}

static struct answer ask(
	struct http_client *client, struct http_exchange exchange, const char *origin, const char *path)
{
	struct answer a = {0};
	char url[256];

	snprintf(url, sizeof url, "%s%s", origin, path);
	exchange.url = url;
	ck_assert_ptr_nonnull(http_client_start(client, &exchange, take_answer, &a));
	ck_assert_int_eq(a.count, 0);
	fixture_wait(&f, &a.count, 1);
	return a;
}

START_TEST(both_sides_show_who_they_are)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	struct answer a = ask(client, (struct http_exchange){.wanted = "x-every"}, f.url, "/who?x&q=a%20b+c");

	ck_assert_str_eq(a.error, "");
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(a.body, "you");
	ck_assert_str_eq(a.etag, "\"42\"");
	ck_assert_str_eq(a.wanted, "one");
	ck_assert_str_eq(a.type, "text/plain");
	ck_assert_int_eq(f.peer.kind, HTTP_PEER_TLS);
	ck_assert_int_eq(f.peer.identity.kind, TLS_KIND_GATEWAY);
	ck_assert_str_eq(f.peer.identity.name, "gw-a");
	ck_assert_int_eq(f.peer.address.addr.family, AF_INET);
	ck_assert_str_eq(f.query, "a b c");
	/* The connection is kept for the next. */
	a = ask(client, (struct http_exchange){0}, f.url, "/name/vpn%2d1");
	ck_assert_str_eq(f.rest, "vpn-1");
	ck_assert_uint_eq(http_server_connections(f.server), 1);
	http_client_free(client);
}
END_TEST

START_TEST(a_server_of_another_kind_is_refused)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_GATEWAY);
	struct answer a = ask(client, (struct http_exchange){0}, f.url, "/who");

	ck_assert_ptr_nonnull(strstr(a.error, "not that of a gateway"));
	ck_assert_int_eq(f.handled, 0);
	http_client_free(client);
}
END_TEST

static struct answer ask_one_of_name(const char *server_name)
{
	struct http_client_options options = {.server_kind = TLS_KIND_CONTROLLER, .server_name = server_name};
	struct http_client *client;
	struct pki_files paths;
	struct answer a;
	struct err err;

	options.tls = pki_files(&paths, f.dir, "ca", "gw-a")->files;
	ck_assert_int_eq(http_client_new(f.base, &options, &client, &err), 0);
	a = ask(client, (struct http_exchange){0}, f.url, "/who");
	http_client_free(client);
	return a;
}

START_TEST(a_server_of_another_name_is_refused)
{
	struct answer a = ask_one_of_name("ctl");

	ck_assert_str_eq(a.error, "");
	ck_assert_int_eq(a.status, 200);
	a = ask_one_of_name("other");
	ck_assert_ptr_nonnull(strstr(a.error, "not that of other"));
	ck_assert_int_eq(f.handled, 1);
}
END_TEST

START_TEST(a_server_of_another_authority_is_refused)
{
	struct http_client_options options = {.server_kind = TLS_KIND_CONTROLLER};
	struct http_client *client;
	struct pki_files paths;
	struct answer a;
	struct err err;

	options.tls = pki_files(&paths, f.dir, "other", "stranger")->files;
	ck_assert_int_eq(http_client_new(f.base, &options, &client, &err), 0);
	a = ask(client, (struct http_exchange){0}, f.url, "/who");
	ck_assert_ptr_nonnull(strstr(a.error, "not trusted"));
	ck_assert_ptr_nonnull(strstr(a.error, f.url));
	http_client_free(client);
}
END_TEST

START_TEST(our_own_bad_files_are_named_at_once)
{
	static const struct {
		const char *ca, *name, *text;
	} cases[] = {
		{"ca", "stranger", "not signed by the authority"},
		{"ca", "nobody", "says no identity"},
		{"ca", "missing", "cannot open"},
		{"missing", "gw-a", "cannot open"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_client_options options = {.server_kind = TLS_KIND_CONTROLLER};
		struct http_client *client = NULL;
		struct pki_files paths;
		struct err err;

		options.tls = pki_files(&paths, f.dir, cases[i].ca, cases[i].name)->files;
		ck_assert_int_lt(http_client_new(f.base, &options, &client, &err), 0);
		ck_assert_ptr_null(client);
		ck_assert_msg(strstr(err.text, cases[i].text), "%s", err.text);
		ck_assert_int_eq(strncmp(err.where, f.dir, strlen(f.dir)), 0);
	}
}
END_TEST

/* The files may be replaced by the time of a request: until then it says so. */
START_TEST(an_ended_certificate_is_named_at_each_request)
{
	struct http_client_options options = {.server_kind = TLS_KIND_CONTROLLER};
	struct http_client *client = NULL;
	struct pki_files paths;
	struct answer a;
	struct err err;

	options.tls = pki_files(&paths, f.dir, "ca", "old")->files;
	ck_assert_int_eq(http_client_new(f.base, &options, &client, &err), 0);
	a = ask(client, (struct http_exchange){0}, f.url, "/who");
	ck_assert_msg(strstr(a.error, "expired on"), "%s", a.error);
	http_client_free(client);
}
END_TEST

/* A client that checks nothing, showing any certificate or none. 0: it got an answer. */
static int careless_get(const struct fixture *fixture, const void *name)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	char path[256], host[] = "127.0.0.1", port[16], answer[512];
	BIO *bio;
	int got;

	if (name) {
		snprintf(path, sizeof path, "%s/%s.pem", fixture->dir, (const char *)name);
		CHILD_CHECK(SSL_CTX_use_certificate_file(tls, path, SSL_FILETYPE_PEM) == 1);
		snprintf(path, sizeof path, "%s/%s.key", fixture->dir, (const char *)name);
		CHILD_CHECK(SSL_CTX_use_PrivateKey_file(tls, path, SSL_FILETYPE_PEM) == 1);
	}
	bio = BIO_new_ssl_connect(tls);
	BIO_set_conn_hostname(bio, host);
	snprintf(port, sizeof port, "%u", fixture->tls_port);
	BIO_set_conn_port(bio, port);
	if (BIO_do_connect(bio) != 1 || BIO_puts(bio, "GET /who HTTP/1.1\r\nHost: x\r\n\r\n") <= 0)
		return 1;
	got = BIO_read(bio, answer, sizeof answer);
	return got > 0 ? 0 : 1;
}

START_TEST(clients_without_a_good_certificate_are_refused)
{
	static const char *const bad[] = {NULL, "old", "stranger", "nobody"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_int_eq(fixture_child(&f, careless_get, bad[i]), 1);
	ck_assert_int_eq(f.handled, 0);
	ck_assert_int_eq(fixture_child(&f, careless_get, "gw-a"), 0);
	ck_assert_int_eq(f.handled, 1);
}
END_TEST

START_TEST(bodies_are_taken_up_to_the_limit)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	char *big = calloc(1, (2 << 20) + 1);
	struct answer a;

	a = ask(client, (struct http_exchange){.method = "POST", .body = big, .body_size = 1000}, f.url,
		"/echo");
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(a.size, 1000);
	a = ask(client, (struct http_exchange){.method = "POST", .body = big, .body_size = 1001}, f.url,
		"/echo");
	ck_assert_int_eq(a.status, 413);
	ck_assert_str_eq(a.type, "application/problem+json");
	a = ask(client, (struct http_exchange){.method = "POST"}, f.url, "/echo");
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(a.size, 0);
	/* Above 1 MiB libcurl asks first: Expect: 100-continue. */
	a = ask(client, (struct http_exchange){.method = "PUT", .body = big, .body_size = 2 << 20}, f.url,
		"/big");
	ck_assert_int_eq(a.status, 204);
	ck_assert_uint_eq(f.body_size, 2 << 20);
	a = ask(client, (struct http_exchange){.method = "PUT", .body = big, .body_size = (2 << 20) + 1},
		f.url, "/big");
	ck_assert_int_eq(a.status, 413);
	ck_assert_int_eq(f.handled, 3);
	free(big);
	http_client_free(client);
}
END_TEST

START_TEST(answers_are_taken_up_to_the_limit)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	struct answer a = ask(client, (struct http_exchange){.response_max = 3}, f.url, "/who");

	ck_assert_int_eq(a.status, 200);
	a = ask(client, (struct http_exchange){.response_max = 2}, f.url, "/who");
	ck_assert_ptr_nonnull(strstr(a.error, "larger than 2 bytes"));
	http_client_free(client);
}
END_TEST

START_TEST(a_long_poll_is_answered_later)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	struct answer a = {0};
	struct http_exchange exchange = {.timeout_ms = 9000};
	char url[128];

	snprintf(url, sizeof url, "%s/hold", f.url);
	exchange.url = url;
	http_client_start(client, &exchange, take_answer, &a);
	fixture_wait(&f, &f.handled, 1);
	ck_assert_int_eq(a.count, 0);
	http_reply_json(f.held, 200, strdup("{}"));
	fixture_wait(&f, &a.count, 1);
	ck_assert_str_eq(a.error, "");
	ck_assert_str_eq(a.body, "{}");
	ck_assert_int_eq(f.gone, 0);
	http_client_free(client);
}
END_TEST

START_TEST(an_abandoned_long_poll_is_gone)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	struct answer a = {0};
	struct http_transfer *transfer;
	char url[128];

	snprintf(url, sizeof url, "%s/hold", f.url);
	transfer = http_client_start(client, &(struct http_exchange){.url = url}, take_answer, &a);
	fixture_wait(&f, &f.handled, 1);
	http_transfer_cancel(transfer);
	fixture_wait(&f, &f.gone, 1);
	ck_assert_int_eq(a.count, 0);
	ck_assert_uint_eq(http_server_connections(f.server), 0);
	http_client_free(client);
}
END_TEST

START_TEST(a_client_gives_up_in_time)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	struct answer a = ask(client, (struct http_exchange){0}, f.url, "/who");

	/* The connection is there: only the answer is waited for. */
	ck_assert_int_eq(a.status, 200);
	a = ask(client, (struct http_exchange){.timeout_ms = 500}, f.url, "/hold");
	ck_assert_ptr_nonnull(strstr(a.error, "no answer in time"));
	fixture_wait(&f, &f.gone, 1);
	http_client_free(client);
}
END_TEST

START_TEST(ending_the_server_tells_held_requests)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	struct answer a = {0};
	char url[128];

	snprintf(url, sizeof url, "%s/hold", f.url);
	http_client_start(client, &(struct http_exchange){.url = url}, take_answer, &a);
	fixture_wait(&f, &f.handled, 1);
	http_server_free(f.server);
	f.server = NULL;
	ck_assert_int_eq(f.gone, 1);
	fixture_wait(&f, &a.count, 1);
	ck_assert_str_ne(a.error, "");
	http_client_free(client);
}
END_TEST

START_TEST(a_closed_port_is_named)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	struct answer a = ask(client, (struct http_exchange){0}, "https://127.0.0.1:1", "/who");

	ck_assert_str_eq(a.error, "https://127.0.0.1:1: cannot connect: Connection refused");
	http_client_free(client);
}
END_TEST

static void hang_up(
	struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int length, void *context)
{
	(void)listener, (void)peer, (void)length, (void)context;
	close(fd);
}

/* As of a server that is being killed: the certificate there was not looked at, so nothing is said of it. */
START_TEST(a_server_that_hangs_up_is_not_distrusted)
{
	struct http_client *client = new_client("gw-a", TLS_KIND_CONTROLLER);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof at;
	struct evconnlistener *listener = evconnlistener_new_bind(
		f.base, hang_up, NULL, LEV_OPT_CLOSE_ON_FREE, 1, (struct sockaddr *)&at, sizeof at);
	struct answer a;
	char url[64];

	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&at, &length), 0);
	snprintf(url, sizeof url, "https://127.0.0.1:%u", ntohs(at.sin_port));
	a = ask(client, (struct http_exchange){0}, url, "/who");
	ck_assert_ptr_nonnull(strstr(a.error, url));
	ck_assert_ptr_null(strstr(a.error, "trusted"));
	evconnlistener_free(listener);
	http_client_free(client);
}
END_TEST

START_TEST(the_unix_socket_knows_the_uid)
{
	struct http_client_options options = {.unix_socket = f.socket_path};
	struct http_client *client;
	struct answer a;
	struct err err;

	ck_assert_int_eq(http_client_new(f.base, &options, &client, &err), 0);
	a = ask(client, (struct http_exchange){0}, "http://localhost", "/who");
	ck_assert_str_eq(a.error, "");
	ck_assert_int_eq(f.peer.kind, HTTP_PEER_LOCAL);
	ck_assert_uint_eq(f.peer.uid, getuid());
	http_client_free(client);
}
END_TEST

static int call(const struct fixture *fixture, const void *data)
{
	struct http_client_options options = {.server_kind = TLS_KIND_CONTROLLER};
	struct http_exchange exchange = {.method = "POST", .body = "abc", .body_size = 3};
	struct http_response response;
	struct pki_files paths;
	struct err err;
	char url[128];

	(void)data;
	options.tls = pki_files(&paths, fixture->dir, "ca", "gw-a")->files;
	snprintf(url, sizeof url, "%s/echo", fixture->url);
	exchange.url = url;
	CHILD_CHECK(http_call(&options, &exchange, &response, &err) == 0);
	CHILD_CHECK(response.status == 200 && response.size == 3 && strcmp(response.body, "abc") == 0);
	http_response_clear(&response);
	exchange = (struct http_exchange){.url = "https://127.0.0.1:1/"};
	CHILD_CHECK(http_call(&options, &exchange, &response, &err) == -ECONNREFUSED);
	options.tls = (struct tls_files){0};
	exchange.url = url;
	CHILD_CHECK(http_call(&options, &exchange, &response, &err) == -EINVAL);
	CHILD_CHECK(strstr(err.text, "TLS needs ca, certificate and key"));
	return 0;
}

START_TEST(a_blocking_call_does_the_same)
{
	ck_assert_int_eq(fixture_child(&f, call, NULL), 0);
}
END_TEST

START_TEST(renewed_certificates_count_for_new_connections)
{
	struct pki_files paths;
	struct answer a;
	struct err err;
	SSL_CTX *tls;
	struct http_client *client;

	pki_issue(f.dir, "ca", "gw-z", "holdfast:gateway:gw-z", -60, 3600);
	pki_files(&paths, f.dir, "ca", "gw-z");
	ck_assert_int_eq(tls_server_new(&paths.files, &tls, NULL, &err), 0);
	http_server_set_tls(f.server, tls);
	SSL_CTX_free(tls);
	client = new_client("gw-a", TLS_KIND_GATEWAY);
	a = ask(client, (struct http_exchange){0}, f.url, "/who");
	ck_assert_int_eq(a.status, 200);
	http_client_free(client);
}
END_TEST

struct watched {
	int64_t end_ms;
	uint64_t sent, size;
};

static bool watch(uint64_t sent, uint64_t size, void *context)
{
	struct watched *watched = context;

	watched->sent = sent > watched->sent ? sent : watched->sent;
	watched->size = size;
	return sent < size && clock_now_ms() < watched->end_ms;
}

/* What is in the socket and goes no further is not sent: whoever waits as long as bytes are sent would not wait for it. */
START_TEST(what_nobody_takes_is_not_sent)
{
	static char body[1 << 20];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct watched watched = {.end_ms = clock_now_ms() + 1500};
	struct http_client_options options = {.unix_socket = address.sun_path};
	struct http_exchange exchange = {.method = "PUT",
		.url = "http://nobody/",
		.body = body,
		.body_size = sizeof body,
		.goes_on = watch,
		.context = &watched};
	struct http_response response;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%.90s/deaf", f.dir);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(http_call(&options, &exchange, &response, NULL), -ECANCELED);
	ck_assert_uint_eq(watched.size, sizeof body);
	ck_assert_uint_eq(watched.sent, 0);
	close(fd);
}
END_TEST

/* It is held, and the body has arrived. */
static int upload(const struct fixture *fixture, const void *data)
{
	static char body[1 << 20];
	struct watched watched = {.end_ms = clock_now_ms() + 30000};
	struct http_client_options options = {.unix_socket = fixture->socket_path};
	struct http_exchange exchange = {.method = "PUT",
		.url = "http://somebody/keep",
		.body = body,
		.body_size = sizeof body,
		.goes_on = watch,
		.context = &watched};
	struct http_response response;

	(void)data;
	CHILD_CHECK(http_call(&options, &exchange, &response, NULL) == -ECANCELED);
	CHILD_CHECK(watched.sent == sizeof body);
	return 0;
}

START_TEST(what_has_arrived_is_sent)
{
	ck_assert_int_eq(fixture_child(&f, upload, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("together");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_set_timeout(tcase, 40);
	tcase_add_test(tcase, both_sides_show_who_they_are);
	tcase_add_test(tcase, a_server_of_another_kind_is_refused);
	tcase_add_test(tcase, a_server_of_another_name_is_refused);
	tcase_add_test(tcase, a_server_of_another_authority_is_refused);
	tcase_add_test(tcase, our_own_bad_files_are_named_at_once);
	tcase_add_test(tcase, an_ended_certificate_is_named_at_each_request);
	tcase_add_test(tcase, clients_without_a_good_certificate_are_refused);
	tcase_add_test(tcase, bodies_are_taken_up_to_the_limit);
	tcase_add_test(tcase, answers_are_taken_up_to_the_limit);
	tcase_add_test(tcase, a_long_poll_is_answered_later);
	tcase_add_test(tcase, an_abandoned_long_poll_is_gone);
	tcase_add_test(tcase, a_client_gives_up_in_time);
	tcase_add_test(tcase, ending_the_server_tells_held_requests);
	tcase_add_test(tcase, a_closed_port_is_named);
	tcase_add_test(tcase, a_server_that_hangs_up_is_not_distrusted);
	tcase_add_test(tcase, the_unix_socket_knows_the_uid);
	tcase_add_test(tcase, a_blocking_call_does_the_same);
	tcase_add_test(tcase, what_nobody_takes_is_not_sent);
	tcase_add_test(tcase, what_has_arrived_is_sent);
	tcase_add_test(tcase, renewed_certificates_count_for_new_connections);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
