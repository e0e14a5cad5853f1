/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "node-agent/io/netlink/datagram.h"
#include "node-agent/io/nft/decode.h"

struct nft_watch {
	struct mnl_socket *socket;
	uint8_t buffer[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/*
 * All messages of a datagram come from one transaction, and carry the port id of the socket that made it. A lease is
 * renewed several times a second; without this each renewal would wake the agent once more.
 */
static int ignore_port(int fd, uint32_t port_id)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port_id), 0, 1), /* loads are big-endian */
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = {ARRAY_COUNT(code), code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

/* The filter is there before the first event can come. */
static int start(struct mnl_socket *socket, uint32_t port_id)
{
	int group = NFNLGRP_NFTABLES;
	int error = ignore_port(mnl_socket_get_fd(socket), port_id);
	if (error)
		return error;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
		mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
		return -errno;
	return 0;
}

int nft_watch_open(const struct nft *nft, struct nft_watch **ret_watch, struct err *err)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int error = socket ? start(socket, nft_port_id(nft)) : -errno;
	if (error) {
		if (socket)
			mnl_socket_close(socket);
		return err_set(err, error, "cannot listen for changes of nftables: %s", strerror(-error));
	}
	struct nft_watch *watch = mem_new(1, sizeof *watch);
	watch->socket = socket;
	*ret_watch = watch;
	return 0;
}

void nft_watch_close(struct nft_watch *watch)
{
	if (!watch)
		return;
	mnl_socket_close(watch->socket);
	free(watch);
}

int nft_watch_fd(const struct nft_watch *watch)
{
	return mnl_socket_get_fd(watch->socket);
}

static enum nft_news worse(enum nft_news a, enum nft_news b)
{
	return a > b ? a : b;
}

enum nft_news nft_watch_read(struct nft_watch *watch)
{
	enum nft_news news = NFT_NEWS_NONE;
	for (;;) {
		struct netlink_datagram datagram;
		const struct nlmsghdr *message;
		int error = netlink_datagram_receive(
			nft_watch_fd(watch), watch->buffer, sizeof watch->buffer, &datagram);
		if (error == -ENOBUFS || error == -EMSGSIZE) {
			news = worse(news, NFT_NEWS_CHANGED); /* events were lost, any of them may be ours */
			continue;
		}
		if (error)
			return news;
		while ((message = netlink_datagram_next(&datagram)))
			news = worse(news, nft_decode_news(message));
	}
}
