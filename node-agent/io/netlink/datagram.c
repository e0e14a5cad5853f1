/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/netlink/datagram.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

/* mnl_nlmsg_ok() of libmnl (1.0.4) compares as int: there a length beyond INT_MAX is less than what is left. */
const struct nlmsghdr *netlink_datagram_next(struct netlink_datagram *datagram)
{
	const struct nlmsghdr *message = datagram->messages;
	size_t size, left = datagram->size_bytes;

	if (left < sizeof *message || message->nlmsg_len < sizeof *message || message->nlmsg_len > left)
		return NULL;
	size = NLMSG_ALIGN((size_t)message->nlmsg_len);
	if (size > left) /* the last may lack its padding */
		size = left;
	datagram->messages = (const uint8_t *)message + size;
	datagram->size_bytes = left - size;
	return message;
}

int netlink_datagram_receive(int fd, void *buffer, size_t size_bytes, struct netlink_datagram *ret_datagram)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t from_size = sizeof from;
		ssize_t size =
			recvfrom(fd, buffer, size_bytes, MSG_TRUNC, (struct sockaddr *)&from, &from_size);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return -errno;
		if (from_size != sizeof from || from.nl_pid != 0)
			continue;
		if ((size_t)size > size_bytes)
			return -EMSGSIZE;
		*ret_datagram = (struct netlink_datagram){buffer, (size_t)size};
		return 0;
	}
}
