/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node-agent/io/netlink/datagram.h"

/* Messages are taken off a datagram as far as their lengths are true, and datagrams from the kernel alone. */

static uint8_t buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));

static struct nlmsghdr *put(size_t at, uint32_t length)
{
	struct nlmsghdr *message = (void *)(buffer + at);

	*message = (struct nlmsghdr){.nlmsg_len = length};
	return message;
}

START_TEST(test_messages_follow_each_other_padded)
{
	struct netlink_datagram datagram = {buffer, 60};

	put(0, 16);
	put(16, 21); /* and three bytes of padding */
	put(40, 18); /* the last, with two */
	ck_assert_ptr_eq(netlink_datagram_next(&datagram), buffer);
	ck_assert_ptr_eq(netlink_datagram_next(&datagram), buffer + 16);
	ck_assert_ptr_eq(netlink_datagram_next(&datagram), buffer + 40);
	ck_assert_ptr_null(netlink_datagram_next(&datagram));
}
END_TEST

START_TEST(test_the_last_may_lack_its_padding)
{
	struct netlink_datagram datagram = {buffer, 17};

	put(0, 17);
	ck_assert_ptr_eq(netlink_datagram_next(&datagram), buffer);
	ck_assert_uint_eq(datagram.size_bytes, 0);
	ck_assert_ptr_null(netlink_datagram_next(&datagram));
}
END_TEST

/* Of a datagram of 32 bytes. */
static const struct {
	uint32_t length;
	bool taken;
} lengths[] = {{0, false}, {15, false}, {16, true}, {32, true}, {33, false}, {INT_MAX, false},
	{(uint32_t)INT_MAX + 1, false}, {UINT32_MAX - 2, false}, {UINT32_MAX, false}};

START_TEST(test_length)
{
	struct netlink_datagram datagram = {buffer, 32};

	put(0, lengths[_i].length);
	ck_assert_int_eq(netlink_datagram_next(&datagram) != NULL, lengths[_i].taken);
}
END_TEST

START_TEST(test_less_than_a_header)
{
	struct netlink_datagram none = {NULL, 0}, datagram = {buffer, sizeof(struct nlmsghdr) - 1};

	put(0, 16);
	ck_assert_ptr_null(netlink_datagram_next(&none));
	ck_assert_ptr_null(netlink_datagram_next(&datagram));
}
END_TEST

static int open_socket(struct sockaddr_nl *ret_address)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	socklen_t size = sizeof address;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_address = address;
	return fd;
}

/* NETLINK_USERSOCK lets anybody send to anybody; what root may do on any protocol. */
START_TEST(test_what_others_send_is_skipped)
{
	struct netlink_datagram datagram = {NULL, 0};
	struct sockaddr_nl ours, theirs;
	int fd = open_socket(&ours), other = open_socket(&theirs);
	uint8_t received[16];

	put(0, 16);
	ck_assert_int_eq(sendto(other, buffer, 16, 0, (struct sockaddr *)&ours, sizeof ours), 16);
	ck_assert_int_eq(netlink_datagram_receive(fd, received, sizeof received, &datagram), -EAGAIN);
	ck_assert_ptr_null(datagram.messages);
	close(fd);
	close(other);
}
END_TEST

/* The kernel refuses a request that it does not know, in 36 bytes. */
START_TEST(test_what_the_kernel_sends_is_taken_if_there_is_room)
{
	struct netlink_datagram datagram = {NULL, 0};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const struct nlmsghdr *message;
	uint8_t received[36] __attribute__((aligned(NLMSG_ALIGNTO)));

	ck_assert_int_ge(fd, 0);
	*put(0, 16) = (struct nlmsghdr){
		.nlmsg_len = 16, .nlmsg_type = UINT16_MAX, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 7};
	for (size_t room = 35; room <= 36; room++) {
		ck_assert_int_eq(sendto(fd, buffer, 16, 0, (struct sockaddr *)&kernel, sizeof kernel), 16);
		ck_assert_int_eq(
			netlink_datagram_receive(fd, received, room, &datagram), room < 36 ? -EMSGSIZE : 0);
	}
	message = netlink_datagram_next(&datagram);
	ck_assert_ptr_nonnull(message);
	ck_assert_int_eq(message->nlmsg_type, NLMSG_ERROR);
	ck_assert_int_eq(message->nlmsg_seq, 7);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("netlink-datagram");
	TCase *all = tcase_create("all");

	tcase_add_test(all, test_messages_follow_each_other_padded);
	tcase_add_test(all, test_the_last_may_lack_its_padding);
	tcase_add_loop_test(all, test_length, 0, sizeof lengths / sizeof *lengths);
	tcase_add_test(all, test_less_than_a_header);
	tcase_add_test(all, test_what_others_send_is_skipped);
	tcase_add_test(all, test_what_the_kernel_sends_is_taken_if_there_is_room);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
