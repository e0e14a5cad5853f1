/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whoever begins a handshake and leaves it at that keeps nobody out. They come from addresses of 127.0.0.0/8. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io/http_connection.h"
#include "common/io/http_handshake.h"
#include "server.h"

enum { SHARE = HTTP_HANDSHAKES_PER_SOURCE_MAX, PLACES = 8, PATIENCE_MS = 8000 };

static struct fixture f;
static struct http_server *server;

static void open_server(size_t connections_max)
{
	struct http_server_options options = {.connections_max = connections_max};
	struct pki_files paths;
	struct err err;
	SSL_CTX *tls;

	server = http_server_new(f.base, &options);
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
	server = NULL;
}

static void close_all(void)
{
	http_server_free(server);
	fixture_close(&f);
}

/* ---- who counts as one ---- */

static struct http_peer peer_at(const char *address)
{
	struct http_peer peer = {.kind = HTTP_PEER_ANONYMOUS};

	ck_assert_int_eq(addr_parse(address, &peer.address.addr, NULL), 0);
	return peer;
}

static bool is_admitted(const char *address)
{
	struct http_peer peer = peer_at(address);

	return http_handshake_is_admitted(server, &peer);
}

/* As many as have their share under way, from that address. */
static void begin_from(struct http_connection *connections, const char *address)
{
	for (int i = 0; i < SHARE; i++) {
		ck_assert_msg(is_admitted(address), "%s is refused after %d", address, i);
		connections[i] = (struct http_connection){.server = server, .peer = peer_at(address)};
		http_handshake_begin(&connections[i]);
	}
}

static void check_share(const char *address, const char *same, const char *other)
{
	struct http_connection connections[SHARE];

	server = http_server_new(f.base, NULL);
	begin_from(connections, address);
	ck_assert(!is_admitted(address));
	ck_assert(!is_admitted(same));
	ck_assert(is_admitted(other));
	ck_assert_uint_eq(http_server_counters(server).handshakes_limited, 2);
	http_handshake_end(&connections[SHARE / 2]);
	ck_assert(is_admitted(same));
	for (int i = 0; i < SHARE; i++)
		if (i != SHARE / 2)
			http_handshake_end(&connections[i]);
}

START_TEST(an_ipv4_address_has_a_share)
{
	check_share("192.0.2.1", "192.0.2.1", "192.0.2.2");
}
END_TEST

START_TEST(an_ipv6_64_has_a_share)
{
	check_share("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1");
}
END_TEST

/* ---- on sockets, in a child ---- */

/* Nothing is sent: the handshake has not begun for whoever comes, and is open for the server. */
static int connect_from(const char *source)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(f.tls_port)};
	struct timeval limit = {.tv_sec = PATIENCE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	inet_pton(AF_INET, source, &from.sin_addr);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
		connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	return -1;
}

static bool is_closed(int fd, int wait_ms)
{
	struct pollfd ends = {.fd = fd, .events = POLLRDHUP};

	return poll(&ends, 1, wait_ms) == 1;
}

static bool finishes(int fd)
{
	SSL *ssl = SSL_new(SSL_CTX_new(TLS_client_method()));

	SSL_set_fd(ssl, fd);
	return SSL_connect(ssl) == 1;
}

static bool comes(const char *source)
{
	int fd = connect_from(source);

	return fd >= 0 && finishes(fd);
}

static int begin_many(int *fds, int count, const char *source)
{
	for (int i = 0; i < count; i++)
		CHILD_CHECK((fds[i] = connect_from(source)) >= 0);
	return 0;
}

static int one_too_many(const struct fixture *fixture, const void *data)
{
	int fds[SHARE];

	(void)fixture;
	(void)data;
	CHILD_CHECK(begin_many(fds, SHARE, "127.0.0.2") == 0);
	CHILD_CHECK(is_closed(connect_from("127.0.0.2"), PATIENCE_MS));
	for (int i = 0; i < SHARE; i++)
		CHILD_CHECK(!is_closed(fds[i], 0));
	CHILD_CHECK(comes("127.0.0.3"));
	CHILD_CHECK(finishes(fds[SHARE - 1])); /* it does not count any more */
	CHILD_CHECK(comes("127.0.0.2"));
	return 0;
}

START_TEST(beyond_its_share_a_source_is_refused)
{
	open_server(2 * SHARE);
	ck_assert_int_eq(fixture_child(&f, one_too_many, NULL), 0);
	ck_assert_uint_eq(http_server_counters(server).handshakes_limited, 1);
	ck_assert_uint_eq(http_server_counters(server).handshakes_displaced, 0);
}
END_TEST

static int the_oldest_give_way(const struct fixture *fixture, const void *data)
{
	int fds[PLACES];

	(void)fixture;
	(void)data;
	CHILD_CHECK(begin_many(fds, PLACES, "127.0.0.2") == 0);
	CHILD_CHECK(comes("127.0.0.3"));
	CHILD_CHECK(is_closed(fds[0], PATIENCE_MS));
	CHILD_CHECK(!is_closed(fds[1], 0));
	CHILD_CHECK(comes("127.0.0.3"));
	CHILD_CHECK(is_closed(fds[1], PATIENCE_MS));
	for (int i = 2; i < PLACES; i++)
		CHILD_CHECK(!is_closed(fds[i], 0));
	return 0;
}

START_TEST(the_oldest_unfinished_gives_way)
{
	open_server(PLACES);
	ck_assert_int_eq(fixture_child(&f, the_oldest_give_way, NULL), 0);
	ck_assert_uint_eq(http_server_counters(server).handshakes_displaced, 2);
	ck_assert_uint_eq(http_server_counters(server).connections_refused, 0);
}
END_TEST

static int all_have_finished(const struct fixture *fixture, const void *data)
{
	(void)fixture;
	(void)data;
	for (int i = 0; i < PLACES; i++)
		CHILD_CHECK(comes("127.0.0.2"));
	CHILD_CHECK(is_closed(connect_from("127.0.0.3"), PATIENCE_MS));
	return 0;
}

START_TEST(who_has_finished_stays)
{
	open_server(PLACES);
	ck_assert_int_eq(fixture_child(&f, all_have_finished, NULL), 0);
	ck_assert_uint_eq(http_server_counters(server).connections_refused, 1);
	ck_assert_uint_eq(http_server_counters(server).handshakes_displaced, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http-handshake");
	TCase *tcase = tcase_create("unfinished");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_add_test(tcase, an_ipv4_address_has_a_share);
	tcase_add_test(tcase, an_ipv6_64_has_a_share);
	tcase_add_test(tcase, beyond_its_share_a_source_is_refused);
	tcase_add_test(tcase, the_oldest_unfinished_gives_way);
	tcase_add_test(tcase, who_has_finished_stays);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
