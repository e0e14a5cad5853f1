/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "node-agent/io/conntrack/conntrack.h"
#include "node-agent/io/conntrack/message.h"
#include "node-agent/io/netlink/datagram.h"

enum {
	PER_FLOW = 3, /* messages: two that make room, one that makes it */
	MESSAGES_MAX = CONNTRACK_BATCH_MAX * PER_FLOW,
	SOCKET_BUFFER_BYTES = 1024 * 1024, /* an answer to each message */
	ANSWER_WAIT_MS = 1000,
};

struct conntrack {
	struct mnl_socket *socket;
	uint32_t sequence;
	size_t length, count; /* of the batch under way */
	uint8_t batch[MESSAGES_MAX * CONNTRACK_MESSAGE_MAX_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	int results[MESSAGES_MAX];
	uint8_t answer[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
};

int conntrack_open(struct conntrack **ret_conntrack, struct err *err)
{
	int one = 1, bytes = SOCKET_BUFFER_BYTES;
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct conntrack *conntrack;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = -errno;

		if (socket)
			mnl_socket_close(socket);
		return err_set(err, error, "cannot open a netlink socket to connection tracking: %s",
			strerror(-error));
	}
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &one, sizeof one);
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	conntrack = mem_new(1, sizeof *conntrack);
	conntrack->socket = socket;
	*ret_conntrack = conntrack;
	return 0;
}

void conntrack_close(struct conntrack *conntrack)
{
	if (!conntrack)
		return;
	mnl_socket_close(conntrack->socket);
	free(conntrack);
}

/* ---- a batch: its messages are worked off in order, an error of one stops none ---- */

static void batch_begin(struct conntrack *conntrack)
{
	conntrack->length = conntrack->count = 0;
	memset(conntrack->results, 0, sizeof conntrack->results);
	conntrack->sequence += MESSAGES_MAX;
}

static uint32_t batch_sequence(const struct conntrack *conntrack)
{
	return conntrack->sequence + (uint32_t)conntrack->count;
}

static uint8_t *batch_room(struct conntrack *conntrack)
{
	return conntrack->batch + conntrack->length;
}

static void batch_add(struct conntrack *conntrack, const struct nlmsghdr *message)
{
	conntrack->length += MNL_ALIGN(message->nlmsg_len);
	conntrack->count++;
}

/* True once the last one was answered. */
static bool take_answer(struct conntrack *conntrack, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	uint32_t index = message->nlmsg_seq - conntrack->sequence;

	if (message->nlmsg_type != NLMSG_ERROR || index >= conntrack->count ||
		mnl_nlmsg_get_payload_len(message) < sizeof error->error)
		return false;
	conntrack->results[index] = error->error;
	return index == conntrack->count - 1;
}

static int receive(struct conntrack *conntrack, struct netlink_datagram *ret_datagram)
{
	struct pollfd poll_fd = {.fd = mnl_socket_get_fd(conntrack->socket), .events = POLLIN};
	int r;

	for (;;) {
		r = netlink_datagram_receive(
			poll_fd.fd, conntrack->answer, sizeof conntrack->answer, ret_datagram);
		if (r != -EAGAIN)
			return r;
		r = poll(&poll_fd, 1, ANSWER_WAIT_MS);
		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

/* Only errors and the end are answered. The kernel is done with a batch when it has taken it. */
static int batch_commit(struct conntrack *conntrack, struct nlmsghdr *last)
{
	bool done = false;

	if (!conntrack->count)
		return 0;
	last->nlmsg_flags |= NLM_F_ACK;
	while (mnl_socket_sendto(conntrack->socket, conntrack->batch, conntrack->length) < 0)
		if (errno != EINTR)
			return -errno;
	while (!done) {
		struct netlink_datagram datagram;
		const struct nlmsghdr *message;
		int r = receive(conntrack, &datagram);

		if (r < 0)
			return r;
		while ((message = netlink_datagram_next(&datagram)))
			done |= take_answer(conntrack, message);
	}
	return 0;
}

static struct nlmsghdr *add_create(struct conntrack *conntrack, const struct flow *flow)
{
	struct nlmsghdr *message =
		conntrack_encode_create(batch_room(conntrack), flow, NLM_F_EXCL, batch_sequence(conntrack));

	batch_add(conntrack, message);
	return message;
}

static struct nlmsghdr *add_delete(struct conntrack *conntrack, const struct flow *flow, bool by_reply)
{
	struct nlmsghdr *message =
		conntrack_encode_delete(batch_room(conntrack), flow, by_reply, batch_sequence(conntrack));

	batch_add(conntrack, message);
	return message;
}

static void count_result(struct conntrack_made *made, int result)
{
	if (!result) {
		made->made++;
		return;
	}
	if (result == -EEXIST) {
		made->there++;
		return;
	}
	made->refused++;
	made->error = result;
}

/* Those of a batch, of one message each, that did not go well and may yet. */
struct rest {
	size_t count;
	struct flow flows[CONNTRACK_BATCH_MAX];
};

/* What bears its name goes, and what its answers would be taken for. */
static int replace_all(struct conntrack *conntrack, const struct rest *rest, struct conntrack_made *made)
{
	struct nlmsghdr *last = NULL;
	int r;

	batch_begin(conntrack);
	for (size_t i = 0; i < rest->count; i++) {
		add_delete(conntrack, &rest->flows[i], false);
		add_delete(conntrack, &rest->flows[i], true);
		last = add_create(conntrack, &rest->flows[i]);
	}
	r = batch_commit(conntrack, last);
	for (size_t i = 0; r == 0 && i < rest->count; i++)
		count_result(made, conntrack->results[i * PER_FLOW + 2]);
	return r;
}

int conntrack_load(struct conntrack *conntrack, const struct flow *flows, size_t count, bool replace,
	struct conntrack_made *ret_made)
{
	struct conntrack_made made = {0};
	struct nlmsghdr *last = NULL;
	struct rest there = {0};
	int r;

	if (count > CONNTRACK_BATCH_MAX)
		return -EINVAL;
	batch_begin(conntrack);
	for (size_t i = 0; i < count; i++)
		last = add_create(conntrack, &flows[i]);
	r = batch_commit(conntrack, last);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (replace && conntrack->results[i] == -EEXIST)
			there.flows[there.count++] = flows[i];
		else
			count_result(&made, conntrack->results[i]);
	}
	if (r == 0)
		r = replace_all(conntrack, &there, &made);
	if (r == 0)
		*ret_made = made;
	return r;
}

int conntrack_update(
	struct conntrack *conntrack, const struct flow *flows, size_t count, struct conntrack_made *ret_made)
{
	struct conntrack_made made = {0};
	struct nlmsghdr *last = NULL;
	struct rest missing = {0};
	int r;

	if (count > CONNTRACK_BATCH_MAX)
		return -EINVAL;
	batch_begin(conntrack);
	for (size_t i = 0; i < count; i++) {
		last = conntrack_encode_update(batch_room(conntrack), &flows[i], batch_sequence(conntrack));
		batch_add(conntrack, last);
	}
	r = batch_commit(conntrack, last);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (conntrack->results[i])
			missing.flows[missing.count++] = flows[i];
	if (r == 0)
		r = conntrack_load(conntrack, missing.flows, missing.count, true, &made);
	made.made += count - missing.count;
	if (r == 0)
		*ret_made = made;
	return r;
}

/* Of a batch of which nothing has to be there. */
static int first_failure(const struct conntrack *conntrack)
{
	for (size_t i = 0; i < conntrack->count; i++)
		if (conntrack->results[i] && conntrack->results[i] != -ENOENT)
			return conntrack->results[i];
	return 0;
}

int conntrack_delete(struct conntrack *conntrack, const struct flow *flows, size_t count)
{
	struct nlmsghdr *last = NULL;
	int r;

	if (count > CONNTRACK_BATCH_MAX)
		return -EINVAL;
	batch_begin(conntrack);
	for (size_t i = 0; i < count; i++)
		last = add_delete(conntrack, &flows[i], false);
	r = batch_commit(conntrack, last);
	return r < 0 ? r : first_failure(conntrack);
}

int conntrack_loosen(struct conntrack *conntrack, const struct flow *flows, size_t count)
{
	struct nlmsghdr *last = NULL;
	int r;

	if (count > CONNTRACK_BATCH_MAX)
		return -EINVAL;
	batch_begin(conntrack);
	for (size_t i = 0; i < count; i++) {
		last = conntrack_encode_loosen(batch_room(conntrack), &flows[i], batch_sequence(conntrack));
		batch_add(conntrack, last);
	}
	r = batch_commit(conntrack, last);
	return r < 0 ? r : first_failure(conntrack);
}
