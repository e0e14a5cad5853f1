/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "node-agent/io/conntrack/conntrack.h"
#include "node-agent/io/conntrack/message.h"
#include "node-agent/io/netlink/datagram.h"

enum {
	SOCKET_BUFFER_BYTES =
		4 * 1024 * 1024, /* news of some 5,000 flows, while the loop has other things to do */
	DATAGRAMS_MAX = 32,      /* taken in at once: of a look, some 3,000 flows */
};

struct conntrack_watch {
	struct mnl_socket *socket;
	uint32_t sequence; /* of the look */
	bool looking, listening;
	uint8_t buffer[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* News come unasked, and carry no sequence number: they go, what was asked for stays. */
static int deafen(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_seq)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = {ARRAY_COUNT(code), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

static int join(struct mnl_socket *socket)
{
	static const int groups[] = {
		NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY};

	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_COUNT(groups); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
			return -errno;
	}
	return 0;
}

int conntrack_watch_open(struct conntrack_watch **ret_watch, struct err *err)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int bytes = SOCKET_BUFFER_BYTES, r = socket ? deafen(mnl_socket_get_fd(socket)) : -errno;
	struct conntrack_watch *watch;

	if (r == 0)
		r = join(socket);
	if (r < 0) {
		if (socket)
			mnl_socket_close(socket);
		return err_set(err, r, "cannot listen for news of connection tracking: %s", strerror(-r));
	}
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	watch = mem_new(1, sizeof *watch);
	watch->socket = socket;
	*ret_watch = watch;
	return 0;
}

void conntrack_watch_close(struct conntrack_watch *watch)
{
	if (!watch)
		return;
	mnl_socket_close(watch->socket);
	free(watch);
}

int conntrack_watch_fd(const struct conntrack_watch *watch)
{
	return mnl_socket_get_fd(watch->socket);
}

int conntrack_watch_listen(struct conntrack_watch *watch, bool listen)
{
	int fd = conntrack_watch_fd(watch), zero = 0, r;

	if (listen == watch->listening)
		return 0;
	if (listen)
		r = setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof zero) < 0 ? -errno : 0;
	else
		r = deafen(fd);
	if (r == 0)
		watch->listening = listen;
	return r;
}

int conntrack_watch_look(struct conntrack_watch *watch)
{
	uint8_t buffer[CONNTRACK_MESSAGE_MAX_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *message;

	if (watch->looking)
		return -EBUSY;
	if (++watch->sequence == 0) /* as news have */
		watch->sequence = 1;
	message = conntrack_encode_dump(buffer, watch->sequence);
	while (mnl_socket_sendto(watch->socket, message, message->nlmsg_len) < 0)
		if (errno != EINTR)
			return -errno;
	watch->looking = true;
	return 0;
}

static void take_end(
	struct conntrack_watch *watch, const struct nlmsghdr *message, const struct conntrack_news *news)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof error)
		memcpy(&error, mnl_nlmsg_get_payload(message), sizeof error);
	if (message->nlmsg_seq != watch->sequence || !watch->looking)
		return;
	watch->looking = false;
	news->looked(error == 0, news->context);
}

static void take(
	struct conntrack_watch *watch, const struct nlmsghdr *message, const struct conntrack_news *news)
{
	enum conntrack_kind kind;
	struct flow flow;

	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
		take_end(watch, message, news);
	else if (conntrack_decode(message, &kind, &flow) < 0)
		return;
	else if (message->nlmsg_seq == watch->sequence && watch->looking)
		news->seen(&flow, news->context);
	else
		news->flow(&flow, kind == CONNTRACK_GONE, news->context);
}

void conntrack_watch_read(struct conntrack_watch *watch, const struct conntrack_news *news)
{
	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		struct netlink_datagram datagram;
		const struct nlmsghdr *message;
		int r = netlink_datagram_receive(
			conntrack_watch_fd(watch), watch->buffer, sizeof watch->buffer, &datagram);

		if (r == -ENOBUFS || r == -EMSGSIZE)
			news->lost(news->context);
		else if (r < 0)
			return;
		else
			while ((message = netlink_datagram_next(&datagram)))
				take(watch, message, news);
	}
}
