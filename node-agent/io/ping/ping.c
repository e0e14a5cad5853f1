/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/ping/ping.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"

enum {
	ECHO_REQUEST4 = 8,
	ECHO_REPLY4 = 0,
	ECHO_REQUEST6 = 128,
	ECHO_REPLY6 = 129,
	ECHO_BYTES = 8, /* type, code, checksum, identifier, sequence */
	IPV6_BYTES = 40,
	PACKET_MAX = 256,
};

struct tunnel_ping {
	int send4, send6; /* -1: the host has no such family */
	int receive;
	uint16_t sequence;
};

/* IPv4 with protocol 1 and type 0, or IPv6 with next header 58 and type 129; from the network header on. */
static int filter(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 0, 9),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ECHO_REPLY4, 5, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IPV6_BYTES),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ECHO_REPLY6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, PACKET_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = ARRAY_COUNT(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int open_receive(const char *device, struct err *err)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	if (fd < 0)
		return err_set(err, -errno, "packet socket: %s", strerror(errno));
	at.sll_ifindex = (int)if_nametoindex(device);
	r = at.sll_ifindex ? filter(fd) : -ENODEV;
	if (r >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		r = -errno;
	if (r >= 0)
		return fd;
	close(fd);
	return err_set(err, r, "%s: cannot listen: %s", device, strerror(-r));
}

/* What comes in by it is nobody's business: the other socket has it. */
static int open_send(const char *device, int family, int protocol)
{
	static struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {.len = 1, .filter = nothing};
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0)
		return fd;
	close(fd);
	return -1;
}

int tunnel_ping_open(const char *device, struct tunnel_ping **ret_ping, struct err *err)
{
	struct tunnel_ping *ping;
	int fd = open_receive(device, err);

	if (fd < 0)
		return fd;
	ping = mem_new(1, sizeof(*ping));
	ping->receive = fd;
	ping->send4 = open_send(device, AF_INET, IPPROTO_ICMP);
	ping->send6 = open_send(device, AF_INET6, IPPROTO_ICMPV6);
	*ret_ping = ping;
	return 0;
}

void tunnel_ping_close(struct tunnel_ping *ping)
{
	if (!ping)
		return;
	close(ping->receive);
	if (ping->send4 >= 0)
		close(ping->send4);
	if (ping->send6 >= 0)
		close(ping->send6);
	free(ping);
}

int tunnel_ping_fd(const struct tunnel_ping *ping)
{
	return ping->receive;
}

/* RFC 1071 */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (size % 2)
		sum += (uint32_t)bytes[size - 1] << 8;
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

static int send_to(int fd, const struct addr *to, const uint8_t *bytes, size_t size)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	bool is_six = to->family == AF_INET6;

	if (fd < 0)
		return -EAFNOSUPPORT;
	memcpy(&six.sin6_addr, to->bytes, sizeof(six.sin6_addr));
	memcpy(&four.sin_addr, to->bytes, sizeof(four.sin_addr));
	return sendto(fd, bytes, size, MSG_NOSIGNAL,
		       is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		       is_six ? sizeof(six) : sizeof(four)) < 0
		       ? -errno
		       : 0;
}

int tunnel_ping_send(struct tunnel_ping *ping, const struct addr *to, const uint8_t *payload, size_t size)
{
	bool is_six = to->family == AF_INET6;
	uint8_t bytes[ECHO_BYTES + PING_PAYLOAD_MAX] = {is_six ? ECHO_REQUEST6 : ECHO_REQUEST4};
	uint16_t sum;

	if (size > PING_PAYLOAD_MAX)
		return -EMSGSIZE;
	ping->sequence++;
	bytes[6] = (uint8_t)(ping->sequence >> 8);
	bytes[7] = (uint8_t)ping->sequence;
	memcpy(bytes + ECHO_BYTES, payload, size);
	sum = checksum(bytes, ECHO_BYTES + size);
	if (!is_six) { /* the kernel computes that of ICMPv6 */
		bytes[2] = (uint8_t)(sum >> 8);
		bytes[3] = (uint8_t)sum;
	}
	return send_to(is_six ? ping->send6 : ping->send4, to, bytes, ECHO_BYTES + size);
}

static void take_addr(struct addr *addr, uint8_t family, const uint8_t *bytes, size_t size)
{
	*addr = (struct addr){.family = family};
	memcpy(addr->bytes, bytes, size);
}

/* The filter has let nothing else through; sizes are still anybody's. */
static bool take_packet(const uint8_t *bytes, size_t size, struct tunnel_ping_answer *answer)
{
	bool is_six = bytes[0] >> 4 == 6;
	size_t head = is_six ? IPV6_BYTES : (size_t)(bytes[0] & 0xf) * 4;

	if (head < 20 || size < head + ECHO_BYTES)
		return false;
	if (is_six)
		take_addr(&answer->from, AF_INET6, bytes + 8, 16);
	else
		take_addr(&answer->from, AF_INET, bytes + 12, 4);
	answer->size = size - head - ECHO_BYTES;
	if (answer->size > PING_PAYLOAD_MAX)
		answer->size = PING_PAYLOAD_MAX;
	memcpy(answer->payload, bytes + head + ECHO_BYTES, answer->size);
	return true;
}

int tunnel_ping_read(struct tunnel_ping *ping, struct tunnel_ping_answer *ret_answer)
{
	uint8_t bytes[PACKET_MAX];

	for (;;) {
		struct sockaddr_ll from;
		socklen_t from_size = sizeof(from);
		ssize_t size = recvfrom(
			ping->receive, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_size);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (size > 0 && from.sll_pkttype != PACKET_OUTGOING &&
			take_packet(bytes, (size_t)size, ret_answer))
			return 1;
	}
}
