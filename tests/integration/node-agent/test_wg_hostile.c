/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "node-agent/io/wireguard/internal.h"
#include "node-agent/io/wireguard/wireguard.h"
#include "sandbox.h"

/* Programs behind the socket that mean no good. */

/* For silence, which is heard to its end; and for answers, which a slow machine takes its time for. */
enum { SHORT_TIMEOUT_MS = 200, LONG_TIMEOUT_MS = 30000 };

static struct err err;
static pid_t server;

static int listen_on(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

typedef void behaviour(int connection);

/* Serve connections for ever, one after another: the sandbox ends it. */
static struct wg *serve(behaviour *behave, int timeout_ms)
{
	int fd = listen_on("/run/wireguard/wg0.sock"), connection;
	struct wg *wg = NULL;

	server = fork();
	if (server == 0) {
		while ((connection = accept(fd, NULL, NULL)) >= 0) {
			behave(connection);
			close(connection);
		}
		_exit(0);
	}
	close(fd);
	NET_OK(&err, wg_open("wg0", timeout_ms, &wg, &err));
	return wg;
}

static void expect(behaviour *behave, int get_result, int set_result)
{
	struct wg *wg = serve(behave, get_result == -ETIMEDOUT ? SHORT_TIMEOUT_MS : LONG_TIMEOUT_MS);
	struct wg_change change = {.flags = WG_SET_FWMARK};
	struct wg_device device;

	ck_assert_int_eq(wg_get(wg, &device, &err), get_result);
	ck_assert_int_eq(wg_set(wg, &change, &err), set_result);
	wg_close(wg);
}

static void say(int connection, const char *text)
{
	(void)!send(connection, text, strlen(text), MSG_NOSIGNAL);
}

static void hear(int connection)
{
	char buffer[4096];

	(void)!read(connection, buffer, sizeof buffer);
}

static void silent(int connection)
{
	char buffer[4096];

	while (read(connection, buffer, sizeof buffer) > 0)
		;
}

START_TEST(test_silence_has_a_deadline)
{
	expect(silent, -ETIMEDOUT, -ETIMEDOUT);
	ck_assert_str_eq(err.text, "wg0: cannot change the WireGuard configuration: Connection timed out");
}
END_TEST

static void closing(int connection)
{
	hear(connection);
}

START_TEST(test_an_end_without_an_answer)
{
	expect(closing, -EPIPE, -EPIPE);
}
END_TEST

static void endless_line(int connection)
{
	hear(connection);
	while (send(connection, "xxxxxxxxxxxxxxxx", 16, MSG_NOSIGNAL) == 16)
		;
}

START_TEST(test_an_endless_line)
{
	expect(endless_line, -EMSGSIZE, -EMSGSIZE);
	ck_assert_msg(strstr(err.text, "beyond all bounds"), "%s", err.text);
}
END_TEST

static void endless_lines(int connection)
{
	static char lines[1 << 16];
	size_t i;

	for (i = 0; i < sizeof lines; i++)
		lines[i] = i % 64 == 63 ? '\n' : i % 64 == 1 ? '=' : 'a';
	hear(connection);
	while (send(connection, lines, sizeof lines, MSG_NOSIGNAL) > 0)
		;
}

START_TEST(test_an_endless_reply)
{
	expect(endless_lines, -EMSGSIZE, -EMSGSIZE);
}
END_TEST

static void nonsense(int connection)
{
	hear(connection);
	say(connection, "HTTP/1.1 400 Bad Request\r\n\r\n");
}

START_TEST(test_another_protocol)
{
	expect(nonsense, -EPROTO, -EPROTO);
	ck_assert_str_eq(err.text, "wg0: the answer on /var/run/wireguard/wg0.sock cannot be understood");
}
END_TEST

static void half(int connection)
{
	hear(connection);
	say(connection,
		"private_key=0100000000000000000000000000000000000000000000000000000000000000\nlisten_po");
}

START_TEST(test_half_an_answer)
{
	expect(half, -EPIPE, -EPIPE);
}
END_TEST

/* It refuses the first line, and does not read on: the answer is what counts, not the broken pipe. */
static void refusing(int connection)
{
	char byte;

	(void)!read(connection, &byte, 1);
	say(connection, "errno=-22\n\n");
}

START_TEST(test_a_refusal_before_the_question_is_out)
{
	enum { COUNT = 100000 };
	struct prefix *prefixes = calloc(COUNT, sizeof *prefixes);
	struct wg_peer_change peer = {.allowed_ips = prefixes, .allowed_ip_count = COUNT};
	struct wg_change change = {.peers = &peer, .peer_count = 1};
	struct wg *wg = serve(refusing, LONG_TIMEOUT_MS);
	size_t i;

	for (i = 0; i < COUNT; i++)
		prefixes[i] = net_prefix("10.0.0.0/8");
	ck_assert_int_eq(wg_set(wg, &change, &err), -EINVAL);
	wg_close(wg);
	free(prefixes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wg-hostile");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, sandbox_enter, NULL);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, test_silence_has_a_deadline);
	tcase_add_test(all, test_an_end_without_an_answer);
	tcase_add_test(all, test_an_endless_line);
	tcase_add_test(all, test_an_endless_reply);
	tcase_add_test(all, test_another_protocol);
	tcase_add_test(all, test_half_an_answer);
	tcase_add_test(all, test_a_refusal_before_the_question_is_out);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
