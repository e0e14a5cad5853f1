/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io/clock.h"
#include "net.h"
#include "node-agent/io/device_reader/device_reader.h"
#include "sandbox.h"

/* Programs behind sockets that answer when the test lets them. */

enum { PATIENCE_MS = 30000, SHORT_MS = 100, READS_MAX = 200 };

static struct err err;
static struct event_base *base;
static struct device_reader *reader;
static int answers[2], asked[2]; /* pipes: a byte each */

struct taken {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	int result;
	bool userspace, was_asked;
	uint16_t listen_port;
	size_t peer_count;
};
static struct taken reads[READS_MAX];
static size_t read_count;
static const char *again; /* a tunnel that is asked for once more while another is handed over */

static void take(struct device_read *read, void *context)
{
	struct taken *taken = &reads[read_count++];

	ck_assert_ptr_eq(context, &reads);
	ck_assert_int_ge(read->took_us, 0);
	ck_assert_int_le(read->began_ms, clock_now_ms());
	memcpy(taken->tunnel, read->tunnel, sizeof taken->tunnel);
	taken->result = read->result;
	taken->userspace = read->userspace;
	taken->was_asked = device_reader_is_asked(reader, read->tunnel);
	taken->listen_port = read->device.listen_port;
	taken->peer_count = read->device.peer_count;
	if (again)
		ck_assert(device_reader_ask(reader, again, PATIENCE_MS));
	again = NULL;
}

static int listen_on(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "/run/wireguard/%s.sock", name);
	unlink(address.sun_path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

/* Who only looks whether anybody is there says nothing. */
static void answer(int connection, const char *text)
{
	char question[64], byte = 0;

	if (read(connection, question, sizeof question) <= 0)
		return;
	(void)!write(asked[1], &byte, 1);
	if (read(answers[0], &byte, 1) == 1)
		(void)!send(connection, text, strlen(text), MSG_NOSIGNAL);
}

static pid_t serve(const char *name, const char *text)
{
	int fd = listen_on(name), connection;
	pid_t pid = fork();

	if (pid == 0) {
		while ((connection = accept(fd, NULL, NULL)) >= 0) {
			answer(connection, text);
			close(connection);
		}
		_exit(0);
	}
	close(fd);
	return pid;
}

static void setup(void)
{
	sandbox_enter();
	ck_assert_int_eq(pipe(answers), 0);
	ck_assert_int_eq(pipe(asked), 0);
	base = event_base_new();
	NET_OK(&err, device_reader_new(base, take, &reads, &reader, &err));
}

static void end(void)
{
	device_reader_free(reader);
	event_base_free(base);
}

static void let_answer(size_t times)
{
	while (times--)
		ck_assert_int_eq(write(answers[1], "", 1), 1);
}

static void wait_until_asked(void)
{
	char byte;

	ck_assert_int_eq(read(asked[0], &byte, 1), 1);
}

static void wait_for_reads(size_t count)
{
	while (read_count < count)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

static const char DEVICE[] = "listen_port=51820\n"
			     "public_key=0100000000000000000000000000000000000000000000000000000000000000\n"
			     "public_key=0200000000000000000000000000000000000000000000000000000000000000\n"
			     "errno=0\n\n";

START_TEST(test_the_loop_goes_on_meanwhile)
{
	serve("wg0", DEVICE);
	ck_assert(device_reader_ask(reader, "wg0", PATIENCE_MS));
	wait_until_asked();
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(read_count, 0);
	ck_assert(device_reader_is_asked(reader, "wg0"));
	ck_assert(!device_reader_ask(reader, "wg0", PATIENCE_MS)); /* one at a time */
	let_answer(1);
	wait_for_reads(1);
	ck_assert_int_eq(reads[0].result, 0);
	ck_assert_str_eq(reads[0].tunnel, "wg0");
	ck_assert(reads[0].userspace && !reads[0].was_asked);
	ck_assert_uint_eq(reads[0].listen_port, 51820);
	ck_assert_uint_eq(reads[0].peer_count, 2);
	end();
}
END_TEST

START_TEST(test_one_after_another_and_again_from_within)
{
	serve("wg0", DEVICE);
	serve("wg1", "listen_port=1\nerrno=0\n\n");
	let_answer(3);
	again = "wg0";
	ck_assert(device_reader_ask(reader, "wg0", PATIENCE_MS));
	ck_assert(device_reader_ask(reader, "wg1", PATIENCE_MS));
	wait_for_reads(3);
	ck_assert_str_eq(reads[0].tunnel, "wg0");
	ck_assert_str_eq(reads[1].tunnel, "wg1");
	ck_assert_uint_eq(reads[1].listen_port, 1);
	ck_assert_str_eq(reads[2].tunnel, "wg0");
	ck_assert_uint_eq(reads[2].peer_count, 2);
	ck_assert(!device_reader_is_asked(reader, "wg1"));
	end();
}
END_TEST

START_TEST(test_failures_are_told_and_the_next_reading_begins_anew)
{
	pid_t first = serve("wg0", "errno=0\n\n");

	let_answer(1);
	device_reader_ask(reader, "none", PATIENCE_MS);
	device_reader_ask(reader, "wg0", PATIENCE_MS);
	wait_for_reads(2);
	ck_assert_int_eq(reads[0].result, -ENODEV);
	ck_assert_int_eq(reads[1].result, 0);
	kill(first, SIGKILL);
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	device_reader_ask(reader, "wg0", PATIENCE_MS);
	wait_for_reads(3);
	ck_assert_int_eq(reads[2].result, -ENODEV);
	ck_assert_uint_eq(reads[2].peer_count, 0);
	serve("wg0", DEVICE);
	let_answer(1);
	device_reader_ask(reader, "wg0", PATIENCE_MS);
	wait_for_reads(4);
	ck_assert_uint_eq(reads[3].peer_count, 2);
	end();
}
END_TEST

START_TEST(test_who_hangs_is_waited_for_briefly)
{
	serve("wg0", DEVICE);
	device_reader_ask(reader, "wg0", SHORT_MS);
	wait_for_reads(1);
	ck_assert_int_eq(reads[0].result, -ETIMEDOUT);
	ck_assert(reads[0].userspace);
	end();
}
END_TEST

START_TEST(test_at_most_so_many_are_asked_for)
{
	char name[16];

	serve("wg0", DEVICE);
	for (int i = 0; i < PROTO_TUNNELS_MAX; i++) {
		snprintf(name, sizeof name, "wg%d", i);
		ck_assert(device_reader_ask(reader, name, PATIENCE_MS));
	}
	ck_assert(!device_reader_ask(reader, "more", PATIENCE_MS));
	let_answer(1);
	wait_for_reads(1);
	ck_assert(device_reader_ask(reader, "more", PATIENCE_MS));
	wait_for_reads(PROTO_TUNNELS_MAX + 1);
	ck_assert_str_eq(reads[PROTO_TUNNELS_MAX].tunnel, "more");
	end();
}
END_TEST

/* What is read, done, and waiting when it ends: LeakSanitizer sees whether anything is left. */
START_TEST(test_an_end_at_any_time)
{
	serve("wg0", DEVICE);
	let_answer(2);
	ck_assert(device_reader_ask(reader, "wg0", PATIENCE_MS));
	ck_assert(device_reader_ask(reader, "wg1", PATIENCE_MS));
	wait_until_asked();
	end();
	ck_assert_uint_eq(read_count, 0);
	device_reader_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("device-reader");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, test_the_loop_goes_on_meanwhile);
	tcase_add_test(all, test_one_after_another_and_again_from_within);
	tcase_add_test(all, test_failures_are_told_and_the_next_reading_begins_anew);
	tcase_add_test(all, test_who_hangs_is_waited_for_briefly);
	tcase_add_test(all, test_at_most_so_many_are_asked_for);
	tcase_add_test(all, test_an_end_at_any_time);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
