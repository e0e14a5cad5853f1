/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/icmp/stamp.h"
#include "node-agent/io/announce/frame.h"

enum {
	SOCKET_ARP,
	SOCKET_ND,
	ND_TARGET_OFFSET = sizeof(struct ip6_hdr) + 8, /* RFC 4861, section 4.4 */
	ND_BYTES = ND_TARGET_OFFSET + 16,
};

struct probe {
	int fds[PROBE_FDS];
};

/* What another host sent to us or to a group: neither our own packets nor what passes by in promiscuous mode. */
#define LOAD_PACKET_TYPE BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE))
#define LOAD(size, offset) BPF_STMT(BPF_LD | (size) | BPF_ABS, (offset))
#define UNLESS_BELOW(limit, skip) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (limit), (skip), 0)
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define TAKE BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define LEAVE BPF_STMT(BPF_RET | BPF_K, 0)

static const struct sock_filter arp_replies[] = {
	LOAD_PACKET_TYPE,
	UNLESS_BELOW(PACKET_OTHERHOST, 3),
	LOAD(BPF_H, offsetof(struct arphdr, ar_op)),
	UNLESS_EQUAL(ARPOP_REPLY, 1),
	TAKE,
	LEAVE,
};

static const struct sock_filter advertisements[] = {
	LOAD_PACKET_TYPE,
	UNLESS_BELOW(PACKET_OTHERHOST, 7),
	LOAD(BPF_B, offsetof(struct ip6_hdr, ip6_nxt)),
	UNLESS_EQUAL(IPPROTO_ICMPV6, 5),
	LOAD(BPF_B, offsetof(struct ip6_hdr, ip6_hlim)),
	UNLESS_EQUAL(255, 3), /* RFC 4861, section 7.1.2: not from beyond the link */
	LOAD(BPF_B, sizeof(struct ip6_hdr)),
	UNLESS_EQUAL(ND_NEIGHBOR_ADVERT, 1),
	TAKE,
	LEAVE,
};

static int start(int fd, uint16_t protocol, const struct sock_filter *filter, size_t length)
{
	struct sock_fprog program = {(unsigned short)length, mem_copy(filter, length * sizeof *filter)};
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
	int error = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
	free(program.filter);
	if (!error)
		error = stamp_enable(fd);
	if (!error && bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		error = -errno;
	return error;
}

/* Opened for no protocol, so that nothing comes in before the filter is there. */
static int open_socket(uint16_t protocol, const struct sock_filter *filter, size_t length)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int error = start(fd, protocol, filter, length);
	if (!error)
		return fd;
	close(fd);
	return error;
}

int probe_open(struct probe **ret_probe, struct err *err)
{
	int arp = open_socket(ETH_P_ARP, arp_replies, ARRAY_COUNT(arp_replies));
	int nd = arp < 0 ? arp : open_socket(ETH_P_IPV6, advertisements, ARRAY_COUNT(advertisements));
	if (nd < 0) {
		if (arp >= 0)
			close(arp);
		return err_set(err, nd, "cannot open a packet socket for probes: %s", strerror(-nd));
	}
	struct probe *probe = mem_new(1, sizeof *probe);
	probe->fds[SOCKET_ARP] = arp;
	probe->fds[SOCKET_ND] = nd;
	*ret_probe = probe;
	return 0;
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	for (size_t i = 0; i < PROBE_FDS; i++)
		close(probe->fds[i]);
	free(probe);
}

void probe_fds(const struct probe *probe, int ret_fds[PROBE_FDS])
{
	memcpy(ret_fds, probe->fds, sizeof probe->fds);
}

int probe_send(
	struct probe *probe, const char *interface, const struct addr *address, const struct addr *source)
{
	static const struct addr nobody;
	struct frame_interface out;
	struct frame frame;
	if (address->family != AF_INET && address->family != AF_INET6)
		return -EAFNOSUPPORT;
	const struct addr *from = source && source->family == address->family ? source : &nobody;
	int error = frame_interface(probe->fds[SOCKET_ARP], interface, &out);
	if (error)
		return error;
	if (address->family == AF_INET)
		frame_arp_request(&frame, out.mac, from, address);
	else
		frame_solicitation(&frame, out.mac, from, address);
	return frame_send(probe->fds[SOCKET_ARP], out.index, &frame);
}

static bool read_arp(const uint8_t *packet, size_t length, struct probe_answer *answer)
{
	struct ether_arp arp;
	if (length < sizeof arp)
		return false;
	memcpy(&arp, packet, sizeof arp);
	if (arp.ea_hdr.ar_hrd != htons(ARPHRD_ETHER) || arp.ea_hdr.ar_pro != htons(ETH_P_IP) ||
		arp.ea_hdr.ar_hln != sizeof arp.arp_sha || arp.ea_hdr.ar_pln != sizeof arp.arp_spa)
		return false;
	answer->address.family = AF_INET;
	memcpy(answer->address.bytes, arp.arp_spa, sizeof arp.arp_spa);
	memcpy(answer->mac, arp.arp_sha, sizeof answer->mac);
	return true;
}

static bool read_nd(const uint8_t *packet, size_t length, struct probe_answer *answer)
{
	if (length < ND_BYTES)
		return false;
	answer->address.family = AF_INET6;
	memcpy(answer->address.bytes, packet + ND_TARGET_OFFSET, 16);
	return true;
}

/* 1: an answer; 0: none for us; -errno: -EAGAIN when nothing is left. */
static int read_one(struct probe *probe, size_t which, struct probe_answer *ret_answer)
{
	uint8_t packet[256];
	char control[STAMP_CONTROL_BYTES] __attribute__((aligned(8)));
	struct sockaddr_ll from;
	struct iovec data = {packet, sizeof packet};
	struct msghdr message = {.msg_name = &from,
		.msg_namelen = sizeof from,
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct probe_answer answer = {0};
	ssize_t length = recvmsg(probe->fds[which], &message, MSG_DONTWAIT);
	if (length < 0)
		return -errno;
	memcpy(answer.mac, from.sll_addr, sizeof answer.mac);
	bool good = which == SOCKET_ARP ? read_arp(packet, (size_t)length, &answer)
					: read_nd(packet, (size_t)length, &answer);
	if (!good)
		return 0;
	answer.interface = (unsigned)from.sll_ifindex;
	answer.received_us = stamp_received_us(&message);
	*ret_answer = answer;
	return 1;
}

int probe_read(struct probe *probe, struct probe_answer *ret_answer)
{
	for (size_t which = 0; which < PROBE_FDS; which++) {
		int result = 0;
		while (result == 0 || result == -EINTR)
			result = read_one(probe, which, ret_answer);
		if (result == 1)
			return 1;
		if (result != -EAGAIN)
			return result;
	}
	return 0;
}
