/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/nft/wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io/clock.h"
#include "tests/unit/firewall/sample.h"

int64_t wire_now_ms(void)
{
	return clock_now_ms();
}

bool wire_wait(int fd, int wait_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	return poll(&poll_fd, 1, wait_ms) == 1;
}

static socklen_t to_sockaddr(const char *address, uint16_t port, struct sockaddr_storage *to)
{
	struct endpoint endpoint = {.addr = sample_addr(address), .port = port};
	return endpoint_to_sockaddr(&endpoint, to);
}

int wire_udp(uint8_t family, const char *address, uint16_t port, uint32_t mark)
{
	struct sockaddr_storage local;
	const char *any = family == AF_INET ? "0.0.0.0" : "::";
	int one = 1;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	socklen_t length = to_sockaddr(address ? address : any, port, &local);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark), 0);
	ck_assert_msg(bind(fd, (struct sockaddr *)&local, length) == 0, "bind to %s: %m", address);
	return fd;
}

int wire_send(int fd, const char *address, uint16_t port, const char *text)
{
	struct sockaddr_storage to;
	socklen_t length = to_sockaddr(address, port, &to);
	return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, length) < 0 ? -errno : 0;
}

bool wire_receive(int fd, char *buffer, size_t size, struct endpoint *ret_from, int wait_ms)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof from;
	if (!wire_wait(fd, wait_ms))
		return false;
	ssize_t received = recvfrom(fd, buffer, size - 1, 0, (struct sockaddr *)&from, &length);
	ck_assert_int_ge(received, 0);
	buffer[received] = '\0';
	ck_assert_int_ge(endpoint_from_sockaddr((struct sockaddr *)&from, ret_from), 0);
	return true;
}

int wire_tap(const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int one = 1;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	address.sll_ifindex = (int)if_nametoindex(interface);
	ck_assert_int_eq(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

bool wire_see(int fd, struct wire_packet *packet, int wait_ms)
{
	char control[128] __attribute__((aligned(8)));
	struct sockaddr_ll from;
	struct iovec data = {packet->bytes, sizeof packet->bytes};
	struct msghdr message = {.msg_name = &from,
		.msg_namelen = sizeof from,
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	if (!wire_wait(fd, wait_ms))
		return false;
	ssize_t length = recvmsg(fd, &message, 0);
	ck_assert_int_ge(length, 0);
	packet->length = (size_t)length;
	packet->protocol = ntohs(from.sll_protocol);
	packet->outgoing = from.sll_pkttype == PACKET_OUTGOING;
	packet->checksum_pending = false;
	memcpy(packet->source_mac, from.sll_addr, sizeof packet->source_mac);
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
		header = CMSG_NXTHDR(&message, header)) {
		struct tpacket_auxdata aux;
		memcpy(&aux, CMSG_DATA(header), sizeof aux);
		packet->checksum_pending = aux.tp_status & TP_STATUS_CSUMNOTREADY;
	}
	return true;
}

static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | (i + 1 < length ? bytes[i + 1] : 0));
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

bool wire_udp_checksum_ok(const struct wire_packet *packet)
{
	bool ip4 = packet->protocol == ETH_P_IP;
	size_t header = ip4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	size_t addresses = ip4 ? 12 : 8, addresses_length = ip4 ? 8 : 32;
	struct udphdr udp;
	ck_assert_uint_ge(packet->length, header + sizeof udp);
	memcpy(&udp, packet->bytes + header, sizeof udp);
	if (ip4 && fold(add_words(0, packet->bytes, header)) != 0xffff)
		return false;
	size_t length = ntohs(udp.len);
	uint32_t pseudo =
		add_words((uint32_t)length + IPPROTO_UDP, packet->bytes + addresses, addresses_length);
	if (packet->checksum_pending)
		return ntohs(udp.check) == fold(pseudo);
	return fold(add_words(pseudo, packet->bytes + header, length)) == 0xffff;
}
