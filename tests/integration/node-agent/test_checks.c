/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/checks/checks.h"
#include "tests/integration/node-agent/sandbox.h"

/* The user's checks against real sockets, in a network namespace. */

/* EVERY_MS is also how long an answer may take, on a machine that does much else. */
enum { PORT = 8080, PATIENCE_S = 25, EVERY_MS = 40, STAYS_UP_MS = 6 * EVERY_MS, FALL = 2, FALL_SLOWLY = 4 };

static struct event_base *base;
static struct checks *checks;
static struct desired *desired;
static struct addr own;               /* for checks that name an interface; without a family: there is none */
static const char *answer;            /* of the server; NULL: it closes at once */
static const char *rest;              /* ... and what follows some ms later; NULL: nothing */
static bool allows = true;            /* programs */
static unsigned changes;              /* told so far */
static bool down;                     /* the last of them */
static char text[CHECKS_FAILURE_MAX]; /* ... and why */

static int find_source(const char *interface, const struct addr *to, struct addr *ret_source, void *context)
{
	(void)interface;
	(void)to;
	(void)context;
	*ret_source = own;
	return addr_is_set(&own) ? 0 : -EADDRNOTAVAIL;
}

static bool is_allowed(const char *path, void *context)
{
	(void)path;
	(void)context;
	return allows;
}

static void on_changed(const char *endpoint, bool is_down, const char *what, const char *why, void *context)
{
	(void)what;
	(void)context;
	ck_assert_str_eq(endpoint, "vpn");
	changes++;
	down = is_down;
	text_copy(text, sizeof(text), why);
	event_base_loopbreak(base);
}

static void finish(evutil_socket_t none, short what, void *context)
{
	int fd = (int)(intptr_t)context;

	(void)none;
	(void)what;
	if (rest)
		(void)send(fd, rest, strlen(rest), MSG_NOSIGNAL); /* nobody waits for it, it may be */
	shutdown(fd, SHUT_WR);
	close(fd);
}

static void on_accepted(
	struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int size, void *context)
{
	(void)listener;
	(void)from;
	(void)size;
	(void)context;
	if (answer)
		ck_assert_int_gt(send(fd, answer, strlen(answer), MSG_NOSIGNAL), 0);
	if (rest)
		event_base_once(base, -1, EV_TIMEOUT, finish, (void *)(intptr_t)fd,
			&(struct timeval){.tv_usec = 5000});
	else
		finish(-1, 0, (void *)(intptr_t)fd);
}

static struct evconnlistener *listen_on(const char *address)
{
	struct endpoint endpoint = {.port = PORT};
	struct sockaddr_storage sockaddr;
	socklen_t size;
	struct evconnlistener *listener;

	ck_assert_int_eq(addr_parse(address, &endpoint.addr, NULL), 0);
	size = endpoint_to_sockaddr(&endpoint, &sockaddr);
	listener = evconnlistener_new_bind(base, on_accepted, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE,
		-1, (struct sockaddr *)&sockaddr, (int)size);
	ck_assert_ptr_nonnull(listener);
	return listener;
}

static void setup(void)
{
	struct checks_ops ops = {
		.source = find_source, .changed = on_changed, .allowed = is_allowed, .gateway = "gw-a"};
	struct err err = {0};

	sandbox_enter();
	base = event_base_new();
	ck_assert_msg(checks_new(base, &ops, &checks, &err) == 0, "%s", err.text);
	desired = desired_new();
	desired->endpoint_count = 1;
	desired->endpoints = mem_new(1, sizeof(*desired->endpoints));
	text_copy(desired->endpoints[0].name, sizeof(desired->endpoints[0].name), "vpn");
	own = (struct addr){0};
	changes = 0;
	down = false;
	allows = true;
	answer = rest = NULL;
}

static void teardown(void)
{
	checks_free(checks);
	desired_free(desired);
	event_base_free(base);
}

static struct desired_check *ask(enum desired_check_kind kind, const char *address, const char *path)
{
	struct desired_check *check = &desired->endpoints[0].checks[0];

	*check = (struct desired_check){
		.kind = kind, .every_ms = EVERY_MS, .timeout_ms = EVERY_MS, .fall = FALL, .rise = 2};
	desired->endpoints[0].check_count = 1;
	if (address)
		ck_assert_int_eq(addr_parse(address, &check->target.addr, NULL), 0);
	check->target.port = kind == CHECK_TCP || kind == CHECK_HTTP ? PORT : 0;
	text_copy(check->path, sizeof(check->path), path);
	return check;
}

static void run_for(int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_base_loopexit(base, &wait);
	event_base_dispatch(base);
}

static void wait_until(bool is_down)
{
	unsigned before = changes;

	run_for(PATIENCE_S * 1000);
	ck_assert_msg(changes == before + 1 && down == is_down, "it is not %s", is_down ? "down" : "up");
}

/* An answer that is late because this machine is busy does not make it fall. */
static void check_stays_up(void)
{
	desired->endpoints[0].checks[0].fall = FALL_SLOWLY;
	checks_set(checks, desired);
	run_for(STAYS_UP_MS);
	ck_assert_msg(changes == 0, "it fell: %s", text);
}

static void check_falls(const char *why)
{
	char said[CHECKS_FAILURE_MAX];

	checks_set(checks, desired);
	wait_until(true);
	ck_assert_str_eq(text, why);
	ck_assert(checks_failure(checks, "vpn", said));
	ck_assert_msg(strstr(said, why) != NULL, "%s", said);
	ck_assert(!checks_failure(checks, "other", said));
}

static const char *const selves[] = {"127.0.0.1", "::1"};

START_TEST(test_ping_answered)
{
	ask(CHECK_PING, selves[_i], "");
	check_stays_up();
}
END_TEST

/* It falls, and rises again once somebody answers. */
START_TEST(test_ping_unanswered_then_answered)
{
	ask(CHECK_PING, "192.0.2.7", "");
	check_falls("Network is unreachable");
	sandbox_run("ip addr add 192.0.2.7/32 dev lo");
	wait_until(false);
}
END_TEST

START_TEST(test_ping_lost)
{
	sandbox_run("ip link add out type veth peer name far");
	sandbox_run("ip link set out up");
	sandbox_run("ip link set far up");
	sandbox_run("ip addr add 192.0.2.1/24 dev out");
	ask(CHECK_PING, "192.0.2.7", "");
	check_falls("no answer within 40 ms");
}
END_TEST

START_TEST(test_tcp)
{
	struct evconnlistener *listener = listen_on(selves[_i]);

	ask(CHECK_TCP, selves[_i], "");
	check_stays_up();
	evconnlistener_free(listener);
	wait_until(true);
	ck_assert_str_eq(text, "Connection refused");
	listener = listen_on(selves[_i]);
	wait_until(false);
	evconnlistener_free(listener);
}
END_TEST

static const struct {
	const char *answer, *why;
} answers[] = {
	{"HTTP/1.1 200 OK\r\n\r\n", NULL},
	{"HTTP/1.0 302 Found\r\n\r\n", NULL},
	{"HTTP/1.1 503 Service Unavailable\r\n\r\n", "answers with status 503"},
	{"HTTP/1.1 199 Early\r\n\r\n", "answers with status 199"},
	{"HTTP/1.1 400 Bad Request\r\n\r\n", "answers with status 400"},
	{"SSH-2.0-OpenSSH\r\n", "answers no HTTP"},
	{NULL, "closes the connection without an answer"},
};

START_TEST(test_http)
{
	struct evconnlistener *listener = listen_on("127.0.0.1");

	answer = answers[_i].answer;
	ask(CHECK_HTTP, "127.0.0.1", "/health");
	if (answers[_i].why)
		check_falls(answers[_i].why);
	else
		check_stays_up();
	evconnlistener_free(listener);
}
END_TEST

START_TEST(test_http_in_pieces)
{
	struct evconnlistener *listener = listen_on("127.0.0.1");

	answer = "HTTP/1.";
	rest = "1 200 OK\r\n\r\n";
	ask(CHECK_HTTP, "127.0.0.1", "/health")->timeout_ms = 200;
	desired->endpoints[0].checks[0].every_ms = 200;
	check_stays_up();
	rest = "1 503 Service Unavailable\r\n\r\n";
	wait_until(true);
	ck_assert_str_eq(text, "answers with status 503");
	evconnlistener_free(listener);
}
END_TEST

START_TEST(test_no_own_address_to_ask_from)
{
	text_copy(ask(CHECK_PING, "127.0.0.1", "")->interface, PROTO_INTERFACE_MAX + 1, "lo");
	check_falls("this gateway has no address of its own there to ask from");
	ck_assert_int_eq(addr_parse("127.0.0.5", &own, NULL), 0);
	wait_until(false);
}
END_TEST

static void write_program(const char *text_of_it)
{
	FILE *file = fopen("/run/new", "w");

	ck_assert_ptr_nonnull(file);
	fputs(text_of_it, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod("/run/new", 0755), 0);
	ck_assert_int_eq(rename("/run/new", "/run/check"), 0); /* the old one may be running */
}

START_TEST(test_program)
{
	struct desired_check *check = ask(CHECK_PROGRAM, NULL, "/run/check");

	text_copy(check->interface, sizeof(check->interface), "lo");
	check->every_ms = check->timeout_ms = 500;
	check->fall = check->rise = 1;
	write_program("#!/bin/sh\necho \"$HOLDFAST_ENDPOINT $HOLDFAST_GATEWAY $HOLDFAST_INTERFACE: disk "
		      "full\"; exit 2\n");
	check_falls("exit status 2: vpn gw-a lo: disk full");
	write_program("#!/bin/sh\nexit 0\n");
	wait_until(false);
	allows = false;
	wait_until(true);
	ck_assert_str_eq(text, "this gateway's agent.yaml does not allow it: see programs:");
}
END_TEST

START_TEST(test_program_that_hangs)
{
	struct desired_check *check = ask(CHECK_PROGRAM, NULL, "/run/check");

	check->every_ms = check->timeout_ms = 500;
	check->rise = 1;
	write_program("#!/bin/sh\necho asking the disk\nsleep 1000\n");
	check_falls("no end within 500 ms: asking the disk");
	write_program("#!/bin/sh\nexit 0\n");
	wait_until(false);
}
END_TEST

/* What it is now is not forgotten because something else was applied. */
START_TEST(test_a_new_generation_keeps_what_is_known)
{
	char why[CHECKS_FAILURE_MAX];

	ask(CHECK_PING, "192.0.2.7", "");
	check_falls("Network is unreachable");
	checks_set(checks, desired);
	ck_assert(checks_failure(checks, "vpn", why));
	desired->endpoints[0].checks[0].fall++;
	checks_set(checks, desired);
	ck_assert(!checks_failure(checks, "vpn", why));
	checks_set(checks, NULL);
	run_for(100);
	ck_assert_uint_eq(changes, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("checks");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 30);
	tcase_add_loop_test(all, test_ping_answered, 0, ARRAY_COUNT(selves));
	tcase_add_test(all, test_ping_unanswered_then_answered);
	tcase_add_test(all, test_ping_lost);
	tcase_add_loop_test(all, test_tcp, 0, ARRAY_COUNT(selves));
	tcase_add_loop_test(all, test_http, 0, ARRAY_COUNT(answers));
	tcase_add_test(all, test_http_in_pieces);
	tcase_add_test(all, test_no_own_address_to_ask_from);
	tcase_add_test(all, test_program);
	tcase_add_test(all, test_program_that_hangs);
	tcase_add_test(all, test_a_new_generation_keeps_what_is_known);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
