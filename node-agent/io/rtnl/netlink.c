/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/attribute.h"

/* Room for the acknowledgements of a whole batch, which arrive before we begin to read: about 1 KiB each. */
enum { RECEIVE_QUEUE_BYTES = 4 << 20 };

struct netlink {
	struct mnl_socket *socket;
	uint32_t sequence;
	char why[NETLINK_WHY_MAX];
	uint8_t *buffer;
};

static void set_option(int fd, int level, int option)
{
	const int on = 1;

	/* Each of them improves an answer; a kernel without it still answers. */
	(void)setsockopt(fd, level, option, &on, sizeof on);
}

static int configure(int fd, int timeout_ms)
{
	const struct timeval timeout = {
		.tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
	const int queue = RECEIVE_QUEUE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
	set_option(fd, SOL_NETLINK, NETLINK_EXT_ACK);
	set_option(fd, SOL_NETLINK, NETLINK_CAP_ACK);
	set_option(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK);
	return 0;
}

int netlink_open(int protocol, int timeout_ms, struct netlink **ret_netlink)
{
	struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	struct netlink *netlink;
	int r;

	if (!socket)
		return -errno;
	r = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0
		    ? -errno
		    : configure(mnl_socket_get_fd(socket), timeout_ms);
	if (r < 0) {
		mnl_socket_close(socket);
		return r;
	}
	netlink = mem_new(1, sizeof *netlink);
	netlink->socket = socket;
	netlink->buffer = mem_new(1, NETLINK_BUFFER_BYTES);
	*ret_netlink = netlink;
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	mnl_socket_close(netlink->socket);
	netlink_wipe(netlink);
	free(netlink->buffer);
	free(netlink);
}

const char *netlink_why(const struct netlink *netlink)
{
	return netlink->why;
}

void netlink_wipe(struct netlink *netlink)
{
	mem_wipe(netlink->buffer, NETLINK_BUFFER_BYTES);
}

uint32_t netlink_sequence(struct netlink *netlink, uint32_t count)
{
	uint32_t first = netlink->sequence + 1;

	netlink->sequence += count;
	return first;
}

int netlink_send(struct netlink *netlink, const void *messages, size_t size_bytes)
{
	ssize_t sent;

	do
		sent = mnl_socket_sendto(netlink->socket, messages, size_bytes);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)sent == size_bytes ? 0 : -EMSGSIZE;
}

int netlink_receive(struct netlink *netlink, struct netlink_datagram *ret_datagram)
{
	int r = netlink_datagram_receive(
		mnl_socket_get_fd(netlink->socket), netlink->buffer, NETLINK_BUFFER_BYTES, ret_datagram);

	return r == -EAGAIN ? -ETIMEDOUT : r;
}

static void copy_words(const struct nlattr *attribute, char why[NETLINK_WHY_MAX])
{
	size_t size = strnlen(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));

	if (size >= NETLINK_WHY_MAX)
		size = NETLINK_WHY_MAX - 1;
	memcpy(why, mnl_attr_get_payload(attribute), size);
	why[size] = '\0';
}

int netlink_error(const struct nlmsghdr *message, char why[NETLINK_WHY_MAX])
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	size_t size = mnl_nlmsg_get_payload_len(message), offset = sizeof *error;
	const struct nlattr *table[NLMSGERR_ATTR_MAX + 1];

	why[0] = '\0';
	if (size < sizeof *error || error->error > 0)
		return -EPROTO;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return error->error;
	/* The request is repeated before the attributes, unless it was capped to its header. */
	if (!(message->nlmsg_flags & NLM_F_CAPPED) && error->msg.nlmsg_len > sizeof error->msg)
		offset += MNL_ALIGN(error->msg.nlmsg_len - sizeof error->msg);
	if (offset > size)
		return error->error;
	attribute_span((const char *)error + offset, size - offset, table, ARRAY_COUNT(table));
	if (table[NLMSGERR_ATTR_MSG])
		copy_words(table[NLMSGERR_ATTR_MSG], why);
	return error->error;
}

/* One answer while it comes in. */
struct answer {
	uint32_t sequence;
	netlink_callback *callback;
	void *context;
	bool complete, interrupted;
	int result;
};

static int done_code(const struct nlmsghdr *message)
{
	int32_t code = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof code)
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof code);
	return code < 0 ? code : 0;
}

static void take_message(struct netlink *netlink, const struct nlmsghdr *message, struct answer *answer)
{
	int r = 0;

	if (message->nlmsg_seq != answer->sequence || answer->complete)
		return;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->interrupted = true;
	if (message->nlmsg_type == NLMSG_ERROR) {
		r = netlink_error(message, netlink->why);
		answer->complete = true;
	} else if (message->nlmsg_type == NLMSG_DONE) {
		r = done_code(message);
		answer->complete = true;
	} else if (message->nlmsg_type >= NLMSG_MIN_TYPE && answer->callback && answer->result == 0) {
		r = answer->callback(message, answer->context);
	}
	if (answer->result == 0)
		answer->result = r;
}

static int collect(struct netlink *netlink, struct answer *answer)
{
	const struct nlmsghdr *message;
	struct netlink_datagram datagram;
	int r;

	while (!answer->complete) {
		r = netlink_receive(netlink, &datagram);
		if (r < 0)
			return r;
		while ((message = netlink_datagram_next(&datagram)))
			take_message(netlink, message, answer);
	}
	return answer->result;
}

static int ask(struct netlink *netlink, struct nlmsghdr *request, struct answer *answer)
{
	int r;

	netlink->why[0] = '\0';
	request->nlmsg_seq = answer->sequence = netlink_sequence(netlink, 1);
	r = netlink_send(netlink, request, request->nlmsg_len);
	return r < 0 ? r : collect(netlink, answer);
}

int netlink_talk(struct netlink *netlink, struct nlmsghdr *request, netlink_callback *callback, void *context)
{
	struct answer answer = {.callback = callback, .context = context};

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	return ask(netlink, request, &answer);
}

int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_callback *callback,
	netlink_restart *restart, void *context)
{
	int tries, r;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	for (tries = 0; tries < NETLINK_DUMP_TRIES; tries++) {
		struct answer answer = {.callback = callback, .context = context};

		r = ask(netlink, request, &answer);
		if (r < 0 || !answer.interrupted)
			return r;
		restart(context);
	}
	return -EAGAIN;
}
