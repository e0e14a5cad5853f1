/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "node-agent/core/firewall/permit.h"
#include "node-agent/io/nft/attr.h"

#define WG_QUICK_PREFIX "wg-quick-"

struct nft_watch {
	struct mnl_socket *socket;
	uint8_t buffer[65536];
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

static bool is_ours(uint8_t family, const char *table)
{
	switch (family) {
	case NFPROTO_INET:
	case NFPROTO_ARP:
		return strcmp(table, FW_TABLE) == 0;
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
		return strncmp(table, WG_QUICK_PREFIX, strlen(WG_QUICK_PREFIX)) == 0;
	default: /* numbers of the kernel, not an enum of ours */
		return false;
	}
}

static enum nft_news judge(const struct nlmsghdr *message)
{
	unsigned type = NFNL_MSG_TYPE(message->nlmsg_type);
	if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_NFTABLES || type == NFT_MSG_NEWGEN ||
		mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return NFT_NEWS_NONE;
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	if (!is_ours(header->nfgen_family, nft_attr_table(message)))
		return NFT_NEWS_NONE;
	return type == NFT_MSG_DELTABLE ? NFT_NEWS_GONE : NFT_NEWS_CHANGED;
}

static enum nft_news worse(enum nft_news a, enum nft_news b)
{
	return a > b ? a : b;
}

enum nft_news nft_watch_read(struct nft_watch *watch)
{
	enum nft_news news = NFT_NEWS_NONE;
	for (;;) {
		ssize_t length = mnl_socket_recvfrom(watch->socket, watch->buffer, sizeof watch->buffer);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 && errno == ENOBUFS) {
			news = worse(news, NFT_NEWS_CHANGED); /* events were lost, any of them may be ours */
			continue;
		}
		if (length <= 0)
			return news;
		int left = (int)length;
		const struct nlmsghdr *message = (const void *)watch->buffer;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			news = worse(news, judge(message));
	}
}
